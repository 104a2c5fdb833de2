/* SPDX-License-Identifier: MIT */
#include "hop_work.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* ---- the difference of two answers ---- */

/* Adds what 'key' grew by to '*sum'; false when it is missing or went backwards. */
static bool
grow(uint64_t *sum, const json_t *before, const json_t *after, const char *key)
{
	const json_t *was = json_object_get(before, key), *is = json_object_get(after, key);
	uint64_t from = (uint64_t)json_integer_value(was), to = (uint64_t)json_integer_value(is);

	if (!json_is_integer(was) || !json_is_integer(is) || to < from)
		return false;
	*sum += to - from;
	return true;
}

/* A reason that there was none of before is not there. */
static void
find_cause(struct hop_queue *q, const json_t *before, const json_t *after)
{
	const char *reason;
	json_t *is;

	json_object_foreach((json_t *)(uintptr_t)after, reason, is) {
		uint64_t n = (uint64_t)json_integer_value(is) -
			     (uint64_t)json_integer_value(json_object_get(before, reason));

		q->drops += n;
		if (n <= q->cause_drops)
			continue;
		q->cause_drops = n;
		str_copy(q->cause, sizeof(q->cause), reason);
	}
}

static bool
queue_between(struct hop_queue *q, const json_t *before, const json_t *after)
{
	const json_t *was = json_object_get(before, "ports"), *is = json_object_get(after, "ports");
	bool grew = true;

	*q = (struct hop_queue){
		.lcore = (uint64_t)json_integer_value(json_object_get(after, "lcore"))};
	for (size_t p = 0; p < HOP_QUEUE_PORTS && p < json_array_size(is); p++) {
		const json_t *from = json_array_get(was, p), *to = json_array_get(is, p);

		grew &= grow(&q->rx[p], from, to, "rx") && grow(&q->tx[p], from, to, "tx") &&
			grow(&q->held_ns[p], from, to, "held_ns");
	}
	find_cause(q, json_object_get(before, "drops"), json_object_get(after, "drops"));
	return grew;
}

/* What an lcore adds to the hop. */
static bool
add_lcore(struct hop_work *w, const json_t *before, const json_t *after)
{
	uint64_t busy = 0, idle = 0, gaps = 0;
	struct hop_queue q;
	bool grew = grow(&busy, before, after, "busy_tsc") &&
		    grow(&idle, before, after, "idle_tsc") &&
		    grow(&gaps, before, after, "busy_gap_tsc") &&
		    grow(&w->bursts, before, after, "bursts") &&
		    grow(&w->frames, before, after, "rx") && queue_between(&q, before, after);

	/* Both are read while they grow. */
	if (!grew)
		return false;
	busy -= gaps < busy ? gaps : busy;
	w->busy_tsc += busy;
	w->all_tsc += busy + idle;
	for (size_t p = 0; p < HOP_QUEUE_PORTS; p++)
		w->held_ns[p] += q.held_ns[p];
	if (w->n_queues < HOP_MAX_QUEUES)
		w->queue[w->n_queues++] = q;
	return true;
}

void
hop_work_between(struct hop_work *w, const json_t *before, const json_t *after)
{
	const json_t *was = json_object_get(before, "lcores"), *is;
	size_t i;

	memset(w, 0, sizeof(*w));
	is = json_object_get(after, "lcores");
	w->tsc_hz = json_number_value(json_object_get(after, "tsc_hz"));
	w->burst = (unsigned)json_integer_value(json_object_get(after, "burst"));
	if (json_array_size(is) == 0 || json_array_size(is) != json_array_size(was) ||
	    !(w->tsc_hz > 0) || w->burst == 0)
		return;
	w->known = true;
	for (i = 0; i < json_array_size(is); i++)
		w->known &= add_lcore(w, json_array_get(was, i), json_array_get(is, i));
}

/* ---- JSON ---- */

static json_t *
pair_to_json(const uint64_t pair[HOP_QUEUE_PORTS])
{
	json_t *list = json_array();

	for (size_t p = 0; p < HOP_QUEUE_PORTS; p++)
		json_array_append_new(list, json_u64(pair[p]));
	return list;
}

static json_t *
queues_to_json(const struct hop_work *w)
{
	json_t *list = json_array();

	for (size_t i = 0; i < w->n_queues; i++) {
		const struct hop_queue *q = &w->queue[i];
		json_t *json = json_object();

		json_object_set_new(json, "lcore", json_u64(q->lcore));
		json_object_set_new(json, "rx", pair_to_json(q->rx));
		json_object_set_new(json, "tx", pair_to_json(q->tx));
		json_object_set_new(json, "held_ns", pair_to_json(q->held_ns));
		json_object_set_new(json, "drops", json_u64(q->drops));
		json_object_set_new(json, "cause",
				    q->drops > 0 ? json_string(q->cause) : json_null());
		json_array_append_new(list, json);
	}
	return list;
}

json_t *
hop_work_to_json(const struct hop_work *w, const char *name)
{
	static const char *const unknown[] = {"busy_cycles", "cycles", "bursts",  "frames",
					      "burst",	     "tsc_hz", "held_ns", "queues"};
	json_t *json = json_object();

	json_object_set_new(json, "name", json_string(name));
	for (size_t i = 0; i < N_ELEMS(unknown); i++)
		json_object_set_new(json, unknown[i], json_null());
	if (!w->known)
		return json;
	json_object_set_new(json, "busy_cycles", json_u64(w->busy_tsc));
	json_object_set_new(json, "cycles", json_u64(w->all_tsc));
	json_object_set_new(json, "bursts", json_u64(w->bursts));
	json_object_set_new(json, "frames", json_u64(w->frames));
	json_object_set_new(json, "burst", json_integer(w->burst));
	json_object_set_new(json, "tsc_hz", json_number(w->tsc_hz));
	json_object_set_new(json, "held_ns", pair_to_json(w->held_ns));
	json_object_set_new(json, "queues", queues_to_json(w));
	return json;
}

static int
pair_from_json(uint64_t pair[HOP_QUEUE_PORTS], const json_t *json, const char *key, struct err *err)
{
	const json_t *list = json_object_get(json, key);

	if (!json_is_array(list) || json_array_size(list) != HOP_QUEUE_PORTS)
		return err_set(err, EINVAL, "%s: not a list of %d", key, HOP_QUEUE_PORTS);
	for (size_t p = 0; p < HOP_QUEUE_PORTS; p++)
		pair[p] = (uint64_t)json_integer_value(json_array_get(list, p));
	return 0;
}

static int
queue_from_json(struct hop_queue *q, const json_t *json, struct err *err)
{
	const char *cause = json_string_value(json_object_get(json, "cause"));
	int rc = json_get_u64(json, "lcore", &q->lcore, err);

	if (rc == 0)
		rc = pair_from_json(q->rx, json, "rx", err);
	if (rc == 0)
		rc = pair_from_json(q->tx, json, "tx", err);
	if (rc == 0)
		rc = pair_from_json(q->held_ns, json, "held_ns", err);
	if (rc == 0)
		rc = json_get_u64(json, "drops", &q->drops, err);
	str_copy(q->cause, sizeof(q->cause), cause != NULL ? cause : "");
	return rc;
}

static int
queues_from_json(struct hop_work *w, const json_t *list, struct err *err)
{
	int rc = 0;

	if (!json_is_array(list) || json_array_size(list) > HOP_MAX_QUEUES)
		return err_set(err, EINVAL, "queues: not a list of up to %d", HOP_MAX_QUEUES);
	w->n_queues = json_array_size(list);
	for (size_t i = 0; rc == 0 && i < w->n_queues; i++)
		rc = err_wrap(err, queue_from_json(&w->queue[i], json_array_get(list, i), err),
			      "queues[%zu]", i);
	return rc;
}

int
hop_work_from_json(struct hop_work *w, const json_t *json, struct err *err)
{
	uint64_t burst = 0;
	int rc;

	memset(w, 0, sizeof(*w));
	if (!json_is_integer(json_object_get(json, "busy_cycles")))
		return 0;
	rc = json_get_u64(json, "busy_cycles", &w->busy_tsc, err);
	if (rc == 0)
		rc = json_get_u64(json, "cycles", &w->all_tsc, err);
	if (rc == 0)
		rc = json_get_u64(json, "bursts", &w->bursts, err);
	if (rc == 0)
		rc = json_get_u64(json, "frames", &w->frames, err);
	if (rc == 0)
		rc = json_get_u64(json, "burst", &burst, err);
	if (rc == 0)
		rc = json_get_double(json, "tsc_hz", &w->tsc_hz, err);
	if (rc == 0)
		rc = pair_from_json(w->held_ns, json, "held_ns", err);
	if (rc == 0)
		rc = queues_from_json(w, json_object_get(json, "queues"), err);
	w->burst = (unsigned)burst;
	w->known = rc == 0;
	return rc;
}
