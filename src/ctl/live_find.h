/* SPDX-License-Identifier: MIT */
#pragma once

#include "chain/live.h"
#include "console.h"

/* A chain that is up, as one who looks on finds it: by its run directory. */

#define LIVE_AT_HELP "the generator's RPC, where it is not the chain's own: tcp://127.0.0.1:4501"

struct live_chain {
	char *name, *run_dir;
	bool told_at;		/* the user said where the generator is */
	struct chain chain;	/* its file, or empty */
	struct console console; /* which takes no ports */
	struct live *live;
};

/* 'word' is a chain file (it has a dot or a slash), or the name of a chain; 'at' the generator's
 * endpoint, NULL: the chain's.  Connects to nothing yet. */
int live_chain_find(struct live_chain *c, const char *word, const char *at, struct err *err);
/* Costs nothing to ask: false when its run directory is not there. */
bool live_chain_may_be_up(const struct live_chain *c);
int live_chain_connect(struct live_chain *c, struct err *err);
void live_chain_disconnect(struct live_chain *c);
void live_chain_fini(struct live_chain *c);
