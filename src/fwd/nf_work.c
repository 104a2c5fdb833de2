/* SPDX-License-Identifier: MIT */
#include "nf_work.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <rte_malloc.h>

#include "nfs.h"
#include "pkt/flow.h"

/* Burns so many cycles of the core for each frame: a function of known cost, and of none but CPU.
 *
 * A chain of multiplications that each need the one before, rather than a wait for the time stamp
 * counter: it takes the same instructions each time, which callgrind can count, and it stands still
 * while the lcore does not run, as real work does. */

static uint64_t
burn(uint64_t value, uint32_t steps)
{
	for (uint32_t i = 0; i < steps; i++) {
		value *= WORK_FACTOR;
		/* Nobody needs the result, which the compiler need not know. */
		__asm__ volatile("" : "+r"(value));
	}
	return value;
}

/* Headers that go on in another segment are not looked for there. */
static uint32_t
hash_of(const struct rte_mbuf *m)
{
	return flow_hash(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m));
}

static void
work_burst(void *ctx, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict)
{
	struct work *w = ctx;
	const struct work_cost *cost = w->cost;

	if (cost->n_classes == 1)
		for (uint16_t i = 0; i < n; i++)
			w->value = burn(w->value, cost->steps[0]);
	else
		for (uint16_t i = 0; i < n; i++)
			w->value = burn(w->value, work_cost_of(cost, hash_of(frames[i])));
	memset(verdict, NF_FORWARD, n);
}

static int
work_open(const struct nf_conf *conf, unsigned n_lcores, void **ctx, char *why, size_t why_size)
{
	struct err err;
	struct work_all *all;

	all = rte_zmalloc(NULL, sizeof(*all) + n_lcores * sizeof(all->lcore[0]),
			  RTE_CACHE_LINE_SIZE);
	if (all == NULL) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	if (work_cost_parse(&all->cost, conf->args, &err) < 0) {
		snprintf(why, why_size, "%s", err.msg);
		rte_free(all);
		return -EINVAL;
	}
	for (unsigned i = 0; i < n_lcores; i++) {
		all->lcore[i] = (struct work){.cost = &all->cost, .value = 1};
		ctx[i] = &all->lcore[i];
	}
	return 0;
}

static void
work_close(void **ctx, unsigned n_lcores)
{
	(void)n_lcores;
	if (ctx[0] != NULL)
		rte_free(RTE_PTR_SUB(ctx[0], offsetof(struct work_all, lcore)));
}

const struct nf nf_work = {
	NF_HEADER,
	.name = "work",
	.summary = "burns a number of cycles for each frame, or for each by its flow",
	.state = NF_STATELESS,
	.open = work_open,
	.burst = work_burst,
	.close = work_close,
};
