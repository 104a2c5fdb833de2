/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"
#include "dpdk/idle.h"

/* Settings of the generator, from its command line and environment. */

struct gen_mac {
	bool set;
	uint8_t mac[6];
};

struct gen_conf {
	char *rpc;
	char *pub; /* "none" for no doorbell */
	struct gen_mac addr[2];
	struct gen_mac dest[2];
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
