/* SPDX-License-Identifier: MIT */
#include "jsonrpc.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "wide.h"

#define DUMP_FLAGS (JSON_COMPACT | JSON_SORT_KEYS)
#define MISSING_ID "Missing 'id' field"

static const struct {
	int code;
	const char *message;
} messages[] = {
	{JSONRPC_PARSE, "Bad JSON Format"},
	{JSONRPC_REQUEST, "Invalid Request"},
	{JSONRPC_METHOD, "Method not registered"},
	{JSONRPC_PARAMS, "Bad parameters for method"},
	{JSONRPC_INTERNAL, "Internal Server Error"},
	{JSONRPC_FAILED, "Failed To Execute Method"},
	{JSONRPC_LATER, "Try again later"},
	{JSONRPC_IN_PROGRESS, "Work in progress"},
	{JSONRPC_NO_RESULTS, "No results for request"},
};

static const char *
message_of(int code)
{
	for (size_t i = 0; i < N_ELEMS(messages); i++)
		if (messages[i].code == code)
			return messages[i].message;
	return message_of(JSONRPC_FAILED);
}

int
jsonrpc_fail(struct jsonrpc_error *e, int code, const char *fmt, ...)
{
	va_list ap;

	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->specific, sizeof(e->specific), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* The sentence as JSON; one that quotes broken UTF-8 or was cut inside a character loses all its
 * non-ASCII letters rather than all of itself. */
static json_t *
sentence(const char *text)
{
	json_t *json = json_string(text);
	char *ascii;

	if (json != NULL)
		return json;
	ascii = xstrdup(text);
	for (char *p = ascii; *p != '\0'; p++)
		if ((*p & 0x80) != 0)
			*p = '?';
	json = json_string(ascii);
	free(ascii);
	return json;
}

/* A response with the id of 'request', or null when that has none; steals 'value'. */
static json_t *
response(const json_t *request, const char *key, json_t *value)
{
	json_t *id = json_object_get(request, "id");
	json_t *r = json_object();

	json_object_set_new(r, "jsonrpc", json_string("2.0"));
	json_object_set_new(r, key, value);
	json_object_set_new(r, "id", id != NULL ? json_incref(id) : json_null());
	return r;
}

static json_t *
error_response(const json_t *request, int code, const char *message, const char *specific)
{
	json_t *error = json_object();

	json_object_set_new(error, "code", json_integer(code));
	json_object_set_new(error, "message", sentence(message));
	if (specific != NULL && specific[0] != '\0')
		json_object_set_new(error, "specific_err", sentence(specific));
	return response(request, "error", error);
}

/* Steals 'json'; NULL when it cannot be text. */
static char *
dump(json_t *json)
{
	char *text = wide_dumps(json, DUMP_FLAGS);

	json_decref(json);
	return text;
}

static char *
refusal(int code, const char *message, const char *specific)
{
	return dump(error_response(NULL, code, message, specific));
}

char *
jsonrpc_too_large(size_t len)
{
	char *message = xasprintf(
		"Request is too large (%zu bytes). Consider splitting to smaller chunks.", len);
	char *reply = refusal(JSONRPC_INTERNAL, message, NULL);

	free(message);
	return reply;
}

static char *
reply_too_large(const json_t *request, size_t len)
{
	char *message = xasprintf("Reply is too large (%zu bytes). Ask for less at once.", len);
	char *reply = dump(error_response(request, JSONRPC_INTERNAL, message, NULL));

	free(message);
	return reply;
}

static const struct jsonrpc_method *
find_method(const struct jsonrpc_server *server, const char *name)
{
	for (size_t i = 0; i < server->n_methods; i++)
		if (strcmp(server->methods[i].name, name) == 0)
			return &server->methods[i];
	return NULL;
}

/* A new reference to what the method shall see, or NULL. */
static json_t *
params_of(const json_t *request)
{
	json_t *params = json_object_get(request, "params");

	if (params == NULL || json_is_null(params))
		return json_object();
	return json_is_object(params) ? json_incref(params) : NULL;
}

static json_t *
call_method(const struct jsonrpc_server *server, const struct jsonrpc_method *m,
	    const json_t *request)
{
	struct jsonrpc_error e = {.code = JSONRPC_FAILED};
	json_t *params = params_of(request);
	json_t *result = NULL;
	int rc = 0;

	if (params == NULL)
		rc = jsonrpc_fail(&e, JSONRPC_PARAMS, "'params' must be an object");
	if (rc == 0 && server->guard != NULL)
		rc = server->guard(server->ctx, m, params, &e);
	if (rc == 0)
		rc = m->call(server->ctx, params, &result, &e);
	json_decref(params);
	if (rc == 0)
		return response(request, "result", result != NULL ? result : json_object());
	json_decref(result);
	return error_response(request, e.code, message_of(e.code), e.specific);
}

/* The checks come in TRex's order, which decides the sentence for a request with several mistakes.
 */
static json_t *
answer(const struct jsonrpc_server *server, const json_t *request)
{
	const json_t *id = json_object_get(request, "id");
	const char *version = json_string_value(json_object_get(request, "jsonrpc"));
	const json_t *name = json_object_get(request, "method");
	const struct jsonrpc_method *m;
	char *message;
	json_t *r;

	if (id == NULL || json_is_null(id))
		return error_response(NULL, JSONRPC_REQUEST, MISSING_ID, NULL);
	if (version == NULL || strcmp(version, "2.0") != 0)
		return error_response(request, JSONRPC_REQUEST, "Invalid JSONRPC Version", NULL);
	if (!json_is_string(name) || wide_is(name))
		return error_response(request, JSONRPC_REQUEST, "Missing Method Name", NULL);
	m = find_method(server, json_string_value(name));
	if (m != NULL)
		return call_method(server, m, request);
	message = xasprintf("Method %s not registered", json_string_value(name));
	r = error_response(request, JSONRPC_METHOD, message, NULL);
	free(message);
	return r;
}

/* The reply to one request, within the transport's limit if anything is. */
static char *
serve_one(const struct jsonrpc_server *server, const json_t *request)
{
	char *text = dump(answer(server, request));
	size_t len;

	if (text == NULL)
		text = dump(error_response(request, JSONRPC_INTERNAL, message_of(JSONRPC_INTERNAL),
					   NULL));
	len = strlen(text);
	if (server->max_reply == 0 || len <= server->max_reply)
		return text;
	free(text);
	text = reply_too_large(request, len);
	if (strlen(text) <= server->max_reply)
		return text;
	/* It is the id that is too long. */
	free(text);
	return reply_too_large(NULL, len);
}

/* Each response becomes text at once, so that the memory for a batch of mistakes stays small. */
static char *
serve_batch(const struct jsonrpc_server *server, const json_t *batch)
{
	struct str out = {0};
	const json_t *request;
	size_t i;

	json_array_foreach(batch, i, request) {
		char *text = serve_one(server, request);

		str_addn(&out, i == 0 ? "[" : ",", 1);
		str_addn(&out, text, strlen(text));
		free(text);
	}
	str_addn(&out, "]", 1);
	if (server->max_reply != 0 && out.len > server->max_reply) {
		char *text = reply_too_large(NULL, out.len);

		str_fini(&out);
		return text;
	}
	return str_take(&out);
}

static char *
serve_json(const struct jsonrpc_server *server, const json_t *json)
{
	size_t n = json_array_size(json);

	if (json_is_object(json))
		return serve_one(server, json);
	if (n == 0)
		return refusal(JSONRPC_REQUEST, message_of(JSONRPC_REQUEST), "the batch is empty");
	if (n > JSONRPC_MAX_BATCH)
		return refusal(JSONRPC_REQUEST, message_of(JSONRPC_REQUEST),
			       "the batch has more than 65536 requests");
	return n == 1 ? serve_one(server, json_array_get(json, 0)) : serve_batch(server, json);
}

/* How deep arrays and objects are nested, counted before parsing: jansson recurses to a depth of
 * 2048, so do its printers and so would every walker of ours. */
static int
depth_of(const char *text, size_t len)
{
	int deepest = 0;
	int depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else if (quoted)
			i += text[i] == '\\';
		else if (text[i] == '[' || text[i] == '{')
			deepest = ++depth > deepest ? depth : deepest;
		else if (text[i] == ']' || text[i] == '}')
			depth--;
	}
	return deepest;
}

char *
jsonrpc_serve(const struct jsonrpc_server *server, const char *text, size_t len)
{
	json_error_t error;
	json_t *json;
	char *reply;

	_Static_assert(JSONRPC_MAX_DEPTH == 32 && JSONRPC_MAX_BATCH == 65536, "quoted in texts");
	if (len > JSONRPC_MAX_BYTES)
		return jsonrpc_too_large(len);
	if (depth_of(text, len) > JSONRPC_MAX_DEPTH)
		return refusal(JSONRPC_PARSE, message_of(JSONRPC_PARSE),
			       "nested more than 32 deep");
	json = wide_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		return refusal(JSONRPC_PARSE, message_of(JSONRPC_PARSE), NULL);
	reply = serve_json(server, json);
	json_decref(json);
	return reply;
}

static const char *
kind_of(const json_t *value)
{
	if (wide_is(value))
		return "an integer above 2^63 - 1";
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return json_integer_value(value) < 0 ? "negative" : "an integer";
	case JSON_REAL:
		return "a real number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		break;
	}
	return "null";
}

static int
bad_param(struct jsonrpc_error *e, const char *name, const json_t *value, const char *wanted)
{
	if (value == NULL)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter '%s' is missing", name);
	return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter '%s' must be %s but is %s", name, wanted,
			    kind_of(value));
}

/* Whole reals are integers too, as for TRex; 2^64 is what a program that only knows doubles makes
 * of 2^64 - 1. */
static bool
real_u64(const json_t *json, uint64_t *value)
{
	double d = json_real_value(json);

	if (!json_is_real(json) || !(d >= 0 && d <= 0x1p64) || d != floor(d))
		return false;
	*value = d < 0x1p64 ? (uint64_t)d : UINT64_MAX;
	return true;
}

int
jsonrpc_u64(const json_t *params, const char *name, uint64_t *value, struct jsonrpc_error *e)
{
	const json_t *v = json_object_get(params, name);

	if (wide_u64(v, value) || real_u64(v, value))
		return 0;
	return bad_param(e, name, v, "an integer from 0 to 2^64 - 1");
}

int
jsonrpc_double(const json_t *params, const char *name, double *value, struct jsonrpc_error *e)
{
	const json_t *v = json_object_get(params, name);
	uint64_t whole;

	if (json_is_number(v))
		*value = json_number_value(v);
	else if (wide_u64(v, &whole))
		*value = (double)whole;
	else
		return bad_param(e, name, v, "a number");
	return 0;
}

int
jsonrpc_text(const json_t *params, const char *name, const char **value, struct jsonrpc_error *e)
{
	const json_t *v = json_object_get(params, name);

	if (!json_is_string(v) || wide_is(v))
		return bad_param(e, name, v, "a string");
	*value = json_string_value(v);
	return 0;
}

int
jsonrpc_bool(const json_t *params, const char *name, bool *value, struct jsonrpc_error *e)
{
	const json_t *v = json_object_get(params, name);

	if (!json_is_boolean(v))
		return bad_param(e, name, v, "true or false");
	*value = json_is_true(v);
	return 0;
}
