/* SPDX-License-Identifier: MIT */
/* The hot loops without links: one thread runs the forwarder's engine, or the generator's
 * transmission and reception, over rings in memory.  Nothing waits and no clock is read that
 * matters, so that under callgrind a run takes exactly as many instructions as the last one:
 * perf/instructions counts them.
 *
 * The forwarder's port 0 receives what its port 1 sends: frames go round for ever.  The generator's
 * port 1 receives what its port 0 sends.  A run that did anything else with its frames fails, for
 * its count would be of another path. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eth_ring.h>
#include <rte_ring.h>
#include <rte_version.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "dpdk/cpus.h"
#include "dpdk/eal.h"
#include "fwd/engine.h"
#include "fwd/group.h"
#include "fwd/nfs.h"
#include "gen/generator.h"
#include "gen/vm.h"
#include "pkt/cksum.h"
#include "pkt/template.h"
#include "txstream.h"

#define RING_SIZE 1024
#define DESCRIPTORS 256
#define PATIENCE_S 120 /* a loop that does not end is worth a failure, not a hang */

/* The generator's schedule: ten million slots a second. */
#define STEP_NS 100
#define STREAM_BASE 1

/* The generator's clock stands still: a billion ticks of the real one are a nanosecond, and frames
 * are this old when they arrive, so that no path depends on how fast the machine is. */
#define TICKS_PER_NS 1000000000ull
#define AGE_NS 3000000000ull

static const uint8_t mac[2][6] = {{0x02, 0, 0, 0, 0, 0x0a}, {0x02, 0, 0, 0, 0, 0x0b}};

struct lockstep {
	uint32_t bursts;
	uint32_t frames; /* in each burst */
	uint32_t size;	 /* of a frame, with FCS */
	uint32_t flows;	 /* of the forwarder's frames */
	struct opt_list nf;
	uint32_t vector, stages;
	bool fuse_stages;
	uint32_t hops; /* in a row, in one process */
	bool flat_out;
	bool plain;    /* the generator's frames go out as they are */
	bool field_vm; /* or as a program makes them */
	bool identity;
};

static struct rte_ring *
make_ring(const char *name)
{
	return rte_ring_create(name, RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

/* Two ports: port 0 receives from 'rx0' and sends to 'tx0', and so on. */
static int
make_ports(struct rte_ring *rx0, struct rte_ring *tx0, struct rte_ring *rx1, struct rte_ring *tx1,
	   struct err *err)
{
	if (rx0 == NULL || tx0 == NULL || rx1 == NULL || tx1 == NULL)
		return err_machine(err, "no memory for rings");
	if (rte_eth_from_rings("lockstep0", &rx0, 1, &tx0, 1, 0) != 0 ||
	    rte_eth_from_rings("lockstep1", &rx1, 1, &tx1, 1, 0) != 1)
		return err_machine(err, "no ports over rings");
	return 0;
}

/* A test frame for the port whose address is mac[0]. */
static int
make_frame(uint8_t *buf, size_t room, uint32_t size, struct err *err)
{
	struct frame_spec spec;

	frame_spec_init(&spec);
	memcpy(spec.dst_mac, mac[0], sizeof(spec.dst_mac));
	spec.size = (uint16_t)size;
	return frame_build(&spec, buf, room, err);
}

/* ---- the forwarder ---- */

/* Stands before the forwarder's function: between the engine and the function is the one place that
 * sees every burst and costs neither of them an instruction. */
static struct {
	struct fwd fwd;
	const struct nf *real;
	struct nf counting;
	uint32_t left;
} lap;

static void
lockstep_count(void *ctx, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict)
{
	if (--lap.left == 0)
		fwd_set_state(&lap.fwd, FWD_STOP);
	lap.real->burst(ctx, frames, n, verdict);
}

static int
fill_ring(struct rte_ring *ring, struct rte_mempool *pool, const struct lockstep *l,
	  struct err *err)
{
	uint8_t frame[FRAME_MAX_SIZE];
	int len = make_frame(frame, sizeof(frame), l->size, err);
	struct frame_template t;

	if (len >= 0 && frame_template_init(&t, frame, (size_t)len, err) < 0)
		return -EINVAL;
	for (uint32_t i = 0; len >= 0 && i < l->frames; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
		char *data = m != NULL ? rte_pktmbuf_append(m, (uint16_t)len) : NULL;

		if (data == NULL || rte_ring_enqueue(ring, m) < 0)
			return err_machine(err, "no room for %u frames", l->frames);
		template_set_flow(&t, frame, i % l->flows);
		memcpy(data, frame, (size_t)len);
		m->port = 0;
	}
	return len < 0 ? len : 0;
}

static int
check_forwarded(const struct lockstep *l, struct err *err)
{
	const uint64_t all = (uint64_t)l->bursts * l->frames;
	/* Stages count a burst for each visit, receiving is one. */
	const unsigned visits = 1u + lap.fwd.plan.roles.n_queues;
	struct fwd_totals t;

	fwd_totals(&lap.fwd, &t);
	if (t.rx[0] != all || t.tx[1] != all || t.rx_all != all || t.tx_all != all ||
	    t.bursts != (uint64_t)l->bursts * visits || fwd_residual(&t) != 0)
		return err_set(err, EPROTO,
			       "%lu frames in %lu bursts received and %lu sent, not %lu", t.rx_all,
			       t.bursts, t.tx_all, all);
	return 0;
}

static int
run_fwd(const struct lockstep *l, const char *engine, struct err *err)
{
	struct rte_ring *forth = make_ring("forth"), *back = make_ring("back");
	struct fwd_conf conf;
	int rc;

	fwd_conf_init(&conf);
	free(conf.engine);
	conf.engine = xstrdup(engine);
	conf.vector = l->vector;
	conf.stages = l->stages;
	conf.fuse_stages = l->fuse_stages;
	conf.rxd = conf.txd = DESCRIPTORS;
	conf.burst = l->frames;
	conf.nf = l->nf;
	memcpy(conf.addr[0].mac, mac[0], sizeof(mac[0]));
	memcpy(conf.dest[1].mac, mac[0], sizeof(mac[0]));
	conf.addr[0].set = conf.dest[1].set = true;
	rc = make_ports(forth, back, back, forth, err);
	if (rc == 0)
		rc = fwd_open(&lap.fwd, &conf, false, err);
	if (rc == 0)
		rc = fill_ring(forth, lap.fwd.pool, l, err);
	if (rc == 0) {
		lap.left = l->bursts;
		lap.fwd.gap_tsc = UINT64_MAX; /* how long a round takes must not matter */
		lap.real = lap.fwd.nf[0];
		lap.counting = *lap.real;
		lap.counting.burst = lockstep_count;
		lap.fwd.nf[0] = &lap.counting;
		fwd_run(&lap.fwd);
		rc = check_forwarded(l, err);
	}
	fwd_close(&lap.fwd);
	conf.nf = (struct opt_list){0};
	fwd_conf_fini(&conf);
	return rc;
}

/* ---- hops in a row ---- */

static struct group row;

static void
lockstep_count_row(void *ctx, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict)
{
	if (--lap.left == 0)
		group_set_state(&row, FWD_STOP);
	lap.real->burst(ctx, frames, n, verdict);
}

static int
parse_row(struct fwd_confs *confs, const struct lockstep *l, struct err *err)
{
	char words[3 + CONF_MAX_HOPS][24], *argv[4 + CONF_MAX_HOPS] = {NULL};
	struct fwd_conf *first = &confs->hop[0], *last = &confs->hop[l->hops - 1];
	int argc = 0, rc;

	snprintf(words[argc++], sizeof(words[0]), "lockstep");
	snprintf(words[argc++], sizeof(words[0]), "--burst=%u", l->frames);
	for (uint32_t i = 0; i < l->hops; i++)
		snprintf(words[argc++], sizeof(words[0]), "--hop=h%u", i);
	for (int i = 0; i < argc; i++)
		argv[i] = words[i];
	rc = fwd_confs_parse(confs, argv[0], argc, argv, err);
	memcpy(first->addr[0].mac, mac[0], sizeof(mac[0]));
	memcpy(last->dest[1].mac, mac[0], sizeof(mac[0]));
	first->addr[0].set = last->dest[1].set = true;
	return rc;
}

/* Every burst went through all hops, but the last one may have been told to stop before. */
static int
check_row(const struct lockstep *l, struct err *err)
{
	const uint64_t all = (uint64_t)l->bursts * l->frames;

	for (unsigned i = 0; i < row.n; i++) {
		struct fwd_totals t;

		fwd_totals(row.fwd[i], &t);
		if (t.rx_all != t.rx[0] || (t.rx[0] != all && t.rx[0] + l->frames != all) ||
		    fwd_residual(&t) != 0)
			return err_set(err, EPROTO, "hop %u received %lu frames, not %lu", i,
				       t.rx_all, all);
	}
	return 0;
}

static int
run_row(const struct lockstep *l, struct err *err)
{
	struct rte_ring *forth = make_ring("forth"), *back = make_ring("back");
	struct fwd_confs confs;
	int rc = parse_row(&confs, l, err);

	if (rc == 0)
		rc = make_ports(forth, back, back, forth, err);
	if (rc == 0)
		rc = group_open(&row, &confs, false, err);
	if (rc == 0)
		rc = fill_ring(forth, row.pool, l, err);
	if (rc == 0) {
		lap.left = l->bursts;
		for (unsigned i = 0; i < row.n; i++)
			row.fwd[i]->gap_tsc = UINT64_MAX;
		lap.real = row.fwd[0]->nf[0];
		lap.counting = *lap.real;
		lap.counting.burst = lockstep_count_row;
		row.fwd[0]->nf[0] = &lap.counting;
		group_run(&row);
		rc = check_row(l, err);
	}
	group_close(&row);
	fwd_confs_fini(&confs);
	return rc;
}

/* ---- the generator ---- */

static struct gen_worker worker;

static struct run *
make_run(const struct lockstep *l, struct err *err)
{
	const struct run_conf conf = {
		.stream_base = STREAM_BASE,
		.n_queues = 1,
		.factor = 1,
		.speed_bps = 1e10,
		.duration_s = -1,
		.flat_out = l->flat_out,
		.src_mac = mac[0],
		.dst_mac = mac[1],
	};
	const enum txstream_kind kind = l->plain      ? TXSTREAM_PLAIN
					: l->field_vm ? TXSTREAM_PROGRAM
						      : TXSTREAM_SIGNED;
	struct jsonrpc_error e = {0};
	struct stream s;
	struct run *run;

	if (txstream_init(&s, kind, (uint16_t)l->size, 1e9 / STEP_NS, mac[0], err) < 0)
		return NULL;
	run = run_new(&s, 1, &conf, &e);
	stream_fini(&s);
	if (run == NULL)
		err_set(err, EINVAL, "%s", e.specific);
	return run;
}

/* What the worker does with a run that is offered to it. */
static void
take_run(struct run *run)
{
	worker.tsc_to_ns = 1.0 / (double)TICKS_PER_NS;
	run_set_start(run, rte_rdtsc() - AGE_NS * TICKS_PER_NS);
	run->state = RUN_ACTIVE;
	worker.ports[0].rx_run = run;
	tx_start(&worker.ports[0], 0, run);
}

/* A burst out, and the same burst in. */
static void
go_round(const struct lockstep *l, const struct run *run)
{
	for (uint64_t i = 0; i < l->bursts; i++) {
		/* Half a step after the last slot of the burst. */
		uint64_t now_ns = ((i + 1) * l->frames - 1) * STEP_NS + STEP_NS / 2;

		(void)tx_round(&worker, &worker.ports[0], 0, 0,
			       run->start_tsc + now_ns * TICKS_PER_NS);
		(void)rx_round(&worker, 1);
	}
}

static int
check_generated(const struct lockstep *l, const struct run *run, struct err *err)
{
	const uint64_t all = (uint64_t)l->bursts * l->frames;
	uint64_t sent = run_sent(run);
	uint64_t ok = counter_get(run->n_signed > 0 ? &run->rx[RX_OK] : &worker.ports[1].ipackets);

	if (run_intended(run) != all || sent != all || ok != all)
		return err_set(err, EPROTO, "%lu frames sent and %lu received, not %lu", sent, ok,
			       all);
	return 0;
}

static int
run_gen(const struct lockstep *l, struct err *err)
{
	struct rte_ring *forth = make_ring("forth"), *back = make_ring("back");
	struct gen_conf conf;
	struct run *run = NULL;
	int rc;

	gen_conf_init(&conf);
	conf.rxd = conf.txd = DESCRIPTORS;
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		memcpy(conf.addr[i].mac, mac[i], sizeof(mac[i]));
		conf.addr[i].set = true;
	}
	rc = make_ports(back, forth, forth, back, err);
	if (rc == 0)
		rc = generator_open(&worker, &conf, false, err);
	if (rc == 0 && (run = make_run(l, err)) == NULL)
		rc = -EINVAL;
	if (rc == 0) {
		take_run(run);
		go_round(l, run);
		rc = check_generated(l, run, err);
		tx_start(&worker.ports[0], 0, NULL);
	}
	run_free(run);
	generator_close(&worker);
	gen_conf_fini(&conf);
	return rc;
}

/* ---- the field engine ---- */

#define INST(type) "{\"type\": \"" type "\", "
#define RANGE(name, op, size, step, init, min, max)                                         \
	INST("flow_var")                                                                    \
	"\"name\": \"" name "\", \"op\": \"" op "\", \"size\": " #size ", \"step\": " #step \
	", \"init_value\": " #init ", \"min_value\": " #min ", \"max_value\": " #max "}, "
#define WRITE(name, at)                                \
	INST("write_flow_var")                         \
	"\"name\": \"" name "\", \"pkt_offset\": " #at \
	", \"add_value\": 0, \"is_big_endian\": true}, "

/* Two fields and a checksum, as most of TRex's profiles have them. */
static const char program[] = "{\"instructions\": [" RANGE("src", "inc", 4, 1, 0, 0, 255)
	RANGE("port", "dec", 2, 1, 1255, 1000, 1255) WRITE("src", 26) WRITE("port", 36)
		INST("fix_checksum_ipv4") "\"pkt_offset\": 14}]}";

static void
make_fields(const struct vm *vm, uint64_t *state, uint8_t *frame, uint16_t len, uint64_t n)
{
	vm_init(vm, state, 0);
	for (uint64_t i = 0; i < n; i++)
		(void)vm_run(vm, state, frame, len);
}

/* Both variables have 256 values. */
static int
check_fields(const uint8_t *frame, uint64_t n, struct err *err)
{
	const uint8_t *src = frame + 26, *port = frame + 36;
	uint8_t last = (uint8_t)(n - 1);

	if (src[3] != last || (port[0] << 8 | port[1]) != 1255 - last ||
	    cksum_finish(cksum_add(0, frame + FRAME_L2, FRAME_IPV4)) != 0)
		return err_set(err, EPROTO, "the last of %lu frames is another one", n);
	return 0;
}

static int
run_vm(const struct lockstep *l, struct err *err)
{
	const uint64_t all = (uint64_t)l->bursts * l->frames;
	json_t *json = json_loads(program, 0, NULL);
	uint8_t frame[FRAME_MAX_SIZE];
	int len = make_frame(frame, sizeof(frame), l->size, err);
	struct jsonrpc_error e = {0};
	struct vm *vm = NULL;
	uint64_t *state;
	int rc = len;

	if (len >= 0) {
		rc = vm_parse(&vm, json, frame, (uint16_t)len, &e);
		if (rc < 0)
			err_set(err, EINVAL, "%s", e.specific);
	}
	if (rc == 0) {
		state = xcalloc(1, vm_state_size(vm));
		make_fields(vm, state, frame, (uint16_t)len, all);
		rc = check_fields(frame, all, err);
		free(state);
	}
	vm_free(vm);
	json_decref(json);
	return rc;
}

/* ---- the program ---- */

#define FIELD(member) OPT_FIELD(struct lockstep, member)

static const struct opt opts[] = {
	{"bursts", 'n', "N", "bursts to run (2000)", opt_set_u32, FIELD(bursts), NULL, 0},
	{"frames", 'b', "N", "frames in each burst (32)", opt_set_u32, FIELD(frames), NULL, 0},
	{"size", 's', "BYTES", "frame size with FCS (64)", opt_set_u32, FIELD(size), NULL, 0},
	{"flows", 0, "N", "flows of the forwarder's frames (1)", opt_set_u32, FIELD(flows), NULL,
	 0},
	{"nf", 0, "NAME[:ARGS]", "the forwarder's function (l2fwd)", opt_set_list, FIELD(nf), NULL,
	 0},
	{"vector", 0, "N", "frames of an event, at most (0)", opt_set_u32, FIELD(vector), NULL, 0},
	{"stages", 0, "N", "stages of the pipeline (1)", opt_set_u32, FIELD(stages), NULL, 0},
	{"fuse-stages", 0, NULL, "which follow at once", opt_set_switch, FIELD(fuse_stages), NULL,
	 0},
	{"hops", 0, "N", "hops in a row in one process (2)", opt_set_u32, FIELD(hops), NULL, 0},
	{"flat-out", 'f', NULL, "transmit without a schedule", opt_set_switch, FIELD(flat_out),
	 NULL, 0},
	{"plain", 0, NULL, "the generator's frames are sent as given", opt_set_switch, FIELD(plain),
	 NULL, 0},
	{"field-engine", 0, NULL, "they are made by a program", opt_set_switch, FIELD(field_vm),
	 NULL, 0},
	{"identity", 0, NULL, "print what the instructions depend on", opt_set_switch,
	 FIELD(identity), NULL, 0},
};

static const struct opt_command command = {
	.name = "lockstep",
	.positional = "fwd|fused|event|pipeline|tx|rx|vm",
	.summary = "Runs a hot loop over rings in memory, to count its instructions.",
	.opts = opts,
	.n_opts = N_ELEMS(opts),
};

static void
print_identity(void)
{
	/* "22.11.11", without what stands before it. */
	printf(LOCKSTEP_COMPILER " dpdk-%s " LOCKSTEP_BUILD "\n", rte_version() + strlen("DPDK "));
}

/* The forwarder's engine that a subject names, or NULL for the generator's. */
static const char *
engine_of(const char *subject)
{
	if (strcmp(subject, "fwd") == 0 || strcmp(subject, "fused") == 0)
		return "poll";
	return strcmp(subject, "event") == 0 || strcmp(subject, "pipeline") == 0 ? subject : NULL;
}

static int
check(const struct lockstep *l, const char *subject, struct err *err)
{
	uint32_t most = engine_of(subject) != NULL ? CONF_MAX_BURST : GEN_BURST;

	if (engine_of(subject) == NULL && strcmp(subject, "tx") != 0 &&
	    strcmp(subject, "rx") != 0 && strcmp(subject, "vm") != 0)
		return err_usage(err, "'%s' is none of fwd, fused, event, pipeline, tx, rx, vm",
				 subject);
	if (l->flows < 1 || l->vector > CONF_MAX_VECTOR)
		return err_usage(err, "--flows: at least one; --vector: at most %d",
				 CONF_MAX_VECTOR);
	if (l->hops < 2 || l->hops > CONF_MAX_HOPS)
		return err_usage(err, "--hops: 2 to %d", CONF_MAX_HOPS);
	if (l->bursts < 1)
		return err_usage(err, "--bursts: at least one");
	if (l->frames < 1 || l->frames > most)
		return err_usage(err, "--frames: 1 to %u for '%s'", most, subject);
	if (l->flows < 1)
		return err_usage(err, "--flows: at least one");
	if (l->flat_out && l->frames != GEN_BURST)
		return err_usage(err, "--flat-out: bursts are of %d frames", GEN_BURST);
	return 0;
}

/* On one CPU, with ordinary memory, and no file left behind. */
static int
start_eal(struct eal *eal, struct err *err)
{
	char words[][24] = {"lockstep", "--no-huge",	  "-m192",	"--no-pci",
			    "lcores",	"--no-telemetry", "--no-shconf"};
	char *argv[N_ELEMS(words) + 1] = {NULL};
	struct cpus cpus;
	unsigned cpu = 0;
	int rc = cpus_allowed(&cpus, err);

	if (rc < 0)
		return rc;
	while (!cpus.has[cpu])
		cpu++;
	for (size_t i = 0; i < N_ELEMS(words); i++)
		argv[i] = words[i];
	snprintf(argv[4], sizeof(words[4]), "--lcores=0@%u", cpu);
	return eal_start(eal, N_ELEMS(words), argv, 64, err);
}

static int
run_subject(const struct lockstep *l, const char *subject, struct err *err)
{
	struct eal eal = {0};
	int rc;

	if (strcmp(subject, "vm") == 0)
		return run_vm(l, err);
	rc = start_eal(&eal, err);
	if (rc == 0)
		rc = strcmp(subject, "fused") == 0 ? run_row(l, err)
		     : engine_of(subject) != NULL  ? run_fwd(l, engine_of(subject), err)
						   : run_gen(l, err);
	eal_stop(&eal);
	return rc;
}

static int
run(const struct lockstep *l, const char *subject, struct err *err)
{
	int rc = check(l, subject, err);

	if (rc < 0)
		return rc;
	(void)alarm(PATIENCE_S);
	rc = run_subject(l, subject, err);
	if (rc == 0)
		printf("%s: bursts=%u frames=%lu\n", subject, l->bursts,
		       (uint64_t)l->bursts * l->frames);
	return rc;
}

int
main(int argc, char **argv)
{
	struct lockstep l = {
		.bursts = 2000, .frames = 32, .size = 64, .flows = 1, .stages = 1, .hops = 2};
	struct err err = {0};
	int rc;

	log_init("lockstep", LOG_NOTICE);
	rc = opt_parse(&command, &argc, &argv, &l, NULL, &err);
	if (rc == OPT_HELPED)
		return 0;
	if (rc == 0 && l.identity) {
		print_identity();
		return 0;
	}
	if (rc == 0 && argc != 1)
		rc = err_usage(&err, "one of fwd, event, pipeline, tx, rx, vm is wanted");
	if (rc == 0)
		rc = run(&l, argv[0], &err);
	if (rc < 0)
		LOG(ERR, "%s", err.msg);
	opt_list_fini(&l.nf);
	return rc < 0 ? err_exit_code(&err) : 0;
}
