/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attrib.h"
#include "base/json.h"

static const char *const verdict_names[] = {
	[ATTRIB_UNKNOWN] = "unknown",
	[ATTRIB_BOTTLENECK] = "hop",
	[ATTRIB_TIE] = "tie",
};

const char *
attrib_verdict_name(enum attrib_verdict v)
{
	return verdict_names[v];
}

/* ---- hops ---- */

static json_t *
point_to_json(const struct attrib_point *p)
{
	json_t *json = json_object();

	if (!p->known) {
		json_decref(json);
		return json_null();
	}
	json_object_set_new(json, "busy_cycles", json_number(p->busy));
	json_object_set_new(json, "bursts", json_number(p->bursts));
	json_object_set_new(json, "frames", json_number(p->frames));
	return json;
}

static json_t *
pairs_to_json(const struct attrib *a, size_t i)
{
	json_t *list = json_array();

	for (size_t k = 0; k < a->n_pairs; k++) {
		json_t *pair = json_object();

		json_object_set_new(pair, "low", point_to_json(&a->pair[k].low[i]));
		json_object_set_new(pair, "high", point_to_json(&a->pair[k].high[i]));
		json_array_append_new(list, pair);
	}
	return list;
}

static json_t *
mates_to_json(const struct attrib *a, size_t i)
{
	json_t *list = json_array();

	for (size_t k = 0; k < a->n_hops; k++)
		if (k != i && a->hop[k].group == a->hop[i].group)
			json_array_append_new(list, json_string(a->place[k].name));
	if (a->place[i].with_generator)
		json_array_append_new(list, json_string("generator"));
	return list;
}

static json_t *
hop_to_json(const struct attrib *a, size_t i)
{
	const struct attrib_hop *hop = &a->hop[i];
	json_t *json = json_object(), *held = json_array();

	json_object_set_new(json, "name", json_string(a->place[i].name));
	json_object_set_new(json, "cycles", json_number(hop->cycles));
	json_object_set_new(json, "cycles_low", json_number(hop->interval.low));
	json_object_set_new(json, "cycles_high", json_number(hop->interval.high));
	json_object_set_new(json, "marginal_cycles", json_number(hop->marginal));
	json_object_set_new(json, "burst_cycles", json_number(hop->burst_cycles));
	json_object_set_new(json, "busy", json_number(hop->busy));
	json_array_append_new(held, json_number(hop->held[0]));
	json_array_append_new(held, json_number(hop->held[1]));
	json_object_set_new(json, "held", held);
	json_object_set_new(json, "capacity_pps", json_number(hop->capacity_pps));
	json_object_set_new(json, "shares_with", mates_to_json(a, i));
	json_object_set_new(json, "pairs", pairs_to_json(a, i));
	return json;
}

/* ---- the whole ---- */

static json_t *
pressure_to_json(const struct attrib *a)
{
	json_t *json = json_object();
	const char *name = a->pressure < a->n_hops ? a->place[a->pressure].name : "generator";

	json_object_set_new(json, "refused_ratio", json_number(a->refused));
	json_object_set_new(json, "hop", a->pushed_back ? json_string(name) : json_null());
	return json;
}

static json_t *
tied_to_json(const struct attrib *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_hops && a->verdict == ATTRIB_TIE; i++)
		if (a->hop[i].tied)
			json_array_append_new(list, json_string(a->place[i].name));
	return list;
}

static json_t *
name_to_json(const struct attrib *a, size_t i, bool known)
{
	return known ? json_string(a->place[i].name) : json_null();
}

json_t *
attrib_to_json(const struct attrib *a)
{
	json_t *json = json_object(), *hops = json_array();
	bool compared = !isnan(a->ratio);

	for (size_t i = 0; i < a->n_hops; i++)
		json_array_append_new(hops, hop_to_json(a, i));
	json_object_set_new(json, "verdict", json_string(attrib_verdict_name(a->verdict)));
	json_object_set_new(json, "bottleneck",
			    name_to_json(a, a->bottleneck, a->verdict == ATTRIB_BOTTLENECK));
	json_object_set_new(json, "by",
			    a->verdict == ATTRIB_UNKNOWN
				    ? json_null()
				    : json_string(a->by_pressure ? "pressure" : "cycles"));
	json_object_set_new(json, "tied", tied_to_json(a));
	json_object_set_new(json, "dearest", name_to_json(a, a->bottleneck, compared));
	json_object_set_new(json, "next", name_to_json(a, a->next, compared));
	json_object_set_new(json, "ratio", json_number(a->ratio));
	json_object_set_new(json, "ratio_low", json_number(a->ratio_interval.low));
	json_object_set_new(json, "ratio_high", json_number(a->ratio_interval.high));
	json_object_set_new(json, "limit_pps", json_number(a->limit_pps));
	json_object_set_new(json, "without_pps", json_number(a->without_pps));
	json_object_set_new(json, "without_low_pps", json_number(a->without_interval.low));
	json_object_set_new(json, "without_high_pps", json_number(a->without_interval.high));
	json_object_set_new(json, "n_pairs", json_integer((json_int_t)a->n_pairs));
	json_object_set_new(json, "n_used", json_integer((json_int_t)a->n_used));
	json_object_set_new(json, "pressure", pressure_to_json(a));
	json_object_set_new(json, "hops", hops);
	return json;
}

/* ---- losses ---- */

static void
add_loss(json_t *list, const char *at, const json_t *queue, const char *cause, uint64_t n)
{
	json_t *json;

	if (n == 0)
		return;
	json = json_object();
	json_object_set_new(json, "at", json_string(at));
	json_object_set_new(json, "queue", queue != NULL ? json_deep_copy(queue) : json_null());
	json_object_set_new(json, "cause", json_string(cause));
	json_object_set_new(json, "frames", json_u64(n));
	json_array_append_new(list, json);
}

static void
add_link(json_t *list, const struct trial *t, size_t i)
{
	const struct ledger_link *link = &t->ledger.link[i];
	char name[32];

	snprintf(name, sizeof(name), "link %zu", i);
	if (i == 0)
		add_loss(list, name, NULL, "refused", t->refused);
	if (link->known && link->lost_forward > 0)
		add_loss(list, name, NULL, "lost", (uint64_t)link->lost_forward);
	if (link->known && link->lost_backward > 0)
		add_loss(list, name, NULL, "lost on the way back", (uint64_t)link->lost_backward);
}

/* By queue where there are several, and the ledger's reasons where there are not. */
static void
add_hop(json_t *list, const struct trial *t, size_t i)
{
	const struct ledger_hop *hop = &t->ledger.hop[i];
	const struct hop_work *work = &t->work[i];

	if (!hop->known)
		return;
	add_loss(list, hop->name, NULL, "miss", hop->port[0].miss + hop->port[1].miss);
	if (!hop->exact && hop->port[0].rx + hop->port[1].rx > hop->port[0].tx + hop->port[1].tx)
		add_loss(list, hop->name, NULL, "inside",
			 hop->port[0].rx + hop->port[1].rx - hop->port[0].tx - hop->port[1].tx);
	for (size_t k = 0; hop->exact && work->n_queues < 2 && k < hop->n_drops; k++)
		add_loss(list, hop->name, NULL, hop->drop[k].name, hop->drop[k].n);
	for (size_t k = 0; hop->exact && work->n_queues >= 2 && k < work->n_queues; k++) {
		json_t *queue = json_u64(work->queue[k].lcore);

		add_loss(list, hop->name, queue, work->queue[k].cause, work->queue[k].drops);
		json_decref(queue);
	}
}

json_t *
attrib_losses(const struct trial *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i <= t->ledger.n_hops; i++) {
		add_link(list, t, i);
		if (i < t->ledger.n_hops)
			add_hop(list, t, i);
	}
	add_loss(list, "generator", NULL, "miss", t->ledger.gen[0].miss + t->ledger.gen[1].miss);
	return list;
}
