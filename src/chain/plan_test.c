/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include "base/mem.h"

#include "plan_test.h"

static void
refuse(const char *text, const struct plan_facts *facts, const char *message)
{
	struct chain_plan plan;
	struct err err = {0};
	struct chain chain;

	assert_int_equal(chain_parse(&chain, "c.yaml", text, strlen(text), &err), 0);
	assert_true(chain_plan_make(&plan, &chain, facts, &err) < 0);
	assert_string_equal(err.msg, message);
	assert_int_equal(plan.n_procs, 0);
	chain_plan_fini(&plan);
	chain_fini(&chain);
}

static void
check_cpus(const struct made *made, size_t proc, const char *expected)
{
	const struct chain_cpus *cpus = &made->plan.proc[proc].cpus;
	struct str s = {0};

	for (size_t i = 0; i < cpus->n; i++)
		str_addf(&s, "%s%d", i > 0 ? "," : "", cpus->cpu[i]);
	assert_string_equal(str_text(&s), expected);
	str_fini(&s);
}

/* ---- processes ---- */

static void
each_process_has_its_places(void **state)
{
	const struct plan_proc *proc;
	struct made m;

	(void)state;
	make(&m, V "hops: [nfvchain-fwd, testpmd, nfvchain-fwd]\n", &two_cpus);
	proc = &m.plan.proc[0];
	assert_string_equal(proc->name, "generator");
	assert_int_equal(proc->hop, -1);
	assert_true(proc->ours);
	assert_string_equal(proc->rt_dir, "/run/x/rt/generator");
	check_words(proc->env, "RUNTIME_DIRECTORY=/run/x/rt/generator NFVCHAIN_ID=snake/generator");
	assert_string_equal(proc->log_path, "/run/x/generator.log");
	assert_null(proc->control_path);
	assert_string_equal(proc->listens[0], "/run/x/link0.sock");
	assert_string_equal(proc->listens[1], "/run/x/link3.sock");
	proc = &m.plan.proc[1];
	assert_string_equal(proc->control_path, "/run/x/vnf1.ctl");
	assert_null(proc->telemetry_path);
	assert_string_equal(proc->listens[0], "/run/x/link1.sock");
	assert_null(proc->listens[1]);
	proc = &m.plan.proc[2];
	assert_int_equal(proc->hop, 1);
	assert_false(proc->ours);
	assert_null(proc->control_path);
	assert_string_equal(proc->telemetry_path, "/run/x/rt/vnf2/dpdk/vnf2/dpdk_telemetry.v2");
	check_words(proc->env, "RUNTIME_DIRECTORY=/run/x/rt/vnf2 NFVCHAIN_ID=snake/vnf2");
	assert_string_equal(proc->listens[0], "/run/x/link2.sock");
	assert_null(m.plan.proc[3].listens[0]);
	unmake(&m);
}

/* Index of the one process that listens at 'path'. */
static size_t
listener_of(const struct chain_plan *plan, const char *path)
{
	size_t at = SIZE_MAX, n = 0;

	for (size_t i = 0; i < plan->n_procs; i++)
		for (size_t k = 0; k < 2; k++) {
			const char *listens = plan->proc[i].listens[k];

			if (listens == NULL || strcmp(listens, path) != 0)
				continue;
			at = i;
			n++;
		}
	assert_int_equal(n, 1);
	return at;
}

/* Index of the one process that connects to 'path'. */
static size_t
client_of(const struct chain_plan *plan, const char *path)
{
	char *arg = xasprintf(",path=%s,", path);
	size_t at = SIZE_MAX, n = 0;

	for (size_t i = 0; i < plan->n_procs; i++)
		for (size_t k = 0; k < plan->proc[i].argc; k++)
			if (strstr(plan->proc[i].argv[k], arg) != NULL) {
				at = i;
				n++;
			}
	assert_int_equal(n, 1);
	free(arg);
	return at;
}

/* Each link has one listener, and it is started before the end that connects. */
static void
every_link_has_one_listener_started_first(void **state)
{
	(void)state;
	for (size_t n = 1; n <= CHAIN_MAX_HOPS; n++) {
		struct err err = {0};
		struct chain_plan plan;
		struct chain chain;

		chain_default(&chain, n);
		assert_int_equal(chain_plan_make(&plan, &chain, &two_cpus, &err), 0);
		for (size_t link = 0; link <= n; link++) {
			char *path = xasprintf("/run/x/link%zu.sock", link);

			assert_true(listener_of(&plan, path) < client_of(&plan, path));
			free(path);
		}
		chain_plan_fini(&plan);
		chain_fini(&chain);
	}
}

/* ---- CPUs ---- */

static void
enough_cpus_are_given_one_each(void **state)
{
	struct plan_facts facts = cpus_from(4, 5);
	struct made m;

	(void)state;
	make(&m, V "hops: [nfvchain-fwd, {lcores: 2}, nfvchain-fwd]\n", &facts);
	check_cpus(&m, 0, "4");
	check_cpus(&m, 1, "5");
	check_cpus(&m, 2, "6,7");
	check_cpus(&m, 3, "8");
	assert_false(m.plan.shared_cpus);
	assert_null(m.plan.warnings[0]);
	assert_null(option(&m.plan.proc[1], "--idle"));
	unmake(&m);
}

/* Neighbours share, so that a frame crosses CPUs as seldom as possible. */
static void
too_few_cpus_are_shared_in_blocks(void **state)
{
	struct plan_facts facts = cpus_from(0, 3);
	struct made m;

	(void)state;
	make(&m, V "hops: [nfvchain-fwd, {args: [--idle, spin]}, nfvchain-fwd, {cpus: 2}]\n",
	     &facts);
	check_cpus(&m, 0, "0");
	check_cpus(&m, 1, "1");
	check_cpus(&m, 3, "1");
	check_cpus(&m, 4, "2");
	assert_string_equal(option(&m.plan.proc[1], "--idle"), "yield");
	assert_string_equal(option(&m.plan.proc[2], "--idle"), "spin");
	/* The one that has its CPU for itself has no reason to give it away. */
	assert_null(option(&m.plan.proc[4], "--idle"));
	assert_true(m.plan.shared_cpus);
	assert_string_equal(m.plan.warnings[0], "3 hops share CPU 1: each gets a part of it");
	unmake(&m);
	make(&m, V "hops: [nfvchain-fwd, nfvchain-fwd, nfvchain-fwd, nfvchain-fwd]\n", &facts);
	check_cpus(&m, 1, "1");
	check_cpus(&m, 2, "1");
	check_cpus(&m, 3, "2");
	check_cpus(&m, 4, "2");
	unmake(&m);
}

static void
one_cpu_for_all_is_warned_about(void **state)
{
	struct plan_facts facts = cpus_from(3, 1);
	struct made m;

	(void)state;
	make(&m, V "hops: [nfvchain-fwd, testpmd]\n", &facts);
	for (size_t i = 0; i < 3; i++)
		check_cpus(&m, i, "3");
	assert_true(m.plan.shared_cpus);
	assert_string_equal(m.plan.warnings[0],
			    "the generator shares CPU 3 with hop 'vnf1': figures will be poor, "
			    "give the chain a CPU more");
	assert_string_equal(m.plan.warnings[2], "hop 'vnf2' (testpmd) shares its CPU and may never "
						"yield it: figures will be poor");
	unmake(&m);
}

static void
queues_that_nobody_fills_are_warned_about(void **state)
{
	struct plan_facts facts = cpus_from(0, 4);
	struct made m;

	(void)state;
	make(&m, V "hops: [nfvchain-fwd]\nlinks: {queues: 4}\ntraffic: {flows: 3}\n", &facts);
	assert_string_equal(m.plan.warnings[0],
			    "3 flows fill 3 of the 4 queues at most: set 'flows' in 'traffic'");
	assert_null(m.plan.warnings[1]);
	unmake(&m);
	make(&m, V "hops: [nfvchain-fwd]\nlinks: {queues: 4}\ntraffic: {flows: 4}\n", &facts);
	assert_null(m.plan.warnings[0]);
	unmake(&m);
}

static void
explicit_cpus_win(void **state)
{
	struct plan_facts facts = cpus_from(0, 4);
	struct made m;

	(void)state;
	/* The others keep off them. */
	make(&m, V "hops: [nfvchain-fwd, {cpus: [1, 0]}, nfvchain-fwd]\n", &facts);
	check_cpus(&m, 0, "2");
	check_cpus(&m, 1, "3");
	check_cpus(&m, 2, "1,0");
	check_cpus(&m, 3, "3");
	unmake(&m);
	make(&m, V "generator: {cpus: 3}\nhops: [{cpus: 0, lcores: 2}]\n", &facts);
	check_cpus(&m, 0, "3");
	assert_string_equal(option(&m.plan.proc[0], "--lcores"), "0@3");
	assert_string_equal(option(&m.plan.proc[1], "--lcores"), "0@0,1@0");
	assert_string_equal(option(&m.plan.proc[1], "--idle"), "yield");
	unmake(&m);
}

/* ---- what cannot run ---- */

static void
absent_cpus_are_refused(void **state)
{
	struct plan_facts none = cpus_from(0, 0);

	(void)state;
	refuse(V "hops: [{cpus: 7}]\n", &two_cpus,
	       "chain 'snake': hop 'vnf1': cpus: 7 is not among the CPUs this process may use "
	       "(0-1)");
	refuse(V "generator: {cpus: [1, 2]}\n", &two_cpus,
	       "chain 'snake': generator: cpus: 2 is not among the CPUs this process may use "
	       "(0-1)");
	refuse(V, &none, "chain 'snake': no CPU to run on");
}

static void
socket_paths_must_fit(void **state)
{
	char dir[120];
	struct plan_facts facts = two_cpus;
	struct chain_plan plan;
	struct err err = {0};
	struct chain chain;
	size_t longest = 0;

	(void)state;
	facts.run_dir = dir;
	chain_default(&chain, 1);
	for (size_t len = 2; len < sizeof(dir); len++) {
		memset(dir, 'd', len);
		dir[0] = '/';
		dir[len] = '\0';
		if (chain_plan_make(&plan, &chain, &facts, &err) == 0)
			longest = len;
		chain_plan_fini(&plan);
	}
	/* DPDK's own socket is the longest: DIR/rt/generator/dpdk/gen/dpdk_telemetry.v2. */
	assert_int_equal(longest, 107 - strlen("/rt/generator/dpdk/gen/dpdk_telemetry.v2"));
	assert_non_null(strstr(err.msg, "characters and may have 107"));
	facts.run_dir = "/run/a,b";
	assert_int_equal(chain_plan_make(&plan, &chain, &facts, &err), -EINVAL);
	chain_plan_fini(&plan);
	chain_fini(&chain);
}

/* ---- printing ---- */

static void
people_see_the_chain(void **state)
{
	struct plan_facts facts = two_cpus;
	struct made m;
	char *text;

	(void)state;
	make(&m, V "hops: [nfvchain-fwd, testpmd]\n", &facts);
	text = chain_plan_print(&m.plan, &m.chain);
	assert_string_equal(
		text,
		"gen:0 == vhost-user ==> vnf1 == vhost-user ==> vnf2 == vhost-user ==> gen:1\n"
		"\n"
		"name       kind          engine    CPUs      lcores\n"
		"generator  nfvchain-gen            0         0@0\n"
		"vnf1       nfvchain-fwd  poll      1         0@1\n"
		"vnf2       testpmd                 1         0@1,1@1\n"
		"\n"
		"link  kind         ring  queues   MTU  buffers        between\n"
		"0     vhost-user  16384       1  1500   32768 x 2048  /run/x/link0.sock\n"
		"1     vhost-user  16384       1  1500   32768 x 2048  /run/x/link1.sock\n"
		"2     vhost-user  16384       1  1500   32768 x 2048  /run/x/link2.sock\n"
		"\n"
		"warning: 2 hops share CPU 1: each gets a part of it\n"
		"warning: hop 'vnf2' (testpmd) shares its CPU and may never yield it: figures will "
		"be poor\n");
	free(text);
	unmake(&m);
}

/* What is printed can be typed: a shell gives back the very words. */
static void
command_lines_can_be_typed(void **state)
{
	struct plan_facts facts = two_cpus;
	struct made m;
	char *text;

	(void)state;
	facts.verbose = true;
	facts.bin_dir = "/opt/my bin";
	make(&m, V "hops: [{args: [\"it's\", \"\", \"$x\"]}]\n", &facts);
	text = chain_plan_print(&m.plan, &m.chain);
	assert_non_null(strstr(text, "\nmkdir -p -m 700 /run/x/rt/generator /run/x/rt/vnf1\n"));
	assert_non_null(strstr(text, "\nRUNTIME_DIRECTORY=/run/x/rt/vnf1 NFVCHAIN_ID=snake/vnf1 "
				     "'/opt/my bin/nfvchain-fwd' --lcores 0@1 "));
	assert_non_null(strstr(text, " 'it'\\''s' '' '$x'\n"));
	free(text);
	unmake(&m);
}

static void
programs_see_the_same(void **state)
{
	struct made m;
	json_t *json;
	const json_t *proc;

	(void)state;
	make(&m, V, &two_cpus);
	json = chain_plan_to_json(&m.plan, &m.chain);
	assert_string_equal(json_string_value(json_object_get(json, "chain")), "snake");
	assert_true(json_is_null(json_object_get(json, "pub")));
	assert_int_equal(json_array_size(json_object_get(json, "links")), 2);
	proc = json_array_get(json_object_get(json, "processes"), 1);
	assert_string_equal(json_string_value(json_object_get(proc, "name")), "vnf1");
	assert_int_equal(json_array_size(json_object_get(proc, "argv")), m.plan.proc[1].argc);
	assert_int_equal(json_array_size(json_object_get(proc, "env")), 2);
	json_decref(json);
	unmake(&m);
}

/* Pure: the same chain and facts give the same plan. */
static void
the_same_again_is_the_same(void **state)
{
	struct made a, b;
	char *x, *y;

	(void)state;
	make(&a, V "hops: [nfvchain-fwd, testpmd]\n", &two_cpus);
	make(&b, V "hops: [nfvchain-fwd, testpmd]\n", &two_cpus);
	a.plan.verbose = b.plan.verbose = true;
	x = chain_plan_print(&a.plan, &a.chain);
	y = chain_plan_print(&b.plan, &b.chain);
	assert_string_equal(x, y);
	free(x);
	free(y);
	unmake(&a);
	unmake(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_process_has_its_places),
		cmocka_unit_test(every_link_has_one_listener_started_first),
		cmocka_unit_test(enough_cpus_are_given_one_each),
		cmocka_unit_test(too_few_cpus_are_shared_in_blocks),
		cmocka_unit_test(one_cpu_for_all_is_warned_about),
		cmocka_unit_test(explicit_cpus_win),
		cmocka_unit_test(absent_cpus_are_refused),
		cmocka_unit_test(socket_paths_must_fit),
		cmocka_unit_test(people_see_the_chain),
		cmocka_unit_test(queues_that_nobody_fills_are_warned_about),
		cmocka_unit_test(command_lines_can_be_typed),
		cmocka_unit_test(programs_see_the_same),
		cmocka_unit_test(the_same_again_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
