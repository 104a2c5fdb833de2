/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_within.h"
#include "base/mem.h"
#include "load.h"
#include "load_conf.h"

static void
parts_are_read_and_the_rest_has_defaults(void **state)
{
	struct load_conf c;
	struct err err = {0};

	(void)state;
	assert_int_equal(load_conf_parse(&c, NULL, &err), 0);
	assert_int_equal(c.flows, 0);
	assert_int_equal(load_conf_parse(&c, "flows=10k", &err), 0);
	assert_int_equal(c.flows, 10000);
	assert_int_equal(c.window, 1024);
	assert_int_equal(c.size, 64);
	assert_int_equal(load_conf_parse(&c, "window=16,size=128,random=7", &err), 0);
	assert_int_equal(c.flows, 1);
	assert_int_equal(c.window, 16);
	assert_int_equal(c.size, 128);
	assert_int_equal(c.random, 7);
}

static void
nonsense_is_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "KEY=VALUE"},	   {"64", "KEY=VALUE"},	  {"flows=0", "1 to 1000000"},
		{"flows=2m", "1000000"},   {"window=0", "1 to"},  {"size=63", "64 to 1518"},
		{"random=0", "1 to"},	   {"flow=1", "none of"}, {"flows=x", "x"},
		{"flows=1,", "KEY=VALUE"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		struct load_conf c;
		struct err err = {0};

		assert_int_equal(load_conf_parse(&c, bad[i].text, &err), -EINVAL);
		if (strstr(err.msg, bad[i].says) == NULL)
			fail_msg("'%s': %s", bad[i].text, err.msg);
	}
}

static void
flows_are_neighbours_or_drawn(void **state)
{
	struct load_conf c = {.flows = 1000};
	unsigned n_high = 0;

	(void)state;
	for (uint32_t i = 0; i < c.flows; i++)
		assert_int_equal(load_flow_number(&c, i), i);
	c.random = 1;
	for (uint32_t i = 0; i < c.flows; i++) {
		assert_int_equal(load_flow_number(&c, i), load_flow_number(&c, i));
		assert_true(load_flow_number(&c, i) < LOAD_MAX_FLOWS);
		n_high += load_flow_number(&c, i) >= LOAD_MAX_FLOWS / 2;
	}
	/* Of 1000 tosses of a coin: 500, standard deviation 16. */
	assert_within(n_high, 400, 600);
}

/* One wire brings flows in turn; a queue whose ring is full stops it. */
static void
the_wire_stops_at_the_first_full_queue(void **state)
{
	(void)state;
	/* As many flows in both: the other may be ahead by the window, and no more. */
	assert_int_equal(load_limit(0, 32, 1024, 32), 1024);
	assert_int_equal(load_limit(5000, 32, 1024, 32), 6024);
	/* A queue with a third of the flows of another gets a third of its frames. */
	assert_int_equal(load_limit(0, 48, 1024, 16), 341);
	assert_int_equal(load_limit(0, 16, 1024, 48), 3072);
	/* Ten million million frames, as many as a core forwards in a week, do not overflow. */
	assert_true(load_limit(10000000000000ull, 1, 1024, 1000000) > 10000000000000ull);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_read_and_the_rest_has_defaults),
		cmocka_unit_test(nonsense_is_refused_with_a_sentence),
		cmocka_unit_test(flows_are_neighbours_or_drawn),
		cmocka_unit_test(the_wire_stops_at_the_first_full_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
