/* SPDX-License-Identifier: MIT */
#include "seqtrack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define WORD 64u
#define N_WORDS (SEQ_WINDOW / WORD)

static_assert((SEQ_WINDOW & (SEQ_WINDOW - 1)) == 0, "the ring is indexed by the low bits");
static_assert(SEQ_SLIDE % WORD == 0, "the tail moves by whole words");
static_assert(SEQ_RUN == WORD && SEQ_RUN <= SEQ_SLIDE, "a run ends in the next word at the latest");
static_assert(SEQ_WINDOW % SEQ_SLIDE == 0, "slides do not split at the ring's end");

void
seqtrack_init(struct seqtrack *t, uint32_t flows)
{
	*t = (struct seqtrack){0};
	t->bits = xcalloc(N_WORDS, sizeof(*t->bits));
	t->flow = xcalloc(SEQ_TABLE_FLOWS, sizeof(*t->flow));
	seqtrack_reset(t, flows);
}

void
seqtrack_fini(struct seqtrack *t)
{
	if (t == NULL)
		return;
	free(t->bits);
	free(t->flow);
	*t = (struct seqtrack){0};
}

void
seqtrack_reset(struct seqtrack *t, uint32_t flows)
{
	uint64_t *bits = t->bits;
	struct seq_flow *flow = t->flow;

	assert(flows >= 1);
	/* Writing all of it also keeps page faults out of the burst loop. */
	memset(bits, 0, N_WORDS * sizeof(*bits));
	memset(flow, 0, SEQ_TABLE_FLOWS * sizeof(*flow));
	*t = (struct seqtrack){.bits = bits, .flow = flow, .flows = flows};
	for (uint64_t i = 0; i < WORD; i += flows)
		t->every_nth |= 1ull << i;
}

static uint64_t *
word_of(const struct seqtrack *t, uint64_t seq)
{
	return &t->bits[seq % SEQ_WINDOW / WORD];
}

static bool
is_seen(const struct seqtrack *t, uint64_t seq)
{
	return *word_of(t, seq) >> (seq % WORD) & 1;
}

/* Words that leave are counted and cleared; beyond one full turn there is nothing left to clear, so
 * a jump of any length costs one pass at most. */
void
seqtrack_slide(struct seqtrack *t, uint64_t seq)
{
	uint64_t tail = (seq + SEQ_SLIDE) / SEQ_SLIDE * SEQ_SLIDE - SEQ_WINDOW;
	uint64_t turn = t->tail + SEQ_WINDOW;
	uint64_t stop = tail < turn ? tail : turn;

	for (uint64_t s = t->tail; s < stop; s += WORD) {
		uint64_t *word = word_of(t, s);

		t->unseen += WORD - (unsigned)__builtin_popcountll(*word);
		*word = 0;
	}
	t->unseen += tail - stop;
	t->tail = tail;
}

/* Searches flow 'f' by whole words, downwards from 'to' - 1 to 'from'; one more than what it finds,
 * or 0.  'to' is t->next, behind which no bit is set. */
static uint64_t
last_seen_by_words(const struct seqtrack *t, uint32_t f, uint64_t from, uint64_t to)
{
	uint64_t base = (to - 1) / WORD * WORD;
	/* Position in the word of the first sequence of the flow. */
	uint32_t first = (uint32_t)((f + t->flows - base % t->flows) % t->flows);

	for (;; base -= WORD) {
		uint64_t hits = *word_of(t, base) & t->every_nth << first;

		if (from > base)
			hits &= ~0ull << (from - base);
		if (hits != 0)
			return base + WORD - (unsigned)__builtin_clzll(hits);
		if (base <= from)
			return 0;
		first = (first + WORD) % t->flows;
	}
}

/* The same, a bit at a time. */
static uint64_t
last_seen_by_bits(const struct seqtrack *t, uint32_t f, uint64_t from, uint64_t to)
{
	uint64_t back = (to - 1 + t->flows - f) % t->flows;

	if (back > to - 1)
		return 0;
	for (uint64_t s = to - 1 - back; s >= from; s -= t->flows) {
		if (is_seen(t, s))
			return s + 1;
		if (s < t->flows)
			break;
	}
	return 0;
}

static uint64_t
last_seen(const struct seqtrack *t, uint32_t f, uint64_t from, uint64_t to)
{
	if (from >= to)
		return 0;
	if (t->flows < WORD)
		return last_seen_by_words(t, f, from, to);
	return last_seen_by_bits(t, f, from, to);
}

/* Was a frame of the flow of 'seq' seen that is later than 'seq'?  What an earlier straggler of the
 * flow searched is not searched again: all searches of a flow together pass each bit once, so a
 * flow that hangs and then arrives in one rush costs no more than one that does not. */
static bool
was_overtaken(struct seqtrack *t, uint64_t seq)
{
	uint32_t f = (uint32_t)(seq % t->flows);
	struct seq_flow *flow;
	uint64_t last;

	if (t->flows > SEQ_TABLE_FLOWS)
		return last_seen(t, f, seq + 1, t->next) != 0;
	flow = &t->flow[f];
	last = last_seen(t, f, flow->upto > t->tail ? flow->upto : t->tail, t->next);
	flow->high = last > flow->high ? last : flow->high;
	flow->upto = t->next;
	if (flow->high > seq)
		return true;
	flow->high = seq + 1;
	return false;
}

static void
add_straggler(struct seqtrack *t, uint64_t seq)
{
	if (is_seen(t, seq)) {
		t->duplicate++;
		return;
	}
	t->reordered += was_overtaken(t, seq);
	*word_of(t, seq) |= 1ull << (seq % WORD);
	t->seen++;
}

void
seqtrack_add_slow(struct seqtrack *t, uint32_t seq32)
{
	uint64_t seq = seqtrack_widen(t, seq32);

	if (seq == UINT64_MAX || seq < t->tail) {
		t->stale++;
	} else if (seq < t->next) {
		add_straggler(t, seq);
	} else {
		if (seq - t->tail >= SEQ_WINDOW)
			seqtrack_slide(t, seq);
		*word_of(t, seq) |= 1ull << (seq % WORD);
		t->next = seq + 1;
		t->seen++;
	}
}

/* Sequences of the window below 'end' that were not seen. */
static uint64_t
count_unseen(const struct seqtrack *t, uint64_t end)
{
	uint64_t n = 0;

	for (uint64_t s = t->tail; s < end; s += WORD) {
		uint64_t missing = ~*word_of(t, s);

		if (end - s < WORD)
			missing &= (1ull << (end - s)) - 1;
		n += (unsigned)__builtin_popcountll(missing);
	}
	return n;
}

uint64_t
seqtrack_never_seen(const struct seqtrack *t, uint64_t sent)
{
	uint64_t beyond = sent < t->tail ? t->tail - sent : 0;

	if (beyond > 0)
		return t->unseen > beyond ? t->unseen - beyond : 0;
	if (sent <= t->next)
		return t->unseen + count_unseen(t, sent);
	return t->unseen + count_unseen(t, t->next) + (sent - t->next);
}
