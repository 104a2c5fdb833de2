/* SPDX-License-Identifier: MIT */
#include "sweep.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/units.h"

static const struct {
	const char *name;
	double min, max;
	bool whole;
} axes[SWEEP_N_AXES] = {
	[SWEEP_WORK] = {"work", 0, 1000000, true}, [SWEEP_FLOWS] = {"flows", 1, 1000000, true},
	[SWEEP_STAGES] = {"stages", 1, 8, true},   [SWEEP_BURST] = {"burst", 1, 256, true},
	[SWEEP_SKEW] = {"skew", 0, 4, false},	   [SWEEP_LCORES] = {"lcores", 1, 64, true},
};

const char *
sweep_axis_name(enum sweep_axis_id id)
{
	return axes[id].name;
}

/* ---- reading axes ---- */

static int
read_number(double *value, enum sweep_axis_id id, const char *text, struct err *err)
{
	uint64_t whole = 0;
	char *end;

	if (axes[id].whole) {
		int rc = count_parse(text, &whole, err);

		*value = (double)whole;
		if (rc < 0)
			return rc;
	} else {
		*value = strtod(text, &end);
		if (end == text || *end != '\0' || strspn(text, "0123456789.") != strlen(text))
			return err_usage(err, "'%s' is not a number (try 1 or 0.5)", text);
	}
	if (!(*value >= axes[id].min && *value <= axes[id].max))
		return err_usage(err, "%s is not within %.0f to %.0f", text, axes[id].min,
				 axes[id].max);
	return 0;
}

static int
add_value(struct sweep_axis *axis, double value, struct err *err)
{
	for (size_t i = 0; i < axis->n; i++)
		if (axis->value[i] == value)
			return err_usage(err, "%g stands there twice", value);
	if (axis->n == SWEEP_MAX_VALUES)
		return err_usage(err, "more than %d values", SWEEP_MAX_VALUES);
	axis->value[axis->n++] = value;
	return 0;
}

/* One word of the list: a value, or two with ".." between. */
static int
add_word(struct sweep_axis *axis, enum sweep_axis_id id, char *word, struct err *err)
{
	char *dots = strstr(word, "..");
	double from, to;
	int rc;

	if (dots != NULL)
		*dots = '\0';
	rc = read_number(&from, id, word, err);
	if (rc == 0)
		to = from;
	if (rc == 0 && dots != NULL)
		rc = read_number(&to, id, dots + 2, err);
	if (rc == 0 && to < from)
		return err_usage(err, "%s..%s goes backwards", word, dots + 2);
	for (double v = from; rc == 0 && v <= to; v++)
		rc = add_value(axis, v, err);
	return rc;
}

int
sweep_axis_parse(struct sweep_axis *axis, enum sweep_axis_id id, const char *text, struct err *err)
{
	char *copy = xstrdup(text), *rest = copy, *word;
	int rc = 0;

	*axis = (struct sweep_axis){0};
	while (rc == 0 && (word = strsep(&rest, ",")) != NULL)
		rc = add_word(axis, id, word, err);
	free(copy);
	return rc;
}

/* ---- the grid ---- */

int
sweep_points(const struct sweep_axis axis[SWEEP_N_AXES], struct sweep_point **points, size_t *n,
	     struct err *err)
{
	*n = 1;
	for (size_t a = 0; a < SWEEP_N_AXES; a++)
		*n *= axis[a].n;
	if (*n > SWEEP_MAX_CELLS)
		return err_usage(err, "%zu cells are more than %d: fewer values, please", *n,
				 SWEEP_MAX_CELLS);
	*points = xcalloc(*n, sizeof(**points));
	for (size_t i = 0; i < *n; i++) {
		size_t rest = i;

		for (size_t a = SWEEP_N_AXES; a-- > 0; rest /= axis[a].n)
			(*points)[i].at[a] = axis[a].value[rest % axis[a].n];
	}
	return 0;
}

void
sweep_order(uint64_t seed, unsigned round, unsigned n, unsigned *order)
{
	struct random r;

	random_init(&r, seed, round);
	for (unsigned i = 0; i < n; i++)
		order[i] = i;
	random_shuffle(&r, order, n);
}

void
sweep_plan_fit(struct sweep_plan *plan, size_t n_cells, unsigned n_arms, uint64_t time_ns,
	       uint64_t start_ns, uint64_t turn_ns)
{
	uint64_t block_ns = (uint64_t)n_arms * SWEEP_TURNS_PER_ARM * turn_ns;
	uint64_t cell_ns = n_cells > 0 ? time_ns / n_cells : 0, left_ns;
	/* Blocks cost less than starts, and say less. */
	uint64_t rounds = cell_ns / (start_ns + 2 * block_ns);

	plan->n_rounds =
		rounds < SWEEP_MIN_ROUNDS ? SWEEP_MIN_ROUNDS : (unsigned)(rounds > 9 ? 9 : rounds);
	/* Too short for three of them: one, of at least three blocks. */
	if (cell_ns < SWEEP_MIN_ROUNDS * (start_ns + block_ns))
		plan->n_rounds = 1;
	left_ns = cell_ns / plan->n_rounds;
	left_ns = left_ns > start_ns ? left_ns - start_ns : 0;
	plan->blocks_per_round = left_ns / block_ns > 20 ? 20 : (unsigned)(left_ns / block_ns);
	if (plan->blocks_per_round < 1)
		plan->blocks_per_round = 1;
	if (plan->n_rounds == 1 && plan->blocks_per_round < SWEEP_MIN_ROUNDS)
		plan->blocks_per_round = SWEEP_MIN_ROUNDS;
	plan->total_ns = n_cells * plan->n_rounds * (start_ns + plan->blocks_per_round * block_ns);
}
