/* SPDX-License-Identifier: MIT */
#include "generator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker_rig.h"

static void
open_devices(struct worker_rig *r)
{
	for (unsigned i = 0; i < GEN_PORTS; i++)
		rig_port_open(&r->port[i], WORKER_RIG_ROOM, WORKER_RIG_ROOM);
}

/* As EAL calls what the rig made. */
static void
name_device(struct worker_rig *r, unsigned port, unsigned device)
{
	struct gen_device *d = &r->conf.device[port];

	assert_int_equal(rte_eth_dev_get_name_by_port(r->port[device].id, d->name), 0);
}

static int
try_open(struct worker_rig *r, struct err *err)
{
	return generator_open(&r->w, &r->conf, false, err);
}

static void
assert_ports_are(struct worker_rig *r, unsigned first, unsigned second)
{
	struct err err = {0};

	if (try_open(r, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(r->w.ports[0].port.id, r->port[first].id);
	assert_int_equal(r->w.ports[1].port.id, r->port[second].id);
	/* What is a port's own goes with its number, not with the device. */
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		assert_memory_equal(r->w.ports[i].addr, r->conf.addr[i].mac, 6);
		assert_memory_equal(r->w.ports[i].dest, r->conf.dest[i].mac, 6);
	}
}

static void
ports_are_in_the_order_of_eal(void **state)
{
	open_devices(*state);
	assert_ports_are(*state, 0, 1);
}

static void
ports_are_the_devices_that_are_named(void **state)
{
	struct worker_rig *r = *state;

	open_devices(r);
	name_device(r, 0, 1);
	name_device(r, 1, 0);
	assert_ports_are(r, 1, 0);
}

/* A frame that port 0 sends leaves by the device that was named for it. */
static void
traffic_takes_the_devices_that_are_named(void **state)
{
	struct worker_rig *r = *state;
	struct frame_spec spec;
	struct rte_mbuf *m;

	open_devices(r);
	name_device(r, 0, 1);
	name_device(r, 1, 0);
	assert_ports_are(r, 1, 0);
	r->w.tsc_hz = 1000000000;
	r->w.tsc_to_ns = 1;
	frame_spec_init(&spec);
	worker_rig_add(r, &spec, 1000, 1);
	worker_rig_start(r, 0, 0.01, false);
	worker_rig_transmit(r, 1);
	m = rig_take(r->port[1].out);
	assert_non_null(m);
	rte_pktmbuf_free(m);
	assert_null(rig_take(r->port[0].out));
}

static void
a_device_that_is_not_there_is_one_sentence(void **state)
{
	struct worker_rig *r = *state;
	struct err err = {0};

	open_devices(r);
	name_device(r, 0, 0);
	snprintf(r->conf.device[1].name, sizeof(r->conf.device[1].name), "0000:03:00.1");
	assert_true(try_open(r, &err) < 0);
	assert_string_equal(err.msg,
			    "no port is '0000:03:00.1': is it bound to a driver of DPDK's?");
	assert_int_equal(err_exit_code(&err), 3);
}

/* The second port of a device that has one. */
static void
a_device_has_as_many_ports_as_it_has(void **state)
{
	struct worker_rig *r = *state;
	struct err err = {0};

	open_devices(r);
	name_device(r, 0, 0);
	name_device(r, 1, 0);
	r->conf.device[1].nth = 1;
	assert_true(try_open(r, &err) < 0);
	assert_non_null(strstr(err.msg, r->conf.device[1].name));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ports_are_in_the_order_of_eal),
		TEST(ports_are_the_devices_that_are_named),
		TEST(traffic_takes_the_devices_that_are_named),
		TEST(a_device_that_is_not_there_is_one_sentence),
		TEST(a_device_has_as_many_ports_as_it_has),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
