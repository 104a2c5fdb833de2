/* SPDX-License-Identifier: MIT */
/* What a chain that is up is asked: its hops' counters, wherever they are. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "backend_links.h"
#include "backend_vm.h"
#include "base/json.h"
#include "guest.h"
#include "ovs.h"
#include "supervise.h"

#define CALL_MS 4000
#define CALL_VM_MS 30000
#define TELEMETRY_MS 5000

bool
backend_can_ask(const struct backend *b, size_t i)
{
	return b->hop[i].control != NULL ||
	       (supervise_has(b, i + 1) && b->plan->proc[i + 1].control_path != NULL) ||
	       (backend_guest(b, i + 1) != NULL && b->plan->proc[i + 1].control_path != NULL);
}

int
backend_ask(struct backend *b, size_t i, const char *method, json_t *params, int timeout_ms,
	    json_t **result, struct err *err)
{
	struct guest *guest = backend_guest(b, i + 1);
	struct err why = {0};
	int rc;

	if (guest != NULL)
		return guest_control(guest, b->chain->hop[i].name, method, params,
				     timeout_ms > CALL_VM_MS ? timeout_ms : CALL_VM_MS, result,
				     err);
	do {
		memset(&why, 0, sizeof(why));
		rc = supervise_settle(b, i, &why);
		if (rc == 0)
			rc = control_client_call(b->hop[i].control, method, json_incref(params),
						 timeout_ms, result, &why);
	} while (rc < 0 && rc != -ECHILD && rc != -EINTR && supervise_has_died(b, i));
	json_decref(params);
	if (rc < 0 && err != NULL)
		*err = why;
	return rc;
}

static int
read_ours(struct backend *b, size_t i, bool exact, struct ledger_hop *hop, struct err *err)
{
	json_t *c = NULL;
	const char *reason;
	json_t *n;
	int rc = backend_ask(b, i, exact ? "quiesce" : "counters", NULL, CALL_MS, &c, err);

	if (rc == 0 && exact)
		rc = backend_ask(b, i, "resume", NULL, CALL_MS, NULL, err);
	for (int p = 0; rc == 0 && p < 2; p++) {
		const json_t *port = json_array_get(json_object_get(c, "ports"), (size_t)p);

		rc = json_get_u64(port, "rx", &hop->port[p].rx, err);
		if (rc == 0)
			rc = json_get_u64(port, "tx", &hop->port[p].tx, err);
		if (rc == 0)
			rc = json_get_u64(port, "miss", &hop->port[p].miss, err);
	}
	if (rc == 0)
		rc = json_get_u64(c, "created", &hop->created, err);
	if (rc == 0)
		rc = json_get_u64(c, "in_flight", &hop->in_flight, err);
	json_object_foreach(json_object_get(c, "drops"), reason, n)
		ledger_drop(hop, reason, (uint64_t)json_integer_value(n));
	b->hop[i].tells_times = json_object_get(c, "times") != NULL;
	json_decref(c);
	hop->known = hop->exact = rc == 0;
	return rc;
}

/* Says which hop it was, unless the agent of its VM has said so. */
static int
name_hop(const struct backend *b, size_t i, int rc, struct err *err)
{
	const char *name = b->chain->hop[i].name;
	size_t len = strlen(name);

	if (rc < 0 && err != NULL && strncmp(err->msg, name, len) == 0 && err->msg[len] == ':')
		return rc;
	return err_wrap(err, rc, "%s", name);
}

/* Asks a hop that is not ours, wherever it is. */
static int
ask_telemetry(struct backend *b, size_t i, const char *command, json_t **value, struct err *err)
{
	struct guest *guest = backend_guest(b, i + 1);

	if (guest != NULL)
		return guest_telemetry(guest, b->plan->proc[i + 1].telemetry_path, command,
				       CALL_VM_MS, value, err);
	return telemetry_client_get(b->hop[i].telemetry, command, TELEMETRY_MS, value, err);
}

int
backend_read_foreign(struct backend *b, size_t i, struct ledger_hop *hop, struct err *err)
{
	int rc = 0;

	for (int p = 0; rc == 0 && p < 2; p++) {
		char command[32];
		json_t *stats = NULL;

		snprintf(command, sizeof(command), "/ethdev/stats,%d", p);
		rc = ask_telemetry(b, i, command, &stats, err);
		if (rc == 0)
			rc = json_get_u64(stats, "ipackets", &hop->port[p].rx, err);
		if (rc == 0)
			rc = json_get_u64(stats, "opackets", &hop->port[p].tx, err);
		if (rc == 0)
			rc = json_get_u64(stats, "imissed", &hop->port[p].miss, err);
		json_decref(stats);
	}
	if (rc == 0 && b->chain->hop[i].kind == HOP_OVS_DPDK)
		rc = ovs_read_drops(b->plan->proc[i + 1].rt_dir, hop, err);
	hop->known = rc == 0;
	return rc;
}

/* Once more when it died meanwhile and was started again. */
static int
read_foreign_again(struct backend *b, size_t i, struct ledger_hop *hop, struct err *err)
{
	int rc;

	do {
		rc = supervise_settle(b, i, err);
		if (rc == 0 && b->hop[i].telemetry != NULL)
			rc = backend_read_foreign(b, i, hop, err);
	} while (rc < 0 && rc != -ECHILD && rc != -EINTR && supervise_has_died(b, i));
	return rc;
}

int
backend_read_hop(struct backend *b, size_t i, bool exact, struct ledger_hop *hop, struct err *err)
{
	int rc = 0;

	memset(hop, 0, sizeof(*hop));
	snprintf(hop->name, sizeof(hop->name), "%s", b->chain->hop[i].name);
	if (b->plan->proc[i + 1].kernels)
		rc = backend_links_bridge(b, i, hop, err);
	else if (backend_can_ask(b, i))
		rc = read_ours(b, i, exact, hop, err);
	else if (supervise_has(b, i + 1))
		rc = read_foreign_again(b, i, hop, err);
	else if (b->hop[i].telemetry != NULL ||
		 (backend_guest(b, i + 1) != NULL && b->plan->proc[i + 1].telemetry_path != NULL))
		rc = backend_read_foreign(b, i, hop, err);
	for (size_t p = 0; rc == 0 && hop->known && p < 2; p++)
		hop->port[p].miss +=
			backend_vms_missed(b, i + 1, p) + backend_links_missed(b, i + 1, p);
	return name_hop(b, i, rc, err);
}

int
backend_read_times(struct backend *b, size_t i, json_t **counters, struct err *err)
{
	int rc;

	*counters = NULL;
	if (!b->hop[i].tells_times)
		return 0;
	rc = backend_ask(b, i, "counters", json_pack("{s:b}", "buckets", 1), CALL_MS, counters,
			 err);
	return name_hop(b, i, rc, err);
}
