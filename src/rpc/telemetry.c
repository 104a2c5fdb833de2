/* SPDX-License-Identifier: MIT */
#include "telemetry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "seqpacket.h"
#include "wide.h"

/* The greeting of DPDK is far shorter; what it allows for answers is 16 kB in 22.11. */
#define GREETING_MAX 1024
#define OUTPUT_MAX (1u << 24)
/* What DPDK reads of a command. */
#define COMMAND_MAX 1024

struct telemetry_client {
	char *path;
	int fd; /* -1 after a call that failed: its answer may still come */
	char *buf;
	size_t size; /* as the other side announced */
};

static int
read_greeting(struct telemetry_client *c, int fd, const struct deadline *d, struct err *err)
{
	char text[GREETING_MAX];
	json_error_t error;
	json_t *greeting;
	uint64_t size;
	int rc = seqpacket_receive(fd, text, sizeof(text), d, err);

	if (rc < 0)
		return rc;
	greeting = wide_loadb(text, (size_t)rc, 0, &error);
	rc = json_get_u64(greeting, "max_output_len", &size, err);
	json_decref(greeting);
	if (rc < 0 || size == 0 || size > OUTPUT_MAX)
		return err_set(err, EPROTO, "does not greet as DPDK's telemetry does");
	c->size = size;
	c->buf = xrealloc(c->buf, size, 1);
	return 0;
}

/* A connection on which no answer to an earlier command can arrive. */
static int
reconnect(struct telemetry_client *c, const struct deadline *d, struct err *err)
{
	int rc;
	int fd;

	if (c->fd >= 0)
		return 0;
	fd = seqpacket_connect(c->path, d, err);
	if (fd < 0)
		return fd;
	rc = read_greeting(c, fd, d, err);
	if (rc < 0) {
		close(fd);
		return err_wrap(err, rc, "'%s'", c->path);
	}
	c->fd = fd;
	return 0;
}

int
telemetry_client_open(struct telemetry_client **client, const char *path, int timeout_ms,
		      struct err *err)
{
	struct deadline d = deadline_in_ms(timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
	struct telemetry_client *c = xcalloc(1, sizeof(*c));
	int rc;

	*client = NULL;
	c->path = xstrdup(path);
	c->fd = -1;
	rc = reconnect(c, &d, err);
	if (rc < 0) {
		telemetry_client_close(c);
		return err_wrap(err, rc, "telemetry");
	}
	*client = c;
	return 0;
}

void
telemetry_client_close(struct telemetry_client *c)
{
	if (c == NULL)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c->path);
	free(c->buf);
	free(c);
}

int
telemetry_value(const char *text, size_t len, const char *command, json_t **value, struct err *err)
{
	char *name = xasprintf("%.*s", (int)strcspn(command, ","), command);
	json_error_t error;
	/* Names of counters come from drivers, which do repeat them. */
	json_t *answer = wide_loadb(text, len, 0, &error);
	json_t *found = json_object_get(answer, name);
	int rc = 0;

	if (answer == NULL)
		rc = err_set(err, EPROTO, "the answer is not JSON: %s", error.text);
	else if (found == NULL)
		rc = err_set(err, EPROTO, "the answer is not to '%s'", name);
	else if (json_is_null(found))
		rc = err_set(err, ENOENT, "no such command, or not with these parameters");
	else
		*value = json_incref(found);
	json_decref(answer);
	free(name);
	return rc;
}

static int
ask(struct telemetry_client *c, const char *command, int timeout_ms, struct err *err)
{
	struct deadline d = deadline_in_ms(timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
	size_t len = strlen(command);
	int rc;

	if (command[0] != '/' || len >= COMMAND_MAX)
		return err_set(err, EINVAL, "not a telemetry command");
	rc = reconnect(c, &d, err);
	if (rc < 0)
		return rc;
	rc = seqpacket_ask(c->fd, command, len, c->buf, c->size, &d, err);
	if (rc < 0) {
		close(c->fd);
		c->fd = -1;
	}
	return rc;
}

int
telemetry_client_get(struct telemetry_client *c, const char *command, int timeout_ms,
		     json_t **value, struct err *err)
{
	int rc = ask(c, command, timeout_ms, err);

	*value = NULL;
	if (rc >= 0)
		rc = telemetry_value(c->buf, (size_t)rc, command, value, err);
	return err_wrap(err, rc, "telemetry '%s'", command);
}
