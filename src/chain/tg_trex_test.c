/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "bench/trial.h"
#include "rpc/zmq_server.h"
#include "tg.h"

/* A server over real ZeroMQ that has a TRex's methods and answers in its words, with the counters
 * that a test says it shall have by then. */

struct counters {
	uint64_t tx[2], rx[2], errors[2], drops, known[2];
};

static struct {
	pthread_mutex_t lock;
	struct counters now;
	bool sends;
	json_t *stream, *start;
	unsigned n_forced, n_stops, n_acquired;
	bool taken;
} trex = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct loop *loop;
static struct zmq_server *server;
static pthread_t thread;
static char endpoint[64];

static uint64_t
port_of(const json_t *params)
{
	return (uint64_t)json_integer_value(json_object_get(params, "port_id"));
}

static int
api_sync(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	*result = json_pack("{s:s}", "api_h", "Ll9HpL0K");
	return 0;
}

static int
system_info(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	*result = json_pack("{s:i}", "port_count", 2);
	return 0;
}

static int
supported(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	*result = json_pack("[s, s, s]", "acquire", "get_profile_list", "get_port_stats");
	return 0;
}

static int
acquire(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	bool force = json_is_true(json_object_get(params, "force"));

	if (trex.taken && !force)
		return jsonrpc_fail(e, JSONRPC_FAILED, "port is already taken by 'itay'");
	trex.n_forced += force;
	trex.n_acquired++;
	*result = json_string("aaaabbbb");
	return 0;
}

static int
release(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	trex.n_acquired--;
	return 0;
}

static int
nothing(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	return 0;
}

static int
add_stream(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	json_decref(trex.stream);
	trex.stream = json_deep_copy(json_object_get(params, "stream"));
	return 0;
}

static int
start_traffic(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	json_decref(trex.start);
	trex.start = json_deep_copy(params);
	*result = json_pack("{s:f, s:f}", "multiplier", 1.0, "ts", 1.0);
	return 0;
}

static int
stop_traffic(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	trex.n_stops++;
	trex.sends = false;
	return 0;
}

static int
port_status(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	*result = json_pack("{s:s, s:{s:{s:b}}}", "state", trex.sends ? "TX" : "STREAMS", "attr",
			    "link", "up", 1);
	return 0;
}

static int
port_stats(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	uint64_t p = port_of(params);

	pthread_mutex_lock(&trex.lock);
	*result = json_pack("{s:I, s:I, s:I, s:I}", "opackets", (json_int_t)trex.now.tx[p],
			    "ipackets", (json_int_t)trex.now.rx[p], "oerrors", (json_int_t)0,
			    "ierrors", (json_int_t)trex.now.errors[p]);
	pthread_mutex_unlock(&trex.lock);
	return 0;
}

static int
global_stats(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	pthread_mutex_lock(&trex.lock);
	*result = json_pack("{s:I, s:I}", "m_total_queue_drop", (json_int_t)trex.now.drops,
			    "m_total_queue_full", (json_int_t)0);
	pthread_mutex_unlock(&trex.lock);
	return 0;
}

static int
pgid_stats(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	pthread_mutex_lock(&trex.lock);
	*result = json_pack("{s:{s:{s:{s:I, s:I}}}}", "flow_stats", "1", "rp", "0",
			    (json_int_t)trex.now.known[0], "1", (json_int_t)trex.now.known[1]);
	pthread_mutex_unlock(&trex.lock);
	return 0;
}

static const struct jsonrpc_method methods[] = {
	{.name = "api_sync_v2", .call = api_sync},
	{.name = "get_system_info", .call = system_info},
	{.name = "get_supported_cmds", .call = supported},
	{.name = "acquire", .call = acquire},
	{.name = "release", .call = release},
	{.name = "remove_all_streams", .call = nothing},
	{.name = "add_stream", .call = add_stream},
	{.name = "start_traffic", .call = start_traffic},
	{.name = "stop_traffic", .call = stop_traffic},
	{.name = "get_port_status", .call = port_status},
	{.name = "get_port_stats", .call = port_stats},
	{.name = "get_global_stats", .call = global_stats},
	{.name = "get_pgid_stats", .call = pgid_stats},
};

static void *
serve(void *arg)
{
	loop_run(loop);
	return NULL;
}

static int
start_server(void **state)
{
	const struct zmq_server_conf conf = {
		.rpc_endpoint = endpoint,
		.rpc = {.methods = methods, .n_methods = N_ELEMS(methods)},
	};
	struct err err = {0};

	snprintf(endpoint, sizeof(endpoint), "ipc:///tmp/nfvchain-trex-%d", (int)getpid());
	if (loop_open(&loop, &err) < 0 || zmq_server_open(&server, &conf, loop, &err) < 0)
		fail_msg("%s", err.msg);
	return pthread_create(&thread, NULL, serve, NULL);
}

static int
stop_server(void **state)
{
	loop_stop(loop);
	pthread_join(thread, NULL);
	zmq_server_close(server);
	loop_close(loop);
	json_decref(trex.stream);
	json_decref(trex.start);
	return 0;
}

/* ---- what tests do ---- */

static struct tg *
open_tg(bool force)
{
	struct err err = {0};
	struct tg *tg = NULL;

	if (tg_open_shared(&tg, endpoint, 5000, force, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(tg_is_trex(tg));
	return tg;
}

static void
must(int rc, const struct err *err)
{
	if (rc < 0)
		fail_msg("%s", err->msg);
}

/* A run of 100,000 frames a second for one second, after which the counters are 'now'. */
static void
run(struct trial *t, const struct counters *now)
{
	const struct trial_spec spec = {.rate_pps = 1e5, .duration_ns = 1000000000};
	struct tg *tg = open_tg(true);
	uint64_t received;
	bool sent = false;
	struct err err = {0};

	trex.now = (struct counters){.tx = {700, 0}, .rx = {0, 650}, .drops = 9, .known = {0, 5}};
	must(tg_begin(tg, &err), &err);
	must(tg_start(tg, spec.rate_pps, 1, false, &err), &err);
	pthread_mutex_lock(&trex.lock);
	for (int p = 0; p < 2; p++) {
		trex.now.tx[p] += now->tx[p];
		trex.now.rx[p] += now->rx[p];
		trex.now.errors[p] += now->errors[p];
		trex.now.known[p] += now->known[p];
	}
	trex.now.drops += now->drops;
	pthread_mutex_unlock(&trex.lock);
	must(tg_poll(tg, &sent, &received, &err), &err);
	assert_true(sent);
	trial_init(t, &spec);
	must(tg_finish(tg, &spec, t, &err), &err);
	t->ledger.n_hops = 0;
	ledger_close(&t->ledger, 0);
	trial_judge(t, 0);
	tg_close(tg);
}

/* The trial's time is what the server was asked for as far as we could see: it is over when asked,
 * so here it is less than a second. */
static void
all_sent_and_received(void **state)
{
	static struct trial t;
	json_t *json;

	run(&t, &(struct counters){.tx = {100000, 0}, .rx = {0, 100000}, .known = {0, 100000}});
	assert_int_equal(t.verdict, TRIAL_PASS);
	assert_int_equal(t.sent, 100000);
	assert_int_equal(t.ok, 100000);
	assert_true(t.elapsed_s <= 1);
	json = trial_to_json(&t);
	assert_true(json_is_null(json_at(json, "slots.late")));
	assert_int_equal(json_integer_value(json_at(json, "slots.shortfall")), 0);
	assert_true(json_is_null(json_at(json, "frames.duplicate")));
	assert_true(json_is_null(json_at(json, "frames.corrupt")));
	assert_int_equal(json_integer_value(json_at(json, "slots.refused")), 0);
	json_decref(json);
}

static void
what_found_no_room_is_refused(void **state)
{
	static struct trial t;

	run(&t, &(struct counters){
			.tx = {60000, 0}, .rx = {0, 60000}, .drops = 40000, .known = {0, 60000}});
	assert_int_equal(t.refused, 40000);
	assert_int_equal(t.late, 0);
	assert_int_equal(t.verdict, TRIAL_FAIL);
	assert_true(t.loss_ratio > 0.39 && t.loss_ratio < 0.41);
}

/* The silent one: neither sent nor counted anywhere. */
static void
a_shortfall_says_nothing_of_the_chain(void **state)
{
	static struct trial t, again;
	struct err err = {0};
	json_t *json;

	run(&t, &(struct counters){.tx = {50900, 0}, .rx = {0, 50900}, .known = {0, 50900}});
	assert_int_equal(t.verdict, TRIAL_INVALID);
	assert_int_equal(t.late, 49100);
	assert_string_equal(t.reason, "the generator sent 49100 frames less than the 100000 asked "
				      "for, without a word");
	json = trial_to_json(&t);
	must(trial_from_json(&again, json, &err), &err);
	assert_true(again.late_unknown);
	assert_int_equal(again.late, 49100);
	json_decref(json);
}

static void
frames_of_others_are_not_the_runs(void **state)
{
	static struct trial t;

	run(&t, &(struct counters){.tx = {100000, 3}, .rx = {2, 99993}, .known = {0, 99990}});
	assert_int_equal(t.foreign, 5);
	assert_int_equal(t.ok, 99990);
	assert_int_equal(t.reflected, 0);
}

static void
marks_that_a_function_took_away_are_done_without(void **state)
{
	static struct trial t;

	run(&t, &(struct counters){.tx = {100000, 0}, .rx = {0, 100000}});
	assert_int_equal(t.foreign, 0);
	assert_int_equal(t.ok, 100000);
	assert_int_equal(t.verdict, TRIAL_PASS);
}

static void
a_frame_that_comes_back_fails_the_trial(void **state)
{
	static struct trial t;

	run(&t, &(struct counters){.tx = {100000, 0}, .rx = {1, 99999}, .known = {1, 99999}});
	assert_int_equal(t.reflected, 1);
	assert_int_equal(t.verdict, TRIAL_FAIL);
}

static void
what_its_port_had_no_room_for_is_missed(void **state)
{
	static struct trial t;

	run(&t,
	    &(struct counters){
		    .tx = {100000, 0}, .rx = {0, 99900}, .errors = {0, 100}, .known = {0, 99900}});
	assert_int_equal(t.ledger.miss, 100);
	assert_int_equal(t.ledger.lost, 0);
	assert_int_equal(t.verdict, TRIAL_FAIL);
}

static void
ports_are_taken_from_others_only_by_force(void **state)
{
	struct err err = {0};
	struct tg *tg = NULL;

	trex.taken = true;
	trex.n_forced = 0;
	assert_true(tg_open_shared(&tg, endpoint, 5000, false, &err) < 0);
	assert_null(tg);
	assert_non_null(strstr(err.msg, "already taken by 'itay'"));
	assert_non_null(strstr(err.msg, "--force"));
	assert_int_equal(trex.n_forced, 0);
	tg = open_tg(true);
	assert_int_equal(trex.n_forced, 2);
	assert_int_equal(trex.n_acquired, 2);
	tg_close(tg);
	assert_int_equal(trex.n_acquired, 0);
	trex.taken = false;
}

static void
streams_are_its_own(void **state)
{
	struct tg_traffic traffic = {.flows = 4};
	struct tg *tg = open_tg(true);
	struct imix mix;
	struct err err = {0};
	const json_t *program;
	unsigned stops = trex.n_stops;

	must(imix_parse("64", &mix, &err), &err);
	traffic.frames = &mix;
	tg_set_dest(tg, (const uint8_t[6]){2, 0, 0, 0, 1, 0});
	must(tg_set_streams(tg, &traffic, &err), &err);
	/* A port that sends would keep its streams. */
	assert_int_equal(trex.n_stops, stops + 1);
	assert_null(json_object_get(trex.stream, "x_nfvchain"));
	assert_true(json_is_true(json_at(trex.stream, "flow_stats.enabled")));
	assert_int_equal(json_integer_value(json_at(trex.stream, "flags")), 2);
	program = json_at(trex.stream, "vm.instructions[0]");
	assert_int_equal(json_integer_value(json_object_get(program, "max_value")), 49155);
	program = json_at(trex.stream, "vm.instructions[1]");
	assert_int_equal(json_integer_value(json_object_get(program, "pkt_offset")), 34);
	traffic.flows = 20000;
	assert_int_equal(tg_set_streams(tg, &traffic, &err), -EINVAL);
	tg_close(tg);
}

/* It would go on until each slot has been worked off, long after the time is over. */
static void
a_run_flat_out_is_stopped_by_us(void **state)
{
	struct tg *tg = open_tg(true);
	struct err err = {0};
	uint64_t received;
	bool sent = false;
	unsigned stops = trex.n_stops;

	trex.sends = true;
	must(tg_start(tg, 1000, 0.05, true, &err), &err);
	assert_true(json_real_value(json_at(trex.start, "duration")) < 0);
	assert_true(json_real_value(json_at(trex.start, "mul.value")) >= 1e7);
	for (int i = 0; i < 1000 && !sent; i++) {
		must(tg_poll(tg, &sent, &received, &err), &err);
		usleep(1000);
	}
	assert_true(sent);
	assert_int_equal(trex.n_stops, stops + 1);
	tg_close(tg);
}

/* Whoever goes in the middle of a run leaves none behind. */
static void
a_run_that_goes_on_is_ended(void **state)
{
	struct tg *tg = open_tg(true);
	struct err err = {0};
	unsigned stops = trex.n_stops;

	trex.sends = true;
	must(tg_start(tg, 1000, 60, false, &err), &err);
	tg_close(tg);
	assert_int_equal(trex.n_stops, stops + 1);
	assert_false(trex.sends);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sent_and_received),
		cmocka_unit_test(what_found_no_room_is_refused),
		cmocka_unit_test(a_shortfall_says_nothing_of_the_chain),
		cmocka_unit_test(frames_of_others_are_not_the_runs),
		cmocka_unit_test(marks_that_a_function_took_away_are_done_without),
		cmocka_unit_test(a_frame_that_comes_back_fails_the_trial),
		cmocka_unit_test(what_its_port_had_no_room_for_is_missed),
		cmocka_unit_test(ports_are_taken_from_others_only_by_force),
		cmocka_unit_test(streams_are_its_own),
		cmocka_unit_test(a_run_flat_out_is_stopped_by_us),
		cmocka_unit_test(a_run_that_goes_on_is_ended),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
