/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "rpc/jsonrpc.h"

/* The field engine: what TRex's "vm" object of a stream does to each of its frames.  Variables walk
 * through a range or a list, or are random; their values are written into the frame; lengths and
 * checksums follow.
 *
 * The program is compiled once and never changes; what changes from frame to frame is the state, a
 * few words that a caller may copy with memcpy: the same state builds the same frame again. */
struct vm;

/* Limits of TRex. */
#define VM_MAX_VARS 64	 /* bytes of all variables */
#define VM_MAX_REACH 512 /* no instruction names bytes of the frame from here on */
#define VM_MIN_LEN 60	 /* shortest frame that trim_pkt_size makes */

/* Compiles the object {"instructions": [...], "cache": n} for a frame of 'len' bytes, of which
 * nothing is kept.  '*vm' is NULL for a program without instructions.  On error '*vm' is NULL, too,
 * and the sentence in 'e' is TRex's wherever that has one. */
int vm_parse(struct vm **vm, const json_t *vm_object, const uint8_t *frame, uint16_t len,
	     struct jsonrpc_error *e);
void vm_free(struct vm *vm);

/* Bytes of a state, a multiple of 8; a state is aligned to 8. */
size_t vm_state_size(const struct vm *vm);
/* The state before the first frame.  The same seed gives the same random values, on every machine;
 * a stream without a seed of its own is better off with one that differs from run to run. */
void vm_init(const struct vm *vm, void *state, uint32_t random_seed);

/* Makes the next frame: 'frame' holds the first vm_reach bytes of the frame given to vm_parse (see
 * vm_overwrites), 'len' is its length.  Returns the length of the frame made, at most 'len'. */
uint16_t vm_run(const struct vm *vm, void *state, uint8_t *frame, uint16_t len);
/* Goes on as 'n' calls of vm_run would, without a frame. */
void vm_advance(const struct vm *vm, void *state, uint32_t n);

/* The first offset behind everything that vm_run reads or writes. */
uint16_t vm_reach(const struct vm *vm);
/* A buffer in which vm_run made a frame before is as good for the next as the frame given to
 * vm_parse: nothing is read before it is written, except bytes that never change. */
bool vm_overwrites(const struct vm *vm);
/* The program has fix_checksum_hw: whoever changes a frame behind vm_run calls vm_checksums. */
bool vm_has_checksums(const struct vm *vm);
/* Computes the checksums of fix_checksum_hw once more, over a frame that was changed since. */
void vm_checksums(const struct vm *vm, uint8_t *frame, uint16_t len);

/* Mean length of the frames of 'len' bytes, with trim_pkt_size. */
double vm_mean_len(const struct vm *vm, uint16_t len);
/* How many frames are made before they repeat ("cache"), or 0. */
uint16_t vm_cache(const struct vm *vm);
/* Sets that number; to be called before vm_state_size.  TRex makes frames that carry a time stamp
 * without a cache. */
void vm_set_cache(struct vm *vm, uint16_t n);
