/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "nfs.h"

/* Which functions may run under which order of service. */

static const char *per_flow; /* path of nf_per_flow.so */

struct service {
	const char *engine;
	enum sched sched;
	unsigned stages, stage; /* where the function is */
};

/* What nfs_check says of 'nf' there; 'err' is empty when it is content. */
static int
check_there(const struct service *s, const char *nf, struct err *err)
{
	struct fwd_conf conf;
	char *spec = xasprintf("%u=wire+%s", s->stage, nf);
	int rc;

	*err = (struct err){0};
	fwd_conf_init(&conf);
	free(conf.engine);
	conf.engine = xstrdup(s->engine);
	conf.sched = s->sched;
	conf.stages = s->stages;
	assert_int_equal(opt_set_list(&conf.stage_nf, spec, err), 0);
	rc = nfs_check(&conf, err);
	fwd_conf_fini(&conf);
	free(spec);
	return rc;
}

static void
state_of_a_flow_wants_one_hand_at_a_time(void **state)
{
	static const struct service refused[] = {
		{"event", SCHED_ORDERED, 1, 0},	   {"event", SCHED_PARALLEL, 1, 0},
		{"pipeline", SCHED_ORDERED, 1, 0}, {"pipeline", SCHED_PARALLEL, 1, 0},
		{"pipeline", SCHED_ORDERED, 3, 2}, {"pipeline", SCHED_PARALLEL, 3, 1},
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(refused); i++) {
		assert_int_equal(check_there(&refused[i], per_flow, &err), -EINVAL);
		assert_int_equal(err.class, ERR_USAGE);
		assert_string_equal(err.msg,
				    "--nf per_flow: keeps state for each flow, which needs "
				    "--sched atomic");
	}
}

static void
it_has_that_where_service_is_atomic(void **state)
{
	static const struct service fine[] = {
		{"poll", SCHED_ATOMIC, 1, 0},
		{"event", SCHED_ATOMIC, 1, 0},
		{"pipeline", SCHED_ATOMIC, 3, 2},
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(fine); i++)
		if (check_there(&fine[i], per_flow, &err) != 0)
			fail_msg("%s: %s", fine[i].engine, err.msg);
}

/* It is the state that is refused, not the order of service. */
static void
others_run_under_any(void **state)
{
	static const struct service all[] = {
		{"event", SCHED_ORDERED, 1, 0},
		{"event", SCHED_PARALLEL, 1, 0},
		{"pipeline", SCHED_PARALLEL, 2, 1},
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(all); i++)
		assert_int_equal(check_there(&all[i], "work:7", &err), 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_of_a_flow_wants_one_hand_at_a_time),
		cmocka_unit_test(it_has_that_where_service_is_atomic),
		cmocka_unit_test(others_run_under_any),
	};

	if (argc != 2)
		return 2;
	per_flow = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
