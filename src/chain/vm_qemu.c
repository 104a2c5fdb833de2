/* SPDX-License-Identifier: MIT */
/* VMs as children of ours: QEMU, its monitor and the agent's port, all by sockets in the run
 * directory.  Needs no root; a network of libvirt's cannot be had here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

#include "freeze.h"
#include "qmp.h"
#include "vm_host.h"
#include "vm_qemu_find.h"

#define STOP_MS 3000

struct qemu_host {
	struct vm_host base;
	char *qemu;
	char *run_dir;
};

struct qemu_vm {
	struct vm base;
	struct proc proc;
	struct qmp qmp;
	struct vm_state state;
	char *event; /* why it ends, as QEMU said it; or NULL */
};

static struct qemu_vm *
vm_of(struct vm *vm)
{
	return (struct qemu_vm *)vm;
}

static int
host_open(struct vm_host **host, const struct vm_host_conf *conf, struct err *err)
{
	struct qemu_host *h;

	if (conf->run_dir == NULL)
		return err_usage(err, "plain QEMU needs a run directory");
	h = xcalloc(1, sizeof(*h));
	h->qemu = xstrdup(conf->qemu != NULL ? conf->qemu : "qemu-system-x86_64");
	h->run_dir = xstrdup(conf->run_dir);
	*host = &h->base;
	return 0;
}

static void
host_close(struct vm_host *host)
{
	struct qemu_host *h = (struct qemu_host *)host;

	free(h->qemu);
	free(h->run_dir);
	free(h);
}

static void
host_probe(struct vm_host *host, struct kvm_probe *probe)
{
	kvm_probe_run(probe);
}

static int
net_up(struct vm_host *host, const struct vm_net *net, struct err *err)
{
	return err_usage(err,
			 "network '%s': only libvirt makes networks (links of kind stream need "
			 "no libvirt)",
			 net->name);
}

static int
net_down(struct vm_host *host, const struct vm_net *net, struct err *err)
{
	return 0;
}

/* ---- start and stop ---- */

static int
launch(struct qemu_vm *v, struct qemu_host *h, const struct vm_spec *spec, char **argv,
       struct err *err)
{
	char *log = xasprintf("%s/%s.qemu.log", h->run_dir, spec->name);
	char *id = xasprintf("NFVCHAIN_ID=%s/%s", spec->chain, spec->name);
	char *place = xasprintf("RUNTIME_DIRECTORY=%s/rt/%s", h->run_dir, spec->name);
	const char *env[] = {id, place, NULL};
	const struct proc_conf conf = {
		.name = "QEMU",
		.argv = argv,
		.env = env,
		.log_path = log,
		.cpus = spec->cpus.n > 0 ? spec->cpus.cpu : NULL,
		.n_cpus = spec->cpus.n,
	};
	int rc = proc_start(&v->proc, &conf, err);

	free(log);
	free(id);
	free(place);
	return rc;
}

static int
start(struct vm **vm, struct vm_host *host, const struct vm_spec *spec, struct err *err)
{
	struct qemu_host *h = (struct qemu_host *)host;
	struct qemu_vm *v;
	char **argv;
	int rc = vm_qemu_argv(spec, h->qemu, &argv, err);

	if (rc < 0)
		return rc;
	v = xcalloc(1, sizeof(*v));
	v->qmp.fd = -1;
	rc = launch(v, h, spec, argv, err);
	vm_argv_free(argv);
	if (rc < 0)
		free(v);
	else
		*vm = &v->base;
	return rc;
}

static void
stop(struct vm *vm)
{
	struct qemu_vm *v = vm_of(vm);

	qmp_close(&v->qmp);
	/* A stopped one would not hear what ends it. */
	freeze_thaw(&v->proc);
	proc_stop(&v->proc, STOP_MS);
	proc_close(&v->proc);
	(void)unlink(vm->spec->channel_path);
	(void)unlink(vm->spec->monitor_path);
	free(v->event);
	free(v);
}

/* ---- state ---- */

/* "guest-shutdown" and the like, in words. */
static char *
shutdown_reason(const json_t *event)
{
	const char *reason = json_string_value(json_at(event, "data.reason"));

	if (reason == NULL)
		return xstrdup("it was switched off");
	if (strcmp(reason, "guest-shutdown") == 0)
		return xstrdup("the guest switched itself off");
	if (strcmp(reason, "guest-reset") == 0)
		return xstrdup("the guest wanted to boot again, as after a panic of its kernel");
	if (strcmp(reason, "host-signal") == 0)
		return xstrdup("somebody sent QEMU a signal");
	return xasprintf("it was switched off (%s)", reason);
}

static void
take_event(struct qemu_vm *v, const char *name, const json_t *event)
{
	if (strcmp(name, "SHUTDOWN") == 0) {
		free(v->event);
		v->event = shutdown_reason(event);
	} else if (strcmp(name, "STOP") == 0) {
		/* Not the reason why: that is asked for. */
		v->state.run = VM_STOPPED;
		str_copy(v->state.why, sizeof(v->state.why), "QEMU has stopped its vCPUs");
		(void)qmp_send(&v->qmp, "query-status");
	} else if (strcmp(name, "RESUME") == 0) {
		v->state = (struct vm_state){.run = VM_RUNNING};
	}
}

static void
take_status(struct qemu_vm *v, const char *status)
{
	if (v->state.run != VM_STOPPED)
		return;
	if (strcmp(status, "internal-error") == 0)
		str_copy(v->state.why, sizeof(v->state.why),
			 "KVM met an internal error and has stopped its vCPUs");
	else
		snprintf(v->state.why, sizeof(v->state.why), "QEMU has stopped its vCPUs (%s)",
			 status);
}

static void
take_message(struct qemu_vm *v, const json_t *msg)
{
	const char *event = json_string_value(json_object_get(msg, "event"));
	const char *status = json_string_value(json_at(msg, "return.status"));

	if (json_object_get(msg, "QMP") != NULL) {
		/* The greeting comes when the machine is made, and with -S not given it runs. */
		(void)qmp_send(&v->qmp, "qmp_capabilities");
		v->state.run = VM_RUNNING;
	} else if (event != NULL) {
		take_event(v, event, msg);
	} else if (status != NULL) {
		take_status(v, status);
	}
}

static void
explain_end(struct qemu_vm *v)
{
	char status[64], words[160];

	v->state.run = VM_ENDED;
	if (v->event != NULL) {
		str_copy(v->state.why, sizeof(v->state.why), v->event);
		return;
	}
	proc_print_status(status, sizeof(status), &v->proc);
	proc_last_words(words, sizeof(words), &v->proc);
	/* Such as what it waited for while it started. */
	if (strstr(words, ": info: ") != NULL)
		words[0] = '\0';
	snprintf(v->state.why, sizeof(v->state.why), "QEMU %s%s%s", status,
		 words[0] != '\0' ? ": " : "", words);
}

static void
get_state(struct vm *vm, struct vm_state *state)
{
	struct qemu_vm *v = vm_of(vm);
	bool alive = proc_alive(&v->proc);
	json_t *msg;
	int rc = 1;

	if (v->qmp.fd < 0 && alive)
		rc = qmp_open(&v->qmp, vm->spec->monitor_path) < 0 ? 0 : 1;
	while (rc > 0) {
		rc = qmp_next(&v->qmp, &msg);
		if (rc > 0)
			take_message(v, msg);
		json_decref(msg);
	}
	if (!alive)
		explain_end(v);
	*state = v->state;
}

/* SIGSTOP leaves the links as they are, which QEMU's own "stop" takes down. */
static int
freeze(struct vm *vm, bool frozen, struct err *err)
{
	struct qemu_vm *v = vm_of(vm);

	if (!frozen)
		freeze_thaw(&v->proc);
	else if (freeze_proc(&v->proc) < 0)
		return err_set(err, ETIMEDOUT, "VM '%s': QEMU does not stop on SIGSTOP",
			       vm->spec->name);
	return 0;
}

/* ---- the agent ---- */

static int
channel(struct vm *vm, int *fd, struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int rc;

	str_copy(addr.sun_path, sizeof(addr.sun_path), vm->spec->channel_path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return err_set(err, errno, "%s", strerror(errno));
	if (connect(*fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		rc = err_set(err, errno, "'%s': %s", addr.sun_path, strerror(errno));
		close(*fd);
		*fd = -1;
		return rc;
	}
	return 0;
}

static int
nic_stats(struct vm *vm, size_t nic, struct vm_nic_stats *stats, struct err *err)
{
	return err_set(err, ENOTSUP, "QEMU does not count what passes through its sockets");
}

/* ---- what is ours ---- */

static int
list(struct vm_host *host, const char *chain, struct vm_found **found, size_t *n, struct err *err)
{
	return vm_qemu_find(chain, ((struct qemu_host *)host)->run_dir, found, n, err);
}

static int
remove_found(struct vm_host *host, const struct vm_found *found, struct err *err)
{
	return vm_qemu_kill(found, err);
}

const struct vm_host_ops vm_host_qemu = {
	.name = "qemu",
	.open = host_open,
	.close = host_close,
	.probe = host_probe,
	.net_up = net_up,
	.net_down = net_down,
	.start = start,
	.state = get_state,
	.channel = channel,
	.nic_stats = nic_stats,
	.freeze = freeze,
	.stop = stop,
	.list = list,
	.remove = remove_found,
};
