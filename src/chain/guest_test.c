/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "rpc/control.h"

/* The real agent, as a child at the other end of a socket pair. */

#define CALL_MS 20000

extern char **environ;

static struct {
	char dir[32];
	pid_t agent;
	int fd; /* ours */
	struct guest *guest;
} f;

static void
start_agent(int fd)
{
	char program[] = AGENT, a1[] = "--fd=3", *a2 = xasprintf("--run=%s", f.dir),
	     *a3 = xasprintf("--sys=%s", f.dir);
	char *argv[] = {program, a1, a2, a3, NULL};
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, 3);
	assert_int_equal(posix_spawn(&f.agent, program, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	free(a2);
	free(a3);
}

static int
open_guest(int timeout_ms, struct err *err)
{
	struct guest_conf conf = {.name = "vm1", .fd = f.fd, .timeout_ms = timeout_ms};

	return guest_open(&f.guest, &conf, err);
}

static int
setup(void **state)
{
	struct err err = {0};
	int fds[2];

	(void)state;
	memset(&f, 0, sizeof(f));
	strcpy(f.dir, "/tmp/guest_testXXXXXX");
	assert_non_null(mkdtemp(f.dir));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	f.fd = fds[0];
	start_agent(fds[1]);
	close(fds[1]);
	if (open_guest(CALL_MS, &err) < 0)
		fail_msg("%s", err.msg);
	return 0;
}

static int
teardown(void **state)
{
	char *command = xasprintf("rm -rf %s", f.dir);
	int status;

	(void)state;
	guest_close(f.guest);
	close(f.fd);
	/* Its channel has ended, and so has what it started. */
	assert_int_equal(waitpid(f.agent, &status, 0), f.agent);
	assert_int_equal(status, 0);
	status = system(command);
	free(command);
	return status;
}

static char *
in_dir(const char *name)
{
	return xasprintf("%s/%s", f.dir, name);
}

static int
start(const char *name, const char *script, const char *socket, struct err *err)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	const char *const env[] = {"WORD=hello", NULL};
	struct guest_program program = {.name = name, .argv = argv, .env = env, .socket = socket};

	return guest_start(f.guest, &program, socket != NULL ? 500 : CALL_MS, err);
}

static void
facts_are_told(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(json_integer_value(json_at(guest_facts(f.guest), "protocol")),
			 GUEST_PROTOCOL);
	assert_string_equal(json_string_value(json_at(guest_facts(f.guest), "version")),
			    NFVCHAIN_VERSION);
	/* This machine was asked for none, or has what it was asked for. */
	assert_int_equal(guest_check_hugepages(f.guest, &err), 0);
	assert_int_equal(guest_call(f.guest, "hallo", NULL, CALL_MS, NULL, &err), -ENOSYS);
	assert_string_equal(err.msg, "vm1: no method 'hallo'");
}

static void
files_of_any_size_arrive(void **state)
{
	static const size_t sizes[] = {0, 1, 96 << 10, (96 << 10) + 1, 1 << 20};
	char *path = in_dir("sub/file"), *data = xcalloc(1 << 20, 1), *back = xcalloc(1 << 20, 1);
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < 1 << 20; i++)
		data[i] = (char)(i * i >> 3);
	for (size_t i = 0; i < N_ELEMS(sizes); i++) {
		int fd;

		assert_int_equal(guest_put(f.guest, path, data, sizes[i], 0600, CALL_MS, &err), 0);
		fd = open(path, O_RDONLY);
		assert_int_equal(read(fd, back, 1 << 20), (ssize_t)sizes[i]);
		assert_memory_equal(back, data, sizes[i]);
		close(fd);
	}
	assert_int_equal(guest_put(f.guest, "/etc/x", data, 1, 0600, CALL_MS, &err), -EACCES);
	free(back);
	free(data);
	free(path);
}

static void
a_program_runs_and_ends(void **state)
{
	struct err err = {0};
	char *text;
	int status;

	(void)state;
	assert_int_equal(start("one", "echo $WORD; trap 'exit 7' INT; while :; do sleep 0.01; done",
			       NULL, &err),
			 0);
	assert_int_equal(start("one", "true", NULL, &err), -EEXIST);
	do
		assert_int_equal(guest_log(f.guest, "one", 100, &text, &err), 0);
	while (text[0] == '\0' && (free(text), true));
	assert_string_equal(text, "hello\n");
	free(text);
	assert_int_equal(guest_stop(f.guest, "one", CALL_MS, &status, &err), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(guest_stop(f.guest, "one", CALL_MS, &status, &err), 0);
	assert_int_equal(WEXITSTATUS(status), 7);
	/* Its name is free again. */
	assert_int_equal(start("one", "trap '' INT; while :; do sleep 0.01; done", NULL, &err), 0);
	clock_sleep_ms(50); /* long enough to have set the trap; SIGINT before it ends it as well */
	assert_int_equal(guest_stop(f.guest, "one", 100, &status, &err), 0);
	assert_true(WIFSIGNALED(status));
}

static void
a_program_that_does_not_get_ready_is_told(void **state)
{
	char *path = in_dir("never");
	struct err err = {0};
	int status;

	(void)state;
	assert_int_equal(start("bad", "echo no such device; exit 3", path, &err), -ECHILD);
	assert_string_equal(err.msg, "vm1: bad exited with 3: no such device");
	assert_int_equal(start("slow", "echo still thinking; sleep 100", path, &err), -ETIMEDOUT);
	assert_string_equal(err.msg, "vm1: slow runs, but is not ready in time: still thinking");
	assert_int_equal(guest_stop(f.guest, "slow", CALL_MS, &status, &err), 0);
	assert_int_equal(start("bad name", "true", NULL, &err), -EINVAL);
	assert_int_equal(start("out", "true", "/tmp/socket", &err), -EACCES);
	free(path);
}

/* A server for a control socket, in a thread of the test. */
struct server {
	struct loop *loop;
	struct control_server *control;
	pthread_t thread;
};

static int
call_add(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	uint64_t a;

	(void)ctx;
	if (jsonrpc_u64(params, "a", &a, e) < 0)
		return -EINVAL;
	*result = json_integer((json_int_t)a + 1);
	return 0;
}

static void *
serve(void *arg)
{
	loop_run(((struct server *)arg)->loop);
	return NULL;
}

static void
control_is_relayed(void **state)
{
	static const struct jsonrpc_method methods[] = {{"add", call_add, 0}};
	struct jsonrpc_server rpc = {.methods = methods, .n_methods = 1};
	char *path = in_dir("control");
	struct err err = {0};
	struct server s;
	json_t *result;
	int status;

	(void)state;
	assert_int_equal(loop_open(&s.loop, &err), 0);
	assert_int_equal(control_server_open(&s.control, path, &rpc, s.loop, &err), 0);
	assert_int_equal(pthread_create(&s.thread, NULL, serve, &s), 0);
	assert_int_equal(start("fwd", "sleep 100", path, &err), 0);
	assert_int_equal(guest_control(f.guest, "fwd", "add", json_pack("{s:i}", "a", 41), CALL_MS,
				       &result, &err),
			 0);
	assert_int_equal(json_integer_value(result), 42);
	json_decref(result);
	assert_int_equal(guest_control(f.guest, "fwd", "add", NULL, CALL_MS, &result, &err),
			 -EREMOTEIO);
	assert_non_null(strstr(err.msg, "vm1: fwd: add: "));
	assert_int_equal(guest_control(f.guest, "gen", "add", NULL, CALL_MS, &result, &err),
			 -ESRCH);
	assert_int_equal(guest_stop(f.guest, "fwd", CALL_MS, &status, &err), 0);
	loop_stop(s.loop);
	pthread_join(s.thread, NULL);
	control_server_close(s.control);
	loop_close(s.loop);
	free(path);
}

static int
tcp_listen(uint16_t *port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&addr, size), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &size), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

static int
tcp_connect(uint16_t port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_port = htons(port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = CALL_MS / 1000};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void
ports_are_forwarded(void **state)
{
	uint16_t guest_port, port = 0;
	int server = tcp_listen(&guest_port), c[4], s[4];
	char byte, text[8];
	struct err err = {0};

	(void)state;
	assert_int_equal(guest_forward(f.guest, guest_port, &port, &err), 0);
	for (int i = 0; i < 4; i++) {
		c[i] = tcp_connect(port);
		s[i] = accept(server, NULL, NULL);
		assert_true(s[i] >= 0);
	}
	for (int i = 3; i >= 0; i--) {
		snprintf(text, sizeof(text), "no %d", i);
		assert_int_equal(write(c[i], text, 4), 4);
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(read(s[i], text, sizeof(text)), 4);
		assert_int_equal(text[3], '0' + i);
	}
	shutdown(c[0], SHUT_WR);
	assert_int_equal(read(s[0], &byte, 1), 0);
	assert_int_equal(write(s[0], "x", 1), 1);
	assert_int_equal(read(c[0], &byte, 1), 1);
	/* One that is closed closes its other end, one without a server is closed at once. */
	close(s[1]);
	assert_int_equal(read(c[1], &byte, 1), 0);
	close(server);
	close(c[2]);
	assert_int_equal(read(s[2], &byte, 1), 0);
	c[2] = tcp_connect(port);
	assert_true(read(c[2], &byte, 1) <= 0);
	for (int i = 0; i < 4; i++) {
		close(c[i]);
		close(s[i]);
	}
	/* The port is another's. */
	assert_int_equal(guest_forward(f.guest, 1, &port, &err), -EADDRINUSE);
}

/* A new host finds the programs of the one before; forwarded connections are gone. */
static void
a_host_may_come_again(void **state)
{
	uint16_t guest_port, port = 0;
	int server = tcp_listen(&guest_port), c, s, status;
	struct err err = {0};
	char byte;

	(void)state;
	assert_int_equal(start("lasting", "sleep 100", NULL, &err), 0);
	assert_int_equal(guest_forward(f.guest, guest_port, &port, &err), 0);
	c = tcp_connect(port);
	s = accept(server, NULL, NULL);
	guest_close(f.guest);
	f.guest = NULL;
	assert_true(read(c, &byte, 1) <= 0);
	/* Half a request of the host that went. */
	assert_int_equal(write(f.fd, "q 1 100\n{\"method\": \"pu", 22), 22);
	assert_int_equal(open_guest(CALL_MS, &err), 0);
	assert_int_equal(read(s, &byte, 1), 0);
	assert_string_equal(json_string_value(json_at(guest_facts(f.guest), "programs[0].state")),
			    "is running");
	assert_int_equal(guest_stop(f.guest, "lasting", CALL_MS, &status, &err), 0);
	close(c);
	close(s);
	close(server);
}

static void
poweroff_ends_the_connection(void **state)
{
	struct err err = {0};
	struct deadline d = deadline_in_ms(CALL_MS);
	int rc;

	(void)state;
	assert_int_equal(guest_poweroff(f.guest, CALL_MS, &err), 0);
	while ((rc = guest_call(f.guest, "hello", NULL, CALL_MS, NULL, &err)) == 0)
		assert_false(deadline_passed(&d));
	assert_int_equal(rc, -EPIPE);
	assert_string_equal(err.msg, "vm1: the connection is over: the other end has closed");
}

/* ---- without an agent ---- */

static void
silence_is_told(void **state)
{
	volatile sig_atomic_t stop = SIGINT;
	struct guest_conf conf = {.name = "vm2", .timeout_ms = 30};
	struct err err = {0};
	struct guest *g;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	conf.fd = fds[0];
	assert_int_equal(guest_open(&g, &conf, &err), -ETIMEDOUT);
	assert_string_equal(err.msg, "vm2: its agent said nothing in 0 s");
	conf.timeout_ms = CALL_MS;
	conf.stop = &stop;
	assert_int_equal(guest_open(&g, &conf, &err), -EINTR);
	conf.stop = NULL;
	assert_int_equal(write(fds[1], "login: ", 7), 7);
	assert_int_equal(write(fds[1], "\n", 1), 1);
	assert_int_equal(guest_open(&g, &conf, &err), -EPIPE);
	assert_string_equal(err.msg,
			    "vm2: the connection is over: what came is not what an agent says");
	assert_null(g);
	close(fds[0]);
	close(fds[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(facts_are_told),
		TEST(files_of_any_size_arrive),
		TEST(a_program_runs_and_ends),
		TEST(a_program_that_does_not_get_ready_is_told),
		TEST(control_is_relayed),
		TEST(ports_are_forwarded),
		TEST(a_host_may_come_again),
		TEST(poweroff_ends_the_connection),
		cmocka_unit_test(silence_is_told),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
