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
 * the next slot: sequence numbers count what was sent. */

/* The stream whose next slot comes first, or NULL when none has one left. */
static struct run_stream *
next_stream(struct run *run)
{
	struct run_stream *best = NULL;

	if (likely(run->n_streams == 1))
		return run->streams->slots_left > 0 ? run->streams : NULL;
	for (uint16_t i = 0; i < run->n_streams; i++) {
		struct run_stream *s = &run->streams[i];

		if (s->slots_left > 0 && (best == NULL || s->due.ns < best->due.ns))
			best = s;
	}
	return best;
}

static void
take_slot(struct run_stream *s)
{
	run_advance(&s->due, &s->step);
	if (s->slots_left != UINT64_MAX)
		s->slots_left--;
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

/* Plans the slots that are due; returns false once the schedule has come to its end. */
static bool
plan_slots(struct gen_tx *tx, uint64_t now_ns)
{
	struct run *run = tx->run;
	uint64_t intended = 0, late = 0;
	struct run_stream *s;

	while (tx->n_slots < GEN_BURST && (s = next_stream(run)) != NULL && s->due.ns <= now_ns) {
		uint64_t age = now_ns - s->due.ns;

		if (s->due.ns >= run->duration_ns) {
			s->slots_left = 0;
			continue;
		}
		intended++;
		if (age > run->late_ns)
			late++;
		else
			tx->slots[tx->n_slots++] = (struct tx_slot){
				.due_ns = s->due.ns,
				.stream = (uint16_t)(s - run->streams),
				.on_time = s->due.ns >= tx->away_until_ns && now_ns >= tx->grace_ns,
			};
		take_slot(s);
	}
	counter_add(&run->intended, intended);
	counter_add(&run->late, late);
	return next_stream(run) != NULL;
}

/* Without a schedule there is always a burst to send, due now. */
static bool
plan_flat_out(struct gen_tx *tx, uint64_t now_ns)
{
	struct run *run = tx->run;

	if (now_ns >= run->duration_ns)
		return false;
	while (tx->n_slots < GEN_BURST) {
		struct run_stream *s = next_stream(run);

		if (s == NULL)
			return tx->n_slots > 0;
		tx->slots[tx->n_slots++] = (struct tx_slot){
			.due_ns = now_ns, .stream = (uint16_t)(s - run->streams), .on_time = true};
		take_slot(s);
	}
	return true;
}

/* Makes sure that the buffer holds the payload behind the headers. */
static void
fill_buffer(struct rte_mbuf *m, uint8_t *data, const struct run_stream *s)
{
	struct tx_priv *priv = rte_mbuf_to_priv(m);

	if (likely(s->usual_payload && priv->payload == s->tmpl.payload && priv->filled >= s->len))
		return;
	memcpy(data, s->frame, s->len);
	priv->payload = s->usual_payload ? s->tmpl.payload : 0;
	priv->filled = s->len;
}

static void
build_frame(struct run *run, struct rte_mbuf *m, const struct tx_slot *slot, uint64_t now_ns)
{
	struct run_stream *s = &run->streams[slot->stream];
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
	uint64_t lateness = (now_ns - slot->due_ns) / SIG_LATENESS_NS;

	m->data_len = s->len;
	m->pkt_len = s->len;
	fill_buffer(m, data, s);
	if (s->signature) {
		const struct sig sig = {
			.time_ns = slot->due_ns,
			.seq = (uint32_t)(s->seq + s->flow_seq),
			.stream = (uint16_t)(run->stream_base + slot->stream),
			.lateness = lateness > UINT16_MAX ? UINT16_MAX : (uint16_t)lateness,
		};

		frame_emit(&s->tmpl, data, s->next_flow, &sig);
	}
	hist_record(&run->pacing, now_ns - slot->due_ns);
	s->flow_seq++;
	s->next_flow = s->next_flow + 1 == s->flows ? 0 : s->next_flow + 1;
}

/* Forgets what the buffers carry: slots were given up, so sequences move to other slots. */
static void
unbuild(struct gen_tx *tx)
{
	tx->n_built = 0;
	for (uint16_t i = 0; i < tx->run->n_streams; i++) {
		tx->run->streams[i].flow_seq = 0;
		tx->run->streams[i].next_flow = tx->run->streams[i].flow;
	}
}

static void
build_frames(struct gen_worker *w, struct gen_tx *tx, uint64_t now_ns)
{
	uint16_t missing = (uint16_t)(tx->n_slots - RTE_MIN(tx->n_slots, tx->n_mbufs));

	/* The pool is larger than ring and burst together: it never runs dry. */
	if (missing > 0 &&
	    rte_pktmbuf_alloc_bulk(w->tx_pool, tx->mbufs + tx->n_mbufs, missing) == 0)
		tx->n_mbufs = (uint16_t)(tx->n_mbufs + missing);
	while (tx->n_built < RTE_MIN(tx->n_slots, tx->n_mbufs)) {
		build_frame(tx->run, tx->mbufs[tx->n_built], &tx->slots[tx->n_built], now_ns);
		tx->n_built++;
	}
}

/* Counts the first 'sent' slots as sent and moves the rest up. */
static void
commit(struct gen_port *p, uint16_t sent)
{
	struct gen_tx *tx = &p->tx;
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < sent; i++) {
		struct run_stream *s = &tx->run->streams[tx->slots[i].stream];

		s->seq++;
		s->flow_seq--;
		s->flow = s->flow + 1 == s->flows ? 0 : s->flow + 1;
		bytes += s->len + FRAME_FCS;
	}
	counter_add(&tx->run->sent, sent);
	counter_add(&tx->run->sent_bytes, bytes);
	counter_add(&p->opackets, sent);
	counter_add(&p->obytes, bytes);
	tx->n_slots = (uint16_t)(tx->n_slots - sent);
	tx->n_mbufs = (uint16_t)(tx->n_mbufs - sent);
	tx->n_built = (uint16_t)(tx->n_built - sent);
	if (tx->n_mbufs == 0 && tx->n_slots == 0)
		return;
	memmove(tx->slots, tx->slots + sent, tx->n_slots * sizeof(tx->slots[0]));
	memmove(tx->mbufs, tx->mbufs + sent, tx->n_mbufs * sizeof(tx->mbufs[0]));
}

/* Has the frame of this slot waited long enough? */
static bool
is_over(const struct gen_tx *tx, const struct tx_slot *slot, uint64_t now_ns)
{
	uint64_t age = now_ns - slot->due_ns;

	if (slot->on_time)
		return age > tx->run->wait_ns;
	return age > tx->run->late_ns || (age > tx->run->wait_ns && now_ns >= tx->grace_ns);
}

/* Gives up slots whose frame has waited long enough. */
static void
give_up(struct gen_tx *tx, uint64_t now_ns)
{
	uint16_t n = 0, refused = 0;

	while (n < tx->n_slots && is_over(tx, &tx->slots[n], now_ns))
		refused = (uint16_t)(refused + tx->slots[n++].on_time);
	if (n == 0)
		return;
	if (refused > 0)
		tx->full_until_ns = now_ns + TX_FULL * tx->run->wait_ns;
	counter_add(&tx->run->refused, refused);
	counter_add(&tx->run->late, n - refused);
	tx->n_slots = (uint16_t)(tx->n_slots - n);
	memmove(tx->slots, tx->slots + n, tx->n_slots * sizeof(tx->slots[0]));
	unbuild(tx);
}

static void
finish(struct gen_tx *tx, uint64_t now_ns)
{
	struct run *run = tx->run;

	atomic_store_explicit(&run->elapsed_ns, now_ns, memory_order_relaxed);
	tx_release(tx);
	tx->run = NULL;
	atomic_store_explicit(&run->state, RUN_SENT, memory_order_release);
}

unsigned
tx_round(struct gen_worker *w, struct gen_port *p, uint64_t now_tsc)
{
	struct gen_tx *tx = &p->tx;
	struct run *run = tx->run;
	uint64_t now_ns = worker_ns(w, run, now_tsc);
	bool more;
	uint16_t sent = 0;

	if (unlikely(atomic_load_explicit(&run->stop, memory_order_relaxed))) {
		/* Planned, but not sent: those slots were never on offer. */
		counter_add(&run->intended, -(uint64_t)(run->flat_out ? 0 : tx->n_slots));
		finish(tx, now_ns);
		return 0;
	}
	note_absence(tx, now_ns);
	more = run->flat_out ? plan_flat_out(tx, now_ns) : plan_slots(tx, now_ns);
	if (tx->n_slots > 0) {
		build_frames(w, tx, now_ns);
		sent = rte_eth_tx_burst(p->port.id, 0, tx->mbufs, tx->n_built);
		commit(p, sent);
		if (run->flat_out)
			counter_add(&run->intended, sent);
		else
			give_up(tx, now_ns);
	}
	if (unlikely(!more && (tx->n_slots == 0 || run->flat_out)))
		finish(tx, now_ns);
	return sent;
}

void
tx_release(struct gen_tx *tx)
{
	if (tx->run != NULL)
		unbuild(tx);
	rte_pktmbuf_free_bulk(tx->mbufs, tx->n_mbufs);
	tx->n_mbufs = 0;
	tx->last_ns = 0;
	tx->away_until_ns = 0;
	tx->grace_ns = 0;
	tx->full_until_ns = 0;
	tx->n_slots = 0;
	tx->n_built = 0;
}
