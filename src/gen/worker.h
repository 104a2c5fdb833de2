/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_mbuf.h>

#include "copy_ring.h"
#include "dpdk/idle.h"
#include "dpdk/port.h"
#include "pgid.h"
#include "run.h"

/* The data lcore of the generator: transmits and receives on both ports, in one loop, so that one
 * clock stamps and reads.
 *
 * A port has a slot for each profile that may transmit at once.  The RPC thread hands a run to a
 * slot by gen_offer and never waits; the worker takes it at the next round, and 'taken' tells that
 * it has let go of the slot's run before. */

#define GEN_PORTS 2
#define GEN_PROFILES 16 /* slots of a port */
#define GEN_BURST 32
/* Frames received from a port in one round, at most, but for a burst from each queue. */
#define GEN_RX_ROUND (4 * GEN_BURST)

/* Whose slot it is. */
struct tx_owner {
	uint16_t stream;
	uint16_t on_time; /* 1: the worker was there in time; if not sent, the link is to blame */
};

#define TX_OWNERS 4 /* written at once */
#define TX_DUES 2

/* Time to catch up, as a multiple of the time the worker was away. */
#define TX_GRACE 4
/* A link counts as full for this long after it refused a frame, as a multiple of the time that a
 * frame waits. */
#define TX_FULL 100

/* One transmit queue of a port, as far as one run has to do with it. */
struct gen_tx {
	struct run *run;       /* transmitting, or NULL */
	struct run_lane *lane; /* what of it this queue sends */
	uint16_t n_slots;
	uint16_t n_built; /* the first of 'mbufs' carry the frames of the first slots */
	uint16_t n_mbufs;
	uint64_t last_ns;	/* last round */
	uint64_t away_until_ns; /* end of the worker's last absence */
	uint64_t grace_ns;	/* until then a full link is full of what it sends since */
	uint64_t full_until_ns; /* the link refused frames, so until then it counts as full */
	/* The slots whose frames are due, in the order in which they are. */
	uint64_t due_ns[GEN_BURST + TX_DUES - 1];
	struct rte_mbuf *mbufs[GEN_BURST];
	struct tx_owner owner[GEN_BURST + TX_OWNERS - 1];
	uint16_t len[GEN_BURST]; /* of the frames that are built, in a run that trims some */
};

struct gen_slot {
	struct run *_Atomic offered; /* by the RPC thread */
	struct run *_Atomic taken;   /* by the worker: the run it works for */
	struct run *run;	     /* the last taken one */
	struct run *tx_run;	     /* while a queue still transmits it, else NULL */
	struct gen_tx tx[PORT_MAX_QUEUES];
};

struct gen_port {
	struct port port;
	uint8_t addr[6];
	uint8_t dest[6];
	uint64_t addr_word; /* addr as the low 48 bits of a little-endian load */
	struct gen_slot slots[GEN_PROFILES];
	uint32_t sending; /* a bit for each slot whose run transmits */
	uint32_t turn;	  /* counts rounds: which of several runs comes first */
	/* Frames since the program started, for get_port_stats. */
	counter_t opackets, obytes, ipackets, ibytes;
	_Atomic uint32_t n_offers;
	uint32_t n_looked_at; /* of the offers */
	/* Run whose frames are expected: the last one taken, but a signed one before others. */
	struct run *rx_run;
	_Atomic bool tx_copied; /* clients see copies of what it sends */
};

struct gen_worker {
	struct gen_port ports[GEN_PORTS];
	struct rte_mempool *tx_pool;
	struct rte_mempool *rx_pool;
	struct idle idle;
	uint64_t tsc_hz;
	double tsc_to_ns;
	uint64_t last_tsc; /* end of the last round */
	counter_t busy_ns; /* of the rounds that moved frames */
	counter_t rounds;  /* begun: what the RPC thread withdrew two rounds ago is unused */
	_Atomic int stop;
	struct pgid_rx pgid;
	_Atomic uint32_t rx_copied; /* clients see copies of what these ports receive */
	struct copy_ring copies;    /* of frames, to the RPC thread */
	struct copy_ring pushes;    /* frames to be sent, from it */
	counter_t unpushed;	    /* of them, that the link did not take */
} __rte_cache_aligned;

/* Body of the lcore; returns after 'stop'. */
int worker_main(void *worker);

/* A round of transmission of all runs of the port, at 'at_tsc' or, unless a test says when, as late
 * as it is.  Returns frames sent. */
unsigned worker_transmit(struct gen_worker *w, struct gen_port *p, uint64_t at_tsc);

/* By the RPC thread: offers the slot a run in place of the one before; NULL for none. */
void gen_offer(struct gen_port *p, unsigned slot, struct run *run);

/* Hands the run to the slot's queues, which let go of the one before; NULL for none. */
void tx_start(struct gen_port *p, unsigned slot, struct run *run);
/* One round of transmission of the slot's run on a queue that has to do with it, at 'now_tsc'.
 * Returns frames sent. */
unsigned tx_round(struct gen_worker *w, struct gen_port *p, unsigned slot, uint16_t queue,
		  uint64_t now_tsc);
/* Plans the slots that are due; returns false once the schedule has come to its end. */
bool tx_plan(struct gen_tx *tx, uint64_t now_ns);
/* Without a schedule there is always a burst to send, due now; the streams' slots still tell in
 * what proportions. */
bool tx_plan_flat_out(struct gen_tx *tx, uint64_t now_ns);
/* Gives back the buffers that the queue holds. */
void tx_release(struct gen_tx *tx);
/* Puts the frames of the slots that are planned into buffers. */
void tx_build(struct gen_worker *w, struct gen_tx *tx, uint64_t now_ns);
/* Forgets what the buffers carry, before slots are given up: sequences move to other slots. */
void tx_unbuild(struct gen_tx *tx);
/* Receives from the queues of port 'id' and classifies what came.  Returns frames received. */
unsigned rx_round(struct gen_worker *w, unsigned id);
/* Classifies and frees the 'n' frames, 1 to GEN_BURST, that port 'id' received at 'tsc'. */
void rx_frames(struct gen_worker *w, unsigned id, struct rte_mbuf **mbufs, uint16_t n,
	       uint64_t tsc);

/* Looks at received frames for packet groups, and copies them for clients, as far as wanted. */
void rx_watch(struct gen_worker *w, unsigned id, struct rte_mbuf *const *mbufs, uint16_t n,
	      uint64_t tsc);

static inline uint64_t
worker_ns(const struct gen_worker *w, const struct run *run, uint64_t tsc)
{
	return (uint64_t)((double)(tsc - run->start_tsc) * w->tsc_to_ns);
}
