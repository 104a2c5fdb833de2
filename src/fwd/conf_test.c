/* SPDX-License-Identifier: MIT */
#include "conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static const uint8_t trex_mac[6] = {0x52, 0x54, 0x00, 0xf0, 0x6d, 0xaa};

/* Splits at spaces; argv[0] is the "--" that stands for the program's name. */
static int
parse(struct fwd_conf *conf, const char *line, struct err *err)
{
	char *copy = xasprintf("-- %s", line), *save = NULL;
	char *argv[64];
	int argc = 0, rc;

	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	*err = (struct err){0};
	fwd_conf_init(conf);
	rc = fwd_conf_parse(conf, NULL, argc, argv, err);
	free(copy);
	return rc;
}

static void
parse_ok(struct fwd_conf *conf, const char *line)
{
	struct err err;

	if (parse(conf, line, &err) != 0)
		fail_msg("'%s': %s", line, err.msg);
}

static void
assert_refused(const char *line, const char *why)
{
	struct fwd_conf conf;
	struct err err;

	assert_int_equal(parse(&conf, line, &err), -EINVAL);
	assert_int_equal(err.class, ERR_USAGE);
	assert_string_equal(err.msg, why);
	fwd_conf_fini(&conf);
}

static int
clear_env(void **state)
{
	(void)state;
	for (size_t i = 0; i < fwd_command.n_opts; i++) {
		char *name = xasprintf("NFVCHAIN_%s", fwd_command.opts[i].name);

		for (char *p = name; *p != '\0'; p++)
			*p = *p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
		unsetenv(name);
		free(name);
	}
	return 0;
}

static void
everything_has_a_default(void **state)
{
	struct fwd_conf conf;

	(void)state;
	parse_ok(&conf, "");
	assert_string_equal(conf.engine, "poll");
	assert_int_equal(conf.nf.n, 0);
	assert_int_equal(conf.portmask, 0);
	assert_null(conf.portmap);
	assert_int_equal(conf.burst, 32);
	assert_int_equal(conf.max_frame, 1518);
	assert_int_equal(conf.period_ns, 0);
	assert_true(conf.mac_updating);
	assert_false(conf.promiscuous);
	assert_int_equal(conf.on_full, ON_FULL_HOLD);
	assert_int_equal(conf.hold_ns, 10000000);
	assert_int_equal(conf.idle, IDLE_AUTO);
	assert_int_equal(conf.lifeline, -1);
	for (unsigned i = 0; i < PROGRAM_MAX_PORTS; i++) {
		assert_false(conf.dest[i].set);
		assert_false(conf.addr[i].set);
	}
	fwd_conf_fini(&conf);
}

static void
the_reference_polling_line_is_understood(void **state)
{
	struct fwd_conf conf;

	(void)state;
	/* dpdk-l2fwd -l 0-1 -n 4 -- -p 0x3 -T 1 */
	parse_ok(&conf, "-p 0x3 -T 1");
	assert_int_equal(conf.portmask, 3);
	assert_int_equal(conf.period_ns, 1000000000);
	fwd_conf_fini(&conf);
}

static void
l2fwd_spellings_are_understood(void **state)
{
	struct fwd_conf conf;

	(void)state;
	parse_ok(&conf, "-p f -q 2 -P -T 0 --no-mac-updating --portmap (0,2)(1,3)");
	assert_int_equal(conf.portmask, 0xf);
	assert_int_equal(conf.queues_per_lcore, 2);
	assert_true(conf.promiscuous);
	assert_int_equal(conf.period_ns, 0);
	assert_false(conf.mac_updating);
	assert_string_equal(conf.portmap, "(0,2)(1,3)");
	fwd_conf_fini(&conf);
	parse_ok(&conf, "-p10 --mac-updating -T10");
	assert_int_equal(conf.portmask, 0x10);
	assert_true(conf.mac_updating);
	assert_int_equal(conf.period_ns, 10000000000ull);
	fwd_conf_fini(&conf);
}

static void
a_destination_comes_by_flag(void **state)
{
	static const char *const lines[] = {
		"--eth-dest=1,52:54:00:f0:6d:aa",
		"--eth-dest 1,52:54:00:f0:6d:aa",
		"--eth-dest 1=52:54:00:F0:6D:AA",
		"--eth-dest 1,02:00:00:00:00:01 --eth-dest 1,52:54:00:f0:6d:aa",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(lines); i++) {
		struct fwd_conf conf;

		parse_ok(&conf, lines[i]);
		assert_true(conf.dest[1].set);
		assert_memory_equal(conf.dest[1].mac, trex_mac, 6);
		assert_false(conf.dest[0].set);
		assert_false(conf.addr[1].set);
		fwd_conf_fini(&conf);
	}
}

static void
a_destination_comes_by_environment(void **state)
{
	struct fwd_conf conf;

	(void)state;
	/* The reference's line, byte for byte, has no room for it. */
	setenv("NFVCHAIN_ETH_DEST", "1=52:54:00:f0:6d:aa", 1);
	parse_ok(&conf, "-p 0x3 -T 1");
	assert_true(conf.dest[1].set);
	assert_memory_equal(conf.dest[1].mac, trex_mac, 6);
	assert_false(conf.dest[0].set);
	fwd_conf_fini(&conf);

	setenv("NFVCHAIN_ETH_DEST", "0=02:00:00:00:00:01;1=52:54:00:f0:6d:aa", 1);
	setenv("NFVCHAIN_ETH_ADDR", "0=02:00:00:00:01:00 1=02:00:00:00:01:01", 1);
	parse_ok(&conf, "");
	assert_int_equal(conf.dest[0].mac[5], 1);
	assert_memory_equal(conf.dest[1].mac, trex_mac, 6);
	assert_int_equal(conf.addr[0].mac[4], 1);
	assert_int_equal(conf.addr[1].mac[5], 1);
	fwd_conf_fini(&conf);

	setenv("NFVCHAIN_ETH_DEST", "", 1);
	parse_ok(&conf, "");
	assert_false(conf.dest[1].set);
	fwd_conf_fini(&conf);
}

static void
flags_win_over_the_environment(void **state)
{
	struct fwd_conf conf;

	(void)state;
	setenv("NFVCHAIN_ETH_DEST", "0=02:00:00:00:00:01;1=02:00:00:00:00:02", 1);
	setenv("NFVCHAIN_BURST", "64", 1);
	parse_ok(&conf, "--eth-dest 1,52:54:00:f0:6d:aa -b 16");
	assert_memory_equal(conf.dest[1].mac, trex_mac, 6);
	assert_int_equal(conf.dest[0].mac[5], 1);
	assert_int_equal(conf.burst, 16);
	fwd_conf_fini(&conf);
}

static void
settings_have_their_units(void **state)
{
	struct fwd_conf conf;

	(void)state;
	parse_ok(&conf, "--on-full drop --hold 250us --idle yield --drain 1s --max-frame 9216 "
			"--rxq 4 --rxd 512 --txd 256 --nf wire --nf ./mine.so:key=1 --lifeline 7 "
			"--control /run/x --json --dry-run");
	assert_int_equal(conf.on_full, ON_FULL_DROP);
	assert_int_equal(conf.hold_ns, 250000);
	assert_int_equal(conf.idle, IDLE_YIELD);
	assert_int_equal(conf.drain_ns, 1000000000);
	assert_int_equal(conf.max_frame, 9216);
	assert_int_equal(conf.rxq, 4);
	assert_int_equal(conf.rxd, 512);
	assert_int_equal(conf.txd, 256);
	assert_int_equal(conf.nf.n, 2);
	assert_string_equal(conf.nf.items[1], "./mine.so:key=1");
	assert_int_equal(conf.lifeline, 7);
	assert_string_equal(conf.control, "/run/x");
	assert_true(conf.json);
	assert_true(conf.dry_run);
	fwd_conf_fini(&conf);
}

/* Each in one sentence that names the flag and quotes the value. */
static void
bad_values_say_why(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{"-p 0", "--portmask: '0' is not a mask of ports 0 to 15 (try 0x3)"},
		{"-p 0x", "--portmask: '0x' is not a mask of ports 0 to 15 (try 0x3)"},
		{"-p xyz", "--portmask: 'xyz' is not a mask of ports 0 to 15 (try 0x3)"},
		{"-p -1", "--portmask: '-1' is not a mask of ports 0 to 15 (try 0x3)"},
		{"-p 0x10000", "--portmask: '0x10000' is not a mask of ports 0 to 15 (try 0x3)"},
		{"-p 0x3,4", "--portmask: '0x3,4' is not a mask of ports 0 to 15 (try 0x3)"},
		{"-p 0x1ffffffffffffffff",
		 "--portmask: '0x1ffffffffffffffff' is not a mask of ports 0 to 15 (try 0x3)"},
		{"--on-full wait", "--on-full: 'wait' is neither 'hold' nor 'drop'"},
		{"--on-full h", "--on-full: 'h' is neither 'hold' nor 'drop'"},
		{"--idle busy", "--idle: 'busy' is none of auto, spin, yield, sleep"},
		{"--eth-dest 1", "--eth-dest: '1' is not PORT,MAC (try 1,02:00:00:00:00:01)"},
		{"--eth-dest ;", "--eth-dest: ';' is not PORT,MAC (try 1,02:00:00:00:00:01)"},
		{"--engine x", "--engine: 'x' is none of poll, event, pipeline"},
		{"-b 0", "--burst: 0 is not within 1 to 256"},
		{"-b 257", "--burst: 257 is not within 1 to 256"},
		{"--rxq 0", "--rxq: 0 is not within 1 to 16"},
		{"--rxq 17", "--rxq: 17 is not within 1 to 16"},
		{"--rxd 31", "--rxd, --txd: descriptors are 32 to 32768 per queue"},
		{"--txd 32769", "--rxd, --txd: descriptors are 32 to 32768 per queue"},
		{"--max-frame 63", "--max-frame: frames are 64 to 9216 bytes with FCS"},
		{"--max-frame 9217", "--max-frame: frames are 64 to 9216 bytes with FCS"},
		{"--nf a --nf a --nf a --nf a --nf a --nf a --nf a --nf a --nf a --nf a --nf a "
		 "--nf a --nf a --nf a --nf a --nf a --nf a",
		 "--nf: at most 16 functions in a row"},
		{"-p 0x3 extra", "unexpected argument 'extra' (see --help)"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_refused(bad[i].line, bad[i].why);
}

static void
other_bad_values_name_flag_and_value(void **state)
{
	static const struct {
		const char *line, *flag, *value;
	} bad[] = {
		{"--eth-dest 16,02:00:00:00:00:01", "--eth-dest", "16"},
		{"--eth-dest x,02:00:00:00:00:01", "--eth-dest", "x"},
		{"--eth-dest -1,02:00:00:00:00:01", "--eth-dest", "-1"},
		{"--eth-dest 1,02:00:00:00:00", "--eth-dest", "02:00:00:00:00"},
		{"--eth-dest 1,02:00:00:00:00:0g", "--eth-dest", "02:00:00:00:00:0g"},
		{"--eth-addr 1,", "--eth-addr", "''"},
		{"-T soon", "--period", "soon"},
		{"-T -1", "--period", "-1"},
		{"--hold 5parsec", "--hold", "5parsec"},
		{"-q many", "--queues-per-lcore", "many"},
		{"--lifeline -1", "--lifeline", "-1"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		struct fwd_conf conf;
		struct err err;

		assert_int_equal(parse(&conf, bad[i].line, &err), -EINVAL);
		assert_int_equal(err.class, ERR_USAGE);
		assert_int_equal(strncmp(err.msg, bad[i].flag, strlen(bad[i].flag)), 0);
		assert_non_null(strstr(err.msg, bad[i].value));
		assert_null(strchr(err.msg, '\n'));
		fwd_conf_fini(&conf);
	}
}

static void
a_bad_environment_names_its_variable(void **state)
{
	struct fwd_conf conf;
	struct err err;

	(void)state;
	setenv("NFVCHAIN_ETH_DEST", "1=52:54:00:f0:6d", 1);
	assert_int_equal(parse(&conf, "-p 0x3 -T 1", &err), -EINVAL);
	assert_int_equal(strncmp(err.msg, "NFVCHAIN_ETH_DEST", 17), 0);
	fwd_conf_fini(&conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(everything_has_a_default, clear_env),
		cmocka_unit_test_setup(the_reference_polling_line_is_understood, clear_env),
		cmocka_unit_test_setup(l2fwd_spellings_are_understood, clear_env),
		cmocka_unit_test_setup(a_destination_comes_by_flag, clear_env),
		cmocka_unit_test_setup(a_destination_comes_by_environment, clear_env),
		cmocka_unit_test_setup(flags_win_over_the_environment, clear_env),
		cmocka_unit_test_setup(settings_have_their_units, clear_env),
		cmocka_unit_test_setup(bad_values_say_why, clear_env),
		cmocka_unit_test_setup(other_bad_values_name_flag_and_value, clear_env),
		cmocka_unit_test_setup(a_bad_environment_names_its_variable, clear_env),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
