/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "base/rate.h"
#include "pkt/imix.h"

/* A chain as the user describes it: generator port 0, hops in a row, generator port 1, and a link
 * between each two neighbours.  The grammar is complete and frozen; a kind that is not built yet is
 * known and refused by its name. */

#define CHAIN_MAX_HOPS 16
#define CHAIN_MAX_CPUS 64
#define CHAIN_MAX_WORDS 32

enum link_kind {
	LINK_VHOST_USER,
	LINK_MEMIF,
	LINK_RING,     /* within a process, between hops of kind nfvchain-fwd */
	LINK_VETH,     /* a pair of the kernel's, by af_packet */
	LINK_VETH_XDP, /* the same by AF_XDP */
	LINK_TAP,      /* an interface that one end makes, and the other opens by af_packet */
	LINK_PCAP,     /* no link: what goes in, or comes out, is a file of frames */
	LINK_NETWORK,  /* these two join VMs */
	LINK_STREAM,
	LINK_PCI, /* a cable between two physical ports of this machine */
};

/* NICs that QEMU gives to its guests. */
enum nic_model { NIC_VIRTIO, NIC_E1000, NIC_E1000E };

enum hop_kind {
	HOP_FWD,	  /* nfvchain-fwd */
	HOP_TESTPMD,	  /* dpdk-testpmd */
	HOP_EXEC,	  /* any DPDK program, from a template */
	HOP_LINUX_BRIDGE, /* the kernel's, which has no process */
	HOP_OVS_DPDK,	  /* Open vSwitch with ports of DPDK's */
};

enum generator_kind { GENERATOR_NFVCHAIN, GENERATOR_TREX };
enum hop_place { PLACE_PROCESS, PLACE_VM };

/* An ordered list of CPU numbers; n = 0: chosen by the plan. */
struct chain_cpus {
	int cpu[CHAIN_MAX_CPUS];
	size_t n;
};

struct chain_generator {
	enum generator_kind kind;
	enum hop_place place;
	struct chain_cpus cpus;
	char *at;  /* endpoint of a running TRex, or NULL */
	char *dir; /* of a TRex release, or NULL */
	/* Where a TRex that runs already listens as memif server, port 0 and port 1: its ends of
	 * the outer links; 0 or 2. */
	char *socket[CHAIN_MAX_WORDS];
	size_t n_sockets;
};

struct chain_hop {
	char *name; /* letters, digits, - and _, at most 31; unique; default vnf1, vnf2, ... */
	enum hop_kind kind;
	char *engine; /* poll, event, pipeline; default poll */
	enum hop_place place;
	struct chain_cpus cpus;
	unsigned lcores; /* default 1; testpmd and exec may need one for the main thread beside */
	char *nf[CHAIN_MAX_WORDS]; /* nfvchain-fwd's --nf, in order; default l2fwd */
	size_t n_nf;
	char *command; /* exec: template with {vdev0} {vdev1} {lcores} {prefix} {dest0} {dest1}
			* {addr0} {addr1} {mem}; each word is one argument, no shell */
	char *args[CHAIN_MAX_WORDS]; /* further arguments for nfvchain-fwd (after --) or testpmd; of
				      * ovs-dpdk its other_config, KEY=VALUE */
	size_t n_args;
	bool supervise; /* it is started again when it dies */
};

struct chain_link {
	enum link_kind kind;
	unsigned ring;	      /* descriptors per queue, a power of two, 256 to 32768 (memif, veth,
			       * tap: to 16384; veth-xdp: to 2048; into a VM: to 1024); default 16384
			       * (veth,   veth-xdp: 2048; 1024): at 4 Mpps as long as a hypervisor often
			       * takes   a CPU away, 4 ms */
	unsigned queues;      /* of each port, 1 to 16; both links of a hop have as many */
	enum nic_model model; /* network, stream: of the NICs at both its ends */
	char *address;	      /* pci: of the upstream end's port, "0000:04:00.0", else NULL */
	char *peer;	      /* and of the downstream end's */
	char *file;	      /* pcap: what is read or written, else NULL */
};

struct chain_traffic {
	struct imix frames[16]; /* one measurement for each; default the smallest, 64 */
	size_t n_frames;
	uint32_t flows;	  /* default 1 */
	struct rate rate; /* of the fixed-rate trial, when has_rate */
	bool has_rate;
	bool ipv6;
	uint16_t vlan; /* 0 = none */
};

#define CHAIN_PRESET "quick"

struct chain_bench {
	char *preset; /* see bench/preset.h; default CHAIN_PRESET */
	/* Instead of the preset's own; 0 leaves that. */
	uint64_t trial_ns;
	unsigned repeat; /* searches per frame size */
	double step_ratio;
};

struct chain {
	char *name; /* default "snake"; letters, digits, - and _, at most 32 */
	struct chain_generator generator;
	size_t n_hops;
	struct chain_hop hop[CHAIN_MAX_HOPS];
	struct chain_link link[CHAIN_MAX_HOPS + 1]; /* n_hops + 1 of them */
	struct chain_traffic traffic;
	struct chain_bench bench;
};

/* The chain one gets without a file: 'snake', 'n_hops' forwarders, vhost-user links. */
void chain_default(struct chain *chain, size_t n_hops);
/* Reads a chain file; an error names file, line, column and key.  'chain' is valid (and freeable)
 * in any case. */
int chain_load(struct chain *chain, const char *path, struct err *err);
/* The same, or a chain that goes by a name: "snake" is the default one, "pvp" has its function in a
 * virtual machine between the generator's ports, "pvvp" has two.  A file of such a name is "./pvp".
 */
int chain_open(struct chain *chain, const char *word, struct err *err);
int chain_parse(struct chain *chain, const char *name, const char *text, size_t len,
		struct err *err);
void chain_fini(struct chain *chain);

/* Refuses by name what the grammar knows and this version cannot run, and what cannot work: names
 * used twice, 0 or 17 hops. (chain_load has called it.) */
int chain_check(const struct chain *chain, struct err *err);

/* Makes 'engine' that of all hops of kind nfvchain-fwd; not one of them: refused. */
int chain_set_engine(struct chain *chain, const char *engine, struct err *err);

/* Makes all links those of a kind ("--link: ..." when there is none of that name), each with its
 * default ring unless it had one of its own; "ring" those between hops, the outer ones then being
 * vhost-user.  chain_check says whether they can be. */
int chain_set_links(struct chain *chain, const char *kind, struct err *err);

/* Adds an argument to all hops of kind nfvchain-fwd, unless they have it; not one of them: refused.
 */
int chain_add_arg(struct chain *chain, const char *arg, struct err *err);

/* Is hop 'hop' the kernel's, so that there is no process? */
bool chain_hop_is_kernels(const struct chain *chain, int hop);

/* Where hop 'hop' is; -1 or one behind the last: the generator. */
enum hop_place chain_place(const struct chain *chain, int hop);
/* Is it between two files, so that no generator has a part in it? */
bool chain_has_files(const struct chain *chain);
/* Does link 'i', or any, end in a VM? */
bool chain_link_is_vms(const struct chain *chain, size_t i);
bool chain_has_vms(const struct chain *chain);

/* Words of the grammar. */
const char *link_kind_name(enum link_kind kind);
int link_kind_parse(const char *word, enum link_kind *kind, struct err *err);
const char *hop_kind_name(enum hop_kind kind);
int hop_kind_parse(const char *word, enum hop_kind *kind, struct err *err);

/* Writes the chain as YAML that parses to the same model, for the caller to free. */
char *chain_print(const struct chain *chain);
/* {name, text (the YAML), hops: [{name, kind, engine}], links: [{kind, ring}]}, as results have it.
 */
json_t *chain_to_json(const struct chain *chain);
