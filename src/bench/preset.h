/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "procedure.h"

/* Procedures by name, as others have published or programmed them, so that a figure of theirs can
 * be compared with one of ours.  What they all lack is max_pps. */

struct preset {
	const char *name;
	const char *summary; /* for help */
	struct procedure_conf procedure;
	/* Between trials: for frames still under way, then to come to rest.  0 leaves both to the
	 * measurer. */
	uint64_t drain_ns;
	uint64_t rest_ns;
	unsigned n_repeats; /* how often to run it all, for an interval */
};

/* All of them, for help; ends with one whose name is NULL. */
const struct preset *preset_table(void);

/* The one of that name, or -EINVAL and a sentence with the nearest. */
int preset_find(const char *name, const struct preset **preset, struct err *err);
