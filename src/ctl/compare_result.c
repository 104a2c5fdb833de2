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

static bool
is_flat_out(const struct compare *c)
{
	return c->metric == COMPARE_RATE && !c->in_turns;
}

/* Rates of a side for each of its busy CPUs, and in all.  In turns its value is for a second of CPU
 * time, by whichever lcore that was spent; else it is that of the whole chain. */
static void
add_per_cpu(const struct compare *c, unsigned i, json_t *json)
{
	double value = compare_median(&c->paired, i), n = c->side[i].n_cpus;
	double each = is_flat_out(c) ? value / n : value,
	       total = is_flat_out(c) ? value : value * n;

	json_object_set_new(json, "lcores", json_integer(c->side[i].n_lcores));
	json_object_set_new(json, "cpus", json_integer(c->side[i].n_cpus));
	/* A bridge of the kernel's has no CPU of its own. */
	if (c->metric != COMPARE_RATE || c->side[i].n_cpus == 0)
		each = NAN;
	json_object_set_new(json, "per_cpu_pps", json_number(each));
	json_object_set_new(json, "total_pps",
			    json_number(c->metric == COMPARE_RATE ? total : NAN));
}

static json_t *
side_json(const struct compare *c, unsigned i)
{
	const struct compare_side *side = &c->side[i];
	char *text = chain_print(&side->chain);
	json_t *json = json_pack("{s:s, s:s, s:o, s:s}", "label", side->label, "command",
				 side->command != NULL ? side->command : "", "value",
				 json_number(compare_median(&c->paired, i)), "chain", text);

	free(text);
	add_per_cpu(c, i, json);
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

/* Side 'b' against A. */
static json_t *
one_to_json(struct compare *c, unsigned b)
{
	struct paired *p = &c->paired;
	double most = fmax(compare_median(p, PAIRED_A), compare_median(p, b));
	struct claim_facts facts;
	json_t *json;

	compare_facts(c, b, &facts);
	compare_judge_claims(c->conf, &facts, p);
	json = paired_to_json(p, b);
	json_object_set_new(json, "a", side_json(c, PAIRED_A));
	json_object_set_new(json, "b", side_json(c, b));
	json_object_set_new(json, "method", json_string(method_of(c)));
	json_object_set_new(json, "limited_by", limit_of(c));
	json_object_set_new(json, "generator_pps", json_number(c->generator_pps));
	json_object_set_new(json, "head_room_ratio", json_number(c->generator_pps / most));
	json_object_set_new(json, "frames", json_string(c->side[0].chain.traffic.frames[0].name));
	json_object_set_new(json, "seed", json_u64(p->plan.seed));
	json_object_set_new(json, "restart_s", json_number((double)c->restart_ns / 1e9));
	if (c->instructions != NULL)
		json_object_set(json, "instructions", c->instructions);
	if (compare_is_limited(c))
		doubt_equality(json);
	return json;
}

void
compare_add_to_result(struct compare *c, json_t *result)
{
	json_t *first = one_to_json(c, COMPARE_B), *list;

	/* They are the same for all. */
	json_object_set(first, "slices", c->slices);
	json_object_set(first, "trials", c->trials);
	json_object_set_new(result, "comparison", first);
	if (c->n_sides == 2)
		return;
	list = json_array();
	json_array_append(list, first);
	for (unsigned b = COMPARE_B + 1; b < c->n_sides; b++)
		json_array_append_new(list, one_to_json(c, b));
	json_object_set_new(result, "comparisons", list);
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

/* "A has 2 lcores on 2 CPUs: 4.6 Mpps a CPU, 9.2 Mpps in all"; of one lcore the value says both. */
static void
add_lcores(struct str *page, const json_t *side, const char *letter)
{
	double lcores = number_at(side, "lcores"), cpus = number_at(side, "cpus");
	char each[PAGE_CELL], all[PAGE_CELL], *text;

	if (!(lcores > 1) || isnan(number_at(side, "total_pps")))
		return;
	text = xasprintf("%s has %.0f lcores on %.0f CPU%s: %s a CPU, %s in all", letter, lcores,
			 cpus, cpus == 1 ? "" : "s", page_pps(each, number_at(side, "per_cpu_pps")),
			 page_pps(all, number_at(side, "total_pps")));
	page_wrap(page, "  lcores  ", INDENT, text);
	free(text);
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
		snprintf(text, sizeof(text),
			 "%.1f per frame against %.1f of A: %+.1f, %+.1f %%, within %.2f %%; "
			 "counted, whatever else the machine does",
			 b, a, b - a, 100 * (b / a - 1), 100 * number_at(i, "accuracy"));
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
add_verdict(struct str *page, const json_t *cmp, char letter)
{
	const char *verdict = word_at(cmp, "verdict");
	char *text = xasprintf("%s%s" PAGE_PLAIN ": %s", colour_of(verdict), verdict,
			       word_at(cmp, "reason"));
	char head[16];

	snprintf(head, sizeof(head), "  %c is ", letter);
	page_wrap(page, head, 7, text);
	free(text);
}

/* Comparison number 'i' of a result, NULL behind the last. */
static const json_t *
comparison_at(const json_t *result, size_t i)
{
	const json_t *list = json_object_get(result, "comparisons");

	if (list != NULL)
		return json_array_get(list, i);
	return i == 0 ? json_object_get(result, "comparison") : NULL;
}

static void
add_ratios(struct str *page, const json_t *result)
{
	const json_t *cmp = json_object_get(result, "comparison");
	const json_t *control = json_object_get(cmp, "control"), *one;
	double level = number_at(cmp, "level");

	for (size_t i = 0; (one = comparison_at(result, i)) != NULL; i++) {
		char head[16];

		snprintf(head, sizeof(head), "%c / A  ", (char)('B' + i));
		add_ratio(page, head, one, level);
	}
	if (json_is_object(control))
		add_ratio(page, "A / A  ", control, level);
}

char *
compare_text(const json_t *result, bool colour)
{
	const json_t *cmp = json_object_get(result, "comparison"), *one;
	double n_valid = number_at(cmp, "n_valid"), n_rounds = number_at(cmp, "n_rounds"),
	       n_blocks = number_at(cmp, "n_blocks");
	struct str page = {0};

	str_addf(&page, "%s, frames of %s\n\n", word_at(cmp, "metric"), word_at(cmp, "frames"));
	add_value(&page, cmp, "a", "A");
	for (size_t i = 0; (one = comparison_at(result, i)) != NULL; i++)
		add_value(&page, one, "b", (const char[]){(char)('B' + i), '\0'});
	str_addf(&page, "\n");
	add_lcores(&page, json_object_get(cmp, "a"), "A");
	for (size_t i = 0; (one = comparison_at(result, i)) != NULL; i++)
		add_lcores(&page, json_object_get(one, "b"), (const char[]){(char)('B' + i), '\0'});
	add_ratios(&page, result);
	if (n_blocks > 0)
		str_addf(&page, "  trials  %.0f of %.0f blocks valid, in %.0f rounds of restarts\n",
			 n_valid, n_blocks, n_rounds);
	add_method(&page, cmp);
	add_instructions(&page, cmp);
	for (size_t i = 0; (one = comparison_at(result, i)) != NULL; i++)
		add_asserts(&page, one);
	str_addf(&page, "\n");
	for (size_t i = 0; (one = comparison_at(result, i)) != NULL; i++)
		add_verdict(&page, one, (char)('B' + i));
	return page_finish(&page, colour);
}
