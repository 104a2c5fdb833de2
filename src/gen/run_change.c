/* SPDX-License-Identifier: MIT */
#include "run_change.h"

#include "run_next.h"

/* The stream's time stops. */
static void
hold(struct run_lane *lane, struct run_stream *s, uint64_t now_ns)
{
	s->paused = true;
	if (s->state != RUN_STREAM_WAITING)
		return;
	s->state = RUN_STREAM_HELD;
	s->held_ns = now_ns;
	lane->n_held++;
}

/* Its time runs on, and what it waited for comes so much later. */
static void
let_go(struct run_lane *lane, struct run_stream *s, uint64_t now_ns)
{
	uint64_t held_ns = now_ns > s->held_ns ? now_ns - s->held_ns : 0;

	s->paused = false;
	if (s->state != RUN_STREAM_HELD)
		return;
	s->state = RUN_STREAM_WAITING;
	s->due.ns += held_ns;
	s->first_ns += held_ns;
	lane->n_held--;
	if (s->continuous)
		s->slots_left = run_slots_within(lane->run, &s->due, &s->step);
}

/* What is left of the wait for the next slot is as much longer as the step; waits between streams
 * and bursts stay. */
static void
set_factor(struct run_lane *lane, struct run_stream *s, double factor, uint64_t now_ns)
{
	const struct run_time step = run_time_from(1e9 / (s->pps * factor));
	const double scale = ((double)step.ns + (double)step.frac / 4294967296.0) /
			     ((double)s->step.ns + (double)s->step.frac / 4294967296.0);
	const uint64_t from_ns = s->state == RUN_STREAM_HELD ? s->held_ns : now_ns;

	s->step = step;
	if (s->state == RUN_STREAM_IDLE)
		return;
	if (s->due.ns > from_ns && s->due.ns > s->first_ns) {
		struct run_time left = run_time_from(
			((double)(s->due.ns - from_ns) + (double)s->due.frac / 4294967296.0) *
			scale);

		s->due = (struct run_time){from_ns + left.ns, left.frac};
	}
	if (s->continuous)
		s->slots_left = run_slots_within(lane->run, &s->due, &s->step);
}

/* The 'k'th of the streams that the change names. */
static void
change_stream(const struct run_change *c, size_t k, struct run_lane *lane, struct run_stream *s,
	      uint64_t now_ns)
{
	if (c->kind == RUN_CHANGE_FACTOR) {
		if (s->variable)
			set_factor(lane, s, c->factors != NULL ? c->factors[k] : c->factor, now_ns);
		return;
	}
	/* From now on it may have to wait for more than its next slot. */
	lane->simple = false;
	if (c->kind == RUN_CHANGE_PAUSE)
		hold(lane, s, now_ns);
	else
		let_go(lane, s, now_ns);
}

/* The lane that the run's stream number 'i' is of. */
static struct run_lane *
lane_of(struct run *run, uint32_t i)
{
	struct run_lane *lane = run->lane;

	while (i >= (size_t)(lane->streams - run->streams) + lane->n_streams)
		lane++;
	return lane;
}

static void
change_streams(struct run *run, const struct run_change *c, uint64_t now_ns)
{
	size_t n = c->streams != NULL ? c->n : run->n_streams;

	for (size_t k = 0; k < n; k++) {
		uint32_t i = c->streams != NULL ? c->streams[k] : (uint32_t)k;

		change_stream(c, k, lane_of(run, i), &run->streams[i], now_ns);
	}
	for (uint16_t i = 0; i < run->n_lanes; i++)
		if (!run->lane[i].simple)
			run_rebuild(&run->lane[i]);
	if (c->kind == RUN_CHANGE_FACTOR)
		run_set_patience(run);
}

static void
pause_run(struct run *run, uint64_t now_tsc)
{
	if (atomic_load_explicit(&run->state, memory_order_relaxed) != RUN_ACTIVE)
		return;
	run->paused_tsc = now_tsc;
	atomic_fetch_or_explicit(&run->attend, RUN_HOLD, memory_order_relaxed);
	atomic_store_explicit(&run->state, RUN_PAUSED, memory_order_release);
}

static void
resume_run(struct run *run, uint64_t now_tsc, double tsc_to_ns)
{
	/* Before the start no time runs that could have stopped. */
	uint64_t from =
		(int64_t)(run->paused_tsc - run->clock_tsc) > 0 ? run->paused_tsc : run->clock_tsc;

	if (atomic_load_explicit(&run->state, memory_order_relaxed) != RUN_PAUSED)
		return;
	if ((int64_t)(now_tsc - from) > 0) {
		run->clock_tsc += now_tsc - from;
		run->paused_ns = (uint64_t)((double)(run->clock_tsc - run->start_tsc) * tsc_to_ns);
	}
	atomic_store_explicit(&run->state, RUN_ACTIVE, memory_order_release);
}

static bool
any_paused(const struct run *run)
{
	for (uint16_t i = 0; i < run->n_streams; i++)
		if (run->streams[i].paused)
			return true;
	return false;
}

static void
make_change(struct run *run, const struct run_change *c, uint64_t now_tsc, double tsc_to_ns)
{
	if (c->kind == RUN_CHANGE_PAUSE && c->streams == NULL) {
		pause_run(run, now_tsc);
		return;
	}
	if (c->kind == RUN_CHANGE_RESUME && c->streams == NULL) {
		resume_run(run, now_tsc, tsc_to_ns);
		if (!any_paused(run))
			return;
	}
	change_streams(run, c, run_now_ns(run, now_tsc, tsc_to_ns));
}

void
run_make_changes(struct run *run, uint64_t now_tsc, double tsc_to_ns)
{
	uint32_t made = atomic_load_explicit(&run->n_made, memory_order_relaxed);

	/* Whatever is asked for after this is seen now or sets the bit again. */
	atomic_fetch_and_explicit(&run->attend, ~RUN_CHANGES, memory_order_acq_rel);
	for (; made != atomic_load_explicit(&run->n_asked, memory_order_acquire); made++)
		make_change(run, &run->changes[made % RUN_CHANGES_MAX], now_tsc, tsc_to_ns);
	atomic_store_explicit(&run->n_made, made, memory_order_release);
}
