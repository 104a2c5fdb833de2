/* SPDX-License-Identifier: MIT */
#include "tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "mem.h"

#define PATIENCE_MS 20000

struct side {
	struct channel *channel;
	struct tunnel *tunnel;
	bool accepts;
	unsigned n_resets;
};

/* Both sides in one loop; the test has the clients and the server. */
struct fixture {
	struct loop *loop;
	struct side near, far;
	int fds[2];
	int listener;
	uint16_t port;
};

static struct fixture f;

static void
on_frame(void *arg, const struct frame *frame)
{
	struct side *side = arg;

	side->n_resets += frame->kind == FRAMING_RESET;
	assert_true(tunnel_take(side->tunnel, frame, side->accepts));
}

static void
on_restart(void *arg)
{
	struct side *side = arg;

	tunnel_drop_all(side->tunnel);
}

static void
on_end(void *arg, const char *why)
{
	(void)arg;
	fail_msg("%s", why);
}

static void
side_open(struct side *side, int fd, bool accepts)
{
	const struct channel_ops ops = {on_frame, on_restart, on_end, side};
	struct err err = {0};

	*side = (struct side){.accepts = accepts};
	assert_int_equal(channel_open(&side->channel, f.loop, fd, false, &ops, &err), 0);
	side->tunnel = tunnel_new(f.loop, side->channel);
}

static void
side_close(struct side *side)
{
	tunnel_free(side->tunnel);
	channel_close(side->channel);
}

static int
setup(void **state)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(addr);
	struct err err = {0};

	(void)state;
	f = (struct fixture){0};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f.fds), 0);
	assert_int_equal(loop_open(&f.loop, &err), 0);
	side_open(&f.near, f.fds[0], false);
	side_open(&f.far, f.fds[1], true);
	f.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(f.listener, (struct sockaddr *)&addr, size), 0);
	assert_int_equal(listen(f.listener, TUNNEL_MAX + 1), 0);
	assert_int_equal(getsockname(f.listener, (struct sockaddr *)&addr, &size), 0);
	f.port = ntohs(addr.sin_port);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	side_close(&f.near);
	side_close(&f.far);
	loop_close(f.loop);
	close(f.fds[0]);
	close(f.fds[1]);
	close(f.listener);
	return 0;
}

static void
stop_loop(void *arg)
{
	(void)arg;
	loop_stop(f.loop);
}

/* Runs the loop for a moment; tests repeat it until they see what they wait for. */
static void
turn(void)
{
	struct loop_watch *watch = loop_timer(f.loop, 1, stop_loop, NULL);

	loop_run(f.loop);
	loop_unwatch(watch);
}

#define run_until(condition)                                       \
	do {                                                       \
		struct deadline d_ = deadline_in_ms(PATIENCE_MS);  \
		while (!(condition)) {                             \
			if (deadline_passed(&d_))                  \
				fail_msg("never: %s", #condition); \
			turn();                                    \
		}                                                  \
	} while (0)

/* A client whose connection is carried to 'port'; its socket. */
static int
client(uint16_t port)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	tunnel_carry(f.near.tunnel, pair[1], port);
	return pair[0];
}

/* The server's end of a new connection. */
static int
served(void)
{
	int fd;

	run_until((fd = accept4(f.listener, NULL, NULL, SOCK_NONBLOCK)) >= 0);
	return fd;
}

/* Waits for exactly this text, or for the end of file when it is "". */
static void
gets(int fd, const char *text)
{
	char buf[64];
	ssize_t n;

	run_until((n = read(fd, buf, sizeof(buf))) >= 0);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, strlen(text));
}

static void
puts_text(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void
each_direction_ends_by_itself(void **state)
{
	int c = client(f.port), s = served();

	(void)state;
	puts_text(c, "question");
	shutdown(c, SHUT_WR);
	gets(s, "question");
	gets(s, "");
	puts_text(s, "answer");
	gets(c, "answer");
	puts_text(s, "more");
	close(s);
	gets(c, "more");
	gets(c, "");
	run_until(tunnel_count(f.near.tunnel) == 0 && tunnel_count(f.far.tunnel) == 0);
	close(c);
}

static void
several_connections_do_not_mix(void **state)
{
	int c[8], s[8];
	char text[8];

	(void)state;
	for (int i = 0; i < 8; i++) {
		c[i] = client(f.port);
		s[i] = served();
	}
	for (int i = 7; i >= 0; i--) {
		snprintf(text, sizeof(text), "no %d", i);
		puts_text(c[i], text);
	}
	for (int i = 0; i < 8; i++) {
		snprintf(text, sizeof(text), "no %d", i);
		gets(s[i], text);
		close(c[i]);
		close(s[i]);
	}
	run_until(tunnel_count(f.far.tunnel) == 0);
}

static void
a_port_that_nobody_listens_at_is_a_closed_connection(void **state)
{
	char byte;
	int c;

	(void)state;
	close(f.listener);
	c = client(f.port);
	run_until(read(c, &byte, 1) >= 0 || errno == ECONNRESET);
	assert_int_equal(tunnel_count(f.near.tunnel), 0);
	assert_int_equal(f.near.n_resets, 1);
	close(c);
	f.listener = -1;
}

/* Of one that is not read at most a window, and what sockets hold, is under way; others go on. */
static void
a_slow_reader_holds_up_nobody_else(void **state)
{
	int slow = client(f.port), slow_served = served();
	int c = client(f.port), s = served(), small = 4096;
	size_t sent = 0, got = 0;
	char page[4096];
	ssize_t n;

	(void)state;
	memset(page, 'x', sizeof(page));
	setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < 200; i++) {
		while ((n = write(slow_served, page, sizeof(page))) > 0)
			sent += (size_t)n;
		turn();
	}
	assert_true(channel_backlog(f.far.channel) <= TUNNEL_WINDOW);
	puts_text(c, "hello");
	gets(s, "hello");
	shutdown(slow_served, SHUT_WR);
	run_until((n = read(slow, page, sizeof(page))) == 0 || (n > 0 && (got += (size_t)n) == 0));
	assert_int_equal(got, sent);
	assert_true(sent > 4 * TUNNEL_WINDOW);
	close(slow);
	close(slow_served);
	close(c);
	close(s);
}

static void
more_than_allowed_are_refused(void **state)
{
	int c[TUNNEL_MAX + 1], s[TUNNEL_MAX];

	(void)state;
	for (unsigned i = 0; i < TUNNEL_MAX; i++) {
		c[i] = client(f.port);
		s[i] = served();
	}
	c[TUNNEL_MAX] = client(f.port);
	gets(c[TUNNEL_MAX], "");
	assert_int_equal(tunnel_count(f.near.tunnel), TUNNEL_MAX);
	for (unsigned i = 0; i < TUNNEL_MAX; i++)
		close(s[i]);
	for (unsigned i = 0; i <= TUNNEL_MAX; i++)
		close(c[i]);
	run_until(tunnel_count(f.near.tunnel) == 0 && tunnel_count(f.far.tunnel) == 0);
}

static void
one_that_sends_beyond_the_window_is_cut_off(void **state)
{
	char *much = xcalloc(TUNNEL_WINDOW, 1);
	int c = client(f.port), s = served();

	(void)state;
	run_until(tunnel_count(f.far.tunnel) == 1);
	for (int i = 0; i < 3; i++)
		channel_send(f.near.channel, FRAMING_DATA, 1, much, TUNNEL_WINDOW);
	run_until(tunnel_count(f.far.tunnel) == 0 && tunnel_count(f.near.tunnel) == 0);
	assert_int_equal(f.near.n_resets, 1);
	channel_send(f.near.channel, FRAMING_WINDOW, 1, "1", 1);
	channel_send(f.near.channel, FRAMING_OPEN, 9, "0", 1);
	channel_send(f.near.channel, FRAMING_OPEN, 9, "65536", 5);
	channel_send(f.near.channel, FRAMING_OPEN, 9, "", 0);
	run_until(f.near.n_resets == 4);
	free(much);
	close(c);
	close(s);
}

static void
who_begins_anew_has_no_connections(void **state)
{
	int c = client(f.port), s = served();

	(void)state;
	tunnel_drop_all(f.near.tunnel);
	channel_restart(f.near.channel);
	gets(s, "");
	gets(c, "");
	assert_int_equal(tunnel_count(f.far.tunnel), 0);
	close(c);
	close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_direction_ends_by_itself),
		TEST(several_connections_do_not_mix),
		TEST(a_port_that_nobody_listens_at_is_a_closed_connection),
		TEST(a_slow_reader_holds_up_nobody_else),
		TEST(more_than_allowed_are_refused),
		TEST(one_that_sends_beyond_the_window_is_cut_off),
		TEST(who_begins_anew_has_no_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
