/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "start_show.h"

/* A shortfall is told, of each stream, and never by leaving it out. */

/* What is printed of this reply; of streams 1 and 2 the names are known. */
static char *
shown(json_t *streams)
{
	static char first[] = "first", second[] = "second";
	struct profile_stream named[] = {{.id = 1, .name = first}, {.id = 2, .name = second}};
	const struct profile profile = {.streams = named, .n_streams = 2};
	const struct start_result r = {.profile = &profile, .streams = streams};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	start_show_slots(&r, out);
	fclose(out);
	json_decref(streams);
	return text;
}

static json_t *
stream(int id, int intended, int refused, int late)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:i}", "id", id, "intended", intended, "sent",
			 intended - refused - late, "refused", refused, "late", late);
}

static void
each_stream_tells_what_became_of_its_slots(void **state)
{
	json_t *streams = json_pack("[o, o, o]", stream(1, 2000, 500, 1), stream(2, 10, 0, 0),
				    stream(7, 0, 0, 0));
	json_t *late = json_pack("{s:i, s:i, s:n, s:i}", "p50_ns", 120, "p99_ns", 2500, "p999_ns",
				 "max_ns", 40000);
	char *text =
		shown(json_pack("{s:o, s:o, s:n}", "streams", streams, "lateness", late, "jitter"));

	(void)state;
	assert_string_equal(
		text, "  stream 1   first      sent 1 499 of 2 000; refused 500 (25 %), late 1 "
		      "(0.05 %)\n"
		      "  stream 2   second     sent 10 of 10; refused 0, late 0\n"
		      "  stream 7              sent 0 of 0; refused 0, late 0\n"
		      "  lateness   p50 120 ns, p99 2.5 us, p99.9 -, max 40 us\n");
	free(text);
}

static void
of_many_streams_those_that_fell_short_have_lines(void **state)
{
	json_t *streams = json_array();
	char *text;

	(void)state;
	for (int i = 0; i < 40; i++)
		json_array_append_new(streams, stream(i + 10, 100, i == 30 ? 3 : 0, 0));
	text = shown(json_pack("{s:o}", "streams", streams));
	assert_string_equal(text,
			    "  stream 40             sent 97 of 100; refused 3 (3 %), late 0\n"
			    "  39 other streams      sent 3 900 of 3 900; refused 0, late 0\n");
	free(text);
	/* All of them: the rest stand together. */
	streams = json_array();
	for (int i = 0; i < 40; i++)
		json_array_append_new(streams, stream(i + 10, 100, 3, 0));
	text = shown(json_pack("{s:o}", "streams", streams));
	assert_non_null(strstr(
		text, "  8 other streams       sent 776 of 800; refused 24 (3 %), late 0\n"));
	free(text);
}

static void
a_generator_that_does_not_tell_has_no_lines(void **state)
{
	char *text = shown(NULL);

	(void)state;
	assert_string_equal(text, "");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_stream_tells_what_became_of_its_slots),
		cmocka_unit_test(of_many_streams_those_that_fell_short_have_lines),
		cmocka_unit_test(a_generator_that_does_not_tell_has_no_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
