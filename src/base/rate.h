/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "err.h"

/* A load as people state it: per port and direction.  'bps' is L2, frame with FCS; 'bpsl1' adds
 * the 20 bytes of preamble, SFD and inter-frame gap; '%' is of something the caller knows. */

enum rate_unit { RATE_PPS, RATE_BPS_L2, RATE_BPS_L1, RATE_PERCENT, RATE_MAX };

struct rate {
	double value; /* in the unit, never negative; unused for RATE_MAX */
	enum rate_unit unit;
};

/* Bytes of a frame on the wire beside the frame itself (ISO 8802-3: 7 + 1 + 12). */
#define RATE_L1_OVERHEAD 20

/* A petabit or 10^15 frames a second: beyond any port, and safe to convert to integers. */
#define RATE_LIMIT 1e15

/* Parses "1.2mpps", "100kpps", "500pps", "100mbps", "1gbpsl1", "10%", "max", and a bare number,
 * which is frames a second.  A load of nothing and loads above RATE_LIMIT are refused. */
int rate_parse(const char *text, struct rate *rate, struct err *err);

/* Frames a second, for frames of 'frame_size' bytes on average (with FCS); '%' is of 'full_pps',
 * and so is RATE_MAX. */
double rate_pps(const struct rate *rate, double frame_size, double full_pps);

double rate_bps_l2(double pps, double frame_size);
double rate_bps_l1(double pps, double frame_size);

/* "1.488 Mpps", "762 Mb/s": four significant digits, written into 'buf' and returned. */
char *rate_print_pps(char *buf, size_t size, double pps);
char *rate_print_bps(char *buf, size_t size, double bps);
/* The unit as in a chain file: "1.2mpps", "10%", "max". */
char *rate_print(char *buf, size_t size, const struct rate *rate);
