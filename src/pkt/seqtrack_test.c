/* SPDX-License-Identifier: MIT */
#include "seqtrack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/assert_within.h"
#include "base/test_random.h"

/* The law in its plainest form: an array of what was seen and the highest sequence of each flow,
 * looked up frame by frame, without a window. */
struct model {
	uint64_t base; /* sequence of seen[0] */
	uint8_t *seen;
	size_t size;
	uint32_t flows;
	uint64_t *high; /* per flow, one more than the highest seen */
	uint64_t distinct, duplicate, reordered;
};

static void
model_init(struct model *m, uint64_t base, size_t size, uint32_t flows)
{
	*m = (struct model){.base = base, .size = size, .flows = flows};
	m->seen = calloc(size, 1);
	m->high = calloc(flows, sizeof(*m->high));
	assert_non_null(m->seen);
	assert_non_null(m->high);
}

static void
model_fini(struct model *m)
{
	free(m->seen);
	free(m->high);
}

static void
model_add(struct model *m, uint64_t seq)
{
	uint64_t *high = &m->high[seq % m->flows];

	assert_within(seq - m->base, 0, m->size - 1);
	if (m->seen[seq - m->base]) {
		m->duplicate++;
		return;
	}
	m->seen[seq - m->base] = 1;
	m->distinct++;
	if (*high > seq)
		m->reordered++;
	else
		*high = seq + 1;
}

static uint64_t
model_never_seen(const struct model *m, uint64_t sent)
{
	uint64_t n = m->base;

	for (uint64_t s = m->base; s < sent; s++)
		n += !m->seen[s - m->base];
	return n;
}

static void
assert_same(const struct seqtrack *t, const struct model *m, uint64_t sent)
{
	assert_int_equal(t->seen, m->distinct);
	assert_int_equal(t->duplicate, m->duplicate);
	assert_int_equal(t->reordered, m->reordered);
	assert_int_equal(t->stale, 0);
	assert_int_equal(seqtrack_never_seen(t, sent), model_never_seen(m, sent));
}

/* A permutation of base ... base + n - 1 in which each number moves by less than 'reach', with
 * gaps and duplicates, goes into both. */
static void
feed_shuffled(struct seqtrack *t, struct model *m, size_t n, size_t reach)
{
	uint64_t *order = malloc(n * sizeof(*order));

	assert_non_null(order);
	for (size_t i = 0; i < n; i++)
		order[i] = m->base + i;
	for (size_t i = 0; i + reach < n; i += reach)
		for (size_t k = reach - 1; k > 0; k--) {
			size_t other = rng() % (k + 1);
			uint64_t swap = order[i + k];

			order[i + k] = order[i + other];
			order[i + other] = swap;
		}
	for (size_t i = 0; i < n; i++) {
		unsigned times = rng() % 16 == 0 ? rng() % 3 : 1;

		for (unsigned k = 0; k < times; k++) {
			seqtrack_add(t, (uint32_t)order[i]);
			model_add(m, order[i]);
		}
	}
	free(order);
}

/* As far as sequences can jump at once, twice: the first 32-bit wrap is just ahead. */
static uint64_t
jump_near_wrap(struct seqtrack *t)
{
	seqtrack_add(t, 0x7fffffff);
	seqtrack_add(t, 0xfffff000);
	return 0xfffff000;
}

static void
agrees_with_the_naive_model(void **state)
{
	static const uint32_t flows[] = {1, 2, 3, 7, 63, 64, 65, 100, 4096, 4097, 100000};
	static const size_t reach[] = {1, 2, 17, 500, 20000};

	(void)state;
	rng_seed(__func__);
	for (size_t f = 0; f < sizeof(flows) / sizeof(flows[0]); f++)
		for (size_t r = 0; r < sizeof(reach) / sizeof(reach[0]); r++) {
			struct seqtrack t;
			struct model m;

			seqtrack_init(&t, flows[f]);
			model_init(&m, 0, 50000, flows[f]);
			feed_shuffled(&t, &m, 50000, reach[r]);
			assert_same(&t, &m, 50000);
			assert_same(&t, &m, 49000);
			seqtrack_fini(&t);
			model_fini(&m);
		}
}

static void
sequences_wrap_after_32_bits(void **state)
{
	static const uint32_t flows[] = {1, 3, 64, 1000, 5000};

	(void)state;
	rng_seed(__func__);
	for (size_t f = 0; f < sizeof(flows) / sizeof(flows[0]); f++) {
		struct seqtrack t;
		struct model m;
		uint64_t base;

		seqtrack_init(&t, flows[f]);
		base = jump_near_wrap(&t);
		model_init(&m, base, 30000, flows[f]);
		model_add(&m, base);
		feed_shuffled(&t, &m, 30000, 300);
		assert_true(t.next > 1ull << 32);
		assert_int_equal(t.seen, m.distinct + 1);
		assert_int_equal(t.duplicate, m.duplicate);
		assert_int_equal(t.reordered, m.reordered);
		assert_int_equal(seqtrack_never_seen(&t, base + 30000),
				 model_never_seen(&m, base + 30000) - 1);
		seqtrack_fini(&t);
		model_fini(&m);
	}
}

static void
counts_survive_many_windows(void **state)
{
	struct seqtrack t;
	uint64_t lost = 0, n = 3ull * SEQ_WINDOW + 12345;

	(void)state;
	/* Frames that left the window stay lost or seen: one in 1000 never comes. */
	seqtrack_init(&t, 16);
	for (uint64_t s = 0; s < n; s++) {
		if (s % 1000 == 999)
			lost++;
		else
			seqtrack_add(&t, (uint32_t)s);
	}
	assert_int_equal(t.seen, n - lost);
	assert_int_equal(seqtrack_never_seen(&t, n), lost);
	assert_int_equal(t.duplicate + t.reordered + t.stale, 0);
	assert_true(t.tail > 2ull * SEQ_WINDOW);
	seqtrack_fini(&t);
}

static void
stragglers_are_exact_up_to_the_reach(void **state)
{
	struct seqtrack t;
	uint32_t late = SEQ_WINDOW / 2 + 5;
	uint64_t n = late + SEQ_REACH + 1;

	(void)state;
	seqtrack_init(&t, 1);
	for (uint64_t s = 0; s < n; s++)
		if (s != late && s != 3)
			seqtrack_add(&t, (uint32_t)s);
	seqtrack_add(&t, late); /* SEQ_REACH frames late: still known */
	assert_int_equal(t.reordered, 1);
	seqtrack_add(&t, late);
	assert_int_equal(t.duplicate, 1);
	/* Older than the window: nobody can tell any more, so it counts as stale and as lost. */
	seqtrack_add(&t, 3);
	assert_int_equal(t.stale, 1);
	assert_int_equal(seqtrack_never_seen(&t, n), 1);
	assert_int_equal(t.seen, n - 1);
	seqtrack_fini(&t);
}

static void
never_seen_does_not_come_from_seen(void **state)
{
	struct seqtrack t;

	(void)state;
	seqtrack_init(&t, 1);
	for (uint32_t s = 0; s < 1000; s++)
		if (s % 10 != 0)
			seqtrack_add(&t, s);
	t.seen = 12345; /* a broken counter must not hide in the result */
	assert_int_equal(seqtrack_never_seen(&t, 1000), 100);
	/* Nor do the last frames of a stream vanish because nothing came after them. */
	assert_int_equal(seqtrack_never_seen(&t, 1500), 600);
	assert_int_equal(seqtrack_never_seen(&t, 0), 0);
	seqtrack_fini(&t);
}

static void
fast_and_slow_path_agree(void **state)
{
	struct seqtrack fast, slow;

	(void)state;
	rng_seed(__func__);
	seqtrack_init(&fast, 5);
	seqtrack_init(&slow, 5);
	for (uint64_t s = 0; s < SEQ_WINDOW + 10000ull; s++) {
		uint64_t back = rng() % 1024 == 0 ? rng() % (s + 1) % 100 : 0;

		if (rng() % 4096 == 0)
			continue;
		seqtrack_add(&fast, (uint32_t)(s - back));
		seqtrack_add_slow(&slow, (uint32_t)(s - back));
	}
	assert_memory_equal(fast.bits, slow.bits, SEQ_WINDOW / 8);
	assert_int_equal(fast.next, slow.next);
	assert_int_equal(fast.tail, slow.tail);
	assert_int_equal(fast.seen, slow.seen);
	assert_int_equal(fast.duplicate, slow.duplicate);
	assert_int_equal(fast.reordered, slow.reordered);
	assert_int_equal(fast.unseen, slow.unseen);
	seqtrack_fini(&fast);
	seqtrack_fini(&slow);
}

static void
a_run_is_the_same_as_its_frames(void **state)
{
	struct seqtrack runs, frames;

	(void)state;
	/* Runs of all lengths begin at each bit of a word, past the ring's end and the first wrap
	 * of the sequence, with gaps, duplicates and stragglers between them. */
	rng_seed(__func__);
	seqtrack_init(&runs, 3);
	seqtrack_init(&frames, 3);
	jump_near_wrap(&runs);
	jump_near_wrap(&frames);
	while (runs.next < 0xfffff000ull + SEQ_WINDOW + SEQ_WINDOW / 2) {
		unsigned n = 1 + rng() % SEQ_RUN;

		seqtrack_add_run(&runs, n);
		for (unsigned k = 0; k < n; k++)
			seqtrack_add_slow(&frames, (uint32_t)frames.next);
		if (rng() % 8 == 0) {
			uint32_t other = (uint32_t)(runs.next + 50 - rng() % 200);

			seqtrack_add(&runs, other);
			seqtrack_add_slow(&frames, other);
		}
		assert_int_equal(runs.next, frames.next);
		assert_int_equal(runs.tail, frames.tail);
		assert_int_equal(runs.unseen, frames.unseen);
	}
	assert_memory_equal(runs.bits, frames.bits, SEQ_WINDOW / 8);
	assert_int_equal(runs.seen, frames.seen);
	assert_int_equal(runs.duplicate, frames.duplicate);
	assert_int_equal(runs.reordered, frames.reordered);
	assert_true(runs.duplicate > 0 && runs.reordered > 0 && runs.unseen > 0);
	seqtrack_fini(&runs);
	seqtrack_fini(&frames);
}

static void
nothing_is_ahead_of_the_window(void **state)
{
	struct seqtrack t;

	(void)state;
	/* The fast path sets bits without looking, so all from 'next' on must be clear, whatever
	 * jumps came before. */
	rng_seed(__func__);
	seqtrack_init(&t, 9);
	for (unsigned i = 0; i < 200; i++) {
		uint64_t seq = t.next + rng() % (i % 2 ? 3ull * SEQ_WINDOW : 3000);

		for (unsigned k = 0; k < 600; k++)
			seqtrack_add(&t, (uint32_t)(seq + k));
		assert_true(t.next - t.tail <= SEQ_WINDOW);
		for (uint64_t s = t.next; s < t.tail + SEQ_WINDOW; s++)
			assert_false(t.bits[s % SEQ_WINDOW / 64] >> s % 64 & 1);
	}
	assert_int_equal(t.seen, 200 * 600);
	assert_int_equal(seqtrack_never_seen(&t, t.next), t.next - 200 * 600);
	seqtrack_fini(&t);
}

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void
hostile_jumps_cost_one_pass(void **state)
{
	struct seqtrack t;
	double start;
	uint64_t last = 0;

	(void)state;
	seqtrack_init(&t, 1);
	start = seconds();
	for (unsigned i = 0; i < 100; i++) {
		last += 0x7fffffff;
		seqtrack_add(&t, (uint32_t)last);
	}
	/* 100 jumps over 2^31 sequences; counted one by one they would take minutes. */
	assert_true(seconds() - start < 2);
	assert_int_equal(t.next, last + 1);
	assert_int_equal(seqtrack_never_seen(&t, t.next), t.next - 100);
	seqtrack_fini(&t);
}

static void
a_flow_that_hangs_is_searched_once(void **state)
{
	static const uint32_t flows[] = {2, 3, 64, 100, 4096, 8192};

	(void)state;
	/* All frames of flow 1 arrive in one rush, in order, after the rest of the window: none of
	 * them is reordered, and the rush takes no search of the window for each frame. */
	for (size_t f = 0; f < sizeof(flows) / sizeof(flows[0]); f++) {
		struct seqtrack t;
		double start;

		seqtrack_init(&t, flows[f]);
		for (uint32_t s = 0; s < SEQ_REACH; s++)
			if (s % flows[f] != 1)
				seqtrack_add(&t, s);
		start = seconds();
		for (uint32_t s = 1; s < SEQ_REACH; s += flows[f])
			seqtrack_add(&t, s);
		assert_true(seconds() - start < 5);
		assert_int_equal(t.seen, SEQ_REACH);
		assert_int_equal(t.reordered, 0);
		assert_int_equal(t.stale, 0);
		seqtrack_fini(&t);
	}
}

static void
order_is_judged_within_a_flow(void **state)
{
	struct seqtrack t;

	(void)state;
	/* 1 and 2 swap places: another flow each, so legal for an event engine. */
	seqtrack_init(&t, 2);
	for (const uint32_t *s = (const uint32_t[]){0, 2, 1, 3, UINT32_MAX}; *s != UINT32_MAX; s++)
		seqtrack_add(&t, *s);
	assert_int_equal(t.reordered, 0);
	seqtrack_add(&t, 6);
	seqtrack_add(&t, 4); /* after 6 of its flow */
	assert_int_equal(t.reordered, 1);
	seqtrack_add(&t, 5);
	assert_int_equal(t.reordered, 1);
	/* The same arrivals in a single flow. */
	seqtrack_reset(&t, 1);
	for (const uint32_t *s = (const uint32_t[]){0, 2, 1, 3, UINT32_MAX}; *s != UINT32_MAX; s++)
		seqtrack_add(&t, *s);
	assert_int_equal(t.reordered, 1);
	assert_int_equal(t.seen, 4);
	seqtrack_fini(&t);
}

static void
what_cannot_be_is_stale(void **state)
{
	struct seqtrack t;

	(void)state;
	seqtrack_init(&t, 1);
	seqtrack_add(&t, 0);
	assert_true(seqtrack_widen(&t, 0xffffffff) == UINT64_MAX);
	seqtrack_add(&t, 0xffffffff); /* before the first */
	assert_int_equal(t.stale, 1);
	assert_int_equal(t.next, 1);
	assert_true(seqtrack_widen(&t, 0x80000000) == 0x80000000u);
	seqtrack_fini(&t);
	seqtrack_fini(&t);
	seqtrack_fini(NULL);
}

static void
a_forged_jump_leaves_a_lower_bound(void **state)
{
	struct seqtrack t;

	(void)state;
	seqtrack_init(&t, 1);
	for (uint32_t s = 0; s < 1000; s++)
		seqtrack_add(&t, s);
	seqtrack_add(&t, 0x40000000); /* never sent */
	assert_true(seqtrack_never_seen(&t, 1000) == 0);
	assert_true(seqtrack_never_seen(&t, 2000) <= 1000);
	seqtrack_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_naive_model),
		cmocka_unit_test(sequences_wrap_after_32_bits),
		cmocka_unit_test(counts_survive_many_windows),
		cmocka_unit_test(stragglers_are_exact_up_to_the_reach),
		cmocka_unit_test(never_seen_does_not_come_from_seen),
		cmocka_unit_test(fast_and_slow_path_agree),
		cmocka_unit_test(a_run_is_the_same_as_its_frames),
		cmocka_unit_test(nothing_is_ahead_of_the_window),
		cmocka_unit_test(hostile_jumps_cost_one_pass),
		cmocka_unit_test(a_flow_that_hangs_is_searched_once),
		cmocka_unit_test(order_is_judged_within_a_flow),
		cmocka_unit_test(what_cannot_be_is_stale),
		cmocka_unit_test(a_forged_jump_leaves_a_lower_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
