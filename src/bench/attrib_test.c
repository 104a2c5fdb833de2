/* SPDX-License-Identifier: MIT */
#include "attrib.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/json.h"
#include "base/random.h"

/* A simulated chain: each hop takes so much for a burst and so much for a frame, bursts fill with
 * the load, and the machine slows all hops of a trial alike and each a little by itself. */

#define HZ 2e9
#define N_PAIRS 15

struct model {
	size_t n_hops;
	double frame[LEDGER_MAX_HOPS], burst[LEDGER_MAX_HOPS];
	double common, own; /* noise, relative: of a trial, of a hop in it */
	struct random random;
};

static double
noise(struct model *m, double size)
{
	return 1 + size * random_normal(&m->random);
}

static void
run(struct model *m, struct trial *t, double pps, double fill, double seconds)
{
	double common = noise(m, m->common);

	trial_init(t, &(struct trial_spec){.rate_pps = pps});
	t->elapsed_s = seconds;
	t->sent = t->intended = (uint64_t)(pps * seconds);
	t->ledger.n_hops = m->n_hops;
	for (size_t i = 0; i < m->n_hops; i++) {
		double frames = pps * seconds, bursts = frames / fill;
		double busy =
			(bursts * m->burst[i] + frames * m->frame[i]) * common * noise(m, m->own);

		t->work[i] = (struct hop_work){
			.known = true,
			.tsc_hz = HZ,
			.burst = 32,
			.busy_tsc = (uint64_t)busy,
			.bursts = (uint64_t)bursts,
			.frames = (uint64_t)frames,
		};
	}
}

static void
measure(struct model *m, struct attrib *a)
{
	static struct trial low, high;

	for (int k = 0; k < N_PAIRS; k++) {
		run(m, &low, 1e5, 1, 0.2);
		run(m, &high, 5e5, 24, 0.2);
		attrib_add_pair(a, &low, &high);
	}
	attrib_close(a);
}

/* 'cpus' has a CPU for each hop. */
static void
place(struct attrib *a, size_t n, const int *cpus)
{
	attrib_init(a);
	a->n_hops = n;
	a->offer_pps = 5e5;
	for (size_t i = 0; i < n; i++) {
		snprintf(a->place[i].name, sizeof(a->place[i].name), "vnf%zu", i + 1);
		a->place[i].n_cpus = 1;
		a->place[i].cpu[0] = cpus[i];
	}
}

static const int alone[] = {1, 2, 3, 4}, together[] = {1, 1, 1, 1};

static struct model
equal(double frame)
{
	struct model m = {.n_hops = 4};

	for (size_t i = 0; i < 4; i++) {
		m.frame[i] = frame;
		m.burst[i] = 640;
	}
	random_init(&m.random, 1, 0);
	return m;
}

static void
costs_of_bursts_and_frames_are_told_apart(void **state)
{
	struct model m = equal(300);
	static struct attrib a;

	(void)state;
	place(&a, 4, alone);
	measure(&m, &a);
	assert_near(a.hop[0].burst_cycles, 640, 1);
	assert_near(a.hop[0].cycles, 300 + 640 / 32, 1);
	/* 0.4e6 frames more a second, in fewer bursts. */
	assert_near(a.hop[0].marginal, (5e5 * (300 + 640 / 24.0) - 1e5 * 940) / 4e5, 1);
	assert_near(a.hop[0].capacity_pps, HZ / 320, 1000);
	assert_near(a.hop[0].busy, 5e5 * (300 + 640 / 24.0) / HZ, 0.001);
}

static void
a_dearer_hop_is_named_and_its_absence_predicted(void **state)
{
	struct model m = equal(300);
	static struct attrib a;

	(void)state;
	m.frame[2] = 380;
	m.frame[1] = 330;
	place(&a, 4, alone);
	a.limit_pps = 4e6;
	measure(&m, &a);
	assert_int_equal(a.verdict, ATTRIB_BOTTLENECK);
	assert_int_equal(a.bottleneck, 2);
	assert_int_equal(a.next, 1);
	assert_near(a.ratio, 400.0 / 350, 0.001);
	assert_near(a.without_pps, 4e6 * 400 / 350, 4e3);
}

static void
hops_that_share_a_cpu_are_limited_by_their_sum(void **state)
{
	struct model m = equal(300);
	static struct attrib a;

	(void)state;
	m.frame[3] = 480;
	place(&a, 4, together);
	measure(&m, &a);
	assert_int_equal(a.bottleneck, 3);
	assert_int_equal(a.hop[3].group, 0);
	assert_near(a.hop[1].capacity_pps, HZ / (3 * 320 + 500), 1000);
	/* No limit was found: what the CPU has cycles for. */
	assert_near(a.without_pps, HZ / (3 * 320), 1000);
}

/* Two cheap hops on one CPU limit the chain before a dearer one that has its own. */
static void
a_shared_cpu_limits_before_a_dearer_hop(void **state)
{
	static const int cpus[] = {1, 1, 2, 3};
	struct model m = equal(300);
	static struct attrib a;

	(void)state;
	m.frame[1] = 330;
	m.frame[2] = 480;
	place(&a, 4, cpus);
	measure(&m, &a);
	assert_int_equal(a.verdict, ATTRIB_BOTTLENECK);
	assert_int_equal(a.bottleneck, 1);
	assert_int_equal(a.hop[0].tied, 0);
}

/* Of 200 chains each, with the noise of a shared machine. */
static void
a_tenth_more_is_found_and_none_is_a_tie(void **state)
{
	struct model m = equal(3000);
	unsigned n_named = 0, n_tied = 0;
	static struct attrib a;

	(void)state;
	m.common = 0.1;
	m.own = 0.02;
	for (unsigned i = 0; i < 200; i++) {
		size_t dear = i % 4;

		m.frame[dear] = 3300;
		place(&a, 4, i % 2 ? alone : together);
		measure(&m, &a);
		n_named += a.verdict == ATTRIB_BOTTLENECK && a.bottleneck == dear;
		m.frame[dear] = 3000;
		place(&a, 4, i % 2 ? alone : together);
		measure(&m, &a);
		n_tied += a.verdict == ATTRIB_TIE;
	}
	print_message("named %u, tie %u of 200\n", n_named, n_tied);
	assert_true(n_named >= 190);
	assert_true(n_tied >= 190);
}

static void
waiting_is_followed_to_where_it_ends(void **state)
{
	struct model m = equal(300);
	static struct attrib a;
	static struct trial low, high;

	(void)state;
	place(&a, 4, alone);
	a.offer_pps = 2e6;
	for (int k = 0; k < 3; k++) {
		run(&m, &low, 1e5, 1, 0.2);
		run(&m, &high, 5e5, 24, 0.2);
		high.work[0].held_ns[1] = high.work[1].held_ns[1] = 80000000;
		/* A foreign hop. */
		low.work[2].known = high.work[2].known = false;
		attrib_add_pair(&a, &low, &high);
	}
	attrib_close(&a);
	assert_true(a.pushed_back);
	assert_int_equal(a.pressure, 2);
	assert_near(a.refused, 0.75, 0.001);
	assert_near(a.hop[1].held[1], 0.4, 0.001);
	/* It, or what is behind it. */
	assert_int_equal(a.verdict, ATTRIB_UNKNOWN);
	a.n_hops = 3;
	attrib_close(&a);
	assert_int_equal(a.verdict, ATTRIB_BOTTLENECK);
	assert_true(a.by_pressure);
	assert_int_equal(a.bottleneck, 2);
}

static void
what_is_unknown_is_null(void **state)
{
	static struct attrib a;
	json_t *json;

	(void)state;
	place(&a, 2, alone);
	attrib_close(&a);
	json = attrib_to_json(&a);
	assert_string_equal(json_string_value(json_object_get(json, "verdict")), "unknown");
	assert_true(json_is_null(json_object_get(json, "bottleneck")));
	assert_true(json_is_null(json_at(json, "hops[1].cycles")));
	assert_true(json_is_null(json_at(json, "hops[1].capacity_pps")));
	assert_true(json_is_null(json_object_get(json, "without_pps")));
	json_decref(json);
}

static void
losses_stand_where_they_happened(void **state)
{
	static struct trial t;
	json_t *json;

	(void)state;
	trial_init(&t, &(struct trial_spec){.rate_pps = 1});
	t.refused = 7;
	t.ledger.n_hops = 2;
	for (size_t i = 0; i < 2; i++) {
		t.ledger.hop[i].known = t.ledger.hop[i].exact = true;
		snprintf(t.ledger.hop[i].name, sizeof(t.ledger.hop[i].name), "vnf%zu", i + 1);
	}
	ledger_drop(&t.ledger.hop[0], "tx_full", 3);
	ledger_drop(&t.ledger.hop[1], "tx_full", 5);
	t.ledger.hop[1].port[0].miss = 2;
	t.work[1] = (struct hop_work){.known = true, .n_queues = 2};
	t.work[1].queue[1] = (struct hop_queue){.lcore = 6, .drops = 5, .cause = "tx_full"};
	json = attrib_losses(&t);
	assert_int_equal(json_array_size(json), 4);
	assert_string_equal(json_string_value(json_at(json_array_get(json, 0), "at")), "link 0");
	assert_string_equal(json_string_value(json_at(json_array_get(json, 1), "cause")),
			    "tx_full");
	assert_true(json_is_null(json_at(json_array_get(json, 1), "queue")));
	assert_string_equal(json_string_value(json_at(json_array_get(json, 2), "cause")), "miss");
	assert_int_equal(json_integer_value(json_at(json_array_get(json, 3), "queue")), 6);
	json_decref(json);
}

static const char *const before =
	"{\"lcores\": [{\"lcore\": 1, \"busy_tsc\": 100, \"idle_tsc\": 50, \"busy_gap_tsc\": 10, "
	"\"bursts\": 4, \"rx\": 40, \"ports\": [{\"rx\": 40, \"tx\": 0, \"held_ns\": 0}, "
	"{\"rx\": 0, \"tx\": 40, \"held_ns\": 5}], \"drops\": {}}]}";
static const char *const after =
	"{\"tsc_hz\": 2000000000, \"burst\": 32, \"lcores\": [{\"lcore\": 1, \"busy_tsc\": 1100, "
	"\"idle_tsc\": 250, \"busy_gap_tsc\": 110, \"bursts\": 14, \"rx\": 140, \"ports\": "
	"[{\"rx\": 140, \"tx\": 0, \"held_ns\": 0}, {\"rx\": 0, \"tx\": 137, \"held_ns\": 25}], "
	"\"drops\": {\"tx_full\": 3}}]}";

static void
work_is_what_grew_without_the_absences(void **state)
{
	json_t *was = json_loads(before, 0, NULL), *is = json_loads(after, 0, NULL), *json;
	struct hop_work w, read;
	struct err err = {0};

	(void)state;
	assert_non_null(was);
	assert_non_null(is);
	hop_work_between(&w, was, is);
	assert_true(w.known);
	assert_int_equal(w.busy_tsc, 900);
	assert_int_equal(w.all_tsc, 1100);
	assert_int_equal(w.frames, 100);
	assert_int_equal(w.bursts, 10);
	assert_int_equal(w.held_ns[1], 20);
	assert_int_equal(w.queue[0].drops, 3);
	assert_string_equal(w.queue[0].cause, "tx_full");
	json = hop_work_to_json(&w, "vnf1");
	assert_int_equal(hop_work_from_json(&read, json, &err), 0);
	assert_int_equal(read.busy_tsc, w.busy_tsc);
	assert_int_equal(read.queue[0].tx[1], 97);
	json_decref(json);
	/* It was started again. */
	hop_work_between(&w, is, was);
	assert_false(w.known);
	json_decref(was);
	json_decref(is);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(costs_of_bursts_and_frames_are_told_apart),
		cmocka_unit_test(a_dearer_hop_is_named_and_its_absence_predicted),
		cmocka_unit_test(hops_that_share_a_cpu_are_limited_by_their_sum),
		cmocka_unit_test(a_shared_cpu_limits_before_a_dearer_hop),
		cmocka_unit_test(a_tenth_more_is_found_and_none_is_a_tie),
		cmocka_unit_test(waiting_is_followed_to_where_it_ends),
		cmocka_unit_test(what_is_unknown_is_null),
		cmocka_unit_test(losses_stand_where_they_happened),
		cmocka_unit_test(work_is_what_grew_without_the_absences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
