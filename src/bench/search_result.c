/* SPDX-License-Identifier: MIT */
#include "search_result.h"

void
search_result_init(struct search_result *r)
{
	*r = (struct search_result){.end = SEARCH_INCONCLUSIVE};
	hist_init(&r->latency);
}

const char *
search_end_name(enum search_end end)
{
	static const char *const names[] = {
		[SEARCH_FOUND] = "found",
		[SEARCH_AT_MAX] = "at_max",
		[SEARCH_BELOW_MIN] = "below_min",
		[SEARCH_AT_LEAST] = "at_least",
		[SEARCH_INCONCLUSIVE] = "inconclusive",
	};

	return names[end];
}
