/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/clock.h"
#include "base/mem.h"

#include "fault_order.h"
#include "faulted.h"

static struct fault_order
take(const char *text)
{
	struct fault_order order;
	struct err err = {0};

	if (fault_order_parse(&order, text, &err) < 0)
		fail_msg("%s", err.msg);
	return order;
}

static void
refuse(const char *text, const char *words)
{
	struct fault_order order;
	struct err err = {0};

	assert_true(fault_order_parse(&order, text, &err) < 0);
	if (strstr(err.msg, words) == NULL)
		fail_msg("expected: %s\nbut was:  %s", words, err.msg);
	assert_int_equal(err_exit_code(&err), ERR_USAGE);
}

static void
orders_are_read_as_written(void **state)
{
	struct fault_order order = take("kill vnf1 at 2s");
	char text[128];

	(void)state;
	assert_int_equal(order.kind, FAULT_ORDER_KILL);
	assert_string_equal(order.hop, "vnf1");
	assert_int_equal(order.at_ns, 2 * NSEC_PER_S);
	assert_int_equal(order.for_ns, 0);
	order = take("  drop vnf2 by 2.5% at 1s for 250ms ");
	assert_int_equal(order.kind, FAULT_ORDER_DROP);
	assert_near(order.amount, 0.025, 1e-12);
	assert_int_equal(order.for_ns, 250 * NSEC_PER_MS);
	assert_string_equal(fault_order_print(text, sizeof(text), &order),
			    "drop vnf2 by 2.5 % for 250 ms");
	order = take("slow a for 1s by 5k");
	assert_near(order.amount, 5000, 0);
	assert_int_equal(order.at_ns, 0);
	assert_int_equal(take("stop a at 1s").for_ns, 300 * NSEC_PER_MS);
	assert_int_equal(take("FLAP a AT 1s").kind, FAULT_ORDER_FLAP);
}

static void
what_is_no_order_is_refused_with_the_reason(void **state)
{
	(void)state;
	refuse("", "a fault is KIND HOP");
	refuse("kill", "a fault is KIND HOP");
	refuse("kill vnf1 at", "a fault is KIND HOP");
	refuse("explode vnf1", "there is no fault 'explode'");
	refuse("kill vnf1 on 2s", "'on' is none of by, at and for");
	refuse("kill vnf1 for 2s", "kill is over at once");
	refuse("kill vnf1 by 2", "kill takes no amount");
	refuse("stop vnf1 for 0s", "lasts from 1ms to 10m");
	refuse("stop vnf1 at soon", "soon");
	refuse("drop vnf1 by 200%", "is no share of the frames");
	refuse("drop vnf1 by -1", "is no share of the frames");
	refuse("slow vnf1 by 0", "1 to 10000000 cycles");
	refuse("kill abcdefghijklmnopqrstuvwxyz0123456789", "there is no hop");
	refuse("stop a at 1s for 1s at 1s for 1s at 1s for 1s", "a fault is KIND HOP");
}

static void
check(const char *text, bool memif, const char *words)
{
	static struct faulted f;
	struct chain chain;
	struct err err = {0};
	int rc;

	memset(&f, 0, sizeof(f));
	chain_default(&chain, 2);
	for (size_t i = 0; memif && i <= chain.n_hops; i++)
		chain.link[i].kind = LINK_MEMIF;
	assert_int_equal(faulted_add(&f, text, &err), 0);
	rc = faulted_check(&f, &chain, 5 * NSEC_PER_S, &err);
	if (words == NULL)
		assert_int_equal(rc, 0);
	else if (rc == 0 || strstr(err.msg, words) == NULL)
		fail_msg("expected: %s\nbut was:  %s", words, err.msg);
	/* Who is to be killed is to come back. */
	assert_true(rc < 0 || chain.hop[0].supervise == (strstr(text, "kill") != NULL));
	chain_fini(&chain);
}

static void
a_trial_takes_what_its_chain_can_bear(void **state)
{
	(void)state;
	check("kill vnf1 at 2s", false, NULL);
	check("stop vnf1 at 2s", true, NULL);
	check("kill vnf1 at 2s", true, "link 0 of hop 'vnf1' is memif");
	check("flap vnf1 at 2s", true, "link 0 is memif");
	check("kill vnf3 at 2s", false, "has no hop 'vnf3'");
	check("kill vnf1 at 5s", false, "not in the trial of 5 s");
	check("stop vnf1 at 4s for 2s", false, "not in the trial of 5 s");
}

static void
orders_are_kept_by_time(void **state)
{
	static struct faulted f;
	struct err err = {0};

	(void)state;
	assert_int_equal(faulted_add(&f, "kill b at 2s", &err), 0);
	assert_int_equal(faulted_add(&f, "kill a at 1s", &err), 0);
	assert_string_equal(f.order[0].hop, "a");
	assert_string_equal(f.order[1].hop, "b");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_are_read_as_written),
		cmocka_unit_test(what_is_no_order_is_refused_with_the_reason),
		cmocka_unit_test(a_trial_takes_what_its_chain_can_bear),
		cmocka_unit_test(orders_are_kept_by_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
