/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#include "base/assert_within.h"
#include "base/clock.h"
#include "base/mem.h"
#include "envelope.h"
#include "zmq_client.h"
#include "zmq_served.h"

#define LONG_MS 10000

static char dir[] = "/tmp/nfvchain-zmq-XXXXXX";
static char rpc_path[64], rpc_endpoint[80], pub_endpoint[80];
static struct served served;

static int
setup(void **state)
{
	served_start(&served, rpc_endpoint, pub_endpoint);
	return served.rc;
}

static int
teardown(void **state)
{
	served_stop(&served);
	return 0;
}

static struct zmq_client *
client_to(const char *endpoint)
{
	struct zmq_client *c;
	struct err err = {0};

	if (zmq_client_open(&c, endpoint, &err) < 0)
		fail_msg("%s", err.msg);
	return c;
}

static void
assert_echo(struct zmq_client *c, int n)
{
	struct err err = {0};
	json_t *result;

	if (zmq_client_call(c, "echo", json_pack("{s:i}", "n", n), LONG_MS, &result, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(json_integer_value(json_object_get(result, "n")), n);
	json_decref(result);
}

static void
calls_are_answered(void **state)
{
	struct zmq_client *c = client_to(rpc_endpoint);
	struct err err = {0};

	for (int i = 0; i < 100; i++)
		assert_echo(c, i);
	assert_int_equal(zmq_client_call(c, "echo", NULL, LONG_MS, NULL, &err), 0);
	assert_int_equal(zmq_client_call(c, "busy", NULL, LONG_MS, NULL, &err), -EREMOTEIO);
	assert_non_null(strstr(err.msg, "busy: port is busy"));
	assert_int_equal(zmq_client_call(c, "none", NULL, LONG_MS, NULL, &err), -ENOSYS);
	assert_int_equal(zmq_client_call(c, "echo", json_array(), LONG_MS, NULL, &err), -EINVAL);
	assert_echo(c, 101);
	zmq_client_close(c);
}

static void
a_large_request_is_carried(void **state)
{
	struct zmq_client *c = client_to(rpc_endpoint);
	char *text = xcalloc(900001, 1);
	struct err err = {0};
	json_t *result;

	memset(text, 'x', 900000);
	assert_int_equal(zmq_client_call(c, "echo", json_pack("{s:s}", "text", text), LONG_MS,
					 &result, &err),
			 0);
	assert_string_equal(json_string_value(json_object_get(result, "text")), text);
	json_decref(result);
	zmq_client_close(c);
	free(text);
}

static void
clients_share_the_server(void **state)
{
	struct zmq_client *c[20];

	for (size_t i = 0; i < N_ELEMS(c); i++)
		c[i] = client_to(rpc_endpoint);
	for (int round = 0; round < 5; round++)
		for (size_t i = 0; i < N_ELEMS(c); i++)
			assert_echo(c[i], (int)i);
	for (size_t i = 0; i < N_ELEMS(c); i++)
		zmq_client_close(c[i]);
}

/* Else a wrong number would be believed: the answer to the first call must not end the second. */
static void
a_late_answer_is_never_taken_for_anothers(void **state)
{
	struct zmq_client *c = client_to(rpc_endpoint);
	struct err err = {0};

	assert_int_equal(zmq_client_call(c, "wait", NULL, 50, NULL, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.msg, "wait: no answer within 50 ms"));
	sem_post(&served.go);
	/* When the call was still on its way it never arrives, and nobody takes this 'go'. */
	assert_echo(c, 5);
	assert_echo(c, 6);
	zmq_client_close(c);
}

static void
the_server_may_come_later(void **state)
{
	char path[80], endpoint[100];
	struct zmq_client *c;
	struct served late;
	struct err err = {0};

	snprintf(path, sizeof(path), "%s/late", dir);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s", path);
	c = client_to(endpoint);
	assert_int_equal(zmq_client_call(c, "echo", NULL, 20, NULL, &err), -ETIMEDOUT);
	served_start(&late, endpoint, NULL);
	assert_int_equal(late.rc, 0);
	assert_echo(c, 1);
	/* And may go and come again. */
	served_stop(&late);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(zmq_client_call(c, "echo", NULL, 20, NULL, &err), -ETIMEDOUT);
	served_start(&late, endpoint, NULL);
	assert_echo(c, 2);
	served_stop(&late);
	zmq_client_close(c);
}

static void
on_alarm(int signum)
{
}

static void
a_signal_ends_the_wait(void **state)
{
	struct itimerval every = {{.tv_usec = 20000}, {.tv_usec = 20000}};
	struct sigaction act = {.sa_handler = on_alarm}, old;
	struct zmq_client *c = client_to("ipc:///tmp/nfvchain-zmq-nobody");
	struct err err = {0};

	sigaction(SIGALRM, &act, &old);
	setitimer(ITIMER_REAL, &every, NULL);
	assert_int_equal(zmq_client_call(c, "echo", NULL, LONG_MS, NULL, &err), -EINTR);
	every = (struct itimerval){0};
	setitimer(ITIMER_REAL, &every, NULL);
	sigaction(SIGALRM, &old, NULL);
	zmq_client_close(c);
}

static void
a_bad_endpoint_is_refused(void **state)
{
	struct zmq_client *c;
	struct err err = {0};

	assert_true(zmq_client_open(&c, "127.0.0.1:4501", &err) < 0);
	assert_null(c);
	assert_non_null(strstr(err.msg, "cannot connect to 127.0.0.1:4501"));
	zmq_client_close(NULL);
}

/* A plain socket of 'type', to send what our client never would. */
static void *
raw_socket(void *ctx, int type, const char *endpoint)
{
	void *socket = zmq_socket(ctx, type);
	int timeout = LONG_MS, linger = 0;

	zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout, sizeof(timeout));
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
	assert_int_equal(zmq_connect(socket, endpoint), 0);
	return socket;
}

static void
send_text(void *socket, const char *text, int flags)
{
	assert_int_equal(zmq_send(socket, text, strlen(text), flags), strlen(text));
}

static void
assert_received(void *socket, const char *expected)
{
	char buf[4096];
	int n = zmq_recv(socket, buf, sizeof(buf) - 1, 0);

	assert_within(n, 0, sizeof(buf) - 1);
	buf[n] = '\0';
	assert_string_equal(buf, expected);
}

static void
send_echo(void *dealer, int id)
{
	char text[100];

	snprintf(text, sizeof(text), "{\"id\":%d,\"jsonrpc\":\"2.0\",\"method\":\"echo\"}", id);
	send_text(dealer, "", ZMQ_SNDMORE);
	send_text(dealer, text, 0);
}

static void
assert_echoed(void *dealer, int id)
{
	char text[100];

	snprintf(text, sizeof(text), "{\"id\":%d,\"jsonrpc\":\"2.0\",\"result\":{}}", id);
	assert_received(dealer, "");
	assert_received(dealer, text);
}

static void
one_client_may_send_ahead(void **state)
{
	void *ctx = zmq_ctx_new();
	void *dealer = raw_socket(ctx, ZMQ_DEALER, rpc_endpoint);

	for (int i = 0; i < 500; i++)
		send_echo(dealer, i);
	for (int i = 0; i < 500; i++)
		assert_echoed(dealer, i);
	zmq_close(dealer);
	zmq_ctx_term(ctx);
}

/* ZeroMQ announces all of them at once; a server that serves one for each notice, or forgets what
 * is left after its turn, stops here. */
static void
requests_that_come_at_once_are_all_served(void **state)
{
	void *ctx = zmq_ctx_new();
	void *first = raw_socket(ctx, ZMQ_REQ, rpc_endpoint);
	void *dealers[60];

	for (size_t i = 0; i < N_ELEMS(dealers); i++) {
		dealers[i] = raw_socket(ctx, ZMQ_DEALER, rpc_endpoint);
		send_echo(dealers[i], -1);
		assert_echoed(dealers[i], -1);
	}
	send_text(first, "{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"wait\"}", 0);
	sem_wait(&served.waiting);
	for (size_t i = 0; i < N_ELEMS(dealers); i++)
		for (int n = 0; n < 3; n++)
			send_echo(dealers[i], n);
	sem_post(&served.go);
	assert_received(first, "{\"id\":1,\"jsonrpc\":\"2.0\",\"result\":\"waited\"}");
	for (size_t i = 0; i < N_ELEMS(dealers); i++) {
		for (int n = 0; n < 3; n++)
			assert_echoed(dealers[i], n);
		zmq_close(dealers[i]);
	}
	zmq_close(first);
	zmq_ctx_term(ctx);
}

static void
a_sealed_request_gets_a_sealed_reply(void **state)
{
	static const char request[] = "{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"echo\"}";
	void *ctx = zmq_ctx_new();
	void *req = raw_socket(ctx, ZMQ_REQ, rpc_endpoint);
	size_t len, plain_len;
	char *sealed = envelope_seal(request, strlen(request), &len);
	char *plain;
	char buf[500];
	int n;

	assert_int_equal(zmq_send(req, sealed, len, 0), len);
	n = zmq_recv(req, buf, sizeof(buf), 0);
	assert_within(n, ENVELOPE_SIZE, sizeof(buf));
	plain = envelope_open(buf, (size_t)n, 1000, &plain_len);
	assert_non_null(plain);
	assert_string_equal(plain, "{\"id\":1,\"jsonrpc\":\"2.0\",\"result\":{}}");
	send_text(req, request, 0);
	assert_received(req, plain);
	free(plain);
	free(sealed);
	zmq_close(req);
	zmq_ctx_term(ctx);
}

static void
hostile_messages_do_not_stop_the_server(void **state)
{
	static const char bad[] = "{\"error\":{\"code\":-32700,\"message\":\"Bad JSON Format\"},"
				  "\"id\":null,\"jsonrpc\":\"2.0\"}";
	static const char large[] =
		"{\"error\":{\"code\":-32603,\"message\":\"Request is too large "
		"(2000000 bytes). Consider splitting to smaller chunks.\"},"
		"\"id\":null,\"jsonrpc\":\"2.0\"}";
	void *ctx = zmq_ctx_new();
	void *req = raw_socket(ctx, ZMQ_REQ, rpc_endpoint);
	void *huge = raw_socket(ctx, ZMQ_REQ, rpc_endpoint);
	char *text = xcalloc(5 << 20, 1);
	struct zmq_client *c;

	send_text(req, "", 0);
	assert_received(req, bad);
	send_text(req, "{}", ZMQ_SNDMORE);
	send_text(req, "{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"echo\"}", 0);
	assert_received(req, bad);
	memset(text, ' ', 5 << 20);
	assert_int_equal(zmq_send(req, text, 2000000, 0), 2000000);
	assert_received(req, large);
	/* Beyond ZMQ_MAXMSGSIZE the client loses its connection, the others lose nothing. */
	assert_int_equal(zmq_send(huge, text, 5 << 20, 0), 5 << 20);
	c = client_to(rpc_endpoint);
	assert_echo(c, 1);
	zmq_client_close(c);
	free(text);
	zmq_close(huge);
	zmq_close(req);
	zmq_ctx_term(ctx);
}

/* What comes next to a socket is the reply to somebody else's request. */
static void
a_client_that_is_gone_costs_nobody_a_reply(void **state)
{
	void *ctx = zmq_ctx_new();
	void *first = raw_socket(ctx, ZMQ_REQ, rpc_endpoint);
	struct zmq_client *c = client_to(rpc_endpoint);

	for (int i = 0; i < 20; i++) {
		void *other_ctx = zmq_ctx_new();
		void *gone = raw_socket(other_ctx, ZMQ_DEALER, rpc_endpoint);

		send_text(first, "{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"wait\"}", 0);
		sem_wait(&served.waiting);
		/* It says who it is by nothing, and is gone before the server looks. */
		zmq_setsockopt(gone, ZMQ_LINGER, &(int){LONG_MS}, sizeof(int));
		send_text(gone, "{}", 0);
		zmq_close(gone);
		zmq_ctx_term(other_ctx);
		clock_sleep_ms(2);
		sem_post(&served.go);
		assert_received(first, "{\"id\":1,\"jsonrpc\":\"2.0\",\"result\":\"waited\"}");
		assert_echo(c, i);
	}
	zmq_client_close(c);
	zmq_close(first);
	zmq_ctx_term(ctx);
}

/* As a proxy sends it on, and back. */
static void
the_way_back_may_be_long(void **state)
{
	void *ctx = zmq_ctx_new();
	void *dealer = raw_socket(ctx, ZMQ_DEALER, rpc_endpoint);

	send_text(dealer, "somebody", ZMQ_SNDMORE);
	send_text(dealer, "behind a proxy", ZMQ_SNDMORE);
	send_echo(dealer, 1);
	assert_received(dealer, "somebody");
	assert_received(dealer, "behind a proxy");
	assert_echoed(dealer, 1);
	/* Too long, and no request for it. */
	for (int i = 0; i < 40; i++)
		send_text(dealer, "x", ZMQ_SNDMORE);
	send_echo(dealer, 2);
	send_echo(dealer, 3);
	assert_echoed(dealer, 3);
	zmq_close(dealer);
	zmq_ctx_term(ctx);
}

static void
the_doorbell_is_two_bytes(void **state)
{
	struct deadline d = deadline_in_ms(LONG_MS);
	struct zmq_client *c = client_to(rpc_endpoint);
	void *ctx = zmq_ctx_new();
	void *sub = zmq_socket(ctx, ZMQ_SUB);
	zmq_pollitem_t item = {.socket = sub, .events = ZMQ_POLLIN};
	struct err err = {0};

	zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "", 0);
	assert_int_equal(zmq_connect(sub, pub_endpoint), 0);
	/* Rings before the subscription has arrived are lost, as for TRex's client. */
	do {
		assert_false(deadline_passed(&d));
		assert_int_equal(zmq_client_call(c, "ring", NULL, LONG_MS, NULL, &err), 0);
	} while (zmq_poll(&item, 1, 20) == 0);
	assert_received(sub, "{}");
	zmq_close(sub);
	zmq_ctx_term(ctx);
	zmq_client_close(c);
}

static void
assert_refused(const char *endpoint, int rc, const char *sentence)
{
	struct served s;

	served_start(&s, endpoint, NULL);
	assert_int_equal(s.rc, rc);
	assert_null(s.server);
	assert_non_null(strstr(s.err.msg, sentence));
	served_stop(&s);
}

static void
a_taken_tcp_port_is_one_sentence(void **state)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char endpoint[60], sentence[200];

	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &size), 0);
	snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", ntohs(addr.sin_port));
	snprintf(sentence, sizeof(sentence),
		 "%s is in use by another program (another nfvchain-gen or TRex?)", endpoint);
	assert_refused(endpoint, -EADDRINUSE, sentence);
	close(fd);
}

/* ZeroMQ by itself would take the path away from the running server. */
static void
a_running_server_keeps_its_path(void **state)
{
	struct zmq_client *c = client_to(rpc_endpoint);

	assert_refused(rpc_endpoint, -EADDRINUSE, "is in use by another program");
	assert_echo(c, 1);
	zmq_client_close(c);
}

static void
a_stale_socket_is_replaced(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct zmq_client *c;
	struct served s;
	char endpoint[120];

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/stale", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s", addr.sun_path);
	served_start(&s, endpoint, NULL);
	assert_int_equal(s.rc, 0);
	c = client_to(endpoint);
	assert_echo(c, 1);
	zmq_client_close(c);
	served_stop(&s);
}

static void
a_file_that_is_no_socket_is_left_alone(void **state)
{
	char path[80], endpoint[100];
	int fd;

	snprintf(path, sizeof(path), "%s/notes", dir);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s", path);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_refused(endpoint, -EEXIST, "exists and is not a socket");
	assert_int_equal(unlink(path), 0);
}

static void
a_path_too_long_or_missing_is_one_sentence(void **state)
{
	char endpoint[300] = "ipc:///tmp/";

	memset(endpoint + strlen(endpoint), 'x', 108);
	assert_refused(endpoint, -ENAMETOOLONG, "too long for a socket: 113 bytes, at most 107");
	assert_refused("ipc:///nonexistent/rpc", -ENOENT,
		       "cannot listen at ipc:///nonexistent/rpc");
	assert_refused("tcp://192.0.2.1:4501", -EADDRNOTAVAIL,
		       "cannot listen at tcp://192.0.2.1:4501");
}

static int
make_dir(void **state)
{
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(rpc_path, sizeof(rpc_path), "%s/rpc", dir);
	snprintf(rpc_endpoint, sizeof(rpc_endpoint), "ipc://%s", rpc_path);
	snprintf(pub_endpoint, sizeof(pub_endpoint), "ipc://%s/pub", dir);
	return 0;
}

/* Fails when a server has left its socket behind. */
static int
remove_dir(void **state)
{
	return rmdir(dir);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(calls_are_answered),
		SERVED(a_large_request_is_carried),
		SERVED(clients_share_the_server),
		SERVED(a_late_answer_is_never_taken_for_anothers),
		cmocka_unit_test(the_server_may_come_later),
		cmocka_unit_test(a_signal_ends_the_wait),
		cmocka_unit_test(a_bad_endpoint_is_refused),
		SERVED(one_client_may_send_ahead),
		SERVED(requests_that_come_at_once_are_all_served),
		SERVED(a_sealed_request_gets_a_sealed_reply),
		SERVED(hostile_messages_do_not_stop_the_server),
		SERVED(a_client_that_is_gone_costs_nobody_a_reply),
		SERVED(the_way_back_may_be_long),
		SERVED(the_doorbell_is_two_bytes),
		cmocka_unit_test(a_taken_tcp_port_is_one_sentence),
		SERVED(a_running_server_keeps_its_path),
		cmocka_unit_test(a_stale_socket_is_replaced),
		cmocka_unit_test(a_file_that_is_no_socket_is_left_alone),
		cmocka_unit_test(a_path_too_long_or_missing_is_one_sentence),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
