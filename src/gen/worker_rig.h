/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "dpdk/rig.h"
#include "generator.h"

/* For tests: the generator's worker over two ring ports, its clock in the test's hand, and a hop
 * between the ports that does to each frame what the test likes. */

#define WORKER_RIG_STREAMS 8
#define WORKER_RIG_ROOM 256

struct worker_rig;

/* What becomes of frame 'i' on its way: up to two frames into 'out', how many is returned.  One
 * that is not passed on belongs to the function. */
typedef unsigned worker_rig_hop(struct worker_rig *r, unsigned i, struct rte_mbuf *m,
				struct rte_mbuf **out);

struct worker_rig {
	struct gen_conf conf; /* to be changed before worker_rig_open */
	struct gen_worker w;  /* its TSC counts nanoseconds */
	struct rig_port port[GEN_PORTS];
	uint64_t now_ns; /* of the clock */
	struct stream streams[WORKER_RIG_STREAMS];
	size_t n_streams;
	struct run *run[GEN_PORTS];
	uint16_t next_stream_base;
	worker_rig_hop *hop; /* NULL: passes all */
	unsigned n_hop;	     /* frames the hop has seen */
	unsigned n_full;     /* frames the hop lost because the ring before the port was full */
	struct rte_mbuf *kept;
	void *arg;
};

int worker_rig_init(void **state);
/* Asserts that every buffer is home. */
int worker_rig_fini(void **state);
void worker_rig_open(struct worker_rig *r, unsigned out_room, unsigned in_room);

/* A stream of frames of 'spec' with a signature; or of 'len' bytes as given. */
struct stream *worker_rig_add(struct worker_rig *r, const struct frame_spec *spec, double pps,
			      uint32_t flows);
struct stream *worker_rig_add_raw(struct worker_rig *r, const uint8_t *frame, uint16_t len,
				  double pps);
/* A new run of all streams, for the caller to free. */
struct run *worker_rig_make_run(struct worker_rig *r, unsigned port, double duration_s,
				bool flat_out);
/* One that the worker has taken over and that starts now; the rig frees it. */
struct run *worker_rig_start(struct worker_rig *r, unsigned port, double duration_s, bool flat_out);

/* Lets a slot have the run, which starts now, or none; the caller frees it when the slot has
 * another. */
void worker_rig_take(struct worker_rig *r, unsigned port, unsigned slot, struct run *run);

/* Moves the clock and lets the worker transmit. */
unsigned worker_rig_transmit(struct worker_rig *r, uint64_t step_ns);
/* Takes what port 'from' sent through the hop to port 'to'. */
void worker_rig_carry(struct worker_rig *r, unsigned from, unsigned to);
/* Lets the worker receive until nothing is there. */
void worker_rig_receive(struct worker_rig *r);
/* All three, each 'step_ns', until the runs have been sent and everything has arrived. */
void worker_rig_finish(struct worker_rig *r, uint64_t step_ns);

/* Asserts intended = sent + refused + late and returns the run's counts. */
struct worker_rig_counts {
	uint64_t intended, sent, refused, late;
	uint64_t rx[RX_KINDS], unidentified, overdue, foreign;
	uint64_t never_seen, reordered, repeated;
} worker_rig_counts(const struct run *run);
/* Asserts that of the run nothing but 'n' frames in order arrived. */
void worker_rig_assert_clean(const struct run *run, uint64_t n);
