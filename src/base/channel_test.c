/* SPDX-License-Identifier: MIT */
#include "channel.h"

#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "mem.h"

#define PATIENCE_MS 20000

/* A channel at one end, the test at the other; what the channel tells is written down. */
struct fixture {
	struct loop *loop;
	struct channel *channel;
	int fds[2]; /* the channel's, the test's */
	struct str said;
	const char *wanted;
	bool closes; /* at the first frame */
};

static void
note(struct fixture *f, const char *word)
{
	str_addf(&f->said, "%s ", word);
	if (f->wanted != NULL && strstr(f->said.text, f->wanted) != NULL)
		loop_stop(f->loop);
}

static void
on_frame(void *arg, const struct frame *frame)
{
	struct fixture *f = arg;
	char *text =
		xasprintf("%c%u(%s)", frame->kind, frame->id, frame->len < 99 ? frame->body : "");

	note(f, text);
	free(text);
	if (f->closes) {
		channel_close(f->channel);
		f->channel = NULL;
		loop_stop(f->loop);
	}
}

static void
on_restart(void *arg)
{
	note(arg, "restart");
}

static void
on_end(void *arg, const char *why)
{
	note(arg, why);
}

static void
stop_loop(void *arg)
{
	loop_stop(arg);
}

static void
give_up(void *arg)
{
	struct fixture *f = arg;

	fail_msg("waited for '%s', got '%s'", f->wanted, str_text(&f->said));
}

static void
run_until(struct fixture *f, const char *wanted)
{
	struct loop_watch *watch = loop_timer(f->loop, PATIENCE_MS, give_up, f);

	f->wanted = wanted;
	loop_run(f->loop);
	loop_unwatch(watch);
}

static void
begin(struct fixture *f, bool returns)
{
	const struct channel_ops ops = {on_frame, on_restart, on_end, f};
	struct err err = {0};

	assert_int_equal(loop_open(&f->loop, &err), 0);
	assert_int_equal(channel_open(&f->channel, f->loop, f->fds[0], returns, &ops, &err), 0);
}

static int
setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){0};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f.fds) < 0)
		return -1;
	begin(&f, false);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	channel_close(f->channel);
	loop_close(f->loop);
	str_fini(&f->said);
	for (int i = 0; i < 2; i++)
		if (f->fds[i] >= 0)
			close(f->fds[i]);
	return 0;
}

static void
put(struct fixture *f, const char *text)
{
	assert_int_equal(write(f->fds[1], text, strlen(text)), (ssize_t)strlen(text));
}

static void
frames_and_restarts_are_told(void **state)
{
	struct fixture *f = *state;

	put(f, "\x18q 1 2\nhi");
	run_until(f, "restart q1(hi)");
	close(f->fds[1]);
	f->fds[1] = -1;
	run_until(f, "the other end has closed");
}

static void
junk_ends_a_channel_whose_other_end_should_know_better(void **state)
{
	struct fixture *f = *state;

	put(f, "login: ");
	put(f, "\nq 1 2\nhi");
	run_until(f, "not what an agent says");
	assert_null(strstr(f->said.text, "q1"));
}

static void
a_callback_may_close(void **state)
{
	struct fixture *f = *state;

	f->closes = true;
	put(f, "q 1 2\nhiq 2 2\nhi");
	run_until(f, "never");
	assert_string_equal(f->said.text, "q1(hi) ");
}

/* More than the socket takes at once is queued and arrives in order. */
static void
what_does_not_fit_is_queued(void **state)
{
	struct fixture *f = *state;
	const struct channel_ops ops = {on_frame, on_restart, on_end, f};
	char *body = xcalloc(FRAMING_MAX_BODY, 1);
	struct channel *other;
	struct err err = {0};

	assert_int_equal(channel_open(&other, f->loop, f->fds[1], false, &ops, &err), 0);
	for (uint32_t id = 1; id <= 16; id++)
		channel_send(f->channel, 'd', id, body, FRAMING_MAX_BODY);
	assert_true(channel_backlog(f->channel) >= 16 * FRAMING_MAX_BODY);
	channel_send(f->channel, 'r', 17, "end", 3);
	run_until(f, "d15() d16() r17(end)");
	assert_int_equal(channel_backlog(f->channel), 0);
	channel_close(other);
	free(body);
}

static void
a_restart_drops_the_queue(void **state)
{
	struct fixture *f = *state;
	char buf[32];

	channel_send(f->channel, 'd', 1, "old", 3);
	channel_restart(f->channel);
	channel_send(f->channel, 'r', 2, "new", 3);
	put(f, "q 1 0\n");
	run_until(f, "q1()");
	/* The loop serves what is readable and what is writable in any order. */
	put(f, "q 2 0\n");
	run_until(f, "q2()");
	assert_int_equal(read(f->fds[1], buf, sizeof(buf)), 10);
	assert_memory_equal(buf, "\x18r 2 3\nnew", 10);
}

/* A pty answers as a guest's port does: end of file as long as nobody has the other side open. */
static void
a_port_whose_reader_goes_waits_for_the_next(void **state)
{
	static struct fixture f;
	struct termios raw;
	char name[64];
	int again;

	(void)state;
	f = (struct fixture){0};
	assert_int_equal(openpty(&f.fds[0], &f.fds[1], name, NULL, NULL), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(f.fds[1], TCSANOW, &raw), 0);
	assert_int_equal(fcntl(f.fds[0], F_SETFL, O_NONBLOCK), 0);
	begin(&f, true);
	put(&f, "q 1 2\nhiq 2 9\nhalf");
	run_until(&f, "q1(hi)");
	close(f.fds[1]);
	channel_send(f.channel, 'r', 1, "lost", 4);
	f.wanted = "never";
	assert_non_null(loop_timer(f.loop, 3 * CHANNEL_AWAY_MS, stop_loop, f.loop));
	loop_run(f.loop);
	again = open(name, O_RDWR | O_NOCTTY);
	assert_true(again >= 0);
	f.fds[1] = again;
	put(&f, "\x18q 3 2\nhi");
	run_until(&f, "q1(hi) restart q3(hi)");
	*state = &f;
	teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frames_and_restarts_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			junk_ends_a_channel_whose_other_end_should_know_better, setup, teardown),
		cmocka_unit_test_setup_teardown(a_callback_may_close, setup, teardown),
		cmocka_unit_test_setup_teardown(what_does_not_fit_is_queued, setup, teardown),
		cmocka_unit_test_setup_teardown(a_restart_drops_the_queue, setup, teardown),
		cmocka_unit_test(a_port_whose_reader_goes_waits_for_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
