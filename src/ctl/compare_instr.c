/* SPDX-License-Identifier: MIT */
/* Instructions per frame of both sides, a witness beside the clock. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "chain/steps.h"
#include "compare.h"
#include "progress.h"

#define STEPS_NS (15 * NSEC_PER_S)
#define RING 256     /* the shortest: see steps.h */
#define ACCURACY 0.1 /* worse than this is no witness */
#define WARM_NS (200 * NSEC_PER_MS)

static int
count(struct session *session, const struct chain *chain, struct steps *steps, struct err *err)
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
		rc = steps_run(steps, &session->backend, STEPS_NS, err);
	if (rc == 0 && !(steps->accuracy <= ACCURACY))
		return err_set(err, ENODATA,
			       "%" PRIu64 " steps in %d s are too few on this machine", steps->n,
			       (int)(STEPS_NS / NSEC_PER_S));
	return rc;
}

/* The same side over short rings, counted from its start to its end. */
static int
count_side(const struct compare_side *side, char letter, struct steps *steps, struct err *err)
{
	struct compare_side copy = {0};
	struct session session = {0};
	int rc = compare_side_copy(&copy, &side->chain, side->label, err);

	copy.chain.link[0].ring = copy.chain.link[1].ring = RING;
	if (rc == 0)
		rc = session_up_arm(&session, &copy.chain, letter, false, err);
	if (rc == 0)
		rc = count(&session, &copy.chain, steps, err);
	session_kill(&session);
	compare_side_fini(&copy);
	return rc;
}

static json_t *
instructions_json(const struct steps s[2], const char *reason)
{
	bool known = reason == NULL;

	return json_pack(
		"{s:o, s:o, s:o, s:s, s:o, s:o}", "a", json_number(known ? s[0].per_frame : NAN),
		"b", json_number(known ? s[1].per_frame : NAN), "ratio",
		json_number(known ? s[1].per_frame / s[0].per_frame : NAN), "method", "single_step",
		"accuracy", json_number(known ? s[0].accuracy + s[1].accuracy : NAN), "reason",
		known ? json_null() : json_string(reason));
}

int
compare_instructions(struct compare *c, struct err *err)
{
	struct steps steps[2] = {0};
	struct err why = {0};
	int rc = 0;

	if (c->side[0].chain.n_hops != 1 || c->side[1].chain.n_hops != 1) {
		c->instructions = instructions_json(steps, "they are counted in chains of one hop");
		return 0;
	}
	for (int i = 0; rc == 0 && i < 2; i++) {
		progress_step("counting instructions of %c", 'A' + i);
		rc = count_side(&c->side[i], (char)('a' + i), &steps[i], &why);
	}
	if (rc == -EINTR)
		return err_set(err, EINTR, "interrupted");
	/* What could not be counted is unknown, and no reason to throw away what was measured. */
	c->instructions = instructions_json(steps, rc < 0 ? why.msg : NULL);
	return 0;
}
