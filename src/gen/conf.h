/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"
#include "dpdk/idle.h"
#include "dpdk/program.h"

/* Settings of the generator, from its command line and environment. */

struct gen_conf {
	char *rpc;
	char *pub; /* "none" for no doorbell */
	struct port_mac addr[PROGRAM_MAX_PORTS];
	struct port_mac dest[PROGRAM_MAX_PORTS];
	uint32_t queues; /* receive and transmit queues of each port */
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
int gen_conf_parse(struct gen_conf *conf, int argc, char **argv, struct err *err);

extern const struct opt_command gen_command;
