/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/str.h"

#include "plan.h"

/* What plan.c, plan_argv.c and plan_print.c share.  Index -1 stands for the generator, and link i
 * lies before hop i. */

#define PLAN_MEM_MB 256		 /* for programs that are not ours, at least */
#define PLAN_MEM_EXTRA_MB 96	 /* of that, what is not buffers */
#define PLAN_MIN_ROOM 2048	 /* bytes of a buffer behind its headroom */
#define PLAN_XDP_BUFFER 3904	 /* with its mbuf and the pool's header a whole page */
#define PLAN_SOCKET_PATH_MAX 107 /* what sun_path holds beside its NUL */

const struct plan_proc *plan_proc_of(const struct chain_plan *plan, int hop);
/* The link at 'port' of a hop or of the generator. */
size_t plan_link_of(const struct chain *chain, int hop, int port);
/* Does that end make the socket of its link? */
bool plan_is_listener(const struct chain *chain, int hop, int port);
char *plan_link_path(const struct chain *chain, const char *run_dir, size_t link);

/* Lcores that keep a CPU busy: the hop's, one for the generator. */
unsigned plan_n_lcores(const struct chain *chain, int hop);
/* CPU of lcore 'i' of 'n': lcores beyond the CPUs there are share them in blocks. */
int plan_lcore_cpu(const struct chain_cpus *cpus, unsigned i, unsigned n);
/* Does a lcore of that process share its CPU with another of the chain? */
bool plan_shares_cpu(const struct chain_plan *plan, const struct chain *chain, int hop);
/* EAL's --lcores value of a process: "0@1", "0@1,1@2". */
char *plan_lcores(const struct chain_plan *plan, const struct chain *chain, int hop);

/* ---- plan_rows.c: hops in one process ---- */

/* The first and the last of the hops that rings join with this one; itself where none do. */
int plan_row_first(const struct chain *chain, int hop);
int plan_row_last(const struct chain *chain, int hop);
/* "vnf1+vnf2", of those from 'hop' on, the first one; for the caller to free. */
char *plan_row_name(const struct chain *chain, int hop);
/* Have two hops one lcore between them? */
bool plan_same_lcore(const struct chain_plan *plan, const struct chain *chain, int a, int b);
/* The first of a hop's lcores, by number in its process; all of them as EAL's mask; all of them, or
 * all of the process, as EAL's --lcores. */
unsigned plan_first_lcore(const struct chain_plan *plan, const struct chain *chain, int hop);
uint64_t plan_lcore_mask(const struct chain_plan *plan, const struct chain *chain, int hop);
char *plan_hop_lcores(const struct chain_plan *plan, const struct chain *chain, int hop);
char *plan_row_lcores(const struct chain_plan *plan, const struct chain *chain, int hop);
/* The CPUs of a hop itself. */
const struct chain_cpus *plan_own_cpus(const struct plan_proc *proc);
/* Says who runs whom, once CPUs and sockets are there. */
int plan_rows(struct chain_plan *plan, const struct chain *chain, struct err *err);
void plan_print_rows(struct str *out, const struct chain_plan *plan, const struct chain *chain);

/* Room for the data of the largest frame: whole cache lines, never below PLAN_MIN_ROOM. */
unsigned plan_buffer_room(uint16_t max_frame);

/* Is it in a VM?  Has link 'link' an end in such a place? */
bool plan_in_vm(const struct chain *chain, int hop);
bool plan_link_has(const struct chain *chain, size_t link, enum hop_place place);
/* Where a VM's NIC of that port is, as EAL's -a takes it; for the caller to free. */
char *plan_pci_address(int port);
/* Adds the VMs and networks of the chain; processes, CPUs and addresses are there. */
int plan_vms(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts,
	     struct err *err);
void plan_vms_fini(struct chain_plan *plan);
void plan_print_vms(struct str *out, const struct chain_plan *plan);
void plan_print_vm_texts(struct str *out, const struct chain_plan *plan);
void plan_vms_to_json(json_t *json, const struct chain_plan *plan);
/* A word as a shell reads it back. */
void plan_add_quoted(struct str *out, const char *word);

/* Is a link of this kind made of interfaces of the kernel's? */
bool plan_is_kernels(enum link_kind kind);
/* Does a socket join the ends of such a link? */
bool plan_has_socket(enum link_kind kind);
/* PCI address of 'port' of a process at a pci link, or NULL; points into the chain. */
const char *plan_pci_port(const struct chain *chain, int hop, int port);
/* Which end of its link 'port' of a process is: 0 upstream, 1 downstream. */
int plan_end_of(int hop, int port);
/* Name of the interface at that end of link 'link', for the caller to free. */
char *plan_iface(const struct chain_plan *plan, const struct chain *chain, size_t link, int end);
/* Which end's program makes the tap of a link: 0 upstream, 1 downstream; -1: it is none. */
int plan_tap_end(const struct chain *chain, size_t link);
/* The process that makes the tap of 'pair', which is one. */
const struct plan_proc *plan_tap_owner(const struct chain_plan *plan, const struct plan_pair *pair);
/* MTU of the interfaces that carry the chain's largest frame. */
unsigned plan_mtu(uint16_t max_frame);
/* Largest frame, with FCS, that links of this kind carry. */
uint16_t plan_link_max_frame(enum link_kind kind);
/* Address of the port at the other end of the link at 'port' of a hop or of the generator: where
 * what leaves by it is sent.  Bridges forward what comes and change no address, so it is the next
 * one beyond them. */
const uint8_t *plan_peer_mac(const struct chain_plan *plan, const struct chain *chain, int hop,
			     int port);
/* What af_packet maps: 'count' frames of 'frame' bytes in blocks of 'block'. */
struct plan_packet_ring {
	unsigned frame, block, count;
};
struct plan_packet_ring plan_packet_ring(uint16_t max_frame, unsigned ring);
/* Adds the interfaces of the chain's links; addresses and the largest frame are there.  Refuses
 * frames that a link cannot carry. */
int plan_links(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts,
	       struct err *err);
void plan_links_fini(struct chain_plan *plan);
void plan_print_links(struct str *out, const struct chain_plan *plan, const struct chain *chain);
json_t *plan_links_to_json(const struct chain_plan *plan, const struct chain *chain);
/* Socket of link 'i', or what stands for it; points into the plan. */
const char *plan_link_where(const struct chain_plan *plan, const struct chain *chain, size_t i);

/* The device of a port of a process here, with its end of the link in it: what --vdev takes.  For
 * the caller to free. */
char *plan_vdev(const struct chain_plan *plan, const struct chain *chain,
		const struct plan_facts *facts, int hop, int port);

/* Fills in argv and 'listens' of a process; everything else of the plan is there. */
int plan_argv(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts,
	      int hop, struct err *err);

/* The script that starts the Open vSwitch of hop 'hop', its ports those devices, for the caller to
 * free; and how many descriptors of a ring such a port uses. */
char *plan_ovs_script(const struct chain_plan *plan, const struct chain *chain, int hop,
		      char *const device[2]);
unsigned plan_ovs_descriptors(unsigned ring);

/* The same of a real TRex, with its configuration: see plan_trex.c. */
int plan_trex(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts,
	      struct err *err);
/* Where it is spoken to. */
void plan_trex_endpoints(struct chain_plan *plan, const struct chain *chain,
			 const struct plan_facts *facts);
/* What a person should know of it: sentences, NULL-terminated. */
const char *const *plan_trex_remarks(const struct chain *chain);

/* Refuses a template of an exec hop that cannot work: an open quote, an unknown placeholder, a port
 * that is not mentioned. */
int plan_template_check(const char *command, struct err *err);

/* ---- plan.c: sets of CPUs; plan_warn.c ---- */

bool plan_cpus_have(const struct chain_cpus *cpus, int cpu);
/* Unless it is there already. */
void plan_cpus_add(struct chain_cpus *cpus, int cpu);
/* "0-2,5", for the caller to free. */
char *plan_cpus_print(const struct chain_cpus *cpus);
/* What a person should know of a plan that is complete otherwise. */
void plan_add_warnings(struct chain_plan *plan, const struct chain *chain);
