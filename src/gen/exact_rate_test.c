/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "real_rig.h"

/* The rate delivered is the rate asked: by the real clocks, over a link that takes everything, from
 * 1 kpps to 90 % of what this machine sends, in all units and modes.
 *
 * Two things are asserted, each of which a busy machine cannot blur.  The slots that there were are
 * those of the rate, to the frame, and each was sent, refused (none, here) or late.  And the time
 * they took is that of the wall clock: the schedule runs within 0.02 % of CLOCK_MONOTONIC.
 *
 * NFVCHAIN_EXACT_S=SECONDS makes each case so long (0.1) and asserts besides that 99.9 % were sent:
 * for a machine that is not busy. */

#define DEFAULT_S 0.1
#define MOST_PPM 200
#define TRIES 10
/* Far below what the worker sends, also where every access is looked at. */
#if defined(__SANITIZE_ADDRESS__)
#define FAST_PPS 2e5
#else
#define FAST_PPS 1e6
#endif
#define SPEED_BPS 10e9 /* worker_rig's */

static double case_s = DEFAULT_S;
static bool quiet; /* the machine: all must have been sent */

/* Of the stream's frames, 64 bytes with FCS. */
static double
unit(enum stream_rate kind, double pps)
{
	switch (kind) {
	case STREAM_BPS_L2:
		return pps * 64 * 8;
	case STREAM_BPS_L1:
		return pps * 84 * 8;
	case STREAM_PERCENT:
		return pps * 84 * 8 / SPEED_BPS * 100;
	default:
		return pps;
	}
}

static struct real_rig *
open_rig(struct worker_rig *r)
{
	struct real_rig *real = xcalloc(1, sizeof(*real));

	r->conf.rxd = r->conf.txd = REAL_RIG_ROOM;
	worker_rig_open(r, REAL_RIG_ROOM, WORKER_RIG_ROOM);
	real_rig_init(real, r);
	return real;
}

static void
clear_streams(struct worker_rig *r)
{
	while (r->n_streams > 0)
		stream_fini(&r->streams[--r->n_streams]);
}

static struct stream *
add(struct worker_rig *r, enum stream_rate kind, double pps)
{
	static const uint8_t frame[60] = {2, [12] = 0x08};
	struct stream *s = worker_rig_add_raw(r, frame, sizeof(frame), unit(kind, pps));

	s->rate_kind = kind;
	return s;
}

/* Prints what came of the run and asserts that it is 'intended' slots, each with its end.  Returns
 * whether it took the time that it should. */
static bool
judge(struct real_rig *real, const char *name, double pps, double intended, unsigned n_streams)
{
	const struct run *run = real->run;
	const struct worker_rig_counts c = worker_rig_counts(run);
	const double ppm = real_rig_drift_ppm(real);
	struct run_times t;

	run_times_all(run, &t);
	print_message("# %-19s %8.0f pps: %.0f slots, %lu sent (%.4f %%), %lu late; schedule "
		      "%+.1f ppm fast; lateness p50 %lu p99 %lu ns\n",
		      name, pps, intended, c.sent, 100 * (double)c.sent / intended, c.late, ppm,
		      hist_quantile(&t.lateness, 0.5), hist_quantile(&t.lateness, 0.99));
	assert_int_equal(c.intended, c.sent + c.refused + c.late);
	assert_int_equal(c.refused, 0);
	assert_true(fabs((double)c.intended - intended) <= n_streams);
	assert_int_equal(counter_get(&real->r->w.ports[1].ipackets), real->r->w.ports[0].opackets);
	return fabs(ppm) < MOST_PPM && (!quiet || (double)c.sent >= 0.999 * intended);
}

/* Runs the rig's streams until a run took the time that it should.  A machine that is away when a
 * run begins or ends makes it look shorter or longer; what is really wrong is so each time. */
static void
run_and_judge(struct real_rig *real, const char *name, double pps, double intended,
	      double duration_s)
{
	for (unsigned i = 0; i < TRIES; i++) {
		real_rig_run(real, duration_s, false, 10 + duration_s);
		if (judge(real, name, pps, intended, (unsigned)real->r->n_streams))
			return;
	}
	fail_msg("%s: not the rate asked in any of %d runs", name, TRIES);
}

static void
run_continuous(struct real_rig *real, const char *name, enum stream_rate kind, double pps)
{
	clear_streams(real->r);
	add(real->r, kind, pps);
	run_and_judge(real, name, pps, ceil(pps * case_s - 1e-6), case_s);
}

/* Frames a second that the worker sends over this link: without a schedule, and then by one that
 * asks for that. */
static double
measure_max(struct real_rig *real)
{
	struct stream *s;

	clear_streams(real->r);
	s = add(real->r, STREAM_PPS, 1e6);
	real_rig_run(real, case_s, true, 10 + case_s);
	s->rate = (double)run_sent(real->run) / case_s;
	real_rig_run(real, case_s, false, 10 + case_s);
	print_message("# %.3f Mpps flat out, %.3f Mpps by a schedule\n", s->rate / 1e6,
		      (double)run_sent(real->run) / case_s / 1e6);
	return (double)run_sent(real->run) / case_s;
}

static void
continuous_streams_have_their_rate(void **state)
{
	struct real_rig *real = open_rig(*state);

	run_continuous(real, "pps", STREAM_PPS, 1e3);
	run_continuous(real, "pps", STREAM_PPS, 1e4);
	run_continuous(real, "pps", STREAM_PPS, 1e5);
	run_continuous(real, "bps L2", STREAM_BPS_L2, 123457);
	run_continuous(real, "bps L1", STREAM_BPS_L1, 123457);
	run_continuous(real, "percent", STREAM_PERCENT, 123457);
	run_continuous(real, "pps", STREAM_PPS, FAST_PPS);
	clear_streams(real->r);
	free(real);
}

static void
so_has_one_at_nine_tenths_of_the_maximum(void **state)
{
	struct real_rig *real = open_rig(*state);
	/* The best of three: what a busy machine leaves is not the maximum. */
	double max = fmax(measure_max(real), fmax(measure_max(real), measure_max(real)));

	if (quiet) {
		run_continuous(real, "90 % of the maximum", STREAM_PPS, floor(0.9 * max));
	} else {
		/* On a machine that others use too there is no such rate; the books hold all the
		 * same. */
		clear_streams(real->r);
		add(real->r, STREAM_PPS, floor(0.9 * max));
		real_rig_run(real, case_s, false, 10 + case_s);
		(void)judge(real, "90 % of the maximum", floor(0.9 * max),
			    ceil(floor(0.9 * max) * case_s - 1e-6), 1);
	}
	clear_streams(real->r);
	free(real);
}

static void
bursts_have_their_rate_and_their_gaps(void **state)
{
	struct real_rig *real = open_rig(*state);
	const double pps = 2e5, gap_s = 0.5e-3, burst = 100;
	const double cycle_s = (burst - 1) / pps + gap_s;
	const unsigned bursts = (unsigned)ceil(case_s / cycle_s);
	struct stream *s = add(real->r, STREAM_PPS, pps);

	s->mode = STREAM_MULTI_BURST;
	s->pkts_per_burst = (uint32_t)burst;
	s->bursts = bursts;
	s->ibg_us = gap_s * 1e6;
	run_and_judge(real, "bursts of 100", burst / cycle_s, bursts * burst, bursts * cycle_s);
	clear_streams(real->r);
	free(real);
}

static void
several_streams_at_once_have_each_its_own(void **state)
{
	static const struct {
		enum stream_rate kind;
		double pps;
	} each[] = {{STREAM_PPS, 1000},
		    {STREAM_BPS_L1, 33333},
		    {STREAM_PERCENT, 100001},
		    {STREAM_BPS_L2, 250000}};
	struct real_rig *real = open_rig(*state);
	double pps = 0, intended = 0;

	for (size_t i = 0; i < N_ELEMS(each); i++) {
		add(real->r, each[i].kind, each[i].pps);
		pps += each[i].pps;
		intended += ceil(each[i].pps * case_s - 1e-6);
	}
	run_and_judge(real, "four streams", pps, intended, case_s);
	for (uint32_t i = 0; i < N_ELEMS(each); i++) {
		struct run_counters c;

		assert_true(run_stream_counters(real->run, i + 1, &c));
		assert_true(fabs((double)c.intended - each[i].pps * case_s) <= 1);
		assert_int_equal(c.intended, c.sent + c.refused + c.late);
	}
	clear_streams(real->r);
	free(real);
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(continuous_streams_have_their_rate),
		LAW(so_has_one_at_nine_tenths_of_the_maximum),
		LAW(bursts_have_their_rate_and_their_gaps),
		LAW(several_streams_at_once_have_each_its_own),
	};
	const char *given = getenv("NFVCHAIN_EXACT_S");

	if (given != NULL && strtod(given, NULL) > 0) {
		case_s = strtod(given, NULL);
		quiet = true;
	}
	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
