/* SPDX-License-Identifier: MIT */
#include "imix.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"

static void
imix_is_7_4_1_with_fcs(void **state)
{
	struct imix mix;
	struct err err;
	char buf[64];

	(void)state;
	/* The mean that NFVbench and TRex's imix.py put on the wire: 361.83 bytes. */
	assert_int_equal(imix_parse("imix", &mix, &err), 0);
	assert_string_equal(imix_print(buf, sizeof(buf), &mix), "64:7,594:4,1518:1");
	assert_string_equal(mix.name, "imix");
	assert_near(imix_mean_size(&mix), 4342.0 / 12, 1e-9);
	assert_int_equal(imix_max_size(&mix), 1518);
	assert_int_equal(imix_min_size(&mix), 64);
	assert_near(imix_share(&mix, 0), 7.0 / 12, 1e-12);
	assert_near(imix_share(&mix, 1), 4.0 / 12, 1e-12);
	assert_near(imix_share(&mix, 2), 1.0 / 12, 1e-12);
}

static void
one_size_is_a_mix_of_one(void **state)
{
	struct imix mix;
	struct err err;
	char buf[64];

	(void)state;
	assert_int_equal(imix_parse("9216", &mix, &err), 0);
	assert_int_equal(mix.n, 1);
	assert_near(imix_mean_size(&mix), 9216, 1e-9);
	assert_near(imix_share(&mix, 0), 1, 1e-12);
	assert_string_equal(imix_print(buf, sizeof(buf), &mix), "9216");
}

static void
tables_keep_their_order(void **state)
{
	struct imix mix, again;
	struct err err;
	char buf[IMIX_MAX * 11];

	(void)state;
	assert_int_equal(imix_parse("1518:1,64:1000,128:3", &mix, &err), 0);
	assert_string_equal(imix_print(buf, sizeof(buf), &mix), "1518:1,64:1000,128:3");
	assert_int_equal(imix_parse(buf, &again, &err), 0);
	assert_int_equal(again.n, 3);
	assert_int_equal(again.part[1].size, 64);
	assert_int_equal(again.part[1].weight, 1000);
}

static void
the_longest_table_fits(void **state)
{
	struct imix mix;
	struct err err;
	char text[256] = "";

	(void)state;
	for (unsigned i = 0; i < IMIX_MAX; i++)
		strcat(text, i > 0 ? ",9216:1000" : "9216:1000");
	assert_int_equal(imix_parse(text, &mix, &err), 0);
	assert_string_equal(mix.name, text);
	assert_int_equal(mix.n, IMIX_MAX);
	strcat(text, ",64:1");
	assert_int_equal(imix_parse(text, &mix, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "more than 16 sizes"));
}

static void
bad_mixes_say_why(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "frame size"},
		{"63", "frame size"},
		{"9217", "frame size"},
		{"64x", "frame size"},
		{"-64", "frame size"},
		{"64:1,", "'' has no weight"},
		{",64:1", "'' has no weight"},
		{"64,1518", "'64' has no weight"},
		{"64:0", "weight"},
		{"64:1001", "weight"},
		{"64:", "weight"},
		{":1", "frame size"},
		{"64:1:1", "weight"},
		{"64:99999999999999999999999999", "weight"},
		{"65600:1", "frame size"},
		{"mix", "frame size"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {0};
		struct imix mix;

		assert_int_equal(imix_parse(bad[i].text, &mix, &err), -EINVAL);
		assert_int_equal(err.class, ERR_USAGE);
		assert_non_null(strstr(err.msg, bad[i].why));
		assert_int_equal(strncmp(err.msg, "frame sizes '", 13), 0);
		assert_int_equal(mix.n, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(imix_is_7_4_1_with_fcs),
		cmocka_unit_test(one_size_is_a_mix_of_one),
		cmocka_unit_test(tables_keep_their_order),
		cmocka_unit_test(the_longest_table_fits),
		cmocka_unit_test(bad_mixes_say_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
