/* SPDX-License-Identifier: MIT */
/* The first thing on the page: what was found, how sure, and why not more. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#include "found.h"
#include "html_parts.h"
#include "text_page.h"
#include "text_parts.h"

/* "64-byte frames", "imix frames" */
static void
add_frames(struct str *page, const json_t *m)
{
	const char *frames = text_word(m, "frames");

	html_text(page, frames);
	str_addf(page,
		 frames[strspn(frames, "0123456789")] == '\0' ? "&#8209;byte frames" : " frames");
}

static void
add_rate(struct html *html, size_t i, const char *path)
{
	str_addf(&html->page, "<strong class=\"answer\">");
	html_value(&html->page, html->result, FIGURE_PPS, "measurements[%zu].%s", i, path);
	str_addf(&html->page, "</strong>");
}

static void
add_no_rate(struct html *html, const json_t *m)
{
	str_addf(&html->page, ": <strong class=\"answer bad\">no rate found</strong> for ");
	add_frames(&html->page, m);
}

static void
add_goal(struct str *page, const struct found *found)
{
	char *spread = found_spread(found);

	str_addf(page, " <span class=\"sure\">(");
	html_marked(page, spread);
	str_addf(page, "; goal&nbsp;");
	html_text(page, found->code != NULL ? found->code : "unknown");
	str_addf(page, ")</span>");
	free(spread);
}

static void
add_searched(struct html *html, size_t i, const json_t *m)
{
	struct str *page = &html->page;
	struct found found;
	char *loss;

	found_get(&found, html->result, m, 0);
	loss = found_loss(&found);
	if (found.is_mrr) {
		str_addf(page, ", offered all that the generator can, forwards ");
		add_rate(html, i, found.path);
		str_addf(page, " of ");
		add_frames(page, m);
	} else if (found.rate_pps >= 0) {
		str_addf(page, " carries %s", found.is_lower_bound ? "at least " : "");
		add_rate(html, i, found.path);
		str_addf(page, " of ");
		add_frames(page, m);
		str_addf(page, " with ");
		html_marked(page, loss);
	} else {
		add_no_rate(html, m);
	}
	add_goal(page, &found);
	free(loss);
	found_fini(&found);
}

static void
add_given(struct html *html, size_t i, const json_t *m)
{
	struct str *page = &html->page;
	double ratio = text_number(m, "loss_ratio");

	if (text_number(m, "rate_pps") >= 0) {
		str_addf(page, " at ");
		add_rate(html, i, "rate_pps");
	} else {
		str_addf(page, " as fast as its first link takes frames");
	}
	str_addf(page, " of ");
	add_frames(page, m);
	if (!(ratio >= 0)) {
		str_addf(page, ": <strong class=\"doubt\">no valid trial</strong>");
		return;
	}
	str_addf(page, " lost <strong class=\"%s\">", ratio > 0 ? "bad" : "good");
	html_value(page, html->result, FIGURE_COUNT, "measurements[%zu].lost", i);
	str_addf(page, "</strong> of ");
	html_value(page, html->result, FIGURE_COUNT, "measurements[%zu].intended", i);
	if (ratio > 0) {
		str_addf(page, " (");
		html_value(page, html->result, FIGURE_RATIO, "measurements[%zu].loss_ratio", i);
		str_addf(page, ")");
	}
	str_addf(page, " <span class=\"sure\">(%" PRIu64 " valid of %" PRIu64 " trials)</span>",
		 text_count(m, "n_trials") - text_count(m, "n_invalid"), text_count(m, "n_trials"));
}

/* What must stand beside a rate. */
static void
add_conditions(struct html *html, size_t i, const json_t *m)
{
	struct str *page = &html->page;
	const json_t *links = json_at(html->result, "chain.links");
	double max = text_number(text_selftest(html->result, m), "max_pps");
	double pps = text_number(m, "rate_pps");
	static const char *const quantiles[] = {"p50", "p99"};

	str_addf(page, "<p class=\"beside\">");
	html_value(page, html->result, FIGURE_BPS, "measurements[%zu].rate_l1_bps", i);
	str_addf(page, " L1, ");
	html_value(page, html->result, FIGURE_BPS, "measurements[%zu].rate_l2_bps", i);
	str_addf(page, " L2");
	for (size_t k = 0; k < N_ELEMS(quantiles); k++) {
		str_addf(page, " &middot; %s&nbsp;", quantiles[k]);
		html_value(page, html->result, FIGURE_NS, "measurements[%zu].latency.%s_ns", i,
			   quantiles[k]);
	}
	str_addf(page, " &middot; ring ");
	html_figure(page, text_number(json_array_get(links, 0), "ring"), FIGURE_COUNT);
	str_addf(page, " &middot; the generator alone: ");
	html_figure(page, max, FIGURE_PPS);
	if (max > 0 && pps >= 0)
		str_addf(page, ", %.0f&nbsp;%% of it used", 100 * pps / max);
	str_addf(page, "</p>\n");
}

static void
add_limit(struct html *html, const json_t *m)
{
	char *reason = limit_reason(html->result, m);

	str_addf(&html->page, "<p class=\"limit\"><span>Why not more:</span> ");
	html_marked(&html->page, reason);
	str_addf(&html->page, ".</p>\n");
	free(reason);
}

static void
add_answer(struct html *html, size_t i)
{
	const json_t *m = html_measurement(html, i);
	const char *tag = i == 0 ? "h1" : "p";

	str_addf(&html->page, "<%s class=\"headline\">", tag);
	html_text(&html->page, text_word(html->result, "chain.name"));
	(text_is_fixed(m) ? add_given : add_searched)(html, i, m);
	str_addf(&html->page, ".</%s>\n", tag);
	add_limit(html, m);
	add_conditions(html, i, m);
}

/* When and how it ended. */
static void
add_when(struct html *html)
{
	struct str *page = &html->page;
	const char *sentence = json_string_value(json_at(html->result, "outcome.sentence"));
	double status = text_number(html->result, "outcome.exit");

	str_addf(page, "<p class=\"when\">Measured ");
	html_text(page, text_word(html->result, "started_at"));
	str_addf(page, ", took ");
	html_value(page, html->result, FIGURE_S, "elapsed_s");
	if (json_is_string(json_at(html->result, "environment.grade.letter"))) {
		str_addf(page, " &middot; machine graded ");
		html_text(page, text_word(html->result, "environment.grade.letter"));
	}
	str_addf(page, "</p>\n");
	if (status == 0)
		return;
	str_addf(page, "<p class=\"ended\"><strong class=\"bad\">");
	if (status > 0) {
		str_addf(page, "Ended with ");
		html_value(page, html->result, FIGURE_PLAIN, "outcome.exit");
		str_addf(page, ":</strong> ");
		html_text(page, sentence != NULL ? sentence : "?");
	} else {
		str_addf(page, "The run did not come to its end.</strong>");
	}
	str_addf(page, "</p>\n");
}

void
html_answer(struct html *html)
{
	size_t n = html_n_measurements(html);

	str_addf(&html->page, "<header>\n");
	/* A comparison is a headline of its own. */
	if (n == 0 && !json_is_object(json_object_get(html->result, "comparison"))) {
		str_addf(&html->page, "<h1 class=\"headline\">");
		html_text(&html->page, text_word(html->result, "chain.name"));
		str_addf(&html->page, ": nothing was measured.</h1>\n");
	}
	for (size_t i = 0; i < n; i++)
		add_answer(html, i);
	add_when(html);
	str_addf(&html->page, "<noscript><p>Without JavaScript there are no plots; every figure "
			      "is in the tables.</p></noscript>\n</header>\n");
}
