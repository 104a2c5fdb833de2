/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "worker.h"

/* Transmission by a schedule fixed in advance.
 *
 * Each slot ends as one of three: sent; refused, when the worker was there in time and the link had
 * no room for max(one frame, 10 us); late, when the worker itself was not there.  What fell due
 * while it was away it sends as soon as it can, each frame with its lateness in it, up to the
 * run's 'late_ns'.  A slot given up is not made up for, but its frame, already in a buffer, serves
 * the next slot: sequence numbers count what was sent.
 *
 * All of this is done for each queue on its own, with its lane of the run. */

/* The stream whose next slot comes first, or NULL when none has one left. */
static struct run_stream *
next_stream(const struct run_lane *lane)
{
	struct run_stream *best = NULL;

	if (likely(lane->n_streams == 1))
		return lane->streams->slots_left > 0 ? lane->streams : NULL;
	for (uint16_t i = 0; i < lane->n_streams; i++) {
		struct run_stream *s = &lane->streams[i];

		if (s->slots_left > 0 && (best == NULL || s->due.ns < best->due.ns))
			best = s;
	}
	return best;
}

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

/* Plans the stream's slots before 'until_ns', up to a burst in all, and returns how many.  Only the
 * first, when there are other streams, whose slots may lie between. */
static uint64_t
plan_stretch(struct gen_tx *tx, struct run_stream *s, uint64_t until_ns, bool on_time)
{
	uint64_t *due_ns = tx->due_ns + tx->n_slots;
	struct tx_owner *owner = tx->owner + tx->n_slots;
	struct tx_owner like = {.on_time = on_time};
	uint64_t n = 1;

	if (likely(tx->lane->n_streams == 1)) {
		n = take_slots(s, until_ns, (uint64_t)(GEN_BURST - tx->n_slots), due_ns);
	} else {
		like.stream = (uint16_t)(s - tx->lane->streams);
		take_slots(s, UINT64_MAX, 1, due_ns);
	}
	set_owners(owner, n, like);
	tx->n_slots = (uint16_t)(tx->n_slots + n);
	return n;
}

/* Was the worker away since its last round?  Then it has four times as long as that to send what
 * fell due meanwhile, and until then a full link is full of that.  It is the time between rounds
 * that tells, not the age of a slot: a full link makes slots old while the worker is there.
 *
 * A link that refused frames just before was full without that: the chain took meanwhile what it
 * could, and it still gets no more than that.  An overloaded chain fails, however often the worker
 * is away. */
static void
note_absence(struct gen_tx *tx, uint64_t now_ns)
{
	uint64_t away = now_ns - tx->last_ns;
	bool full = tx->last_ns < tx->full_until_ns;

	tx->last_ns = now_ns;
	if (likely(away <= tx->run->wait_ns) || full)
		return;
	tx->away_until_ns = now_ns;
	tx->grace_ns = now_ns + TX_GRACE * RTE_MIN(away, tx->run->late_ns);
}

/* The same for slots that are due; those planned at once are all on time, or none is. */
static uint64_t
plan_due(struct gen_tx *tx, struct run_stream *s, uint64_t until_ns, uint64_t now_ns)
{
	if (unlikely(s->due.ns < tx->away_until_ns))
		return plan_stretch(tx, s, RTE_MIN(until_ns, tx->away_until_ns), false);
	return plan_stretch(tx, s, until_ns, now_ns >= tx->grace_ns);
}

/* Plans the slots that are due; returns false once the schedule has come to its end. */
static bool
plan_slots(struct gen_tx *tx, uint64_t now_ns)
{
	const struct run *run = tx->run;
	const uint64_t end_ns = RTE_MIN(run->duration_ns, now_ns + 1);
	struct run_stream *s = next_stream(tx->lane);
	uint64_t intended = 0, late = 0;

	while (s != NULL && s->due.ns <= now_ns && tx->n_slots < GEN_BURST) {
		if (s->due.ns >= run->duration_ns) {
			s->slots_left = 0;
		} else if (unlikely(now_ns - s->due.ns > run->late_ns)) {
			uint64_t n = take_slots(s, RTE_MIN(end_ns, now_ns - run->late_ns),
						UINT64_MAX, NULL);

			intended += n;
			late += n;
		} else {
			intended += plan_due(tx, s, end_ns, now_ns);
		}
		s = next_stream(tx->lane);
	}
	counter_add(&tx->lane->intended, intended);
	counter_add(&tx->lane->late, late);
	return s != NULL;
}

/* Without a schedule there is always a burst to send, due now; the streams' slots still tell in
 * what proportions. */
static bool
plan_flat_out(struct gen_tx *tx, uint64_t now_ns)
{
	uint16_t i = tx->n_slots;
	struct run_stream *s;

	if (now_ns >= tx->run->duration_ns)
		return false;
	while (tx->n_slots < GEN_BURST && (s = next_stream(tx->lane)) != NULL)
		plan_stretch(tx, s, UINT64_MAX, true);
	for (; i < tx->n_slots; i++)
		tx->due_ns[i] = now_ns;
	return tx->n_slots > 0;
}

/* Notes how long after they were due the first 'n' slots left; without a schedule, at once.  They
 * are in order: the first one's time is the longest. */
static void
note_pacing(const struct gen_tx *tx, uint16_t n, uint64_t now_ns)
{
	const uint64_t *due_ns = tx->due_ns;
	struct hist *h = &tx->run->pacing;
	uint64_t sum_ns = 0;

	if (n == 0)
		return;
	h->n += n;
	if (tx->run->flat_out) {
		uint32_t *count = &h->count[hist_index(0)];

		*count += RTE_MIN(n, UINT32_MAX - *count);
		h->min_ns = 0;
		return;
	}
	for (uint16_t i = 0; i < n; i++) {
		uint64_t ns = now_ns - due_ns[i];

		uint32_t *count = &h->count[hist_index(ns)];

		sum_ns += ns;
		if (unlikely(++*count == 0))
			*count = UINT32_MAX;
	}
	h->sum_ns += sum_ns;
	h->max_ns = RTE_MAX(h->max_ns, now_ns - due_ns[0]);
	h->min_ns = RTE_MIN(h->min_ns, now_ns - due_ns[n - 1]);
}

/* Counts the stream's next 'n' frames as sent and returns their bytes. */
static inline uint64_t
advance_stream(struct run_stream *s, uint16_t n)
{
	uint32_t flow = s->flow + n;

	s->seq += n;
	s->n_built -= n;
	if (flow >= s->flows)
		flow = flow < 2 * s->flows ? flow - s->flows : flow % s->flows;
	s->flow = flow;
	return (uint64_t)n * (s->len + FRAME_FCS);
}

static uint64_t
advance_streams(const struct gen_tx *tx, uint16_t sent)
{
	uint64_t bytes = 0;

	if (likely(tx->lane->n_streams == 1))
		return advance_stream(tx->lane->streams, sent);
	for (uint16_t i = 0; i < sent; i++)
		bytes += advance_stream(&tx->lane->streams[tx->owner[i].stream], 1);
	return bytes;
}

static void
drop_slots(struct gen_tx *tx, uint16_t n)
{
	tx->n_slots = (uint16_t)(tx->n_slots - n);
	if (tx->n_slots == 0)
		return;
	memmove(tx->due_ns, tx->due_ns + n, tx->n_slots * sizeof(tx->due_ns[0]));
	memmove(tx->owner, tx->owner + n, tx->n_slots * sizeof(tx->owner[0]));
}

/* Counts the first 'sent' slots as sent and moves the rest up. */
static void
commit(struct gen_port *p, struct gen_tx *tx, uint16_t sent, uint64_t now_ns)
{
	const uint64_t bytes = advance_streams(tx, sent);

	note_pacing(tx, sent, now_ns);
	counter_add(&tx->lane->sent, sent);
	counter_add(&tx->run->sent_bytes, bytes);
	counter_add(&p->opackets, sent);
	counter_add(&p->obytes, bytes);
	tx->n_mbufs = (uint16_t)(tx->n_mbufs - sent);
	tx->n_built = (uint16_t)(tx->n_built - sent);
	drop_slots(tx, sent);
	if (tx->n_mbufs > 0)
		memmove(tx->mbufs, tx->mbufs + sent, tx->n_mbufs * sizeof(tx->mbufs[0]));
}

/* Has the frame of this slot waited long enough? */
static bool
is_over(const struct gen_tx *tx, uint16_t slot, uint64_t now_ns)
{
	uint64_t age = now_ns - tx->due_ns[slot];

	if (tx->owner[slot].on_time)
		return age > tx->run->wait_ns;
	return age > tx->run->late_ns || (age > tx->run->wait_ns && now_ns >= tx->grace_ns);
}

/* Gives up slots whose frame has waited long enough. */
static void
give_up(struct gen_tx *tx, uint64_t now_ns)
{
	uint16_t n = 0, refused = 0;

	while (n < tx->n_slots && is_over(tx, n, now_ns))
		refused = (uint16_t)(refused + tx->owner[n++].on_time);
	if (n == 0)
		return;
	if (refused > 0)
		tx->full_until_ns = now_ns + TX_FULL * tx->run->wait_ns;
	counter_add(&tx->lane->refused, refused);
	counter_add(&tx->lane->late, n - refused);
	drop_slots(tx, n);
	tx_unbuild(tx);
}

/* The lane is through, and with the last one the run. */
static void
finish(struct gen_port *p, unsigned slot, struct gen_tx *tx, uint64_t now_ns, enum run_end end)
{
	struct run *run = tx->run;

	tx_release(tx);
	tx->run = NULL;
	if (--run->n_sending > 0)
		return;
	atomic_store_explicit(&run->elapsed_ns, now_ns, memory_order_relaxed);
	p->slots[slot].tx_run = NULL;
	p->sending &= ~(1u << slot);
	atomic_store_explicit(&run->end, (int)end, memory_order_relaxed);
	atomic_store_explicit(&run->state, RUN_SENT, memory_order_release);
}

void
tx_start(struct gen_port *p, unsigned slot, struct run *run)
{
	struct gen_slot *s = &p->slots[slot];

	s->tx_run = run;
	p->sending = (p->sending & ~(1u << slot)) | (run != NULL) << slot;
	for (uint16_t q = 0; q < p->port.n_txq; q++) {
		struct gen_tx *tx = &s->tx[q];

		tx_release(tx);
		tx->lane = run != NULL ? &run->lane[q] : NULL;
		tx->run = run != NULL && tx->lane->n_streams > 0 ? run : NULL;
	}
}

unsigned
tx_round(struct gen_worker *w, struct gen_port *p, unsigned slot, uint16_t queue, uint64_t now_tsc)
{
	struct gen_tx *tx = &p->slots[slot].tx[queue];
	struct run *run = tx->run;
	uint64_t now_ns = worker_ns(w, run, now_tsc);
	bool more;
	uint16_t sent = 0;

	if (unlikely(atomic_load_explicit(&run->stop, memory_order_relaxed))) {
		/* Planned, but not sent: those slots were never on offer. */
		counter_add(&tx->lane->intended, -(uint64_t)(run->flat_out ? 0 : tx->n_slots));
		finish(p, slot, tx, now_ns, RUN_END_STOPPED);
		return 0;
	}
	note_absence(tx, now_ns);
	more = run->flat_out ? plan_flat_out(tx, now_ns) : plan_slots(tx, now_ns);
	if (tx->n_slots > 0) {
		tx_build(w, tx, now_ns);
		sent = rte_eth_tx_burst(p->port.id, queue, tx->mbufs, tx->n_built);
		commit(p, tx, sent, now_ns);
		if (run->flat_out)
			counter_add(&tx->lane->intended, sent);
		else
			give_up(tx, now_ns);
	}
	if (unlikely(!more && (tx->n_slots == 0 || run->flat_out)))
		finish(p, slot, tx, now_ns,
		       now_ns >= run->duration_ns ? RUN_END_DURATION : RUN_END_DONE);
	return sent;
}

void
tx_release(struct gen_tx *tx)
{
	if (tx->run != NULL)
		tx_unbuild(tx);
	rte_pktmbuf_free_bulk(tx->mbufs, tx->n_mbufs);
	tx->n_mbufs = 0;
	tx->last_ns = 0;
	tx->away_until_ns = 0;
	tx->grace_ns = 0;
	tx->full_until_ns = 0;
	tx->n_slots = 0;
	tx->n_built = 0;
}
