/* SPDX-License-Identifier: MIT */
/* Where the frames of one trial went: by kind, and hop by hop along the chain. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"

#include "text_page.h"
#include "text_parts.h"

/* Columns of the tables: a name, counters of frames, counters of what went wrong. */
#define COLS_NAME 14
#define COLS_COUNT 15
#define COLS_WRONG 11

/* Room for a sentence of the ledger. */
#define SENTENCE 1024

/* "  name            1 234 567", for page_wrap. */
static void
begin_line(struct str *line, const char *name, uint64_t n)
{
	char cell[PAGE_CELL];

	str_addf(line, "  ");
	page_cell(line, -COLS_NAME, name);
	page_cell(line, COLS_COUNT, page_count(cell, n));
}

/* ---- kinds of frames ---- */

static void
add_frames(struct str *page, const char *name, uint64_t n, const char *remark)
{
	struct str line = {0};

	begin_line(&line, name, n);
	if (remark[0] != '\0')
		str_addf(&line, "   ");
	page_wrap(page, str_text(&line), 2 + COLS_NAME + COLS_COUNT + 3, remark);
	str_fini(&line);
}

/* Adds ", 12 corrupt" for what there is. */
static void
add_part(struct str *parts, uint64_t n, const char *what)
{
	char cell[PAGE_CELL];

	if (n > 0)
		str_addf(parts, "%s%s%c%s", parts->len > 0 ? ", " : "", page_count(cell, n),
			 PAGE_GLUE, what);
}

static void
add_received(struct str *page, const struct trial *t)
{
	struct str parts = {0};

	add_part(&parts, t->ok, "intact");
	add_part(&parts, t->duplicate, "duplicate");
	add_part(&parts, t->corrupt, "corrupt");
	add_part(&parts, t->truncated, "truncated");
	add_part(&parts, t->misdelivered, "misdelivered");
	add_part(&parts, t->reflected, "reflected");
	add_part(&parts, t->overdue, "overdue");
	add_part(&parts, t->reordered, "out of order in their flow");
	add_frames(page, "received", t->received, str_text(&parts));
	str_fini(&parts);
}

static void
add_drops(struct str *page, const struct trial *t)
{
	const struct ledger *l = &t->ledger;
	struct str parts = {0};
	uint64_t inside = 0;

	for (size_t i = 0; i < l->n_hops; i++)
		for (size_t k = 0; k < l->hop[i].n_drops; k++) {
			char *what = xasprintf("%s%c%s", l->hop[i].name, PAGE_GLUE,
					       l->hop[i].drop[k].name);

			add_part(&parts, l->hop[i].drop[k].n, what);
			free(what);
		}
	for (size_t i = 0; i < l->n_hops; i++)
		if (l->hop[i].known && !l->hop[i].exact && ledger_hop_unnamed(&l->hop[i]) > 0)
			inside += (uint64_t)ledger_hop_unnamed(&l->hop[i]);
	if (inside > 0)
		add_part(&parts, inside, "inside foreign hops");
	add_frames(page, "dropped", l->drops, str_text(&parts));
	str_fini(&parts);
}

/* Signed counts: frames of others can make a link deliver more than was put in. */
static char *
signed_count(char buf[PAGE_CELL], int64_t n)
{
	buf[0] = '-';
	count_print(buf + (n < 0), PAGE_CELL - 1, n < 0 ? -(uint64_t)n : (uint64_t)n);
	return page_glue(buf);
}

static void
add_lost(struct str *page, const struct ledger *l)
{
	struct str line = {0}, parts = {0};
	char cell[PAGE_CELL];

	for (size_t i = 0; i <= l->n_hops; i++) {
		int64_t lost = l->link[i].lost_forward + l->link[i].lost_backward;

		if (l->link[i].known && lost != 0)
			str_addf(&parts, "%slink%c%zu:%c%s", parts.len > 0 ? ", " : "", PAGE_GLUE,
				 i, PAGE_GLUE, signed_count(cell, lost));
	}
	if (l->unexplained != 0)
		str_addf(&parts, "%s%s where no counter can be read", parts.len > 0 ? ", " : "",
			 signed_count(cell, l->unexplained));
	str_addf(&line, "  ");
	page_cell(&line, -COLS_NAME, "lost");
	page_cell(&line, COLS_COUNT, l->lost_known ? signed_count(cell, l->lost) : "?");
	if (parts.len > 0)
		str_addf(&line, "   ");
	page_wrap(page, str_text(&line), 2 + COLS_NAME + COLS_COUNT + 3, str_text(&parts));
	str_fini(&parts);
	str_fini(&line);
}

void
text_frames(struct str *page, const struct trial *t)
{
	add_frames(page, "intended", t->intended, "");
	add_frames(page, "sent", t->sent, "");
	add_frames(page, "refused", t->refused,
		   t->refused > 0 ? "due, on time, and no room on the link" : "");
	if (t->late_unknown)
		add_frames(page, "not sent", t->late, "of what was asked, and no word why");
	else
		add_frames(page, "late", t->late, t->late > 0 ? "the generator was not there" : "");
	add_received(page, t);
	add_drops(page, t);
	add_frames(page, "missed", t->ledger.miss,
		   t->ledger.miss > 0 ? "no descriptor at the device" : "");
	if (t->ledger.created > 0)
		add_frames(page, "created", t->ledger.created, "duplicates made inside the chain");
	if (t->ledger.in_flight > 0)
		add_frames(page, "in flight", t->ledger.in_flight, "held after the drain");
	add_lost(page, &t->ledger);
}

/* ---- hop by hop ---- */

/* One line of the table; an empty text is a figure that the row does not have. */
struct row {
	char rx[PAGE_CELL], tx[PAGE_CELL], miss[PAGE_CELL], drops[PAGE_CELL];
};

static void
add_row(struct str *page, const char *name, const struct row *row)
{
	struct str line = {0};

	str_addf(&line, "  %s", name);
	if (page_width(name) >= COLS_NAME) {
		str_addf(page, "%s\n", str_text(&line));
		str_fini(&line);
		str_addf(&line, "  ");
	}
	page_cell(page, -(2 + COLS_NAME), str_text(&line));
	page_cell(page, COLS_COUNT, row->rx);
	page_cell(page, COLS_COUNT, row->tx);
	page_cell(page, COLS_WRONG, row->miss);
	page_cell(page, COLS_WRONG, row->drops);
	/* Blanks at the end of a line help nobody. */
	while (page->text[page->len - 1] == ' ')
		page->text[--page->len] = '\0';
	str_addn(page, "\n", 1);
	str_fini(&line);
}

/* Figures that are wrong unless they are 0 stand out if they are not. */
static void
put_wrong(char cell[PAGE_CELL], int64_t n)
{
	char *marked;

	signed_count(cell, n);
	if (n == 0)
		return;
	marked = xasprintf(PAGE_BAD "%s" PAGE_PLAIN, cell);
	str_copy(cell, PAGE_CELL, marked);
	free(marked);
}

static void
add_hop_remarks(struct str *page, const struct ledger_hop *hop)
{
	struct str parts = {0};

	for (size_t i = 0; i < hop->n_drops; i++)
		add_part(&parts, hop->drop[i].n, hop->drop[i].name);
	if (parts.len > 0)
		page_wrap(page, "    dropped: ", 13, str_text(&parts));
	str_fini(&parts);
	add_part(&parts, hop->created, "made here");
	add_part(&parts, hop->in_flight, "held after the drain");
	if (parts.len > 0)
		page_wrap(page, "    ", 4, str_text(&parts));
	str_fini(&parts);
}

static void
add_foreign_remark(struct str *page, const struct ledger_hop *hop)
{
	const char *tells =
		hop->n_drops > 0 ? "tells rx, tx and some drops" : "tells rx and tx only";
	int64_t inside = ledger_hop_unnamed(hop);
	char cell[PAGE_CELL];
	struct str s = {0};

	if (!hop->known)
		str_addf(&s, "its counters could not be read");
	else if (inside == 0)
		str_addf(&s, "%s, and swallowed none%s", tells, hop->n_drops > 0 ? " besides" : "");
	else
		str_addf(&s, "%s: " PAGE_BAD "%s %s" PAGE_PLAIN, tells,
			 page_count(cell, (uint64_t)(inside > 0 ? inside : -inside)),
			 inside > 0 ? "swallowed for reasons of its own"
				    : "more sent than received");
	page_wrap(page, "    ", 4, str_text(&s));
	str_fini(&s);
}

/* A hop passed from port 'in' to port 'out'; what belongs to no direction stands on the way
 * forward. */
static void
add_hop(struct str *page, const struct ledger_hop *hop, int in)
{
	struct row row = {.rx = "?", .tx = "?", .miss = "?", .drops = "?"};

	if (hop->known) {
		page_count(row.rx, hop->port[in].rx);
		page_count(row.tx, hop->port[1 - in].tx);
		put_wrong(row.miss, (int64_t)hop->port[in].miss);
	}
	if (in == 1)
		row.drops[0] = '\0';
	else if (hop->known && hop->exact)
		put_wrong(row.drops, (int64_t)ledger_hop_drops(hop));
	add_row(page, hop->name, &row);
	if (in == 0 && hop->known)
		add_hop_remarks(page, hop);
	if (in == 0 && !(hop->known && hop->exact))
		add_foreign_remark(page, hop);
}

/* A link has one figure, which may be as wide as the whole line. */
static void
add_link(struct str *page, const struct ledger *l, size_t i, bool back)
{
	const struct ledger_link *link = &l->link[i];
	char name[24], lost[PAGE_CELL] = "?";

	if (link->known)
		put_wrong(lost, back ? link->lost_backward : link->lost_forward);
	snprintf(name, sizeof(name), "  link %zu", i);
	page_cell(page, -(2 + COLS_NAME), name);
	page_cell(page, 2 * COLS_COUNT + 3 * COLS_WRONG, lost);
	str_addn(page, "\n", 1);
}

static void
add_way(struct str *page, const struct ledger *l, bool back)
{
	const struct ledger_port *from = &l->gen[back], *to = &l->gen[!back];
	struct row first = {0}, last = {0};

	page_count(first.tx, from->tx);
	add_row(page, back ? "generator:1" : "generator:0", &first);
	for (size_t i = 0; i <= l->n_hops; i++) {
		add_link(page, l, back ? l->n_hops - i : i, back);
		if (i < l->n_hops)
			add_hop(page, &l->hop[back ? l->n_hops - 1 - i : i], back);
	}
	page_count(last.rx, to->rx);
	put_wrong(last.miss, (int64_t)to->miss);
	add_row(page, back ? "generator:0" : "generator:1", &last);
}

/* Did anything happen on the way from the generator's port 1 to its port 0? */
static bool
has_backward(const struct ledger *l)
{
	uint64_t any = l->gen[1].tx | l->gen[0].rx | l->gen[0].miss;

	for (size_t i = 0; i < l->n_hops; i++)
		any |= l->hop[i].port[1].rx | l->hop[i].port[0].tx | l->hop[i].port[1].miss;
	for (size_t i = 0; i <= l->n_hops; i++)
		any |= (uint64_t)l->link[i].lost_backward;
	return any != 0;
}

/* ---- the equation and what it means ---- */

static void
add_equation(struct str *page, const struct ledger *l)
{
	struct str s = {0};
	char cell[PAGE_CELL];
	const struct {
		const char *before;
		uint64_t n;
		const char *what;
	} terms[] = {
		{"", l->sent, "sent"},		 {"+ ", l->created, "created"},
		{"= ", l->received, "received"}, {"+ ", l->drops, "drops"},
		{"+ ", l->miss, "miss"},	 {"+ ", l->in_flight, "in\006flight"},
	};

	for (size_t i = 0; i < N_ELEMS(terms); i++)
		str_addf(&s, "%s%s%c%s ", terms[i].before, page_count(cell, terms[i].n), PAGE_GLUE,
			 terms[i].what);
	str_addf(&s, "+ %s%clost", l->lost_known ? signed_count(cell, l->lost) : "?", PAGE_GLUE);
	if (l->unexplained != 0)
		str_addf(&s, " + %s%cunexplained", signed_count(cell, l->unexplained), PAGE_GLUE);
	if (l->residual != 0)
		str_addf(&s, " + " PAGE_BAD "%s%cunaccounted" PAGE_PLAIN,
			 signed_count(cell, l->residual), PAGE_GLUE);
	page_wrap(page, "  ", 2, str_text(&s));
	str_fini(&s);
}

static void
add_explanation(struct str *page, const struct trial *t)
{
	char buf[SENTENCE], cell[PAGE_CELL];
	struct str s = {0};

	ledger_explain(buf, sizeof(buf), &t->ledger);
	str_addf(&s, "%s%s%s", t->ledger.balanced ? "" : PAGE_BAD, buf,
		 t->ledger.balanced ? "" : PAGE_PLAIN);
	if (t->refused > 0)
		str_addf(&s, "; " PAGE_BAD "%s refused at the generator's links" PAGE_PLAIN,
			 page_count(cell, t->refused));
	page_wrap(page, "  ", 2, str_text(&s));
	str_fini(&s);
}

void
text_ledger(struct str *page, const struct trial *t)
{
	str_addf(page, "%*s%*s%*s%*s%*s\n", 2 + COLS_NAME + COLS_COUNT, "rx", COLS_COUNT, "tx",
		 COLS_WRONG, "miss", COLS_WRONG, "drops", COLS_WRONG, "lost");
	add_way(page, &t->ledger, false);
	if (has_backward(&t->ledger)) {
		str_addf(page, "  and on the way back\n");
		add_way(page, &t->ledger, true);
	}
	add_equation(page, &t->ledger);
	add_explanation(page, t);
}
