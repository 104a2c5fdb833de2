/* SPDX-License-Identifier: MIT */
/* The chain as a picture: generator, hops and links from top to bottom, with what one trial did. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "bench/trial.h"

#include "html_parts.h"
#include "text_page.h"
#include "text_parts.h"

/* Pixels.  As wide as a small telephone; boxes stand left, remarks on links right of them. */
#define WIDTH 328
#define BOX_WIDTH 190
#define BOX_HEIGHT 62
#define LINK_HEIGHT 52
#define STEP (BOX_HEIGHT + LINK_HEIGHT)
#define LINK_X 40

/* One text of the picture. */
static void
add_text(struct str *page, int x, int y, const char *class, const char *text)
{
	str_addf(page, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
	html_marked(page, text);
	str_addf(page, "</text>");
}

static void
add_box(struct str *page, int y, const char *class, const char *name, const char *kind)
{
	str_addf(page, "<rect class=\"%s\" x=\"1\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\"/>",
		 class, y, BOX_WIDTH, BOX_HEIGHT);
	add_text(page, 12, y + 20, "name", name);
	add_text(page, 12, y + 37, "kind", kind);
}

/* ---- hops ---- */

static void
add_loss(struct str *page, int y, uint64_t n, const char *what)
{
	char cell[PAGE_CELL], *text;

	if (n == 0)
		return;
	text = xasprintf("\342\210\222%s %s", page_count(cell, n), what);
	add_text(page, BOX_WIDTH + 10, y, "lost", text);
	free(text);
}

/* What it costs, and whether it is what limits the chain. */
static void
add_cost(struct str *page, int y, const json_t *cost, bool limits)
{
	double cycles = text_number(cost, "cycles"), busy = text_number(cost, "busy");
	char *text;

	if (limits)
		add_text(page, BOX_WIDTH + 10, y + 54, "limits", "\342\227\200 bottleneck");
	if (!(cycles >= 0))
		return;
	text = xasprintf("%.0f cycles, %.0f%c%% busy", cycles, fmin(100, 100 * busy), PAGE_GLUE);
	add_text(page, 12, y + 53, "kind", text);
	free(text);
}

static bool
is_bottleneck(const json_t *attribution, const json_t *hop)
{
	const char *name = json_string_value(json_object_get(attribution, "bottleneck"));

	return name != NULL && strcmp(name, text_word(hop, "name")) == 0;
}

static void
add_hop(struct str *page, int y, const json_t *hop, const struct ledger_hop *counted, bool limits)
{
	const char *engine = json_string_value(json_object_get(hop, "engine"));
	char *kind = xasprintf("%s%s%s", text_word(hop, "kind"), engine != NULL ? ", " : "",
			       engine != NULL ? engine : "");

	add_box(page, y, limits ? "hop limits" : "hop", text_word(hop, "name"), kind);
	free(kind);
	if (counted == NULL)
		return;
	if (!counted->known) {
		add_text(page, BOX_WIDTH + 10, y + 20, "kind", "tells nothing");
		return;
	}
	add_loss(page, y + 20, counted->port[0].miss + counted->port[1].miss, "missed");
	add_loss(page, y + 37, ledger_hop_drops(counted), "dropped");
}

/* ---- links ---- */

/* "1.76 Mpps" over a link, from the frames that went in. */
static void
add_flow(struct str *page, int y, uint64_t frames, double elapsed_s)
{
	char cell[PAGE_CELL];

	if (elapsed_s > 0)
		add_text(page, LINK_X + 14, y + 22, "flow",
			 page_pps(cell, (double)frames / elapsed_s));
}

/* How long frames of the hop before a link waited for room on it. */
static void
add_held(struct str *page, int y, const json_t *before)
{
	double held = text_number(before, "held[1]");
	char *text;

	if (!(held >= 0.01))
		return;
	text = xasprintf("held %.0f%c%% of time", fmin(100, 100 * held), PAGE_GLUE);
	add_text(page, BOX_WIDTH + 10, y + 6, "held", text);
	free(text);
}

static void
add_link(struct str *page, int y, size_t i, const json_t *link, const struct trial *t)
{
	const struct ledger *l = t != NULL ? &t->ledger : NULL;
	char *label = xasprintf("link%c%zu, %s", PAGE_GLUE, i, text_word(link, "kind"));

	str_addf(page,
		 "<path class=\"link\" d=\"M%d %dV%d\"/><path class=\"tip\" d=\"M%d %dl-5 "
		 "-9h10z\"/>",
		 LINK_X, y, y + LINK_HEIGHT - 8, LINK_X, y + LINK_HEIGHT);
	add_text(page, LINK_X + 14, y + 39, "kind", label);
	free(label);
	if (l == NULL || i > l->n_hops)
		return;
	if (i == 0) {
		add_flow(page, y, l->gen[0].tx, t->elapsed_s);
		add_loss(page, y + 22, t->refused, "refused");
	} else if (l->hop[i - 1].known) {
		add_flow(page, y, l->hop[i - 1].port[1].tx, t->elapsed_s);
	}
	if (l->link[i].known && l->link[i].lost_forward > 0)
		add_loss(page, y + 39, (uint64_t)l->link[i].lost_forward, "lost");
}

/* ---- the picture ---- */

static void
add_end(struct str *page, int y, const struct trial *t, bool receives)
{
	char cell[PAGE_CELL], *text;

	if (t == NULL)
		text = xstrdup(receives ? "port 1" : "port 0");
	else
		text = xasprintf("%s %s", receives ? "received" : "sent",
				 page_count(cell, receives ? t->ok : t->sent));
	add_box(page, y, "generator", "generator", text);
	free(text);
	if (t == NULL)
		return;
	if (receives)
		add_loss(page, y + 20, t->ledger.gen[1].miss, "missed");
	else
		add_loss(page, y + 20, t->late, "late");
}

static void
add_chain(struct str *page, const json_t *chain, const struct trial *t, const json_t *attribution)
{
	const json_t *hops = json_object_get(chain, "hops");
	const json_t *links = json_object_get(chain, "links");
	const json_t *costs = json_object_get(attribution, "hops");
	size_t n = json_array_size(hops);

	for (size_t i = 0; i <= n; i++) {
		const json_t *hop = json_array_get(hops, i);
		int y = (int)i * STEP + BOX_HEIGHT + 1;
		bool limits = is_bottleneck(attribution, hop);

		add_link(page, y, i, json_array_get(links, i), t);
		if (i > 0)
			add_held(page, y, json_array_get(costs, i - 1));
		if (i < n) {
			add_hop(page, y + LINK_HEIGHT, hop,
				t != NULL && i < t->ledger.n_hops ? &t->ledger.hop[i] : NULL,
				limits);
			add_cost(page, y + LINK_HEIGHT, json_array_get(costs, i), limits);
		}
		str_addf(page, "\n");
	}
}

void
html_picture(struct str *page, const json_t *chain, const struct trial *t,
	     const json_t *attribution)
{
	const json_t *hops = json_object_get(chain, "hops");
	size_t n = json_array_size(hops);
	int height = (int)(n + 1) * STEP + BOX_HEIGHT + 2;

	str_addf(page,
		 "<svg class=\"chain\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
		 "role=\"img\" aria-label=\"The chain from top to bottom: generator, ",
		 WIDTH, height, WIDTH, height);
	for (size_t i = 0; i < n; i++) {
		html_text(page, text_word(json_array_get(hops, i), "name"));
		str_addf(page, ", ");
	}
	str_addf(page, "generator; the tables have its figures\">\n");
	add_end(page, 1, t, false);
	add_chain(page, chain, t, attribution);
	add_end(page, (int)(n + 1) * STEP + 1, t, true);
	str_addf(page, "</svg>\n");
}
