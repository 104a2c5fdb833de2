/* SPDX-License-Identifier: MIT */
#include "jsonrpc.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "wide.h"

#define OWNED 1u

static int
echo(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	*result = json_deep_copy(params);
	return 0;
}

static int
nothing(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	++*(int *)ctx;
	return 0;
}

static int
refuse(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const char *text;

	*result = json_string("a failing method's result is dropped");
	if (jsonrpc_text(params, "text", &text, e) < 0)
		return -EINVAL;
	return jsonrpc_fail(e, JSONRPC_FAILED, "%s", text);
}

static int
silent(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	return -EIO;
}

static int
come_later(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	return jsonrpc_fail(e, JSONRPC_IN_PROGRESS, "%d", 42);
}

/* What no JSON text can say. */
static int
unprintable(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	*result = json_string_nocheck("\xff");
	return 0;
}

static int
not_a_number(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	*result = json_object();
	json_object_set_new(*result, "x", json_real(NAN));
	return 0;
}

static int
guard(void *ctx, const struct jsonrpc_method *m, const json_t *params, struct jsonrpc_error *e)
{
	if ((m->flags & OWNED) != 0 && json_object_get(params, "handler") == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED, "%s: not yours", m->name);
	return 0;
}

static const struct jsonrpc_method methods[] = {
	{.name = "echo", .call = echo},
	{.name = "nothing", .call = nothing},
	{.name = "owned", .call = nothing, .flags = OWNED},
	{.name = "fail", .call = refuse},
	{.name = "silent", .call = silent},
	{.name = "later", .call = come_later},
	{.name = "unprintable", .call = unprintable},
	{.name = "not_a_number", .call = not_a_number},
};

static int n_calls; /* of 'nothing' */

static struct jsonrpc_server server = {
	.methods = methods,
	.n_methods = N_ELEMS(methods),
	.ctx = &n_calls,
	.guard = guard,
};

static void
assert_reply(const char *request, const char *expected)
{
	char *reply = jsonrpc_serve(&server, request, strlen(request));

	assert_string_equal(reply, expected);
	free(reply);
}

#define CALL(id, method, params) \
	"{\"id\":" id ",\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params "}"
#define RESULT(id, result) "{\"id\":" id ",\"jsonrpc\":\"2.0\",\"result\":" result "}"
#define ERROR(id, error) "{\"error\":{" error "},\"id\":" id ",\"jsonrpc\":\"2.0\"}"
#define FAILED(id, text)                                                                       \
	ERROR(id, "\"code\":-32000,\"message\":\"Failed To Execute Method\",\"specific_err\":" \
		  "\"" text "\"")
#define BAD_PARAM(id, text)                                                                     \
	ERROR(id, "\"code\":-32602,\"message\":\"Bad parameters for method\",\"specific_err\":" \
		  "\"" text "\"")
#define BAD_JSON ERROR("null", "\"code\":-32700,\"message\":\"Bad JSON Format\"")
#define BAD_REQUEST(id, text) ERROR(id, "\"code\":-32600,\"message\":\"" text "\"")

/* A result may be {} though the method put nothing there; the keys are in the order of TRex's. */
static void
a_reply_looks_like_trex(void **state)
{
	assert_reply("{\"params\": {}, \"method\": \"nothing\", \"id\": \"a1b2c3d4\", "
		     "\"jsonrpc\": \"2.0\"}",
		     "{\"id\":\"a1b2c3d4\",\"jsonrpc\":\"2.0\",\"result\":{}}");
	assert_reply(CALL("1", "echo", "{\"b\":[1,2.5],\"a\":{\"d\":null,\"c\":true}}"),
		     RESULT("1", "{\"a\":{\"c\":true,\"d\":null},\"b\":[1,2.5]}"));
}

static void
the_id_comes_back_with_its_type(void **state)
{
	static const char *const ids[] = {
		"0", "-7", "\"7\"", "1.5", "\"\"", "18446744073709551615", "[1]", "\"\\u0001\"",
	};

	for (size_t i = 0; i < N_ELEMS(ids); i++) {
		char *request = xasprintf(CALL("%s", "nothing", "{}"), ids[i]);
		char *expected = xasprintf(RESULT("%s", "{}"), ids[i]);

		assert_reply(request, expected);
		free(request);
		free(expected);
	}
}

static void
params_may_be_left_out_but_are_an_object(void **state)
{
	assert_reply("{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"echo\"}", RESULT("1", "{}"));
	assert_reply(CALL("1", "echo", "null"), RESULT("1", "{}"));
	assert_reply(CALL("1", "echo", "[1]"), BAD_PARAM("1", "'params' must be an object"));
	assert_reply(CALL("1", "echo", "18446744073709551615"),
		     BAD_PARAM("1", "'params' must be an object"));
}

static void
bad_envelopes_have_the_texts_of_trex(void **state)
{
	assert_reply("{}", BAD_REQUEST("null", "Missing 'id' field"));
	assert_reply("{\"id\":null,\"jsonrpc\":\"2.0\",\"method\":\"echo\"}",
		     BAD_REQUEST("null", "Missing 'id' field"));
	assert_reply("{\"id\":1,\"method\":\"echo\"}", BAD_REQUEST("1", "Invalid JSONRPC Version"));
	assert_reply("{\"id\":1,\"jsonrpc\":\"1.0\",\"method\":\"echo\"}",
		     BAD_REQUEST("1", "Invalid JSONRPC Version"));
	assert_reply("{\"id\":1,\"jsonrpc\":2.0,\"method\":\"echo\"}",
		     BAD_REQUEST("1", "Invalid JSONRPC Version"));
	assert_reply("{\"id\":1,\"jsonrpc\":\"2.0\"}", BAD_REQUEST("1", "Missing Method Name"));
	assert_reply("{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":18446744073709551615}",
		     BAD_REQUEST("1", "Missing Method Name"));
	assert_reply(CALL("1", "get_foo", "{}"),
		     ERROR("1", "\"code\":-32601,\"message\":\"Method get_foo not registered\""));
	assert_reply(CALL("1", "ech", "{}"),
		     ERROR("1", "\"code\":-32601,\"message\":\"Method ech not registered\""));
}

static void
bad_json_says_so(void **state)
{
	static const char *const cases[] = {
		"",
		" ",
		"{",
		"hello",
		"5",
		"\"x\"",
		"{\"id\":1,}",
		"{} {}",
		"[1",
		"[1e999]",
		"{\"id\":1,\"id\":2}",
		"{\"a\":{\"b\":1,\"b\":1},\"id\":1}",
		"[\"\xff\"]",
		"[NaN]",
		"[\"\\u0000\"]",
		"]",
	};

	for (size_t i = 0; i < N_ELEMS(cases); i++)
		assert_reply(cases[i], BAD_JSON);
}

static void
failures_carry_their_sentence(void **state)
{
	assert_reply(CALL("1", "fail", "{\"text\":\"port 7: no such port\"}"),
		     FAILED("1", "port 7: no such port"));
	assert_reply(CALL("1", "silent", "{}"),
		     ERROR("1", "\"code\":-32000,\"message\":\"Failed To Execute Method\""));
	assert_reply(CALL("1", "later", "{}"),
		     ERROR("1", "\"code\":-32002,\"message\":\"Work in progress\","
				"\"specific_err\":\"42\""));
	assert_reply(CALL("1", "unprintable", "{}"),
		     ERROR("1", "\"code\":-32603,\"message\":\"Internal Server Error\""));
}

/* A sentence of 512 bytes may be cut in the middle of a letter; the reply is JSON all the same. */
static void
a_sentence_cut_inside_a_letter_survives(void **state)
{
	struct str request = {0};
	json_error_t error;
	json_t *json;
	char *reply;

	str_addf(&request,
		 "{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"fail\",\"params\":{\"text\":\"");
	for (int i = 0; i < 300; i++)
		str_addf(&request, "\xe2\x82\xac");
	str_addf(&request, "\"}}");
	reply = jsonrpc_serve(&server, request.text, request.len);
	json = json_loads(reply, 0, &error);
	assert_non_null(json_object_get(json_object_get(json, "error"), "specific_err"));
	json_decref(json);
	free(reply);
	str_fini(&request);
}

static void
nan_never_leaves(void **state)
{
	assert_reply(CALL("1", "not_a_number", "{}"), RESULT("1", "{}"));
}

static void
the_guard_sees_each_request_first(void **state)
{
	n_calls = 0;
	assert_reply(CALL("1", "owned", "{}"), FAILED("1", "owned: not yours"));
	assert_int_equal(n_calls, 0);
	assert_reply(CALL("1", "owned", "{\"handler\":\"h\"}"), RESULT("1", "{}"));
	assert_int_equal(n_calls, 1);
}

static void
a_batch_is_answered_in_order(void **state)
{
	assert_reply("[" CALL("1", "nothing", "{}") "," CALL(
			     "\"x\"", "fail", "{\"text\":\"no\"}") ","
								   "5," CALL("3", "echo",
									     "{\"a\":1}") "]",
		     "[" RESULT("1", "{}") "," FAILED("\"x\"", "no") "," BAD_REQUEST(
			     "null", "Missing 'id' field") "," RESULT("3", "{\"a\":1}") "]");
}

/* TRex's quirk, and its client relies on it. */
static void
a_batch_of_one_is_answered_with_an_object(void **state)
{
	assert_reply("[" CALL("1", "nothing", "{}") "]", RESULT("1", "{}"));
}

static void
an_empty_batch_is_no_request(void **state)
{
	assert_reply("[]", ERROR("null", "\"code\":-32600,\"message\":\"Invalid Request\","
					 "\"specific_err\":\"the batch is empty\""));
}

/* '[' 'n' times and as many ']'. */
static char *
nested(size_t n)
{
	char *text = xcalloc(2 * n + 1, 1);

	memset(text, '[', n);
	memset(text + n, ']', n);
	return text;
}

static void
depth_is_limited_before_parsing(void **state)
{
	char *deepest = nested(JSONRPC_MAX_DEPTH);
	char *deeper = nested(JSONRPC_MAX_DEPTH + 1);
	char *absurd = nested(400000);

	assert_reply(deepest, BAD_REQUEST("null", "Missing 'id' field"));
	assert_reply(deeper, ERROR("null", "\"code\":-32700,\"message\":\"Bad JSON Format\","
					   "\"specific_err\":\"nested more than 32 deep\""));
	assert_reply(absurd, ERROR("null", "\"code\":-32700,\"message\":\"Bad JSON Format\","
					   "\"specific_err\":\"nested more than 32 deep\""));
	/* Brackets in strings are letters. */
	assert_reply(
		CALL("1", "echo",
		     "{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}"),
		RESULT("1", "{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}"));
	free(deepest);
	free(deeper);
	free(absurd);
}

static void
size_is_limited_to_the_byte(void **state)
{
	size_t size = JSONRPC_MAX_BYTES + 1;
	char *text = xcalloc(size + 1, 1);
	char *reply;

	memset(text, ' ', size);
	memcpy(text, CALL("1", "nothing", "{}"), strlen(CALL("1", "nothing", "{}")));
	assert_reply(text,
		     ERROR("null", "\"code\":-32603,\"message\":\"Request is too large "
				   "(1000000 bytes). Consider splitting to smaller chunks.\""));
	reply = jsonrpc_serve(&server, text, size - 1);
	assert_string_equal(reply, RESULT("1", "{}"));
	free(reply);
	free(text);
}

/* [0,0,...] with 'n' members. */
static char *
batch_of_zeros(size_t n)
{
	char *text = xcalloc(2 * n + 2, 1);

	for (size_t i = 0; i < n; i++)
		memcpy(text + 1 + 2 * i, "0,", 2);
	text[0] = '[';
	text[2 * n] = ']';
	return text;
}

static void
the_batch_is_limited(void **state)
{
	char *most = batch_of_zeros(JSONRPC_MAX_BATCH);
	char *more = batch_of_zeros(JSONRPC_MAX_BATCH + 1);
	char *reply = jsonrpc_serve(&server, most, strlen(most));
	json_error_t error;
	json_t *json = json_loads(reply, 0, &error);

	assert_int_equal(json_array_size(json), JSONRPC_MAX_BATCH);
	assert_reply(more, ERROR("null", "\"code\":-32600,\"message\":\"Invalid Request\","
					 "\"specific_err\":"
					 "\"the batch has more than 65536 requests\""));
	json_decref(json);
	free(reply);
	free(most);
	free(more);
}

#define TOO_LONG(id, n)                                                                           \
	ERROR(id, "\"code\":-32603,\"message\":\"Reply is too large (" n " bytes). Ask for less " \
		  "at once.\"")

static void
a_reply_fits_the_transport(void **state)
{
	char letters[300] = "";
	char *request, *batch;

	memset(letters, 'x', sizeof(letters) - 1);
	server.max_reply = 200;
	request = xasprintf(CALL("1", "echo", "{\"a\":\"%s\"}"), letters);
	assert_reply(request, TOO_LONG("1", "341"));
	batch = xasprintf("[%s," CALL("2", "nothing", "{}") "]", request);
	assert_reply(batch, "[" TOO_LONG("1", "341") "," RESULT("2", "{}") "]");
	free(batch);
	free(request);
	request = xasprintf(CALL("\"%s\"", "nothing", "{}"), letters);
	assert_reply(request, TOO_LONG("null", "336"));
	free(request);
	server.max_reply = 120;
	request = xasprintf("[%s,%s,%s,%s]", CALL("1", "nothing", "{}"), CALL("2", "nothing", "{}"),
			    CALL("3", "nothing", "{}"), CALL("4", "nothing", "{}"));
	assert_reply(request, TOO_LONG("null", "149"));
	server.max_reply = 0;
	assert_reply(CALL("1", "nothing", "{}"), RESULT("1", "{}"));
	free(request);
}

/* What TRex's clients send as "all cores", and what comes back from get_stream. */
static void
a_core_mask_of_all_ones_survives(void **state)
{
	assert_reply(CALL("1", "echo", "{\"core_mask\":18446744073709551615}"),
		     RESULT("1", "{\"core_mask\":18446744073709551615}"));
	assert_reply(CALL("1", "fail", "{\"text\":18446744073709551615}"),
		     BAD_PARAM("1", "parameter 'text' must be a string but is an integer above "
				    "2^63 - 1"));
}

static json_t *
load(const char *text)
{
	json_error_t error;
	json_t *json = wide_loadb(text, strlen(text), 0, &error);

	assert_non_null(json);
	return json;
}

static void
typed_parameters_are_read(void **state)
{
	json_t *p = load(
		"{\"u\":5,\"max\":18446744073709551615,\"near\":18446744073709551614,"
		"\"whole\":7.0,\"js\":18446744073709551616,\"d\":2.5,\"t\":\"x\",\"b\":false}");
	struct jsonrpc_error e = {0};
	const char *text;
	uint64_t u;
	double d;
	bool b;

	assert_int_equal(jsonrpc_u64(p, "u", &u, &e), 0);
	assert_int_equal(u, 5);
	assert_int_equal(jsonrpc_u64(p, "max", &u, &e), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(jsonrpc_u64(p, "near", &u, &e), 0);
	assert_true(u == UINT64_MAX - 1);
	assert_int_equal(jsonrpc_u64(p, "whole", &u, &e), 0);
	assert_int_equal(u, 7);
	assert_int_equal(jsonrpc_u64(p, "js", &u, &e), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(jsonrpc_double(p, "d", &d, &e), 0);
	assert_true(d == 2.5);
	assert_int_equal(jsonrpc_double(p, "u", &d, &e), 0);
	assert_true(d == 5.0);
	assert_int_equal(jsonrpc_double(p, "max", &d, &e), 0);
	assert_true(d == 0x1p64);
	assert_int_equal(jsonrpc_text(p, "t", &text, &e), 0);
	assert_string_equal(text, "x");
	assert_int_equal(jsonrpc_bool(p, "b", &b, &e), 0);
	assert_false(b);
	json_decref(p);
}

static void
wrong_parameters_are_named(void **state)
{
	json_t *p = load("{\"n\":-1,\"f\":1.5,\"s\":\"0\",\"b\":1,\"z\":null,\"o\":{},\"a\":[]}");
	struct jsonrpc_error e = {0};
	const char *text;
	uint64_t u;
	double d;
	bool b;

	assert_int_equal(jsonrpc_u64(p, "port_id", &u, &e), -EINVAL);
	assert_int_equal(e.code, JSONRPC_PARAMS);
	assert_string_equal(e.specific, "parameter 'port_id' is missing");
	assert_int_equal(jsonrpc_u64(p, "n", &u, &e), -EINVAL);
	assert_string_equal(e.specific,
			    "parameter 'n' must be an integer from 0 to 2^64 - 1 but is negative");
	assert_int_equal(jsonrpc_u64(p, "f", &u, &e), -EINVAL);
	assert_int_equal(jsonrpc_u64(p, "s", &u, &e), -EINVAL);
	assert_string_equal(e.specific,
			    "parameter 's' must be an integer from 0 to 2^64 - 1 but is a string");
	assert_int_equal(jsonrpc_double(p, "s", &d, &e), -EINVAL);
	assert_string_equal(e.specific, "parameter 's' must be a number but is a string");
	assert_int_equal(jsonrpc_text(p, "o", &text, &e), -EINVAL);
	assert_string_equal(e.specific, "parameter 'o' must be a string but is an object");
	assert_int_equal(jsonrpc_bool(p, "b", &b, &e), -EINVAL);
	assert_string_equal(e.specific, "parameter 'b' must be true or false but is an integer");
	assert_int_equal(jsonrpc_bool(p, "z", &b, &e), -EINVAL);
	assert_int_equal(jsonrpc_bool(p, "a", &b, &e), -EINVAL);
	json_decref(p);
}

static void
a_request_is_served(void **state)
{
	json_t *params = json_pack("{s:o}", "mask", wide_json(UINT64_MAX));
	char *request = jsonrpc_request("echo", params, 7);
	char *reply = jsonrpc_serve(&server, request, strlen(request));
	struct err err = {0};
	json_t *result;
	uint64_t mask;

	assert_int_equal(jsonrpc_result(reply, strlen(reply), 7, &result, &err), 0);
	assert_true(wide_u64(json_object_get(result, "mask"), &mask));
	assert_true(mask == UINT64_MAX);
	json_decref(result);
	assert_int_equal(jsonrpc_result(reply, strlen(reply), 7, NULL, &err), 0);
	free(reply);
	free(request);
	assert_null(jsonrpc_request("echo", json_array(), 8));
}

static void
assert_result(const char *reply, int rc, const char *sentence)
{
	struct err err = {0};
	json_t *result;

	assert_int_equal(jsonrpc_result(reply, strlen(reply), 7, &result, &err), rc);
	assert_null(result);
	assert_string_equal(err.msg, sentence);
}

static void
an_error_becomes_a_sentence(void **state)
{
	assert_result(FAILED("7", "port is busy"), -EREMOTEIO, "port is busy");
	assert_result(ERROR("7", "\"code\":-32601,\"message\":\"Method x not registered\""),
		      -ENOSYS, "Method x not registered");
	assert_result(ERROR("7", "\"code\":-32001,\"message\":\"Try again later\""), -EAGAIN,
		      "Try again later");
	assert_result(ERROR("7", "\"code\":-32002,\"message\":\"m\",\"specific_err\":\"42\""),
		      -EINPROGRESS, "42");
	assert_result(BAD_JSON, -EREMOTEIO, "Bad JSON Format");
}

static void
what_is_no_reply_is_told(void **state)
{
	assert_result(RESULT("8", "{}"), -EPROTO, "the reply is not to request 7");
	assert_result(RESULT("\"7\"", "{}"), -EPROTO, "the reply is not to request 7");
	assert_result(FAILED("8", "x"), -EPROTO, "the reply is not to request 7");
	assert_result("[]", -EPROTO, "the reply is not to request 7");
	assert_result("{\"id\":7,\"jsonrpc\":\"2.0\"}", -EPROTO,
		      "the reply has neither a result nor an error");
	assert_result("{\"id\":7,\"error\":3}", -EPROTO, "the reply is an error without a message");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_looks_like_trex),
		cmocka_unit_test(the_id_comes_back_with_its_type),
		cmocka_unit_test(params_may_be_left_out_but_are_an_object),
		cmocka_unit_test(bad_envelopes_have_the_texts_of_trex),
		cmocka_unit_test(bad_json_says_so),
		cmocka_unit_test(failures_carry_their_sentence),
		cmocka_unit_test(a_sentence_cut_inside_a_letter_survives),
		cmocka_unit_test(nan_never_leaves),
		cmocka_unit_test(the_guard_sees_each_request_first),
		cmocka_unit_test(a_batch_is_answered_in_order),
		cmocka_unit_test(a_batch_of_one_is_answered_with_an_object),
		cmocka_unit_test(an_empty_batch_is_no_request),
		cmocka_unit_test(depth_is_limited_before_parsing),
		cmocka_unit_test(size_is_limited_to_the_byte),
		cmocka_unit_test(the_batch_is_limited),
		cmocka_unit_test(a_reply_fits_the_transport),
		cmocka_unit_test(a_core_mask_of_all_ones_survives),
		cmocka_unit_test(typed_parameters_are_read),
		cmocka_unit_test(wrong_parameters_are_named),
		cmocka_unit_test(a_request_is_served),
		cmocka_unit_test(an_error_becomes_a_sentence),
		cmocka_unit_test(what_is_no_reply_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
