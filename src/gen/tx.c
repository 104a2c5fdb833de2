/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "run_change.h"
#include "service.h"

/* Transmission by a schedule fixed in advance.
 *
 * Each slot ends as one of three: sent; refused, when the worker was there in time and the link had
 * no room for max(one frame, 10 us); late, when the worker itself was not there.  What fell due
 * while it was away it sends as soon as it can, each frame with its lateness in it, up to the
 * run's 'late_ns'.  A slot given up is not made up for, but its frame, already in a buffer, serves
 * the next slot: sequence numbers count what was sent.
 *
 * All of this is done for each queue on its own, with its lane of the run. */

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

/* Notes by how much the distance between two frames differs from the one intended, of the frame
 * that left 'late_ns' after it was due and the one before it in the stream. */
static inline void
note_jitter(struct run_stream *s, uint64_t late_ns)
{
	uint64_t last_ns = s->last_late_ns;

	s->last_late_ns = late_ns;
	if (likely(last_ns != RUN_TIMES_NONE))
		hist_record(&s->times->jitter,
			    late_ns > last_ns ? late_ns - last_ns : last_ns - late_ns);
}

/* Without a schedule each frame leaves when it is due. */
static inline void
note_flat_out(const struct run *run, uint16_t n)
{
	hist_record_alike(&run->times->lateness, 0, n, 0);
}

/* Notes when the first 'n' slots left, all of one stream, and in order.  Between the frames of a
 * burst lies nothing instead of a step: where that is all there is between them, one look at the
 * first and the last tells it of all. */
static inline void
note_times(const struct gen_tx *tx, struct run_stream *s, uint16_t n, uint64_t now_ns)
{
	const uint64_t *due_ns = tx->due_ns;
	uint64_t rest, span_ns, steps_ns;

	if (n == 0)
		return;
	hist_record_burst(&s->times->lateness, due_ns, n, now_ns);
	note_jitter(s, now_ns - due_ns[0]);
	rest = n - 1;
	span_ns = due_ns[rest] - due_ns[0];
	steps_ns = rest * s->step.ns;
	/* A step is a whole number of ns in the mean only. */
	if (likely(span_ns >= steps_ns && span_ns - steps_ns <= rest)) {
		hist_record_alike(&s->times->jitter, s->step.ns, rest, span_ns);
		s->last_late_ns = now_ns - due_ns[rest];
		return;
	}
	for (uint16_t i = 1; i < n; i++)
		note_jitter(s, now_ns - due_ns[i]);
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

/* With FCS; of the frame in that slot, whose stream's program may have made it shorter. */
static inline uint64_t
bytes_of(const struct gen_tx *tx, const struct run_stream *s, uint16_t slot)
{
	return (tx->run->trims ? tx->len[slot] : s->len) + (uint64_t)FRAME_FCS;
}

/* Counts the first 'sent' frames, of several streams or of differing lengths, as sent and returns
 * their bytes. */
static __rte_noinline uint64_t
advance_many(const struct gen_tx *tx, uint16_t sent, uint64_t now_ns)
{
	const bool scheduled = !tx->run->flat_out;
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < sent; i++) {
		struct run_stream *s = &tx->lane->streams[tx->owner[i].stream];
		uint64_t n = bytes_of(tx, s, i);

		advance_stream(s, 1);
		counter_add(&s->sent, 1);
		counter_add(&s->sent_bytes, n);
		bytes += n;
		if (!scheduled)
			continue;
		hist_record(&s->times->lateness, now_ns - tx->due_ns[i]);
		note_jitter(s, now_ns - tx->due_ns[i]);
	}
	return bytes;
}

/* Once they are sent, buffers are somebody else's. */
static void
note_lengths(struct gen_tx *tx)
{
	for (uint16_t i = 0; i < tx->n_built; i++)
		tx->len[i] = tx->mbufs[i]->data_len;
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
	struct run_stream *first = tx->lane->streams;
	uint64_t bytes;

	if (unlikely(tx->lane->n_streams > 1 || tx->run->trims)) {
		bytes = advance_many(tx, sent, now_ns);
	} else {
		bytes = advance_stream(first, sent);
		if (!tx->run->flat_out)
			note_times(tx, first, sent, now_ns);
	}
	if (tx->run->flat_out)
		note_flat_out(tx->run, sent);
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

/* Counts the first 'n' slots of those planned as given up. */
static void
count_given_up(struct gen_tx *tx, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct run_stream *s = &tx->lane->streams[tx->owner[i].stream];

		counter_add(tx->owner[i].on_time ? &s->refused : &s->late, 1);
	}
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
	if (tx->lane->n_streams > 1)
		count_given_up(tx, n);
	tx_unbuild(tx);
	drop_slots(tx, n);
}

/* Gives up what was planned in an earlier round and is too old by now to be sent.  If the worker
 * had been there it would have been sent or refused long before, so it is late. */
static __rte_noinline void
give_up_stale(struct gen_tx *tx, uint64_t now_ns)
{
	for (uint16_t i = 0; i < tx->n_slots; i++)
		if (now_ns - tx->due_ns[i] > tx->run->late_ns)
			tx->owner[i].on_time = 0;
	give_up(tx, now_ns);
}

/* Takes back what was planned and is not going to be sent: those slots were never on offer. */
static void
take_back(struct gen_tx *tx)
{
	if (tx->run->flat_out)
		return;
	counter_add(&tx->lane->intended, -(uint64_t)tx->n_slots);
	for (uint16_t i = 0; tx->lane->n_streams > 1 && i < tx->n_slots; i++)
		counter_add(&tx->lane->streams[tx->owner[i].stream].intended, -1ull);
}

/* Without a schedule what was sent was intended, no more. */
static void
count_flat_out(struct gen_tx *tx, uint16_t sent)
{
	counter_add(&tx->lane->intended, sent);
	for (uint16_t i = 0; tx->lane->n_streams > 1 && i < tx->lane->n_streams; i++) {
		struct run_stream *s = &tx->lane->streams[i];

		counter_add(&s->intended, counter_get(&s->sent) - counter_get(&s->intended));
	}
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
	atomic_store_explicit(&run->elapsed_ns, now_ns + run->paused_ns, memory_order_relaxed);
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

/* Has the run's clock, which stops in a pause and before the start, come to something? */
static bool
is_running(struct run *run, uint64_t now_tsc)
{
	if (atomic_load_explicit(&run->state, memory_order_relaxed) == RUN_PAUSED ||
	    (int64_t)(now_tsc - run->start_tsc) < 0)
		return false;
	atomic_fetch_and_explicit(&run->attend, ~RUN_HOLD, memory_order_relaxed);
	return true;
}

/* Does what the RPC thread asked for; returns whether the lane has a round now. */
static __rte_noinline bool
attend(struct gen_worker *w, struct gen_port *p, unsigned slot, struct gen_tx *tx, uint64_t now_tsc)
{
	struct run *run = tx->run;
	int bits = atomic_load_explicit(&run->attend, memory_order_acquire);

	if (bits & RUN_STOP) {
		uint64_t now_ns = run_now_ns(run, now_tsc, w->tsc_to_ns);

		take_back(tx);
		finish(p, slot, tx, now_ns, RUN_END_STOPPED);
		return false;
	}
	if (bits & RUN_CHANGES)
		run_make_changes(run, now_tsc, w->tsc_to_ns);
	return is_running(run, now_tsc);
}

unsigned
tx_round(struct gen_worker *w, struct gen_port *p, unsigned slot, uint16_t queue, uint64_t now_tsc)
{
	struct gen_tx *tx = &p->slots[slot].tx[queue];
	struct run *run = tx->run;
	uint64_t now_ns;
	bool more;
	uint16_t sent = 0;

	if (unlikely(atomic_load_explicit(&run->attend, memory_order_relaxed) != 0) &&
	    !attend(w, p, slot, tx, now_tsc))
		return 0;
	now_ns = (uint64_t)((double)(now_tsc - run->clock_tsc) * w->tsc_to_ns);
	note_absence(tx, now_ns);
	if (unlikely(tx->n_slots > 0 && now_ns - tx->due_ns[0] > run->late_ns) && !run->flat_out)
		give_up_stale(tx, now_ns);
	more = run->flat_out ? tx_plan_flat_out(tx, now_ns) : tx_plan(tx, now_ns);
	if (tx->n_slots > 0) {
		tx_build(w, tx, now_ns);
		if (unlikely(run->trims))
			note_lengths(tx);
		sent = service_send(w, p, queue, tx->mbufs, tx->n_built);
		commit(p, tx, sent, now_ns);
		if (run->flat_out)
			count_flat_out(tx, sent);
		else
			give_up(tx, now_ns);
	}
	if (unlikely(!more && (tx->n_slots == 0 || run->flat_out) &&
		     now_ns >= tx->lane->open_until))
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
}
