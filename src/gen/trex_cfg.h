/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/opt.h"
#include "conf.h"

/* TRex's configuration file, trex_cfg.yaml, in the forms that users have:
 *
 *     - version: 2
 *       port_limit: 2
 *       interfaces: ['03:00.0', '03:00.1']
 *       port_info:
 *         - {src_mac: '02:00:00:00:00:01', dest_mac: '02:00:00:00:00:02'}
 *         - {ip: 10.0.0.1, default_gw: 10.0.0.2}
 *
 * Of the list only the first element counts, as in TRex.  Interfaces are PCI addresses, names of
 * Linux interfaces (over net_af_packet), --vdev=... as EAL takes it, or dummy, a port that goes
 * nowhere.  What concerns TRex's threads and pools is read and has no effect: there is one data
 * lcore here.  What would be missing from the traffic (mpls, more than two ports) is refused. */

/* Puts the file's settings into 'conf' and EAL's arguments into 'eal'. */
int trex_cfg_read(const char *path, struct gen_conf *conf, struct opt_list *eal, struct err *err);
/* The same for a text; 'name' stands for the file in messages. */
int trex_cfg_parse(const char *name, const char *text, size_t len, struct gen_conf *conf,
		   struct opt_list *eal, struct err *err);
