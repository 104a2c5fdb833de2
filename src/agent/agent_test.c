/* SPDX-License-Identifier: MIT */
#include "agent.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"

#define PATIENCE_MS 20000

/* The agent in the test's own loop; the test has the other end of its channel. */
static struct {
	char dir[32];
	struct loop *loop;
	struct agent agent;
	struct channel *host;
	int fds[2];
	uint32_t id;	/* of the last request */
	json_t *reply;	/* to it, once it has come */
	bool is_silent; /* stop after a moment, answer or not */
} f;

static void
on_frame(void *arg, const struct frame *frame)
{
	(void)arg;
	assert_int_equal(frame->kind, FRAMING_REPLY);
	if (frame->id != f.id)
		return;
	f.reply = json_loadb(frame->body, frame->len, 0, NULL);
	assert_non_null(f.reply);
	loop_stop(f.loop);
}

static void
on_restart(void *arg)
{
	(void)arg;
}

static void
on_end(void *arg, const char *why)
{
	(void)arg;
	fail_msg("%s", why);
}

static void
on_patience(void *arg)
{
	(void)arg;
	fail_msg("no answer to %u", f.id);
}

static void
write_text(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", f.dir, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	free(path);
}

static char *
in_dir(const char *name)
{
	return xasprintf("%s/%s", f.dir, name);
}

static int
setup(void **state)
{
	const struct channel_ops ops = {on_frame, on_restart, on_end, NULL};
	static char image[64];
	struct err err = {0};

	(void)state;
	memset(&f, 0, sizeof(f));
	strcpy(f.dir, "/tmp/agent_testXXXXXX");
	assert_non_null(mkdtemp(f.dir));
	write_text("meminfo", "MemTotal: 1 kB\nHugePages_Total:     200\nHugePages_Free:      199\n"
			      "Hugepagesize:       2048 kB\n");
	write_text("cmdline", "console=ttyS0 hugepages=256 quiet\n");
	write_text("image.json", "{\"dpdk\": \"25.11.4\"}");
	snprintf(image, sizeof(image), "%s/image.json", f.dir);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f.fds), 0);
	assert_int_equal(loop_open(&f.loop, &err), 0);
	assert_int_equal(agent_open(&f.agent, &(struct agent_conf){f.dir, f.dir, f.dir, image},
				    f.loop, f.fds[0], true, &err),
			 0);
	assert_int_equal(channel_open(&f.host, f.loop, f.fds[1], false, &ops, &err), 0);
	return 0;
}

static int
teardown(void **state)
{
	char *command = xasprintf("rm -rf %s", f.dir);
	int rc = system(command);

	(void)state;
	free(command);
	json_decref(f.reply);
	agent_close(&f.agent);
	channel_close(f.host);
	loop_close(f.loop);
	close(f.fds[0]);
	close(f.fds[1]);
	return rc;
}

/* Sends a request and returns its reply, which lasts until the next. */
static const json_t *
ask_text(const char *text)
{
	struct loop_watch *watch = loop_timer(f.loop, PATIENCE_MS, on_patience, NULL);

	json_decref(f.reply);
	f.reply = NULL;
	channel_send(f.host, FRAMING_REQUEST, ++f.id, text, strlen(text));
	loop_run(f.loop);
	loop_unwatch(watch);
	return f.reply;
}

/* The same from parts; steals 'params'. */
static const json_t *
ask(const char *method, json_t *params)
{
	json_t *request = json_pack("{s:s, s:o}", "method", method, "params", params);
	char *text = json_dumps(request, 0);
	const json_t *reply = ask_text(text);

	free(text);
	json_decref(request);
	return reply;
}

static void
refused(const json_t *reply, int errnum, const char *why)
{
	const char *error = json_string_value(json_object_get(reply, "error"));

	assert_non_null(error);
	if (strstr(error, why) == NULL)
		fail_msg("'%s' does not say '%s'", error, why);
	assert_int_equal(json_integer_value(json_object_get(reply, "errno")), errnum);
}

static const json_t *
result(const json_t *reply)
{
	const json_t *value = json_object_get(reply, "result");

	if (value == NULL)
		fail_msg("refused: %s", json_string_value(json_object_get(reply, "error")));
	return value;
}

static void
hello_reads_back_what_is_there(void **state)
{
	const json_t *hello = result(ask("hello", json_object()));
	uint64_t n;

	(void)state;
	assert_int_equal(json_get_u64(hello, "protocol", &n, NULL), 0);
	assert_int_equal(n, AGENT_PROTOCOL);
	assert_int_equal(json_get_u64(hello, "hugepages.wanted", &n, NULL), 0);
	assert_int_equal(n, 256);
	assert_int_equal(json_get_u64(hello, "hugepages.total", &n, NULL), 0);
	assert_int_equal(n, 200);
	assert_int_equal(json_get_u64(hello, "hugepages.free", &n, NULL), 0);
	assert_int_equal(n, 199);
	assert_string_equal(json_string_value(json_at(hello, "dpdk")), "25.11.4");
	assert_string_equal(json_string_value(json_at(hello, "version")), NFVCHAIN_VERSION);
	assert_true(json_is_array(json_at(hello, "nics")));
}

static void
what_is_no_request_is_refused(void **state)
{
	(void)state;
	refused(ask_text("hello"), EPROTO, "not JSON");
	refused(ask_text("[]"), ENOENT, "method: missing");
	refused(ask_text("{\"method\": 7, \"params\": {}}"), EINVAL, "method: not a text");
	refused(ask_text("{\"method\": \"hello\"}"), EINVAL, "'params' is not an object");
	refused(ask("hallo", json_object()), ENOSYS, "no method 'hallo'");
	refused(ask("stop", json_pack("{s:s, s:i}", "name", "fwd", "timeout_ms", 1)), ESRCH,
		"stop: no program 'fwd' was started");
	refused(ask("bind", json_pack("{s:s, s:s}", "mac", "52:54:00:00:00:01", "driver", "x")),
		ENODEV, "no NIC here");
}

/* One piece of a file; 'hex' NULL is the digest of 'all'. */
static const json_t *
put(const char *path, const char *all, size_t offset, size_t len, const char *hex)
{
	char *data = base64_encode((const uint8_t *)all + offset, len), right[SHA256_HEX];
	struct sha256 hash;
	const json_t *reply;

	sha256_init(&hash);
	sha256_add(&hash, all, strlen(all));
	sha256_hex(&hash, right);
	reply = ask("put", json_pack("{s:s, s:s, s:i, s:i, s:i, s:s}", "path", path, "sha256",
				     hex != NULL ? hex : right, "size", (int)strlen(all), "offset",
				     (int)offset, "mode", 0640, "data", data));
	free(data);
	return reply;
}

static void
a_file_appears_once_all_of_it_is_there(void **state)
{
	char *path = in_dir("a/b/conf"), buf[16] = "";
	struct stat st;
	FILE *in;

	(void)state;
	result(put(path, "hello world", 0, 6, NULL));
	assert_int_equal(stat(path, &st), -1);
	result(put(path, "hello world", 6, 5, NULL));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_int_equal(fread(buf, 1, sizeof(buf), in), 11);
	fclose(in);
	assert_string_equal(buf, "hello world");
	free(path);
}

static void
a_damaged_file_does_not_appear(void **state)
{
	char *path = in_dir("conf");
	char hex[SHA256_HEX];

	(void)state;
	memset(hex, '0', sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	refused(put(path, "hello", 0, 5, hex), EBADMSG, "another SHA-256");
	refused(put(path, "hello", 2, 3, NULL), ESPIPE, "a piece is missing");
	assert_int_equal(access(path, F_OK), -1);
	refused(ask("put", json_pack("{s:s, s:s, s:i, s:i, s:i, s:s}", "path", path, "sha256", hex,
				     "size", 1, "offset", 2, "mode", 0, "data", "")),
		EINVAL, "more data than 'size'");
	refused(ask("put", json_pack("{s:s, s:s, s:i, s:i, s:i, s:s}", "path", path, "sha256", hex,
				     "size", 1, "offset", 0, "mode", 0, "data", "=!")),
		EINVAL, "not base64");
	refused(ask("put",
		    json_pack("{s:s, s:s, s:I, s:i, s:i, s:s}", "path", path, "sha256", hex, "size",
			      (json_int_t)1 << 40, "offset", 0, "mode", 0, "data", "")),
		EFBIG, "more than");
	free(path);
}

static void
paths_lead_nowhere_else(void **state)
{
	static const char *const tails[] = {"/../x", "/a/../../x", "//x", "/x/",
					    "/",     "",	   "x/y", "/x/.."};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(tails); i++) {
		char *path = xasprintf("%s%s", f.dir, tails[i]);

		refused(put(path, "x", 0, 1, NULL), EACCES, "is not ");
		free(path);
	}
	refused(put("/etc/passwd", "x", 0, 1, NULL), EACCES, "is not below");
}

/* A server for one question, answered with 'answer' to whatever is asked. */
static int
listen_at(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	strcpy(addr.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

struct server {
	int fd;
	const char *greeting, *answer;
	char asked[64];
};

static void
on_asked(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->fd, NULL, NULL);

	if (s->greeting != NULL)
		assert_true(send(fd, s->greeting, strlen(s->greeting), 0) > 0);
	/* The agent is in this thread: it cannot have asked yet unless it speaks first. */
	if (s->greeting == NULL)
		assert_true(recv(fd, s->asked, sizeof(s->asked) - 1, 0) > 0);
	if (s->answer != NULL)
		assert_true(send(fd, s->answer, strlen(s->answer), 0) > 0);
	if (s->greeting == NULL)
		close(fd);
}

static void
questions_are_relayed(void **state)
{
	char *path = in_dir("t");
	struct server s = {.fd = listen_at(path), .greeting = "{}", .answer = "{\"/\": [1]}"};
	json_t *params =
		json_pack("{s:s, s:s, s:i}", "path", path, "text", "/", "timeout_ms", 5000);

	(void)state;
	loop_fd(f.loop, s.fd, on_asked, &s);
	assert_string_equal(
		json_string_value(json_at(result(ask("telemetry", json_incref(params))), "text")),
		"{\"/\": [1]}");
	s.answer = NULL;
	json_object_set_new(params, "timeout_ms", json_integer(20));
	refused(ask("telemetry", json_incref(params)), ETIMEDOUT, "no answer in time");
	json_object_set_new(params, "path", json_string("/run/other"));
	refused(ask("telemetry", json_incref(params)), EACCES, "is not below");
	close(s.fd);
	unlink(path);
	json_object_set_new(params, "path", json_string(path));
	refused(ask("telemetry", params), ENOENT, "No such file");
	free(path);
}

static void
on_moment(void *arg)
{
	(void)arg;
	loop_stop(f.loop);
}

/* What was asked before the host began anew is not answered, and what it had started goes on. */
static void
a_host_that_begins_anew_hears_nothing_old(void **state)
{
	json_t *start = json_pack("{s:s, s:[s,s], s:[], s:i}", "name", "s", "argv", "sleep", "100",
				  "env", "timeout_ms", 5000);
	struct loop_watch *watch;
	char *path = in_dir("t");
	struct server s = {.fd = listen_at(path), .greeting = "{}", .answer = NULL};
	char *text =
		xasprintf("{\"method\": \"telemetry\", \"params\": {\"path\": \"%s\", \"text\": "
			  "\"/\", \"timeout_ms\": 200}}",
			  path);

	(void)state;
	loop_fd(f.loop, s.fd, on_asked, &s);
	result(ask("start", start));
	channel_send(f.host, FRAMING_REQUEST, ++f.id, text, strlen(text));
	/* It is being asked when this comes; without an answer that would be told in 200 ms. */
	while (f.agent.relays == NULL) {
		watch = loop_timer(f.loop, 1, on_moment, NULL);
		loop_run(f.loop);
		loop_unwatch(watch);
	}
	json_decref(f.reply);
	f.reply = NULL;
	channel_restart(f.host);
	watch = loop_timer(f.loop, 300, on_moment, NULL);
	loop_run(f.loop);
	loop_unwatch(watch);
	assert_null(f.reply);
	assert_string_equal(json_string_value(json_at(result(ask("hello", json_object())),
						      "programs[0].state")),
			    "is running");
	close(s.fd);
	free(text);
	free(path);
}

static void
poweroff_answers_first(void **state)
{
	(void)state;
	result(ask("poweroff", json_object()));
	assert_true(f.agent.is_going_off);
	loop_run(f.loop); /* ends by itself */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hello_reads_back_what_is_there),
		TEST(what_is_no_request_is_refused),
		TEST(a_file_appears_once_all_of_it_is_there),
		TEST(a_damaged_file_does_not_appear),
		TEST(paths_lead_nowhere_else),
		TEST(questions_are_relayed),
		TEST(a_host_that_begins_anew_hears_nothing_old),
		TEST(poweroff_answers_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
