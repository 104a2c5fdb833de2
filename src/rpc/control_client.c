/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "control.h"
#include "seqpacket.h"

struct control_client {
	char *path;
	int fd;	   /* -1 after a call that failed: its answer may still come */
	bool gone; /* the server closed the connection */
	uint32_t id;
	char buf[CONTROL_MAX_BYTES];
};

int
control_client_open(struct control_client **c, const char *path, int timeout_ms, struct err *err)
{
	struct deadline d = deadline_in_ms(timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
	int fd = seqpacket_connect(path, &d, err);

	*c = NULL;
	if (fd < 0)
		return fd;
	*c = xcalloc(1, sizeof(**c));
	(*c)->path = xstrdup(path);
	(*c)->fd = fd;
	return 0;
}

void
control_client_close(struct control_client *c)
{
	if (c == NULL)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c->path);
	free(c);
}

/* A connection on which no answer to an earlier call can arrive. */
static int
reconnect(struct control_client *c, const struct deadline *d, struct err *err)
{
	int fd;

	if (c->gone)
		return err_set(err, EPIPE, "the program at '%s' has gone", c->path);
	if (c->fd >= 0)
		return 0;
	fd = seqpacket_connect(c->path, d, err);
	if (fd == -ENOENT || fd == -ECONNREFUSED) {
		c->gone = true;
		return -EPIPE;
	}
	if (fd < 0)
		return fd;
	c->fd = fd;
	return 0;
}

static int
ask(struct control_client *c, const char *request, const struct deadline *d, struct err *err)
{
	size_t len = strlen(request);
	int rc = reconnect(c, d, err);

	if (rc < 0)
		return rc;
	if (len > CONTROL_MAX_BYTES)
		return err_set(err, EMSGSIZE, "the request has %zu bytes, at most %u fit", len,
			       CONTROL_MAX_BYTES);
	rc = seqpacket_ask(c->fd, request, len, c->buf, sizeof(c->buf), d, err);
	if (rc < 0) {
		close(c->fd);
		c->fd = -1;
		c->gone = rc == -EPIPE;
	}
	return rc;
}

int
control_client_call(struct control_client *c, const char *method, json_t *params, int timeout_ms,
		    json_t **result, struct err *err)
{
	struct deadline d = deadline_in_ms(timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
	uint32_t id = ++c->id;
	char *request = jsonrpc_request(method, params, id);
	int rc;

	if (result != NULL)
		*result = NULL;
	if (request == NULL)
		return err_set(err, EINVAL, "%s: the parameters are not an object", method);
	rc = ask(c, request, &d, err);
	free(request);
	if (rc >= 0)
		rc = jsonrpc_result(c->buf, (size_t)rc, id, result, err);
	return err_wrap(err, rc, "%s", method);
}
