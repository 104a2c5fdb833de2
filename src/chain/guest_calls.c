/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/str.h"
#include "rpc/jsonrpc.h"
#include "rpc/telemetry.h"

#include "guest.h"
#include "guest_parts.h"

/* The requests that an agent knows, one function each. */

/* Of a file, in one request. */
#define PIECE_BYTES (96u << 10)
/* The agent's answer to a question with a deadline of its own takes its way back too. */
#define WAY_MS 5000

int
guest_check_hugepages(const struct guest *g, struct err *err)
{
	uint64_t wanted, total;
	int rc = json_get_u64(guest_facts(g), "hugepages.wanted", &wanted, err);

	if (rc == 0)
		rc = json_get_u64(guest_facts(g), "hugepages.total", &total, err);
	if (rc == 0 && total < wanted)
		rc = err_set(err, ENOMEM,
			     "has %" PRIu64 " of the %" PRIu64
			     " hugepages that it was to have; give "
			     "it more memory",
			     total, wanted);
	return err_wrap(err, rc, "%s", guest_name(g));
}

int
guest_put(struct guest *g, const char *path, const void *data, size_t len, unsigned mode,
	  int timeout_ms, struct err *err)
{
	struct deadline d = deadline_in_ms(timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
	char hex[SHA256_HEX];
	struct sha256 hash;
	size_t at = 0;
	int rc;

	sha256_init(&hash);
	sha256_add(&hash, data, len);
	sha256_hex(&hash, hex);
	do {
		size_t n = len - at < PIECE_BYTES ? len - at : PIECE_BYTES;
		char *text = base64_encode((const uint8_t *)data + at, n);

		rc = guest_call(g, "put",
				json_pack("{s:s, s:i, s:I, s:I, s:s, s:s}", "path", path, "mode",
					  (int)mode, "size", (json_int_t)len, "offset",
					  (json_int_t)at, "sha256", hex, "data", text),
				deadline_left_ms(&d), NULL, err);
		free(text);
		at += n;
	} while (rc == 0 && at < len);
	return rc;
}

int
guest_bind(struct guest *g, const char *which, const char *driver, char pci[16], int timeout_ms,
	   struct err *err)
{
	const char *text;
	json_t *result;
	int rc = guest_call(g, "bind", json_pack("{s:s, s:s}", "mac", which, "driver", driver),
			    timeout_ms, &result, err);

	if (rc < 0)
		return rc;
	rc = json_get_text(result, "pci", &text, err);
	if (rc == 0 && !str_copy(pci, 16, text))
		rc = err_set(err, EPROTO, "'%s' is no PCI address", text);
	json_decref(result);
	return rc;
}

static json_t *
texts(const char *const *words)
{
	json_t *array = json_array();

	for (; words != NULL && *words != NULL; words++)
		json_array_append_new(array, json_string(*words));
	return array;
}

int
guest_start(struct guest *g, const struct guest_program *program, int timeout_ms, struct err *err)
{
	json_t *params = json_pack("{s:s, s:o, s:o, s:i}", "name", program->name, "argv",
				   texts(program->argv), "env", texts(program->env), "timeout_ms",
				   timeout_ms);

	if (program->socket != NULL)
		json_object_set_new(params, "socket", json_string(program->socket));
	return guest_call(g, "start", params, timeout_ms + WAY_MS, NULL, err);
}

int
guest_stop(struct guest *g, const char *name, int timeout_ms, int *status, struct err *err)
{
	uint64_t value;
	json_t *result;
	int rc = guest_call(g, "stop",
			    json_pack("{s:s, s:i}", "name", name, "timeout_ms", timeout_ms),
			    timeout_ms + WAY_MS, &result, err);

	if (rc < 0)
		return rc;
	rc = json_get_u64(result, "status", &value, err);
	if (rc == 0)
		*status = (int)value;
	json_decref(result);
	return rc;
}

/* The 'text' of an answer, for the caller to free. */
static int
take_text(json_t *result, char **text, struct err *err)
{
	const char *found;
	int rc = json_get_text(result, "text", &found, err);

	*text = rc == 0 ? xstrdup(found) : NULL;
	json_decref(result);
	return rc;
}

int
guest_log(struct guest *g, const char *name, size_t bytes, char **text, struct err *err)
{
	json_t *result;
	int rc = guest_call(g, "log",
			    json_pack("{s:s, s:I}", "name", name, "bytes", (json_int_t)bytes),
			    WAY_MS, &result, err);

	*text = NULL;
	return rc < 0 ? rc : take_text(result, text, err);
}

int
guest_control(struct guest *g, const char *name, const char *method, json_t *params, int timeout_ms,
	      json_t **result, struct err *err)
{
	/* On a connection of its own each time, so any number will do. */
	char *request = jsonrpc_request(method, params, 1), *reply = NULL;
	json_t *answer;
	int rc;

	if (result != NULL)
		*result = NULL;
	if (request == NULL)
		return err_set(err, EINVAL, "%s: the parameters are not an object", method);
	rc = guest_call(g, "control",
			json_pack("{s:s, s:s, s:i}", "name", name, "text", request, "timeout_ms",
				  timeout_ms),
			timeout_ms + WAY_MS, &answer, err);
	free(request);
	if (rc < 0)
		return rc;
	rc = take_text(answer, &reply, err);
	if (rc == 0)
		rc = jsonrpc_result(reply, strlen(reply), 1, result, err);
	free(reply);
	return err_wrap(err, rc, "%s: %s: %s", guest_name(g), name, method);
}

int
guest_telemetry(struct guest *g, const char *path, const char *command, int timeout_ms,
		json_t **value, struct err *err)
{
	char *reply = NULL;
	json_t *answer;
	int rc;

	*value = NULL;
	rc = guest_call(g, "telemetry",
			json_pack("{s:s, s:s, s:i}", "path", path, "text", command, "timeout_ms",
				  timeout_ms),
			timeout_ms + WAY_MS, &answer, err);
	if (rc < 0)
		return rc;
	rc = take_text(answer, &reply, err);
	if (rc == 0)
		rc = telemetry_value(reply, strlen(reply), command, value, err);
	free(reply);
	return err_wrap(err, rc, "%s: telemetry '%s'", guest_name(g), command);
}

int
guest_poweroff(struct guest *g, int timeout_ms, struct err *err)
{
	return guest_call(g, "poweroff", NULL, timeout_ms, NULL, err);
}
