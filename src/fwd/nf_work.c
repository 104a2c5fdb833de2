/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_malloc.h>

#include "base/units.h"
#include "nfs.h"

/* Burns so many cycles of the core for each frame: a function of known cost, and of none but CPU.
 *
 * A chain of multiplications that each need the one before, rather than a wait for the time stamp
 * counter: it takes the same instructions each time, which callgrind can count, and it stands still
 * while the lcore does not run, as real work does. */

#define MAX_CYCLES 1000000
#define STEP_CYCLES 3 /* latency of a 64-bit multiplication, on most cores since 2008 */

struct work {
	uint32_t steps; /* per frame */
	uint64_t value;
} __rte_cache_aligned;

static uint64_t
burn(uint64_t value, uint32_t steps)
{
	for (uint32_t i = 0; i < steps; i++) {
		value *= 0x9e3779b97f4a7c15;
		/* Nobody needs the result, which the compiler need not know. */
		__asm__ volatile("" : "+r"(value));
	}
	return value;
}

static void
work_burst(void *ctx, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict)
{
	struct work *w = ctx;

	(void)frames;
	for (uint16_t i = 0; i < n; i++)
		w->value = burn(w->value, w->steps);
	memset(verdict, NF_FORWARD, n);
}

static int
work_open(const struct nf_conf *conf, unsigned n_lcores, void **ctx, char *why, size_t why_size)
{
	struct err err;
	uint64_t cycles;
	struct work *all;

	if (uint_parse(conf->args, 1, MAX_CYCLES, &cycles, &err) < 0) {
		snprintf(why, why_size, "how many cycles a frame, 1 to %d?", MAX_CYCLES);
		return -EINVAL;
	}
	all = rte_zmalloc(NULL, n_lcores * sizeof(*all), RTE_CACHE_LINE_SIZE);
	if (all == NULL) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	for (unsigned i = 0; i < n_lcores; i++) {
		all[i] = (struct work){
			.steps = (uint32_t)(cycles + STEP_CYCLES - 1) / STEP_CYCLES,
			.value = 1,
		};
		ctx[i] = &all[i];
	}
	return 0;
}

static void
work_close(void **ctx, unsigned n_lcores)
{
	(void)n_lcores;
	rte_free(ctx[0]);
}

const struct nf nf_work = {
	NF_HEADER,
	.name = "work",
	.summary = "burns a number of cycles for each frame",
	.state = NF_STATELESS,
	.open = work_open,
	.burst = work_burst,
	.close = work_close,
};
