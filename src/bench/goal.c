/* SPDX-License-Identifier: MIT */
#include "goal.h"

#include <stdio.h>

#include "base/clock.h"

/* A decimal number in as few characters as it takes, never with an exponent, whose 'e' would mean
 * something else here. */
static char *
print_number(char *buf, size_t size, double v)
{
	size_t len = (size_t)snprintf(buf, size, "%.9f", v);

	while (buf[len - 1] == '0')
		buf[--len] = '\0';
	if (buf[len - 1] == '.')
		buf[len - 1] = '\0';
	return buf;
}

char *
goal_code(char *buf, size_t size, const struct goal *g)
{
	char trial[48], sum[48], loss[48], exceed[48];
	const char *percent;

	print_number(trial, sizeof(trial), (double)g->trial_ns / NSEC_PER_S);
	print_number(sum, sizeof(sum), (double)g->sum_ns / NSEC_PER_S);
	print_number(exceed, sizeof(exceed), 100 * g->exceed_ratio);
	percent = print_number(loss, sizeof(loss), 100 * g->loss_ratio);
	/* Half a percent is ".5l" in the codes of others. */
	if (percent[0] == '0' && percent[1] == '.')
		percent++;
	snprintf(buf, size, "%sf%sd%sl%se", trial, sum, percent, exceed);
	return buf;
}

int
goal_check(const struct goal *g, struct err *err)
{
	if (g->trial_ns == 0 || g->initial_ns > g->trial_ns)
		return err_usage(err, "a search needs trials, and trials need time");
	if (g->sum_ns < g->trial_ns)
		return err_usage(err, "the trials at a load last at least as long as one of them");
	if (!(g->loss_ratio >= 0 && g->loss_ratio < 1))
		return err_usage(err, "loss ratio %g is not from 0 to 1", g->loss_ratio);
	if (!(g->exceed_ratio >= 0 && g->exceed_ratio < 1))
		return err_usage(err, "exceed ratio %g is not from 0 to 1", g->exceed_ratio);
	if (!(g->width > 0 && g->width < 1))
		return err_usage(err, "a width of %g can never be reached", g->width);
	return 0;
}
