/* SPDX-License-Identifier: MIT */
#pragma once

#include "chain/live.h"
#include "console.h"

/* The live screen: 'nfvchain top', and the console's 'tui'.  It shows what 'console' is connected
 * to and the hops of 'live', a sample each 'every_ms', until q, Ctrl-C (session_stop), or until the
 * generator is gone (-ETIMEDOUT).  Keys that change something do so by the console's verbs, and
 * take the ports first if nobody has them. */
struct live_screen {
	struct console *console;
	struct live *live;
	const char *title;
	int every_ms;
	bool colours;
};

int live_screen(const struct live_screen *s, struct err *err);

/* Samples as JSON, one a line on stdout: 'count' of them, or without end for 0. */
int live_stream(const struct live_screen *s, unsigned count, struct err *err);
