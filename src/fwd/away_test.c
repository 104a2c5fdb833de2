/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "poll_rig.h"

/* What the polling engine notes of the times in which its lcore was not there.  This machine may
 * take the CPU away as well, so counts have a lower bound, and an upper one only far away. */

#define STALL_MS 5
/* The two clocks may differ a little. */
#define LEAST_NS (STALL_MS * NSEC_PER_MS * 9 / 10)

static void
burn(uint64_t ns)
{
	uint64_t end = clock_now_ns() + ns;

	while (clock_now_ns() < end)
		;
}

static const struct gaps *
gaps_of(const struct poll_rig *r)
{
	return &r->fwd.lcore[0].gaps;
}

static void
stall_once(struct poll_rig *r)
{
	if (r->round == 10)
		burn(STALL_MS * NSEC_PER_MS);
}

static void
an_absence_is_a_gap(void **state)
{
	struct poll_rig *r = *state;

	poll_rig_open(r, 64);
	r->tick = stall_once;
	poll_rig_run(r, 20);
	assert_true(counter_get(&gaps_of(r)->n_20us) >= 1);
	assert_true(counter_get(&gaps_of(r)->n_1ms) >= 1);
	assert_true(counter_get(&gaps_of(r)->sum_1ms_ns) >= LEAST_NS);
	assert_true(counter_get(&gaps_of(r)->sum_ns) >= counter_get(&gaps_of(r)->sum_1ms_ns));
	assert_true(gaps_max(gaps_of(r), 0) >= LEAST_NS);
	assert_int_equal(atomic_load(&r->fwd.lcore[0].tid), gettid());
}

static void
a_new_window_begins_when_told(void **state)
{
	struct poll_rig *r = *state;

	poll_rig_open(r, 64);
	r->tick = stall_once;
	poll_rig_run(r, 20);
	counter_add(&r->fwd.window, 1);
	assert_int_equal(gaps_max(gaps_of(r), counter_get(&r->fwd.window)), 0);
	poll_rig_run(r, 20);
	assert_true(gaps_max(gaps_of(r), counter_get(&r->fwd.window)) >= LEAST_NS);
	assert_true(counter_get(&gaps_of(r)->n_1ms) >= 2);
}

static void
stall_and_stop(struct poll_rig *r)
{
	burn(STALL_MS * NSEC_PER_MS);
	fwd_set_state(&r->fwd, FWD_STOP);
}

/* The round in which an lcore is told to rest counts too. */
static void
the_last_round_counts(void **state)
{
	struct poll_rig *r = *state;

	poll_rig_open(r, 64);
	r->tick = stall_and_stop;
	poll_rig_run(r, 20);
	assert_true(gaps_max(gaps_of(r), 0) >= LEAST_NS);
}

#define LEAST_SLEEP_NS (IDLE_SLEEP_US * NSEC_PER_US * 9 / 10)

static unsigned n_slept;

static void
until_slept(struct poll_rig *r)
{
	/* A yield may take long as well; what is waited for is a sleep. */
	n_slept += gaps_wait_max(gaps_of(r), 0) >= LEAST_SLEEP_NS;
	if (n_slept == 200)
		fwd_set_state(&r->fwd, FWD_STOP);
}

/* A forwarder that sleeps while it is idle is not being kept from running. */
static void
what_it_asked_for_is_no_gap(void **state)
{
	struct poll_rig *r = *state;

	n_slept = 0;
	r->conf.idle = IDLE_SLEEP;
	poll_rig_open(r, 64);
	r->tick = until_slept;
	poll_rig_run(r, 100000000);
	assert_true(gaps_wait_max(gaps_of(r), 0) >= LEAST_SLEEP_NS);
	assert_true(counter_get(&gaps_of(r)->n_20us) < 100);
}

static uint8_t
slowly(uint32_t seq)
{
	(void)seq;
	burn(3 * NSEC_PER_US);
	return NF_FORWARD;
}

/* A function that takes 100 us for each burst is slow, and nobody else's doing. */
static void
slow_work_is_no_gap(void **state)
{
	struct poll_rig *r = *state;

	poll_rig_open_deciding(r, 4096, slowly);
	poll_rig_put(r, 0, 0, 2000);
	poll_rig_run(r, 60);
	assert_int_equal(poll_rig_totals(r).tx[1], 60 * r->conf.burst);
	assert_true(counter_get(&gaps_of(r)->n_20us) < 20);
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, poll_rig_init, poll_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(an_absence_is_a_gap),   LAW(a_new_window_begins_when_told),
		LAW(the_last_round_counts), LAW(what_it_asked_for_is_no_gap),
		LAW(slow_work_is_no_gap),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
