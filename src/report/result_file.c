/* SPDX-License-Identifier: MIT */
/* Where results lie: a directory for each, never used twice. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"

#include "result.h"

/* More results of one chain in one second than anybody makes. */
#define MAX_PER_SECOND 1000

/* Room for a long search with its report, and some more. */
#define RESULT_KB 2048

/* ---- writing ---- */

/* Makes 'path' and what is missing above it. */
static int
make_parents(const char *path, struct err *err)
{
	char *part = xstrdup(path);
	int rc = 0;

	for (char *slash = part; rc == 0 && slash != NULL;) {
		slash = strchr(slash + 1, '/');
		if (slash != NULL)
			*slash = '\0';
		if (mkdir(part, 0777) < 0 && errno != EEXIST)
			rc = err_set(err, errno, "%s: %s", part, strerror(errno));
		if (slash != NULL)
			*slash = '/';
	}
	free(part);
	return rc;
}

/* Makes the first of NAME, NAME-2, NAME-3 ... that is not there yet. */
static int
make_unused(const char *parent, const char *name, char **used, struct err *err)
{
	for (unsigned i = 1; i <= MAX_PER_SECOND; i++) {
		char *path;
		int rc;

		*used = i == 1 ? xstrdup(name) : xasprintf("%s-%u", name, i);
		path = xasprintf("%s/%s", parent, *used);
		rc = mkdir(path, 0777) < 0 ? errno : 0;
		if (rc != 0 && rc != EEXIST)
			err_set(err, rc, "%s: %s", path, strerror(rc));
		free(path);
		if (rc == 0)
			return 0;
		free(*used);
		*used = NULL;
		if (rc != EEXIST)
			return -rc;
	}
	return err_set(err, EEXIST, "%s/%s: taken, and so are %u more", parent, name,
		       MAX_PER_SECOND - 1);
}

/* Moves the link in one step: who reads it finds the old result or the new one. */
static int
point_latest(const char *parent, const char *name, struct err *err)
{
	char *latest = xasprintf("%s/latest", parent);
	char *temp = xasprintf("%s/.latest-%d", parent, (int)getpid());
	struct stat st;
	int rc = 0;

	unlink(temp);
	if (lstat(latest, &st) == 0 && !S_ISLNK(st.st_mode))
		rc = err_set(err, EEXIST, "%s is not a symbolic link: move it away", latest);
	else if (symlink(name, temp) < 0 || rename(temp, latest) < 0)
		rc = err_set(err, errno, "%s: %s", latest, strerror(errno));
	if (rc < 0)
		unlink(temp);
	free(temp);
	free(latest);
	return rc;
}

/* Better than to find out when all is measured. */
static int
check_room(const char *parent, struct err *err)
{
	struct statvfs fs;
	uint64_t kb;

	if (statvfs(parent, &fs) < 0)
		return err_set(err, errno, "%s: %s", parent, strerror(errno));
	kb = (uint64_t)fs.f_bavail * fs.f_frsize / 1024;
	if (kb < RESULT_KB)
		return err_set(
			err, ENOSPC,
			"%s: its file system has %llu kB left, and a result needs up to %d kB",
			parent, (unsigned long long)kb, RESULT_KB);
	return 0;
}

int
result_make_dir(const char *parent, const char *chain, char **dir, struct err *err)
{
	char stamp[32], *name, *used;
	time_t now = time(NULL);
	struct tm tm;
	int rc;

	*dir = NULL;
	rc = make_parents(parent, err);
	if (rc == 0)
		rc = check_room(parent, err);
	if (rc < 0)
		return rc;
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	name = xasprintf("%s-%s", stamp, chain);
	rc = make_unused(parent, name, &used, err);
	free(name);
	if (rc < 0)
		return rc;
	*dir = xasprintf("%s/%s", parent, used);
	rc = point_latest(parent, used, err);
	free(used);
	if (rc < 0) {
		rmdir(*dir);
		free(*dir);
		*dir = NULL;
	}
	return rc;
}

int
result_save(const json_t *result, const char *dir, struct err *err)
{
	char *path = xasprintf("%s/result.json", dir);
	int rc = json_save(result, path, err);

	free(path);
	return rc;
}

int
result_save_text(const char *text, const char *path, struct err *err)
{
	char *temp = xasprintf("%s.tmp-%d", path, (int)getpid());
	FILE *out = fopen(temp, "w");
	int rc = 0;

	if (out == NULL || fputs(text, out) == EOF)
		rc = err_set(err, errno, "%s: %s", path, strerror(errno));
	if (out != NULL && fclose(out) != 0 && rc == 0)
		rc = err_set(err, errno, "%s: %s", path, strerror(errno));
	if (rc == 0 && rename(temp, path) < 0)
		rc = err_set(err, errno, "%s: %s", path, strerror(errno));
	if (rc < 0 && out != NULL)
		unlink(temp);
	free(temp);
	return rc;
}

/* ---- reading ---- */

static int
check_schema(const json_t *result, const char *path, struct err *err)
{
	const char *text = json_string_value(json_object_get(result, "schema_version"));
	unsigned major, minor, ours;
	char rest;

	sscanf(RESULT_SCHEMA, "%u", &ours);
	if (text == NULL || sscanf(text, "%u.%u%c", &major, &minor, &rest) != 2)
		return err_usage(err, "%s: not a result of nfvchain (no schema_version)", path);
	if (major > ours)
		return err_usage(err,
				 "%s: schema %s is newer than this nfvchain, which reads %u.x "
				 "(update nfvchain)",
				 path, text, ours);
	return 0;
}

int
result_load(json_t **result, const char *path, struct err *err)
{
	struct stat st;
	bool in_dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	char *file = in_dir ? xasprintf("%s/result.json", path) : xstrdup(path);
	int rc;

	if (in_dir && access(file, F_OK) < 0) {
		char *sweep = xasprintf("%s/" RESULT_SWEEP, path);

		/* With neither, it is the result that is missing. */
		if (access(sweep, F_OK) == 0) {
			free(file);
			file = xstrdup(sweep);
		}
		free(sweep);
	}
	rc = json_load_path(result, file, err);
	if (rc == 0) {
		rc = check_schema(*result, file, err);
		if (rc < 0) {
			json_decref(*result);
			*result = NULL;
		}
	}
	free(file);
	return rc;
}
