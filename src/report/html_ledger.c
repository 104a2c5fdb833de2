/* SPDX-License-Identifier: MIT */
/* Where the frames of one trial went: the picture of the chain, and the table beside it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "bench/trial.h"

#include "html_parts.h"
#include "text_page.h"
#include "text_parts.h"

/* Room for a sentence of the ledger. */
#define SENTENCE 1024

/* ---- the table ---- */

/* A figure that is wrong unless it is 0. */
static void
add_wrong(struct str *page, double n)
{
	str_addf(page, n == 0 || isnan(n) ? "<td>" : "<td class=\"wrong\">");
	html_figure(page, n, FIGURE_COUNT);
	str_addf(page, "</td>");
}

static void
add_empty(struct str *page, unsigned n)
{
	while (n-- > 0)
		str_addf(page, "<td></td>");
}

static void
add_name(struct str *page, const char *class, const char *name)
{
	str_addf(page, "<tr class=\"%s\"><th scope=\"row\">", class);
	html_text(page, name);
	str_addf(page, "</th>");
}

static void
add_link(struct str *page, const struct ledger *l, size_t i, bool back)
{
	const struct ledger_link *link = &l->link[i];
	char name[32];

	snprintf(name, sizeof(name), "link %zu", i);
	add_name(page, "link", name);
	add_empty(page, 4);
	add_wrong(page,
		  !link->known ? NAN : (double)(back ? link->lost_backward : link->lost_forward));
	str_addf(page, "</tr>\n");
}

/* "tx_full 10, runt 2" */
static void
add_reasons(struct str *page, const struct ledger_hop *hop)
{
	struct str s = {0};
	char cell[PAGE_CELL];

	for (size_t i = 0; i < hop->n_drops; i++)
		if (hop->drop[i].n > 0)
			str_addf(&s, "%s%s%c%s", s.len > 0 ? ", " : "", hop->drop[i].name,
				 PAGE_GLUE, page_count(cell, hop->drop[i].n));
	if (s.len > 0) {
		str_addf(page, "<tr class=\"remark\"><td colspan=\"6\">dropped: ");
		html_marked(page, str_text(&s));
		str_addf(page, "</td></tr>\n");
	}
	str_fini(&s);
}

/* A hop passed from port 'in' to the other; what belongs to no direction stands on the way there.
 */
static void
add_hop(struct str *page, const struct ledger_hop *hop, int in)
{
	add_name(page, "hop", hop->name);
	html_cell(page, hop->known ? (double)hop->port[in].rx : NAN, FIGURE_COUNT);
	html_cell(page, hop->known ? (double)hop->port[1 - in].tx : NAN, FIGURE_COUNT);
	add_wrong(page, hop->known ? (double)hop->port[in].miss : NAN);
	if (in == 1)
		add_empty(page, 1);
	else
		add_wrong(page, hop->known && hop->exact ? (double)ledger_hop_drops(hop) : NAN);
	add_empty(page, 1);
	str_addf(page, "</tr>\n");
	if (in == 0 && hop->known)
		add_reasons(page, hop);
}

static void
add_way(struct str *page, const struct ledger *l, bool back)
{
	add_name(page, "generator", back ? "generator:1" : "generator:0");
	add_empty(page, 1);
	html_cell(page, (double)l->gen[back].tx, FIGURE_COUNT);
	add_empty(page, 3);
	str_addf(page, "</tr>\n");
	for (size_t i = 0; i <= l->n_hops; i++) {
		add_link(page, l, back ? l->n_hops - i : i, back);
		if (i < l->n_hops)
			add_hop(page, &l->hop[back ? l->n_hops - 1 - i : i], back);
	}
	add_name(page, "generator", back ? "generator:0" : "generator:1");
	html_cell(page, (double)l->gen[!back].rx, FIGURE_COUNT);
	add_empty(page, 1);
	add_wrong(page, (double)l->gen[!back].miss);
	add_empty(page, 2);
	str_addf(page, "</tr>\n");
}

/* ---- what it says ---- */

static void
add_equation(struct str *page, const struct trial *t)
{
	const struct ledger *l = &t->ledger;
	const struct {
		const char *before;
		double n;
		const char *what;
	} terms[] = {
		{"", (double)l->sent, "sent"},
		{"+ ", (double)l->created, "created"},
		{"= ", (double)l->received, "received"},
		{"+ ", (double)l->drops, "dropped"},
		{"+ ", (double)l->miss, "missed"},
		{"+ ", (double)l->in_flight, "in&nbsp;flight"},
		{"+ ", l->lost_known ? (double)l->lost : NAN, "lost"},
		{"+ ", (double)l->unexplained, "unexplained"},
		{"+ ", (double)l->residual, "unaccounted"},
	};

	str_addf(page, "<p class=\"equation\">");
	for (size_t i = 0; i < N_ELEMS(terms); i++) {
		/* The last two are of a ledger that does not balance. */
		if (i >= N_ELEMS(terms) - 2 && terms[i].n == 0)
			continue;
		str_addf(page, "%s<b>", terms[i].before);
		html_figure(page, terms[i].n, FIGURE_COUNT);
		str_addf(page, "</b>&nbsp;%s ", terms[i].what);
	}
	str_addf(page, "</p>\n");
}

static void
add_explanation(struct str *page, const struct trial *t)
{
	char buf[SENTENCE], cell[PAGE_CELL];

	ledger_explain(buf, sizeof(buf), &t->ledger);
	str_addf(page, "<p>%s", t->ledger.balanced ? "" : "<strong class=\"bad\">");
	html_text(page, buf);
	str_addf(page, "%s", t->ledger.balanced ? "" : "</strong>");
	if (t->refused > 0) {
		str_addf(page, "; <strong class=\"bad\">");
		html_marked(page, page_count(cell, t->refused));
		str_addf(page, " refused at the generator's links</strong>");
	}
	str_addf(page, ".</p>\n");
}

static void
add_shown(struct html *html, const struct text_shown *shown)
{
	struct str *page = &html->page;
	char load[PAGE_CELL] = "the highest load", took[PAGE_CELL], *which;

	if (!shown->t.spec.flat_out && shown->t.spec.rate_pps >= 0)
		page_pps(load, shown->t.spec.rate_pps);
	which = xasprintf("%s trial: %s for %s: " PAGE_BOLD "%s" PAGE_PLAIN ", %s.",
			  shown->only	    ? "The only"
			  : shown->accepted ? "The last accepted"
					    : "The last",
			  load, page_ns(took, (double)shown->t.spec.duration_ns),
			  trial_verdict_name(shown->t.verdict), shown->t.reason);
	str_addf(page, "<p>");
	html_marked(page, which);
	str_addf(page, "</p>\n");
	free(which);
}

static bool
has_backward(const struct ledger *l)
{
	uint64_t any = l->gen[1].tx | l->gen[0].rx | l->gen[0].miss;

	for (size_t i = 0; i < l->n_hops; i++)
		any |= l->hop[i].port[1].rx | l->hop[i].port[0].tx | l->hop[i].port[1].miss;
	return any != 0;
}

static void
add_tables(struct str *page, const struct trial *t)
{
	static const char columns[] = "<Place|Received|Sent|Missed|Dropped|Lost";

	html_table(page, "Frames along the chain", columns);
	add_way(page, &t->ledger, false);
	str_addf(page, HTML_TABLE_END);
	if (!has_backward(&t->ledger))
		return;
	html_table(page, "And on the way back", columns);
	add_way(page, &t->ledger, true);
	str_addf(page, HTML_TABLE_END);
}

void
html_ledger(struct html *html)
{
	const json_t *chain = json_object_get(html->result, "chain");
	struct str *page = &html->page;
	size_t n = html_n_measurements(html);

	if (!json_is_object(chain) && n == 0)
		return;
	html_section(html, "ledger", "Where every frame went");
	for (size_t i = 0; i < n || i == 0; i++) {
		const json_t *m = html_measurement(html, i);
		struct text_shown *shown = text_find_shown(m);

		if (m != NULL)
			html_heading(html, m);
		if (shown != NULL)
			add_shown(html, shown);
		str_addf(page, "<div class=\"beside-picture\">\n");
		if (json_is_object(chain))
			html_picture(page, chain, shown != NULL ? &shown->t : NULL,
				     json_object_get(m, "attribution"));
		str_addf(page, "<div>\n");
		if (shown != NULL) {
			add_tables(page, &shown->t);
			add_equation(page, &shown->t);
			add_explanation(page, &shown->t);
		} else if (!json_is_object(json_object_get(html->result, "comparison"))) {
			str_addf(page, "<p>No trial can be shown.</p>\n");
		}
		str_addf(page, "</div>\n</div>\n");
		free(shown);
	}
	str_addf(page, "</section>\n");
}
