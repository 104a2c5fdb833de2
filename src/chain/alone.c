/* SPDX-License-Identifier: MIT */
#include "alone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "sensors.h"

#define CHAIN_NAME "sweep"
#define CALL_MS 4000
#define WARM_MS 8
#define LONG_LOOK_NS (200 * NSEC_PER_US) /* counters read over more than this are of no moment */
#define AWAY_SHARE 0.05			 /* of a turn, by which its rate may be too low */
#define SOCKET_PATH_MAX 107

/* ---- command line ---- */

static void __attribute__((format(printf, 2, 3))) add(struct plan_proc *proc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (proc->argc < PLAN_MAX_ARGV - 1)
		proc->argv[proc->argc++] = xvasprintf(fmt, ap);
	va_end(ap);
}

static void
add_lcores(struct plan_proc *proc, const struct alone_spec *spec)
{
	struct str s = {0};

	for (unsigned i = 0; i < spec->n_lcores; i++)
		str_addf(&s, "%s%u@%d", i > 0 ? "," : "", i,
			 spec->allowed.cpu[spec->allowed.n - spec->n_lcores + i]);
	add(proc, "--lcores");
	add(proc, "%s", str_text(&s));
	str_fini(&s);
}

static void
add_words(struct plan_proc *proc, const struct alone_spec *spec)
{
	add_lcores(proc, spec);
	add(proc, "--no-pci");
	if (proc->control_path != NULL)
		add(proc, "--file-prefix=%s", spec->name);
	add(proc, "--vdev=net_null0");
	add(proc, "--vdev=net_null1,no-rx=1");
	add(proc, "--");
	for (size_t i = 0; spec->words[i] != NULL; i++)
		add(proc, "%s", spec->words[i]);
	if (proc->control_path != NULL) {
		add(proc, "--control");
		add(proc, "%s", proc->control_path);
	}
}

char *
alone_command(const struct alone_spec *spec)
{
	struct plan_proc proc = {0};
	struct str s = {0};

	str_addf(&s, "nfvchain-fwd");
	add_words(&proc, spec);
	for (size_t i = 0; i < proc.argc; i++) {
		str_addf(&s, " %s", proc.argv[i]);
		free(proc.argv[i]);
	}
	return str_take(&s);
}

static int
make_plan(struct alone *a, const struct alone_spec *spec, struct err *err)
{
	char *run_dir = rundir_path_arm(CHAIN_NAME, spec->letter);
	struct plan_proc *proc = &a->plan.proc[0];
	int rc = 0;

	a->plan.n_procs = 1;
	proc->name = xstrdup(spec->name);
	proc->hop = 0;
	proc->ours = true;
	proc->cpus = spec->allowed;
	proc->log_path = xasprintf("%s/%s.log", run_dir, spec->name);
	proc->rt_dir = xasprintf("%s/rt/%s", run_dir, spec->name);
	proc->control_path = xasprintf("%s/%s.ctl", run_dir, spec->name);
	proc->env[proc->n_env++] = xasprintf("RUNTIME_DIRECTORY=%s", proc->rt_dir);
	proc->env[proc->n_env++] = xasprintf("NFVCHAIN_ID=%s/%s", CHAIN_NAME, spec->name);
	add(proc, "%s/nfvchain-fwd", spec->bin_dir);
	add_words(proc, spec);
	if (strlen(proc->rt_dir) + strlen("/dpdk//dpdk_telemetry.v2") + strlen(spec->name) >
	    SOCKET_PATH_MAX)
		rc = err_usage(err,
			       "the run directory '%s' is too long for a socket's path "
			       "(NFVCHAIN_RUN=DIR names a shorter one)",
			       run_dir);
	free(run_dir);
	return rc;
}

/* ---- up and down ---- */

int
alone_up(struct alone *a, const struct alone_spec *spec, const volatile sig_atomic_t *stop,
	 struct err *err)
{
	struct rundir dir = {.lock_fd = -1};
	int rc;

	*a = (struct alone){0};
	a->chain.name = xstrdup(CHAIN_NAME);
	a->chain.n_hops = 1;
	a->chain.hop[0].name = xstrdup(spec->name);
	rc = make_plan(a, spec, err);
	if (rc == 0)
		rc = rundir_open_arm(&dir, CHAIN_NAME, spec->letter, err);
	if (rc == 0)
		rc = backend_up(&a->backend, &a->chain, &a->plan, &dir, stop, err);
	a->up = rc == 0;
	if (rc == 0)
		a->sensors = sensors_new(&a->backend);
	else
		alone_kill(a);
	return rc;
}

void
alone_kill(struct alone *a)
{
	if (a->up)
		backend_kill(&a->backend);
	sensors_free(a->sensors);
	chain_plan_fini(&a->plan);
	free(a->chain.hop[0].name);
	free(a->chain.name);
	*a = (struct alone){0};
}

int
alone_freeze(struct alone *a, struct err *err)
{
	return backend_freeze(&a->backend, err);
}

/* ---- measuring ---- */

struct look {
	uint64_t frames, at_ns, took_ns;
};

static int
look(struct alone *a, struct look *l, struct err *err)
{
	json_t *c = NULL;
	int rc = control_client_call(a->backend.hop[0].control, "counters", NULL, CALL_MS, &c, err);

	if (rc == 0)
		rc = json_get_u64(c, "ports[1].tx", &l->frames, err);
	if (rc == 0)
		rc = json_get_u64(c, "at_ns", &l->at_ns, err);
	if (rc == 0)
		rc = json_get_u64(c, "took_ns", &l->took_ns, err);
	json_decref(c);
	return rc;
}

static int
measure(struct alone *a, uint64_t ns, struct look *before, struct look *after, struct err *err)
{
	int rc = look(a, before, err);

	if (rc == 0)
		rc = backend_wait(&a->backend, (int)(ns / NSEC_PER_MS), err);
	return rc == 0 ? look(a, after, err) : rc;
}

static uint64_t
known(uint64_t ns)
{
	return ns == NOISE_UNKNOWN ? 0 : ns;
}

/* A rate by the wall clock suffers from each absence, not from long ones alone. */
static bool
was_away(const struct trial_noise *noise, struct alone_turn *turn)
{
	for (size_t i = 0; i < noise->n_lcores; i++) {
		const struct noise_lcore *l = &noise->lcore[i];
		uint64_t delay_ns = known(l->run_delay_ns), gaps_ns = known(l->gaps_sum_ns);
		double share = (double)(delay_ns > gaps_ns ? delay_ns : gaps_ns) / (double)turn->ns;

		if (share <= AWAY_SHARE)
			continue;
		snprintf(turn->reason, sizeof(turn->reason), "lcore %u was away for %.0f %% of it",
			 (unsigned)l->lcore, 100 * share);
		return true;
	}
	return false;
}

static void
judge(struct alone_turn *turn, const struct look *before, const struct look *after,
      const struct trial_noise *noise)
{
	turn->frames = after->frames - before->frames;
	turn->ns = after->at_ns - before->at_ns;
	turn->valid = false;
	turn->reason[0] = '\0';
	if (before->took_ns > LONG_LOOK_NS || after->took_ns > LONG_LOOK_NS)
		str_copy(turn->reason, sizeof(turn->reason), "its counters took long to read");
	else if (turn->ns == 0 || turn->frames == 0)
		str_copy(turn->reason, sizeof(turn->reason), "it forwarded nothing");
	else
		turn->valid =
			!noise_matters(noise, 0, turn->ns, turn->reason, sizeof(turn->reason)) &&
			!was_away(noise, turn);
}

int
alone_turn(struct alone *a, uint64_t ns, struct alone_turn *turn, struct err *err)
{
	struct look before = {0}, after = {0};
	struct trial_noise noise;
	int rc;

	noise_init(&noise);
	backend_thaw(&a->backend);
	/* Until each lcore has noted that it was stopped, and caches are warm. */
	rc = backend_wait(&a->backend, WARM_MS, err);
	if (rc == 0)
		rc = sensors_begin(a->sensors, err);
	if (rc == 0)
		rc = measure(a, ns, &before, &after, err);
	sensors_end(a->sensors);
	if (rc == 0)
		rc = sensors_finish(a->sensors, &noise, err);
	if (rc == 0)
		judge(turn, &before, &after, &noise);
	if (rc == 0)
		rc = alone_freeze(a, err);
	return rc == 0 ? 0 : backend_explain(&a->backend, rc, err);
}

int
alone_settle(struct alone *a, struct alone_ledger *ledger, struct err *err)
{
	struct ledger_hop hop;
	int rc;

	*ledger = (struct alone_ledger){0};
	backend_thaw(&a->backend);
	rc = backend_read_hop(&a->backend, 0, true, &hop, err);
	if (rc < 0)
		return backend_explain(&a->backend, rc, err);
	for (size_t p = 0; p < 2; p++) {
		ledger->rx += hop.port[p].rx;
		ledger->tx += hop.port[p].tx;
	}
	ledger->created = hop.created;
	ledger->in_flight = hop.in_flight;
	for (size_t i = 0; i < hop.n_drops; i++)
		ledger->drops += hop.drop[i].n;
	if (ledger->in_flight != 0 || ledger->rx + ledger->created != ledger->tx + ledger->drops)
		return err_class(err, ERR_ACCOUNTING,
				 "%s: received %llu and created %llu, but sent %llu, dropped %llu, "
				 "and %llu are in flight at rest",
				 a->plan.proc[0].name, (unsigned long long)ledger->rx,
				 (unsigned long long)ledger->created,
				 (unsigned long long)ledger->tx, (unsigned long long)ledger->drops,
				 (unsigned long long)ledger->in_flight);
	return 0;
}
