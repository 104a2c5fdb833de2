/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include <cmocka.h>

#include "base/clock.h"
#include "gen_client.h"
#include "mutate.h"
#include "rpc/envelope.h"
#include "rpc/wide.h"

/* e2e-mutants RPC PID N SEED FILE...: sends N mutants of the requests in the recorded sessions to
 * the generator with that process id, while it sends traffic.  Each gets an answer in time that is
 * JSON-RPC; no frame is lost; and what the generator keeps in memory has a limit. */

#define REPLY_MS 10000
#define AT_ONCE 4
#define PING_EACH 1000
#define CLEAN_EACH 2000
#define FLOOD_EACH 10000
#define FLOOD_BYTES (5 << 20)
#define REPLY_MAX (64 << 20)
#define BACKGROUND_PPS 2000
#define RUNS 5 /* one after the other, as long as mutants come */
/* A megabyte a port would be little for a program that keeps streams, captures and events; an
 * allocator that finds errors keeps 256 MB of what was freed. */
#define MORE_KB (64 << 10)
#define MORE_SANITIZED_KB (640 << 10)

static struct {
	const char *rpc;
	int pid;
	unsigned long n;
	unsigned long long seed;
	char **files;
} line;

struct siege {
	struct client traffic, port; /* owners of ports 0 and 1 */
	struct mutator mutator;
	void *ctx;
	void *socket[AT_ONCE];
	char *mutant[AT_ONCE]; /* sent, and not answered yet */
	size_t len[AT_ONCE];
	unsigned long n, n_results, n_errors;
	bool lost_port; /* another client took it */
	uint64_t begin_kb, middle_kb;
};

static void *
connect_one(void *ctx)
{
	void *socket = zmq_socket(ctx, ZMQ_REQ);

	assert_non_null(socket);
	zmq_setsockopt(socket, ZMQ_LINGER, &(int){0}, sizeof(int));
	zmq_setsockopt(socket, ZMQ_RCVTIMEO, &(int){REPLY_MS}, sizeof(int));
	assert_int_equal(zmq_connect(socket, line.rpc), 0);
	return socket;
}

static void
check_one(struct siege *s, const json_t *reply)
{
	const json_t *result = json_object_get(reply, "result");
	const json_t *error = json_object_get(reply, "error");

	assert_string_equal(json_string_value(json_object_get(reply, "jsonrpc")), "2.0");
	assert_non_null(json_object_get(reply, "id"));
	assert_true((result != NULL) != (error != NULL));
	if (error != NULL) {
		assert_true(json_is_integer(json_object_get(error, "code")));
		assert_true(json_is_string(json_object_get(error, "message")));
	}
	s->n_results += result != NULL;
	s->n_errors += error != NULL;
}

static void
check_reply(struct siege *s, const char *text, size_t len)
{
	json_t *reply = wide_loadb(text, len, 0, NULL), *v;
	size_t i;

	assert_non_null(reply);
	assert_true(json_is_object(reply) || json_array_size(reply) > 1);
	if (json_is_object(reply))
		check_one(s, reply);
	json_array_foreach(reply, i, v)
		check_one(s, v);
	json_decref(reply);
	s->lost_port |= memmem(text, len, "acquire the port before", 23) != NULL ||
			memmem(text, len, "not owned by you", 16) != NULL;
}

/* What a mutant was, for whoever has to find out. */
static void
show(const struct siege *s, int i)
{
	static const char path[] = "mutant.bin";
	FILE *f = fopen(path, "we");

	if (f == NULL || fwrite(s->mutant[i], 1, s->len[i], f) != s->len[i])
		print_error("cannot write %s\n", path);
	if (f != NULL)
		fclose(f);
	print_error("mutant %lu of seed %llu, %zu bytes: %.300s\n", s->n + (unsigned long)i,
		    line.seed, s->len[i], s->mutant[i]);
}

static void
send_one(struct siege *s, int i)
{
	s->mutant[i] = mutator_next(&s->mutator, &s->len[i]);
	assert_int_equal(zmq_send(s->socket[i], s->mutant[i], s->len[i], 0), (int)s->len[i]);
}

static void
hear_one(struct siege *s, int i)
{
	const char *data;
	char *plain = NULL;
	zmq_msg_t msg;
	size_t len;

	zmq_msg_init(&msg);
	if (zmq_msg_recv(&msg, s->socket[i], 0) < 0) {
		show(s, i);
		fail_msg("no answer: %s", zmq_strerror(errno));
	}
	data = zmq_msg_data(&msg);
	len = zmq_msg_size(&msg);
	if (envelope_is(data, len)) {
		assert_true(envelope_is(s->mutant[i], s->len[i]));
		plain = envelope_open(data, len, REPLY_MAX, &len);
		assert_non_null(plain);
	}
	check_reply(s, plain != NULL ? plain : data, len);
	free(plain);
	free(s->mutant[i]);
	zmq_msg_close(&msg);
}

/* What is longer than any request costs its sender the connection, and nobody else. */
static void
flood(struct siege *s)
{
	void *socket = connect_one(s->ctx);
	char *bytes = calloc(1, FLOOD_BYTES);

	assert_non_null(bytes);
	assert_int_equal(zmq_send(socket, bytes, FLOOD_BYTES, 0), FLOOD_BYTES);
	client_do(&s->traffic, "ping", json_object());
	zmq_close(socket);
	free(bytes);
}

static void
take_port(struct siege *s)
{
	assert_int_equal(client_acquire(&s->port, true), 0);
	memcpy(s->mutator.handler, s->port.handler, sizeof(s->mutator.handler));
	s->lost_port = false;
}

/* Mutants may have left anything behind: all of it can be removed. */
static void
clean(struct siege *s)
{
	json_t *captures, *v;
	size_t i;

	take_port(s);
	client_do(&s->port, "stop_traffic", json_pack("{s:s}", "profile_id", "*"));
	client_do(&s->port, "remove_all_streams", json_pack("{s:s}", "profile_id", "*"));
	captures = client_call(&s->port, "capture", json_pack("{s:s}", "command", "status"));
	json_array_foreach(captures, i, v)
		client_do(&s->port, "capture",
			  json_pack("{s:s, s:O}", "command", "remove", "capture_id",
				    json_object_get(v, "id")));
	json_decref(captures);
}

static void
volley(struct siege *s)
{
	for (int i = 0; i < AT_ONCE; i++)
		send_one(s, i);
	for (int i = 0; i < AT_ONCE; i++)
		hear_one(s, i);
	s->n += AT_ONCE;
	if (s->lost_port)
		take_port(s);
	if (s->n % PING_EACH == 0)
		client_do(&s->traffic, "ping", json_object());
	if (s->n % CLEAN_EACH == 0)
		clean(s);
	if (s->n % FLOOD_EACH == 0)
		flood(s);
}

static void
open_siege(struct siege *s)
{
	*s = (struct siege){.ctx = zmq_ctx_new()};
	s->traffic = client_enter(line.rpc, "traffic", 1, 0);
	s->port = client_enter(line.rpc, "mutants", 2, 1);
	mutator_init(&s->mutator, line.seed);
	for (char **file = line.files; *file != NULL; file++)
		mutator_read(&s->mutator, *file);
	memcpy(s->mutator.api_h, s->port.api_h, sizeof(s->mutator.api_h));
	for (int i = 0; i < AT_ONCE; i++)
		s->socket[i] = connect_one(s->ctx);
	take_port(s);
}

static void
close_siege(struct siege *s)
{
	for (int i = 0; i < AT_ONCE; i++)
		zmq_close(s->socket[i]);
	zmq_ctx_term(s->ctx);
	mutator_fini(&s->mutator);
	client_leave(&s->port);
	client_leave(&s->traffic);
}

/* Frames that mutants made the other port send. */
static uint64_t
sent_by_mutants(struct siege *s)
{
	json_t *stats = client_call(&s->port, "get_port_stats", json_object());
	uint64_t n = client_count(stats, "opackets");

	json_decref(stats);
	return n;
}

static void
report(const struct siege *s, double seconds, uint64_t end_kb)
{
	const struct mutator *m = &s->mutator;

	print_message("# seed %llu: %lu mutants in %.1f s, %.0f a second; %zu batches, %zu no "
		      "JSON, %zu sealed, %zu of these damaged\n",
		      line.seed, s->n, seconds, (double)s->n / seconds, m->n_batches, m->n_broken,
		      m->n_sealed, m->n_lying);
	print_message("# %lu results, %lu errors; resident %llu kB, in the middle %llu kB, at the "
		      "end %llu kB\n",
		      s->n_results, s->n_errors, (unsigned long long)s->begin_kb,
		      (unsigned long long)s->middle_kb, (unsigned long long)end_kb);
}

static void
mutants_harm_nothing(void **state)
{
	const uint64_t more_kb = is_sanitized(line.pid) ? MORE_SANITIZED_KB : MORE_KB;
	struct siege s;
	uint64_t begin_ns, end_kb;
	double seconds;

	(void)state;
	open_siege(&s);
	background_begin(&s.traffic, BACKGROUND_PPS);
	s.begin_kb = s.middle_kb = resident_kb(line.pid);
	begin_ns = clock_now_ns();
	while (s.n < line.n) {
		volley(&s);
		if (s.n / AT_ONCE % (line.n / AT_ONCE / RUNS + 1) == 0)
			background_next(&s.traffic, "mutants came");
		if (s.n == line.n / 2 / AT_ONCE * AT_ONCE)
			s.middle_kb = resident_kb(line.pid);
	}
	seconds = (double)(clock_now_ns() - begin_ns) / 1e9;
	clean(&s);
	end_kb = resident_kb(line.pid);
	report(&s, seconds, end_kb);
	background_end(&s.traffic, "mutants came");
	assert_true(s.middle_kb <= s.begin_kb + more_kb);
	assert_true(end_kb <= s.begin_kb + more_kb);
	/* Most mutants are refused, and many are not: otherwise this would test little. */
	assert_true(sent_by_mutants(&s) > 0);
	assert_true(s.n_results > s.n / 20);
	assert_true(s.n_errors > s.n / 20);
	close_siege(&s);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mutants_harm_nothing),
	};

	if (argc < 6)
		return 2;
	line.rpc = argv[1];
	line.pid = atoi(argv[2]);
	line.n = strtoul(argv[3], NULL, 10);
	line.seed = strtoull(argv[4], NULL, 0);
	line.files = argv + 5;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
