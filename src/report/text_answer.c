/* SPDX-License-Identifier: MIT */
/* The answer to one measurement: the rate or the loss, and what must stand beside it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rate.h"

#include "text_page.h"
#include "text_parts.h"

/* Column in which answers begin, behind what was sent. */
#define COLS_LABEL 8

/* Between two facts; one column in UTF-8. */
#define DOT "·"

/* ---- parts of an answer ---- */

static void
add_load(struct str *s, double pps, double size)
{
	char cell[PAGE_CELL];

	str_addf(s, PAGE_BOLD "%s" PAGE_PLAIN, page_pps(cell, pps));
	if (!(size > 0))
		return;
	str_addf(s, " (%s%cL1,", page_bps(cell, rate_bps_l1(pps, size)), PAGE_GLUE);
	str_addf(s, " %s%cL2)", page_bps(cell, rate_bps_l2(pps, size)), PAGE_GLUE);
}

/* Of 'g', one of the measurement's goals; files of before there were several have it apart. */
static void
add_goal(struct str *s, const json_t *result, const json_t *g)
{
	const char *code = text_word(g, "code");

	str_addf(s, ", goal%c%s", PAGE_GLUE,
		 code[0] != '?' ? code : text_word(result, "goal.code"));
}

/* A load that was given has no goal: what it was tried with says as much. */
static void
add_trials(struct str *s, const json_t *m)
{
	uint64_t n = text_count(m, "n_trials") - text_count(m, "n_invalid");
	double ns = text_number(m, "searches[0].trials[0].spec.duration_ns");
	char cell[PAGE_CELL];

	if (n == 0)
		return;
	str_addf(s, ", in%c%" PRIu64 "%ctrial%s", PAGE_GLUE, n, PAGE_GLUE, n == 1 ? "" : "s");
	if (ns > 0)
		str_addf(s, " of%c%s", PAGE_GLUE, page_ns(cell, ns));
}

const json_t *
text_selftest(const json_t *result, const json_t *m)
{
	const json_t *list = json_object_get(result, "selftest");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (strcmp(text_word(one, "frames"), text_word(m, "frames")) == 0)
			return one;
	}
	return NULL;
}

static void
add_share(struct str *s, const json_t *result, const json_t *m, double pps)
{
	double max = text_number(text_selftest(result, m), "max_pps");
	char cell[PAGE_CELL];

	if (max > 0 && pps >= 0)
		str_addf(s, " " DOT " %.2f of the generator's own %s", pps / max,
			 page_pps(cell, max));
	else
		str_addf(s, " " DOT " the generator's own maximum is unknown");
}

/* Depth of the rings: each one that differs from the one before. */
static void
add_rings(struct str *s, const json_t *result)
{
	const json_t *links = json_at(result, "chain.links");
	uint64_t last = 0;

	str_addf(s, " " DOT " ring");
	for (size_t i = 0; i < json_array_size(links); i++) {
		uint64_t ring = text_count(json_array_get(links, i), "ring");

		if (ring > 0 && ring != last)
			str_addf(s, "%s%c%" PRIu64, last > 0 ? "," : "", PAGE_GLUE, ring);
		last = ring > 0 ? ring : last;
	}
	if (last == 0)
		str_addf(s, "%c?", PAGE_GLUE);
}

static void
add_quantile(struct str *s, const json_t *m, const char *name, const char *path)
{
	double ns = text_number(m, path);
	char cell[PAGE_CELL];

	str_addf(s, "%s%c%s", name, PAGE_GLUE, ns >= 0 ? page_ns(cell, ns) : "?");
}

/* What the machine's figures are worth, and first of all why; files of before say nothing. */
static void
add_grade(struct str *s, const json_t *result)
{
	const json_t *grade = json_at(result, "environment.grade");
	const char *because = json_string_value(json_at(grade, "because[0]"));

	if (!json_is_object(grade))
		return;
	str_addf(s, " " DOT " grade%c%s", PAGE_GLUE, text_word(grade, "letter"));
	if (because != NULL)
		str_addf(s, ": %s", because);
}

/* What belongs beside each rate, which is one of 'g'. */
static void
add_latency(struct str *s, const json_t *g)
{
	str_addf(s, " " DOT " ");
	add_quantile(s, g, "p50", "latency.p50_ns");
	str_addf(s, ", ");
	add_quantile(s, g, "p99", "latency.p99_ns");
}

/* What belongs beside each measurement. */
static void
add_conditions(struct str *s, const json_t *result, const json_t *m, double pps)
{
	add_share(s, result, m, pps);
	add_rings(s, result);
}

/* ---- answers ---- */

static void
add_spread(struct str *s, const json_t *m, const json_t *g)
{
	uint64_t n = text_count(m, "n_searches") - text_count(g, "n_inconclusive");
	double min = text_number(g, "rate_min_pps");
	char low[PAGE_CELL], high[PAGE_CELL];

	if (n <= 1) {
		str_addf(s, ", one%csearch", PAGE_GLUE);
		return;
	}
	page_pps(high, text_number(g, "rate_max_pps"));
	str_copy(low, sizeof(low), "less than the lowest load tried");
	if (min >= 0)
		page_drop_unit(page_pps(low, min), high);
	str_addf(s, ", median of %" PRIu64 ", %s to %s", n, low, high);
}

/* The interval that the rate of an endless search would lie in. */
static void
add_interval(struct str *s, const json_t *g)
{
	double low = text_number(g, "rate_low_pps"), high = text_number(g, "rate_high_pps");
	char from[PAGE_CELL], to[PAGE_CELL];

	if (!(low >= 0 && high >= 0))
		return;
	page_pps(to, high);
	str_addf(s, ", %.0f%c%% sure of %s to %s", 100 * text_number(g, "interval_level"),
		 PAGE_GLUE, page_drop_unit(page_pps(from, low), to), to);
}

/* All that was lost at the rate, in however many trials: a goal may allow for bad ones. */
static void
add_loss_at(struct str *s, const json_t *g)
{
	uint64_t lost = text_count(g, "lost");
	char n[PAGE_CELL], of[PAGE_CELL];

	if (lost > 0)
		str_addf(s, ", lost %s of %s there (%.2g)", page_count(n, lost),
			 page_count(of, text_count(g, "intended")), text_number(g, "loss_ratio"));
}

/* The goal in words behind the rate, unless it is no loss in any trial, which "zero-loss" in front
 * of it says. */
static void
add_goal_words(struct str *s, const json_t *g)
{
	double loss = text_number(g, "max_loss_ratio"), exceed = text_number(g, "exceed_ratio");
	double trial_s = text_number(g, "trial_s");
	char cell[PAGE_CELL];

	if (loss > 0)
		str_addf(s, " with at most %.4g%c%% lost", 100 * loss, PAGE_GLUE);
	else if (exceed > 0)
		str_addf(s, " without loss");
	if (exceed > 0 && trial_s > 0)
		str_addf(s, " in at least %.3g%c%% of trials of %s", 100 * (1 - exceed), PAGE_GLUE,
			 page_ns(cell, trial_s * NSEC_PER_S));
}

static bool
is_zero_loss(const json_t *g)
{
	return !(text_number(g, "max_loss_ratio") > 0 || text_number(g, "exceed_ratio") > 0);
}

static void
answer_no_rate(struct str *s, const json_t *result, const json_t *m, const json_t *g)
{
	uint64_t n = text_count(m, "n_searches"), unsure = text_count(g, "n_inconclusive");

	str_addf(s, "%s" PAGE_BAD "no rate found" PAGE_PLAIN, is_zero_loss(g) ? "zero-loss: " : "");
	add_goal_words(s, g);
	if (text_count(g, "n_below_min") > 0)
		str_addf(s, ", the chain fails at the lowest load tried");
	else if (unsure > 0)
		str_addf(s, ", %" PRIu64 " of %" PRIu64 " searches were inconclusive", unsure, n);
	else
		str_addf(s, ", no search was finished");
	add_goal(s, result, g);
	add_rings(s, result);
}

/* What one goal of a search came to; 'g' is that goal. */
static void
answer_goal(struct str *s, const json_t *result, const json_t *m, const json_t *g)
{
	double pps = text_number(g, "rate_pps");

	if (!(pps >= 0)) {
		answer_no_rate(s, result, m, g);
		return;
	}
	str_addf(s, "%s%s", is_zero_loss(g) ? "zero-loss " : "",
		 json_is_true(json_at(g, "rate_is_lower_bound")) ? "at least " : "");
	add_load(s, pps, text_number(m, "mean_frame_size"));
	add_goal_words(s, g);
	add_goal(s, result, g);
	add_spread(s, m, g);
	add_interval(s, g);
	add_loss_at(s, g);
	if (g == m || g == json_at(m, "goals[0]"))
		add_conditions(s, result, m, pps);
	add_latency(s, g);
	if (g == m || g == json_at(m, "goals[0]"))
		add_grade(s, result);
}

static void
add_loss(struct str *s, const json_t *m)
{
	double ratio = text_number(m, "loss_ratio");
	uint64_t lost = text_count(m, "lost");
	char n[PAGE_CELL], of[PAGE_CELL];

	if (!(ratio >= 0)) {
		str_addf(s, PAGE_DOUBT "no valid trial" PAGE_PLAIN);
		return;
	}
	page_count(n, lost);
	page_count(of, text_count(m, "intended"));
	str_addf(s, "%slost %s of %s%s", lost > 0 ? PAGE_BAD : PAGE_GOOD, n, of, PAGE_PLAIN);
	if (lost > 0)
		str_addf(s, " (%.3g%c%%)", 100 * ratio, PAGE_GLUE);
}

static void
answer_fixed(struct str *s, const json_t *result, const json_t *m)
{
	double pps = text_number(m, "rate_pps"), offered = text_number(m, "offered_pps");
	double forwarded = text_number(m, "forwarding_pps");
	char cell[PAGE_CELL];

	if (pps >= 0) {
		str_addf(s, "at ");
		add_load(s, pps, text_number(m, "mean_frame_size"));
	} else {
		str_addf(s, "as fast as the link takes frames");
	}
	str_addf(s, ": ");
	add_loss(s, m);
	add_trials(s, m);
	if (forwarded >= 0 && (text_count(m, "lost") > 0 || !(pps >= 0)))
		str_addf(s, " " DOT " forwarding rate %s", page_pps(cell, forwarded));
	add_conditions(s, result, m, pps >= 0 ? pps : offered);
	add_latency(s, m);
	add_grade(s, result);
}

/* How little would be left of the rate if trials lasted as long as the RFC's: the longest duration
 * that the trials could tell something about. */
static void
answer_long(struct str *s, const json_t *m)
{
	const json_t *list = json_object_get(m, "loss_free");
	const json_t *last = json_array_get(list, json_array_size(list) - 1);
	double pps = text_number(last, "rate_pps"), least = text_number(last, "rate_low_pps");
	char cell[PAGE_CELL], low[PAGE_CELL], high[PAGE_CELL];

	/* That they tell nothing is among the doubts. */
	if (!(pps >= 0 || least >= 0))
		return;
	str_addf(s, "without loss for %s, %s: ",
		 page_ns(cell, text_number(last, "duration_s") * NSEC_PER_S),
		 json_is_true(json_at(last, "extrapolated")) ? "extrapolated" : "estimated");
	if (!(pps >= 0)) {
		str_addf(s, "at least " PAGE_BOLD "%s" PAGE_PLAIN, page_pps(cell, least));
		return;
	}
	str_addf(s, PAGE_BOLD "%s" PAGE_PLAIN, page_pps(cell, pps));
	page_pps(high, text_number(last, "rate_high_pps"));
	str_addf(s, ", 95%c%% sure of %s to %s", PAGE_GLUE,
		 page_drop_unit(page_pps(low, least), high), high);
}

/* What came through at the highest load, whatever was lost. */
static void
answer_mrr(struct str *s, const json_t *result, const json_t *m)
{
	double pps = text_number(m, "mrr_pps.median");
	char low[PAGE_CELL], high[PAGE_CELL];

	page_pps(high, text_number(m, "mrr_pps.high"));
	add_load(s, pps, text_number(m, "mean_frame_size"));
	str_addf(s, " come through at full load (MRR), median of %" PRIu64 "%ctrials, %s to %s",
		 text_count(m, "mrr_pps.n_trials"), PAGE_GLUE,
		 page_drop_unit(page_pps(low, text_number(m, "mrr_pps.low")), high), high);
	add_conditions(s, result, m, pps);
	add_latency(s, m);
	add_grade(s, result);
}

/* Ends what was said last, so that the next begins a line. */
static void
end_line(struct str *s)
{
	if (s->len > 0 && s->text[s->len - 1] != '\n')
		str_addf(s, "\n");
}

char *
text_answer_lines(const json_t *result, const json_t *m)
{
	const json_t *goals = json_object_get(m, "goals");
	struct str s = {0};

	for (size_t i = 0; i < json_array_size(goals); i++) {
		answer_goal(&s, result, m, json_array_get(goals, i));
		end_line(&s);
	}
	if (text_number(m, "mrr_pps.median") >= 0)
		answer_mrr(&s, result, m);
	else if (text_is_fixed(m))
		answer_fixed(&s, result, m);
	else if (json_array_size(goals) == 0)
		answer_goal(&s, result, m, m);
	else
		answer_long(&s, m);
	end_line(&s);
	return str_take(&s);
}

void
text_answer(struct str *page, const json_t *result, const json_t *m)
{
	char *label = text_label(m), *lines = text_answer_lines(result, m), *save = NULL;

	if (page_width(label) + 2 > COLS_LABEL) {
		str_addf(page, "%s\n", label);
		label[0] = '\0';
	}
	for (char *line = strtok_r(lines, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		page_wrap(page, label, COLS_LABEL, line);
		/* It is told once. */
		label[0] = '\0';
	}
	free(lines);
	free(label);
}
