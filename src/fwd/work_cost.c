/* SPDX-License-Identifier: MIT */
#include "work_cost.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"

#define MAX_SKEW 4.0

/* As the text says. */
struct work_args {
	uint64_t low, high; /* cycles; the same unless it is a range */
	bool skewed;
	double skew;
	uint64_t n_classes; /* 0: not said */
};

static int
parse_cycles(struct work_args *a, char *text, struct err *err)
{
	char *high = strchr(text, '-');

	if (high != NULL)
		*high++ = '\0';
	if (uint_parse(text, 1, WORK_MAX_CYCLES, &a->low, err) < 0 ||
	    uint_parse(high != NULL ? high : text, 1, WORK_MAX_CYCLES, &a->high, err) < 0 ||
	    (high != NULL && a->low >= a->high))
		return err_usage(err, "how many cycles a frame, 1 to %d, or from LOW-HIGH?",
				 WORK_MAX_CYCLES);
	return 0;
}

static int
parse_skew(struct work_args *a, const char *text, struct err *err)
{
	char *end;

	a->skewed = true;
	a->skew = strtod(text, &end);
	if (end == text || *end != '\0' || !(a->skew >= 0 && a->skew <= MAX_SKEW))
		return err_usage(err, "skew=%s: the exponent is from 0 to %g", text, MAX_SKEW);
	return 0;
}

static int
parse_classes(struct work_args *a, const char *text, struct err *err)
{
	if (uint_parse(text, 2, WORK_MAX_CLASSES, &a->n_classes, err) < 0)
		return err_usage(err, "classes=%s: there are 2 to %d", text, WORK_MAX_CLASSES);
	return 0;
}

static int
parse_word(struct work_args *a, const char *word, struct err *err)
{
	static const struct {
		const char *key;
		int (*parse)(struct work_args *a, const char *text, struct err *err);
	} keys[] = {{"skew=", parse_skew}, {"classes=", parse_classes}};

	for (size_t i = 0; i < N_ELEMS(keys); i++)
		if (strncmp(word, keys[i].key, strlen(keys[i].key)) == 0)
			return keys[i].parse(a, word + strlen(keys[i].key), err);
	return err_usage(err, "'%s' is neither skew=S nor classes=N", word);
}

static int
parse(struct work_args *a, char *text, struct err *err)
{
	char *word = strsep(&text, ",");
	int rc = parse_cycles(a, word, err);

	while (rc == 0 && (word = strsep(&text, ",")) != NULL)
		rc = parse_word(a, word, err);
	if (rc < 0)
		return rc;
	if (a->skewed && a->low < a->high)
		return err_usage(err, "a range has no skew: CYCLES,skew=S or LOW-HIGH");
	if (a->n_classes > 0 && !a->skewed && a->low == a->high)
		return err_usage(err, "classes=N goes with skew=S or with LOW-HIGH");
	if (a->n_classes == 0)
		a->n_classes = a->skewed || a->low < a->high ? WORK_CLASSES : 1;
	return 0;
}

/* Cost of class 'k', from 0, in any unit. */
static double
weight_of(const struct work_args *a, uint32_t k)
{
	if (a->skewed)
		return pow(k + 1, -a->skew);
	if (a->n_classes == 1)
		return 1;
	return (double)a->low + (double)(a->high - a->low) * k / (double)(a->n_classes - 1);
}

/* Steps are whole, and their sum is that of frames without skew: each class gets what the sum grows
 * by, so that none is further than one step from its cost. */
static void
fill_steps(struct work_cost *cost, const struct work_args *a)
{
	const double mean = (double)(a->low + a->high) / 2;
	const double total = ceil(mean / WORK_STEP_CYCLES) * cost->n_classes;
	double sum = 0, so_far = 0;
	uint64_t given = 0;

	for (uint32_t k = 0; k < cost->n_classes; k++)
		sum += weight_of(a, k);
	for (uint32_t k = 0; k < cost->n_classes; k++) {
		uint64_t upto;

		so_far += weight_of(a, k);
		upto = k + 1 < cost->n_classes ? (uint64_t)llround(total * so_far / sum)
					       : (uint64_t)total;
		cost->steps[k] = (uint32_t)(upto - given);
		given = upto;
	}
}

int
work_cost_parse(struct work_cost *cost, const char *args, struct err *err)
{
	struct work_args a = {0};
	char *text = xstrdup(args);
	int rc = parse(&a, text, err);

	free(text);
	if (rc < 0)
		return rc;
	*cost = (struct work_cost){.n_classes = (uint32_t)a.n_classes};
	fill_steps(cost, &a);
	return 0;
}
