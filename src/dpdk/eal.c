/* SPDX-License-Identifier: MIT */
#include "eal.h"

#include <dirent.h>
#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include "base/log.h"
#include "eal_args.h"

/* What the process was allowed before EAL pinned its main thread. */
static struct cpus allowed_cpus;

/* EAL keeps pointers into its vector as long as it runs, and writes to the vector itself. */
static struct eal_args args;
static char *eal_argv[EAL_MAX_ARGS];

static bool
hugetlbfs_writable(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *m;
	bool found = false;

	if (mounts == NULL)
		return false;
	while (!found && (m = getmntent(mounts)) != NULL)
		found = strcmp(m->mnt_type, "hugetlbfs") == 0 && access(m->mnt_dir, W_OK) == 0;
	endmntent(mounts);
	return found;
}

static bool
free_hugepages(void)
{
	const char *base = "/sys/kernel/mm/hugepages";
	DIR *dir = opendir(base);
	struct dirent *entry;
	unsigned long total = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char path[512];
		unsigned long n;
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s/free_hugepages", base, entry->d_name);
		f = fopen(path, "r");
		if (f == NULL)
			continue;
		if (fscanf(f, "%lu", &n) == 1)
			total += n;
		fclose(f);
	}
	if (dir != NULL)
		closedir(dir);
	return total > 0;
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
		.hugepages = free_hugepages() && hugetlbfs_writable(),
		.extra = getenv("NFVCHAIN_EAL_ARGS"),
		.need_mb = need_mb,
		.pid = (unsigned)getpid(),
	};
	struct cpus data;
	char *line;
	int rc;

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
