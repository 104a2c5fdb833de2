/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chain.h"

#define V "version: 1\n"

static void
take(const char *text)
{
	struct chain chain;
	struct err err = {0};
	char *printed;

	if (chain_parse(&chain, "c.yaml", text, strlen(text), &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(chain_check(&chain, &err), 0);
	printed = chain_print(&chain);
	assert_non_null(strstr(printed, "supervise: true"));
	free(printed);
	chain_fini(&chain);
}

static void
refuse(const char *text, const char *message)
{
	struct chain chain;
	struct err err = {0};

	assert_true(chain_parse(&chain, "c.yaml", text, strlen(text), &err) < 0);
	if (strncmp(err.msg, message, strlen(message)) != 0)
		fail_msg("expected: %s\nbut was:  %s", message, err.msg);
	assert_int_equal(err_exit_code(&err), ERR_USAGE);
	chain_fini(&chain);
}

static void
links_that_bear_it_are_taken(void **state)
{
	(void)state;
	take(V "hops: [{supervise: true}]\n");
	take(V "hops: [{kind: testpmd, supervise: true}, {supervise: true}]\n");
	take(V "hops: [testpmd, {supervise: true}]\n");
	take(V "hops: [{kind: testpmd, supervise: true}, testpmd]\nlinks: veth\n");
	take(V "hops: [{supervise: true}, nfvchain-fwd]\nlinks: [veth, vhost-user, vhost-user]\n");
	/* Only those at the hop itself count. */
	take(V "hops: [{supervise: true}, nfvchain-fwd]\nlinks: [veth, vhost-user, memif]\n");
}

static void
links_that_cannot_promise_it_are_refused_with_the_reason(void **state)
{
	(void)state;
	refuse(V "hops: [{supervise: true}]\nlinks: memif\n",
	       "c.yaml:2:20: error: 'supervise': link 0 of hop 'vnf1' is memif, whose driver can "
	       "crash the neighbour with a hop that dies and never connects again");
	refuse(V "hops: [{supervise: true}]\nlinks: [vhost-user, veth-xdp]\n",
	       "c.yaml:2:20: error: 'supervise': link 1 of hop 'vnf1' is veth-xdp, which does not "
	       "promise");
	refuse(V "hops: [{supervise: true}, {place: vm}]\n",
	       "c.yaml:2:20: error: 'supervise': link 1 of hop 'vnf1' ends in a VM");
	refuse(V "hops: [{place: vm, supervise: true}]\n",
	       "c.yaml:2:31: error: 'supervise': hop 'vnf1' is in a VM");
}

static void
neighbours_that_do_not_connect_again_are_refused(void **state)
{
	(void)state;
	refuse(V "hops: [{supervise: true}, testpmd]\n",
	       "c.yaml:2:20: error: 'supervise': hop 'vnf2' after 'vnf1' is testpmd, which does "
	       "not connect again");
	refuse(V "hops: [{supervise: true}, {args: ['--load=flows=1']}]\n",
	       "c.yaml:2:20: error: 'supervise': hop 'vnf2' after 'vnf1' has --load");
}

static void
a_model_without_a_file_is_checked_too(void **state)
{
	struct chain chain;
	struct err err = {0};

	(void)state;
	chain_default(&chain, 2);
	chain.hop[1].supervise = true;
	assert_int_equal(chain_check(&chain, &err), 0);
	chain.link[2].kind = LINK_MEMIF;
	assert_true(chain_check(&chain, &err) < 0);
	assert_non_null(strstr(err.msg, "'supervise': link 2 of hop 'vnf2' is memif"));
	chain_fini(&chain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_that_bear_it_are_taken),
		cmocka_unit_test(links_that_cannot_promise_it_are_refused_with_the_reason),
		cmocka_unit_test(neighbours_that_do_not_connect_again_are_refused),
		cmocka_unit_test(a_model_without_a_file_is_checked_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
