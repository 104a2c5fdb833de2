/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* What both DPDK programs have at their start: settings of the same kind, and their signals. */

#define PROGRAM_MAX_PORTS 16

/* An address for a port. */
struct port_mac {
	bool set;
	uint8_t mac[6];
};

/* Setters for option tables (base/opt.h). */

/* "PORT,MAC", or several of "PORT=MAC" separated by ';' or spaces, as environments write them, into
 * an array of PROGRAM_MAX_PORTS struct port_mac. */
int program_set_port_mac(void *field, const char *text, struct err *err);
/* enum idle_policy */
int program_set_idle(void *field, const char *text, struct err *err);
/* An open file descriptor's number: int. */
int program_set_fd(void *field, const char *text, struct err *err);

/* NULL-terminated, for help and completion. */
extern const char *const program_idle_words[];

/* Blocks SIGTERM and SIGINT in this thread and those it makes, so that the control thread takes
 * them, and ignores SIGPIPE: a peer that goes must not end us. */
void program_block_signals(void);
