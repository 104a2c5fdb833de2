/* SPDX-License-Identifier: MIT */
#include "run_model.h"

#include <math.h>
#include <string.h>

typedef unsigned __int128 fine;

/* With as many bits as a schedule has. */
static fine
fine_from(double ns)
{
	double whole = floor(ns);

	return (fine)(uint64_t)whole << 64 | (fine)(uint64_t)((ns - whole) * 4294967296.0) << 32;
}

static double
ns_of(fine t)
{
	return (double)(uint64_t)(t >> 64) + (double)(uint32_t)(t >> 32) / 4294967296.0;
}

static uint64_t
whole_ns(fine t)
{
	return (uint64_t)(t >> 64);
}

/* The end of what has no bursts: slots that lie before it, but for an error of rounding. */
static uint64_t
count_slots(const struct run_model *m, fine due, fine step)
{
	double n;

	if (m->duration_ns == UINT64_MAX)
		return UINT64_MAX;
	if (whole_ns(due) >= m->duration_ns)
		return 0;
	n = ns_of(((fine)m->duration_ns << 64) - due) / ns_of(step);
	return n > 1e-6 ? (uint64_t)ceil(n - 1e-6) : 0;
}

static void
begin(const struct run_model *m, struct run_model_stream *x, fine at)
{
	const struct stream *s = x->s;

	x->due = at + fine_from(s->isg_us * 1000);
	x->first_ns = whole_ns(x->due);
	x->bursts = 0;
	switch (s->mode) {
	case STREAM_CONTINUOUS:
		x->left = count_slots(m, x->due, x->step);
		break;
	case STREAM_SINGLE_BURST:
		x->left = s->total_pkts;
		break;
	case STREAM_MULTI_BURST:
		x->left = s->pkts_per_burst;
		x->bursts = s->bursts == 0 ? UINT64_MAX : s->bursts - 1;
		break;
	}
	x->state = x->paused ? MODEL_HELD : MODEL_WAITS;
	x->held_ns = whole_ns(at);
}

void
run_model_init(struct run_model *m, const struct stream *streams, unsigned n, double factor,
	       double speed_bps, uint64_t duration_ns)
{
	double fastest = 0;

	memset(m, 0, sizeof(*m));
	m->n = n;
	m->duration_ns = duration_ns;
	for (unsigned i = 0; i < n; i++) {
		struct run_model_stream *x = &m->streams[i];
		double pps = stream_pps(&streams[i], speed_bps) *
			     (streams[i].rule == RULE_LATENCY ? 1 : factor);

		x->s = &streams[i];
		x->step = fine_from(1e9 / pps);
		x->paused = streams[i].start_paused;
		fastest = pps > fastest ? pps : fastest;
		if (streams[i].self_start && streams[i].enabled)
			begin(m, x, 0);
	}
	m->late_ns = 1e9 / fastest > 10e6 ? (uint64_t)(1e9 / fastest) : 10000000;
}

static struct run_model_stream *
earliest(struct run_model *m)
{
	struct run_model_stream *best = NULL;

	for (unsigned i = 0; i < m->n; i++) {
		struct run_model_stream *x = &m->streams[i];

		if (x->state == MODEL_WAITS && x->left > 0 &&
		    (best == NULL || whole_ns(x->due) < whole_ns(best->due)))
			best = x;
	}
	return best;
}

static void
end(struct run_model *m, struct run_model_stream *x, fine at)
{
	x->state = MODEL_IDLE;
	x->ends++;
	if (x->s->next_id < 0 || (x->s->action_count > 0 && x->ends >= x->s->action_count))
		return;
	for (unsigned i = 0; i < m->n; i++) {
		struct run_model_stream *next = &m->streams[i];

		if (next->s->id == (uint32_t)x->s->next_id && next->state == MODEL_IDLE)
			begin(m, next, at);
	}
}

/* The slot is over, whatever became of it. */
static void
pass(struct run_model *m, struct run_model_stream *x)
{
	const fine at = x->due;

	x->due += x->step;
	if (x->left == UINT64_MAX || --x->left > 0 || x->s->mode == STREAM_CONTINUOUS)
		return;
	if (x->bursts == 0) {
		end(m, x, at);
		return;
	}
	x->bursts -= x->bursts != UINT64_MAX;
	x->left = x->s->pkts_per_burst;
	x->due = at + fine_from(x->s->ibg_us * 1000);
	x->first_ns = whole_ns(x->due);
}

unsigned
run_model_plan(struct run_model *m, uint64_t now_ns, struct run_model_slot *slots, unsigned most)
{
	struct run_model_stream *x;
	unsigned n = 0;

	while (n < most && (x = earliest(m)) != NULL && whole_ns(x->due) <= now_ns &&
	       whole_ns(x->due) < m->duration_ns) {
		uint64_t due_ns = whole_ns(x->due);

		if (!x->s->dummy) {
			x->intended++;
			if (now_ns - due_ns > m->late_ns)
				x->late++;
			else
				slots[n++] =
					(struct run_model_slot){(unsigned)(x - m->streams), due_ns};
		}
		pass(m, x);
	}
	x = earliest(m);
	if (now_ns >= m->duration_ns && (x == NULL || whole_ns(x->due) >= m->duration_ns))
		for (unsigned i = 0; i < m->n; i++)
			m->streams[i].state = MODEL_IDLE;
	return n;
}

bool
run_model_goes_on(const struct run_model *m)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->streams[i].state == MODEL_HELD ||
		    (m->streams[i].state == MODEL_WAITS && m->streams[i].left > 0))
			return true;
	return false;
}

void
run_model_pause(struct run_model *m, unsigned stream, bool pause, uint64_t now_ns)
{
	struct run_model_stream *x = &m->streams[stream];

	x->paused = pause;
	if (pause && x->state == MODEL_WAITS) {
		x->state = MODEL_HELD;
		x->held_ns = now_ns;
	} else if (!pause && x->state == MODEL_HELD) {
		uint64_t ns = now_ns > x->held_ns ? now_ns - x->held_ns : 0;

		x->state = MODEL_WAITS;
		x->due += (fine)ns << 64;
		x->first_ns += ns;
		if (x->s->mode == STREAM_CONTINUOUS)
			x->left = count_slots(m, x->due, x->step);
	}
}

void
run_model_set_factor(struct run_model *m, unsigned stream, double factor, uint64_t now_ns)
{
	struct run_model_stream *x = &m->streams[stream];
	fine step = fine_from(1e9 / (stream_pps(x->s, m->speed_bps) * factor));
	uint64_t at = x->state == MODEL_HELD ? x->held_ns : now_ns;

	if (x->s->rule == RULE_LATENCY)
		return;
	if (x->state != MODEL_IDLE && whole_ns(x->due) > at && whole_ns(x->due) > x->first_ns)
		x->due = ((fine)at << 64) + fine_from(ns_of(x->due - ((fine)at << 64)) *
						      (ns_of(step) / ns_of(x->step)));
	x->step = step;
	if (x->state != MODEL_IDLE && x->s->mode == STREAM_CONTINUOUS)
		x->left = count_slots(m, x->due, x->step);
}
