/* SPDX-License-Identifier: MIT */
/* One measurement for perf/compare: brings a chain up, offers it all that the link takes, or a set
 * load, takes it down, and prints the trial and the DUT's own counters as one JSON object. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/units.h"
#include "chain/backend.h"
#include "chain/measure.h"

#define CONTROL_MS 3000

struct flatout {
	uint64_t warm_ns;
	uint64_t trial_ns;
	uint64_t rate_pps; /* 0: flat out */
	char *bin_dir;
	char *control;
	char *peer;
};

static volatile sig_atomic_t stop;

static void
on_signal(int signum)
{
	stop = signum;
}

static void
catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* A DUT that cannot be told where to send decides the address of the generator's port 1. */
static int
set_peer(struct chain_plan *plan, const char *peer, struct err *err)
{
	struct plan_proc *gen = &plan->proc[0];
	int rc = mac_parse(peer, plan->gen_mac[1], err);

	for (size_t i = 0; rc == 0 && i + 1 < gen->argc; i++)
		if (strcmp(gen->argv[i], "--eth-addr") == 0 &&
		    strncmp(gen->argv[i + 1], "1,", 2) == 0) {
			free(gen->argv[i + 1]);
			gen->argv[i + 1] = xasprintf("1,%s", peer);
			return 0;
		}
	return rc < 0 ? rc : err_set(err, ENOENT, "the generator has no --eth-addr 1,MAC");
}

static int
make_plan(const struct flatout *f, const struct chain *chain, struct chain_plan *plan,
	  struct err *err)
{
	char *run_dir = rundir_path(chain->name);
	struct plan_facts facts = {
		.run_dir = run_dir,
		.bin_dir = f->bin_dir,
		.testpmd = "dpdk-testpmd",
	};
	cpu_set_t set;
	int rc = 0;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		rc = err_set(err, errno, "sched_getaffinity: %s", strerror(errno));
	for (int i = 0; rc == 0 && i < CPU_SETSIZE && facts.allowed.n < CHAIN_MAX_CPUS; i++)
		if (CPU_ISSET(i, &set))
			facts.allowed.cpu[facts.allowed.n++] = i;
	if (rc == 0)
		rc = chain_plan_make(plan, chain, &facts, err);
	if (rc == 0 && f->peer != NULL)
		rc = set_peer(plan, f->peer, err);
	free(run_dir);
	return rc;
}

/* The DUT's own counters, or null when it has no control socket. */
static int
read_counters(const struct flatout *f, json_t **counters, struct err *err)
{
	struct control_client *c = NULL;
	int rc;

	*counters = NULL;
	if (f->control == NULL) {
		*counters = json_null();
		return 0;
	}
	rc = control_client_open(&c, f->control, CONTROL_MS, err);
	if (rc == 0)
		rc = control_client_call(c, "counters", NULL, CONTROL_MS, counters, err);
	control_client_close(c);
	return err_wrap(err, rc, "%s", f->control);
}

/* The trial, with the DUT's counters on both sides of it, into 'out'. */
static int
measure_counted(const struct flatout *f, struct measure *m, const struct trial_spec *spec,
		json_t *out, struct err *err)
{
	static struct trial t;
	json_t *counters = NULL;
	int rc = read_counters(f, &counters, err);

	json_object_set_new(out, "before", counters);
	if (rc == 0)
		rc = measure_trial(m, spec, &t, err);
	if (rc == 0)
		rc = read_counters(f, &counters, err);
	if (rc < 0)
		return rc;
	json_object_set_new(out, "after", counters);
	trial_judge(&t, 0);
	json_object_set_new(out, "trial", trial_to_json(&t));
	return 0;
}

static int
measure_chain(const struct flatout *f, const struct chain *chain, struct backend *b, json_t *out,
	      struct err *err)
{
	struct measure m = {.backend = b};
	const struct tg_traffic traffic = {
		.frames = &chain->traffic.frames[0],
		.flows = chain->traffic.flows,
	};
	struct trial_spec spec = {
		.rate_pps = f->rate_pps > 0 ? (double)f->rate_pps : 1e6,
		.duration_ns = f->warm_ns,
		.flat_out = f->rate_pps == 0,
	};
	static struct trial warm_up;
	int rc = measure_prepare(&m, &traffic, err);

	if (rc == 0)
		rc = measure_trial(&m, &spec, &warm_up, err);
	spec.duration_ns = f->trial_ns;
	return rc == 0 ? measure_counted(f, &m, &spec, out, err) : rc;
}

static int
run(const struct flatout *f, const char *path, json_t *out, struct err *err)
{
	struct chain_plan plan = {0};
	struct chain chain;
	struct backend backend;
	struct rundir dir;
	int rc = chain_load(&chain, path, err);

	if (rc == 0)
		rc = make_plan(f, &chain, &plan, err);
	if (rc == 0)
		rc = rundir_open(&dir, chain.name, err);
	if (rc == 0)
		rc = backend_up(&backend, &chain, &plan, &dir, &stop, err);
	if (rc == 0) {
		rc = measure_chain(f, &chain, &backend, out, err);
		backend_down(&backend);
	}
	chain_plan_fini(&plan);
	chain_fini(&chain);
	return rc;
}

#define FIELD(member) OPT_FIELD(struct flatout, member)

static const struct opt opts[] = {
	{"warm", 0, "TIME", "traffic before the trial (200ms)", opt_set_duration, FIELD(warm_ns),
	 NULL, 0},
	{"trial", 0, "TIME", "length of a trial (1s)", opt_set_duration, FIELD(trial_ns), NULL, 0},
	{"rate", 0, "PPS", "a set load instead of all that the link takes", opt_set_count,
	 FIELD(rate_pps), NULL, 0},
	{"bin-dir", 0, "DIR", "where nfvchain-gen is", opt_set_text, FIELD(bin_dir), NULL, 0},
	{"control", 0, "PATH", "control socket of the DUT", opt_set_text, FIELD(control), NULL, 0},
	{"peer", 0, "MAC", "address of the generator's port 1", opt_set_text, FIELD(peer), NULL, 0},
};

static const struct opt_command command = {
	.name = "flatout",
	.positional = "CHAIN",
	.summary = "Brings a chain up and offers it all that the link takes.",
	.opts = opts,
	.n_opts = N_ELEMS(opts),
};

int
main(int argc, char **argv)
{
	struct flatout f = {.warm_ns = 200 * NSEC_PER_MS, .trial_ns = 1000 * NSEC_PER_MS};
	json_t *out = json_object();
	struct err err = {0};
	int rc;

	log_init("flatout", LOG_NOTICE);
	f.bin_dir = xstrdup(".");
	rc = opt_parse(&command, &argc, &argv, &f, NULL, &err);
	if (rc == OPT_HELPED)
		return 0;
	if (rc == 0 && argc != 1)
		rc = err_usage(&err, "one chain file is wanted");
	catch_signals();
	if (rc == 0)
		rc = run(&f, argv[0], out, &err);
	if (rc == 0)
		json_write(out, stdout);
	else
		LOG(ERR, "%s", err.msg);
	json_decref(out);
	free(f.bin_dir);
	free(f.control);
	free(f.peer);
	return rc < 0 ? err_exit_code(&err) : 0;
}
