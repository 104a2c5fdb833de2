/* SPDX-License-Identifier: MIT */
#include "conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rate.h"
#include "base/units.h"
#include "dpdk/port.h"
#include "listen.h"
#include "stream.h"
#include "trex_cfg.h"

static int
set_speed(void *field, const char *text, struct err *err)
{
	struct rate rate;
	int rc = rate_parse(text, &rate, err);

	if (rc < 0)
		return rc;
	if (rate.unit != RATE_BPS_L1 && rate.unit != RATE_BPS_L2)
		return err_usage(err, "'%s' is not a speed (try 10gbps)", text);
	*(uint64_t *)field = (uint64_t)rate.value;
	return 0;
}

#define FIELD(member) OPT_FIELD(struct gen_conf, member)

static const struct opt gen_opts[] = {
	{"rpc", 0, "ENDPOINT", "where clients connect (tcp://127.0.0.1:4501)", opt_set_text,
	 FIELD(rpc), NULL, OPT_NO_ENV},
	{"pub", 0, "ENDPOINT", "doorbell for clients, or none (tcp://127.0.0.1:4500)", opt_set_text,
	 FIELD(pub), NULL, OPT_NO_ENV},
	{"cfg", 0, "FILE", "TRex's configuration: ports, addresses, sizes (see trex.md)",
	 opt_set_text, FIELD(cfg), NULL, OPT_NO_ENV},
	{"listen", 0, "ADDRESS", "listen there instead of on loopback; needs --insecure",
	 opt_set_text, FIELD(listen), NULL, OPT_NO_ENV},
	{"insecure", 0, NULL, "let everybody who reaches ADDRESS send traffic", opt_set_switch,
	 FIELD(insecure), NULL, OPT_NO_ENV},
	{"eth-addr", 0, "PORT,MAC", "own address of PORT", program_set_port_mac, FIELD(addr), NULL,
	 OPT_NO_ENV},
	{"eth-dest", 0, "PORT,MAC", "destination of what leaves by PORT", program_set_port_mac,
	 FIELD(dest), NULL, OPT_NO_ENV},
	{"queues", 0, "N", "queues of each port, among which flows are spread (1)", opt_set_u32,
	 FIELD(queues), NULL, 0},
	{"rxd", 0, "N", "receive descriptors per queue (1024)", opt_set_u32, FIELD(rxd), NULL, 0},
	{"txd", 0, "N", "transmit descriptors per queue (1024)", opt_set_u32, FIELD(txd), NULL, 0},
	{"max-frame", 0, "SIZE", "largest frame with FCS, up to 9242 (1518)", opt_set_size,
	 FIELD(max_frame), NULL, 0},
	{"speed", 0, "RATE", "what 100 % of a port is (10gbps)", set_speed, FIELD(speed_bps), NULL,
	 0},
	{"idle", 0, "POLICY", "what the lcore does without traffic (auto)", program_set_idle,
	 FIELD(idle), program_idle_words, 0},
	{"lifeline", 0, "FD", "exit at its end of file", program_set_fd, FIELD(lifeline), NULL,
	 OPT_NO_ENV | OPT_HIDDEN},
	{"verbose", 'v', NULL, "say each step", opt_set_switch, FIELD(verbose), NULL, 0},
	{"version", 0, NULL, "print versions and exit", opt_set_switch, FIELD(version), NULL,
	 OPT_NO_ENV},
};

const struct opt_command gen_command = {
	.name = "nfvchain-gen",
	.positional = "[-- EAL options]",
	.summary = "Sends and receives test frames; speaks TRex's stateless RPC.",
	.examples = "nfvchain-gen -- -l 0 --vdev=net_vhost0,iface=a --vdev=net_vhost1,iface=b\n",
	.env_prefix = "NFVCHAIN_GEN",
	.opts = gen_opts,
	.n_opts = N_ELEMS(gen_opts),
};

void
gen_conf_init(struct gen_conf *conf)
{
	*conf = (struct gen_conf){
		.rpc = xstrdup("tcp://127.0.0.1:4501"),
		.pub = xstrdup("tcp://127.0.0.1:4500"),
		.queues = 1,
		.rxd = 1024,
		.txd = 1024,
		.max_frame = 1518,
		.speed_bps = 10000000000ull,
		.lifeline = -1,
	};
}

void
gen_conf_fini(struct gen_conf *conf)
{
	free(conf->rpc);
	free(conf->pub);
	free(conf->listen);
	free(conf->cfg);
	opt_list_fini(&conf->eal);
}

/* Reads the line once to learn which file it names, and puts what that says into 'conf'. */
static int
read_cfg(struct gen_conf *conf, int argc, char *const *argv, struct err *err)
{
	char **copy = xcalloc((size_t)argc + 1, sizeof(*copy)), **words = copy;
	struct gen_conf probe;
	int rc;

	memcpy(copy, argv, (size_t)argc * sizeof(*copy));
	gen_conf_init(&probe);
	rc = opt_parse(&gen_command, &argc, &words, &probe, NULL, err);
	if (rc == 0 && probe.cfg != NULL)
		rc = trex_cfg_read(probe.cfg, conf, &conf->eal, err);
	gen_conf_fini(&probe);
	free(copy);
	return rc;
}

int
gen_conf_parse(struct gen_conf *conf, int argc, char **argv, struct err *err)
{
	int rc = read_cfg(conf, argc, argv, err);

	if (rc == 0)
		rc = opt_parse(&gen_command, &argc, &argv, conf, NULL, err);
	if (rc != 0)
		return rc;
	if (argc > 0)
		return err_usage(err, "'%s' is not an option (EAL options go after --)", argv[0]);
	for (int i = 2; i < PROGRAM_MAX_PORTS; i++)
		if (conf->addr[i].set || conf->dest[i].set)
			return err_usage(
				err, "--eth-addr, --eth-dest: the ports are 0 and 1, not %d", i);
	if (conf->queues < 1 || conf->queues > PORT_MAX_QUEUES)
		return err_usage(err, "--queues: a port has 1 to %d", PORT_MAX_QUEUES);
	if (conf->rxd < 32 || conf->rxd > 32768 || conf->txd < 32 || conf->txd > 32768)
		return err_usage(err, "--rxd, --txd: descriptors are 32 to 32768 per queue");
	if (conf->max_frame < 64 || conf->max_frame > STREAM_MAX_LEN + FRAME_FCS)
		return err_usage(err, "--max-frame: frames are 64 to %d bytes with FCS",
				 STREAM_MAX_LEN + FRAME_FCS);
	return listen_check(&conf->rpc, &conf->pub, conf->listen, conf->insecure, err);
}
