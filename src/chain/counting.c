/* SPDX-License-Identifier: MIT */
#include "counting.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "callgrind.h"
#include "turns.h"

#define LOOKS 20
#define MIN_LOOKS 10   /* with fewer, nothing is said */
#define FEWEST_TURNS 8 /* between two looks */
#define MORE_TURNS 17  /* up to so many beside, which differ: see turns_before() */
#define TURN_RATIO 0.4 /* of the ring that a turn should empty: we may wake late */
#define GROWTH 1.03    /* of a turn that emptied less */
#define FIRST_NS 500000
#define SHORTEST_NS 50000
#define LONGEST_NS (8 * NSEC_PER_MS) /* slower functions forward fewer frames in a turn */
#define LOOK_NS 50000
#define FILL_MS 3000
#define ANSWER_MS 3000	 /* more than enough for a thread that executes anything */
#define SENDING_S 3600.0 /* until it is told to stop */
#define FLAT_OUT_PPS 1e6 /* not looked at */
#define BUSY_RATIO 0.75	 /* of all instructions, those of the one thread that polls */

struct job {
	struct backend *b;
	struct callgrind callgrind;
	uint64_t base; /* sent before we began, and never received */
	uint64_t room; /* frames that fit in before the hop */
	uint64_t sent, received;
	uint64_t on_ns; /* length of a turn */
	bool dry;	/* since the last look frames may have run out */

	/* The last look. */
	struct callgrind_counts counts;
	uint64_t frames, instructions; /* since the first; of the polling thread */
	unsigned stretch;
	double busy_ratio; /* the least */
};

static void
nap(uint64_t ns)
{
	const struct timespec ts = {(time_t)(ns / NSEC_PER_S), (long)(ns % NSEC_PER_S)};

	nanosleep(&ts, NULL);
}

uint64_t
counting_next_ns(uint64_t on_ns, uint64_t wanted, uint64_t frames)
{
	double ns = (double)on_ns;

	/* The fastest turns count: in others the program did what it does once for many frames. */
	if (frames > wanted)
		ns *= (double)wanted / (double)frames;
	else
		ns *= GROWTH;
	return (uint64_t)fmin(fmax(ns, SHORTEST_NS), (double)LONGEST_NS);
}

/* ---- turns ---- */

/* The hop was stopped: how many frames did it forward since it was let go, and may it have seen an
 * empty ring? */
static int
end_turn(struct job *job, uint64_t *frames, struct err *err)
{
	uint64_t waiting = job->sent - job->received - job->base, before = job->received;
	int rc = turns_settle(job->b, false, &job->sent, &job->received, err);

	/* What is more than this was dropped, and is not waiting. */
	if (waiting > job->room)
		waiting = job->room;
	*frames = rc == 0 ? job->received - before : 0;
	/* Without a frame it did not get to run, which is no harm. */
	if (*frames > 0 && !turns_is_full(waiting, *frames))
		job->dry = true;
	return rc;
}

static int
run_turn(struct job *job, struct err *err)
{
	uint64_t frames, wanted = (uint64_t)(TURN_RATIO * (double)job->room);
	int rc = backend_check(job->b, err);

	if (rc < 0)
		return rc;
	backend_resume_hop(job->b, 0);
	nap(job->on_ns);
	rc = backend_pause_hop(job->b, 0, err);
	if (rc == 0)
		rc = end_turn(job, &frames, err);
	if (rc == 0)
		job->on_ns = counting_next_ns(job->on_ns, wanted, frames);
	return rc;
}

/* ---- looks ---- */

/* Asks, and lets the hop take turns until it was held in one: there it stands. */
static int
ask(struct job *job, struct callgrind_counts *counts, struct err *err)
{
	struct deadline d = deadline_in_ms(ANSWER_MS);
	int rc = callgrind_ask(&job->callgrind, err);

	while (rc == 0 && !callgrind_answered(&job->callgrind, counts)) {
		if (deadline_passed(&d))
			return err_set(err, ENODATA,
				       "callgrind does not answer: the hop's own process executes "
				       "nothing");
		rc = run_turn(job, err);
	}
	return rc;
}

/* Callgrind holds the hop for a while yet, and takes its time to find out that it need not. */
static int
let_go(struct job *job, struct err *err)
{
	struct deadline d = deadline_in_ms(ANSWER_MS);
	uint64_t sent, received = job->received, frames;
	int rc = 0;

	backend_resume_hop(job->b, 0);
	while (rc == 0 && received == job->received && !deadline_passed(&d)) {
		nap(LOOK_NS);
		rc = backend_check(job->b, err);
		if (rc == 0)
			rc = tg_counts(job->b->tg, &sent, &received, err);
	}
	if (rc == 0)
		rc = backend_pause_hop(job->b, 0, err);
	return rc == 0 ? end_turn(job, &frames, err) : rc;
}

/* Looks how many frames the hop has forwarded, and with how many instructions. */
static int
look(struct job *job, struct perframe_point *point, struct err *err)
{
	struct callgrind_counts counts;
	uint64_t busiest, all, before = job->frames;
	int rc = ask(job, &counts, err);

	if (rc < 0)
		return rc;
	/* Then it was stopped too late, and went on behind the answer. */
	job->dry |= callgrind_went_on(&job->callgrind);
	busiest = callgrind_busiest(&job->counts, &counts, &all);
	job->counts = counts;
	job->instructions += busiest;
	job->frames = job->received;
	job->stretch += job->dry;
	*point = (struct perframe_point){job->frames, job->instructions, job->stretch};
	/* Until the first look the program has started, too. */
	if (before > 0 && !job->dry && job->frames > before && all > 0)
		job->busy_ratio = fmin(job->busy_ratio, (double)busiest / (double)all);
	return 0;
}

/* Were it always as many, looks might come at always the same moment of what a program does once
 * for many frames, or move on by a little each time. */
static unsigned
turns_before(unsigned look)
{
	return FEWEST_TURNS + look * 7 % MORE_TURNS;
}

static double
eta_s(uint64_t began_ns, unsigned done, uint64_t most_ns)
{
	double took_ns = (double)(clock_now_ns() - began_ns), left_ns = (double)most_ns - took_ns;

	return (done > 0 ? fmin(took_ns / done * (LOOKS - done), left_ns) : left_ns) / 1e9;
}

/* A look that ends a stretch in which frames may have run out begins the next one. */
static int
run_looks(struct job *job, struct counting *c, struct perframe_point *point, uint64_t most_ns,
	  counting_progress *progress, void *arg, struct err *err)
{
	uint64_t began_ns = clock_now_ns();
	int rc = 0;

	for (unsigned i = 0; i < LOOKS && clock_now_ns() - began_ns < most_ns; i++) {
		if (progress != NULL)
			progress(arg, i, LOOKS, eta_s(began_ns, i, most_ns));
		for (unsigned k = turns_before(i); rc == 0 && k > 0; k--)
			rc = run_turn(job, err);
		if (rc == 0)
			rc = look(job, &point[c->n_looks], err);
		c->n_dry += job->dry;
		job->dry = false;
		if (rc == 0)
			rc = let_go(job, err);
		if (rc < 0)
			return rc;
		c->n_looks++;
	}
	c->frames = job->frames - point[0].frames;
	return rc;
}

/* ---- all of it ---- */

/* The hop stands still, and the generator begins to send: how much fits in? */
static int
fill(struct job *job, struct err *err)
{
	struct deadline d = deadline_in_ms(FILL_MS);
	int rc;

	/* On a busy machine it may take its time to begin. */
	do {
		rc = turns_settle(job->b, true, &job->sent, &job->received, err);
		job->room = job->sent - job->received - job->base;
	} while (rc == 0 && job->room == 0 && !deadline_passed(&d));
	if (rc == 0 && job->room == 0)
		return err_set(err, ENODATA, "no frame fits in before the hop");
	return rc;
}

static int
begin(struct job *job, struct err *err)
{
	struct backend *b = job->b;
	int rc = backend_pause_hop(b, 0, err);

	if (rc == 0)
		rc = turns_settle(b, true, &job->sent, &job->received, err);
	job->base = job->sent - job->received;
	if (rc == 0)
		rc = tg_start(b->tg, FLAT_OUT_PPS, SENDING_S, true, err);
	return rc == 0 ? fill(job, err) : rc;
}

/* Never a wrong number. */
static int
judge(const struct job *job, struct counting *c, const struct perframe_point *point,
      struct err *err)
{
	if (c->n_looks < MIN_LOOKS || !perframe_fit(point, c->n_looks, &c->fit))
		return err_set(err, ENODATA,
			       "frames ran out, or time: before %u of %u looks the hop was not "
			       "stopped soon enough",
			       c->n_dry, c->n_looks);
	if (job->busy_ratio < BUSY_RATIO)
		return err_set(err, ENODATA,
			       "several threads of the hop work at once, and one that finds no "
			       "frames cannot be told from one that does");
	if (!(c->fit.per_frame >= 1))
		return err_set(err, ENODATA,
			       "the process that was counted is not the one that forwards");
	return 0;
}

int
counting_run(struct counting *c, struct backend *b, uint64_t most_ns, counting_progress *progress,
	     void *arg, struct err *err)
{
	struct job job = {.b = b, .on_ns = FIRST_NS, .busy_ratio = 1};
	struct perframe_point point[LOOKS] = {0};
	struct err ignored = {0};
	int rc;

	*c = (struct counting){.fit = {NAN, NAN}};
	callgrind_open(&job.callgrind, &b->proc[1], b->dir.path);
	rc = begin(&job, err);
	if (rc == 0)
		rc = run_looks(&job, c, point, most_ns, progress, arg, err);
	callgrind_close(&job.callgrind);
	tg_stop(b->tg, &ignored);
	return rc == 0 ? judge(&job, c, point, err) : rc;
}
