/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "pkt/frame.h"
#include "pkt/template.h"
#include "rpc/jsonrpc.h"

/* A stream as a client adds it: TRex's stream object, of which this version takes continuous and
 * single-burst streams without a field engine, and the extension
 *
 *     "x_nfvchain": {"signature": true, "flows": 64}
 *
 * under which the packet is flow 0 of a UDP frame, and each frame carries a signature. */

#define STREAM_MAX_PER_PORT 64

enum stream_mode { STREAM_CONTINUOUS, STREAM_SINGLE_BURST };
enum stream_rate { STREAM_PPS, STREAM_BPS_L1, STREAM_BPS_L2, STREAM_PERCENT };

struct stream {
	uint32_t id;
	json_t *json; /* as received, for queries */
	bool enabled;
	bool self_start;
	enum stream_mode mode;
	uint64_t total_pkts; /* of a single burst */
	enum stream_rate rate_kind;
	double rate;	   /* in its kind */
	double isg_us;	   /* before the first frame */
	uint16_t len;	   /* without FCS, at least 60 */
	uint8_t *frame;	   /* 'len' bytes: as sent, or flow 0 of a signed stream */
	bool keep_src_mac; /* else the port's own address */
	bool keep_dst_mac; /* else the port's destination */
	bool signature;
	uint32_t flows;
};

/* Reads and checks TRex's object; on error the sentence is in 'e'. */
int stream_parse(struct stream *s, uint32_t id, json_t *object, struct jsonrpc_error *e);
void stream_fini(struct stream *s);

/* Frames a second at factor 1; 'speed_bps' is the port's. */
double stream_pps(const struct stream *s, double speed_bps);
