/* SPDX-License-Identifier: MIT */
#include "turns.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interval.h"

#define FIRST_NS 50000
#define SHORTEST_NS 10000
#define LONGEST_NS 2000000
/* Of the ring, what a turn should empty: room for turns that last longer. */
#define TARGET_RATIO 0.5
/* With more of it left than this, none of the frames could be the last. */
#define FULL_RATIO 0.9
/* Of all CPU time, what may pass in turns without a frame: a turn may be odd. */
#define IDLE_RATIO 0.1
/* CPU time in which a generator with room sends some hundred frames. */
#define SETTLE_NS 250000
#define FIRST_SETTLE_NS (10 * SETTLE_NS) /* what fits into the ring should be right */
#define LOOK_NS 60000
#define SETTLE_MS 200
#define SLICE_NS 100000 /* the least that the kernel grants */
#define SLACK_NS 1000	/* of our timers; the kernel's default is as long as a short turn */

/* What sched_setattr takes; libc has no name for it. */
struct sched_request {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

static void
nap(uint64_t ns)
{
	const struct timespec ts = {(time_t)(ns / NSEC_PER_S), (long)(ns % NSEC_PER_S)};

	nanosleep(&ts, NULL);
}

/* Linux from 6.12 on takes wishes for short slices from anybody, and lets those who have one run at
 * once when they wake; others it may let wait for the 3 ms of whoever is running.  Refused: so be
 * it. */
static void
want_slice(uint64_t slice_ns)
{
	struct sched_request now, want;

	memset(&now, 0, sizeof(now));
	if (syscall(SYS_sched_getattr, 0, &now, sizeof(now), 0) < 0 || now.policy != SCHED_OTHER)
		return;
	want = now;
	want.size = sizeof(want);
	want.runtime_ns = slice_ns;
	syscall(SYS_sched_setattr, 0, &want, 0);
}

/* How our own thread is scheduled. */
struct manners {
	int slack_ns;
	cpu_set_t cpus;
	bool has_cpus;
};

/* Makes us wake in time: with an exact timer, at once, and away from the hop, which would keep the
 * CPU that we were on when we let it go on. */
static void
wake_in_time(struct manners *was, const struct backend *b)
{
	const struct chain_cpus *hop = &b->plan->proc[1].cpus;
	cpu_set_t away;

	was->slack_ns = prctl(PR_GET_TIMERSLACK);
	was->has_cpus = sched_getaffinity(0, sizeof(was->cpus), &was->cpus) == 0;
	prctl(PR_SET_TIMERSLACK, SLACK_NS);
	want_slice(SLICE_NS);
	away = was->cpus;
	for (size_t i = 0; i < hop->n; i++)
		CPU_CLR((size_t)hop->cpu[i], &away);
	if (was->has_cpus && CPU_COUNT(&away) > 0)
		sched_setaffinity(0, sizeof(away), &away);
}

static void
wake_as_before(const struct manners *was)
{
	if (was->has_cpus)
		sched_setaffinity(0, sizeof(was->cpus), &was->cpus);
	want_slice(0);
	prctl(PR_SET_TIMERSLACK, was->slack_ns);
}

/* CPU time of all threads of a process, in ns; 0 when it cannot be read. */
static uint64_t
cpu_ns_of(const struct proc *p)
{
	struct timespec ts = {0};
	clockid_t clock;

	if (clock_getcpuclockid(p->pid, &clock) != 0 || clock_gettime(clock, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * NSEC_PER_S + (uint64_t)ts.tv_nsec;
}

/* Waits until the generator has filled the ring before the hop and emptied the one behind it: its
 * counters have stood still although it had the CPU. */
static int
settle(struct backend *b, uint64_t settle_ns, struct turns_counts *c, struct err *err)
{
	const struct proc *generator = &b->proc[0];
	struct deadline d = deadline_in_ms(SETTLE_MS);
	uint64_t since_ns = cpu_ns_of(generator);
	struct turns_counts last;
	int rc = tg_counts(b->tg, &c->sent, &c->received, err);

	while (rc == 0 && cpu_ns_of(generator) - since_ns < settle_ns && !deadline_passed(&d)) {
		last = *c;
		nap(LOOK_NS);
		rc = tg_counts(b->tg, &c->sent, &c->received, err);
		if (c->sent != last.sent || c->received != last.received)
			since_ns = cpu_ns_of(generator);
	}
	return rc;
}

int
turns_settle(struct backend *b, bool first, uint64_t *sent, uint64_t *received, struct err *err)
{
	struct turns_counts c = {0};
	int rc = settle(b, first ? FIRST_SETTLE_NS : SETTLE_NS, &c, err);

	*sent = c.sent;
	*received = c.received;
	return rc;
}

bool
turns_is_full(uint64_t backlog, uint64_t frames)
{
	return frames > 0 && (double)frames <= FULL_RATIO * (double)backlog;
}

uint64_t
turns_next_ns(uint64_t on_ns, uint64_t room, uint64_t frames)
{
	double wanted = TARGET_RATIO * (double)room, ns = 2.0 * (double)on_ns;

	/* By what came of it and not by what a frame costs: who wakes late has to ask early.  One
	 * odd turn is no reason for a leap. */
	if (frames > 0)
		ns = (double)on_ns * fmin(fmax(wanted / (double)frames, 0.5), 1.5);
	return (uint64_t)fmin(fmax(ns, SHORTEST_NS), LONGEST_NS);
}

static int
run_turn(struct turns *t, struct backend *b, struct turns_counts *c, struct err *err)
{
	uint64_t waiting = c->sent - c->received - t->base, received = c->received, frames;
	uint64_t cpu_ns = cpu_ns_of(&b->proc[1]);
	int rc;

	/* What is more than this was dropped, and is not waiting. */
	if (waiting > t->room)
		waiting = t->room;
	backend_resume_hop(b, 0);
	nap(t->on_ns);
	rc = backend_pause_hop(b, 0, err);
	cpu_ns = cpu_ns_of(&b->proc[1]) - cpu_ns;
	if (rc == 0)
		rc = settle(b, SETTLE_NS, c, err);
	if (rc < 0)
		return rc;
	frames = c->received - received;
	t->on_ns = turns_next_ns(t->on_ns, t->room, frames);
	if (waiting > 0 && frames == 0)
		t->idle_ns += cpu_ns;
	/* Less than a nanosecond for a frame: it is another process that forwards them. */
	if (!turns_is_full(waiting, frames) || cpu_ns < frames) {
		t->n_dry++;
		return 0;
	}
	t->cost_ns[t->n++] = (double)cpu_ns / (double)frames;
	t->frames += frames;
	t->cpu_ns += cpu_ns;
	return 0;
}

static int
run_turns(struct turns *t, struct backend *b, uint64_t duration_ns, struct err *err)
{
	uint64_t end = clock_now_ns() + duration_ns;
	int rc = 0;

	/* Before the first turn nothing can have been dropped. */
	if (!t->is_full) {
		rc = settle(b, FIRST_SETTLE_NS, &t->counts, err);
		if (rc == 0 && t->counts.sent - t->counts.received - t->base > t->room)
			t->room = t->counts.sent - t->counts.received - t->base;
		/* Nothing came: the generator has not begun yet. */
		t->is_full = rc == 0 && t->room > 0;
	}
	while (rc == 0 && clock_now_ns() < end && t->n < TURNS_MAX) {
		rc = backend_check(b, err);
		if (rc == 0)
			rc = run_turn(t, b, &t->counts, err);
	}
	return rc;
}

int
turns_begin(struct turns *t, struct backend *b, struct err *err)
{
	struct turns_counts c;
	int rc;

	*t = (struct turns){.on_ns = t->on_ns, .room = t->room};
	if (t->on_ns == 0)
		t->on_ns = FIRST_NS;
	rc = backend_pause_hop(b, 0, err);
	if (rc == 0)
		rc = settle(b, SETTLE_NS, &c, err);
	t->base = rc == 0 ? c.sent - c.received : 0;
	if (rc < 0)
		backend_resume_hop(b, 0);
	return rc;
}

int
turns_run(struct turns *t, struct backend *b, uint64_t duration_ns, struct err *err)
{
	struct manners was;
	int rc;

	t->frames = t->cpu_ns = t->idle_ns = 0;
	t->n = t->n_dry = 0;
	wake_in_time(&was, b);
	backend_resume_generator(b);
	rc = run_turns(t, b, duration_ns, err);
	if (rc == 0)
		rc = backend_pause_generator(b, err);
	wake_as_before(&was);
	return rc;
}

bool
turns_is_stalled(const struct turns *t)
{
	return (double)t->idle_ns > IDLE_RATIO * (double)(t->idle_ns + t->cpu_ns);
}

double
turns_rate(const struct turns *t)
{
	double cost[TURNS_MAX];

	if (t->n < TURNS_MIN || turns_is_stalled(t))
		return NAN;
	memcpy(cost, t->cost_ns, t->n * sizeof(cost[0]));
	return 1e9 / interval_trimmed_parts(cost, t->n, t->n / 4).mean;
}
