/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"
#include "dpdk/idle.h"
#include "dpdk/program.h"
#include "load_conf.h"

/* Settings of the forwarder, from its command line and environment. */

enum on_full { ON_FULL_HOLD, ON_FULL_DROP };

/* How the event device serves frames of one flow: one after the other, by one worker at a time; by
 * several, in their order again behind each stage; by several. */
enum sched { SCHED_ATOMIC, SCHED_ORDERED, SCHED_PARALLEL };

#define CONF_MAX_NFS 16 /* in all stages */
#define CONF_MAX_BURST 256
#define CONF_MAX_STAGES 8
#define CONF_MAX_VECTOR 64

struct fwd_conf {
	char *hop;	   /* its name, with --hop; or NULL */
	bool in_row;	   /* other hops are in this process: conf_hops.h */
	uint32_t hop_ring; /* frames that the ring to the next one has room for */
	uint64_t lcores;   /* mask of those that this hop has; 0 = all */
	char *engine;
	struct opt_list nf;
	uint64_t portmask; /* 0 = all */
	char *portmap;
	uint32_t queues_per_lcore; /* l2fwd's -q; 0 = spread over all lcores */
	uint32_t rxq;
	uint32_t rxd;
	uint32_t txd;
	uint32_t burst;
	uint64_t max_frame; /* bytes with FCS */
	uint64_t period_ns; /* statistics on stdout; 0 = none */
	bool promiscuous;
	bool paused; /* receive nothing until told to resume */
	bool mac_updating;
	enum on_full on_full;
	uint64_t hold_ns; /* then a counted drop */
	enum idle_policy idle;
	uint64_t drain_ns;
	struct port_mac addr[PROGRAM_MAX_PORTS];
	struct port_mac dest[PROGRAM_MAX_PORTS];
	/* Of the event and the pipeline engine. */
	char *event_dev; /* or NULL: the first one, else event_sw0 */
	enum sched sched;
	uint32_t vector; /* frames of one event, at most; 0 = each is an event */
	uint32_t stages;
	struct opt_list stage_nf;
	uint64_t rx_mask; /* of lcores, by number; 0 = by default */
	uint64_t tx_mask;
	uint64_t sched_mask;
	uint64_t worker_mask;
	bool fuse_stages;      /* one queue before all stages, which follow at once */
	bool adapters;	       /* DPDK's Rx and Tx adapters receive and send */
	bool fuse;	       /* roles of lcores that share a CPU run in one loop */
	uint32_t cq_depth;     /* events a worker takes at once; 0 = as many as it can */
	uint32_t flow_ids;     /* 0 = as many as the device tells apart */
	uint32_t work_cycles;  /* of each frame in each stage */
	uint32_t mempool_size; /* buffers, if more than are needed */
	uint64_t packets;      /* received, then the program ends; 0 = endless */
	bool queue_priority;
	bool all_types;
	bool dump;
	bool stage_times;      /* measure where frames spend their time inside */
	struct load_conf load; /* traffic for an engine alone: load.h */

	char *control;
	int lifeline;
	bool dry_run;
	bool json;
	bool verbose;
	bool version;
};

void fwd_conf_init(struct fwd_conf *conf);
void fwd_conf_fini(struct fwd_conf *conf);

/* Reads the environment and the options after "--"; argv[0] stands for the program's name.  Short
 * options are those of the engine that is chosen.  'personality' is the program's own name: started
 * as one of DPDK's examples, it has that example's engine and defaults. */
int fwd_conf_parse(struct fwd_conf *conf, const char *personality, int argc, char **argv,
		   struct err *err);

/* The command's option table, for help and completion, with the short options of l2fwd. */
extern const struct opt_command fwd_command;
/* The same with those of eventdev_pipeline, which belong to the pipeline engine. */
const struct opt_command *fwd_pipeline_command(void);
