/* SPDX-License-Identifier: MIT */
#include "vm_console.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* A panic ends in the call trace, which has hundreds of lines at most. */
#define TAIL 65536

/* The end of the file, NUL-terminated, for the caller to free; NULL when there is none. */
static char *
read_tail(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char *text = xcalloc(TAIL + 1, 1);
	struct stat st;
	ssize_t n = -1;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = pread(fd, text, TAIL, st.st_size > TAIL ? st.st_size - TAIL : 0);
	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	if (n <= 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Copies a line without the time in brackets that the kernel writes before it. */
static void
copy_line(char *buf, size_t size, const char *line)
{
	size_t n = 0;

	if (line[0] == '[' && strchr(line, ']') != NULL)
		line = strchr(line, ']') + 1;
	while (isblank((unsigned char)*line))
		line++;
	for (; *line != '\0' && *line != '\n' && n + 1 < size; line++)
		if (isprint((unsigned char)*line))
			buf[n++] = *line;
	while (n > 0 && buf[n - 1] == ' ')
		n--;
	buf[n] = '\0';
}

char *
vm_console_panic(char *buf, size_t size, const char *path)
{
	static const char *const signs[] = {"Kernel panic - ", "not syncing: "};
	char *text = read_tail(path), *at;

	buf[0] = '\0';
	for (size_t i = 0; text != NULL && i < N_ELEMS(signs) && buf[0] == '\0'; i++) {
		at = strstr(text, signs[i]);
		if (at != NULL)
			copy_line(buf, size, at);
	}
	free(text);
	return buf;
}

char *
vm_console_last(char *buf, size_t size, const char *path)
{
	char *text = read_tail(path), *line, *rest = text, one[256];

	buf[0] = '\0';
	while (text != NULL && (line = strsep(&rest, "\n")) != NULL) {
		copy_line(one, sizeof(one), line);
		for (const char *c = one; *c != '\0'; c++)
			if (isalnum((unsigned char)*c)) {
				copy_line(buf, size, line);
				break;
			}
	}
	free(text);
	return buf;
}
