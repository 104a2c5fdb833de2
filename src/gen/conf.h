/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"
#include "dpdk/idle.h"
#include "dpdk/program.h"

/* Settings of the generator, from its command line, its environment and TRex's configuration. */

/* Of a port, for clients that resolve addresses; 0 where not given. */
struct gen_l3 {
	uint32_t ip, gateway; /* in the order of the wire */
	uint16_t vlan;
};

/* Which device a port is, by EAL's name of it; "" for the next one in EAL's order. */
struct gen_device {
	char name[64];
	unsigned nth; /* of the ports of a device that has several, from 0 */
};

struct gen_conf {
	char *rpc;
	char *pub;    /* "none" for no doorbell */
	char *listen; /* address instead of loopback, or NULL */
	bool insecure;
	struct port_mac addr[PROGRAM_MAX_PORTS];
	struct port_mac dest[PROGRAM_MAX_PORTS];
	struct gen_l3 l3[2];
	struct gen_device device[2]; /* both or none */
	char *cfg;		     /* path of TRex's configuration, or NULL */
	struct opt_list eal;	     /* words for EAL that it holds */
	uint32_t queues;	     /* receive and transmit queues of each port */
	uint32_t rxd;
	uint32_t txd;
	uint64_t max_frame; /* bytes with FCS */
	uint64_t speed_bps; /* of a port, for percentages */
	enum idle_policy idle;
	int lifeline;
	bool verbose;
	bool version;
};

void gen_conf_init(struct gen_conf *conf);
void gen_conf_fini(struct gen_conf *conf);
/* TRex's configuration first, if there is one, then the environment and the line on top of it. */
int gen_conf_parse(struct gen_conf *conf, int argc, char **argv, struct err *err);

extern const struct opt_command gen_command;
