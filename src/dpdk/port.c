/* SPDX-License-Identifier: MIT */
#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>

#include "base/str.h"

#include "vhost_wake.h"

#define DRIVER_EXTRA 64u
#define TX_BURST 32
#define XDP_PAGE 4096u

/* Has a port AF_XDP's driver?  It takes a pool for one piece of memory without gaps. */
static bool
has_xdp(void)
{
	struct rte_eth_dev_info info;
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id)
		if (rte_eth_dev_info_get(id, &info) == 0 &&
		    strcmp(info.driver_name, "net_af_xdp") == 0)
			return true;
	return false;
}

uint16_t
port_buffer_size(uint16_t max_len)
{
	uint32_t room = RTE_MBUF_DEFAULT_DATAROOM;

	/* Without hugepages a buffer never crosses a page, so those without gaps fill one each. */
	if (has_xdp())
		return XDP_PAGE - RTE_CACHE_LINE_SIZE - sizeof(struct rte_mbuf);

	/* virtio wants room for its own header and a VLAN tag beside the frame, af_packet for what
	 * rounds up a frame in its ring; and whole cache lines, so that buffers start on one. */
	if (max_len + DRIVER_EXTRA > room)
		room = RTE_ALIGN_CEIL(max_len + DRIVER_EXTRA, RTE_CACHE_LINE_SIZE);
	return (uint16_t)(room + RTE_PKTMBUF_HEADROOM);
}

bool
port_holds_buffers(uint16_t id)
{
	struct rte_eth_dev_info info;
	const struct rte_devargs *devargs;

	if (rte_eth_dev_info_get(id, &info) < 0)
		return true;
	if (strcmp(info.driver_name, "net_vhost") == 0 ||
	    strcmp(info.driver_name, "net_af_packet") == 0)
		return false;
	devargs = rte_dev_devargs(info.device);
	return strcmp(info.driver_name, "net_memif") != 0 || devargs == NULL ||
	       devargs->args == NULL || strstr(devargs->args, "zero-copy") != NULL;
}

unsigned
port_buffers_mb(uint64_t n, uint16_t max_len)
{
	/* Beside the data: the mbuf, its private area and the pool's own header. */
	uint64_t size = port_buffer_size(max_len) + sizeof(struct rte_mbuf) + 128;

	return (unsigned)(n * RTE_ALIGN_CEIL(size, 4096) >> 20) + 1;
}

/* virtio keeps sent buffers until its ring is full but for this many, so that they come back cold,
 * a ring's depth later: with deep rings and small pages that halves its rate.  Asked for nearly
 * the whole ring it gives them back as soon as the peer is done with them. */
static uint16_t
tx_free_threshold(const struct port *port)
{
	const uint16_t keep = 2 * TX_BURST;

	if (strncmp(port->driver, "net_virtio", strlen("net_virtio")) != 0 || port->txd < 4 * keep)
		return 0;
	return (uint16_t)(port->txd - keep);
}

static int
setup_queues(struct port *port, const struct port_conf *conf, struct err *err)
{
	int socket = rte_eth_dev_socket_id(port->id);
	struct rte_eth_txconf tx = {.tx_free_thresh = tx_free_threshold(port)};
	int rc;

	for (uint16_t q = 0; q < port->n_rxq; q++) {
		rc = rte_eth_rx_queue_setup(port->id, q, port->rxd, (unsigned)socket, NULL,
					    conf->pool);
		if (rc < 0)
			return err_set(err, -rc, "rx queue %u: %s", q, rte_strerror(-rc));
	}
	for (uint16_t q = 0; q < port->n_txq; q++) {
		rc = rte_eth_tx_queue_setup(port->id, q, port->txd, (unsigned)socket,
					    tx.tx_free_thresh > 0 ? &tx : NULL);
		if (rc < 0)
			return err_set(err, -rc, "tx queue %u: %s", q, rte_strerror(-rc));
	}
	return 0;
}

static int
configure(struct port *port, const struct port_conf *conf, const struct rte_eth_dev_info *info,
	  struct err *err)
{
	struct rte_eth_conf eth = {0};
	int rc;

	if (conf->n_rxq > info->max_rx_queues || conf->n_txq > info->max_tx_queues)
		return err_usage(err, "has %u rx and %u tx queues, %u and %u are needed",
				 info->max_rx_queues, info->max_tx_queues, conf->n_rxq,
				 conf->n_txq);
	/* Some software devices declare 1514 bytes and pass whatever fits a buffer: those are left
	 * with their default. */
	if (conf->max_len > RTE_ETHER_MAX_LEN - RTE_ETHER_CRC_LEN &&
	    info->max_rx_pktlen > conf->max_len)
		eth.rxmode.mtu = RTE_MIN((uint32_t)conf->max_len - RTE_ETHER_HDR_LEN,
					 info->max_mtu > 0 ? info->max_mtu : UINT16_MAX);
	rc = rte_eth_dev_configure(port->id, conf->n_rxq, conf->n_txq, &eth);
	if (rc < 0)
		return err_set(err, -rc, "configure: %s", rte_strerror(-rc));
	port->rxd = conf->rxd;
	port->txd = conf->txd;
	rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &port->rxd, &port->txd);
	if (rc < 0)
		return err_set(err, -rc, "%u rx and %u tx descriptors: %s", conf->rxd, conf->txd,
			       rte_strerror(-rc));
	return 0;
}

static int
setup(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct rte_eth_dev_info info;
	int rc;

	rc = rte_eth_dev_info_get(port->id, &info);
	if (rc < 0)
		return err_set(err, -rc, "%s", rte_strerror(-rc));
	str_copy(port->driver, sizeof(port->driver), info.driver_name);
	rc = configure(port, conf, &info, err);
	if (rc == 0)
		rc = setup_queues(port, conf, err);
	if (rc < 0)
		return rc;
	rc = rte_eth_dev_start(port->id);
	if (rc < 0)
		return err_set(err, -rc, "start: %s", rte_strerror(-rc));
	port->started = true;
	if (strcmp(port->driver, "net_vhost") == 0)
		vhost_wake();
	/* Software links have no filter to switch off: a refusal there changes nothing. */
	if (conf->promiscuous)
		(void)rte_eth_promiscuous_enable(port->id);
	return 0;
}

/* Is it Intel's card of that number?  A device on PCI has its address for a name. */
static bool
is_82540em(const char *name)
{
	char path[128], text[16] = "";
	FILE *in;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", name);
	in = fopen(path, "re");
	if (in != NULL && fgets(text, sizeof(text), in) == NULL)
		text[0] = '\0';
	if (in != NULL)
		fclose(in);
	return strncmp(text, "0x100e", 6) == 0;
}

int
port_open(struct port *port, uint16_t id, const struct port_conf *conf, struct err *err)
{
	struct rte_ether_addr mac = {0};
	int rc;

	*port = (struct port){.id = id, .n_rxq = conf->n_rxq, .n_txq = conf->n_txq};
	rte_eth_dev_get_name_by_port(id, port->name);
	(void)rte_eth_macaddr_get(id, &mac);
	memcpy(port->mac, mac.addr_bytes, sizeof(port->mac));
	port->miscounts = is_82540em(port->name);
	rc = setup(port, conf, err);
	if (rc < 0) {
		port_stop(port);
		return err_wrap(err, rc, "port %u (%s)", id, port->name);
	}
	return 0;
}

int
port_set_mac(struct port *port, const uint8_t mac[6], struct err *err)
{
	struct rte_eth_dev_info info;
	struct rte_ether_addr addr;
	int rc = rte_eth_dev_info_get(port->id, &info);

	if (rc < 0 || memcmp(port->mac, mac, sizeof(port->mac)) == 0 ||
	    strcmp(rte_bus_name(rte_dev_bus(info.device)), "pci") != 0)
		return 0;
	memcpy(addr.addr_bytes, mac, sizeof(addr.addr_bytes));
	rc = rte_eth_dev_default_mac_addr_set(port->id, &addr);
	if (rc < 0)
		return err_set(err, -rc, "port %u (%s): its address cannot be set: %s", port->id,
			       port->name, rte_strerror(-rc));
	memcpy(port->mac, mac, sizeof(port->mac));
	return 0;
}

void
port_stop(struct port *port)
{
	if (port->started)
		(void)rte_eth_dev_stop(port->id);
	port->started = false;
}

void
port_close(struct port *port)
{
	port_stop(port);
	if (port->name[0] != '\0')
		(void)rte_eth_dev_close(port->id);
	*port = (struct port){0};
}

static int
detach(uint16_t id, struct err *err)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(id, &info);

	if (rc < 0)
		return err_set(err, -rc, "%s", rte_strerror(-rc));
	(void)rte_eth_dev_close(id);
	rc = rte_dev_remove(info.device);
	return rc < 0 ? err_set(err, -rc, "detach: %s", rte_strerror(-rc)) : 0;
}

static int
attach(const struct port *port, const char *devargs, struct err *err)
{
	uint16_t id;
	int rc;

	/* Drivers say -1 for a peer that is not there, which would read as EPERM. */
	if (rte_dev_probe(devargs) < 0)
		return err_set(err, ENOTCONN, "attach: the driver refuses (is its peer there?)");
	if (rte_eth_dev_get_port_by_name(port->name, &id) < 0)
		return err_set(err, ENODEV, "attached, but gone");
	if (id == port->id)
		return 0;
	/* A device takes the lowest number that is free, which several closed ports can claim. */
	rc = detach(id, err);
	return rc < 0 ? rc : err_set(err, EBUSY, "port %u has to be attached before it", id);
}

int
port_detach(struct port *port, struct err *err)
{
	port_stop(port);
	/* When an attempt to attach it found no peer, there is nothing to detach any more. */
	return rte_eth_dev_is_valid_port(port->id) ? detach(port->id, err) : 0;
}

int
port_reopen(struct port *port, const char *devargs, const struct port_conf *conf, struct err *err)
{
	int rc = port_detach(port, err);

	if (rc == 0)
		rc = attach(port, devargs, err);
	if (rc < 0)
		return err_wrap(err, rc, "port %u (%s)", port->id, port->name);
	return port_open(port, port->id, conf, err);
}

uint64_t
port_missed(const struct port *port)
{
	struct rte_eth_stats stats;

	if (!port->started || rte_eth_stats_get(port->id, &stats) < 0)
		return 0;
	return (port->miscounts ? 0 : stats.imissed) + stats.rx_nombuf;
}
