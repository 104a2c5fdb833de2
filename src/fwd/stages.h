/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "adapters.h"
#include "egress.h"
#include "evdev.h"
#include "forwarder.h"

/* The runtime of the event and the pipeline engine: frames pass stages, an event device between
 * each two, and the roles of an lcore run in one loop.
 *
 *     receive -> queue 0 -> functions of stage 0 -> queue 1 -> ... -> last stage -> send
 *
 * The last stage's worker sends, or passes frames by one more queue to the lcore that does.  Events
 * are given back only once their frames have left, in the sequence they were taken in: that is what
 * keeps a flow in order and in one hand.  A drop gives its event back in place. */

#define STAGES_DEPTH 128   /* events a consumer takes at once, at most */
#define STAGES_RX_ROOM 512 /* frames received in a round, at most */
#define STAGES_BUCKETS 16  /* for each worker, in which frames of flows share vectors */
#define STAGES_MAX_BUCKETS 256

/* Receives from queues, and puts what it got into the event device. */
struct receiver {
	uint8_t port;  /* of the event device */
	uint16_t n;    /* events in hand */
	uint16_t next; /* the first that the device has not taken */
	uint16_t n_links;
	uint16_t first_link; /* to begin with, so that none is favoured */
	struct {
		uint16_t port;
		uint16_t queue;
	} link[PLAN_MAX_LINKS];
	struct rte_event_vector *open[NF_MAX_PORTS][STAGES_MAX_BUCKETS];
	struct rte_event ev[STAGES_RX_ROOM];
};

/* Takes events from a port, runs the functions of their stage, and passes them on or sends. */
struct consumer {
	uint8_t port;
	uint16_t n;	/* events in hand */
	uint16_t next;	/* the first whose frames were not looked at */
	uint16_t given; /* the first that was not given back */
	struct rte_event ev[STAGES_DEPTH];
	struct egress out;
};

/* What all lcores share. */
struct stages_shared {
	struct evdev dev;
	struct rte_mempool *vectors;   /* or NULL */
	struct adapters *adapters;     /* DPDK's, or NULL */
	_Atomic uint64_t packets_left; /* to be received, with --packets */
};

/* What one lcore has. */
struct stages {
	struct stages_shared *shared;
	struct evdev *dev;
	bool receives, schedules;
	bool runs_tx_adapters;
	bool alone; /* no other lcore has a role */
	uint8_t n_consumers;
	uint8_t n_passes; /* over scheduler and consumers in a round: a frame leaves in the round in
			   * which it came, where one lcore does it all */
	uint8_t last_queue; /* whose consumer sends; so do those of queues beyond */
	uint8_t n_senders;  /* lcores that send what others pass on */
	uint16_t depth;
	uint16_t n_buckets; /* a power of two */
	uint32_t flow_ids;
	struct receiver rx;
	struct consumer consumer[2];
};

/* Receives once from each queue and hands over what came.  Returns the number of frames. */
size_t stages_receive(struct fwd_lcore *w, struct stages *s);
/* Hands over what the device had no credits for; true when nothing is left. */
bool stages_hand_over(struct stages *s);
/* Frees what was received and not handed over, and counts it. */
void stages_give_up_received(struct fwd_lcore *w, struct stages *s);

/* Serves one burst of events.  Returns the number of frames that moved. */
size_t stages_consume(struct fwd_lcore *w, struct stages *s, struct consumer *c);
/* Gives events back whose frames have left or moved on, as far as the device has room. */
void stages_give_back(struct stages *s, struct consumer *c);
/* Frees what a consumer has in hand and counts it; its events go back. */
void stages_give_up_taken(struct fwd_lcore *w, struct stages *s, struct consumer *c);
/* Sends a frame that a fault kept back, if there is one. */
void stages_send_kept(struct fwd_lcore *w, struct consumer *c);

/* The frames of an event into 'frames', which has room for CONF_MAX_VECTOR. */
uint16_t stages_frames_of(const struct rte_event *ev, struct rte_mbuf **frames);

static inline bool
stages_is_vector(const struct rte_event *ev)
{
	return ev->event_type & RTE_EVENT_TYPE_VECTOR;
}
