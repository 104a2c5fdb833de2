/* SPDX-License-Identifier: MIT */
/* Instructions per frame of both sides, a witness beside the clock. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "chain/counting.h"
#include "compare.h"
#include "progress.h"

#define MOST_NS (12 * NSEC_PER_S) /* for counting a side; starting it takes some seconds more */
#define RING 4096		  /* that turns are short, and a start under callgrind too */
#define ACCURACY 0.02		  /* worse than this is no witness */
#define WARM_NS (200 * NSEC_PER_MS)

static void
tell(void *arg, unsigned done, unsigned total, double eta_s)
{
	const char *letter = arg;

	progress_step("counting instructions of %c  look %u/%u  eta %.0f s", *letter, done + 1,
		      total, ceil(fmax(eta_s, 0)));
}

static int
count(struct session *session, const struct chain *chain, char name, struct counting *counting,
      struct err *err)
{
	struct measure m = {.backend = &session->backend, .warm_ns = WARM_NS};
	const struct tg_traffic traffic = {
		.frames = &chain->traffic.frames[0],
		.flows = chain->traffic.flows,
		.ipv6 = chain->traffic.ipv6,
		.vlan = chain->traffic.vlan,
	};
	int rc = measure_prepare(&m, &traffic, err);

	if (rc == 0)
		rc = counting_run(counting, &session->backend, MOST_NS, tell, &name, err);
	if (rc == 0 && !(counting->fit.accuracy <= ACCURACY))
		return err_set(err, ENODATA,
			       "instructions per frame vary too much from moment to moment: %.1f, "
			       "within %.0f %%",
			       counting->fit.per_frame, 100 * counting->fit.accuracy);
	return rc;
}

/* The same side over other rings, counted from its start to its end. */
static int
count_side(const struct compare_side *side, int i, struct counting *counting, struct err *err)
{
	struct compare_side copy = {0};
	struct session session = {0};
	int rc = compare_side_copy(&copy, &side->chain, side->label, err);

	copy.chain.link[0].ring = copy.chain.link[1].ring = RING;
	if (rc == 0)
		rc = session_up_counted(&session, &copy.chain, (char)('a' + i), err);
	if (rc == 0)
		rc = count(&session, &copy.chain, (char)('A' + i), counting, err);
	session_kill(&session);
	compare_side_fini(&copy);
	return rc == -EINTR ? rc : err_wrap(err, rc, "%c under callgrind", 'A' + i);
}

static json_t *
instructions_json(const struct counting c[2], const char *reason)
{
	double a = NAN, b = NAN, accuracy = NAN;

	if (reason == NULL) {
		a = c[0].fit.per_frame;
		b = c[1].fit.per_frame;
		/* Of the ratio: errors of both sides are independent. */
		accuracy = hypot(c[0].fit.accuracy, c[1].fit.accuracy);
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "a", json_number(a), "b",
			 json_number(b), "ratio", json_number(b / a), "difference",
			 json_number(b - a), "method", "callgrind", "accuracy",
			 json_number(accuracy), "reason",
			 reason == NULL ? json_null() : json_string(reason));
}

int
compare_instructions(struct compare *c, struct err *err)
{
	struct counting counting[2] = {0};
	struct err why = {0};
	int rc = 0;

	if (c->side[0].chain.n_hops != 1 || c->side[1].chain.n_hops != 1) {
		c->instructions =
			instructions_json(counting, "they are counted in chains of one hop");
		return 0;
	}
	for (int i = 0; rc == 0 && i < 2; i++) {
		progress_step("starting %c under callgrind", 'A' + i);
		rc = count_side(&c->side[i], i, &counting[i], &why);
	}
	if (rc == -EINTR)
		return err_set(err, EINTR, "interrupted");
	/* What could not be counted is unknown, and no reason to throw away what was measured. */
	c->instructions = instructions_json(counting, rc < 0 ? why.msg : NULL);
	return 0;
}
