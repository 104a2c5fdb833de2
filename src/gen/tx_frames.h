/* SPDX-License-Identifier: MIT */
#pragma once

#include "worker.h"

/* Frames of streams without a signature: as the client gave them, or as the stream's program makes
 * them; with the marks of a stream that is counted where it arrives, and the trailer of one whose
 * latency is measured. */

/* Builds the stream's next 'n' frames, behind those it has built and not sent. */
void tx_build_given(struct run_stream *s, struct rte_mbuf **mbufs, uint16_t n);
/* The program goes back to the first frame that was not sent: those built are not going to be. */
void tx_unbuild_vm(struct run_stream *s);
