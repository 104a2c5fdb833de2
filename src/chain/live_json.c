/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "live.h"

/* A sample for programs.  What is not known is null, never 0. */

static json_t *
known_or_null(bool known, uint64_t n)
{
	return known ? json_u64(n) : json_null();
}

static json_t *
real_or_null(bool known, double value)
{
	return known ? json_real(value) : json_null();
}

static json_t *
port_json(const struct live_port *p, unsigned id, bool rates)
{
	return json_pack(
		"{s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "port", (int)id, "state",
		p->state, "sent", json_u64(p->sent), "received", json_u64(p->received), "refused",
		known_or_null(p->knows_slots, p->refused), "late",
		known_or_null(p->knows_slots, p->late), "tx_pps", real_or_null(rates, p->tx_pps),
		"rx_pps", real_or_null(rates, p->rx_pps), "tx_bps", real_or_null(rates, p->tx_bps),
		"rx_bps", real_or_null(rates, p->rx_bps));
}

static json_t *
lcores_json(const struct live_hop *h, bool rates)
{
	json_t *all = json_array();

	for (size_t i = 0; i < h->n_lcores; i++)
		json_array_append_new(all, json_pack("{s:i, s:o}", "lcore", (int)h->lcore[i].id,
						     "busy_ratio",
						     real_or_null(rates, h->lcore[i].busy)));
	return all;
}

static json_t *
hop_json(const struct live_hop *h, bool rates)
{
	const bool k = h->known, inside = k && h->knows_inside;

	rates = rates && k;
	return json_pack(
		"{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", h->name,
		"answers", k, "rx", known_or_null(k, h->rx), "tx", known_or_null(k, h->tx), "drops",
		known_or_null(inside, h->drops), "miss", known_or_null(k, h->miss), "in_flight",
		known_or_null(inside, h->in_flight), "rx_pps", real_or_null(rates, h->rx_pps),
		"tx_pps", real_or_null(rates, h->tx_pps), "held_ratio",
		real_or_null(rates && inside, h->held), "lcores", lcores_json(h, rates));
}

json_t *
live_json(const struct live_sample *s)
{
	json_t *ports = json_array(), *hops = json_array();
	const bool rates = s->seconds > 0;

	for (size_t i = 0; i < s->n_ports; i++)
		json_array_append_new(ports, port_json(&s->port[i], (unsigned)i, rates));
	for (size_t i = 0; i < s->n_hops; i++)
		json_array_append_new(hops, hop_json(&s->hop[i], rates));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "monotonic_ns", json_u64(s->at_ns),
			 "seconds", real_or_null(rates, s->seconds), "ports", ports, "hops", hops,
			 "generator_busy_ratio",
			 real_or_null(s->generator_busy >= 0, s->generator_busy), "latency_mean_us",
			 real_or_null(s->latency_us >= 0, s->latency_us), "jitter_us",
			 real_or_null(s->latency_us >= 0, s->jitter_us));
}
