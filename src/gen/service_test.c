/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker_rig.h"

#define LEN 60
#define SIGNED_LEN (42 + 18) /* headers and signature */
#define SECOND 1000000000ull /* of the rig's TSC */

static void
fill(uint8_t *bytes, uint32_t len, unsigned i)
{
	for (uint32_t k = 0; k < len; k++)
		bytes[k] = (uint8_t)(k * 7 + i);
}

/* Frame number 'i', of 'len' bytes, in segments of up to 'seg' bytes. */
static struct rte_mbuf *
frame(struct worker_rig *r, unsigned i, uint32_t len, uint32_t seg)
{
	struct rte_mbuf *first = NULL;
	uint8_t bytes[2048];

	assert_true(len <= sizeof(bytes));
	fill(bytes, len, i);
	for (uint32_t at = 0; at < len; at += seg) {
		uint32_t n = len - at < seg ? len - at : seg;
		struct rte_mbuf *m = rte_pktmbuf_alloc(r->w.rx_pool);

		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), bytes + at, n);
		if (first == NULL)
			first = m;
		else
			assert_int_equal(rte_pktmbuf_chain(first, m), 0);
	}
	return first;
}

/* The next copy is that of frame 'i'. */
static void
assert_copy(struct worker_rig *r, unsigned i, uint32_t len, unsigned port, bool tx)
{
	const uint8_t *bytes;
	const struct copy_head *h = copy_ring_peek(&r->w.copies, &bytes);
	uint8_t want[2048];

	assert_non_null(h);
	fill(want, len, i);
	assert_int_equal(h->len, len);
	assert_int_equal(h->wire_len, len);
	assert_int_equal(h->port, port);
	assert_int_equal(h->tx, tx);
	assert_memory_equal(bytes, want, len);
	copy_ring_next(&r->w.copies);
}

static void
assert_no_copy(struct worker_rig *r)
{
	const uint8_t *bytes;

	assert_null(copy_ring_peek(&r->w.copies, &bytes));
}

static void
received_frames_are_copied_whole(void **state)
{
	static const uint32_t lens[] = {1, 15, 60, 61, 1514};
	struct worker_rig *r = *state;
	struct rte_mbuf *m;
	unsigned i = 0;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	for (size_t k = 0; k < sizeof(lens) / sizeof(lens[0]); k++) {
		for (uint32_t seg = 1; seg <= lens[k]; seg = seg * 3 + 1) {
			/* More segments than there are buffers would tell nothing new. */
			if (lens[k] / seg > 60)
				continue;
			m = frame(r, i, lens[k], seg);
			service_copy_received(&r->w, i % 2, &m, 1, 1000 + i);
			rte_pktmbuf_free(m);
			assert_copy(r, i, lens[k], i % 2, false);
			i++;
		}
	}
	assert_true(i > 10);
	assert_no_copy(r);
	assert_int_equal(counter_get(&r->w.copies.lost), 0);
}

/* What nobody takes away costs copies, which are counted, and nothing else. */
static void
copies_without_room_are_counted(void **state)
{
	struct worker_rig *r = *state;
	const unsigned n = SERVICE_COPIES_BYTES / 1000;
	unsigned kept = 0;
	const uint8_t *bytes;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = frame(r, i, 1514, 1514);

		service_copy_received(&r->w, 0, &m, 1, i);
		rte_pktmbuf_free(m);
	}
	for (; copy_ring_peek(&r->w.copies, &bytes) != NULL; kept++)
		assert_copy(r, kept, 1514, 0, false);
	assert_true(kept > 0 && kept < n);
	assert_int_equal(kept + counter_get(&r->w.copies.lost), n);
}

static void
only_what_the_link_took_is_copied(void **state)
{
	struct worker_rig *r = *state;
	struct gen_port *p = &r->w.ports[1];
	struct rte_mbuf *m[8];
	uint16_t sent;

	worker_rig_open(r, 5, WORKER_RIG_ROOM);
	for (unsigned i = 0; i < 8; i++)
		m[i] = frame(r, i, LEN + i, LEN);
	sent = service_send_copied(&r->w, p, 0, m, 8);
	assert_int_equal(sent, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_copy(r, i, LEN + i, 1, true);
	assert_no_copy(r);
	assert_int_equal(service_send_copied(&r->w, p, 0, m + 5, 3), 0);
	assert_no_copy(r);
	rte_pktmbuf_free_bulk(m + 5, 3);
}

static void
copies_of_sent_frames_are_made_when_asked_for(void **state)
{
	struct worker_rig *r = *state;
	struct gen_port *p = &r->w.ports[0];
	struct rte_mbuf *m[2];

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	for (unsigned i = 0; i < 2; i++)
		m[i] = frame(r, i, LEN, LEN);
	assert_int_equal(service_send(&r->w, p, 0, m, 1), 1);
	assert_no_copy(r);
	atomic_store(&p->tx_copied, true);
	assert_int_equal(service_send(&r->w, p, 0, m + 1, 1), 1);
	assert_copy(r, 1, LEN, 0, true);
}

/* A client's frame 'i', to leave by the port when it is due. */
static void
bring(struct worker_rig *r, unsigned i, uint32_t len, unsigned port, uint64_t due_tsc)
{
	const struct copy_head h = {
		.tsc = due_tsc, .len = len, .wire_len = len, .port = (uint8_t)port};
	uint8_t *room = copy_ring_stage(&r->w.pushes, &h);

	assert_non_null(room);
	fill(room, len, i);
	copy_ring_publish(&r->w.pushes, copy_ring_position(&r->w.pushes));
}

static void
assert_pushed(struct worker_rig *r, unsigned i, uint32_t len, unsigned port)
{
	struct rte_mbuf *m = rig_take(r->port[port].out);
	uint8_t want[2048];

	assert_non_null(m);
	fill(want, len, i);
	assert_int_equal(m->pkt_len, len);
	assert_memory_equal(rte_pktmbuf_mtod(m, uint8_t *), want, len);
	rte_pktmbuf_free(m);
}

static void
frames_of_clients_leave_when_they_are_due(void **state)
{
	struct worker_rig *r = *state;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	assert_int_equal(service_push_round(&r->w, 0), 0);
	bring(r, 0, LEN, 0, 100);
	bring(r, 1, 1514, 1, 200);
	bring(r, 2, LEN, 0, 200);
	assert_int_equal(service_push_round(&r->w, 99), 0);
	assert_int_equal(service_push_round(&r->w, 100), 1);
	assert_pushed(r, 0, LEN, 0);
	assert_int_equal(service_push_round(&r->w, 199), 0);
	assert_int_equal(service_push_round(&r->w, 300), 2);
	assert_pushed(r, 1, 1514, 1);
	assert_pushed(r, 2, LEN, 0);
	assert_int_equal(service_push_round(&r->w, 10 * SECOND), 0);
	assert_int_equal(counter_get(&r->w.ports[0].opackets), 2);
	assert_int_equal(counter_get(&r->w.ports[0].obytes), 2 * (LEN + FRAME_FCS));
	assert_int_equal(counter_get(&r->w.ports[1].obytes), 1514 + FRAME_FCS);
	assert_int_equal(counter_get(&r->w.unpushed), 0);
}

/* Many frames due at once take several rounds, between which there is other traffic. */
static void
a_round_pushes_no_more_than_a_burst(void **state)
{
	struct worker_rig *r = *state;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	for (unsigned i = 0; i < GEN_BURST + 3; i++)
		bring(r, i, LEN, 0, 1);
	assert_int_equal(service_push_round(&r->w, 1), GEN_BURST);
	assert_int_equal(service_push_round(&r->w, 1), 3);
	for (unsigned i = 0; i < GEN_BURST + 3; i++)
		assert_pushed(r, i, LEN, 0);
}

static void
a_full_link_is_waited_for_and_then_given_up(void **state)
{
	struct worker_rig *r = *state;
	const uint64_t due = 5;

	worker_rig_open(r, 1, WORKER_RIG_ROOM);
	atomic_store(&r->w.ports[0].tx_copied, true);
	for (unsigned i = 0; i < 3; i++)
		bring(r, i, LEN, 0, due);
	assert_int_equal(service_push_round(&r->w, due), 1);
	/* Each is tried until a second after it was due, and keeps those behind it waiting. */
	assert_int_equal(service_push_round(&r->w, due + SECOND - 1), 0);
	assert_int_equal(counter_get(&r->w.unpushed), 0);
	assert_pushed(r, 0, LEN, 0);
	assert_int_equal(service_push_round(&r->w, due + SECOND - 1), 1);
	assert_int_equal(service_push_round(&r->w, due + SECOND), 0);
	assert_int_equal(counter_get(&r->w.unpushed), 1);
	assert_pushed(r, 1, LEN, 0);
	assert_int_equal(counter_get(&r->w.ports[0].opackets), 2);
	/* What the link never took has no copy. */
	assert_copy(r, 0, LEN, 0, true);
	assert_copy(r, 1, LEN, 0, true);
	assert_no_copy(r);
}

/* A hop that has seen the frame: behind the signature lies the usual payload. */
static unsigned
check_payload(struct worker_rig *r, unsigned i, struct rte_mbuf *m, struct rte_mbuf **out)
{
	uint8_t *sent = rte_pktmbuf_mtod(m, uint8_t *);

	(void)i;
	assert_memory_equal(sent + SIGNED_LEN, (const uint8_t *)r->arg + SIGNED_LEN,
			    m->pkt_len - SIGNED_LEN);
	out[0] = m;
	return 1;
}

/* What the buffer held before is not taken for the next frame's. */
static void
a_pushed_frames_buffer_is_written_anew(void **state)
{
	struct worker_rig *r = *state;
	struct frame_spec spec;
	struct run *run;

	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	frame_spec_init(&spec);
	spec.size = 128;
	memcpy(spec.dst_mac, r->conf.dest[0].mac, 6);
	r->arg = worker_rig_add(r, &spec, 1e6, 4)->frame;
	r->hop = check_payload;
	for (unsigned round = 0; round < 20; round++) {
		run = worker_rig_start(r, 0, 0.0005, false);
		worker_rig_finish(r, 10000);
		assert_int_equal(run_sent(run), 500);
		worker_rig_assert_clean(run, 500);
		for (unsigned i = 0; i < 200; i++)
			bring(r, i, 124, 0, 0);
		for (unsigned i = 0; i < 200; i++) {
			if (i % GEN_BURST == 0)
				service_push_round(&r->w, 1);
			assert_pushed(r, i, 124, 0);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(received_frames_are_copied_whole),
		TEST(copies_without_room_are_counted),
		TEST(only_what_the_link_took_is_copied),
		TEST(copies_of_sent_frames_are_made_when_asked_for),
		TEST(frames_of_clients_leave_when_they_are_due),
		TEST(a_round_pushes_no_more_than_a_burst),
		TEST(a_full_link_is_waited_for_and_then_given_up),
		TEST(a_pushed_frames_buffer_is_written_anew),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
