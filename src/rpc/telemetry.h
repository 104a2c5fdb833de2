/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "base/err.h"

/* Client of a DPDK program's telemetry socket (v2, SOCK_SEQPACKET): how the counters of programs
 * that are not ours are read. */

struct telemetry_client;

/* Connects to 'path' (RUNTIME_DIR/dpdk/PREFIX/dpdk_telemetry.v2), retrying until 'timeout_ms'. */
int telemetry_client_open(struct telemetry_client **c, const char *path, int timeout_ms,
			  struct err *err);
void telemetry_client_close(struct telemetry_client *c);
/* Sends "/ethdev/stats,0" and returns the value under "/ethdev/stats" as a new reference; -ENOENT
 * when the program does not know the command or its parameters. */
int telemetry_client_get(struct telemetry_client *c, const char *command, int timeout_ms,
			 json_t **value, struct err *err);

/* What an answer says that came some other way: takes the value out of {"/ethdev/stats": value};
 * the name is the command without its parameters.  As telemetry_client_get. */
int telemetry_value(const char *text, size_t len, const char *command, json_t **value,
		    struct err *err);
