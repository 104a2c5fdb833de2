/* SPDX-License-Identifier: MIT */
#include "nfs.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "nf_list.h"
#include "nf_load.h"

static const struct nf *const built_in[] = {&nf_l2fwd, &nf_wire, &nf_work};

/* Drop verdicts carry six bits: the reasons of all functions together must fit. */
#define MAX_NF_REASONS 64

static const struct nf *
find_built_in(const char *name)
{
	for (size_t i = 0; i < N_ELEMS(built_in); i++)
		if (strcmp(built_in[i]->name, name) == 0)
			return built_in[i];
	return NULL;
}

/* The function that a "NAME[:ARGS]" names, or NULL with the reason in 'err'. */
static const struct nf *
find(const char *spec, void **lib, struct err *err)
{
	const char *colon = strchr(spec, ':');
	const struct nf *nf;
	char name[512];

	snprintf(name, sizeof(name), "%.*s", colon != NULL ? (int)(colon - spec) : 511, spec);
	if (strchr(name, '/') != NULL) {
		nf = nf_load(name, lib, err);
		if (nf == NULL)
			err_wrap(err, -EINVAL, "--nf");
		return nf;
	}
	nf = find_built_in(name);
	if (nf == NULL)
		err_usage(err,
			  "--nf: there is no function '%s' (l2fwd, wire, work, or a path like "
			  "./mine.so)",
			  name);
	return nf;
}

/* Frames of one flow in two hands at once, as both orders of service allow, would break its state.
 */
static int
check_state(const struct nf *nf, const struct fwd_conf *conf, struct err *err)
{
	if (nf->state == NF_PER_FLOW && conf->sched != SCHED_ATOMIC)
		return err_usage(err,
				 "--nf %s: keeps state for each flow, which needs --sched atomic",
				 nf->name);
	return 0;
}

int
nfs_check(const struct fwd_conf *conf, struct err *err)
{
	int rc = 0;

	for (unsigned s = 0; rc == 0 && s < conf->stages; s++) {
		struct nf_list list;

		rc = nf_list_of_stage(&list, conf, s, err);
		for (unsigned i = 0; rc == 0 && i < list.n; i++) {
			void *lib = NULL;
			const struct nf *nf = find(list.spec[i], &lib, err);

			rc = nf == NULL ? -EINVAL : check_state(nf, conf, err);
			if (lib != NULL)
				dlclose(lib);
		}
	}
	return rc;
}

static int
open_one(struct fwd *fwd, unsigned i, const char *spec, struct err *err)
{
	const char *colon = strchr(spec, ':');
	struct nf_conf conf = fwd->nf_conf;
	const struct nf *nf;
	char why[256] = "";
	int rc;

	if (i == CONF_MAX_NFS)
		return err_usage(err, "--nf: at most %d functions in all stages", CONF_MAX_NFS);
	nf = find(spec, &fwd->nf_lib[i], err);
	rc = nf == NULL ? -EINVAL : check_state(nf, fwd->conf, err);
	if (rc < 0)
		return rc;
	conf.args = colon != NULL ? colon + 1 : "";
	fwd->nf[i] = nf;
	fwd->n_nfs = i + 1;
	rc = nf->open(&conf, fwd->plan.n_lcores, fwd->nf_ctx[i], why, sizeof(why));
	if (rc < 0)
		return err_usage(err, "--nf %s: %s", spec, why);
	return 0;
}

/* Gives each function its block of reasons and names them "l2fwd.foreign". */
static int
name_reasons(struct fwd *fwd, struct err *err)
{
	fwd->n_reasons = REASON_NF;
	for (unsigned i = 0; i < fwd->n_nfs; i++) {
		const struct nf *nf = fwd->nf[i];

		for (uint16_t k = 0; k < fwd->plan.n_lcores; k++)
			fwd->lcore[k].nf_reason[i] = (uint16_t)(fwd->n_reasons - REASON_NF);
		for (unsigned r = 0; nf->drop_reasons != NULL && nf->drop_reasons[r] != NULL; r++) {
			if (fwd->n_reasons - REASON_NF == MAX_NF_REASONS)
				return err_usage(err, "--nf: more than %d drop reasons in all",
						 MAX_NF_REASONS);
			snprintf(fwd->reason[fwd->n_reasons++], sizeof(fwd->reason[0]), "%s.%s",
				 nf->name, nf->drop_reasons[r]);
		}
	}
	return 0;
}

static int
open_stages(struct fwd *fwd, struct err *err)
{
	unsigned n_stages = RTE_MAX(fwd->plan.roles.n_stages, (uint8_t)1);
	int rc = 0;

	for (unsigned s = 0; rc == 0 && s < n_stages; s++) {
		struct nf_list list;
		unsigned first = fwd->n_nfs;

		rc = nf_list_of_stage(&list, fwd->conf, s, err);
		for (unsigned i = 0; rc == 0 && i < list.n; i++)
			rc = open_one(fwd, first + i, list.spec[i], err);
		fwd->stage[s] = (struct fwd_stage){.first = (uint8_t)first,
						   .n_nfs = (uint8_t)(fwd->n_nfs - first)};
	}
	return rc;
}

int
nfs_open(struct fwd *fwd, struct err *err)
{
	static const char *const engine_reasons[] = {"tx_full", "no_port", "drain", "fault",
						     "tx_adapter"};
	int rc;

	for (unsigned i = 0; i < REASON_NF; i++)
		str_copy(fwd->reason[i], sizeof(fwd->reason[i]), engine_reasons[i]);
	rc = open_stages(fwd, err);
	if (rc == 0)
		rc = name_reasons(fwd, err);
	for (uint16_t k = 0; rc == 0 && k < fwd->plan.n_lcores; k++)
		for (unsigned i = 0; i < fwd->n_nfs; i++)
			fwd->lcore[k].nf_ctx[i] = fwd->nf_ctx[i][k];
	return rc;
}

void
nfs_close(struct fwd *fwd)
{
	for (unsigned i = 0; i < fwd->n_nfs; i++) {
		if (fwd->nf[i] != NULL && fwd->nf[i]->close != NULL)
			fwd->nf[i]->close(fwd->nf_ctx[i], fwd->plan.n_lcores);
		if (fwd->nf_lib[i] != NULL)
			dlclose(fwd->nf_lib[i]);
		fwd->nf[i] = NULL;
		fwd->nf_lib[i] = NULL;
	}
	fwd->n_nfs = 0;
}

/* Moves a function's own drop reasons into its block. */
static void
offset_reasons(uint8_t *verdict, uint16_t n, unsigned first)
{
	for (uint16_t i = 0; first > 0 && i < n; i++)
		if (NF_IS_DROP(verdict[i]))
			verdict[i] = (uint8_t)NF_DROP(NF_VALUE(verdict[i]) + first);
}

/* The way once some frames have left: the next functions see the others, packed. */
static void
burst_rest(struct fwd_lcore *w, unsigned from, unsigned end, struct rte_mbuf **frames, uint16_t n,
	   uint8_t *verdict)
{
	for (unsigned k = from; k < end; k++) {
		struct rte_mbuf *some[CONF_MAX_BURST];
		uint8_t theirs[CONF_MAX_BURST];
		uint16_t at[CONF_MAX_BURST], m = 0;

		for (uint16_t i = 0; i < n; i++) {
			if (verdict[i] == NF_FORWARD) {
				at[m] = i;
				some[m++] = frames[i];
			}
		}
		if (m == 0)
			return;
		w->fwd->nf[k]->burst(w->nf_ctx[k], some, m, theirs);
		offset_reasons(theirs, m, w->nf_reason[k]);
		for (uint16_t i = 0; i < m; i++)
			verdict[at[i]] = theirs[i];
	}
}

bool
nfs_rest(struct fwd_lcore *w, unsigned k, unsigned end, struct rte_mbuf **frames, uint16_t n)
{
	while (nfs_all_forward(w->verdict, n)) {
		if (++k == end)
			return true;
		w->fwd->nf[k]->burst(w->nf_ctx[k], frames, n, w->verdict);
	}
	offset_reasons(w->verdict, n, w->nf_reason[k]);
	burst_rest(w, k + 1, end, frames, n, w->verdict);
	return false;
}

bool
nfs_stage_rest(struct fwd_lcore *w, unsigned stage, struct rte_mbuf **frames, uint16_t n)
{
	unsigned first = w->fwd->stage[stage].first, end = first + w->fwd->stage[stage].n_nfs;

	if (!nfs_all_forward(w->verdict, n)) {
		burst_rest(w, first, end, frames, n, w->verdict);
		return false;
	}
	if (first == end)
		return true;
	w->fwd->nf[first]->burst(w->nf_ctx[first], frames, n, w->verdict);
	return nfs_rest(w, first, end, frames, n);
}
