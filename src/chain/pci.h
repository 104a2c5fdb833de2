/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include "chain.h"

/* Physical ports, as sysfs shows them: looked at, never changed. */

struct pci_facts {
	const char *sys;   /* "/sys" */
	const char *route; /* "/proc/net/route" */
};

/* Refuses a port that a program could not take, each with what to do: one that is not there, is no
 * Ethernet controller, has the machine's default route, or is bound to a driver of the kernel's or
 * to none.  Of class ERR_MACHINE. */
int pci_check_port(const struct pci_facts *facts, const char *address, struct err *err);
/* The same of all ports of a chain. */
int pci_check(const struct pci_facts *facts, const struct chain *chain, struct err *err);
