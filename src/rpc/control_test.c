/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "seqpacket.h"

#define LONG_MS 10000
#define MAX_CLIENTS 64 /* of the server */

/* A server in a thread of its own, as in the forwarder. */
struct served {
	const char *path;
	struct loop *loop;
	struct control_server *server;
	struct err err;
	int rc;
	sem_t ready;
	sem_t go; /* the method 'wait' takes one */
	pthread_t thread;
};

static char dir[] = "/tmp/nfvchain-control-XXXXXX";
static char path[80];
static struct served served;

static int
echo(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	*result = json_deep_copy(params);
	return 0;
}

static int
wait_for_go(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct served *s = ctx;

	sem_wait(&s->go);
	return 0;
}

/* A string of as many letters. */
static int
letters(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	uint64_t n;
	char *text;

	if (jsonrpc_u64(params, "n", &n, e) < 0)
		return -EINVAL;
	text = xcalloc(n + 1, 1);
	memset(text, 'x', n);
	*result = json_string(text);
	free(text);
	return 0;
}

static const struct jsonrpc_method methods[] = {
	{.name = "echo", .call = echo},
	{.name = "wait", .call = wait_for_go},
	{.name = "letters", .call = letters},
};

static void *
serve(void *arg)
{
	struct served *s = arg;
	struct jsonrpc_server rpc = {.methods = methods, .n_methods = N_ELEMS(methods), .ctx = s};

	s->rc = loop_open(&s->loop, &s->err);
	if (s->rc == 0)
		s->rc = control_server_open(&s->server, s->path, &rpc, s->loop, &s->err);
	sem_post(&s->ready);
	if (s->rc == 0)
		loop_run(s->loop);
	control_server_close(s->server);
	loop_close(s->loop);
	return NULL;
}

static void
served_start(struct served *s, const char *at)
{
	*s = (struct served){.path = at};
	sem_init(&s->ready, 0, 0);
	sem_init(&s->go, 0, 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	assert_int_equal(sem_wait(&s->ready), 0);
}

static void
served_stop(struct served *s)
{
	if (s->rc == 0)
		loop_stop(s->loop);
	pthread_join(s->thread, NULL);
}

static int
setup(void **state)
{
	served_start(&served, path);
	return served.rc;
}

static int
teardown(void **state)
{
	served_stop(&served);
	return access(path, F_OK) == 0 ? -1 : 0;
}

static struct control_client *
client(void)
{
	struct control_client *c;
	struct err err = {0};

	if (control_client_open(&c, path, LONG_MS, &err) < 0)
		fail_msg("%s", err.msg);
	return c;
}

static void
assert_echo(struct control_client *c, int n)
{
	struct err err = {0};
	json_t *result;

	if (control_client_call(c, "echo", json_pack("{s:i}", "n", n), LONG_MS, &result, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(json_integer_value(json_object_get(result, "n")), n);
	json_decref(result);
}

static void
calls_are_answered(void **state)
{
	struct control_client *c = client();
	struct err err = {0};
	json_t *result;

	for (int i = 0; i < 100; i++)
		assert_echo(c, i);
	assert_int_equal(control_client_call(c, "none", NULL, LONG_MS, &result, &err), -ENOSYS);
	assert_string_equal(err.msg, "none: Method none not registered");
	assert_null(result);
	assert_int_equal(control_client_call(c, "letters", NULL, LONG_MS, NULL, &err), -EREMOTEIO);
	assert_string_equal(err.msg, "letters: parameter 'n' is missing");
	assert_int_equal(control_client_call(c, "echo", json_array(), LONG_MS, NULL, &err),
			 -EINVAL);
	assert_echo(c, 100);
	control_client_close(c);
}

static void
the_socket_is_only_ours(void **state)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
as_many_clients_as_the_server_takes(void **state)
{
	struct control_client *c[MAX_CLIENTS], *more;
	struct err err = {0};

	for (int i = 0; i < MAX_CLIENTS; i++)
		c[i] = client();
	for (int i = 0; i < MAX_CLIENTS; i++)
		assert_echo(c[i], i);
	more = client();
	assert_int_equal(control_client_call(more, "echo", NULL, LONG_MS, NULL, &err), -EPIPE);
	control_client_close(more);
	assert_echo(c[0], 1);
	for (int i = 0; i < MAX_CLIENTS; i++)
		control_client_close(c[i]);
	more = client();
	assert_echo(more, 2);
	control_client_close(more);
}

static void
a_reply_may_fill_the_packet_but_no_more(void **state)
{
	size_t room = CONTROL_MAX_BYTES - strlen("{\"id\":1,\"jsonrpc\":\"2.0\",\"result\":\"\"}");
	struct control_client *c = client();
	struct err err = {0};
	json_t *result;

	assert_int_equal(control_client_call(c, "letters",
					     json_pack("{s:I}", "n", (json_int_t)room), LONG_MS,
					     &result, &err),
			 0);
	assert_int_equal(json_string_length(result), room);
	json_decref(result);
	assert_int_equal(control_client_call(c, "letters",
					     json_pack("{s:I}", "n", (json_int_t)room + 1), LONG_MS,
					     &result, &err),
			 -EREMOTEIO);
	assert_string_equal(err.msg,
			    "letters: Reply is too large (131073 bytes). Ask for less at once.");
	assert_echo(c, 1);
	control_client_close(c);
}

static int
raw_client(void)
{
	struct deadline d = deadline_in_ms(LONG_MS);
	struct err err = {0};
	int fd = seqpacket_connect(path, &d, &err);

	if (fd < 0)
		fail_msg("%s", err.msg);
	return fd;
}

static int
receive(int fd, char *buf, size_t size)
{
	struct deadline d = deadline_in_ms(LONG_MS);

	return seqpacket_receive(fd, buf, size, &d, NULL);
}

/* Returns what is received instead of an answer once the server has dropped the client. */
static int
receive_until_dropped(int fd)
{
	static char buf[CONTROL_MAX_BYTES];
	int rc;

	do
		rc = receive(fd, buf, sizeof(buf));
	while (rc > 0);
	return rc;
}

static void
a_client_that_never_reads_is_dropped(void **state)
{
	static const char request[] = "{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"letters\","
				      "\"params\":{\"n\":100000}}";
	struct deadline d = deadline_in_ms(LONG_MS);
	struct control_client *c = client();
	int fd = raw_client();

	/* Until the server hangs up, which is what this waits for. */
	while (send(fd, request, strlen(request), MSG_NOSIGNAL) >= 0 || errno == EAGAIN) {
		assert_false(deadline_passed(&d));
		assert_echo(c, 1);
	}
	assert_true(errno == EPIPE || errno == ECONNRESET);
	assert_int_equal(receive_until_dropped(fd), -EPIPE);
	assert_echo(c, 2);
	close(fd);
	control_client_close(c);
}

/* One that sends and dies leaves a reply that nobody can take. */
static void
a_client_that_dies_harms_nobody(void **state)
{
	static const char request[] = "{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"wait\"}";
	struct control_client *c = client();
	int fd = raw_client();

	assert_true(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0);
	close(fd);
	sem_post(&served.go);
	assert_echo(c, 1);
	control_client_close(c);
}

static void
bad_packets_are_answered(void **state)
{
	static const char bad[] = "{\"error\":{\"code\":-32700,\"message\":\"Bad JSON Format\"},"
				  "\"id\":null,\"jsonrpc\":\"2.0\"}";
	static const char large[] =
		"{\"error\":{\"code\":-32603,\"message\":\"Request is too large "
		"(131073 bytes). Consider splitting to smaller chunks.\"},"
		"\"id\":null,\"jsonrpc\":\"2.0\"}";
	char *text = xcalloc(CONTROL_MAX_BYTES + 1, 1);
	int fd = raw_client();
	char buf[500] = "";

	assert_int_equal(send(fd, "?", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(receive(fd, buf, sizeof(buf)), strlen(bad));
	assert_memory_equal(buf, bad, strlen(bad));
	memset(text, ' ', CONTROL_MAX_BYTES + 1);
	assert_int_equal(send(fd, text, CONTROL_MAX_BYTES + 1, MSG_NOSIGNAL),
			 CONTROL_MAX_BYTES + 1);
	assert_int_equal(receive(fd, buf, sizeof(buf)), strlen(large));
	assert_memory_equal(buf, large, strlen(large));
	close(fd);
	free(text);
}

static void
a_request_too_long_is_not_sent(void **state)
{
	struct control_client *c = client();
	char *text = xcalloc(CONTROL_MAX_BYTES + 1, 1);
	struct err err = {0};

	memset(text, 'x', CONTROL_MAX_BYTES);
	assert_int_equal(control_client_call(c, "echo", json_pack("{s:s}", "text", text), LONG_MS,
					     NULL, &err),
			 -EMSGSIZE);
	assert_echo(c, 1);
	control_client_close(c);
	free(text);
}

static void
a_late_answer_is_never_taken_for_anothers(void **state)
{
	struct control_client *c = client();
	struct err err = {0};

	assert_int_equal(control_client_call(c, "wait", NULL, 50, NULL, &err), -ETIMEDOUT);
	assert_string_equal(err.msg, "wait: no answer in time");
	sem_post(&served.go);
	assert_echo(c, 5);
	assert_echo(c, 6);
	control_client_close(c);
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
	struct control_client *c = client();
	struct err err = {0};
	sigset_t alarms;

	/* Blocked in the server's thread, so that it is this one that takes the signal. */
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
	sigaction(SIGALRM, &act, &old);
	setitimer(ITIMER_REAL, &every, NULL);
	assert_int_equal(control_client_call(c, "wait", NULL, LONG_MS, NULL, &err), -EINTR);
	every = (struct itimerval){0};
	setitimer(ITIMER_REAL, &every, NULL);
	pthread_sigmask(SIG_BLOCK, &alarms, NULL);
	sigaction(SIGALRM, &old, NULL);
	sem_post(&served.go);
	assert_echo(c, 1);
	control_client_close(c);
}

static void
a_server_that_has_gone_is_told_from_a_slow_one(void **state)
{
	struct control_client *c;
	struct err err = {0};

	served_start(&served, path);
	c = client();
	assert_echo(c, 1);
	served_stop(&served);
	assert_int_equal(control_client_call(c, "echo", NULL, LONG_MS, NULL, &err), -EPIPE);
	/* Another program at the same path is another program. */
	served_start(&served, path);
	assert_int_equal(control_client_call(c, "echo", NULL, LONG_MS, NULL, &err), -EPIPE);
	control_client_close(c);
	served_stop(&served);
	assert_int_equal(control_client_open(&c, path, 20, &err), -ENOENT);
	assert_null(c);
	assert_non_null(strstr(err.msg, "nobody listens at"));
	control_client_close(NULL);
}

static void *
open_late(void *arg)
{
	struct control_client *c = NULL;

	control_client_open(&c, path, LONG_MS, NULL);
	return c;
}

static void
the_client_waits_for_its_server(void **state)
{
	pthread_t thread;
	void *c;

	assert_int_equal(pthread_create(&thread, NULL, open_late, NULL), 0);
	served_start(&served, path);
	pthread_join(thread, &c);
	assert_non_null(c);
	assert_echo(c, 1);
	control_client_close(c);
	served_stop(&served);
}

static void
a_running_server_keeps_its_path(void **state)
{
	struct control_client *c = client();
	struct served second;

	served_start(&second, path);
	assert_int_equal(second.rc, -EADDRINUSE);
	assert_non_null(strstr(second.err.msg, "is in use by another program"));
	served_stop(&second);
	assert_echo(c, 1);
	control_client_close(c);
}

static void
a_stale_socket_is_replaced(void **state)
{
	struct sockaddr_un addr;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	struct control_client *c;

	assert_int_equal(seqpacket_address(&addr, path, NULL), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	served_start(&served, path);
	assert_int_equal(served.rc, 0);
	c = client();
	assert_echo(c, 1);
	control_client_close(c);
	served_stop(&served);
}

static void
a_path_that_cannot_be_is_one_sentence(void **state)
{
	char file[100], longer[200] = "/tmp/";
	struct served s;
	int fd;

	snprintf(file, sizeof(file), "%s/notes", dir);
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	served_start(&s, file);
	assert_int_equal(s.rc, -EEXIST);
	assert_non_null(strstr(s.err.msg, "exists and is not a socket"));
	served_stop(&s);
	assert_int_equal(unlink(file), 0);
	memset(longer + strlen(longer), 'x', 103);
	served_start(&s, longer);
	assert_int_equal(s.rc, -ENAMETOOLONG);
	served_stop(&s);
	served_start(&s, "/nonexistent/control");
	assert_int_equal(s.rc, -ENOENT);
	assert_string_equal(s.err.msg,
			    "control socket: '/nonexistent/control': No such file or directory");
	served_stop(&s);
}

/* Without the spare descriptor the server would spin on a connection that it cannot accept. */
static void
a_server_without_descriptors_refuses_and_goes_on(void **state)
{
	struct control_client *c = client();
	struct rlimit limit, none;
	struct sockaddr_un addr;
	char buf[100];
	int fd;

	assert_echo(c, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	none = limit;
	none.rlim_cur = (rlim_t)fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(seqpacket_address(&addr, path, NULL), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(receive(fd, buf, sizeof(buf)), -EPIPE);
	assert_echo(c, 2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	close(fd);
	control_client_close(c);
	c = client();
	assert_echo(c, 3);
	control_client_close(c);
}

static int
make_dir(void **state)
{
	sigset_t alarms;

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarms, NULL);
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/control", dir);
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
		SERVED(the_socket_is_only_ours),
		SERVED(as_many_clients_as_the_server_takes),
		SERVED(a_reply_may_fill_the_packet_but_no_more),
		SERVED(a_client_that_never_reads_is_dropped),
		SERVED(a_client_that_dies_harms_nobody),
		SERVED(bad_packets_are_answered),
		SERVED(a_request_too_long_is_not_sent),
		SERVED(a_late_answer_is_never_taken_for_anothers),
		SERVED(a_signal_ends_the_wait),
		cmocka_unit_test(a_server_that_has_gone_is_told_from_a_slow_one),
		cmocka_unit_test(the_client_waits_for_its_server),
		SERVED(a_running_server_keeps_its_path),
		cmocka_unit_test(a_stale_socket_is_replaced),
		cmocka_unit_test(a_path_that_cannot_be_is_one_sentence),
		SERVED(a_server_without_descriptors_refuses_and_goes_on),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
