/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sweep.h"
#include "text_parts.h"

/* Rows are what one looks up first. */
static const char *const order[SWEEP_VIEW_AXES] = {"work",  "flows", "stages",
						   "burst", "skew",  "lcores"};

bool
sweep_view_init(struct sweep_view *v, const json_t *result)
{
	const json_t *sweep = json_object_get(result, "sweep"), *engines;

	*v = (struct sweep_view){.sweep = sweep, .n_tables = 1};
	if (!json_is_object(sweep))
		return false;
	v->cells = json_object_get(sweep, "cells");
	engines = json_object_get(sweep, "engines");
	for (size_t i = 0; i < json_array_size(engines) && i < SWEEP_VIEW_ENGINES; i++) {
		const char *label = json_string_value(json_array_get(engines, i));

		v->engine[v->n_engines++] = label != NULL ? label : "?";
	}
	for (size_t i = 0; i < SWEEP_VIEW_AXES; i++) {
		const json_t *values = json_object_get(json_object_get(sweep, "axes"), order[i]);

		if (json_array_size(values) < 2)
			continue;
		v->axis[v->n_axes] = order[i];
		v->values[v->n_axes] = values;
		if (v->n_axes++ >= 2)
			v->n_tables *= json_array_size(values);
	}
	return true;
}

static size_t
size_of(const struct sweep_view *v, size_t axis)
{
	return axis < v->n_axes ? json_array_size(v->values[axis]) : 1;
}

size_t
sweep_view_rows(const struct sweep_view *v)
{
	return size_of(v, 0);
}

size_t
sweep_view_columns(const struct sweep_view *v)
{
	return size_of(v, 1);
}

/* Which value of an axis a place has. */
static size_t
index_at(const struct sweep_view *v, size_t axis, size_t table, size_t row, size_t column)
{
	if (axis == 0)
		return row;
	if (axis == 1)
		return column;
	for (size_t i = v->n_axes - 1; i > axis; i--)
		table /= size_of(v, i);
	return table % size_of(v, axis);
}

static double
value_of(const struct sweep_view *v, size_t axis, size_t i)
{
	return json_number_value(json_array_get(v->values[axis], i));
}

const json_t *
sweep_view_cell(const struct sweep_view *v, size_t table, size_t row, size_t column)
{
	for (size_t i = 0; i < json_array_size(v->cells); i++) {
		const json_t *cell = json_array_get(v->cells, i);
		bool is = true;

		for (size_t a = 0; a < v->n_axes && is; a++)
			is = json_number_value(json_object_get(cell, v->axis[a])) ==
			     value_of(v, a, index_at(v, a, table, row, column));
		if (is)
			return cell;
	}
	return NULL;
}

char *
sweep_view_value(const struct sweep_view *v, size_t axis, size_t i)
{
	return xasprintf("%.7g", value_of(v, axis, i));
}

char *
sweep_view_table_name(const struct sweep_view *v, size_t table)
{
	struct str s = {0};

	for (size_t a = 2; a < v->n_axes; a++)
		str_addf(&s, "%s%s %.7g", a > 2 ? ", " : "", v->axis[a],
			 value_of(v, a, index_at(v, a, table, 0, 0)));
	return str_take(&s);
}

static bool
is_measured(const json_t *cell)
{
	return json_is_true(json_object_get(cell, "measured"));
}

bool
sweep_view_has_table(const struct sweep_view *v, size_t table)
{
	for (size_t r = 0; r < sweep_view_rows(v); r++)
		for (size_t c = 0; c < sweep_view_columns(v); c++)
			if (is_measured(sweep_view_cell(v, table, r, c)))
				return true;
	return false;
}

char *
sweep_view_winner(const json_t *cell)
{
	const char *outcome = text_word(cell, "outcome");

	if (!is_measured(cell))
		return xstrdup("not measured");
	if (strcmp(outcome, "tie") == 0)
		return xstrdup("tie");
	if (strcmp(outcome, "won") != 0)
		return xstrdup("?");
	return xasprintf("%s %.2fx", text_word(cell, "best"), text_number(cell, "margin"));
}

int
sweep_view_engine(const struct sweep_view *v, const char *label)
{
	for (size_t i = 0; i < v->n_engines; i++)
		if (strcmp(v->engine[i], label) == 0)
			return (int)i;
	return -1;
}

const json_t *
sweep_view_figures(const json_t *cell, size_t engine)
{
	return is_measured(cell) ? json_array_get(json_object_get(cell, "engines"), engine) : NULL;
}

char *
sweep_view_fixed(const struct sweep_view *v)
{
	static const struct {
		const char *axis, *before, *behind;
	} words[] = {
		{"work", "", " cycles of work a frame"},
		{"flows", "", " flows"},
		{"stages", "", " stages"},
		{"burst", "bursts of ", ""},
		{"skew", "skew ", ""},
		{"lcores", "", " lcores"},
	};
	const json_t *axes = json_object_get(v->sweep, "axes");
	struct str s = {0};

	for (size_t i = 0; i < N_ELEMS(words); i++) {
		const json_t *values = json_object_get(axes, words[i].axis);

		if (json_array_size(values) == 1)
			str_addf(&s, "%s%s%.7g%s", s.len > 0 ? ", " : "", words[i].before,
				 json_number_value(json_array_get(values, 0)), words[i].behind);
	}
	return str_take(&s);
}
