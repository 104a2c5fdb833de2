/* SPDX-License-Identifier: MIT */
#include "eal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include "base/log.h"
#include "eal_args.h"
#include "tsc.h"

/* What the process was allowed before EAL pinned its main thread. */
static struct cpus allowed_cpus;

/* EAL keeps pointers into its vector as long as it runs, and writes to the vector itself. */
static struct eal_args args;
static char *eal_argv[EAL_MAX_ARGS];

/* Free hugepages in megabytes.  They need no mount: memory without files is what we ask for. */
static unsigned long
free_huge_mb(void)
{
	const char *base = "/sys/kernel/mm/hugepages";
	DIR *dir = opendir(base);
	struct dirent *entry;
	unsigned long total = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		unsigned long n, kb;
		char path[512];
		FILE *f;

		if (sscanf(entry->d_name, "hugepages-%lukB", &kb) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s/free_hugepages", base, entry->d_name);
		f = fopen(path, "r");
		if (f == NULL)
			continue;
		if (fscanf(f, "%lu", &n) == 1)
			total += n * (kb / 1024);
		fclose(f);
	}
	if (dir != NULL)
		closedir(dir);
	return total;
}

static int
explain_failure(int error, struct err *err)
{
	switch (error) {
	case EACCES:
		return err_machine(err, "DPDK: permission denied (hugepages or devices of another "
					"user? try --no-huge --no-pci)");
	case EALREADY:
	case EAGAIN:
		return err_set(err, EAGAIN,
			       "DPDK: another process holds this file prefix (try --file-prefix)");
	case EINVAL:
		return err_usage(err, "DPDK refused its arguments (its own message is above)");
	case ENOMEM:
		return err_machine(err, "DPDK: not enough memory (its own message is above)");
	default:
		return err_machine(err, "DPDK did not start: %s (its own message is above)",
				   rte_strerror(error));
	}
}

/* The CPUs that lcores run on. */
static void
lcore_cpus(struct cpus *cpus)
{
	unsigned lcore;

	memset(cpus, 0, sizeof(*cpus));
	RTE_LCORE_FOREACH(lcore)
	{
		rte_cpuset_t set = rte_lcore_cpuset(lcore);

		for (unsigned i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, &set))
				cpus_add(cpus, i);
	}
}

int
eal_start(struct eal *eal, int argc, char **argv, unsigned need_mb, struct err *err)
{
	struct eal_facts facts = {
		.hugepages = free_huge_mb() >= need_mb,
		.extra = getenv("NFVCHAIN_EAL_ARGS"),
		.need_mb = need_mb,
		.pid = (unsigned)getpid(),
	};
	struct cpus data;
	char *line;
	int rc;

	tsc_start();
	rc = cpus_allowed(&facts.allowed, err);
	if (rc < 0)
		return rc;
	allowed_cpus = facts.allowed;
	rc = eal_args_build(&args, argc, argv, &facts, err);
	if (rc < 0)
		return rc;
	line = eal_args_print(&args);
	LOG(INFO, "EAL: %s", line);
	free(line);
	memcpy(eal_argv, args.argv, sizeof(eal_argv));
	rc = rte_eal_init(args.argc, eal_argv);
	if (rc < 0)
		return explain_failure(rte_errno, err);
	eal->started = true;
	/* Also for lcores that the user laid on CPUs with --lcores. */
	lcore_cpus(&data);
	eal->shares_cpus = args.shares_cpus || rte_lcore_count() > data.n;
	return 0;
}

void
eal_stop(struct eal *eal)
{
	if (eal->started)
		rte_eal_cleanup();
	eal_args_fini(&args);
	eal->started = false;
}

void
eal_bind_control_thread(void)
{
	struct cpus data;

	lcore_cpus(&data);
	cpus_bind_thread(&allowed_cpus, &data);
}
