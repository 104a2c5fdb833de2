/* SPDX-License-Identifier: MIT */
#include "plan_test.h"

#include <unistd.h>

#include "chain_same.h"
#include "guest_overlay.h"

#define DIR_TREX                               \
	V "name: t\n"                          \
	  "generator: {kind: trex, dir: /x}\n" \
	  "links: {kind: memif, ring: 1024}\n"
#define AT_TREX                                                                    \
	V "name: t\n"                                                              \
	  "generator: {kind: trex, at: \"tcp://h:4501\", sockets: [/s/0, /s/1]}\n" \
	  "links: {kind: memif, ring: 1024}\n"

static void
refuse(const char *text, const char *why)
{
	struct err err = {0};
	struct chain chain;

	assert_int_equal(chain_parse(&chain, "c.yaml", text, strlen(text), &err), -EINVAL);
	if (strstr(err.msg, why) == NULL)
		fail_msg("expected: %s\nbut was:  %s", why, err.msg);
	chain_fini(&chain);
}

static void
the_grammar_says_what_is_missing(void **state)
{
	refuse(V "generator: {kind: trex}\nlinks: memif\n", "needs one of 'at'");
	refuse(V "generator: {kind: trex, at: \"tcp://h:1\", dir: /x}\nlinks: memif\n",
	       "needs one of 'at'");
	refuse(V "generator: {kind: trex, at: h}\nlinks: memif\n", "must be an endpoint");
	refuse(V "generator: {kind: trex, at: \"tcp://h:1\"}\nlinks: memif\n", "'sockets' must be");
	refuse(V "generator: {kind: trex, at: \"tcp://h:1\", sockets: [/a, b]}\nlinks: memif\n",
	       "socket 'b' must be a path");
	refuse(V "generator: {kind: trex, at: \"tcp://h:1\", place: vm}\nlinks: stream\n",
	       "is where it is");
	refuse(V "generator: {kind: trex, dir: x}\nlinks: memif\n", "must be a path from /");
	refuse(V "generator: {sockets: [/a, /b]}\n", "belongs to generator kind trex");
	refuse(V "generator: {kind: trex, dir: /x}\n",
	       "link 0 (vhost-user) cannot end at a TRex: it is built without the driver");
	refuse(V "generator: {kind: trex, dir: /x}\nlinks: memif\ntraffic: {flows: 2}\n",
	       "2 flows: a TRex cannot vary frames at a memif link");
	refuse(V "generator: {kind: trex, dir: /x}\nlinks: {kind: memif, queues: 2}\n",
	       "one queue");
}

static void
what_is_printed_is_read_again(void **state)
{
	struct chain again;
	struct err err = {0};
	struct made m;
	char *text;

	make(&m, AT_TREX, &two_cpus);
	text = chain_print(&m.chain);
	if (chain_parse(&again, "again.yaml", text, strlen(text), &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(same_chain(&m.chain, &again));
	chain_fini(&again);
	free(text);
	unmake(&m);
}

static void
a_release_is_started_with_a_configuration(void **state)
{
	struct plan_facts facts = two_cpus;
	const struct plan_proc *p;
	struct made m;

	facts.trex_port[0] = 7001;
	facts.trex_port[1] = 7000;
	make(&m, DIR_TREX, &facts);
	p = &m.plan.proc[0];
	assert_string_equal(p->argv[0], "/x/_t-rex-64");
	assert_string_equal(p->cwd, "/x");
	assert_string_equal(p->file_path, "/run/x/trex_cfg.yaml");
	assert_string_equal(
		p->file_text,
		"- version: 2\n"
		"  port_limit: 2\n"
		"  prefix: gen\n"
		"  zmq_rpc_port: 7001\n"
		"  zmq_pub_port: 7000\n"
		"  low_end: true\n"
		"  low_end_core: 0\n"
		"  limit_memory: 400\n"
		"  interfaces:\n"
		"    - '--vdev=net_memif0,role=server,id=0,socket-abstract=no,"
		"socket=/run/x/link0.sock,rsize=10,bsize=2048'\n"
		"    - '--vdev=net_memif1,role=server,id=0,socket-abstract=no,"
		"socket=/run/x/link1.sock,rsize=10,bsize=2048'\n"
		"  port_info:\n"
		"    - {src_mac: '02:cc:af:00:00:00', dest_mac: '02:cc:af:00:01:00'}\n"
		"    - {src_mac: '02:cc:af:00:00:01', dest_mac: '02:cc:af:00:01:01'}\n");
	assert_string_equal(m.plan.rpc_endpoint, "tcp://127.0.0.1:7001");
	assert_false(p->ours);
	assert_true(plan_proc_is_here(p));
	unmake(&m);
}

static void
three_cpus_are_three_threads(void **state)
{
	struct plan_facts facts = cpus_from(0, 4);
	struct made m;

	make(&m,
	     V "generator: {kind: trex, dir: /x, cpus: [0, 1, 3]}\n"
	       "links: {kind: memif, ring: 1024}\n",
	     &facts);
	assert_non_null(strstr(m.plan.proc[0].file_text, "  c: 1\n"
							 "  platform:\n"
							 "    master_thread_id: 0\n"
							 "    latency_thread_id: 1\n"
							 "    dual_if:\n"
							 "      - {socket: 0, threads: [3]}\n"));
	unmake(&m);
}

/* Its addresses and sockets are its own, and the hops' are made for them. */
static void
one_that_runs_is_left_as_it_is(void **state)
{
	struct plan_facts facts = two_cpus;
	const struct plan_proc *hop;
	bool seen = false;
	struct made m;

	memcpy(facts.trex_mac[1], (const uint8_t[6]){0, 1, 2, 3, 4, 5}, 6);
	make(&m, AT_TREX, &facts);
	assert_int_equal(m.plan.proc[0].argc, 0);
	assert_false(plan_proc_is_here(&m.plan.proc[0]));
	assert_string_equal(m.plan.rpc_endpoint, "tcp://h:4501");
	hop = &m.plan.proc[1];
	for (size_t i = 0; i < hop->argc; i++) {
		if (strncmp(hop->argv[i], "--vdev=net_memif1", 17) == 0)
			assert_non_null(strstr(hop->argv[i], "role=client,id=0,socket=/s/1,"));
		seen |= strcmp(hop->argv[i], "1,00:01:02:03:04:05") == 0;
	}
	assert_true(seen);
	unmake(&m);
}

static void
in_a_guest_its_ports_are_the_guests_nics(void **state)
{
	struct plan_facts facts = two_cpus;
	const struct plan_proc *p;
	struct made m;

	facts.guest_kernel = "/img/kernel";
	facts.guest_initrd = "/img/initrd";
	facts.trex_mb = 100;
	make(&m,
	     V "generator: {kind: trex, dir: /x, place: vm}\n"
	       "hops: [{place: vm}]\nlinks: stream\n",
	     &facts);
	p = &m.plan.proc[0];
	assert_string_equal(p->argv[0], "/opt/trex/lib/ld.so");
	assert_string_equal(p->argv[3], "/opt/trex/_t-rex-64");
	assert_non_null(strstr(p->file_text, "    - '0000:00:04.0'\n    - '0000:00:05.0'\n"));
	assert_non_null(strstr(p->file_text, "zmq_rpc_port: 4501\n"));
	assert_string_equal(m.plan.vm[0].spec.initrd, "/run/x/generator.initrd");
	assert_string_equal(m.plan.vm[0].image_initrd, "/img/initrd");
	assert_string_equal(m.plan.vm[1].spec.initrd, "/img/initrd");
	assert_int_equal(m.plan.vm[0].spec.memory_mb, 1024 + 200 + 256);
	unmake(&m);
}

static void
write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* cpio itself unpacks what lies behind the image. */
static void
a_guest_gets_files_of_its_own(void **state)
{
	struct overlay o = {0};
	struct err err = {0};
	uint64_t bytes;

	if (system("command -v cpio >/dev/null") != 0)
		skip();
	write_text("overlay.a", "twelve bytes");
	write_text("overlay.base", "12345");
	assert_int_equal(overlay_add(&o, "overlay.a", "/opt/deep/a", &err), 0);
	assert_int_equal(overlay_size(&o, &bytes, &err), 0);
	assert_int_equal(bytes, 12);
	assert_int_equal(overlay_write(&o, "overlay.base", "overlay.out", &err), 0);
	assert_int_equal(system("rm -rf overlay.d && mkdir overlay.d && cd overlay.d && "
				"tail -c +9 ../overlay.out | cpio -id --quiet && "
				"cmp opt/deep/a ../overlay.a"),
			 0);
	overlay_fini(&o);
	assert_int_equal(overlay_add(&o, "overlay.missing", "/a", &err), 0);
	assert_int_equal(overlay_write(&o, "overlay.base", "overlay.out", &err), -ENOENT);
	overlay_fini(&o);
	assert_int_equal(system("rm -rf overlay.a overlay.base overlay.out overlay.d"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_grammar_says_what_is_missing),
		cmocka_unit_test(what_is_printed_is_read_again),
		cmocka_unit_test(a_release_is_started_with_a_configuration),
		cmocka_unit_test(three_cpus_are_three_threads),
		cmocka_unit_test(one_that_runs_is_left_as_it_is),
		cmocka_unit_test(in_a_guest_its_ports_are_the_guests_nics),
		cmocka_unit_test(a_guest_gets_files_of_its_own),
	};

	if (chdir(getenv("MESON_BUILD_ROOT") != NULL ? getenv("MESON_BUILD_ROOT") : "/tmp") < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
