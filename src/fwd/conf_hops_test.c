/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf_hops.h"

#define MAX_WORDS 64

static struct fwd_confs confs;

static int
parse(const char *text, struct err *err)
{
	char *copy = xstrdup(text), *save = NULL, *argv[MAX_WORDS] = {NULL};
	int argc = 0, rc;

	memset(err, 0, sizeof(*err));
	for (char *word = strtok_r(copy, " ", &save); word != NULL && argc < MAX_WORDS - 1;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	rc = fwd_confs_parse(&confs, "nfvchain-fwd", argc, argv, err);
	free(copy);
	return rc;
}

static void
without_hop_there_is_one(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(parse("-- --burst 64", &err), 0);
	assert_int_equal(confs.n, 1);
	assert_int_equal(confs.hop[0].burst, 64);
	assert_null(confs.hop[0].hop);
	assert_false(confs.hop[0].in_row);
	fwd_confs_fini(&confs);
	assert_int_equal(parse("-- --hop a", &err), 0);
	assert_string_equal(confs.hop[0].hop, "a");
	assert_false(confs.hop[0].in_row);
	fwd_confs_fini(&confs);
}

static void
what_comes_before_the_first_is_everyones(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(parse("-- --burst 64 --lifeline 7 --hop a --nf wire --hop=b --burst 8 "
			       "--engine pipeline --control /c",
			       &err),
			 0);
	assert_int_equal(confs.n, 2);
	assert_string_equal(confs.hop[0].hop, "a");
	assert_int_equal(confs.hop[0].burst, 64);
	assert_int_equal(confs.hop[0].nf.n, 1);
	assert_string_equal(confs.hop[0].engine, "poll");
	assert_null(confs.hop[0].control);
	assert_string_equal(confs.hop[1].hop, "b");
	assert_int_equal(confs.hop[1].burst, 8);
	assert_int_equal(confs.hop[1].nf.n, 0);
	assert_string_equal(confs.hop[1].engine, "pipeline");
	assert_string_equal(confs.hop[1].control, "/c");
	/* It has an event device to itself. */
	assert_string_equal(confs.hop[1].event_dev, "event_sw1");
	assert_int_equal(fwd_confs_lifeline(&confs), 7);
	fwd_confs_fini(&confs);
	/* Whoever starts the program may put it at the end. */
	assert_int_equal(parse("-- --hop a --hop b --lifeline 9", &err), 0);
	assert_int_equal(fwd_confs_lifeline(&confs), 9);
	fwd_confs_fini(&confs);
}

static void
neighbours_address_each_other(void **state)
{
	const uint8_t given[6] = {2, 0, 0, 0, 0, 0x77};
	struct err err;

	(void)state;
	assert_int_equal(parse("-- --hop a --hop b --eth-addr 0,02:00:00:00:00:77 --hop c", &err),
			 0);
	assert_memory_equal(confs.hop[0].dest[1].mac, given, 6);
	assert_memory_equal(confs.hop[1].dest[0].mac, confs.hop[0].addr[1].mac, 6);
	assert_memory_equal(confs.hop[1].dest[1].mac, confs.hop[2].addr[0].mac, 6);
	assert_memory_not_equal(confs.hop[2].addr[0].mac, confs.hop[0].addr[1].mac, 6);
	/* The outer ends are the devices'. */
	assert_false(confs.hop[0].addr[0].set);
	assert_false(confs.hop[2].dest[1].set);
	fwd_confs_fini(&confs);
}

static void
what_a_row_cannot_have_is_refused(void **state)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{"-- --hop a --hop a", "--hop: two hops are named 'a'"},
		{"-- --hop a --adapters --engine event --hop b",
		 "--adapters: not for a hop that shares its process (--hop)"},
		{"-- --packets 5 --hop a --hop b",
		 "--packets: not for a hop that shares its process (--hop)"},
		{"-- --control /x --hop a --hop b",
		 "--control: hops a and b would listen at the same path; each needs its own, "
		 "behind its --hop"},
		{"-- --hop a --hop b --max-frame 9000",
		 "--max-frame: hops a and b share their buffers, and so their largest frame; set "
		 "it before the first --hop"},
		{"-- --engine event --event-dev event_sw0 --hop a --hop b",
		 "--event-dev: hops a and b cannot share event_sw0"},
		{"-- --hop a --hop-ring 8", "--hop-ring: 8 is not within 32 to 32768"},
		{"-- --hop a --hop b --burst 0", "--burst: 0 is not within 1 to 256"},
		{"-- --hop 1 --hop 2 --hop 3 --hop 4 --hop 5 --hop 6 --hop 7 --hop 8 --hop 9 --hop "
		 "10 --hop 11 --hop 12 --hop 13 --hop 14 --hop 15 --hop 16 --hop 17",
		 "--hop: more than 16 hops"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct err err;

		assert_int_equal(parse(cases[i].line, &err), -EINVAL);
		assert_string_equal(err.msg, cases[i].why);
		fwd_confs_fini(&confs);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_hop_there_is_one),
		cmocka_unit_test(what_comes_before_the_first_is_everyones),
		cmocka_unit_test(neighbours_address_each_other),
		cmocka_unit_test(what_a_row_cannot_have_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
