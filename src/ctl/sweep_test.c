/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"
#include "base/mem.h"
#include "sweep_run.h"

/* What a sweep is asked for, and the command lines that come of it. */

static int
parse(struct sweep_conf *conf, const char *line, unsigned n_cpus, struct err *err)
{
	char *copy = xasprintf("sweep %s", line), *save = NULL;
	char *argv[32];
	int argc = 0, rc;

	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	*err = (struct err){0};
	rc = sweep_conf_parse(conf, argc, argv, n_cpus, err);
	free(copy);
	return rc;
}

static void
parse_ok(struct sweep_conf *conf, const char *line, unsigned n_cpus)
{
	struct err err;

	if (parse(conf, line, n_cpus, &err) != 0)
		fail_msg("'%s': %s", line, err.msg);
}

static void
without_options_it_is_the_map(void **state)
{
	struct sweep_conf c;

	(void)state;
	parse_ok(&c, "", 2);
	assert_int_equal(c.axis[SWEEP_WORK].n, 5);
	assert_int_equal(c.axis[SWEEP_SKEW].n, 3);
	assert_int_equal(c.axis[SWEEP_LCORES].n, 4);
	assert_int_equal(c.axis[SWEEP_FLOWS].n, 1);
	assert_int_equal(c.n_arms, 3);
	assert_string_equal(c.arm[2].label, "pipeline");
	sweep_conf_fini(&c);
	/* One value fixes an axis, and leaves the others to the map. */
	parse_ok(&c, "--work 300", 2);
	assert_int_equal(c.axis[SWEEP_WORK].n, 1);
	assert_int_equal(c.axis[SWEEP_SKEW].n, 3);
	sweep_conf_fini(&c);
}

static void
an_axis_that_varies_fixes_the_others(void **state)
{
	struct sweep_conf c;

	(void)state;
	parse_ok(&c, "--stages 1..8", 2);
	assert_int_equal(c.axis[SWEEP_STAGES].n, 8);
	assert_int_equal(c.axis[SWEEP_WORK].n, 1);
	assert_int_equal(c.axis[SWEEP_LCORES].n, 1);
	assert_near(c.axis[SWEEP_LCORES].value[0], 2, 0);
	sweep_conf_fini(&c);
	/* With one CPU there is one lcore. */
	parse_ok(&c, "--stages 1..8", 1);
	assert_near(c.axis[SWEEP_LCORES].value[0], 1, 0);
	sweep_conf_fini(&c);
}

static void
bad_options_say_why(void **state)
{
	static const struct {
		const char *line, *says;
	} bad[] = {
		{"--work 100,x", "x"},
		{"--stages 9", "1 to 8"},
		{"--lcores 0", "1 to 64"},
		{"--engine pol", "none of poll, event, pipeline"},
		{"--engine poll:dsw", "no event device"},
		{"--engine event:fast", "none of sw, dsw"},
		{"--engine event:dsw:ordered", "no ordered"},
		{"--engine poll,poll", "twice"},
		{"--sched fifo", "none of atomic"},
		{"--time 0.5s", "1s to 24h"},
		{"--turn 1ms", "10ms to 10s"},
		{"--classes 0", "1 to 4096"},
		{"--vector 65", "0 to 64"},
		{"chain.yaml", "unexpected argument"},
		{"--flows 1..40 --burst 1..32", "more than 32"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		struct sweep_conf c;
		struct err err;

		assert_int_equal(parse(&c, bad[i].line, 2, &err), -EINVAL);
		assert_int_equal(err.class, ERR_USAGE);
		if (strstr(err.msg, bad[i].says) == NULL)
			fail_msg("'%s': %s", bad[i].line, err.msg);
		sweep_conf_fini(&c);
	}
}

/* The command of an arm in the first cell. */
static char *
command_of(const struct sweep *s, unsigned arm)
{
	char **words = sweep_arm_words(&s->conf->arm[arm], s->conf, &s->cell[0].point);
	const struct alone_spec spec = sweep_spec(s, &s->cell[0], arm, words);
	char *command = alone_command(&spec);

	sweep_words_free(words);
	return command;
}

static void
engines_get_the_same_functions(void **state)
{
	static const char *const expected[] = {
		"nfvchain-fwd --lcores 0@2,1@3 --no-pci --vdev=net_null0 --vdev=net_null1,no-rx=1 "
		"-- --engine poll --rxq 2 --burst 32 --load flows=64 --nf l2fwd "
		"--nf work:150,skew=1,classes=64 --nf work:151,skew=1,classes=64",
		"nfvchain-fwd --lcores 0@2,1@3 --no-pci --vdev=net_null0 --vdev=net_null1,no-rx=1 "
		"-- --engine event --rxq 2 --burst 32 --load flows=64 --event-dev event_sw0 "
		"--sched parallel --rx-mask 0x1 --sched-mask 0x1 --worker-mask 0x3 --nf l2fwd "
		"--nf work:150,skew=1,classes=64 --nf work:151,skew=1,classes=64",
		"nfvchain-fwd --lcores 0@2,1@3 --no-pci --vdev=net_null0 --vdev=net_null1,no-rx=1 "
		"-- --engine pipeline --rxq 2 --burst 32 --load flows=64 --event-dev event_dsw0 "
		"--sched atomic --stages 2 --stage-nf 0=l2fwd+work:150,skew=1,classes=64 "
		"--stage-nf 1=work:151,skew=1,classes=64",
	};
	const struct chain_cpus cpus = {.n = 4, .cpu = {0, 1, 2, 3}};
	struct sweep_conf c;
	struct sweep s;
	struct err err = {0};

	(void)state;
	parse_ok(&c,
		 "--work 301 --skew 1 --lcores 2 --engine "
		 "poll,event:sw:all:parallel,pipeline:dsw:all",
		 4);
	assert_int_equal(sweep_init(&s, &c, &cpus, &err), 0);
	for (unsigned arm = 0; arm < 3; arm++) {
		char *command = command_of(&s, arm);

		assert_string_equal(command, expected[arm]);
		free(command);
	}
	sweep_fini(&s);
	sweep_conf_fini(&c);
}

static void
cells_without_cpus_are_not_measured(void **state)
{
	const struct chain_cpus two = {.n = 2, .cpu = {0, 1}};
	struct sweep_conf c;
	struct sweep s;
	struct err err = {0};

	(void)state;
	parse_ok(&c, "", 2);
	assert_int_equal(sweep_init(&s, &c, &two, &err), 0);
	assert_int_equal(s.n_cells, 60);
	assert_int_equal(s.n_measurable, 30);
	sweep_fini(&s);
	sweep_conf_fini(&c);
	parse_ok(&c, "--lcores 4,8", 2);
	assert_int_equal(sweep_init(&s, &c, &two, &err), -ENODEV);
	assert_int_equal(err.class, ERR_MACHINE);
	sweep_fini(&s);
	sweep_conf_fini(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_options_it_is_the_map),
		cmocka_unit_test(an_axis_that_varies_fixes_the_others),
		cmocka_unit_test(bad_options_say_why),
		cmocka_unit_test(engines_get_the_same_functions),
		cmocka_unit_test(cells_without_cpus_are_not_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
