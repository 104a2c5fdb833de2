/* SPDX-License-Identifier: MIT */
#include "conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"

static int
set_portmask(void *field, const char *text, struct err *err)
{
	char *end;
	unsigned long long mask;

	/* l2fwd reads the mask as hexadecimal with or without 0x. */
	errno = 0;
	mask = strtoull(text, &end, 16);
	if (errno != 0 || *text == '\0' || *text == '-' || *end != '\0' || mask == 0 ||
	    mask >> PROGRAM_MAX_PORTS)
		return err_usage(err, "'%s' is not a mask of ports 0 to %d (try 0x3)", text,
				 PROGRAM_MAX_PORTS - 1);
	*(uint64_t *)field = mask;
	return 0;
}

static int
set_on_full(void *field, const char *text, struct err *err)
{
	if (strcmp(text, "hold") != 0 && strcmp(text, "drop") != 0)
		return err_usage(err, "'%s' is neither 'hold' nor 'drop'", text);
	*(enum on_full *)field = text[0] == 'h' ? ON_FULL_HOLD : ON_FULL_DROP;
	return 0;
}

#define FIELD(member) OPT_FIELD(struct fwd_conf, member)

static const char *const engines[] = {"poll", NULL};
static const char *const on_full_words[] = {"hold", "drop", NULL};

static const struct opt fwd_opts[] = {
	{"engine", 'e', "NAME", "how work is spread over lcores: poll", opt_set_text, FIELD(engine),
	 engines, 0},
	{"nf", 0, "NAME[:ARGS]",
	 "network function, repeatable: l2fwd, wire, work:CYCLES or FILE.so", opt_set_list,
	 FIELD(nf), NULL, OPT_NO_ENV},
	{"portmask", 'p', "MASK", "ports to use, hexadecimal (all)", set_portmask, FIELD(portmask),
	 NULL, 0},
	{"portmap", 0, "MAP", "pairs of ports, (0,1)(2,3); neighbours unless given", opt_set_text,
	 FIELD(portmap), NULL, 0},
	{"queues-per-lcore", 'q', "N", "receive queues one lcore polls", opt_set_u32,
	 FIELD(queues_per_lcore), NULL, 0},
	{"rxq", 0, "N", "receive queues of each port (1)", opt_set_u32, FIELD(rxq), NULL, 0},
	{"rxd", 0, "N", "receive descriptors per queue (1024)", opt_set_u32, FIELD(rxd), NULL, 0},
	{"txd", 0, "N", "transmit descriptors per queue (1024)", opt_set_u32, FIELD(txd), NULL, 0},
	{"burst", 'b', "N", "frames received at once, 1 to 256 (32)", opt_set_u32, FIELD(burst),
	 NULL, 0},
	{"max-frame", 0, "SIZE", "largest frame with FCS, up to 9216 (1518)", opt_set_size,
	 FIELD(max_frame), NULL, 0},
	{"period", 'T', "TIME", "print counters each TIME, 0 for never (0)", opt_set_duration,
	 FIELD(period_ns), NULL, 0},
	{"promiscuous", 'P', NULL, "take frames for other destinations too", opt_set_switch,
	 FIELD(promiscuous), NULL, 0},
	{"mac-updating", 0, NULL, "rewrite MAC addresses (on)", opt_set_switch, FIELD(mac_updating),
	 NULL, OPT_NEGATABLE},
	{"eth-dest", 0, "PORT,MAC", "destination of what leaves by PORT", program_set_port_mac,
	 FIELD(dest), NULL, 0},
	{"eth-addr", 0, "PORT,MAC", "own address of PORT", program_set_port_mac, FIELD(addr), NULL,
	 0},
	{"on-full", 0, "WHAT", "when the next link is full: hold, drop (hold)", set_on_full,
	 FIELD(on_full), on_full_words, 0},
	{"hold", 0, "TIME", "how long frames are held, then dropped (10ms)", opt_set_duration,
	 FIELD(hold_ns), NULL, 0},
	{"idle", 0, "POLICY", "what an idle lcore does (auto)", program_set_idle, FIELD(idle),
	 program_idle_words, 0},
	{"drain", 0, "TIME", "patience with frames in flight at the end (2s)", opt_set_duration,
	 FIELD(drain_ns), NULL, 0},
	{"control", 0, "PATH", "socket for counters, quiesce, faults", opt_set_text, FIELD(control),
	 NULL, OPT_NO_ENV},
	{"lifeline", 0, "FD", "drain and exit at its end of file", program_set_fd, FIELD(lifeline),
	 NULL, OPT_NO_ENV | OPT_HIDDEN},
	{"dry-run", 'n', NULL, "print the plan and exit", opt_set_switch, FIELD(dry_run), NULL,
	 OPT_NO_ENV},
	{"json", 0, NULL, "print the plan and the last line as JSON", opt_set_switch, FIELD(json),
	 NULL, OPT_NO_ENV},
	{"verbose", 'v', NULL, "say each step", opt_set_switch, FIELD(verbose), NULL, 0},
	{"version", 0, NULL, "print versions and exit", opt_set_switch, FIELD(version), NULL,
	 OPT_NO_ENV},
};

const struct opt_command fwd_command = {
	.name = "nfvchain-fwd [EAL options] --",
	.summary = "Forwards frames between pairs of ports and accounts for every one.",
	.examples =
		"nfvchain-fwd -l 0-1 -n 4 -- -p 0x3 -T 1\n"
		"nfvchain-fwd -l 1 --vdev=net_virtio_user0,path=a --vdev=net_virtio_user1,path=b"
		" --\n    --eth-dest 1,02:00:00:00:00:01\n",
	.env_prefix = "NFVCHAIN",
	.opts = fwd_opts,
	.n_opts = N_ELEMS(fwd_opts),
};

void
fwd_conf_init(struct fwd_conf *conf)
{
	*conf = (struct fwd_conf){
		.engine = xstrdup("poll"),
		.rxq = 1,
		.rxd = 1024,
		.txd = 1024,
		.burst = 32,
		.max_frame = 1518,
		.mac_updating = true,
		.hold_ns = 10000000,
		.drain_ns = 2000000000,
		.lifeline = -1,
	};
}

void
fwd_conf_fini(struct fwd_conf *conf)
{
	free(conf->engine);
	free(conf->portmap);
	free(conf->control);
	opt_list_fini(&conf->nf);
}

static int
check(const struct fwd_conf *conf, struct err *err)
{
	if (strcmp(conf->engine, "poll") != 0)
		return err_usage(err, "--engine: '%s' is not built yet (poll is)", conf->engine);
	if (conf->burst < 1 || conf->burst > CONF_MAX_BURST)
		return err_usage(err, "--burst: %u is not within 1 to %d", conf->burst,
				 CONF_MAX_BURST);
	if (conf->rxq < 1 || conf->rxq > 16)
		return err_usage(err, "--rxq: %u is not within 1 to 16", conf->rxq);
	if (conf->rxd < 32 || conf->rxd > 32768 || conf->txd < 32 || conf->txd > 32768)
		return err_usage(err, "--rxd, --txd: descriptors are 32 to 32768 per queue");
	if (conf->max_frame < 64 || conf->max_frame > 9216)
		return err_usage(err, "--max-frame: frames are 64 to 9216 bytes with FCS");
	if (conf->nf.n > CONF_MAX_NFS)
		return err_usage(err, "--nf: at most %d functions in a row", CONF_MAX_NFS);
	return 0;
}

int
fwd_conf_parse(struct fwd_conf *conf, int argc, char **argv, struct err *err)
{
	int rc = opt_parse(&fwd_command, &argc, &argv, conf, NULL, err);

	if (rc != 0)
		return rc;
	return check(conf, err);
}
