/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_bus_vdev.h>
#include <rte_ethdev.h>

#include "base/assert_within.h"
#include "base/mem.h"
#include "dpdk/rig.h"
#include "forwarder.h"
#include "load.h"
#include "pkt/flow.h"
#include "pkt/frame.h"

/* The load at real ports of net_null, whose queues the tests poll themselves. */

#define N_FLOWS 64
#define WINDOW 256
#define BURST 32

struct rig {
	struct fwd_conf conf;
	struct fwd fwd;
	unsigned seen[LOAD_MAX_FLOWS];
};

static int
setup(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));

	assert_int_equal(rte_vdev_init("net_null0", NULL), 0);
	assert_int_equal(rte_vdev_init("net_null1", "no-rx=1"), 0);
	fwd_conf_init(&r->conf);
	r->conf.rxq = 2;
	r->conf.load = (struct load_conf){.flows = N_FLOWS, .window = WINDOW, .size = 64};
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;
	unsigned left = fwd_close_ports(&r->fwd);

	fwd_close(&r->fwd);
	fwd_conf_fini(&r->conf);
	rte_vdev_uninit("net_null0");
	rte_vdev_uninit("net_null1");
	free(r);
	return left == 0 ? 0 : -1;
}

static void
open_rig(struct rig *r)
{
	struct err err = {0};

	if (fwd_open(&r->fwd, &r->conf, false, &err) < 0)
		fail_msg("%s", err.msg);
}

/* The number of a frame's flow, by its source. */
static uint32_t
flow_of(const uint8_t *frame)
{
	uint32_t addr = (uint32_t)(frame[28] << 8 | frame[29]);

	return (uint32_t)(frame[34] << 8 | frame[35]) - FRAME_FIRST_PORT +
	       FRAME_FLOW_PORTS * (addr - 1);
}

static void
look_at(struct rig *r, struct rte_mbuf *m, uint16_t queue)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
	struct frame_view view;

	assert_int_equal(rte_pktmbuf_pkt_len(m), 60);
	assert_true(frame_parse(data, 60, &view));
	assert_int_equal(view.proto, 17);
	assert_int_equal(view.len, 60);
	assert_memory_equal(data, r->fwd.nf_conf.port[0].addr, 6);
	assert_int_equal(flow_hash(data, 60) % 2, queue);
	assert_true(flow_of(data) < LOAD_MAX_FLOWS);
	r->seen[flow_of(data)]++;
}

/* One burst of a queue, looked at and freed. */
static unsigned
poll_queue(struct rig *r, uint16_t queue)
{
	struct rte_mbuf *frames[BURST];
	uint16_t n = rte_eth_rx_burst(0, queue, frames, BURST);

	for (uint16_t i = 0; i < n; i++)
		look_at(r, frames[i], queue);
	rte_pktmbuf_free_bulk(frames, n);
	return n;
}

static uint64_t
told(const struct rig *r, size_t i, const char *key)
{
	json_t *list = load_to_json(&r->fwd);
	uint64_t n = (uint64_t)json_integer_value(json_object_get(json_array_get(list, i), key));

	json_decref(list);
	return n;
}

static void
each_flow_comes_as_often_and_by_its_queue(void **state)
{
	struct rig *r = *state;
	unsigned n = 0;

	open_rig(r);
	for (unsigned i = 0; i < 200; i++)
		n += poll_queue(r, 0) + poll_queue(r, 1);
	assert_int_equal(n, 200 * 2 * BURST);
	for (uint32_t f = 0; f < N_FLOWS; f++)
		assert_int_equal(r->seen[f], n / N_FLOWS);
	assert_int_equal(told(r, 0, "flows"), N_FLOWS / 2);
	assert_int_equal(told(r, 0, "delivered"), n / 2);
	assert_int_equal(told(r, 0, "returned"), 0);
}

static void
a_queue_is_ahead_of_another_by_the_window_at_most(void **state)
{
	struct rig *r = *state;
	unsigned n = 0;

	open_rig(r);
	for (unsigned i = 0; i < 100; i++)
		n += poll_queue(r, 0);
	/* Queue 1 is full, so the wire stands still. */
	assert_int_equal(n, WINDOW);
	assert_int_equal(told(r, 0, "delivered"), WINDOW);
	assert_int_equal(told(r, 0, "returned"), (100 - WINDOW / BURST) * BURST);
	assert_int_equal(poll_queue(r, 1), BURST);
	for (unsigned i = 0; i < 10; i++)
		n += poll_queue(r, 0);
	assert_int_equal(n, WINDOW + BURST);
}

static void
drawn_flows_need_not_be_even_but_the_mix_holds(void **state)
{
	struct rig *r = *state;
	uint64_t n[2], flows[2];

	r->conf.load.flows = 5;
	r->conf.load.random = 3;
	open_rig(r);
	for (uint16_t q = 0; q < 2; q++)
		flows[q] = told(r, q, "flows");
	assert_int_equal(flows[0] + flows[1], 5);
	assert_true(flows[0] > 0 && flows[1] > 0);
	for (unsigned i = 0; i < 2000; i++) {
		poll_queue(r, 0);
		poll_queue(r, 1);
	}
	for (uint16_t q = 0; q < 2; q++)
		n[q] = told(r, q, "delivered");
	assert_true(n[0] > 10 * WINDOW && n[1] > 10 * WINDOW);
	/* Who has fewer flows waits for who has more. */
	assert_within(n[0] * flows[1],
		      n[1] * flows[0] > WINDOW * 5 ? n[1] * flows[0] - WINDOW * 5 : 0,
		      n[1] * flows[0] + WINDOW * 5);
}

static void
the_other_port_brings_nothing(void **state)
{
	struct rte_mbuf *frames[BURST];
	struct rig *r = *state;

	open_rig(r);
	assert_int_equal(rte_eth_rx_burst(1, 0, frames, BURST), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_flow_comes_as_often_and_by_its_queue, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_queue_is_ahead_of_another_by_the_window_at_most,
						setup, teardown),
		cmocka_unit_test_setup_teardown(drawn_flows_need_not_be_even_but_the_mix_holds,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_other_port_brings_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
