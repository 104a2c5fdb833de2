/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "jsonrpc.h"
#include "wide.h"

char *
jsonrpc_request(const char *method, json_t *params, uint32_t id)
{
	json_t *request = json_object();
	char *text = NULL;

	if (params == NULL)
		params = json_object();
	if (json_is_object(params)) {
		json_object_set_new(request, "jsonrpc", json_string("2.0"));
		json_object_set_new(request, "id", json_integer(id));
		json_object_set_new(request, "method", json_string(method));
		json_object_set(request, "params", params);
		text = wide_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
	}
	json_decref(params);
	json_decref(request);
	return text;
}

static int
errnum_of(json_int_t code)
{
	switch (code) {
	case JSONRPC_METHOD:
		return ENOSYS;
	case JSONRPC_LATER:
		return EAGAIN;
	case JSONRPC_IN_PROGRESS:
		return EINPROGRESS;
	default:
		return EREMOTEIO;
	}
}

static int
take_error(const json_t *error, struct err *err)
{
	const char *text = json_string_value(json_object_get(error, "specific_err"));

	if (text == NULL)
		text = json_string_value(json_object_get(error, "message"));
	if (text == NULL)
		return err_set(err, EPROTO, "the reply is an error without a message");
	return err_set(err, errnum_of(json_integer_value(json_object_get(error, "code"))), "%s",
		       text);
}

static int
take_result(const json_t *reply, uint32_t id, json_t **result, struct err *err)
{
	const json_t *error = json_object_get(reply, "error");
	const json_t *reply_id = json_object_get(reply, "id");
	json_t *value = json_object_get(reply, "result");

	/* An error about a request too broken to have an id comes with null. */
	if (error != NULL && json_is_null(reply_id))
		return take_error(error, err);
	if (!json_is_integer(reply_id) || json_integer_value(reply_id) != id)
		return err_set(err, EPROTO, "the reply is not to request %u", id);
	if (error != NULL)
		return take_error(error, err);
	if (value == NULL)
		return err_set(err, EPROTO, "the reply has neither a result nor an error");
	if (result != NULL)
		*result = json_incref(value);
	return 0;
}

int
jsonrpc_result(const char *reply, size_t len, uint32_t id, json_t **result, struct err *err)
{
	json_error_t error;
	json_t *json = wide_loadb(reply, len, JSON_REJECT_DUPLICATES, &error);
	int rc;

	if (result != NULL)
		*result = NULL;
	if (json == NULL)
		return err_set(err, EPROTO, "the reply is not JSON: %s (at byte %d)", error.text,
			       error.position);
	rc = take_result(json, id, result, err);
	json_decref(json);
	return rc;
}
