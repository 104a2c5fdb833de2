/* SPDX-License-Identifier: MIT */
#include "procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define TICK_NS (10 * NSEC_PER_MS)

/* Reads the number that 'text' begins with after blanks and returns what follows it, or NULL. */
static const char *
number(const char *text, uint64_t *value)
{
	unsigned long long read;
	char *end;

	text += strspn(text, " \t");
	if (!isdigit((unsigned char)*text))
		return NULL;
	errno = 0;
	read = strtoull(text, &end, 10);
	if (errno != 0)
		return NULL;
	*value = read;
	return end;
}

/* The 'n'-th number from 0 on. */
static bool
nth_number(const char *text, unsigned n, uint64_t *value)
{
	uint64_t one;

	for (unsigned i = 0; i <= n; i++) {
		text = number(text, &one);
		if (text == NULL)
			return false;
	}
	*value = one;
	return true;
}

/* What follows 'head' at the start of a line, or NULL. */
static const char *
after_head(const char *text, const char *head)
{
	size_t len = strlen(head);

	while (text != NULL) {
		if (strncmp(text, head, len) == 0)
			return text + len;
		text = strchr(text, '\n');
		text = text != NULL ? text + 1 : NULL;
	}
	return NULL;
}

bool
procfs_schedstat(const char *text, uint64_t *ran_ns, uint64_t *delay_ns)
{
	uint64_t ran;

	if (!nth_number(text, 0, &ran) || !nth_number(text, 1, delay_ns))
		return false;
	*ran_ns = ran;
	return true;
}

bool
procfs_last_cpu(const char *text, uint64_t *cpu)
{
	/* A name may have blanks and parentheses in it; the last one closes it.  The state follows,
	 * a letter, then numbers of which some are negative. */
	const char *at = strrchr(text, ')');

	for (int field = 2; at != NULL && field < 39; field++) {
		at = strchr(at + 1, ' ');
	}
	return at != NULL && number(at, cpu) != NULL;
}

bool
procfs_status(const char *text, const char *name, uint64_t *value)
{
	char head[64];

	snprintf(head, sizeof(head), "%s:", name);
	text = after_head(text, head);
	return text != NULL && nth_number(text, 0, value);
}

bool
procfs_steal(const char *text, int cpu, uint64_t *ns)
{
	uint64_t ticks;
	char head[32];

	if (cpu < 0)
		snprintf(head, sizeof(head), "cpu ");
	else
		snprintf(head, sizeof(head), "cpu%d ", cpu);
	text = after_head(text, head);
	/* user nice system idle iowait irq softirq steal */
	if (text == NULL || !nth_number(text, 7, &ticks) || ticks > UINT64_MAX / TICK_NS)
		return false;
	*ns = ticks * TICK_NS;
	return true;
}

bool
procfs_pressure(const char *text, uint64_t *ns)
{
	const char *some = after_head(text, "some "), *end;
	const char *total = some != NULL ? strstr(some, "total=") : NULL;
	uint64_t us;

	if (total == NULL)
		return false;
	end = strchr(some, '\n');
	if ((end != NULL && total > end) || number(total + 6, &us) == NULL ||
	    us > UINT64_MAX / NSEC_PER_US)
		return false;
	*ns = us * NSEC_PER_US;
	return true;
}

static int
compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

size_t
procfs_numbers(const char *dir, int *numbers, size_t max)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	size_t n = 0;

	if (d == NULL)
		return 0;
	while (n < max && (entry = readdir(d)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			numbers[n++] = atoi(entry->d_name);
	closedir(d);
	qsort(numbers, n, sizeof(*numbers), compare_ints);
	return n;
}
