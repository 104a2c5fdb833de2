/* SPDX-License-Identifier: MIT */
#include "noise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/test_random.h"
#include "trial.h"

#define MS 1000000ull
#define HALF_S (500 * MS)
#define RATE 150e3
#define RING 16384

/* A chain of three hops, vnf3 of two lcores, in a quiet machine. */
static void
quiet(struct trial_noise *n)
{
	static const char *const hops[] = {"vnf1", "vnf2", "vnf3", "vnf3"};

	noise_init(n);
	n->ring_slots = RING;
	n->gap_max_ns = n->gaps_20us = n->gaps_sum_ns = n->gaps_1ms = n->gaps_1ms_ns = 0;
	n->run_delay_ns = n->neighbours_ns = n->neighbours = 0;
	for (; n->n_lcores < 4; n->n_lcores++) {
		struct noise_lcore *l = &n->lcore[n->n_lcores];

		memset(l, 0, sizeof(*l));
		strcpy(l->hop, hops[n->n_lcores]);
		l->lcore = n->n_lcores;
	}
}

/* A lcore of a hop is away 'n' times. */
static void
away(struct noise_lcore *l, uint64_t n, uint64_t ns)
{
	l->gaps_20us += n;
	l->gaps_1ms += n;
	l->gaps_sum_ns += n * ns;
	l->gaps_1ms_ns += n * ns;
	l->gap_max_ns = l->gap_max_ns > ns ? l->gap_max_ns : ns;
}

static void
generator_away(struct trial_noise *n, uint64_t times, uint64_t ns)
{
	n->gaps_20us += times;
	n->gaps_1ms += times;
	n->gaps_sum_ns += times * ns;
	n->gaps_1ms_ns += times * ns;
	n->gap_max_ns = n->gap_max_ns > ns ? n->gap_max_ns : ns;
}

static const char *
matters(const struct trial_noise *n, double pps)
{
	static char why[128];

	return noise_matters(n, pps, HALF_S, why, sizeof(why)) ? why : NULL;
}

/* Gaps of 4 to 9 ms, several times a second, on every lcore: what a shared machine has. */
static void
ordinary_background_does_not_matter(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (int k = 0; k < 1000; k++) {
		struct trial_noise n;

		quiet(&n);
		for (unsigned i = rng_below(7); i > 0; i--)
			generator_away(&n, 1, (4 + rng_below(6)) * MS);
		for (size_t i = 0; i < n.n_lcores; i++)
			for (unsigned j = rng_below(7); j > 0; j--)
				away(&n.lcore[i], 1, (4 + rng_below(6)) * MS);
		assert_null(matters(&n, 100e3 + 500e3 * rng_unit()));
	}
}

static void
what_a_ring_cannot_hold_matters(void **state)
{
	struct trial_noise n;

	(void)state;
	/* 3/4 of the ring at 1 Mpps are 12.288 ms. */
	quiet(&n);
	away(&n.lcore[0], 1, 12280000);
	assert_null(matters(&n, 1e6));
	assert_int_equal(noise_explains(&n, 1e6, HALF_S), 0);
	away(&n.lcore[0], 1, 12300000);
	assert_string_equal(matters(&n, 1e6), "a stall of 12.3 ms on vnf1's lcore");
	assert_int_equal(noise_explains(&n, 1e6, HALF_S), 12);
	/* The same at a load that the ring does hold. */
	assert_null(matters(&n, 500e3));
	/* A short ring, and one that nobody knows. */
	n.ring_slots = 256;
	assert_non_null(matters(&n, 500e3));
	n.ring_slots = NOISE_UNKNOWN;
	assert_null(matters(&n, 1e6));
	/* What takes less than a millisecond is a long round of work, not an absence. */
	quiet(&n);
	n.ring_slots = 256;
	n.gap_max_ns = n.gaps_sum_ns = 900000;
	assert_null(matters(&n, 1e6));
}

static void
a_long_stall_matters_at_any_load(void **state)
{
	struct trial_noise n;

	(void)state;
	quiet(&n);
	away(&n.lcore[3], 1, 50 * MS);
	assert_string_equal(matters(&n, 1000), "a stall of 50.0 ms on vnf3's lcore 3");
	quiet(&n);
	generator_away(&n, 1, 26 * MS);
	assert_string_equal(matters(&n, 1000), "a stall of 26.0 ms on the generator's lcore");
	quiet(&n);
	generator_away(&n, 1, 24 * MS);
	assert_null(matters(&n, 1000));
}

/* The worst is named. */
static void
the_worst_lcore_is_named(void **state)
{
	struct trial_noise n;

	(void)state;
	quiet(&n);
	generator_away(&n, 1, 30 * MS);
	away(&n.lcore[1], 1, 90 * MS);
	away(&n.lcore[2], 1, 60 * MS);
	assert_string_equal(matters(&n, 1000), "a stall of 90.0 ms on vnf2's lcore");
}

static void
a_great_share_of_the_time_matters(void **state)
{
	struct trial_noise n;

	(void)state;
	quiet(&n);
	generator_away(&n, 25, 4 * MS);
	assert_null(matters(&n, RATE));
	generator_away(&n, 25, 4 * MS);
	assert_string_equal(matters(&n, RATE),
			    "the generator's lcore was kept from running for 40 % of the time");
	/* The rings hold each of them, but have no time to empty: they count once. */
	assert_int_equal(noise_explains(&n, RATE, HALF_S), 30000 - RING * 3 / 4);
	/* By the kernel's word alone: a hop that tells no gaps. */
	quiet(&n);
	noise_lcore_init(&n.lcore[0], "testpmd");
	n.lcore[0].run_delay_ns = 200 * MS;
	n.lcore[0].neighbours_ns = 0;
	assert_string_equal(matters(&n, RATE),
			    "testpmd's lcore was kept from running for 40 % of the time");
}

static void
the_chains_own_neighbours_are_no_noise(void **state)
{
	struct trial_noise n;

	(void)state;
	/* Three hops on one CPU: each waits for the others, and yields to them. */
	quiet(&n);
	for (int i = 0; i < 3; i++) {
		n.lcore[i].neighbours = 2;
		n.lcore[i].wait_max_ns = 16 * MS;
		n.lcore[i].run_delay_ns = 320 * MS;
		n.lcore[i].neighbours_ns = 310 * MS;
	}
	assert_null(matters(&n, RATE));
	/* One that they took the CPU from while it worked: gaps, but none of the machine's. */
	n.lcore[1].gap_max_ns = 15 * MS;
	n.lcore[1].gaps_1ms = 30;
	n.lcore[1].gaps_1ms_ns = n.lcore[1].gaps_sum_ns = 300 * MS;
	assert_null(matters(&n, RATE));
	/* A fourth that is not of the chain. */
	n.lcore[0].run_delay_ns = 420 * MS;
	assert_string_equal(matters(&n, RATE),
			    "vnf1's lcore was kept from running for 22 % of the time");
	/* Unknown neighbours explain nothing, nor does the kernel's figure then. */
	n.lcore[0].neighbours_ns = NOISE_UNKNOWN;
	assert_null(matters(&n, RATE));
	/* Stopped while it had yielded. */
	n.lcore[0].wait_max_ns = 70 * MS;
	assert_string_equal(matters(&n, RATE), "a stall of 54.0 ms on vnf1's lcore");
}

static void
nothing_known_nothing_said(void **state)
{
	struct trial_noise n;

	(void)state;
	noise_init(&n);
	noise_lcore_init(&n.lcore[n.n_lcores++], "foreign");
	assert_null(matters(&n, 1e9));
	assert_int_equal(noise_explains(&n, 1e9, HALF_S), 0);
	assert_int_equal(noise_explains_late(&n, 1e9), 0);
}

/* Whatever gaps there were, as long as they are not a great share: no fewer frames are explained
 * than the gaps one by one explain, and no more than if the rings had counted only once. */
static void
the_bound_is_one(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (int k = 0; k < 20000; k++) {
		double pps = 1e5 + 8e6 * rng_unit(), one_by_one = 0, sum_ns = 0;
		double slots = 0.75 * RING;
		struct trial_noise n;

		quiet(&n);
		for (unsigned i = rng_below(5); i > 0; i--) {
			uint64_t ns = MS + 1 + rng_below(15 * MS);
			double more = (double)ns / 1e9 * pps - slots;

			away(&n.lcore[1], 1, ns);
			one_by_one += more > 0 ? more : 0;
			sum_ns += (double)ns;
		}
		assert_true((double)noise_explains(&n, pps, HALF_S) >= one_by_one);
		assert_true((double)noise_explains(&n, pps, HALF_S) <= sum_ns / 1e9 * pps + 1);
		/* One gap: exactly. */
		if (n.lcore[1].gaps_1ms == 1)
			assert_true((double)noise_explains(&n, pps, HALF_S) <= one_by_one + 1);
	}
}

/* ---- trials ---- */

/* A trial of 150 kpps for half a second, through the quiet chain. */
static void
trial(struct trial *t, uint64_t lost)
{
	const uint64_t n = (uint64_t)(RATE / 2);

	trial_init(t, &(struct trial_spec){.rate_pps = RATE, .duration_ns = HALF_S});
	t->elapsed_s = 0.5;
	t->intended = n;
	t->refused = lost;
	t->sent = t->received = t->ok = n - lost;
	t->ledger.gen[0].tx = t->ledger.gen[1].rx = n - lost;
	ledger_close(&t->ledger, 0);
	quiet(&t->noise);
}

static void
assert_judged(struct trial *t, enum trial_verdict verdict, enum trial_class class,
	      const char *reason)
{
	trial_judge(t, 0);
	assert_string_equal(t->reason, reason);
	assert_string_equal(trial_verdict_name(t->verdict), trial_verdict_name(verdict));
	assert_string_equal(trial_class_name(t->class), trial_class_name(class));
}

static void
noise_excuses_what_it_explains(void **state)
{
	struct trial t;

	(void)state;
	/* 200 ms at 150 kpps are 30,000 frames, of which 12,288 find room. */
	trial(&t, 17712);
	away(&t.noise.lcore[0], 1, 200 * MS);
	assert_judged(&t, TRIAL_INVALID, TRIAL_NOISY,
		      "lost 17712 of 75000, explained by noise: a stall of 200.0 ms on vnf1's "
		      "lcore");
	trial(&t, 0);
	away(&t.noise.lcore[0], 1, 200 * MS);
	assert_judged(&t, TRIAL_PASS, TRIAL_NOISY,
		      "lost 0 of 75000 in spite of noise: a stall of 200.0 ms on vnf1's lcore");
	/* What the goal allows comes on top. */
	trial(&t, 17712 + 750);
	away(&t.noise.lcore[0], 1, 200 * MS);
	trial_judge(&t, 0.01);
	assert_int_equal(t.verdict, TRIAL_INVALID);
}

static void
an_overloaded_chain_fails_noise_or_not(void **state)
{
	struct trial t;

	(void)state;
	trial(&t, 17713);
	away(&t.noise.lcore[0], 1, 200 * MS);
	assert_judged(&t, TRIAL_FAIL, TRIAL_NOISY,
		      "lost 17713 of 75000, all refused at the generator's links");
	/* Nor does background when nobody knows how long the rings are. */
	trial(&t, 1);
	t.noise.ring_slots = NOISE_UNKNOWN;
	away(&t.noise.lcore[0], 3, 9 * MS);
	trial_judge(&t, 0);
	assert_int_equal(t.verdict, TRIAL_FAIL);
	assert_int_equal(t.class, TRIAL_VALID);
	/* Background that the rings hold excuses nothing. */
	trial(&t, 1);
	away(&t.noise.lcore[0], 3, 9 * MS);
	assert_judged(&t, TRIAL_FAIL, TRIAL_VALID,
		      "lost 1 of 75000, all refused at the generator's links");
}

static void
late_is_noise_or_overload(void **state)
{
	struct trial t;

	(void)state;
	trial(&t, 0);
	t.sent = t.received = t.ok = t.ledger.gen[0].tx = t.ledger.gen[1].rx = 75000 - 3000;
	t.late = 3000;
	ledger_close(&t.ledger, 0);
	generator_away(&t.noise, 1, 30 * MS);
	assert_judged(&t, TRIAL_INVALID, TRIAL_NOISY,
		      "the generator was late for 3000 of 75000 frames (longest gap 30000.0 us)");
	/* It was away for a millisecond in all: the slots were late because it is too slow. */
	t.noise.gap_max_ns = t.noise.gaps_sum_ns = t.noise.gaps_1ms_ns = MS;
	assert_judged(&t, TRIAL_INVALID, TRIAL_OVERLOAD,
		      "the generator was late for 3000 of 75000 frames (longest gap 1000.0 us)");
	/* 3000 slots are 20 ms: five times 4 ms, the time it has before a full link counts. */
	t.noise.gap_max_ns = t.noise.gaps_sum_ns = t.noise.gaps_1ms_ns = 4 * MS;
	trial_judge(&t, 0);
	assert_int_equal(t.class, TRIAL_NOISY);
	t.noise.gaps_sum_ns = 4 * MS - 10000;
	trial_judge(&t, 0);
	assert_int_equal(t.class, TRIAL_OVERLOAD);
	noise_init(&t.noise);
	assert_judged(&t, TRIAL_INVALID, TRIAL_OVERLOAD,
		      "the generator was late for 3000 of 75000 frames");
}

static void
a_stretched_trial_is_a_fault(void **state)
{
	struct trial t;

	(void)state;
	trial(&t, 0);
	t.elapsed_s = 0.53;
	assert_judged(&t, TRIAL_PASS, TRIAL_VALID, "lost 0 of 75000");
	t.elapsed_s = 0.54;
	assert_judged(&t, TRIAL_INVALID, TRIAL_FAULT,
		      "the generator sent for 0.540 s instead of 0.500 s");
	/* It was stopped when the last slots were due. */
	generator_away(&t.noise, 1, 60 * MS);
	assert_judged(&t, TRIAL_PASS, TRIAL_NOISY,
		      "lost 0 of 75000 in spite of noise: a stall of 60.0 ms on the generator's "
		      "lcore");
}

static void
faults_of_the_path_are_named_so(void **state)
{
	struct trial t;

	(void)state;
	/* A dead direction: still a failure of the chain, but none that a lower load mends. */
	trial(&t, 0);
	t.received = t.ok = t.ledger.gen[1].rx = 0;
	t.ledger.never_seen = t.sent;
	ledger_close(&t.ledger, 0);
	trial_judge(&t, 0);
	assert_int_equal(t.verdict, TRIAL_FAIL);
	assert_int_equal(t.class, TRIAL_FAULT);
	/* More than was sent: frames of which nobody can tell the sequence. */
	trial(&t, 0);
	t.ledger.seq_unknown = true;
	t.received = t.ok = t.ledger.gen[1].rx = 75001;
	ledger_close(&t.ledger, 0);
	trial_judge(&t, 0);
	assert_int_equal(t.verdict, TRIAL_INVALID);
	assert_int_equal(t.class, TRIAL_FAULT);
	trial(&t, 0);
	t.interrupted = true;
	assert_judged(&t, TRIAL_INVALID, TRIAL_FAULT, "interrupted");
}

/* ---- JSON ---- */

static void
assert_round_trip(const struct trial_noise *n)
{
	json_t *json = noise_to_json(n), *again;
	struct trial_noise back;
	struct err err;

	memset(&back, 0xee, sizeof(back));
	assert_int_equal(noise_from_json(&back, json, &err), 0);
	again = noise_to_json(&back);
	assert_true(json_equal(json, again));
	assert_int_equal(back.n_lcores, n->n_lcores);
	assert_int_equal(back.n_cpus, n->n_cpus);
	assert_memory_equal(&back.gap_max_ns, &n->gap_max_ns,
			    offsetof(struct trial_noise, n_lcores));
	for (size_t i = 0; i < n->n_lcores; i++)
		assert_memory_equal(&back.lcore[i].lcore, &n->lcore[i].lcore,
				    sizeof(n->lcore[i]) - offsetof(struct noise_lcore, lcore));
	assert_memory_equal(back.cpu, n->cpu, n->n_cpus * sizeof(n->cpu[0]));
	json_decref(json);
	json_decref(again);
}

static void
json_round_trip(void **state)
{
	struct trial_noise n;

	(void)state;
	noise_init(&n);
	assert_round_trip(&n);
	quiet(&n);
	n.n_cpus = 2;
	n.cpu[1] = (struct noise_cpu){3, 10 * MS, 12};
	assert_round_trip(&n);
	for (n.n_lcores = 0; n.n_lcores < NOISE_MAX_LCORES; n.n_lcores++) {
		struct noise_lcore *l = &n.lcore[n.n_lcores];

		*l = (struct noise_lcore){.lcore = n.n_lcores, .gap_max_ns = 2, .nivcsw = 9};
		strcpy(l->hop, "vnf1");
	}
	assert_round_trip(&n);
}

static void
unknown_is_null_and_absent_is_unknown(void **state)
{
	struct trial_noise n;
	json_t *json;

	(void)state;
	noise_init(&n);
	json = noise_to_json(&n);
	assert_true(json_is_null(json_object_get(json, "psi_ns")));
	assert_true(json_is_null(json_object_get(json, "gap_max_ns")));
	json_decref(json);
	/* A file of a version that had six keys. */
	json = json_pack("{s:i, s:i}", "gap_max_ns", 7, "nivcsw", 0);
	assert_int_equal(noise_from_json(&n, json, NULL), 0);
	assert_int_equal(n.gap_max_ns, 7);
	assert_int_equal(n.nivcsw, 0);
	assert_true(n.psi_ns == NOISE_UNKNOWN && n.ring_slots == NOISE_UNKNOWN);
	assert_int_equal(n.n_lcores + n.n_cpus, 0);
	json_decref(json);
}

static void
broken_json_says_where(void **state)
{
	struct trial_noise n;
	struct err err;
	json_t *json;

	(void)state;
	json = json_pack("{s:[{s:s, s:s}]}", "lcores", "hop", "vnf1", "gaps_1ms", "x");
	assert_true(noise_from_json(&n, json, &err) < 0);
	assert_string_equal(err.msg, "lcores[0]: gaps_1ms: not an unsigned integer");
	json_decref(json);
	json = json_pack("{s:[{s:s}]}", "lcores", "hop", "a name of more than thirty-one letters");
	assert_true(noise_from_json(&n, json, &err) < 0);
	assert_string_equal(err.msg, "lcores[0]: hop: longer than 31");
	json_decref(json);
	json = json_pack("{s:[]}", "cpus");
	for (int i = 0; i <= NOISE_MAX_CPUS; i++)
		json_array_append_new(json_object_get(json, "cpus"), json_object());
	assert_true(noise_from_json(&n, json, &err) < 0);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_background_does_not_matter),
		cmocka_unit_test(what_a_ring_cannot_hold_matters),
		cmocka_unit_test(a_long_stall_matters_at_any_load),
		cmocka_unit_test(the_worst_lcore_is_named),
		cmocka_unit_test(a_great_share_of_the_time_matters),
		cmocka_unit_test(the_chains_own_neighbours_are_no_noise),
		cmocka_unit_test(nothing_known_nothing_said),
		cmocka_unit_test(the_bound_is_one),
		cmocka_unit_test(noise_excuses_what_it_explains),
		cmocka_unit_test(an_overloaded_chain_fails_noise_or_not),
		cmocka_unit_test(late_is_noise_or_overload),
		cmocka_unit_test(a_stretched_trial_is_a_fault),
		cmocka_unit_test(faults_of_the_path_are_named_so),
		cmocka_unit_test(json_round_trip),
		cmocka_unit_test(unknown_is_null_and_absent_is_unknown),
		cmocka_unit_test(broken_json_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
