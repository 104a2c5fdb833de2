/* SPDX-License-Identifier: MIT */
#include "graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/mem.h"

static struct graph_stream
burst(uint32_t id, double pps, double isg_us, double length_us)
{
	return (struct graph_stream){
		.id = id,
		.enabled = true,
		.self_start = true,
		.rate = {pps, pps * 512, pps * 672},
		.isg_us = isg_us,
		.length_us = length_us,
		.next_id = -1,
	};
}

static struct graph_stream
endless(uint32_t id, double pps)
{
	struct graph_stream s = burst(id, pps, 0, 0);

	s.endless = true;
	return s;
}

static struct graph
must(const struct graph_stream *s, size_t n)
{
	struct jsonrpc_error e = {0};
	struct graph g;

	if (graph_init(&g, s, n, &e) < 0)
		fail_msg("%s", e.specific);
	return g;
}

static void
continuous_streams_add_up(void **state)
{
	const struct graph_stream s[] = {endless(1, 100), endless(2, 50)};
	struct graph g = must(s, 2);

	(void)state;
	assert_near(g.variable.pps, 150, 1e-9);
	assert_near(g.variable.bps_l2, 150 * 512, 1e-6);
	assert_near(g.variable.bps_l1, 150 * 672, 1e-6);
	assert_near(g.duration_us, -1, 0);
	assert_int_equal(g.n_events, 2);
	graph_fini(&g);
}

static void
the_peak_is_over_time(void **state)
{
	/* 100 pps in [0, 10), 70 in [5, 20), 60 in [10, 30): 170 at once, never 230. */
	const struct graph_stream s[] = {
		burst(3, 60, 10, 20),
		burst(1, 100, 0, 10),
		burst(2, 70, 5, 15),
	};
	struct graph g = must(s, 3);

	(void)state;
	assert_near(g.variable.pps, 170, 1e-9);
	assert_near(g.duration_us, 30, 1e-9);
	for (size_t i = 1; i < g.n_events; i++)
		assert_true(g.events[i - 1].time_us <= g.events[i].time_us);
	graph_fini(&g);
}

static void
a_chain_is_one_after_the_other(void **state)
{
	struct graph_stream s[] = {burst(4, 10, 10, 100), burst(5, 20, 5, 50), burst(6, 5, 0, 10)};
	struct graph g;

	(void)state;
	s[0].next_id = 5;
	s[1].next_id = 6;
	s[1].self_start = s[2].self_start = false;
	g = must(s, 3);
	assert_near(g.variable.pps, 20, 1e-9);
	assert_near(g.duration_us, 10 + 100 + 5 + 50 + 10, 1e-9);
	assert_int_equal(g.n_events, 6);
	assert_int_equal(g.events[2].stream_id, 5);
	assert_near(g.events[2].time_us, 115, 1e-9);
	graph_fini(&g);
}

static void
a_loop_has_no_end(void **state)
{
	struct graph_stream s[] = {burst(1, 10, 0, 100), burst(2, 20, 0, 50)};
	struct graph g;

	(void)state;
	s[0].next_id = 2;
	s[1].next_id = 1;
	s[1].self_start = false;
	g = must(s, 2);
	assert_near(g.duration_us, -1, 0);
	assert_int_equal(g.n_events, 4);
	graph_fini(&g);
}

static void
fixed_streams_are_apart(void **state)
{
	struct graph_stream s[] = {endless(1, 9), endless(2, 1000)};
	struct graph g;

	(void)state;
	s[1].fixed = true;
	g = must(s, 2);
	assert_near(g.variable.pps, 9, 1e-9);
	assert_near(g.fixed.pps, 1000, 1e-9);
	assert_near(graph_peak(&g, 10).pps, 1090, 1e-9);
	assert_near(graph_peak(&g, 0).bps_l2, 1000 * 512, 1e-6);
	graph_fini(&g);
}

static void
disabled_streams_do_not_count(void **state)
{
	struct graph_stream s[] = {endless(1, 9), endless(2, 1000)};
	struct graph g;

	(void)state;
	s[1].enabled = false;
	g = must(s, 2);
	assert_near(g.variable.pps, 9, 1e-9);
	graph_fini(&g);
	g = must(s, 0);
	assert_int_equal(g.n_events, 0);
	assert_near(g.duration_us, 0, 0);
	graph_fini(&g);
}

static void
a_chain_to_nowhere_is_refused(void **state)
{
	struct graph_stream s[] = {burst(1, 10, 0, 100), burst(2, 10, 0, 100)};
	struct jsonrpc_error e = {0};
	struct graph g;

	(void)state;
	s[0].next_id = 7;
	assert_true(graph_init(&g, s, 2, &e) < 0);
	assert_string_equal(e.specific, "stream id 7 does not exists");
	s[0].next_id = 2;
	s[1].enabled = false;
	assert_true(graph_init(&g, s, 2, &e) < 0);
	assert_string_equal(e.specific, "stream id 2 does not exists");
	s[0].next_id = INT64_MAX;
	assert_true(graph_init(&g, s, 2, &e) < 0);
}

/* Each of many roots leads into the same long chain: to follow them all would take for ever. */
static void
hostile_chains_are_refused(void **state)
{
	const size_t n = 20000;
	struct graph_stream *s = xcalloc(n, sizeof(*s));
	struct jsonrpc_error e = {0};
	struct graph g;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		s[i] = burst((uint32_t)i, 1, 0, 1);
		s[i].next_id = i + 1 < n ? (int64_t)i + 1 : -1;
	}
	assert_true(graph_init(&g, s, n, &e) < 0);
	assert_non_null(strstr(e.specific, "too long to follow"));
	assert_null(g.events);
	for (size_t i = 1; i < n; i++)
		s[i].self_start = false;
	g = must(s, n);
	assert_int_equal(g.n_events, 2 * n);
	graph_fini(&g);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(continuous_streams_add_up),
		cmocka_unit_test(the_peak_is_over_time),
		cmocka_unit_test(a_chain_is_one_after_the_other),
		cmocka_unit_test(a_loop_has_no_end),
		cmocka_unit_test(fixed_streams_are_apart),
		cmocka_unit_test(disabled_streams_do_not_count),
		cmocka_unit_test(a_chain_to_nowhere_is_refused),
		cmocka_unit_test(hostile_chains_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
