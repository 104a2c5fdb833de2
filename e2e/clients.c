/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#include "base/clock.h"
#include "broken_clients.h"
#include "gen_client.h"
#include "rpc/jsonrpc.h"

/* e2e-clients RPC PUB PID: many clients of the generator with that process id, whose endpoints are
 * those, ipc or tcp. */

#define IDLE_CLIENTS 1000
#define RUN_S 3
#define RUN_PPS 20000
#define TURNS 2000
#define BACKGROUND_PPS 2000 /* on the other port, all the time */
/* What a client that does nothing may cost: two connections and their buffers. */
#define KB_PER_CLIENT 256
#define MAX_CALL_NS (2000 * NSEC_PER_MS)

static const char *rpc, *pub;
static int pid;
static struct client background;

static struct client
enter(const char *user, uint32_t session)
{
	return client_enter(rpc, user, session, 0);
}

/* Owned by somebody, and without effect on what is sent. */
static int
try_owned(struct client *c)
{
	struct err err = {0};

	return client_try(c, "validate", json_object(), NULL, &err);
}

static bool
is_sending(struct client *c)
{
	json_t *status = client_call(c, "get_port_status", json_object());
	bool sends = strcmp(json_string_value(json_object_get(status, "state")), "TX") == 0;

	json_decref(status);
	return sends;
}

static void
one_port_has_one_owner_at_a_time(void **state)
{
	struct client a = enter("ann", 1), b = enter("bob", 2);

	(void)state;
	assert_int_equal(client_acquire(&a, true), 0);
	client_set_stream(&a, false);
	client_start(&a, BACKGROUND_PPS, -1);
	for (int i = 0; i < TURNS; i++) {
		struct client *owner = i % 2 == 0 ? &a : &b, *other = i % 2 == 0 ? &b : &a;

		assert_int_equal(try_owned(owner), 0);
		assert_true(try_owned(other) < 0);
		assert_true(client_acquire(other, false) < 0);
		assert_int_equal(client_acquire(other, true), 0);
		assert_true(try_owned(owner) < 0);
	}
	/* It never stopped, whoever owned it. */
	assert_true(is_sending(&a));
	client_do(&a, "stop_traffic", json_object());
	background_next(&background, "two clients took the other port in turns");
	client_do(&a, "release", json_object());
	assert_true(try_owned(&a) < 0);
	client_leave(&a);
	client_leave(&b);
}

static void
clients_that_die_do_no_harm(void **state)
{
	const char *request = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
	struct client c = enter("ann", 1);
	void *ctx = zmq_ctx_new();

	(void)state;
	for (int i = 0; i < 50; i++) {
		void *socket = zmq_socket(ctx, ZMQ_REQ);

		/* Gone between its request and the reply. */
		zmq_setsockopt(socket, ZMQ_LINGER, &(int){100}, sizeof(int));
		assert_int_equal(zmq_connect(socket, rpc), 0);
		assert_true(zmq_send(socket, request, strlen(request), 0) > 0);
		zmq_close(socket);
		if (i % 10 == 0)
			client_do(&c, "ping", json_object());
	}
	client_do(&c, "ping", json_object());
	zmq_ctx_term(ctx);
	client_leave(&c);
}

static void
clients_that_die_within_a_frame_do_no_harm(void **state)
{
	struct client c = enter("ann", 1);

	(void)state;
	broken_clients(rpc, &c);
	background_next(&background, "clients died within frames");
	client_leave(&c);
}

/* A client as the console is when nobody types: connected twice, asking for events. */
struct idler {
	void *req, *sub;
};

static void
open_idler(struct idler *i, void *ctx)
{
	i->req = zmq_socket(ctx, ZMQ_REQ);
	i->sub = zmq_socket(ctx, ZMQ_SUB);
	assert_non_null(i->req);
	assert_non_null(i->sub);
	zmq_setsockopt(i->req, ZMQ_LINGER, &(int){0}, sizeof(int));
	zmq_setsockopt(i->req, ZMQ_RCVTIMEO, &(int){CLIENT_CALL_MS}, sizeof(int));
	zmq_setsockopt(i->sub, ZMQ_LINGER, &(int){0}, sizeof(int));
	zmq_setsockopt(i->sub, ZMQ_SUBSCRIBE, "", 0);
	assert_int_equal(zmq_connect(i->req, rpc), 0);
	assert_int_equal(zmq_connect(i->sub, pub), 0);
}

static void
ask_for_events(struct idler *i, const char *api_h, uint32_t session)
{
	char *text = jsonrpc_request(
		"get_async_events",
		json_pack("{s:I, s:s}", "session_id", (json_int_t)session, "api_h", api_h), 1);
	char reply[512];
	int n;

	assert_true(zmq_send(i->req, text, strlen(text), 0) > 0);
	n = zmq_recv(i->req, reply, sizeof(reply) - 1, 0);
	assert_true(n > 0 && n < (int)sizeof(reply));
	reply[n] = '\0';
	assert_non_null(strstr(reply, "\"data\":["));
	free(text);
}

/* The next thing published, which is never anything but a ring. */
static void
hear_ring(void *sub)
{
	char text[8];
	int n = zmq_recv(sub, text, sizeof(text), 0);

	if (n < 0)
		fail_msg("no ring: %s", zmq_strerror(errno));
	assert_int_equal(n, 2);
	assert_memory_equal(text, "{}", 2);
}

static bool
is_quiet(void *sub)
{
	zmq_pollitem_t item = {.socket = sub, .events = ZMQ_POLLIN};

	return zmq_poll(&item, 1, 0) == 0;
}

/* A subscription takes a while to arrive, so ring until it is heard. */
static void
tune_in(struct client *c, void *sub)
{
	struct deadline d = deadline_in_ms(CLIENT_CALL_MS);

	while (is_quiet(sub)) {
		assert_false(deadline_passed(&d));
		client_do(c, "publish_now", json_pack("{s:i, s:b}", "key", 7, "baseline", 0));
		clock_sleep_ms(10);
	}
}

static void
the_end_of_a_run_rings(void **state)
{
	struct client c = enter("ann", 1);
	void *ctx = zmq_ctx_new(), *sub = zmq_socket(ctx, ZMQ_SUB);
	json_t *events;
	uint64_t end_ns;
	size_t n;

	(void)state;
	zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "", 0);
	zmq_setsockopt(sub, ZMQ_RCVTIMEO, &(int){2 * CLIENT_CALL_MS}, sizeof(int));
	assert_int_equal(zmq_connect(sub, pub), 0);
	assert_int_equal(client_acquire(&c, true), 0);
	client_set_stream(&c, false);
	client_do(&c, "get_async_events", json_pack("{s:i}", "session_id", 1));
	tune_in(&c, sub);
	client_start(&c, RUN_PPS, 0.5);
	/* Nobody asks now, and still the end is heard. */
	end_ns = clock_now_ns() + NSEC_PER_S / 2;
	do
		hear_ring(sub);
	while (clock_now_ns() < end_ns);
	events = client_call(&c, "get_async_events", json_pack("{s:i}", "session_id", 1));
	n = json_array_size(json_object_get(events, "data"));
	assert_true(n >= 4);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(json_object_get(events, "data"), n - 2), "type")),
			 14);
	json_decref(events);
	zmq_close(sub);
	zmq_ctx_term(ctx);
	client_leave(&c);
}

static void
a_thousand_idle_clients_disturb_nothing(void **state)
{
	static struct idler idlers[IDLE_CLIENTS];
	struct client c = enter("ann", 1);
	void *ctx = zmq_ctx_new();
	uint64_t before = resident_kb(pid), after, slowest_ns = 0;
	json_t *trial;

	(void)state;
	zmq_ctx_set(ctx, ZMQ_MAX_SOCKETS, 2 * IDLE_CLIENTS + 16);
	assert_int_equal(client_acquire(&c, true), 0);
	client_set_stream(&c, false);
	client_start(&c, RUN_PPS, RUN_S);
	for (uint32_t i = 0; i < IDLE_CLIENTS; i++) {
		open_idler(&idlers[i], ctx);
		ask_for_events(&idlers[i], c.api_h, 1000 + i);
	}
	client_wait_for_end(&c, &slowest_ns);
	after = resident_kb(pid);
	trial = client_call(&c, "x_nfvchain_trial", json_object());
	printf("# %d clients: %llu KB more, %llu of %llu frames late, slowest call %llu ms\n",
	       IDLE_CLIENTS, (unsigned long long)(after > before ? after - before : 0),
	       (unsigned long long)client_count(trial, "late"),
	       (unsigned long long)client_count(trial, "intended"),
	       (unsigned long long)(slowest_ns / NSEC_PER_MS));
	assert_int_equal(client_count(trial, "intended"), RUN_S * RUN_PPS);
	assert_int_equal(client_count(trial, "intended"), client_count(trial, "sent") +
								  client_count(trial, "late") +
								  client_count(trial, "refused"));
	assert_true(after < before + IDLE_CLIENTS * KB_PER_CLIENT);
	assert_true(slowest_ns < MAX_CALL_NS);
	json_decref(trial);
	background_next(&background, "a thousand clients were idle");
	for (uint32_t i = 0; i < IDLE_CLIENTS; i++) {
		zmq_close(idlers[i].req);
		zmq_close(idlers[i].sub);
	}
	zmq_ctx_term(ctx);
	client_do(&c, "ping", json_object());
	client_leave(&c);
}

/* Whoever listens hears that the server stops, and the one who asked for it gets an answer. */
static void
a_shutdown_is_told(void **state)
{
	struct client c = enter("ann", 1), other = enter("bob", 77);
	json_t *events;
	size_t n;

	(void)state;
	client_do(&other, "get_async_events", json_pack("{s:i}", "session_id", 77));
	client_do(&c, "shutdown", json_pack("{s:s, s:b}", "user", "ann", "force", 1));
	events = client_call(&other, "get_async_events", json_pack("{s:i}", "session_id", 77));
	n = json_array_size(json_object_get(events, "data"));
	assert_true(n >= 1);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(json_object_get(events, "data"), n - 1), "type")),
			 100);
	json_decref(events);
	client_leave(&c);
	client_leave(&other);
}

static int
begin_background(void **state)
{
	(void)state;
	background = client_enter(rpc, "background", 3, 1);
	background_begin(&background, BACKGROUND_PPS);
	return 0;
}

static void
other_traffic_was_not_disturbed(void **state)
{
	(void)state;
	background_end(&background, "they are gone");
	client_leave(&background);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_port_has_one_owner_at_a_time),
		cmocka_unit_test(clients_that_die_do_no_harm),
		cmocka_unit_test(clients_that_die_within_a_frame_do_no_harm),
		cmocka_unit_test(the_end_of_a_run_rings),
		cmocka_unit_test(a_thousand_idle_clients_disturb_nothing),
		cmocka_unit_test(other_traffic_was_not_disturbed),
		cmocka_unit_test(a_shutdown_is_told),
	};
	struct rlimit limit;

	if (argc != 4)
		return 2;
	rpc = argv[1];
	pub = argv[2];
	pid = atoi(argv[3]);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur < 8192) {
		printf("needs 8192 open files, the limit is %llu\n",
		       (unsigned long long)limit.rlim_cur);
		return 77;
	}
	return cmocka_run_group_tests(tests, begin_background, NULL);
}
