/* SPDX-License-Identifier: MIT */
#include "forwarder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include "base/clock.h"
#include "base/str.h"
#include "engine.h"
#include "facts.h"
#include "load.h"
#include "nfs.h"
#include "stage_times.h"

#define POOL_CACHE 256

static struct port_conf
port_conf_of(const struct fwd *fwd, uint16_t id)
{
	return (struct port_conf){
		.n_rxq = fwd->plan.n_rxq,
		/* A queue to send by even for a port nothing is forwarded to: some drivers want
		 * one, and virtio has them in pairs. */
		.n_txq = RTE_MAX(fwd->plan.n_txq[id], fwd->plan.n_rxq),
		.rxd = (uint16_t)fwd->conf->rxd,
		.txd = (uint16_t)fwd->conf->txd,
		.max_len = (uint16_t)(fwd->conf->max_frame - RTE_ETHER_CRC_LEN),
		.promiscuous = fwd->conf->promiscuous,
		.pool = fwd->pool,
	};
}

/* Every ring full, every cache full, every burst in hand: the pool still has buffers. */
uint32_t
fwd_need(const struct fwd *fwd)
{
	uint32_t n = fwd->engine->need(&fwd->plan, fwd->conf);

	for (uint16_t i = 0; i < fwd->plan.n_ports; i++) {
		struct port_conf c = port_conf_of(fwd, i);

		if (fwd->plan.enabled[i] && fwd->inner[i] == NULL && port_holds_buffers(i))
			n += (uint32_t)c.n_rxq * c.rxd + (uint32_t)c.n_txq * c.txd;
	}
	n += (fwd->plan.n_lcores + 1u) * POOL_CACHE * 3 / 2;
	return RTE_MAX(n, fwd->conf->mempool_size);
}

int
fwd_make_pool(struct rte_mempool **pool, uint32_t n, uint16_t max_frame, struct err *err)
{
	uint16_t room = port_buffer_size(max_frame);

	*pool = rte_pktmbuf_pool_create("frames", n, POOL_CACHE, 0, room, SOCKET_ID_ANY);
	if (*pool == NULL)
		return err_machine(err, "no memory for %u buffers of %u bytes (%u MB; see -m): %s",
				   n, room, n / 1024 * (room + 256u) / 1024,
				   rte_strerror(rte_errno));
	return 0;
}

/* The arguments a port can be attached again from: as EAL was given them. */
static void
note_devargs(struct fwd *fwd, uint16_t id)
{
	struct rte_eth_dev_info info;
	const struct rte_devargs *args;

	if (rte_eth_dev_info_get(id, &info) < 0 || info.device == NULL)
		return;
	args = rte_dev_devargs(info.device);
	if (args != NULL)
		snprintf(fwd->devargs[id], sizeof(fwd->devargs[id]), "%s%s%s", args->name,
			 args->args != NULL && args->args[0] != '\0' ? "," : "",
			 args->args != NULL ? args->args : "");
}

static int
open_ports(struct fwd *fwd, struct err *err)
{
	for (uint16_t i = 0; i < fwd->plan.n_ports; i++) {
		struct port_conf conf = port_conf_of(fwd, i);
		int rc;

		if (!fwd->plan.enabled[i] || fwd->inner[i] != NULL)
			continue;
		rc = port_open(&fwd->port[i], i, &conf, err);
		if (rc == 0 && fwd->conf->addr[i].set)
			rc = port_set_mac(&fwd->port[i], fwd->conf->addr[i].mac, err);
		if (rc < 0)
			return rc;
		note_devargs(fwd, i);
	}
	return 0;
}

static void
address_ports(struct fwd *fwd)
{
	struct nf_conf *nf = &fwd->nf_conf;

	nf->n_ports = fwd->plan.n_ports;
	nf->promiscuous = fwd->conf->promiscuous;
	nf->mac_updating = fwd->conf->mac_updating;
	for (uint16_t i = 0; i < fwd->plan.n_ports; i++) {
		const struct fwd_conf *c = fwd->conf;
		const uint8_t l2fwd_dest[6] = {0x02, 0, 0, 0, 0, (uint8_t)i};

		memcpy(nf->port[i].addr, c->addr[i].set ? c->addr[i].mac : fwd->port[i].mac, 6);
		memcpy(nf->port[i].dest, c->dest[i].set ? c->dest[i].mac : l2fwd_dest, 6);
		nf->port[i].pair = fwd->plan.pair[i];
	}
}

static int
open_lcores(struct fwd *fwd, struct err *err)
{
	const struct plan *plan = &fwd->plan;

	fwd->lcore = rte_zmalloc(NULL, plan->n_lcores * sizeof(*fwd->lcore), RTE_CACHE_LINE_SIZE);
	if (fwd->lcore == NULL)
		return err_machine(err, "no memory for %u lcores", plan->n_lcores);
	for (uint16_t i = 0; i < plan->n_lcores; i++) {
		struct fwd_lcore *w = &fwd->lcore[i];

		w->fwd = fwd;
		w->index = i;
		w->lcore_id = fwd->facts.lcore_id[plan->position[i]];
		memcpy(w->txq, plan->txq[i], sizeof(w->txq));
		idle_init(&w->idle, fwd->conf->idle, fwd->shares_cpus);
		idle_sleep_deep(&w->idle);
	}
	return 0;
}

int
fwd_prepare(struct fwd *fwd, const struct fwd_conf *conf, bool shares_cpus, struct err *err)
{
	int rc;

	memset(fwd, 0, sizeof(*fwd));
	fwd->conf = conf;
	fwd->shares_cpus = shares_cpus;
	fwd->hold_tsc = rte_get_tsc_hz() / 1000000 * (conf->hold_ns / 1000);
	fwd->drain_tsc = rte_get_tsc_hz() / 1000000 * (conf->drain_ns / 1000);
	fwd->gap_tsc = rte_get_tsc_hz() / 1000000 * (GAPS_SHORT_NS / 1000);
	fwd->engine = engine_find(conf->engine);
	fwd->order = 1; /* nobody has seen it */
	rc = facts_read(&fwd->facts, conf, err);
	return rc < 0 ? rc : fwd->engine->plan(&fwd->plan, conf, &fwd->facts, err);
}

int
fwd_complete(struct fwd *fwd, struct rte_mempool *pool, struct err *err)
{
	int rc;

	fwd->pool = pool;
	rc = open_ports(fwd, err);
	if (rc == 0)
		rc = open_lcores(fwd, err);
	if (rc < 0)
		return rc;
	address_ports(fwd);
	rc = load_open(fwd, err);
	if (rc == 0)
		rc = nfs_open(fwd, err);
	if (rc == 0)
		rc = times_open(fwd, err);
	if (rc == 0)
		rc = fwd->engine->open(fwd, err);
	return rc;
}

int
fwd_open(struct fwd *fwd, const struct fwd_conf *conf, bool shares_cpus, struct err *err)
{
	struct rte_mempool *pool = NULL;
	int rc = fwd_prepare(fwd, conf, shares_cpus, err);

	if (rc == 0)
		rc = fwd_make_pool(&pool, fwd_need(fwd), (uint16_t)conf->max_frame, err);
	if (rc < 0)
		return rc;
	fwd->owns_pool = true;
	return fwd_complete(fwd, pool, err);
}

unsigned
fwd_close_ports(struct fwd *fwd)
{
	load_stop(fwd);
	for (uint16_t i = 0; i < fwd->plan.n_ports; i++) {
		if (fwd->inner[i] != NULL)
			continue;
		fwd->missed_base[i] += port_missed(&fwd->port[i]);
		if (fwd->engine != NULL && fwd->engine->detach != NULL)
			fwd->engine->detach(fwd, i);
		port_close(&fwd->port[i]);
	}
	return fwd->pool != NULL ? rte_mempool_in_use_count(fwd->pool) : 0;
}

void
fwd_close(struct fwd *fwd)
{
	(void)fwd_close_ports(fwd);
	nfs_close(fwd);
	if (fwd->engine != NULL)
		fwd->engine->close(fwd);
	times_close(fwd);
	rte_free(fwd->lcore);
	load_close(fwd);
	if (fwd->owns_pool)
		rte_mempool_free(fwd->pool);
	memset(fwd, 0, sizeof(*fwd));
}

/* At rest until another state is asked for: what was held has gone, counters stand still. */
static void
rest(struct fwd_lcore *w, int state, unsigned order)
{
	w->fwd->engine->drain(w, rte_rdtsc() + w->fwd->drain_tsc);
	atomic_store_explicit(&w->seen, order, memory_order_release);
	while (state != FWD_STOP &&
	       atomic_load_explicit(&w->fwd->order, memory_order_acquire) == order)
		usleep(20);
}

void
fwd_run_lcore(struct fwd_lcore *w)
{
	struct fwd *fwd = w->fwd;
	unsigned order;
	int state;

	atomic_store_explicit(&w->tid, gettid(), memory_order_relaxed);
	do {
		/* In this sequence: a state that is newer than its order is told again. */
		order = atomic_load_explicit(&fwd->order, memory_order_acquire);
		state = atomic_load_explicit(&fwd->state, memory_order_acquire);
		if (state == FWD_RUN) {
			atomic_store_explicit(&w->seen, order, memory_order_release);
			fwd->engine->run(w);
		} else {
			rest(w, state, order);
		}
	} while (state != FWD_STOP);
}

static int
lcore_main(void *arg)
{
	struct fwd *fwd = arg;
	unsigned id = rte_lcore_id();

	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
		if (fwd->lcore[i].lcore_id == id)
			fwd_run_lcore(&fwd->lcore[i]);
	return 0;
}

void
fwd_run(struct fwd *fwd)
{
	rte_eal_mp_remote_launch(lcore_main, fwd, CALL_MAIN);
	rte_eal_mp_wait_lcore();
	if (fwd->engine->settle != NULL)
		fwd->engine->settle(fwd);
}

void
fwd_set_state(struct fwd *fwd, enum fwd_state state)
{
	/* Asking again for the same is no new order: lcores that come to rest are not disturbed. */
	if (atomic_exchange(&fwd->state, (int)state) != (int)state)
		atomic_fetch_add_explicit(&fwd->order, 1, memory_order_release);
}

bool
fwd_wait_state(struct fwd *fwd, enum fwd_state state, unsigned ms)
{
	struct deadline d = deadline_in_ms(ms);

	for (;;) {
		unsigned order = atomic_load_explicit(&fwd->order, memory_order_acquire);
		bool all = atomic_load_explicit(&fwd->state, memory_order_acquire) == (int)state;

		for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
			all &= atomic_load_explicit(&fwd->lcore[i].seen, memory_order_acquire) ==
			       order;
		if (all || deadline_passed(&d))
			return all;
		usleep(50);
	}
}

uint64_t
fwd_inside(const struct fwd *fwd)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
		n += atomic_load_explicit(&fwd->lcore[i].in_flight, memory_order_acquire);
	return n;
}

struct fwd_lcore *
fwd_fault_lcore(const struct fwd *fwd)
{
	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
		for (uint16_t p = 0; p < fwd->plan.n_ports; p++)
			if (fwd->plan.txq[i][p] >= 0)
				return &fwd->lcore[i];
	return &fwd->lcore[0];
}

/* What left. */
static void
add_outgoing(const struct fwd *fwd, struct fwd_totals *t, const struct fwd_lcore *w)
{
	for (uint16_t p = 0; p < fwd->plan.n_ports; p++) {
		t->tx[p] += counter_get(&w->tx[p]);
		t->held_tsc[p] += counter_get(&w->held_tsc[p]);
	}
	for (unsigned r = 0; r < fwd->n_reasons; r++)
		t->drop[r] += counter_get(&w->drop[r]);
}

static void
add_incoming(const struct fwd *fwd, struct fwd_totals *t, const struct fwd_lcore *w)
{
	t->created += counter_get(&w->created);
	for (uint16_t p = 0; p < fwd->plan.n_ports; p++)
		t->rx[p] += counter_get(&w->rx[p]);
	t->busy_tsc += counter_get(&w->busy_tsc);
	t->idle_tsc += counter_get(&w->idle_tsc);
	t->rounds += counter_get(&w->rounds);
	t->bursts += counter_get(&w->bursts);
}

void
fwd_totals(const struct fwd *fwd, struct fwd_totals *t)
{
	memset(t, 0, sizeof(*t));
	/* What left any lcore is read before what came in at any, so that a snapshot of running
	 * counters shows rx + created >= tx + drops. */
	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
		add_outgoing(fwd, t, &fwd->lcore[i]);
	atomic_thread_fence(memory_order_acquire);
	t->in_flight = fwd_inside(fwd);
	/* So read, what left one lcore and has not yet come in at another counts twice. */
	if ((int64_t)t->in_flight < 0)
		t->in_flight = 0;
	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
		add_incoming(fwd, t, &fwd->lcore[i]);
	for (uint16_t p = 0; p < fwd->plan.n_ports; p++) {
		t->miss[p] = fwd->missed_base[p] + port_missed(&fwd->port[p]);
		t->rx_all += t->rx[p];
		t->tx_all += t->tx[p];
	}
	for (unsigned r = 0; r < fwd->n_reasons; r++)
		t->drop_all += t->drop[r];
}

int64_t
fwd_residual(const struct fwd_totals *t)
{
	return (int64_t)(t->rx_all + t->created - t->tx_all - t->drop_all - t->in_flight);
}

int
fwd_close_port(struct fwd *fwd, uint16_t id, struct err *err)
{
	if (id >= fwd->plan.n_ports || !fwd->plan.enabled[id])
		return err_usage(err, "there is no port %u", id);
	if (fwd->inner[id] != NULL)
		return err_set(err, ENOTSUP, "port %u is a ring to another hop of this process",
			       id);
	if (fwd->conf->adapters)
		return err_set(err, ENOTSUP, "port %u: DPDK's adapters have it (--adapters)", id);
	if (fwd->loads != NULL)
		return err_set(err, ENOTSUP,
			       "port %u has a load (--load), and cannot be attached again", id);
	if (fwd->devargs[id][0] == '\0')
		return err_set(err, ENOTSUP, "port %u cannot be attached again", id);
	fwd->missed_base[id] += port_missed(&fwd->port[id]);
	fwd->epoch++;
	return port_detach(&fwd->port[id], err);
}

int
fwd_reopen_port(struct fwd *fwd, uint16_t id, struct err *err)
{
	struct port_conf conf;
	int rc;

	if (id >= fwd->plan.n_ports || !fwd->plan.enabled[id])
		return err_usage(err, "there is no port %u", id);
	conf = port_conf_of(fwd, id);
	if (fwd->inner[id] != NULL)
		return err_set(err, ENOTSUP,
			       "port %u is a ring to another hop of this process, which has no "
			       "peer to lose",
			       id);
	if (fwd->loads != NULL)
		return err_set(err, ENOTSUP,
			       "port %u has a load (--load), and cannot be attached again", id);
	if (fwd->devargs[id][0] == '\0')
		return err_set(err, ENOTSUP, "port %u cannot be attached again", id);
	fwd->missed_base[id] += port_missed(&fwd->port[id]);
	fwd->epoch++;
	if (fwd->engine->detach != NULL)
		fwd->engine->detach(fwd, id);
	rc = port_reopen(&fwd->port[id], fwd->devargs[id], &conf, err);
	if (rc == 0 && fwd->engine->attach != NULL)
		rc = fwd->engine->attach(fwd, id, err);
	return rc;
}

static const struct engine *const engines[] = {&engine_poll, &engine_event, &engine_pipeline};

const struct engine *
engine_find(const char *name)
{
	for (size_t i = 0; i < RTE_DIM(engines); i++)
		if (strcmp(engines[i]->name, name) == 0)
			return engines[i];
	return NULL;
}
