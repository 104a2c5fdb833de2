/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/json.h"
#include "base/mem.h"

static char dir[] = "/tmp/compare_test.XXXXXX";

/* ---- exit codes ---- */

/* The class that a result ends in; 0 for success. */
static enum err_class
concluded_of(char *text, const char *said)
{
	json_t *json = json_loads(text, 0, NULL);
	struct err err = {0};
	int rc;

	assert_non_null(json);
	rc = compare_conclude(json, &err);
	assert_int_equal(rc < 0, err.class != 0);
	assert_true(said == NULL || strcmp(err.msg, said) == 0);
	json_decref(json);
	free(text);
	return err.class;
}

static enum err_class
concluded(const char *verdict, const char *asserts)
{
	return concluded_of(xasprintf("{\"comparison\": {\"verdict\": \"%s\", \"reason\": "
				      "\"so\", \"asserts\": [%s]}}",
				      verdict, asserts),
			    NULL);
}

#define HOLDS "{\"text\": \"x\", \"holds\": true, \"sentence\": \"s\"}"
#define VIOLATED "{\"text\": \"x\", \"holds\": false, \"sentence\": \"s\"}"
#define UNKNOWN "{\"text\": \"x\", \"holds\": null, \"sentence\": \"s\"}"

static void
verdict_decides_without_assertions(void **state)
{
	(void)state;
	assert_int_equal(concluded("better", ""), 0);
	assert_int_equal(concluded("equal", ""), 0);
	assert_int_equal(concluded("worse", ""), ERR_ASSERT);
	assert_int_equal(concluded("undecided", ""), ERR_INCONCLUSIVE);
}

#define SHAPE(verdict)                                                                   \
	xstrdup("{\"comparisons\": [{\"verdict\": \"better\"}, {\"verdict\": \"" verdict \
		"\", \"reason\": \"so\"}, {\"verdict\": \"worse\", \"reason\": \"too\"}]}")

static void
of_several_the_first_that_is_not_good_decides(void **state)
{
	(void)state;
	assert_int_equal(concluded_of(SHAPE("worse"), "C is worse: so"), ERR_ASSERT);
	assert_int_equal(concluded_of(SHAPE("equal"), "D is worse: too"), ERR_ASSERT);
	assert_int_equal(concluded_of(SHAPE("undecided"), "undecided: so"), ERR_INCONCLUSIVE);
}

static void
assertions_decide_alone(void **state)
{
	(void)state;
	assert_int_equal(concluded("worse", HOLDS), 0);
	assert_int_equal(concluded("undecided", HOLDS), 0);
	assert_int_equal(concluded("better", VIOLATED), ERR_ASSERT);
	assert_int_equal(concluded("better", UNKNOWN), ERR_INCONCLUSIVE);
	assert_int_equal(concluded("better", HOLDS ", " UNKNOWN), ERR_INCONCLUSIVE);
	/* What is violated is so whatever else nobody knows. */
	assert_int_equal(concluded("better", UNKNOWN ", " VIOLATED), ERR_ASSERT);
	assert_int_equal(concluded("better", VIOLATED ", " UNKNOWN), ERR_ASSERT);
}

/* ---- results ---- */

/* A result of one measurement, whose path is to be freed. */
static char *
write_result(const char *name, const char *kind, int n_found, double low, double high)
{
	char *path = xasprintf("%s/%s.json", dir, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fprintf(out,
		"{\"schema_version\": \"1.0\", \"measurements\": [{\"frames\": \"64\", \"kind\": "
		"\"%s\", \"n_found\": %d, \"rate_pps\": %g, \"rate_min_pps\": %g, "
		"\"rate_max_pps\": %g}]}",
		kind, n_found, (low + high) / 2, low, high);
	fclose(out);
	return path;
}

static void
expect_results(const char *a, const char *b, const char *verdict, double low, double high)
{
	struct compare_conf conf;
	json_t *json = NULL;
	struct err err = {0};

	compare_conf_init(&conf);
	conf.side[0] = a;
	conf.side[1] = b;
	assert_int_equal(compare_results(&conf, &json, &err), 0);
	assert_string_equal(json_string_value(json_object_get(json, "verdict")), verdict);
	if (low > 0) {
		assert_near(json_number_value(json_object_get(json, "ratio_low")), low, 1e-9);
		assert_near(json_number_value(json_object_get(json, "ratio_high")), high, 1e-9);
	} else {
		assert_true(json_is_null(json_object_get(json, "ratio_low")));
	}
	json_decref(json);
	compare_conf_fini(&conf);
}

static void
results_are_compared_by_the_widest_that_their_intervals_allow(void **state)
{
	char *fast = write_result("fast", "search", 5, 1.9e6, 2.0e6);
	char *near = write_result("near", "search", 5, 1.99e6, 2.0e6);
	char *slow = write_result("slow", "search", 5, 1.0e6, 1.1e6);
	char *once = write_result("once", "search", 1, 1.0e6, 1.0e6);
	char *fixed = write_result("fixed", "fixed", 0, 1.0e6, 1.0e6);

	(void)state;
	expect_results(fast, slow, "worse", 0.5, 1.1 / 1.9);
	expect_results(slow, fast, "better", 1.9 / 1.1, 2.0);
	expect_results(near, near, "equal", 1.99 / 2.0, 2.0 / 1.99);
	expect_results(fast, fast, "undecided", 0.95, 2.0 / 1.9);
	expect_results(fast, once, "undecided", 0, 0);
	/* A load that was set says nothing about the chain. */
	expect_results(fixed, slow, "undecided", 0, 0);
	free(fast);
	free(near);
	free(slow);
	free(once);
	free(fixed);
}

static void
what_is_a_result(void **state)
{
	char *path = write_result("one", "search", 1, 1e6, 1e6);

	(void)state;
	assert_true(compare_is_result(path));
	assert_false(compare_is_result(dir));
	assert_false(compare_is_result("/nowhere/result.json"));
	assert_false(compare_is_result("poll"));
	free(path);
}

/* ---- sides ---- */

static void
sides_by_name(void **state)
{
	struct compare_conf conf;
	struct compare_side side;
	struct err err = {0};

	(void)state;
	compare_conf_init(&conf);
	conf.lcores = 2;
	assert_int_equal(compare_side_make(&side, "testpmd", &conf, &err), 0);
	assert_int_equal(side.chain.hop[0].kind, HOP_TESTPMD);
	compare_side_fini(&side);
	assert_int_equal(compare_side_make(&side, "exec:./mine {vdev0} {vdev1}", &conf, &err), 0);
	assert_int_equal(side.chain.hop[0].kind, HOP_EXEC);
	assert_int_equal(side.chain.hop[0].lcores, 2);
	assert_string_equal(side.chain.hop[0].command, "./mine {vdev0} {vdev1}");
	compare_side_fini(&side);
	assert_int_equal(compare_side_make(&side, "testpdm", &conf, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "did you mean 'testpmd'?"));
	compare_side_fini(&side);
	assert_int_equal(compare_side_make(&side, "exec:./mine {vdev0}", &conf, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "{vdev1}"));
	compare_side_fini(&side);
	compare_conf_fini(&conf);
}

static void
a_peer_takes_the_place_of_one_hop(void **state)
{
	struct compare_conf conf;
	struct compare_side side;
	struct chain chain;
	struct err err = {0};

	(void)state;
	compare_conf_init(&conf);
	chain_default(&chain, 1);
	chain.link[0].ring = chain.link[1].ring = 512;
	chain.traffic.flows = 7;
	assert_int_equal(compare_side_replace(&side, &chain, "testpmd", &conf, &err), 0);
	assert_int_equal(side.chain.hop[0].kind, HOP_TESTPMD);
	assert_int_equal(side.chain.link[1].ring, 512);
	assert_int_equal(side.chain.traffic.flows, 7);
	compare_side_fini(&side);
	chain_fini(&chain);
	chain_default(&chain, 2);
	assert_int_equal(compare_side_replace(&side, &chain, "testpmd", &conf, &err), -EINVAL);
	compare_side_fini(&side);
	chain_fini(&chain);
	compare_conf_fini(&conf);
}

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
remove_dir(void **state)
{
	static const char *const names[] = {"fast", "near", "slow", "once", "fixed", "one"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(names); i++) {
		char *path = xasprintf("%s/%s.json", dir, names[i]);

		unlink(path);
		free(path);
	}
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdict_decides_without_assertions),
		cmocka_unit_test(of_several_the_first_that_is_not_good_decides),
		cmocka_unit_test(assertions_decide_alone),
		cmocka_unit_test(results_are_compared_by_the_widest_that_their_intervals_allow),
		cmocka_unit_test(what_is_a_result),
		cmocka_unit_test(sides_by_name),
		cmocka_unit_test(a_peer_takes_the_place_of_one_hop),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
