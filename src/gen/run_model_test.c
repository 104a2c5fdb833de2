/* SPDX-License-Identifier: MIT */
#include "run_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/test_random.h"
#include "run_change.h"
#include "worker.h"

/* The schedule beside a model of it that goes slot by slot over a list: random chains of bursts
 * with all their gaps and counts, under a clock that is now and then away, paused, resumed and
 * given other rates.  Each slot must be the same stream's at the same nanosecond. */

#define SCENARIOS 1500
#define MAX_ROUNDS 250

static uint8_t frame[60];

struct side_by_side {
	struct stream streams[RUN_MODEL_STREAMS];
	unsigned n;
	uint32_t number[RUN_MODEL_STREAMS]; /* of each in the run, or RUN_NO_STREAM */
	struct run *run;
	struct gen_tx tx;
	struct run_model model;
	uint64_t tsc, model_ns;
	bool paused;
	uint64_t slots, late, changes;
};

static double
random_us(unsigned most_us)
{
	return rng_below(3) == 0 ? 0 : 1 + rng_below(most_us * 1000) / 1000.0;
}

static void
random_stream(struct stream *s, unsigned i, unsigned n)
{
	*s = (struct stream){
		.id = 100 - i * 3,
		.enabled = true,
		.self_start = rng_below(5) < 3,
		.start_paused = rng_below(8) == 0,
		.dummy = rng_below(6) == 0,
		.mode = (enum stream_mode)rng_below(3),
		.total_pkts = 1 + rng_below(12),
		.pkts_per_burst = 1 + rng_below(5),
		.bursts = rng_below(6) == 0 ? 0 : 1 + rng_below(4),
		.ibg_us = random_us(60),
		.rate = 1000.0 * (1 + rng_below(1u << rng_below(12))),
		.isg_us = random_us(80),
		.next_id = rng_below(4) == 0 ? -1 : (int64_t)(100 - rng_below(n) * 3),
		.action_count = rng_below(2) == 0 ? 0 : 1 + rng_below(4),
		.core_id = -1,
		.len = sizeof(frame),
		.frame = frame,
		.rule = rng_below(8) == 0 ? RULE_LATENCY : RULE_NONE,
		.flows = 1,
	};
}

/* Streams of which a run can be made. */
static void
start(struct side_by_side *t)
{
	struct run_conf conf = {
		.n_queues = 1,
		.factor = rng_below(2) == 0 ? 1 : (1 + rng_below(40)) / 10.0,
		.speed_bps = 10e9,
		.duration_s = rng_below(2) == 0 ? -1 : (1 + rng_below(3000)) * 1e-6,
		.src_mac = frame,
		.dst_mac = frame,
	};
	struct jsonrpc_error e;

	do {
		t->n = 1 + rng_below(rng_below(2) == 0 ? 2 : RUN_MODEL_STREAMS);
		for (unsigned i = 0; i < t->n; i++)
			random_stream(&t->streams[i], i, t->n);
		t->run = run_new(t->streams, t->n, &conf, &e);
	} while (t->run == NULL);
	t->tx = (struct gen_tx){.run = t->run, .lane = &t->run->lane[0]};
	run_model_init(&t->model, t->streams, t->n, conf.factor, conf.speed_bps,
		       t->run->duration_ns);
	t->model.late_ns = t->run->late_ns;
	t->tsc = 1000;
	t->model_ns = 0;
	t->paused = false;
	run_set_start(t->run, t->tsc);
	t->run->state = RUN_ACTIVE;
	for (unsigned i = 0; i < t->n; i++) {
		t->number[i] = RUN_NO_STREAM;
		for (uint16_t k = 0; k < t->run->n_streams; k++)
			if (t->run->streams[k].id == t->streams[i].id)
				t->number[i] = k;
	}
}

/* Asks for a change on both sides. */
static void
change(struct side_by_side *t)
{
	const unsigned one = rng_below(t->n), kind = rng_below(4);
	const double factor = (1 + rng_below(40)) / 10.0;
	const bool pause = rng_below(2);
	struct jsonrpc_error e;

	if (kind == 0) {
		assert_int_equal(run_pause(t->run, pause, &e), 0);
		for (unsigned i = 0; !pause && i < t->n; i++)
			run_model_pause(&t->model, i, false, t->model_ns);
		t->paused = pause;
	} else if (kind == 1) {
		assert_int_equal(run_set_factor(t->run, factor, NULL, 0, &e), 0);
		for (unsigned i = 0; i < t->n; i++)
			run_model_set_factor(&t->model, i, factor, t->model_ns);
	} else if (t->number[one] == RUN_NO_STREAM) {
		assert_true(run_pause_streams(t->run, &t->streams[one].id, 1, pause, &e) < 0);
		return;
	} else if (kind == 2) {
		assert_int_equal(run_pause_streams(t->run, &t->streams[one].id, 1, pause, &e), 0);
		run_model_pause(&t->model, one, pause, t->model_ns);
	} else {
		assert_int_equal(run_set_factors(t->run, &factor, &t->streams[one].id, 1, &e), 0);
		run_model_set_factor(&t->model, one, factor, t->model_ns);
	}
	t->changes++;
	run_make_changes(t->run, t->tsc, 1);
	t->model.late_ns = t->run->late_ns;
}

/* As many rounds as it takes to plan a burst or all that is due. */
static bool
plan_all(struct side_by_side *t)
{
	const uint64_t now_ns = run_now_ns(t->run, t->tsc, 1);
	const struct run_lane *lane = t->tx.lane;
	bool more;

	do
		more = tx_plan(&t->tx, now_ns);
	while (t->tx.n_slots < GEN_BURST && lane->heap.n > 0 && !lane->simple &&
	       lane->heap.wait[0].due_ns <= now_ns);
	return more;
}

/* One round: a burst of slots, or what there is. */
static unsigned
compare_round(struct side_by_side *t)
{
	struct run_model_slot slots[GEN_BURST];
	unsigned n = run_model_plan(&t->model, t->model_ns, slots, GEN_BURST);
	bool more = plan_all(t);

	assert_int_equal(t->tx.n_slots, n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(t->tx.owner[i].stream, t->number[slots[i].stream]);
		assert_int_equal(t->tx.due_ns[i], slots[i].due_ns);
		assert_true(t->tx.owner[i].on_time);
	}
	assert_int_equal(more, run_model_goes_on(&t->model));
	t->tx.n_slots = 0;
	t->slots += n;
	return n;
}

static void
run_scenario(struct side_by_side *t, bool changes)
{
	for (unsigned i = 0; i < MAX_ROUNDS && run_model_goes_on(&t->model); i++) {
		uint64_t step_ns = rng_below(60) == 0 ? rng_below(200000) : rng_below(4000);

		if (rng_below(1000) == 0)
			step_ns = t->run->late_ns + rng_below(400000);
		t->tsc += step_ns;
		t->model_ns += t->paused ? 0 : step_ns;
		if (changes && rng_below(20) == 0)
			change(t);
		while (!t->paused && compare_round(t) == GEN_BURST)
			;
	}
}

static void
assert_counts(struct side_by_side *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		const struct run_model_stream *x = &t->model.streams[i];
		struct run_counters c;

		if (!run_stream_counters(t->run, t->streams[i].id, &c))
			continue;
		assert_int_equal(c.intended, x->intended);
		assert_int_equal(c.late, x->late);
		t->late += c.late;
	}
}

static void
each_slot_is_where_the_model_has_it(void **state)
{
	struct side_by_side *t = xcalloc(1, sizeof(*t));

	(void)state;
	for (unsigned seed = 1; seed <= SCENARIOS; seed++) {
		rng_state = seed * 0x9e3779b97f4a7c15ull;
		start(t);
		run_scenario(t, seed % 2 == 0);
		assert_counts(t);
		run_free(t->run);
	}
	print_message("# %lu slots, %lu late, %lu changes\n", t->slots, t->late, t->changes);
	assert_true(t->slots > 50000 && t->late > 1000 && t->changes > 1000);
	free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_slot_is_where_the_model_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
