/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include <rte_cycles.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/mem.h"
#include "rpc_rx.h"
#include "rx_state.h"
#include "service.h"

/* Methods about single frames: service mode, captures, the queue of a port, frames to be sent. */

#define COPIES_MS 10 /* how often copies are taken out of the worker's ring */
#define PUSH_MAX_S 1 /* from the first frame of a call to the last */

void
rx_state_fini(struct rx_state *rx)
{
	captures_fini(&rx->captures);
	for (unsigned i = 0; i < GEN_PORTS; i++)
		frame_store_fini(&rx->ports[i].queue);
}

/* ---- copies ---- */

/* Gives the copies that are there to all who want them. */
static void
take_copies(struct server *s)
{
	const uint64_t now_tsc = rte_rdtsc();
	const double now_s = (double)clock_now_ns() / 1e9;
	const struct copy_head *h;
	const uint8_t *bytes = NULL;

	while ((h = copy_ring_peek(&s->worker->copies, &bytes)) != NULL) {
		double age_s = (double)(int64_t)(now_tsc - h->tsc) / (double)s->worker->tsc_hz;
		struct rx_port *p = &s->rx->ports[h->port];

		captures_add(&s->rx->captures, h, bytes, now_s - age_s);
		if (!h->tx && p->queued)
			frame_store_add(&p->queue, h, bytes, now_s - age_s, ++p->n_queued);
		copy_ring_next(&s->worker->copies);
	}
}

static void
on_copies(void *arg)
{
	take_copies(arg);
}

/* Has the worker copy what is wanted now, and what came before given to those who wanted it. */
static void
set_copied(struct server *s)
{
	uint8_t rx = captures_wanted(&s->rx->captures, false),
		tx = captures_wanted(&s->rx->captures, true);
	bool any;

	for (unsigned i = 0; i < GEN_PORTS; i++) {
		rx |= (uint8_t)(s->rx->ports[i].queued << i);
		atomic_store(&s->worker->ports[i].tx_copied, (tx >> i & 1) != 0);
	}
	atomic_store(&s->worker->rx_copied, rx);
	any = (rx | tx) != 0;
	if (any && s->rx->copies_watch == NULL && s->loop != NULL)
		s->rx->copies_watch = loop_timer(s->loop, COPIES_MS, on_copies, s);
	if (!any && s->rx->copies_watch != NULL) {
		loop_unwatch(s->rx->copies_watch);
		s->rx->copies_watch = NULL;
	}
}

/* ---- service mode ---- */

static int
check_service_off(const struct rx_state *rx, unsigned port, struct jsonrpc_error *e)
{
	uint8_t busy = captures_wanted(&rx->captures, false) | captures_wanted(&rx->captures, true);

	if (rx->ports[port].queued)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "unable to disable service mode - please remove RX queue");
	if (busy >> port & 1)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "unable to disable service mode - an active capture on port %u "
				    "exists",
				    port);
	return 0;
}

static int
call_service(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	unsigned port;
	bool on;

	(void)result;
	if (server_find_port(s, params, &port, e) == NULL ||
	    jsonrpc_bool(params, "enabled", &on, e) < 0)
		return -EINVAL;
	if (json_is_true(json_object_get(params, "filtered")))
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "filtered service mode is not supported in stateless mode");
	if (!on && check_service_off(s->rx, port, e) < 0)
		return -EINVAL;
	s->rx->ports[port].service = on;
	return 0;
}

static int
start_queue(struct rx_port *p, const json_t *params, struct jsonrpc_error *e)
{
	uint64_t size;

	if (!p->service)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "setting RX queue is only available under service mode");
	if (jsonrpc_u64(params, "size", &size, e) < 0)
		return -EINVAL;
	if (size == 0)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "queue size cannot be zero");
	frame_store_fini(&p->queue);
	frame_store_init(&p->queue, size, true);
	p->n_queued = 0;
	p->queued = true;
	return 0;
}

static int
call_set_rx_feature(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	struct rx_port *p;
	const char *type;
	unsigned port;
	bool on;

	(void)result;
	if (server_find_port(s, params, &port, e) == NULL ||
	    jsonrpc_text(params, "type", &type, e) < 0 ||
	    jsonrpc_bool(params, "enabled", &on, e) < 0)
		return -EINVAL;
	if (strcmp(type, "queue") != 0)
		return on ? jsonrpc_fail(e, JSONRPC_FAILED, "RX feature '%s' is not supported",
					 type)
			  : 0;
	take_copies(s);
	p = &s->rx->ports[port];
	if (on && start_queue(p, params, e) < 0)
		return -EINVAL;
	if (!on) {
		p->queued = false;
		frame_store_fini(&p->queue);
	}
	set_copied(s);
	return 0;
}

static int
call_get_rx_queue_pkts(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	unsigned port;

	if (server_find_port(s, params, &port, e) == NULL)
		return -EINVAL;
	if (!s->rx->ports[port].service)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "fetching RX queue packets is only available under service "
				    "mode");
	take_copies(s);
	*result = json_pack("{s:o}", "pkts",
			    frame_store_take(&s->rx->ports[port].queue, SIZE_MAX, 0));
	return 0;
}

/* ---- captures ---- */

static int
read_ports(const json_t *params, const char *name, uint8_t *ports, struct jsonrpc_error *e)
{
	const json_t *list = json_object_get(params, name);

	*ports = 0;
	if (!json_is_array(list))
		return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter '%s' must be an array", name);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_int_t port = json_integer_value(json_array_get(list, i));

		if (!json_is_integer(json_array_get(list, i)) || port < 0 || port >= GEN_PORTS)
			return jsonrpc_fail(e, JSONRPC_FAILED,
					    "port_id - expecting value between 0 to %d",
					    GEN_PORTS - 1);
		*ports |= (uint8_t)(1u << port);
	}
	return 0;
}

static int
read_u32(const json_t *params, const char *name, uint32_t *value, struct jsonrpc_error *e)
{
	uint64_t v;

	if (jsonrpc_u64(params, name, &v, e) < 0)
		return -EINVAL;
	if (v > UINT32_MAX)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter '%s' is above %u", name,
				    UINT32_MAX);
	*value = (uint32_t)v;
	return 0;
}

static int
read_mode(const json_t *params, bool *cyclic, struct jsonrpc_error *e)
{
	const char *mode;

	if (jsonrpc_text(params, "mode", &mode, e) < 0)
		return -EINVAL;
	*cyclic = strcmp(mode, "cyclic") == 0;
	if (!*cyclic && strcmp(mode, "fixed") != 0)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "mode '%s' is neither fixed nor cyclic",
				    mode);
	return 0;
}

static int
start_capture(struct server *s, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const char *filter = json_string_value(json_object_get(params, "filter"));
	const char *endpoint = json_string_value(json_object_get(params, "endpoint"));
	struct capture_conf conf = {.filter = filter != NULL ? filter : "",
				    .now_s = (double)clock_now_ns() / 1e9};
	uint32_t id = 0;

	if (endpoint != NULL && endpoint[0] != '\0')
		return jsonrpc_fail(e, JSONRPC_FAILED, "specified endpoint is unavailable");
	if (read_u32(params, "limit", &conf.limit, e) < 0 ||
	    read_mode(params, &conf.cyclic, e) < 0 ||
	    read_ports(params, "tx", &conf.tx_ports, e) < 0 ||
	    read_ports(params, "rx", &conf.rx_ports, e) < 0 ||
	    capture_start(&s->rx->captures, &conf, &id, e) < 0)
		return -EINVAL;
	*result = json_pack("{s:I, s:f}", "capture_id", (json_int_t)id, "start_ts", conf.now_s);
	return 0;
}

static int
fetch_capture(struct server *s, uint32_t id, const json_t *params, json_t **result,
	      struct jsonrpc_error *e)
{
	uint32_t most = 0, snaplen = 0;

	if (read_u32(params, "pkt_limit", &most, e) < 0 ||
	    (json_object_get(params, "snaplen") != NULL &&
	     read_u32(params, "snaplen", &snaplen, e) < 0))
		return -EINVAL;
	return capture_fetch(&s->rx->captures, id, most, snaplen, result, e);
}

static int
command_capture(struct server *s, const char *command, const json_t *params, json_t **result,
		struct jsonrpc_error *e)
{
	uint32_t id = 0;

	if (strcmp(command, "start") == 0)
		return start_capture(s, params, result, e);
	if (strcmp(command, "status") == 0) {
		*result = captures_status(&s->rx->captures);
		return 0;
	}
	if (strcmp(command, "fetch") != 0 && strcmp(command, "stop") != 0 &&
	    strcmp(command, "remove") != 0)
		return jsonrpc_fail(e, JSONRPC_PARAMS,
				    "command '%s' is none of start, stop, fetch, status, remove",
				    command);
	if (read_u32(params, "capture_id", &id, e) < 0)
		return -EINVAL;
	if (strcmp(command, "fetch") == 0)
		return fetch_capture(s, id, params, result, e);
	if (strcmp(command, "stop") == 0)
		return capture_stop(&s->rx->captures, id, result, e);
	return capture_remove(&s->rx->captures, id, e);
}

static int
call_capture(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	const char *command;
	int rc;

	if (jsonrpc_text(params, "command", &command, e) < 0)
		return -EINVAL;
	/* What came until now belongs to the captures as they were. */
	take_copies(s);
	rc = command_capture(s, command, params, result, e);
	set_copied(s);
	return rc;
}

/* ---- frames to be sent ---- */

/* Puts one frame behind those that wait for the worker. */
static int
push_one(struct server *s, unsigned port, const json_t *pkt, uint64_t due_tsc,
	 struct jsonrpc_error *e)
{
	struct gen_port *p = &s->worker->ports[port];
	const json_t *binary = json_object_get(pkt, "binary");
	uint8_t frame[FRAME_MAX_SIZE] = {0};
	struct copy_head h = {.tsc = due_tsc, .port = (uint8_t)port, .tx = true};
	long len = base64_decode(json_is_string(binary) ? json_string_value(binary) : "", frame,
				 s->conf->max_frame - FRAME_FCS);
	uint8_t *room;

	if (len < FRAME_L2)
		return jsonrpc_fail(e, JSONRPC_PARAMS,
				    "pkts: a binary is not base64 of %d to %llu bytes", FRAME_L2,
				    (unsigned long long)(s->conf->max_frame - FRAME_FCS));
	if (json_is_true(json_object_get(pkt, "use_port_dst_mac")))
		memcpy(frame, s->ports[port].layers.dest, 6);
	if (json_is_true(json_object_get(pkt, "use_port_src_mac")))
		memcpy(frame + 6, p->addr, 6);
	h.len = len < FRAME_MIN_SIZE - FRAME_FCS ? FRAME_MIN_SIZE - FRAME_FCS : (uint32_t)len;
	h.wire_len = h.len;
	room = copy_ring_stage(&s->worker->pushes, &h);
	if (room == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "there is no room for so many frames: the port has not sent "
				    "those before");
	memcpy(room, frame, h.len);
	return 0;
}

static int
call_push_pkts(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct server *s = ctx;
	const json_t *pkts = json_object_get(params, "pkts");
	uint64_t before = copy_ring_position(&s->worker->pushes), now_tsc = rte_rdtsc();
	double ipg_us = json_number_value(json_object_get(params, "ipg_usec"));
	size_t n = json_array_size(pkts);
	unsigned port;
	int rc = 0;

	if (server_find_port(s, params, &port, e) == NULL)
		return -EINVAL;
	if (!json_is_array(pkts))
		return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter 'pkts' must be an array");
	if (!(ipg_us >= 0) || (double)n * ipg_us > PUSH_MAX_S * 1e6)
		return jsonrpc_fail(e, JSONRPC_FAILED,
				    "frames of one call are to be sent within %d second",
				    PUSH_MAX_S);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		double after_s = (double)i * ipg_us / 1e6;

		rc = push_one(s, port, json_array_get(pkts, i),
			      now_tsc + (uint64_t)(after_s * (double)s->worker->tsc_hz), e);
	}
	/* All of them, or none. */
	copy_ring_publish(&s->worker->pushes,
			  rc == 0 ? copy_ring_position(&s->worker->pushes) : before);
	if (rc < 0)
		return -EINVAL;
	*result =
		json_pack("{s:I, s:f}", "sent", (json_int_t)n, "ts", (double)clock_now_ns() / 1e9);
	return 0;
}

static const struct jsonrpc_method methods[] = {
	{"service", call_service, RPC_NEEDS_API | RPC_NEEDS_OWNER},
	{"set_rx_feature", call_set_rx_feature, RPC_NEEDS_API},
	{"get_rx_queue_pkts", call_get_rx_queue_pkts, RPC_NEEDS_API},
	{"capture", call_capture, RPC_NEEDS_API},
	{"push_pkts", call_push_pkts, RPC_NEEDS_API},
};
const struct rpc_table rpc_capture = {methods, N_ELEMS(methods)};
