/* SPDX-License-Identifier: MIT */
/* A real TRex as a process of the plan: its command line and its configuration file. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"

#include "plan.h"
#include "plan_parts.h"
#include "trex_release.h"

#define RPC_PORT 4501
#define PUB_PORT 4500
#define LIMIT_MEMORY_MB 400
/* Main, receiving and one sending thread; with fewer CPUs all share one ("low end"). */
#define THREADS 3
#define GUEST_CONF "/run/nfvchain/trex_cfg.yaml"

const char *const *
plan_trex_remarks(const struct chain *chain)
{
	static const char *const none[] = {NULL};
	static const char counters[] =
		"the generator is a TRex: loss is told by counters, which are read when they have "
		"stood still for 0.6 s; late slots, order, duplicates, damage and delay stay "
		"unknown, and what it sends less than asked is found by counting";
	static const char *const runs[] = {counters, NULL};
	static const char watchdog[] =
		"TRex is started without its watchdog, which ends it when a thread is late for 1 s";
	static const char *const guest[] = {counters, watchdog, NULL};
	static const char *const started[] = {
		counters,
		watchdog,
		"TRex listens on all addresses of its machine and knows no passwords",
		NULL,
	};

	if (chain->generator.kind != GENERATOR_TREX)
		return none;
	/* In a guest nobody else reaches it. */
	if (chain->generator.place == PLACE_VM)
		return guest;
	return chain->generator.at != NULL ? runs : started;
}

void
plan_trex_endpoints(struct chain_plan *plan, const struct chain *chain,
		    const struct plan_facts *facts)
{
	unsigned rpc = facts->trex_port[0], pub = facts->trex_port[1];

	if (chain->generator.at != NULL) {
		plan->rpc_endpoint = xstrdup(chain->generator.at);
		return;
	}
	if (rpc == 0 || facts->trex_ports || plan->proc[0].in_vm) {
		rpc = RPC_PORT;
		pub = PUB_PORT;
	}
	plan->rpc_endpoint = xasprintf("tcp://127.0.0.1:%u", rpc);
	plan->pub_endpoint = xasprintf("tcp://127.0.0.1:%u", pub);
}

/* ---- configuration ---- */

static void
add_threads(struct str *s, const struct plan_proc *proc)
{
	const int *cpu = proc->cpus.cpu;

	if (proc->in_vm || proc->cpus.n < THREADS) {
		str_addf(s, "  low_end: true\n  low_end_core: %d\n", proc->in_vm ? 0 : cpu[0]);
		return;
	}
	str_addf(s, "  c: %zu\n", proc->cpus.n - 2);
	str_addf(s,
		 "  platform:\n"
		 "    master_thread_id: %d\n"
		 "    latency_thread_id: %d\n"
		 "    dual_if:\n"
		 "      - {socket: 0, threads: [",
		 cpu[0], cpu[1]);
	for (size_t i = 2; i < proc->cpus.n; i++)
		str_addf(s, "%s%d", i > 2 ? ", " : "", cpu[i]);
	str_addf(s, "]}\n");
}

static unsigned
log2_of(unsigned power_of_two)
{
	return (unsigned)__builtin_ctz(power_of_two);
}

static void
add_interface(struct str *s, const struct chain_plan *plan, const struct chain *chain, int port)
{
	const struct plan_proc *proc = &plan->proc[0];
	const struct chain_link *link = &chain->link[plan_link_of(chain, -1, port)];

	if (proc->in_vm) {
		char *pci = plan_pci_address(port);

		str_addf(s, "    - '%s'\n", pci);
		free(pci);
		return;
	}
	str_addf(s,
		 "    - '--vdev=net_memif%d,role=server,id=0,socket-abstract=no,socket=%s,rsize=%u,"
		 "bsize=%u'\n",
		 port, proc->listens[port], log2_of(link->ring), plan_buffer_room(plan->max_frame));
}

static char *
config_text(const struct chain_plan *plan, const struct chain *chain)
{
	const struct plan_proc *proc = &plan->proc[0];
	size_t last = chain->n_hops - 1;
	struct str s = {0};

	str_addf(&s, "- version: 2\n  port_limit: 2\n  prefix: gen\n");
	str_addf(&s, "  zmq_rpc_port: %s\n  zmq_pub_port: %s\n",
		 strrchr(plan->rpc_endpoint, ':') + 1, strrchr(plan->pub_endpoint, ':') + 1);
	add_threads(&s, proc);
	str_addf(&s, "  limit_memory: %d\n", LIMIT_MEMORY_MB);
	str_addf(&s, "  interfaces:\n");
	for (int port = 0; port < 2; port++)
		add_interface(&s, plan, chain, port);
	str_addf(&s, "  port_info:\n");
	for (int port = 0; port < 2; port++) {
		char own[18], peer[18];

		mac_print(own, sizeof(own), plan->gen_mac[port]);
		mac_print(peer, sizeof(peer), plan->hop_mac[port == 0 ? 0 : last][port]);
		str_addf(&s, "    - {src_mac: '%s', dest_mac: '%s'}\n", own, peer);
	}
	return str_take(&s);
}

/* ---- command line ---- */

int
plan_trex(struct chain_plan *plan, const struct chain *chain, const struct plan_facts *facts,
	  struct err *err)
{
	struct plan_proc *proc = &plan->proc[0];
	const char *dir = proc->in_vm ? TREX_GUEST_DIR : chain->generator.dir;
	/* The server itself: its wrapper binds cards, ends other programs and needs Python.  What
	 * finds the link full is dropped and counted, not tried again at some later time. */
	const char *const options[] = {
		"-i",	 "--stl", "--no-key",	   "--iom",	   "0",
		"--cfg", NULL,	  "--no-watchdog", "--queue-drop",
	};

	if (proc->elsewhere)
		return 0;
	proc->cwd = xstrdup(dir);
	proc->file_path =
		proc->in_vm ? xstrdup(GUEST_CONF) : xasprintf("%s/trex_cfg.yaml", facts->run_dir);
	proc->file_text = config_text(plan, chain);
	if (proc->in_vm) {
		proc->argv[proc->argc++] = xstrdup(TREX_GUEST_LOADER);
		proc->argv[proc->argc++] = xstrdup("--library-path");
		proc->argv[proc->argc++] = xstrdup(TREX_GUEST_LIBS);
	} else {
		proc->env[proc->n_env++] = xasprintf("LD_LIBRARY_PATH=%s:%s/so/x86_64", dir, dir);
	}
	proc->argv[proc->argc++] = xasprintf("%s/_t-rex-64", dir);
	for (size_t i = 0; i < N_ELEMS(options); i++)
		proc->argv[proc->argc++] =
			xstrdup(options[i] != NULL ? options[i] : proc->file_path);
	return 0;
}
