/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "backend.h"

/* What the guests of a chain that is up are, as they say themselves: a list in the order of the
 * chain, generator first, of {name, program, dpdk_version, kernel, hugepages {wanted, total, free,
 * size_kb}, ports: [{mac, pci, driver, promiscuous}]}.  Versions are those of the programs that run
 * there, drivers those that the guest's kernel names after binding, promiscuous mode what the
 * ports' own devices tell; what could not be read is null.  A new reference; empty without guests.
 */
json_t *vm_facts(struct backend *b);
