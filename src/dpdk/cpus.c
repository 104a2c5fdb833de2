/* SPDX-License-Identifier: MIT */
#include "cpus.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void
cpus_add(struct cpus *set, unsigned cpu)
{
	if (cpu < CPUS_MAX && !set->has[cpu]) {
		set->has[cpu] = true;
		set->n++;
	}
}

int
cpus_allowed(struct cpus *set, struct err *err)
{
	cpu_set_t mask;

	memset(set, 0, sizeof(*set));
	if (sched_getaffinity(0, sizeof(mask), &mask) < 0)
		return err_set(err, errno, "sched_getaffinity: %s", strerror(errno));
	for (unsigned i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &mask))
			cpus_add(set, i);
	return 0;
}

static bool
parse_number(const char **p, unsigned *value)
{
	char *end;
	unsigned long v;

	if (**p < '0' || **p > '9')
		return false;
	v = strtoul(*p, &end, 10);
	*p = end;
	*value = (unsigned)v;
	return v < CPUS_MAX;
}

int
cpus_parse_list(const char *text, struct cpus *set, struct err *err)
{
	const char *p = text;
	unsigned low, high;

	memset(set, 0, sizeof(*set));
	for (;;) {
		if (!parse_number(&p, &low))
			break;
		high = low;
		if (*p == '-') {
			p++;
			if (!parse_number(&p, &high) || high < low)
				break;
		}
		for (unsigned i = low; i <= high; i++)
			cpus_add(set, i);
		if (*p == '\0')
			return 0;
		if (*p++ != ',')
			break;
	}
	return err_usage(err, "'%s' is not a list of CPUs (try 0-3 or 0,2)", text);
}

int
cpus_parse_mask(const char *text, struct cpus *set, struct err *err)
{
	const char *digits = strncasecmp(text, "0x", 2) == 0 ? text + 2 : text;
	size_t len = strlen(digits);

	memset(set, 0, sizeof(*set));
	if (len == 0 || len > CPUS_MAX / 4 || strspn(digits, "0123456789abcdefABCDEF") != len)
		return err_usage(err, "'%s' is not a hexadecimal mask (try 0x3)", text);
	for (size_t i = 0; i < len; i++) {
		char digit[2] = {digits[len - 1 - i]};
		unsigned long bits = strtoul(digit, NULL, 16);

		for (unsigned b = 0; b < 4; b++)
			if (bits & (1ul << b))
				cpus_add(set, (unsigned)(4 * i + b));
	}
	if (set->n == 0)
		return err_usage(err, "'%s' is a mask of no CPU (try 0x3)", text);
	return 0;
}

bool
cpus_subset(const struct cpus *part, const struct cpus *whole)
{
	for (unsigned i = 0; i < CPUS_MAX; i++)
		if (part->has[i] && !whole->has[i])
			return false;
	return true;
}

char *
cpus_print(char *buf, size_t size, const struct cpus *set)
{
	struct str s = {0};

	for (unsigned i = 0; i < CPUS_MAX; i++) {
		unsigned first = i;

		if (!set->has[i])
			continue;
		while (i + 1 < CPUS_MAX && set->has[i + 1])
			i++;
		str_addf(&s, s.len > 0 ? ",%u" : "%u", first);
		if (i > first)
			str_addf(&s, "-%u", i);
	}
	str_copy(buf, size, str_text(&s));
	str_fini(&s);
	return buf;
}

void
cpus_bind_thread(const struct cpus *set, const struct cpus *but)
{
	cpu_set_t mask;
	cpu_set_t all;

	CPU_ZERO(&mask);
	CPU_ZERO(&all);
	for (unsigned i = 0; i < CPUS_MAX && i < CPU_SETSIZE; i++) {
		if (!set->has[i])
			continue;
		CPU_SET(i, &all);
		if (but == NULL || !but->has[i])
			CPU_SET(i, &mask);
	}
	/* Best effort: a thread that stays where it was still works. */
	(void)sched_setaffinity(0, sizeof(mask), CPU_COUNT(&mask) > 0 ? &mask : &all);
}
