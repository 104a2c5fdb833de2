/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "cpus.h"

/* EAL's argument vector, completed: only what the user left open is added, so that the lines of the
 * DPDK examples start on any machine.  Pure: tested without EAL. */

struct eal_facts {
	struct cpus allowed;
	bool hugepages;	   /* as many are free as the program needs memory */
	const char *extra; /* NFVCHAIN_EAL_ARGS or NULL: words appended to the user's */
	unsigned need_mb;  /* memory the program needs, for -m without hugepages */
	unsigned pid;	   /* for the default file prefix */
};

#define EAL_MAX_ARGS 128

struct eal_args {
	int argc;
	char *argv[EAL_MAX_ARGS]; /* owned; NULL-terminated */
	bool shares_cpus;	  /* more lcores than CPUs: the program must yield when idle */
};

/* Builds 'args' from the user's 'argv' (argv[0] is the program, no "--"). */
int eal_args_build(struct eal_args *args, int argc, char **argv, const struct eal_facts *facts,
		   struct err *err);
void eal_args_fini(struct eal_args *args);
/* The line as one could type it, for the caller to free. */
char *eal_args_print(const struct eal_args *args);
