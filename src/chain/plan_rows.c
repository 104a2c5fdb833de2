/* SPDX-License-Identifier: MIT */
/* Hops in a row that rings join: one process runs them.  Each keeps its place in the plan; the
 * first one's process is theirs. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#include "plan.h"
#include "plan_parts.h"

#define NAME_MAX_LEN 180 /* of a file that is named after all of them */

static bool
is_ring(const struct chain *chain, size_t link)
{
	return chain->link[link].kind == LINK_RING;
}

int
plan_row_first(const struct chain *chain, int hop)
{
	while (hop > 0 && is_ring(chain, (size_t)hop))
		hop--;
	return hop;
}

int
plan_row_last(const struct chain *chain, int hop)
{
	while (hop >= 0 && (size_t)hop + 1 < chain->n_hops && is_ring(chain, (size_t)hop + 1))
		hop++;
	return hop;
}

char *
plan_row_name(const struct chain *chain, int hop)
{
	int last = plan_row_last(chain, hop);
	struct str s = {0};

	for (int i = hop; i <= last; i++)
		str_addf(&s, "%s%s", i > hop ? "+" : "", chain->hop[i].name);
	if (s.len <= NAME_MAX_LEN)
		return str_take(&s);
	str_fini(&s);
	return xasprintf("%s+%dmore", chain->hop[hop].name, last - hop);
}

const struct chain_cpus *
plan_own_cpus(const struct plan_proc *proc)
{
	return proc->own_cpus.n > 0 ? &proc->own_cpus : &proc->cpus;
}

/* Can it have a lcore together with others?  Only one lcore that polls. */
static bool
is_plain(const struct chain *chain, int hop)
{
	return chain->hop[hop].lcores == 1 && strcmp(chain->hop[hop].engine, "poll") == 0;
}

static int
cpu_of(const struct chain_plan *plan, const struct chain *chain, int hop, unsigned i)
{
	return plan_lcore_cpu(plan_own_cpus(plan_proc_of(plan, hop)), i, chain->hop[hop].lcores);
}

bool
plan_same_lcore(const struct chain_plan *plan, const struct chain *chain, int a, int b)
{
	return a >= 0 && b >= 0 && plan_row_first(chain, a) == plan_row_first(chain, b) &&
	       is_plain(chain, a) && is_plain(chain, b) &&
	       cpu_of(plan, chain, a, 0) == cpu_of(plan, chain, b, 0);
}

/* The hop before it whose lcore it has, or itself. */
static int
lcore_owner(const struct chain_plan *plan, const struct chain *chain, int hop)
{
	for (int i = plan_row_first(chain, hop); i < hop; i++)
		if (plan_same_lcore(plan, chain, i, hop))
			return i;
	return hop;
}

unsigned
plan_first_lcore(const struct chain_plan *plan, const struct chain *chain, int hop)
{
	int owner = lcore_owner(plan, chain, hop);
	unsigned id = 0;

	for (int i = plan_row_first(chain, hop); i < owner; i++)
		if (lcore_owner(plan, chain, i) == i)
			id += chain->hop[i].lcores;
	return id;
}

/* "0@1,1@2", those of one hop. */
static void
add_lcores(struct str *s, const struct chain_plan *plan, const struct chain *chain, int hop)
{
	unsigned first = plan_first_lcore(plan, chain, hop);

	for (unsigned k = 0; k < chain->hop[hop].lcores; k++)
		str_addf(s, "%s%u@%d", s->len > 0 ? "," : "", first + k,
			 cpu_of(plan, chain, hop, k));
}

char *
plan_row_lcores(const struct chain_plan *plan, const struct chain *chain, int hop)
{
	int last = plan_row_last(chain, hop);
	struct str s = {0};

	for (int i = hop; i <= last; i++)
		if (lcore_owner(plan, chain, i) == i)
			add_lcores(&s, plan, chain, i);
	return str_take(&s);
}

char *
plan_hop_lcores(const struct chain_plan *plan, const struct chain *chain, int hop)
{
	struct str s = {0};

	add_lcores(&s, plan, chain, hop);
	return str_take(&s);
}

char *
plan_lcores(const struct chain_plan *plan, const struct chain *chain, int hop)
{
	const struct chain_cpus *cpus = &plan_proc_of(plan, hop)->cpus;
	unsigned n = plan_n_lcores(chain, hop), id = 0;
	bool is_row = hop >= 0 && plan_row_first(chain, hop) != plan_row_last(chain, hop);
	struct str s = {0};
	/* A guest's vCPUs are its own, and counted from 0. */
	bool in_vm = plan_in_vm(chain, hop);

	if (is_row)
		return plan_hop_lcores(plan, chain, hop);
	/* testpmd's main lcore never forwards. */
	if (hop >= 0 && chain->hop[hop].kind == HOP_TESTPMD)
		str_addf(&s, "%u@%d", id++, in_vm ? 0 : cpus->cpu[0]);
	for (unsigned i = 0; i < n; i++)
		str_addf(&s, "%s%u@%d", s.len > 0 ? "," : "", id++,
			 in_vm ? (int)i : plan_lcore_cpu(cpus, i, n));
	return str_take(&s);
}

uint64_t
plan_lcore_mask(const struct chain_plan *plan, const struct chain *chain, int hop)
{
	uint64_t mask = 0;

	for (unsigned k = 0; k < chain->hop[hop].lcores; k++)
		mask |= 1ull << (plan_first_lcore(plan, chain, hop) + k) % 64;
	return mask;
}

/* More than a mask has bits for. */
static int
check_lcores(const struct chain *chain, int first, struct err *err)
{
	int last = plan_row_last(chain, first);
	unsigned n = 0;

	for (int i = first; i <= last; i++)
		n += chain->hop[i].lcores;
	if (last == first || n <= 64)
		return 0;
	return err_usage(err, "hops '%s' to '%s' are one process, which has at most 64 lcores",
			 chain->hop[first].name, chain->hop[last].name);
}

int
plan_rows(struct chain_plan *plan, const struct chain *chain, struct err *err)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < (int)chain->n_hops; i++) {
		struct plan_proc *proc = &plan->proc[i + 1];
		int first = plan_row_first(chain, i), last = plan_row_last(chain, i);
		struct plan_proc *runner = &plan->proc[first + 1];

		if (first == last)
			continue;
		proc->own_cpus = proc->cpus;
		if (first == i) {
			rc = check_lcores(chain, i, err);
			continue;
		}
		proc->fused_into = (size_t)first + 1;
		for (size_t k = 0; k < proc->cpus.n; k++)
			plan_cpus_add(&runner->cpus, proc->cpus.cpu[k]);
		/* The socket behind them all is theirs, too. */
		if (i == last && proc->listens[0] != NULL && runner->listens[0] == NULL)
			runner->listens[0] = xstrdup(proc->listens[0]);
	}
	return rc;
}

void
plan_print_rows(struct str *out, const struct chain_plan *plan, const struct chain *chain)
{
	for (int i = 0; i < (int)chain->n_hops; i++) {
		int last = plan_row_last(chain, i), n_own = 0;

		if (plan_row_first(chain, i) != i || last == i)
			continue;
		for (int k = i; k <= last; k++)
			n_own += lcore_owner(plan, chain, k) == k;
		str_addf(out, "\n%s to %s are one process: rings join them, and %s\n",
			 chain->hop[i].name, chain->hop[last].name,
			 n_own == 1 ? "on their one lcore bursts go from hand to hand"
				    : "where they share a lcore bursts go from hand to hand");
	}
}
