/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

#include "qmp.h"

/* A monitor at a socket of its own, played by the test. */
struct played {
	char path[64];
	int listener;
	int fd; /* the monitor's end */
	struct qmp q;
};

static void
play(struct played *p)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	snprintf(p->path, sizeof(p->path), "/tmp/nfvchain-qmp-%d", getpid());
	str_copy(addr.sun_path, sizeof(addr.sun_path), p->path);
	p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(p->listener, 1), 0);
	assert_int_equal(qmp_open(&p->q, p->path), 0);
	p->fd = accept(p->listener, NULL, NULL);
	assert_true(p->fd >= 0);
}

static void
end_play(struct played *p)
{
	qmp_close(&p->q);
	close(p->fd);
	close(p->listener);
	unlink(p->path);
}

static void
say(struct played *p, const char *text)
{
	assert_int_equal(write(p->fd, text, strlen(text)), strlen(text));
}

/* The next message, for which it waits. */
static int
next(struct played *p, json_t **msg)
{
	struct deadline d = deadline_in_ms(2000);
	int rc;

	while ((rc = qmp_next(&p->q, msg)) == 0 && !deadline_passed(&d))
		clock_sleep_ms(1);
	return rc;
}

static void
expect(struct played *p, const char *path, const char *value)
{
	json_t *msg;

	assert_int_equal(next(p, &msg), 1);
	assert_string_equal(json_string_value(json_at(msg, path)), value);
	json_decref(msg);
}

static void
messages_come_one_by_one(void **state)
{
	struct played p;
	json_t *msg;

	(void)state;
	play(&p);
	assert_int_equal(qmp_next(&p.q, &msg), 0);
	say(&p, "{\"event\": \"STOP\"}\r\n{\"event\": \"RESUME\"}\r\n{\"ev");
	expect(&p, "event", "STOP");
	expect(&p, "event", "RESUME");
	assert_int_equal(qmp_next(&p.q, &msg), 0);
	say(&p, "ent\": \"SHUTDOWN\"}\r\n");
	expect(&p, "event", "SHUTDOWN");
	end_play(&p);
}

static void
commands_are_lines(void **state)
{
	struct played p;
	char text[64] = "";

	(void)state;
	play(&p);
	assert_int_equal(qmp_send(&p.q, "query-status"), 0);
	assert_true(read(p.fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "{\"execute\": \"query-status\"}\n");
	end_play(&p);
}

static void
long_messages_fit(void **state)
{
	struct str s = {0};
	struct played p;

	(void)state;
	play(&p);
	str_addf(&s, "{\"a\": \"");
	for (int i = 0; i < 2000; i++)
		str_addf(&s, "0123456789");
	str_addf(&s, "\", \"event\": \"X\"}\n");
	say(&p, str_text(&s));
	expect(&p, "event", "X");
	str_fini(&s);
	end_play(&p);
}

static void
the_end_and_nonsense_are_told(void **state)
{
	struct played p;
	json_t *msg;

	(void)state;
	play(&p);
	say(&p, "[1]\n");
	assert_int_equal(next(&p, &msg), -EPROTO);
	assert_null(msg);
	say(&p, "no JSON\n");
	assert_int_equal(next(&p, &msg), -EPROTO);
	shutdown(p.fd, SHUT_RDWR);
	assert_int_equal(next(&p, &msg), -EPIPE);
	assert_int_equal(qmp_send(&p.q, "quit"), -EPIPE);
	end_play(&p);
}

static void
nobody_there_is_no_connection(void **state)
{
	struct qmp q;
	json_t *msg;

	(void)state;
	assert_int_equal(qmp_open(&q, "/nonexistent/socket"), -ENOENT);
	assert_int_equal(qmp_next(&q, &msg), -ENOTCONN);
	qmp_close(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_one_by_one),
		cmocka_unit_test(commands_are_lines),
		cmocka_unit_test(long_messages_fit),
		cmocka_unit_test(the_end_and_nonsense_are_told),
		cmocka_unit_test(nobody_there_is_no_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
