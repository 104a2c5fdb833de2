/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"

/* A loop, and a timer that stops it after so many calls. */
struct fixture {
	struct loop *loop;
	struct loop_watch *watch;
	unsigned n;
	unsigned stop_at;
	int fds[2];
};

static int
setup(void **state)
{
	static struct fixture f;
	struct err err;

	f = (struct fixture){.stop_at = 1};
	if (loop_open(&f.loop, &err) < 0 || pipe2(f.fds, O_CLOEXEC) < 0)
		return -1;
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	loop_close(f->loop);
	close(f->fds[0]);
	close(f->fds[1]);
	return 0;
}

static void
count_call(void *arg)
{
	struct fixture *f = arg;

	if (++f->n == f->stop_at)
		loop_stop(f->loop);
}

static void
stop_loop(void *arg)
{
	loop_stop(arg);
}

/* A test that hangs says nothing. */
static void
give_up(void *arg)
{
	(void)arg;
	fail_msg("the loop never got there");
}

static void
timers_repeat_and_never_come_early(void **state)
{
	struct fixture *f = *state;
	uint64_t start = clock_now_ns();

	f->stop_at = 5;
	assert_non_null(loop_timer(f->loop, 10, count_call, f));
	loop_run(f->loop);
	assert_int_equal(f->n, 5);
	assert_true(clock_now_ns() - start >= 49 * NSEC_PER_MS);
}

static void
a_period_of_zero_repeats_too(void **state)
{
	struct fixture *f = *state;

	f->stop_at = 3;
	loop_timer(f->loop, 0, count_call, f);
	loop_run(f->loop);
	assert_int_equal(f->n, 3);
}

static void
a_readable_descriptor_calls_until_it_is_read(void **state)
{
	struct fixture *f = *state;

	f->stop_at = 3;
	loop_timer(f->loop, 20000, give_up, NULL);
	assert_non_null(loop_fd(f->loop, f->fds[0], count_call, f));
	assert_int_equal(write(f->fds[1], "x", 1), 1);
	loop_run(f->loop);
	assert_int_equal(f->n, 3);
}

static void
a_descriptor_with_room_calls_until_it_is_full(void **state)
{
	struct fixture *f = *state;
	static const char page[4096];

	assert_int_equal(fcntl(f->fds[1], F_SETFL, O_NONBLOCK), 0);
	f->stop_at = 3;
	assert_non_null(loop_fd_writable(f->loop, f->fds[1], count_call, f));
	loop_run(f->loop);
	assert_int_equal(f->n, 3);
	while (write(f->fds[1], page, sizeof(page)) > 0)
		;
	f->stop_at = 4; /* would only come if it were called again */
	assert_non_null(loop_timer(f->loop, 20, stop_loop, f->loop));
	loop_run(f->loop);
	assert_int_equal(f->n, 3);
}

static void
a_descriptor_that_cannot_be_watched_gives_no_watch(void **state)
{
	struct fixture *f = *state;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_null(loop_fd(f->loop, fd, count_call, f));
	close(fd);
}

static void
each_signal_is_told(void **state)
{
	struct fixture *f = *state;

	f->stop_at = 2;
	loop_timer(f->loop, 20000, give_up, NULL);
	f->watch = loop_signal(f->loop, SIGUSR1, count_call, f);
	assert_non_null(f->watch);
	raise(SIGUSR1);
	raise(SIGUSR1);
	loop_run(f->loop);
	assert_int_equal(f->n, 2);
}

static void
unwatch_self(void *arg)
{
	struct fixture *f = arg;

	f->n++;
	loop_unwatch(f->watch);
	f->watch = NULL;
}

static void
a_callback_may_release_its_own_watch(void **state)
{
	struct fixture *f = *state;

	f->stop_at = 4;
	f->watch = loop_timer(f->loop, 1, unwatch_self, f);
	loop_timer(f->loop, 5, count_call, f);
	loop_run(f->loop);
	assert_null(f->watch);
	assert_int_equal(f->n, 4); /* 1 of the released watch, 3 of the other */
	loop_unwatch(NULL);
}

static void
a_stop_before_the_run_is_not_lost(void **state)
{
	struct fixture *f = *state;

	loop_timer(f->loop, 20000, give_up, NULL);
	loop_stop(f->loop);
	loop_stop(f->loop);
	loop_run(f->loop);
	/* It counted once: the next run lasts until the next stop. */
	loop_timer(f->loop, 1, count_call, f);
	loop_run(f->loop);
	assert_int_equal(f->n, 1);
}

/* Does the main thread sleep? */
static bool
main_sleeps(void)
{
	char line[256] = "";
	FILE *in = fopen("/proc/self/stat", "re");
	const char *after;

	if (in == NULL)
		return false;
	after = fgets(line, sizeof(line), in) != NULL ? strrchr(line, ')') : NULL;
	fclose(in);
	return after != NULL && after[2] == 'S';
}

static void *
stop_from_outside(void *arg)
{
	struct deadline deadline = deadline_in_ms(10000);
	struct fixture *f = arg;
	char c;

	/* Only once the loop has shown that it runs, and then has nothing to do: it must be woken.
	 */
	if (read(f->fds[0], &c, 1) != 1)
		return NULL;
	while (!main_sleeps() && !deadline_passed(&deadline))
		clock_sleep_ms(1);
	loop_stop(f->loop);
	return NULL;
}

static void
tell_once(void *arg)
{
	struct fixture *f = arg;

	if (f->n++ == 0)
		assert_int_equal(write(f->fds[1], "x", 1), 1);
	loop_unwatch(f->watch);
}

static void
any_thread_can_stop_an_idle_loop(void **state)
{
	struct deadline deadline = deadline_in_ms(10000);
	struct fixture *f = *state;
	pthread_t thread;

	loop_timer(f->loop, 20000, give_up, NULL);
	f->watch = loop_timer(f->loop, 1, tell_once, f);
	assert_int_equal(pthread_create(&thread, NULL, stop_from_outside, f), 0);
	loop_run(f->loop);
	pthread_join(thread, NULL);
	assert_int_equal(f->n, 1);
	/* It was the stop that woke the loop, not the other timer. */
	assert_false(deadline_passed(&deadline));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(timers_repeat_and_never_come_early, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_period_of_zero_repeats_too, setup, teardown),
		cmocka_unit_test_setup_teardown(a_readable_descriptor_calls_until_it_is_read, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_descriptor_with_room_calls_until_it_is_full,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_descriptor_that_cannot_be_watched_gives_no_watch,
						setup, teardown),
		cmocka_unit_test_setup_teardown(each_signal_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_callback_may_release_its_own_watch, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_stop_before_the_run_is_not_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(any_thread_can_stop_an_idle_loop, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
