/* SPDX-License-Identifier: MIT */
/* VMs and networks of libvirt's, through its C API and any URI.  Both are transient: libvirt
 * forgets them when they end, and domains end with our connection. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#include "vm_host.h"
#include "vm_libvirt_parts.h"

#define DEFAULT_URI "qemu:///system"

struct libvirt_host {
	struct vm_host base;
	virConnectPtr conn;
	bool is_local;
	bool is_qemu; /* and not libvirt's test driver, which knows fewer flags */
};

struct libvirt_vm {
	struct vm base;
	struct libvirt_host *h;
	char uuid[VM_UUID_LEN + 1];
	char *xml;
	pthread_t thread; /* makes the domain, which can take until a back end connects */
	atomic_bool is_made;
	int callback; /* of its events, -1: none */
	pthread_mutex_t lock;
	/* Under the lock. */
	virDomainPtr dom; /* NULL before it is made, and when that failed */
	struct vm_state state;
};

static struct libvirt_host *
host_of(struct vm_host *host)
{
	return (struct libvirt_host *)host;
}

static struct libvirt_vm *
vm_of(struct vm *vm)
{
	return (struct libvirt_vm *)vm;
}

/* ---- connection ---- */

int
vm_libvirt_error(struct err *err, int errnum, const char *what)
{
	const char *text = virGetLastErrorMessage();

	return err_set(err, errnum, "%s: %s", what, text);
}

static bool
is_local(const char *uri)
{
	const char *colon = strstr(uri, "://");

	/* "qemu:///system", "test:///default": no host, and no transport but a socket here. */
	return colon != NULL && colon[3] == '/' && memchr(uri, '+', (size_t)(colon - uri)) == NULL;
}

static int
host_open(struct vm_host **host, const struct vm_host_conf *conf, struct err *err)
{
	const char *uri = conf->uri != NULL ? conf->uri : DEFAULT_URI;
	struct libvirt_host *h;
	int rc = vm_libvirt_loop_hold(err);

	if (rc < 0)
		return rc;
	h = xcalloc(1, sizeof(*h));
	h->conn = virConnectOpen(uri);
	if (h->conn == NULL) {
		rc = err_machine(err, "libvirt at '%s' does not answer: %s", uri,
				 virGetLastErrorMessage());
		free(h);
		vm_libvirt_loop_release();
		return rc;
	}
	h->is_local = is_local(uri);
	h->is_qemu = strcmp(virConnectGetType(h->conn), "QEMU") == 0;
	/* Tells of a machine far away that has died; drivers in this process have none. */
	(void)virConnectSetKeepAlive(h->conn, 5, 3);
	*host = &h->base;
	return 0;
}

static void
host_close(struct vm_host *host)
{
	struct libvirt_host *h = host_of(host);

	virConnectClose(h->conn);
	free(h);
	vm_libvirt_loop_release();
}

/* What another machine says of itself; that it makes VMs does not prove that they run. */
static void
probe_far(struct libvirt_host *h, struct kvm_probe *probe)
{
	char *text = virConnectGetDomainCapabilities(h->conn, NULL, "x86_64", "q35", "kvm", 0);

	*probe = (struct kvm_probe){.works = text != NULL};
	snprintf(probe->why, sizeof(probe->why),
		 text != NULL ? "libvirt at the other machine offers it (nothing was timed)"
			      : "libvirt at the other machine does not offer it");
	free(text);
}

static void
host_probe(struct vm_host *host, struct kvm_probe *probe)
{
	struct libvirt_host *h = host_of(host);

	if (h->is_local)
		kvm_probe_run(probe);
	else
		probe_far(h, probe);
}

/* ---- networks ---- */

/* Is the network of that name ours, and of that chain?  Else a sentence. */
static int
check_owner(virNetworkPtr net, const struct vm_net *want, struct err *err)
{
	char uuid[VIR_UUID_STRING_BUFLEN];

	if (virNetworkGetUUIDString(net, uuid) < 0)
		return vm_libvirt_error(err, EIO, "UUID");
	if (!vm_uuid_is_ours(uuid, NULL))
		return err_set(err, EEXIST,
			       "libvirt has a network of that name that is not ours "
			       "(it stays as it is; rename one of them)");
	if (!vm_uuid_is_ours(uuid, want->chain))
		return err_set(err, EEXIST, "it is another chain's of ours");
	return 0;
}

static int
net_up(struct vm_host *host, const struct vm_net *net, struct err *err)
{
	struct libvirt_host *h = host_of(host);
	virNetworkPtr made = virNetworkLookupByName(h->conn, net->name);
	char *xml;
	int rc = 0;

	if (made != NULL) {
		rc = check_owner(made, net, err);
		if (rc == 0)
			rc = err_set(err, EEXIST, "it is there already");
		virNetworkFree(made);
		return err_wrap(err, rc, "network '%s'", net->name);
	}
	xml = vm_network_xml(net);
	made = virNetworkCreateXML(h->conn, xml);
	free(xml);
	if (made == NULL)
		rc = vm_libvirt_error(err, EIO, "not made");
	else
		virNetworkFree(made);
	return err_wrap(err, rc, "network '%s'", net->name);
}

static int
net_down(struct vm_host *host, const struct vm_net *net, struct err *err)
{
	virNetworkPtr found = virNetworkLookupByName(host_of(host)->conn, net->name);
	int rc;

	if (found == NULL)
		return 0;
	rc = check_owner(found, net, err);
	if (rc == 0 && virNetworkDestroy(found) < 0)
		rc = vm_libvirt_error(err, EIO, "not taken away");
	virNetworkFree(found);
	return err_wrap(err, rc, "network '%s'", net->name);
}

/* ---- events ---- */

static void
set_state(struct libvirt_vm *v, enum vm_run run, const char *why)
{
	pthread_mutex_lock(&v->lock);
	/* What ended it, and not what that led to. */
	if (v->state.run != VM_ENDED) {
		v->state.run = run;
		str_copy(v->state.why, sizeof(v->state.why), why);
	}
	pthread_mutex_unlock(&v->lock);
}

static const char *
stop_reason(int detail)
{
	static const char *const reasons[] = {
		[VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN] = "the guest switched itself off",
		[VIR_DOMAIN_EVENT_STOPPED_DESTROYED] = "somebody destroyed the domain",
		[VIR_DOMAIN_EVENT_STOPPED_CRASHED] = "its kernel panicked",
		[VIR_DOMAIN_EVENT_STOPPED_MIGRATED] = "it was moved to another host",
		[VIR_DOMAIN_EVENT_STOPPED_SAVED] = "somebody saved the domain",
		[VIR_DOMAIN_EVENT_STOPPED_FAILED] = "QEMU has died",
	};

	if (detail < 0 || (size_t)detail >= N_ELEMS(reasons) || reasons[detail] == NULL)
		return "libvirt says so";
	return reasons[detail];
}

static int
on_event(virConnectPtr conn, virDomainPtr dom, int event, int detail, void *opaque)
{
	struct libvirt_vm *v = opaque;
	char uuid[VIR_UUID_STRING_BUFLEN];

	if (virDomainGetUUIDString(dom, uuid) < 0 || strcmp(uuid, v->uuid) != 0)
		return 0;
	if (event == VIR_DOMAIN_EVENT_SUSPENDED)
		set_state(v, VM_STOPPED, "QEMU has stopped its vCPUs, as KVM's errors make it");
	else if (event == VIR_DOMAIN_EVENT_RESUMED)
		set_state(v, VM_RUNNING, "");
	else if (event == VIR_DOMAIN_EVENT_STOPPED)
		set_state(v, VM_ENDED, stop_reason(detail));
	else if (event == VIR_DOMAIN_EVENT_CRASHED)
		set_state(v, VM_ENDED, "its kernel panicked");
	return 0;
}

/* ---- VMs ---- */

static void *
make_domain(void *arg)
{
	struct libvirt_vm *v = arg;
	/* The test driver knows neither flag. */
	unsigned flags =
		v->h->is_qemu ? VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_VALIDATE : 0;
	virDomainPtr dom = virDomainCreateXML(v->h->conn, v->xml, flags);

	if (dom == NULL)
		set_state(v, VM_ENDED, virGetLastErrorMessage());
	pthread_mutex_lock(&v->lock);
	v->dom = dom;
	/* An event may have told that it stands still, or has ended, by now. */
	if (dom != NULL && v->state.run == VM_STARTING)
		v->state.run = VM_RUNNING;
	pthread_mutex_unlock(&v->lock);
	atomic_store(&v->is_made, true);
	return NULL;
}

static int
check_name_free(struct libvirt_host *h, const struct vm_spec *spec, struct err *err)
{
	char *name = vm_domain_name(spec);
	virDomainPtr dom = virDomainLookupByName(h->conn, name);
	char uuid[VIR_UUID_STRING_BUFLEN] = "";
	int rc = 0;

	if (dom != NULL) {
		(void)virDomainGetUUIDString(dom, uuid);
		rc = err_set(err, EEXIST,
			     vm_uuid_is_ours(uuid, spec->chain)
				     ? "domain '%s' is there already"
				     : "libvirt has a domain '%s' that is not ours (it stays as "
				       "it is; rename one of them)",
			     name);
		virDomainFree(dom);
	}
	free(name);
	return rc;
}

static void
vm_free(struct libvirt_vm *v)
{
	if (v->callback >= 0)
		virConnectDomainEventDeregisterAny(v->h->conn, v->callback);
	if (v->dom != NULL)
		virDomainFree(v->dom);
	pthread_mutex_destroy(&v->lock);
	free(v->xml);
	free(v);
}

static int
start(struct vm **vm, struct vm_host *host, const struct vm_spec *spec, struct err *err)
{
	struct libvirt_host *h = host_of(host);
	struct libvirt_vm *v;
	int rc = check_name_free(h, spec, err);

	if (rc < 0)
		return rc;
	v = xcalloc(1, sizeof(*v));
	v->h = h;
	v->xml = vm_domain_xml(spec);
	vm_domain_uuid(v->uuid, spec->chain, spec->name);
	pthread_mutex_init(&v->lock, NULL);
	v->callback =
		virConnectDomainEventRegisterAny(h->conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
						 VIR_DOMAIN_EVENT_CALLBACK(on_event), v, NULL);
	if (v->callback < 0)
		rc = vm_libvirt_error(err, EIO, "events");
	if (rc == 0 && pthread_create(&v->thread, NULL, make_domain, v) != 0)
		rc = err_set(err, EAGAIN, "no thread for it");
	if (rc < 0)
		vm_free(v);
	else
		*vm = &v->base;
	return rc;
}

static void
get_state(struct vm *vm, struct vm_state *state)
{
	struct libvirt_vm *v = vm_of(vm);

	pthread_mutex_lock(&v->lock);
	*state = v->state;
	pthread_mutex_unlock(&v->lock);
}

/* A domain that waits for its back end is there already, though not yet made: it is looked up,
 * until the thread that makes it has an end. */
static void
stop(struct vm *vm)
{
	struct libvirt_vm *v = vm_of(vm);

	while (!atomic_load(&v->is_made)) {
		virDomainPtr dom = virDomainLookupByUUIDString(v->h->conn, v->uuid);

		if (dom != NULL) {
			(void)virDomainDestroy(dom);
			virDomainFree(dom);
		}
		clock_sleep_ms(20);
	}
	pthread_join(v->thread, NULL);
	if (v->dom != NULL)
		(void)virDomainDestroy(v->dom);
	vm_free(v);
}

static int
channel(struct vm *vm, int *fd, struct err *err)
{
	struct libvirt_vm *v = vm_of(vm);

	if (!atomic_load(&v->is_made) || v->dom == NULL)
		return err_set(err, ENOTCONN, "the domain is not made yet");
	return vm_libvirt_channel(v->dom, vm->spec->channel, fd, err);
}

static uint64_t
known(long long value)
{
	return value > 0 ? (uint64_t)value : 0;
}

static int
nic_stats(struct vm *vm, size_t nic, struct vm_nic_stats *stats, struct err *err)
{
	struct libvirt_vm *v = vm_of(vm);
	virDomainInterfaceStatsStruct s;

	if (nic >= vm->spec->n_nics || vm->spec->nic[nic].link != VM_LINK_NETWORK)
		return err_set(err, ENOTSUP, "nobody counts at a link that is a socket");
	if (!atomic_load(&v->is_made) || v->dom == NULL)
		return err_set(err, ENOTCONN, "the domain is not made yet");
	if (virDomainInterfaceStats(v->dom, vm->spec->nic[nic].tap, &s, sizeof(s)) < 0)
		return vm_libvirt_error(err, EIO, "counters");
	*stats = (struct vm_nic_stats){
		.rx_frames = known(s.rx_packets),
		.tx_frames = known(s.tx_packets),
		.rx_drops = known(s.rx_drop),
		.tx_drops = known(s.tx_drop),
		.rx_errors = known(s.rx_errs),
		.tx_errors = known(s.tx_errs),
	};
	return 0;
}

/* ---- what is ours ---- */

static int
list(struct vm_host *host, const char *chain, struct vm_found **found, size_t *n, struct err *err)
{
	return vm_libvirt_find(host_of(host)->conn, chain, found, n, err);
}

static int
remove_found(struct vm_host *host, const struct vm_found *found, struct err *err)
{
	return vm_libvirt_drop(host_of(host)->conn, found, err);
}

const struct vm_host_ops vm_host_libvirt = {
	.name = "libvirt",
	.open = host_open,
	.close = host_close,
	.probe = host_probe,
	.net_up = net_up,
	.net_down = net_down,
	.start = start,
	.state = get_state,
	.channel = channel,
	.nic_stats = nic_stats,
	.stop = stop,
	.list = list,
	.remove = remove_found,
};
