/* SPDX-License-Identifier: MIT */
#include "stages.h"

#include <errno.h>
#include <stdio.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#include "base/log.h"
#include "engine.h"
#include "facts.h"
#include "round.h"

#define MAX_VECTOR_FRAMES 16384 /* in all vectors, if they were full */
#define VECTOR_CACHE 32
#define SETTLE_PASSES 64

/* ---- the loop ---- */

static __rte_always_inline size_t
run_passes(struct fwd_lcore *w, struct stages *s)
{
	size_t n = 0;

	for (unsigned pass = 0; pass < s->n_passes; pass++) {
		if (s->schedules)
			evdev_schedule(s->dev);
		for (unsigned i = 0; i < s->n_consumers; i++)
			n += stages_consume(w, s, &s->consumer[i]);
		if (unlikely(s->runs_tx_adapters))
			n += adapters_send(s->shared->adapters, w);
	}
	return n;
}

static __rte_always_inline size_t
receive(struct fwd_lcore *w, struct stages *s)
{
	return unlikely(s->shared->adapters != NULL) ? adapters_receive(s->shared->adapters, w)
						     : stages_receive(w, s);
}

/* Bursts that a round may have, for who judges how long it took. */
static unsigned
bursts_of(const struct stages *s)
{
	return s->rx.n_links + s->n_passes * s->n_consumers + 1u;
}

static void
stages_run(struct fwd_lcore *w)
{
	struct stages *s = w->stages;
	const uint64_t gap_tsc = w->fwd->gap_tsc;
	const bool cooperative = w->fwd->plan.roles.cooperative;
	/* The scheduler does not tell whether it found any, and a Tx adapter waits for many turns
	 * before it sends the last few; but frames are inside or not. */
	const bool ask_inside = s->runs_tx_adapters || (!s->receives && s->n_consumers == 0);
	uint64_t last = rte_rdtsc();

	while (atomic_load_explicit(&w->fwd->state, memory_order_relaxed) == FWD_RUN) {
		size_t n = s->receives ? receive(w, s) : 0;

		n += run_passes(w, s);
		if (unlikely(ask_inside))
			n = fwd_inside(w->fwd) != 0;
		round_end(w, n, bursts_of(s), gap_tsc, &last);
		if (unlikely(cooperative))
			idle_yield(&w->idle, last);
	}
	round_leave(w, bursts_of(s), gap_tsc, last);
}

/* ---- coming to rest ---- */

/* Whether nobody receives any more, as 'order' wants it. */
static bool
all_closed(const struct fwd *fwd, unsigned order)
{
	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
		if (atomic_load_explicit(&fwd->lcore[i].closed, memory_order_acquire) != order)
			return false;
	return true;
}

/* Frames that this lcore has in hand, and cannot wait for any longer. */
static void
give_up(struct fwd_lcore *w, struct stages *s)
{
	if (s->receives)
		stages_give_up_received(w, s);
	for (unsigned i = 0; i < s->n_consumers; i++)
		stages_give_up_taken(w, s, &s->consumer[i]);
}

/* All lcores go on with their roles, but receive nothing, until none has a frame inside. */
static void
stages_drain(struct fwd_lcore *w, uint64_t deadline)
{
	struct stages *s = w->stages;
	const struct fwd *fwd = w->fwd;
	unsigned order = atomic_load_explicit(&fwd->order, memory_order_acquire);
	struct adapters *adapters = s->receives ? s->shared->adapters : NULL;

	if (adapters == NULL)
		atomic_store_explicit(&w->closed, order, memory_order_release);
	while (!all_closed(fwd, order) || fwd_inside(fwd) != 0) {
		size_t n = 0;

		if (unlikely(adapters != NULL) && adapters_come_to_rest(adapters, w))
			atomic_store_explicit(&w->closed, order, memory_order_release);
		if (s->receives)
			(void)stages_hand_over(s);
		if (s->receives)
			evdev_maintain(s->dev, s->rx.port);
		n = run_passes(w, s);
		if (n == 0 && s->n_consumers > 0)
			stages_send_kept(w, &s->consumer[s->n_consumers - 1]);
		if (atomic_load_explicit(&fwd->order, memory_order_acquire) != order)
			return;
		if (rte_rdtsc() > deadline) {
			give_up(w, s);
			return;
		}
		idle_round(&w->idle, n > 0 || s->runs_tx_adapters, rte_rdtsc());
	}
}

static void
drop_flushed(struct rte_event ev, void *arg)
{
	struct rte_mbuf *frames[CONF_MAX_VECTOR];
	struct fwd *fwd = arg;
	struct stages_shared *shared = fwd->shared;
	uint16_t n = stages_frames_of(&ev, frames);

	egress_count_inside(&fwd->lcore[0], -(int)n);
	egress_drop(&fwd->lcore[0], frames, n, REASON_DRAIN);
	if (stages_is_vector(&ev))
		rte_mempool_put(shared->vectors, ev.vec);
}

/* Events that an lcore had no room to give back when it ended: those behind them in an ordered
 * queue wait for them. */
static void
give_back_all(struct fwd *fwd)
{
	struct stages_shared *shared = fwd->shared;

	for (unsigned pass = 0; pass < SETTLE_PASSES; pass++) {
		if (shared->dev.scheduled)
			evdev_schedule(&shared->dev);
		for (uint16_t i = 0; i < fwd->plan.n_lcores; i++) {
			struct stages *s = fwd->lcore[i].stages;

			for (unsigned k = 0; k < s->n_consumers; k++)
				stages_give_back(s, &s->consumer[k]);
		}
	}
}

/* What the lcores could not get out of the device in time. */
static void
stages_settle(struct fwd *fwd)
{
	struct stages_shared *shared = fwd->shared;
	struct err err = {0};

	if (fwd_inside(fwd) == 0)
		return;
	give_back_all(fwd);
	if (shared->adapters != NULL)
		adapters_send_rest(shared->adapters);
	if (evdev_restart(&shared->dev, fwd->conf, &fwd->plan, drop_flushed, fwd, &err) < 0)
		LOG(ERR, "%s", err.msg);
	/* Now there is room for what Rx adapters could not hand over. */
	if (shared->adapters != NULL && adapters_hand_over(shared->adapters) &&
	    evdev_restart(&shared->dev, fwd->conf, &fwd->plan, drop_flushed, fwd, &err) < 0)
		LOG(ERR, "%s", err.msg);
}

/* ---- opening and closing ---- */

static uint32_t
vector_count(const struct fwd_conf *conf)
{
	return conf->vector > 0 ? MAX_VECTOR_FRAMES / conf->vector : 0;
}

static uint32_t
stages_need(const struct plan *plan, const struct fwd_conf *conf)
{
	/* In the device, and in the hands of each lcore. */
	return plan->roles.events + vector_count(conf) * conf->vector +
	       plan->n_lcores * (STAGES_RX_ROOM + 2u * BURST_ROOM);
}

/* Enough buckets that all workers have some, few enough that vectors fill. */
static uint16_t
count_buckets(const struct plan *plan)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < plan->n_lcores; i++)
		n += (plan->roles.role[i] & ROLE_WORK) != 0;
	return (uint16_t)RTE_MIN(rte_align32pow2(n * STAGES_BUCKETS), STAGES_MAX_BUCKETS);
}

static void
add_consumer(struct stages *s, uint8_t port)
{
	if (port != PLAN_NO_PORT)
		s->consumer[s->n_consumers++].port = port;
}

static int
open_lcore(struct fwd *fwd, uint16_t i, struct err *err)
{
	const struct plan_roles *r = &fwd->plan.roles;
	struct stages_shared *shared = fwd->shared;
	struct stages *s = rte_zmalloc(NULL, sizeof(*s), RTE_CACHE_LINE_SIZE);

	fwd->lcore[i].stages = s;
	if (s == NULL)
		return err_machine(err, "no memory for lcore %u", i);
	s->shared = shared;
	s->dev = &shared->dev;
	s->receives = r->rx_port[i] != PLAN_NO_PORT;
	s->rx.port = r->rx_port[i];
	s->alone = fwd->plan.n_lcores == 1;
	s->schedules = shared->dev.scheduled && (r->role[i] & ROLE_SCHED);
	s->last_queue = (uint8_t)(r->n_queues - 1 + (r->n_tx > 0));
	s->n_senders = r->n_tx;
	s->depth = r->depth;
	s->flow_ids = fwd->conf->flow_ids;
	s->n_buckets = count_buckets(&fwd->plan);
	add_consumer(s, r->work_port[i]);
	add_consumer(s, r->tx_port[i]);
	s->runs_tx_adapters = r->adapters && (r->role[i] & ROLE_TX);
	s->n_passes = s->n_consumers > 0 && (s->schedules || r->distributed)
			      ? (uint8_t)(s->last_queue + 1)
			      : 1;
	for (uint16_t k = 0; k < fwd->plan.n_links; k++) {
		const struct plan_link *l = &fwd->plan.link[k];

		if (l->lcore != i)
			continue;
		s->rx.link[s->rx.n_links].port = l->rx_port;
		s->rx.link[s->rx.n_links++].queue = l->rxq;
	}
	s->receives &= s->rx.n_links > 0;
	return 0;
}

static int
open_vectors(struct fwd *fwd, struct stages_shared *shared, struct err *err)
{
	uint32_t n = vector_count(fwd->conf);

	if (n == 0)
		return 0;
	shared->vectors = rte_event_vector_pool_create("vectors", n, VECTOR_CACHE,
						       (uint16_t)fwd->conf->vector, SOCKET_ID_ANY);
	return shared->vectors != NULL ? 0
				       : err_machine(err, "no memory for %u vectors: %s", n,
						     rte_strerror(rte_errno));
}

static int
stages_open(struct fwd *fwd, struct err *err)
{
	struct stages_shared *shared = rte_zmalloc(NULL, sizeof(*shared), 0);
	int rc;

	fwd->shared = shared;
	if (shared == NULL)
		return err_machine(err, "no memory for the stages");
	shared->packets_left = fwd->conf->packets;
	rc = facts_take_service_lcores(&fwd->facts, err);
	if (rc == 0)
		rc = evdev_open(&shared->dev, fwd->conf, &fwd->plan, err);
	if (rc == 0)
		rc = open_vectors(fwd, shared, err);
	for (uint16_t i = 0; rc == 0 && i < fwd->plan.n_lcores; i++)
		rc = open_lcore(fwd, i, err);
	if (rc == 0 && fwd->conf->adapters)
		rc = adapters_open(&shared->adapters, fwd, &shared->dev, &shared->packets_left,
				   err);
	if (rc == 0 && fwd->plan.roles.n_folded > 0)
		LOG(INFO, "%u lcores share a CPU with others, which do their work: %u are left",
		    fwd->plan.roles.n_folded, fwd->plan.n_lcores);
	return rc;
}

static void
stages_close(struct fwd *fwd)
{
	struct stages_shared *shared = fwd->shared;

	for (uint16_t i = 0; fwd->lcore != NULL && i < fwd->plan.n_lcores; i++)
		rte_free(fwd->lcore[i].stages);
	if (shared == NULL)
		return;
	if (fwd->conf->dump && shared->dev.is_open)
		(void)rte_event_dev_dump(shared->dev.id, stdout);
	adapters_close(shared->adapters);
	evdev_close(&shared->dev);
	rte_mempool_free(shared->vectors);
	rte_free(shared);
	fwd->shared = NULL;
}

static void
stages_detach(struct fwd *fwd, uint16_t port)
{
	const struct stages_shared *shared = fwd->shared;

	if (shared != NULL && shared->adapters != NULL)
		adapters_detach(shared->adapters, port);
}

static int
stages_attach(struct fwd *fwd, uint16_t port, struct err *err)
{
	const struct stages_shared *shared = fwd->shared;

	return shared->adapters != NULL ? adapters_attach(shared->adapters, port, err) : 0;
}

/* The event engine is the case of one stage; all else is the plan's. */
#define STAGES_RUNTIME                                                                    \
	.plan = plan_stages, .need = stages_need, .open = stages_open, .run = stages_run, \
	.drain = stages_drain, .settle = stages_settle, .detach = stages_detach,          \
	.attach = stages_attach, .close = stages_close

const struct engine engine_event = {
	.name = "event",
	.summary = "one stage behind an event device that spreads flows over workers",
	STAGES_RUNTIME,
};

const struct engine engine_pipeline = {
	.name = "pipeline",
	.summary = "stages with functions of their own, an event device between each two",
	STAGES_RUNTIME,
};
