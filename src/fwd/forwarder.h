/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <nfvchain/nf.h>
#include <rte_common.h>
#include <rte_mempool.h>

#include "conf.h"
#include "dpdk/counters.h"
#include "dpdk/gaps.h"
#include "dpdk/idle.h"
#include "dpdk/port.h"
#include "fault.h"
#include "plan.h"

/* The forwarder: ports, network functions, lcores, and the one engine that joins them. */

/* Why the engine itself drops; the reasons of the functions follow. */
enum fwd_reason {
	REASON_TX_FULL,	   /* the next link stayed full past the deadline */
	REASON_NO_PORT,	   /* a verdict named a port this lcore cannot send to */
	REASON_DRAIN,	   /* still held when the drain's patience ended */
	REASON_FAULT,	   /* dropped on purpose by --fault */
	REASON_TX_ADAPTER, /* DPDK's Tx adapter gave up on it */
	REASON_NF,	   /* first reason of the first function */
};

#define FWD_MAX_REASONS (REASON_NF + CONF_MAX_NFS * NF_MAX_REASONS)

/* Commands to the lcores, read at burst boundaries. */
enum fwd_state {
	FWD_RUN,
	FWD_PAUSE, /* nothing is received; what is held goes out; counters stand still */
	FWD_STOP,
};

struct fwd;
struct hop_end;
struct loads;
struct stages;
struct times;

/* The functions of one stage: 'n_nfs' from 'first' on.  The polling engine has stage 0 alone. */
struct fwd_stage {
	uint8_t first;
	uint8_t n_nfs;
};

/* What one lcore owns.  Counters have it as their only writer. */
struct fwd_lcore {
	struct fwd *fwd;
	uint16_t index;
	unsigned lcore_id;
	uint16_t n_links;
	struct fwd_link *links; /* of the polling engine */
	struct stages *stages;	/* of the others */
	struct times *times;	/* with --stage-times, else NULL */
	int16_t txq[NF_MAX_PORTS];
	void *nf_ctx[CONF_MAX_NFS];
	uint16_t nf_reason[CONF_MAX_NFS]; /* first reason of each function */
	struct idle idle;
	struct fault fault;
	_Atomic int tid;	 /* of its thread, for who looks at it in /proc; 0 before it runs */
	_Atomic unsigned seen;	 /* last order acknowledged: the lcore runs, or is at rest */
	_Atomic unsigned closed; /* last order to rest at which it had ceased to receive */

	counter_t rx[NF_MAX_PORTS];
	counter_t tx[NF_MAX_PORTS];
	counter_t held_tsc[NF_MAX_PORTS]; /* time that frames waited for room at this egress */
	counter_t drop[FWD_MAX_REASONS];
	counter_t created;
	/* What is inside right now: counted, never a difference.  A frame may leave by another
	 * lcore than it came in by, so that only the sum of all means something. */
	counter_t in_flight;
	counter_t busy_tsc;
	counter_t idle_tsc;
	counter_t busy_gap_tsc; /* of busy_tsc: in rounds that were long because the lcore was not
				 * there, as far as their work does not explain it */
	counter_t rounds;
	counter_t bursts;			 /* rounds of a queue that found frames */
	counter_t stage_frames[PLAN_MAX_STAGES]; /* that the functions of a stage have seen */
	struct gaps gaps;

	/* Of the burst in hand, in its first bytes.  Between bursts all are NF_FORWARD, so that
	 * nobody has to see where a burst ends. */
	uint8_t verdict[CONF_MAX_BURST + FAULT_ROOM];
} __rte_cache_aligned;

struct fwd {
	const struct fwd_conf *conf;
	const struct engine *engine;
	struct plan_facts facts;
	struct plan plan;
	struct rte_mempool *pool; /* shared by the hops of a process */
	bool owns_pool;
	struct port port[NF_MAX_PORTS];
	/* Where a port is one end of a link to another hop of this process, else NULL: hop_ring.h
	 */
	const struct hop_end *inner[NF_MAX_PORTS];
	_Atomic int closing;		 /* what comes from outside is not received any more */
	char devargs[NF_MAX_PORTS][512]; /* to attach a port again */
	struct nf_conf nf_conf;
	unsigned n_nfs;
	const struct nf *nf[CONF_MAX_NFS];
	void *nf_lib[CONF_MAX_NFS]; /* dlopen handles */
	void *nf_ctx[CONF_MAX_NFS][PLAN_MAX_LCORES];
	struct fwd_stage stage[PLAN_MAX_STAGES];
	unsigned n_reasons;
	char reason[FWD_MAX_REASONS][48]; /* "tx_full", "l2fwd.foreign" */
	struct fwd_lcore *lcore;	  /* n_lcores of them */
	_Atomic int state;
	_Atomic unsigned order; /* counts the states that were asked for */
	void *shared;		/* by the lcores of an engine */
	uint64_t hold_tsc;
	uint64_t drain_tsc;
	uint64_t gap_tsc;		    /* a round of more than this may have a gap in it */
	counter_t window;		    /* of the longest gaps; see dpdk/gaps.h */
	uint64_t epoch;			    /* counts quiesces and reopenings */
	uint64_t missed_base[NF_MAX_PORTS]; /* missed by devices that were closed */
	bool shares_cpus;
	struct loads *loads; /* of --load, or NULL */
};

/* Opens pool, ports and functions for what EAL found.  Half-opened is closable. */
int fwd_open(struct fwd *fwd, const struct fwd_conf *conf, bool shares_cpus, struct err *err);
void fwd_close(struct fwd *fwd);
/* The same in two steps, for hops that share a process: what EAL found and the plan; then, with a
 * pool that has fwd_need of each and with 'inner' set, all the rest. */
int fwd_prepare(struct fwd *fwd, const struct fwd_conf *conf, bool shares_cpus, struct err *err);
uint32_t fwd_need(const struct fwd *fwd);
int fwd_make_pool(struct rte_mempool **pool, uint32_t n, uint16_t max_frame, struct err *err);
int fwd_complete(struct fwd *fwd, struct rte_mempool *pool, struct err *err);
/* Closes the ports alone, so that the buffers in their rings come home; counters stay as they were,
 * missed frames among them.  Returns how many buffers did not come.  Harmless when repeated. */
unsigned fwd_close_ports(struct fwd *fwd);

/* Runs all lcores, the calling main lcore among them, until fwd_set_state(FWD_STOP). */
void fwd_run(struct fwd *fwd);
/* The same for one lcore, in its own thread; without fwd->engine->settle. */
void fwd_run_lcore(struct fwd_lcore *w);

/* Asks the lcores for 'state'; fwd_wait_state waits until all have come to rest in it, up to 'ms'.
 */
void fwd_set_state(struct fwd *fwd, enum fwd_state state);
bool fwd_wait_state(struct fwd *fwd, enum fwd_state state, unsigned ms);

/* Sums over lcores. */
struct fwd_totals {
	uint64_t rx[NF_MAX_PORTS], tx[NF_MAX_PORTS], miss[NF_MAX_PORTS], held_tsc[NF_MAX_PORTS];
	uint64_t drop[FWD_MAX_REASONS];
	uint64_t rx_all, tx_all, drop_all, created, in_flight;
	uint64_t busy_tsc, idle_tsc, rounds, bursts;
};
void fwd_totals(const struct fwd *fwd, struct fwd_totals *t);
/* Frames inside of all lcores.  Once nobody receives any more, 0 means that none is. */
uint64_t fwd_inside(const struct fwd *fwd);
/* The lcore that faults on purpose happen on: the first one that sends. */
struct fwd_lcore *fwd_fault_lcore(const struct fwd *fwd);

/* rx + created - tx - drops - in_flight: 0 at rest, or frames are unaccounted for. */
int64_t fwd_residual(const struct fwd_totals *t);

/* Closes port 'id', at rest, until fwd_reopen_port; before that nothing may run. */
int fwd_close_port(struct fwd *fwd, uint16_t id, struct err *err);
/* Attaches port 'id' again, between a pause and a run. */
int fwd_reopen_port(struct fwd *fwd, uint16_t id, struct err *err);
