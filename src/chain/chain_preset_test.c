/* SPDX-License-Identifier: MIT */
#include "chain.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
names_of_the_field_are_chains(void **state)
{
	struct err err = {0};
	struct chain c;

	(void)state;
	assert_int_equal(chain_open(&c, "snake", &err), 0);
	assert_string_equal(c.name, "snake");
	assert_int_equal(c.n_hops, 1);
	assert_int_equal(c.hop[0].place, PLACE_PROCESS);
	chain_fini(&c);
	assert_int_equal(chain_open(&c, "pvp", &err), 0);
	assert_string_equal(c.name, "pvp");
	assert_int_equal(c.n_hops, 1);
	assert_int_equal(c.hop[0].place, PLACE_VM);
	assert_int_equal(c.generator.place, PLACE_PROCESS);
	assert_int_equal(c.link[1].kind, LINK_VHOST_USER);
	assert_int_equal(c.link[1].ring, 1024);
	chain_fini(&c);
	assert_int_equal(chain_open(&c, "pvvp", &err), 0);
	assert_int_equal(c.n_hops, 2);
	assert_int_equal(c.link[0].kind, LINK_VHOST_USER);
	assert_int_equal(c.link[1].kind, LINK_STREAM);
	assert_int_equal(c.link[2].kind, LINK_VHOST_USER);
	chain_fini(&c);
}

static void
others_are_files(void **state)
{
	struct err err = {0};
	struct chain c;

	(void)state;
	assert_int_equal(chain_open(&c, "bidirectional", &err), -EINVAL);
	assert_string_equal(err.msg, "chain 'bidirectional' is not built yet (snake, pvp and pvvp "
				     "are)");
	chain_fini(&c);
	assert_true(chain_open(&c, "./pvp", &err) < 0);
	chain_fini(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_the_field_are_chains),
		cmocka_unit_test(others_are_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
