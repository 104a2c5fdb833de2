/* SPDX-License-Identifier: MIT */
#include "latency.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#define US 1000u
#define PERIOD_SHIFT 48
#define NS_MASK ((1ull << PERIOD_SHIFT) - 1)

struct latency_rx *
latency_new(uint8_t flow)
{
	struct latency_rx *l = xcalloc(1, sizeof(*l));

	l->wanted_flow = l->flow = flow;
	l->old_flow = LATENCY_NO_FLOW;
	l->next_seq = LATENCY_FIRST_SEQ;
	atomic_store_explicit(&l->min_ns, UINT64_MAX, memory_order_relaxed);
	return l;
}

static void
store(counter_t *c, uint64_t value)
{
	atomic_store_explicit(c, value, memory_order_relaxed);
}

/* ---- sequence ---- */

static inline bool
came(const struct latency_rx *l, uint32_t seq)
{
	return (l->came[seq % LATENCY_WINDOW / 64] >> seq % 64 & 1) != 0;
}

static inline void
note(struct latency_rx *l, uint32_t seq)
{
	l->came[seq % LATENCY_WINDOW / 64] |= 1ull << seq % 64;
}

/* Moves on to 'seq'; those skipped did not come yet. */
static void
advance(struct latency_rx *l, uint32_t seq)
{
	uint32_t gap = seq - l->next_seq;

	if (gap >= LATENCY_WINDOW)
		memset(l->came, 0, sizeof(l->came));
	else
		for (uint32_t s = l->next_seq; s != seq; s++)
			l->came[s % LATENCY_WINDOW / 64] &= ~(1ull << s % 64);
	note(l, seq);
	l->next_seq = seq + 1;
}

/* A frame from behind.  TRex calls only a copy of the very last one a duplicate and takes others
 * for stragglers; the window tells. */
static void
look_back(struct latency_rx *l, uint32_t seq)
{
	uint32_t back = l->next_seq - seq;
	uint64_t dropped = counter_get(&l->dropped);

	counter_add(&l->seq_too_low, 1);
	if (back == 1 || (back <= LATENCY_WINDOW && came(l, seq))) {
		counter_add(&l->duplicate, 1);
		return;
	}
	counter_add(&l->out_of_order, 1);
	if (dropped > 0)
		store(&l->dropped, dropped - 1);
	if (back <= LATENCY_WINDOW)
		note(l, seq);
}

static void
check_seq(struct latency_rx *l, uint32_t seq)
{
	int32_t ahead = (int32_t)(seq - l->next_seq);

	if (ahead < 0) {
		look_back(l, seq);
		return;
	}
	if (ahead > 0) {
		counter_add(&l->dropped, (uint64_t)ahead);
		counter_add(&l->seq_too_high, 1);
	}
	advance(l, seq);
}

/* ---- time ---- */

static void
count_bucket(struct latency_rx *l, uint64_t us)
{
	uint64_t tens = us / 10;
	unsigned decade = 0;

	if (tens == 0) {
		counter_add(&l->below_10us, 1);
		return;
	}
	while (tens >= 10 && decade < LATENCY_DECADES - 1) {
		tens /= 10;
		decade++;
	}
	counter_add(&l->bucket[decade * 9 + (tens > 9 ? 9 : tens) - 1], 1);
}

/* Spikes at the beginning are the program's, not the chain's: as TRex does, they are no maximum. */
static void
note_max(struct latency_rx *l, uint64_t n, uint64_t ns)
{
	uint32_t period = atomic_load_explicit(&l->period, memory_order_relaxed);
	uint64_t mine = (uint64_t)(uint16_t)period << PERIOD_SHIFT;
	counter_t *slot = &l->period_max[period & 1];
	uint64_t max = counter_get(slot);

	if (n <= LATENCY_HOT && period <= LATENCY_HOT_PERIODS)
		return;
	if (ns > counter_get(&l->max_ns))
		store(&l->max_ns, ns);
	if ((max & ~NS_MASK) != mine || ns > (max & NS_MASK))
		store(slot, mine | (ns < NS_MASK ? ns : NS_MASK));
}

/* RFC 3550, 6.4.1: a sixteenth of each difference, in whole numbers as in its appendix A.8. */
static void
note_jitter(struct latency_rx *l, uint64_t ns)
{
	uint64_t d = ns > l->last_ns ? ns - l->last_ns : l->last_ns - ns;

	if (l->has_last)
		l->jitter_x16 += d - ((l->jitter_x16 + 8) >> 4);
	l->has_last = true;
	l->last_ns = ns;
	store(&l->jitter_ns, l->jitter_x16 >> 4);
}

static void
note_time(struct latency_rx *l, uint64_t ns)
{
	counter_add(&l->n, 1);
	counter_add(&l->sum_ns, ns);
	if (ns < counter_get(&l->min_ns))
		store(&l->min_ns, ns);
	note_max(l, counter_get(&l->n), ns);
	note_jitter(l, ns);
	count_bucket(l, ns / US);
	hdr_record(&l->hdr, ns / US);
}

/* Is the frame of the incarnation that is expected, or of the one that was asked for since? */
static bool
is_of_flow(struct latency_rx *l, uint8_t flow)
{
	uint8_t wanted;

	if (__builtin_expect(flow == l->flow, 1))
		return true;
	wanted = atomic_load_explicit(&l->wanted_flow, memory_order_acquire);
	if (flow != wanted)
		return false;
	l->old_flow = l->flow;
	l->flow = wanted;
	l->next_seq = LATENCY_FIRST_SEQ;
	memset(l->came, 0, sizeof(l->came));
	l->has_last = false;
	return true;
}

enum latency_verdict
latency_receive(struct latency_rx *l, const struct trailer *t, uint64_t ns)
{
	if (!is_of_flow(l, t->flow_seq))
		return t->flow_seq == l->old_flow ? LATENCY_OLD_FLOW : LATENCY_BAD_HEADER;
	check_seq(l, t->seq);
	note_time(l, ns);
	return LATENCY_OK;
}

/* ---- the RPC thread's side ---- */

void
latency_end_period(struct latency_rx *l, struct latency_view *view)
{
	uint64_t n = counter_get(&l->n), sum_ns = counter_get(&l->sum_ns);
	double mean;

	if (n == view->n)
		return;
	mean = (double)(sum_ns - view->sum_ns) / (double)(n - view->n);
	view->average_ns = view->n == 0 ? mean : (view->average_ns + mean) / 2;
	view->n = n;
	view->sum_ns = sum_ns;
	atomic_store_explicit(&l->period,
			      atomic_load_explicit(&l->period, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

/* The maximum of the last period that ended. */
static uint64_t
last_max_ns(const struct latency_rx *l)
{
	uint32_t last = atomic_load_explicit(&l->period, memory_order_relaxed) - 1;
	uint64_t max = counter_get(&l->period_max[last & 1]);

	return max >> PERIOD_SHIFT == (uint16_t)last ? max & NS_MASK : 0;
}

static json_t *
histogram_json(const struct latency_rx *l)
{
	json_t *h = json_object();
	uint64_t low = 10;
	char key[24];

	if (counter_get(&l->below_10us) > 0)
		json_object_set_new(h, "0", json_u64(counter_get(&l->below_10us)));
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		uint64_t n = counter_get(&l->bucket[i]);

		snprintf(key, sizeof(key), "%llu", (unsigned long long)(low * (i % 9 + 1)));
		if (n > 0)
			json_object_set_new(h, key, json_u64(n));
		low *= i % 9 == 8 ? 10 : 1;
	}
	return h;
}

json_t *
latency_to_json(const struct latency_rx *l, const struct latency_view *view, bool hdrh)
{
	uint64_t min_ns = counter_get(&l->min_ns);
	json_t *lat = json_pack("{s:f, s:o, s:o, s:o, s:o, s:o}", "average", view->average_ns / US,
				"jit", json_u64(counter_get(&l->jitter_ns) / US), "last_max",
				json_u64(last_max_ns(l) / US), "total_max",
				json_u64(counter_get(&l->max_ns) / US), "total_min",
				json_u64(min_ns == UINT64_MAX ? 0 : min_ns / US), "histogram",
				histogram_json(l));
	struct str text = {0};

	if (hdrh && hdr_encode(&text, l->hdr.count, HDR_COUNTS, HDR_HIGHEST, NULL) == 0)
		json_object_set_new(lat, "hdrh", json_string(str_text(&text)));
	str_fini(&text);
	return lat;
}

json_t *
latency_errors_to_json(const struct latency_rx *l)
{
	const struct {
		const char *name;
		uint64_t n;
	} all[] = {
		{"drp", counter_get(&l->dropped)},     {"ooo", counter_get(&l->out_of_order)},
		{"dup", counter_get(&l->duplicate)},   {"sth", counter_get(&l->seq_too_high)},
		{"stl", counter_get(&l->seq_too_low)},
	};
	json_t *er = NULL;

	for (size_t i = 0; i < N_ELEMS(all); i++) {
		if (all[i].n == 0)
			continue;
		er = er != NULL ? er : json_object();
		json_object_set_new(er, all[i].name, json_u64(all[i].n));
	}
	return er;
}
