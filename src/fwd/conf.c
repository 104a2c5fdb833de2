/* SPDX-License-Identifier: MIT */
#include "conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static const char *const sched_words[] = {"atomic", "ordered", "parallel", NULL};

static int
set_on_full(void *field, const char *text, struct err *err)
{
	if (strcmp(text, "hold") != 0 && strcmp(text, "drop") != 0)
		return err_usage(err, "'%s' is neither 'hold' nor 'drop'", text);
	*(enum on_full *)field = text[0] == 'h' ? ON_FULL_HOLD : ON_FULL_DROP;
	return 0;
}

static int
set_sched(void *field, const char *text, struct err *err)
{
	for (int i = 0; sched_words[i] != NULL; i++) {
		if (strcmp(text, sched_words[i]) == 0) {
			*(enum sched *)field = (enum sched)i;
			return 0;
		}
	}
	return err_usage(err, "'%s' is none of atomic, ordered, parallel", text);
}

/* eventdev_pipeline's -o and -p. */
static int
set_ordered(void *field, const char *text, struct err *err)
{
	(void)err;
	*(enum sched *)field = text == NULL ? SCHED_ORDERED : SCHED_ATOMIC;
	return 0;
}

static int
set_parallel(void *field, const char *text, struct err *err)
{
	(void)err;
	*(enum sched *)field = text == NULL ? SCHED_PARALLEL : SCHED_ATOMIC;
	return 0;
}

static int
set_load(void *field, const char *text, struct err *err)
{
	return load_conf_parse(field, text, err);
}

static int
set_lcore_mask(void *field, const char *text, struct err *err)
{
	const char *digits = strncasecmp(text, "0x", 2) == 0 ? text + 2 : text;
	size_t len = strlen(digits);

	if (len == 0 || len > 16 || strspn(digits, "0123456789abcdefABCDEF") != len)
		return err_usage(err, "'%s' is not a hexadecimal mask of lcores 0 to 63 (try 0x4)",
				 text);
	*(uint64_t *)field = strtoull(digits, NULL, 16);
	return *(uint64_t *)field != 0 ? 0 : err_usage(err, "'%s' is a mask of no lcore", text);
}

/* l2fwd-event's --mode. */
static int
set_mode(void *field, const char *text, struct err *err)
{
	char **engine = field;

	if (strcmp(text, "poll") != 0 && strcmp(text, "eventdev") != 0)
		return err_usage(err, "'%s' is neither poll nor eventdev", text);
	free(*engine);
	*engine = xstrdup(text[0] == 'p' ? "poll" : "event");
	return 0;
}

/* l2fwd-event's --event-vector, which has a size of its own. */
static int
set_event_vector(void *field, const char *text, struct err *err)
{
	uint32_t *vector = field;

	(void)err;
	if (text != NULL)
		*vector = 0;
	else if (*vector == 0)
		*vector = 32;
	return 0;
}

/* Accepted for the line's sake. */
static int
set_nothing(void *field, const char *text, struct err *err)
{
	(void)field, (void)text, (void)err;
	return 0;
}

#define FIELD(member) OPT_FIELD(struct fwd_conf, member)

static const char *const engines[] = {"poll", "event", "pipeline", NULL};
static const char *const modes[] = {"poll", "eventdev", NULL};
static const char *const on_full_words[] = {"hold", "drop", NULL};

static const struct opt fwd_opts[] = {
	{"engine", 'e', "NAME", "how work is spread over lcores: poll, event, pipeline (poll)",
	 opt_set_text, FIELD(engine), engines, 0},
	{"nf", 0, "NAME[:ARGS]",
	 "network function, repeatable: l2fwd, wire, work:CYCLES[,skew=S] or FILE.so", opt_set_list,
	 FIELD(nf), NULL, OPT_NO_ENV},
	{"hop", 0, "NAME",
	 "begins a hop in the same process: what follows is its own, what came before "
	 "the first is all hops'",
	 opt_set_text, FIELD(hop), NULL, OPT_NO_ENV},
	{"hop-ring", 0, "N",
	 "frames that the ring to the next hop has room for, 32 to 32768 (1024)", opt_set_u32,
	 FIELD(hop_ring), NULL, 0},
	{"lcore-mask", 0, "MASK", "lcores of this hop, hexadecimal (all)", set_lcore_mask,
	 FIELD(lcores), NULL, OPT_NO_ENV},
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
	{"sched", 0, "TYPE", "how a flow's frames are served: atomic, ordered, parallel (atomic)",
	 set_sched, FIELD(sched), sched_words, 0},
	{"event-dev", 0, "NAME", "event device, made if need be (the first one, or event_sw0)",
	 opt_set_text, FIELD(event_dev), NULL, 0},
	{"vector", 0, "N", "up to N frames of a flow are one event, 0 for none, up to 64 (0)",
	 opt_set_u32, FIELD(vector), NULL, 0},
	{"stages", 0, "N", "stages of the pipeline engine, 1 to 8 (1)", opt_set_u32, FIELD(stages),
	 NULL, 0},
	{"stage-nf", 0, "S=NF[+NF],...",
	 "functions of each stage (--nf in stage 0, in the others none)", opt_set_list,
	 FIELD(stage_nf), NULL, OPT_NO_ENV},
	{"fuse-stages", 0, NULL, "a worker runs all stages before it lets go of a frame",
	 opt_set_switch, FIELD(fuse_stages), NULL, 0},
	{"work-cycles", 0, "N", "cycles burnt for each frame, in each stage (0)", opt_set_u32,
	 FIELD(work_cycles), NULL, 0},
	{"rx-mask", 0, "MASK", "lcores that receive, hexadecimal", set_lcore_mask, FIELD(rx_mask),
	 NULL, 0},
	{"tx-mask", 0, "MASK", "lcores that send, in place of the workers", set_lcore_mask,
	 FIELD(tx_mask), NULL, 0},
	{"sched-mask", 0, "MASK", "the lcore that runs the event device's scheduler",
	 set_lcore_mask, FIELD(sched_mask), NULL, 0},
	{"worker-mask", 0, "MASK", "lcores that run the functions", set_lcore_mask,
	 FIELD(worker_mask), NULL, 0},
	{"adapters", 0, NULL, "DPDK's Rx and Tx adapters receive and send, in place of our roles",
	 opt_set_switch, FIELD(adapters), NULL, 0},
	{"fuse", 0, NULL, "lcores that share a CPU work as one (on)", opt_set_switch, FIELD(fuse),
	 NULL, OPT_NEGATABLE},
	{"cq-depth", 0, "N", "events a worker takes at once, up to 128 (128)", opt_set_u32,
	 FIELD(cq_depth), NULL, 0},
	{"atomic-flows", 0, "N", "flow ids, 0 for all the device has (0)", opt_set_u32,
	 FIELD(flow_ids), NULL, 0},
	{"packets", 0, "N", "end after N frames, 0 for never (0)", opt_set_count, FIELD(packets),
	 NULL, 0},
	{"mempool-size", 0, "N", "buffers, if more than are needed", opt_set_u32,
	 FIELD(mempool_size), NULL, 0},
	{"stage-times", 0, NULL, "measure how long frames wait for each stage, and are in it (off)",
	 opt_set_switch, FIELD(stage_times), NULL, 0},
	{"queue-priority", 0, NULL, "later stages are served first", opt_set_switch,
	 FIELD(queue_priority), NULL, 0},
	{"dump", 0, NULL, "print what the event device counted, at the end", opt_set_switch,
	 FIELD(dump), NULL, 0},
	{"load", 0, "flows=N[,KEY=VALUE]",
	 "frames of N flows out of net_null's, for measuring the engine alone", set_load,
	 FIELD(load), NULL, OPT_NO_ENV},
	{"ordered", 0, NULL, "as --sched ordered", set_ordered, FIELD(sched), NULL,
	 OPT_NO_ENV | OPT_HIDDEN},
	{"parallel", 0, NULL, "as --sched parallel", set_parallel, FIELD(sched), NULL,
	 OPT_NO_ENV | OPT_HIDDEN},
	{"use-atq", 0, NULL, "queues of all types", opt_set_switch, FIELD(all_types), NULL,
	 OPT_NO_ENV | OPT_HIDDEN},
	{"quiet", 0, NULL, "accepted: there is little to hush", set_nothing, 0, NULL,
	 OPT_NO_ENV | OPT_HIDDEN},
	{"workers", 0, "MASK", "as --worker-mask", set_lcore_mask, FIELD(worker_mask), NULL,
	 OPT_NO_ENV | OPT_HIDDEN},
	{"num_stages", 0, "N", "as --stages", opt_set_u32, FIELD(stages), NULL,
	 OPT_NO_ENV | OPT_HIDDEN},
	{"mode", 0, "MODE", "as --engine: poll, eventdev", set_mode, FIELD(engine), modes,
	 OPT_NO_ENV | OPT_HIDDEN},
	{"eventq-sched", 0, "TYPE", "as --sched", set_sched, FIELD(sched), sched_words,
	 OPT_NO_ENV | OPT_HIDDEN},
	{"config", 0, "MAP", "as --portmap", opt_set_text, FIELD(portmap), NULL,
	 OPT_NO_ENV | OPT_HIDDEN},
	{"event-vector", 0, NULL, "as --vector 32", set_event_vector, FIELD(vector), NULL,
	 OPT_NO_ENV | OPT_HIDDEN},
	{"event-vector-size", 0, "N", "as --vector", opt_set_u32, FIELD(vector), NULL,
	 OPT_NO_ENV | OPT_HIDDEN},
	{"event-vector-tmo", 0, "NS", "accepted: no vector waits", set_nothing, 0, NULL,
	 OPT_NO_ENV | OPT_HIDDEN},
	{"control", 0, "PATH", "socket for counters, quiesce, faults", opt_set_text, FIELD(control),
	 NULL, OPT_NO_ENV},
	{"paused", 0, NULL, "receive nothing until 'resume' comes by --control", opt_set_switch,
	 FIELD(paused), NULL, OPT_NO_ENV},
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
		" --\n    --eth-dest 1,02:00:00:00:00:01\n"
		"nfvchain-fwd -l 1 --vdev=net_virtio_user0,path=a --vdev=net_virtio_user1,path=b"
		" --\n    --hop vnf1 --nf l2fwd --hop vnf2 --nf work:100\n",
	.env_prefix = "NFVCHAIN",
	.opts = fwd_opts,
	.n_opts = N_ELEMS(fwd_opts),
};

/* Which letters mean what to the pipeline engine. */
static const struct {
	char key;
	const char *name;
} pipeline_keys[] = {
	{'n', "packets"},     {'f', "atomic-flows"},   {'s', "stages"},	      {'r', "rx-mask"},
	{'w', "worker-mask"}, {'t', "tx-mask"},	       {'e', "sched-mask"},   {'c', "cq-depth"},
	{'W', "work-cycles"}, {'P', "queue-priority"}, {'o', "ordered"},      {'p', "parallel"},
	{'q', "quiet"},	      {'a', "use-atq"},	       {'m', "mempool-size"}, {'D', "dump"},
	{'T', "period"},      {'v', "verbose"},	       {'b', "burst"},
};

const struct opt_command *
fwd_pipeline_command(void)
{
	static struct opt rows[N_ELEMS(fwd_opts)];
	static struct opt_command command;

	command = fwd_command;
	memcpy(rows, fwd_opts, sizeof(rows));
	command.opts = rows;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		rows[i].key = 0;
		for (size_t k = 0; k < N_ELEMS(pipeline_keys); k++)
			if (strcmp(rows[i].name, pipeline_keys[k].name) == 0)
				rows[i].key = pipeline_keys[k].key;
	}
	return &command;
}

void
fwd_conf_init(struct fwd_conf *conf)
{
	*conf = (struct fwd_conf){
		.engine = xstrdup("poll"),
		.hop_ring = 1024,
		.rxq = 1,
		.rxd = 1024,
		.txd = 1024,
		.burst = 32,
		.max_frame = 1518,
		.mac_updating = true,
		.hold_ns = 10000000,
		.drain_ns = 2000000000,
		.lifeline = -1,
		.stages = 1,
		.fuse = true,
	};
}

void
fwd_conf_fini(struct fwd_conf *conf)
{
	free(conf->hop);
	free(conf->engine);
	free(conf->portmap);
	free(conf->control);
	free(conf->event_dev);
	opt_list_fini(&conf->nf);
	opt_list_fini(&conf->stage_nf);
}

static int
check_events(const struct fwd_conf *conf, struct err *err)
{
	const char *engine = conf->engine;

	if (conf->stages < 1 || conf->stages > CONF_MAX_STAGES)
		return err_usage(err, "--stages: %u is not within 1 to %d", conf->stages,
				 CONF_MAX_STAGES);
	if (conf->stages > 1 && strcmp(engine, "pipeline") != 0)
		return err_usage(err, "--stages: engine %s has one; engine pipeline has more",
				 engine);
	if (conf->stage_nf.n > 0 && conf->nf.n > 0)
		return err_usage(err, "--stage-nf gives each stage its functions, --nf the first: "
				      "one of them");
	if (conf->vector > CONF_MAX_VECTOR)
		return err_usage(err, "--vector: %u is not within 0 to %d", conf->vector,
				 CONF_MAX_VECTOR);
	if (conf->adapters && strcmp(engine, "poll") == 0)
		return err_usage(err, "--adapters: engine poll has no event device that they could "
				      "serve (try --engine event)");
	if (conf->adapters && conf->stage_times)
		return err_usage(err, "--stage-times: frames that DPDK's adapters receive carry no "
				      "times; leave out --adapters or --stage-times");
	if (conf->adapters && conf->vector > 0)
		return err_usage(err, "--vector: DPDK's Rx adapter in software repeats and loses "
				      "vectors once its buffer wraps; leave out --adapters or "
				      "--vector");
	if (conf->cq_depth > 128)
		return err_usage(err, "--cq-depth: %u is not within 1 to 128", conf->cq_depth);
	if (conf->flow_ids > 1u << 20)
		return err_usage(err, "--atomic-flows: %u is not within 0 to %u", conf->flow_ids,
				 1u << 20);
	if (conf->work_cycles > 1000000)
		return err_usage(err, "--work-cycles: %u is more than 1000000", conf->work_cycles);
	if (conf->all_types)
		return err_usage(err, "--use-atq: queues of all types at once are not built, and "
				      "event_sw and event_dsw have none");
	return 0;
}

static int
check(const struct fwd_conf *conf, struct err *err)
{
	const char *const *engine = engines;

	while (*engine != NULL && strcmp(*engine, conf->engine) != 0)
		engine++;
	if (*engine == NULL)
		return err_usage(err, "--engine: '%s' is none of poll, event, pipeline",
				 conf->engine);
	if (conf->burst < 1 || conf->burst > CONF_MAX_BURST)
		return err_usage(err, "--burst: %u is not within 1 to %d", conf->burst,
				 CONF_MAX_BURST);
	if (conf->rxq < 1 || conf->rxq > 16)
		return err_usage(err, "--rxq: %u is not within 1 to 16", conf->rxq);
	if (conf->rxd < 32 || conf->rxd > 32768 || conf->txd < 32 || conf->txd > 32768)
		return err_usage(err, "--rxd, --txd: descriptors are 32 to 32768 per queue");
	if (conf->max_frame < 64 || conf->max_frame > 9216)
		return err_usage(err, "--max-frame: frames are 64 to 9216 bytes with FCS");
	if (conf->hop_ring < 32 || conf->hop_ring > 32768)
		return err_usage(err, "--hop-ring: %u is not within 32 to 32768", conf->hop_ring);
	if (conf->nf.n > CONF_MAX_NFS)
		return err_usage(err, "--nf: at most %d functions in a row", CONF_MAX_NFS);
	return check_events(conf, err);
}

/* ---- the engine, which decides what short options mean ---- */

/* The name of an engine that the words at 'argv' choose, and how many they are, else NULL.  -e is
 * the engine only in front of such a name: it is the pipeline engine's scheduler mask, too. */
static const char *
engine_at(char **argv, int n, int *n_words)
{
	const char *value = NULL;

	*n_words = 1;
	if (strncmp(argv[0], "--engine=", 9) == 0)
		value = argv[0] + 9;
	else if (strncmp(argv[0], "-e", 2) == 0 && argv[0][2] != '\0')
		value = argv[0] + 2;
	else if (n > 1 && (strcmp(argv[0], "--engine") == 0 || strcmp(argv[0], "-e") == 0)) {
		value = argv[1];
		*n_words = 2;
	}
	for (size_t i = 0; value != NULL && engines[i] != NULL; i++)
		if (strcmp(value, engines[i]) == 0)
			return engines[i];
	return NULL;
}

/* Takes the words that choose an engine out of argv; the last ones count. */
static const char *
take_engine(int *argc, char **argv)
{
	const char *chosen = NULL;
	int kept = 1;

	for (int i = 1; i < *argc;) {
		int n_words;
		const char *name = engine_at(argv + i, *argc - i, &n_words);

		if (name == NULL) {
			argv[kept++] = argv[i++];
			continue;
		}
		chosen = name;
		i += n_words;
	}
	if (kept < *argc)
		argv[kept] = NULL;
	*argc = kept;
	return chosen;
}

static void
set_engine(struct fwd_conf *conf, const char *name)
{
	free(conf->engine);
	conf->engine = xstrdup(name);
}

/* What an example does when its line does not say otherwise. */
static void
become(struct fwd_conf *conf, const char *personality)
{
	const char *slash = personality != NULL ? strrchr(personality, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : personality;

	if (name == NULL)
		return;
	if (strcmp(name, "dpdk-l2fwd-event") == 0)
		set_engine(conf, "event");
	if (strcmp(name, "dpdk-eventdev_pipeline") == 0) {
		set_engine(conf, "pipeline");
		conf->packets = 1u << 25;
	}
}

int
fwd_conf_parse(struct fwd_conf *conf, const char *personality, int argc, char **argv,
	       struct err *err)
{
	const char *env = getenv("NFVCHAIN_ENGINE"), *chosen = take_engine(&argc, argv);
	const struct opt_command *command = &fwd_command;
	int rc;

	become(conf, personality);
	if (chosen != NULL)
		set_engine(conf, chosen);
	else if (env != NULL && env[0] != '\0')
		set_engine(conf, env);
	if (strcmp(conf->engine, "pipeline") == 0)
		command = fwd_pipeline_command();
	rc = opt_parse(command, &argc, &argv, conf, NULL, err);
	if (rc == 0 && chosen != NULL)
		set_engine(conf, chosen);
	return rc != 0 ? rc : check(conf, err);
}
