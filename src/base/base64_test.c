/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base64.h"

static void
the_vectors_of_rfc_4648(void **state)
{
	static const char *const rows[][2] = {{"", ""},
					      {"f", "Zg=="},
					      {"fo", "Zm8="},
					      {"foo", "Zm9v"},
					      {"foob", "Zm9vYg=="},
					      {"fooba", "Zm9vYmE="},
					      {"foobar", "Zm9vYmFy"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = base64_encode((const uint8_t *)rows[i][0], strlen(rows[i][0]));
		uint8_t back[8];

		assert_string_equal(text, rows[i][1]);
		assert_int_equal(base64_decode(text, back, sizeof(back)), strlen(rows[i][0]));
		assert_memory_equal(back, rows[i][0], strlen(rows[i][0]));
		free(text);
	}
}

static void
any_bytes_come_back(void **state)
{
	uint8_t data[300], back[300];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		size_t len = i % sizeof(data);
		char *text;

		for (size_t k = 0; k < len; k++)
			data[k] = (uint8_t)(k * 37 + i * 101);
		text = base64_encode(data, len);
		assert_int_equal(base64_decode(text, back, sizeof(back)), len);
		assert_memory_equal(back, data, len);
		if (len > 0)
			assert_int_equal(base64_decode(text, back, len - 1), -1);
		text[strcspn(text, "=")] = '\0';
		assert_int_equal(base64_decode(text, back, sizeof(back)), len);
		free(text);
	}
}

static void
what_is_no_base64(void **state)
{
	static const char *const texts[] = {"a", "ab c", "abc-", "ab=c", "abcde", "\xff\xff"};
	uint8_t out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(base64_decode(texts[i], out, sizeof(out)), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_rfc_4648),
		cmocka_unit_test(any_bytes_come_back),
		cmocka_unit_test(what_is_no_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
