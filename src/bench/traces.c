/* SPDX-License-Identifier: MIT */
#include "traces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static bool
read_trial(struct traces *t, unsigned recording, const char *line)
{
	struct traced_trial trial = {.recording = recording};
	char class[16], verdict[16];
	double ms;

	if (sscanf(line, "trial,%u,%*f,%lf,%lf,%lf,%lf,%lf,%*f,%lf,%15[a-z],%15[a-z]", &trial.block,
		   &trial.load_pps, &ms, &trial.intended, &trial.lost, &trial.received,
		   &trial.p99_ns, class, verdict) != 9)
		return false;
	trial.duration_s = ms / 1000;
	trial.valid = strcmp(verdict, "invalid") != 0;
	t->trial = xrealloc(t->trial, t->n_trials + 1, sizeof(*t->trial));
	t->trial[t->n_trials++] = trial;
	return true;
}

static bool
read_search(struct traces *t, unsigned recording, const char *line)
{
	struct traced_search s = {.recording = recording};

	if (sscanf(line, "found,%u,%*f,%lf,%lf,%lf", &s.block, &s.loss_ratio, &s.accepted_pps,
		   &s.rejected_pps) != 4)
		return false;
	t->search = xrealloc(t->search, t->n_searches + 1, sizeof(*t->search));
	t->search[t->n_searches++] = s;
	return true;
}

static bool
read_slice(struct traces *t, unsigned recording, const char *line)
{
	struct traced_slice s = {.recording = recording};

	if (sscanf(line, "slice,%u,%c,%lf", &s.round, &s.arm, &s.value) != 3)
		return false;
	t->slice = xrealloc(t->slice, t->n_slices + 1, sizeof(*t->slice));
	t->slice[t->n_slices++] = s;
	return true;
}

static bool
read_file(struct traces *t, const char *series)
{
	char *path = xasprintf("%s/%s-%u.csv", TRACES_DIR, series, t->n_recordings + 1);
	FILE *file = fopen(path, "r");
	char line[256];

	if (file == NULL) {
		free(path);
		return false;
	}
	while (fgets(line, sizeof(line), file) != NULL)
		if (!read_trial(t, t->n_recordings, line) &&
		    !read_search(t, t->n_recordings, line) && !read_slice(t, t->n_recordings, line))
			fail_msg("%s: not a row: %s", path, line);
	fclose(file);
	free(path);
	t->n_recordings++;
	return true;
}

void
traces_read(struct traces *t, const char *series)
{
	*t = (struct traces){0};
	while (read_file(t, series))
		;
	if (t->n_recordings == 0)
		fail_msg("no recording '%s' in %s", series, TRACES_DIR);
}

void
traces_fini(struct traces *t)
{
	free(t->trial);
	free(t->search);
	free(t->slice);
	*t = (struct traces){0};
}

double *
traces_series(const struct traces *t, unsigned recording,
	      double (*value)(const struct traced_trial *trial), size_t *n)
{
	double *v = xcalloc(t->n_trials + 1, sizeof(*v));

	*n = 0;
	for (size_t i = 0; i < t->n_trials; i++)
		if (t->trial[i].recording == recording && !(t->trial[i].load_pps > 0))
			v[(*n)++] = value(&t->trial[i]);
	return v;
}
