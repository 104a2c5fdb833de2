/* SPDX-License-Identifier: MIT */
#include "dpdk_defects.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Series with long support, and their patch level when the table was made. */
static const struct {
	unsigned release;
	unsigned patch;
} series[] = {{2211, 11}, {2311, 7}, {2411, 6}, {2511, 2}};

/* A backport is only known to be in the patch level looked at, so that level is what stands here.
 */
#define B0 11
#define B1 7
#define B2 6
#define B3 2

/* Only what a release that we build with (22.11 and later) can have. */
const struct dpdk_defect dpdk_defects[] = {
	{"event_sw mixes up ordered and atomic flows after a RELEASE", 2311, {B0}, 0},
	{"event_dsw leaks its rings when it is closed", 2307, {B0}, 0},
	{"the event Tx adapter reads beyond its list of devices", 2303, {B0}, 0},
	{"the event Rx adapter's runtime parameters touch memory that is not theirs: leave them "
	 "alone",
	 2307,
	 {0},
	 0},
	{"telemetry of the event Rx adapter crashes the program when asked for a port of 65536 or "
	 "more: show the socket to no one you do not trust",
	 2603,
	 {0, B1, B2, B3},
	 0},
	{"telemetry is not safe with several clients at once: use one at a time",
	 2607,
	 {0, 0, B2, 0},
	 0},
	{"memif can merge frames because a descriptor keeps its old chain flag: buffers must hold "
	 "the largest frame",
	 2603,
	 {0, B1, B2, B3},
	 0},
	{"memif damages frames that come in several descriptors: buffers must hold the largest "
	 "frame",
	 2603,
	 {0, B1, B2, B3},
	 0},
	{"memif crashes on bursts of more than 32 received or 255 sent", 2403, {0, B1}, 2303},
	{"memif without copies writes beyond its ring", 2411, {B0, B1}, 0},
	{"af_packet writes beyond the buffer when a frame is larger: buffers must hold the largest "
	 "frame",
	 2603,
	 {0, 0, 0, B3},
	 0},
	{"af_packet ports cannot be used again after stop and start", 2503, {B0, B1, B2}, 0},
	{"af_packet crashes in a secondary process such as dpdk-dumpcap", 2511, {B0, B1, B2}, 0},
	{"af_packet takes nonsense and negative numbers in its arguments", 2607, {0, 0, B2, 0}, 0},
	{"af_xdp leaks the sockets of all queues but the first when it is closed",
	 2607,
	 {0, 0, B2, 0},
	 0},
	{"af_xdp without copies sends buffers that were freed already", 2507, {B0, B1, B2}, 0},
	{"af_xdp does not say at which port a frame came in", 2407, {B0, B1}, 0},
	{"af_xdp sends wrong memory for external buffers", 2603, {0, B1, B2, B3}, 0},
	{"vhost may use freed memory while it shuts down", 2603, {0, 0, B2, B3}, 0},
	{"vhost reads beyond, or without end, when a guest's control queue is malicious",
	 2603,
	 {0, B1, B2, B3},
	 2307},
	{"vhost reads a header twice, and the guest may change it in between",
	 2511,
	 {B0, B1, B2},
	 0},
	{"a guest can crash the host by its checksum fields (CVE-2024-11614)",
	 2503,
	 {B0, B1, B2},
	 0},
	{"containers that share hugetlbfs can take each other's memory maps: use one file prefix "
	 "each",
	 2603,
	 {0, B1, B2, B3},
	 0},
	{"the example eventdev_pipeline crashes on a bad Tx queue", 2411, {B0, B1}, 0},
	{"the example l2fwd-event cleans up with its arguments swapped", 2303, {B0}, 0},
};

const size_t dpdk_n_defects = N_ELEMS(dpdk_defects);

bool
dpdk_version_parse(const char *text, struct dpdk_version *version)
{
	const char *at = strstr(text, "DPDK ");

	*version = (struct dpdk_version){0};
	/* "22.11.0" and "25.11.0-rc1" have all three, an early "22.11" has two. */
	return at != NULL &&
	       sscanf(at, "DPDK %2u.%2u.%u", &version->year, &version->month, &version->patch) >= 2;
}

enum dpdk_state
dpdk_defect_state(const struct dpdk_defect *defect, const struct dpdk_version *version)
{
	unsigned release = 100 * version->year + version->month;

	if (release >= defect->fixed || release < defect->since)
		return DPDK_FIXED;
	for (size_t i = 0; i < N_ELEMS(series); i++) {
		if (series[i].release != release)
			continue;
		if (defect->backport[i] == 0)
			return version->patch > series[i].patch ? DPDK_MAYBE : DPDK_DEFECT;
		return version->patch < defect->backport[i] ? DPDK_MAYBE : DPDK_FIXED;
	}
	return DPDK_DEFECT;
}
