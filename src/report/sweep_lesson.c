/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sweep.h"
#include "text_parts.h"

/* What a map teaches: who wins how often and by how much, and what the cells have in common in
 * which somebody wins who does not do so everywhere. */

struct tally {
	unsigned n_measured, n_tied, n_unknown;
	unsigned won[SWEEP_VIEW_ENGINES];
	double least[SWEEP_VIEW_ENGINES], most[SWEEP_VIEW_ENGINES]; /* margins */
};

static bool
is_won_by(const struct sweep_view *v, const json_t *cell, size_t engine)
{
	return strcmp(text_word(cell, "outcome"), "won") == 0 &&
	       strcmp(text_word(cell, "best"), v->engine[engine]) == 0;
}

static bool
is_measured(const json_t *cell)
{
	return json_is_true(json_object_get(cell, "measured"));
}

static void
count_cell(struct tally *t, const struct sweep_view *v, const json_t *cell)
{
	double margin = text_number(cell, "margin");

	t->n_measured++;
	t->n_tied += strcmp(text_word(cell, "outcome"), "tie") == 0;
	t->n_unknown += strcmp(text_word(cell, "outcome"), "unknown") == 0;
	for (size_t e = 0; e < v->n_engines; e++) {
		if (!is_won_by(v, cell, e))
			continue;
		t->least[e] = t->won[e] == 0 ? margin : fmin(t->least[e], margin);
		t->most[e] = t->won[e] == 0 ? margin : fmax(t->most[e], margin);
		t->won[e]++;
	}
}

static void
count(struct tally *t, const struct sweep_view *v)
{
	*t = (struct tally){0};
	for (size_t i = 0; i < json_array_size(v->cells); i++) {
		const json_t *cell = json_array_get(v->cells, i);

		if (is_measured(cell))
			count_cell(t, v, cell);
	}
}

/* Does the engine win anywhere at this value of the axis; is anything measured there? */
static bool
wins_at(const struct sweep_view *v, size_t engine, const char *axis, double value, bool *measured)
{
	bool wins = false;

	*measured = false;
	for (size_t i = 0; i < json_array_size(v->cells); i++) {
		const json_t *cell = json_array_get(v->cells, i);

		if (!is_measured(cell) || text_number(cell, axis) != value)
			continue;
		*measured = true;
		wins |= is_won_by(v, cell, engine);
	}
	return wins;
}

/* " with skew 1, 2": the values of an axis at which it wins, if they are not all there are. */
static void
add_where(struct str *s, const struct sweep_view *v, size_t engine, size_t axis, unsigned *n_said)
{
	size_t n = json_array_size(v->values[axis]), n_wins = 0, n_measured = 0;
	struct str list = {0};

	for (size_t i = 0; i < n; i++) {
		double value = json_number_value(json_array_get(v->values[axis], i));
		bool measured, wins = wins_at(v, engine, v->axis[axis], value, &measured);

		n_measured += measured;
		if (wins)
			str_addf(&list, "%s%.7g", n_wins++ > 0 ? ", " : "", value);
	}
	if (n_wins > 0 && n_wins < n_measured)
		str_addf(s, "%s%s %s", (*n_said)++ > 0 ? " and " : ", all with ", v->axis[axis],
			 str_text(&list));
	str_fini(&list);
}

static void
add_engine(struct str *s, const struct sweep_view *v, const struct tally *t, size_t e)
{
	unsigned n_said = 0;

	str_addf(s, "%s wins in %u of %u cells", v->engine[e], t->won[e], t->n_measured);
	if (t->won[e] == 1)
		str_addf(s, ", by %.2fx", t->most[e]);
	else
		str_addf(s, ", by %.2fx to %.2fx", t->least[e], t->most[e]);
	for (size_t a = 0; a < v->n_axes && t->won[e] < t->n_measured; a++)
		add_where(s, v, e, a, &n_said);
}

/* A single engine: how much it loses from the best cell to the worst. */
static char *
single_lesson(const struct sweep_view *v)
{
	double least = INFINITY, most = 0;

	for (size_t i = 0; i < json_array_size(v->cells); i++) {
		const json_t *figures = sweep_view_figures(json_array_get(v->cells, i), 0);
		double pps = text_number(figures, "pps");

		if (pps > 0) {
			least = fmin(least, pps);
			most = fmax(most, pps);
		}
	}
	if (!(most > 0))
		return xstrdup("Nothing was measured.");
	return xasprintf("%s forwards %.3g to %.3g Mpps.", v->engine[0], least / 1e6, most / 1e6);
}

char *
sweep_view_lesson(const struct sweep_view *v)
{
	struct str s = {0};
	struct tally t;

	if (v->n_engines < 2)
		return single_lesson(v);
	count(&t, v);
	if (t.n_measured == 0)
		return xstrdup("Nothing was measured.");
	for (size_t e = 0; e < v->n_engines; e++) {
		if (t.won[e] == 0)
			continue;
		str_addf(&s, "%s", s.len > 0 ? "; " : "");
		add_engine(&s, v, &t, e);
	}
	if (t.n_tied > 0)
		str_addf(&s, "%s%u of %u are tied", s.len > 0 ? "; " : "", t.n_tied, t.n_measured);
	if (t.n_unknown > 0)
		str_addf(&s, "%snothing is known of %u of %u", s.len > 0 ? "; " : "", t.n_unknown,
			 t.n_measured);
	str_addf(&s, ".");
	return str_take(&s);
}
