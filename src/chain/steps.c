/* SPDX-License-Identifier: MIT */
#include "steps.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "turns.h"

#define LOOK_STEPS 20000 /* between two looks at the clock and at the chain */
#define MIN_FRAMES 1000	 /* fewer say nothing */
#define SENDING_S 3600.0 /* until it is told to stop */
#define FLAT_OUT_PPS 1e6 /* not looked at */

/* Waits for the thread's next stop; the signal that stopped it, or a negative errno. */
static int
await_stop(pid_t tid)
{
	int status;
	pid_t pid;

	do
		pid = waitpid(tid, &status, __WALL);
	while (pid < 0 && errno == EINTR);
	if (pid < 0)
		return -errno;
	return WIFSTOPPED(status) ? WSTOPSIG(status) : -ECHILD;
}

/* One instruction, or none when a signal came instead, which the thread then gets. */
static int
step(pid_t tid, int *signum)
{
	int rc;

	if (ptrace(PTRACE_SINGLESTEP, tid, NULL, (void *)(intptr_t)*signum) < 0)
		return -errno;
	rc = await_stop(tid);
	if (rc < 0)
		return rc;
	*signum = rc == SIGTRAP ? 0 : rc;
	return rc == SIGTRAP;
}

/* Two threads that wait for each other at each step do so fastest on one CPU. */
static void
stay_on(const struct chain_cpus *cpus)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (size_t i = 0; i < cpus->n; i++)
		CPU_SET((size_t)cpus->cpu[i], &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int
walk(struct steps *s, struct backend *b, pid_t tid, uint64_t duration_ns, struct err *err)
{
	uint64_t end = clock_now_ns() + duration_ns;
	int signum = 0, rc = 0;

	while (rc >= 0 && clock_now_ns() < end) {
		for (int i = 0; rc >= 0 && i < LOOK_STEPS; i++) {
			rc = step(tid, &signum);
			s->n += rc > 0;
		}
		if (rc >= 0)
			rc = backend_check(b, err);
		else
			err_set(err, -rc, "step by step: %s", strerror(-rc));
	}
	return rc < 0 ? rc : 0;
}

/* Counts frames on both sides of the walk, with the ring before the hop full. */
static int
count(struct steps *s, struct backend *b, pid_t tid, uint64_t duration_ns, struct err *err)
{
	uint64_t before, after;
	int rc = turns_settle(b, &before, err);

	if (rc == 0)
		rc = walk(s, b, tid, duration_ns, err);
	if (rc == 0)
		rc = turns_settle(b, &after, err);
	if (rc < 0)
		return rc;
	s->frames = after - before;
	if (s->frames < MIN_FRAMES)
		return err_set(err, ENODATA,
			       "only %" PRIu64 " frames were forwarded in %" PRIu64
			       " steps: too few to count",
			       s->frames, s->n);
	s->per_frame = (double)s->n / (double)s->frames;
	s->accuracy = (double)b->chain->link[0].ring / (double)s->frames;
	return 0;
}

static int
trace(struct steps *s, struct backend *b, uint64_t duration_ns, struct err *err)
{
	pid_t tid = backend_busy_thread(b, 0);
	cpu_set_t cpus;
	bool has_cpus;
	int rc;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0)
		return err_set(err, errno, "ptrace: %s", strerror(errno));
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 || await_stop(tid) < 0)
		return err_set(err, EIO, "ptrace: the polling thread does not stop");
	has_cpus = sched_getaffinity(0, sizeof(cpus), &cpus) == 0;
	stay_on(&b->plan->proc[1].cpus);
	rc = count(s, b, tid, duration_ns, err);
	if (has_cpus)
		sched_setaffinity(0, sizeof(cpus), &cpus);
	ptrace(PTRACE_DETACH, tid, NULL, NULL);
	return rc;
}

int
steps_run(struct steps *s, struct backend *b, uint64_t duration_ns, struct err *err)
{
	struct err ignored = {0};
	int rc;

	*s = (struct steps){.per_frame = NAN, .accuracy = NAN};
	rc = tg_start(b->tg, FLAT_OUT_PPS, SENDING_S, true, err);
	if (rc < 0)
		return rc;
	rc = trace(s, b, duration_ns, err);
	/* The hop is wanted no more; whether it can still be asked is another's question. */
	tg_stop(b->tg, &ignored);
	return rc;
}
