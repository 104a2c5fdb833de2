/* SPDX-License-Identifier: MIT */
/* A comparison as JSON, and as text for people. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "compare.h"
#include "report/text_page.h"

#define INDENT 10

/* ---- JSON ---- */

static json_t *
side_json(const struct compare *c, unsigned i)
{
	const struct compare_side *side = &c->side[i];
	char *text = chain_print(&side->chain);
	json_t *json = json_pack("{s:s, s:s, s:o, s:s}", "label", side->label, "command",
				 side->command != NULL ? side->command : "", "value",
				 json_number(compare_median(&c->paired, i)), "chain", text);

	free(text);
	return json;
}

static const char *
method_of(const struct compare *c)
{
	if (c->metric != COMPARE_RATE)
		return "fixed_rate";
	return c->in_turns ? "turns" : "flat_out";
}

static json_t *
limit_of(const struct compare *c)
{
	if (c->metric != COMPARE_RATE)
		return json_null();
	return json_string(compare_is_limited(c) ? "generator" : "dut");
}

/* The same value for both may then be the generator's, and says nothing of equal chains. */
static void
doubt_equality(json_t *json)
{
	const char *verdict = json_string_value(json_object_get(json, "verdict"));

	if (verdict == NULL || strcmp(verdict, "equal") != 0)
		return;
	json_object_set_new(json, "verdict", json_string("undecided"));
	json_object_set_new(json, "reason",
			    json_string("generator-limited: differences of the chains hide behind "
					"the generator, which is hardly faster than they are"));
}

json_t *
compare_to_json(const struct compare *c)
{
	const struct paired *p = &c->paired;
	double a = compare_median(p, PAIRED_A), b = compare_median(p, COMPARE_B);
	json_t *json = paired_to_json(p, COMPARE_B);

	json_object_set_new(json, "a", side_json(c, 0));
	json_object_set_new(json, "b", side_json(c, 1));
	json_object_set_new(json, "method", json_string(method_of(c)));
	json_object_set_new(json, "limited_by", limit_of(c));
	json_object_set_new(json, "generator_pps", json_number(c->generator_pps));
	json_object_set_new(json, "head_room_ratio", json_number(c->generator_pps / fmax(a, b)));
	json_object_set_new(json, "frames", json_string(c->side[0].chain.traffic.frames[0].name));
	json_object_set_new(json, "seed", json_u64(p->plan.seed));
	json_object_set_new(json, "restart_s", json_number((double)c->restart_ns / 1e9));
	if (c->instructions != NULL)
		json_object_set(json, "instructions", c->instructions);
	json_object_set(json, "slices", c->slices);
	json_object_set(json, "trials", c->trials);
	if (compare_is_limited(c))
		doubt_equality(json);
	return json;
}

/* ---- text ---- */

static double
number_at(const json_t *json, const char *path)
{
	const json_t *v = json_at(json, path);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

static const char *
word_at(const json_t *json, const char *path)
{
	const char *text = json_string_value(json_at(json, path));

	return text != NULL ? text : "";
}

static void
add_value(struct str *page, const json_t *cmp, const char *side, const char *letter)
{
	bool is_rate = strcmp(word_at(cmp, "unit"), "pps") == 0;
	char path[16], cell[PAGE_CELL];
	const json_t *s = json_object_get(cmp, side);
	double value;

	snprintf(path, sizeof(path), "%s.value", side);
	value = number_at(cmp, path);
	str_addf(page, "  %s ", letter);
	if (isnan(value))
		page_cell(page, 12, "unknown");
	else
		page_cell(page, 12, is_rate ? page_pps(cell, value) : page_ns(cell, value));
	str_addf(page, "  %.58s\n", word_at(s, "label"));
}

static void
add_ratio(struct str *page, const char *head, const json_t *from, double level)
{
	double ratio = number_at(from, "ratio"), low = number_at(from, "ratio_low"),
	       high = number_at(from, "ratio_high");

	str_addf(page, "  %s ", head);
	if (isnan(ratio))
		str_addf(page, "unknown\n");
	else if (isnan(low) || isnan(high))
		str_addf(page, "%.4f, interval unknown\n", ratio);
	else
		str_addf(page, "%.4f, %.0f %% interval %.4f to %.4f\n", ratio, 100 * level, low,
			 high);
}

static const char *
colour_of(const char *verdict)
{
	if (strcmp(verdict, "worse") == 0)
		return PAGE_BAD;
	return strcmp(verdict, "undecided") == 0 ? PAGE_DOUBT : PAGE_GOOD;
}

static void
add_method(struct str *page, const json_t *cmp)
{
	const char *method = word_at(cmp, "method");

	if (strcmp(method, "turns") == 0)
		page_wrap(page, "  method  ", INDENT,
			  "frames for each second of the hop's own CPU time, counted in turns in "
			  "which frames never ran out: the generator is no limit");
	else if (strcmp(method, "flat_out") == 0)
		page_wrap(page, "  method  ", INDENT,
			  strcmp(word_at(cmp, "limited_by"), "generator") == 0
				  ? "frames a second of the whole chain; generator-limited: "
				    "differences of the chain hide behind the generator"
				  : "frames a second of the whole chain, which was the limit: the "
				    "generator alone is at least 1.3 times as fast");
	else if (strcmp(method, "fixed_rate") == 0)
		page_wrap(page, "  method  ", INDENT, "latency at the same load");
	else
		page_wrap(page, "  method  ", INDENT,
			  "two results of different times: between them the machine may have "
			  "changed by more than the chains differ (a paired run, nfvchain compare "
			  "CHAIN CHAIN, would know)");
}

static void
add_instructions(struct str *page, const json_t *cmp)
{
	const json_t *i = json_object_get(cmp, "instructions");
	double a = number_at(i, "a"), b = number_at(i, "b");
	char text[256];

	if (!json_is_object(i))
		return;
	if (isnan(a) || isnan(b))
		snprintf(text, sizeof(text), "unknown: %.200s", word_at(i, "reason"));
	else
		snprintf(text, sizeof(text), "%.1f and %.1f per frame, B / A %.4f, within %.0f %%",
			 a, b, b / a, 100 * number_at(i, "accuracy"));
	page_wrap(page, "  instr.  ", INDENT, text);
}

static void
add_asserts(struct str *page, const json_t *cmp)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(cmp, "asserts"), i, one) {
		const json_t *holds = json_object_get(one, "holds");
		char *text = xasprintf("%s%s" PAGE_PLAIN ": %s",
				       json_is_true(holds)    ? PAGE_GOOD
				       : json_is_false(holds) ? PAGE_BAD
							      : PAGE_DOUBT,
				       json_is_true(holds)    ? "holds"
				       : json_is_false(holds) ? "violated"
							      : "undecided",
				       word_at(one, "sentence"));

		page_wrap(page, "  assert  ", INDENT, text);
		free(text);
	}
}

static void
add_verdict(struct str *page, const json_t *cmp)
{
	const char *verdict = word_at(cmp, "verdict");
	char *text = xasprintf("%s%s" PAGE_PLAIN ": %s", colour_of(verdict), verdict,
			       word_at(cmp, "reason"));

	str_addf(page, "\n");
	page_wrap(page, "  B is ", 7, text);
	free(text);
}

char *
compare_text(const json_t *result, bool colour)
{
	const json_t *cmp = json_object_get(result, "comparison");
	const json_t *control = json_object_get(cmp, "control");
	double level = number_at(cmp, "level"), n_valid = number_at(cmp, "n_valid"),
	       n_rounds = number_at(cmp, "n_rounds"), n_blocks = number_at(cmp, "n_blocks");
	struct str page = {0};

	str_addf(&page, "%s, frames of %s\n\n", word_at(cmp, "metric"), word_at(cmp, "frames"));
	add_value(&page, cmp, "a", "A");
	add_value(&page, cmp, "b", "B");
	str_addf(&page, "\n");
	add_ratio(&page, "B / A  ", cmp, level);
	if (json_is_object(control))
		add_ratio(&page, "A / A  ", control, level);
	if (n_blocks > 0)
		str_addf(&page, "  trials  %.0f of %.0f blocks valid, in %.0f rounds of restarts\n",
			 n_valid, n_blocks, n_rounds);
	add_method(&page, cmp);
	add_instructions(&page, cmp);
	add_asserts(&page, cmp);
	add_verdict(&page, cmp);
	return page_finish(&page, colour);
}
