/* SPDX-License-Identifier: MIT */
#include "sha256.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mem.h"

static void
hash(char hex[SHA256_HEX], const char *text, size_t len, size_t step)
{
	struct sha256 s;

	sha256_init(&s);
	for (size_t at = 0; at < len; at += step)
		sha256_add(&s, text + at, len - at < step ? len - at : step);
	sha256_hex(&s, hex);
}

/* The examples of FIPS 180-4's companion, and those of no byte and of a million. */
static void
known_digests(void **state)
{
	static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char hex[SHA256_HEX];
	char *million = xcalloc(1000000, 1);

	(void)state;
	hash(hex, "", 0, 1);
	assert_string_equal(hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	hash(hex, "abc", 3, 3);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash(hex, two, strlen(two), 100);
	assert_string_equal(hex,
			    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', 1000000);
	hash(hex, million, 1000000, 4096);
	assert_string_equal(hex,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(million);
}

static void
pieces_do_not_matter(void **state)
{
	char text[200], whole[SHA256_HEX], parts[SHA256_HEX];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t len = 0; len <= sizeof(text); len++) {
		hash(whole, text, len, sizeof(text));
		hash(parts, text, len, 1 + len % 67);
		assert_string_equal(whole, parts);
	}
}

static void
files(void **state)
{
	char path[] = "/tmp/sha256_testXXXXXX", hex[SHA256_HEX];
	int fd = mkstemp(path);
	struct err err = {0};

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "abc", 3), 3);
	close(fd);
	assert_int_equal(sha256_file(path, hex, &err), 0);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	unlink(path);
	assert_int_equal(sha256_file(path, hex, &err), -ENOENT);
	assert_non_null(strstr(err.msg, path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_digests),
		cmocka_unit_test(pieces_do_not_matter),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
