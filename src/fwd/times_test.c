/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "base/json.h"
#include "base/mem.h"
#include "poll_rig.h"
#include "show.h"
#include "stage_times.h"

/* Waits and services of the stages: their sum is the time that frames were inside, to the cycle,
 * whatever the event device, the order of service, vectors, stages, drops and holds. */

static const struct variant {
	const char *engine, *dev;
	enum sched sched;
	uint32_t stages, vector;
	bool fused;
} variants[] = {
	{"poll", NULL, SCHED_ATOMIC, 1, 0, false},
	{"event", "event_sw0", SCHED_ATOMIC, 1, 0, false},
	{"event", "event_sw0", SCHED_ORDERED, 1, 0, false},
	{"event", "event_sw0", SCHED_PARALLEL, 1, 0, false},
	{"event", "event_sw0", SCHED_ATOMIC, 1, 16, false},
	{"event", "event_dsw0", SCHED_ATOMIC, 1, 0, false},
	{"event", "event_dsw0", SCHED_PARALLEL, 1, 64, false},
	{"pipeline", "event_sw0", SCHED_ATOMIC, 3, 0, false},
	{"pipeline", "event_sw0", SCHED_ORDERED, 8, 0, false},
	{"pipeline", "event_sw0", SCHED_PARALLEL, 3, 7, false},
	{"pipeline", "event_dsw0", SCHED_ATOMIC, 3, 0, false},
	{"pipeline", "event_dsw0", SCHED_ATOMIC, 3, 32, false},
	{"pipeline", "event_sw0", SCHED_ATOMIC, 4, 0, true},
	{"pipeline", "event_dsw0", SCHED_PARALLEL, 4, 16, true},
};

static void
for_each_variant(void (*law)(struct poll_rig *r))
{
	for (size_t i = 0; i < N_ELEMS(variants); i++) {
		const struct variant *v = &variants[i];
		void *state = NULL;
		struct poll_rig *r;

		print_message("# %s, %s, sched %d, %u stages, vectors of %u%s\n", v->engine,
			      v->dev != NULL ? v->dev : "no device", (int)v->sched, v->stages,
			      v->vector, v->fused ? ", fused" : "");
		poll_rig_init(&state);
		r = state;
		free(r->conf.engine);
		r->conf.engine = xstrdup(v->engine);
		r->conf.event_dev = v->dev != NULL ? xstrdup(v->dev) : NULL;
		r->conf.sched = v->sched;
		r->conf.stages = v->stages;
		r->conf.vector = v->vector;
		r->conf.fuse_stages = v->fused;
		r->conf.stage_times = true;
		law(r);
		poll_rig_fini(&state);
	}
}

static bool
is_poll(const struct poll_rig *r)
{
	return strcmp(r->conf.engine, "poll") == 0;
}

static struct times_sum
sum_of(const struct poll_rig *r, enum times_kind kind, unsigned stage)
{
	struct times_sum s;
	uint64_t n = 0;

	times_sum_up(&r->fwd, kind, stage, &s);
	for (unsigned i = 0; i < TIMES_BUCKETS; i++)
		n += s.bucket[i];
	assert_int_equal(n, s.n);
	assert_true(s.max * s.n >= s.sum);
	return s;
}

/* The law of the header, with the ledger's numbers of frames. */
static void
assert_times_add_up(const struct poll_rig *r)
{
	const struct fwd_totals t = poll_rig_totals(r);
	const struct times_sum total = sum_of(r, TIMES_TOTAL, 0);
	const struct times_sum tx_wait = sum_of(r, TIMES_TX_WAIT, 0);
	uint64_t parts = tx_wait.sum, dropped_sum, n_dropped;

	times_dropped_sum(&r->fwd, &n_dropped, &dropped_sum);
	assert_int_equal(t.in_flight, 0);
	assert_int_equal(total.n, t.tx_all);
	assert_int_equal(tx_wait.n, t.tx_all);
	assert_int_equal(n_dropped, t.drop_all);
	for (unsigned s = 0; s < times_n_stages(&r->fwd); s++) {
		const struct times_sum wait = sum_of(r, TIMES_WAIT, s);
		const struct times_sum service = sum_of(r, TIMES_SERVICE, s);

		assert_int_equal(wait.n, is_poll(r) ? 0 : service.n);
		parts += wait.sum + service.sum;
	}
	assert_int_equal(parts, total.sum + dropped_sum);
	assert_int_equal(times_residual(&r->fwd), 0);
}

static void
law_parts_add_up_to_the_whole(struct poll_rig *r)
{
	uint64_t began = rte_rdtsc();

	poll_rig_open(r, 2048);
	poll_rig_put(r, 0, 0, 1000);
	poll_rig_put(r, 1, 5000, 500);
	poll_rig_run(r, 100);
	assert_times_add_up(r);
	assert_int_equal(poll_rig_totals(r).tx_all, 1500);
	for (unsigned s = 0; s < r->conf.stages; s++)
		assert_int_equal(sum_of(r, TIMES_SERVICE, s).n, 1500);
	assert_true(sum_of(r, TIMES_TOTAL, 0).sum > 0);
	assert_true(sum_of(r, TIMES_TOTAL, 0).max < rte_rdtsc() - began);
	poll_rig_assert_sent(r, 1, 0, 1000);
	poll_rig_assert_sent(r, 0, 5000, 500);
}

static void
parts_add_up_to_the_whole(void **state)
{
	(void)state;
	for_each_variant(law_parts_add_up_to_the_whole);
}

/* The second function of the pipeline, or the only one, is the dear one. */
static void
law_the_dear_stage_is_told(struct poll_rig *r)
{
	struct err err;
	unsigned dear = r->conf.stages > 1 ? 1 : 0;
	struct times_sum s;

	if (r->conf.stages > 1)
		assert_int_equal(opt_set_list(&r->conf.stage_nf, "0=l2fwd,1=work:3000", &err), 0);
	else
		assert_int_equal(opt_set_list(&r->conf.nf, "work:3000", &err), 0);
	poll_rig_open(r, 2048);
	poll_rig_put(r, 0, 0, 320);
	poll_rig_run(r, 50);
	assert_times_add_up(r);
	s = sum_of(r, TIMES_SERVICE, dear);
	/* Each frame is there as long as its burst, and a function takes what it says at least, in
	 * cycles of a core that may be a third faster than its counter. */
	assert_true(s.sum > 320 * 2000);
	for (unsigned k = 0; k < r->conf.stages; k++)
		if (k != dear)
			assert_true(sum_of(r, TIMES_SERVICE, k).sum < s.sum);
}

static void
the_dear_stage_is_told(void **state)
{
	(void)state;
	for_each_variant(law_the_dear_stage_is_told);
}

static uint8_t
by_turns(uint32_t seq)
{
	static const uint8_t verdicts[] = {NF_PORT(0), NF_FORWARD, NF_DROP(0), NF_PORT(9)};

	return verdicts[seq % 4];
}

static void
law_drops_are_counted_apart(struct poll_rig *r)
{
	uint64_t n, sum;

	poll_rig_open_deciding(r, 2048, by_turns);
	strcpy(r->fwd.reason[r->fwd.n_reasons++], "decide.no");
	poll_rig_put(r, 0, 0, 400);
	poll_rig_run(r, 20);
	assert_times_add_up(r);
	times_dropped_sum(&r->fwd, &n, &sum);
	assert_int_equal(n, 200);
	assert_true(sum > 0);
	assert_int_equal(sum_of(r, TIMES_TOTAL, 0).n, 200);
}

static void
drops_are_counted_apart(void **state)
{
	(void)state;
	for_each_variant(law_drops_are_counted_apart);
}

#define ALL 300

/* With frames held back nothing is received, so that attempts to send are all that can be seen. */
static uint16_t
take_some(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t n, void *arg)
{
	struct poll_rig *r = arg;
	uint64_t until = rte_rdtsc() + 2000;
	struct fwd_totals t;

	(void)port, (void)queue, (void)frames;
	while (rte_rdtsc() < until)
		;
	rig_discard(r->port[1].out, 3);
	fwd_totals(&r->fwd, &t);
	if (t.tx[1] >= ALL - 8)
		fwd_set_state(&r->fwd, FWD_STOP);
	return n;
}

static void
law_holding_is_waiting_to_be_sent(struct poll_rig *r)
{
	const struct rte_eth_rxtx_callback *on_sending;

	r->conf.hold_ns = 5000000000ull;
	poll_rig_open(r, 8);
	on_sending = rte_eth_add_tx_callback(1, 0, take_some, r);
	assert_non_null(on_sending);
	poll_rig_put(r, 0, 0, ALL);
	poll_rig_run(r, 400);
	rte_eth_remove_tx_callback(1, 0, on_sending);
	assert_times_add_up(r);
	assert_int_equal(poll_rig_totals(r).tx[1], ALL);
	assert_true(sum_of(r, TIMES_TX_WAIT, 0).max > 2000);
}

static void
holding_is_waiting_to_be_sent(void **state)
{
	(void)state;
	for_each_variant(law_holding_is_waiting_to_be_sent);
}

/* No room at all, and no patience: what is given up counts as dropped, wherever it is. */
static void
law_what_is_given_up_is_counted_apart(struct poll_rig *r)
{
	uint64_t n, sum;

	r->conf.drain_ns = 1000000;
	r->conf.hold_ns = 5000000000ull;
	poll_rig_open(r, 8);
	poll_rig_put(r, 0, 0, 1000);
	poll_rig_run(r, 2);
	assert_times_add_up(r);
	assert_int_equal(poll_rig_totals(r).tx[1], 8);
	times_dropped_sum(&r->fwd, &n, &sum);
	assert_true(n > 0);
}

static void
what_is_given_up_is_counted_apart(void **state)
{
	(void)state;
	for_each_variant(law_what_is_given_up_is_counted_apart);
}

static void
law_faults_keep_the_law(struct poll_rig *r)
{
	static const enum fault_kind kinds[] = {FAULT_DUPLICATE, FAULT_DROP, FAULT_REORDER};

	poll_rig_open(r, 2048);
	for (size_t i = 0; i < N_ELEMS(kinds); i++) {
		struct fault *f = &fwd_fault_lcore(&r->fwd)->fault;

		f->kind = kinds[i];
		f->left = 5;
		f->wait = 0;
		f->spacing = 10;
		f->distance = 3;
		atomic_store(&f->armed, 1);
		poll_rig_put(r, 0, 0, 200);
		poll_rig_run(r, 20);
		assert_times_add_up(r);
	}
	/* Copies are of the forwarder's own buffers. */
	rig_discard(r->port[1].out, UINT32_MAX);
	assert_int_equal(poll_rig_totals(r).created, 5);
	assert_int_equal(poll_rig_totals(r).drop[REASON_FAULT], 5);
}

static void
faults_keep_the_law(void **state)
{
	(void)state;
	for_each_variant(law_faults_keep_the_law);
}

/* ---- what is told ---- */

static uint64_t
count_at(const json_t *json, const char *path)
{
	struct err err;
	uint64_t n = 0;

	if (json_get_u64(json, path, &n, &err) < 0)
		fail_msg("%s", err.msg);
	return n;
}

/* The same law by what counters tell. */
static void
law_counters_tell_all(struct poll_rig *r)
{
	uint64_t parts, whole, n;
	const json_t *stages;
	json_t *c;

	poll_rig_open(r, 2048);
	poll_rig_put(r, 0, 0, 500);
	poll_rig_run(r, 20);
	c = show_counters(&r->fwd, true);
	stages = json_object_get(c, "stages");
	assert_int_equal(json_array_size(stages), r->conf.stages);
	assert_string_equal(json_string_value(json_at(c, "stages[0].nf")), "l2fwd");
	parts = count_at(c, "times.tx_wait.sum_tsc");
	whole = count_at(c, "times.total.sum_tsc") + count_at(c, "times.dropped.sum_tsc");
	for (size_t i = 0; i < json_array_size(stages); i++) {
		const json_t *stage = json_array_get(stages, i);

		parts += count_at(stage, "service.sum_tsc");
		if (is_poll(r))
			assert_true(json_is_null(json_object_get(stage, "wait")));
		else
			parts += count_at(stage, "wait.sum_tsc");
		assert_int_equal(count_at(stage, "service.n"), 500);
		assert_true(count_at(stage, "service.p50_ns") <= count_at(stage, "service.p99_ns"));
		assert_true(count_at(stage, "service.p99_ns") <= count_at(stage, "service.max_ns"));
	}
	assert_int_equal(parts, whole);
	n = 0;
	for (size_t i = 0; i < json_array_size(json_at(c, "times.total.buckets")); i++)
		n += (uint64_t)json_integer_value(
			json_array_get(json_array_get(json_at(c, "times.total.buckets"), i), 1));
	assert_int_equal(n, 500);
	json_decref(c);
}

static void
counters_tell_all(void **state)
{
	(void)state;
	for_each_variant(law_counters_tell_all);
}

static void
nobody_asks_and_nothing_is_told(void **state)
{
	void *rig = NULL;
	struct poll_rig *r;
	json_t *c;

	(void)state;
	poll_rig_init(&rig);
	r = rig;
	free(r->conf.engine);
	r->conf.engine = xstrdup("event");
	poll_rig_open(r, 64);
	assert_null(r->fwd.lcore[0].times);
	c = show_counters(&r->fwd, true);
	assert_null(json_object_get(c, "times"));
	assert_null(json_at(c, "stages[0].wait"));
	json_decref(c);
	poll_rig_fini(&rig);
}

static void
buckets_hold_what_they_say(void **state)
{
	(void)state;
	for (unsigned i = 0; i + 1 < TIMES_BUCKETS; i++) {
		assert_int_equal(times_bucket(times_bucket_high(i)), i);
		assert_int_equal(times_bucket(times_bucket_high(i) + 1), i + 1);
	}
	assert_int_equal(times_bucket(0), 0);
	assert_int_equal(times_bucket(UINT64_MAX), TIMES_BUCKETS - 1);
	/* Within a sixteenth. */
	for (uint64_t t = 1; t < 1ull << TIMES_MAX_BITS; t = t * 5 / 4 + 1) {
		uint64_t high = times_bucket_high(times_bucket(t));

		assert_true(high >= t && high - t <= t / 16);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_hold_what_they_say),
		cmocka_unit_test(parts_add_up_to_the_whole),
		cmocka_unit_test(the_dear_stage_is_told),
		cmocka_unit_test(drops_are_counted_apart),
		cmocka_unit_test(holding_is_waiting_to_be_sent),
		cmocka_unit_test(what_is_given_up_is_counted_apart),
		cmocka_unit_test(faults_keep_the_law),
		cmocka_unit_test(counters_tell_all),
		cmocka_unit_test(nobody_asks_and_nothing_is_told),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
