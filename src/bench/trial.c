/* SPDX-License-Identifier: MIT */
#include "trial.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static const char *const verdict_names[] = {
	[TRIAL_PASS] = "pass",
	[TRIAL_FAIL] = "fail",
	[TRIAL_INVALID] = "invalid",
};

void
trial_init(struct trial *t, const struct trial_spec *spec)
{
	memset(t, 0, sizeof(*t));
	t->spec = *spec;
	t->verdict = TRIAL_INVALID;
	t->loss_ratio = NAN;
	hist_init(&t->latency);
}

/* ---- judging ---- */

uint64_t
trial_lost(const struct trial *t)
{
	const struct ledger *l = &t->ledger;
	/* Frames of others can make a link's loss negative; in the sum they cancel. */
	int64_t gone = l->lost + l->unexplained + (int64_t)(l->drops + l->miss);

	return t->refused + (gone > 0 ? (uint64_t)gone : 0);
}

static bool why(struct trial *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Records the reason; always true, so that a finding is one expression. */
static bool
why(struct trial *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprint(t->reason, sizeof(t->reason), fmt, ap);
	va_end(ap);
	return true;
}

static uint64_t
sum_of_kinds(const struct trial *t)
{
	return t->ok + t->duplicate + t->corrupt + t->truncated + t->misdelivered + t->reflected +
	       t->overdue;
}

/* The trial's own numbers do not fit each other: a bug of ours, whatever the chain did. */
static bool
is_miscounted(struct trial *t)
{
	const struct ledger *l = &t->ledger;
	char text[sizeof(t->reason)];

	if (t->intended != t->sent + t->refused + t->late)
		return why(t,
			   "accounting: %" PRIu64 " slots, but %" PRIu64 " sent, refused or late",
			   t->intended, t->sent + t->refused + t->late);
	if (t->sent != l->sent)
		return why(t,
			   "accounting: %" PRIu64 " slots were sent, %" PRIu64
			   " frames left the ports",
			   t->sent, l->sent);
	if (t->received != l->received || t->received != sum_of_kinds(t))
		return why(t,
			   "accounting: %" PRIu64 " frames received, %" PRIu64 " by kind, %" PRIu64
			   " by port",
			   t->received, sum_of_kinds(t), l->received);
	if (ledger_contradicts(l))
		return why(t, "accounting: %s", ledger_explain(text, sizeof(text), l));
	return false;
}

static bool
is_invalid(struct trial *t)
{
	if (t->interrupted)
		return why(t, "interrupted%s%s", t->fault[0] != '\0' ? ": " : "", t->fault);
	if (t->fault[0] != '\0')
		return why(t, "%s", t->fault);
	if (t->intended == 0)
		return why(t, "no frame was due in the whole trial");
	if (t->late > 0 && (double)t->late > TRIAL_MAX_LATE_RATIO * (double)t->intended)
		return why(t,
			   "the generator was late for %" PRIu64 " of %" PRIu64
			   " frames (longest gap %.1f us)",
			   t->late, t->intended, (double)t->noise.gap_max_ns / 1e3);
	if (is_miscounted(t))
		return true;
	if (t->duplicate > t->ledger.created)
		return why(t, "%" PRIu64 " duplicates, of which the chain made %" PRIu64,
			   t->duplicate, t->ledger.created);
	return false;
}

/* Frames that came, but not as they should. */
static bool
is_faulty(struct trial *t)
{
	const struct {
		uint64_t n;
		const char *what;
	} kinds[] = {
		{t->corrupt, "arrived corrupt"},
		{t->truncated, "arrived truncated"},
		{t->misdelivered, "arrived with another destination MAC than the port's"},
		{t->reflected, "came back to the port that sent them"},
		{t->ledger.in_flight, "were still inside the chain after the drain"},
	};

	for (size_t i = 0; i < N_ELEMS(kinds); i++)
		if (kinds[i].n > 0)
			return why(t, "%" PRIu64 " frames %s", kinds[i].n, kinds[i].what);
	return false;
}

static bool
is_lossy(struct trial *t, double max_loss_ratio)
{
	uint64_t lost = trial_lost(t);
	char text[sizeof(t->reason)];

	if (t->loss_ratio <= max_loss_ratio)
		return false;
	if (t->refused == lost)
		return why(t,
			   "lost %" PRIu64 " of %" PRIu64 ", all refused at the generator's links",
			   lost, t->intended);
	return why(t, "lost %" PRIu64 " of %" PRIu64 ", %" PRIu64 " of them refused: %s", lost,
		   t->intended, t->refused, ledger_explain(text, sizeof(text), &t->ledger));
}

bool
trial_exceeds(const struct trial *t, double loss_ratio)
{
	return t->corrupt + t->truncated + t->misdelivered + t->reflected + t->ledger.in_flight >
		       0 ||
	       t->loss_ratio > loss_ratio;
}

void
trial_judge(struct trial *t, double max_loss_ratio)
{
	t->loss_ratio = t->intended > 0 ? (double)trial_lost(t) / (double)t->intended : NAN;
	if (is_invalid(t)) {
		t->verdict = TRIAL_INVALID;
	} else if (is_faulty(t) || is_lossy(t, max_loss_ratio)) {
		t->verdict = TRIAL_FAIL;
	} else {
		t->verdict = TRIAL_PASS;
		why(t, "lost %" PRIu64 " of %" PRIu64, trial_lost(t), t->intended);
	}
}

const char *
trial_verdict_name(enum trial_verdict v)
{
	return verdict_names[v];
}

/* ---- JSON ---- */

/* The counters of a trial under their keys, in groups: one table writes and reads them. */
struct counter {
	const char *group;
	const char *key;
	size_t offset;
};

#define COUNTER(group, field)                                \
	{                                                    \
		group, #field, offsetof(struct trial, field) \
	}
#define NOISE(field)                                                 \
	{                                                            \
		"noise", #field, offsetof(struct trial, noise.field) \
	}

static const struct counter counters[] = {
	COUNTER("slots", intended),
	COUNTER("slots", sent),
	COUNTER("slots", refused),
	COUNTER("slots", late),
	COUNTER("frames", received),
	COUNTER("frames", ok),
	COUNTER("frames", duplicate),
	COUNTER("frames", reordered),
	COUNTER("frames", corrupt),
	COUNTER("frames", truncated),
	COUNTER("frames", misdelivered),
	COUNTER("frames", reflected),
	COUNTER("frames", overdue),
	COUNTER("frames", foreign),
	NOISE(gap_max_ns),
	NOISE(gaps_20us),
	NOISE(gaps_sum_ns),
	NOISE(run_delay_ns),
	NOISE(steal_ns),
	NOISE(nivcsw),
};

static json_t *
group_to_json(const struct trial *t, const char *group)
{
	json_t *json = json_object();

	for (size_t i = 0; i < N_ELEMS(counters); i++) {
		uint64_t value;

		if (strcmp(counters[i].group, group) != 0)
			continue;
		memcpy(&value, (const char *)t + counters[i].offset, sizeof(value));
		json_object_set_new(json, counters[i].key, json_u64(value));
	}
	return json;
}

static json_t *
frames_to_json(const struct trial *t)
{
	static const char *const by_signature[] = {
		"duplicate", "reordered", "corrupt", "truncated", "reflected", "overdue",
	};
	json_t *json = group_to_json(t, "frames");

	for (size_t i = 0; i < N_ELEMS(by_signature) && t->ledger.seq_unknown; i++)
		json_object_set_new(json, by_signature[i], json_null());
	return json;
}

static json_t *
spec_to_json(const struct trial_spec *spec)
{
	json_t *json = json_object();

	json_object_set_new(json, "rate_pps", json_number(spec->rate_pps));
	json_object_set_new(json, "duration_ns", json_u64(spec->duration_ns));
	json_object_set_new(json, "flat_out", json_boolean(spec->flat_out));
	return json;
}

json_t *
trial_to_json(const struct trial *t)
{
	json_t *json = json_object();
	json_object_set_new(json, "spec", spec_to_json(&t->spec));
	json_object_set_new(json, "verdict", json_string(trial_verdict_name(t->verdict)));
	json_object_set_new(json, "reason", json_string(t->reason));
	json_object_set_new(json, "loss_ratio", json_number(t->loss_ratio));
	json_object_set_new(json, "elapsed_s", json_number(t->elapsed_s));
	json_object_set_new(json, "slots", group_to_json(t, "slots"));
	json_object_set_new(json, "frames", frames_to_json(t));
	json_object_set_new(json, "latency_accuracy_ns", json_u64(t->latency_accuracy_ns));
	json_object_set_new(json, "latency", hist_to_json(&t->latency));
	json_object_set_new(json, "noise", group_to_json(t, "noise"));
	json_object_set_new(json, "interrupted", json_boolean(t->interrupted));
	json_object_set_new(json, "fault", json_string(t->fault));
	json_object_set_new(json, "ledger", ledger_to_json(&t->ledger));
	return json;
}

static int
counters_from_json(struct trial *t, const json_t *json, struct err *err)
{
	for (size_t i = 0; i < N_ELEMS(counters); i++) {
		const struct counter *c = &counters[i];
		const json_t *group = json_object_get(json, c->group);
		uint64_t value = 0;
		int rc = 0;

		if (!json_is_null(json_object_get(group, c->key)))
			rc = json_get_u64(group, c->key, &value, err);
		if (rc < 0)
			return err_wrap(err, rc, "%s", c->group);
		memcpy((char *)t + c->offset, &value, sizeof(value));
	}
	return 0;
}

static int
text_from_json(char *text, size_t size, const json_t *json, const char *key, struct err *err)
{
	const char *value;
	int rc = json_get_text(json, key, &value, err);

	if (rc == 0 && !str_copy(text, size, value))
		rc = err_set(err, EINVAL, "%s: longer than %zu", key, size - 1);
	return rc;
}

/* A number, or null for one that is not known. */
static int
number_from_json(double *value, const json_t *json, const char *key, struct err *err)
{
	*value = NAN;
	if (json_is_null(json_object_get(json, key)))
		return 0;
	return json_get_double(json, key, value, err);
}

static int
verdict_from_json(struct trial *t, const json_t *json, struct err *err)
{
	const char *name;
	int rc = json_get_text(json, "verdict", &name, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < N_ELEMS(verdict_names); i++)
		if (strcmp(name, verdict_names[i]) == 0) {
			t->verdict = (enum trial_verdict)i;
			return 0;
		}
	return err_set(err, EINVAL, "verdict: '%.20s' is none of pass, fail, invalid", name);
}

static int
words_from_json(struct trial *t, const json_t *json, struct err *err)
{
	int rc = verdict_from_json(t, json, err);

	if (rc == 0)
		rc = text_from_json(t->reason, sizeof(t->reason), json, "reason", err);
	if (rc == 0)
		rc = text_from_json(t->fault, sizeof(t->fault), json, "fault", err);
	if (rc == 0)
		rc = json_get_bool(json, "interrupted", &t->interrupted, err);
	return rc;
}

static int
numbers_from_json(struct trial *t, const json_t *json, struct err *err)
{
	int rc =
		number_from_json(&t->spec.rate_pps, json_object_get(json, "spec"), "rate_pps", err);

	if (rc == 0)
		rc = json_get_u64(json, "spec.duration_ns", &t->spec.duration_ns, err);
	if (rc == 0)
		rc = json_get_bool(json, "spec.flat_out", &t->spec.flat_out, err);
	if (rc == 0)
		rc = number_from_json(&t->loss_ratio, json, "loss_ratio", err);
	if (rc == 0)
		rc = number_from_json(&t->elapsed_s, json, "elapsed_s", err);
	if (rc == 0)
		rc = json_get_u64(json, "latency_accuracy_ns", &t->latency_accuracy_ns, err);
	return rc;
}

int
trial_from_json(struct trial *t, const json_t *json, struct err *err)
{
	int rc;

	trial_init(t, &(struct trial_spec){0});
	rc = words_from_json(t, json, err);
	if (rc == 0)
		rc = numbers_from_json(t, json, err);
	if (rc == 0)
		rc = counters_from_json(t, json, err);
	if (rc < 0)
		return rc;
	rc = hist_from_json(&t->latency, json_object_get(json, "latency"), err);
	if (rc < 0)
		return err_wrap(err, rc, "latency");
	rc = ledger_from_json(&t->ledger, json_object_get(json, "ledger"), err);
	if (rc < 0)
		return err_wrap(err, rc, "ledger");
	return 0;
}
