/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/hist.h"
#include "hop_times.h"
#include "hop_work.h"
#include "ledger.h"
#include "noise.h"

/* One trial: a load, for a time, and everything known about what came of it. */

struct trial_spec {
	double rate_pps; /* intended load, frames a second */
	uint64_t duration_ns;
	bool flat_out; /* as fast as the link takes frames: no schedule, nothing refused */
};

enum trial_verdict {
	TRIAL_PASS,
	TRIAL_FAIL,
	TRIAL_INVALID, /* says nothing about the chain; repeat it */
};

/* What kind of evidence a trial is, whatever it lost. */
enum trial_class {
	TRIAL_VALID,	/* about the chain */
	TRIAL_OVERLOAD, /* about the generator: it could not keep the schedule, and nothing else had
			 * taken its CPU */
	TRIAL_FAULT,	/* about nothing: miscounted, stretched, interrupted; or about a path that
			 * is broken: dead, or with frames that nobody sent */
	TRIAL_NOISY,	/* about the machine too: lcores were kept from running, long enough to
			 * matter at this load */
};

struct trial {
	struct trial_spec spec;
	double elapsed_s; /* measured length of the transmission */

	/* Slots of the schedule: intended = sent + refused + late. */
	uint64_t intended;
	uint64_t sent;
	uint64_t refused; /* on time, and the link had no room */
	uint64_t late;	  /* the generator was not there */
	/* It does not tell which slots it was late for: 'late' is what it sent and refused less
	 * than asked, by our arithmetic, and in JSON null beside "shortfall". */
	bool late_unknown;

	/* Frames of the run that arrived, by kind.  A frame is one of ok, duplicate, corrupt,
	 * truncated, misdelivered, reflected, overdue; reordered is a property beside.  Without
	 * signatures all are ok, and the ledger says seq_unknown. */
	uint64_t received; /* all of them, both ports */
	uint64_t ok;
	uint64_t duplicate;
	uint64_t reordered;
	uint64_t corrupt;
	uint64_t truncated;
	uint64_t misdelivered; /* another destination MAC than the port's */
	uint64_t reflected;    /* came back to the port that sent it */
	uint64_t overdue;      /* after the drain's deadline */
	uint64_t foreign;      /* frames that are not ours at all; not in received */

	struct ledger ledger;
	struct hop_times inside[LEDGER_MAX_HOPS]; /* of the ledger's hops, where they tell */
	struct hop_work work[LEDGER_MAX_HOPS];	  /* the same */
	struct hist latency;	      /* from the intended departure, frames that arrived ok */
	uint64_t latency_accuracy_ns; /* a sample may be this much too high or low */
	struct trial_noise noise;
	bool disturbed;	  /* on purpose: what it lost is no noise of the machine's */
	bool interrupted; /* a program died or the user stopped it */
	char fault[160];  /* why the measurer calls it invalid; "" if it does not */

	/* Filled in by trial_judge. */
	enum trial_verdict verdict;
	enum trial_class class;
	double loss_ratio; /* (lost + drops + miss + refused) / intended; NaN of nothing */
	char reason[256];  /* of the verdict, one sentence */
};

#define TRIAL_MAX_LATE_RATIO 0.0001

/* A trial of 'spec' of which nothing is known yet. */
void trial_init(struct trial *t, const struct trial_spec *spec);

/* A transmission longer by more than this share says nothing about its load. */
#define TRIAL_MAX_STRETCH 0.05

/* Decides the class, and the verdict: invalid (late slots, interrupted, stretched, accounting,
 * duplicates nobody made) before pass or fail by 'max_loss_ratio'; passes only with corrupt =
 * truncated = misdelivered = reflected = 0, and with nothing left inside the chain after the drain.
 *
 * A noisy trial passes if it kept to the goal all the same.  If what it lost beyond the goal is no
 * more than the noise explains, it is invalid, and the reason names the lcore; a chain that lost
 * more than that fails, noise or not. */
void trial_judge(struct trial *t, double max_loss_ratio);

/* Is a valid trial, judged before, a bad one for a goal of this loss ratio: did it lose more, or
 * deliver frames that were not as they should be? */
bool trial_exceeds(const struct trial *t, double loss_ratio);

/* Frames that the chain did not deliver: lost, drops, miss and refused, and what is unexplained
 * where counters cannot be read. */
uint64_t trial_lost(const struct trial *t);

const char *trial_verdict_name(enum trial_verdict v); /* "pass", "fail", "invalid" */
const char *trial_class_name(enum trial_class c);     /* "valid", "overload", "fault", "noisy" */

/* {"spec", "elapsed_s", "slots", "frames", "ledger", "latency", "latency_accuracy_ns", "noise",
 * "interrupted", "fault", "verdict", "class", "loss_ratio", "reason"}; unknown is null.  "hops",
 * each as hop_times_to_json, are there when at least one tells where frames spent their time, and
 * "work", each as hop_work_to_json, when one tells how busy it was.  A file without "class" is of a
 * version that had none: invalid trials read as noisy, others as valid. */
json_t *trial_to_json(const struct trial *t);
int trial_from_json(struct trial *t, const json_t *json, struct err *err);
