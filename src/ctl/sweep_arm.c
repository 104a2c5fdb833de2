/* SPDX-License-Identifier: MIT */
#include "sweep_arm.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "sweep_conf.h"

#define MAX_WORDS 64

/* ---- reading ---- */

static int
set_word(struct sweep_arm *arm, const char *word, struct err *err)
{
	static const char *const scheds[] = {"atomic", "ordered", "parallel"};

	if (strcmp(arm->engine, "poll") == 0)
		return err_usage(err, "poll has no event device, and nothing to add to it");
	if (strcmp(word, "all") == 0)
		arm->all = true;
	else if (strcmp(word, "sw") == 0)
		arm->device = "event_sw0";
	else if (strcmp(word, "dsw") == 0)
		arm->device = "event_dsw0";
	else {
		for (size_t i = 0; i < N_ELEMS(scheds); i++)
			if (strcmp(word, scheds[i]) == 0) {
				arm->sched = scheds[i];
				return 0;
			}
		return err_usage(err, "'%s' is none of sw, dsw, atomic, ordered, parallel, all",
				 word);
	}
	return 0;
}

static int
set_engine(struct sweep_arm *arm, const char *word, struct err *err)
{
	static const char *const engines[] = {"poll", "event", "pipeline"};

	for (size_t i = 0; i < N_ELEMS(engines); i++)
		if (strcmp(word, engines[i]) == 0)
			arm->engine = engines[i];
	return arm->engine != NULL ? 0
				   : err_usage(err, "'%s' is none of poll, event, pipeline", word);
}

int
sweep_arm_parse(struct sweep_arm *arm, const char *text, struct err *err)
{
	char *copy = xstrdup(text), *rest = copy, *word;
	int rc;

	*arm = (struct sweep_arm){0};
	rc = str_copy(arm->label, sizeof(arm->label), text) ? 0 : err_usage(err, "too long");
	if (rc == 0)
		rc = set_engine(arm, strsep(&rest, ":"), err);
	while (rc == 0 && (word = strsep(&rest, ":")) != NULL)
		rc = set_word(arm, word, err);
	if (rc == 0 && arm->device != NULL && arm->sched != NULL &&
	    strcmp(arm->device, "event_dsw0") == 0 && strcmp(arm->sched, "ordered") == 0)
		rc = err_usage(err, "event_dsw has no ordered queues");
	free(copy);
	return rc;
}

/* ---- writing ---- */

struct words {
	char **word;
	size_t n;
};

static void __attribute__((format(printf, 2, 3))) add(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (w->n < MAX_WORDS)
		w->word[w->n++] = xvasprintf(fmt, ap);
	va_end(ap);
}

static void
add_option(struct words *w, const char *name, unsigned value)
{
	add(w, "%s", name);
	add(w, "%u", value);
}

static unsigned
at(const struct sweep_point *p, enum sweep_axis_id id)
{
	return (unsigned)p->at[id];
}

/* "work:150,skew=1,classes=64" with the i-th part of the work, or "" for none. */
static char *
work_of(const struct sweep_conf *conf, const struct sweep_point *p, unsigned i)
{
	unsigned n = at(p, SWEEP_STAGES), whole = at(p, SWEEP_WORK);
	unsigned cycles = whole * (i + 1) / n - whole * i / n;

	if (cycles == 0)
		return xstrdup("");
	if (p->at[SWEEP_SKEW] == 0)
		return xasprintf("work:%u", cycles);
	return xasprintf("work:%u,skew=%g,classes=%u", cycles, p->at[SWEEP_SKEW],
			 (unsigned)conf->classes);
}

/* The same functions in the same sequence, cut into stages or not. */
static void
add_functions(struct words *w, const struct sweep_conf *conf, const struct sweep_point *p, bool cut)
{
	unsigned n = at(p, SWEEP_STAGES);

	if (cut)
		add_option(w, "--stages", n);
	else {
		add(w, "--nf");
		add(w, "l2fwd");
	}
	for (unsigned i = 0; i < n; i++) {
		char *work = work_of(conf, p, i);

		if (cut && (i == 0 || work[0] != '\0')) {
			add(w, "--stage-nf");
			add(w, "%u=%s%s%s", i, i == 0 ? "l2fwd" : "",
			    i == 0 && work[0] != '\0' ? "+" : "", work);
		} else if (!cut && work[0] != '\0') {
			add(w, "--nf");
			add(w, "%s", work);
		}
		free(work);
	}
}

/* The first lcore receives and schedules, and works as all others do. */
static void
add_masks(struct words *w, unsigned n_lcores)
{
	add(w, "--rx-mask");
	add(w, "0x1");
	add(w, "--sched-mask");
	add(w, "0x1");
	add(w, "--worker-mask");
	add(w, "0x%llx", n_lcores < 64 ? (1ull << n_lcores) - 1 : ~0ull);
}

static void
add_device(struct words *w, const struct sweep_arm *arm, const struct sweep_conf *conf,
	   const struct sweep_point *p)
{
	bool dsw = arm->device != NULL && strcmp(arm->device, "event_dsw0") == 0;

	if (arm->device != NULL) {
		add(w, "--event-dev");
		add(w, "%s", arm->device);
	}
	add(w, "--sched");
	add(w, "%s", arm->sched != NULL ? arm->sched : conf->sched);
	if (conf->vector > 0)
		add_option(w, "--vector", conf->vector);
	/* event_dsw has each lcore work anyway. */
	if (arm->all && !dsw && at(p, SWEEP_LCORES) > 1)
		add_masks(w, at(p, SWEEP_LCORES));
}

char **
sweep_arm_words(const struct sweep_arm *arm, const struct sweep_conf *conf,
		const struct sweep_point *p)
{
	struct words w = {.word = xcalloc(MAX_WORDS + 1, sizeof(*w.word))};

	add(&w, "--engine");
	add(&w, "%s", arm->engine);
	add_option(&w, "--rxq", at(p, SWEEP_LCORES) < 16 ? at(p, SWEEP_LCORES) : 16);
	add_option(&w, "--burst", at(p, SWEEP_BURST));
	add(&w, "--load");
	if (conf->flow_seed > 0)
		add(&w, "flows=%u,random=%llu", at(p, SWEEP_FLOWS),
		    (unsigned long long)conf->flow_seed);
	else
		add(&w, "flows=%u", at(p, SWEEP_FLOWS));
	if (strcmp(arm->engine, "poll") != 0)
		add_device(&w, arm, conf, p);
	add_functions(&w, conf, p, strcmp(arm->engine, "pipeline") == 0);
	return w.word;
}

void
sweep_words_free(char **words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}
