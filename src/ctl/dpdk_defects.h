/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Defects of DPDK that matter to chains, and which releases have them. */

struct dpdk_version {
	unsigned year, month, patch; /* 22.11.4 */
};

/* Finds "DPDK 22.11.4" in a text; false when there is none. */
bool dpdk_version_parse(const char *text, struct dpdk_version *version);

enum dpdk_state {
	DPDK_FIXED,
	DPDK_DEFECT, /* has it */
	DPDK_MAYBE,  /* fixed in a patch release of this series that may be later or earlier */
};

struct dpdk_defect {
	const char *what; /* what goes wrong, and what avoids it */
	unsigned fixed;	  /* first release with the fix, 2307 = 23.07 */
	/* Patch level of 22.11, 23.11, 24.11 and 25.11 that is known to have the fix, or 0: the
	 * newest one known has not. */
	unsigned char backport[4];
	unsigned since; /* first release with the defect, or 0 */
};

extern const struct dpdk_defect dpdk_defects[];
extern const size_t dpdk_n_defects;

enum dpdk_state dpdk_defect_state(const struct dpdk_defect *defect,
				  const struct dpdk_version *version);
