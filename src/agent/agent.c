/* SPDX-License-Identifier: MIT */
#include "agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

/* How often it looks whether its last answer is written. */
#define OFF_PERIOD_MS 20

/* ---- answers ---- */

/* Sends 'reply', which is stolen, unless the asker has begun anew; false when it is too long. */
static bool
send_reply(const struct call *call, json_t *reply)
{
	char *text = json_dumps(reply, JSON_COMPACT);
	size_t len = text != NULL ? strlen(text) : 0;
	bool fits = text != NULL && len <= FRAMING_MAX_BODY;

	json_decref(reply);
	if (fits && call->epoch == call->agent->epoch)
		channel_send(call->agent->channel, FRAMING_REPLY, call->id, text, len);
	free(text);
	return fits;
}

void
call_refuse(const struct call *call, int rc, const struct err *err)
{
	/* A sentence may quote a program, and then any bytes. */
	json_t *why = json_string(err->msg[0] != '\0' ? err->msg : strerror(-rc));

	send_reply(call, json_pack("{s:o, s:i}", "error",
				   why != NULL ? why : json_string(strerror(-rc)), "errno", -rc));
}

void
call_answer(const struct call *call, json_t *result)
{
	struct err err = {0};

	if (!send_reply(call,
			json_pack("{s:o}", "result", result != NULL ? result : json_object())))
		call_refuse(call, err_set(&err, EMSGSIZE, "the answer is too long"), &err);
}

/* ---- requests ---- */

/* A guest without a host that asks is of no use, so this is the one request that ends us. */
static void
on_off(void *arg)
{
	struct agent *a = arg;

	if (channel_backlog(a->channel) == 0)
		loop_stop(a->loop);
}

static int
call_poweroff(const struct call *call, const json_t *params, struct err *err)
{
	struct agent *a = call->agent;

	(void)params;
	(void)err;
	call_answer(call, NULL);
	a->is_going_off = true;
	if (a->off == NULL)
		a->off = loop_timer(a->loop, OFF_PERIOD_MS, on_off, a);
	return 0;
}

static const struct method {
	const char *name;
	int (*run)(const struct call *call, const json_t *params, struct err *err);
} methods[] = {
	{"hello", call_hello},	     {"put", call_put},
	{"bind", call_bind},	     {"start", call_start},
	{"stop", call_stop},	     {"log", call_log},
	{"control", call_control},   {"telemetry", call_telemetry},
	{"poweroff", call_poweroff},
};

static int
run_method(const struct call *call, const json_t *request, struct err *err)
{
	const json_t *params = json_object_get(request, "params");
	const char *name;
	int rc = json_get_text(request, "method", &name, err);

	if (rc < 0)
		return rc;
	if (!json_is_object(params))
		return err_set(err, EINVAL, "'params' is not an object");
	for (size_t i = 0; i < N_ELEMS(methods); i++)
		if (strcmp(name, methods[i].name) == 0)
			return err_wrap(err, methods[i].run(call, params, err), "%s", name);
	return err_set(err, ENOSYS, "no method '%.32s'", name);
}

void
agent_serve(struct agent *a, uint32_t id, const char *text, size_t len)
{
	struct call call = {.agent = a, .id = id, .epoch = a->epoch};
	struct err err = {0};
	json_error_t why;
	json_t *request = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	int rc;

	if (request == NULL)
		rc = err_set(&err, EPROTO, "the request is not JSON: %s", why.text);
	else
		rc = run_method(&call, request, &err);
	if (rc < 0)
		call_refuse(&call, rc, &err);
	json_decref(request);
}

/* ---- the channel ---- */

static void
on_frame(void *arg, const struct frame *frame)
{
	struct agent *a = arg;

	if (frame->kind == FRAMING_REQUEST)
		agent_serve(a, frame->id, frame->body, frame->len);
	else if (!tunnel_take(a->tunnel, frame, true))
		LOG(WARN, "a frame of kind '%c' came, which is none of ours", frame->kind);
}

/* Programs run on; the host has only lost its connection. */
static void
on_restart(void *arg)
{
	struct agent *a = arg;

	a->epoch++;
	tunnel_drop_all(a->tunnel);
	channel_restart(a->channel);
}

static void
on_end(void *arg, const char *why)
{
	struct agent *a = arg;

	LOG(NOTICE, "the channel is over: %s", why);
	loop_stop(a->loop);
}

int
agent_open(struct agent *a, const struct agent_conf *conf, struct loop *loop, int fd, bool returns,
	   struct err *err)
{
	const struct channel_ops ops = {on_frame, on_restart, on_end, a};
	int rc;

	*a = (struct agent){.conf = *conf, .loop = loop};
	nics_init(&a->nics, conf->sys);
	programs_init(&a->programs, loop, conf->run);
	rc = channel_open(&a->channel, loop, fd, returns, &ops, err);
	if (rc < 0) {
		agent_close(a);
		return rc;
	}
	a->tunnel = tunnel_new(loop, a->channel);
	return 0;
}

void
agent_close(struct agent *a)
{
	relay_close_all(&a->relays);
	programs_fini(&a->programs);
	nics_fini(&a->nics);
	tunnel_free(a->tunnel);
	channel_close(a->channel);
	loop_unwatch(a->off);
	*a = (struct agent){0};
}
