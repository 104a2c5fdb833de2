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

static const char *const class_names[] = {
	[TRIAL_VALID] = "valid",
	[TRIAL_OVERLOAD] = "overload",
	[TRIAL_FAULT] = "fault",
	[TRIAL_NOISY] = "noisy",
};

/* A frame may leave so late, and the last of a trial with it; see gen/run.c. */
#define LATE_S 0.01

void
trial_init(struct trial *t, const struct trial_spec *spec)
{
	memset(t, 0, sizeof(*t));
	t->spec = *spec;
	t->verdict = TRIAL_INVALID;
	t->class = TRIAL_FAULT;
	t->loss_ratio = NAN;
	noise_init(&t->noise);
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

/* Rate of the frames on their way, and the time in which they were sent. */
static double
load_pps(const struct trial *t)
{
	if (t->spec.flat_out)
		return t->elapsed_s > 0 ? (double)t->sent / t->elapsed_s : 0;
	return t->spec.rate_pps;
}

static uint64_t
sending_ns(const struct trial *t)
{
	return t->elapsed_s > 0 ? (uint64_t)(t->elapsed_s * 1e9) : t->spec.duration_ns;
}

/* The generator was not there when slots were due. */
static bool
is_late(struct trial *t)
{
	char gap[64] = "";

	if (t->late == 0 || (double)t->late <= TRIAL_MAX_LATE_RATIO * (double)t->intended)
		return false;
	t->class = t->late <= noise_explains_late(&t->noise, load_pps(t)) ? TRIAL_NOISY
									  : TRIAL_OVERLOAD;
	if (t->late_unknown)
		return why(t,
			   "the generator sent %" PRIu64 " frames less than the %" PRIu64
			   " asked for, without a word",
			   t->late, t->intended);
	if (t->noise.gap_max_ns != NOISE_UNKNOWN)
		snprintf(gap, sizeof(gap), " (longest gap %.1f us)",
			 (double)t->noise.gap_max_ns / 1e3);
	return why(t, "the generator was late for %" PRIu64 " of %" PRIu64 " frames%s", t->late,
		   t->intended, gap);
}

/* Longer than it should be, and than the generator's absences and its patience with the last frame
 * explain. */
static bool
is_stretched(struct trial *t)
{
	double asked_s = (double)t->spec.duration_ns / 1e9;
	double more_s = LATE_S + (t->spec.rate_pps > 0 ? 1 / t->spec.rate_pps : 0);

	if (t->noise.gaps_sum_ns != NOISE_UNKNOWN)
		more_s += (double)t->noise.gaps_sum_ns / 1e9;
	if (!(t->elapsed_s > asked_s * (1 + TRIAL_MAX_STRETCH) + more_s) || asked_s <= 0)
		return false;
	return why(t, "the generator sent for %.3f s instead of %.3f s", t->elapsed_s, asked_s);
}

static bool
is_invalid(struct trial *t)
{
	t->class = TRIAL_FAULT;
	if (t->interrupted)
		return why(t, "interrupted%s%s", t->fault[0] != '\0' ? ": " : "", t->fault);
	if (t->fault[0] != '\0')
		return why(t, "%s", t->fault);
	if (t->intended == 0)
		return why(t, "no frame was due in the whole trial");
	if (is_late(t))
		return true;
	if (is_miscounted(t))
		return true;
	if (t->duplicate > t->ledger.created)
		return why(t, "%" PRIu64 " duplicates, of which the chain made %" PRIu64,
			   t->duplicate, t->ledger.created);
	if (t->received > t->sent + t->ledger.created + t->overdue)
		return why(t, "%" PRIu64 " frames received of %" PRIu64 " sent", t->received,
			   t->sent);
	return is_stretched(t);
}

/* Of the frames sent from a port not one arrived at the other. */
static bool
is_dead(const struct trial *t)
{
	for (int p = 0; p < 2; p++)
		if (t->ledger.gen[p].tx > 0 && t->ledger.gen[!p].rx == 0)
			return true;
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

static void
explain_loss(struct trial *t)
{
	uint64_t lost = trial_lost(t);
	char text[sizeof(t->reason)];

	if (t->refused == lost)
		why(t, "lost %" PRIu64 " of %" PRIu64 ", all refused at the generator's links",
		    lost, t->intended);
	else
		why(t, "lost %" PRIu64 " of %" PRIu64 ", %" PRIu64 " of them refused: %s", lost,
		    t->intended, t->refused, ledger_explain(text, sizeof(text), &t->ledger));
}

bool
trial_exceeds(const struct trial *t, double loss_ratio)
{
	return t->corrupt + t->truncated + t->misdelivered + t->reflected + t->ledger.in_flight >
		       0 ||
	       t->loss_ratio > loss_ratio;
}

/* Does the noise explain what was lost beyond the goal? */
static bool
is_explained(const struct trial *t, double max_loss_ratio)
{
	double most = (double)noise_explains(&t->noise, load_pps(t), sending_ns(t));

	return t->class == TRIAL_NOISY &&
	       (double)trial_lost(t) <= most + max_loss_ratio * (double)t->intended;
}

/* The verdict on a trial that is not invalid in itself; 'noise' tells what disturbed it. */
static enum trial_verdict
judge_loss(struct trial *t, double max_loss_ratio, const char *noise)
{
	bool noisy = t->class == TRIAL_NOISY;

	if (t->loss_ratio <= max_loss_ratio) {
		why(t, "lost %" PRIu64 " of %" PRIu64 "%s%s", trial_lost(t), t->intended,
		    noisy ? " in spite of noise: " : "", noise);
		return TRIAL_PASS;
	}
	if (is_explained(t, max_loss_ratio)) {
		why(t, "lost %" PRIu64 " of %" PRIu64 ", explained by noise: %s", trial_lost(t),
		    t->intended, noise);
		return TRIAL_INVALID;
	}
	if (is_dead(t))
		t->class = TRIAL_FAULT;
	explain_loss(t);
	return TRIAL_FAIL;
}

void
trial_judge(struct trial *t, double max_loss_ratio)
{
	char noise[128] = "";

	t->loss_ratio = t->intended > 0 ? (double)trial_lost(t) / (double)t->intended : NAN;
	if (is_invalid(t)) {
		t->verdict = TRIAL_INVALID;
		return;
	}
	t->class = !t->disturbed && noise_matters(&t->noise, load_pps(t), sending_ns(t), noise,
						  sizeof(noise))
			   ? TRIAL_NOISY
			   : TRIAL_VALID;
	t->verdict = is_faulty(t) ? TRIAL_FAIL : judge_loss(t, max_loss_ratio, noise);
}

const char *
trial_verdict_name(enum trial_verdict v)
{
	return verdict_names[v];
}

const char *
trial_class_name(enum trial_class c)
{
	return class_names[c];
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

static const struct counter counters[] = {
	COUNTER("slots", intended),   COUNTER("slots", sent),	       COUNTER("slots", refused),
	COUNTER("slots", late),	      COUNTER("frames", received),     COUNTER("frames", ok),
	COUNTER("frames", duplicate), COUNTER("frames", reordered),    COUNTER("frames", corrupt),
	COUNTER("frames", truncated), COUNTER("frames", misdelivered), COUNTER("frames", reflected),
	COUNTER("frames", overdue),   COUNTER("frames", foreign),
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
slots_to_json(const struct trial *t)
{
	json_t *json = group_to_json(t, "slots");

	if (t->late_unknown) {
		json_object_set_new(json, "late", json_null());
		json_object_set_new(json, "shortfall", json_u64(t->late));
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

/* NULL when none of them tells. */
static json_t *
hops_to_json(const struct trial *t)
{
	json_t *hops = json_array();
	bool any = false;

	for (size_t i = 0; i < t->ledger.n_hops; i++) {
		any |= t->inside[i].known;
		json_array_append_new(hops,
				      hop_times_to_json(&t->inside[i], t->ledger.hop[i].name));
	}
	if (any)
		return hops;
	json_decref(hops);
	return NULL;
}

/* The same. */
static json_t *
work_to_json(const struct trial *t)
{
	json_t *work = json_array();
	bool any = false;

	for (size_t i = 0; i < t->ledger.n_hops; i++) {
		any |= t->work[i].known;
		json_array_append_new(work, hop_work_to_json(&t->work[i], t->ledger.hop[i].name));
	}
	if (any)
		return work;
	json_decref(work);
	return NULL;
}

json_t *
trial_to_json(const struct trial *t)
{
	json_t *json = json_object(), *hops = hops_to_json(t), *work = work_to_json(t);

	json_object_set_new(json, "spec", spec_to_json(&t->spec));
	json_object_set_new(json, "verdict", json_string(trial_verdict_name(t->verdict)));
	json_object_set_new(json, "class", json_string(trial_class_name(t->class)));
	json_object_set_new(json, "reason", json_string(t->reason));
	json_object_set_new(json, "loss_ratio", json_number(t->loss_ratio));
	json_object_set_new(json, "elapsed_s", json_number(t->elapsed_s));
	json_object_set_new(json, "slots", slots_to_json(t));
	json_object_set_new(json, "frames", frames_to_json(t));
	json_object_set_new(json, "latency_accuracy_ns", json_u64(t->latency_accuracy_ns));
	json_object_set_new(json, "latency", hist_to_json(&t->latency));
	json_object_set_new(json, "noise", noise_to_json(&t->noise));
	json_object_set_new(json, "interrupted", json_boolean(t->interrupted));
	json_object_set_new(json, "fault", json_string(t->fault));
	if (t->disturbed)
		json_object_set_new(json, "disturbed", json_true());
	json_object_set_new(json, "ledger", ledger_to_json(&t->ledger));
	if (hops != NULL)
		json_object_set_new(json, "hops", hops);
	if (work != NULL)
		json_object_set_new(json, "work", work);
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
shortfall_from_json(struct trial *t, const json_t *slots, struct err *err)
{
	t->late_unknown = json_object_get(slots, "shortfall") != NULL;
	return t->late_unknown ? json_get_u64(slots, "shortfall", &t->late, err) : 0;
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
class_from_json(struct trial *t, const json_t *json, struct err *err)
{
	const char *name;
	int rc;

	t->class = t->verdict == TRIAL_INVALID ? TRIAL_NOISY : TRIAL_VALID;
	if (json_object_get(json, "class") == NULL)
		return 0;
	rc = json_get_text(json, "class", &name, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < N_ELEMS(class_names); i++)
		if (strcmp(name, class_names[i]) == 0) {
			t->class = (enum trial_class)i;
			return 0;
		}
	return err_set(err, EINVAL, "class: '%.20s' is none of valid, overload, fault, noisy",
		       name);
}

static int
words_from_json(struct trial *t, const json_t *json, struct err *err)
{
	int rc = verdict_from_json(t, json, err);

	if (rc == 0)
		rc = class_from_json(t, json, err);
	if (rc == 0)
		rc = text_from_json(t->reason, sizeof(t->reason), json, "reason", err);
	if (rc == 0)
		rc = text_from_json(t->fault, sizeof(t->fault), json, "fault", err);
	if (rc == 0)
		rc = json_get_bool(json, "interrupted", &t->interrupted, err);
	t->disturbed = json_is_true(json_object_get(json, "disturbed"));
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

static int
hops_from_json(struct trial *t, const json_t *hops, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->ledger.n_hops; i++)
		rc = err_wrap(err, hop_times_from_json(&t->inside[i], json_array_get(hops, i), err),
			      "hops[%zu]", i);
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
	if (rc == 0)
		rc = shortfall_from_json(t, json_object_get(json, "slots"), err);
	if (rc < 0)
		return rc;
	rc = noise_from_json(&t->noise, json_object_get(json, "noise"), err);
	if (rc < 0)
		return err_wrap(err, rc, "noise");
	rc = hist_from_json(&t->latency, json_object_get(json, "latency"), err);
	if (rc < 0)
		return err_wrap(err, rc, "latency");
	rc = ledger_from_json(&t->ledger, json_object_get(json, "ledger"), err);
	if (rc < 0)
		return err_wrap(err, rc, "ledger");
	rc = hops_from_json(t, json_object_get(json, "hops"), err);
	for (size_t i = 0; rc == 0 && i < t->ledger.n_hops; i++) {
		const json_t *work = json_array_get(json_object_get(json, "work"), i);

		rc = err_wrap(err, hop_work_from_json(&t->work[i], work, err), "work[%zu]", i);
	}
	return rc;
}
