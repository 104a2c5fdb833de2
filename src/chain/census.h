/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

#include "base/err.h"

#include "devices.h"
#include "marks.h"
#include "vm_host.h"

/* What this machine has of chains: those that are up, and what is left of those that nobody took
 * down.  No file says so, since one would be wrong as soon as somebody dies: it is found by the
 * locks of run directories, by the environment of processes, by what libvirt has, and by names of
 * devices.  With $NFVCHAIN_RUN only what is in that run directory counts. */

struct census_chain {
	char *name;    /* "?" for a network of libvirt's that says no more than that it is ours */
	char *run_dir; /* never NULL; "" when nobody knows */
	bool has_dir;  /* it exists */
	pid_t owner;   /* the nfvchain that has it up, 0: nobody */
	char *command; /* the owner's: "up", "bench"; or NULL */
	double up_s;   /* since the owner was started */
	struct marked *process;
	size_t n_processes;
	struct vm_found *vm; /* domains and networks of libvirt's */
	size_t n_vms;
	struct device_list devices, namespaces, hugepages;
};

struct census {
	struct census_chain *chain;
	size_t n;
	struct vm_host *libvirt;      /* NULL when there is none to ask */
	struct device_list elsewhere; /* chains that run in run directories that are not meant */
};

struct census_conf {
	const char *chain; /* only this one; NULL: all */
	const char *uri;   /* libvirt that must answer; NULL: qemu:///system if it does */
};

int census_take(struct census *c, const struct census_conf *conf, struct err *err);
void census_fini(struct census *c);

/* Is there anything beside an owner? */
bool census_has_things(const struct census_chain *ch);
/* "2 processes (generator, vnf1), network link-0, run directory"; for the caller to free. */
char *census_print_things(const struct census_chain *ch);
json_t *census_to_json(const struct census *c);
