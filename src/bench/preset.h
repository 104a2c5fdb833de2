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

/* The names of all of them, in their order; ends with NULL. */
extern const char *const preset_names[];

/* All of them, for help; ends with one whose name is NULL. */
const struct preset *preset_table(void);

/* What of a preset may be changed without making it another; 0 leaves a thing as it is. */
struct preset_tune {
	uint64_t trial_ns; /* length of final trials; as many as before are needed at a load */
	double step_ratio; /* neighbouring loads of the result, 1.02 = 2 % */
};

/* The procedure of 'preset' with loads up to 'max_pps', the generator's own maximum. */
struct procedure_conf preset_procedure(const struct preset *preset, const struct preset_tune *tune,
				       double max_pps);

/* The one of that name, or -EINVAL and a sentence with the nearest. */
int preset_find(const char *name, const struct preset **preset, struct err *err);
