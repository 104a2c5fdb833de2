/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include <jansson.h>

/* How long each step took that brought something up: shown while they happen, and kept for the
 * result.  One list for the process, in which any thread may write. */

/* What the steps from now on belong to: "self-test", "chain". */
void steps_phase(const char *phase);
/* Called with a sentence as each step ends, from the thread that it ended in; NULL: nobody hears.
 */
void steps_hear(void (*told)(const char *text));

/* Notes that a step that began at 'start_ns' (of clock_now_ns) is done.  'of' is what it was a step
 * of: a machine, a network; "" for the whole. */
void steps_done(const char *of, const char *step, uint64_t start_ns);

/* [{phase, of, step, elapsed_s}] in the order in which they ended. */
json_t *steps_to_json(void);
