/* SPDX-License-Identifier: MIT */
#include "cpu_witness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "chain/procfs.h"

#define PERIOD_NS NSEC_PER_MS

/* Of a period: what the witness itself takes, and what clocks differ by. */
#define NOTHING_NS (PERIOD_NS / 20)

struct cpu_witness {
	struct cpu_watch what;
	int schedstat, stat; /* files of the lcore's thread */
	pthread_t thread;
	atomic_bool stop;
	uint64_t away_ns; /* so far, at once */
	struct cpu_absence seen;
};

/* CPU time of the lcore's thread; the witness has just interrupted whoever ran here, so that the
 * kernel's figure is of this moment. */
static uint64_t
read_ran_ns(const struct cpu_witness *w)
{
	uint64_t ran_ns = 0, delay_ns;
	char text[128];
	ssize_t n = pread(w->schedstat, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	(void)procfs_schedstat(text, &ran_ns, &delay_ns);
	return ran_ns;
}

/* A lcore that finds no frames may sleep; nobody keeps it from its CPU then. */
static bool
is_asleep(const struct cpu_witness *w)
{
	char text[256];
	ssize_t n = pread(w->stat, text, sizeof(text) - 1, 0);
	const char *name_end;

	text[n > 0 ? n : 0] = '\0';
	name_end = strrchr(text, ')');
	return name_end != NULL && strncmp(name_end, ") S", 3) == 0;
}

static void
end_absence(struct cpu_witness *w)
{
	if (w->away_ns > w->seen.longest_ns)
		w->seen.longest_ns = w->away_ns;
	if (w->away_ns >= NSEC_PER_MS)
		w->seen.sum_ns += w->away_ns;
	w->away_ns = 0;
}

/* The lcore did not run for 'away_ns' of a period; absences go on over the ends of periods. */
static void
note_period(struct cpu_witness *w, uint64_t away_ns)
{
	if (away_ns > NOTHING_NS && !is_asleep(w))
		w->away_ns += away_ns;
	else
		end_absence(w);
}

static void
sleep_until(uint64_t at_ns)
{
	const struct timespec at = {
		.tv_sec = (time_t)(at_ns / NSEC_PER_S),
		.tv_nsec = (long)(at_ns % NSEC_PER_S),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static void *
watch(void *arg)
{
	struct cpu_witness *w = arg;
	uint64_t start_ns = clock_now_ns(), last_ns, last_ran_ns;

	sleep_until(start_ns + w->what.from_ns);
	last_ns = clock_now_ns();
	last_ran_ns = read_ran_ns(w);
	while (!atomic_load(&w->stop) && last_ns + PERIOD_NS <= start_ns + w->what.to_ns) {
		uint64_t due_ns = last_ns + PERIOD_NS, now_ns, ran_ns, away_ns, late_ns;

		sleep_until(due_ns);
		now_ns = clock_now_ns();
		ran_ns = read_ran_ns(w);
		away_ns = now_ns - last_ns > ran_ns - last_ran_ns
				  ? now_ns - last_ns - (ran_ns - last_ran_ns)
				  : 0;
		/* The kernel charges what the hypervisor takes to the thread that it takes it from;
		 * the witness then wakes up late. */
		late_ns = now_ns - due_ns;
		note_period(w, late_ns > away_ns ? late_ns : away_ns);
		last_ns = now_ns;
		last_ran_ns = ran_ns;
	}
	end_absence(w);
	return NULL;
}

static int
start_thread(struct cpu_witness *w)
{
	const struct sched_param priority = {.sched_priority = 1};
	pthread_attr_t attr;
	cpu_set_t set;
	int rc;

	CPU_ZERO(&set);
	CPU_SET(w->what.cpu, &set);
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &priority);
	pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	rc = pthread_create(&w->thread, &attr, watch, w);
	pthread_attr_destroy(&attr);
	return rc;
}

static int
open_file(const struct cpu_watch *what, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", (int)what->pid, (int)what->tid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void
witness_free(struct cpu_witness *w)
{
	if (w->schedstat >= 0)
		close(w->schedstat);
	if (w->stat >= 0)
		close(w->stat);
	free(w);
}

struct cpu_witness *
cpu_witness_start(const struct cpu_watch *what)
{
	struct cpu_witness *w = xcalloc(1, sizeof(*w));

	w->what = *what;
	w->schedstat = open_file(what, "schedstat");
	w->stat = open_file(what, "stat");
	if (w->schedstat >= 0 && w->stat >= 0 && start_thread(w) == 0)
		return w;
	witness_free(w);
	return NULL;
}

struct cpu_absence
cpu_witness_stop(struct cpu_witness *w)
{
	struct cpu_absence seen;

	atomic_store(&w->stop, true);
	pthread_join(w->thread, NULL);
	seen = w->seen;
	witness_free(w);
	return seen;
}
