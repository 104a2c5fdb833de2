/* SPDX-License-Identifier: MIT */
#include "run_times.h"

#include <stdlib.h>

#include "base/mem.h"
#include "run.h"

static void
init(struct run_times *t)
{
	hist_init(&t->lateness);
	hist_init(&t->jitter);
}

static void
add(struct run_times *t, const struct run_times *other)
{
	hist_add(&t->lateness, &other->lateness);
	hist_add(&t->jitter, &other->jitter);
}

void
run_times_init(struct run *run)
{
	const bool each = run->n_streams <= RUN_TIMES_MOST;

	run->n_times = each ? run->n_streams : 1;
	run->times = xcalloc(run->n_times, sizeof(*run->times));
	for (uint16_t i = 0; i < run->n_times; i++)
		init(&run->times[i]);
	for (uint16_t i = 0; i < run->n_streams; i++) {
		run->streams[i].times = &run->times[each ? i : 0];
		run->streams[i].last_late_ns = RUN_TIMES_NONE;
	}
}

void
run_times_fini(struct run *run)
{
	free(run->times);
	run->times = NULL;
	run->n_times = 0;
}

void
run_times_all(const struct run *run, struct run_times *times)
{
	init(times);
	for (uint16_t i = 0; i < run->n_times; i++)
		add(times, &run->times[i]);
}

bool
run_times_of(const struct run *run, uint32_t id, struct run_times *times)
{
	bool found = false;

	init(times);
	if (run->n_times < run->n_streams)
		return false;
	for (uint16_t i = 0; i < run->n_streams; i++) {
		if (run->streams[i].id != id)
			continue;
		add(times, run->streams[i].times);
		found = true;
	}
	return found;
}
