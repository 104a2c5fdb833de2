/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <nfvchain/nf.h>

#include "base/err.h"
#include "conf.h"

/* Which lcore does what.  Pure: made from the settings and two numbers, before any port opens. */

#define PLAN_MAX_LCORES 64
#define PLAN_MAX_LINKS 64

/* A receive queue and the port its frames leave by. */
struct plan_link {
	uint16_t rx_port;
	uint16_t rxq;
	uint16_t egress;
	uint16_t lcore; /* index, 0 to n_lcores - 1 */
};

struct plan {
	uint16_t n_ports;
	uint16_t n_rxq;	   /* receive queues of each port */
	uint16_t n_lcores; /* that have work; the rest of EAL's lcores stay idle */
	bool enabled[NF_MAX_PORTS];
	uint16_t pair[NF_MAX_PORTS];		    /* where NF_FORWARD leads */
	uint16_t n_txq[NF_MAX_PORTS];		    /* lcores that send there */
	int16_t txq[PLAN_MAX_LCORES][NF_MAX_PORTS]; /* or -1: this lcore never sends there */
	uint16_t n_links;
	struct plan_link link[PLAN_MAX_LINKS];
};

/* Ports, pairs and the polling layout: the receive queues, port by port, go round the lcores, or
 * fill one lcore after the other with -q of them.  'n_ports' and 'n_lcores' are what EAL found. */
int plan_poll(struct plan *plan, const struct fwd_conf *conf, uint16_t n_ports, uint16_t n_lcores,
	      struct err *err);

json_t *plan_to_json(const struct plan *plan);
