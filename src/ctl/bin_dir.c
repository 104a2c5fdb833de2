/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#include "command.h"

/* Directory of the running program, or NULL when the kernel does not say. */
static char *
own_dir(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (len <= 0)
		return NULL;
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return NULL;
	slash[slash == path] = '\0';
	return xstrdup(path);
}

/* "DIR/NAME" if that is a program, else NULL. */
static char *
program_in(const char *dir, size_t len, const char *name)
{
	/* An empty element of PATH is the working directory. */
	char *path = xasprintf("%.*s/%s", len > 0 ? (int)len : 1, len > 0 ? dir : ".", name);
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0)
		return path;
	free(path);
	return NULL;
}

char *
command_find_program(const char *name)
{
	char *own = own_dir(), *found = NULL;
	const char *path = getenv("PATH");

	if (own != NULL)
		found = program_in(own, strlen(own), name);
	free(own);
	while (found == NULL && path != NULL) {
		size_t len = strcspn(path, ":");

		found = program_in(path, len, name);
		path = path[len] == ':' ? path + len + 1 : NULL;
	}
	return found;
}

char *
command_bin_dir(void)
{
	char *own = own_dir(), *found;
	char *slash;

	found = command_find_program("nfvchain-gen");
	if (found == NULL)
		return own != NULL ? own : xstrdup(".");
	free(own);
	slash = strrchr(found, '/');
	slash[slash == found] = '\0';
	return found;
}
