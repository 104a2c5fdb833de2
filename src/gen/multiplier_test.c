/* SPDX-License-Identifier: MIT */
#include "multiplier.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/assert_near.h"

/* One frame of 64 bytes a second that follows the multiplier, and one that does not. */
static const struct graph one_of_each = {
	.variable = {1, 512, 672},
	.fixed = {1, 512, 672},
};
static const struct graph variable_only = {.variable = {1, 512, 672}};
static const struct graph fixed_only = {.fixed = {1, 512, 672}};
static const struct multiplier_link ten_gbps = {.speed_bps = 1e10, .current = 4};

static double
factor_of(const struct graph *g, enum multiplier_type type, enum multiplier_op op, double value)
{
	const struct multiplier m = {type, op, value};
	struct jsonrpc_error e = {0};
	double factor = NAN;

	if (multiplier_factor(&m, g, &ten_gbps, &factor, &e) < 0)
		fail_msg("%s", e.specific);
	return factor;
}

static void
assert_refused(const struct graph *g, const struct multiplier_link *link,
	       const struct multiplier *m, const char *sentence)
{
	struct jsonrpc_error e = {0};
	double factor;

	assert_true(multiplier_factor(m, g, link, &factor, &e) < 0);
	assert_string_equal(e.specific, sentence);
}

static void
a_rate_is_what_the_streams_become_together(void **state)
{
	(void)state;
	assert_near(factor_of(&variable_only, MULTIPLIER_BPS, MULTIPLIER_ABS, 1e8), 195312.5, 1e-6);
	assert_near(factor_of(&variable_only, MULTIPLIER_BPSL1, MULTIPLIER_ABS, 672e3), 1000, 1e-6);
	assert_near(factor_of(&variable_only, MULTIPLIER_PPS, MULTIPLIER_ABS, 50000), 50000, 1e-6);
	assert_near(factor_of(&variable_only, MULTIPLIER_RAW, MULTIPLIER_ABS, 2.5), 2.5, 0);
	assert_near(factor_of(&variable_only, MULTIPLIER_PERCENTAGE, MULTIPLIER_ABS, 100),
		    1e10 / 672, 1e-3);
}

static void
what_is_fixed_is_taken_off_first(void **state)
{
	const struct multiplier low = {MULTIPLIER_PPS, MULTIPLIER_ABS, 0.5};
	const struct multiplier low_l2 = {MULTIPLIER_BPS, MULTIPLIER_ABS, 100};
	const struct multiplier low_l1 = {MULTIPLIER_BPSL1, MULTIPLIER_ABS, 100};

	(void)state;
	assert_near(factor_of(&one_of_each, MULTIPLIER_PPS, MULTIPLIER_ABS, 10), 9, 1e-12);
	assert_refused(&one_of_each, &ten_gbps, &low,
		       "current stream configuration enforces a minimum rate of '1' pps");
	assert_refused(&one_of_each, &ten_gbps, &low_l2,
		       "current stream configuration enforces a minimum rate of '512' BPS L2");
	assert_refused(&one_of_each, &ten_gbps, &low_l1,
		       "current stream configuration enforces a minimum rate of '672' BPS L1");
}

static void
where_nothing_varies_the_factor_is_1(void **state)
{
	(void)state;
	assert_near(factor_of(&fixed_only, MULTIPLIER_PPS, MULTIPLIER_ABS, 1), 1, 0);
	assert_near(factor_of(&fixed_only, MULTIPLIER_PPS, MULTIPLIER_ABS, 1e6), 1, 0);
}

static void
an_update_adds_and_takes_off(void **state)
{
	const struct multiplier all = {MULTIPLIER_RAW, MULTIPLIER_SUB, 4};

	(void)state;
	assert_near(factor_of(&variable_only, MULTIPLIER_RAW, MULTIPLIER_ADD, 3), 7, 1e-12);
	assert_near(factor_of(&variable_only, MULTIPLIER_PPS, MULTIPLIER_SUB, 1), 3, 1e-12);
	assert_near(factor_of(&variable_only, MULTIPLIER_PERCENTAGE, MULTIPLIER_ADD, 50), 6, 1e-12);
	assert_refused(&variable_only, &ten_gbps, &all,
		       "Update request will lower traffic to less than zero");
}

static void
the_link_is_a_limit_unless_forced(void **state)
{
	struct multiplier m = {MULTIPLIER_BPSL1, MULTIPLIER_ABS, 2e11};
	struct multiplier_link link = {.speed_bps = 1e11};
	struct jsonrpc_error e = {0};
	double factor;

	(void)state;
	assert_refused(&variable_only, &link, &m,
		       "Expected L1 B/W: '200 Gbps' exceeds port line rate: '100 Gbps'");
	link.force = true;
	assert_int_equal(multiplier_factor(&m, &variable_only, &link, &factor, &e), 0);
	assert_near(factor, 2e11 / 672, 1);
	/* What may be rounding is brought down to the link. */
	link.force = false;
	m.value = 1e11 * 1.00005;
	assert_int_equal(multiplier_factor(&m, &one_of_each, &link, &factor, &e), 0);
	assert_near(graph_peak(&one_of_each, factor).bps_l1, 1e11, 1);
}

static void
an_update_may_not_add_up_to_more_than_the_link(void **state)
{
	const struct multiplier m = {MULTIPLIER_BPSL1, MULTIPLIER_ADD, 6e9};
	const struct multiplier_link link = {.speed_bps = 1e10, .current = 6e9 / 672};

	(void)state;
	assert_refused(&variable_only, &link, &m,
		       "Expected L1 B/W: '12 Gbps' exceeds port line rate: '10 Gbps'");
}

static void
percent_of_an_unknown_speed_is_refused(void **state)
{
	const struct multiplier m = {MULTIPLIER_PERCENTAGE, MULTIPLIER_ABS, 50};
	const struct multiplier_link link = {.speed_bps = 0};

	(void)state;
	assert_refused(&variable_only, &link, &m,
		       "Effective bandwidth is zero, this means that your dpdk driver does not "
		       "know the link throughput (virtual), please use absolute bandwidth  0");
}

static void
nonsense_never_becomes_a_factor(void **state)
{
	static const struct graph nothing;
	const double values[] = {0, -1, 1e308, -1e308};

	(void)state;
	for (int type = MULTIPLIER_RAW; type <= MULTIPLIER_PERCENTAGE; type++)
		for (int op = MULTIPLIER_ABS; op <= MULTIPLIER_SUB; op++)
			for (unsigned i = 0; i < 4; i++) {
				const struct multiplier m = {(enum multiplier_type)type,
							     (enum multiplier_op)op, values[i]};
				const struct graph *graphs[] = {&nothing, &variable_only,
								&fixed_only, &one_of_each};

				for (unsigned k = 0; k < 8; k++) {
					const struct multiplier_link link = {1e10, 1, k >= 4};
					struct jsonrpc_error e = {0};
					double factor;

					if (multiplier_factor(&m, graphs[k % 4], &link, &factor,
							      &e) == 0)
						assert_true(isfinite(factor) && factor > 0);
					else
						assert_true(e.specific[0] != '\0');
				}
			}
}

static int
parse(bool start, const char *text, struct multiplier *m, struct jsonrpc_error *e)
{
	json_t *params = json_loads(text, 0, NULL);
	int rc;

	assert_non_null(params);
	*e = (struct jsonrpc_error){0};
	rc = start ? multiplier_parse_start(m, params, e) : multiplier_parse(m, params, e);
	json_decref(params);
	return rc;
}

static void
reads_what_clients_send(void **state)
{
	struct jsonrpc_error e;
	struct multiplier m;

	(void)state;
	assert_int_equal(
		parse(false, "{\"mul\":{\"type\":\"bps\",\"value\":1e8,\"op\":\"sub\"}}", &m, &e),
		0);
	assert_int_equal(m.type, MULTIPLIER_BPS);
	assert_int_equal(m.op, MULTIPLIER_SUB);
	assert_near(m.value, 1e8, 0);
	assert_int_equal(parse(true,
			       "{\"mul\":{\"type\":\"percentage\",\"value\":5,\"op\":\"abs\"}}", &m,
			       &e),
			 0);
	assert_int_equal(m.type, MULTIPLIER_PERCENTAGE);
}

static void
bad_multipliers_say_why(void **state)
{
	static const struct {
		const char *text, *sentence;
	} bad[] = {
		{"{}", "parameter 'mul' must be an object"},
		{"{\"mul\":7}", "parameter 'mul' must be an object"},
		{"{\"mul\":{\"type\":\"kbps\",\"op\":\"abs\",\"value\":1}}",
		 "mul: unknown type 'kbps'"},
		{"{\"mul\":{\"type\":\"raw\",\"op\":\"mul\",\"value\":1}}",
		 "mul: unknown op 'mul'"},
		{"{\"mul\":{\"type\":\"raw\",\"op\":\"abs\"}}", "parameter 'value' is missing"},
		{"{\"mul\":{\"type\":\"raw\",\"op\":\"abs\",\"value\":0}}",
		 "multiplier can't be zero"},
		{"{\"mul\":{\"type\":\"raw\",\"op\":\"abs\",\"value\":-3}}",
		 "mul: the value is negative"},
		{"{\"mul\":{\"type\":\"raw\",\"op\":\"add\",\"value\":3}}",
		 "start message can only specify absolute speed rate"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct jsonrpc_error e;
		struct multiplier m;

		assert_true(parse(true, bad[i].text, &m, &e) < 0);
		assert_string_equal(e.specific, bad[i].sentence);
		assert_int_equal(e.code, JSONRPC_PARAMS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_is_what_the_streams_become_together),
		cmocka_unit_test(what_is_fixed_is_taken_off_first),
		cmocka_unit_test(where_nothing_varies_the_factor_is_1),
		cmocka_unit_test(an_update_adds_and_takes_off),
		cmocka_unit_test(the_link_is_a_limit_unless_forced),
		cmocka_unit_test(an_update_may_not_add_up_to_more_than_the_link),
		cmocka_unit_test(percent_of_an_unknown_speed_is_refused),
		cmocka_unit_test(nonsense_never_becomes_a_factor),
		cmocka_unit_test(reads_what_clients_send),
		cmocka_unit_test(bad_multipliers_say_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
