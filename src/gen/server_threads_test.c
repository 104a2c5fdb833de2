/* SPDX-License-Identifier: MIT */
#include "server_calls.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_cycles.h>
#include <rte_eth_ring.h>

#include "base/clock.h"
#include "base/json.h"
#include "dpdk/rig.h"
#include "generator.h"

/* The server of one thread and the worker of another, over ports joined to each other: everything
 * that the one asks of the other while traffic runs.  What it proves more than other tests is what
 * ThreadSanitizer has to say of it. */

#define ROUNDS 4
#define ROOM 1024
#define DEADLINE_MS 20000
#define STREAM(extra)                                                                           \
	"{\"packet\":{\"binary\":\"" CALLS_FRAME "\",\"meta\":\"\"},\"mode\":" CALLS_CONTINUOUS \
	",\"vm\":{\"instructions\":[]}," extra "}"
#define PLAIN "\"flow_stats\":{\"enabled\":false}"
#define SIGNED PLAIN ",\"x_nfvchain\":{\"signature\":true,\"flows\":4}"
#define GROUP(id, rule) \
	"\"flow_stats\":{\"enabled\":true,\"stream_id\":" id ",\"rule_type\":\"" rule "\"}"
#define ON(port) "\"port_id\":" #port
#define MUL(pps) "\"mul\":{\"type\":\"pps\",\"value\":" #pps ",\"op\":\"abs\"},\"force\":true"

struct pair {
	struct server_rig rig; /* of a real worker */
	struct rte_ring *ring[GEN_PORTS];
	pthread_t worker;
};

static void
join_ports(struct pair *t)
{
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "pair%u", i);
		t->ring[i] =
			rte_ring_create(name, ROOM, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		assert_non_null(t->ring[i]);
	}
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%u", i);
		assert_int_equal(
			rte_eth_from_rings(name, &t->ring[!i], 1, &t->ring[i], 1, SOCKET_ID_ANY),
			(int)i);
	}
}

static void *
work(void *worker)
{
	worker_main(worker);
	return NULL;
}

static int
begin(void **state)
{
	struct pair *t = aligned_alloc(64, (sizeof(*t) + 63) / 64 * 64);
	struct err err = {0};

	assert_non_null(t);
	memset(t, 0, sizeof(*t));
	gen_conf_init(&t->rig.conf);
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		t->rig.conf.addr[i].set = t->rig.conf.dest[i].set = true;
		memcpy(t->rig.conf.addr[i].mac, (const uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)i}, 6);
		memcpy(t->rig.conf.dest[i].mac, (const uint8_t[6]){2, 0, 0, 0, 0, !i}, 6);
	}
	join_ports(t);
	if (generator_open(&t->rig.worker, &t->rig.conf, true, &err) < 0)
		fail_msg("%s", err.msg);
	server_init(&t->rig.server, &t->rig.conf, &t->rig.worker);
	assert_int_equal(pthread_create(&t->worker, NULL, work, &t->rig.worker), 0);
	*state = t;
	return 0;
}

static int
end(void **state)
{
	struct pair *t = *state;

	atomic_store(&t->rig.worker.stop, 1);
	pthread_join(t->worker, NULL);
	server_fini(&t->rig.server);
	for (unsigned i = 0; i < GEN_PORTS; i++)
		rig_discard(t->ring[i], UINT32_MAX);
	assert_int_equal(rte_mempool_in_use_count(t->rig.worker.tx_pool), 0);
	assert_int_equal(rte_mempool_in_use_count(t->rig.worker.rx_pool), 0);
	generator_close(&t->rig.worker);
	for (unsigned i = 0; i < GEN_PORTS; i++)
		rte_ring_free(t->ring[i]);
	gen_conf_fini(&t->rig.conf);
	free(t);
	return 0;
}

/* What the timers of a server with a loop do. */
static void
tick(struct server *s)
{
	server_update_rates(s, clock_now_ns());
	rpc_port_watch_links(s);
}

static void
look(struct server_rig *r)
{
	static const char *const questions[] = {"get_global_stats", "get_utilization",
						"get_version", "get_active_pgids"};

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		calls_ok(r, questions[i], "{}");
	calls_ok(r, "get_pgid_stats", "{\"pgids\":[]}");
	calls_ok(r, "get_port_stats", "{" ON(0) "}");
	calls_ok(r, "get_port_status", "{" ON(1) "}");
	calls_ok(r, "x_nfvchain_trial", "{" ON(0) "}");
	tick(&r->server);
}

static void
wait_for_state(struct server_rig *r, const char *profile, const char *state)
{
	struct deadline d = deadline_in_ms(DEADLINE_MS);
	bool is = false;

	while (!is) {
		json_t *status =
			calls_result(r, "get_port_status", "{" ON(0) ",\"profile_id\":\"*\"}");
		const json_t *states = json_object_get(status, "state_profile");

		is = strcmp(json_string_value(json_object_get(states, profile)), state) == 0;
		json_decref(status);
		assert_false(deadline_passed(&d));
	}
}

static uint64_t
trial_count(struct server_rig *r, const char *name)
{
	json_t *trial = calls_result(r, "x_nfvchain_trial", "{" ON(0) "}");
	struct err err = {0};
	uint64_t n = 0;

	assert_int_equal(json_get_u64(trial, name, &n, &err), 0);
	json_decref(trial);
	return n;
}

static void
wait_until_sent(struct server_rig *r, uint64_t n)
{
	struct deadline d = deadline_in_ms(DEADLINE_MS);

	while (trial_count(r, "sent") < n)
		assert_false(deadline_passed(&d));
}

static bool
has_ended(struct server_rig *r)
{
	json_t *trial = calls_result(r, "x_nfvchain_trial", "{" ON(0) "}");
	bool sent = strcmp(json_string_value(json_object_get(trial, "state")), "sent") == 0;

	json_decref(trial);
	return sent;
}

static void
assert_settles(struct server_rig *r)
{
	struct deadline d = deadline_in_ms(DEADLINE_MS);

	while (!has_ended(r) || trial_count(r, "received") < trial_count(r, "sent"))
		assert_false(deadline_passed(&d));
	assert_int_equal(trial_count(r, "ok"), trial_count(r, "sent"));
	assert_int_equal(trial_count(r, "never_seen"), 0);
	assert_int_equal(trial_count(r, "intended"), trial_count(r, "sent") +
							     trial_count(r, "late") +
							     trial_count(r, "refused"));
}

/* A profile whose frames are told one by one. */
static void
signed_round(struct server_rig *r, unsigned round)
{
	calls_ok(r, "add_stream", "{" ON(0) ",\"stream_id\":1,\"stream\":" STREAM(SIGNED) "}");
	calls_ok(r, "start_traffic", "{" ON(0) ",\"duration\":-1," MUL(20000) "}");
	look(r);
	wait_until_sent(r, 100);
	calls_ok(r, "pause_traffic", "{" ON(0) "}");
	look(r);
	calls_ok(r, "resume_traffic", "{" ON(0) "}");
	calls_ok(r, "update_traffic", "{" ON(0) "," MUL(40000) "}");
	calls_ok(r, "pause_streams", "{" ON(0) ",\"stream_ids\":[1]}");
	calls_ok(r, "resume_streams", "{" ON(0) ",\"stream_ids\":[1]}");
	calls_ok(r, "update_streams", "{" ON(0) ",\"stream_ids\":[1]," MUL(30000) "}");
	wait_until_sent(r, 200 + round);
	calls_ok(r, "stop_traffic", "{" ON(0) "}");
	wait_for_state(r, "_", "STREAMS");
	assert_settles(r);
	calls_ok(r, "remove_all_streams", "{" ON(0) "}");
}

static void
add_groups(struct server_rig *r)
{
	calls_ok(r, "add_stream",
		 "{" ON(0) ",\"profile_id\":\"p\",\"stream_id\":1,\"stream\":" STREAM(
			 GROUP("7", "stats")) "}");
	calls_ok(r, "add_stream",
		 "{" ON(0) ",\"profile_id\":\"p\",\"stream_id\":2,\"stream\":" STREAM(
			 GROUP("8", "latency")) "}");
	calls_ok(r, "start_traffic",
		 "{" ON(0) ",\"profile_id\":\"p\",\"duration\":-1," MUL(10000) "}");
}

/* The next round cannot come before this one's groups are gone on both sides. */
static void
groups_and_copies_round(struct server_rig *r, int capture)
{
	struct deadline d = deadline_in_ms(DEADLINE_MS);
	bool any = false;
	char text[128];

	for (int port = 0; port < 2; port++) {
		snprintf(text, sizeof(text), "{\"port_id\":%d,\"enabled\":true,\"filtered\":false}",
			 port);
		calls_ok(r, "service", text);
	}
	calls_ok(r, "capture",
		 "{\"command\":\"start\",\"limit\":50,\"mode\":\"cyclic\",\"tx\":[0],\"rx\":[1],"
		 "\"filter\":\"\"}");
	add_groups(r);
	calls_ok(r, "push_pkts",
		 "{" ON(1) ",\"force\":true,\"ipg_usec\":0,\"pkts\":[{\"binary\":\"" CALLS_FRAME
			   "\"}]}");
	while (!any) {
		json_t *list = calls_result(r, "capture", "{\"command\":\"status\"}");

		any = json_integer_value(json_object_get(json_array_get(list, 0), "count")) >= 10;
		json_decref(list);
		look(r);
		assert_false(deadline_passed(&d));
	}
	snprintf(text, sizeof(text), "{\"command\":\"stop\",\"capture_id\":%d}", capture);
	calls_ok(r, "capture", text);
	snprintf(text, sizeof(text), "{\"command\":\"remove\",\"capture_id\":%d}", capture);
	calls_ok(r, "capture", text);
	calls_ok(r, "stop_traffic", "{" ON(0) ",\"profile_id\":\"p\"}");
	wait_for_state(r, "p", "STREAMS");
	calls_ok(r, "remove_all_streams", "{" ON(0) ",\"profile_id\":\"p\"}");
	for (int port = 0; port < 2; port++) {
		snprintf(text, sizeof(text),
			 "{\"port_id\":%d,\"enabled\":false,\"filtered\":false}", port);
		calls_ok(r, "service", text);
	}
}

static void
all_that_is_asked_for_while_traffic_runs(void **state)
{
	struct pair *t = *state;
	struct server_rig *r = &t->rig;

	calls_acquire(r, 0);
	calls_acquire(r, 1);
	for (int i = 0; i < ROUNDS; i++) {
		signed_round(r, (unsigned)i);
		groups_and_copies_round(r, i + 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_that_is_asked_for_while_traffic_runs, begin,
						end),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
