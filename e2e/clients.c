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
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "rpc/jsonrpc.h"
#include "rpc/zmq_client.h"

/* e2e-clients RPC PUB PID: many clients of the generator with that process id, whose endpoints are
 * those, all ipc. */

#define CALL_MS 5000
#define IDLE_CLIENTS 1000
#define RUN_S 3
#define RUN_PPS 20000
/* What a client that does nothing may cost: two connections and their buffers. */
#define KB_PER_CLIENT 256
#define MAX_CALL_NS (2000 * NSEC_PER_MS)

static const char *rpc, *pub;
static int pid;

#define FRAME60 "AAAAAQAAAAAAAgAACABFAAAuAAEAAEAROrcQAAAEMAAABAQBAAwAGgAAeHh4eHh4eHh4eHh4eHh4eHh4"

struct client {
	struct zmq_client *zmq;
	char api_h[16];
	char handler[16];
	uint32_t session;
	const char *user;
};

static int
try_call(struct client *c, const char *method, json_t *params, json_t **result, struct err *err)
{
	json_object_set_new(params, "api_h", json_string(c->api_h));
	json_object_set_new(params, "handler", json_string(c->handler));
	return zmq_client_call(c->zmq, method, params, CALL_MS, result, err);
}

static json_t *
call(struct client *c, const char *method, json_t *params)
{
	struct err err = {0};
	json_t *result;

	if (try_call(c, method, params, &result, &err) < 0)
		fail_msg("%s", err.msg);
	return result;
}

static struct client
enter(const char *user, uint32_t session)
{
	struct client c = {.session = session, .user = user};
	struct err err = {0};
	json_t *result;

	if (zmq_client_open(&c.zmq, rpc, &err) < 0)
		fail_msg("%s", err.msg);
	result = call(&c, "api_sync_v2",
		      json_pack("{s:s, s:i, s:i}", "name", "STL", "major", 5, "minor", 1));
	snprintf(c.api_h, sizeof(c.api_h), "%s",
		 json_string_value(json_object_get(result, "api_h")));
	json_decref(result);
	return c;
}

static int
acquire(struct client *c, bool force)
{
	struct err err = {0};
	json_t *result = NULL;
	int rc = try_call(c, "acquire",
			  json_pack("{s:i, s:s, s:I, s:b}", "port_id", 0, "user", c->user,
				    "session_id", (json_int_t)c->session, "force", (int)force),
			  &result, &err);

	if (rc == 0)
		snprintf(c->handler, sizeof(c->handler), "%s", json_string_value(result));
	json_decref(result);
	return rc;
}

static void
leave(struct client *c)
{
	zmq_client_close(c->zmq);
}

static int
stop_traffic(struct client *c)
{
	struct err err = {0};

	return try_call(c, "stop_traffic", json_pack("{s:i}", "port_id", 0), NULL, &err);
}

static void
one_port_has_one_owner_at_a_time(void **state)
{
	struct client a = enter("ann", 1), b = enter("bob", 2);

	(void)state;
	assert_int_equal(acquire(&a, true), 0);
	for (int i = 0; i < 50; i++) {
		struct client *owner = i % 2 == 0 ? &a : &b, *other = i % 2 == 0 ? &b : &a;

		assert_int_equal(stop_traffic(owner), 0);
		assert_true(stop_traffic(other) < 0);
		assert_true(acquire(other, false) < 0);
		assert_int_equal(acquire(other, true), 0);
		assert_true(stop_traffic(owner) < 0);
	}
	json_decref(call(&a, "release", json_pack("{s:i}", "port_id", 0)));
	leave(&a);
	leave(&b);
}

/* Connects as a stranger would, says 'len' bytes and is gone. */
static void
say_and_vanish(const char *bytes, size_t len)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", rpc + strlen("ipc://"));
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
	close(fd);
}

static void
clients_that_die_do_no_harm(void **state)
{
	/* A ZMTP greeting, whole: what follows never comes. */
	char greeting[64] = {[0] = (char)0xff, [9] = 0x7f, [10] = 3};
	struct client c = enter("ann", 1);
	void *ctx = zmq_ctx_new();

	(void)state;
	memcpy(greeting + 12, "NULL", 4);
	for (size_t len = 0; len <= sizeof(greeting); len++)
		say_and_vanish(greeting, len);
	for (int i = 0; i < 50; i++) {
		const char *request = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
		void *socket = zmq_socket(ctx, ZMQ_REQ);

		/* Gone between its request and the reply. */
		zmq_setsockopt(socket, ZMQ_LINGER, &(int){100}, sizeof(int));
		assert_int_equal(zmq_connect(socket, rpc), 0);
		assert_true(zmq_send(socket, request, strlen(request), 0) > 0);
		zmq_close(socket);
		if (i % 10 == 0)
			json_decref(call(&c, "ping", json_object()));
	}
	json_decref(call(&c, "ping", json_object()));
	zmq_ctx_term(ctx);
	leave(&c);
}

static uint64_t
resident_kb(void)
{
	char path[64], line[256];
	uint64_t kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmRSS:", strlen("VmRSS:")) == 0)
			kb = strtoull(line + strlen("VmRSS:"), NULL, 10);
	fclose(f);
	assert_true(kb > 0);
	return kb;
}

static void
add_stream(struct client *c)
{
	json_decref(call(c, "remove_all_streams", json_pack("{s:i}", "port_id", 0)));
	json_decref(
		call(c, "add_stream",
		     json_pack("{s:i, s:i, s:{s:{s:s, s:s}, s:{s:s, s:{s:s, s:i}}}}", "port_id", 0,
			       "stream_id", 1, "stream", "packet", "binary", FRAME60, "meta", "",
			       "mode", "type", "continuous", "rate", "type", "pps", "value", 1)));
}

static void
start(struct client *c, double duration_s)
{
	json_decref(call(c, "start_traffic",
			 json_pack("{s:i, s:{s:s, s:i, s:s}, s:i, s:b}", "port_id", 0, "mul",
				   "type", "pps", "value", RUN_PPS, "op", "abs", "duration", RUN_S,
				   "force", 0)));
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
	zmq_setsockopt(i->req, ZMQ_RCVTIMEO, &(int){CALL_MS}, sizeof(int));
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
	struct deadline d = deadline_in_ms(CALL_MS);

	while (is_quiet(sub)) {
		assert_false(deadline_passed(&d));
		json_decref(
			call(c, "publish_now", json_pack("{s:i, s:b}", "key", 7, "baseline", 0)));
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
	zmq_setsockopt(sub, ZMQ_RCVTIMEO, &(int){2 * CALL_MS}, sizeof(int));
	assert_int_equal(zmq_connect(sub, pub), 0);
	assert_int_equal(acquire(&c, true), 0);
	add_stream(&c);
	json_decref(call(&c, "get_async_events", json_pack("{s:i}", "session_id", 1)));
	tune_in(&c, sub);
	start(&c, 0.5);
	/* Nobody asks now, and still the end is heard. */
	end_ns = clock_now_ns() + NSEC_PER_S / 2;
	do
		hear_ring(sub);
	while (clock_now_ns() < end_ns);
	events = call(&c, "get_async_events", json_pack("{s:i}", "session_id", 1));
	n = json_array_size(json_object_get(events, "data"));
	assert_true(n >= 4);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(json_object_get(events, "data"), n - 2), "type")),
			 14);
	json_decref(events);
	zmq_close(sub);
	zmq_ctx_term(ctx);
	leave(&c);
}

static void
wait_for_end(struct client *c, uint64_t *slowest_ns)
{
	struct deadline d = deadline_in_ms((RUN_S + 20) * 1000);
	bool sends = true;

	while (sends) {
		uint64_t asked = clock_now_ns();
		json_t *status = call(c, "get_port_status", json_pack("{s:i}", "port_id", 0));

		if (clock_now_ns() - asked > *slowest_ns)
			*slowest_ns = clock_now_ns() - asked;
		sends = strcmp(json_string_value(json_object_get(status, "state")), "TX") == 0;
		json_decref(status);
		assert_false(deadline_passed(&d));
		clock_sleep_ms(50);
	}
}

static uint64_t
count(const json_t *trial, const char *name)
{
	struct err err = {0};
	uint64_t n = 0;

	if (json_get_u64(trial, name, &n, &err) < 0)
		fail_msg("%s", err.msg);
	return n;
}

static void
a_thousand_idle_clients_disturb_nothing(void **state)
{
	static struct idler idlers[IDLE_CLIENTS];
	struct client c = enter("ann", 1);
	void *ctx = zmq_ctx_new();
	uint64_t before = resident_kb(), after, slowest_ns = 0;
	json_t *trial;

	(void)state;
	zmq_ctx_set(ctx, ZMQ_MAX_SOCKETS, 2 * IDLE_CLIENTS + 16);
	assert_int_equal(acquire(&c, true), 0);
	add_stream(&c);
	start(&c, RUN_S);
	for (uint32_t i = 0; i < IDLE_CLIENTS; i++) {
		open_idler(&idlers[i], ctx);
		ask_for_events(&idlers[i], c.api_h, 1000 + i);
	}
	wait_for_end(&c, &slowest_ns);
	after = resident_kb();
	trial = call(&c, "x_nfvchain_trial", json_pack("{s:i}", "port_id", 0));
	printf("# %d clients: %llu KB more, %llu of %llu frames late, slowest call %llu ms\n",
	       IDLE_CLIENTS, (unsigned long long)(after > before ? after - before : 0),
	       (unsigned long long)count(trial, "late"),
	       (unsigned long long)count(trial, "intended"),
	       (unsigned long long)(slowest_ns / NSEC_PER_MS));
	assert_int_equal(count(trial, "intended"), RUN_S * RUN_PPS);
	assert_int_equal(count(trial, "intended"),
			 count(trial, "sent") + count(trial, "late") + count(trial, "refused"));
	assert_true(after < before + IDLE_CLIENTS * KB_PER_CLIENT);
	assert_true(slowest_ns < MAX_CALL_NS);
	json_decref(trial);
	for (uint32_t i = 0; i < IDLE_CLIENTS; i++) {
		zmq_close(idlers[i].req);
		zmq_close(idlers[i].sub);
	}
	zmq_ctx_term(ctx);
	json_decref(call(&c, "ping", json_object()));
	leave(&c);
}

/* Whoever listens hears that the server stops, and the one who asked for it gets an answer. */
static void
a_shutdown_is_told(void **state)
{
	struct client c = enter("ann", 1), other = enter("bob", 77);
	json_t *events;
	size_t n;

	(void)state;
	json_decref(call(&other, "get_async_events", json_pack("{s:i}", "session_id", 77)));
	json_decref(call(&c, "shutdown", json_pack("{s:s, s:b}", "user", "ann", "force", 1)));
	events = call(&other, "get_async_events", json_pack("{s:i}", "session_id", 77));
	n = json_array_size(json_object_get(events, "data"));
	assert_true(n >= 1);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(json_object_get(events, "data"), n - 1), "type")),
			 100);
	json_decref(events);
	leave(&c);
	leave(&other);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_port_has_one_owner_at_a_time),
		cmocka_unit_test(clients_that_die_do_no_harm),
		cmocka_unit_test(the_end_of_a_run_rings),
		cmocka_unit_test(a_thousand_idle_clients_disturb_nothing),
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
	return cmocka_run_group_tests(tests, NULL, NULL);
}
