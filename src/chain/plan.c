/* SPDX-License-Identifier: MIT */
/* Who runs where, under which addresses; plan_argv.c makes the command lines from it. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#include "plan_parts.h"

#define FRAME_STANDARD 1522 /* a full Ethernet frame under a VLAN tag, with FCS */

/* ---- small facts ---- */

const struct plan_proc *
plan_proc_of(const struct chain_plan *plan, int hop)
{
	return &plan->proc[hop + 1];
}

size_t
plan_link_of(const struct chain *chain, int hop, int port)
{
	if (hop < 0)
		return port == 0 ? 0 : chain->n_hops;
	return (size_t)(hop + port);
}

bool
plan_is_listener(const struct chain *chain, int hop, int port)
{
	int peer = hop < 0 ? (port == 0 ? 0 : (int)chain->n_hops - 1) : hop + (port == 0 ? -1 : 1);

	/* QEMU, where only one end is in a VM. */
	if (plan_in_vm(chain, hop) != plan_in_vm(chain, peer))
		return plan_in_vm(chain, hop);
	/* The generator at both its links, else the upstream side. */
	return hop < 0 || (port == 1 && (size_t)hop + 1 < chain->n_hops);
}

char *
plan_link_path(const struct chain *chain, const char *run_dir, size_t link)
{
	/* Those of a TRex that runs already are its own. */
	if (chain->generator.n_sockets == 2 && (link == 0 || link == chain->n_hops))
		return xstrdup(chain->generator.socket[link == 0 ? 0 : 1]);
	return xasprintf("%s/link%zu.sock", run_dir, link);
}

unsigned
plan_n_lcores(const struct chain *chain, int hop)
{
	if (chain_hop_is_kernels(chain, hop))
		return 0;
	return hop < 0 ? 1 : chain->hop[hop].lcores;
}

int
plan_lcore_cpu(const struct chain_cpus *cpus, unsigned i, unsigned n)
{
	return n <= cpus->n ? cpus->cpu[i] : cpus->cpu[i * cpus->n / n];
}

unsigned
plan_buffer_room(uint16_t max_frame)
{
	unsigned room = (max_frame + 63u) / 64 * 64;

	return room > PLAN_MIN_ROOM ? room : PLAN_MIN_ROOM;
}

bool
plan_cpus_have(const struct chain_cpus *cpus, int cpu)
{
	for (size_t i = 0; i < cpus->n; i++)
		if (cpus->cpu[i] == cpu)
			return true;
	return false;
}

void
plan_cpus_add(struct chain_cpus *cpus, int cpu)
{
	if (cpus->n < CHAIN_MAX_CPUS && !plan_cpus_have(cpus, cpu))
		cpus->cpu[cpus->n++] = cpu;
}

char *
plan_cpus_print(const struct chain_cpus *cpus)
{
	struct str s = {0};

	for (size_t i = 0; i < cpus->n; i++) {
		size_t first = i;

		while (i + 1 < cpus->n && cpus->cpu[i + 1] == cpus->cpu[i] + 1)
			i++;
		str_addf(&s, "%s%d", s.len > 0 ? "," : "", cpus->cpu[first]);
		if (i > first)
			str_addf(&s, "-%d", cpus->cpu[i]);
	}
	return str_take(&s);
}

/* ---- CPUs ---- */

static int
check_allowed(const struct chain_cpus *cpus, const struct chain_cpus *allowed, struct err *err)
{
	for (size_t i = 0; i < cpus->n; i++) {
		char *text;
		int rc;

		if (plan_cpus_have(allowed, cpus->cpu[i]))
			continue;
		text = plan_cpus_print(allowed);
		rc = err_usage(err, "cpus: %d is not among the CPUs this process may use (%s)",
			       cpus->cpu[i], text);
		free(text);
		return rc;
	}
	return 0;
}

/* Those of 'all' that none of the first 'n' lists in 'taken' has. */
static struct chain_cpus
cpus_without(const struct chain_cpus *all, const struct chain_cpus *const *taken, size_t n)
{
	struct chain_cpus rest = {0};

	for (size_t i = 0; i < all->n; i++) {
		bool is_free = true;

		for (size_t k = 0; is_free && k < n; k++)
			is_free = !plan_cpus_have(taken[k], all->cpu[i]);
		if (is_free)
			plan_cpus_add(&rest, all->cpu[i]);
	}
	return rest;
}

/* CPUs for the hops that name none: not the generator's, nor those other hops name, as long as that
 * leaves any. */
static struct chain_cpus
free_cpus(const struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts)
{
	const struct chain_cpus *taken[PLAN_MAX_PROCS] = {&plan->proc[0].cpus};
	struct chain_cpus rest;
	size_t n = 1;

	for (size_t i = 0; i < chain->n_hops; i++)
		if (chain->hop[i].cpus.n > 0)
			taken[n++] = &chain->hop[i].cpus;
	rest = cpus_without(&facts->allowed, taken, n);
	if (rest.n == 0)
		rest = cpus_without(&facts->allowed, taken, 1);
	return rest.n > 0 ? rest : facts->allowed;
}

static void
place_generator(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts)
{
	const struct chain_cpus *taken[CHAIN_MAX_HOPS];
	struct chain_cpus *cpus = &plan->proc[0].cpus;
	struct chain_cpus rest;
	size_t n = 0;

	*cpus = chain->generator.cpus;
	if (cpus->n > 0)
		return;
	for (size_t i = 0; i < chain->n_hops; i++)
		if (chain->hop[i].cpus.n > 0)
			taken[n++] = &chain->hop[i].cpus;
	rest = cpus_without(&facts->allowed, taken, n);
	plan_cpus_add(cpus, rest.n > 0 ? rest.cpu[0] : facts->allowed.cpu[0]);
}

/* Gives each lcore a CPU of its own if there are enough, else blocks of neighbours share one: a
 * frame then stays on a CPU for several hops. */
static void
place_hops(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts)
{
	struct chain_cpus rest = free_cpus(plan, chain, facts);
	size_t need = 0, at = 0;

	for (size_t i = 0; i < chain->n_hops; i++)
		need += chain->hop[i].cpus.n == 0 ? plan_n_lcores(chain, (int)i) : 0;
	for (size_t i = 0; i < chain->n_hops; i++) {
		const struct chain_hop *hop = &chain->hop[i];
		struct chain_cpus *cpus = &plan->proc[i + 1].cpus;

		unsigned n = hop->cpus.n > 0 ? 0 : plan_n_lcores(chain, (int)i);

		*cpus = hop->cpus;
		for (unsigned k = 0; k < n; k++, at++)
			plan_cpus_add(cpus, rest.cpu[need <= rest.n ? at : at * rest.n / need]);
	}
}

static int
place(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts,
      struct err *err)
{
	int rc;

	if (facts->allowed.n == 0)
		return err_machine(err, "no CPU to run on");
	rc = check_allowed(&chain->generator.cpus, &facts->allowed, err);
	if (rc < 0)
		return err_wrap(err, rc, "generator");
	for (size_t i = 0; i < chain->n_hops; i++) {
		rc = check_allowed(&chain->hop[i].cpus, &facts->allowed, err);
		if (rc < 0)
			return err_wrap(err, rc, "hop '%s'", chain->hop[i].name);
	}
	if (!chain_has_files(chain))
		place_generator(plan, chain, facts);
	place_hops(plan, chain, facts);
	return 0;
}

/* ---- names, paths, addresses ---- */

/* FNV-1a, 32 bits folded to 16: chains on one network get addresses of their own. */
static uint16_t
name_hash(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return (uint16_t)(h ^ h >> 16);
}

char *
plan_device_prefix(const char *chain)
{
	return xasprintf("nfv%04x-", name_hash(chain));
}

static void
set_mac(uint8_t mac[6], uint16_t hash, size_t node, size_t port)
{
	const uint8_t bytes[6] = {0x02, (uint8_t)(hash >> 8), (uint8_t)hash,
				  0x00, (uint8_t)node,	      (uint8_t)port};

	memcpy(mac, bytes, sizeof(bytes));
}

static void
set_macs(struct chain_plan *plan, const struct chain *chain)
{
	uint16_t hash = name_hash(chain->name);

	for (size_t port = 0; port < 2; port++) {
		set_mac(plan->gen_mac[port], hash, 0, port);
		for (size_t i = 0; i < chain->n_hops; i++)
			set_mac(plan->hop_mac[i][port], hash, i + 1, port);
	}
}

/* In a guest, where all that is asked lies below the directory of its agent. */
static void
set_guest_paths(struct plan_proc *proc, const struct chain *chain)
{
	proc->env[proc->n_env++] = xasprintf("NFVCHAIN_ID=%s/%s", chain->name, proc->name);
	if (proc->hop >= 0 && proc->ours)
		proc->control_path = xasprintf("/run/nfvchain/%s.ctl", proc->name);
	if (proc->ours)
		return;
	proc->env[proc->n_env++] = xstrdup("RUNTIME_DIRECTORY=/run/nfvchain");
	proc->telemetry_path = xasprintf("/run/nfvchain/dpdk/%s/dpdk_telemetry.v2", proc->name);
}

/* All that Open vSwitch makes lies where DPDK's files do. */
static void
set_ovs_paths(struct plan_proc *proc)
{
	static const char *const names[] = {"OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR",
					    "OVS_SYSCONFDIR"};

	for (size_t i = 0; i < N_ELEMS(names); i++)
		proc->env[proc->n_env++] = xasprintf("%s=%s", names[i], proc->rt_dir);
	proc->ready_path = xasprintf("%s/ready", proc->rt_dir);
}

static void
set_paths(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts,
	  int hop)
{
	struct plan_proc *proc = &plan->proc[hop + 1];
	const char *name = hop < 0 ? "generator" : chain->hop[hop].name;

	proc->name = hop >= 0 && plan_row_first(chain, hop) == hop ? plan_row_name(chain, hop)
								   : xstrdup(name);
	proc->hop = hop;
	proc->in_vm = plan_in_vm(chain, hop);
	proc->ours = hop < 0 ? chain->generator.kind == GENERATOR_NFVCHAIN
			     : chain->hop[hop].kind == HOP_FWD;
	proc->elsewhere = hop < 0 && (chain->generator.at != NULL || chain_has_files(chain));
	proc->kernels = chain_hop_is_kernels(chain, hop);
	if (proc->kernels)
		return;
	proc->log_path = xasprintf("%s/%s.log", facts->run_dir, proc->name);
	if (proc->in_vm) {
		set_guest_paths(proc, chain);
		return;
	}
	proc->rt_dir = xasprintf("%s/rt/%s", facts->run_dir, name);
	proc->env[proc->n_env++] = xasprintf("RUNTIME_DIRECTORY=%s", proc->rt_dir);
	proc->env[proc->n_env++] = xasprintf("NFVCHAIN_ID=%s/%s", chain->name, proc->name);
	if (hop >= 0 && proc->ours)
		proc->control_path = xasprintf("%s/%s.ctl", facts->run_dir, name);
	/* A template without {prefix} has a place of its own that we do not know. */
	if (!proc->ours && hop >= 0 &&
	    (chain->hop[hop].kind != HOP_EXEC ||
	     strstr(chain->hop[hop].command, "{prefix}") != NULL))
		proc->telemetry_path =
			xasprintf("%s/dpdk/%s/dpdk_telemetry.v2", proc->rt_dir, name);
	if (hop >= 0 && chain->hop[hop].kind == HOP_OVS_DPDK)
		set_ovs_paths(proc);
	for (int port = 0, n = 0; port < 2; port++)
		if (plan_is_listener(chain, hop, port) &&
		    plan_has_socket(chain->link[plan_link_of(chain, hop, port)].kind))
			proc->listens[n++] = plan_link_path(chain, facts->run_dir,
							    plan_link_of(chain, hop, port));
}

static void
set_endpoints(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts)
{
	if (chain_has_files(chain))
		return;
	plan->trex_ports = facts->trex_ports;
	plan->force = facts->force;
	if (chain->generator.kind == GENERATOR_TREX) {
		plan_trex_endpoints(plan, chain, facts);
		return;
	}
	/* In a guest there is nobody else, and the agent forwards connections only. */
	if (facts->trex_ports || plan->proc[0].in_vm) {
		plan->rpc_endpoint = xstrdup("tcp://127.0.0.1:4501");
		plan->pub_endpoint = xstrdup("tcp://127.0.0.1:4500");
	} else {
		plan->rpc_endpoint = xasprintf("ipc://%s/rpc", facts->run_dir);
	}
}

static int
check_socket_path(const char *path, struct err *err)
{
	if (path == NULL || strlen(path) <= PLAN_SOCKET_PATH_MAX)
		return 0;
	return err_usage(err,
			 "socket path '%s' has %zu characters and may have %d (a shorter name, or "
			 "NFVCHAIN_RUN=DIR, helps)",
			 path, strlen(path), PLAN_SOCKET_PATH_MAX);
}

/* DPDK makes a telemetry socket for each program and refuses to start when its path is too long. */
static int
check_sockets(const struct plan_proc *proc, struct err *err)
{
	char *telemetry;
	int rc;

	if (!plan_proc_is_here(proc))
		return 0;
	telemetry = xasprintf("%s/dpdk/%s/dpdk_telemetry.v2", proc->rt_dir,
			      proc->hop < 0 ? "gen" : strrchr(proc->rt_dir, '/') + 1);
	rc = check_socket_path(proc->control_path, err);
	for (size_t i = 0; rc == 0 && i < N_ELEMS(proc->listens); i++)
		rc = check_socket_path(proc->listens[i], err);
	if (rc == 0)
		rc = check_socket_path(telemetry, err);
	free(telemetry);
	return rc;
}

/* The path becomes part of DPDK's device arguments, where a few characters mean something. */
static int
check_run_dir(const char *run_dir, struct err *err)
{
	if (strpbrk(run_dir, ",[]") != NULL)
		return err_usage(err,
				 "run directory '%s': DPDK's device arguments cannot carry a "
				 "path with , [ or ]",
				 run_dir);
	return 0;
}

/* ---- the plan ---- */

static uint16_t
largest_frame(const struct chain_traffic *traffic)
{
	uint16_t max = 0;

	for (size_t i = 0; i < traffic->n_frames; i++) {
		uint16_t size = imix_max_size(&traffic->frames[i]);

		max = size > max ? size : max;
	}
	return max;
}

static int
fill(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts,
     struct err *err)
{
	int rc = check_run_dir(facts->run_dir, err);

	if (rc < 0)
		return rc;
	plan->n_procs = chain->n_hops + 1;
	plan->max_frame =
		chain_has_files(chain) ? facts->file_max_frame : largest_frame(&chain->traffic);
	/* Whoever drives the generator by TRex's protocol sends what they like. */
	if (facts->trex_ports && plan->max_frame < FRAME_STANDARD)
		plan->max_frame = FRAME_STANDARD;
	plan->verbose = facts->verbose;
	set_macs(plan, chain);
	if (chain->generator.at != NULL)
		memcpy(plan->gen_mac, facts->trex_mac, sizeof(plan->gen_mac));
	for (int i = -1; i < (int)chain->n_hops; i++)
		set_paths(plan, chain, facts, i);
	set_endpoints(plan, chain, facts);
	for (size_t i = 0; rc == 0 && i < plan->n_procs; i++)
		rc = check_sockets(&plan->proc[i], err);
	if (rc == 0)
		rc = place(plan, chain, facts, err);
	if (rc == 0)
		rc = plan_rows(plan, chain, err);
	for (int i = 0; rc == 0 && i < (int)chain->n_hops; i++)
		plan->shared_cpus |= plan_shares_cpu(plan, chain, i);
	if (rc == 0)
		rc = plan_links(plan, chain, facts, err);
	for (int i = -1; rc == 0 && i < (int)chain->n_hops; i++) {
		rc = plan_argv(plan, chain, facts, i, err);
		rc = err_wrap(err, rc, "%s", plan_proc_of(plan, i)->name);
	}
	if (rc == 0)
		rc = plan_vms(plan, chain, facts, err);
	if (rc == 0)
		plan_add_warnings(plan, chain);
	return rc;
}

int
chain_plan_make(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts,
		struct err *err)
{
	int rc;

	*plan = (struct chain_plan){0};
	rc = chain_check(chain, err);
	if (rc < 0)
		return rc;
	rc = fill(plan, chain, facts, err);
	if (rc < 0) {
		chain_plan_fini(plan);
		return err_wrap(err, rc, "chain '%s'", chain->name);
	}
	return 0;
}

static void
proc_fini(struct plan_proc *proc)
{
	for (size_t i = 0; i < proc->argc; i++)
		free(proc->argv[i]);
	for (size_t i = 0; i < proc->n_env; i++)
		free(proc->env[i]);
	free(proc->name);
	free(proc->log_path);
	free(proc->rt_dir);
	free(proc->control_path);
	free(proc->telemetry_path);
	free(proc->cwd);
	free(proc->file_path);
	free(proc->file_text);
	free(proc->ready_path);
	free(proc->listens[0]);
	free(proc->listens[1]);
}

void
chain_plan_fini(struct chain_plan *plan)
{
	if (plan == NULL)
		return;
	for (size_t i = 0; i < plan->n_procs; i++)
		proc_fini(&plan->proc[i]);
	for (size_t i = 0; i < N_ELEMS(plan->warnings); i++)
		free(plan->warnings[i]);
	plan_vms_fini(plan);
	plan_links_fini(plan);
	free(plan->rpc_endpoint);
	free(plan->pub_endpoint);
	*plan = (struct chain_plan){0};
}
