/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf.h"
#include "nf_list.h"

/* Settings of the event and the pipeline engine, whose short options are those of the examples. */

/* Splits at spaces; argv[0] is the "--" that stands for the program's name. */
static int
parse_as(struct fwd_conf *conf, const char *program, const char *line, struct err *err)
{
	char *copy = xasprintf("-- %s", line), *save = NULL;
	char *argv[64];
	int argc = 0, rc;

	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	*err = (struct err){0};
	fwd_conf_init(conf);
	rc = fwd_conf_parse(conf, program, argc, argv, err);
	free(copy);
	return rc;
}

static void
parse_ok(struct fwd_conf *conf, const char *program, const char *line)
{
	struct err err;

	if (parse_as(conf, program, line, &err) != 0)
		fail_msg("'%s': %s", line, err.msg);
}

static void
the_reference_pipeline_line_is_understood(void **state)
{
	struct fwd_conf conf;

	(void)state;
	parse_ok(&conf, "/usr/libexec/nfvchain/dpdk-eventdev_pipeline",
		 "-r 0x1 -t 0x2 -e 0x4 -w 0x8 -s 1 -n 0");
	assert_string_equal(conf.engine, "pipeline");
	assert_int_equal(conf.rx_mask, 1);
	assert_int_equal(conf.tx_mask, 2);
	assert_int_equal(conf.sched_mask, 4);
	assert_int_equal(conf.worker_mask, 8);
	assert_int_equal(conf.stages, 1);
	assert_int_equal(conf.packets, 0);
	fwd_conf_fini(&conf);
	/* The example ends by itself when its line does not say otherwise. */
	parse_ok(&conf, "dpdk-eventdev_pipeline", "");
	assert_int_equal(conf.packets, 1 << 25);
	fwd_conf_fini(&conf);
}

static void
the_reference_event_line_is_understood(void **state)
{
	struct fwd_conf conf;

	(void)state;
	parse_ok(&conf, "./dpdk-l2fwd-event", "-p 0x3 --mode=eventdev --eventq-sched=atomic");
	assert_string_equal(conf.engine, "event");
	assert_int_equal(conf.portmask, 3);
	assert_int_equal(conf.sched, SCHED_ATOMIC);
	fwd_conf_fini(&conf);
	parse_ok(&conf, "dpdk-l2fwd-event", "-p 0x3 --mode=poll -q 2 -T 1 --config (0,1)");
	assert_string_equal(conf.engine, "poll");
	assert_int_equal(conf.queues_per_lcore, 2);
	assert_string_equal(conf.portmap, "(0,1)");
	fwd_conf_fini(&conf);
	parse_ok(&conf, "dpdk-l2fwd-event",
		 "-p 3 --eventq-sched ordered --event-vector --event-vector-size 16 "
		 "--event-vector-tmo 1000");
	assert_string_equal(conf.engine, "event");
	assert_int_equal(conf.sched, SCHED_ORDERED);
	assert_int_equal(conf.vector, 16);
	fwd_conf_fini(&conf);
}

static void
short_options_are_those_of_the_engine(void **state)
{
	struct fwd_conf conf;

	(void)state;
	parse_ok(&conf, "nfvchain-fwd",
		 "--engine pipeline -n 500 -f 64 -s 4 -c 32 -W 300 -m 9000 -Poq -D");
	assert_int_equal(conf.packets, 500);
	assert_int_equal(conf.flow_ids, 64);
	assert_int_equal(conf.stages, 4);
	assert_int_equal(conf.cq_depth, 32);
	assert_int_equal(conf.work_cycles, 300);
	assert_int_equal(conf.mempool_size, 9000);
	assert_true(conf.queue_priority);
	assert_true(conf.dump);
	assert_false(conf.promiscuous);
	assert_int_equal(conf.sched, SCHED_ORDERED);
	fwd_conf_fini(&conf);
	/* The engine may be named behind them, and by its own letter. */
	parse_ok(&conf, "nfvchain-fwd", "-p -n 7 -e 0x4 -e pipeline");
	assert_int_equal(conf.packets, 7);
	assert_int_equal(conf.sched, SCHED_PARALLEL);
	assert_int_equal(conf.sched_mask, 4);
	fwd_conf_fini(&conf);
	parse_ok(&conf, "nfvchain-fwd", "-p 0x3 -n -Pe event");
	assert_string_equal(conf.engine, "event");
	assert_int_equal(conf.portmask, 3);
	assert_true(conf.dry_run);
	assert_true(conf.promiscuous);
	fwd_conf_fini(&conf);
	/* A personality is a default. */
	parse_ok(&conf, "dpdk-eventdev_pipeline", "--engine=event -p 0x3");
	assert_string_equal(conf.engine, "event");
	assert_int_equal(conf.portmask, 3);
	fwd_conf_fini(&conf);
}

static void
the_long_names_of_the_example_are_understood(void **state)
{
	struct fwd_conf conf;

	(void)state;
	parse_ok(&conf, "dpdk-eventdev_pipeline",
		 "--workers=c --packets=9 --atomic-flows=5 --num_stages=2 --rx-mask=1 --tx-mask=2 "
		 "--sched-mask=4 --cq-depth=8 --work-cycles=3 --mempool-size=77 --queue-priority "
		 "--parallel --quiet --dump");
	assert_int_equal(conf.worker_mask, 0xc);
	assert_int_equal(conf.packets, 9);
	assert_int_equal(conf.flow_ids, 5);
	assert_int_equal(conf.stages, 2);
	assert_int_equal(conf.rx_mask | conf.tx_mask | conf.sched_mask, 7);
	assert_int_equal(conf.cq_depth, 8);
	assert_int_equal(conf.work_cycles, 3);
	assert_int_equal(conf.mempool_size, 77);
	assert_true(conf.queue_priority && conf.dump);
	assert_int_equal(conf.sched, SCHED_PARALLEL);
	fwd_conf_fini(&conf);
}

static void
mistakes_are_named(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{"--sched fifo", "--sched: 'fifo' is none of atomic, ordered, parallel"},
		{"--engine event --stages 2",
		 "--stages: engine event has one; engine pipeline has more"},
		{"--stages 2", "--stages: engine poll has one; engine pipeline has more"},
		{"--engine pipeline -s 0", "--stages: 0 is not within 1 to 8"},
		{"--engine pipeline -s 9", "--stages: 9 is not within 1 to 8"},
		{"--vector 65", "--vector: 65 is not within 0 to 64"},
		{"--adapters", "--adapters: engine poll has no event device that they could serve "
			       "(try --engine event)"},
		{"--engine event --adapters --vector 8",
		 "--vector: DPDK's Rx adapter in software repeats and loses vectors once its "
		 "buffer wraps; leave out --adapters or --vector"},
		{"--cq-depth 129", "--cq-depth: 129 is not within 1 to 128"},
		{"--rx-mask 0x", "--rx-mask: '0x' is not a hexadecimal mask of lcores 0 to 63 (try "
				 "0x4)"},
		{"--worker-mask 0", "--worker-mask: '0' is a mask of no lcore"},
		{"--nf wire --stage-nf 0=wire",
		 "--stage-nf gives each stage its functions, --nf the first: one of them"},
		{"--mode fast", "--mode: 'fast' is neither poll nor eventdev"},
		{"--engine pipeline -a", "--use-atq: queues of all types at once are not built, "
					 "and event_sw and event_dsw have none"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		struct fwd_conf conf;
		struct err err;

		assert_int_equal(parse_as(&conf, "nfvchain-fwd", bad[i].line, &err), -EINVAL);
		assert_int_equal(err.class, ERR_USAGE);
		assert_string_equal(err.msg, bad[i].why);
		fwd_conf_fini(&conf);
	}
}

/* The functions of a stage, joined by spaces. */
static const char *
functions(const char *line, unsigned stage)
{
	static char text[512];
	struct nf_list list;
	struct fwd_conf conf;
	struct err err;

	parse_ok(&conf, "nfvchain-fwd", line);
	text[0] = '\0';
	if (nf_list_of_stage(&list, &conf, stage, &err) < 0) {
		snprintf(text, sizeof(text), "%.500s", err.msg);
		list.n = 0;
	}
	for (unsigned i = 0; i < list.n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? " " : "",
			 list.spec[i]);
	fwd_conf_fini(&conf);
	return text;
}

static void
each_stage_has_its_functions(void **state)
{
	(void)state;
	assert_string_equal(functions("", 0), "l2fwd");
	assert_string_equal(functions("--nf wire --nf work:7", 0), "wire work:7");
	assert_string_equal(functions("--engine pipeline -s 3", 0), "l2fwd");
	assert_string_equal(functions("--engine pipeline -s 3", 1), "");
	assert_string_equal(functions("--engine pipeline -s 3 -W 50", 0), "l2fwd work:50");
	assert_string_equal(functions("--engine pipeline -s 3 -W 50", 2), "work:50");
	assert_string_equal(functions("--engine pipeline -s 2 --nf wire", 1), "");
#define THREE "--engine pipeline -s 3 --stage-nf 0=l2fwd+./a.so:k=1,l,2=work:300 --stage-nf 2=wire"
	assert_string_equal(functions(THREE, 0), "l2fwd ./a.so:k=1,l");
	assert_string_equal(functions(THREE, 1), "");
	assert_string_equal(functions(THREE, 2), "work:300 wire");
	assert_string_equal(functions("--engine pipeline -s 2 --stage-nf 2=wire", 0),
			    "--stage-nf: there is no stage 2 (see --stages)");
	assert_string_equal(functions("--engine pipeline -s 2 --stage-nf wire", 0),
			    "--stage-nf: 'wire' is not STAGE=FUNCTION (try 1=work:300)");
	assert_string_equal(functions("--engine pipeline -s 2 --stage-nf 0=a++b", 0),
			    "--stage-nf: '+b': a name is missing, or too long");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_pipeline_line_is_understood),
		cmocka_unit_test(the_reference_event_line_is_understood),
		cmocka_unit_test(short_options_are_those_of_the_engine),
		cmocka_unit_test(the_long_names_of_the_example_are_understood),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(each_stage_has_its_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
