/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "hop_ring.h"
#include "pkt/flow.h"
#include "stage_times.h"
#include "stages.h"

/* How frames come in: received in bursts, told apart by flow, put into the event device as new. */

/* Frames of several bursts share a pass of the scheduler. */
#define RX_TARGET STAGES_DEPTH
#define RX_TARGET_VECTORS 256

/* Frames that may still be received, of 'n' that could be. */
static uint16_t
take_allowance(struct fwd_lcore *w, struct stages *s, uint16_t n)
{
	uint64_t left = atomic_load_explicit(&s->shared->packets_left, memory_order_relaxed);
	uint64_t take;

	do {
		take = RTE_MIN(left, (uint64_t)n);
		if (take == 0) {
			fwd_set_state(w->fwd, FWD_STOP);
			return 0;
		}
	} while (!atomic_compare_exchange_weak(&s->shared->packets_left, &left, left - take));
	return (uint16_t)take;
}

static uint16_t
receive_burst(struct fwd_lcore *w, struct stages *s, unsigned link, struct rte_mbuf **frames)
{
	uint16_t port = s->rx.link[link].port, burst = (uint16_t)w->fwd->conf->burst, n;

	if (unlikely(w->fwd->conf->packets > 0)) {
		burst = take_allowance(w, s, burst);
		n = burst == 0 ? 0
			       : hop_receive(w->fwd, port, s->rx.link[link].queue, frames, burst);
		atomic_fetch_add(&s->shared->packets_left, burst - n);
	} else {
		n = hop_receive(w->fwd, port, s->rx.link[link].queue, frames, burst);
	}
	if (n > 0) {
		times_received(w, frames, n);
		counter_add(&w->rx[port], n);
		counter_add(&w->bursts, 1);
		egress_count_inside(w, n);
	}
	return n;
}

/* A burst from each link in turn, as long as they are full, up to 'target' frames. */
static uint16_t
gather(struct fwd_lcore *w, struct stages *s, struct rte_mbuf **frames, uint16_t target)
{
	const uint16_t burst = (uint16_t)w->fwd->conf->burst;
	struct receiver *r = &s->rx;
	unsigned link = r->first_link, n_short = 0;
	uint16_t n = 0;

	do {
		uint16_t got = receive_burst(w, s, link, frames + n);

		n = (uint16_t)(n + got);
		n_short = got < burst ? n_short + 1 : 0;
		if (++link == r->n_links)
			link = 0;
	} while (n_short < r->n_links && n + burst <= target);
	r->first_link = (uint16_t)link;
	return n;
}

static inline uint32_t
hash_of(const struct rte_mbuf *m)
{
	return flow_hash(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m));
}

/* What the events of a receiver have in common. */
static struct rte_event
new_event(const struct fwd_lcore *w, unsigned type)
{
	static const uint8_t types[] = {[SCHED_ATOMIC] = RTE_SCHED_TYPE_ATOMIC,
					[SCHED_ORDERED] = RTE_SCHED_TYPE_ORDERED,
					[SCHED_PARALLEL] = RTE_SCHED_TYPE_PARALLEL};

	return (struct rte_event){
		.op = RTE_EVENT_OP_NEW,
		.event_type = type,
		.sched_type = types[w->fwd->conf->sched],
		.priority = RTE_EVENT_DEV_PRIORITY_NORMAL,
	};
}

static void
make_events(struct fwd_lcore *w, struct stages *s, struct rte_mbuf **frames, uint16_t n)
{
	const uint64_t like = new_event(w, RTE_EVENT_TYPE_CPU).event;
	const uint64_t flow_ids = s->flow_ids > 0 ? s->flow_ids : 1u << 20;
	struct rte_event *ev = s->rx.ev;

	/* The flow id is in the lowest 20 bits of the first word. */
	for (uint16_t i = 0; i < n; i++, ev++) {
		ev->event = like | hash_of(frames[i]) * flow_ids >> 32;
		ev->mbuf = frames[i];
	}
	s->rx.n = n;
	s->rx.next = 0;
}

static void
add_event(struct receiver *r, struct rte_event like, uint32_t bucket, void *what)
{
	struct rte_event *ev = &r->ev[r->n++];

	ev->event = like.event | bucket;
	ev->event_ptr = what;
}

/* Frames of the same bucket, and so of a flow, share a vector if they came by one port.  Where the
 * pool has none left, frames go alone; no vector of their bucket is open then that they could
 * overtake. */
static void
make_vectors(struct fwd_lcore *w, struct stages *s, struct rte_mbuf **frames, uint16_t n)
{
	const struct rte_event single = new_event(w, RTE_EVENT_TYPE_CPU);
	const struct rte_event many = new_event(w, RTE_EVENT_TYPE_CPU_VECTOR);
	const uint16_t room = (uint16_t)w->fwd->conf->vector;
	struct receiver *r = &s->rx;
	struct rte_event_vector **touched[STAGES_RX_ROOM];
	uint16_t n_touched = 0;

	r->n = r->next = 0;
	for (uint16_t i = 0; i < n; i++) {
		uint32_t bucket = hash_of(frames[i]) & (s->n_buckets - 1u);
		struct rte_event_vector **open = &r->open[frames[i]->port][bucket], *v = *open;

		if (v == NULL) {
			if (rte_mempool_get(s->shared->vectors, (void **)&v) < 0) {
				add_event(r, single, bucket, frames[i]);
				continue;
			}
			v->nb_elem = 0;
			*open = v;
			touched[n_touched++] = open;
		}
		v->mbufs[v->nb_elem++] = frames[i];
		if (v->nb_elem == room) {
			add_event(r, many, bucket, v);
			*open = NULL;
		}
	}
	for (uint16_t k = 0; k < n_touched; k++) {
		struct rte_event_vector *v = *touched[k];

		if (v == NULL)
			continue;
		add_event(r, many, hash_of(v->mbufs[0]) & (s->n_buckets - 1u), v);
		*touched[k] = NULL;
	}
}

bool
stages_hand_over(struct stages *s)
{
	struct receiver *r = &s->rx;

	while (r->next < r->n) {
		uint16_t n = rte_event_enqueue_new_burst(s->dev->id, r->port, r->ev + r->next,
							 (uint16_t)(r->n - r->next));

		if (n == 0)
			return false;
		r->next = (uint16_t)(r->next + n);
	}
	return true;
}

size_t
stages_receive(struct fwd_lcore *w, struct stages *s)
{
	struct rte_mbuf *frames[STAGES_RX_ROOM];
	bool vectors = s->shared->vectors != NULL;
	uint16_t n;

	/* The device is full: what comes next waits in the link, where it belongs. */
	if (unlikely(!stages_hand_over(s)))
		return 0;
	/* Alone, it serves what it has before it takes more, and so keeps it in its caches. */
	if (s->alone && counter_get(&w->in_flight) >= s->depth)
		return 0;
	n = gather(w, s, frames, vectors ? RX_TARGET_VECTORS : RX_TARGET);
	if (n == 0) {
		evdev_maintain(s->dev, s->rx.port);
		return 0;
	}
	if (vectors)
		make_vectors(w, s, frames, n);
	else
		make_events(w, s, frames, n);
	(void)stages_hand_over(s);
	return n;
}

uint16_t
stages_frames_of(const struct rte_event *ev, struct rte_mbuf **frames)
{
	if (!stages_is_vector(ev)) {
		frames[0] = ev->mbuf;
		return 1;
	}
	memcpy(frames, ev->vec->mbufs, ev->vec->nb_elem * sizeof(*frames));
	return ev->vec->nb_elem;
}

void
stages_give_up_received(struct fwd_lcore *w, struct stages *s)
{
	struct rte_mbuf *frames[CONF_MAX_VECTOR];
	struct receiver *r = &s->rx;

	for (; r->next < r->n; r->next++) {
		const struct rte_event *ev = &r->ev[r->next];
		uint16_t n = stages_frames_of(ev, frames);

		egress_count_inside(w, -(int)n);
		egress_drop(w, frames, n, REASON_DRAIN);
		if (stages_is_vector(ev))
			rte_mempool_put(s->shared->vectors, ev->vec);
	}
}
