/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#include "chain.h"

/* A virtual machine, and what libvirt and QEMU are told to make it.  Pure: texts from a
 * description; vm_host.h starts it.
 *
 * Everything that is made carries the chain's name in it, so that it is found again without a
 * state file: domains in an element of our own namespace, networks (whose metadata libvirt keeps
 * from 9.7 on only) in their UUID, processes of QEMU in NFVCHAIN_ID. */

#define VM_MAX_NICS 8
#define VM_MAX_NAME 64	  /* of a domain: chain, a hyphen, and the VM */
#define VM_FIRST_SLOT 4	  /* slots 0 to 3 of bus 0 are the machine's own and our console's */
#define VM_LAST_SLOT 0x17 /* from 0x18 on q35 puts devices of its own */
#define VM_MIN_RING 256	  /* descriptors of a NIC's queue, a power of two */
#define VM_MAX_RING 1024  /* as many as QEMU has */
#define VM_MAX_QUEUES 16  /* pairs of a NIC */
#define VM_METADATA_URI "urn:nfvchain:libvirt:1"

enum vm_accel {
	VM_ACCEL_KVM,
	VM_ACCEL_TCG, /* emulation: QEMU translates the guest's code */
};

enum vm_link {
	VM_LINK_NETWORK,    /* tap in a bridge, both libvirt's */
	VM_LINK_VHOST_USER, /* queues in shared memory, with a program of the host */
	VM_LINK_STREAM,	    /* frames through a socket, with another QEMU */
};

/* A NIC's place on PCI bus 0 is fixed, so that the guest finds it there. */
struct vm_nic {
	enum vm_link link;
	enum nic_model model; /* NIC_VIRTIO with vhost-user */
	uint8_t mac[6];
	unsigned slot;
	char *network;	  /* network: its name */
	char *tap;	  /* network: name of the host's device */
	char *path;	  /* vhost-user, stream: of the socket */
	bool listens;	  /* QEMU makes that socket */
	unsigned queues;  /* pairs of them, 1 to VM_MAX_QUEUES; a stream has one */
	unsigned ring_rx; /* descriptors, VM_MIN_RING to VM_MAX_RING */
	unsigned ring_tx; /* the same; only vhost-user can have other than 256 */
};

struct vm_spec {
	char *chain;
	char *name; /* of the VM in the chain: "vnf1", "generator" */
	char *kernel;
	char *initrd;  /* or NULL */
	char *cmdline; /* of the kernel */
	unsigned memory_mb;
	unsigned vcpus;
	struct chain_cpus cpus; /* the host's that it may run on; n = 0: all */
	enum vm_accel accel;
	size_t n_nics;
	struct vm_nic nic[VM_MAX_NICS];
	char *console_path; /* what the guest writes to its serial port goes there */
	char *channel;	    /* name of the virtio port that its agent opens */
	/* Sockets that plain QEMU makes for us; libvirt has its own. */
	char *channel_path;
	char *monitor_path;
};

/* A network: a bridge of the host's with nothing else in it, no address, no DHCP, no DNS. */
struct vm_net {
	char *chain;
	char *name;
	char *bridge; /* at most 15 characters */
};

#define VM_UUID_LEN 36

/* Refuses what neither libvirt nor QEMU could make: class ERR_USAGE. */
int vm_spec_check(const struct vm_spec *spec, struct err *err);
int vm_net_check(const struct vm_net *net, struct err *err);
void vm_spec_fini(struct vm_spec *spec);
void vm_net_fini(struct vm_net *net);

/* "CHAIN-NAME", as virsh lists it; for the caller to free. */
char *vm_domain_name(const struct vm_spec *spec);

/* What the domain is told to be; for the caller to free. */
char *vm_domain_xml(const struct vm_spec *spec);
char *vm_network_xml(const struct vm_net *net);

/* UUIDs are not random: they say that a domain or network is ours, and of which chain. */
void vm_domain_uuid(char text[VM_UUID_LEN + 1], const char *chain, const char *name);
void vm_network_uuid(char text[VM_UUID_LEN + 1], const char *chain, const char *name);
/* Is it ours, and of 'chain' ('chain' NULL: of any)? */
bool vm_uuid_is_ours(const char *uuid, const char *chain);
/* The chain that our element of a domain's metadata names, for the caller to free; NULL when it
 * names none.  libvirt finds the element by its URI, and gives it without. */
char *vm_domain_chain(const char *metadata);

/* The command line of plain QEMU, NULL-terminated; for vm_argv_free.  A NIC of a network is
 * refused: only libvirt makes those. */
int vm_qemu_argv(const struct vm_spec *spec, const char *qemu, char ***argv, struct err *err);
void vm_argv_free(char **argv);

const char *vm_accel_name(enum vm_accel accel);
const char *vm_link_name(enum vm_link link);
const char *vm_model_name(enum nic_model model);
