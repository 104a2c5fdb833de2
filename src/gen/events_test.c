/* SPDX-License-Identifier: MIT */
#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define S 1000000000ull

static int
init(void **state)
{
	*state = events_new();
	return 0;
}

static int
fini(void **state)
{
	events_free(*state);
	return 0;
}

static void
emit(struct events *ev, enum event_type type, int port, uint64_t now)
{
	events_emit(ev, type, json_pack("{s:i}", "port_id", port), now);
}

static json_int_t
number(const json_t *array, size_t i, const char *key)
{
	const json_t *e = json_array_get(array, i);

	if (json_object_get(e, key) == NULL)
		return json_integer_value(json_object_get(json_object_get(e, "data"), key));
	return json_integer_value(json_object_get(e, key));
}

/* Takes all of the session; how many, with sequence numbers that continue from 'first'. */
static size_t
take(struct events *ev, uint32_t session, json_int_t first, uint64_t now)
{
	json_t *array = events_take(ev, session, now);
	size_t n = json_array_size(array);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(number(array, i, "seq"), first + (json_int_t)i);
	json_decref(array);
	return n;
}

static void
an_unknown_session_becomes_known(void **state)
{
	struct events *ev = *state;
	json_t *array;

	emit(ev, EVENT_PORT_STARTED, 0, 0);
	assert_int_equal(take(ev, 7, 0, 0), 0);
	emit(ev, EVENT_PROFILE_STARTED, 1, 0);
	array = events_take(ev, 7, 0);
	assert_int_equal(json_array_size(array), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(array, 0), "name")),
			    "trex-event");
	assert_int_equal(number(array, 0, "type"), 10);
	assert_int_equal(number(array, 0, "port_id"), 1);
	assert_int_equal(number(array, 0, "seq"), 0);
	json_decref(array);
}

static void
each_session_counts_for_itself(void **state)
{
	struct events *ev = *state;

	events_join(ev, 1, 0);
	emit(ev, EVENT_PORT_ACQUIRED, 0, 0);
	events_join(ev, 2, 0);
	emit(ev, EVENT_PORT_ACQUIRED, 1, 0);
	assert_int_equal(take(ev, 1, 0, 0), 2);
	emit(ev, EVENT_PORT_STARTED, 1, 0);
	assert_int_equal(take(ev, 2, 0, 0), 2);
	assert_int_equal(take(ev, 1, 2, 0), 1);
	assert_int_equal(take(ev, 1, 3, 0), 0);
	emit(ev, EVENT_PORT_STOPPED, 1, 0);
	assert_int_equal(take(ev, 1, 3, 0), 1);
	assert_int_equal(take(ev, 2, 2, 0), 1);
}

/* The client ends itself when it sees a gap. */
static void
a_full_queue_leaves_no_gap(void **state)
{
	struct events *ev = *state;
	json_t *array;

	assert_int_equal(take(ev, 1, 0, 0), 0);
	emit(ev, EVENT_PORT_STARTED, 0, 0);
	assert_int_equal(take(ev, 1, 0, 0), 1);
	for (int i = 0; i < EVENTS_MAX_QUEUED + 50; i++)
		emit(ev, EVENT_PORT_STARTED, i, 0);
	array = events_take(ev, 1, 0);
	assert_int_equal(json_array_size(array), EVENTS_MAX_QUEUED);
	assert_int_equal(number(array, 0, "seq"), 1);
	assert_int_equal(number(array, 0, "port_id"), 50);
	assert_int_equal(number(array, EVENTS_MAX_QUEUED - 1, "seq"), EVENTS_MAX_QUEUED);
	assert_int_equal(number(array, EVENTS_MAX_QUEUED - 1, "port_id"), EVENTS_MAX_QUEUED + 49);
	json_decref(array);
}

static void
who_is_silent_is_forgotten(void **state)
{
	struct events *ev = *state;

	assert_int_equal(take(ev, 1, 0, 0), 0);
	assert_int_equal(take(ev, 2, 0, 0), 0);
	emit(ev, EVENT_PORT_STARTED, 0, 9 * S);
	assert_int_equal(take(ev, 2, 0, 9 * S), 1);
	assert_int_equal(events_listeners(ev, 9 * S), 2);
	assert_int_equal(events_listeners(ev, 10 * S), 1);
	emit(ev, EVENT_PORT_STOPPED, 0, 10 * S);
	assert_int_equal(take(ev, 2, 1, 11 * S), 1);
	/* Whoever comes back starts anew. */
	assert_int_equal(take(ev, 1, 0, 11 * S), 0);
	emit(ev, EVENT_PORT_STARTED, 0, 12 * S);
	assert_int_equal(take(ev, 1, 0, 12 * S), 1);
}

static void
who_only_owns_does_not_listen(void **state)
{
	struct events *ev = *state;

	events_join(ev, 5, 0);
	emit(ev, EVENT_PORT_STARTED, 0, 0);
	assert_int_equal(events_listeners(ev, 0), 0);
	assert_int_equal(events_waiting(ev, 0), 0);
	assert_int_equal(take(ev, 6, 0, 0), 0);
	assert_int_equal(events_listeners(ev, 0), 1);
	assert_int_equal(events_waiting(ev, 0), 0);
	emit(ev, EVENT_SERVER_STOPPED, 0, 0);
	assert_int_equal(events_waiting(ev, 0), 1);
	assert_int_equal(take(ev, 6, 0, 0), 1);
	assert_int_equal(events_waiting(ev, 0), 0);
	assert_int_equal(take(ev, 5, 0, 0), 2);
}

static void
many_sessions_are_bounded(void **state)
{
	struct events *ev = *state;

	for (uint32_t i = 0; i < 3 * EVENTS_MAX_SESSIONS; i++)
		events_join(ev, i, i);
	emit(ev, EVENT_PORT_STARTED, 0, 3 * EVENTS_MAX_SESSIONS);
	/* The one that was silent for longest went first. */
	assert_int_equal(take(ev, 3 * EVENTS_MAX_SESSIONS - 1, 0, 4000), 1);
	assert_int_equal(take(ev, 2 * EVENTS_MAX_SESSIONS, 0, 4000), 1);
	assert_int_equal(take(ev, 2 * EVENTS_MAX_SESSIONS - 1, 0, 4000), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_unknown_session_becomes_known, init, fini),
		cmocka_unit_test_setup_teardown(each_session_counts_for_itself, init, fini),
		cmocka_unit_test_setup_teardown(a_full_queue_leaves_no_gap, init, fini),
		cmocka_unit_test_setup_teardown(who_is_silent_is_forgotten, init, fini),
		cmocka_unit_test_setup_teardown(who_only_owns_does_not_listen, init, fini),
		cmocka_unit_test_setup_teardown(many_sessions_are_bounded, init, fini),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
