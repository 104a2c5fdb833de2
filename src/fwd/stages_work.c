/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "nfs.h"
#include "stage_times.h"
#include "stages.h"

/* What a stage does with its events: functions, then on to the next stage or out. */

#define GIVE_BACK_MAX 64 /* event_sw takes no more at once */

/* ---- frames out of events and into them ---- */

/* Both below collect the frames of events of one queue that came by one port, from c->next on:
 * functions are made for such bursts, and they leave by one port again.  They return the number of
 * frames; c->next is then behind them. */

/* Where each frame is an event, 9 instructions for one. */
static inline uint16_t
collect_single(struct consumer *c, struct rte_mbuf **frames)
{
	const struct rte_event *ev = c->ev + c->next, *const end = c->ev + c->n;
	const struct rte_event *const first = ev;
	const uint8_t queue = ev->queue_id;
	const uint16_t port = ev->mbuf->port;

	do
		*frames++ = ev->mbuf;
	while (++ev < end && ev->queue_id == queue && ev->mbuf->port == port);
	c->next = (uint16_t)(ev - c->ev);
	return (uint16_t)(ev - first);
}

static inline struct rte_mbuf *
first_of(const struct rte_event *ev)
{
	return stages_is_vector(ev) ? ev->vec->mbufs[0] : ev->mbuf;
}

/* The port that the frames of an event came by. */
static inline uint16_t
port_of(const struct rte_event *ev)
{
	return first_of(ev)->port;
}

static inline uint16_t
size_of(const struct rte_event *ev)
{
	return stages_is_vector(ev) ? ev->vec->nb_elem : 1;
}

/* Where some are vectors, as many as fit into a burst. */
static uint16_t
collect_vectors(struct consumer *c, struct rte_mbuf **frames)
{
	const uint8_t queue = c->ev[c->next].queue_id;
	const uint16_t port = port_of(&c->ev[c->next]);
	uint16_t i = c->next, n = 0;

	for (; i < c->n && c->ev[i].queue_id == queue && port_of(&c->ev[i]) == port; i++) {
		if (n + size_of(&c->ev[i]) > CONF_MAX_BURST)
			break;
		n = (uint16_t)(n + stages_frames_of(&c->ev[i], frames + n));
	}
	c->next = i;
	return n;
}

static inline uint16_t
collect(const struct stages *s, struct consumer *c, struct rte_mbuf **frames)
{
	return likely(s->shared->vectors == NULL) ? collect_single(c, frames)
						  : collect_vectors(c, frames);
}

/* A verdict that later stages must know goes with its frame. */
static inline void
note_verdict(struct rte_mbuf *m, uint8_t verdict)
{
	m->hash.txadapter.txq = verdict;
}

/* Takes up the verdicts of earlier stages; whether one of them is more than forward. */
static bool
recall_verdicts(struct fwd_lcore *w, struct rte_mbuf **frames, uint16_t n)
{
	uint8_t any = 0;

	for (uint16_t i = 0; i < n; i++) {
		w->verdict[i] = (uint8_t)frames[i]->hash.txadapter.txq;
		any |= w->verdict[i];
	}
	return any != NF_FORWARD;
}

/* ---- to the next stage ---- */

/* Drops what its verdict says so, of the frames of one event; how many stay. */
static uint16_t
sift(struct fwd_lcore *w, struct rte_mbuf **frames, const uint8_t *verdict, uint16_t n)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (NF_IS_DROP(verdict[i])) {
			egress_count_inside(w, -1);
			egress_drop(w, &frames[i], 1, nfs_reason(verdict[i]));
			continue;
		}
		note_verdict(frames[i], verdict[i]);
		frames[kept++] = frames[i];
	}
	return kept;
}

/* Passes events on some of whose frames are dropped, or go elsewhere. */
static __rte_noinline void
pass_some(struct fwd_lcore *w, struct stages *s, struct consumer *c, uint16_t first)
{
	const uint8_t *verdict = w->verdict;

	for (uint16_t i = first; i < c->next; i++) {
		struct rte_event *ev = &c->ev[i];
		struct rte_event_vector *v = stages_is_vector(ev) ? ev->vec : NULL;
		uint16_t n = v != NULL ? v->nb_elem : 1;
		uint16_t kept = sift(w, v != NULL ? v->mbufs : &ev->mbuf, verdict, n);

		verdict += n;
		ev->op = kept > 0 ? RTE_EVENT_OP_FORWARD : RTE_EVENT_OP_RELEASE;
		ev->queue_id++;
		if (v == NULL)
			continue;
		v->nb_elem = kept;
		if (kept == 0)
			rte_mempool_put(s->shared->vectors, v);
	}
	memset(w->verdict, NF_FORWARD, sizeof(w->verdict));
}

static inline void
pass_all(struct consumer *c, uint16_t first)
{
	for (uint16_t i = first; i < c->next; i++) {
		c->ev[i].op = RTE_EVENT_OP_FORWARD;
		c->ev[i].queue_id++;
	}
}

/* With several lcores that send, an event behind the last stage goes to the one of its flow and the
 * port it leaves by. */
static __rte_noinline void
choose_senders(const struct fwd_lcore *w, struct consumer *c, uint16_t first)
{
	const struct plan *plan = &w->fwd->plan;

	for (uint16_t i = first; i < c->next; i++) {
		struct rte_event *ev = &c->ev[i];
		const struct rte_mbuf *m;
		uint16_t egress;

		if (ev->op != RTE_EVENT_OP_FORWARD)
			continue;
		m = first_of(ev);
		egress = m->hash.txadapter.txq;
		egress = NF_IS_PORT(egress) ? NF_VALUE(egress) : plan->pair[m->port];
		/* A frame for a port that is not there is dropped by whoever gets it. */
		ev->queue_id = plan_tx_queue(&plan->roles, egress < NF_MAX_PORTS ? egress : 0,
					     ev->flow_id);
	}
}

/* With DPDK's adapters each goes to the one of its port. */
static __rte_noinline void
address_adapters(struct fwd_lcore *w, struct consumer *c, uint16_t first)
{
	for (uint16_t i = first; i < c->next; i++) {
		struct rte_event *ev = &c->ev[i];

		if (ev->op != RTE_EVENT_OP_FORWARD || adapters_address(w->fwd, ev))
			continue;
		egress_count_inside(w, -1);
		egress_drop(w, &ev->mbuf, 1, REASON_NO_PORT);
		ev->op = RTE_EVENT_OP_RELEASE;
	}
}

/* Passes events on; 'frames' are those of the events when all go on, else NULL. */
static inline void
pass_on(struct fwd_lcore *w, struct stages *s, struct consumer *c, uint16_t first,
	struct rte_mbuf **frames, uint16_t n)
{
	const uint8_t queue = c->ev[first].queue_id;

	if (unlikely(frames == NULL)) {
		pass_some(w, s, c, first);
	} else {
		for (uint16_t i = 0; queue == 0 && i < n; i++)
			note_verdict(frames[i], NF_FORWARD);
		pass_all(c, first);
	}
	if (likely(s->n_senders <= 1 && s->shared->adapters == NULL) || queue + 1 != s->last_queue)
		return;
	if (s->shared->adapters != NULL)
		address_adapters(w, c, first);
	else
		choose_senders(w, c, first);
}

/* ---- out ---- */

/* Frames that part ways, or that a fault is due in. */
static __rte_noinline void
send_parted(struct fwd_lcore *w, struct egress *out, struct rte_mbuf **frames, uint16_t n)
{
	const uint16_t *pair = w->fwd->plan.pair;

	if (atomic_load_explicit(&w->fault.armed, memory_order_acquire))
		n = fault_apply(w, frames, w->verdict, n);
	for (uint16_t i = 0; i < n; i++)
		if (w->verdict[i] == NF_FORWARD)
			w->verdict[i] = (uint8_t)NF_PORT(pair[frames[i]->port]);
	egress_route(w, out, 0, frames, w->verdict, n);
	memset(w->verdict, NF_FORWARD, sizeof(w->verdict));
}

/* The frames have left; their vectors are free. */
static void
free_vectors(struct stages *s, const struct consumer *c, uint16_t first)
{
	void *vectors[STAGES_DEPTH];
	unsigned n = 0;

	for (uint16_t i = first; i < c->next; i++)
		if (stages_is_vector(&c->ev[i]))
			vectors[n++] = c->ev[i].vec;
	if (n > 0)
		rte_mempool_put_bulk(s->shared->vectors, vectors, n);
}

/* The frames have left; their events are to be given back. */
static void
release(struct stages *s, struct consumer *c, uint16_t first)
{
	for (uint16_t i = first; i < c->next; i++)
		c->ev[i].op = RTE_EVENT_OP_RELEASE;
	if (unlikely(s->shared->vectors != NULL))
		free_vectors(s, c, first);
}

/* ---- one burst ---- */

/* Runs the functions of a queue's stage, or of all stages where they follow at once; 'forward' says
 * whether all frames go on, before and in the result. */
static __rte_always_inline bool
run_stages(struct fwd_lcore *w, unsigned queue, bool forward, struct rte_mbuf **frames, uint16_t n,
	   const bool timed)
{
	const struct plan_roles *r = &w->fwd->plan.roles;
	const unsigned end = queue + 1u == r->n_queues ? r->n_stages : queue + 1u;

	do {
		counter_add(&w->stage_frames[queue], n);
		if (timed)
			times_note_taken(w, queue, frames, n);
		forward = nfs_stage_burst(w, queue, !forward, frames, n);
		if (timed)
			times_note_served(w, queue, frames, n);
	} while (++queue < end);
	return forward;
}

static __rte_noinline bool
run_stages_timed(struct fwd_lcore *w, unsigned queue, bool forward, struct rte_mbuf **frames,
		 uint16_t n)
{
	return run_stages(w, queue, forward, frames, n, true);
}

/* Serves events of one queue; returns the number of their frames. */
static uint16_t
serve(struct fwd_lcore *w, struct stages *s, struct consumer *c)
{
	struct rte_mbuf *frames[BURST_ROOM];
	const uint16_t first = c->next;
	const uint8_t queue = c->ev[first].queue_id;
	const uint16_t n = collect(s, c, frames);
	bool forward = queue == 0 || !recall_verdicts(w, frames, n);

	counter_add(&w->bursts, 1);
	if (queue < w->fwd->plan.roles.n_queues)
		forward = unlikely(w->times != NULL)
				  ? run_stages_timed(w, queue, forward, frames, n)
				  : run_stages(w, queue, forward, frames, n, false);
	if (queue < s->last_queue) {
		pass_on(w, s, c, first, forward ? frames : NULL, n);
		return n;
	}
	egress_count_inside(w, -(int)n);
	if (unlikely(!forward || atomic_load_explicit(&w->fault.armed, memory_order_acquire)))
		send_parted(w, &c->out, frames, n);
	else
		egress_send(w, &c->out, w->fwd->plan.pair[frames[0]->port], frames, n);
	release(s, c, first);
	return n;
}

/* Events go back in the sequence they came, at the latest when the device has room again. */
void
stages_give_back(struct stages *s, struct consumer *c)
{
	/* All released, and the next dequeue says so by itself. */
	if (!s->dev->explicit_release && s->last_queue == 0)
		c->given = c->next;
	while (c->given < c->next) {
		uint16_t left = (uint16_t)(c->next - c->given);
		uint16_t n = rte_event_enqueue_burst(s->dev->id, c->port, c->ev + c->given,
						     RTE_MIN(left, GIVE_BACK_MAX));

		if (n == 0)
			return;
		c->given = (uint16_t)(c->given + n);
	}
}

size_t
stages_consume(struct fwd_lcore *w, struct stages *s, struct consumer *c)
{
	size_t moved = 0;

	if (unlikely(c->out.n_held > 0)) {
		evdev_maintain(s->dev, c->port);
		if (!egress_try(w, &c->out, rte_rdtsc()))
			return 0;
		moved = 1;
	}
	if (likely(c->given == c->n)) {
		c->n = rte_event_dequeue_burst(s->dev->id, c->port, c->ev, s->depth, 0);
		c->next = c->given = 0;
		if (c->n == 0)
			return moved;
	}
	while (c->next < c->n && c->out.n_held == 0)
		moved += serve(w, s, c);
	if (likely(c->out.n_held == 0))
		stages_give_back(s, c);
	return moved;
}

void
stages_give_up_taken(struct fwd_lcore *w, struct stages *s, struct consumer *c)
{
	if (c->out.n_held > 0)
		egress_give_up(w, &c->out, rte_rdtsc(), REASON_DRAIN);
	while (c->next < c->n) {
		struct rte_mbuf *frames[BURST_ROOM];
		uint16_t first = c->next, n = collect(s, c, frames);

		egress_count_inside(w, -(int)n);
		egress_drop(w, frames, n, REASON_DRAIN);
		release(s, c, first);
	}
	stages_give_back(s, c);
}

void
stages_send_kept(struct fwd_lcore *w, struct consumer *c)
{
	struct rte_mbuf *kept;

	if (w->fault.kept == NULL)
		return;
	kept = fault_flush(w, w->verdict);
	if (w->verdict[0] == NF_FORWARD)
		w->verdict[0] = (uint8_t)NF_PORT(w->fwd->plan.pair[kept->port]);
	egress_route(w, &c->out, 0, &kept, w->verdict, 1);
	w->verdict[0] = NF_FORWARD;
}
