/* SPDX-License-Identifier: MIT */
#include "group.h"

#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "base/mem.h"
#include "engine.h"

/* ---- opening ---- */

static int
check_ports(const struct group *g, struct err *err)
{
	unsigned n = rte_eth_dev_count_avail();

	if (g->n > 1 && n != 2)
		return err_machine(err,
				   "%u hops in a row have two ports, one at each end, and there "
				   "are %u (see --vdev)",
				   g->n, n);
	return 0;
}

static bool
polls(const struct fwd *fwd)
{
	return fwd->engine == &engine_poll;
}

/* The first hop before 'i' that lcore 'id' works for. */
static const struct fwd *
find_user(const struct group *g, unsigned i, unsigned id)
{
	for (unsigned k = 0; k < i; k++) {
		const struct fwd *fwd = g->fwd[k];

		for (uint16_t w = 0; w < fwd->plan.n_lcores; w++)
			if (fwd->facts.lcore_id[fwd->plan.position[w]] == id)
				return fwd;
	}
	return NULL;
}

/* Only polling hops can share a lcore: the others' loops are made for one. */
static int
check_lcores(const struct group *g, unsigned i, struct err *err)
{
	const struct fwd *fwd = g->fwd[i];

	for (uint16_t w = 0; w < fwd->plan.n_lcores; w++) {
		unsigned id = fwd->facts.lcore_id[fwd->plan.position[w]];
		const struct fwd *other = find_user(g, i, id);

		if (other != NULL && !(polls(fwd) && polls(other)))
			return err_usage(err,
					 "hops %s and %s would share lcore %u, which only engine "
					 "poll can (--lcore-mask gives each its own)",
					 other->conf->hop, fwd->conf->hop, id);
	}
	return 0;
}

static int
prepare(struct group *g, const struct fwd_confs *confs, bool shares_cpus, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < confs->n; i++) {
		g->fwd[i] = xcalloc(1, sizeof(*g->fwd[i]));
		g->n = i + 1;
		rc = fwd_prepare(g->fwd[i], &confs->hop[i], shares_cpus, err);
		if (rc == 0)
			rc = check_lcores(g, i, err);
		err_wrap(err, rc, "hop '%s'", confs->hop[i].hop);
	}
	return rc == 0 ? check_ports(g, err) : rc;
}

static int
open_links(struct group *g, struct err *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i + 1 < g->n; i++) {
		g->n_links = i + 1;
		rc = hop_link_open(&g->link[i], i, g->fwd[i], g->fwd[i + 1],
				   g->fwd[i]->conf->hop_ring, err);
	}
	return rc;
}

/* As many as all of them need with all rings full. */
static int
open_pool(struct group *g, struct err *err)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < g->n; i++)
		n += fwd_need(g->fwd[i]);
	for (unsigned i = 0; i < g->n_links; i++)
		n += g->fwd[i]->conf->hop_ring *
		     (g->link[i].end[0].n_in + (uint32_t)g->link[i].end[1].n_in);
	return fwd_make_pool(&g->pool, n, (uint16_t)g->fwd[0]->conf->max_frame, err);
}

static struct fused *
fused_of(struct group *g, unsigned id)
{
	for (unsigned i = 0; i < g->n_fused; i++)
		if (g->fused[i]->hop[0].w->lcore_id == id)
			return g->fused[i];
	g->fused[g->n_fused] = xcalloc(1, sizeof(*g->fused[0]));
	return g->fused[g->n_fused++];
}

static void
fuse(struct group *g)
{
	for (unsigned i = 0; i < g->n; i++) {
		struct fwd *fwd = g->fwd[i];

		for (uint16_t w = 0; polls(fwd) && w < fwd->plan.n_lcores; w++)
			fused_add(fused_of(g, fwd->lcore[w].lcore_id), &fwd->lcore[w]);
	}
	for (unsigned i = 0; i < g->n_fused; i++)
		fused_join(g->fused[i]);
}

static int
open_row(struct group *g, const struct fwd_confs *confs, bool shares_cpus, struct err *err)
{
	int rc = prepare(g, confs, shares_cpus, err);

	if (rc == 0)
		rc = open_links(g, err);
	if (rc == 0)
		rc = open_pool(g, err);
	for (unsigned i = 0; rc == 0 && i < g->n; i++) {
		rc = fwd_complete(g->fwd[i], g->pool, err);
		err_wrap(err, rc, "hop '%s'", confs->hop[i].hop);
	}
	if (rc == 0)
		fuse(g);
	return rc;
}

int
group_open(struct group *g, const struct fwd_confs *confs, bool shares_cpus, struct err *err)
{
	memset(g, 0, sizeof(*g));
	if (confs->n > 1)
		return open_row(g, confs, shares_cpus, err);
	g->n = 1;
	g->fwd[0] = xcalloc(1, sizeof(*g->fwd[0]));
	return fwd_open(g->fwd[0], &confs->hop[0], shares_cpus, err);
}

unsigned
group_close_ports(struct group *g)
{
	unsigned left = 0;

	for (unsigned i = 0; i < g->n; i++)
		left = fwd_close_ports(g->fwd[i]);
	return left;
}

void
group_close(struct group *g)
{
	for (unsigned i = 0; i < g->n; i++) {
		if (g->fwd[i]->conf != NULL)
			fwd_close(g->fwd[i]);
		free(g->fwd[i]);
	}
	for (unsigned i = 0; i < g->n_links; i++)
		hop_link_close(&g->link[i]);
	for (unsigned i = 0; i < g->n_fused; i++)
		free(g->fused[i]);
	rte_mempool_free(g->pool);
	memset(g, 0, sizeof(*g));
}

/* ---- running ---- */

static int
lcore_main(void *arg)
{
	struct group *g = arg;
	unsigned id = rte_lcore_id();

	for (unsigned i = 0; i < g->n_fused; i++)
		if (g->fused[i]->hop[0].w->lcore_id == id) {
			fused_run(g->fused[i]);
			return 0;
		}
	for (unsigned i = 0; i < g->n; i++)
		for (uint16_t w = 0; w < g->fwd[i]->plan.n_lcores; w++)
			if (g->fwd[i]->lcore[w].lcore_id == id)
				fwd_run_lcore(&g->fwd[i]->lcore[w]);
	return 0;
}

void
group_run(struct group *g)
{
	if (g->n == 1) {
		fwd_run(g->fwd[0]);
		return;
	}
	rte_eal_mp_remote_launch(lcore_main, g, CALL_MAIN);
	rte_eal_mp_wait_lcore();
	for (unsigned i = 0; i < g->n; i++)
		if (g->fwd[i]->engine->settle != NULL)
			g->fwd[i]->engine->settle(g->fwd[i]);
	for (unsigned i = 0; i < g->n_links; i++)
		for (unsigned e = 0; e < 2; e++)
			hop_end_settle(g->fwd[i + e], &g->link[i].end[e]);
}

void
group_close_entrances(struct group *g)
{
	for (unsigned i = 0; i < g->n; i++)
		atomic_store(&g->fwd[i]->closing, 1);
}

bool
group_is_empty(const struct group *g)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g->n; i++)
		n += fwd_inside(g->fwd[i]) != 0;
	for (unsigned i = 0; i < g->n_links; i++)
		n += hop_link_count(&g->link[i]);
	return n == 0;
}

void
group_set_state(struct group *g, enum fwd_state state)
{
	for (unsigned i = 0; i < g->n; i++)
		fwd_set_state(g->fwd[i], state);
}
