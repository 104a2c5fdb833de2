/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "bench/goal.h"
#include "bench/mrr.h"
#include "bench/rfc2544.h"
#include "bench/search_result.h"
#include "bench/trial.h"

/* result.json: everything a benchmark did and found.  Keys are only ever added within a major
 * version; readers refuse a newer major.  Units are in the names; what is unknown is null, never 0.
 * Every report is a face of this one file.
 *
 *     schema_version "1.0" · nfvchain · command [..] · started_at · elapsed_s
 *     outcome     {exit, sentence}
 *     chain       {name, text (YAML), hops: [{name, kind, engine}], links: [{kind, ring}]}
 *     goal        {code, trial_s, needed, max_loss_ratio, step_ratio}
 *     selftest    [{frames, max_pps, scheduled_pps,
 *                  pacing_p50_ns, pacing_p99_ns, latency_floor_p50_ns, ...}]
 *     measurements [{frames, mean_frame_size, kind "search" | "fixed", preset, procedure,
 *                  rate_pps (median), rate_low_pps, rate_high_pps (interval),
 *                  rate_min_pps, rate_max_pps, rate_l1_bps, rate_l2_bps,
 *                  rate_is_lower_bound, n_searches, n_found, n_at_max, n_below_min, n_at_least,
 *                  n_inconclusive, n_trials, n_invalid,
 *                  intended, lost, loss_ratio, offered_pps, forwarding_pps, latency_accuracy_ns,
 *                  latency (of the valid trials at the accepted loads; when fixed, of all valid),
 *                  goals: [{code, trial_s, initial_s, sum_s, max_loss_ratio, exceed_ratio, width,
 *                  interval_level, interval_method, conditional_pps, and as above; the first one
 *                  is what the measurement itself repeats}],
 *                  loss_free: [{duration_s, rate_pps, rate_low_pps, rate_high_pps, extrapolated}],
 *                  loss_curve: [{rate_pps, loss_ratio, n_trials}],
 *                  mrr_pps: {median, low, high, n_trials},
 *                  searches: [{end, accepted_pps, rejected_pps (of the first goal), n_trials,
 *                  n_invalid, elapsed_s,
 *                  goals: [{code, end, accepted_pps, rejected_pps, conditional_pps}],
 *                  trials: [trial..]}]}]
 *     comparison  of `nfvchain compare` only: as paired_to_json, and {method, limited_by "dut" |
 *                 "generator", generator_pps, head_room_ratio, frames, seed, restart_s, slices:
 *                 [{arm, round, value, sent, ok, lost, balanced, turns ..}]}; a and b have {value,
 *                 chain} beside; instructions {a, b, ratio, difference, method, accuracy, reason}
 *     sweep       of `nfvchain sweep` only, whose file is sweep.json: see sweep.h
 *     plan        as `nfvchain plan --json` prints it
 *     environment see environment.h
 */

#define RESULT_SCHEMA "1.0"

/* Starts a result: schema, version, command line, UTC time.  Takes the references of the parts; any
 * may be NULL, which becomes null. */
json_t *result_new(int argc, char *const *argv, json_t *chain, json_t *plan, json_t *environment);

/* Notes the self-test of a frame mix. */
struct result_selftest {
	const char *frames;
	double max_pps;
	double scheduled_pps; /* highest load at which it keeps its schedule */
	double pacing_p50_ns; /* actual - intended departure, negative = unknown */
	double pacing_p99_ns;
	double latency_floor_p50_ns;
	double latency_floor_p99_ns;
	double at_pps;		      /* load at which pacing and floor were measured */
	const struct trial *flat_out; /* the trials behind them, or NULL */
	const struct trial *paced;
};
void result_add_selftest(json_t *result, const struct result_selftest *s);

/* The goal of the headlines; NULL: there is none. */
void result_set_goal(json_t *result, const struct goal *goal);

/* What a measurement is to find out. */
struct result_asked {
	const char *preset;    /* or NULL */
	const char *procedure; /* "binary", "mlrsearch", ..., "fixed" */
	const struct goal *goals;
	size_t n_goals; /* 0: nothing is searched, the load is given */
};

/* Starts a measurement; trials and searches are added to the last one started. */
void result_add_measurement(json_t *result, const char *frames, double mean_size,
			    const struct result_asked *asked);
/* Starts a search (or the only one of a fixed-rate measurement). */
void result_begin_search(json_t *result);
void result_add_trial(json_t *result, const struct trial *trial);
/* How the last trial went in time, see bench/timeline.h; takes the reference. */
void result_set_timeline(json_t *result, json_t *timeline);
/* What else was found, beside a search or instead of one; nothing when that is empty. */
void result_set_curve(json_t *result, const struct loss_curve *curve);
void result_set_mrr(json_t *result, const struct mrr *mrr);
/* Closes the search begun last; 'found' has a result for each goal of the measurement, or is NULL
 * when nothing was searched. */
void result_end_search(json_t *result, const struct search_result *found, double elapsed_s);
/* Computes the measurement's headline from its searches, for each goal: median, spread, interval,
 * loss over all valid trials at the accepted loads, merged latency.  Inconclusive searches are no
 * part of median and spread; with one that ended below the lowest load, what would rest on it is
 * null.  When fixed, the rates are the intended loads. */
void result_end_measurement(json_t *result);

void result_finish(json_t *result, double elapsed_s, int exit_code, const char *sentence);

/* Makes 'parent'/<UTC %Y%m%dT%H%M%SZ>-<chain>[-n]/, points 'parent'/latest at it; the path for the
 * caller to free. */
int result_make_dir(const char *parent, const char *chain, char **dir, struct err *err);
int result_save(const json_t *result, const char *dir, struct err *err);
/* Writes a rendered result to 'path', through a temporary file beside it. */
int result_save_text(const char *text, const char *path, struct err *err);
/* Name of the HTML report, beside result.json. */
#define RESULT_REPORT "report.html"
/* Name of what `nfvchain sweep` writes in place of result.json. */
#define RESULT_SWEEP "sweep.json"
/* Reads a result.json, or the one in a directory, or else a sweep.json there; refuses a newer
 * major.
 */
int result_load(json_t **result, const char *path, struct err *err);
