/* SPDX-License-Identifier: MIT */
#include "profiles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/mem.h"
#include "base/random.h"

#define FRAME60 "AAAAAQAAAAAAAgAACABFAAAuAAEAAEAROrcQAAAEMAAABAQBAAwAGgAAeHh4eHh4eHh4eHh4eHh4eHh4"

static int
init(void **state)
{
	struct profiles *ps = xcalloc(1, sizeof(*ps));

	profiles_init(ps, 1e10, 1514);
	*state = ps;
	return 0;
}

static int
fini(void **state)
{
	profiles_fini(*state);
	free(*state);
	return 0;
}

static json_t *
object(const char *mode)
{
	char text[1024];
	json_t *json;

	snprintf(text, sizeof(text),
		 "{\"packet\":{\"binary\":\"%s\",\"meta\":\"\"},\"mode\":%s,\"flow_stats\":{"
		 "\"enabled\":false},\"vm\":{\"instructions\":[]}}",
		 FRAME60, mode);
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	return json;
}

#define CONTINUOUS "{\"type\":\"continuous\",\"rate\":{\"type\":\"pps\",\"value\":10}}"
#define BURST \
	"{\"type\":\"single_burst\",\"total_pkts\":50,\"rate\":{\"type\":\"pps\",\"value\":100}}"

static struct stream *
try_add(struct profiles *ps, struct profile *p, uint32_t id, const char *mode,
	struct jsonrpc_error *e)
{
	json_t *json = object(mode);
	struct stream *s = profile_add_stream(ps, p, id, json, e);

	json_decref(json);
	return s;
}

static struct stream *
add(struct profiles *ps, struct profile *p, uint32_t id)
{
	struct jsonrpc_error e = {0};
	struct stream *s = try_add(ps, p, id, CONTINUOUS, &e);

	if (s == NULL)
		fail_msg("%s", e.specific);
	return s;
}

static void
the_default_profile_is_always_there(void **state)
{
	struct profiles *ps = *state;
	struct jsonrpc_error e = {0};

	assert_int_equal(ps->n, 1);
	assert_non_null(profiles_find(ps, "_"));
	assert_null(profiles_need(ps, "x", &e));
	assert_string_equal(e.specific, "profile_id x does not exists");
	assert_int_equal(profiles_state(ps), PROFILE_IDLE);
}

static void
streams_are_found_by_their_id(void **state)
{
	struct profiles *ps = *state;
	struct profile *p = profiles_find(ps, "_");
	struct random random;
	bool there[64] = {0};
	size_t n = 0;

	random_init(&random, 42, 0);
	for (int i = 0; i < 5000; i++) {
		uint32_t id = (uint32_t)random_below(&random, 64);

		if (there[id]) {
			profile_remove_stream(ps, p, profile_stream(p, id));
			n--;
		} else {
			add(ps, p, id);
			n++;
		}
		there[id] = !there[id];
		assert_int_equal(p->n_streams, n);
		for (uint32_t k = 0; k < 64; k++) {
			const struct stream *s = profile_stream(p, k);

			assert_int_equal(s != NULL, there[k]);
			assert_true(s == NULL || s->id == k);
		}
	}
	profile_clear(ps, p);
	assert_int_equal(ps->bytes, 0);
	assert_int_equal(p->state, PROFILE_IDLE);
	assert_null(profile_stream(p, 1));
}

static void
removing_the_last_stream_makes_it_idle(void **state)
{
	struct profiles *ps = *state;
	struct profile *p = profiles_find(ps, "_");

	add(ps, p, 5);
	assert_int_equal(p->state, PROFILE_STREAMS);
	assert_int_equal(profiles_max_stream_id(ps), 5);
	profile_remove_stream(ps, p, profile_stream(p, 5));
	assert_int_equal(p->state, PROFILE_IDLE);
	assert_int_equal(ps->bytes, 0);
}

static void
a_state_that_does_not_allow_it_is_said(void **state)
{
	struct profiles *ps = *state;
	struct profile *p = profiles_find(ps, "_");
	struct jsonrpc_error e = {0};

	assert_true(profile_check_state(p, 1u << PROFILE_STREAMS, "start", &e) < 0);
	assert_string_equal(e.specific,
			    "command 'start' cannot be executed on current state: 'IDLE on "
			    "profile_id(_).");
	p->state = PROFILE_TX;
	assert_null(try_add(ps, p, 1, CONTINUOUS, &e));
	assert_string_equal(e.specific,
			    "command 'add_stream' cannot be executed on current state: 'TX on "
			    "profile_id(_).");
	p->state = PROFILE_IDLE;
}

static void
profiles_are_bounded(void **state)
{
	struct profiles *ps = *state;
	struct jsonrpc_error e = {0};
	char id[PROFILE_MAX_ID + 2];

	for (int i = 1; i < PROFILES_MAX; i++) {
		snprintf(id, sizeof(id), "p%d", i);
		add(ps, profiles_make(ps, id, &e), 1);
	}
	assert_null(profiles_make(ps, "more", &e));
	assert_string_equal(e.specific, "more than 16 profiles on a port");
	/* Each has a slot of its own, also when one takes another's place. */
	profile_clear(ps, profiles_find(ps, "p7"));
	assert_non_null(profiles_make(ps, "more", &e));
	assert_null(profiles_find(ps, "p7"));
	for (size_t i = 0; i < ps->n; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(ps->list[i]->slot, ps->list[k]->slot);
	memset(id, 'x', sizeof(id));
	id[PROFILE_MAX_ID + 1] = '\0';
	assert_null(profiles_make(ps, id, &e));
	assert_null(profiles_make(ps, "", &e));
	assert_null(profiles_make(ps, "*", &e));
}

static void
streams_are_bounded(void **state)
{
	struct profiles *ps = *state;
	struct profile *p = profiles_find(ps, "_");
	struct jsonrpc_error e = {0};

	for (uint32_t i = 0; i < PROFILE_MAX_STREAMS; i++)
		add(ps, p, i);
	assert_null(try_add(ps, p, 20000, CONTINUOUS, &e));
	assert_string_equal(e.specific, "Reached limit of 20000 streams at the port.");
	assert_non_null(profile_stream(p, 19999));
}

static void
bytes_are_bounded(void **state)
{
	struct profiles *ps = *state;
	struct profile *p = profiles_find(ps, "_");
	struct jsonrpc_error e = {0};

	ps->bytes = PROFILES_MAX_BYTES;
	assert_null(try_add(ps, p, 1, CONTINUOUS, &e));
	assert_string_equal(e.specific,
			    "stream 1: the streams of a port take up to 256 MB together");
	ps->bytes = 0;
	ps->max_len = 59;
	assert_null(try_add(ps, p, 1, CONTINUOUS, &e));
	assert_string_equal(e.specific, "stream 1: larger than --max-frame 63 of this generator");
	assert_int_equal(p->n_streams, 0);
	assert_int_equal(ps->bytes, 0);
}

static void
knows_what_it_would_send(void **state)
{
	struct profiles *ps = *state;
	struct profile *p = profiles_find(ps, "_");
	struct jsonrpc_error e = {0};
	struct graph g;

	add(ps, p, 1);
	assert_true(profile_is_continuous(p));
	assert_non_null(try_add(ps, p, 2, BURST, &e));
	assert_false(profile_is_continuous(p));
	assert_int_equal(profile_graph(ps, p, &g, &e), 0);
	assert_near(g.variable.pps, 110, 1e-9);
	assert_near(g.variable.bps_l2, 110 * 512, 1e-6);
	assert_near(g.variable.bps_l1, 110 * 672, 1e-6);
	assert_near(g.duration_us, -1, 0);
	assert_near(g.events[g.n_events - 1].time_us, 500000, 1e-6);
	graph_fini(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_default_profile_is_always_there, init, fini),
		cmocka_unit_test_setup_teardown(streams_are_found_by_their_id, init, fini),
		cmocka_unit_test_setup_teardown(removing_the_last_stream_makes_it_idle, init, fini),
		cmocka_unit_test_setup_teardown(a_state_that_does_not_allow_it_is_said, init, fini),
		cmocka_unit_test_setup_teardown(profiles_are_bounded, init, fini),
		cmocka_unit_test_setup_teardown(streams_are_bounded, init, fini),
		cmocka_unit_test_setup_teardown(bytes_are_bounded, init, fini),
		cmocka_unit_test_setup_teardown(knows_what_it_would_send, init, fini),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
