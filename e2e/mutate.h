/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "base/random.h"

/* Requests as no client of TRex's would send them, made from those that one did.
 *
 * A mutant never shuts the server down, takes port 0, changes its addresses or sends more than the
 * link is said to carry: that is everybody's right, and would end what the test looks at. */

struct mutator {
	struct random random;
	json_t *requests; /* as recorded */
	char api_h[16];	  /* what mutants carry mostly */
	char handler[16]; /* of port 1 */
	size_t n_sealed;  /* mutants in an envelope so far, */
	size_t n_lying;	  /* of these in one that is damaged, */
	size_t n_batches; /* of several requests, */
	size_t n_broken;  /* and no JSON */
};

void mutator_init(struct mutator *m, uint64_t seed);
void mutator_fini(struct mutator *m);
/* Takes the requests of a recorded session; fails the test when there are none. */
void mutator_read(struct mutator *m, const char *path);

/* The next mutant, '*len' bytes for the caller to free. */
char *mutator_next(struct mutator *m, size_t *len);
