/* SPDX-License-Identifier: MIT */
#include "rate.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "units.h"

/* An exponent that is given, beyond which the result is nothing or too large anyway. */
#define EXPONENT_MAX 100000

/* Part of format strings. */
#define EXAMPLES "try 1.2mpps, 100mbps, 10%%"

static const struct {
	char letter;  /* 0 stands for none */
	int exponent; /* of ten */
} prefixes[] = {{'g', 9}, {'m', 6}, {'k', 3}, {0, 0}};

/* Names of the units that take a prefix. */
static const char *const unit_names[] = {
	[RATE_PPS] = "pps",
	[RATE_BPS_L2] = "bps",
	[RATE_BPS_L1] = "bpsl1",
};

static bool
unit_read(const char *name, enum rate_unit *unit)
{
	for (size_t i = 0; i < N_ELEMS(unit_names); i++) {
		if (strcasecmp(name, unit_names[i]) == 0) {
			*unit = (enum rate_unit)i;
			return true;
		}
	}
	return false;
}

/* Splits what stands behind the number into prefix and unit. */
static bool
suffix_read(const char *text, enum rate_unit *unit, int *exponent)
{
	*exponent = 0;
	*unit = text[0] == '%' ? RATE_PERCENT : RATE_PPS;
	if (text[0] == '\0' || strcmp(text, "%") == 0)
		return true;
	for (size_t i = 0; i < N_ELEMS(prefixes); i++) {
		char letter = prefixes[i].letter;

		if (letter == 0 || tolower((unsigned char)text[0]) == letter) {
			*exponent = prefixes[i].exponent;
			return unit_read(text + (letter != 0), unit);
		}
	}
	return false;
}

/* The number in the first 'len' bytes of 'text' times 10 to the 'exponent', rounded once: 2.3 times
 * a million in floating point need not be 2300000. */
static double
shifted(const char *text, size_t len, int exponent)
{
	size_t mantissa = strcspn(text, "eE");
	char *number;
	double value;

	if (mantissa < len) {
		long given = strtol(text + mantissa + 1, NULL, 10);

		if (given > EXPONENT_MAX || given < -EXPONENT_MAX)
			given = given > 0 ? EXPONENT_MAX : -EXPONENT_MAX;
		exponent += (int)given;
		len = mantissa;
	}
	number = xasprintf("%.*se%d", (int)len, text, exponent);
	value = strtod(number, NULL);
	free(number);
	return value;
}

/* What strtod would take although nobody means it: signs, blanks, nan, inf and hexadecimal.
 * Returns NULL, or what is wrong. */
static const char *
number_refused(const char *text)
{
	bool is_negative = text[0] == '-';
	const char *p = text + is_negative;

	p += p[0] == '.';
	if (!isdigit((unsigned char)p[0]) || (p[0] == '0' && tolower((unsigned char)p[1]) == 'x'))
		return "not a number";
	return is_negative ? "must not be negative" : NULL;
}

int
rate_parse(const char *text, struct rate *rate, struct err *err)
{
	const char *why = number_refused(text);
	enum rate_unit unit;
	double value;
	int exponent;
	char *end;

	if (strcasecmp(text, "max") == 0) {
		*rate = (struct rate){.unit = RATE_MAX};
		return 0;
	}
	if (why != NULL)
		return err_usage(err, "rate '%s': %s (" EXAMPLES ")", text, why);
	strtod(text, &end);
	if (!suffix_read(end, &unit, &exponent))
		return err_usage(err, "rate '%s': unknown unit '%s' (" EXAMPLES ")", text, end);
	value = shifted(text, (size_t)(end - text), exponent);
	if (value > RATE_LIMIT)
		return err_usage(err, "rate '%s': too large (" EXAMPLES ")", text);
	if (value <= 0)
		return err_usage(err, "rate '%s': must be greater than 0 (" EXAMPLES ")", text);
	*rate = (struct rate){.value = value, .unit = unit};
	return 0;
}

double
rate_pps(const struct rate *rate, double frame_size, double full_pps)
{
	switch (rate->unit) {
	case RATE_PPS:
		return rate->value;
	case RATE_BPS_L2:
		return rate->value / (8 * frame_size);
	case RATE_BPS_L1:
		return rate->value / (8 * (frame_size + RATE_L1_OVERHEAD));
	case RATE_PERCENT:
		return full_pps * rate->value / 100;
	case RATE_MAX:
		break;
	}
	return full_pps;
}

double
rate_bps_l2(double pps, double frame_size)
{
	return pps * 8 * frame_size;
}

double
rate_bps_l1(double pps, double frame_size)
{
	return pps * 8 * (frame_size + RATE_L1_OVERHEAD);
}

char *
rate_print_pps(char *buf, size_t size, double pps)
{
	static const char *const units[] = {"pps", "kpps", "Mpps", "Gpps", NULL};

	return scaled_print(buf, size, pps, units);
}

char *
rate_print_bps(char *buf, size_t size, double bps)
{
	static const char *const units[] = {"b/s", "kb/s", "Mb/s", "Gb/s", "Tb/s", NULL};

	return scaled_print(buf, size, bps, units);
}

/* Writes 'value' / 10^'exponent' with as few decimals as give 'value' again when it is parsed;
 * fails when 17 are not enough. */
static bool
print_exactly(char *buf, size_t size, double value, int exponent)
{
	for (int decimals = 0; decimals <= 17; decimals++) {
		snprintf(buf, size, "%.*f", decimals, value / pow(10, exponent));
		if (shifted(buf, strlen(buf), exponent) == value)
			return true;
	}
	return false;
}

char *
rate_print(char *buf, size_t size, const struct rate *rate)
{
	char number[64];
	size_t i = 0;

	if (rate->unit == RATE_MAX) {
		snprintf(buf, size, "max");
		return buf;
	}
	while (prefixes[i].letter != 0 &&
	       (rate->unit == RATE_PERCENT || rate->value < pow(10, prefixes[i].exponent)))
		i++;
	while (!print_exactly(number, sizeof(number), rate->value, prefixes[i].exponent)) {
		if (prefixes[i].letter == 0) {
			snprintf(number, sizeof(number), "%.17g", rate->value);
			break;
		}
		i++;
	}
	snprintf(buf, size, "%s%.*s%s", number, prefixes[i].letter != 0, &prefixes[i].letter,
		 rate->unit == RATE_PERCENT ? "%" : unit_names[rate->unit]);
	return buf;
}
