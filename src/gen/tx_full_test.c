/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/assert_within.h"

#include "worker_rig.h"

/* Who is to blame for a full link when the worker was away: the chain, if the link was full before.
 */

#define US 1000ull
#define RING 16

/* A run of 64-byte frames at 1 Mpps over a ring of 16. */
static struct run *
start(struct worker_rig *r, double duration_s)
{
	struct frame_spec spec;

	frame_spec_init(&spec);
	worker_rig_open(r, RING, WORKER_RIG_ROOM);
	worker_rig_add(r, &spec, 1e6, 1);
	return worker_rig_start(r, 0, duration_s, false);
}

/* So many rounds, a microsecond each, of a link that takes every frame, or none. */
static void
rounds(struct worker_rig *r, unsigned n, bool full)
{
	for (unsigned i = 0; i < n; i++) {
		worker_rig_transmit(r, US);
		if (!full)
			rig_discard(r->port[0].out, RING);
	}
}

static void
a_link_that_was_full_before_is_to_blame_after(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 10e-3);
	struct worker_rig_counts c;

	rounds(r, 100, true);
	assert_true(run_refused(run) > 50);
	for (unsigned i = 0; i < 9; i++) {
		worker_rig_transmit(r, 1000 * US);
		rounds(r, 20, true);
	}
	rounds(r, 1000, true);
	assert_int_equal(run->state, RUN_SENT);
	c = worker_rig_counts(run);
	assert_int_equal(c.intended, 10000);
	assert_int_equal(c.sent, RING);
	assert_int_equal(c.refused, 10000 - RING);
	assert_int_equal(c.late, 0);
}

static void
what_is_older_than_may_be_sent_is_late_on_a_full_link_too(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 20e-3);
	uint64_t before;

	rounds(r, 100, true);
	before = run_refused(run);
	worker_rig_transmit(r, run->late_ns + 300 * US);
	/* With those that waited when it went. */
	assert_within(run_late(run), 260, 310);
	assert_true(run_refused(run) >= before);
	while (run->state != RUN_SENT)
		rounds(r, 1, true);
	(void)worker_rig_counts(run);
}

static void
what_waited_on_a_full_link_through_an_absence_is_late(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 100e-3);
	struct worker_rig_counts c;

	rounds(r, 100, true);
	/* Some slots wait; now the link has room, and they are older than may be sent. */
	rig_discard(r->port[0].out, RING);
	worker_rig_transmit(r, 50000 * US);
	assert_within(run->times->lateness.max_ns, 0, run->late_ns);
	while (run->state != RUN_SENT)
		rounds(r, 1, false);
	c = worker_rig_counts(run);
	assert_int_equal(c.intended, 100000);
	assert_int_equal(run->times->lateness.n, c.sent);
	assert_within(run->times->lateness.max_ns, 0, run->late_ns);
	assert_true(c.late > 39900);
}

static void
a_link_that_has_recovered_is_not_full_before(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 10e-3);
	uint64_t refused;

	rounds(r, 100, true);
	rounds(r, 10, false);
	refused = run_refused(run);
	assert_true(refused > 0);
	/* So long without a refusal that the one before says nothing any more. */
	rounds(r, (unsigned)(TX_FULL * run->wait_ns / US) + 20, false);
	worker_rig_transmit(r, 200 * US);
	rounds(r, 40, true);
	assert_int_equal(run_refused(run), refused);
	while (run->state != RUN_SENT)
		rounds(r, 1, false);
	assert_int_equal(worker_rig_counts(run).refused, refused);
}

static void
the_next_run_starts_with_a_clean_record(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 100e-6);

	rounds(r, 150, true);
	assert_true(run_refused(run) > 0);
	rig_discard(r->port[0].out, RING);
	run = worker_rig_start(r, 0, 100e-6, false);
	worker_rig_transmit(r, 50 * US);
	rounds(r, 20, true);
	assert_int_equal(run_refused(run), 0);
	while (run->state != RUN_SENT)
		rounds(r, 1, false);
	assert_int_equal(worker_rig_counts(run).refused, 0);
}

static void
lateness_saturates_before_frames_are_given_up(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 6e-3);
	struct rte_mbuf *m;
	struct sig sig;

	worker_rig_transmit(r, 5900 * US);
	m = rig_take(r->port[0].out);
	assert_non_null(m);
	assert_true(sig_read(rte_pktmbuf_mtod(m, uint8_t *) + 42, &sig, 60));
	assert_int_equal(sig.seq, 0);
	assert_int_equal(sig.lateness, UINT16_MAX);
	rte_pktmbuf_free(m);
	while (run->state != RUN_SENT)
		rounds(r, 1, false);
	assert_int_equal(worker_rig_counts(run).late, 0);
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(a_link_that_was_full_before_is_to_blame_after),
		LAW(what_is_older_than_may_be_sent_is_late_on_a_full_link_too),
		LAW(what_waited_on_a_full_link_through_an_absence_is_late),
		LAW(a_link_that_has_recovered_is_not_full_before),
		LAW(the_next_run_starts_with_a_clean_record),
		LAW(lateness_saturates_before_frames_are_given_up),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
