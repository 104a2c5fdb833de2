/* SPDX-License-Identifier: MIT */
#include "onlook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend_links.h"
#include "backend_vm.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "guest.h"
#include "hop_socket.h"

/* Less than what one who looks on waits for each hop. */
#define ASK_MS 1300
#define CONNECT_MS 500
#define FILE_NAME "up.json"
#define PORTS 2

struct onlooked {
	struct backend *b;
	size_t i; /* the hop's place in the chain */
	struct telemetry_client *telemetry;
	struct hop_socket *socket;
};

struct onlook {
	char *path;
	struct onlooked hop[CHAIN_MAX_HOPS];
};

/* ---- a hop of ours in a virtual machine ---- */

/* What was dropped before the guest could see it belongs to the hop. */
static void
add_missed(const struct onlooked *h, json_t *counters)
{
	json_t *port;
	size_t p;

	json_array_foreach(json_object_get(counters, "ports"), p, port) {
		const json_t *miss = json_object_get(port, "miss");
		uint64_t more = backend_vms_missed(h->b, h->i + 1, p);

		if (json_is_integer(miss) && more > 0)
			json_object_set_new(port, "miss",
					    json_u64((uint64_t)json_integer_value(miss) + more));
	}
}

static int
ask_guest(void *arg, const char *method, json_t *params, json_t **result, struct err *err)
{
	const struct onlooked *h = arg;
	const bool is_counters = strcmp(method, "counters") == 0;
	int rc = guest_control(backend_guest(h->b, h->i + 1), h->b->chain->hop[h->i].name, method,
			       params, ASK_MS, result, err);

	if (rc == 0 && is_counters)
		add_missed(h, *result);
	return rc;
}

/* ---- a hop of another make ---- */

static int
get_stats(struct onlooked *h, unsigned port, json_t **stats, struct err *err)
{
	const struct plan_proc *pp = &h->b->plan->proc[h->i + 1];
	struct guest *guest = backend_guest(h->b, h->i + 1);
	char command[32];
	int rc = 0;

	snprintf(command, sizeof(command), "/ethdev/stats,%u", port);
	if (guest != NULL)
		return guest_telemetry(guest, pp->telemetry_path, command, ASK_MS, stats, err);
	if (h->telemetry == NULL)
		rc = telemetry_client_open(&h->telemetry, pp->telemetry_path, CONNECT_MS, err);
	if (rc == 0)
		rc = telemetry_client_get(h->telemetry, command, ASK_MS, stats, err);
	if (rc < 0) {
		telemetry_client_close(h->telemetry);
		h->telemetry = NULL;
	}
	return rc;
}

static int
add_port(struct onlooked *h, unsigned port, json_t *ports, struct err *err)
{
	const uint64_t more = backend_vms_missed(h->b, h->i + 1, port) +
			      backend_links_missed(h->b, h->i + 1, port);
	json_t *stats = NULL;
	uint64_t rx = 0, tx = 0, miss = 0;
	int rc = get_stats(h, port, &stats, err);

	if (rc == 0)
		rc = json_get_u64(stats, "ipackets", &rx, err);
	if (rc == 0)
		rc = json_get_u64(stats, "opackets", &tx, err);
	if (rc == 0)
		rc = json_get_u64(stats, "imissed", &miss, err);
	if (rc == 0)
		json_array_append_new(ports,
				      json_pack("{s:o, s:o, s:o}", "rx", json_u64(rx), "tx",
						json_u64(tx), "miss", json_u64(miss + more)));
	json_decref(stats);
	return rc;
}

/* A bridge of the kernel's has no program: its interfaces tell. */
static int
add_bridge(struct onlooked *h, json_t *ports, struct err *err)
{
	struct ledger_hop hop = {0};
	int rc = backend_links_bridge(h->b, h->i, &hop, err);

	for (unsigned p = 0; rc == 0 && p < PORTS; p++)
		json_array_append_new(ports,
				      json_pack("{s:o, s:o, s:o}", "rx", json_u64(hop.port[p].rx),
						"tx", json_u64(hop.port[p].tx), "miss",
						json_u64(backend_links_missed(h->b, h->i + 1, p))));
	return rc;
}

static int
ask_foreign(void *arg, const char *method, json_t *params, json_t **result, struct err *err)
{
	struct onlooked *h = arg;
	json_t *ports = json_array();
	int rc = 0;

	json_decref(params);
	if (strcmp(method, "counters") != 0)
		rc = err_set(err, ENOSYS, "%s is no nfvchain-fwd, which alone knows '%s'",
			     h->b->chain->hop[h->i].name, method);
	else if (h->b->plan->proc[h->i + 1].kernels)
		rc = add_bridge(h, ports, err);
	else
		for (unsigned p = 0; rc == 0 && p < PORTS; p++)
			rc = add_port(h, p, ports, err);
	if (rc == 0)
		*result =
			json_pack("{s:o, s:O}", "at_ns", json_u64(clock_now_ns()), "ports", ports);
	json_decref(ports);
	return rc;
}

/* ---- all of it ---- */

static int
open_hop(struct onlooked *h, struct err *err)
{
	const struct backend *b = h->b;
	const struct plan_proc *pp = &b->plan->proc[h->i + 1];
	hop_ask_fn *ask = pp->control_path != NULL ? ask_guest : ask_foreign;
	char *path;
	int rc;

	/* It has a socket here, or nobody can ask it anything. */
	if (pp->control_path != NULL ? !pp->in_vm : pp->telemetry_path == NULL && !pp->kernels)
		return 0;
	path = xasprintf("%s/%s.ctl", b->dir.path, b->chain->hop[h->i].name);
	rc = hop_socket_open(&h->socket, path, ask, h, err);
	free(path);
	return err_wrap(err, rc, "%s", b->chain->hop[h->i].name);
}

static int
write_facts(const struct onlook *o, const struct backend *b, struct err *err)
{
	json_t *hops = json_array(), *facts;
	int rc;

	for (size_t i = 0; i < b->chain->n_hops; i++)
		json_array_append_new(hops, json_string(b->chain->hop[i].name));
	facts = json_pack("{s:i, s:s, s:s?, s:o}", "version", 1, "chain", b->chain->name,
			  "generator", b->rpc_endpoint, "hops", hops);
	rc = json_save(facts, o->path, err);
	json_decref(facts);
	return rc;
}

int
onlook_open(struct onlook **out, struct backend *b, struct err *err)
{
	struct onlook *o = xcalloc(1, sizeof(*o));
	int rc = 0;

	o->path = xasprintf("%s/" FILE_NAME, b->dir.path);
	for (size_t i = 0; rc == 0 && i < b->chain->n_hops; i++) {
		o->hop[i].b = b;
		o->hop[i].i = i;
		rc = open_hop(&o->hop[i], err);
	}
	if (rc == 0)
		rc = write_facts(o, b, err);
	if (rc < 0) {
		onlook_close(o);
		o = NULL;
	}
	*out = o;
	return rc;
}

void
onlook_close(struct onlook *o)
{
	if (o == NULL)
		return;
	remove(o->path);
	for (size_t i = 0; i < CHAIN_MAX_HOPS; i++) {
		hop_socket_close(o->hop[i].socket);
		telemetry_client_close(o->hop[i].telemetry);
	}
	free(o->path);
	free(o);
}

int
onlook_read(struct onlook_facts *facts, const char *run_dir, struct err *err)
{
	char *path = xasprintf("%s/" FILE_NAME, run_dir);
	json_t *json = NULL, *name;
	const char *endpoint;
	size_t i;
	int rc;

	*facts = (struct onlook_facts){0};
	rc = json_load_path(&json, path, err);
	free(path);
	endpoint = json_string_value(json_object_get(json, "generator"));
	if (endpoint != NULL)
		facts->endpoint = xstrdup(endpoint);
	json_array_foreach(json_object_get(json, "hops"), i, name)
		if (json_is_string(name) && facts->n_hops < CHAIN_MAX_HOPS)
			str_copy(facts->hop[facts->n_hops++], sizeof(facts->hop[0]),
				 json_string_value(name));
	json_decref(json);
	return rc;
}

void
onlook_facts_fini(struct onlook_facts *facts)
{
	free(facts->endpoint);
	facts->endpoint = NULL;
}
