/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dpdk/tsc.h"
#include "worker_rig.h"

/* What the receiver counts of what a hop did: each kind exactly, and nothing else. */

#define US 1000ull
#define N 1000

static struct frame_spec
spec_of(uint16_t size)
{
	struct frame_spec spec;

	frame_spec_init(&spec);
	spec.size = size;
	return spec;
}

/* 1000 frames at 1 Mpps through the hop. */
static struct run *
run_through(struct worker_rig *r, uint16_t size, uint32_t flows, worker_rig_hop *hop)
{
	struct frame_spec spec = spec_of(size);
	struct run *run;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	worker_rig_add(r, &spec, 1e6, flows);
	r->hop = hop;
	run = worker_rig_start(r, 0, N / 1e6, false);
	worker_rig_finish(r, US);
	if (r->kept != NULL) {
		assert_int_equal(rte_ring_enqueue(r->port[1].in, r->kept), 0);
		r->kept = NULL;
		worker_rig_receive(r);
	}
	return run;
}

static bool
every_tenth(unsigned i)
{
	return i % 10 == 3;
}

static void
all_that_was_sent_arrives(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = run_through(r, 64, 1, NULL);

	worker_rig_assert_clean(run, N);
	assert_int_equal(run_intended(run), N);
	assert_int_equal(counter_get(&run->sent_bytes), 64 * N);
	assert_int_equal(counter_get(&run->rx_port[1]), N);
	assert_int_equal(counter_get(&run->rx_bytes[1]), 64 * N);
	assert_int_equal(counter_get(&run->rx_port[0]), 0);
	assert_int_equal(counter_get(&r->w.ports[0].opackets), N);
	assert_int_equal(counter_get(&r->w.ports[0].obytes), 64 * N);
	assert_int_equal(counter_get(&r->w.ports[1].ipackets), N);
	assert_int_equal(counter_get(&r->w.ports[1].ibytes), 64 * N);
	assert_int_equal(counter_get(&r->w.ports[0].ipackets), 0);
	/* Sent on the microsecond, received at once. */
	assert_int_equal(run->latency.n, N);
	assert_int_equal(run->times->lateness.n, N);
	assert_int_equal(run->times->lateness.max_ns, US);
}

static void
latency_counts_from_the_intended_departure(void **state)
{
	struct worker_rig *r = *state;
	struct frame_spec spec = spec_of(64);
	struct run *run;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	worker_rig_add(r, &spec, 1e6, 1);
	run = worker_rig_start(r, 0, 4e-6, false);
	/* Slots at 0, 1, 2 and 3 us; the worker comes at 5 us, the frames at 25 us. */
	assert_int_equal(worker_rig_transmit(r, 5 * US), 4);
	worker_rig_carry(r, 0, 1);
	r->now_ns += 20 * US;
	worker_rig_receive(r);
	worker_rig_assert_clean(run, 4);
	assert_int_equal(run->latency.min_ns, 22 * US);
	assert_int_equal(run->latency.max_ns, 25 * US);
	assert_int_equal(run->latency.sum_ns, (25 + 24 + 23 + 22) * US);
	assert_int_equal(run->times->lateness.min_ns, 2 * US);
	assert_int_equal(run->times->lateness.max_ns, 5 * US);
}

static unsigned
lose_some(struct worker_rig *r, unsigned i, struct rte_mbuf *m, struct rte_mbuf **out)
{
	(void)r;
	out[0] = m;
	if (!every_tenth(i))
		return 1;
	rte_pktmbuf_free(m);
	return 0;
}

static void
lost_frames_were_never_seen(void **state)
{
	struct worker_rig_counts c = worker_rig_counts(run_through(*state, 64, 4, lose_some));

	assert_int_equal(c.sent, N);
	assert_int_equal(c.rx[RX_OK], N - 100);
	assert_int_equal(c.never_seen, 100);
	assert_int_equal(c.reordered + c.repeated + c.rx[RX_DUPLICATE] + c.rx[RX_CORRUPT], 0);
}

static unsigned
lose_the_end(struct worker_rig *r, unsigned i, struct rte_mbuf *m, struct rte_mbuf **out)
{
	(void)r;
	out[0] = m;
	if (i < N - 70)
		return 1;
	rte_pktmbuf_free(m);
	return 0;
}

static void
what_is_lost_at_the_end_counts_too(void **state)
{
	/* No later frame tells of it: the sender's count does. */
	struct worker_rig_counts c = worker_rig_counts(run_through(*state, 64, 1, lose_the_end));

	assert_int_equal(c.never_seen, 70);
	assert_int_equal(c.rx[RX_OK], N - 70);
}

static void
a_ring_that_is_too_small_loses_exactly_what_did_not_fit(void **state)
{
	struct worker_rig *r = *state;
	struct frame_spec spec = spec_of(64);
	struct worker_rig_counts c;
	struct run *run;

	worker_rig_open(r, WORKER_RIG_ROOM, 16);
	worker_rig_add(r, &spec, 1e6, 1);
	run = worker_rig_start(r, 0, 1e-3, false);
	while (run->state != RUN_SENT) {
		/* 50 frames at once before a ring of 16. */
		for (unsigned i = 0; i < 50 && run->state != RUN_SENT; i++)
			worker_rig_transmit(r, US);
		worker_rig_carry(r, 0, 1);
		worker_rig_receive(r);
	}
	c = worker_rig_counts(run);
	assert_int_equal(c.sent, N);
	assert_true(r->n_full > 600);
	assert_int_equal(c.never_seen, r->n_full);
	assert_int_equal(c.rx[RX_OK], N - r->n_full);
	assert_int_equal(c.refused + c.late + c.reordered + c.repeated, 0);
}

static unsigned
duplicate_some(struct worker_rig *r, unsigned i, struct rte_mbuf *m, struct rte_mbuf **out)
{
	out[0] = m;
	if (!every_tenth(i))
		return 1;
	out[1] = rte_pktmbuf_copy(m, r->w.rx_pool, 0, UINT32_MAX);
	assert_non_null(out[1]);
	return 2;
}

static void
duplicates_are_counted_beside(void **state)
{
	struct worker_rig_counts c = worker_rig_counts(run_through(*state, 64, 4, duplicate_some));

	assert_int_equal(c.rx[RX_OK], N);
	assert_int_equal(c.rx[RX_DUPLICATE], 100);
	assert_int_equal(c.repeated, 100);
	assert_int_equal(c.never_seen, 0);
	assert_int_equal(c.reordered, 0);
}

/* Keeps frame 3, 13, ... back until as many later ones as 'arg' says have passed. */
static unsigned
overtake_some(struct worker_rig *r, unsigned i, struct rte_mbuf *m, struct rte_mbuf **out)
{
	unsigned distance = *(unsigned *)r->arg;

	out[0] = m;
	if (every_tenth(i)) {
		r->kept = m;
		return 0;
	}
	if (r->kept == NULL || i % 10 != 3 + distance)
		return 1;
	out[1] = r->kept;
	r->kept = NULL;
	return 2;
}

static void
reorder_is_judged_per_flow(void **state)
{
	static const struct {
		uint32_t flows;
		unsigned distance;
		uint64_t reordered;
	} cases[] = {{1, 1, 100}, {1, 5, 100}, {4, 1, 0},   {4, 3, 0},
		     {4, 4, 100}, {4, 5, 100}, {1000, 6, 0}};

	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct worker_rig *r = *state;
		unsigned distance = cases[i].distance;
		struct worker_rig_counts c;

		r->arg = &distance;
		c = worker_rig_counts(run_through(r, 64, cases[i].flows, overtake_some));
		assert_int_equal(c.reordered, cases[i].reordered);
		assert_int_equal(c.rx[RX_OK], N);
		assert_int_equal(c.never_seen + c.repeated, 0);
		worker_rig_fini(state);
		worker_rig_init(state);
	}
}

static unsigned
damage_some(struct worker_rig *r, unsigned i, struct rte_mbuf *m, struct rte_mbuf **out)
{
	unsigned byte = *(unsigned *)r->arg;

	if (every_tenth(i))
		rte_pktmbuf_mtod(m, uint8_t *)[42 + byte] ^= 0x10;
	out[0] = m;
	return 1;
}

static void
each_damaged_byte_of_a_signature_is_a_corrupt_frame(void **state)
{
	for (unsigned byte = 0; byte < SIG_SIZE; byte++) {
		struct worker_rig *r = *state;
		struct worker_rig_counts c;

		r->arg = &byte;
		c = worker_rig_counts(run_through(r, 64, 4, damage_some));
		assert_int_equal(c.rx[RX_OK], N - 100);
		assert_int_equal(c.rx[RX_CORRUPT], 100);
		/* One event, not a loss beside. */
		assert_int_equal(c.unidentified, 100);
		assert_int_equal(c.never_seen, 100);
		assert_int_equal(c.foreign + c.repeated + c.reordered, 0);
		worker_rig_fini(state);
		worker_rig_init(state);
	}
}

static void
frames_to_another_port_are_known_by_their_magic(void **state)
{
	struct worker_rig *r = *state;
	struct frame_spec spec = spec_of(64);
	unsigned byte = 5;
	struct worker_rig_counts c;
	struct run *run;

	spec.dst_port = 53;
	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	worker_rig_add(r, &spec, 1e6, 1);
	r->hop = damage_some;
	r->arg = &byte;
	run = worker_rig_start(r, 0, N / 1e6, false);
	worker_rig_finish(r, US);
	c = worker_rig_counts(run);
	assert_int_equal(c.rx[RX_OK], N - 100);
	assert_int_equal(c.rx[RX_CORRUPT], 100);
	assert_int_equal(c.foreign, 0);
}

static unsigned
truncate_some(struct worker_rig *r, unsigned i, struct rte_mbuf *m, struct rte_mbuf **out)
{
	if (every_tenth(i))
		assert_int_equal(rte_pktmbuf_trim(m, (uint16_t)(*(unsigned *)r->arg)), 0);
	out[0] = m;
	return 1;
}

static void
truncated_frames_are_known_by_their_signature(void **state)
{
	static const struct {
		uint16_t size, cut;
		uint64_t unidentified;
	} cases[] = {{64, 1, 100}, {64, 4, 100}, {128, 1, 0},
		     {128, 64, 0}, {1518, 4, 0}, {1518, 1000, 0}};

	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct worker_rig *r = *state;
		unsigned cut = cases[i].cut;
		struct worker_rig_counts c;

		r->arg = &cut;
		c = worker_rig_counts(run_through(r, cases[i].size, 4, truncate_some));
		assert_int_equal(c.rx[RX_TRUNCATED], 100);
		assert_int_equal(c.rx[RX_OK], N - 100);
		assert_int_equal(c.unidentified, cases[i].unidentified);
		assert_int_equal(c.never_seen, cases[i].unidentified);
		assert_int_equal(c.rx[RX_CORRUPT] + c.foreign + c.repeated + c.reordered, 0);
		worker_rig_fini(state);
		worker_rig_init(state);
	}
}

static unsigned
misdeliver_some(struct worker_rig *r, unsigned i, struct rte_mbuf *m, struct rte_mbuf **out)
{
	(void)r;
	if (every_tenth(i))
		rte_pktmbuf_mtod(m, uint8_t *)[5] = 0x77;
	out[0] = m;
	return 1;
}

static void
misdelivered_frames_carry_another_address(void **state)
{
	struct worker_rig_counts c = worker_rig_counts(run_through(*state, 64, 4, misdeliver_some));

	assert_int_equal(c.rx[RX_MISDELIVERED], 100);
	assert_int_equal(c.rx[RX_OK], N - 100);
	assert_int_equal(c.never_seen + c.repeated + c.reordered + c.foreign, 0);
}

static unsigned
reflect_some(struct worker_rig *r, unsigned i, struct rte_mbuf *m, struct rte_mbuf **out)
{
	out[0] = m;
	if (!every_tenth(i))
		return 1;
	assert_int_equal(rte_ring_enqueue(r->port[0].in, m), 0);
	return 0;
}

static void
reflected_frames_came_back_to_their_port(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = run_through(r, 64, 4, reflect_some);
	struct worker_rig_counts c = worker_rig_counts(run);

	assert_int_equal(c.rx[RX_REFLECTED], 100);
	assert_int_equal(c.rx[RX_OK], N - 100);
	assert_int_equal(counter_get(&run->rx_port[0]), 100);
	assert_int_equal(counter_get(&run->rx_port[1]), N - 100);
	assert_int_equal(c.never_seen + c.repeated + c.reordered, 0);
	/* They take part in no latency. */
	assert_int_equal(run->latency.n, N - 100);
}

/* Puts a frame of 'len' bytes that is none of ours behind every tenth. */
static unsigned
add_strangers(struct worker_rig *r, unsigned i, struct rte_mbuf *m, struct rte_mbuf **out)
{
	out[0] = m;
	if (!every_tenth(i))
		return 1;
	out[1] = rte_pktmbuf_alloc(r->w.rx_pool);
	assert_non_null(out[1]);
	memcpy(rte_pktmbuf_append(out[1], 60), r->arg, 60);
	return 2;
}

static void
foreign_frames_are_none_of_the_run(void **state)
{
	static const uint8_t arp[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 9, 9, 8, 6};
	static const uint8_t tcp[60] = {2, 0, 0, 0, 0,	  1, 2, 0,  0,	      0,
					9, 9, 8, 0, 0x45, 0, 0, 46, [23] = 6, [46] = 0x50};
	static const uint8_t dns[60] = {2, 0, 0,    0, 0, 1,  2,	 0,	   0,  0, 9, 9,
					8, 0, 0x45, 0, 0, 46, [23] = 17, [36] = 0, 53, 0, 26};
	static const uint8_t nothing[60];
	const uint8_t *const strangers[] = {arp, tcp, dns, nothing};

	for (size_t i = 0; i < N_ELEMS(strangers); i++) {
		struct worker_rig *r = *state;
		struct worker_rig_counts c;

		r->arg = (void *)(uintptr_t)strangers[i];
		c = worker_rig_counts(run_through(r, 64, 4, add_strangers));
		assert_int_equal(c.foreign, 100);
		assert_int_equal(c.rx[RX_OK], N);
		assert_int_equal(counter_get(&r->w.ports[1].ipackets), N + 100);
		assert_int_equal(c.never_seen + c.unidentified + c.rx[RX_CORRUPT], 0);
		worker_rig_fini(state);
		worker_rig_init(state);
	}
}

static void
frames_of_an_earlier_run_are_overdue(void **state)
{
	struct worker_rig *r = *state;
	struct frame_spec spec = spec_of(64);
	struct worker_rig_counts c;
	struct run *run;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	worker_rig_add(r, &spec, 1e6, 4);
	run = worker_rig_start(r, 0, 20e-6, false);
	while (run->state != RUN_SENT)
		worker_rig_transmit(r, US);
	worker_rig_carry(r, 0, 1);
	/* Five of them come back to the port that sent them, which has no run of another. */
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(rte_ring_enqueue(r->port[0].in, rig_take(r->port[1].in)), 0);
	run = worker_rig_start(r, 0, 100e-6, false);
	worker_rig_finish(r, US);
	c = worker_rig_counts(run);
	assert_int_equal(c.overdue, 20);
	assert_int_equal(c.rx[RX_OK], 100);
	assert_int_equal(c.never_seen + c.repeated + c.foreign + c.unidentified, 0);
}

/* Claims a sequence that the sender has not come to. */
static unsigned
forge_some(struct worker_rig *r, unsigned i, struct rte_mbuf *m, struct rte_mbuf **out)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *) + 42;
	struct sig sig;

	if (every_tenth(i)) {
		assert_true(sig_read(p, &sig, 60));
		sig.seq = (uint32_t)r->run[0]->streams[0].seq + (i % 20 < 10 ? 0 : 1000000);
		sig_write(p, &sig, 60);
	}
	out[0] = m;
	return 1;
}

static void
sequences_that_were_not_sent_yet_are_corrupt(void **state)
{
	struct worker_rig_counts c = worker_rig_counts(run_through(*state, 64, 4, forge_some));

	assert_int_equal(c.rx[RX_CORRUPT], 100);
	assert_int_equal(c.unidentified, 100);
	assert_int_equal(c.never_seen, 100);
	assert_int_equal(c.rx[RX_OK], N - 100);
}

static void
without_a_run_frames_are_only_counted_by_the_port(void **state)
{
	struct worker_rig *r = *state;
	struct rte_mbuf *m;

	worker_rig_open(r, 16, 16);
	m = rte_pktmbuf_alloc(r->w.rx_pool);
	memset(rte_pktmbuf_append(m, 60), 0, 60);
	assert_int_equal(rte_ring_enqueue(r->port[1].in, m), 0);
	/* As the worker receives, with its own clock. */
	assert_int_equal(rx_round(&r->w, 1), 1);
	assert_int_equal(rx_round(&r->w, 1), 0);
	assert_int_equal(counter_get(&r->w.ports[1].ipackets), 1);
	assert_int_equal(counter_get(&r->w.ports[1].ibytes), 64);
}

static void
both_directions_at_once_keep_their_own_books(void **state)
{
	struct worker_rig *r = *state;
	struct frame_spec spec = spec_of(64);
	struct run *there, *back;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	worker_rig_add(r, &spec, 1e6, 4);
	there = worker_rig_start(r, 0, 1e-3, false);
	back = worker_rig_start(r, 1, 5e-4, false);
	worker_rig_finish(r, US);
	worker_rig_assert_clean(there, 1000);
	worker_rig_assert_clean(back, 500);
	assert_int_equal(counter_get(&there->rx_port[1]), 1000);
	assert_int_equal(counter_get(&back->rx_port[0]), 500);
}

/* What the RPC thread does: offers one run, and another when all of the first has arrived. */
struct offers {
	struct worker_rig *r;
	struct run *runs[2];
	unsigned n_offered;
	bool let_go; /* the worker worked for the second when that had been sent */
	struct deadline deadline;
};

static uint16_t
each_round(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t n, uint16_t max,
	   void *arg)
{
	struct offers *o = arg;
	struct gen_port *p = &o->r->w.ports[0];
	struct run *run = o->runs[o->n_offered - 1];

	(void)port, (void)queue, (void)frames, (void)max;
	worker_rig_carry(o->r, 0, 1);
	if (deadline_passed(&o->deadline))
		atomic_store(&o->r->w.stop, 1);
	if (atomic_load(&run->state) != RUN_SENT || counter_get(&run->rx_port[1]) < run_sent(run))
		return n;
	o->let_go = atomic_load(&p->slots[0].taken) == run;
	if (o->n_offered == 2)
		atomic_store(&o->r->w.stop, 1);
	else
		gen_offer(p, 0, o->runs[o->n_offered++]);
	return n;
}

static void
the_worker_takes_a_run_and_lets_go_of_the_one_before(void **state)
{
	struct worker_rig *r = *state;
	struct offers o = {.r = r, .n_offered = 1, .deadline = deadline_in_ms(10000)};
	struct frame_spec spec = spec_of(64);
	const struct rte_eth_rxtx_callback *cb;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	worker_rig_add(r, &spec, 10000, 4);
	r->w.tsc_hz = tsc_hz();
	r->w.tsc_to_ns = 1e9 / (double)r->w.tsc_hz;
	for (unsigned i = 0; i < 2; i++)
		o.runs[i] = worker_rig_make_run(r, 0, 20e-3, false);
	cb = rte_eth_add_rx_callback(0, 0, each_round, &o);
	gen_offer(&r->w.ports[0], 0, o.runs[0]);
	worker_main(&r->w);
	rte_eth_remove_rx_callback(0, 0, cb);
	assert_int_equal(o.n_offered, 2);
	assert_true(o.let_go);
	for (unsigned i = 0; i < 2; i++) {
		struct worker_rig_counts c = worker_rig_counts(o.runs[i]);

		assert_int_equal(c.intended, 200);
		assert_int_equal(c.refused, 0);
		worker_rig_assert_clean(o.runs[i], c.sent);
		assert_true(o.runs[i]->rounds.n > 0);
		assert_true(counter_get(&o.runs[i]->elapsed_ns) >= 19900000 || c.late > 0);
		run_free(o.runs[i]);
	}
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(all_that_was_sent_arrives),
		LAW(latency_counts_from_the_intended_departure),
		LAW(lost_frames_were_never_seen),
		LAW(what_is_lost_at_the_end_counts_too),
		LAW(a_ring_that_is_too_small_loses_exactly_what_did_not_fit),
		LAW(duplicates_are_counted_beside),
		LAW(reorder_is_judged_per_flow),
		LAW(each_damaged_byte_of_a_signature_is_a_corrupt_frame),
		LAW(frames_to_another_port_are_known_by_their_magic),
		LAW(truncated_frames_are_known_by_their_signature),
		LAW(misdelivered_frames_carry_another_address),
		LAW(reflected_frames_came_back_to_their_port),
		LAW(foreign_frames_are_none_of_the_run),
		LAW(frames_of_an_earlier_run_are_overdue),
		LAW(sequences_that_were_not_sent_yet_are_corrupt),
		LAW(without_a_run_frames_are_only_counted_by_the_port),
		LAW(both_directions_at_once_keep_their_own_books),
		LAW(the_worker_takes_a_run_and_lets_go_of_the_one_before),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
