/* SPDX-License-Identifier: MIT */
#include "backend.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend_links.h"
#include "backend_trex.h"
#include "backend_vm.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "guest.h"
#include "ovs.h"
#include "sensors.h"
#include "supervise.h"

#define DYING_MS 500
/* QEMU gives its guest's memory back first. */
#define VM_DYING_MS 5000
#define READY_MS 15000
/* In guests, which may be emulated on a machine that others use too. */
#define VM_READY_MS 90000
#define CALL_VM_MS 30000
/* One try: as long as a user's patience with Ctrl-C, and in a guest as a first answer may take. */
#define GREET_MS 5000
#define VM_GREET_MS 15000
#define STOP_MS 4000
#define CALL_MS 4000
#define VM_LOOK_MS 200
#define HEAL_LOOK_MS 5 /* while a hop is started again */

static bool
stopping(const struct backend *b)
{
	return b->stop != NULL && *b->stop != 0;
}

/* Why a program is gone, with its last words. */
static int
explain_death(struct backend *b, size_t i, struct err *err)
{
	struct proc *p = &b->proc[i];
	char status[128], words[512];

	proc_print_status(status, sizeof(status), p);
	proc_last_words(words, sizeof(words), p);
	if (rundir_is_full(&b->dir))
		return err_set(err, ECHILD, "%s %s: the file system of '%s' is full", p->name,
			       status, b->dir.path);
	return err_set(err, ECHILD, "%s %s%s%s", p->name, status, words[0] != '\0' ? ": " : "",
		       words);
}

int
backend_check(struct backend *b, struct err *err)
{
	int rc;

	if (stopping(b))
		return err_set(err, EINTR, "interrupted");
	for (size_t i = 0; i < b->n_started; i++)
		if (plan_proc_is_here(&b->plan->proc[i]) && !supervise_has(b, i) &&
		    !proc_alive(&b->proc[i]))
			return explain_death(b, i, err);
	rc = supervise_step(b, err);
	return rc == 0 ? backend_vms_check(b, err) : rc;
}

/* Ends of processes wake; poll passes over negative descriptors. */
static void
watch_ends(const struct backend *b, struct pollfd *fds)
{
	for (size_t i = 0; i < b->n_started; i++) {
		bool runs = plan_proc_is_here(&b->plan->proc[i]) && supervise_is_running(b, i);

		fds[i] = (struct pollfd){.fd = runs ? b->proc[i].pidfd : -1, .events = POLLIN};
	}
}

/* How long nobody needs to be looked at. */
static int
slice_ms(const struct backend *b, int ms)
{
	/* The end of a VM wakes nobody. */
	if (b->vms != NULL && ms > VM_LOOK_MS)
		ms = VM_LOOK_MS;
	return supervise_is_busy(b) && ms > HEAL_LOOK_MS ? HEAL_LOOK_MS : ms;
}

int
backend_wait(struct backend *b, int ms, struct err *err)
{
	struct pollfd fds[PLAN_MAX_PROCS];
	struct deadline d = deadline_in_ms((uint64_t)ms);

	for (;;) {
		int rc = backend_check(b, err), slice = slice_ms(b, deadline_left_ms(&d));

		if (rc < 0 || slice == 0)
			return rc;
		watch_ends(b, fds);
		if (poll(fds, b->n_started, slice) != 0) {
			rc = backend_check(b, err);
			/* One that is started again ends nobody's waiting. */
			if (rc < 0 || b->supervise == NULL || stopping(b))
				return rc;
		}
	}
}

int
backend_explain(struct backend *b, int rc, struct err *err)
{
	int ms = rc == -EPIPE && b->vms != NULL ? VM_DYING_MS : DYING_MS;
	struct err death = {0};

	if (rc == -EINTR || rc == -ECHILD)
		return rc;
	if (backend_wait(b, ms, &death) != -ECHILD &&
	    backend_vms_ask_programs(b, &death) != -ECHILD)
		return rc;
	*err = death;
	return -ECHILD;
}

static bool
is_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Waits until the sockets that the program listens at are there, and what else says that it is
 * ready. */
static int
wait_sockets(struct backend *b, const struct plan_proc *pp, struct err *err)
{
	struct deadline d = deadline_in_ms(READY_MS);

	for (;;) {
		bool all = true;
		int rc;

		for (int k = 0; k < 2; k++)
			all &= pp->listens[k] == NULL || is_socket(pp->listens[k]);
		all &= pp->ready_path == NULL || access(pp->ready_path, F_OK) == 0;
		if (all)
			return 0;
		rc = backend_wait(b, 5, err);
		if (rc < 0)
			return rc;
		if (deadline_passed(&d))
			return err_set(err, ETIMEDOUT, "%s: not ready after %d s", pp->name,
				       READY_MS / 1000);
	}
}

static int
say_hello(struct backend *b, struct backend_hop *h, struct err *err)
{
	json_t *hello = NULL;
	const char *dpdk;
	int rc = control_client_call(h->control, "hello", NULL, CALL_MS, &hello, err);

	if (rc == 0)
		rc = json_get_text(hello, "dpdk", &dpdk, err);
	if (rc == 0)
		str_copy(b->dpdk_version, sizeof(b->dpdk_version), dpdk);
	json_decref(hello);
	return rc;
}

/* A port of AF_XDP tells nothing before its queues are there, which is after EAL has started. */
static int
await_stats(struct backend *b, size_t i, struct err *err)
{
	struct deadline d = deadline_in_ms(READY_MS);
	int rc = 0;

	while (b->hop[i].telemetry != NULL && rc == 0) {
		struct ledger_hop counters = {0};
		struct err why = {0};

		if (backend_read_foreign(b, i, &counters, &why) == 0)
			return 0;
		if (deadline_passed(&d))
			return err_set(err, ETIMEDOUT, "%s", why.msg);
		rc = backend_wait(b, 20, err);
	}
	return rc;
}

/* Talks to a started hop until it answers. */
static int
greet_hop(struct backend *b, const struct plan_proc *pp, struct err *err)
{
	struct backend_hop *h = &b->hop[pp->hop];
	struct deadline d = deadline_in_ms(READY_MS);
	struct err why = {0};
	int rc;

	if (pp->control_path == NULL && pp->telemetry_path == NULL)
		return 0;
	for (;;) {
		memset(&why, 0, sizeof(why));
		rc = pp->control_path != NULL
			     ? control_client_open(&h->control, pp->control_path, 20, &why)
			     : telemetry_client_open(&h->telemetry, pp->telemetry_path, 20, &why);
		if (rc == 0)
			break;
		rc = backend_wait(b, 5, err);
		if (rc < 0)
			return rc;
		if (deadline_passed(&d))
			return err_set(err, ETIMEDOUT, "%s: not ready after %d s: %s", pp->name,
				       READY_MS / 1000, why.msg);
	}
	rc = h->control != NULL ? say_hello(b, h, err) : await_stats(b, (size_t)pp->hop, err);
	return err_wrap(err, rc, "%s", pp->name);
}

struct proc_conf
backend_proc_conf(const struct plan_proc *pp)
{
	return (struct proc_conf){
		.name = pp->name,
		.argv = pp->argv,
		.env = (const char *const *)pp->env,
		.log_path = pp->log_path,
		.cpus = pp->cpus.cpu,
		.n_cpus = pp->cpus.n,
		.lifeline = pp->ours,
		.cwd = pp->cwd,
	};
}

static int
start(struct backend *b, const struct plan_proc *pp, struct err *err)
{
	struct proc_conf conf = backend_proc_conf(pp);
	int rc;

	conf.ns = backend_links_ns(b, pp);
	if (mkdir(pp->rt_dir, 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "%s: %s", pp->rt_dir, strerror(errno));
	rc = pp->file_text != NULL ? backend_write_file(pp, err) : 0;
	if (rc == 0)
		rc = proc_start(&b->proc[b->n_started], &conf, err);
	if (rc < 0)
		return rc;
	b->n_started++;
	return wait_sockets(b, pp, err);
}

static int
make_dirs(struct backend *b, struct err *err)
{
	static const char *const names[] = {"rt", "logs"};

	for (size_t i = 0; i < N_ELEMS(names); i++) {
		char *path = xasprintf("%s/%s", b->dir.path, names[i]);
		int rc = mkdir(path, 0700);

		if (rc < 0 && errno != EEXIST)
			rc = err_set(err, errno, "%s: %s", path, strerror(errno));
		else
			rc = 0;
		free(path);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* For those who ask about the chain from outside, and have no file of it. */
static int
write_chain(struct backend *b, struct err *err)
{
	char *path = rundir_chain_path(b->dir.path), *text = chain_print(b->chain);
	FILE *file = fopen(path, "we");
	int rc = 0;

	if (file == NULL || fputs(text, file) == EOF)
		rc = err_set(err, errno, "%s: %s", path, strerror(errno));
	if (file != NULL && fclose(file) != 0 && rc == 0)
		rc = err_set(err, errno, "%s: %s", path, strerror(errno));
	free(path);
	free(text);
	return rc;
}

/* Talks to the generator until it answers; one in an emulated guest on a busy machine takes longer.
 */
static int
greet_generator(struct backend *b, struct err *err)
{
	const bool in_vm = b->plan->proc[0].in_vm;
	struct deadline d = deadline_in_ms(in_vm ? VM_READY_MS : READY_MS);
	int rc;

	do {
		rc = tg_open(&b->tg, b->rpc_endpoint, in_vm ? VM_GREET_MS : GREET_MS, err);
		if (rc < 0 && backend_check(b, NULL) < 0)
			return backend_check(b, err);
	} while (rc == -ETIMEDOUT && !deadline_passed(&d));
	if (rc == 0 && in_vm)
		tg_be_patient(b->tg, CALL_VM_MS);
	return rc;
}

static int
open_generator(struct backend *b, struct err *err)
{
	int rc = 0;

	if (b->plan->rpc_endpoint == NULL)
		return 0;
	if (b->plan->proc[0].in_vm)
		rc = backend_vms_endpoint(b, &b->rpc_endpoint, err);
	else
		b->rpc_endpoint = xstrdup(b->plan->rpc_endpoint);
	if (rc == 0 && b->chain->generator.kind == GENERATOR_TREX)
		rc = backend_await_trex(b, err);
	else if (rc == 0)
		rc = greet_generator(b, err);
	return err_wrap(err, rc, "generator");
}

static int
bring_up(struct backend *b, struct err *err)
{
	const struct chain_plan *plan = b->plan;
	int rc = rundir_check_room(&b->dir, plan->n_procs - plan->n_vms, err);

	for (size_t i = 0; rc == 0 && i < b->chain->n_hops; i++)
		if (b->chain->hop[i].kind == HOP_OVS_DPDK)
			rc = err_wrap(err, ovs_check(err), "hop '%s'", b->chain->hop[i].name);
	if (rc == 0)
		rc = make_dirs(b, err);
	if (rc == 0)
		rc = write_chain(b, err);
	if (rc == 0)
		rc = backend_links_up(b, err);
	for (size_t i = 0; rc == 0 && i < plan->n_procs; i++) {
		if (!plan_proc_is_here(&plan->proc[i])) {
			/* Its place in the list stays empty. */
			b->n_started++;
			if (plan_proc_is_fused(&plan->proc[i]))
				rc = greet_hop(b, &plan->proc[i], err);
			continue;
		}
		rc = start(b, &plan->proc[i], err);
		if (rc == 0)
			rc = backend_links_started(b, i, err);
		if (rc == 0 && i == 0)
			rc = backend_greet_trex(b, err);
		/* A hop's neighbour can connect as soon as its socket is there. */
		if (rc == 0 && plan->proc[i].hop >= 0)
			rc = greet_hop(b, &plan->proc[i], err);
	}
	if (rc == 0)
		rc = backend_vms_up(b, err);
	return rc == 0 ? open_generator(b, err) : rc;
}

int
backend_up(struct backend *b, const struct chain *chain, const struct chain_plan *plan,
	   struct rundir *dir, const volatile sig_atomic_t *stop, struct err *err)
{
	int rc;

	memset(b, 0, sizeof(*b));
	b->chain = chain;
	b->plan = plan;
	b->dir = *dir;
	b->stop = stop;
	*dir = (struct rundir){.lock_fd = -1};
	rc = bring_up(b, err);
	if (rc < 0) {
		rc = backend_explain(b, rc, err);
		backend_down(b);
	} else {
		supervise_begin(b);
	}
	return rc;
}

static void
take_down(struct backend *b, int patience_ms)
{
	supervise_end(b);
	sensors_free(b->sensors);
	b->sensors = NULL;
	tg_close(b->tg);
	b->tg = NULL;
	free(b->rpc_endpoint);
	b->rpc_endpoint = NULL;
	for (size_t i = 0; i < CHAIN_MAX_HOPS; i++) {
		control_client_close(b->hop[i].control);
		telemetry_client_close(b->hop[i].telemetry);
		json_decref(b->hop[i].times);
		b->hop[i] = (struct backend_hop){0};
	}
	backend_vms_down(b);
	/* Hops before the generator: a vhost listener ends at once when its peer has gone. */
	while (b->n_started > 0) {
		b->n_started--;
		if (!plan_proc_is_here(&b->plan->proc[b->n_started]))
			continue;
		proc_stop(&b->proc[b->n_started], patience_ms);
		proc_close(&b->proc[b->n_started]);
	}
	backend_links_down(b);
	rundir_close(&b->dir);
}

void
backend_down(struct backend *b)
{
	/* A hop that ends talks to its peers, and would wait for one that is stopped. */
	backend_thaw(b);
	take_down(b, STOP_MS);
}

void
backend_kill(struct backend *b)
{
	b->frozen = false;
	take_down(b, 0);
}
