/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "run_next.h"
#include "worker.h"

/* Which slots are due, in the order in which they are, up to a burst of them.
 *
 * A lane of one stream that has one burst, as nearly all that must be fast are, needs no more than
 * additions.  All others go by their heap; as long as one stream's slots come before all others',
 * they are taken at once here too. */

/* Slots, or stretches of them, that a round goes over at most: how much longer than to send a burst
 * it may take, when nothing of it is to be sent. */
#define MOST_STRETCHES 16384

/* Moves on to the slot of the stream's next flow that is this lane's. */
static void
skip_gap(struct run_stream *s)
{
	run_skip(s, s->gap[s->next_slot]);
	s->next_slot = s->next_slot + 1 == s->flows ? 0 : s->next_slot + 1;
}

/* take_slots for a stream of which other lanes have flows too. */
static __rte_noinline uint64_t
take_some_slots(struct run_stream *s, uint64_t until_ns, uint64_t most, uint64_t *due_ns)
{
	const uint64_t room = RTE_MIN(most, s->slots_left);
	uint64_t n = 0;

	for (; n < room && s->due.ns < until_ns; n++) {
		if (due_ns != NULL)
			due_ns[n] = s->due.ns;
		skip_gap(s);
	}
	if (s->slots_left != UINT64_MAX)
		s->slots_left -= n;
	return n;
}

/* Takes the stream's slots before 'until_ns', up to 'most', off its schedule and returns how many.
 * Unless NULL, 'due_ns' tells when each was due. */
static __rte_always_inline uint64_t
take_slots(struct run_stream *s, uint64_t until_ns, uint64_t most, uint64_t *due_ns)
{
	const uint64_t room = RTE_MIN(most, s->slots_left);
	const run_fine_time step = run_time_fine(&s->step);
	run_fine_time due = run_time_fine(&s->due);
	uint64_t n = 0, ns;

	if (unlikely(s->gap != NULL))
		return take_some_slots(s, until_ns, most, due_ns);

	for (; n < room && (ns = (uint64_t)(due >> 64)) < until_ns; n++) {
		if (due_ns != NULL)
			due_ns[n] = ns;
		due += step;
	}
	s->due = run_time_of(due);
	if (s->slots_left != UINT64_MAX)
		s->slots_left -= n;
	return n;
}

/* All 'n' slots, and what lies behind them up to a whole vector, belong to 'like'. */
static inline void
set_owners(struct tx_owner *owner, uint64_t n, struct tx_owner like)
{
	const struct tx_owner several[TX_OWNERS] = {like, like, like, like};

	for (uint64_t i = 0; i < n; i += TX_OWNERS)
		memcpy(owner + i, several, sizeof(several));
}

/* Plans the slots of stream number 'id' before 'until_ns', up to a burst in all, and returns how
 * many. */
static inline uint64_t
plan_stretch(struct gen_tx *tx, uint16_t id, uint64_t until_ns, bool on_time)
{
	uint64_t *due_ns = tx->due_ns + tx->n_slots;
	struct tx_owner *owner = tx->owner + tx->n_slots;
	struct tx_owner like = {.stream = id, .on_time = on_time};
	uint64_t n = take_slots(&tx->lane->streams[id], until_ns,
				(uint64_t)(GEN_BURST - tx->n_slots), due_ns);

	set_owners(owner, n, like);
	tx->n_slots = (uint16_t)(tx->n_slots + n);
	return n;
}

/* The same for slots that are due; those planned at once are all on time, or none is. */
static inline uint64_t
plan_due(struct gen_tx *tx, uint16_t id, uint64_t until_ns, uint64_t now_ns)
{
	if (unlikely(tx->lane->streams[id].due.ns < tx->away_until_ns))
		return plan_stretch(tx, id, RTE_MIN(until_ns, tx->away_until_ns), false);
	return plan_stretch(tx, id, until_ns, now_ns >= tx->grace_ns);
}

static bool
plan_simple(struct gen_tx *tx, uint64_t now_ns)
{
	const struct run *run = tx->run;
	const uint64_t end_ns = RTE_MIN(run->duration_ns, now_ns + 1);
	struct run_stream *s = tx->lane->streams;
	uint64_t intended = 0, late = 0;

	while (s->slots_left > 0 && s->due.ns <= now_ns && tx->n_slots < GEN_BURST) {
		if (s->due.ns >= run->duration_ns) {
			s->slots_left = 0;
		} else if (unlikely(now_ns - s->due.ns > run->late_ns)) {
			uint64_t n = take_slots(s, RTE_MIN(end_ns, now_ns - run->late_ns),
						UINT64_MAX, NULL);

			intended += n;
			late += n;
		} else {
			intended += plan_due(tx, 0, end_ns, now_ns);
		}
	}
	counter_add(&tx->lane->intended, intended);
	counter_add(&tx->lane->late, late);
	return s->slots_left > 0 &&
	       (likely(now_ns < run->duration_ns) || s->due.ns < run->duration_ns);
}

/* Takes the next slots of the stream that is first; 'until_ns' is behind one of them. */
static void
pass_slots(struct gen_tx *tx, struct run_stream *s, uint64_t until_ns, uint64_t now_ns)
{
	const uint64_t late_ns = tx->run->late_ns;
	uint64_t n, late = 0;

	if (unlikely(s->dummy)) {
		(void)take_slots(s, until_ns, UINT64_MAX, NULL);
		return;
	}
	if (unlikely(now_ns - s->due.ns > late_ns)) {
		/* Which are late first matters only to what the end of one starts. */
		uint64_t end_ns = tx->lane->chained ? until_ns : tx->run->duration_ns;

		n = late = take_slots(s, RTE_MIN(end_ns, now_ns - late_ns), UINT64_MAX, NULL);
	} else {
		n = plan_due(tx, (uint16_t)(s - tx->lane->streams), until_ns, now_ns);
	}
	counter_add(&tx->lane->intended, n);
	counter_add(&tx->lane->late, late);
	counter_add(&s->intended, n);
	counter_add(&s->late, late);
}

/* When another stream's slot may come before the one behind this of the first. */
static inline uint64_t
end_of_stretch(const struct run_lane *lane)
{
	uint64_t second_ns = run_heap_second_ns(&lane->heap);

	return RTE_MAX(second_ns, lane->heap.wait[0].due_ns + 1);
}

static __rte_noinline bool
plan_many(struct gen_tx *tx, uint64_t now_ns)
{
	const struct run *run = tx->run;
	const uint64_t end_ns = RTE_MIN(run->duration_ns, now_ns + 1);
	struct run_lane *lane = tx->lane;
	const struct run_heap *heap = &lane->heap;

	for (unsigned i = 0; i < MOST_STRETCHES && tx->n_slots < GEN_BURST && heap->n > 0; i++) {
		if (heap->wait[0].due_ns >= end_ns)
			break;
		pass_slots(tx, run_first(lane), RTE_MIN(end_ns, end_of_stretch(lane)), now_ns);
		run_settle(run, lane);
	}
	if (unlikely(now_ns >= run->duration_ns) &&
	    (heap->n == 0 || heap->wait[0].due_ns >= run->duration_ns))
		run_close_lane(lane);
	return heap->n > 0 || lane->n_held > 0;
}

bool
tx_plan(struct gen_tx *tx, uint64_t now_ns)
{
	return likely(tx->lane->simple) ? plan_simple(tx, now_ns) : plan_many(tx, now_ns);
}

static void
plan_many_flat_out(struct gen_tx *tx)
{
	struct run_lane *lane = tx->lane;

	while (tx->n_slots < GEN_BURST && lane->heap.n > 0) {
		plan_stretch(tx, (uint16_t)lane->heap.wait[0].stream, end_of_stretch(lane), true);
		run_settle(tx->run, lane);
	}
}

/* A lane that never waits in a heap, without a schedule: how many slots is all there is to it. */
static inline void
plan_simple_flat_out(struct gen_tx *tx)
{
	const struct tx_owner like = {.stream = 0, .on_time = true};
	struct run_stream *s = tx->lane->streams;
	const uint64_t n = RTE_MIN((uint64_t)(GEN_BURST - tx->n_slots), s->slots_left);

	if (s->slots_left != UINT64_MAX)
		s->slots_left -= n;
	set_owners(tx->owner + tx->n_slots, n, like);
	tx->n_slots = (uint16_t)(tx->n_slots + n);
}

/* All slots from number 'from' on, and what lies behind them up to a whole vector, are due now. */
static inline void
set_due(struct gen_tx *tx, uint16_t from, uint64_t now_ns)
{
	const uint64_t several[TX_DUES] = {now_ns, now_ns};

	for (uint16_t i = from; i < tx->n_slots; i += TX_DUES)
		memcpy(tx->due_ns + i, several, sizeof(several));
}

bool
tx_plan_flat_out(struct gen_tx *tx, uint64_t now_ns)
{
	const uint16_t from = tx->n_slots;

	if (now_ns >= tx->run->duration_ns)
		return false;
	if (unlikely(!tx->lane->simple))
		plan_many_flat_out(tx);
	else
		plan_simple_flat_out(tx);
	set_due(tx, from, now_ns);
	return tx->n_slots > 0;
}
