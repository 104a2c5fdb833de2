/* SPDX-License-Identifier: MIT */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#include "kvm_probe.h"
#include "vm.h"

/* Where virtual machines run: libvirt, here or on another machine, or plain QEMU as a child of
 * ours, which needs neither root nor a daemon.  Either way they end when we do, even by SIGKILL;
 * networks are what libvirt keeps, and vm_host_clean finds those again.
 *
 * Names belong to whoever has them: what is not ours is never changed, and a name that it has is
 * refused with a sentence. */

struct vm_host;
struct vm;

struct vm_host_conf {
	const char *uri;     /* libvirt's; NULL: qemu:///system */
	const char *qemu;    /* plain QEMU: its program; NULL: qemu-system-x86_64 */
	const char *run_dir; /* plain QEMU: where its log goes */
};

enum vm_run {
	VM_STARTING, /* also while QEMU waits for the back end of a vhost-user link */
	VM_RUNNING,
	VM_STOPPED, /* its vCPUs stand still: an internal error of KVM */
	VM_ENDED,
};

struct vm_state {
	enum vm_run run;
	char why[256]; /* for VM_STOPPED and VM_ENDED: one sentence */
};

/* Frames at the host's side of a NIC, named as the guest sees them: what did not fit into the
 * guest's queue is 'rx_drops'. */
struct vm_nic_stats {
	uint64_t rx_frames, tx_frames;
	uint64_t rx_drops, tx_drops;
	uint64_t rx_errors, tx_errors;
};

/* A thing of ours that a host has. */
struct vm_found {
	bool is_network;
	char name[VM_MAX_NAME + 1];  /* of the domain or network */
	char chain[VM_MAX_NAME + 1]; /* "" for a network: its UUID has a hash only */
	char uuid[VM_UUID_LEN + 1];  /* "" for plain QEMU */
	int pid;		     /* plain QEMU: its process */
	char run_dir[256];	     /* of a domain: where its console goes, or "" */
};

/* A kind of host.  The functions below call these, after what is the same for all. */
struct vm_host_ops {
	const char *name;
	int (*open)(struct vm_host **host, const struct vm_host_conf *conf, struct err *err);
	void (*close)(struct vm_host *host);
	void (*probe)(struct vm_host *host, struct kvm_probe *probe);
	int (*net_up)(struct vm_host *host, const struct vm_net *net, struct err *err);
	int (*net_down)(struct vm_host *host, const struct vm_net *net, struct err *err);
	int (*start)(struct vm **vm, struct vm_host *host, const struct vm_spec *spec,
		     struct err *err);
	void (*state)(struct vm *vm, struct vm_state *state);
	int (*channel)(struct vm *vm, int *fd, struct err *err);
	int (*nic_stats)(struct vm *vm, size_t nic, struct vm_nic_stats *stats, struct err *err);
	int (*freeze)(struct vm *vm, bool frozen, struct err *err); /* NULL: it cannot */
	void (*stop)(struct vm *vm);
	int (*list)(struct vm_host *host, const char *chain, struct vm_found **found, size_t *n,
		    struct err *err);
	int (*remove)(struct vm_host *host, const struct vm_found *found, struct err *err);
};

/* What each host and VM begins with, whatever its kind. */
struct vm_host {
	const struct vm_host_ops *ops;
};

struct vm {
	struct vm_host *host;
	const struct vm_spec *spec;
};

extern const struct vm_host_ops vm_host_qemu;
/* In a build without libvirt it says so when it is opened: class ERR_MACHINE. */
extern const struct vm_host_ops vm_host_libvirt;

/* "libvirt" or "qemu". */
int vm_host_parse(const char *word, const struct vm_host_ops **ops, struct err *err);

int vm_host_open(struct vm_host **host, const struct vm_host_ops *ops,
		 const struct vm_host_conf *conf, struct err *err);
/* All its VMs must be stopped. */
void vm_host_close(struct vm_host *host);

/* Does KVM work there?  Timed on this machine; of another one its own word is taken. */
void vm_host_probe(struct vm_host *host, struct kvm_probe *probe);

/* Makes a network, or takes it away (one that is not there: 0). */
int vm_net_up(struct vm_host *host, const struct vm_net *net, struct err *err);
int vm_net_down(struct vm_host *host, const struct vm_net *net, struct err *err);

/* Starts a VM and returns while it does.  'spec' stays with the caller, until the VM is stopped. */
int vm_start(struct vm **vm, struct vm_host *host, const struct vm_spec *spec, struct err *err);
/* Ends a VM at once, releases it, and removes the sockets it made.  Takes NULL. */
void vm_stop(struct vm *vm);

void vm_state(struct vm *vm, struct vm_state *state);
/* Waits until it runs: -ECHILD when it has ended or stands still instead, -ETIMEDOUT, or -EINTR
 * when '*stop' is set ('stop' may be NULL). */
int vm_wait_running(struct vm *vm, int ms, const volatile sig_atomic_t *stop, struct err *err);
/* Waits until the first socket that it listens at is there, for its peer to connect to. */
int vm_wait_listening(struct vm *vm, int ms, const volatile sig_atomic_t *stop, struct err *err);
/* Is it running?  Else -ECHILD with the reason. */
int vm_check(struct vm *vm, struct err *err);

/* A descriptor connected to the agent's port of a running VM, for the caller to close: a stream
 * socket. */
int vm_channel(struct vm *vm, int *fd, struct err *err);

/* Counters of NIC 'nic'; -ENOTSUP where nobody counts: at links that are sockets. */
int vm_nic_stats(struct vm *vm, size_t nic, struct vm_nic_stats *stats, struct err *err);

/* Stops a VM where it is, so that it takes no CPU, or lets it go on; its guest does not notice but
 * for the time.  Returns once none of its threads runs.  -ENOTSUP where that cannot be done. */
int vm_freeze(struct vm *vm, bool frozen, struct err *err);

/* What of 'chain' (NULL: of any) the host has, for the caller to free. */
int vm_host_list(struct vm_host *host, const char *chain, struct vm_found **found, size_t *n,
		 struct err *err);
/* Removes one of them; one that is gone meanwhile: 0. */
int vm_host_remove(struct vm_host *host, const struct vm_found *found, struct err *err);
/* Removes all of it: VMs first.  Returns how many things that were; -EEXIST, and nothing is
 * touched, when a VM is of a chain of that name that is up in another run directory. */
int vm_host_clean(struct vm_host *host, const char *chain, struct err *err);
