/* SPDX-License-Identifier: MIT */
#include "generator.h"

#include <string.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf_dyn.h>

#include "dpdk/tsc.h"
#include "service.h"
#include "tx_mbuf.h"

#define POOL_CACHE 256

/* Bursts in hand for each queue of both ports: when frames are received, and of the profiles that
 * transmit. */
#define RX_BURSTS 4
#define TX_BURSTS (GEN_PORTS * (GEN_PROFILES + 1))

/* The rings of 'n_rings' queues full, the cache full, 'n_bursts' in hand for each of 'n_queues'. */
static uint32_t
pool_size(uint32_t n_queues, uint32_t n_rings, uint32_t descriptors, uint32_t n_bursts)
{
	return n_rings * descriptors + POOL_CACHE * 2 + n_bursts * n_queues * GEN_BURST;
}

/* The same for ports of which some copy frames instead of holding their buffers. */
static uint32_t
pool_size_of_ports(const uint16_t *ids, uint32_t n_queues, uint32_t descriptors, uint32_t n_bursts)
{
	uint32_t n_rings = 0;

	for (unsigned i = 0; i < GEN_PORTS; i++)
		n_rings += port_holds_buffers(ids[i]) ? n_queues : 0;
	return pool_size(n_queues, n_rings, descriptors, n_bursts);
}

unsigned
generator_memory_mb(const struct gen_conf *conf)
{
	const uint32_t n = conf->queues;
	uint64_t frames = (uint64_t)pool_size(n, GEN_PORTS * n, conf->rxd, RX_BURSTS) +
			  pool_size(n, GEN_PORTS * n, conf->txd, TX_BURSTS);

	return 64 + port_buffers_mb(frames, (uint16_t)(conf->max_frame - FRAME_FCS));
}

/* The word of tx_mbuf.h is ours in all mbufs of the process. */
static int
reserve_holds(struct err *err)
{
	const struct rte_mbuf_dynfield word = {
		.name = "nfvchain_tx_holds",
		.size = sizeof(uint32_t),
		.align = sizeof(uint32_t),
	};

	if (rte_mbuf_dynfield_register_offset(&word, TX_HOLDS_OFFSET) < 0)
		return err_machine(err, "no word of the mbuf is free for us: %s",
				   rte_strerror(rte_errno));
	return 0;
}

static int
open_pools(struct gen_worker *w, const struct gen_conf *conf, const uint16_t *ids, struct err *err)
{
	uint16_t room = port_buffer_size((uint16_t)(conf->max_frame - FRAME_FCS));

	w->rx_pool = rte_pktmbuf_pool_create(
		"rx", pool_size_of_ports(ids, conf->queues, conf->rxd, RX_BURSTS), POOL_CACHE, 0,
		room, SOCKET_ID_ANY);
	w->tx_pool = rte_pktmbuf_pool_create(
		"tx", pool_size_of_ports(ids, conf->queues, conf->txd, TX_BURSTS), POOL_CACHE, 0,
		room, SOCKET_ID_ANY);
	if (w->rx_pool == NULL || w->tx_pool == NULL)
		return err_machine(err, "no memory for buffers (see -m): %s",
				   rte_strerror(rte_errno));
	return reserve_holds(err);
}

static int
open_port(struct gen_worker *w, unsigned i, uint16_t id, const struct gen_conf *conf,
	  struct err *err)
{
	struct gen_port *p = &w->ports[i];
	const struct port_conf pc = {
		.n_rxq = (uint16_t)conf->queues,
		.n_txq = (uint16_t)conf->queues,
		.rxd = (uint16_t)conf->rxd,
		.txd = (uint16_t)conf->txd,
		.max_len = (uint16_t)(conf->max_frame - FRAME_FCS),
		.pool = w->rx_pool,
	};
	int rc = port_open(&p->port, id, &pc, err);

	if (rc == 0 && conf->addr[i].set)
		rc = port_set_mac(&p->port, conf->addr[i].mac, err);

	if (rc < 0)
		return rc;
	memcpy(p->addr, conf->addr[i].set ? conf->addr[i].mac : p->port.mac, 6);
	memset(p->dest, 0xff, 6);
	if (conf->dest[i].set)
		memcpy(p->dest, conf->dest[i].mac, 6);
	memcpy(&p->addr_word, p->addr, 6);
	return 0;
}

/* The 'nth' port of the device; a port may also have a name of its own. */
static int
find_device(const struct gen_device *d, uint16_t *id, struct err *err)
{
	unsigned n = 0;

	if (d->nth == 0 && rte_eth_dev_get_port_by_name(d->name, id) == 0)
		return 0;
	RTE_ETH_FOREACH_DEV(*id) {
		struct rte_eth_dev_info info;

		if (rte_eth_dev_info_get(*id, &info) == 0 &&
		    strcmp(rte_dev_name(info.device), d->name) == 0 && n++ == d->nth)
			return 0;
	}
	return err_machine(err, "no port is '%s': is it bound to a driver of DPDK's?", d->name);
}

/* Which of DPDK's ports are ours. */
static int
find_ports(const struct gen_conf *conf, uint16_t *ids, struct err *err)
{
	unsigned n = rte_eth_dev_count_avail();
	int rc = 0;

	if (n < GEN_PORTS)
		return err_machine(err,
				   "%u ports, the generator needs two: name them with --vdev or "
				   "-a after --",
				   n);
	for (uint16_t i = 0; rc == 0 && i < GEN_PORTS; i++) {
		ids[i] = i;
		if (conf->device[i].name[0] != '\0')
			rc = find_device(&conf->device[i], &ids[i], err);
	}
	return rc;
}

int
generator_open(struct gen_worker *w, const struct gen_conf *conf, bool shares_cpus, struct err *err)
{
	uint16_t ids[GEN_PORTS];
	int rc;

	memset(w, 0, sizeof(*w));
	w->tsc_hz = tsc_hz();
	w->tsc_to_ns = 1e9 / (double)w->tsc_hz;
	idle_init(&w->idle, conf->idle, shares_cpus);
	rc = find_ports(conf, ids, err);
	if (rc < 0)
		return rc;
	service_open(w);
	rc = open_pools(w, conf, ids, err);
	for (unsigned i = 0; rc == 0 && i < GEN_PORTS; i++)
		rc = open_port(w, i, ids[i], conf, err);
	return rc;
}

void
generator_close(struct gen_worker *w)
{
	service_close(w);
	for (unsigned i = 0; i < GEN_PORTS; i++)
		port_close(&w->ports[i].port);
	rte_mempool_free(w->tx_pool);
	rte_mempool_free(w->rx_pool);
	w->tx_pool = NULL;
	w->rx_pool = NULL;
}
