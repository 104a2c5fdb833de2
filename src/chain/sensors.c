/* SPDX-License-Identifier: MIT */
#include "sensors.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "procfs.h"
#include "spin.h"

#define CALL_MS 4000
#define SPIN_NS NSEC_PER_MS
#define MAX_TASKS 1024
#define NOTICEABLE 20 /* a twentieth of the time */

/* A thread of the chain. */
struct task {
	int tid;
	size_t proc;   /* of the backend */
	bool is_child; /* of a program that the hop started */
	uint64_t cpu, ran_ns, delay_ns, nivcsw;
};

/* What the kernel knows at a moment. */
struct kernel {
	uint64_t at_ns;
	size_t n_tasks;
	struct task task[MAX_TASKS];
	uint64_t steal_ns, psi_ns;
	uint64_t cpu_steal_ns[NOISE_MAX_CPUS];
};

/* What a lcore of ours says at a moment. */
struct told {
	size_t hop;
	int tid;
	uint64_t lcore, yields, gap_max_ns, wait_max_ns, gaps_20us, gaps_sum_ns, gaps_1ms,
		gaps_1ms_ns;
};

struct sensors {
	struct backend *backend;
	size_t n_cpus;
	struct spin spin[NOISE_MAX_CPUS]; /* one for each CPU of the data plane */
	uint64_t slow_ppm[NOISE_MAX_CPUS];
	uint64_t fastest_ns[NOISE_MAX_CPUS]; /* piece of work, of all trials; 0: not known */
	struct kernel before, after;
	size_t n_told;
	struct told told[NOISE_MAX_LCORES];
	json_t *counters[2][CHAIN_MAX_HOPS]; /* answers before and after, of hops of ours */
	const char *restarted;		     /* name of a hop, or NULL */
};

/* ---- the kernel ---- */

/* Reads a file of /proc into 'buf', which is "" when that fails. */
static void
read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, buf, size - 1) : -1;

	buf[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

static void
read_task(struct task *t, int pid)
{
	char path[64], text[4096];

	t->cpu = t->ran_ns = t->delay_ns = t->nivcsw = NOISE_UNKNOWN;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, t->tid);
	read_text(path, text, sizeof(text));
	(void)procfs_schedstat(text, &t->ran_ns, &t->delay_ns);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, t->tid);
	read_text(path, text, sizeof(text));
	(void)procfs_last_cpu(text, &t->cpu);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, t->tid);
	read_text(path, text, sizeof(text));
	(void)procfs_status(text, "nonvoluntary_ctxt_switches", &t->nivcsw);
}

static void
read_tasks(struct kernel *k, size_t proc, int pid, bool is_child)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir != NULL && k->n_tasks < MAX_TASKS && (entry = readdir(dir)) != NULL) {
		struct task *t = &k->task[k->n_tasks];

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		*t = (struct task){.tid = atoi(entry->d_name), .proc = proc, .is_child = is_child};
		read_task(t, pid);
		k->n_tasks++;
	}
	if (dir != NULL)
		closedir(dir);
}

/* What a hop that is not ours has started is its own load, not the machine's: the other members of
 * its process group. */
static void
read_children(const struct backend *b, struct kernel *k)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		int pid = atoi(entry->d_name), group = pid > 0 ? (int)getpgid(pid) : -1;

		for (size_t i = 0; group > 0 && group != pid && i < b->n_started; i++)
			if (group == (int)b->proc[i].pid)
				read_tasks(k, i, pid, true);
	}
	if (dir != NULL)
		closedir(dir);
}

static bool
has_foreign_hop(const struct backend *b)
{
	for (size_t i = 0; i < b->chain->n_hops; i++)
		if (!backend_can_ask(b, i))
			return true;
	return false;
}

static void
read_kernel(const struct sensors *s, struct kernel *k)
{
	char *text = xcalloc(1, 1 << 16);

	k->n_tasks = 0;
	k->at_ns = clock_now_ns();
	/* What runs in a VM has numbers of its own there. */
	for (size_t i = 0; i < s->backend->n_started; i++)
		if (plan_proc_is_here(&s->backend->plan->proc[i]))
			read_tasks(k, i, (int)s->backend->proc[i].pid, false);
	if (has_foreign_hop(s->backend))
		read_children(s->backend, k);
	k->steal_ns = k->psi_ns = NOISE_UNKNOWN;
	read_text("/proc/pressure/cpu", text, 1 << 16);
	(void)procfs_pressure(text, &k->psi_ns);
	read_text("/proc/stat", text, 1 << 16);
	(void)procfs_steal(text, -1, &k->steal_ns);
	for (size_t i = 0; i < s->n_cpus; i++) {
		k->cpu_steal_ns[i] = NOISE_UNKNOWN;
		(void)procfs_steal(text, s->spin[i].cpu, &k->cpu_steal_ns[i]);
	}
	free(text);
}

static const struct task *
find_task(const struct kernel *k, int tid)
{
	for (size_t i = 0; i < k->n_tasks; i++)
		if (k->task[i].tid == tid)
			return &k->task[i];
	return NULL;
}

/* 'after' - 'before'; unknown when either is.  A counter that went backwards is none. */
static uint64_t
difference(uint64_t after, uint64_t before)
{
	if (after == NOISE_UNKNOWN || before == NOISE_UNKNOWN || after < before)
		return NOISE_UNKNOWN;
	return after - before;
}

/* CPU time of the i-th thread of the last reading since the first. */
static uint64_t
ran_ns(const struct sensors *s, size_t i)
{
	const struct task *after = &s->after.task[i], *before = find_task(&s->before, after->tid);

	return before != NULL ? difference(after->ran_ns, before->ran_ns) : after->ran_ns;
}

/* ---- lcores ---- */

/* What else of the chain ran on a lcore's CPU, and how many threads took a noticeable share. */
static void
note_neighbours(const struct sensors *s, const struct task *lcore, uint64_t *ran, uint64_t *n)
{
	uint64_t least = (s->after.at_ns - s->before.at_ns) / NOTICEABLE;
	uint64_t sum = 0, many = 0;

	if (lcore->cpu == NOISE_UNKNOWN)
		return;
	for (size_t i = 0; i < s->after.n_tasks; i++) {
		const struct task *t = &s->after.task[i];
		uint64_t ns = ran_ns(s, i);

		if (t->tid == lcore->tid || t->cpu != lcore->cpu)
			continue;
		if (ns == NOISE_UNKNOWN)
			return;
		sum += ns;
		many += ns > least;
	}
	*ran = sum;
	*n = many;
}

/* What the kernel says of a lcore's thread. */
static void
note_thread(const struct sensors *s, int tid, struct noise_lcore *l)
{
	const struct task *before = find_task(&s->before, tid), *after = find_task(&s->after, tid);

	if (before == NULL || after == NULL)
		return;
	l->run_delay_ns = difference(after->delay_ns, before->delay_ns);
	l->nivcsw = difference(after->nivcsw, before->nivcsw);
	note_neighbours(s, after, &l->neighbours_ns, &l->neighbours);
}

/* Of a hop, or with -1 of the generator. */
static int
busiest_thread(const struct sensors *s, int hop)
{
	uint64_t most = 0;
	int busiest = 0;

	for (size_t i = 0; i < s->after.n_tasks; i++) {
		uint64_t ran = ran_ns(s, i);

		if (s->backend->plan->proc[s->after.task[i].proc].hop != hop ||
		    s->after.task[i].is_child || ran == NOISE_UNKNOWN || ran < most)
			continue;
		most = ran;
		busiest = s->after.task[i].tid;
	}
	return busiest;
}

static void
note_generator(const struct sensors *s, struct trial_noise *n)
{
	struct noise_lcore l;

	/* A forwarder alone has no generator. */
	if (s->backend->plan->proc[0].hop >= 0 || !plan_proc_is_here(&s->backend->plan->proc[0]))
		return;
	noise_lcore_init(&l, "");
	/* Its lcore is its main thread, and of a TRex one of many.  Its switches ours tells itself,
	 * of the time it sends. */
	note_thread(s,
		    s->backend->plan->proc[0].ours ? (int)s->backend->proc[0].pid
						   : busiest_thread(s, -1),
		    &l);
	n->run_delay_ns = l.run_delay_ns;
	n->neighbours_ns = l.neighbours_ns;
	n->neighbours = l.neighbours;
}

static int
tell_fields(const json_t *json, struct told *t, struct err *err)
{
	const struct {
		const char *key;
		uint64_t *value;
	} fields[] = {
		{"lcore", &t->lcore},		{"yields", &t->yields},
		{"gap_max_ns", &t->gap_max_ns}, {"wait_max_ns", &t->wait_max_ns},
		{"gaps_20us", &t->gaps_20us},	{"gaps_sum_ns", &t->gaps_sum_ns},
		{"gaps_1ms", &t->gaps_1ms},	{"gaps_1ms_ns", &t->gaps_1ms_ns},
	};
	uint64_t tid = 0;
	int rc = json_get_u64(json, "tid", &tid, err);

	for (size_t i = 0; rc == 0 && i < N_ELEMS(fields); i++)
		rc = json_get_u64(json, fields[i].key, fields[i].value, err);
	t->tid = (int)tid;
	return rc;
}

/* Asks the lcores of all hops of ours; 'window' begins a new one for the longest gaps. */
static int
ask_lcores(struct sensors *s, bool window, struct told *told, size_t *n, struct err *err)
{
	struct backend *b = s->backend;

	*n = 0;
	for (size_t i = 0; i < b->chain->n_hops; i++) {
		const json_t *lcores;
		json_t *c = NULL;
		int rc;

		if (!backend_can_ask(b, i))
			continue;
		rc = backend_ask(b, i, "counters", json_pack("{s:b}", "window", window), CALL_MS,
				 &c, err);
		lcores = json_object_get(c, "lcores");
		for (size_t k = 0; rc == 0 && k < json_array_size(lcores); k++) {
			if (*n == NOISE_MAX_LCORES)
				break;
			told[*n].hop = i;
			rc = tell_fields(json_array_get(lcores, k), &told[(*n)++], err);
		}
		json_decref(s->counters[!window][i]);
		s->counters[!window][i] = c;
		if (rc < 0)
			return err_wrap(err, rc, "%s", b->chain->hop[i].name);
	}
	return 0;
}

static void
note_ours(const struct sensors *s, const struct told *before, const struct told *after,
	  struct trial_noise *noise)
{
	struct noise_lcore *l = &noise->lcore[noise->n_lcores++];

	noise_lcore_init(l, s->backend->chain->hop[after->hop].name);
	l->lcore = after->lcore;
	l->gap_max_ns = after->gap_max_ns;
	l->wait_max_ns = after->wait_max_ns;
	l->gaps_20us = difference(after->gaps_20us, before->gaps_20us);
	l->gaps_sum_ns = difference(after->gaps_sum_ns, before->gaps_sum_ns);
	l->gaps_1ms = difference(after->gaps_1ms, before->gaps_1ms);
	l->gaps_1ms_ns = difference(after->gaps_1ms_ns, before->gaps_1ms_ns);
	note_thread(s, s->backend->plan->proc[after->hop + 1].in_vm ? 0 : after->tid, l);
	/* The kernel counts a yield that let another run as involuntary, and does not tell which
	 * did: what is beyond all of them is certain. */
	l->nivcsw = difference(l->nivcsw, difference(after->yields, before->yields));
}

/* A hop that is not ours: its busiest thread. */
static void
note_foreign(const struct sensors *s, size_t hop, struct trial_noise *noise)
{
	struct noise_lcore *l = &noise->lcore[noise->n_lcores++];

	noise_lcore_init(l, s->backend->chain->hop[hop].name);
	note_thread(s, busiest_thread(s, (int)hop), l);
}

static void
note_hop(const struct sensors *s, size_t hop, const struct told *now, size_t n,
	 struct trial_noise *noise)
{
	if (s->backend->plan->proc[hop + 1].kernels)
		return;
	if (!backend_can_ask(s->backend, hop)) {
		if (noise->n_lcores < NOISE_MAX_LCORES)
			note_foreign(s, hop, noise);
		return;
	}
	for (size_t i = 0; i < n && i < s->n_told; i++)
		if (now[i].hop == hop && noise->n_lcores < NOISE_MAX_LCORES)
			note_ours(s, &s->told[i], &now[i], noise);
}

/* Lcores are threads, and another process has other threads. */
static const char *
find_restarted(const struct sensors *s, const struct told *now, size_t n)
{
	for (size_t i = 0; i < n && i < s->n_told; i++)
		if (now[i].tid != s->told[i].tid)
			return s->backend->chain->hop[now[i].hop].name;
	return NULL;
}

/* ---- CPUs ---- */

static void
add_cpus(struct sensors *s, const struct chain_cpus *cpus)
{
	for (size_t i = 0; i < cpus->n && s->n_cpus < NOISE_MAX_CPUS; i++) {
		size_t k = 0;

		while (k < s->n_cpus && s->spin[k].cpu != cpus->cpu[i])
			k++;
		if (k == s->n_cpus)
			s->spin[s->n_cpus++].cpu = cpus->cpu[i];
	}
}

/* A piece of work on each CPU, while nothing is being sent. */
static void
calibrate(struct sensors *s)
{
	spin_run(s->spin, s->n_cpus, SPIN_NS);
	for (size_t i = 0; i < s->n_cpus; i++) {
		uint64_t ns = s->spin[i].piece_ns, ppm;

		if (!s->spin[i].known || ns == 0)
			continue;
		if (s->fastest_ns[i] == 0 || ns < s->fastest_ns[i])
			s->fastest_ns[i] = ns;
		ppm = (ns - s->fastest_ns[i]) * 1000000 / s->fastest_ns[i];
		if (s->slow_ppm[i] == NOISE_UNKNOWN || ppm > s->slow_ppm[i])
			s->slow_ppm[i] = ppm;
	}
}

static void
note_cpus(const struct sensors *s, struct trial_noise *n)
{
	n->steal_ns = difference(s->after.steal_ns, s->before.steal_ns);
	n->psi_ns = difference(s->after.psi_ns, s->before.psi_ns);
	n->n_cpus = s->n_cpus;
	for (size_t i = 0; i < s->n_cpus; i++)
		n->cpu[i] = (struct noise_cpu){
			.cpu = (uint64_t)s->spin[i].cpu,
			.steal_ns = difference(s->after.cpu_steal_ns[i], s->before.cpu_steal_ns[i]),
			.spin_slow_ppm = s->slow_ppm[i],
		};
}

/* ---- the whole ---- */

uint64_t
sensors_ring_slots(const struct chain *chain)
{
	uint64_t least = NOISE_UNKNOWN;

	for (size_t i = 0; i <= chain->n_hops; i++)
		/* What an lcore does itself, from hand to hand, never waits in a ring. */
		if (chain->link[i].kind != LINK_RING && chain->link[i].ring < least)
			least = chain->link[i].ring;
	return least;
}

struct sensors *
sensors_new(struct backend *b)
{
	struct sensors *s = xcalloc(1, sizeof(*s));

	s->backend = b;
	for (size_t i = 0; i < b->plan->n_procs; i++)
		add_cpus(s, &b->plan->proc[i].cpus);
	return s;
}

void
sensors_free(struct sensors *s)
{
	for (size_t i = 0; s != NULL && i < CHAIN_MAX_HOPS; i++) {
		json_decref(s->counters[0][i]);
		json_decref(s->counters[1][i]);
	}
	free(s);
}

const char *
sensors_restarted(const struct sensors *s)
{
	return s->restarted;
}

void
sensors_work(const struct sensors *s, size_t hop, struct hop_work *work)
{
	hop_work_between(work, s->counters[0][hop], s->counters[1][hop]);
}

int
sensors_begin(struct sensors *s, struct err *err)
{
	int rc;

	memset(s->slow_ppm, 0xff, sizeof(s->slow_ppm));
	calibrate(s);
	rc = ask_lcores(s, true, s->told, &s->n_told, err);
	read_kernel(s, &s->before);
	return rc;
}

void
sensors_end(struct sensors *s)
{
	read_kernel(s, &s->after);
}

int
sensors_finish(struct sensors *s, struct trial_noise *noise, struct err *err)
{
	struct told now[NOISE_MAX_LCORES];
	size_t n;
	int rc = ask_lcores(s, false, now, &n, err);

	if (rc < 0)
		return rc;
	s->restarted = find_restarted(s, now, n);
	calibrate(s);
	noise->ring_slots = sensors_ring_slots(s->backend->chain);
	note_generator(s, noise);
	for (size_t i = 0; i < s->backend->chain->n_hops; i++)
		note_hop(s, i, now, n, noise);
	note_cpus(s, noise);
	return 0;
}
