/* SPDX-License-Identifier: MIT */
#include "sweep_run.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "bench/paired.h"
#include "command.h"
#include "progress.h"
#include "session.h"

/* Before the first cell has told. */
#define START_NS (600 * NSEC_PER_MS)	/* of an arm */
#define MAX_TRIES 4			/* of a turn */
#define TURN_COST_NS (12 * NSEC_PER_MS) /* beside the turn itself */

/* ---- cells ---- */

static void
fit(struct sweep *s, uint64_t start_ns, uint64_t turn_ns)
{
	sweep_plan_fit(&s->plan, s->n_measurable, s->conf->n_arms, s->conf->time_ns, start_ns,
		       turn_ns);
}

int
sweep_init(struct sweep *s, const struct sweep_conf *conf, const struct chain_cpus *allowed,
	   struct err *err)
{
	struct sweep_point *points = NULL;
	size_t n = 0;
	int rc;

	*s = (struct sweep){.conf = conf, .allowed = *allowed, .bin_dir = command_bin_dir()};
	rc = sweep_points(conf->axis, &points, &n, err);
	if (rc < 0)
		return rc;
	s->cell = xcalloc(n, sizeof(*s->cell));
	s->n_cells = n;
	for (size_t i = 0; i < n; i++) {
		s->cell[i].point = points[i];
		s->cell[i].measurable = points[i].at[SWEEP_LCORES] <= (double)allowed->n;
		s->n_measurable += s->cell[i].measurable;
	}
	free(points);
	fit(s, conf->n_arms * START_NS, conf->turn_ns + TURN_COST_NS);
	if (s->n_measurable == 0)
		return err_machine(err,
				   "no cell can be measured: %zu CPUs are fewer than the lcores "
				   "asked for",
				   allowed->n);
	return 0;
}

void
sweep_fini(struct sweep *s)
{
	for (size_t i = 0; i < s->n_cells; i++)
		free(s->cell[i].turns);
	free(s->cell);
	free(s->bin_dir);
	*s = (struct sweep){0};
}

char *
sweep_cell_name(const struct sweep *s, const struct sweep_cell *cell)
{
	struct str text = {0};

	for (size_t i = 0; i < SWEEP_N_AXES; i++)
		if (s->conf->axis[i].n > 1)
			str_addf(&text, "%s%s %.7g", text.len > 0 ? ", " : "",
				 sweep_axis_name((enum sweep_axis_id)i), cell->point.at[i]);
	return str_take(&text);
}

struct alone_spec
sweep_spec(const struct sweep *s, const struct sweep_cell *cell, unsigned arm, char **words)
{
	return (struct alone_spec){
		.name = s->conf->arm[arm].engine,
		.letter = (char)('a' + arm),
		.bin_dir = s->bin_dir,
		.allowed = s->allowed,
		.n_lcores = (unsigned)cell->point.at[SWEEP_LCORES],
		.words = words,
	};
}

/* ---- one visit of a cell ---- */

struct visit {
	struct sweep *s;
	struct sweep_cell *cell;
	unsigned round;
	struct alone arm[SWEEP_MAX_ARMS];
	uint64_t start_ns, turn_ns; /* what these took */
};

static int
start_arm(struct visit *v, unsigned arm, struct err *err)
{
	char **words = sweep_arm_words(&v->s->conf->arm[arm], v->s->conf, &v->cell->point);
	const struct alone_spec spec = sweep_spec(v->s, v->cell, arm, words);
	struct alone_turn warm;
	int rc = alone_up(&v->arm[arm], &spec, &session_stop, err);

	if (rc == 0)
		rc = alone_freeze(&v->arm[arm], err);
	/* A turn that is not kept: caches, pages, and flows that a device spreads. */
	if (rc == 0)
		rc = alone_turn(&v->arm[arm], v->s->conf->turn_ns / 2, &warm, err);
	sweep_words_free(words);
	return err_wrap(err, rc, "%s", v->s->conf->arm[arm].label);
}

/* Who is started first takes turns, too. */
static int
start_all(struct visit *v, struct err *err)
{
	unsigned n = v->s->conf->n_arms;
	uint64_t began_ns = clock_now_ns();
	int rc = 0;

	for (unsigned k = 0; rc == 0 && k < n; k++) {
		unsigned arm = (k + v->round) % n;

		rc = start_arm(v, arm, err);
		if (rc != -ETIMEDOUT)
			continue;
		LOG(WARN, "%s; once more", err->msg);
		alone_kill(&v->arm[arm]);
		*err = (struct err){0};
		rc = start_arm(v, arm, err);
	}
	v->start_ns = clock_now_ns() - began_ns;
	return rc;
}

static void
keep(struct visit *v, unsigned arm, const struct alone_turn *turn)
{
	struct sweep_cell *c = v->cell;
	struct sweep_kept *kept;

	c->turns = xrealloc(c->turns, c->n_turns + 1, sizeof(*c->turns));
	kept = &c->turns[c->n_turns++];
	*kept = (struct sweep_kept){
		.turn = {.round = v->round, .block = c->n_blocks, .arm = arm, .pps = NAN},
		.frames = turn->frames,
		.ns = turn->ns,
	};
	str_copy(kept->reason, sizeof(kept->reason), turn->reason);
	if (turn->valid)
		kept->turn.pps = (double)turn->frames / (double)turn->ns * NSEC_PER_S;
}

/* Once more when the machine disturbed it, which has nothing to do with how fast it was. */
static int
run_turn(struct visit *v, unsigned arm, struct err *err)
{
	struct alone_turn turn = {0};
	int rc = 0;

	for (unsigned k = 0; rc == 0 && k < MAX_TRIES && !turn.valid; k++) {
		rc = alone_turn(&v->arm[arm], v->s->conf->turn_ns, &turn, err);
		if (rc == 0)
			keep(v, arm, &turn);
	}
	return rc;
}

static int
run_block(struct visit *v, struct err *err)
{
	const struct sweep_conf *conf = v->s->conf;
	unsigned n = conf->n_arms * SWEEP_TURNS_PER_ARM;
	unsigned order[SWEEP_MAX_ARMS * SWEEP_TURNS_PER_ARM];
	uint64_t began_ns = clock_now_ns();
	unsigned number = (unsigned)(v->cell - v->s->cell) * 1000 + v->cell->n_blocks;
	int rc = 0;

	paired_order(conf->seed, number, conf->n_arms, SWEEP_TURNS_PER_ARM, order);
	for (unsigned i = 0; rc == 0 && i < n; i++)
		rc = run_turn(v, order[i], err);
	v->cell->n_blocks++;
	v->turn_ns = (clock_now_ns() - began_ns) / n;
	return rc;
}

static int
close_books(struct visit *v, unsigned arm, struct err *err)
{
	struct alone_ledger *sum = &v->cell->ledger[arm], one;
	int rc = alone_settle(&v->arm[arm], &one, err);

	if (rc < 0 && err->class != ERR_ACCOUNTING)
		return rc;
	sum->rx += one.rx;
	sum->created += one.created;
	sum->tx += one.tx;
	sum->drops += one.drops;
	sum->in_flight += one.in_flight;
	if (rc < 0) {
		if (v->s->n_unbalanced++ == 0)
			str_copy(v->s->unbalanced, sizeof(v->s->unbalanced), err->msg);
		*err = (struct err){0};
	}
	return 0;
}

static int
visit(struct visit *v, struct err *err)
{
	unsigned n = v->s->conf->n_arms;
	int rc = start_all(v, err);

	for (unsigned b = 0; rc == 0 && b < v->s->plan.blocks_per_round; b++)
		rc = run_block(v, err);
	/* One after the other: each has the CPUs while it comes to rest. */
	for (unsigned arm = 0; rc == 0 && arm < n; arm++) {
		rc = close_books(v, arm, err);
		alone_kill(&v->arm[arm]);
	}
	for (unsigned arm = 0; arm < n; arm++)
		alone_kill(&v->arm[arm]);
	return rc;
}

/* ---- all of them ---- */

static double
eta_s(const struct sweep *s, unsigned done)
{
	double took = (double)(clock_now_ns() - s->began_ns) / 1e9;
	unsigned total = (unsigned)s->n_measurable * s->plan.n_rounds;

	return done > 0 && total > done ? took / done * (total - done)
					: (double)s->plan.total_ns / 1e9;
}

/* What the last visit's turns say, for who watches. */
static void
tell(const struct sweep *s, const struct sweep_cell *cell, unsigned done)
{
	unsigned total = (unsigned)s->n_measurable * s->plan.n_rounds;
	char *name = sweep_cell_name(s, cell);
	struct str text = {0};

	for (unsigned arm = 0; arm < s->conf->n_arms; arm++) {
		double pps = NAN;

		for (size_t i = 0; i < cell->n_turns; i++)
			if (cell->turns[i].turn.arm == arm && cell->turns[i].turn.pps > 0)
				pps = cell->turns[i].turn.pps;
		str_addf(&text, "  %s %.3g Mpps", s->conf->arm[arm].label, pps / 1e6);
	}
	progress_step("%u/%u  eta %.0f s  %s:%s", done, total, ceil(eta_s(s, done)), name,
		      str_text(&text));
	str_fini(&text);
	free(name);
}

static int
run_round(struct sweep *s, unsigned round, unsigned *done, struct err *err)
{
	unsigned *order = xcalloc(s->n_cells, sizeof(*order));
	int rc = 0;

	sweep_order(s->conf->seed, round, (unsigned)s->n_cells, order);
	for (size_t i = 0; rc == 0 && i < s->n_cells; i++) {
		struct sweep_cell *cell = &s->cell[order[i]];
		struct visit v = {.s = s, .cell = cell, .round = round};
		char *name;

		if (!cell->measurable)
			continue;
		rc = visit(&v, err);
		name = sweep_cell_name(s, cell);
		if (rc != -EINTR && name[0] != '\0')
			err_wrap(err, rc, "%s", name);
		free(name);
		/* Now it is known what things take. */
		if (rc == 0 && *done == 0)
			fit(s, v.start_ns, v.turn_ns);
		if (rc == 0)
			tell(s, cell, ++*done);
	}
	free(order);
	return rc;
}

int
sweep_run(struct sweep *s, struct err *err)
{
	unsigned done = 0;
	int rc = 0;

	s->began_ns = clock_now_ns();
	progress_step("%zu cells, %u engines, %u rounds, about %.0f s", s->n_measurable,
		      s->conf->n_arms, s->plan.n_rounds, (double)s->plan.total_ns / 1e9);
	for (unsigned round = 0; rc == 0 && round < s->plan.n_rounds; round++)
		rc = run_round(s, round, &done, err);
	return rc;
}
