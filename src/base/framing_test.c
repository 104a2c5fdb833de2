/* SPDX-License-Identifier: MIT */
#include "framing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mem.h"
#include "random.h"

/* Feeds 'len' bytes in pieces of 'step' and writes what the parser said as a line:
 * "q7(body) restart lost". */
static char *
read_all(const char *text, size_t len, size_t step)
{
	struct framing f = {0};
	struct str said = {0};
	enum framing_event event;

	for (size_t at = 0; at < len; at += step) {
		const char *data = text + at;
		size_t left = len - at < step ? len - at : step;

		while ((event = framing_read(&f, &data, &left)) != FRAMING_MORE) {
			if (event == FRAMING_FRAME)
				str_addf(&said, "%c%u(%s) ", f.frame.kind, f.frame.id,
					 f.frame.body);
			else
				str_addf(&said, event == FRAMING_LOST ? "lost " : "restart ");
		}
		assert_int_equal(left, 0);
	}
	framing_fini(&f);
	return str_take(&said);
}

/* The same must be said whatever the pieces are. */
static void
says(const char *text, const char *expected)
{
	for (size_t step = 1; step <= strlen(text) + 1; step++) {
		char *said = read_all(text, strlen(text), step);

		assert_string_equal(said, expected);
		free(said);
	}
}

static void
frames_come_in_any_pieces(void **state)
{
	(void)state;
	says("q 7 2\nhie 4294967295 0\nd 0 3\na\nb", "q7(hi) e4294967295() d0(a\nb) ");
}

static void
what_is_no_frame_is_skipped_until_a_resync(void **state)
{
	(void)state;
	says("q 7 x\nq 8 2\nhi\x18q 9 2\nhi", "lost restart q9(hi) ");
	says("Q 7 2\nhi", "lost ");
	says("q 7\n", "lost ");
	says("\n", "lost ");
	says("q  7 2\nhi", "lost ");
	says("q -7 2\nhi", "lost ");
	says("q 07 2\nhi", "lost ");
	says("q 4294967296 2\nhi", "lost ");
	says("q 7 262145\nhi", "lost ");
	says("q 7 2 \nhi", "lost ");
	says("a line that is far too long to be the head of any frame", "lost ");
	says("d 1 2\n\x10-", "lost ");
}

static void
a_resync_ends_whatever_was_under_way(void **state)
{
	(void)state;
	says("q 7 20\nhalf a bo\x18q 8 2\nhi", "restart q8(hi) ");
	says("q 7\x18q 8 2\nhi", "restart q8(hi) ");
	says("q 7 3\na\x10\x18q 8 2\nhi", "restart q8(hi) ");
	says("\x18\x18", "restart restart ");
}

/* Any bytes pass, and no resync stands among them. */
static void
bodies_of_any_bytes(void **state)
{
	struct random random = {0};
	struct framing f = {0};

	(void)state;
	random_init(&random, 1, 0);
	for (size_t len = 0; len < 600; len += 7) {
		char *body = xcalloc(len + 1, 1);
		struct str wire = {0};
		const char *data;
		size_t left;

		for (size_t i = 0; i < len; i++)
			body[i] = (char)(random_next(&random) % 4 == 0 ? 0x10 + 8 * (i & 1)
								       : random_next(&random));
		framing_add(&wire, FRAMING_DATA, (uint32_t)len, body, len);
		assert_null(memchr(wire.text, FRAMING_RESYNC, wire.len));
		data = wire.text;
		left = wire.len;
		assert_int_equal(framing_read(&f, &data, &left), FRAMING_FRAME);
		assert_int_equal(left, 0);
		assert_int_equal(f.frame.len, len);
		assert_int_equal(f.frame.id, len);
		assert_memory_equal(f.frame.body, body, len);
		str_fini(&wire);
		free(body);
	}
	framing_fini(&f);
}

static void
the_largest_body_passes(void **state)
{
	char *body = xcalloc(FRAMING_MAX_BODY, 1);
	struct framing f = {0};
	struct str wire = {0};
	const char *data;
	size_t left;

	(void)state;
	memset(body, FRAMING_RESYNC, FRAMING_MAX_BODY);
	framing_add(&wire, FRAMING_DATA, 1, body, FRAMING_MAX_BODY);
	data = wire.text;
	left = wire.len;
	assert_int_equal(framing_read(&f, &data, &left), FRAMING_FRAME);
	assert_int_equal(f.frame.len, FRAMING_MAX_BODY);
	assert_memory_equal(f.frame.body, body, FRAMING_MAX_BODY);
	framing_fini(&f);
	str_fini(&wire);
	free(body);
}

static void
numbers(void **state)
{
	uint32_t n = 7;
	struct frame frame = {.body = "4501", .len = 4};

	(void)state;
	assert_true(framing_number(&frame, 65535, &n));
	assert_int_equal(n, 4501);
	assert_false(framing_number(&frame, 4500, &n));
	frame = (struct frame){.body = "45 1", .len = 4};
	assert_false(framing_number(&frame, 65535, &n));
	frame = (struct frame){.body = "", .len = 0};
	assert_false(framing_number(&frame, 65535, &n));
	assert_int_equal(n, 4501);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_in_any_pieces),
		cmocka_unit_test(what_is_no_frame_is_skipped_until_a_resync),
		cmocka_unit_test(a_resync_ends_whatever_was_under_way),
		cmocka_unit_test(bodies_of_any_bytes),
		cmocka_unit_test(the_largest_body_passes),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
