/* SPDX-License-Identifier: MIT */
/* Whatever a client asks in whatever order, each reply is JSON-RPC, ports and profiles are in a
 * state that the worker's runs bear out, and events have no gap.
 *
 * A line of the input is a request, with the handle "aaaaaaaa" and the handler "hhhhhhhh"; or '!'
 * and what the worker does meanwhile: 'w' a round, 'e' and two digits: the run in that slot of that
 * port comes to its end. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "gen/server_rig.h"
#include "gen/traffic.h"
#include "rpc/wide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool law)
{
	if (!law)
		abort();
}

static void
check_reply(const char *text)
{
	json_t *reply = wide_loadb(text, strlen(text), 0, NULL);

	must(json_is_object(reply) || json_array_size(reply) >= 2);
	json_decref(reply);
}

static void
check_profile(const struct profile *p)
{
	bool sends = p->state == PROFILE_TX || p->state == PROFILE_PAUSE;

	must(!sends || p->run != NULL);
	must(p->state != PROFILE_IDLE || p->n_streams == 0);
	must(p->state != PROFILE_STREAMS || p->n_streams > 0);
	for (size_t i = 0; i < p->n_streams; i++)
		must(profile_stream(p, p->streams[i].id) == &p->streams[i]);
}

static void
check_ports(struct server_rig *r)
{
	traffic_settle(&r->server);
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		const struct server_port *p = &r->server.ports[i];
		size_t bytes = 0;

		for (size_t k = 0; k < p->profiles.n; k++) {
			check_profile(p->profiles.list[k]);
			bytes += p->profiles.list[k]->bytes;
		}
		must(bytes == p->profiles.bytes);
		must(p->state == profiles_state(&p->profiles));
	}
}

/* Session 7 has seen 'seq' events so far; how many then. */
static json_int_t
check_events(struct server_rig *r, json_int_t seq)
{
	json_t *list = events_take(r->server.events, 7, 0), *e;
	size_t i;

	json_array_foreach(list, i, e)
		must(json_integer_value(json_object_get(e, "seq")) == seq++);
	json_decref(list);
	return seq;
}

static void
worker_does(struct server_rig *r, const char *what, size_t len)
{
	if (len >= 3 && what[0] == 'e')
		server_rig_end(r, what[1] == '1', (unsigned char)what[2] % GEN_PROFILES);
	else
		server_rig_work(r);
}

static void
ask(struct server_rig *r, const char *line, size_t len)
{
	char *reply;

	/* Both are chance otherwise. */
	memcpy(r->server.api_h, "aaaaaaaa", 9);
	for (unsigned i = 0; i < GEN_PORTS; i++)
		memcpy(r->server.ports[i].handler, "hhhhhhhh", 9);
	reply = jsonrpc_serve(&r->server.rpc, line, len);
	check_reply(reply);
	free(reply);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server_rig *r = server_rig_new();
	const char *line = (const char *)data, *end = line + size;
	json_int_t seq = check_events(r, 0);

	while (line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((next != NULL ? next : end) - line);

		if (len > 0 && line[0] == '!')
			worker_does(r, line + 1, len - 1);
		else
			ask(r, line, len);
		check_ports(r);
		line += len + 1;
	}
	(void)check_events(r, seq);
	server_rig_free(r);
	return 0;
}
