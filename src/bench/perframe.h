/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Instructions per frame, from exact counts: each time that somebody looked, so many frames had
 * been forwarded, and so many instructions executed.
 *
 * The points lie on a line but for what a program does once in a while for many frames, such as to
 * give a ring of buffers back; a look may come just before or just behind it.  So the line is
 * fitted to all points, and how far they lie off it says how exact its slope is. */

struct perframe_point {
	uint64_t frames;       /* since the beginning */
	uint64_t instructions; /* since the beginning */
	unsigned stretch;      /* ascending; what happened between two of them counts for nothing:
				* there the hop also did something else */
};

struct perframe {
	double per_frame; /* instructions; NaN when unknown */
	double accuracy;  /* relative: half the 95 % interval; NaN when unknown */
};

/* Least squares: a line for each stretch, all of the same slope.  False, and NaN, when the points
 * are too few for an accuracy. */
bool perframe_fit(const struct perframe_point *point, size_t n, struct perframe *fit);
