/* SPDX-License-Identifier: MIT */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "backend.h"
#include "bench/noise.h"

/* A forwarder without a generator: between two ports of net_null, the first of which it makes into
 * traffic by itself (--load, src/fwd/load.h).  All CPUs of the machine are left for its lcores, and
 * nothing but its engine and its functions is measured.  It is a chain of one hop that has no links
 * and no generator, so what stops and asks a chain works on it, too. */

struct alone_spec {
	const char *name; /* letters, digits, -: names its process */
	char letter;	  /* of its run directory, beside those of others that are up */
	const char *bin_dir;
	struct chain_cpus allowed; /* the process may run there */
	unsigned n_lcores;	   /* each on a CPU of its own: the last ones of these */
	char *const *words;	   /* the forwarder's options, NULL-terminated */
};

struct alone {
	struct chain chain;
	struct chain_plan plan;
	struct backend backend;
	struct sensors *sensors;
	bool up;
};

/* What a moment of work came to. */
struct alone_turn {
	uint64_t frames; /* sent on */
	uint64_t ns;	 /* by the clock of the forwarder's own process */
	bool valid;
	char reason[96]; /* why it is not, or "" */
};

/* What it has counted since it started. */
struct alone_ledger {
	uint64_t rx, created, tx, drops, in_flight;
};

/* The command line, as one could type it.  For the caller to free. */
char *alone_command(const struct alone_spec *spec);

/* Starts it and waits until it answers; it runs then.  On failure nothing is left. */
int alone_up(struct alone *a, const struct alone_spec *spec, const volatile sig_atomic_t *stop,
	     struct err *err);
/* Ends it at once; takes one that is not up. */
void alone_kill(struct alone *a);

/* Stops it where it is; alone_turn lets it go on. */
int alone_freeze(struct alone *a, struct err *err);

/* Lets it work for 'ns', not counting the time until it is at full speed, and stops it again.  A
 * turn of which the machine took a noticeable part is not valid.  -EINTR, -ECHILD as backend_check.
 */
int alone_turn(struct alone *a, uint64_t ns, struct alone_turn *turn, struct err *err);

/* Lets it come to rest, and reads its books: rx + created = tx + drops and nothing in flight, or
 * the error's class is ERR_ACCOUNTING. */
int alone_settle(struct alone *a, struct alone_ledger *ledger, struct err *err);
