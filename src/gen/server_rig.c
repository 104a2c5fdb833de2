/* SPDX-License-Identifier: MIT */
#include "server_rig.h"

#include <stdlib.h>
#include <string.h>

#include <rte_log.h>

#include "base/mem.h"
#include "rpc/wide.h"

struct server_rig *
server_rig_new(void)
{
	struct server_rig *r = aligned_alloc(64, (sizeof(*r) + 63) / 64 * 64);

	if (r == NULL)
		abort();
	memset(r, 0, sizeof(*r));
	/* There are no devices, and DPDK would say so each time one is asked. */
	rte_log_set_global_level(RTE_LOG_EMERG);
	gen_conf_init(&r->conf);
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		memcpy(r->worker.ports[i].addr, (const uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)i}, 6);
		memcpy(r->worker.ports[i].dest, (const uint8_t[6]){2, 0, 0, 0, 0, !i}, 6);
		r->worker.ports[i].port.id = (uint16_t)i;
	}
	server_init(&r->server, &r->conf, &r->worker);
	return r;
}

void
server_rig_free(struct server_rig *r)
{
	server_fini(&r->server);
	gen_conf_fini(&r->conf);
	free(r);
}

static void
add_handles(const struct server_rig *r, json_t *params)
{
	const json_t *port = json_object_get(params, "port_id");
	uint64_t id;

	if (json_object_get(params, "api_h") == NULL)
		json_object_set_new(params, "api_h", json_string(r->server.api_h));
	if (json_object_get(params, "handler") == NULL && wide_u64(port, &id) && id < GEN_PORTS)
		json_object_set_new(params, "handler", json_string(r->server.ports[id].handler));
}

json_t *
server_rig_call(struct server_rig *r, const char *method, const char *params)
{
	json_t *p = wide_loadb(params, strlen(params), 0, NULL), *reply;
	char *request, *text;

	if (p == NULL)
		abort();
	add_handles(r, p);
	request = jsonrpc_request(method, p, 1);
	text = jsonrpc_serve(&r->server.rpc, request, strlen(request));
	reply = wide_loadb(text, strlen(text), 0, NULL);
	free(request);
	free(text);
	return reply;
}

/* Takes notice of all that the run is asked for. */
static void
work_for(struct run *run, bool is_new)
{
	if (is_new)
		atomic_store(&run->state, RUN_ACTIVE);
	atomic_store(&run->n_made, atomic_load(&run->n_asked));
	if (atomic_load(&run->attend) & RUN_STOP)
		atomic_store(&run->state, RUN_SENT);
}

void
server_rig_work(struct server_rig *r)
{
	for (unsigned p = 0; p < GEN_PORTS; p++) {
		for (unsigned i = 0; i < GEN_PROFILES; i++) {
			struct gen_slot *slot = &r->worker.ports[p].slots[i];
			struct run *run = atomic_load(&slot->offered);

			if (run != NULL)
				work_for(run, run != slot->run);
			slot->run = run;
			atomic_store(&slot->taken, run);
		}
	}
}

void
server_rig_end(struct server_rig *r, unsigned port, unsigned slot)
{
	struct run *run = r->worker.ports[port].slots[slot].run;

	if (run != NULL)
		atomic_store(&run->state, RUN_SENT);
}
