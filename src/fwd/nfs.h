/* SPDX-License-Identifier: MIT */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "forwarder.h"

/* The network functions of a forwarder, in their order. */

/* Finds, checks and opens what --nf names ("l2fwd", "work:300", "./mine.so:args"); l2fwd without
 * any.
 */
int nfs_open(struct fwd *fwd, struct err *err);
/* What can be refused without ports: functions that are not there, and those that an order of
 * service would break. */
int nfs_check(const struct fwd_conf *conf, struct err *err);
void nfs_close(struct fwd *fwd);

static inline uint64_t
nfs_load_verdicts(const uint8_t *v)
{
	uint64_t word;

	memcpy(&word, v, sizeof(word));
	return word;
}

#define NFS_STRIDE 32 /* verdicts read at once */
static_assert(sizeof(((struct fwd_lcore *)NULL)->verdict) % NFS_STRIDE == 0,
	      "the last stride may reach beyond the burst, not beyond the array");

/* Whether all verdicts are NF_FORWARD, those that fill the last stride up among them. */
static inline bool
nfs_all_forward(const uint8_t *v, size_t n)
{
	const uint8_t *const end = v + n;

	do {
		if (unlikely((nfs_load_verdicts(v) | nfs_load_verdicts(v + 8) |
			      nfs_load_verdicts(v + 16) | nfs_load_verdicts(v + 24)) != 0))
			return false;
		v += NFS_STRIDE;
	} while (v < end);
	return true;
}

/* What nfs_burst leaves to do: the functions behind number 'k' up to 'end', and frames that do not
 * go on. */
bool nfs_rest(struct fwd_lcore *w, unsigned k, unsigned end, struct rte_mbuf **frames, uint16_t n);

/* Lets each function see the burst, 1 to CONF_MAX_BURST frames.  A frame that one drops or sends
 * elsewhere is not shown to the next.  The verdicts are in w->verdict, and every byte of that is
 * NF_FORWARD before.  Returns whether they all are afterwards, too; where not, the caller clears
 * them once it is through (it may say false of a burst that is forwarded, never the reverse). */
static inline bool
nfs_burst(struct fwd_lcore *w, struct rte_mbuf **frames, size_t n)
{
	w->fwd->nf[0]->burst(w->nf_ctx[0], frames, (uint16_t)n, w->verdict);
	if (unlikely(!nfs_all_forward(w->verdict, n) || w->fwd->n_nfs > 1))
		return nfs_rest(w, 0, w->fwd->n_nfs, frames, (uint16_t)n);
	return true;
}

/* The same with the functions of stage 'stage', for frames some of which may have their verdict
 * already. */
bool nfs_stage_rest(struct fwd_lcore *w, unsigned stage, struct rte_mbuf **frames, uint16_t n);

static inline bool
nfs_stage_burst(struct fwd_lcore *w, unsigned stage, bool decided, struct rte_mbuf **frames,
		uint16_t n)
{
	const struct fwd_stage *st = &w->fwd->stage[stage];

	if (unlikely(decided || st->n_nfs != 1))
		return nfs_stage_rest(w, stage, frames, n);
	w->fwd->nf[st->first]->burst(w->nf_ctx[st->first], frames, n, w->verdict);
	if (unlikely(!nfs_all_forward(w->verdict, n)))
		return nfs_rest(w, st->first, st->first + 1u, frames, n);
	return true;
}

/* Counter of a drop verdict as nfs_burst gives it. */
static inline unsigned
nfs_reason(uint8_t verdict)
{
	return REASON_NF + NF_VALUE(verdict);
}

extern const struct nf nf_l2fwd;
extern const struct nf nf_work;
extern const struct nf nf_wire;
