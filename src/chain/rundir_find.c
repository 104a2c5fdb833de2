/* SPDX-License-Identifier: MIT */
/* Run directories of others and of the dead: looked at, and never through what a file claims. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#include "rundir.h"
#include "rundir_parts.h"

#define LOCK ".lock"

/* ---- who has it ---- */

/* Does process 'pid' have that file open? */
static bool
has_open(pid_t pid, const struct stat *file)
{
	char *path = xasprintf("/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool found = false;

	free(path);
	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		struct stat st;

		found = isdigit((unsigned char)entry->d_name[0]) &&
			fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
			st.st_dev == file->st_dev && st.st_ino == file->st_ino;
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

/* What the path says of the chain, where its lock does not. */
static char *
chain_of_path(const char *path)
{
	const char *slash = strrchr(path, '/');

	return xstrdup(slash != NULL ? slash + 1 : path);
}

/* Reads "PID CHAIN" of a lock file of ours; either may be missing. */
static void
read_lock(struct rundir_info *info, const char *lock)
{
	char text[256] = "", *end;
	struct stat st;
	FILE *in;
	long pid;

	if (lstat(lock, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return;
	in = fopen(lock, "re");
	if (in == NULL)
		return;
	if (fgets(text, sizeof(text), in) == NULL)
		text[0] = '\0';
	fclose(in);
	pid = strtol(text, &end, 10);
	end[strcspn(end, "\n")] = '\0';
	if (*end == ' ' && end[1] != '\0')
		info->chain = xstrdup(end + 1);
	if (pid > 0 && has_open((pid_t)pid, &st))
		info->owner = (pid_t)pid;
}

static bool
is_marked(const char *path)
{
	char *mark = xasprintf("%s/" MARK, path);
	struct stat dir, st;
	bool is = lstat(path, &dir) == 0 && S_ISDIR(dir.st_mode) && dir.st_uid == geteuid() &&
		  lstat(mark, &st) == 0 && S_ISREG(st.st_mode);

	free(mark);
	return is;
}

void
rundir_look(struct rundir_info *info, const char *path)
{
	char *lock = xasprintf("%s" LOCK, path);

	*info = (struct rundir_info){.path = xstrdup(path), .exists = is_marked(path)};
	read_lock(info, lock);
	if (info->chain == NULL)
		info->chain = chain_of_path(path);
	free(lock);
}

void
rundir_info_fini(struct rundir_info *info)
{
	free(info->path);
	free(info->chain);
	*info = (struct rundir_info){0};
}

/* ---- all of them ---- */

/* "BASE" and "BASE-a". */
static bool
is_arm_of(const char *path, const char *base)
{
	size_t len = strlen(base);

	if (strncmp(path, base, len) != 0)
		return false;
	path += len;
	return path[0] == '\0' ||
	       (path[0] == '-' && islower((unsigned char)path[1]) && path[2] == '\0');
}

bool
rundir_is_meant(const char *path)
{
	char *base;
	bool is;

	if (rundir_chosen() == NULL)
		return true;
	base = rundir_path("");
	is = is_arm_of(path, base);
	free(base);
	return is;
}

/* Adds the directory whose lock file 'entry' is, when there is anything of it but the lock. */
static void
add(struct rundir_info **list, size_t *n, const char *parent, const char *entry)
{
	size_t len = strlen(entry), end = strlen(LOCK);
	struct rundir_info info;
	char *path;

	if (len <= end || strcmp(entry + len - end, LOCK) != 0)
		return;
	path = xasprintf("%s/%.*s", parent, (int)(len - end), entry);
	rundir_look(&info, path);
	if ((info.exists || info.owner > 0) && rundir_is_meant(path)) {
		*list = xrealloc(*list, *n + 1, sizeof(**list));
		(*list)[(*n)++] = info;
	} else {
		rundir_info_fini(&info);
	}
	free(path);
}

int
rundir_list(struct rundir_info **list, size_t *n, struct err *err)
{
	char *parent = rundir_path("x");
	struct dirent *entry;
	int rc = 0;
	DIR *dir;

	*list = NULL;
	*n = 0;
	*strrchr(parent, '/') = '\0';
	dir = opendir(parent[0] != '\0' ? parent : "/");
	if (dir == NULL && errno != ENOENT)
		rc = err_set(err, errno, "'%s': %s", parent, strerror(errno));
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		add(list, n, parent, entry->d_name);
	if (dir != NULL)
		closedir(dir);
	free(parent);
	return rc;
}

void
rundir_list_free(struct rundir_info *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rundir_info_fini(&list[i]);
	free(list);
}
