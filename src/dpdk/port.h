/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "base/err.h"

/* An Ethernet device, opened and closed. */

#define PORT_MAX_QUEUES 16

struct port_conf {
	uint16_t n_rxq;
	uint16_t n_txq;
	uint16_t rxd; /* descriptors wanted per queue; the device may round */
	uint16_t txd;
	uint16_t max_len; /* longest frame without FCS */
	bool promiscuous;
	struct rte_mempool *pool; /* where received frames land */
};

struct port {
	uint16_t id;
	uint16_t n_rxq;
	uint16_t n_txq;
	uint16_t rxd; /* as the device set them up */
	uint16_t txd;
	uint8_t mac[6]; /* the device's own */
	char name[64];	/* "net_vhost0" */
	char driver[32];
	bool miscounts; /* its count of missed frames is none: see port_missed */
	bool started;
};

/* Configures and starts port 'id'.  On failure nothing of it is left running. */
int port_open(struct port *port, uint16_t id, const struct port_conf *conf, struct err *err);
/* Makes 'mac' the address that a device on PCI filters by; others keep theirs, and filter nothing.
 */
int port_set_mac(struct port *port, const uint8_t mac[6], struct err *err);
/* Stops; the device stays attached. */
void port_stop(struct port *port);
/* Stops and closes the device. */
void port_close(struct port *port);
/* Closes and detaches the device, for port_reopen. */
int port_detach(struct port *port, struct err *err);
/* Closes and detaches the device and probes it again from the same arguments: how a virtio-user
 * port meets a listener that was started anew.  When that is not there yet, the port stays closed
 * and a later call may succeed. */
int port_reopen(struct port *port, const char *devargs, const struct port_conf *conf,
		struct err *err);

/* Frames the device had no descriptor for, and frames it could not send, since it was opened.
 * QEMU's 82540EM (e1000) does not begin again when its count is read, as the card does, and the
 * driver adds what it reads: of that one only what the driver itself had no buffer for is told, and
 * the rest is lost on the link. */
uint64_t port_missed(const struct port *port);

/* Megabytes that 'n' buffers for frames of 'max_len' take.  Without hugepages a buffer never
 * crosses a page, so it takes whole ones. */
unsigned port_buffers_mb(uint64_t n, uint16_t max_len);

/* Do the device's rings hold buffers of ours?  Those of drivers that copy do not: a pool needs none
 * for them. */
bool port_holds_buffers(uint16_t id);

/* Bytes a buffer needs so that a frame of 'max_len' fits into one. */
uint16_t port_buffer_size(uint16_t max_len);
