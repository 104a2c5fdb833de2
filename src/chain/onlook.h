/* SPDX-License-Identifier: MIT */
#pragma once

#include "backend.h"

/* What a chain that is kept up has in its run directory for those who look on: where its generator
 * is, its hops in their order (up.json), and a control socket for each hop that only its keeper can
 * ask, in a virtual machine or of another make.  Such a hop tells what it can: "counters" without
 * "drops" means that nobody knows them. */

struct onlook;

/* 'b' is up, and outlives it. */
int onlook_open(struct onlook **o, struct backend *b, struct err *err);
void onlook_close(struct onlook *o);

/* As the file has it. */
struct onlook_facts {
	char *endpoint; /* of the generator; NULL: there is none */
	size_t n_hops;
	char hop[CHAIN_MAX_HOPS][32];
};

/* -ENOENT when nobody keeps a chain up there.  For onlook_facts_fini, in any case. */
int onlook_read(struct onlook_facts *facts, const char *run_dir, struct err *err);
void onlook_facts_fini(struct onlook_facts *facts);
