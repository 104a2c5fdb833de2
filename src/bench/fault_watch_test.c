/* SPDX-License-Identifier: MIT */
#include "fault_watch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/test_random.h"

/* Offers 'pps' for a second to a chain that delivers 'ok' of it; is that a fault? */
static bool
offer(struct fault_watch *w, double pps, double ok, char *sentence)
{
	struct trial t;

	trial_init(&t, &(struct trial_spec){.rate_pps = pps, .duration_ns = 1000000000});
	t.intended = t.sent = (uint64_t)pps;
	t.received = t.ok = (uint64_t)ok;
	t.ledger.gen[0].tx = t.sent;
	t.ledger.gen[1].rx = t.received;
	t.ledger.never_seen = t.sent - t.received;
	ledger_close(&t.ledger, 0);
	trial_judge(&t, 0);
	assert_int_not_equal(t.verdict, TRIAL_INVALID);
	return fault_watch_add(w, &t, sentence, 256);
}

static void
a_share_of_any_load_is_a_fault(void **state)
{
	struct fault_watch w;
	char text[256];

	(void)state;
	fault_watch_init(&w);
	assert_false(offer(&w, 4e6, 2e6, text)); /* overloaded beside */
	assert_false(offer(&w, 1e5, 0.95e5, text));
	assert_false(offer(&w, 2e4, 0.95e4 * 2, text)); /* not far enough */
	assert_true(offer(&w, 1e4, 0.95e4, text));
	assert_string_equal(text, "the path loses 5 % at any load (10 kpps to 100 kpps): a fault, "
				  "not a limit of its speed");
}

static void
a_dead_path_is_a_fault(void **state)
{
	struct fault_watch w;
	char text[256];

	(void)state;
	fault_watch_init(&w);
	assert_false(offer(&w, 1e6, 0, text));
	assert_false(offer(&w, 1.1e5, 0, text));
	assert_true(offer(&w, 1e5, 0, text));
	assert_string_equal(text, "nothing arrives at any load (100 kpps to 1 Mpps): the path is "
				  "broken, not slow");
}

/* Whatever the limit, and however far above it the loads. */
static void
a_limit_is_no_fault(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (int k = 0; k < 300; k++) {
		double limit = pow(10, 2 + 5 * rng_unit());
		struct fault_watch w;
		char text[256];

		fault_watch_init(&w);
		for (int i = 0; i < 40; i++) {
			double pps = floor(pow(10, 2 + 5 * rng_unit()));

			assert_false(offer(&w, pps, fmin(pps, limit), text));
		}
	}
}

/* And any share between 0.1 and 95 % is found within a few loads of a bisection. */
static void
any_share_is_found(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (int k = 0; k < 300; k++) {
		double share = pow(10, -3 * rng_unit()), pps = 1e7;
		struct fault_watch w;
		char text[256];
		int n = 0;

		share = fmin(share, 0.95);
		fault_watch_init(&w);
		while (!offer(&w, pps, ceil(pps * (1 - share)), text)) {
			pps /= 3.2;
			assert_true(++n < 4);
		}
	}
}

static void
few_lost_frames_are_no_share(void **state)
{
	struct fault_watch w;
	char text[256];

	(void)state;
	fault_watch_init(&w);
	assert_false(offer(&w, 1e6, 1e6 - 100, text));
	assert_false(offer(&w, 1e5, 1e5 - 10, text));
	/* Nor are shares that differ, or one load in between that loses nothing. */
	fault_watch_init(&w);
	assert_false(offer(&w, 1e6, 0.95e6, text));
	assert_false(offer(&w, 1e4, 0.99e4, text));
	fault_watch_init(&w);
	assert_false(offer(&w, 1e6, 0.95e6, text));
	assert_false(offer(&w, 1e5, 1e5, text));
	assert_false(offer(&w, 1e4, 0.95e4, text));
}

static void
invalid_and_noisy_trials_do_not_count(void **state)
{
	struct fault_watch w;
	struct trial t;
	char text[256];

	(void)state;
	fault_watch_init(&w);
	assert_false(offer(&w, 1e6, 0.95e6, text));
	trial_init(&t, &(struct trial_spec){.rate_pps = 1e4, .duration_ns = 1000000000});
	t.intended = t.sent = 10000;
	t.ledger.unexplained = 500;
	t.received = 9500;
	t.verdict = TRIAL_INVALID;
	assert_false(fault_watch_add(&w, &t, text, sizeof(text)));
	t.verdict = TRIAL_FAIL;
	t.class = TRIAL_NOISY;
	assert_false(fault_watch_add(&w, &t, text, sizeof(text)));
	t.class = TRIAL_VALID;
	assert_true(fault_watch_add(&w, &t, text, sizeof(text)));
}

static void
a_long_search_forgets_the_oldest(void **state)
{
	struct fault_watch w;
	char text[256];

	(void)state;
	fault_watch_init(&w);
	assert_false(offer(&w, 1e4, 0.95e4, text));
	for (int i = 0; i < FAULT_WATCH_MAX; i++)
		assert_false(offer(&w, 2e4, 2e4, text));
	assert_false(offer(&w, 2e5, 1.9e5, text));
	assert_int_equal(w.n, FAULT_WATCH_MAX + 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_of_any_load_is_a_fault),
		cmocka_unit_test(a_dead_path_is_a_fault),
		cmocka_unit_test(a_limit_is_no_fault),
		cmocka_unit_test(any_share_is_found),
		cmocka_unit_test(few_lost_frames_are_no_share),
		cmocka_unit_test(invalid_and_noisy_trials_do_not_count),
		cmocka_unit_test(a_long_search_forgets_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
