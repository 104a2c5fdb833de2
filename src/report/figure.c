/* SPDX-License-Identifier: MIT */
#include "figure.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/units.h"

static char *
print_bytes(char *buf, double value)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", NULL};
	size_t i = 0;

	for (; fabs(value) >= 1024 && units[i + 1] != NULL; i++)
		value /= 1024;
	snprintf(buf, PAGE_CELL, "%.4g%c%s", value, PAGE_GLUE, units[i]);
	return buf;
}

char *
figure_print(char buf[PAGE_CELL], double value, enum figure_unit unit)
{
	bool whole = fabs(value) < 0x1p63;

	snprintf(buf, PAGE_CELL, "?");
	if (isnan(value))
		return buf;
	if (unit == FIGURE_PPS)
		return page_pps(buf, value);
	if (unit == FIGURE_BPS)
		return page_bps(buf, value);
	if (unit == FIGURE_BYTES)
		return print_bytes(buf, value);
	if (unit == FIGURE_COUNT && whole && value < 0) {
		buf[0] = '-';
		page_glue(count_print(buf + 1, PAGE_CELL - 1, (uint64_t)-value));
		return buf;
	}
	if (unit == FIGURE_COUNT && whole)
		return page_count(buf, (uint64_t)value);
	if (unit == FIGURE_NS || unit == FIGURE_S)
		return page_ns(buf, unit == FIGURE_S ? value * NSEC_PER_S : value);
	if (unit == FIGURE_RATIO)
		snprintf(buf, PAGE_CELL, "%.3g%c%%", 100 * value, PAGE_GLUE);
	else
		snprintf(buf, PAGE_CELL, "%.4g", value);
	return buf;
}

void
figure_exact(struct str *out, double value)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	str_addf(out, "%s", isfinite(value) ? text : "");
}
