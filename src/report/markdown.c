/* SPDX-License-Identifier: MIT */
#include "markdown.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "bench/trial.h"

#include "figure.h"
#include "found.h"
#include "repeat.h"
#include "text_page.h"
#include "text_parts.h"

/* Room for a sentence of the ledger. */
#define SENTENCE 1024

#define BLANK "\302\240"

/* ---- text ---- */

/* Text with marks and glue; what would be markup in it is escaped, a line end is a blank.  '@' and
 * '#' would name people and issues. */
static void
add_text(struct str *page, const char *text)
{
	bool bold = false;

	for (; *text != '\0'; text++) {
		if (*text >= PAGE_BOLD[0] && *text <= PAGE_PLAIN[0]) {
			if (bold != (*text != PAGE_PLAIN[0]))
				str_addf(page, "**");
			bold = *text != PAGE_PLAIN[0];
		} else if (*text == PAGE_GLUE) {
			str_addf(page, BLANK);
		} else if ((unsigned char)*text < ' ' || *text == 0x7f) {
			str_addf(page, " ");
		} else if (*text == '@') {
			str_addf(page, "&#64;");
		} else {
			str_addf(page, "%s%c", strchr("\\`*_{}[]<>#|~&$", *text) ? "\\" : "",
				 *text);
		}
	}
	str_addf(page, "%s", bold ? "**" : "");
}

static void
add_cell(struct str *page, double value, enum figure_unit unit)
{
	char cell[PAGE_CELL];

	str_addf(page, " ");
	add_text(page, figure_print(cell, value, unit));
	str_addf(page, " |");
}

static void
add_text_cell(struct str *page, const char *text)
{
	str_addf(page, " ");
	add_text(page, text);
	str_addf(page, " |");
}

/* ---- the answer ---- */

static void
add_answer(struct str *page, const json_t *result, const json_t *m)
{
	char *label = text_label(m), *lines = text_answer_lines(result, m), *save = NULL;
	char *reason = limit_reason(result, m);

	str_addf(page, "**");
	add_text(page, label);
	str_addf(page, ":** ");
	/* Two blanks break a line. */
	for (char *line = strtok_r(lines, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		add_text(page, line);
		str_addf(page, "  \n");
	}
	str_addf(page, "Why not more: ");
	add_text(page, reason);
	str_addf(page, ".\n\n");
	free(label);
	free(lines);
	free(reason);
}

static void
add_comparison(struct str *page, const json_t *c)
{
	if (!json_is_object(c))
		return;
	str_addf(page, "**");
	add_text(page, text_word(c, "b.label"));
	str_addf(page, " against ");
	add_text(page, text_word(c, "a.label"));
	str_addf(page, ": ");
	add_text(page, text_word(c, "verdict"));
	str_addf(page, "**, ");
	add_text(page, text_word(c, "metric"));
	str_addf(page, " ratio %.4g (%.4g to %.4g), control ", text_number(c, "ratio"),
		 text_number(c, "ratio_low"), text_number(c, "ratio_high"));
	add_text(page, text_word(c, "control.verdict"));
	str_addf(page, "\n\n");
}

static void
add_rate_row(struct str *page, const json_t *result, const json_t *m, size_t i)
{
	char *label = text_label(m), *spread, *loss;
	bool fixed = text_is_fixed(m);
	struct found f;

	found_get(&f, result, m, i);
	spread = found_spread(&f);
	loss = found_loss(&f);
	str_addf(page, "|");
	add_text_cell(page, label);
	add_text_cell(page, fixed ? "load given" : loss);
	add_text_cell(page, fixed || f.code == NULL ? "" : f.code);
	str_addf(page, "%s", f.is_lower_bound ? " \342\211\245" : "");
	add_cell(page, f.rate_pps, FIGURE_PPS);
	add_text_cell(page, fixed ? "" : spread);
	add_cell(page, i == 0 ? text_number(m, "loss_ratio") : NAN, FIGURE_RATIO);
	add_cell(page, i == 0 ? text_number(m, "latency.p50_ns") : NAN, FIGURE_NS);
	add_cell(page, i == 0 ? text_number(m, "latency.p99_ns") : NAN, FIGURE_NS);
	str_addf(page, " %" PRIu64 " of %" PRIu64 " |\n",
		 text_count(m, "n_trials") - text_count(m, "n_invalid"), text_count(m, "n_trials"));
	free(spread);
	free(loss);
	free(label);
	found_fini(&f);
}

static void
add_rates(struct str *page, const json_t *result)
{
	const json_t *list = json_object_get(result, "measurements");

	if (json_array_size(list) == 0)
		return;
	str_addf(page, "| Frames | Loss allowed | Goal | Rate | How sure | Lost | p50 | p99 | "
		       "Valid trials |\n|---|---|---|--:|---|--:|--:|--:|--:|\n");
	for (size_t i = 0; i < json_array_size(list); i++)
		for (size_t k = 0; k < found_count(json_array_get(list, i)); k++)
			add_rate_row(page, result, json_array_get(list, i), k);
	str_addf(page, "\n");
}

/* ---- the ledger ---- */

static void
add_link_row(struct str *page, const struct ledger *l, size_t i)
{
	const struct ledger_link *link = &l->link[i];

	str_addf(page, "| link %zu | | | | |", i);
	add_cell(page, link->known ? (double)link->lost_forward + (double)link->lost_backward : NAN,
		 FIGURE_COUNT);
	str_addf(page, "\n");
}

static void
add_hop_row(struct str *page, const struct ledger_hop *hop)
{
	const struct ledger_port *port = hop->port;
	bool known = hop->known;

	str_addf(page, "|");
	add_text_cell(page, hop->name);
	add_cell(page, known ? (double)(port[0].rx + port[1].rx) : NAN, FIGURE_COUNT);
	add_cell(page, known ? (double)(port[0].tx + port[1].tx) : NAN, FIGURE_COUNT);
	add_cell(page, known ? (double)(port[0].miss + port[1].miss) : NAN, FIGURE_COUNT);
	add_cell(page, known && hop->exact ? (double)ledger_hop_drops(hop) : NAN, FIGURE_COUNT);
	str_addf(page, " |\n");
}

/* What hops tell of the time inside them. */
static void
add_times(struct str *page, const struct trial *t)
{
	char *share = text_times_share(t);

	if (share == NULL)
		return;
	for (size_t i = 0; i < t->ledger.n_hops; i++) {
		char *hop = text_times_hop(t, i);

		if (hop == NULL)
			continue;
		str_addf(page, "- ");
		add_text(page, hop);
		str_addf(page, "\n");
		free(hop);
	}
	str_addf(page, "\n");
	add_text(page, share);
	str_addf(page, "\n\n");
	free(share);
}

static void
add_ledger(struct str *page, const json_t *m)
{
	struct text_shown *shown = text_find_shown(m);
	char buf[SENTENCE], *label = text_label(m);
	const struct ledger *l;

	if (shown != NULL) {
		l = &shown->t.ledger;
		str_addf(page, "Where the frames went, ");
		add_text(page, label);
		str_addf(page,
			 ", last%s trial:\n\n| Place | Received | Sent | Missed | Dropped | "
			 "Lost |\n|---|--:|--:|--:|--:|--:|\n| generator, out | |",
			 shown->accepted ? " accepted" : "");
		add_cell(page, (double)l->sent, FIGURE_COUNT);
		str_addf(page, " | | |\n");
		for (size_t i = 0; i <= l->n_hops; i++) {
			add_link_row(page, l, i);
			if (i < l->n_hops)
				add_hop_row(page, &l->hop[i]);
		}
		str_addf(page, "| generator, in |");
		add_cell(page, (double)l->received, FIGURE_COUNT);
		str_addf(page, " |");
		add_cell(page, (double)l->gen[0].miss + (double)l->gen[1].miss, FIGURE_COUNT);
		str_addf(page, " | |\n\n");
		add_text(page, ledger_explain(buf, sizeof(buf), l));
		str_addf(page, "\n\n");
		add_times(page, &shown->t);
	}
	free(shown);
	free(label);
}

/* ---- around it ---- */

static void
add_words(struct str *page, const char *before, const char *text)
{
	str_addf(page, "%s", before);
	add_text(page, text);
}

static void
add_environment(struct str *page, const json_t *result)
{
	static const char *const keys[] = {"cpu_model",	   "cpus_allowed", "kernel",
					   "dpdk_version", "hypervisor",   "governor"};
	const json_t *e = json_object_get(result, "environment");
	const json_t *because = json_at(e, "grade.because");
	const char *before = "Machine: ";

	if (!json_is_object(e))
		return;
	for (size_t i = 0; i < N_ELEMS(keys); i++) {
		const char *text = json_string_value(json_object_get(e, keys[i]));

		if (text == NULL)
			continue;
		add_words(page, before, "");
		add_words(page, strcmp(keys[i], "cpus_allowed") == 0 ? "CPUs " : "", text);
		before = ", ";
	}
	if (json_is_string(json_at(e, "grade.letter"))) {
		add_words(page, before, "graded ");
		add_words(page, "", text_word(e, "grade.letter"));
		for (size_t i = 0; i < json_array_size(because); i++)
			add_words(page, i == 0 ? " (" : "; ",
				  text_word(json_array_get(because, i), ""));
		str_addf(page, "%s", json_array_size(because) > 0 ? ")" : "");
	}
	str_addf(page, "\n\n");
}

/* A block of code around text of others: indented, since nothing in such a block is markup. */
static void
add_command(struct str *page, const json_t *result)
{
	char *command = repeat_command(result);

	str_addf(page, "Again, with nfvchain ");
	add_text(page, text_word(result, "nfvchain"));
	str_addf(page, ":\n\n    ");
	for (const char *c = command; *c != '\0'; c++)
		str_addf(page, "%c", (unsigned char)*c < ' ' ? ' ' : *c);
	str_addf(page, "\n");
	free(command);
}

static void
add_doubts(struct str *page, const json_t *result)
{
	json_t *list = text_doubt_list(result);

	if (json_array_size(list) > 0)
		str_addf(page, "Not sure:\n\n");
	for (size_t i = 0; i < json_array_size(list); i++) {
		add_words(page, "- ", json_string_value(json_array_get(list, i)));
		str_addf(page, "\n");
	}
	str_addf(page, "%s", json_array_size(list) > 0 ? "\n" : "");
	json_decref(list);
}

char *
markdown_render(const json_t *result)
{
	const json_t *list = json_object_get(result, "measurements");
	const json_t *comparison = json_object_get(result, "comparison");
	const json_t *comparisons = json_object_get(result, "comparisons");
	struct str page = {0};

	str_addf(&page, "### ");
	add_text(&page, text_word(result, "chain.name"));
	str_addf(&page, "\n\n");
	if (json_array_size(comparisons) == 0)
		add_comparison(&page, comparison);
	for (size_t i = 0; i < json_array_size(comparisons); i++)
		add_comparison(&page, json_array_get(comparisons, i));
	for (size_t i = 0; i < json_array_size(list); i++)
		add_answer(&page, result, json_array_get(list, i));
	if (json_array_size(list) == 0 && comparison == NULL)
		str_addf(&page, "Nothing was measured.\n\n");
	add_rates(&page, result);
	for (size_t i = 0; i < json_array_size(list); i++)
		add_ledger(&page, json_array_get(list, i));
	add_doubts(&page, result);
	add_environment(&page, result);
	add_command(&page, result);
	return str_take(&page);
}
