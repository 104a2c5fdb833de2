/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include <jansson.h>

/* The field engine once more, as slowly and as plainly as can be: it reads the JSON of each
 * instruction in each frame and counts in steps of one.  For tests, which compare the two.
 *
 * What a random variable drew it cannot know: it looks it up in the frame made by the other, where
 * the program must have written the variable, with all its bytes, in network order, at
 * MODEL_SPY + 8 * number of the instruction, and judges whether it may be so. */

#define MODEL_MAX 32 /* instructions */
#define MODEL_SPY 128
#define MODEL_FRAME (MODEL_SPY + 8 * MODEL_MAX)
#define MODEL_MAX_LIMIT 8 /* of flow_var_rand_limit */

struct model_var {
	uint64_t min, max, step;
	uint64_t pos;	/* value, or index of the list */
	uint64_t value; /* what is read */
	uint64_t ip, port, flows;
	uint64_t drawn; /* of flow_var_rand_limit */
	uint64_t seen[MODEL_MAX_LIMIT];
	unsigned n_seen;
};

struct model {
	const json_t *insts;
	const uint8_t *base; /* headers are what they are in this one */
	uint16_t len, frame_len;
	uint8_t frame[MODEL_FRAME];
	struct model_var vars[MODEL_MAX]; /* by number of their instruction */
	uint64_t cache, frames;
};

void model_init(struct model *m, const json_t *vm_object, uint16_t len);
/* Makes the next frame from 'base' in m->frame, m->frame_len bytes of it sent; 'real' is the one to
 * compare with.  Returns NULL, or what is wrong with a random value of it. */
const char *model_run(struct model *m, const uint8_t *base, const uint8_t *real);
