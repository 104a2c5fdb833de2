/* SPDX-License-Identifier: MIT */
#include "compare_slice.h"

#include <errno.h>
#include <math.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/rate.h"

#define WARM_UP_TRIALS 2
#define FIRST_TURNS_NS (50 * NSEC_PER_MS)
#define TIMED_SLICES 5
#define LATENCY_PPS 100e3
#define FLAT_OUT_PPS 1e6 /* not looked at */

static unsigned
arm_index(const struct compare *c, const struct compare_arm *arm)
{
	return (unsigned)(arm - c->arm);
}

static struct trial_spec
spec_of(const struct compare *c)
{
	const struct chain *chain = &c->side[0].chain;
	struct trial_spec spec = {.rate_pps = FLAT_OUT_PPS, .duration_ns = c->slice_ns};

	spec.flat_out = c->metric == COMPARE_RATE;
	if (!spec.flat_out)
		spec.rate_pps = c->conf->has_rate
					? rate_pps(&c->conf->rate,
						   imix_mean_size(&chain->traffic.frames[0]), 0)
					: LATENCY_PPS;
	return spec;
}

static json_t *
new_note(const struct compare_arm *arm, unsigned round)
{
	json_t *note = json_object();

	json_object_set_new(note, "arm", json_stringn(&arm->letter, 1));
	json_object_set_new(note, "round", json_integer(round));
	return note;
}

/* What became of the frames of a trial, and what disturbed it. */
static void
note_trial(struct compare *c, const struct trial *t, json_t *note)
{
	bool contradicts = ledger_contradicts(&t->ledger);
	char text[256];

	json_object_set_new(note, "sent", json_u64(t->sent));
	json_object_set_new(note, "ok", json_u64(t->ok));
	json_object_set_new(note, "lost", json_u64(trial_lost(t)));
	json_object_set_new(note, "balanced", json_boolean(!contradicts));
	if (contradicts)
		json_object_set_new(note, "contradiction",
				    json_string(ledger_explain(text, sizeof(text), &t->ledger)));
	json_object_set_new(note, "run_delay_ns", json_u64(t->noise.run_delay_ns));
	json_object_set_new(note, "steal_ns", json_u64(t->noise.steal_ns));
	c->n_unbalanced += contradicts;
}

static void
add_slice(struct compare *c, const struct compare_arm *arm, json_t *note, double value,
	  const char *reason)
{
	paired_add(&c->paired, arm_index(c, arm), value, isnan(value) ? reason : NULL);
	json_object_set_new(note, "value", json_number(value));
	json_array_append_new(c->slices, note);
}

static int
name_arm(const struct compare_arm *arm, int rc, struct err *err)
{
	return rc == -EINTR ? rc : err_wrap(err, rc, "%c", arm->letter);
}

/* ---- a slice that is a trial ---- */

/* One trial of an arm that sleeps before and after it. */
static int
run_trial(struct compare *c, struct compare_arm *arm, struct trial *t, struct err *err)
{
	struct backend *b = &arm->session.backend;
	const struct trial_spec spec = spec_of(c);
	int rc;

	backend_thaw(b);
	rc = measure_trial(&arm->measure, &spec, t, err);
	if (rc == 0) {
		trial_judge(t, 0);
		rc = backend_freeze(b, err);
	}
	return name_arm(arm, rc, err);
}

static bool
is_sound(const struct trial *t)
{
	return !t->interrupted && t->fault[0] == '\0' && !ledger_contradicts(&t->ledger) &&
	       t->ok > 0;
}

/* NaN when it has none.  Which trials are valid must not depend on how fast they were. */
static double
value_of(const struct compare *c, const struct trial *t)
{
	if (!is_sound(t))
		return NAN;
	if (c->metric == COMPARE_RATE)
		return t->elapsed_s > 0 ? (double)t->ok / t->elapsed_s : NAN;
	if (t->verdict == TRIAL_INVALID)
		return NAN;
	return (double)hist_quantile(&t->latency, c->metric == COMPARE_P50 ? 0.5 : 0.99);
}

static int
slice_of_trial(struct compare *c, struct compare_arm *arm, unsigned round, double *value,
	       struct err *err)
{
	static struct trial t;
	int rc = run_trial(c, arm, &t, err);
	json_t *note;

	if (rc < 0)
		return rc;
	*value = value_of(c, &t);
	note = new_note(arm, round);
	note_trial(c, &t, note);
	add_slice(c, arm, note, *value, t.reason);
	return 0;
}

/* ---- a slice of turns ---- */

static int
take_turns(struct compare_arm *arm, uint64_t ns, struct err *err)
{
	struct backend *b = &arm->session.backend;
	int rc = turns_run(&arm->turns, b, ns, err);
	return rc == 0 ? 0 : name_arm(arm, backend_explain(b, rc, err), err);
}

static int
slice_of_turns(struct compare *c, struct compare_arm *arm, unsigned round, double *value,
	       struct err *err)
{
	const struct turns *t = &arm->turns;
	json_t *note;
	int rc;

	rc = take_turns(arm, c->slice_ns, err);
	if (rc < 0)
		return rc;
	*value = turns_rate(t);
	note = new_note(arm, round);
	json_object_set_new(note, "turns", json_integer(t->n));
	json_object_set_new(note, "turns_dry", json_integer(t->n_dry));
	json_object_set_new(note, "frames", json_u64(t->frames));
	json_object_set_new(note, "cpu_ns", json_u64(t->cpu_ns));
	json_object_set_new(note, "idle_ns", json_u64(t->idle_ns));
	add_slice(c, arm, note, *value,
		  turns_is_stalled(t)
			  ? "its threads share a CPU and wait for each other: try --flat-out"
			  : "too few turns with frames enough and CPU time of its own");
	return 0;
}

static int
open_trial(struct compare *c, struct compare_arm *arm, struct err *err)
{
	struct backend *b = &arm->session.backend;
	uint64_t start;
	int rc;

	backend_thaw(b);
	rc = name_arm(arm, measure_open(&arm->measure, &arm->turns, err), err);
	/* The first turns find out how long a turn should be. */
	if (rc == 0)
		rc = take_turns(arm, FIRST_TURNS_NS, err);
	start = clock_now_ns();
	for (unsigned i = 0; rc == 0 && i < TIMED_SLICES; i++)
		rc = take_turns(arm, c->slice_ns, err);
	c->slice_cost_ns += (clock_now_ns() - start) / TIMED_SLICES / c->n_arms;
	return rc;
}

static int
close_trial(struct compare *c, struct compare_arm *arm, unsigned round, struct err *err)
{
	struct backend *b = &arm->session.backend;
	static struct trial t;
	json_t *note;
	int rc;

	backend_resume_generator(b);
	rc = measure_close(&arm->measure, &t, err);
	if (rc == 0)
		rc = backend_freeze(b, err);
	if (rc < 0)
		return name_arm(arm, rc, err);
	note = new_note(arm, round);
	note_trial(c, &t, note);
	json_object_set_new(note, "ring_room", json_u64(arm->turns.room));
	json_array_append_new(c->trials, note);
	if (!is_sound(&t))
		paired_void_round(&c->paired, round,
				  t.fault[0] != '\0' ? t.fault : "frames are unaccounted for");
	return 0;
}

/* ---- both ---- */

int
compare_slice_warm_up(struct compare *c, struct compare_arm *arm, struct err *err)
{
	static struct trial t;
	int rc = 0;

	if (c->in_turns)
		return name_arm(arm, backend_freeze(&arm->session.backend, err), err);
	for (int i = 0; rc == 0 && i < WARM_UP_TRIALS; i++)
		rc = run_trial(c, arm, &t, err);
	return rc;
}

int
compare_slice_begin_round(struct compare *c, struct err *err)
{
	int rc = 0;

	c->slice_cost_ns = 0;
	for (unsigned i = 0; c->in_turns && rc == 0 && i < c->n_arms; i++)
		rc = open_trial(c, &c->arm[i], err);
	return rc;
}

int
compare_slice_end_round(struct compare *c, unsigned round, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; c->in_turns && rc == 0 && i < c->n_arms; i++)
		rc = close_trial(c, &c->arm[i], round, err);
	return rc;
}

int
compare_slice_run(struct compare *c, struct compare_arm *arm, unsigned round, double *value,
		  struct err *err)
{
	return c->in_turns ? slice_of_turns(c, arm, round, value, err)
			   : slice_of_trial(c, arm, round, value, err);
}
