/* SPDX-License-Identifier: MIT */
#include "perframe.h"

#include <math.h>

#include "base/distribution.h"

struct sums {
	double ff, fi, ii; /* products of frames and instructions, each less its mean */
	size_t n_stretches;
};

/* Length of the stretch that begins at 'point'. */
static size_t
stretch_len(const struct perframe_point *point, size_t n)
{
	size_t len = 0;

	while (len < n && point[len].stretch == point[0].stretch)
		len++;
	return len;
}

/* Differences from the first point are exact, and small enough for doubles to stay so. */
static void
add_stretch(struct sums *s, const struct perframe_point *point, size_t n)
{
	double f_mean = 0, i_mean = 0;

	for (size_t k = 0; k < n; k++) {
		f_mean += (double)(point[k].frames - point[0].frames) / (double)n;
		i_mean += (double)(point[k].instructions - point[0].instructions) / (double)n;
	}
	for (size_t k = 0; k < n; k++) {
		double f = (double)(point[k].frames - point[0].frames) - f_mean;
		double i = (double)(point[k].instructions - point[0].instructions) - i_mean;

		s->ff += f * f;
		s->fi += f * i;
		s->ii += i * i;
	}
	s->n_stretches++;
}

bool
perframe_fit(const struct perframe_point *point, size_t n, struct perframe *fit)
{
	struct sums s = {0};
	double left, free;

	*fit = (struct perframe){NAN, NAN};
	for (size_t k = 0; k < n; k += stretch_len(point + k, n - k))
		add_stretch(&s, point + k, stretch_len(point + k, n - k));
	if (n < s.n_stretches + 2 || !(s.ff > 0))
		return false;
	free = (double)(n - s.n_stretches - 1);
	fit->per_frame = s.fi / s.ff;
	left = fmax(s.ii - fit->per_frame * s.fi, 0);
	fit->accuracy = student_quantile(0.975, free) * sqrt(left / free / s.ff) / fit->per_frame;
	return true;
}
