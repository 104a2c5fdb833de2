/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "chain.h"
#include "stl.h"

/* What a running chain does at this moment, for screens and scrapers: the counters of the
 * generator's ports and of the hops of ours, read where anybody may read them, and how fast they
 * grew since the sample before.  Nothing of the chain's state is changed.
 *
 * Counters of different programs are read one after the other, so those of a sample fit together
 * only as far as nothing moved meanwhile: what is missing between two is under way or lost. */

#define LIVE_MAX_PORTS 16
#define LIVE_MAX_LCORES 16
#define LIVE_NAME 32

struct live_port {
	char state[16];		 /* as TRex names it: IDLE, STREAMS, TX, PAUSE; "" unknown */
	uint64_t sent, received; /* frames, since the generator started */
	uint64_t bytes_sent, bytes_received;
	bool knows_slots; /* the generator says what became of its schedule */
	uint64_t refused, late;
	double tx_pps, rx_pps, tx_bps, rx_bps; /* since the last sample */
};

struct live_lcore {
	unsigned id;
	uint64_t busy_tsc, idle_tsc;
	double busy; /* share of the time since the last sample, 0 to 1 */
};

struct live_hop {
	char name[LIVE_NAME];
	bool known;	   /* it answered */
	bool knows_inside; /* what follows 'miss' is known: not of one of another make */
	uint64_t at_ns, rx, tx, miss;
	uint64_t drops, in_flight;
	uint64_t held_ns;	     /* frames waited for room at the next hop */
	double rx_pps, tx_pps, held; /* held: share of the time since the last sample */
	size_t n_lcores;
	struct live_lcore lcore[LIVE_MAX_LCORES];
};

struct live_sample {
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	double seconds; /* since the sample before; 0: there was none, and no rate is known */
	size_t n_ports, n_hops;
	struct live_port port[LIVE_MAX_PORTS];
	struct live_hop hop[CHAIN_MAX_HOPS];
	double generator_busy; /* 0 to 1; below 0 unknown */
	double latency_us;     /* mean of all latency streams lately; below 0: there is none */
	double jitter_us;
};

struct live;

/* Hops are those of 'chain', asked at their control sockets in 'run_dir' (NULL: there are none).
 * Without 'chain' they are those that the chain's keeper tells of (onlook.h), else those that have
 * a socket, in the order in which they started. */
struct live *live_open(const char *run_dir, const struct chain *chain);
void live_close(struct live *l);

/* Reads all there is.  Negative when the generator does not answer; a hop that does not is not
 * known in this sample, and asked again in the next. */
int live_read(struct live *l, struct stl *stl, struct live_sample *s, struct err *err);
/* The hops alone. */
void live_read_hops(struct live *l, struct live_sample *s);

/* What has grown from 'base' to 's', rates as they are in 's': counting from there on.  A counter
 * that is smaller than before belongs to a program that was started again, and counts from 0. */
void live_since(struct live_sample *grown, const struct live_sample *s,
		const struct live_sample *base);

/* For live_read, and to test it: replies as they come.  Keys that are missing leave what is there.
 */
void live_take_port(struct live_port *p, const json_t *port_stats, const json_t *streams);
void live_take_hop(struct live_hop *h, const json_t *counters);
/* Latency and jitter as get_pgid_stats tells them, unknown without a stream that measures them. */
void live_take_latency(struct live_sample *s, const json_t *pgid_stats);
/* Fills in the rates of 's' from those of 'before'. */
void live_rates(struct live_sample *s, const struct live_sample *before);

/* The sample for programs, a new reference; what is not known is null. */
json_t *live_json(const struct live_sample *s);
