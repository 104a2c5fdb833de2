/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

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

/* What a lcore does for the event and the pipeline engine: any of these, in one loop. */
enum role {
	ROLE_RX = 1,	/* receives, and puts frames into the event device */
	ROLE_SCHED = 2, /* runs the scheduler of a device that needs one */
	ROLE_WORK = 4,	/* runs the functions */
	ROLE_TX = 8,	/* sends what workers pass on; without it, workers send */
};

#define PLAN_MAX_STAGES 8
#define PLAN_NO_PORT 0xff

/* How those engines use their event device.  Queue k carries frames to stage k, or queue 0 to all
 * stages in one go; behind the last one may be queues to the lcores that send, one for each of
 * them. All frames of a flow that leave by one port take the same of those, so that the order a
 * stage keeps holds to the wire. */
struct plan_roles {
	uint8_t n_stages; /* 0 for the polling engine */
	uint8_t n_queues; /* before stages: one each, or one before all, which then follow at once
			   */
	uint8_t n_tx;	  /* queues, and lcores, that send what workers pass on; 0: workers send */
	uint8_t tx_span;  /* how many of them share a port, by flow */
	bool distributed; /* the device has no scheduler to run */
	bool cooperative; /* lcores share CPUs and yield after each round */
	uint16_t depth;	  /* events a worker takes at once */
	uint16_t n_event_ports;
	uint32_t events;    /* that the device holds at most */
	uint32_t threshold; /* new ones are refused when there are more, so that none starves
			     * those under way */
	uint16_t n_folded;  /* lcores whose roles others took over, for they share a CPU */
	uint8_t role[PLAN_MAX_LCORES];
	uint8_t rx_port[PLAN_MAX_LCORES]; /* event ports, or PLAN_NO_PORT */
	uint8_t work_port[PLAN_MAX_LCORES];
	uint8_t tx_port[PLAN_MAX_LCORES];
	uint8_t tx_first[NF_MAX_PORTS]; /* the first of those that send by this port */
	/* With DPDK's adapters there is a queue for each port, to the Tx adapter of it: its event
	 * port, and the lcore that runs it. */
	bool adapters;
	uint8_t adapter_port[NF_MAX_PORTS];
	uint8_t adapter_lcore[NF_MAX_PORTS];
};

/* What EAL found: all that a plan depends on, beside the settings. */
struct plan_facts {
	uint16_t n_ports;
	uint16_t n_lcores; /* service lcores included; those come last */
	uint16_t n_service;
	unsigned lcore_id[PLAN_MAX_LCORES];
	int cpu[PLAN_MAX_LCORES]; /* its only one, or -1 */
	uint16_t n_cpus;	  /* that lcores may run on */
	uint16_t max_txq;	  /* transmit queues that each port can have */
	/* Of the event device. */
	bool distributed;
	bool unordered; /* has no ordered queues */
	uint16_t max_event_ports;
	uint16_t max_event_queues;
	uint32_t max_events;
};

struct plan {
	uint16_t n_ports;
	uint16_t n_rxq;			    /* receive queues of each port */
	uint16_t n_lcores;		    /* that have work; the rest of EAL's lcores stay idle */
	uint16_t position[PLAN_MAX_LCORES]; /* of each of them among those of the facts */
	bool enabled[NF_MAX_PORTS];
	uint16_t pair[NF_MAX_PORTS];		    /* where NF_FORWARD leads */
	uint16_t n_txq[NF_MAX_PORTS];		    /* lcores that send there */
	int16_t txq[PLAN_MAX_LCORES][NF_MAX_PORTS]; /* or -1: this lcore never sends there */
	uint16_t n_links;
	struct plan_link link[PLAN_MAX_LINKS];
	struct plan_roles roles;
};

/* Ports, pairs and the polling layout: the receive queues, port by port, go round the lcores, or
 * fill one lcore after the other with -q of them.  'n_ports' and 'n_lcores' are what EAL found. */
int plan_poll(struct plan *plan, const struct fwd_conf *conf, uint16_t n_ports, uint16_t n_lcores,
	      struct err *err);

/* The same for the event and the pipeline engine: roles, by default or by masks. */
int plan_stages(struct plan *plan, const struct fwd_conf *conf, const struct plan_facts *facts,
		struct err *err);

/* How every plan begins: which ports there are, and their pairs. */
int plan_ports(struct plan *plan, const struct fwd_conf *conf, uint16_t n_ports, struct err *err);
/* The queue of the event device by which an event of flow 'flow' gets to the lcore that sends it by
 * port 'egress'. */
static inline uint8_t
plan_tx_queue(const struct plan_roles *r, uint16_t egress, uint32_t flow)
{
	return (uint8_t)(r->n_queues + (r->tx_first[egress] + flow % r->tx_span) % r->n_tx);
}

/* Gives lcore 'lcore' a transmit queue of its own at 'port', unless it has one. */
void plan_give_txq(struct plan *plan, uint16_t lcore, uint16_t port);

/* The plan for programs and for people; 'facts' tell the lcores' numbers. */
json_t *plan_to_json(const struct plan *plan, const struct plan_facts *facts, const char *engine);
void plan_print(const struct plan *plan, const struct plan_facts *facts, FILE *out);
