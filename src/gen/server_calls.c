/* SPDX-License-Identifier: MIT */
#include "server_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int
calls_init(void **state)
{
	*state = server_rig_new();
	return 0;
}

int
calls_fini(void **state)
{
	server_rig_free(*state);
	return 0;
}

json_t *
calls_result(struct server_rig *r, const char *method, const char *params)
{
	json_t *reply = server_rig_call(r, method, params);
	json_t *result = json_incref(json_object_get(reply, "result"));

	if (result == NULL) {
		char *text = json_dumps(reply, 0);

		fail_msg("%s %s: %s", method, params, text);
	}
	json_decref(reply);
	return result;
}

void
calls_ok(struct server_rig *r, const char *method, const char *params)
{
	json_decref(calls_result(r, method, params));
}

void
calls_refused(struct server_rig *r, const char *method, const char *params, int code,
	      const char *sentence)
{
	json_t *reply = server_rig_call(r, method, params);
	const json_t *e = json_object_get(reply, "error");

	assert_non_null(e);
	assert_string_equal(json_string_value(json_object_get(e, "specific_err")), sentence);
	assert_int_equal(json_integer_value(json_object_get(e, "code")), code);
	json_decref(reply);
}

void
calls_acquire(struct server_rig *r, int port)
{
	char params[128];

	snprintf(params, sizeof(params),
		 "{\"port_id\":%d,\"user\":\"ann\",\"session_id\":7,\"force\":false}", port);
	calls_ok(r, "acquire", params);
}

void
calls_add_stream(struct server_rig *r, const char *profile, int id, const char *mode)
{
	char params[1024];

	snprintf(params, sizeof(params),
		 "{\"port_id\":0,\"profile_id\":\"%s\",\"stream_id\":%d,\"stream\":{\"packet\":{"
		 "\"binary\":\"%s\",\"meta\":\"m\"},\"mode\":%s,\"vm\":{\"instructions\":[]},"
		 "\"flow_stats\":{\"enabled\":false}}}",
		 profile, id, CALLS_FRAME, mode);
	calls_ok(r, "add_stream", params);
}

void
calls_start(struct server_rig *r, const char *profile, const char *mul)
{
	char params[256];

	snprintf(params, sizeof(params),
		 "{\"port_id\":0,\"profile_id\":\"%s\",\"duration\":-1,\"force\":true,"
		 "\"core_mask\":18446744073709551615,\"start_at_ts\":0,\"mul\":%s}",
		 profile, mul);
	calls_ok(r, "start_traffic", params);
	server_rig_work(r);
}

const char *
calls_events(struct server_rig *r)
{
	static char text[512];
	json_t *result = calls_result(r, "get_async_events", "{\"session_id\":7}"), *ev;
	size_t i, n = 0;

	text[0] = '\0';
	json_array_foreach(json_object_get(result, "data"), i, ev)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%d ",
				      (int)json_integer_value(json_object_get(ev, "type")));
	json_decref(result);
	return text;
}

void
calls_assert_state(struct server_rig *r, const char *profile, const char *port_state,
		   const char *profile_state)
{
	json_t *status = calls_result(r, "get_port_status", "{\"port_id\":0,\"profile_id\":\"*\"}");
	const json_t *states = json_object_get(status, "state_profile");

	assert_string_equal(json_string_value(json_object_get(status, "state")), port_state);
	assert_string_equal(json_string_value(json_object_get(states, profile)), profile_state);
	json_decref(status);
}
