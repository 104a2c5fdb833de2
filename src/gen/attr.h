/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the devices say of themselves, for the RPC thread: none of it waits for the worker.  'port'
 * is DPDK's number. */

#define ATTR_PORTS 2

bool attr_link_up(uint16_t port);
bool attr_promiscuous(uint16_t port);
bool attr_multicast(uint16_t port);
/* 0 or a negative errno; -ENOTSUP where the driver knows no such thing. */
int attr_set_promiscuous(uint16_t port, bool enabled);
int attr_set_multicast(uint16_t port, bool enabled);
/* Would setting it do anything?  Tries, so it is for before there is traffic. */
bool attr_can_promiscuous(uint16_t port);

/* Frames that did not come in, and that did not go out, by the device's own count. */
uint64_t attr_rx_errors(uint16_t port);
uint64_t attr_tx_errors(uint16_t port);

/* The extended statistics that all ports have, in the order of port 0: clients ask one port for
 * the names and use them for all, as long as they are connected.  A device that has none to name
 * now, as a vhost-user port before its peer is there, may have some later, which would be too late:
 * then it is those that every device has. */
struct attr_names {
	size_t n;
	bool basic; /* the latter; there are no ids */
	char **names;
	uint32_t *ids[ATTR_PORTS]; /* of each, by port */
	uint16_t device[ATTR_PORTS];
};

/* 'device' are the ports' numbers in DPDK. */
void attr_names_init(struct attr_names *names, const uint16_t device[ATTR_PORTS]);
void attr_names_fini(struct attr_names *names);
/* Fills 'values[names->n]' with those of port 0 or 1; zeros when the device refuses. */
void attr_values(const struct attr_names *names, unsigned port, uint64_t *values);
