/* SPDX-License-Identifier: MIT */
#include "vm_facts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "backend_vm.h"
#include "base/json.h"
#include "base/log.h"
#include "base/units.h"
#include "guest.h"
#include "tg.h"

#define CALL_MS 30000

static json_t *
or_null(const json_t *value)
{
	return value != NULL ? json_incref((json_t *)(uintptr_t)value) : json_null();
}

/* Said once, for a result that lacks a fact should tell why. */
static json_t *
none(const char *name, int rc, const struct err *err)
{
	if (rc < 0)
		LOG(WARN, "%s: %s", name, err->msg);
	return NULL;
}

/* ---- programs: {dpdk, devices: [{promiscuous}]} ---- */

/* Programs that are not ours: DPDK's telemetry. */
static json_t *
ask_telemetry(struct guest *g, const struct plan_proc *pp, struct err *err)
{
	json_t *info = NULL, *devices = json_array();
	json_t *facts;
	int rc = guest_telemetry(g, pp->telemetry_path, "/info", CALL_MS, &info, err);

	for (int port = 0; rc == 0 && port < 2; port++) {
		char command[32];
		json_t *device = NULL, *mode;

		snprintf(command, sizeof(command), "/ethdev/info,%d", port);
		rc = guest_telemetry(g, pp->telemetry_path, command, CALL_MS, &device, err);
		mode = json_object_get(device, "promiscuous");
		json_array_append_new(
			devices, json_pack("{s:o}", "promiscuous",
					   json_is_integer(mode)
						   ? json_boolean(json_integer_value(mode) != 0)
						   : json_null()));
		json_decref(device);
	}
	facts = rc == 0 ? json_pack("{s:O?, s:O}", "dpdk", json_object_get(info, "version"),
				    "devices", devices)
			: none(pp->name, rc, err);
	json_decref(info);
	json_decref(devices);
	return facts;
}

static json_t *
ask_program(struct backend *b, const struct plan_proc *pp)
{
	struct guest *g = backend_guest(b, (size_t)(pp->hop + 1));
	struct err err = {0};
	json_t *facts = NULL;
	int rc;

	if (pp->hop < 0)
		rc = tg_facts(b->tg, &facts, &err);
	else if (pp->control_path != NULL)
		rc = guest_control(g, pp->name, "hello", NULL, CALL_MS, &facts, &err);
	else if (pp->telemetry_path != NULL)
		return ask_telemetry(g, pp, &err);
	else
		return NULL;
	return rc == 0 ? facts : none(pp->name, rc, &err);
}

/* ---- ports ---- */

/* The one of that MAC, or in that slot: not all MACs can be read. */
static const json_t *
find_nic(const json_t *nics, const char *mac, unsigned slot)
{
	char pci[16];

	snprintf(pci, sizeof(pci), "0000:00:%02x.0", slot);
	for (size_t i = 0; i < json_array_size(nics); i++) {
		const json_t *nic = json_array_get(nics, i);
		const char *text = json_string_value(json_object_get(nic, "mac"));
		const char *at = json_string_value(json_object_get(nic, "pci"));

		if (text != NULL ? strcasecmp(text, mac) == 0 : at != NULL && strcmp(at, pci) == 0)
			return nic;
	}
	return NULL;
}

static json_t *
ports_of(const struct vm_spec *spec, const json_t *nics, const json_t *devices)
{
	json_t *ports = json_array();

	for (size_t i = 0; i < spec->n_nics; i++) {
		const json_t *nic, *device = json_array_get(devices, i);
		char mac[18];

		nic = find_nic(nics, mac_print(mac, sizeof(mac), spec->nic[i].mac),
			       spec->nic[i].slot);
		json_array_append_new(
			ports, json_pack("{s:s, s:o, s:o, s:o}", "mac", mac, "pci",
					 or_null(json_object_get(nic, "pci")), "driver",
					 or_null(json_object_get(nic, "driver")), "promiscuous",
					 or_null(json_object_get(device, "promiscuous"))));
	}
	return ports;
}

/* ---- a guest ---- */

static json_t *
facts_of(struct backend *b, const struct plan_vm *vm)
{
	const struct plan_proc *pp = &b->plan->proc[vm->hop + 1];
	struct guest *g = backend_guest(b, (size_t)(vm->hop + 1));
	json_t *program = ask_program(b, pp), *hello = NULL, *facts;
	struct err err = {0};

	/* Anew: drivers are not those of its first hello. */
	if (guest_call(g, "hello", NULL, CALL_MS, &hello, &err) < 0)
		LOG(WARN, "%s: %s", pp->name, err.msg);
	facts = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "name", pp->name, "program",
			  pp->argv[0], "dpdk_version", or_null(json_object_get(program, "dpdk")),
			  "kernel", or_null(json_object_get(hello, "kernel")), "hugepages",
			  or_null(json_object_get(hello, "hugepages")), "ports",
			  ports_of(&vm->spec, json_object_get(hello, "nics"),
				   json_object_get(program, "devices")));
	json_decref(program);
	json_decref(hello);
	return facts;
}

json_t *
vm_facts(struct backend *b)
{
	json_t *list = json_array();

	for (size_t i = 0; i < b->plan->n_vms; i++)
		if (backend_guest(b, (size_t)(b->plan->vm[i].hop + 1)) != NULL)
			json_array_append_new(list, facts_of(b, &b->plan->vm[i]));
	return list;
}
