/* SPDX-License-Identifier: MIT */
#include "stage_times.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_mbuf_dyn.h>

#include "egress.h"
#include "hop_ring.h"

/* What a frame carries. */
struct stamps {
	uint64_t received;
	uint64_t last;
};

static inline struct stamps *
stamps_of(const struct times *t, struct rte_mbuf *m)
{
	return RTE_MBUF_DYNFIELD(m, t->field, struct stamps *);
}

unsigned
times_bucket(uint64_t tsc)
{
	unsigned shift;

	if (unlikely(tsc >= 1ull << TIMES_MAX_BITS))
		return TIMES_BUCKETS - 1;
	shift = (63 ^ (unsigned)__builtin_clzll(tsc | 1u << TIMES_SUB_BITS)) - TIMES_SUB_BITS;
	return (shift << TIMES_SUB_BITS) + (unsigned)(tsc >> shift);
}

uint64_t
times_bucket_high(unsigned i)
{
	unsigned shift = i >> TIMES_SUB_BITS;
	uint64_t step = i & ((1u << TIMES_SUB_BITS) - 1);

	if (i == TIMES_BUCKETS - 1)
		return UINT64_MAX;
	if (shift < 2)
		return i;
	return (((1u << TIMES_SUB_BITS) + step + 1) << (shift - 1)) - 1;
}

static void
span_add(struct times_span *span, uint64_t tsc, uint64_t n)
{
	counter_add(&span->n, n);
	counter_add(&span->sum, tsc * n);
	counter_add(&span->bucket[times_bucket(tsc)], n);
	if (tsc > counter_get(&span->max))
		atomic_store_explicit(&span->max, tsc, memory_order_relaxed);
}

/* ---- notes ---- */

void
times_note_received(struct fwd_lcore *w, struct rte_mbuf **frames, uint16_t n)
{
	const uint64_t now = rte_rdtsc();

	for (uint16_t i = 0; i < n; i++)
		*stamps_of(w->times, frames[i]) = (struct stamps){now, now};
}

/* The frames came on: what passed since their last stamps goes into 'span', in as many runs as
 * there are different ones. */
static void
come_on(struct fwd_lcore *w, struct times_span *span, struct rte_mbuf **frames, uint16_t n)
{
	const uint64_t now = rte_rdtsc();

	for (uint16_t i = 0; i < n;) {
		const uint64_t last = stamps_of(w->times, frames[i])->last;
		const uint64_t then = RTE_MAX(now, last);
		uint16_t run = 0;

		do {
			stamps_of(w->times, frames[i])->last = then;
			i++;
			run++;
		} while (i < n && stamps_of(w->times, frames[i])->last == last);
		span_add(span, then - last, run);
	}
}

void
times_note_taken(struct fwd_lcore *w, unsigned stage, struct rte_mbuf **frames, uint16_t n)
{
	come_on(w, &w->times->wait[stage], frames, n);
}

void
times_note_served(struct fwd_lcore *w, unsigned stage, struct rte_mbuf **frames, uint16_t n)
{
	come_on(w, &w->times->service[stage], frames, n);
}

void
times_note_dropped(struct fwd_lcore *w, struct rte_mbuf **frames, uint16_t n)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < n; i++) {
		const struct stamps *s = stamps_of(w->times, frames[i]);

		sum += s->last - s->received;
	}
	counter_add(&w->times->dropped, n);
	counter_add(&w->times->dropped_sum, sum);
}

void
times_copied(struct fwd_lcore *w, struct rte_mbuf *copy)
{
	struct stamps *s;

	if (w->times == NULL)
		return;
	s = stamps_of(w->times, copy);
	s->received = s->last;
}

/* Frames with equal stamps are noted at once. */
static void
note_left(struct times *t, const struct stamps *s, uint16_t n)
{
	const uint64_t now = rte_rdtsc();

	for (uint16_t i = 0, run; i < n; i = (uint16_t)(i + run)) {
		const uint64_t then = RTE_MAX(now, s[i].last);

		run = 1;
		while (i + run < n && memcmp(&s[i + run], &s[i], sizeof(*s)) == 0)
			run++;
		span_add(&t->tx_wait, then - s[i].last, run);
		span_add(&t->total, then - s[i].received, run);
	}
}

/* What the device has taken is no longer ours to read, so stamps are copied before. */
uint16_t
times_note_sent(struct fwd_lcore *w, uint16_t port, uint16_t queue, struct rte_mbuf **frames,
		uint16_t n)
{
	struct stamps s[BURST_ROOM];

	for (uint16_t i = 0; i < n; i++)
		s[i] = *stamps_of(w->times, frames[i]);
	n = hop_send(w->fwd, port, queue, frames, n);
	note_left(w->times, s, n);
	return n;
}

/* ---- opening and closing ---- */

int
times_open(struct fwd *fwd, struct err *err)
{
	static const struct rte_mbuf_dynfield field = {
		.name = "nfvchain_stage_times",
		.size = sizeof(struct stamps),
		.align = __alignof__(struct stamps),
	};
	int offset;

	if (!fwd->conf->stage_times)
		return 0;
	offset = rte_mbuf_dynfield_register(&field);
	if (offset < 0)
		return err_machine(err, "--stage-times: no room for stamps in a buffer: %s",
				   rte_strerror(rte_errno));
	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++) {
		struct times *t = rte_zmalloc(NULL, sizeof(*t), RTE_CACHE_LINE_SIZE);

		if (t == NULL)
			return err_machine(err, "no memory for the times of lcore %u", i);
		t->field = offset;
		fwd->lcore[i].times = t;
	}
	return 0;
}

void
times_close(struct fwd *fwd)
{
	for (uint16_t i = 0; fwd->lcore != NULL && i < fwd->plan.n_lcores; i++) {
		rte_free(fwd->lcore[i].times);
		fwd->lcore[i].times = NULL;
	}
}

/* ---- sums ---- */

unsigned
times_n_stages(const struct fwd *fwd)
{
	return RTE_MAX(fwd->plan.roles.n_stages, (uint8_t)1);
}

static const struct times_span *
span_of(const struct times *t, enum times_kind kind, unsigned stage)
{
	switch (kind) {
	case TIMES_WAIT:
		return &t->wait[stage];
	case TIMES_SERVICE:
		return &t->service[stage];
	case TIMES_TX_WAIT:
		return &t->tx_wait;
	default:
		return &t->total;
	}
}

void
times_sum_up(const struct fwd *fwd, enum times_kind kind, unsigned stage, struct times_sum *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++) {
		const struct times_span *span = span_of(fwd->lcore[i].times, kind, stage);

		sum->n += counter_get(&span->n);
		sum->sum += counter_get(&span->sum);
		sum->max = RTE_MAX(sum->max, counter_get(&span->max));
		for (unsigned k = 0; k < TIMES_BUCKETS; k++)
			sum->bucket[k] += counter_get(&span->bucket[k]);
	}
}

uint64_t
times_quantile(const struct times_sum *sum, double q)
{
	uint64_t n = 0, all = 0;

	/* Of the buckets, for a running lcore may be between two counters. */
	for (unsigned i = 0; i < TIMES_BUCKETS; i++)
		all += sum->bucket[i];
	for (unsigned i = 0; i < TIMES_BUCKETS; i++) {
		n += sum->bucket[i];
		if (n > 0 && (double)n >= q * (double)all)
			return RTE_MIN(times_bucket_high(i), sum->max);
	}
	return 0;
}

void
times_dropped_sum(const struct fwd *fwd, uint64_t *n, uint64_t *sum)
{
	*n = *sum = 0;
	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++) {
		*n += counter_get(&fwd->lcore[i].times->dropped);
		*sum += counter_get(&fwd->lcore[i].times->dropped_sum);
	}
}

int64_t
times_residual(const struct fwd *fwd)
{
	uint64_t residual = 0;

	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++) {
		const struct times *t = fwd->lcore[i].times;

		for (unsigned s = 0; s < times_n_stages(fwd); s++)
			residual += counter_get(&t->wait[s].sum) + counter_get(&t->service[s].sum);
		residual += counter_get(&t->tx_wait.sum) - counter_get(&t->total.sum) -
			    counter_get(&t->dropped_sum);
	}
	return (int64_t)residual;
}
