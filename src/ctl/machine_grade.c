/* SPDX-License-Identifier: MIT */
#include "machine_grade.h"

#include <sched.h>
#include <stdlib.h>

#include "base/clock.h"
#include "chain/procfs.h"
#include "chain/spin.h"
#include "report/environment.h"
#include "report/grade.h"

/* As long as it takes to see what happens a few times a second. */
#define LOOK_NS NSEC_PER_S
/* Waiting for CPUs is looked at before, for while we look at them ourselves others wait for us. */
#define PRESSURE_MS 200

static bool
read_pressure(uint64_t *ns)
{
	char *text = environment_read("", "/proc/pressure/cpu");
	bool known = text != NULL && procfs_pressure(text, ns);

	free(text);
	return known;
}

static bool
read_steal(uint64_t *ns)
{
	char *text = environment_read("", "/proc/stat");
	bool known = text != NULL && procfs_steal(text, -1, ns);

	free(text);
	return known;
}

/* The CPUs of the plan, each once; returns how many. */
static size_t
list_cpus(const struct chain_plan *plan, struct spin spin[CHAIN_MAX_CPUS])
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n_procs; i++)
		for (size_t c = 0; c < plan->proc[i].cpus.n; c++) {
			int cpu = plan->proc[i].cpus.cpu[c];
			size_t k = 0;

			while (k < n && spin[k].cpu != cpu)
				k++;
			if (k == n && n < CHAIN_MAX_CPUS)
				spin[n++] = (struct spin){.cpu = cpu};
		}
	return n;
}

/* The worst of the CPUs stands for all: a chain is as fast as its slowest lcore. */
static void
look_at_cpus(struct grade_facts *f, const struct chain_plan *plan)
{
	struct spin spin[CHAIN_MAX_CPUS];
	size_t n = list_cpus(plan, spin);

	spin_run(spin, n, LOOK_NS);
	for (size_t i = 0; i < n; i++) {
		double s = (double)spin[i].elapsed_ns / NSEC_PER_S, share;

		if (!spin[i].known || s <= 0)
			continue;
		share = (double)spin[i].gaps_20us_ns / (double)spin[i].elapsed_ns;
		if (!(share <= f->away_share)) {
			f->away_share = share;
			f->gaps_per_s = (double)spin[i].gaps_1ms / s;
		}
		if (!((double)spin[i].gap_max_ns <= f->gap_max_ns))
			f->gap_max_ns = (double)spin[i].gap_max_ns;
	}
}

static void
look(struct grade_facts *f, const struct chain_plan *plan)
{
	uint64_t before = 0, after = 0, begin = clock_now_ns();
	bool known = read_pressure(&before);

	clock_sleep_ms(PRESSURE_MS);
	if (known && read_pressure(&after))
		f->pressure_share = (double)(after - before) / (double)(clock_now_ns() - begin);
	begin = clock_now_ns();
	known = read_steal(&before);
	look_at_cpus(f, plan);
	if (known && read_steal(&after) && f->n_cpus > 0)
		f->steal_share =
			(double)(after - before) / (double)(clock_now_ns() - begin) / f->n_cpus;
}

json_t *
machine_grade(const struct chain *chain, const struct chain_plan *plan, const json_t *environment)
{
	struct grade_facts f;
	cpu_set_t set;

	grade_facts_init(&f);
	grade_facts_take(&f, environment);
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		f.n_cpus = CPU_COUNT(&set);
	f.n_lcores = 1;
	for (size_t i = 0; i < chain->n_hops; i++)
		f.n_lcores += (int)chain->hop[i].lcores;
	look(&f, plan);
	return grade_of(&f);
}
