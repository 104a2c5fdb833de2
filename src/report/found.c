/* SPDX-License-Identifier: MIT */
#include "found.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"

#include "figure.h"
#include "text_page.h"
#include "text_parts.h"

size_t
found_count(const json_t *m)
{
	size_t n = json_array_size(json_object_get(m, "goals"));

	return n > 0 ? n : 1;
}

/* What a goal and the measurement itself, in a file without goals, have by the same names. */
static void
get_rates(struct found *f, const json_t *m, const json_t *from)
{
	uint64_t all = text_count(m, "n_searches"), unsure = text_count(from, "n_inconclusive");

	f->n = all > unsure ? all - unsure : 0;
	f->rate_pps = text_number(from, "rate_pps");
	f->low_pps = text_number(from, "rate_low_pps");
	f->high_pps = text_number(from, "rate_high_pps");
	f->is_lower_bound = json_is_true(json_object_get(from, "rate_is_lower_bound"));
	f->level = text_number(from, "interval_level");
	/* Every interval without a level of its own is one of 95 %. */
	if (f->low_pps >= 0 || f->high_pps >= 0) {
		f->level = f->level > 0 && f->level < 1 ? f->level : 0.95;
		return;
	}
	f->level = NAN;
	f->low_pps = text_number(from, "rate_min_pps");
	f->high_pps = text_number(from, "rate_max_pps");
}

static void
get_terms(struct found *f, const json_t *goal)
{
	f->code = json_string_value(json_object_get(goal, "code"));
	f->max_loss_ratio = text_number(goal, "max_loss_ratio");
	f->exceed_ratio = text_number(goal, "exceed_ratio");
	f->trial_s = text_number(goal, "trial_s");
}

static void
get_mrr(struct found *f, const json_t *m)
{
	*f = (struct found){
		.code = "MRR",
		.max_loss_ratio = NAN,
		.exceed_ratio = NAN,
		.rate_pps = text_number(m, "mrr_pps.median"),
		.low_pps = text_number(m, "mrr_pps.low"),
		.high_pps = text_number(m, "mrr_pps.high"),
		.level = NAN,
		.is_mrr = true,
		.n = text_count(m, "mrr_pps.n_trials"),
		.path = xstrdup("mrr_pps.median"),
	};
}

void
found_get(struct found *f, const json_t *result, const json_t *m, size_t i)
{
	const json_t *goals = json_object_get(m, "goals"), *goal = json_array_get(goals, i);

	*f = (struct found){0};
	if (goal == NULL && text_number(m, "mrr_pps.median") >= 0) {
		get_mrr(f, m);
		return;
	}
	get_terms(f, goal != NULL ? goal : json_object_get(result, "goal"));
	get_rates(f, m, goal != NULL ? goal : m);
	f->path = goal != NULL ? xasprintf("goals[%zu].rate_pps", i) : xstrdup("rate_pps");
}

void
found_fini(struct found *f)
{
	/* The paths are ours, and const only for the readers. */
	free((void *)(uintptr_t)f->path);
	*f = (struct found){0};
}

char *
found_spread(const struct found *f)
{
	char low[PAGE_CELL], high[PAGE_CELL];

	figure_print(high, f->high_pps, FIGURE_PPS);
	str_copy(low, sizeof(low), f->level > 0 ? "?" : "less than the lowest load tried");
	if (f->low_pps >= 0)
		page_drop_unit(page_pps(low, f->low_pps), high);
	if (f->level > 0)
		return xasprintf("%.3g%c%% interval %s to %s", 100 * f->level, PAGE_GLUE, low,
				 high);
	if (f->is_mrr)
		return xasprintf("median of %zu%ctrials, %s to %s", f->n, PAGE_GLUE, low, high);
	if (f->n == 0)
		return xstrdup("no search was finished");
	if (f->n == 1 || !(f->high_pps >= 0))
		return xasprintf("%zu%csearch%s, so the spread is not known", f->n, PAGE_GLUE,
				 f->n == 1 ? "" : "es");
	if (f->low_pps == f->high_pps)
		return xasprintf("the same in all %zu%csearches", f->n, PAGE_GLUE);
	return xasprintf("median of %zu%csearches, %s to %s", f->n, PAGE_GLUE, low, high);
}

char *
found_loss(const struct found *f)
{
	char loss[64] = "no loss", cell[PAGE_CELL];

	if (f->max_loss_ratio > 0)
		snprintf(loss, sizeof(loss), "at most %.4g%c%% lost", 100 * f->max_loss_ratio,
			 PAGE_GLUE);
	if (f->is_mrr)
		return xstrdup("any loss");
	if (!(f->exceed_ratio > 0))
		return xstrdup(f->max_loss_ratio > 0 ? loss : "zero loss");
	return xasprintf("%s in at least %.3g%c%% of trials of %s", loss,
			 100 * (1 - f->exceed_ratio), PAGE_GLUE,
			 figure_print(cell, f->trial_s, FIGURE_S));
}
