/* SPDX-License-Identifier: MIT */
#include "replay_rules.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"

/* Where only the type is compared; '*' stands for any method, a path that ends in '*' for all that
 * begin so. */
static const struct {
	const char *method, *path, *why;
} masked[] = {
	{"api_sync_v2", "/api_h", "made for each run of a server"},
	{"acquire", "", "a handler, made for each acquire"},
	{"ping", "/ts", "a clock"},
	{"start_traffic", "/ts", "a clock"},
	{"get_version", "/build_*", "of the build"},
	{"get_version", "/built_by", "of the build"},
	{"get_system_info", "/hostname", "of the machine"},
	{"get_system_info", "/uptime", "a clock"},
	{"get_system_info", "/core_type", "of the machine"},
	{"get_system_info", "/ports/*/driver", "of the device"},
	{"get_system_info", "/ports/*/description", "of the device"},
	{"get_system_info", "/ports/*/hw_mac", "of the device"},
	{"get_system_info", "/ports/*/is_prom_supported", "of the device"},
	{"get_system_info", "/ports/*/rx/counters", "how many of what is counted"},
	{"get_system_info", "/ports/*/rx/caps*", "what is counted; no tagged packet groups here"},
	{"get_port_status", "/attr/promiscuous/enabled", "of the device"},
	{"get_port_xstats_names", "/xstats_names*", "of the device"},
	{"get_port_xstats_values", "/xstats_values*", "counters"},
	{"get_global_stats", "/*", "counters and rates"},
	{"get_port_stats", "/*", "counters and rates"},
	{"get_utilization", "/cpu/*", "rates; one core serves both ports here"},
	{"get_utilization", "/mbuf_stats/*", "of the pools"},
	{"get_pgid_stats", "/*", "counters and rates"},
	{"push_pkts", "/ts", "a clock"},
	{"capture", "/start_ts", "a clock"},
	{"capture", "/*/bytes", "a counter, of frames under way"},
	{"capture", "/*/count", "a counter"},
	{"capture", "/*/matched", "a counter"},
	{"capture", "/pkts/*/ts", "a clock"},
};

/* Members that one of the two does not have. */
static const struct {
	const char *method, *path, *why;
} apart[] = {
	{"get_version", "/x_nfvchain", "our own"},
	{"get_utilization", "/mbuf_stats/cpu-socket-0/*", "pools are of the sizes that are used"},
	{"get_pgid_stats", "/latency/*/lat/histogram/*", "what was measured"},
	{"get_pgid_stats", "/latency/*/er*", "what was measured"},
	{"get_pgid_stats", "/latency/*/lat/hdrh", "our own"},
	{"get_pgid_stats", "/latency/12", "ours are told from the first stream on, not the start"},
};

/* '*' in the pattern is any text without '/', at its end any text. */
static bool
fits(const char *pattern, const char *path)
{
	for (; *pattern != '\0'; pattern++, path++) {
		if (*pattern == '*') {
			if (pattern[1] == '\0')
				return true;
			path += strcspn(path, "/");
			pattern++;
		}
		if (*pattern != *path)
			return false;
	}
	return *path == '\0';
}

bool
replay_is_masked(const char *method, const char *path)
{
	for (size_t i = 0; i < N_ELEMS(masked); i++)
		if (strcmp(masked[i].method, method) == 0 && fits(masked[i].path, path))
			return true;
	return false;
}

bool
replay_is_apart(const char *method, const char *path)
{
	for (size_t i = 0; i < N_ELEMS(apart); i++)
		if (strcmp(apart[i].method, method) == 0 && fits(apart[i].path, path))
			return true;
	return false;
}
