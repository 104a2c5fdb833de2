/* SPDX-License-Identifier: MIT */
#include "stl.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rate.h"
#include "rpc/zmq_client.h"

#define CALL_MS 3000
#define CONNECT_TRY_MS 200
#define END_MS 500
#define MAX_PORTS 16

struct stl {
	struct zmq_client *rpc;
	char *api_h;
	unsigned n_ports;
	int call_ms; /* for an answer */
	char *handler[MAX_PORTS];
};

int
stl_call(struct stl *stl, const char *method, json_t *params, int timeout_ms, json_t **result,
	 struct err *err)
{
	if (params == NULL)
		params = json_object();
	if (stl->api_h != NULL)
		json_object_set_new(params, "api_h", json_string(stl->api_h));
	return zmq_client_call(stl->rpc, method, params, timeout_ms, result, err);
}

static int
call(struct stl *stl, const char *method, json_t *params, json_t **result, struct err *err)
{
	return stl_call(stl, method, params, stl->call_ms, result, err);
}

void
stl_be_patient(struct stl *stl, int call_ms)
{
	stl->call_ms = call_ms;
}

int
stl_call_port(struct stl *stl, unsigned port, const char *method, json_t *params, json_t **result,
	      struct err *err)
{
	if (params == NULL)
		params = json_object();
	json_object_set_new(params, "port_id", json_integer(port));
	if (stl->handler[port] != NULL)
		json_object_set_new(params, "handler", json_string(stl->handler[port]));
	return call(stl, method, params, result, err);
}

static int
sync_api(struct stl *stl, int timeout_ms, struct err *err)
{
	struct deadline d = deadline_in_ms((uint64_t)timeout_ms);
	int try_ms = CONNECT_TRY_MS, rc;
	json_t *result = NULL;
	const char *api_h;

	/* Each try is a new connection.  One into an emulated guest may take longer to be made than
	 * the first of them have, however many there are. */
	do {
		rc = zmq_client_call(
			stl->rpc, "api_sync_v2",
			json_pack("{s:s, s:i, s:i}", "name", "STL", "major", 5, "minor", 1), try_ms,
			&result, err);
		if (try_ms < timeout_ms / 4)
			try_ms += try_ms / 2;
	} while (rc == -ETIMEDOUT && !deadline_passed(&d));
	if (rc < 0)
		return rc;
	rc = json_get_text(result, "api_h", &api_h, err);
	if (rc == 0)
		stl->api_h = xstrdup(api_h);
	json_decref(result);
	return rc;
}

static int
count_ports(struct stl *stl, struct err *err)
{
	json_t *result = NULL;
	uint64_t n = 0;
	int rc = call(stl, "get_system_info", NULL, &result, err);

	if (rc == 0)
		rc = json_get_u64(result, "port_count", &n, err);
	stl->n_ports = n < MAX_PORTS ? (unsigned)n : MAX_PORTS;
	json_decref(result);
	return rc;
}

int
stl_open(struct stl **out, const char *endpoint, int timeout_ms, struct err *err)
{
	struct stl *stl = xcalloc(1, sizeof(*stl));
	int rc = zmq_client_open(&stl->rpc, endpoint, err);

	stl->call_ms = CALL_MS;
	if (rc == 0)
		rc = sync_api(stl, timeout_ms, err);
	if (rc == -ETIMEDOUT)
		err_set(err, ETIMEDOUT,
			"%s: nobody answers within %d s ('nfvchain up --trex-ports' starts a "
			"generator there)",
			endpoint, (timeout_ms + 999) / 1000);
	if (rc == 0)
		rc = count_ports(stl, err);
	*out = stl;
	if (rc < 0) {
		stl_close(stl);
		*out = NULL;
	}
	return rc;
}

void
stl_release(struct stl *stl)
{
	struct err none = {0};
	int rc = 0;

	for (unsigned i = 0; i < stl->n_ports; i++) {
		/* A generator that is gone has no ports. */
		if (rc == 0 && stl->handler[i] != NULL)
			rc = zmq_client_call(stl->rpc, "release",
					     json_pack("{s:s, s:i, s:s}", "api_h", stl->api_h,
						       "port_id", (int)i, "handler",
						       stl->handler[i]),
					     CONNECT_TRY_MS, NULL, &none);
		free(stl->handler[i]);
		stl->handler[i] = NULL;
	}
}

void
stl_close(struct stl *stl)
{
	if (stl == NULL)
		return;
	stl_release(stl);
	zmq_client_close(stl->rpc);
	free(stl->api_h);
	free(stl);
}

unsigned
stl_ports(const struct stl *stl)
{
	return stl->n_ports;
}

int
stl_acquire(struct stl *stl, unsigned port, bool force, struct err *err)
{
	const char *user = getenv("USER");
	json_t *result = NULL;
	int rc =
		stl_call_port(stl, port, "acquire",
			      json_pack("{s:s, s:i, s:b}", "user", user != NULL ? user : "nfvchain",
					"session_id", (int)getpid(), "force", force),
			      &result, err);

	if (rc == 0)
		stl_forget(stl, port);
	if (rc == 0 && json_is_string(result))
		stl->handler[port] = xstrdup(json_string_value(result));
	json_decref(result);
	return rc;
}

bool
stl_owns(const struct stl *stl, unsigned port)
{
	return stl->handler[port] != NULL;
}

void
stl_forget(struct stl *stl, unsigned port)
{
	free(stl->handler[port]);
	stl->handler[port] = NULL;
}

int
stl_load(struct stl *stl, unsigned port, const struct profile *profile, struct err *err)
{
	int rc = stl_call_port(stl, port, "remove_all_streams",
			       json_pack("{s:s}", "profile_id", "_"), NULL, err);

	for (size_t i = 0; rc == 0 && i < profile->n_streams; i++)
		rc = stl_call_port(stl, port, "add_stream",
				   json_pack("{s:s, s:I, s:O}", "profile_id", "_", "stream_id",
					     (json_int_t)profile->streams[i].id, "stream",
					     profile->streams[i].object),
				   NULL, err);
	return rc;
}

int
stl_mult_parse(const char *text, struct stl_mult *mult, struct err *err)
{
	static const char *const types[] = {[RATE_PPS] = "pps",
					    [RATE_BPS_L2] = "bps",
					    [RATE_BPS_L1] = "bpsl1",
					    [RATE_PERCENT] = "percentage"};
	struct rate rate;
	char *end = NULL;
	int rc;

	mult->type = "raw";
	mult->value = strtod(text, &end);
	if (*end == '\0' && end != text && mult->value > 0 && isfinite(mult->value))
		return 0;
	rc = rate_parse(text, &rate, err);
	if (rc < 0)
		return rc;
	if (rate.unit == RATE_MAX)
		return err_usage(err, "'max' is no amount (try 100%%)");
	mult->type = types[rate.unit];
	mult->value = rate.value;
	return 0;
}

int
stl_start(struct stl *stl, unsigned port, const struct stl_mult *mult, double duration_s,
	  bool force, double *factor, struct err *err)
{
	json_t *result = NULL;
	int rc = stl_call_port(stl, port, "start_traffic",
			       json_pack("{s:s, s:{s:s, s:f, s:s}, s:f, s:b, s:I, s:f}",
					 "profile_id", "_", "mul", "type", mult->type, "value",
					 mult->value, "op", "abs", "duration",
					 duration_s < 0 ? -1.0 : duration_s, "force", force,
					 "core_mask", (json_int_t)INT64_MAX, "start_at_ts", 0.0),
			       &result, err);

	if (rc == 0)
		rc = json_get_double(result, "multiplier", factor, err);
	json_decref(result);
	return rc;
}

int
stl_stop(struct stl *stl, unsigned port, struct err *err)
{
	return stl_call_port(stl, port, "stop_traffic", json_pack("{s:s}", "profile_id", "_"), NULL,
			     err);
}

void
stl_end(struct stl *stl, unsigned port)
{
	struct err none = {0};

	if (stl->handler[port] != NULL)
		(void)stl_call(stl, "stop_traffic",
			       json_pack("{s:i, s:s, s:s}", "port_id", (int)port, "handler",
					 stl->handler[port], "profile_id", "_"),
			       END_MS, NULL, &none);
}

int
stl_sends(struct stl *stl, unsigned port, bool *sends, struct err *err)
{
	json_t *result = NULL;
	const char *state = "";
	int rc = stl_call_port(stl, port, "get_port_status", json_pack("{s:s}", "profile_id", "*"),
			       &result, err);

	if (rc == 0)
		rc = json_get_text(result, "state", &state, err);
	*sends = strcmp(state, "TX") == 0;
	json_decref(result);
	return rc;
}

int
stl_port_stats(struct stl *stl, unsigned port, json_t **stats, struct err *err)
{
	return stl_call_port(stl, port, "get_port_stats", NULL, stats, err);
}

int
stl_pgid_stats(struct stl *stl, json_t **stats, struct err *err)
{
	return call(stl, "get_pgid_stats", json_pack("{s:[]}", "pgids"), stats, err);
}

int
stl_streams(struct stl *stl, unsigned port, json_t **streams, struct err *err)
{
	int rc = stl_call_port(stl, port, "x_nfvchain_streams", NULL, streams, err);

	return rc == -ENOSYS ? 0 : rc;
}
