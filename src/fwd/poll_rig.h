/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dpdk/rig.h"
#include "forwarder.h"
#include "pkt/template.h"

/* For tests: a forwarder with the polling engine and three ring ports, all in the calling thread.
 * Ports 0 and 1 are a pair.  Port 2 is its own, and each visit of the engine there ends a round:
 * the test gets control in between. */

#define POLL_RIG_PORTS 3

struct poll_rig {
	struct fwd_conf conf; /* to be changed before poll_rig_open */
	struct fwd fwd;
	struct rig_port port[POLL_RIG_PORTS];
	struct rte_mempool *source; /* of the frames that tests put in */
	struct frame_template tmpl;
	uint8_t frame[128];
	unsigned round;
	unsigned n_rounds;		  /* the engine is stopped then */
	void (*tick)(struct poll_rig *r); /* after each round, or NULL */
	bool timed_out;
	const struct rte_eth_rxtx_callback *on_round;
};

/* A frame that came out, as a receiver sees it. */
struct poll_frame {
	uint32_t seq;
	uint16_t len;
	bool intact; /* the signature is whole, for a frame of this length */
	uint8_t dst[6];
	uint8_t src[6];
};

/* Setup and teardown of a test.  Teardown closes the forwarder and asserts that every buffer is
 * home. */
int poll_rig_init(void **state);
int poll_rig_fini(void **state);
void poll_rig_open(struct poll_rig *r, unsigned out_room);
/* The same with a function that decides by the sequence number in place of l2fwd. */
void poll_rig_open_deciding(struct poll_rig *r, unsigned out_room, uint8_t (*how)(uint32_t seq));

/* Address of a port; what it sends goes to poll_rig_dest. */
void poll_rig_addr(unsigned port, uint8_t mac[6]);
void poll_rig_dest(unsigned port, uint8_t mac[6]);

/* Puts frames 'first' to 'first' + 'n' - 1 before the port, for it or for 'dst'. */
void poll_rig_put(struct poll_rig *r, unsigned port, uint32_t first, unsigned n);
void poll_rig_put_to(struct poll_rig *r, unsigned port, const uint8_t dst[6], uint32_t seq);
/* Runs the engine until 'n_rounds' are over or the tick stops it, then lets it drain. */
void poll_rig_run(struct poll_rig *r, unsigned n_rounds);
/* Takes and frees up to 'max' frames that the port sent. */
unsigned poll_rig_take(struct poll_rig *r, unsigned port, struct poll_frame *frames, unsigned max);
/* Asserts that the port sent exactly frames 'first' to 'first' + 'n' - 1, in order and whole. */
void poll_rig_assert_sent(struct poll_rig *r, unsigned port, uint32_t first, unsigned n);

/* Frames of both ports leave by the pair in their order, and nothing else happened to them: 1000
 * and 500, through a rig that was not opened yet. */
void poll_rig_frames_go_to_the_pair(struct poll_rig *r);

/* Sums of the forwarder; asserts rx + created = tx + drops + in_flight. */
struct fwd_totals poll_rig_totals(const struct poll_rig *r);
uint64_t poll_rig_drops(const struct poll_rig *r, const char *reason);
