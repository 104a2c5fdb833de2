/* SPDX-License-Identifier: MIT */
/* How many frames a second the generator sends on one lcore, over whatever ports it is given: the
 * frames of port 0, or of both, since a warm-up, printed as one number.  For perf/txonly. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/units.h"
#include "dpdk/eal.h"
#include "gen/generator.h"
#include "txstream.h"

struct txrate {
	uint32_t size;
	uint32_t descriptors;
	uint64_t warm_ns, trial_ns;
	uint64_t rate_pps; /* 0: without a schedule */
	bool plain, field_vm, both;
};

static struct gen_worker worker;

/* The thread beside the worker. */
struct watch {
	const struct txrate *o;
	double pps;
};

static void
wait_ns(uint64_t ns)
{
	const struct timespec t = {.tv_sec = (time_t)(ns / 1000000000),
				   .tv_nsec = (long)(ns % 1000000000)};

	(void)nanosleep(&t, NULL);
}

static uint64_t
all_sent(void)
{
	return counter_get(&worker.ports[0].opackets) + counter_get(&worker.ports[1].opackets);
}

static void *
watch(void *arg)
{
	struct watch *w = arg;
	uint64_t from_ns, from;

	eal_bind_control_thread();
	wait_ns(w->o->warm_ns);
	from = all_sent();
	from_ns = clock_now_ns();
	wait_ns(w->o->trial_ns);
	w->pps = (double)(all_sent() - from) * 1e9 / (double)(clock_now_ns() - from_ns);
	atomic_store(&worker.stop, 1);
	return NULL;
}

static struct run *
make_run(const struct txrate *o, uint16_t port, struct err *err)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	const struct run_conf conf = {
		.tx_port = port,
		.stream_base = port,
		.n_queues = 1,
		.factor = 1,
		.speed_bps = 1e10,
		.duration_s = -1,
		.flat_out = o->rate_pps == 0,
		.src_mac = mac,
		.dst_mac = mac,
	};
	const enum txstream_kind kind = o->plain      ? TXSTREAM_PLAIN
					: o->field_vm ? TXSTREAM_PROGRAM
						      : TXSTREAM_SIGNED;
	struct jsonrpc_error e = {0};
	struct stream s;
	struct run *run;

	if (txstream_init(&s, kind, (uint16_t)o->size, o->rate_pps > 0 ? (double)o->rate_pps : 1e6,
			  mac, err) < 0)
		return NULL;
	run = run_new(&s, 1, &conf, &e);
	stream_fini(&s);
	if (run == NULL)
		err_set(err, EINVAL, "%s", e.specific);
	return run;
}

static int
measure(const struct txrate *o, struct err *err)
{
	struct watch w = {.o = o};
	const uint16_t n_ports = o->both ? 2 : 1;
	struct run *run[2] = {NULL, NULL};
	pthread_t thread;
	int rc = 0;

	for (uint16_t i = 0; rc == 0 && i < n_ports; i++) {
		run[i] = make_run(o, i, err);
		rc = run[i] != NULL ? 0 : -EINVAL;
		gen_offer(&worker.ports[i], 0, run[i]);
	}
	if (rc == 0 && pthread_create(&thread, NULL, watch, &w) != 0)
		rc = err_set(err, EAGAIN, "no thread");
	if (rc == 0) {
		worker_main(&worker);
		pthread_join(thread, NULL);
		printf("%.0f\n", w.pps);
	}
	for (uint16_t i = 0; i < n_ports; i++)
		run_free(run[i]);
	return rc;
}

static int
run(const struct txrate *o, int argc, char **argv, struct err *err)
{
	struct gen_conf conf;
	struct eal eal = {0};
	int rc;

	gen_conf_init(&conf);
	conf.rxd = conf.txd = o->descriptors;
	rc = eal_start(&eal, argc, argv, generator_memory_mb(&conf), err);
	if (rc == 0)
		rc = generator_open(&worker, &conf, eal.shares_cpus, err);
	if (rc == 0)
		rc = measure(o, err);
	generator_close(&worker);
	eal_stop(&eal);
	gen_conf_fini(&conf);
	return rc;
}

#define FIELD(member) OPT_FIELD(struct txrate, member)

static const struct opt opts[] = {
	{"size", 's', "BYTES", "frame size with FCS (64)", opt_set_u32, FIELD(size), NULL, 0},
	{"ring", 0, "N", "descriptors (1024)", opt_set_u32, FIELD(descriptors), NULL, 0},
	{"warm", 0, "TIME", "before it counts (200ms)", opt_set_duration, FIELD(warm_ns), NULL, 0},
	{"trial", 0, "TIME", "how long (1s)", opt_set_duration, FIELD(trial_ns), NULL, 0},
	{"rate", 0, "PPS", "by a schedule of so many", opt_set_count, FIELD(rate_pps), NULL, 0},
	{"plain", 0, NULL, "frames as given, without a signature", opt_set_switch, FIELD(plain),
	 NULL, 0},
	{"field-engine", 0, NULL, "frames of a program", opt_set_switch, FIELD(field_vm), NULL, 0},
	{"both", 0, NULL, "by both ports, which may be joined", opt_set_switch, FIELD(both), NULL,
	 0},
};

static const struct opt_command command = {
	.name = "txrate",
	.positional = "[-- EAL options]",
	.summary = "Prints how many frames a second one lcore sends.",
	.opts = opts,
	.n_opts = N_ELEMS(opts),
};

int
main(int argc, char **argv)
{
	struct txrate o = {
		.size = 64,
		.descriptors = 1024,
		.warm_ns = 200 * NSEC_PER_MS,
		.trial_ns = 1000 * NSEC_PER_MS,
	};
	char *program = argv[0], **words = argv;
	struct err err = {0};
	int sep = 1, n, rc;

	log_init("txrate", LOG_NOTICE);
	while (sep < argc && strcmp(argv[sep], "--") != 0)
		sep++;
	n = sep;
	rc = opt_parse(&command, &n, &words, &o, NULL, &err);
	if (rc == OPT_HELPED)
		return 0;
	/* EAL's words are those behind "--", in whose place the program's name comes. */
	if (sep == argc)
		sep--;
	argv[sep] = program;
	if (rc == 0)
		rc = run(&o, argc - sep, argv + sep, &err);
	if (rc < 0)
		LOG(ERR, "%s", err.msg);
	return rc < 0 ? err_exit_code(&err) : 0;
}
