/* SPDX-License-Identifier: MIT */
/* VMs and networks of libvirt's, through its C API and any URI.  Both are transient: libvirt
 * forgets them when they end, and domains end with our connection. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#include "vm_host.h"
#include "vm_libvirt_parts.h"

#define DEFAULT_URI "qemu:///system"

/* Patience with a libvirtd that is being started anew. */
#define REVIVE_MS 10000

struct libvirt_host {
	struct vm_host base;
	virConnectPtr conn;
	virConnectPtr fresh; /* for taking down, when that one broke; or NULL */
	bool given_up;	     /* nobody answered then */
	char *uri;
	bool is_local;
	bool is_qemu; /* and not libvirt's test driver, which knows fewer flags */
	int callback; /* of events; libvirt takes one for all domains of a connection */
	pthread_mutex_t lock;
	struct libvirt_vm *vms; /* under the lock */
};

struct libvirt_vm {
	struct vm base;
	struct libvirt_host *h;
	char uuid[VM_UUID_LEN + 1];
	char *xml;
	pthread_t thread; /* makes the domain, which can take until a back end connects */
	atomic_bool is_made;
	/* Under the host's lock. */
	struct libvirt_vm *next;
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

/* The connection, made anew when libvirtd was started anew meanwhile: what is ours must go from the
 * new one.  NULL when nobody answers. */
static virConnectPtr
alive(struct libvirt_host *h)
{
	struct deadline d = deadline_in_ms(REVIVE_MS);

	if (virConnectIsAlive(h->conn) == 1)
		return h->conn;
	if (h->fresh != NULL && virConnectIsAlive(h->fresh) == 1)
		return h->fresh;
	if (h->fresh != NULL)
		virConnectClose(h->fresh);
	/* It may be about to come. */
	while ((h->fresh = virConnectOpen(h->uri)) == NULL && !h->given_up && !deadline_passed(&d))
		clock_sleep_ms(100);
	h->given_up = h->fresh == NULL;
	return h->fresh;
}

static int
nobody_answers(struct libvirt_host *h, struct err *err)
{
	return err_set(err, ENOTCONN, "libvirt at '%s' does not answer any more", h->uri);
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
	struct libvirt_host *h = host_of(host);
	virConnectPtr conn = alive(h);
	virNetworkPtr found = conn != NULL ? virNetworkLookupByName(conn, net->name) : NULL;
	int rc;

	if (conn == NULL)
		return err_wrap(err, nobody_answers(h, err), "network '%s' may be left", net->name);
	if (found == NULL)
		return 0;
	rc = check_owner(found, net, err);
	if (rc == 0 && virNetworkDestroy(found) < 0)
		rc = vm_libvirt_error(err, EIO, "not taken away");
	virNetworkFree(found);
	return err_wrap(err, rc, "network '%s'", net->name);
}

/* ---- events ---- */

/* Under the lock. */
static void
set_state(struct libvirt_vm *v, enum vm_run run, const char *why)
{
	/* What ended it, and not what that led to. */
	if (v->state.run == VM_ENDED)
		return;
	v->state.run = run;
	str_copy(v->state.why, sizeof(v->state.why), why);
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

static void
take_event(struct libvirt_vm *v, int event, int detail)
{
	if (event == VIR_DOMAIN_EVENT_SUSPENDED)
		set_state(v, VM_STOPPED, "QEMU has stopped its vCPUs, as KVM's errors make it");
	else if (event == VIR_DOMAIN_EVENT_RESUMED)
		set_state(v, VM_RUNNING, "");
	else if (event == VIR_DOMAIN_EVENT_STOPPED)
		set_state(v, VM_ENDED, stop_reason(detail));
	else if (event == VIR_DOMAIN_EVENT_CRASHED)
		set_state(v, VM_ENDED, "its kernel panicked");
}

static int
on_event(virConnectPtr conn, virDomainPtr dom, int event, int detail, void *opaque)
{
	struct libvirt_host *h = opaque;
	char uuid[VIR_UUID_STRING_BUFLEN];

	if (virDomainGetUUIDString(dom, uuid) < 0)
		return 0;
	pthread_mutex_lock(&h->lock);
	for (struct libvirt_vm *v = h->vms; v != NULL; v = v->next)
		/* Before it is made, events are those of an earlier one of that name. */
		if (strcmp(uuid, v->uuid) == 0 && v->dom != NULL)
			take_event(v, event, detail);
	pthread_mutex_unlock(&h->lock);
	return 0;
}

/* ---- the host ---- */

static void
host_close(struct vm_host *host)
{
	struct libvirt_host *h = host_of(host);

	if (h->callback >= 0)
		virConnectDomainEventDeregisterAny(h->conn, h->callback);
	virConnectClose(h->conn);
	if (h->fresh != NULL)
		virConnectClose(h->fresh);
	pthread_mutex_destroy(&h->lock);
	free(h->uri);
	free(h);
	vm_libvirt_loop_release();
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
	h->uri = xstrdup(uri);
	h->conn = virConnectOpen(uri);
	if (h->conn == NULL) {
		rc = err_machine(err, "libvirt at '%s' does not answer: %s", uri,
				 virGetLastErrorMessage());
		free(h->uri);
		free(h);
		vm_libvirt_loop_release();
		return rc;
	}
	h->is_local = is_local(uri);
	h->is_qemu = strcmp(virConnectGetType(h->conn), "QEMU") == 0;
	/* Tells of a machine far away that has died; drivers in this process have none. */
	(void)virConnectSetKeepAlive(h->conn, 5, 3);
	pthread_mutex_init(&h->lock, NULL);
	h->callback =
		virConnectDomainEventRegisterAny(h->conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
						 VIR_DOMAIN_EVENT_CALLBACK(on_event), h, NULL);
	*host = &h->base;
	if (h->callback >= 0)
		return 0;
	rc = vm_libvirt_error(err, EIO, "events");
	host_close(&h->base);
	return rc;
}

/* ---- VMs ---- */

static void
look(struct libvirt_vm *v)
{
	int state = VIR_DOMAIN_SHUTOFF;
	bool is_gone = virDomainGetState(v->dom, &state, NULL, 0) < 0;

	pthread_mutex_lock(&v->h->lock);
	if (is_gone || state == VIR_DOMAIN_SHUTOFF || state == VIR_DOMAIN_CRASHED)
		set_state(v, VM_ENDED, "QEMU ended as soon as it had begun");
	else if (state == VIR_DOMAIN_PAUSED)
		take_event(v, VIR_DOMAIN_EVENT_SUSPENDED, 0);
	pthread_mutex_unlock(&v->h->lock);
}

/* A tap is an interface of the host's as well, whose own neighbour discovery the guest would hear.
 * Where libvirt is another machine's there is no such file. */
static void
silence_taps(const struct vm_spec *spec)
{
	for (size_t i = 0; i < spec->n_nics; i++) {
		char *path;
		int fd;

		if (spec->nic[i].tap == NULL)
			continue;
		path = xasprintf("/proc/sys/net/ipv6/conf/%s/disable_ipv6", spec->nic[i].tap);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			(void)!write(fd, "1", 1);
			close(fd);
		}
		free(path);
	}
}

static void *
make_domain(void *arg)
{
	struct libvirt_vm *v = arg;
	/* The test driver knows neither flag. */
	unsigned flags =
		v->h->is_qemu ? VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_VALIDATE : 0;
	virDomainPtr dom = virDomainCreateXML(v->h->conn, v->xml, flags);

	pthread_mutex_lock(&v->h->lock);
	v->dom = dom;
	if (dom == NULL)
		set_state(v, VM_ENDED, virGetLastErrorMessage());
	if (dom != NULL)
		silence_taps(v->base.spec);
	if (dom != NULL)
		set_state(v, VM_RUNNING, "");
	pthread_mutex_unlock(&v->h->lock);
	/* What happened until then was told too early. */
	if (dom != NULL)
		look(v);
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

/* Takes it out of the host's list, to which it belongs. */
static void
vm_free(struct libvirt_vm *v)
{
	pthread_mutex_lock(&v->h->lock);
	for (struct libvirt_vm **p = &v->h->vms; *p != NULL; p = &(*p)->next)
		if (*p == v) {
			*p = v->next;
			break;
		}
	pthread_mutex_unlock(&v->h->lock);
	if (v->dom != NULL)
		virDomainFree(v->dom);
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
	v->base.spec = spec;
	v->h = h;
	v->xml = vm_domain_xml(spec);
	vm_domain_uuid(v->uuid, spec->chain, spec->name);
	pthread_mutex_lock(&h->lock);
	v->next = h->vms;
	h->vms = v;
	pthread_mutex_unlock(&h->lock);
	if (pthread_create(&v->thread, NULL, make_domain, v) != 0)
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

	pthread_mutex_lock(&v->h->lock);
	/* Without its events nobody knows how the domain is. */
	if (v->state.run == VM_RUNNING && virConnectIsAlive(v->h->conn) == 0)
		set_state(v, VM_ENDED, "libvirtd has ended, or was started anew");
	*state = v->state;
	pthread_mutex_unlock(&v->h->lock);
	/* It runs, but libvirt is still being asked whether it does. */
	if (state->run == VM_RUNNING && !atomic_load(&v->is_made))
		state->run = VM_STARTING;
}

/* Looked up anew, for the connection that it was made by may be broken. */
static void
destroy(struct libvirt_vm *v)
{
	virConnectPtr conn = alive(v->h);
	virDomainPtr dom = conn != NULL ? virDomainLookupByUUIDString(conn, v->uuid) : NULL;

	if (dom == NULL)
		return;
	(void)virDomainDestroy(dom);
	virDomainFree(dom);
}

/* A domain that waits for its back end is there already, though not yet made: it is looked up,
 * until the thread that makes it has an end. */
static void
stop(struct vm *vm)
{
	struct libvirt_vm *v = vm_of(vm);

	while (!atomic_load(&v->is_made)) {
		destroy(v);
		clock_sleep_ms(20);
	}
	pthread_join(v->thread, NULL);
	destroy(v);
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
