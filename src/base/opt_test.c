/* SPDX-License-Identifier: MIT */
#include "opt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mem.h"
#include "opt_man.h"
#include "rate.h"

struct conf {
	struct rate rate;
	uint32_t ports;
	uint64_t size;
	uint64_t duration;
	bool quiet;
	bool color;
	char *output;
	struct opt_list vdevs;
	uint32_t secret;
};

static const char *const modes[] = {"poll", "event", "pipeline", NULL};

static const struct opt rows[] = {
	{"rate", 'r', "RATE", "offered load", opt_set_rate, OPT_FIELD(struct conf, rate), NULL, 0},
	{"ports", 'p', "N", "number of ports", opt_set_u32, OPT_FIELD(struct conf, ports), NULL, 0},
	{"frame-size", 0, "BYTES", "bytes of each frame with its FCS, as RFC 2544 counts them",
	 opt_set_size, OPT_FIELD(struct conf, size), NULL, 0},
	{"duration", 'd', "TIME", "length of a trial", opt_set_duration,
	 OPT_FIELD(struct conf, duration), NULL, 0},
	{"quiet", 'q', NULL, "say less", opt_set_switch, OPT_FIELD(struct conf, quiet), NULL, 0},
	{"color", 'c', NULL, "use colours", opt_set_switch, OPT_FIELD(struct conf, color), NULL,
	 OPT_NEGATABLE},
	{"output", 'o', "DIR", "where results go, a directory that is made when it is missing",
	 opt_set_text, OPT_FIELD(struct conf, output), modes, OPT_NO_ENV},
	{"vdev", 0, "DEVICE", "add a device", opt_set_list, OPT_FIELD(struct conf, vdevs), NULL, 0},
	{"secret", 0, "N", "not for people", opt_set_u32, OPT_FIELD(struct conf, secret), NULL,
	 OPT_HIDDEN},
};

static const struct opt_command cmd = {
	.name = "opttest run",
	.positional = "[CHAIN]",
	.summary = "measure a chain",
	.examples = "opttest run --rate 10%\nopttest run chains/snake.yaml",
	.env_prefix = "OPTTEST",
	.opts = rows,
	.n_opts = N_ELEMS(rows),
};

static const char *const variables[] = {"OPTTEST_RATE",	 "OPTTEST_FRAME_SIZE", "OPTTEST_QUIET",
					"OPTTEST_COLOR", "OPTTEST_OUTPUT",     "OPTTEST_VDEV"};

/* One command line: what was parsed, and what came of it. */
struct line {
	char *argv[16];
	char **rest;
	int argc;
	int rc;
	struct conf conf;
	enum opt_origin origin[N_ELEMS(rows)];
	struct err err;
};

static void
parse_as(struct line *l, const struct opt_command *as, const char *text)
{
	static char copy[512];
	char *word, *save = NULL;

	memset(l, 0, sizeof(*l));
	l->conf.color = true;
	snprintf(copy, sizeof(copy), "opttest %s", text);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		l->argv[l->argc++] = word;
	l->rest = l->argv;
	l->rc = opt_parse(as, &l->argc, &l->rest, &l->conf, l->origin, &l->err);
}

static void
parse(struct line *l, const char *text)
{
	parse_as(l, &cmd, text);
}

static void
fini(struct line *l)
{
	free(l->conf.output);
	opt_list_fini(&l->conf.vdevs);
}

static void
assert_refused(const char *text, const char *why)
{
	struct line l;

	parse(&l, text);
	assert_string_equal(l.err.msg, why);
	assert_int_equal(l.rc, -EINVAL);
	assert_int_equal(l.err.class, ERR_USAGE);
	fini(&l);
}

static int
clear_env(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(variables); i++)
		unsetenv(variables[i]);
	return 0;
}

static void
a_value_is_attached_or_the_next_word(void **state)
{
	static const char *const ways[] = {"--ports=7", "--ports 7", "-p7", "-p 7", "-qp7"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(ways); i++) {
		struct line l;

		parse(&l, ways[i]);
		assert_int_equal(l.rc, 0);
		assert_int_equal(l.conf.ports, 7);
		assert_int_equal(l.argc, 0);
		fini(&l);
	}
}

static void
positionals_may_stand_anywhere(void **state)
{
	struct line l;

	(void)state;
	parse(&l, "one -q two --ports 3 - -- --ports -x");
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.argc, 5);
	assert_string_equal(l.rest[0], "one");
	assert_string_equal(l.rest[1], "two");
	assert_string_equal(l.rest[2], "-");
	assert_string_equal(l.rest[3], "--ports");
	assert_string_equal(l.rest[4], "-x");
	assert_null(l.rest[5]);
	assert_true(l.conf.quiet);
	assert_int_equal(l.conf.ports, 3);
	fini(&l);
}

static void
setters_know_their_units(void **state)
{
	struct line l;

	(void)state;
	parse(&l, "-r 1.5mpps --frame-size 9k -d 250ms -o out");
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.conf.rate.unit, RATE_PPS);
	assert_true(l.conf.rate.value == 1.5e6);
	assert_int_equal(l.conf.size, 9216);
	assert_int_equal(l.conf.duration, 250000000);
	assert_string_equal(l.conf.output, "out");
	fini(&l);
}

static void
the_last_of_repeated_flags_counts_but_lists_grow(void **state)
{
	struct line l;

	(void)state;
	parse(&l, "-o a --output=b --vdev x --vdev=y,z=1 --no-color --color --no-color");
	assert_int_equal(l.rc, 0);
	assert_string_equal(l.conf.output, "b");
	assert_int_equal(l.conf.vdevs.n, 2);
	assert_string_equal(l.conf.vdevs.items[0], "x");
	assert_string_equal(l.conf.vdevs.items[1], "y,z=1");
	assert_false(l.conf.color);
	fini(&l);
}

static void
flags_win_over_the_environment(void **state)
{
	struct line l;

	(void)state;
	setenv("OPTTEST_FRAME_SIZE", "128", 1);
	setenv("OPTTEST_RATE", "10%", 1);
	setenv("OPTTEST_VDEV", "from_env", 1);
	setenv("OPTTEST_COLOR", "no", 1);
	setenv("OPTTEST_QUIET", "", 1);
	setenv("OPTTEST_OUTPUT", "not from here", 1);
	parse(&l, "--rate 20% --vdev from_flag");
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.conf.size, 128);
	assert_true(l.conf.rate.value == 20);
	assert_int_equal(l.conf.vdevs.n, 1);
	assert_string_equal(l.conf.vdevs.items[0], "from_flag");
	assert_false(l.conf.color);
	assert_false(l.conf.quiet);
	assert_null(l.conf.output);
	assert_int_equal(l.origin[0], OPT_FLAG);
	assert_int_equal(l.origin[1], OPT_DEFAULT);
	assert_int_equal(l.origin[2], OPT_ENV);
	fini(&l);
}

static void
a_bad_value_names_where_it_came_from(void **state)
{
	struct line l;

	(void)state;
	parse(&l, "-r 10mb");
	assert_int_equal(l.rc, -EINVAL);
	assert_int_equal(l.err.class, ERR_USAGE);
	assert_ptr_equal(strstr(l.err.msg, "--rate: rate '10mb': "), l.err.msg);
	setenv("OPTTEST_RATE", "10mb", 1);
	parse(&l, "");
	assert_int_equal(l.rc, -EINVAL);
	assert_int_equal(l.err.class, ERR_USAGE);
	assert_ptr_equal(strstr(l.err.msg, "OPTTEST_RATE: rate '10mb': "), l.err.msg);
	/* What was typed just now is reported first. */
	parse(&l, "--nope");
	assert_non_null(strstr(l.err.msg, "unknown option '--nope'"));
	setenv("OPTTEST_RATE", "1%", 1);
	setenv("OPTTEST_QUIET", "maybe", 1);
	assert_refused("", "OPTTEST_QUIET: 'maybe' is neither yes nor no");
}

static int
set_never(void *field, const char *text, struct err *err)
{
	(void)field;
	return err_set(err, ERANGE, "'%s' is beyond me", text);
}

static void
any_bad_value_is_a_mistake_of_the_user(void **state)
{
	static const struct opt row = {"odd", 0, "N", "n", set_never, 0, NULL, 0};
	struct opt_command odd = cmd;
	struct line l;

	(void)state;
	odd.opts = &row;
	odd.n_opts = 1;
	parse_as(&l, &odd, "--odd 3");
	assert_int_equal(l.rc, -ERANGE);
	assert_string_equal(l.err.msg, "--odd: '3' is beyond me");
	assert_int_equal(l.err.class, ERR_USAGE);
}

static void
unknown_flags_name_the_nearest_one(void **state)
{
	(void)state;
	assert_refused("--frme-size=64",
		       "unknown option '--frme-size' (did you mean '--frame-size'?)");
	assert_refused("--no-colour", "unknown option '--no-colour' (did you mean '--no-color'?)");
	assert_refused("--hlep", "unknown option '--hlep' (did you mean '--help'?)");
	/* Hidden ones stay hidden. */
	assert_refused("--secre", "unknown option '--secre' (see --help)");
	assert_refused("-qx", "unknown option '-x' (see --help)");
	/* Names are not abbreviated, so that new ones break no script. */
	assert_refused("--du 1", "unknown option '--du' (see --help)");
}

static void
misplaced_values_are_refused(void **state)
{
	struct opt_command alone = cmd;
	struct line l;

	(void)state;
	assert_refused("--quiet=yes", "option '--quiet' takes no value");
	assert_refused("--no-color=1", "option '--no-color' takes no value");
	assert_refused("x --rate", "option '--rate' needs a value (RATE)");
	assert_refused("-d", "option '--duration' needs a value (TIME)");
	assert_refused("--no-quiet", "unknown option '--no-quiet' (see --help)");
	alone.positional = NULL;
	parse_as(&l, &alone, "-q chain.yaml");
	assert_int_equal(l.rc, -EINVAL);
	assert_string_equal(l.err.msg, "unexpected argument 'chain.yaml' (see --help)");
}

static void
keys_of_a_file_are_the_same_rows(void **state)
{
	struct conf conf = {.color = true};
	struct err err = {0};

	(void)state;
	assert_int_equal(opt_apply(&cmd, "frame_size", "1k", &conf, &err), 0);
	assert_int_equal(conf.size, 1024);
	assert_int_equal(opt_apply(&cmd, "frame-size", "64", &conf, &err), 0);
	assert_int_equal(conf.size, 64);
	assert_int_equal(opt_apply(&cmd, "color", "false", &conf, &err), 0);
	assert_false(conf.color);
	assert_int_equal(opt_apply(&cmd, "frame_siz", "64", &conf, &err), -EINVAL);
	assert_string_equal(err.msg, "unknown key 'frame_siz' (did you mean 'frame_size'?)");
	assert_int_equal(opt_apply(&cmd, "frame_size", "big", &conf, &err), -EINVAL);
	assert_ptr_equal(strstr(err.msg, "frame_size: size 'big': "), err.msg);
	assert_int_equal(err.class, ERR_USAGE);
	assert_int_equal(opt_apply(&cmd, "", "1", &conf, &err), -EINVAL);
}

/* What 'print' writes about 'cmd'; the caller frees it. */
static char *
printed(void (*print)(const struct opt_command *of, FILE *out))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print(&cmd, out);
	fclose(out);
	return text;
}

static void
help_is_aligned_and_fits_80_columns(void **state)
{
	char *text = printed(opt_help);

	(void)state;
	assert_string_equal(
		text, "measure a chain\n"
		      "\n"
		      "Usage: opttest run [OPTION]... [CHAIN]\n"
		      "\n"
		      "Examples:\n"
		      "  opttest run --rate 10%\n"
		      "  opttest run chains/snake.yaml\n"
		      "\n"
		      "Options:\n"
		      "  -r, --rate RATE         offered load\n"
		      "  -p, --ports N           number of ports\n"
		      "      --frame-size BYTES  bytes of each frame with its FCS, as RFC 2544 "
		      "counts\n"
		      "                          them\n"
		      "  -d, --duration TIME     length of a trial\n"
		      "  -q, --quiet             say less\n"
		      "  -c, --[no-]color        use colours\n"
		      "  -o, --output DIR        where results go, a directory that is made when "
		      "it is\n"
		      "                          missing (poll, event, pipeline)\n"
		      "      --vdev DEVICE       add a device\n"
		      "  -h, --help              show this text\n"
		      "\n"
		      "The environment sets them too: OPTTEST_RATE=RATE is --rate RATE.\n");
	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") < 80);
	free(text);
}

static void
help_is_printed_even_when_the_environment_is_bad(void **state)
{
	struct line l;
	FILE *out = stdout;

	(void)state;
	setenv("OPTTEST_RATE", "10mb", 1);
	stdout = fopen("/dev/null", "w");
	parse(&l, "chain --help --nope");
	fclose(stdout);
	stdout = out;
	assert_int_equal(l.rc, OPT_HELPED);
	fini(&l);
}

static void
completion_knows_flags_and_their_values(void **state)
{
	char *text = printed(opt_complete);

	(void)state;
	assert_non_null(strstr(text, "words='--rate --ports --frame-size --duration --quiet "
				     "--color --no-color --output --vdev --help'\n"));
	assert_non_null(strstr(text, "-r | --rate) kind=nothing words='' ;;\n"));
	assert_non_null(strstr(text, "-o | --output) kind=words words='poll event pipeline' ;;"));
	assert_non_null(strstr(text, "*) [[ $cur == -* ]] || kind=chains ;;\n"));
	assert_null(strstr(text, "quiet)"));
	assert_null(strstr(text, "secret"));
	free(text);
}

static void
the_manual_has_every_visible_row(void **state)
{
	char *text = printed(opt_man);

	(void)state;
	assert_non_null(strstr(text, ".TH \"OPTTEST-RUN\" 1 \"\" \"nfvchain "));
	assert_non_null(strstr(text, ".SH NAME\nopttest run \\- measure a chain\n"));
	assert_non_null(strstr(text, ".B opttest run\n[\\fIOPTION\\fR]... [CHAIN]\n"));
	assert_non_null(strstr(text, "\n.TP\n\\fB\\-r\\fR, \\fB\\-\\-rate\\fR "
				     "\\fIRATE\\fR\noffered load\n"));
	assert_non_null(strstr(text, "\\fB\\-\\-[no\\-]color\\fR\nuse colours\n"));
	assert_non_null(strstr(text, "\\fB\\-\\-frame\\-size\\fR"));
	assert_non_null(strstr(text, "missing (poll, event, pipeline)\n"));
	assert_non_null(strstr(text, ".B OPTTEST_FRAME_SIZE\n"));
	/* Has no variable. */
	assert_null(strstr(text, "OPTTEST_OUTPUT"));
	assert_null(strstr(text, "secret"));
	free(text);
}

static void
roff_sees_no_command_in_a_text(void **state)
{
	char text[128] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	opt_man_text(".so a\n'b .c\n\\d --e\n.f", out);
	fclose(out);
	assert_string_equal(text, "\\&.so a\n\\&'b .c\n\\ed \\-\\-e\n\\&.f");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_value_is_attached_or_the_next_word, clear_env),
		cmocka_unit_test_setup(positionals_may_stand_anywhere, clear_env),
		cmocka_unit_test_setup(setters_know_their_units, clear_env),
		cmocka_unit_test_setup(the_last_of_repeated_flags_counts_but_lists_grow, clear_env),
		cmocka_unit_test_setup(flags_win_over_the_environment, clear_env),
		cmocka_unit_test_setup(a_bad_value_names_where_it_came_from, clear_env),
		cmocka_unit_test_setup(any_bad_value_is_a_mistake_of_the_user, clear_env),
		cmocka_unit_test_setup(unknown_flags_name_the_nearest_one, clear_env),
		cmocka_unit_test_setup(misplaced_values_are_refused, clear_env),
		cmocka_unit_test_setup(keys_of_a_file_are_the_same_rows, clear_env),
		cmocka_unit_test_setup(help_is_aligned_and_fits_80_columns, clear_env),
		cmocka_unit_test_setup(help_is_printed_even_when_the_environment_is_bad, clear_env),
		cmocka_unit_test_setup(completion_knows_flags_and_their_values, clear_env),
		cmocka_unit_test_setup(the_manual_has_every_visible_row, clear_env),
		cmocka_unit_test(roff_sees_no_command_in_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
