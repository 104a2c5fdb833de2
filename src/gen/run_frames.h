/* SPDX-License-Identifier: MIT */
#pragma once

#include "run.h"
#include "vm.h"

/* What a run needs to build the frames of a stream without a signature. */

/* A stream's program under way.  Frames are built before it is known whether they will be sent; so
 * that those given up do not take values with them, the state is kept from time to time. */
struct run_vm {
	const struct vm *program;
	uint64_t *built;   /* state behind the last frame that was built */
	uint64_t *kept;	   /* state before frame 'kept_seq' */
	uint64_t kept_seq; /* frames sent by then */
	size_t state_size;
	bool checksums; /* to be computed again when the frame is changed behind the program */
	bool trims;	/* its frames differ in length */
};

/* Gives the compiled stream what it needs, by the stream of the client.  A stream that is counted
 * or measured must have room for it. */
int run_frames_init(struct run_stream *rs, const struct stream *s, uint8_t *frame,
		    struct jsonrpc_error *e);
void run_frames_fini(struct run_stream *rs);
