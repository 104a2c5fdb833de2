/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "bench/ledger.h"

/* Hops that are an Open vSwitch with DPDK: what they need, and what they tell beside DPDK's own
 * counters, by the socket that ovs-appctl speaks to. */

#define OVS_PACKAGE "openvswitch-switch-dpdk"
#define OVS_VSWITCHD "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
#define OVS_SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"

/* Is it installed?  Class ERR_MACHINE. */
int ovs_check(struct err *err);

/* Adds to 'hop' what it dropped by reason, as far as it tells: frames for which a port had no room
 * (tx_full), and such that no flow was found for (upcall_failed).  'dir' is where its control
 * socket lies. */
int ovs_read_drops(const char *dir, struct ledger_hop *hop, struct err *err);

/* The same from what `dpctl/show -s` and `dpif-netdev/pmd-stats-show` print; -EPROTO when that is
 * something else. */
int ovs_parse_ports(const char *text, uint64_t *tx_dropped, struct err *err);
int ovs_parse_upcalls(const char *text, uint64_t *failed, struct err *err);
