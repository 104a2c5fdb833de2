/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"

/* "put": a file from the host, in pieces.  It grows beside its place and moves there once all of it
 * has come and its digest is right. */

/* Guests have their files in memory. */
#define PUT_MAX (64u << 20)
#define PIECE_MAX (128u << 10)

struct put {
	const char *path;
	char *part; /* where it grows */
	uint64_t size, offset, mode;
	const char *sha256;
	uint8_t *data;
	size_t len;
};

int
agent_check_path(const char *path, const char *dir, struct err *err)
{
	size_t n = strlen(dir), len = strlen(path);

	if (len >= AGENT_MAX_PATH || strncmp(path, dir, n) != 0 || path[n] != '/' ||
	    path[n + 1] == '\0')
		return err_set(err, EACCES, "'%.256s' is not below %s", path, dir);
	if (strstr(path, "/../") != NULL || strstr(path, "//") != NULL ||
	    (len >= 3 && strcmp(path + len - 3, "/..") == 0) || path[len - 1] == '/')
		return err_set(err, EACCES, "'%.256s' is not a plain path", path);
	return 0;
}

static int
read_params(struct put *put, const json_t *params, const char *dir, struct err *err)
{
	const char *text;
	long len;
	int rc = json_get_text(params, "path", &put->path, err);

	if (rc == 0)
		rc = agent_check_path(put->path, dir, err);
	if (rc == 0)
		rc = json_get_text(params, "sha256", &put->sha256, err);
	if (rc == 0)
		rc = json_get_text(params, "data", &text, err);
	if (rc == 0)
		rc = json_get_u64(params, "size", &put->size, err);
	if (rc == 0)
		rc = json_get_u64(params, "offset", &put->offset, err);
	if (rc == 0)
		rc = json_get_u64(params, "mode", &put->mode, err);
	if (rc < 0)
		return rc;
	if (put->size > PUT_MAX)
		return err_set(err, EFBIG, "a file of more than %u bytes", PUT_MAX);
	put->data = xcalloc(PIECE_MAX, 1);
	len = base64_decode(text, put->data, PIECE_MAX);
	if (len < 0)
		return err_set(err, EINVAL, "data: not base64 of at most %u bytes", PIECE_MAX);
	put->len = (size_t)len;
	if (put->offset > put->size || put->len > put->size - put->offset)
		return err_set(err, EINVAL, "more data than 'size'");
	return 0;
}

/* Makes the folders above 'path', from below 'dir' on. */
static void
make_folders(const char *path, const char *dir)
{
	char *copy = xstrdup(path);

	for (char *slash = copy + strlen(dir); (slash = strchr(slash + 1, '/')) != NULL;
	     *slash = '/') {
		*slash = '\0';
		mkdir(copy, 0755);
	}
	free(copy);
}

/* Writes this piece; -ESPIPE when it is not the next. */
static int
write_piece(const struct put *put)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (put->offset == 0 ? O_TRUNC : 0);
	int fd = open(put->part, flags, 0600), rc = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || (uint64_t)st.st_size != put->offset) {
		rc = -ESPIPE;
	} else {
		n = pwrite(fd, put->data, put->len, (off_t)put->offset);
		if (n < 0 || (size_t)n != put->len)
			rc = n < 0 ? -errno : -ENOSPC;
	}
	close(fd);
	return rc;
}

/* All has come: the file goes to its place, or away. */
static int
finish(const struct put *put, struct err *err)
{
	char hex[SHA256_HEX];
	int rc = sha256_file(put->part, hex, err);

	if (rc < 0)
		return rc;
	if (strcmp(hex, put->sha256) != 0) {
		unlink(put->part);
		return err_set(err, EBADMSG, "%s: what came has another SHA-256", put->path);
	}
	if (chmod(put->part, (mode_t)put->mode & 0777) < 0 || rename(put->part, put->path) < 0)
		return err_set(err, errno, "%s: %s", put->path, strerror(errno));
	return 0;
}

static int
take(struct put *put, const char *dir, struct err *err)
{
	int rc;

	put->part = xasprintf("%s.part", put->path);
	make_folders(put->path, dir);
	rc = write_piece(put);
	if (rc < 0) {
		unlink(put->part);
		return err_set(err, -rc, "%s: %s", put->path,
			       rc == -ESPIPE ? "a piece is missing before this one"
					     : strerror(-rc));
	}
	return put->offset + put->len == put->size ? finish(put, err) : 0;
}

int
call_put(const struct call *call, const json_t *params, struct err *err)
{
	const char *dir = call->agent->conf.run;
	struct put put = {0};
	int rc = read_params(&put, params, dir, err);

	if (rc == 0)
		rc = take(&put, dir, err);
	if (rc == 0)
		call_answer(call, NULL);
	free(put.part);
	free(put.data);
	return rc;
}
