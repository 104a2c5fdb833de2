/* SPDX-License-Identifier: MIT */
#include "resample.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "distribution.h"
#include "mem.h"
#include "random.h"
#include "stats.h"

/* ---- statistics ---- */

double
resample_mean(double *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i];
	return sum / (double)n;
}

/* Splits v[low..high] around one of its values, Hoare's way, until v[k] is where sorting would put
 * it: all before it are no larger, all behind no smaller. */
static double
select_kth(double *v, size_t n, size_t k)
{
	ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, at = (ptrdiff_t)k;

	while (low < high) {
		double pivot = v[at];
		ptrdiff_t i = low, j = high;

		while (i <= j) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i <= j) {
				double swap = v[i];

				v[i++] = v[j];
				v[j--] = swap;
			}
		}
		if (j < at)
			low = i;
		if (at < i)
			high = j;
	}
	return v[k];
}

double
resample_median(double *v, size_t n)
{
	double upper = select_kth(v, n, n / 2), lower = v[0];

	if (n % 2 == 1)
		return upper;
	for (size_t i = 1; i < n / 2; i++)
		lower = fmax(lower, v[i]);
	return lower + (upper - lower) / 2;
}

/* ---- clusters: what is drawn as a whole ---- */

struct clusters {
	const double *v;
	size_t n_clusters;
	size_t *start; /* of each; one more, the end of the last */
	size_t longest;
};

/* Without lengths each value is its own cluster. */
static void
clusters_init(struct clusters *c, const double *v, const size_t *length, size_t n_clusters)
{
	*c = (struct clusters){.v = v, .n_clusters = n_clusters};
	c->start = xcalloc(n_clusters + 1, sizeof(*c->start));
	for (size_t i = 0; i < n_clusters; i++) {
		size_t n = length == NULL ? 1 : length[i];

		c->start[i + 1] = c->start[i] + n;
		c->longest = n > c->longest ? n : c->longest;
	}
}

static size_t
append_cluster(const struct clusters *c, size_t i, double *to)
{
	size_t n = c->start[i + 1] - c->start[i];

	/* Most clusters are single values, which memcpy is slow at. */
	for (size_t k = 0; k < n; k++)
		to[k] = c->v[c->start[i] + k];
	return n;
}

static double
statistic_of_draw(const struct resample *r, const struct clusters *c, struct random *random,
		  double *scratch)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_clusters; i++)
		n += append_cluster(c, random_below(random, c->n_clusters), scratch + n);
	return r->statistic(scratch, n);
}

static double
statistic_without(const struct resample *r, const struct clusters *c, size_t without,
		  double *scratch)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_clusters; i++)
		if (i != without)
			n += append_cluster(c, i, scratch + n);
	return r->statistic(scratch, n);
}

static double
statistic_of_all(const struct resample *r, const struct clusters *c, double *scratch)
{
	return statistic_without(r, c, c->n_clusters, scratch);
}

/* ---- intervals ---- */

/* How skewed the statistic is, from leaving out one cluster after the other. */
static double
acceleration(const struct resample *r, const struct clusters *c, double *scratch)
{
	double *left = xcalloc(c->n_clusters, sizeof(*left));
	double mean, squares = 0, cubes = 0;

	for (size_t i = 0; i < c->n_clusters; i++)
		left[i] = statistic_without(r, c, i, scratch);
	mean = stats_mean(left, c->n_clusters);
	for (size_t i = 0; i < c->n_clusters; i++) {
		double d = mean - left[i];

		squares += d * d;
		cubes += d * d * d;
	}
	free(left);
	return squares > 0 ? cubes / (6 * pow(squares, 1.5)) : 0;
}

/* How far from its middle the resamples have the statistic itself, in standard deviations.  Equal
 * ones count half: medians of few values are often equal. */
static double
bias(const double *drawn, size_t n, double all)
{
	double below = 0;

	for (size_t i = 0; i < n; i++)
		below += drawn[i] < all ? 1 : drawn[i] > all ? 0 : 0.5;
	below = fmin(fmax(below, 0.5), (double)n - 0.5);
	return normal_quantile(below / (double)n);
}

/* Which quantile of the resamples is the end of the interval that would be at 'z'. */
static double
bca_quantile(double z, double z0, double a)
{
	double shifted = z0 + z;

	return normal_cdf(z0 + shifted / (1 - a * shifted));
}

static struct interval
bca_of_drawn(const struct resample *r, const struct clusters *c, const double *drawn,
	     double *scratch)
{
	double z0 = bias(drawn, r->n_resamples, statistic_of_all(r, c, scratch));
	double a = acceleration(r, c, scratch);
	double z = normal_quantile((1 + r->level) / 2);

	return (struct interval){
		.low = stats_quantile(drawn, r->n_resamples, bca_quantile(-z, z0, a)),
		.high = stats_quantile(drawn, r->n_resamples, bca_quantile(z, z0, a)),
	};
}

static struct interval
percentiles_of(const struct resample *r, const double *drawn)
{
	return (struct interval){
		.low = stats_quantile(drawn, r->n_resamples, (1 - r->level) / 2),
		.high = stats_quantile(drawn, r->n_resamples, (1 + r->level) / 2),
	};
}

static bool
is_unknown(const double *v, size_t n)
{
	return isnan(stats_mean(v, n));
}

static struct interval
resample_as(const struct resample *r, const struct clusters *c, bool bca)
{
	double *drawn, *scratch;
	struct interval result = {NAN, NAN};
	struct random random;

	if (is_unknown(c->v, c->start[c->n_clusters]))
		return result;
	drawn = xcalloc(r->n_resamples, sizeof(*drawn));
	scratch = xcalloc(c->n_clusters * c->longest, sizeof(*scratch));
	random_init(&random, r->seed, 0);
	for (unsigned i = 0; i < r->n_resamples; i++)
		drawn[i] = statistic_of_draw(r, c, &random, scratch);
	/* With one cluster there is nothing to leave out. */
	if (bca && c->n_clusters > 1)
		result = bca_of_drawn(r, c, drawn, scratch);
	else
		result = percentiles_of(r, drawn);
	free(drawn);
	free(scratch);
	return result;
}

struct interval
resample_clusters(const struct resample *r, const double *v, const size_t *length,
		  size_t n_clusters)
{
	struct interval result;
	struct clusters c;

	clusters_init(&c, v, length, n_clusters);
	result = resample_as(r, &c, true);
	free(c.start);
	return result;
}

struct interval
resample_bca(const struct resample *r, const double *v, size_t n)
{
	return resample_clusters(r, v, NULL, n);
}

struct interval
resample_percentile(const struct resample *r, const double *v, size_t n)
{
	struct interval result;
	struct clusters c;

	clusters_init(&c, v, NULL, n);
	result = resample_as(r, &c, false);
	free(c.start);
	return result;
}

/* Runs of 'length' from anywhere on the ring, as many as give 'n' values, the last one cut. */
static double
statistic_of_runs(const struct resample *r, const double *v, size_t n, size_t length,
		  struct random *random, double *scratch)
{
	size_t filled = 0;

	while (filled < n) {
		size_t at = random_below(random, n);

		for (size_t k = 0; k < length && filled < n; k++)
			scratch[filled++] = v[(at + k) % n];
	}
	return r->statistic(scratch, n);
}

struct interval
resample_runs(const struct resample *r, const double *v, size_t n, size_t length)
{
	double *drawn, *scratch;
	struct interval result;
	struct random random;

	if (is_unknown(v, n) || length == 0)
		return (struct interval){NAN, NAN};
	drawn = xcalloc(r->n_resamples, sizeof(*drawn));
	scratch = xcalloc(n, sizeof(*scratch));
	random_init(&random, r->seed, 0);
	for (unsigned i = 0; i < r->n_resamples; i++)
		drawn[i] = statistic_of_runs(r, v, n, length, &random, scratch);
	result = percentiles_of(r, drawn);
	free(drawn);
	free(scratch);
	return result;
}
