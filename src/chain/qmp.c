/* SPDX-License-Identifier: MIT */
#include "qmp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define CHUNK 4096u
/* The greeting has about 200 bytes, an event about as many. */
#define MAX_LINE (1u << 20)

int
qmp_open(struct qmp *q, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int rc = 0;

	*q = (struct qmp){.fd = -1};
	if (!str_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return -ENAMETOOLONG;
	q->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (q->fd < 0)
		return -errno;
	if (connect(q->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		rc = -errno;
		qmp_close(q);
	}
	return rc;
}

void
qmp_close(struct qmp *q)
{
	if (q->fd >= 0)
		close(q->fd);
	free(q->buf);
	*q = (struct qmp){.fd = -1};
}

/* Reads what is there: 1 when there was something. */
static int
fill(struct qmp *q)
{
	ssize_t n;

	if (q->size - q->len < CHUNK) {
		if (q->size > MAX_LINE)
			return -EMSGSIZE;
		q->size = 2 * q->size + CHUNK;
		q->buf = xrealloc(q->buf, q->size, 1);
	}
	do
		n = recv(q->fd, q->buf + q->len, CHUNK, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return -EPIPE;
	q->len += (size_t)n;
	return 1;
}

/* The first line in the buffer as JSON, taken out of it. */
static int
take_line(struct qmp *q, size_t len, json_t **msg)
{
	*msg = json_loadb(q->buf, len, 0, NULL);
	q->len -= len + 1;
	memmove(q->buf, q->buf + len + 1, q->len);
	return json_is_object(*msg) ? 1 : -EPROTO;
}

int
qmp_next(struct qmp *q, json_t **msg)
{
	int rc = 1;

	*msg = NULL;
	if (q->fd < 0)
		return -ENOTCONN;
	while (rc > 0) {
		char *end = q->len > 0 ? memchr(q->buf, '\n', q->len) : NULL;

		if (end == NULL) {
			rc = fill(q);
			continue;
		}
		rc = take_line(q, (size_t)(end - q->buf), msg);
		if (rc < 0) {
			json_decref(*msg);
			*msg = NULL;
		}
		return rc;
	}
	return rc;
}

int
qmp_send(struct qmp *q, const char *command)
{
	char *text = xasprintf("{\"execute\": \"%s\"}\n", command);
	size_t len = strlen(text);
	ssize_t n;

	do
		n = send(q->fd, text, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	free(text);
	if (n < 0)
		return -errno;
	/* A few bytes into an empty socket go in whole or not at all. */
	return (size_t)n == len ? 0 : -EMSGSIZE;
}
