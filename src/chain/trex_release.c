/* SPDX-License-Identifier: MIT */
#include "trex_release.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

#define SERVER "_t-rex-64"
#define LIBS "so/x86_64"
#define LOADER "/lib64/ld-linux-x86-64.so.2"
#define LDD_MS 10000
#define LINE 1024

/* What the loader would take: each line "NAME => PATH (0x...)" to 'each'. */
static int
list_libraries(const char *dir,
	       int (*each)(void *arg, const char *name, const char *path, struct err *err),
	       void *arg, struct err *err)
{
	char log[] = "/tmp/nfvchain-ldd-XXXXXX", line[LINE], name[LINE], path[LINE];
	char *server = xasprintf("%s/" SERVER, dir);
	char *libs = xasprintf("LD_LIBRARY_PATH=%s:%s/" LIBS, dir, dir);
	char *const argv[] = {(char[]){"ldd"}, server, NULL};
	const char *const env[] = {libs, NULL};
	const struct proc_conf conf = {.name = "ldd", .argv = argv, .env = env, .log_path = log};
	struct proc p = {0};
	int fd = mkstemp(log), rc = fd < 0 ? err_set(err, errno, "%s", strerror(errno)) : 0;
	FILE *f;

	if (rc == 0)
		rc = proc_start(&p, &conf, err);
	if (rc == 0 && !proc_wait(&p, LDD_MS))
		rc = err_set(err, ETIMEDOUT, "ldd %s does not end", server);
	proc_close(&p);
	f = rc == 0 ? fdopen(fd, "r") : NULL;
	while (rc == 0 && f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " %1023s => %1023[^(\n]", name, path) == 2) {
			path[strcspn(path, " \n")] = '\0';
			rc = each(arg, name, path, err);
		}
	if (f != NULL)
		fclose(f);
	else if (fd >= 0)
		close(fd);
	if (fd >= 0)
		unlink(log);
	free(server);
	free(libs);
	return rc;
}

static int
refuse_missing(void *arg, const char *name, const char *path, struct err *err)
{
	/* "not found", and the path ends at the blank. */
	if (strcmp(path, "not") == 0)
		return err_machine(err, "%s/" SERVER " needs %s, which is not installed",
				   (const char *)arg, name);
	return 0;
}

int
trex_release_check(const char *dir, struct err *err)
{
	char *server = xasprintf("%s/" SERVER, dir), *copy = xstrdup(dir);
	int rc = 0;

	if (access(dir, R_OK | X_OK) < 0)
		rc = err_machine(err, "%s: %s", dir, strerror(errno));
	else if (access(server, X_OK) < 0)
		rc = err_machine(err, "%s is no TRex release: there is no program " SERVER " in it",
				 dir);
	if (rc == 0)
		rc = list_libraries(dir, refuse_missing, copy, err);
	free(server);
	free(copy);
	return rc;
}

struct collector {
	struct overlay *files;
	const char *dir;
};

static int
add_library(void *arg, const char *name, const char *path, struct err *err)
{
	struct collector *c = arg;
	char *to;
	int rc;

	if (path[0] != '/' || strncmp(path, c->dir, strlen(c->dir)) == 0)
		return 0;
	to = xasprintf(TREX_GUEST_DIR "/lib/%s", name);
	rc = overlay_add(c->files, path, to, err);
	free(to);
	return rc;
}

static int
add_one(struct overlay *files, const char *dir, const char *name, struct err *err)
{
	char *from = xasprintf("%s/%s", dir, name), *to = xasprintf(TREX_GUEST_DIR "/%s", name);
	struct stat st;
	int rc = 0;

	/* Links that lead nowhere too. */
	if (stat(from, &st) == 0 && S_ISREG(st.st_mode))
		rc = overlay_add(files, from, to, err);
	free(from);
	free(to);
	return rc;
}

static int
add_own_libraries(struct overlay *files, const char *dir, struct err *err)
{
	char *path = xasprintf("%s/" LIBS, dir);
	DIR *d = opendir(path);
	const struct dirent *e;
	int rc = 0;

	while (rc == 0 && d != NULL && (e = readdir(d)) != NULL) {
		char *name = xasprintf(LIBS "/%s", e->d_name);

		if (strstr(e->d_name, ".so") != NULL)
			rc = add_one(files, dir, name, err);
		free(name);
	}
	if (d != NULL)
		closedir(d);
	free(path);
	return rc;
}

int
trex_release_files(struct overlay *files, const char *dir, struct err *err)
{
	struct collector c = {files, dir};
	int rc = trex_release_check(dir, err);

	if (rc == 0)
		rc = add_one(files, dir, SERVER, err);
	if (rc == 0)
		rc = add_own_libraries(files, dir, err);
	if (rc == 0)
		rc = overlay_add(files, LOADER, TREX_GUEST_LOADER, err);
	return rc == 0 ? list_libraries(dir, add_library, &c, err) : rc;
}
