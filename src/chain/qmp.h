/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "base/err.h"

/* QEMU's monitor protocol over its socket: JSON texts, one a line, in both directions.  Nothing
 * here waits: who asks again later gets what has come meanwhile.  (QEMU, docs/interop/qmp-spec) */

struct qmp {
	int fd; /* -1: not connected */
	char *buf;
	size_t len;
	size_t size;
};

/* Connects; -ENOENT or -ECONNREFUSED as long as nobody listens there. */
int qmp_open(struct qmp *q, const char *path);
void qmp_close(struct qmp *q);

/* Takes the next message that has come: 1, with '*msg' for the caller to release; 0 when there is
 * none; negative when the connection has ended or what came is no JSON. */
int qmp_next(struct qmp *q, json_t **msg);
/* Sends a command without arguments; its answer is a later message. */
int qmp_send(struct qmp *q, const char *command);
