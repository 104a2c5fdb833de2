/* SPDX-License-Identifier: MIT */
#include "backend_vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"

#include "backend_trex.h"
#include "guest.h"
#include "steps.h"
#include "vm_boot.h"

#define START_MS 30000
#define KVM_HELLO_MS 60000
/* Emulation takes 3 to 5 s on a quiet machine, and a multiple of that where others compute. */
#define TCG_HELLO_MS 240000
#define CALL_MS 30000
#define PROGRAM_MS 60000
#define STOP_MS 10000
#define WHY_MS 5000 /* for an agent to say why something failed, if it can */
#define DRIVER "uio_pci_generic"
#define RPC_PORT 4501
#define PUB_PORT 4500
#define LOG_BYTES 4096

struct backend_vm {
	const struct plan_vm *plan;
	struct vm_spec spec; /* the plan's texts, and the accelerator that it came up with */
	struct vm *vm;
	struct guest *guest;
	int fd;			    /* of the agent, -1: not open */
	uint64_t start_ns;	    /* when its boot began */
	volatile sig_atomic_t gone; /* the guest's calls end when it is set */
};

struct backend_vms {
	struct vm_host *host;
	struct vm_accel_choice accel;
	size_t n;
	struct backend_vm vm[PLAN_MAX_PROCS];
};

/* ---- boot ---- */

/* How long an agent may be silent: $NFVCHAIN_GUEST_PATIENCE, else what the accelerator needs. */
static int
read_patience(int hello_ms[2], struct err *err)
{
	const char *text = getenv("NFVCHAIN_GUEST_PATIENCE");
	uint64_t ns;
	int rc;

	hello_ms[VM_ACCEL_KVM] = KVM_HELLO_MS;
	hello_ms[VM_ACCEL_TCG] = TCG_HELLO_MS;
	if (text == NULL || text[0] == '\0')
		return 0;
	rc = duration_parse(text, &ns, err);
	if (rc == 0 && (ns < NSEC_PER_S || ns > 3600 * NSEC_PER_S))
		rc = err_usage(err, "'%s' is not from 1s to 1h", text);
	if (rc == 0)
		hello_ms[VM_ACCEL_KVM] = hello_ms[VM_ACCEL_TCG] = (int)(ns / NSEC_PER_MS);
	return err_wrap(err, rc, "NFVCHAIN_GUEST_PATIENCE");
}

static int
hello(void *arg, int fd, int ms, struct err *err)
{
	struct backend_vm *v = arg;
	const struct guest_conf conf = {
		.name = v->spec.name,
		.fd = fd,
		.timeout_ms = ms,
		.stop = &v->gone,
	};
	int rc = guest_open(&v->guest, &conf, err);

	if (rc == 0)
		steps_done(v->spec.name, "boot", v->start_ns);
	return rc;
}

static int
hello_later(void *arg, int fd, int ms, struct err *err)
{
	return 0;
}

static int
boot_conf(struct vm_boot_conf *conf, const struct backend *b, struct backend_vm *v, struct err *err)
{
	*conf = (struct vm_boot_conf){
		.start_ms = START_MS,
		.hello = hello,
		.arg = v,
		.gone = &v->gone,
		.stop = b->stop,
	};
	return read_patience(conf->hello_ms, err);
}

/* Emulated guests take long to boot, and do so at the same time.  Under KVM it is quick, and one
 * that does not come up is to be started again before others are told to connect to it. */
static int
power_on(struct backend *b, struct backend_vm *v, struct err *err)
{
	struct vm_boot_conf conf;
	int rc = boot_conf(&conf, b, v, err);

	if (b->vms->accel.accel == VM_ACCEL_TCG)
		conf.hello = hello_later;
	v->start_ns = clock_now_ns();
	if (rc == 0)
		rc = backend_make_initrd(b, v->plan, err);
	if (rc == 0)
		rc = vm_boot(&v->vm, &v->fd, b->vms->host, &v->spec, &b->vms->accel, &conf, err);
	if (rc == 0)
		steps_done(v->spec.name, "power-on", v->start_ns);
	return rc;
}

static int
await_hello(struct backend *b, struct backend_vm *v, struct err *err)
{
	struct vm_boot_conf conf;
	int rc = boot_conf(&conf, b, v, err);

	if (rc == 0 && v->guest == NULL)
		rc = vm_boot_hello(v->vm, v->fd, &conf, err);
	return rc == 0 ? guest_check_hugepages(v->guest, err) : rc;
}

/* ---- its program ---- */

/* The NICs go to a driver for programs, and must be where the program's words say. */
static int
bind_nics(struct backend_vm *v, const struct plan_proc *pp, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->spec.n_nics; i++) {
		const struct vm_nic *nic = &v->spec.nic[i];
		char which[18], pci[16];
		bool found = false;

		/* The guest's kernel has drivers of virtual machines alone, and reads no other's
		 * MAC. */
		if (nic->model == NIC_VIRTIO)
			mac_print(which, sizeof(which), nic->mac);
		else
			snprintf(which, sizeof(which), "0000:00:%02x.0", nic->slot);
		rc = guest_bind(v->guest, which, DRIVER, pci, CALL_MS, err);
		for (size_t k = 0; rc == 0 && k < pp->argc; k++)
			found |= strcmp(pp->argv[k], pci) == 0;
		found |= rc == 0 && pp->file_text != NULL && strstr(pp->file_text, pci) != NULL;
		if (rc == 0 && !found)
			rc = err_set(err, ENODEV, "%s: NIC %zu is at %s, where it should not be",
				     v->spec.name, i, pci);
	}
	return rc;
}

/* With --verbose: the last words of a program may not be the telling ones. */
static void
show_log(struct backend_vm *v, const struct plan_proc *pp)
{
	char *text;

	if (guest_log(v->guest, pp->name, LOG_BYTES, &text, NULL) < 0)
		return;
	LOG(INFO, "%s said: %s", pp->name, text);
	free(text);
}

static int
say_hello(struct backend *b, struct backend_vm *v, const struct plan_proc *pp, struct err *err)
{
	json_t *answer = NULL;
	const char *dpdk;
	int rc = guest_control(v->guest, pp->name, "hello", NULL, CALL_MS, &answer, err);

	if (rc == 0)
		rc = json_get_text(answer, "dpdk", &dpdk, err);
	if (rc == 0)
		str_copy(b->dpdk_version, sizeof(b->dpdk_version), dpdk);
	json_decref(answer);
	return rc;
}

static int
start_program(struct backend *b, struct backend_vm *v, const struct plan_proc *pp, struct err *err)
{
	const struct guest_program program = {
		.name = pp->name,
		.argv = (const char *const *)pp->argv,
		.env = (const char *const *)pp->env,
		.socket = pp->control_path != NULL ? pp->control_path : pp->telemetry_path,
	};
	uint64_t start = clock_now_ns();
	int rc = bind_nics(v, pp, err);

	if (rc < 0)
		return rc;
	steps_done(v->spec.name, "bind", start);
	start = clock_now_ns();
	if (pp->file_text != NULL)
		rc = guest_put(v->guest, pp->file_path, pp->file_text, strlen(pp->file_text), 0600,
			       CALL_MS, err);
	if (rc == 0)
		rc = guest_start(v->guest, &program, PROGRAM_MS, err);
	if (rc == 0)
		steps_done(v->spec.name, "start", start);
	if (rc < 0)
		show_log(v, pp);
	else if (pp->control_path != NULL)
		rc = say_hello(b, v, pp, err);
	return rc;
}

/* ---- all of it ---- */

static int
open_host(struct backend *b, struct err *err)
{
	const struct vm_host_conf conf = {.uri = b->plan->connect, .run_dir = b->dir.path};
	int rc = vm_host_open(&b->vms->host,
			      b->plan->connect != NULL ? &vm_host_libvirt : &vm_host_qemu, &conf,
			      err);

	if (rc < 0)
		return rc;
	rc = vm_host_clean(b->vms->host, b->plan->vm_chain, err);
	if (rc > 0)
		LOG(WARN, "%d things of an earlier run of chain '%s' were removed", rc,
		    b->plan->vm_chain);
	return rc < 0 ? rc : 0;
}

static int
net_up(struct backend *b, const struct vm_net *net, struct err *err)
{
	uint64_t start = clock_now_ns();
	int rc = vm_net_up(b->vms->host, net, err);

	if (rc == 0)
		steps_done(net->name, "network", start);
	return rc;
}

int
backend_vms_up(struct backend *b, struct err *err)
{
	const struct chain_plan *plan = b->plan;
	int rc;

	if (plan->n_vms == 0)
		return 0;
	b->vms = xcalloc(1, sizeof(*b->vms));
	b->vms->accel = plan->accel;
	rc = open_host(b, err);
	for (size_t i = 0; rc == 0 && i < plan->n_nets; i++)
		rc = net_up(b, &plan->net[i], err);
	for (size_t i = 0; rc == 0 && i < plan->n_vms; i++) {
		struct backend_vm *v = &b->vms->vm[b->vms->n++];

		*v = (struct backend_vm){.plan = &plan->vm[i], .spec = plan->vm[i].spec, .fd = -1};
		rc = power_on(b, v, err);
	}
	for (size_t i = 0; rc == 0 && i < plan->n_vms; i++)
		rc = await_hello(b, &b->vms->vm[i], err);
	/* The generator's first, for the others' peers should be there. */
	for (size_t i = 0; rc == 0 && i < plan->n_vms; i++)
		rc = start_program(b, &b->vms->vm[i], &plan->proc[plan->vm[i].hop + 1], err);
	if (rc == 0)
		LOG(INFO, "VMs run under %s: %s", vm_accel_name(b->vms->accel.accel),
		    b->vms->accel.why);
	return rc;
}

void
backend_vms_down(struct backend *b)
{
	struct backend_vms *vms = b->vms;

	if (vms == NULL)
		return;
	/* Hops before the generator, as processes. */
	while (vms->n > 0) {
		struct backend_vm *v = &vms->vm[--vms->n];

		guest_close(v->guest);
		if (v->fd >= 0)
			close(v->fd);
		vm_stop(v->vm);
	}
	for (size_t i = 0; vms->host != NULL && i < b->plan->n_nets; i++) {
		struct err err = {0};

		if (vm_net_down(vms->host, &b->plan->net[i], &err) < 0)
			LOG(WARN, "%s", err.msg);
	}
	vm_host_close(vms->host);
	free(vms);
	b->vms = NULL;
}

int
backend_vms_check(struct backend *b, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && b->vms != NULL && i < b->vms->n; i++)
		if (b->vms->vm[i].guest != NULL)
			rc = vm_check(b->vms->vm[i].vm, err);
	return rc;
}

static struct backend_vm *
vm_of(const struct backend *b, size_t i)
{
	for (size_t v = 0; b->vms != NULL && v < b->vms->n; v++)
		if (b->vms->vm[v].plan->hop + 1 == (int)i)
			return &b->vms->vm[v];
	return NULL;
}

struct guest *
backend_guest(const struct backend *b, size_t i)
{
	const struct backend_vm *v = vm_of(b, i);

	return v != NULL ? v->guest : NULL;
}

/* The last line of a program's log that says something, cut from 'text'. */
static const char *
last_line(char *text)
{
	size_t len = strlen(text);
	char *line;

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	line = strrchr(text, '\n');
	return line != NULL ? line + 1 : text;
}

static int
ask_program(struct backend_vm *v, struct err *err)
{
	const json_t *programs;
	json_t *hello = NULL;
	int rc = 0;

	if (v->guest == NULL || guest_call(v->guest, "hello", NULL, WHY_MS, &hello, NULL) < 0)
		return 0;
	programs = json_object_get(hello, "programs");
	for (size_t i = 0; rc == 0 && i < json_array_size(programs); i++) {
		const json_t *program = json_array_get(programs, i);
		const char *name = json_string_value(json_object_get(program, "name"));
		const char *state = json_string_value(json_object_get(program, "state"));
		char *text = NULL;

		if (name == NULL || state == NULL || strcmp(state, "is running") == 0)
			continue;
		if (guest_log(v->guest, name, LOG_BYTES, &text, NULL) < 0)
			text = NULL;
		/* With --verbose: the last words may not be the telling ones. */
		LOG(INFO, "%s said: %s", name, text != NULL ? text : "nothing");
		rc = err_set(err, ECHILD, "%s, in its VM, %s%s%s", name, state,
			     text != NULL ? ": " : "", text != NULL ? last_line(text) : "");
		free(text);
	}
	json_decref(hello);
	return rc;
}

int
backend_vms_ask_programs(struct backend *b, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && b->vms != NULL && i < b->vms->n; i++)
		rc = ask_program(&b->vms->vm[i], err);
	return rc;
}

int
backend_vms_end_program(struct backend *b, size_t i, struct err *err)
{
	int status;

	return guest_stop(backend_guest(b, i), b->plan->proc[i].name, STOP_MS, &status, err);
}

int
backend_vms_start_program(struct backend *b, size_t i, struct err *err)
{
	return start_program(b, vm_of(b, i), &b->plan->proc[i], err);
}

int
backend_vms_freeze(struct backend *b, bool frozen, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && b->vms != NULL && i < b->vms->n; i++)
		rc = vm_freeze(b->vms->vm[i].vm, frozen, err);
	return rc;
}

const struct vm_accel_choice *
backend_vms_accel(const struct backend *b)
{
	return b->vms != NULL ? &b->vms->accel : NULL;
}

uint64_t
backend_vms_missed(const struct backend *b, size_t i, size_t port)
{
	const struct backend_vm *v = vm_of(b, i);
	struct vm_nic_stats stats;

	if (v == NULL || port >= v->spec.n_nics || v->spec.nic[port].link != VM_LINK_NETWORK ||
	    vm_nic_stats(v->vm, port, &stats, NULL) < 0)
		return 0;
	return stats.rx_drops;
}

int
backend_vms_endpoint(struct backend *b, char **endpoint, struct err *err)
{
	/* Any free port, unless people expect TRex's. */
	uint16_t rpc = b->plan->trex_ports ? RPC_PORT : 0, pub = PUB_PORT;
	int rc = guest_forward(backend_guest(b, 0), RPC_PORT, &rpc, err);

	if (rc == 0 && b->plan->trex_ports)
		rc = guest_forward(backend_guest(b, 0), PUB_PORT, &pub, err);
	if (rc == 0)
		*endpoint = xasprintf("tcp://127.0.0.1:%u", rpc);
	return rc;
}
