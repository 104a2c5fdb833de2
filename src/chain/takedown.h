/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"

#include "census.h"

/* Takes a chain down from outside, whoever brought it up and whether that one lives or not. */

struct takedown_conf {
	/* Told what was done, in words: "ended process 4711 (vnf1)". */
	void (*tell)(void *arg, const char *chain, const char *what);
	void *arg;
};

/* Asks the nfvchain that has it up to end, which takes the chain down in order, and waits until it
 * has: -ETIMEDOUT when not even SIGKILL ends it.  Does nothing for a chain that nobody has up. */
int takedown_owner(const struct census_chain *ch, const struct takedown_conf *conf,
		   struct err *err);

/* Takes the lock of a chain that nobody has up, so that nobody brings it up meanwhile (-EBUSY when
 * somebody has), and removes what there is of it: processes, domains, networks, devices, files.
 * What does not go is a sentence; the rest goes all the same. */
int takedown(const struct census *c, const struct census_chain *ch,
	     const struct takedown_conf *conf, struct err *err);
