/* SPDX-License-Identifier: MIT */
#include "paired.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

void
paired_conf_init(struct paired_conf *conf)
{
	*conf = (struct paired_conf){
		.higher_is_better = true,
		.level = 0.95,
		.verdict_level = 0.995,
		.equal_within = 0.03,
		.control_within = 0.02,
	};
}

static int
check_plan(const struct paired_plan *plan, struct err *err)
{
	if (plan->n_b < 1 || plan->n_b > PAIRED_MAX_B)
		return err_set(err, EINVAL, "not 1 to %u programs to compare", PAIRED_MAX_B);
	if (plan->seed > INT64_MAX)
		return err_set(err, EINVAL, "the seed is not below 2^63");
	if (plan->slices_per_arm < 1 || plan->slices_per_arm > PAIRED_MAX_SLICES)
		return err_set(err, EINVAL, "not 1 to %u slices per arm", PAIRED_MAX_SLICES);
	return 0;
}

static bool
is_share(double x)
{
	return x > 0 && x < 1;
}

static int
check_conf(const struct paired_conf *conf, struct err *err)
{
	if (!is_share(conf->level) || !is_share(conf->verdict_level))
		return err_set(err, EINVAL, "a level is above 0 and below 1");
	if (!is_share(conf->equal_within) || !is_share(conf->control_within))
		return err_set(err, EINVAL, "a tolerance is above 0 and below 1");
	return 0;
}

int
paired_init(struct paired *p, const struct paired_plan *plan, const struct paired_conf *conf,
	    struct err *err)
{
	int rc;

	*p = (struct paired){.plan = *plan, .conf = *conf};
	for (unsigned i = 0; i < PAIRED_MAX_ARMS; i++)
		p->arm[i].instructions = NAN;
	rc = check_plan(plan, err);
	if (rc == 0)
		rc = check_conf(conf, err);
	return rc;
}

void
paired_fini(struct paired *p)
{
	free(p->block);
	free(p->round);
	*p = (struct paired){0};
}

void
paired_begin(struct paired *p, unsigned round)
{
	assert(p->n_blocks == 0 || round >= p->block[p->n_blocks - 1].round);
	/* A block is large: room doubles, so that a session does not copy itself for each. */
	if ((p->n_blocks & (p->n_blocks - 1)) == 0)
		p->block = xrealloc(p->block, p->n_blocks > 0 ? 2 * p->n_blocks : 1,
				    sizeof(*p->block));
	p->block[p->n_blocks++] = (struct paired_block){.round = round};
}

void
paired_add(struct paired *p, unsigned arm, double value, const char *reason)
{
	struct paired_block *b = &p->block[p->n_blocks - 1];
	struct paired_slice *slice = &b->slice[b->n_slices];

	assert(b->n_slices < N_ELEMS(b->slice) && arm < paired_n_arms(&p->plan));
	*slice = (struct paired_slice){.arm = arm, .value = value};
	b->n_slices++;
	/* Ratios of nothing, or of infinity, are not numbers either. */
	if (value > 0 && isfinite(value))
		return;
	slice->value = NAN;
	str_copy(slice->reason, sizeof(slice->reason), reason != NULL ? reason : "no value");
}

void
paired_void_round(struct paired *p, unsigned round, const char *reason)
{
	for (size_t i = 0; i < p->n_blocks; i++) {
		struct paired_block *b = &p->block[i];

		for (size_t k = 0; b->round == round && k < b->n_slices; k++) {
			b->slice[k].value = NAN;
			str_copy(b->slice[k].reason, sizeof(b->slice[k].reason), reason);
		}
	}
}

const char *
paired_verdict_name(enum paired_verdict v)
{
	static const char *const name[] = {
		[PAIRED_UNDECIDED] = "undecided",
		[PAIRED_BETTER] = "better",
		[PAIRED_WORSE] = "worse",
		[PAIRED_EQUAL] = "equal",
	};

	return name[v];
}
