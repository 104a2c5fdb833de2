/* SPDX-License-Identifier: MIT */
#pragma once

#include "gen/stream.h"

/* The streams whose transmission is measured. */

enum txstream_kind {
	TXSTREAM_SIGNED,
	TXSTREAM_PLAIN,	  /* as given */
	TXSTREAM_PROGRAM, /* the field engine writes two fields and the IPv4 checksum */
};

/* A stream of frames of 'size' bytes with FCS to 'dst_mac', for stream_fini to free. */
int txstream_init(struct stream *s, enum txstream_kind kind, uint16_t size, double pps,
		  const uint8_t *dst_mac, struct err *err);
