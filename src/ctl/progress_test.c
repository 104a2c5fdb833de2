/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- stderr, held while the progress is shown ---- */

static int real_stderr = -1;
static int held = -1; /* what stderr is now, or the other end of it */
static char text[4096];

static void
hold(int fd)
{
	real_stderr = dup(STDERR_FILENO);
	assert_return_code(real_stderr, errno);
	assert_return_code(dup2(fd, STDERR_FILENO), errno);
	held = fd;
}

static void
hold_file(void)
{
	int fd = memfd_create("stderr", 0);

	assert_return_code(fd, errno);
	hold(fd);
}

/* What was written, with stderr as it was before. */
static const char *
release(void)
{
	ssize_t n;

	assert_return_code(dup2(real_stderr, STDERR_FILENO), errno);
	close(real_stderr);
	n = pread(held, text, sizeof(text) - 1, 0);
	assert_return_code(n, errno);
	text[n] = '\0';
	close(held);
	return text;
}

static int
open_terminal(unsigned short cols)
{
	const struct winsize size = {.ws_row = 24, .ws_col = cols};
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	struct termios raw;

	assert_return_code(master, errno);
	assert_return_code(grantpt(master), errno);
	assert_return_code(unlockpt(master), errno);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_return_code(slave, errno);
	assert_return_code(ioctl(slave, TIOCSWINSZ, &size), errno);
	assert_return_code(tcgetattr(slave, &raw), errno);
	cfmakeraw(&raw);
	assert_return_code(tcsetattr(slave, TCSANOW, &raw), errno);
	hold(slave);
	return master;
}

/* What a terminal was sent, up to a mark that is sent last: the kernel hands it over when it likes.
 */
static const char *
release_terminal(int master)
{
	struct pollfd pfd = {.fd = master, .events = POLLIN};
	size_t len = 0;

	assert_int_equal(write(STDERR_FILENO, "\001", 1), 1);
	do {
		ssize_t n;

		assert_int_equal(poll(&pfd, 1, 10000), 1);
		n = read(master, text + len, sizeof(text) - 1 - len);
		assert_true(n > 0);
		len += (size_t)n;
	} while (text[len - 1] != '\001');
	text[len - 1] = '\0';
	assert_return_code(dup2(real_stderr, STDERR_FILENO), errno);
	close(real_stderr);
	close(held);
	close(master);
	return text;
}

static const struct trial *
passed(void)
{
	static struct trial t;

	trial_init(&t, &(struct trial_spec){.rate_pps = 8.412e6, .duration_ns = 1000000000});
	t.verdict = TRIAL_PASS;
	snprintf(t.reason, sizeof(t.reason), "lost 0 of 8412000");
	return &t;
}

/* ---- laws ---- */

static void
without_a_terminal_each_trial_is_a_line(void **state)
{
	(void)state;
	hold_file();
	progress_init(PROGRESS_AUTO);
	progress_step("bringing up %d programs", 3);
	progress_trial("64", 7, 14, passed(), 39.2);
	progress_trial("imix", 14, 14, passed(), 0);
	progress_done();
	assert_string_equal(release(),
			    "bringing up 3 programs\n"
			    "trial 7/~14  64 B  8.412 Mpps  pass  eta 40 s  lost 0 of 8412000\n"
			    "trial 14/~14  imix  8.412 Mpps  pass  lost 0 of 8412000\n");
}

static void
what_is_not_known_is_not_shown(void **state)
{
	struct trial t = *passed();

	(void)state;
	t.spec.flat_out = true;
	hold_file();
	progress_init(PROGRESS_PLAIN);
	progress_trial("64", 1, 1, &t, -1);
	progress_trial("64", 1, 2, &t, -1);
	progress_trial("64", 1, 2, &t, 150);
	assert_string_equal(release(), "trial 1/1  64 B  flat out  pass  lost 0 of 8412000\n"
				       "trial 1/~2  64 B  flat out  pass  lost 0 of 8412000\n"
				       "trial 1/~2  64 B  flat out  pass  eta 3 min  "
				       "lost 0 of 8412000\n");
}

static void
quiet_is_quiet(void **state)
{
	(void)state;
	hold_file();
	progress_init(PROGRESS_NONE);
	progress_step("bringing up");
	progress_trial("64", 1, 1, passed(), 1);
	progress_done();
	assert_string_equal(release(), "");
}

static void
a_terminal_has_one_line_that_is_ended_once(void **state)
{
	int master = open_terminal(100);

	(void)state;
	progress_init(PROGRESS_AUTO);
	progress_step("bringing up");
	progress_trial("64", 1, 9, passed(), -1);
	progress_done();
	progress_done();
	assert_string_equal(release_terminal(master),
			    "\rbringing up\033[K"
			    "\rtrial 1/~9  64 B  8.412 Mpps  pass  lost 0 of 8412000\033[K\n");
}

static void
the_live_line_never_wraps(void **state)
{
	int master = open_terminal(20);

	(void)state;
	progress_init(PROGRESS_AUTO);
	progress_step("12345678901234567890123");
	/* Characters count, not bytes, and none is cut in two. */
	progress_step("äöüäöüäöüäöüäöüäöüäöü");
	assert_string_equal(release_terminal(master), "\r1234567890123456789\033[K"
						      "\räöüäöüäöüäöüäöüäöüä\033[K");
	progress_done();
}

static void
a_dumb_terminal_gets_lines(void **state)
{
	int master = open_terminal(80);

	(void)state;
	setenv("TERM", "dumb", 1);
	progress_init(PROGRESS_AUTO);
	progress_step("bringing up");
	progress_done();
	setenv("TERM", "xterm", 1);
	assert_string_equal(release_terminal(master), "bringing up\n");
}

static void
a_reason_cannot_move_the_cursor(void **state)
{
	struct trial t = *passed();

	(void)state;
	snprintf(t.reason, sizeof(t.reason), "vnf1 said \033[2J\n\rbye");
	hold_file();
	progress_init(PROGRESS_PLAIN);
	progress_trial("64", 1, 1, &t, -1);
	assert_string_equal(release(), "trial 1/1  64 B  8.412 Mpps  pass  vnf1 said ?[2J??bye\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_terminal_each_trial_is_a_line),
		cmocka_unit_test(what_is_not_known_is_not_shown),
		cmocka_unit_test(quiet_is_quiet),
		cmocka_unit_test(a_terminal_has_one_line_that_is_ended_once),
		cmocka_unit_test(the_live_line_never_wraps),
		cmocka_unit_test(a_dumb_terminal_gets_lines),
		cmocka_unit_test(a_reason_cannot_move_the_cursor),
	};

	setenv("TERM", "xterm", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
