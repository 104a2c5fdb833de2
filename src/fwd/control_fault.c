/* SPDX-License-Identifier: MIT */
#include "control_fault.h"

#include <errno.h>
#include <string.h>

#include <rte_cycles.h>

#define MAX_CYCLES 10000000u
#define MAX_DURATION_MS (3600u * 1000)
#define REST_MS 3000

/* What is asked for. */
struct order {
	enum fault_kind kind;
	uint64_t count, skip, spacing, distance;
	uint64_t share_ppm, cycles, duration_ms;
};

/* An optional parameter; 'value' keeps its default when it is absent. */
static int
optional_u64(const json_t *params, const char *name, uint64_t *value, struct jsonrpc_error *e)
{
	return json_object_get(params, name) == NULL ? 0 : jsonrpc_u64(params, name, value, e);
}

static int
read_order(struct order *o, const json_t *params, struct jsonrpc_error *e)
{
	const struct {
		const char *name;
		uint64_t *value;
	} numbers[] = {
		{"count", &o->count},
		{"skip", &o->skip},
		{"spacing", &o->spacing},
		{"distance", &o->distance},
		{"share_ppm", &o->share_ppm},
		{"cycles", &o->cycles},
		{"duration_ms", &o->duration_ms},
	};
	const char *word;

	*o = (struct order){.spacing = 1, .distance = 1};
	if (jsonrpc_text(params, "kind", &word, e) < 0)
		return -EINVAL;
	for (size_t i = 0; i < RTE_DIM(numbers); i++)
		if (optional_u64(params, numbers[i].name, numbers[i].value, e) < 0)
			return -EINVAL;
	if (fault_kind_parse(word, &o->kind) < 0)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "there is no fault '%s'", word);
	/* One that says how long it is to last needs no number. */
	if (json_object_get(params, "count") == NULL)
		o->count = o->duration_ms > 0 ? UINT32_MAX : 1;
	return 0;
}

static int
check_order(const struct order *o, struct jsonrpc_error *e)
{
	if (o->count > UINT32_MAX || o->skip > UINT32_MAX || o->spacing == 0 ||
	    o->spacing > UINT32_MAX || o->distance == 0 || o->distance > UINT32_MAX)
		return jsonrpc_fail(e, JSONRPC_PARAMS,
				    "count, skip, spacing and distance are 32-bit numbers, the "
				    "last two at least 1");
	if (o->share_ppm > 1000000)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "share_ppm is at most 1000000");
	if (o->duration_ms > MAX_DURATION_MS)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "duration_ms is at most an hour");
	if (o->kind == FAULT_SLOW && (o->cycles == 0 || o->cycles > MAX_CYCLES))
		return jsonrpc_fail(e, JSONRPC_PARAMS, "slow needs cycles, 1 to %u", MAX_CYCLES);
	return 0;
}

static bool
is_over(const struct fault *f)
{
	return f->until_tsc > 0 && rte_rdtsc() >= f->until_tsc;
}

/* Is one going on that nobody may replace? */
static bool
is_busy(const struct fwd *fwd, bool replace)
{
	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++) {
		const struct fault *f = &fwd->lcore[i].fault;

		if (atomic_load(&f->armed) != 0 && !replace && !is_over(f))
			return true;
	}
	return false;
}

/* One without frames does not see that its fault is over.  At rest an lcore keeps its hands off. */
static int
disarm_all(struct fwd *fwd, struct jsonrpc_error *e)
{
	bool any = false;
	int state;

	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
		any |= atomic_load(&fwd->lcore[i].fault.armed) != 0;
	if (!any)
		return 0;
	state = atomic_load(&fwd->state);
	if (state == FWD_RUN)
		fwd_set_state(fwd, FWD_PAUSE);
	if (!fwd_wait_state(fwd, (enum fwd_state)atomic_load(&fwd->state), REST_MS))
		return jsonrpc_fail(e, JSONRPC_FAILED, "an lcore did not come to rest");
	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
		atomic_store(&fwd->lcore[i].fault.armed, 0);
	if (state == FWD_RUN && atomic_load(&fwd->state) == FWD_PAUSE)
		fwd_set_state(fwd, FWD_RUN);
	return 0;
}

static void
arm(struct fault *f, const struct order *o)
{
	f->kind = o->kind;
	f->left = (uint32_t)o->count;
	f->wait = (uint32_t)o->skip;
	f->spacing = (uint32_t)o->spacing;
	f->distance = (uint32_t)o->distance;
	f->share_ppm = (uint32_t)o->share_ppm;
	f->share_sum = 0;
	f->cycles = (uint32_t)o->cycles;
	f->until_tsc =
		o->duration_ms > 0 ? rte_rdtsc() + rte_get_tsc_hz() / 1000 * o->duration_ms : 0;
	atomic_store(&f->done, 0);
	atomic_store_explicit(&f->armed, o->kind != FAULT_NONE && o->count > 0,
			      memory_order_release);
}

static bool
sends(const struct fwd *fwd, uint16_t lcore)
{
	for (uint16_t p = 0; p < fwd->plan.n_ports; p++)
		if (fwd->plan.txq[lcore][p] >= 0)
			return true;
	return false;
}

int
control_fault(struct fwd *fwd, const json_t *params, struct jsonrpc_error *e)
{
	struct order o;
	int rc;

	if (read_order(&o, params, e) < 0)
		return -EINVAL;
	if (fwd->conf->adapters)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "faults are made by who sends, and with --adapters DPDK does");
	if (check_order(&o, e) < 0)
		return -EINVAL;
	if (is_busy(fwd, o.kind == FAULT_NONE))
		return jsonrpc_fail(e, JSONRPC_FAILED, "a fault is still going on");
	rc = disarm_all(fwd, e);
	if (rc < 0)
		return rc;
	if (o.share_ppm == 0 && o.kind != FAULT_SLOW) {
		arm(&fwd_fault_lcore(fwd)->fault, &o);
		return 0;
	}
	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
		if (sends(fwd, i))
			arm(&fwd->lcore[i].fault, &o);
	return 0;
}
