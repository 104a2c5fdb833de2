/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/str.h"

#include "text_page.h"

/* Figures in reports: for people, and exactly. */

enum figure_unit {
	FIGURE_PLAIN, /* four digits */
	FIGURE_COUNT,
	FIGURE_PPS,
	FIGURE_BPS,
	FIGURE_NS,
	FIGURE_S,
	FIGURE_BYTES,
	FIGURE_RATIO, /* as a percentage */
};

/* "8.412 Mpps", "0.012 %", "?" for NaN, with glue; into 'buf', returned. */
char *figure_print(char buf[PAGE_CELL], double value, enum figure_unit unit);

/* As few digits as say it exactly, as JSON has them; nothing for NaN and infinity. */
void figure_exact(struct str *out, double value);
