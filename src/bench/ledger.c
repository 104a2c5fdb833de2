/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"

uint64_t
ledger_hop_drops(const struct ledger_hop *hop)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < hop->n_drops; i++)
		sum += hop->drop[i].n;
	return sum;
}

/* rx - tx of both ports. */
static int64_t
hop_inside(const struct ledger_hop *hop)
{
	return (int64_t)(hop->port[0].rx + hop->port[1].rx - hop->port[0].tx - hop->port[1].tx);
}

int64_t
ledger_hop_unnamed(const struct ledger_hop *hop)
{
	return hop_inside(hop) - (int64_t)ledger_hop_drops(hop);
}

int64_t
ledger_hop_residual(const struct ledger_hop *hop)
{
	return hop_inside(hop) + (int64_t)(hop->created - ledger_hop_drops(hop) - hop->in_flight);
}

void
ledger_drop(struct ledger_hop *hop, const char *name, uint64_t n)
{
	struct ledger_reason *reason;
	char key[sizeof(reason->name)];

	str_copy(key, sizeof(key), name);
	for (size_t i = 0; i < hop->n_drops; i++)
		if (strcmp(hop->drop[i].name, key) == 0) {
			hop->drop[i].n += n;
			return;
		}
	if (hop->n_drops == LEDGER_MAX_REASONS) {
		reason = &hop->drop[LEDGER_MAX_REASONS - 1];
		str_copy(reason->name, sizeof(reason->name), "other");
		reason->n += n;
		return;
	}
	reason = &hop->drop[hop->n_drops++];
	*reason = (struct ledger_reason){.n = n};
	str_copy(reason->name, sizeof(reason->name), key);
}

/* ---- sums ---- */

static void
add_generator(struct ledger *l)
{
	l->sent = l->gen[0].tx + l->gen[1].tx;
	l->received = l->gen[0].rx + l->gen[1].rx;
	l->miss = l->gen[0].miss + l->gen[1].miss;
}

static void
add_hop(struct ledger *l, const struct ledger_hop *hop)
{
	int64_t inside = hop_inside(hop);

	if (!hop->known)
		return;
	l->miss += hop->port[0].miss + hop->port[1].miss;
	if (hop->exact) {
		l->created += hop->created;
		l->drops += ledger_hop_drops(hop);
		l->in_flight += hop->in_flight;
		return;
	}
	l->inside += inside;
	if (inside > 0)
		l->drops += (uint64_t)inside;
	else
		l->created += (uint64_t)-inside;
}

static int64_t
lost_between(const struct ledger_port *from, const struct ledger_port *to)
{
	return (int64_t)(from->tx - to->rx - to->miss);
}

static void
close_link(struct ledger *l, size_t i)
{
	const struct ledger_hop *before = i > 0 ? &l->hop[i - 1] : NULL;
	const struct ledger_hop *after = i < l->n_hops ? &l->hop[i] : NULL;
	const struct ledger_port *near = before != NULL ? &before->port[1] : &l->gen[0];
	const struct ledger_port *far = after != NULL ? &after->port[0] : &l->gen[1];
	struct ledger_link *link = &l->link[i];

	*link = (struct ledger_link){0};
	link->known = (before == NULL || before->known) && (after == NULL || after->known);
	if (!link->known) {
		l->lost_known = false;
		return;
	}
	link->lost_forward = lost_between(near, far);
	link->lost_backward = lost_between(far, near);
	l->lost += link->lost_forward + link->lost_backward;
}

static int64_t
sum_of_residuals(const struct ledger *l)
{
	int64_t sum = 0;

	for (size_t i = 0; i < l->n_hops; i++)
		if (l->hop[i].known && l->hop[i].exact)
			sum += ledger_hop_residual(&l->hop[i]);
	return sum;
}

/* With all counters known the equation itself gives the residual.  With some unknown it is what the
 * exact hops lack, and the rest of the gap is unexplained. */
static void
close_equation(struct ledger *l)
{
	int64_t gap =
		(int64_t)(l->sent + l->created - l->received - l->drops - l->miss - l->in_flight) -
		l->lost;

	l->residual = l->lost_known ? gap : sum_of_residuals(l);
	l->unexplained = gap - l->residual;
}

static void
close_agreement(struct ledger *l, uint64_t duplicates)
{
	int64_t missing = (int64_t)(l->drops + l->miss + l->in_flight) + l->lost + l->unexplained;

	l->disagreement = 0;
	if (!l->seq_unknown)
		l->disagreement = (int64_t)(l->never_seen - l->unidentified) -
				  (missing - (int64_t)l->created + (int64_t)duplicates);
}

void
ledger_close(struct ledger *l, uint64_t duplicates)
{
	assert(l->n_hops <= LEDGER_MAX_HOPS);
	l->created = l->drops = l->in_flight = 0;
	l->lost = l->inside = 0;
	l->lost_known = true;
	add_generator(l);
	for (size_t i = 0; i < l->n_hops; i++)
		add_hop(l, &l->hop[i]);
	for (size_t i = 0; i <= l->n_hops; i++)
		close_link(l, i);
	close_equation(l);
	close_agreement(l, duplicates);
	l->balanced = !ledger_contradicts(l) && l->unexplained == 0;
}

bool
ledger_contradicts(const struct ledger *l)
{
	/* Hop by hop: two that are wrong by opposite numbers do not make one that is right. */
	for (size_t i = 0; i < l->n_hops; i++)
		if (l->hop[i].known && l->hop[i].exact && ledger_hop_residual(&l->hop[i]) != 0)
			return true;
	return l->residual != 0 || l->disagreement != 0 || l->unexplained < 0;
}

/* ---- explanation ---- */

static uint64_t
magnitude(int64_t v)
{
	return v < 0 ? -(uint64_t)v : (uint64_t)v;
}

/* Puts "; " in front of each finding but the first. */
static void
next_finding(struct str *s)
{
	if (s->len > 0)
		str_addn(s, "; ", 2);
}

static void
explain_disagreement(struct str *s, const struct ledger *l)
{
	/* What a hop does not account for the receiver misses too; that was said already. */
	int64_t alone = l->seq_unknown ? 0 : l->disagreement - l->residual;

	if (alone == 0)
		return;
	next_finding(s);
	str_addf(s,
		 alone > 0 ? "the receiver misses %" PRIu64 " that no counter explains"
			   : "counters tell of %" PRIu64 " gone that the receiver does not miss",
		 magnitude(alone));
}

static void
explain_contradiction(struct str *s, const struct ledger *l)
{
	for (size_t i = 0; i < l->n_hops; i++) {
		const struct ledger_hop *hop = &l->hop[i];
		int64_t residual = hop->known && hop->exact ? ledger_hop_residual(hop) : 0;

		if (residual == 0)
			continue;
		next_finding(s);
		str_addf(s,
			 residual > 0 ? "%s does not account for %" PRIu64
				      : "%s accounts for %" PRIu64 " more than it received",
			 hop->name, magnitude(residual));
	}
	explain_disagreement(s, l);
}

static void
explain_unknown(struct str *s, const struct ledger *l)
{
	const char *between = "";

	if (l->unexplained == 0)
		return;
	next_finding(s);
	str_addf(s,
		 l->unexplained > 0 ? "%" PRIu64 " lost where no counter can be read ("
				    : "%" PRIu64 " made where no counter can be read (",
		 magnitude(l->unexplained));
	for (size_t i = 0; i < l->n_hops; i++)
		if (!l->hop[i].known) {
			str_addf(s, "%s%s", between, l->hop[i].name);
			between = ", ";
		}
	str_addf(s, ")");
}

static void
explain_drops(struct str *s, const struct ledger_hop *hop)
{
	uint64_t sum = ledger_hop_drops(hop);
	const char *between = "";

	if (sum == 0)
		return;
	next_finding(s);
	str_addf(s, "%s dropped %" PRIu64 " (", hop->name, sum);
	for (size_t i = 0; i < hop->n_drops; i++) {
		const struct ledger_reason *reason = &hop->drop[i];

		if (reason->n == 0)
			continue;
		str_addf(s, "%s%s", between, reason->name);
		if (reason->n != sum)
			str_addf(s, " %" PRIu64, reason->n);
		between = ", ";
	}
	str_addf(s, ")");
}

static void
explain_inside(struct str *s, const struct ledger_hop *hop)
{
	int64_t inside = ledger_hop_unnamed(hop);

	if (inside == 0)
		return;
	next_finding(s);
	str_addf(s,
		 inside > 0 ? "%s swallowed %" PRIu64 : "%s sent %" PRIu64 " more than it received",
		 hop->name, magnitude(inside));
}

static void
explain_ports(struct str *s, const char *name, const struct ledger_port *port)
{
	for (unsigned i = 0; i < 2; i++)
		if (port[i].miss > 0) {
			next_finding(s);
			str_addf(s, "%s missed %" PRIu64 " at port %u", name, port[i].miss, i);
		}
}

static void
explain_hop(struct str *s, const struct ledger_hop *hop)
{
	if (!hop->known)
		return;
	explain_ports(s, hop->name, hop->port);
	explain_drops(s, hop);
	if (!hop->exact) {
		explain_inside(s, hop);
		return;
	}
	if (hop->in_flight > 0) {
		next_finding(s);
		str_addf(s, "%s still holds %" PRIu64, hop->name, hop->in_flight);
	}
}

static void
explain_link(struct str *s, size_t i, int64_t lost, const char *way)
{
	if (lost == 0)
		return;
	next_finding(s);
	str_addf(s,
		 lost > 0 ? "link %zu lost %" PRIu64 "%s"
			  : "link %zu delivered %" PRIu64 " more than were put in%s",
		 i, magnitude(lost), way);
}

char *
ledger_explain(char *buf, size_t size, const struct ledger *l)
{
	struct str s = {0};

	explain_contradiction(&s, l);
	explain_unknown(&s, l);
	for (size_t i = 0; i <= l->n_hops; i++) {
		explain_link(&s, i, l->link[i].lost_forward, "");
		explain_link(&s, i, l->link[i].lost_backward, " on the way back");
		if (i < l->n_hops)
			explain_hop(&s, &l->hop[i]);
	}
	explain_ports(&s, "generator", l->gen);
	str_copy(buf, size, s.len > 0 ? str_text(&s) : "every frame accounted for, none lost");
	str_fini(&s);
	return buf;
}
