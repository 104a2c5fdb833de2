/* SPDX-License-Identifier: MIT */
#include "adapters.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_event_eth_rx_adapter.h>
#include <rte_event_eth_tx_adapter.h>
#include <rte_malloc.h>
#include <rte_service.h>
#include <rte_service_component.h>

#include "egress.h"
#include "pkt/flow.h"

#define TURN_FRAMES 128 /* that an adapter takes in a turn, about */
/* A Tx adapter sends what waits in its buffers each 1024 turns.  Half of these take all that is in
 * the device, the other half flush. */
#define SETTLE_TURNS 2560

/* The Rx adapter of an lcore; its number is the lcore's index. */
struct rx_adapter {
	bool exists, has_service;
	uint8_t event_port;
	uint32_t service;
	_Atomic uint64_t held; /* in its buffer, while it comes to rest */
};

/* The Tx adapter of a port; its number is the port's. */
struct tx_adapter {
	bool exists, has_service, added;
	uint8_t event_port;
	uint16_t txq;
	struct fwd_lcore *w; /* that runs it, and whose counters its frames are in */
	uint32_t service;
	uint64_t sent, dropped; /* that were counted */
};

/* A receive queue and the lcore whose adapter it is. */
struct rx_queue {
	struct adapters *adapters;
	struct fwd_lcore *w;
	uint16_t port, queue;
	bool added;
	const struct rte_eth_rxtx_callback *callback;
};

struct adapters {
	struct fwd *fwd;
	const struct evdev *dev;
	_Atomic uint64_t *packets_left;
	struct rx_adapter rx[PLAN_MAX_LCORES];
	struct tx_adapter tx[NF_MAX_PORTS];
	struct rx_queue queue[PLAN_MAX_LINKS];
};

/* ---- frames that come in ---- */

static void
count_down(struct adapters *a, uint16_t n)
{
	uint64_t left = atomic_fetch_sub(a->packets_left, n);

	if (left <= n)
		fwd_set_state(a->fwd, FWD_STOP);
}

static uint16_t
on_received(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t n, uint16_t max,
	    void *arg)
{
	struct rx_queue *q = arg;
	const struct fwd_conf *conf = q->w->fwd->conf;
	const uint64_t flow_ids = conf->flow_ids > 0 ? conf->flow_ids : 1u << 20;

	(void)queue, (void)max;
	if (n == 0)
		return 0;
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = frames[i];
		const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

		m->hash.rss = (uint32_t)(flow_hash(data, rte_pktmbuf_data_len(m)) * flow_ids >> 32);
		m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	}
	counter_add(&q->w->rx[port], n);
	counter_add(&q->w->bursts, 1);
	egress_count_inside(q->w, n);
	if (unlikely(conf->packets > 0))
		count_down(q->adapters, n);
	return n;
}

size_t
adapters_receive(struct adapters *a, struct fwd_lcore *w)
{
	uint64_t before = counter_get(&w->in_flight);

	(void)rte_service_run_iter_on_app_lcore(a->rx[w->index].service, 0);
	return counter_get(&w->in_flight) - before;
}

static uint64_t
count_held(unsigned id)
{
	struct rte_event_eth_rx_adapter_stats stats;

	if (rte_event_eth_rx_adapter_stats_get((uint8_t)id, &stats) < 0)
		return 0;
	return stats.rx_packets - stats.rx_enq_count;
}

bool
adapters_come_to_rest(struct adapters *a, struct fwd_lcore *w)
{
	struct rx_adapter *mine = &a->rx[w->index];
	uint64_t all = 0, held = count_held(w->index);

	atomic_store_explicit(&mine->held, held, memory_order_release);
	if (held == 0)
		return true;
	for (unsigned i = 0; i < a->fwd->plan.n_lcores; i++)
		all += atomic_load_explicit(&a->rx[i].held, memory_order_acquire);
	if (fwd_inside(a->fwd) == all)
		(void)adapters_receive(a, w);
	return false;
}

bool
adapters_hand_over(struct adapters *a)
{
	bool any = false;

	for (unsigned i = 0; i < a->fwd->plan.n_lcores; i++) {
		if (!a->rx[i].has_service || count_held(i) == 0)
			continue;
		(void)adapters_receive(a, &a->fwd->lcore[i]);
		atomic_store(&a->rx[i].held, 0);
		any = true;
	}
	return any;
}

/* ---- frames that leave ---- */

bool
adapters_address(const struct fwd *fwd, struct rte_event *ev)
{
	const struct plan_roles *r = &fwd->plan.roles;
	struct rte_mbuf *m = ev->mbuf;
	uint16_t verdict = m->hash.txadapter.txq;
	uint16_t egress = NF_IS_PORT(verdict) ? NF_VALUE(verdict) : fwd->plan.pair[m->port];

	/* The adapter frees what is not for a queue of its own, and does not count it. */
	if (egress >= fwd->plan.n_ports || !fwd->plan.enabled[egress])
		return false;
	m->port = egress;
	rte_event_eth_tx_adapter_txq_set(m,
					 (uint16_t)fwd->plan.txq[r->adapter_lcore[egress]][egress]);
	ev->queue_id = plan_tx_queue(r, egress, 0);
	return true;
}

/* A turn of one adapter.  Returns the number of frames that are gone. */
static size_t
send_by(struct tx_adapter *t, uint8_t id)
{
	struct rte_event_eth_tx_adapter_stats stats;
	uint64_t sent, dropped;

	(void)rte_service_run_iter_on_app_lcore(t->service, 0);
	if (rte_event_eth_tx_adapter_stats_get(id, &stats) < 0)
		return 0;
	sent = stats.tx_packets - t->sent;
	dropped = stats.tx_dropped - t->dropped;
	if (sent + dropped == 0)
		return 0;
	t->sent = stats.tx_packets;
	t->dropped = stats.tx_dropped;
	counter_add(&t->w->tx[id], sent);
	counter_add(&t->w->drop[REASON_TX_ADAPTER], dropped);
	egress_count_inside(t->w, -(int)(sent + dropped));
	return sent + dropped;
}

size_t
adapters_send(struct adapters *a, struct fwd_lcore *w)
{
	size_t n = 0;

	for (uint16_t p = 0; p < a->fwd->plan.n_ports; p++)
		if (a->tx[p].has_service && a->tx[p].w == w)
			n += send_by(&a->tx[p], (uint8_t)p);
	return n;
}

void
adapters_send_rest(struct adapters *a)
{
	for (unsigned turn = 0; turn < SETTLE_TURNS; turn++) {
		if (a->dev->scheduled)
			evdev_schedule(a->dev);
		for (uint16_t p = 0; p < a->fwd->plan.n_ports; p++)
			if (a->tx[p].has_service)
				(void)send_by(&a->tx[p], (uint8_t)p);
	}
}

/* ---- opening and closing ---- */

static int
configure_rx(uint8_t id, uint8_t dev, struct rte_event_eth_rx_adapter_conf *conf, void *arg)
{
	const struct rx_adapter *rx = arg;

	(void)id, (void)dev;
	conf->event_port_id = rx->event_port;
	conf->max_nb_rx = TURN_FRAMES;
	return 0;
}

static int
configure_tx(uint8_t id, uint8_t dev, struct rte_event_eth_tx_adapter_conf *conf, void *arg)
{
	const struct tx_adapter *tx = arg;

	(void)id, (void)dev;
	conf->event_port_id = tx->event_port;
	conf->max_nb_tx = TURN_FRAMES;
	return 0;
}

/* Our books are kept where the services run; hardware that moves frames by itself has none. */
static int
check_device(const struct adapters *a, uint16_t port, struct err *err)
{
	uint32_t rx = 0, tx = 0;
	int rc = rte_event_eth_rx_adapter_caps_get(a->dev->id, port, &rx);

	if (rc == 0)
		rc = rte_event_eth_tx_adapter_caps_get(a->dev->id, port, &tx);
	if (rc < 0)
		return err_set(err, -rc, "adapters: port %u: %s", port, strerror(-rc));
	if ((rx & RTE_EVENT_ETH_RX_ADAPTER_CAP_INTERNAL_PORT) ||
	    (tx & RTE_EVENT_ETH_TX_ADAPTER_CAP_INTERNAL_PORT))
		return err_machine(err,
				   "--adapters: event device %s moves frames of port %u by itself, "
				   "and nobody could count them",
				   a->dev->name, port);
	return 0;
}

/* A service that lcores of ours run, so none that EAL knows of has to. */
static int
take_service(uint32_t service)
{
	rte_service_set_runstate_mapped_check(service, 0);
	return rte_service_runstate_set(service, 1);
}

static int
add_rx_queue(struct adapters *a, struct rx_queue *q, struct err *err)
{
	static const uint8_t types[] = {[SCHED_ATOMIC] = RTE_SCHED_TYPE_ATOMIC,
					[SCHED_ORDERED] = RTE_SCHED_TYPE_ORDERED,
					[SCHED_PARALLEL] = RTE_SCHED_TYPE_PARALLEL};
	const struct rte_event_eth_rx_adapter_queue_conf conf = {
		.servicing_weight = 1,
		.ev = {.sched_type = types[a->fwd->conf->sched],
		       .priority = RTE_EVENT_DEV_PRIORITY_NORMAL},
	};
	struct rx_adapter *rx = &a->rx[q->w->index];
	uint8_t id = (uint8_t)q->w->index;
	int rc = 0;

	if (!rx->exists)
		rc = rte_event_eth_rx_adapter_create_ext(id, a->dev->id, configure_rx, rx);
	rx->exists |= rc == 0;
	q->callback = rte_eth_add_rx_callback(q->port, q->queue, on_received, q);
	if (rc == 0 && q->callback == NULL)
		rc = -ENOTSUP;
	if (rc == 0)
		rc = rte_event_eth_rx_adapter_queue_add(id, q->port, q->queue, &conf);
	q->added = rc == 0;
	if (rc == 0 && !rx->has_service)
		rc = rte_event_eth_rx_adapter_service_id_get(id, &rx->service);
	rx->has_service |= rc == 0;
	if (rc == 0)
		rc = take_service(rx->service);
	if (rc == 0)
		rc = rte_event_eth_rx_adapter_start(id);
	return rc == 0 ? 0
		       : err_set(err, -rc, "Rx adapter of port %u queue %u: %s", q->port, q->queue,
				 strerror(-rc));
}

static int
add_tx_port(struct adapters *a, uint16_t port, struct err *err)
{
	const struct plan *plan = &a->fwd->plan;
	struct tx_adapter *t = &a->tx[port];
	uint8_t id = (uint8_t)port;
	int rc;

	t->event_port = plan->roles.adapter_port[port];
	t->w = &a->fwd->lcore[plan->roles.adapter_lcore[port]];
	t->txq = (uint16_t)t->w->txq[port];
	rc = rte_event_eth_tx_adapter_create_ext(id, a->dev->id, configure_tx, t);
	t->exists = rc == 0;
	if (rc == 0)
		rc = rte_event_eth_tx_adapter_queue_add(id, port, t->txq);
	t->added = rc == 0;
	if (rc == 0)
		rc = rte_event_eth_tx_adapter_service_id_get(id, &t->service);
	t->has_service = rc == 0;
	if (rc == 0)
		rc = take_service(t->service);
	if (rc == 0)
		rc = rte_event_eth_tx_adapter_start(id);
	return rc == 0 ? 0 : err_set(err, -rc, "Tx adapter of port %u: %s", port, strerror(-rc));
}

int
adapters_attach(struct adapters *a, uint16_t port, struct err *err)
{
	int rc = check_device(a, port, err);

	if (rc == 0)
		rc = add_tx_port(a, port, err);
	for (uint16_t k = 0; rc == 0 && k < a->fwd->plan.n_links; k++)
		if (a->queue[k].port == port)
			rc = add_rx_queue(a, &a->queue[k], err);
	return rc;
}

/* Freeing an adapter does not give its service back. */
static void
free_service(bool has_service, uint32_t service)
{
	if (!has_service)
		return;
	(void)rte_service_runstate_set(service, 0);
	(void)rte_service_component_runstate_set(service, 0);
	(void)rte_service_component_unregister(service);
}

/* A Tx adapter that has lost its last queue cannot be given one again (22.11 copies from where it
 * has none), so it goes with its port. */
static void
close_tx(struct tx_adapter *t, uint8_t id)
{
	if (!t->exists)
		return;
	(void)rte_event_eth_tx_adapter_stop(id);
	if (t->added)
		(void)rte_event_eth_tx_adapter_queue_del(id, id, -1);
	(void)rte_event_eth_tx_adapter_free(id);
	free_service(t->has_service, t->service);
	*t = (struct tx_adapter){0};
}

void
adapters_detach(struct adapters *a, uint16_t port)
{
	for (uint16_t k = 0; k < a->fwd->plan.n_links; k++) {
		struct rx_queue *q = &a->queue[k];

		if (q->port != port || q->w == NULL)
			continue;
		if (q->added)
			(void)rte_event_eth_rx_adapter_queue_del((uint8_t)q->w->index, port,
								 q->queue);
		if (q->callback != NULL)
			(void)rte_eth_remove_rx_callback(port, q->queue, q->callback);
		q->added = false;
		q->callback = NULL;
	}
	close_tx(&a->tx[port], (uint8_t)port);
}

int
adapters_open(struct adapters **adapters, struct fwd *fwd, const struct evdev *dev,
	      _Atomic uint64_t *packets_left, struct err *err)
{
	struct adapters *a = rte_zmalloc(NULL, sizeof(*a), 0);
	int rc = 0;

	*adapters = a;
	if (a == NULL)
		return err_machine(err, "no memory for the adapters");
	a->fwd = fwd;
	a->dev = dev;
	a->packets_left = packets_left;
	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
		a->rx[i].event_port = fwd->plan.roles.rx_port[i];
	for (uint16_t k = 0; k < fwd->plan.n_links; k++) {
		const struct plan_link *l = &fwd->plan.link[k];

		a->queue[k] = (struct rx_queue){.adapters = a,
						.w = &fwd->lcore[l->lcore],
						.port = l->rx_port,
						.queue = l->rxq};
	}
	for (uint16_t p = 0; rc == 0 && p < fwd->plan.n_ports; p++)
		if (fwd->plan.enabled[p])
			rc = adapters_attach(a, p, err);
	return rc;
}

void
adapters_close(struct adapters *a)
{
	for (uint16_t p = 0; a != NULL && p < NF_MAX_PORTS; p++)
		close_tx(&a->tx[p], (uint8_t)p);
	for (uint16_t i = 0; a != NULL && i < PLAN_MAX_LCORES; i++) {
		if (!a->rx[i].exists)
			continue;
		(void)rte_event_eth_rx_adapter_stop((uint8_t)i);
		(void)rte_event_eth_rx_adapter_free((uint8_t)i);
		free_service(a->rx[i].has_service, a->rx[i].service);
	}
	rte_free(a);
}
