/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

void
probe_init(struct probe *p)
{
	p->trial = xcalloc(1, sizeof(*p->trial));
	p->n_trials = p->n_invalid = 0;
	fault_watch_init(&p->watch);
}

void
probe_fini(struct probe *p)
{
	free(p->trial);
	p->trial = NULL;
}

int
probe_once(struct probe *p, double pps, uint64_t duration_ns, struct err *err)
{
	const struct trial_spec spec = {.rate_pps = pps, .duration_ns = duration_ns};
	char fault[256];
	int rc;

	trial_init(p->trial, &spec);
	rc = p->m->run(p->m->ctx, &spec, p->trial, err);
	if (rc < 0)
		return rc;
	trial_judge(p->trial, p->max_loss_ratio);
	p->n_trials++;
	p->n_invalid += p->trial->verdict == TRIAL_INVALID;
	if (p->m->judged != NULL)
		p->m->judged(p->m->ctx, p->trial);
	if (p->m->watch_faults && trial_exceeds(p->trial, p->m->allowed_loss_ratio) &&
	    fault_watch_add(&p->watch, p->trial, fault, sizeof(fault)))
		return err_set(err, EIO, "%s", fault);
	return 0;
}

int
probe_valid(struct probe *p, double pps, uint64_t duration_ns, struct err *err)
{
	for (unsigned i = 0; i < p->max_invalid; i++) {
		int rc = probe_once(p, pps, duration_ns, err);

		if (rc < 0 || p->trial->verdict != TRIAL_INVALID)
			return rc;
	}
	return 1;
}

bool
probe_exhausted(const struct probe *p)
{
	return (p->max_trials > 0 && p->n_trials >= p->max_trials) ||
	       (p->n_invalid == p->n_trials && p->n_trials >= 2 * (size_t)p->max_invalid);
}
