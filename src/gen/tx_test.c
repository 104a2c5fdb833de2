/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ethdev.h>

#include "base/assert_within.h"
#include "base/mem.h"
#include "pkt/cksum.h"
#include "worker_rig.h"

/* What the transmitter does with each slot of its schedule under a clock in our hand, and what the
 * frames look like that it sends. */

#define US 1000ull

static struct frame_spec
spec_of(uint16_t size, uint16_t vlan, bool ipv6)
{
	struct frame_spec spec;

	frame_spec_init(&spec);
	spec.size = size;
	spec.vlan = vlan;
	spec.ipv6 = ipv6;
	return spec;
}

/* A run of 64-byte frames at 1 Mpps on port 0: one slot each microsecond. */
static struct run *
start(struct worker_rig *r, unsigned out_room, double duration_s, uint32_t flows)
{
	struct frame_spec spec = spec_of(64, 0, false);

	worker_rig_open(r, out_room, WORKER_RIG_ROOM);
	worker_rig_add(r, &spec, 1e6, flows);
	return worker_rig_start(r, 0, duration_s, false);
}

/* Takes a frame that was sent and returns its signature. */
static struct sig
take_sig(struct worker_rig *r)
{
	struct rte_mbuf *m = rig_take(r->port[0].out);
	struct sig sig;

	assert_non_null(m);
	assert_true(sig_read(rte_pktmbuf_mtod(m, uint8_t *) + 42, &sig, 60));
	rte_pktmbuf_free(m);
	return sig;
}

static void
each_slot_leaves_at_its_time(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 64, 10e-6, 1);

	assert_int_equal(worker_rig_transmit(r, 0), 1);
	assert_int_equal(worker_rig_transmit(r, 999), 0);
	assert_int_equal(worker_rig_transmit(r, 1), 1);
	assert_int_equal(worker_rig_transmit(r, 4500), 4);
	assert_int_equal(worker_rig_transmit(r, 400), 0);
	assert_int_equal(run->state, RUN_ACTIVE);
	assert_int_equal(worker_rig_transmit(r, 4 * US), 4);
	assert_int_equal(run->state, RUN_SENT);
	assert_int_equal(r->w.ports[0].sending, 0);
	assert_int_equal(worker_rig_transmit(r, 100 * US), 0);
	for (uint32_t i = 0; i < 10; i++) {
		struct sig sig = take_sig(r);

		assert_int_equal(sig.seq, i);
		assert_int_equal(sig.time_ns, i * US);
	}
	assert_int_equal(worker_rig_counts(run).sent, 10);
}

static void
the_signature_tells_how_late_a_frame_left(void **state)
{
	struct worker_rig *r = *state;

	start(r, 64, 3e-6, 1);
	worker_rig_transmit(r, 6400);
	assert_int_equal(take_sig(r).lateness, 100);
	assert_int_equal(take_sig(r).lateness, (6400 - 1000) / 64);
	assert_int_equal(take_sig(r).lateness, (6400 - 2000) / 64);
}

static void
a_full_link_refuses_what_was_on_time(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 16, 100e-6, 1);
	struct worker_rig_counts c;

	for (unsigned i = 0; i < 200 && run->state != RUN_SENT; i++)
		worker_rig_transmit(r, US);
	c = worker_rig_counts(run);
	assert_int_equal(run->state, RUN_SENT);
	assert_int_equal(c.intended, 100);
	assert_int_equal(c.sent, 16);
	assert_int_equal(c.refused, 84);
	assert_int_equal(c.late, 0);
}

static void
a_refused_frame_waits_as_long_as_it_may_and_no_longer(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 1, 2e-6, 1);
	struct rte_mbuf *m;

	/* The second slot is due at 1 us and may wait until 11 us. */
	for (unsigned i = 0; i < 11; i++)
		worker_rig_transmit(r, US);
	assert_int_equal(run_refused(run), 0);
	m = rig_take(r->port[0].out);
	rte_pktmbuf_free(m);
	assert_int_equal(worker_rig_transmit(r, 0), 1);
	assert_int_equal(run->state, RUN_SENT);
	/* And one nanosecond longer is too long. */
	run = worker_rig_start(r, 0, 2e-6, false);
	rte_pktmbuf_free(rig_take(r->port[0].out));
	assert_int_equal(worker_rig_transmit(r, US), 1);
	for (unsigned i = 0; i < 10; i++)
		worker_rig_transmit(r, US);
	assert_int_equal(run_refused(run), 0);
	worker_rig_transmit(r, 1);
	assert_int_equal(run_refused(run), 1);
	assert_int_equal(worker_rig_counts(run).late, 0);
}

static void
a_worker_that_was_away_is_late_not_refused(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, WORKER_RIG_ROOM, 12e-3, 1);
	uint64_t late_ns = run->late_ns, away_us = late_ns / US + 200;
	struct worker_rig_counts c;

	assert_true(away_us < 11500);
	for (unsigned i = 0; i < 100; i++) {
		worker_rig_transmit(r, US);
		rig_discard(r->port[0].out, WORKER_RIG_ROOM);
	}
	/* Of the slots it comes back to, those older than late_ns are not sent any more. */
	worker_rig_transmit(r, away_us * US);
	rig_discard(r->port[0].out, WORKER_RIG_ROOM);
	assert_int_equal(run_late(run), away_us - late_ns / US - 1);
	while (run->state != RUN_SENT) {
		worker_rig_transmit(r, US);
		rig_discard(r->port[0].out, WORKER_RIG_ROOM);
	}
	c = worker_rig_counts(run);
	assert_int_equal(c.intended, 12000);
	assert_int_equal(c.late, away_us - late_ns / US - 1);
	assert_int_equal(c.refused, 0);
}

static void
a_link_that_catching_up_filled_is_not_to_blame(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 40, 100e-3, 1);
	struct worker_rig_counts c;

	for (unsigned i = 0; i < 10; i++) {
		worker_rig_transmit(r, US);
		rig_discard(r->port[0].out, 40);
	}
	/* 100 slots at once do not fit into a ring of 40, which is empty again after that. */
	for (unsigned i = 0; i < 10; i++)
		worker_rig_transmit(r, i == 0 ? 100 * US : US);
	assert_int_equal(run_refused(run), 0);
	for (unsigned i = 0; i < 600; i++) {
		rig_discard(r->port[0].out, 40);
		worker_rig_transmit(r, US);
	}
	c = worker_rig_counts(run);
	assert_int_equal(c.late, 0);
	assert_int_equal(c.refused, 0);
	/* Once all of it has gone, and the time for that is over, a full link is the link's. */
	for (unsigned i = 0; i < 200; i++)
		worker_rig_transmit(r, US);
	assert_int_equal(worker_rig_counts(run).late, c.late);
	assert_true(worker_rig_counts(run).refused > 100);
	run_request_stop(run);
	worker_rig_transmit(r, US);
	(void)worker_rig_counts(run);
}

static void
a_link_that_stays_full_is_to_blame_after_a_while(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 16, 20e-3, 1);
	struct worker_rig_counts c;

	/* Away at first, and then the link never has room again: not for ever the worker's fault.
	 */
	worker_rig_transmit(r, 30 * US);
	while (run->state != RUN_SENT)
		worker_rig_transmit(r, US);
	c = worker_rig_counts(run);
	assert_int_equal(c.intended, 20000);
	assert_int_equal(c.sent, 16);
	assert_within(c.late, 1, (1 + TX_GRACE) * 30 + 50);
	assert_int_equal(c.refused, c.intended - c.sent - c.late);
}

static void
sequences_count_what_was_sent(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 20, 2e-3, 7);
	uint32_t next = 0;
	uint64_t last_due = 0;

	/* Room for three frames every eight slots: most are refused, and leave no gap behind. */
	while (run->state != RUN_SENT || rte_ring_count(r->port[0].out) > 0) {
		struct rte_mbuf *m;

		if (run->state != RUN_SENT)
			for (unsigned i = 0; i < 8 && run->state != RUN_SENT; i++)
				worker_rig_transmit(r, US);
		for (unsigned i = 0; i < 3 && (m = rig_take(r->port[0].out)) != NULL; i++) {
			const uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
			struct sig sig;

			assert_true(sig_read(data + 42, &sig, 60));
			assert_int_equal(sig.seq, next);
			assert_int_equal(data[34] << 8 | data[35], 49152 + next % 7);
			assert_true(sig.time_ns >= last_due);
			last_due = sig.time_ns;
			next++;
			assert_int_equal(rte_ring_enqueue(r->port[1].in, m), 0);
		}
		worker_rig_receive(r);
	}
	assert_int_equal(next, run_sent(run));
	assert_true(run_refused(run) > 1000);
	worker_rig_assert_clean(run, next);
}

static void
a_stopped_run_adds_up(void **state)
{
	struct worker_rig *r = *state;
	struct run *run = start(r, 16, -1, 1);

	for (unsigned i = 0; i < 20; i++)
		worker_rig_transmit(r, US);
	assert_true(r->w.ports[0].slots[0].tx[0].n_slots > 0);
	assert_int_equal(run->state, RUN_ACTIVE);
	run_request_stop(run);
	assert_int_equal(worker_rig_transmit(r, US), 0);
	assert_int_equal(run->state, RUN_SENT);
	/* Slots that nobody gave up were never on offer. */
	assert_int_equal(worker_rig_counts(run).intended, 16);
	assert_int_equal(counter_get(&run->elapsed_ns), 21 * US);
	assert_int_equal(rte_mempool_in_use_count(r->w.tx_pool), 16);
}

static void
a_mix_leaves_in_its_proportions(void **state)
{
	static const uint16_t sizes[] = {64, 594, 1518};
	static const unsigned weights[] = {7, 4, 1};
	struct worker_rig *r = *state;
	struct run *run;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	for (unsigned i = 0; i < 3; i++) {
		struct frame_spec spec = spec_of(sizes[i], 0, false);

		worker_rig_add(r, &spec, 1e6 / 12 * weights[i], 3);
	}
	run = worker_rig_start(r, 0, 12e-3, false);
	worker_rig_finish(r, US);
	worker_rig_assert_clean(run, 12000);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(run->streams[i].seq, 1000 * weights[i]);
	assert_int_equal(counter_get(&run->rx_bytes[1]), 1000 * (7 * 64 + 4 * 594 + 1518));
	/* Without a schedule the proportions are the same, from the first burst on. */
	run = worker_rig_start(r, 0, 1e-3, true);
	worker_rig_finish(r, US);
	worker_rig_assert_clean(run, run_sent(run));
	for (unsigned i = 0; i < 3; i++)
		assert_within(run->streams[i].seq * 12, run_sent(run) * weights[i] - 36,
			      run_sent(run) * weights[i] + 36);
}

static void
flat_out_sends_what_the_link_takes(void **state)
{
	struct worker_rig *r = *state;
	struct frame_spec spec = spec_of(64, 0, false);
	struct worker_rig_counts c;
	struct run *run;

	worker_rig_open(r, 100, WORKER_RIG_ROOM);
	worker_rig_add(r, &spec, 1, 1);
	run = worker_rig_start(r, 0, 1e-3, true);
	/* Rings of 100 emptied every eighth round: 12.5 frames a round. */
	for (unsigned i = 0; i < 500; i++) {
		worker_rig_transmit(r, US);
		if (i % 8 == 7) {
			worker_rig_carry(r, 0, 1);
			worker_rig_receive(r);
		}
	}
	run_request_stop(run);
	worker_rig_transmit(r, US);
	worker_rig_carry(r, 0, 1);
	worker_rig_receive(r);
	c = worker_rig_counts(run);
	assert_within(c.sent, 6200, 6300);
	assert_int_equal(c.intended, c.sent);
	worker_rig_assert_clean(run, c.sent);
}

static void
a_burst_without_a_schedule_is_sent_to_its_last_frame(void **state)
{
	/* Numbers around whole bursts, and a link that is full in between. */
	static const uint64_t totals[] = {1, 31, 32, 33, 64, 1000};

	for (size_t i = 0; i < N_ELEMS(totals); i++) {
		struct worker_rig *r = *state;
		struct frame_spec spec = spec_of(64, 0, false);
		struct stream *s;
		struct run *run;

		worker_rig_open(r, 20, WORKER_RIG_ROOM);
		s = worker_rig_add(r, &spec, 1, 1);
		s->mode = STREAM_SINGLE_BURST;
		s->total_pkts = totals[i];
		run = worker_rig_start(r, 0, -1, true);
		worker_rig_finish(r, US);
		worker_rig_assert_clean(run, totals[i]);
		worker_rig_fini(state);
		worker_rig_init(state);
	}
}

/* Sums over the whole packet, as a receiver does, and returns the flow. */
static uint32_t
assert_frame(const struct rte_mbuf *m, const struct frame_spec *spec)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
	const uint8_t *ip, *udp, *addr;
	struct frame_view v;
	uint16_t check;

	assert_int_equal(m->data_len, m->pkt_len);
	assert_int_equal(m->data_len, spec->size - FRAME_FCS);
	assert_true(frame_parse(data, m->data_len, &v));
	assert_int_equal(v.len, m->data_len);
	assert_int_equal(v.n_vlans, spec->vlan != 0);
	ip = data + v.l3;
	udp = data + v.l4;
	check = (uint16_t)(udp[6] << 8 | udp[7]);
	assert_int_equal(ip[0] >> 4, spec->ipv6 ? 6 : 4);
	if (spec->ipv6)
		assert_int_equal(cksum_l4(ip, udp, (size_t)m->data_len - v.l4), check);
	else
		assert_int_equal(cksum_finish(cksum_add(0, ip, FRAME_IPV4)), 0);
	assert_int_equal(check == 0, !spec->ipv6);
	addr = ip + (spec->ipv6 ? 20 : 12);
	return (((uint32_t)addr[2] << 8 | addr[3]) - (spec->src_ip & 0xffff)) * FRAME_FLOW_PORTS +
	       (uint32_t)(udp[0] << 8 | udp[1]) - FRAME_FIRST_PORT;
}

static void
frames_of_every_shape_are_valid(void **state)
{
	static const struct {
		uint16_t size, vlan;
		bool ipv6;
	} shapes[] = {
		{64, 0, false},	  {68, 7, false},     {84, 0, true},	{88, 7, true},
		{1518, 0, false}, {1518, 4094, true}, {9216, 0, false}, {9216, 7, false},
		{9216, 0, true},  {9216, 7, true},
	};

	for (size_t i = 0; i < N_ELEMS(shapes); i++) {
		struct worker_rig *r = *state;
		struct frame_spec spec = spec_of(shapes[i].size, shapes[i].vlan, shapes[i].ipv6);
		struct rte_mbuf *m;
		struct run *run;

		r->conf.max_frame = 9216;
		worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
		worker_rig_add(r, &spec, 1e6, 64);
		run = worker_rig_start(r, 0, 200e-6, false);
		while (run->state != RUN_SENT)
			worker_rig_transmit(r, US);
		for (uint32_t k = 0; k < 200; k++) {
			m = rig_take(r->port[0].out);
			assert_non_null(m);
			assert_int_equal(assert_frame(m, &spec), k % 64);
			assert_int_equal(rte_ring_enqueue(r->port[1].in, m), 0);
		}
		worker_rig_receive(r);
		worker_rig_assert_clean(run, 200);
		worker_rig_fini(state);
		worker_rig_init(state);
	}
}

static void
all_shapes_at_once_share_the_buffers(void **state)
{
	struct frame_spec specs[WORKER_RIG_STREAMS];
	struct worker_rig *r = *state;
	struct rte_mbuf *m;
	struct run *run;

	r->conf.max_frame = 9216;
	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	for (unsigned i = 0; i < WORKER_RIG_STREAMS; i++) {
		specs[i] = spec_of(i & 4 ? 9216 : 128, i & 1 ? 7 : 0, i & 2);
		/* Rates of which none divides another: a buffer meets all shapes in turn. */
		worker_rig_add(r, &specs[i], 1e5 + 7000 * i, 3);
	}
	run = worker_rig_start(r, 0, 30e-3, false);
	while (run->state != RUN_SENT) {
		worker_rig_transmit(r, US);
		while ((m = rig_take(r->port[0].out)) != NULL) {
			struct frame_view v;
			struct sig sig;

			assert_true(frame_parse(rte_pktmbuf_mtod(m, uint8_t *), m->data_len, &v));
			assert_true(sig_read(rte_pktmbuf_mtod(m, uint8_t *) + v.payload, &sig,
					     m->data_len));
			assert_frame(m, &specs[sig.stream]);
			assert_int_equal(rte_ring_enqueue(r->port[1].in, m), 0);
		}
		worker_rig_receive(r);
	}
	worker_rig_assert_clean(run, 3000 * WORKER_RIG_STREAMS + 210 * 28);
}

static void
a_payload_of_the_clients_is_sent_as_given(void **state)
{
	struct worker_rig *r = *state;
	struct frame_spec spec = spec_of(200, 0, true);
	struct rte_mbuf *m;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	worker_rig_add(r, &spec, 1e6, 3);
	/* The same shape with a payload of its own: both run in turn over the same buffers, and the
	 * checksum of each covers its payload. */
	for (int turn = 0; turn < 4; turn++) {
		struct stream *s = &r->streams[0];
		struct run *run;
		struct err err;

		assert_true(frame_build(&spec, s->frame, s->len, &err) > 0);
		if (turn % 2 == 1)
			memset(s->frame + 62 + SIG_SIZE, 'a' + turn, s->len - 62u - SIG_SIZE);
		run = worker_rig_start(r, 0, 200e-6, false);
		while (run->state != RUN_SENT)
			worker_rig_transmit(r, US);
		while ((m = rig_take(r->port[0].out)) != NULL) {
			assert_frame(m, &spec);
			assert_memory_equal(rte_pktmbuf_mtod(m, uint8_t *) + 62 + SIG_SIZE,
					    s->frame + 62 + SIG_SIZE, s->len - 62 - SIG_SIZE);
			rte_pktmbuf_free(m);
		}
	}
}

static void
unsigned_streams_go_out_byte_for_byte(void **state)
{
	struct worker_rig *r = *state;
	struct frame_spec spec = spec_of(128, 0, false);
	uint8_t given[100];
	struct rte_mbuf *m;
	struct stream *s;
	struct run *run;
	unsigned n = 0;

	for (unsigned i = 0; i < sizeof(given); i++)
		given[i] = (uint8_t)(i * 7);
	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	worker_rig_add(r, &spec, 5e5, 2);
	s = worker_rig_add_raw(r, given, sizeof(given), 5e5);
	s->keep_src_mac = s->keep_dst_mac = true;
	run = worker_rig_start(r, 0, 400e-6, false);
	while (run->state != RUN_SENT) {
		worker_rig_transmit(r, US);
		while ((m = rig_take(r->port[0].out)) != NULL) {
			if (m->data_len == sizeof(given)) {
				assert_memory_equal(rte_pktmbuf_mtod(m, void *), given,
						    sizeof(given));
				n++;
			}
			assert_int_equal(rte_ring_enqueue(r->port[1].in, m), 0);
		}
		worker_rig_receive(r);
	}
	assert_int_equal(n, 200);
	/* Nothing tells them from strangers' when they come back: the port counts them. */
	assert_int_equal(worker_rig_counts(run).sent, 400);
	assert_int_equal(worker_rig_counts(run).rx[RX_OK], 200);
	assert_int_equal(worker_rig_counts(run).foreign, 200);
	assert_int_equal(worker_rig_counts(run).never_seen, 0);
	assert_int_equal(counter_get(&r->w.ports[1].ipackets), 400);
}

static void
a_million_flows_are_a_million(void **state)
{
	struct worker_rig *r = *state;
	struct frame_spec spec = spec_of(64, 0, false);
	uint8_t *seen = xcalloc(FRAME_MAX_FLOWS, 1);
	uint32_t next = 0;
	struct rte_mbuf *m;
	struct run *run;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	worker_rig_add(r, &spec, 1e7, FRAME_MAX_FLOWS);
	run = worker_rig_start(r, 0, 0.11, false);
	while (run->state != RUN_SENT) {
		worker_rig_transmit(r, 3200);
		while ((m = rig_take(r->port[0].out)) != NULL) {
			uint32_t flow = assert_frame(m, &spec);

			assert_int_equal(flow, next++ % FRAME_MAX_FLOWS);
			seen[flow]++;
			assert_int_equal(rte_ring_enqueue(r->port[1].in, m), 0);
		}
		worker_rig_receive(r);
	}
	for (uint32_t i = 0; i < FRAME_MAX_FLOWS; i++)
		assert_int_equal(seen[i], 1 + (i < 100000));
	worker_rig_assert_clean(run, 1100000);
	free(seen);
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(each_slot_leaves_at_its_time),
		LAW(the_signature_tells_how_late_a_frame_left),
		LAW(a_full_link_refuses_what_was_on_time),
		LAW(a_refused_frame_waits_as_long_as_it_may_and_no_longer),
		LAW(a_worker_that_was_away_is_late_not_refused),
		LAW(a_link_that_catching_up_filled_is_not_to_blame),
		LAW(a_link_that_stays_full_is_to_blame_after_a_while),
		LAW(sequences_count_what_was_sent),
		LAW(a_stopped_run_adds_up),
		LAW(a_mix_leaves_in_its_proportions),
		LAW(flat_out_sends_what_the_link_takes),
		LAW(a_burst_without_a_schedule_is_sent_to_its_last_frame),
		LAW(frames_of_every_shape_are_valid),
		LAW(all_shapes_at_once_share_the_buffers),
		LAW(a_payload_of_the_clients_is_sent_as_given),
		LAW(unsigned_streams_go_out_byte_for_byte),
		LAW(a_million_flows_are_a_million),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
