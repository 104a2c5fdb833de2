/* SPDX-License-Identifier: MIT */
#include "nfs.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

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

static const struct nf *
load_shared(const char *path, void **lib, struct err *err)
{
	const struct nf *(*get)(void);
	const struct nf *nf;

	*lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (*lib == NULL) {
		err_usage(err, "--nf: %s", dlerror());
		return NULL;
	}
	*(void **)&get = dlsym(*lib, "nfvchain_nf");
	nf = get != NULL ? get() : NULL;
	if (nf == NULL) {
		err_usage(err, "--nf: '%s' exports no nfvchain_nf()", path);
		return NULL;
	}
	if (nf->abi != NF_ABI || nf->dpdk != RTE_VERSION) {
		err_usage(err,
			  "--nf: '%s' was built for another nfvchain or DPDK (ABI %u, DPDK "
			  "%#x; here ABI %u, %#x): build it again",
			  path, nf->abi, nf->dpdk, NF_ABI, RTE_VERSION);
		return NULL;
	}
	return nf;
}

static int
open_one(struct fwd *fwd, unsigned i, const char *spec, struct err *err)
{
	char name[512], why[256] = "";
	const char *colon = strchr(spec, ':');
	struct nf_conf conf = fwd->nf_conf;
	const struct nf *nf;
	int rc;

	snprintf(name, sizeof(name), "%.*s", colon != NULL ? (int)(colon - spec) : 511, spec);
	nf = strchr(name, '/') != NULL ? load_shared(name, &fwd->nf_lib[i], err)
				       : find_built_in(name);
	if (nf == NULL && strchr(name, '/') != NULL)
		return -EINVAL;
	if (nf == NULL)
		return err_usage(
			err,
			"--nf: there is no function '%s' (l2fwd, wire, work, or a path like "
			"./mine.so)",
			name);
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

int
nfs_open(struct fwd *fwd, struct err *err)
{
	static const char *const engine_reasons[] = {"tx_full", "no_port", "drain", "fault"};
	const struct opt_list *list = &fwd->conf->nf;
	int rc = 0;

	for (unsigned i = 0; i < REASON_NF; i++)
		str_copy(fwd->reason[i], sizeof(fwd->reason[i]), engine_reasons[i]);
	for (unsigned i = 0; rc == 0 && i < RTE_MAX(list->n, 1u); i++)
		rc = open_one(fwd, i, list->n > 0 ? list->items[i] : "l2fwd", err);
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
burst_rest(struct fwd_lcore *w, unsigned from, struct rte_mbuf **frames, uint16_t n,
	   uint8_t *verdict)
{
	for (unsigned k = from; k < w->fwd->n_nfs; k++) {
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
nfs_rest(struct fwd_lcore *w, struct rte_mbuf **frames, uint16_t n)
{
	unsigned k = 0;

	while (nfs_all_forward(w->verdict, n)) {
		if (++k == w->fwd->n_nfs)
			return true;
		w->fwd->nf[k]->burst(w->nf_ctx[k], frames, n, w->verdict);
	}
	offset_reasons(w->verdict, n, w->nf_reason[k]);
	burst_rest(w, k + 1, frames, n, w->verdict);
	return false;
}
