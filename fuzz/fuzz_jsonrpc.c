/* SPDX-License-Identifier: MIT */
/* Whatever arrives on the RPC socket, the reply is JSON-RPC: one response, or a list of two and
 * more, each with an id and either a result or an error, sealed only if the request was. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/envelope.h"
#include "rpc/jsonrpc.h"
#include "rpc/wide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A reply may be longer than what asked for it, for each of many small requests. */
#define REPLY_MAX (64u << 20)

static int
echo(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	*result = json_deep_copy(params);
	return 0;
}

static int
typed(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const char *text;
	uint64_t u;
	double d;
	bool b;

	if (jsonrpc_u64(params, "u", &u, e) < 0 || jsonrpc_double(params, "d", &d, e) < 0 ||
	    jsonrpc_text(params, "t", &text, e) < 0 || jsonrpc_bool(params, "b", &b, e) < 0)
		return -EINVAL;
	*result = json_pack("{s:o,s:f,s:s,s:b}", "u", wide_json(u), "d", d, "t", text, "b", b);
	return 0;
}

static int
nothing(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	return 0;
}

static int
quote(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const char *text = json_string_value(json_object_get(params, "t"));

	return jsonrpc_fail(e, JSONRPC_FAILED, "%s", text != NULL ? text : "");
}

static const struct jsonrpc_method methods[] = {
	{.name = "echo", .call = echo},
	{.name = "typed", .call = typed},
	{.name = "nothing", .call = nothing},
	{.name = "quote", .call = quote},
};

static void
must(bool law)
{
	if (!law)
		abort();
}

static void
check_error(const json_t *error)
{
	must(json_is_integer(json_object_get(error, "code")));
	must(json_is_string(json_object_get(error, "message")));
}

static void
check_response(const json_t *r)
{
	const json_t *error = json_object_get(r, "error");
	const json_t *result = json_object_get(r, "result");
	const char *version = json_string_value(json_object_get(r, "jsonrpc"));

	must(json_object_size(r) == 3);
	must(version != NULL && strcmp(version, "2.0") == 0);
	must(json_object_get(r, "id") != NULL);
	must((error == NULL) != (result == NULL));
	if (error != NULL)
		check_error(error);
	else
		must(!json_is_null(json_object_get(r, "id")));
}

static void
check_reply(const char *text, size_t len)
{
	json_error_t error;
	json_t *reply = wide_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	const json_t *r;
	size_t i;

	must(reply != NULL);
	if (json_is_object(reply))
		check_response(reply);
	else
		must(json_array_size(reply) >= 2);
	json_array_foreach(reply, i, r)
		check_response(r);
	json_decref(reply);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct jsonrpc_server server = {.methods = methods, .n_methods = N_ELEMS(methods)};
	size_t len;
	char *reply = envelope_serve(&server, data, size, &len);
	size_t plain_len;
	char *plain;

	if (envelope_is(reply, len)) {
		must(envelope_is(data, size));
		plain = envelope_open(reply, len, REPLY_MAX, &plain_len);
		must(plain != NULL);
		check_reply(plain, plain_len);
		free(plain);
	} else {
		check_reply(reply, len);
	}
	free(reply);
	return 0;
}
