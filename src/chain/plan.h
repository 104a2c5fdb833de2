/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "chain.h"
#include "vm_boot.h"

/* What will run where: processes with their full command lines, sockets, addresses, CPUs.  Pure:
 * the same chain and facts give the same plan, and nothing is touched. */

struct plan_facts {
	const char *run_dir;	   /* run directory of this chain */
	struct chain_cpus allowed; /* CPUs we may use */
	const char *bin_dir;	   /* where nfvchain-gen and nfvchain-fwd lie */
	const char *testpmd;	   /* "dpdk-testpmd" */
	bool trex_ports;	   /* generator's RPC on tcp 127.0.0.1:4501 and 4500 */
	bool verbose;		   /* show the command lines when the plan is printed */
	char arm; /* of several chains of a name that are up at once: its letter, or '\0' */
	/* For chains with VMs. */
	const char *guest_kernel; /* what they boot */
	const char *guest_initrd;
	const char *connect;	      /* libvirt's URI; NULL: as the links need it */
	struct vm_accel_choice accel; /* as the probe found it */
	uint16_t file_max_frame;      /* longest frame of the file that a chain reads, with FCS */
	/* For chains with a real TRex. */
	uint8_t trex_mac[2][6]; /* of its ports, when it runs already */
	uint16_t trex_port[2];	/* of this machine, for requests and for its doorbell */
	unsigned trex_mb;	/* what its release takes in a guest */
	bool force;		/* take its ports from others */
};

#define PLAN_MAX_PROCS (CHAIN_MAX_HOPS + 1)
#define PLAN_MAX_ARGV 384 /* as many hops as there can be, in one process */

/* A process here, or in a VM: then 'cpus' are its vCPUs' and all paths but 'log_path' are the
 * guest's. */
struct plan_proc {
	char *name; /* "generator", the hop's name, or "vnf1+vnf2" of the first of those that are
		     * one process */
	bool in_vm;
	int hop;	/* index, or -1 for the generator */
	bool elsewhere; /* it runs already, or there is none: we neither start nor end it */
	bool kernels;	/* the kernel does it, there is no process */
	char *argv[PLAN_MAX_ARGV]; /* NULL-terminated, owned */
	size_t argc;
	char *env[8]; /* "NAME=value", NULL-terminated, owned */
	size_t n_env;
	struct chain_cpus cpus;	    /* the process may run there, and nowhere else */
	struct chain_cpus own_cpus; /* of those, the hop's, when other hops are in the process too;
				     * else none */
	size_t fused_into; /* index of the process that runs it, the first one's of the hops that
			    * rings join; 0: its own */
	bool ours;	   /* understands --lifeline */
	bool in_ns;	   /* it lives in a network namespace of its own */
	char *log_path;
	char *rt_dir;	      /* its RUNTIME_DIRECTORY */
	char *control_path;   /* nfvchain-fwd's control socket, or NULL */
	char *telemetry_path; /* DPDK's, for programs that are not ours */
	char *cwd;	      /* or NULL */
	char *file_path;      /* what it reads at its start, or NULL */
	char *file_text;
	char *listens[2]; /* sockets that exist once it is ready, or NULL */
	char *ready_path; /* a file that exists then, or NULL */
};

struct plan_vm {
	int hop; /* index, or -1 for the generator */
	struct vm_spec spec;
	char *image_initrd; /* the image's, when its own initrd is that and a TRex release */
};

/* A link of the kernel's: two interfaces in network namespaces of the chain's own, one for each
 * neighbour; or a tap, which is one of that name, made by the program at one end and given into the
 * namespace of the other. */
struct plan_pair {
	size_t link;
	enum link_kind kind;
	int tap_end;   /* whose program makes it: 0 the upstream one's, 1; -1: we make both */
	char *name[2]; /* the upstream end's, the downstream end's */
	uint8_t mac[2][6];
	unsigned mtu;
	unsigned ring;
};

struct chain_plan {
	size_t n_procs;
	struct plan_proc proc[PLAN_MAX_PROCS]; /* in start order: generator, hop 1 ... N */
	uint8_t gen_mac[2][6];
	uint8_t hop_mac[CHAIN_MAX_HOPS][2][6];
	char *rpc_endpoint; /* in the guest, when the generator is in one */
	char *pub_endpoint; /* or NULL */
	bool force;	    /* take the ports of a TRex that runs already from others */
	bool trex_ports;    /* of a generator in a guest: those two are reached here too */
	uint16_t max_frame; /* largest frame of the chain, with FCS */
	bool shared_cpus;   /* a hop shares its CPU: it yields when idle */
	bool verbose;	    /* chain_plan_print shows the command lines too */
	size_t n_vms;	    /* 0 as long as the chain has none; the rest is then empty */
	char *vm_chain; /* what VMs and networks are marked with: the chain's name, and the arm */
	struct plan_vm vm[PLAN_MAX_PROCS];
	size_t n_nets;
	struct vm_net net[CHAIN_MAX_HOPS + 1];
	size_t n_pairs; /* 0: no link is the kernel's */
	struct plan_pair pair[CHAIN_MAX_HOPS + 1];
	char *connect; /* URI of the libvirt that they run under; NULL: plain QEMU */
	struct vm_accel_choice accel;
	char *warnings[8]; /* sentences a person should read; NULL-terminated */
};

/* A hop that another hop's process runs. */
static inline bool
plan_proc_is_fused(const struct plan_proc *proc)
{
	return proc->fused_into != 0;
}

/* Index of the process that runs the i-th. */
static inline size_t
plan_runner(const struct chain_plan *plan, size_t i)
{
	return plan_proc_is_fused(&plan->proc[i]) ? plan->proc[i].fused_into : i;
}

/* A process of ours on this machine. */
static inline bool
plan_proc_is_here(const struct plan_proc *proc)
{
	return !proc->in_vm && !proc->elsewhere && !proc->kernels && !plan_proc_is_fused(proc);
}

/* Refuses, with a sentence, what cannot run: CPUs that are not there, socket paths of more than 107
 * characters, a template without {vdev0}. */
int chain_plan_make(struct chain_plan *plan, const struct chain *chain,
		    const struct plan_facts *facts, struct err *err);
void chain_plan_fini(struct chain_plan *plan);

/* What names of the host's network devices begin with that a chain of that name makes: bridges,
 * taps; for the caller to free. */
char *plan_device_prefix(const char *chain);

/* For people: the chain in one line, a table of processes with CPUs, the links, the warnings and,
 * when the plan is verbose, each command line as one could type it.  For the caller to free. */
char *chain_plan_print(const struct chain_plan *plan, const struct chain *chain);
json_t *chain_plan_to_json(const struct chain_plan *plan, const struct chain *chain);
