/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/test_random.h"
#include "pkt/flow.h"
#include "worker_rig.h"

/* Several transmit queues: which flows go where, when, and what a full one does to the others. */

#define US 1000ull
#define RATE_PPS 1e6
#define MAX_FRAMES 4096

static void
open_queues(struct worker_rig *r, unsigned n, unsigned out_room)
{
	r->conf.queues = n;
	worker_rig_open(r, out_room, WORKER_RIG_ROOM);
}

static void
add(struct worker_rig *r, uint16_t size, bool ipv6, uint32_t flows)
{
	struct frame_spec spec;

	frame_spec_init(&spec);
	spec.size = size;
	spec.ipv6 = ipv6;
	worker_rig_add(r, &spec, RATE_PPS, flows);
}

/* What the test sees of the frames on their way, in the order in which they left each queue. */
static struct seen {
	unsigned n;
	struct slot {
		uint64_t due_ns;
		uint32_t flow;
	} slot[MAX_FRAMES];
} seen;

static uint32_t
flow_of(const uint8_t *frame)
{
	const uint8_t *addr = frame + 26, *port = frame + 34;
	uint32_t sender = (uint32_t)addr[2] << 8 | addr[3];

	return (sender - 1) * FRAME_FLOW_PORTS + ((uint32_t)port[0] << 8 | port[1]) -
	       FRAME_FIRST_PORT;
}

static unsigned
note(struct worker_rig *r, unsigned i, struct rte_mbuf *m, struct rte_mbuf **out)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	struct sig sig;

	(void)r, (void)i, (void)out;
	assert_true(seen.n < MAX_FRAMES);
	assert_true(sig_read(frame + 42, &sig, m->data_len));
	seen.slot[seen.n++] = (struct slot){sig.time_ns, flow_of(frame)};
	return 1;
}

static int
by_time(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	if (x->due_ns != y->due_ns)
		return x->due_ns < y->due_ns ? -1 : 1;
	return (x->flow > y->flow) - (x->flow < y->flow);
}

/* ---- laws ---- */

/* Asserts that all frames in the rings lie in that of their hash, and leaves them there. */
static void
check_rings(struct rig_port *port, unsigned *n)
{
	for (uint16_t q = 0; q < port->n_queues; q++) {
		unsigned count = rte_ring_count(port->outs[q]);

		n[q] += count;
		while (count-- > 0) {
			struct rte_mbuf *m = rig_take(port->outs[q]);
			uint32_t hash = flow_hash(rte_pktmbuf_mtod(m, uint8_t *), m->data_len);

			assert_int_equal(hash % port->n_queues, q);
			assert_int_equal(rte_ring_enqueue(port->outs[q], m), 0);
		}
	}
}

static void
a_flow_goes_to_the_queue_of_its_hash(void **state)
{
	struct worker_rig *r = *state;
	uint8_t raw[60] = {[12] = 0x88, [13] = 0xb5};
	unsigned n[RIG_MAX_QUEUES] = {0};
	struct run *run;

	open_queues(r, 3, 64);
	add(r, 64, false, 100);
	add(r, 594, false, 7);
	add(r, 84, true, 33);
	worker_rig_add_raw(r, raw, sizeof(raw), RATE_PPS);
	run = worker_rig_start(r, 0, 1e-3, false);
	while (r->w.ports[0].sending != 0) {
		worker_rig_transmit(r, 3 * US);
		check_rings(&r->port[0], n);
		worker_rig_carry(r, 0, 1);
		worker_rig_receive(r);
	}
	assert_int_equal(run_sent(run), 4000);
	assert_int_equal(counter_get(&run->foreign), 1000);
	for (uint16_t q = 0; q < 3; q++) {
		assert_true(n[q] > 500);
		assert_int_equal(counter_get(&run->lane[q].sent), n[q]);
	}
	assert_int_equal(worker_rig_counts(run).rx[RX_OK], 3000);
	assert_int_equal(worker_rig_counts(run).reordered, 0);
}

static void
times_and_flows_are_those_of_one_queue(void **state)
{
	struct worker_rig *r = *state;
	struct slot *of_one;

	/* Slots are no whole number of nanoseconds apart. */
	open_queues(r, 4, 64);
	add(r, 64, false, 37);
	r->streams[0].rate = 0.7e6;
	r->streams[0].isg_us = 3.3;
	r->hop = note;
	seen.n = 0;
	worker_rig_start(r, 0, 2e-3, false);
	worker_rig_finish(r, US);
	/* The last two slots would be due after the end. */
	worker_rig_assert_clean(r->run[0], 1398);
	assert_int_equal(seen.n, 1398);
	of_one = xcalloc(seen.n, sizeof(*of_one));
	qsort(seen.slot, seen.n, sizeof(seen.slot[0]), by_time);
	memcpy(of_one, seen.slot, seen.n * sizeof(*of_one));
	r->conf.queues = 1;
	seen.n = 0;
	worker_rig_start(r, 0, 2e-3, false);
	worker_rig_finish(r, US);
	assert_int_equal(seen.n, 1398);
	assert_memory_equal(of_one, seen.slot, seen.n * sizeof(*of_one));
	free(of_one);
}

static void
frames_of_a_flow_stay_in_order(void **state)
{
	struct worker_rig *r = *state;
	uint64_t last_ns[50] = {0};

	open_queues(r, 4, 64);
	add(r, 64, false, 50);
	r->hop = note;
	seen.n = 0;
	worker_rig_start(r, 0, 3e-3, false);
	worker_rig_finish(r, 7 * US);
	worker_rig_assert_clean(r->run[0], 3000);
	for (unsigned i = 0; i < seen.n; i++) {
		const struct slot *s = &seen.slot[i];

		assert_true(s->flow < 50 && s->due_ns + 1 > last_ns[s->flow]);
		last_ns[s->flow] = s->due_ns + 1;
	}
}

static void
a_full_queue_refuses_its_own_frames_alone(void **state)
{
	struct worker_rig *r = *state;
	struct run *run;

	open_queues(r, 2, 16);
	add(r, 64, false, 64);
	run = worker_rig_start(r, 0, 2e-3, false);
	while (r->w.ports[0].sending != 0) {
		struct rte_mbuf *m;

		worker_rig_transmit(r, US);
		while ((m = rig_take(r->port[0].outs[0])) != NULL)
			assert_int_equal(rte_ring_enqueue(r->port[1].ins[0], m), 0);
		worker_rig_receive(r);
	}
	assert_int_equal(counter_get(&run->lane[0].sent), 1000);
	assert_int_equal(counter_get(&run->lane[0].intended), 1000);
	assert_int_equal(counter_get(&run->lane[1].sent), 16);
	assert_int_equal(counter_get(&run->lane[1].refused), 984);
	assert_int_equal(run_late(run), 0);
	/* What the first queue sent has arrived, on time; what lies in the second is under way. */
	assert_int_equal(worker_rig_counts(run).never_seen, 16);
	assert_true(run->latency.max_ns <= US);
	worker_rig_carry(r, 0, 1);
	worker_rig_receive(r);
	worker_rig_assert_clean(run, 1016);
}

static void
a_burst_ends_when_each_queue_is_through(void **state)
{
	struct worker_rig *r = *state;
	unsigned rounds = 0;
	struct run *run;

	open_queues(r, 2, 16);
	add(r, 64, false, 64);
	r->streams[0].mode = STREAM_SINGLE_BURST;
	r->streams[0].total_pkts = 64 + 32;
	run = worker_rig_start(r, 0, -1, false);
	while (run->state != RUN_SENT) {
		assert_true(rounds++ < 1000);
		worker_rig_transmit(r, US);
		rig_discard(r->port[0].outs[0], 16);
	}
	/* All flows once, half of them a second time; and the last slots of the second queue were
	 * given up later than the first one's had gone. */
	assert_true(rounds > 100);
	assert_int_equal(counter_get(&run->lane[0].sent), 32 + 16);
	assert_int_equal(counter_get(&run->lane[1].sent), 16);
	assert_int_equal(counter_get(&run->lane[1].refused), 32);
	assert_int_equal(run_late(run), 0);
}

static void
without_a_schedule_all_queues_send(void **state)
{
	struct worker_rig *r = *state;
	struct run *run;

	open_queues(r, 4, 64);
	add(r, 64, false, 1024);
	run = worker_rig_start(r, 0, 1e-3, true);
	worker_rig_finish(r, 5 * US);
	assert_int_equal(run->state, RUN_SENT);
	for (uint16_t q = 0; q < 4; q++)
		assert_true(counter_get(&run->lane[q].sent) >= 100 * GEN_BURST);
	worker_rig_assert_clean(run, run_sent(run));
}

static void
one_flow_has_one_queue(void **state)
{
	struct worker_rig *r = *state;
	struct run *run;
	unsigned used = 0;

	open_queues(r, 4, 64);
	add(r, 64, false, 1);
	run = worker_rig_start(r, 0, 1e-3, false);
	worker_rig_finish(r, US);
	for (uint16_t q = 0; q < 4; q++)
		used += counter_get(&run->lane[q].sent) > 0;
	assert_int_equal(used, 1);
	worker_rig_assert_clean(run, 1000);
}

/* A link whose queues take some of the frames, now and then. */
static void
drain_at_random(struct worker_rig *r)
{
	for (uint16_t q = 0; q < r->port[0].n_queues; q++) {
		unsigned n = rng_below(4) == 0 ? rng_below(40) : 0;
		struct rte_mbuf *m;

		while (n-- > 0 && (m = rig_take(r->port[0].outs[q])) != NULL)
			assert_int_equal(rte_ring_enqueue(r->port[1].ins[q], m), 0);
	}
}

static void
every_slot_ends_as_one_thing_in_its_queue(void **state)
{
	struct worker_rig *r = *state;

	rng_seed("every_slot_ends_as_one_thing_in_its_queue");
	open_queues(r, 4, 32);
	for (unsigned i = 0; i < 3; i++)
		add(r, (uint16_t)(64 + 100 * i), i == 2, 1 + rng_below(200));
	for (unsigned round = 0; round < 50; round++) {
		struct run *run = worker_rig_start(r, 0, 1e-3, false);

		while (r->w.ports[0].sending != 0) {
			worker_rig_transmit(r, rng_below(50) == 0 ? 300 * US : rng_below(3000));
			drain_at_random(r);
			worker_rig_receive(r);
		}
		worker_rig_carry(r, 0, 1);
		worker_rig_receive(r);
		for (uint16_t q = 0; q < 4; q++) {
			const struct run_lane *lane = &run->lane[q];

			assert_int_equal(counter_get(&lane->intended),
					 counter_get(&lane->sent) + counter_get(&lane->refused) +
						 counter_get(&lane->late));
		}
		assert_int_equal(run_intended(run), 3000);
		worker_rig_assert_clean(run, run_sent(run));
	}
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(a_flow_goes_to_the_queue_of_its_hash),
		LAW(times_and_flows_are_those_of_one_queue),
		LAW(frames_of_a_flow_stay_in_order),
		LAW(a_full_queue_refuses_its_own_frames_alone),
		LAW(a_burst_ends_when_each_queue_is_through),
		LAW(without_a_schedule_all_queues_send),
		LAW(one_flow_has_one_queue),
		LAW(every_slot_ends_as_one_thing_in_its_queue),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
