/* SPDX-License-Identifier: MIT */
#include "chain.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
engines_are_set_where_they_can_be(void **state)
{
	struct chain chain;
	struct err err;

	(void)state;
	chain_default(&chain, 2);
	chain.hop[0].kind = HOP_TESTPMD;
	assert_int_equal(chain_set_engine(&chain, "pipeline", &err), 0);
	assert_string_equal(chain.hop[1].engine, "pipeline");
	assert_int_equal(chain_set_engine(&chain, "pol", &err), -EINVAL);
	assert_string_equal(err.msg, "--engine: unknown engine 'pol' (did you mean 'poll'?)");
	chain.hop[1].kind = HOP_TESTPMD;
	assert_int_equal(chain_set_engine(&chain, "event", &err), -EINVAL);
	assert_string_equal(err.msg, "--engine: no hop of this chain is an nfvchain-fwd that could "
				     "be 'event'");
	chain_fini(&chain);
}

static void
an_argument_is_added_once_to_hops_of_ours(void **state)
{
	struct chain chain;
	struct err err;

	(void)state;
	chain_default(&chain, 2);
	chain.hop[0].kind = HOP_TESTPMD;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(chain_add_arg(&chain, "--stage-times", &err), 0);
	assert_int_equal(chain.hop[0].n_args, 0);
	assert_int_equal(chain.hop[1].n_args, 1);
	assert_string_equal(chain.hop[1].args[0], "--stage-times");
	while (chain.hop[1].n_args < CHAIN_MAX_WORDS)
		chain.hop[1].args[chain.hop[1].n_args++] = strdup("-P");
	assert_int_equal(chain_add_arg(&chain, "--period", &err), -EINVAL);
	assert_string_equal(err.msg, "hop 'vnf2' has 32 arguments, there is no room for one more");
	chain.hop[1].kind = HOP_TESTPMD;
	assert_int_equal(chain_add_arg(&chain, "--stage-times", &err), -EINVAL);
	assert_string_equal(err.msg, "no hop of this chain is an nfvchain-fwd");
	chain_fini(&chain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engines_are_set_where_they_can_be),
		cmocka_unit_test(an_argument_is_added_once_to_hops_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
