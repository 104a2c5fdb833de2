/* SPDX-License-Identifier: MIT */
/* Where frames spent their time inside the hops of one trial. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

#include "text_page.h"
#include "text_parts.h"

/* "wait 3.1 us", or nothing of a kind that there is not. */
static void
add_span(struct str *s, const char *before, const char *what, const struct time_span *span)
{
	char cell[PAGE_CELL];

	if (span->n > 0)
		str_addf(s, "%s%s%c%s", before, what, PAGE_GLUE, page_ns(cell, span->mean_ns));
}

static void
add_stage(struct str *s, unsigned i, const struct stage_times *stage)
{
	const char *nf = stage->nf[0] != '\0' ? stage->nf : "nothing";

	str_addf(s, "stage%c%u %s", PAGE_GLUE, i, nf);
	add_span(s, " ", "wait", &stage->wait);
	add_span(s, stage->wait.n > 0 ? " + " : " ", "service", &stage->service);
	str_addf(s, ", ");
}

char *
text_times_hop(const struct trial *t, size_t i)
{
	const struct hop_times *times = &t->inside[i];
	char cell[PAGE_CELL];
	struct str s = {0};

	if (!times->known)
		return NULL;
	str_addf(&s, "%s: ", t->ledger.hop[i].name);
	if (times->total.n == 0) {
		str_addf(&s, "no frame was sent");
		return str_take(&s);
	}
	for (unsigned k = 0; k < times->n_stages; k++)
		add_stage(&s, k, &times->stage[k]);
	add_span(&s, "", "wait to be sent", &times->tx_wait);
	str_addf(&s, "; sum %s", page_ns(cell, hop_times_parts_ns(times)));
	str_addf(&s, " of %s inside", page_ns(cell, times->total.mean_ns));
	str_addf(&s, " (p50%c%s", PAGE_GLUE, page_ns(cell, times->total.p50_ns));
	str_addf(&s, ", p99%c%s)", PAGE_GLUE, page_ns(cell, times->total.p99_ns));
	return str_take(&s);
}

char *
text_times_share(const struct trial *t)
{
	double all = hist_mean(&t->latency), inside = 0;
	char cell[PAGE_CELL];
	struct str s = {0};
	size_t n = 0;

	for (size_t i = 0; i < t->ledger.n_hops; i++) {
		const struct hop_times *times = &t->inside[i];

		n += times->known;
		if (times->known && times->total.n > 0)
			inside += times->total.mean_ns;
	}
	if (n == 0)
		return NULL;
	str_addf(&s, "%s on average inside %s", page_ns(cell, inside),
		 n < t->ledger.n_hops ? "the hops that tell"
		 : n == 1	      ? "the hop"
				      : "the hops");
	if (all > 0) {
		str_addf(&s, ", %.0f%c%% of %s end to end", 100 * inside / all, PAGE_GLUE,
			 page_ns(cell, all));
		str_addf(&s, "; the rest is links and the generator%s",
			 n < t->ledger.n_hops ? ", and the other hops" : "");
	}
	return str_take(&s);
}

void
text_times(struct str *page, const struct trial *t)
{
	char *share = text_times_share(t);

	if (share == NULL)
		return;
	for (size_t i = 0; i < t->ledger.n_hops; i++) {
		char *hop = text_times_hop(t, i);

		if (hop != NULL)
			page_wrap(page, "  ", 2, hop);
		free(hop);
	}
	page_wrap(page, "  ", 2, share);
	free(share);
}
