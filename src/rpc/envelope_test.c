/* SPDX-License-Identifier: MIT */
#include "envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "jsonrpc.h"

#define PING "{\"id\":\"a1\",\"jsonrpc\":\"2.0\",\"method\":\"ping\"}"
#define PONG "{\"id\":\"a1\",\"jsonrpc\":\"2.0\",\"result\":\"pong\"}"
#define BAD                                                   \
	"{\"error\":{\"code\":-32700,\"message\":\"Bad JSON " \
	"Format\"},\"id\":null,\"jsonrpc\":\"2.0\"}"

static int
ping(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	*result = json_string("pong");
	return 0;
}

static const struct jsonrpc_method methods[] = {{.name = "ping", .call = ping}};
static const struct jsonrpc_server server = {.methods = methods, .n_methods = 1};

static void
what_is_sealed_opens(void **state)
{
	size_t sealed_len;
	char *sealed = envelope_seal(PING, strlen(PING), &sealed_len);
	size_t len;
	char *plain;

	assert_true(envelope_is(sealed, sealed_len));
	plain = envelope_open(sealed, sealed_len, 1000, &len);
	assert_int_equal(len, strlen(PING));
	assert_string_equal(plain, PING);
	free(plain);
	free(sealed);
}

/* As Python's zlib and struct packed it: >II 0xABE85CEA 2, then "{}" at the default level. */
static void
the_bytes_are_those_of_trex(void **state)
{
	static const unsigned char wire[] = {0xab, 0xe8, 0x5c, 0xea, 0x00, 0x00, 0x00, 0x02, 0x78,
					     0x9c, 0xab, 0xae, 0x05, 0x00, 0x01, 0x75, 0x00, 0xf9};
	size_t len;
	char *plain = envelope_open(wire, sizeof(wire), 1000, &len);
	char *sealed;

	assert_non_null(plain);
	assert_string_equal(plain, "{}");
	sealed = envelope_seal("{}", 2, &len);
	assert_int_equal(len, sizeof(wire));
	assert_memory_equal(sealed, wire, sizeof(wire));
	free(sealed);
	free(plain);
}

static void
anything_damaged_stays_shut(void **state)
{
	size_t sealed_len;
	char *sealed = envelope_seal(PING, strlen(PING), &sealed_len);
	size_t len;

	for (size_t cut = 0; cut < sealed_len; cut++)
		assert_null(envelope_open(sealed, cut, 1000, &len));
	for (size_t i = 0; i < sealed_len; i++) {
		sealed[i] ^= 0x10;
		assert_null(envelope_open(sealed, sealed_len, 1000, &len));
		sealed[i] ^= 0x10;
	}
	sealed = realloc(sealed, sealed_len + 1);
	sealed[sealed_len] = 0;
	assert_null(envelope_open(sealed, sealed_len + 1, 1000, &len));
	free(sealed);
}

static void
a_claim_is_checked_before_memory_is_taken(void **state)
{
	/* 4 GiB and 1 MB claimed by 10 bytes of deflate. */
	static const unsigned char huge[18] = {0xab, 0xe8, 0x5c, 0xea, 0xff,
					       0xff, 0xff, 0xff, 0x78};
	static const unsigned char big[18] = {0xab, 0xe8, 0x5c, 0xea, 0x00, 0x0f, 0x00, 0x00, 0x78};
	size_t len;

	assert_null(envelope_open(huge, sizeof(huge), SIZE_MAX, &len));
	assert_null(envelope_open(big, sizeof(big), JSONRPC_MAX_BYTES, &len));
}

static void
the_limit_is_for_the_plain_text(void **state)
{
	size_t sealed_len;
	char *sealed = envelope_seal(PING, strlen(PING), &sealed_len);
	size_t len;
	char *plain;

	assert_null(envelope_open(sealed, sealed_len, strlen(PING) - 1, &len));
	plain = envelope_open(sealed, sealed_len, strlen(PING), &len);
	assert_non_null(plain);
	free(plain);
	free(sealed);
}

/* A batch of streams with one long padded packet packs 300 times; deflate's own end is 1032. */
static void
the_best_that_deflate_can_do_opens(void **state)
{
	size_t size = JSONRPC_MAX_BYTES;
	char *text = xcalloc(size, 1);
	size_t sealed_len, len;
	char *sealed, *plain;

	memset(text, 'A', size);
	sealed = envelope_seal(text, size, &sealed_len);
	assert_true(size / sealed_len > 900);
	plain = envelope_open(sealed, sealed_len, size, &len);
	assert_non_null(plain);
	assert_memory_equal(plain, text, size);
	free(plain);
	free(sealed);
	free(text);
}

static void
assert_served(const void *data, size_t len, bool sealed, const char *expected)
{
	size_t reply_len, plain_len;
	char *reply = envelope_serve(&server, data, len, &reply_len);
	char *plain;

	assert_int_equal(envelope_is(reply, reply_len), sealed);
	if (!sealed) {
		assert_int_equal(reply_len, strlen(expected));
		assert_memory_equal(reply, expected, reply_len);
	} else {
		plain = envelope_open(reply, reply_len, 1000, &plain_len);
		assert_non_null(plain);
		assert_string_equal(plain, expected);
		free(plain);
	}
	free(reply);
}

static void
a_reply_is_sealed_if_and_only_if_its_request_was(void **state)
{
	size_t len;
	char *sealed = envelope_seal(PING, strlen(PING), &len);

	assert_served(PING, strlen(PING), false, PONG);
	assert_served(sealed, len, true, PONG);
	assert_served(sealed, len - 1, false, BAD);
	free(sealed);
}

static void
both_sizes_have_the_same_limit(void **state)
{
	static const char too_large[] =
		"{\"error\":{\"code\":-32603,\"message\":\"Request is too large (1268891 bytes). "
		"Consider splitting to smaller chunks.\"},\"id\":null,\"jsonrpc\":\"2.0\"}";
	size_t size = 1268891;
	char *text = xcalloc(size, 1);
	size_t len;
	char *sealed;

	memset(text, ' ', size);
	assert_served(text, size, false, too_large);
	sealed = envelope_seal(text, size, &len);
	assert_served(sealed, len, true, too_large);
	free(sealed);
	memset(text, ' ', JSONRPC_MAX_BYTES);
	memcpy(text, PING, strlen(PING));
	assert_served(text, JSONRPC_MAX_BYTES, false, PONG);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_opens),
		cmocka_unit_test(the_bytes_are_those_of_trex),
		cmocka_unit_test(anything_damaged_stays_shut),
		cmocka_unit_test(a_claim_is_checked_before_memory_is_taken),
		cmocka_unit_test(the_limit_is_for_the_plain_text),
		cmocka_unit_test(the_best_that_deflate_can_do_opens),
		cmocka_unit_test(a_reply_is_sealed_if_and_only_if_its_request_was),
		cmocka_unit_test(both_sizes_have_the_same_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
