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
#define TELEMETRY_MS 5000

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

/* Asks a hop that is not ours, wherever it is. */
static int
ask_telemetry(struct backend *b, size_t i, const char *command, json_t **value, struct err *err)
{
	struct guest *guest = backend_guest(b, i + 1);

	if (guest != NULL)
		return guest_telemetry(guest, b->plan->proc[i + 1].telemetry_path, command,
				       CALL_VM_MS, value, err);
	return telemetry_client_get(b->hop[i].telemetry, command, TELEMETRY_MS, value, err);
}

static int
read_foreign(struct backend *b, size_t i, struct ledger_hop *hop, struct err *err)
{
	int rc = 0;

	for (int p = 0; rc == 0 && p < 2; p++) {
		char command[32];
		json_t *stats = NULL;

		snprintf(command, sizeof(command), "/ethdev/stats,%d", p);
		rc = ask_telemetry(b, i, command, &stats, err);
		if (rc == 0)
			rc = json_get_u64(stats, "ipackets", &hop->port[p].rx, err);
		if (rc == 0)
			rc = json_get_u64(stats, "opackets", &hop->port[p].tx, err);
		if (rc == 0)
			rc = json_get_u64(stats, "imissed", &hop->port[p].miss, err);
		json_decref(stats);
	}
	if (rc == 0 && b->chain->hop[i].kind == HOP_OVS_DPDK)
		rc = ovs_read_drops(b->plan->proc[i + 1].rt_dir, hop, err);
	hop->known = rc == 0;
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

		if (read_foreign(b, i, &counters, &why) == 0)
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

bool
backend_can_ask(const struct backend *b, size_t i)
{
	return b->hop[i].control != NULL ||
	       (supervise_has(b, i + 1) && b->plan->proc[i + 1].control_path != NULL) ||
	       (backend_guest(b, i + 1) != NULL && b->plan->proc[i + 1].control_path != NULL);
}

int
backend_ask(struct backend *b, size_t i, const char *method, json_t *params, int timeout_ms,
	    json_t **result, struct err *err)
{
	struct guest *guest = backend_guest(b, i + 1);
	struct err why = {0};
	int rc;

	if (guest != NULL)
		return guest_control(guest, b->chain->hop[i].name, method, params,
				     timeout_ms > CALL_VM_MS ? timeout_ms : CALL_VM_MS, result,
				     err);
	do {
		memset(&why, 0, sizeof(why));
		rc = supervise_settle(b, i, &why);
		if (rc == 0)
			rc = control_client_call(b->hop[i].control, method, json_incref(params),
						 timeout_ms, result, &why);
	} while (rc < 0 && rc != -ECHILD && rc != -EINTR && supervise_has_died(b, i));
	json_decref(params);
	if (rc < 0 && err != NULL)
		*err = why;
	return rc;
}

static int
read_ours(struct backend *b, size_t i, bool exact, struct ledger_hop *hop, struct err *err)
{
	json_t *c = NULL;
	const char *reason;
	json_t *n;
	int rc = backend_ask(b, i, exact ? "quiesce" : "counters", NULL, CALL_MS, &c, err);

	if (rc == 0 && exact)
		rc = backend_ask(b, i, "resume", NULL, CALL_MS, NULL, err);
	for (int p = 0; rc == 0 && p < 2; p++) {
		const json_t *port = json_array_get(json_object_get(c, "ports"), (size_t)p);

		rc = json_get_u64(port, "rx", &hop->port[p].rx, err);
		if (rc == 0)
			rc = json_get_u64(port, "tx", &hop->port[p].tx, err);
		if (rc == 0)
			rc = json_get_u64(port, "miss", &hop->port[p].miss, err);
	}
	if (rc == 0)
		rc = json_get_u64(c, "created", &hop->created, err);
	if (rc == 0)
		rc = json_get_u64(c, "in_flight", &hop->in_flight, err);
	json_object_foreach(json_object_get(c, "drops"), reason, n)
		ledger_drop(hop, reason, (uint64_t)json_integer_value(n));
	b->hop[i].tells_times = json_object_get(c, "times") != NULL;
	json_decref(c);
	hop->known = hop->exact = rc == 0;
	return rc;
}

/* Says which hop it was, unless the agent of its VM has said so. */
static int
name_hop(const struct backend *b, size_t i, int rc, struct err *err)
{
	const char *name = b->chain->hop[i].name;
	size_t len = strlen(name);

	if (rc < 0 && err != NULL && strncmp(err->msg, name, len) == 0 && err->msg[len] == ':')
		return rc;
	return err_wrap(err, rc, "%s", name);
}

/* Once more when it died meanwhile and was started again. */
static int
read_foreign_again(struct backend *b, size_t i, struct ledger_hop *hop, struct err *err)
{
	int rc;

	do {
		rc = supervise_settle(b, i, err);
		if (rc == 0 && b->hop[i].telemetry != NULL)
			rc = read_foreign(b, i, hop, err);
	} while (rc < 0 && rc != -ECHILD && rc != -EINTR && supervise_has_died(b, i));
	return rc;
}

int
backend_read_hop(struct backend *b, size_t i, bool exact, struct ledger_hop *hop, struct err *err)
{
	int rc = 0;

	memset(hop, 0, sizeof(*hop));
	snprintf(hop->name, sizeof(hop->name), "%s", b->chain->hop[i].name);
	if (b->plan->proc[i + 1].kernels)
		rc = backend_links_bridge(b, i, hop, err);
	else if (backend_can_ask(b, i))
		rc = read_ours(b, i, exact, hop, err);
	else if (supervise_has(b, i + 1))
		rc = read_foreign_again(b, i, hop, err);
	else if (b->hop[i].telemetry != NULL ||
		 (backend_guest(b, i + 1) != NULL && b->plan->proc[i + 1].telemetry_path != NULL))
		rc = read_foreign(b, i, hop, err);
	for (size_t p = 0; rc == 0 && hop->known && p < 2; p++)
		hop->port[p].miss +=
			backend_vms_missed(b, i + 1, p) + backend_links_missed(b, i + 1, p);
	return name_hop(b, i, rc, err);
}

int
backend_read_times(struct backend *b, size_t i, json_t **counters, struct err *err)
{
	int rc;

	*counters = NULL;
	if (!b->hop[i].tells_times)
		return 0;
	rc = backend_ask(b, i, "counters", json_pack("{s:b}", "buckets", 1), CALL_MS, counters,
			 err);
	return name_hop(b, i, rc, err);
}
