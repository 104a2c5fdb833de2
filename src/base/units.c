/* SPDX-License-Identifier: MIT */
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "str.h"

/* Largest power of ten in a decimal fraction: 18 digits behind the point. */
#define FRACTION_SCALE_MAX 1000000000000000000ull

struct unit {
	const char *name; /* NULL ends the list */
	uint64_t factor;
};

/* Something that is counted in whole numbers of a smallest unit. */
struct quantity {
	const char *name;
	const char *smallest; /* "nanoseconds" */
	const char *examples;
	struct unit units[8];
};

static const struct quantity durations = {
	.name = "duration",
	.smallest = "nanoseconds",
	.examples = "10, 90s, 250ms",
	.units = {{"", NSEC_PER_S},
		  {"ns", 1},
		  {"us", NSEC_PER_US},
		  {"ms", NSEC_PER_MS},
		  {"s", NSEC_PER_S},
		  {"m", 60 * NSEC_PER_S},
		  {"h", 3600 * NSEC_PER_S}},
};

static const struct quantity sizes = {
	.name = "size",
	.smallest = "bytes",
	.examples = "64, 9k, 2m",
	.units = {{"", 1}, {"k", 1u << 10}, {"m", 1u << 20}, {"g", 1u << 30}},
};

static const struct quantity counts = {
	.name = "count",
	.smallest = "ones",
	.examples = "1000, 10k, 1m",
	.units = {{"", 1}, {"k", 1000}, {"m", 1000000}, {"g", 1000000000}},
};

/* A decimal number exactly as written: 'whole' + 'part' / 'scale'. */
struct decimal {
	uint64_t whole;
	uint64_t part;
	uint64_t scale;
	const char *rest; /* what stands behind it */
};

static bool
add_digit(uint64_t *value, char digit)
{
	return !__builtin_mul_overflow(*value, 10, value) &&
	       !__builtin_add_overflow(*value, (uint64_t)(digit - '0'), value);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Returns NULL, or what is wrong. */
static const char *
decimal_read(struct decimal *d, const char *text)
{
	const char *p = text;

	*d = (struct decimal){.scale = 1};
	if (p[0] == '-' && is_digit(p[1]))
		return "must not be negative";
	if (!is_digit(p[0]) && !(p[0] == '.' && is_digit(p[1])))
		return "not a number";
	for (; is_digit(*p); p++)
		if (!add_digit(&d->whole, *p))
			return "too large";
	if (p[0] == '.' && is_digit(p[1])) {
		for (p++; is_digit(*p); p++) {
			if (d->scale < FRACTION_SCALE_MAX) {
				d->part = 10 * d->part + (uint64_t)(*p - '0');
				d->scale *= 10;
			} else if (*p != '0') {
				return "too many digits behind the point";
			}
		}
	}
	d->rest = p;
	return NULL;
}

/* Returns the factor of the unit 'name', or 0. */
static uint64_t
factor_of(const struct quantity *q, const char *name)
{
	for (const struct unit *u = q->units; u->name != NULL; u++)
		if (strcasecmp(u->name, name) == 0)
			return u->factor;
	return 0;
}

static int
quantity_parse(const struct quantity *q, const char *text, uint64_t *value, struct err *err)
{
	unsigned __int128 whole, part;
	struct decimal d;
	const char *why = decimal_read(&d, text);
	uint64_t factor;

	if (why != NULL)
		return err_usage(err, "%s '%s': %s (try %s)", q->name, text, why, q->examples);
	factor = factor_of(q, d.rest);
	if (factor == 0)
		return err_usage(err, "%s '%s': unknown unit '%s' (try %s)", q->name, text, d.rest,
				 q->examples);
	whole = (unsigned __int128)d.whole * factor;
	part = (unsigned __int128)d.part * factor;
	if (part % d.scale != 0)
		return err_usage(err, "%s '%s': not a whole number of %s (try %s)", q->name, text,
				 q->smallest, q->examples);
	whole += part / d.scale;
	if (whole > UINT64_MAX)
		return err_usage(err, "%s '%s': too large (try %s)", q->name, text, q->examples);
	*value = (uint64_t)whole;
	return 0;
}

int
duration_parse(const char *text, uint64_t *ns, struct err *err)
{
	return quantity_parse(&durations, text, ns, err);
}

int
size_parse(const char *text, uint64_t *bytes, struct err *err)
{
	return quantity_parse(&sizes, text, bytes, err);
}

int
count_parse(const char *text, uint64_t *count, struct err *err)
{
	return quantity_parse(&counts, text, count, err);
}

/* Whether 'text' is one or more of 'digits' and nothing else. */
static bool
is_made_of(const char *text, const char *digits)
{
	return text[0] != '\0' && text[strspn(text, digits)] == '\0';
}

int
uint_parse(const char *text, uint64_t min, uint64_t max, uint64_t *value, struct err *err)
{
	bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = is_hex ? text + 2 : text;
	unsigned long long v;

	if (!is_made_of(digits, is_hex ? "0123456789abcdefABCDEF" : "0123456789"))
		return err_usage(err, "number '%s': not an unsigned integer (try 10, 0x1f)", text);
	errno = 0;
	v = strtoull(digits, NULL, is_hex ? 16 : 10);
	if (errno == ERANGE || v < min || v > max)
		return err_usage(err, "number '%s': must be from %" PRIu64 " to %" PRIu64, text,
				 min, max);
	*value = v;
	return 0;
}

/* Value of a hexadecimal digit, or -1. */
static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

static bool
mac_read(const char *text, uint8_t mac[6])
{
	if (strlen(text) != strlen("02:00:00:00:00:01"))
		return false;
	for (int i = 0; i < 6; i++) {
		const char *p = text + 3 * i;
		int high = hex_digit(p[0]);
		int low = hex_digit(p[1]);

		if (high < 0 || low < 0 || p[2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

int
mac_parse(const char *text, uint8_t mac[6], struct err *err)
{
	uint8_t read[6];

	if (!mac_read(text, read))
		return err_usage(err,
				 "MAC address '%s': not six bytes in hexadecimal "
				 "(try 02:00:00:00:00:01)",
				 text);
	memcpy(mac, read, sizeof(read));
	return 0;
}

char *
scaled_print(char *buf, size_t size, double value, const char *const *units)
{
	char digits[32];

	/* Round before choosing the unit: 999.99 kpps are 1 Mpps, not 1000 kpps. */
	snprintf(digits, sizeof(digits), "%.3e", value);
	value = strtod(digits, NULL);
	while (fabs(value) >= 1000 && units[1] != NULL) {
		value /= 1000;
		units++;
	}
	if (fabs(value) >= 10000)
		snprintf(buf, size, "%.0f %s", value, units[0]);
	else
		snprintf(buf, size, "%.4g %s", value, units[0]);
	return buf;
}

char *
duration_print(char *buf, size_t size, uint64_t ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s", NULL};

	if (ns == 0)
		snprintf(buf, size, "0 s");
	else if (ns >= 1000 * NSEC_PER_S)
		snprintf(buf, size, "%.0f s", (double)ns / (double)NSEC_PER_S);
	else
		scaled_print(buf, size, (double)ns, units);
	return buf;
}

char *
count_print(char *buf, size_t size, uint64_t count)
{
	char digits[32];
	char text[48];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			text[n++] = ' ';
		text[n++] = digits[i];
	}
	text[n] = '\0';
	str_copy(buf, size, text);
	return buf;
}

char *
mac_print(char *buf, size_t size, const uint8_t mac[6])
{
	snprintf(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	return buf;
}
