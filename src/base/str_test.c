/* SPDX-License-Identifier: MIT */
#include "str.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mem.h"

static void
empty_is_usable(void **state)
{
	struct str s = {0};
	char *text;

	(void)state;
	assert_string_equal(str_text(&s), "");
	text = str_take(&s);
	assert_string_equal(text, "");
	free(text);
	str_addn(&s, NULL, 0);
	assert_string_equal(s.text, "");
	str_fini(&s);
	str_fini(&s);
	str_fini(NULL);
	assert_null(s.text);
}

static void
text_grows_and_stays_terminated(void **state)
{
	struct str s = {0};
	char expected[5 * 1000 + 1] = "";

	(void)state;
	for (int i = 0; i < 1000; i++) {
		str_addf(&s, "%03d", i);
		str_addn(&s, ", ignored", 2);
		snprintf(expected + 5 * i, 6, "%03d, ", i);
		assert_int_equal(s.len, 5 * (i + 1));
		assert_true(s.len < s.size);
		assert_int_equal(s.text[s.len], '\0');
	}
	assert_string_equal(str_text(&s), expected);
	str_fini(&s);
}

static void
taken_text_belongs_to_the_taker(void **state)
{
	struct str s = {0};
	char *text;

	(void)state;
	str_addf(&s, "abc");
	text = str_take(&s);
	str_addf(&s, "def");
	assert_string_equal(text, "abc");
	assert_string_equal(str_text(&s), "def");
	free(text);
	str_fini(&s);
}

static void
copies_fit_or_are_cut(void **state)
{
	char dst[4] = "???";

	(void)state;
	assert_true(str_copy(dst, sizeof(dst), "abc"));
	assert_string_equal(dst, "abc");
	assert_false(str_copy(dst, sizeof(dst), "abcd"));
	assert_string_equal(dst, "abc");
	assert_true(str_copy(dst, 1, ""));
	assert_string_equal(dst, "");
	dst[0] = 'x';
	assert_false(str_copy(dst, 0, "a"));
	assert_int_equal(dst[0], 'x');
}

static void
cut_copies_keep_characters_whole(void **state)
{
	char dst[6];

	(void)state;
	/* Two bytes of a three-byte character would fit. */
	assert_false(str_copy(dst, sizeof(dst), "abc\xe2\x82\xac"));
	assert_string_equal(dst, "abc");
	assert_true(str_copy(dst, sizeof(dst), "ab\xe2\x82\xac"));
	assert_string_equal(dst, "ab\xe2\x82\xac");
	/* What is no UTF-8 is cut like bytes. */
	assert_false(str_copy(dst, sizeof(dst), "\x80\x80\x80\x80\x80\x80\x80"));
	assert_int_equal(strlen(dst), 5);
}

__attribute__((format(printf, 3, 4))) static size_t
print(char *dst, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	len = str_vprint(dst, size, fmt, ap);
	va_end(ap);
	return len;
}

static void
cut_messages_end_in_dots(void **state)
{
	char dst[8];

	(void)state;
	assert_int_equal(print(dst, sizeof(dst), "%s", "1234567"), 7);
	assert_string_equal(dst, "1234567");
	assert_int_equal(print(dst, sizeof(dst), "%s", "12345678"), 7);
	assert_string_equal(dst, "1234...");
	assert_int_equal(print(dst, sizeof(dst), "%s",
			       "12\xe2\x82\xac"
			       "5678"),
			 5);
	assert_string_equal(dst, "12...");
	assert_int_equal(print(dst, 4, "%s", "12345"), 3);
	assert_string_equal(dst, "...");
}

static const char *
nearest(const char *word)
{
	static const char *const words[] = {"rate", "duration", "output", "engine", "p50", "x"};

	return str_nearest(word, words, N_ELEMS(words));
}

static void
typos_find_what_was_meant(void **state)
{
	(void)state;
	assert_string_equal(nearest("rate"), "rate");
	assert_string_equal(nearest("rte"), "rate");   /* left out */
	assert_string_equal(nearest("ratee"), "rate"); /* added */
	assert_string_equal(nearest("rqte"), "rate");  /* replaced */
	assert_string_equal(nearest("raet"), "rate");  /* swapped */
	assert_string_equal(nearest("DURATION"), "duration");
	assert_string_equal(nearest("dratoin"), "duration");
}

static void
strangers_are_near_to_nothing(void **state)
{
	char longest[200];

	(void)state;
	assert_null(nearest(""));
	assert_null(nearest("y"));
	assert_null(nearest("port"));
	assert_null(nearest("rtae2x"));
	assert_null(str_nearest("rate", NULL, 0));
	/* Four of eleven letters are more than a third, three of nine are not. */
	assert_null(str_nearest("abcdefghijk", (const char *const[]){"abcdefgXXXX"}, 1));
	assert_non_null(str_nearest("abcdefghi", (const char *const[]){"abcdefXXX"}, 1));
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_null(nearest(longest));
	assert_null(str_nearest("a", (const char *const[]){longest}, 1));
	longest[63] = '\0';
	assert_non_null(str_nearest(longest, (const char *const[]){longest}, 1));
}

static void
nearer_beats_near(void **state)
{
	const char *const words[] = {"frames", "frame", "flame"};

	(void)state;
	assert_string_equal(str_nearest("frame", words, 3), "frame");
	assert_string_equal(str_nearest("flmae", words, 3), "flame");
}

static void
memory_is_zeroed_and_never_null(void **state)
{
	uint32_t *v = xcalloc(1000, sizeof(*v));
	void *nothing = xcalloc(0, 8);
	char *text;

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v[i], 0);
	v[0] = 7;
	v = xrealloc(v, 100000, sizeof(*v));
	assert_int_equal(v[0], 7);
	v = xrealloc(v, 0, sizeof(*v));
	assert_non_null(v);
	assert_non_null(nothing);
	assert_null(xstrdup(NULL));
	text = xasprintf("%s-%d", "a", 1);
	assert_string_equal(text, "a-1");
	free(text);
	free(nothing);
	free(v);
}

/* Asks for more than there are addresses, with stderr in 'fd', and does not come back. */
static void
exhaust(int fd)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0});
	signal(SIGABRT, SIG_DFL);
	dup2(fd, STDERR_FILENO);
	free(xcalloc(SIZE_MAX / 2, 4));
	_exit(0);
}

static void
no_memory_ends_with_the_place(void **state)
{
	char line[512] = "";
	int status, fds[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		exhaust(fds[1]);
	close(fds[1]);
	assert_true(read(fds[0], line, sizeof(line) - 1) > 0);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(line, "str_test.c:"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_is_usable),
		cmocka_unit_test(text_grows_and_stays_terminated),
		cmocka_unit_test(taken_text_belongs_to_the_taker),
		cmocka_unit_test(copies_fit_or_are_cut),
		cmocka_unit_test(cut_copies_keep_characters_whole),
		cmocka_unit_test(cut_messages_end_in_dots),
		cmocka_unit_test(typos_find_what_was_meant),
		cmocka_unit_test(strangers_are_near_to_nothing),
		cmocka_unit_test(nearer_beats_near),
		cmocka_unit_test(memory_is_zeroed_and_never_null),
		cmocka_unit_test(no_memory_ends_with_the_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
