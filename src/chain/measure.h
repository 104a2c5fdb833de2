/* SPDX-License-Identifier: MIT */
#pragma once

#include "backend.h"
#include "bench/measurer.h"
#include "turns.h"

/* The real measurer: one trial against a chain that is up. */

struct measure {
	struct backend *backend;
	uint64_t drain_ns;   /* wait at least so long for frames under way */
	uint64_t rest_ns;    /* and so long before each trial */
	struct turns *turns; /* flat out, the one hop gets the CPU in turns; or NULL */
	uint64_t warm_ns;    /* of measure_prepare's warm-up; 0: 500 ms */
};

/* Makes 'traffic' what trials send from now on, and sends a few frames until one has come through
 * the chain: a chain in which nothing arrives is an error that says how far frames came.  Then a
 * moment flat out, so that no trial pays for what happens once. */
int measure_prepare(struct measure *m, const struct tg_traffic *traffic, struct err *err);

/* Runs one trial; see bench/measurer.h. */
int measure_trial(struct measure *m, const struct trial_spec *spec, struct trial *t,
		  struct err *err);
