/* SPDX-License-Identifier: MIT */
#include "err.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

static void
each_kind_has_its_code(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(err_exit_code(&err), 1);
	assert_int_equal(err_exit_code(NULL), 1);
	assert_int_equal(err_set(&err, ENOENT, "file '%s': gone", "a"), -ENOENT);
	assert_string_equal(err.msg, "file 'a': gone");
	assert_int_equal(err_exit_code(&err), 1);
	assert_int_equal(err_usage(&err, "rate: %d", 7), -EINVAL);
	assert_string_equal(err.msg, "rate: 7");
	assert_int_equal(err_exit_code(&err), 2);
	assert_int_equal(err_machine(&err, "no hugepages"), -ENODEV);
	assert_int_equal(err_exit_code(&err), 3);
	assert_int_equal(err_class(&err, ERR_INCONCLUSIVE, "noisy"), -EPROTO);
	assert_int_equal(err_exit_code(&err), 6);
}

static void
failure_is_never_zero(void **state)
{
	struct err err = {0};

	(void)state;
	assert_true(err_set(&err, 0, "failed without errno") < 0);
	assert_int_equal(err_set(&err, -EBUSY, "minus given twice"), -EBUSY);
}

static void
nobody_listening_is_fine(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, EIO, "x"), -EIO);
	assert_int_equal(err_usage(NULL, "x"), -EINVAL);
	assert_int_equal(err_machine(NULL, "x"), -ENODEV);
	assert_int_equal(err_class(NULL, ERR_ASSERT, "x"), -EPROTO);
	assert_int_equal(err_wrap(NULL, -EIO, "x"), -EIO);
}

static void
wrap_says_where_and_keeps_the_rest(void **state)
{
	struct err err = {0};
	int rc;

	(void)state;
	rc = err_machine(&err, "no such device");
	assert_int_equal(err_wrap(&err, rc, "port '%s'", "net0"), -ENODEV);
	assert_int_equal(err_wrap(&err, rc, "hop %d", 2), -ENODEV);
	assert_string_equal(err.msg, "hop 2: port 'net0': no such device");
	assert_int_equal(err.class, ERR_MACHINE);
}

static void
wrap_of_success_changes_nothing(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(err_wrap(&err, 0, "x"), 0);
	assert_int_equal(err_wrap(&err, 5, "x"), 5);
	assert_string_equal(err.msg, "");
	assert_int_equal(err.class, 0);
}

static void
wrap_without_a_message_explains_errno(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(err_wrap(&err, -ENOENT, "file 'a'"), -ENOENT);
	assert_string_equal(err.msg, "file 'a': No such file or directory");
	assert_int_equal(err.class, ERR_FAILED);
}

static void
old_message_may_be_an_argument(void **state)
{
	struct err err = {0};

	(void)state;
	err_set(&err, EIO, "inner");
	err_usage(&err, "outer: %s", err.msg);
	assert_string_equal(err.msg, "outer: inner");
}

static void
assert_ends_in_dots(const char *msg)
{
	size_t len = strlen(msg);

	assert_true(len > 3);
	assert_string_equal(msg + len - 3, "...");
}

static void
long_messages_are_cut_cleanly(void **state)
{
	char text[3000];
	struct err err = {0};

	(void)state;
	/* One byte less than the room is whole, one more is cut. */
	memset(text, 'x', sizeof(text));
	text[sizeof(err.msg) - 1] = '\0';
	err_set(&err, EIO, "%s", text);
	assert_string_equal(err.msg, text);
	text[sizeof(err.msg) - 1] = 'x';
	text[sizeof(err.msg)] = '\0';
	err_set(&err, EIO, "%s", text);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_ends_in_dots(err.msg);
}

static void
cuts_never_split_a_character(void **state)
{
	/* "€" has three bytes: whatever the offset, a whole number of them remains. */
	for (int offset = 0; offset < 3; offset++) {
		struct err err = {0};
		char text[3001] = "";

		(void)state;
		for (int i = 0; i < 1000; i++)
			memcpy(text + 3 * i, "\xe2\x82\xac", 4);
		err_set(&err, EIO, "%.*s%s", offset, "xx", text);
		assert_ends_in_dots(err.msg);
		assert_int_equal((strlen(err.msg) - 3 - (size_t)offset) % 3, 0);
	}
}

static void
long_context_leaves_the_cause(void **state)
{
	struct err err = {0};
	char text[3000];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	err_usage(&err, "the cause");
	err_wrap(&err, -EINVAL, "%s", text);
	assert_non_null(strstr(err.msg, "...: the cause"));
	for (int i = 0; i < 200; i++)
		assert_int_equal(err_wrap(&err, -EINVAL, "level %d", i), -EINVAL);
	assert_true(strlen(err.msg) < sizeof(err.msg));
	assert_ends_in_dots(err.msg);
	assert_int_equal(err.class, ERR_USAGE);
}

/* Stands in for stderr; keeps the borders between writes. */
struct tap {
	int fd;
	int old_stderr;
};

static struct tap
tap_open(void)
{
	struct tap tap;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	tap.fd = fds[0];
	tap.old_stderr = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	return tap;
}

/* Puts stderr back and copies the first of the '*n' writes it got to 'line'. */
static void
tap_close(struct tap *tap, char *line, size_t size, int *n)
{
	char more[PIPE_BUF];
	ssize_t len;

	dup2(tap->old_stderr, STDERR_FILENO);
	close(tap->old_stderr);
	len = recv(tap->fd, line, size - 1, MSG_DONTWAIT);
	line[len > 0 ? len : 0] = '\0';
	for (*n = len > 0; len > 0; *n += len > 0)
		len = recv(tap->fd, more, sizeof(more), MSG_DONTWAIT);
	close(tap->fd);
}

static void
assert_logs(enum log_level level, const char *message, const char *expected)
{
	struct tap tap = tap_open();
	char line[PIPE_BUF + 1];
	int n;

	log_line(level, "%s", message);
	tap_close(&tap, line, sizeof(line), &n);
	assert_string_equal(line, expected);
	assert_int_equal(n, 1);
}

static void
each_line_is_one_write(void **state)
{
	(void)state;
	log_init("nfvchain", LOG_NOTICE);
	assert_logs(LOG_ERR, "hop 1: gone", "nfvchain: error: hop 1: gone\n");
	assert_logs(LOG_WARN, "late", "nfvchain: warning: late\n");
	assert_logs(LOG_NOTICE, "link up", "nfvchain: link up\n");
	assert_logs(LOG_DEBUG, "a\n  b\n", "nfvchain: a\n  b\n");
	assert_logs(LOG_INFO, "\033[2Jx\x7f\r", "nfvchain: ?[2Jx??\n");
}

static void
long_lines_stay_one_write(void **state)
{
	struct tap tap = tap_open();
	char line[2 * PIPE_BUF];
	char *text = calloc(1, 3 * PIPE_BUF);
	int n;

	(void)state;
	memset(text, 'x', 3 * PIPE_BUF - 1);
	log_line(LOG_NOTICE, "%s", text);
	tap_close(&tap, line, sizeof(line), &n);
	free(text);
	assert_int_equal(n, 1);
	assert_true(strlen(line) <= PIPE_BUF);
	assert_string_equal(line + strlen(line) - 5, "x...\n");
}

static void
a_failing_log_keeps_errno(void **state)
{
	int old_stderr = dup(STDERR_FILENO);
	int saved;

	(void)state;
	close(STDERR_FILENO);
	errno = EDOM;
	log_line(LOG_ERR, "nobody hears this");
	saved = errno;
	dup2(old_stderr, STDERR_FILENO);
	close(old_stderr);
	assert_int_equal(saved, EDOM);
}

static void
levels_above_the_limit_are_silent(void **state)
{
	struct tap tap;
	char line[256];
	int n;

	(void)state;
	log_init("nfvchain", LOG_WARN);
	assert_true(log_enabled(LOG_ERR));
	assert_true(log_enabled(LOG_WARN));
	assert_false(log_enabled(LOG_NOTICE));
	tap = tap_open();
	LOG(NOTICE, "not %s", "seen");
	LOG(WARN, "seen");
	tap_close(&tap, line, sizeof(line), &n);
	assert_string_equal(line, "nfvchain: warning: seen\n");
	assert_int_equal(n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_code),
		cmocka_unit_test(failure_is_never_zero),
		cmocka_unit_test(nobody_listening_is_fine),
		cmocka_unit_test(wrap_says_where_and_keeps_the_rest),
		cmocka_unit_test(wrap_of_success_changes_nothing),
		cmocka_unit_test(wrap_without_a_message_explains_errno),
		cmocka_unit_test(old_message_may_be_an_argument),
		cmocka_unit_test(long_messages_are_cut_cleanly),
		cmocka_unit_test(cuts_never_split_a_character),
		cmocka_unit_test(long_context_leaves_the_cause),
		cmocka_unit_test(each_line_is_one_write),
		cmocka_unit_test(long_lines_stay_one_write),
		cmocka_unit_test(a_failing_log_keeps_errno),
		cmocka_unit_test(levels_above_the_limit_are_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
