/* SPDX-License-Identifier: MIT */
#include "chain_fixture.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* One forwarder on two lcores: with two queues on each link of a chain, and with four ports that
 * --portmap makes two pairs of, each pair between the ports of a generator of its own. */

#define READY_MS 15000
#define CALL_MS 5000
#define RATE_PPS 50000.0
#define DURATION_S 0.3
#define LEAST_SENT 1000

/* Counters at rest. */
static json_t *
counters_of(struct control_client *c)
{
	struct err err = {0};
	json_t *json = NULL;

	fixture_must(control_client_call(c, "quiesce", NULL, CALL_MS, &json, &err), &err);
	fixture_must(control_client_call(c, "resume", NULL, CALL_MS, NULL, &err), &err);
	return json;
}

/* ---- two queues ---- */

static const char two_queues[] = "version: 1\n"
				 "name: lcores\n"
				 "hops:\n"
				 "  - {kind: nfvchain-fwd, lcores: 2}\n"
				 "  - {kind: nfvchain-fwd, lcores: 2}\n"
				 "links: {kind: vhost-user, queues: 2}\n"
				 "traffic: {flows: 16}\n";

static struct fixture chain;

static int
chain_down(void **state)
{
	(void)state;
	fixture_down(&chain);
	return 0;
}

static void
a_chain_has_two_queues_and_lcores(void **state)
{
	const struct trial_spec spec = {.rate_pps = RATE_PPS,
					.duration_ns = (uint64_t)(DURATION_S * NSEC_PER_S)};
	static struct trial t;
	struct err err = {0};

	(void)state;
	fixture_up(&chain, two_queues);
	fixture_must(measure_trial(&chain.measure, &spec, &t, &err), &err);
	assert_true(t.ledger.balanced);
	assert_true(t.sent > LEAST_SENT);
	assert_int_equal(t.ok, t.sent);
	assert_int_equal(t.reordered, 0);
	for (size_t i = 0; i < chain.chain.n_hops; i++) {
		json_t *c = counters_of(chain.session.backend.hop[i].control);

		assert_int_equal(json_array_size(json_object_get(c, "lcores")), 2);
		assert_true(fixture_number(c, "lcores[0].rounds") > 0);
		assert_true(fixture_number(c, "lcores[1].rounds") > 0);
		json_decref(c);
	}
}

/* ---- two pairs ---- */

#define N_GENS 2
#define N_PORTS 4

/* Where the two ports of each generator are joined to the forwarder; the second sends against the
 * order of the ports. */
static const unsigned joined[N_GENS][2] = {{0, 2}, {3, 1}};

static struct pairs {
	char *dir;
	struct proc gen[N_GENS], fwd;
	struct tg *tg[N_GENS];
	struct control_client *control;
} pairs;

/* Words of a command line. */
struct words {
	char *argv[64];
	size_t n;
};

static void __attribute__((format(printf, 2, 3))) add(struct words *w, const char *fmt, ...)
{
	va_list ap;

	assert_true(w->n + 1 < N_ELEMS(w->argv));
	va_start(ap, fmt);
	w->argv[w->n++] = xvasprintf(fmt, ap);
	va_end(ap);
}

/* "--eth-addr PORT,MAC" or the like; nodes 0 and 1 are the generators, 2 is the forwarder. */
static void
add_mac(struct words *w, const char *option, unsigned port, unsigned node, unsigned of_port)
{
	add(w, "%s", option);
	add(w, "%u,02:00:00:00:%02x:%02x", port, node, of_port);
}

static int
nth_cpu(bool last)
{
	cpu_set_t set;
	int found = -1;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int i = 0; i < CPU_SETSIZE && (last || found < 0); i++)
		if (CPU_ISSET(i, &set))
			found = i;
	return found;
}

static void
launch(struct proc *p, const char *name, struct words *w)
{
	char *env = xasprintf("RUNTIME_DIRECTORY=%s", pairs.dir);
	char *log = xasprintf("%s.log", name);
	const char *const envs[] = {env, NULL};
	const struct proc_conf conf = {
		.name = name, .argv = w->argv, .env = envs, .log_path = log, .lifeline = true};
	struct err err = {0};

	fixture_must(proc_start(p, &conf, &err), &err);
	for (size_t i = 0; i < w->n; i++)
		free(w->argv[i]);
	free(env);
	free(log);
}

static void
start_generator(unsigned g)
{
	char *endpoint = xasprintf("ipc://%s/rpc%u", pairs.dir, g), *name = xasprintf("gen%u", g);
	struct words w = {0};
	struct err err = {0};

	add(&w, "nfvchain-gen");
	add(&w, "--rpc");
	add(&w, "%s", endpoint);
	add(&w, "--pub");
	add(&w, "none");
	add(&w, "--idle");
	add(&w, "yield");
	for (unsigned port = 0; port < 2; port++) {
		add_mac(&w, "--eth-addr", port, g, port);
		add_mac(&w, "--eth-dest", port, N_GENS, joined[g][port]);
	}
	add(&w, "--");
	add(&w, "--lcores");
	add(&w, "0@%d", nth_cpu(false));
	add(&w, "--no-pci");
	add(&w, "--file-prefix=%s", name);
	for (unsigned port = 0; port < 2; port++)
		add(&w, "--vdev=net_vhost%u,iface=%s/link%u,queues=1", port, pairs.dir,
		    joined[g][port]);
	launch(&pairs.gen[g], name, &w);
	/* It serves once its ports, and so the sockets, are there. */
	fixture_must(tg_open(&pairs.tg[g], endpoint, READY_MS, &err), &err);
	free(endpoint);
	free(name);
}

static void
start_forwarder(void)
{
	char *socket = xasprintf("%s/ctl", pairs.dir);
	struct words w = {0};
	struct err err = {0};
	int cpu = nth_cpu(true);

	add(&w, "nfvchain-fwd");
	add(&w, "--lcores");
	add(&w, "0@%d,1@%d", cpu, cpu);
	add(&w, "--no-pci");
	add(&w, "--file-prefix=fwd");
	for (unsigned port = 0; port < N_PORTS; port++)
		add(&w, "--vdev=net_virtio_user%u,path=%s/link%u,queues=1,queue_size=1024", port,
		    pairs.dir, port);
	add(&w, "--");
	add(&w, "--idle");
	add(&w, "yield");
	add(&w, "--portmap");
	add(&w, "(0,2)(1,3)");
	for (unsigned g = 0; g < N_GENS; g++)
		for (unsigned port = 0; port < 2; port++) {
			add_mac(&w, "--eth-addr", joined[g][port], N_GENS, joined[g][port]);
			add_mac(&w, "--eth-dest", joined[g][port], g, port);
		}
	add(&w, "--control");
	add(&w, "%s", socket);
	launch(&pairs.fwd, "fwd", &w);
	fixture_must(control_client_open(&pairs.control, socket, READY_MS, &err), &err);
	free(socket);
}

static int
pairs_down(void **state)
{
	(void)state;
	control_client_close(pairs.control);
	proc_close(&pairs.fwd);
	for (unsigned g = 0; g < N_GENS; g++) {
		tg_close(pairs.tg[g]);
		proc_close(&pairs.gen[g]);
	}
	free(pairs.dir);
	return 0;
}

/* What a generator says of its trial, once all that it sent has come back or the time is over. */
static json_t *
finished_trial(unsigned g)
{
	struct deadline d = deadline_in_ms(READY_MS);

	for (;;) {
		struct err err = {0};
		uint64_t received;
		json_t *json;
		bool sent;

		fixture_must(tg_poll(pairs.tg[g], &sent, &received, &err), &err);
		fixture_must(tg_trial(pairs.tg[g], &json, &err), &err);
		if (deadline_passed(&d) ||
		    (sent && fixture_number(json, "ok") >= fixture_number(json, "sent")))
			return json;
		json_decref(json);
		clock_sleep_ms(10);
	}
}

static void
send_by_both(uint64_t sent[N_GENS])
{
	struct imix mix;
	struct err err = {0};
	const struct tg_traffic traffic = {.frames = &mix, .flows = 16};

	fixture_must(imix_parse("64", &mix, &err), &err);
	for (unsigned g = 0; g < N_GENS; g++)
		fixture_must(tg_set_streams(pairs.tg[g], &traffic, &err), &err);
	for (unsigned g = 0; g < N_GENS; g++)
		fixture_must(tg_start(pairs.tg[g], RATE_PPS, DURATION_S, false, &err), &err);
	for (unsigned g = 0; g < N_GENS; g++) {
		json_t *json = finished_trial(g);

		sent[g] = fixture_number(json, "sent");
		assert_true(sent[g] > LEAST_SENT);
		assert_int_equal(fixture_number(json, "ok"), sent[g]);
		assert_int_equal(fixture_number(json, "received"), sent[g]);
		assert_int_equal(fixture_number(json, "never_seen"), 0);
		assert_int_equal(fixture_number(json, "reordered"), 0);
		json_decref(json);
	}
}

static void
check_forwarder(const uint64_t sent[N_GENS])
{
	json_t *c = counters_of(pairs.control);
	const char *reason;
	json_t *n;

	for (unsigned g = 0; g < N_GENS; g++)
		for (unsigned port = 0; port < 2; port++) {
			char path[32];

			snprintf(path, sizeof(path), "ports[%u].rx", joined[g][port]);
			assert_int_equal(fixture_number(c, path), port == 0 ? sent[g] : 0);
			snprintf(path, sizeof(path), "ports[%u].tx", joined[g][port]);
			assert_int_equal(fixture_number(c, path), port == 1 ? sent[g] : 0);
		}
	json_object_foreach(json_object_get(c, "drops"), reason, n)
		assert_int_equal(json_integer_value(n), 0);
	/* One pair came in on each. */
	assert_true(fixture_number(c, "lcores[0].bursts") > 0);
	assert_true(fixture_number(c, "lcores[1].bursts") > 0);
	json_decref(c);
}

static void
four_ports_are_two_pairs_on_two_lcores(void **state)
{
	uint64_t sent[N_GENS];
	struct err err = {0};

	(void)state;
	pairs.dir = get_current_dir_name();
	for (unsigned g = 0; g < N_GENS; g++)
		start_generator(g);
	start_forwarder();
	send_by_both(sent);
	check_forwarder(sent);
	fixture_must(control_client_call(pairs.control, "drain", NULL, CALL_MS, NULL, &err), &err);
	assert_true(proc_wait(&pairs.fwd, READY_MS));
	assert_true(WIFEXITED(pairs.fwd.status));
	assert_int_equal(WEXITSTATUS(pairs.fwd.status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_chain_has_two_queues_and_lcores, chain_down),
		cmocka_unit_test_teardown(four_ports_are_two_pairs_on_two_lcores, pairs_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
