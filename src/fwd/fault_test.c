/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_cycles.h>

#include "base/assert_within.h"
#include "base/mem.h"
#include "poll_rig.h"

/* Faults on purpose, under the polling engine: each does to the frames it says what it says, to as
 * many as it says, and the books still tell the truth. */

#define N 100
#define COUNT 5
#define SKIP 10
#define SPACING 7

static bool
is_treated(uint32_t seq)
{
	return seq >= SKIP && (seq - SKIP) % SPACING == 0 && (seq - SKIP) / SPACING < COUNT;
}

/* As the control thread does it. */
static void
arm(struct poll_rig *r, enum fault_kind kind, uint32_t count, uint32_t skip, uint32_t spacing,
    uint32_t distance)
{
	struct fault *f = &r->fwd.lcore[0].fault;

	assert_int_equal(atomic_load(&f->armed), 0);
	f->kind = kind;
	f->left = count;
	f->wait = skip;
	f->spacing = spacing;
	f->distance = distance;
	atomic_store(&f->done, 0);
	atomic_store(&f->armed, 1);
}

/* Bursts that the treated frames do not fall in with. */
static void
open_rig(struct poll_rig *r)
{
	r->conf.burst = 8;
	poll_rig_open(r, 1024);
}

/* Sends N frames through the fault; the number that came out in 'f'. */
static unsigned
run_through(struct poll_rig *r, enum fault_kind kind, struct poll_frame *f)
{
	open_rig(r);
	arm(r, kind, COUNT, SKIP, SPACING, 1);
	poll_rig_put(r, 0, 0, N);
	poll_rig_run(r, 20);
	assert_int_equal(atomic_load(&r->fwd.lcore[0].fault.done), COUNT);
	assert_int_equal(atomic_load(&r->fwd.lcore[0].fault.armed), 0);
	return poll_rig_take(r, 1, f, 2 * N);
}

static void
assert_without_the_treated(const struct poll_frame *f, unsigned n)
{
	uint32_t seq = 0;

	for (unsigned i = 0; i < n; i++, seq++) {
		while (is_treated(seq))
			seq++;
		assert_int_equal(f[i].seq, seq);
		assert_true(f[i].intact);
	}
	assert_int_equal(n, N - COUNT);
}

static void
dropped_frames_are_counted_as_such(void **state)
{
	struct poll_rig *r = *state;
	struct poll_frame f[2 * N];
	unsigned n = run_through(r, FAULT_DROP, f);

	assert_without_the_treated(f, n);
	assert_int_equal(poll_rig_totals(r).tx[1], N - COUNT);
	assert_int_equal(poll_rig_totals(r).drop_all, COUNT);
	assert_int_equal(poll_rig_drops(r, "fault"), COUNT);
}

static void
lost_frames_are_missing_in_the_books(void **state)
{
	struct poll_rig *r = *state;
	struct poll_frame f[2 * N];
	unsigned n = run_through(r, FAULT_LOSE, f);
	struct fwd_totals t;

	assert_without_the_treated(f, n);
	fwd_totals(&r->fwd, &t);
	assert_int_equal(t.rx_all, N);
	assert_int_equal(t.tx_all, N - COUNT);
	assert_int_equal(t.drop_all, 0);
	assert_int_equal(fwd_residual(&t), COUNT);
}

/* A quarter of them, spread evenly, for as long as the fault lasts. */
static void
a_share_of_the_frames_is_dropped(void **state)
{
	struct poll_rig *r = *state;
	struct poll_frame f[2 * N];

	open_rig(r);
	r->fwd.lcore[0].fault.share_ppm = 250000;
	r->fwd.lcore[0].fault.share_sum = 0;
	r->fwd.lcore[0].fault.until_tsc = UINT64_MAX;
	arm(r, FAULT_DROP, UINT32_MAX, 0, 1, 1);
	poll_rig_put(r, 0, 0, N);
	poll_rig_run(r, 20);
	assert_int_equal(poll_rig_take(r, 1, f, 2 * N), N - N / 4);
	assert_int_equal(f[0].seq, 0);
	assert_int_equal(f[3].seq, 4);
	assert_int_equal(poll_rig_drops(r, "fault"), N / 4);
	assert_int_equal(atomic_load(&r->fwd.lcore[0].fault.armed), 1);
	/* Its time is over. */
	r->fwd.lcore[0].fault.until_tsc = 1;
	poll_rig_put(r, 0, N, N);
	poll_rig_run(r, 20);
	assert_int_equal(poll_rig_take(r, 1, f, 2 * N), N);
	assert_int_equal(atomic_load(&r->fwd.lcore[0].fault.armed), 0);
}

static void
frames_are_slowed_by_so_many_cycles(void **state)
{
	struct poll_rig *r = *state;
	struct poll_frame f[2 * N];
	uint64_t before, slow;

	open_rig(r);
	r->fwd.lcore[0].fault.cycles = 50000;
	arm(r, FAULT_SLOW, COUNT, 0, 1, 1);
	poll_rig_put(r, 0, 0, N);
	before = rte_rdtsc();
	poll_rig_run(r, 20);
	slow = rte_rdtsc() - before;
	assert_int_equal(poll_rig_take(r, 1, f, 2 * N), N);
	assert_true(slow >= COUNT * 50000);
	assert_int_equal(poll_rig_totals(r).tx[1], N);
	assert_int_equal(poll_rig_totals(r).drop_all, 0);
}

static void
duplicates_follow_their_originals_and_are_counted_as_created(void **state)
{
	struct poll_rig *r = *state;
	struct poll_frame f[2 * N];
	unsigned n = run_through(r, FAULT_DUPLICATE, f), i = 0;

	assert_int_equal(n, N + COUNT);
	for (uint32_t seq = 0; seq < N; seq++) {
		assert_int_equal(f[i].seq, seq);
		assert_true(f[i++].intact);
		if (is_treated(seq)) {
			assert_int_equal(f[i].seq, seq);
			assert_true(f[i].intact);
			assert_memory_equal(f[i].dst, f[i - 1].dst, 6);
			i++;
		}
	}
	assert_int_equal(poll_rig_totals(r).created, COUNT);
	assert_int_equal(poll_rig_totals(r).tx_all, N + COUNT);
}

static void
corrupt_frames_have_a_broken_signature(void **state)
{
	struct poll_rig *r = *state;
	struct poll_frame f[2 * N];
	unsigned n = run_through(r, FAULT_CORRUPT, f);

	assert_int_equal(n, N);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(f[i].intact, !is_treated(i));
		assert_int_equal(f[i].len, r->tmpl.len);
	}
	assert_int_equal(poll_rig_totals(r).tx_all, N);
}

static void
truncated_frames_are_four_bytes_short(void **state)
{
	struct poll_rig *r = *state;
	struct poll_frame f[2 * N];
	unsigned n = run_through(r, FAULT_TRUNCATE, f);

	assert_int_equal(n, N);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(f[i].len, r->tmpl.len - (is_treated(i) ? 4 : 0));
	assert_int_equal(poll_rig_totals(r).tx_all, N);
}

static void
misaddressed_frames_go_to_nobody(void **state)
{
	struct poll_rig *r = *state;
	struct poll_frame f[2 * N];
	unsigned n = run_through(r, FAULT_WRONG_MAC, f);
	static const uint8_t nobody[6] = {0x02, 0xff, 0xff, 0xff, 0xff, 0xfe};
	uint8_t dest[6];

	poll_rig_dest(1, dest);
	assert_int_equal(n, N);
	for (unsigned i = 0; i < n; i++) {
		assert_memory_equal(f[i].dst, is_treated(i) ? nobody : dest, 6);
		assert_true(f[i].intact);
	}
}

static void
assert_order(struct poll_rig *r, unsigned port, const uint32_t *seqs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct poll_frame f;

		assert_int_equal(poll_rig_take(r, port, &f, 1), 1);
		assert_int_equal(f.seq, seqs[i]);
		assert_true(f.intact);
	}
	assert_int_equal(rte_ring_count(r->port[port].out), 0);
}

static void
reordered_frames_are_overtaken_by_as_many_as_asked(void **state)
{
	static const uint32_t want[] = {0, 1, 3, 4, 5, 2, 6, 7, 8, 10, 11, 12, 9, 13, 14, 15};
	struct poll_rig *r = *state;

	open_rig(r);
	/* Frame 2 behind three others, 9 too, which crosses from one burst to the next; four that
	 * come while one is kept do not count. */
	arm(r, FAULT_REORDER, 2, 2, 4, 3);
	poll_rig_put(r, 0, 0, 16);
	poll_rig_run(r, 4);
	assert_order(r, 1, want, 16);
	assert_int_equal(poll_rig_totals(r).tx_all, 16);
	assert_int_equal(poll_rig_totals(r).created, 0);
	assert_int_equal(atomic_load(&r->fwd.lcore[0].fault.armed), 0);
}

static void
count_the_kept_frame(struct poll_rig *r)
{
	struct fwd_totals t = poll_rig_totals(r);

	assert_int_equal(t.in_flight, r->round < 3 ? 0 : 1);
}

static void
a_frame_kept_at_the_end_still_leaves(void **state)
{
	static const uint32_t want[] = {0,  1,	2,  3,	4,  5,	6,  7,	8,  9,
					10, 11, 12, 13, 14, 15, 16, 18, 19, 17};
	struct poll_rig *r = *state;

	open_rig(r);
	arm(r, FAULT_REORDER, 1, 17, 1, 50);
	poll_rig_put(r, 0, 0, 20);
	r->tick = count_the_kept_frame;
	poll_rig_run(r, 8);
	assert_order(r, 1, want, 20);
	assert_int_equal(poll_rig_totals(r).in_flight, 0);
	/* The order has been carried out: the next one is welcome. */
	assert_int_equal(atomic_load(&r->fwd.lcore[0].fault.armed), 0);
}

static void
a_kept_frame_goes_back_among_those_of_its_port(void **state)
{
	static const uint32_t there[] = {0, 2, 3, 1, 4, 5, 6, 7, 8, 9};
	static const uint32_t back[] = {1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009};
	struct poll_rig *r = *state;

	/* One frame a round from each port, so that the other's come in between. */
	r->conf.burst = 1;
	poll_rig_open(r, 64);
	arm(r, FAULT_REORDER, 1, 2, 1, 2);
	poll_rig_put(r, 0, 0, 10);
	poll_rig_put(r, 1, 1000, 10);
	poll_rig_run(r, 20);
	assert_order(r, 1, there, 10);
	assert_order(r, 0, back, 10);
}

static void
a_kept_frame_of_a_silent_port_leaves_by_its_own_egress(void **state)
{
	struct poll_rig *r = *state;
	uint32_t seq = 1000;

	open_rig(r);
	/* Eight frames of port 0 go first, then one of port 1 is kept and none follows it. */
	arm(r, FAULT_REORDER, 1, 8, 1, 1);
	poll_rig_put(r, 0, 0, 8);
	poll_rig_put(r, 1, 1000, 1);
	poll_rig_run(r, 4);
	assert_order(r, 0, &seq, 1);
	poll_rig_assert_sent(r, 1, 0, 8);
}

static void
a_fault_may_treat_every_frame_of_the_largest_burst(void **state)
{
	struct poll_rig *r = *state;
	static struct poll_frame f[1024];
	unsigned n;

	/* More duplicates than a burst has room for: the rest is done in the next ones. */
	r->conf.burst = CONF_MAX_BURST;
	poll_rig_open(r, 2048);
	arm(r, FAULT_DUPLICATE, 60, 0, 1, 1);
	poll_rig_put(r, 0, 0, 600);
	poll_rig_run(r, 5);
	n = poll_rig_take(r, 1, f, 1024);
	assert_int_equal(n, 660);
	assert_int_equal(poll_rig_totals(r).created, 60);
	assert_int_equal(atomic_load(&r->fwd.lcore[0].fault.done), 60);
	for (unsigned i = 1; i < n; i++)
		assert_within(f[i].seq - f[i - 1].seq, 0, 1);
}

static void
held_duplicates_fit(void **state)
{
	struct poll_rig *r = *state;

	/* The largest burst and all that a fault may add, and no room at all for it. */
	r->conf.burst = CONF_MAX_BURST;
	r->conf.drain_ns = 0;
	poll_rig_open(r, 1);
	arm(r, FAULT_DUPLICATE, 1000, 0, 1, 1);
	poll_rig_put(r, 0, 0, 600);
	poll_rig_run(r, 3);
	assert_int_equal(poll_rig_totals(r).rx[0], 256);
	assert_int_equal(poll_rig_totals(r).tx[1], 1);
	assert_int_equal(poll_rig_drops(r, "drain"), 255 + poll_rig_totals(r).created);
	assert_within(poll_rig_totals(r).created, 16, FAULT_ROOM);
}

static void
frames_that_are_dropped_anyway_are_not_treated(void **state)
{
	struct poll_rig *r = *state;
	static const uint8_t foreign[6] = {0x02, 0, 0, 0, 0x77, 1};

	open_rig(r);
	arm(r, FAULT_DROP, 2, 0, 1, 1);
	for (uint32_t i = 0; i < 5; i++)
		poll_rig_put_to(r, 0, foreign, i);
	poll_rig_put(r, 0, 5, 5);
	poll_rig_run(r, 4);
	assert_int_equal(poll_rig_drops(r, "l2fwd.foreign"), 5);
	assert_int_equal(poll_rig_drops(r, "fault"), 2);
	poll_rig_assert_sent(r, 1, 7, 3);
}

static void
kinds_have_names(void **state)
{
	enum fault_kind kind;

	(void)state;
	for (int i = FAULT_NONE; i <= FAULT_WRONG_MAC; i++) {
		assert_int_equal(fault_kind_parse(fault_kind_name((enum fault_kind)i), &kind), 0);
		assert_int_equal(kind, i);
	}
	assert_true(fault_kind_parse("", &kind) < 0);
	assert_true(fault_kind_parse("wrong-mac", &kind) < 0);
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, poll_rig_init, poll_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_have_names),
		LAW(a_share_of_the_frames_is_dropped),
		LAW(frames_are_slowed_by_so_many_cycles),
		LAW(dropped_frames_are_counted_as_such),
		LAW(lost_frames_are_missing_in_the_books),
		LAW(duplicates_follow_their_originals_and_are_counted_as_created),
		LAW(corrupt_frames_have_a_broken_signature),
		LAW(truncated_frames_are_four_bytes_short),
		LAW(misaddressed_frames_go_to_nobody),
		LAW(reordered_frames_are_overtaken_by_as_many_as_asked),
		LAW(a_frame_kept_at_the_end_still_leaves),
		LAW(a_kept_frame_goes_back_among_those_of_its_port),
		LAW(a_kept_frame_of_a_silent_port_leaves_by_its_own_egress),
		LAW(a_fault_may_treat_every_frame_of_the_largest_burst),
		LAW(held_duplicates_fit),
		LAW(frames_that_are_dropped_anyway_are_not_treated),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
