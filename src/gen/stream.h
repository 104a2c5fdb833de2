/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "pkt/frame.h"
#include "pkt/template.h"
#include "rpc/jsonrpc.h"

/* A stream as a client adds it: TRex's stream object, and the extension
 *
 *     "x_nfvchain": {"signature": true, "flows": 64}
 *
 * under which the packet is flow 0 of a UDP frame, and each frame carries a signature.  Pure data:
 * a run (run.h) makes a schedule of it. */

#define STREAM_MAX 20000     /* in a profile */
#define STREAM_MAX_LEN 9238  /* of a frame, without FCS */
#define STREAM_MAX_SIGNED 64 /* in a run: each keeps a record of the sequences it saw */

struct vm;

enum stream_mode { STREAM_CONTINUOUS, STREAM_SINGLE_BURST, STREAM_MULTI_BURST };
enum stream_rate { STREAM_PPS, STREAM_BPS_L1, STREAM_BPS_L2, STREAM_PERCENT };
/* What is counted of its frames where they arrive. */
enum stream_rule { RULE_NONE, RULE_STATS, RULE_LATENCY };

struct stream {
	uint32_t id;
	json_t *json; /* as received, for queries */
	bool enabled;
	bool self_start;   /* else another stream's end starts it */
	bool start_paused; /* its time does not run until it is resumed */
	bool dummy;	   /* keeps time, sends nothing */
	enum stream_mode mode;
	uint64_t total_pkts;	 /* of a single burst */
	uint32_t pkts_per_burst; /* of several */
	uint32_t bursts;	 /* 0: for ever */
	double ibg_us;		 /* from the last frame of a burst to the first of the next */
	enum stream_rate rate_kind;
	double rate;	       /* in its kind */
	double isg_us;	       /* before the first frame, each time it starts */
	int64_t next_id;       /* the stream that its end starts, or -1 */
	uint32_t action_count; /* it may end so often; the last time starts none; 0: no limit */
	int core_id;	       /* -1: any */
	uint32_t random_seed;  /* 0: none given */
	uint16_t len;	       /* without FCS, at least 60 */
	uint8_t *frame;	       /* 'len' bytes: as sent, or flow 0 of a signed stream */
	bool keep_src_mac;     /* else the port's own address */
	bool keep_dst_mac;     /* else the port's destination */
	struct vm *vm;	       /* program of the field engine, or NULL */
	unsigned *vm_users;    /* clones that share the program */
	enum stream_rule rule;
	uint32_t pg_id;
	/* Set by whoever assigns numbers to pg_ids, before a run is made: */
	uint16_t hw_id;
	uint8_t flow_seq; /* incarnation of a latency id */
	bool signature;
	uint32_t flows;
};

/* Reads and checks TRex's object; on error the sentence is in 'e', and nothing is to be freed. */
int stream_parse(struct stream *s, uint32_t id, json_t *object, struct jsonrpc_error *e);
void stream_fini(struct stream *s);
/* Makes 'to' a stream with a frame of its own and without the object; the program is shared, so
 * both belong to one thread. */
void stream_clone(struct stream *to, const struct stream *from);

/* Bytes with FCS of its frames, on average where their lengths differ. */
double stream_mean_size(const struct stream *s);
/* Frames a second at factor 1; 'speed_bps' is the port's. */
double stream_pps(const struct stream *s, double speed_bps);
/* Does the multiplier change its rate?  Not that of latency streams. */
bool stream_is_variable(const struct stream *s);
