/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Feeds every file of the corpus folders given as arguments to a fuzz target: how the corpus is
 * part of the ordinary tests, without a fuzzing engine. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
feed(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long size = 0;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0) {
		perror(path);
		exit(1);
	}
	rewind(f);
	/* An allocation of exactly that size, so that a sanitizer sees reading beyond it. */
	data = malloc(size > 0 ? (size_t)size : 1);
	if (data == NULL || fread(data, 1, (size_t)size, f) != (size_t)size) {
		perror(path);
		exit(1);
	}
	fclose(f);
	(void)LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	return 1;
}

static int
feed_dir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	char path[4096];
	int n = 0;

	if (d == NULL) {
		perror(dir);
		exit(1);
	}
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		n += feed(path);
	}
	closedir(d);
	return n;
}

int
main(int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++)
		n += feed_dir(argv[i]);
	printf("%d inputs\n", n);
	return n > 0 ? 0 : 1;
}
