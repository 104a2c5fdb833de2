/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/json.h"

#define S 1000000000ull

static void
step(struct timeline *t, uint64_t at_ns, uint64_t offered, uint64_t received)
{
	timeline_add(t, &(struct timeline_step){at_ns, offered, offered, received});
}

/* 1000 frames a second: 300 of them lost after one event, 200 after another. */
static void
build(struct timeline *t)
{
	struct timeline_event *e;

	step(t, 0, 0, 0);
	step(t, 1 * S, 1000, 995); /* five are under way */
	e = timeline_begin(t, "kill", "vnf1", "kill vnf1");
	assert_ptr_equal(timeline_open(t, "vnf1"), e);
	assert_null(timeline_open(t, "vnf2"));
	e->until_ns = 3 * S / 2;
	assert_null(timeline_open(t, "vnf1"));
	step(t, 2 * S, 2000, 1695);
	assert_non_null(timeline_begin(t, "stop", "vnf2", "stop vnf2 for 100 ms"));
	step(t, 3 * S, 3000, 2498);
}

static void
loss_belongs_to_the_event_before_it(void **state)
{
	static struct timeline t;

	(void)state;
	build(&t);
	timeline_close(&t, 1000, 505);
	assert_int_equal(t.event[0].lost, 300);
	assert_near(t.event[0].blocked_s, 0.3, 1e-12);
	assert_int_equal(t.event[1].lost, 200);
	assert_near(t.event[1].blocked_s, 0.2, 1e-12);
	/* Frames that came after all are no loss. */
	timeline_close(&t, 1000, 100);
	assert_int_equal(t.event[1].lost, 0);
	timeline_fini(&t);
}

static void
rates_are_those_of_their_interval(void **state)
{
	static struct timeline t;
	json_t *json;

	(void)state;
	build(&t);
	timeline_close(&t, 1000, 505);
	json = timeline_to_json(&t);
	assert_int_equal(json_array_size(json_object_get(json, "at_s")), 3);
	assert_near(json_number_value(json_at(json, "received_pps[1]")), 700, 1e-9);
	assert_near(json_number_value(json_at(json, "offered_pps[1]")), 1000, 1e-9);
	assert_near(json_number_value(json_at(json, "events[0].until_s")), 1.5, 1e-12);
	assert_true(json_is_null(json_at(json, "events[1].until_s")));
	assert_near(json_number_value(json_at(json, "blocked_max_s")), 0.3, 1e-12);
	json_decref(json);
	timeline_fini(&t);
}

static void
without_events_nothing_is_blocked(void **state)
{
	static struct timeline t;
	json_t *json;

	(void)state;
	step(&t, 0, 0, 0);
	step(&t, S, 1000, 1000);
	timeline_close(&t, 1000, 0);
	json = timeline_to_json(&t);
	assert_int_equal(json_array_size(json_object_get(json, "events")), 0);
	assert_true(json_is_null(json_object_get(json, "blocked_max_s")));
	json_decref(json);
	timeline_fini(&t);
	memset(&t, 0, sizeof(t));
	for (size_t i = 0; i < TIMELINE_MAX_EVENTS; i++)
		assert_non_null(timeline_begin(&t, "kill", "a", "kill a"));
	assert_null(timeline_begin(&t, "kill", "a", "kill a"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loss_belongs_to_the_event_before_it),
		cmocka_unit_test(rates_are_those_of_their_interval),
		cmocka_unit_test(without_events_nothing_is_blocked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
