/* SPDX-License-Identifier: MIT */
#include "grade.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

void
grade_facts_init(struct grade_facts *f)
{
	*f = (struct grade_facts){
		.away_share = NAN,
		.gaps_per_s = NAN,
		.gap_max_ns = NAN,
		.steal_share = NAN,
		.pressure_share = NAN,
		.n_cpus = -1,
		.n_lcores = -1,
		.hugepages = -1,
		.smt = -1,
		.isolated = -1,
		.is_virtual = -1,
	};
}

/* ---- facts ---- */

static void
take_text(char *to, size_t size, const json_t *json)
{
	if (json_is_string(json))
		str_copy(to, size, json_string_value(json));
}

/* "always [madvise] never" */
static void
take_thp(struct grade_facts *f, const json_t *json)
{
	const char *text = json_string_value(json);
	const char *begin = text != NULL ? strchr(text, '[') : NULL;
	const char *end = begin != NULL ? strchr(begin, ']') : NULL;
	char *word;

	if (end == NULL)
		return;
	word = strndup(begin + 1, (size_t)(end - begin - 1));
	if (word != NULL)
		str_copy(f->thp, sizeof(f->thp), word);
	free(word);
}

static int
has_hugepages(const json_t *list)
{
	if (!json_is_array(list))
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_integer_value(json_object_get(json_array_get(list, i), "free")) > 0)
			return 1;
	return 0;
}

void
grade_facts_take(struct grade_facts *f, const json_t *e)
{
	const char *hypervisor = json_string_value(json_object_get(e, "hypervisor"));
	const char *isolated = json_string_value(json_object_get(e, "isolated_cpus"));
	const json_t *smt = json_object_get(e, "smt");

	f->hugepages = has_hugepages(json_object_get(e, "hugepages"));
	if (json_is_boolean(smt))
		f->smt = json_is_true(smt);
	if (hypervisor != NULL)
		f->is_virtual = strcmp(hypervisor, "none") != 0;
	if (isolated != NULL)
		f->isolated = isolated[0] != '\0';
	take_text(f->governor, sizeof(f->governor), json_object_get(e, "governor"));
	take_text(f->clocksource, sizeof(f->clocksource), json_object_get(e, "clocksource"));
	take_thp(f, json_object_get(e, "thp"));
}

/* ---- grading ---- */

#define N_LETTERS 6

struct grading {
	json_t *because[N_LETTERS]; /* by the letter that each fact allows; [0] stays empty */
	json_t *raise[N_LETTERS];
};

static void allow(struct grading *g, char letter, const char *raise, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A fact that allows no more than 'letter', and what would change it, or NULL. */
static void
allow(struct grading *g, char letter, const char *raise, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	str_vprint(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(g->because[letter - 'A'], json_string(text));
	if (raise != NULL)
		json_array_append_new(g->raise[letter - 'A'], json_string(raise));
}

/* The letter for a value of which more is worse: the first bound that it does not exceed. */
static char
letter_of(double value, const double bounds[N_LETTERS - 1])
{
	char letter = 'A';

	while (letter < 'F' && value > bounds[letter - 'A'])
		letter++;
	return letter;
}

static const char end_others[] = "end other programs (top -o %CPU), or give the chain CPUs that "
				 "nothing else uses (isolcpus, cpuset)";

/* What the CPUs were seen to lose.  A gap of 20 us is a burst at 1.5 Mpps, one of 1 ms a ring of
 * 1024 at 1 Mpps, one of 10 ms the default ring there. */
static void
grade_gaps(struct grading *g, const struct grade_facts *f)
{
	static const double shares[] = {1e-4, 2e-3, 1e-2, 0.1, 0.25};
	static const double longest_ns[] = {5e4, 2e5, 1e6, 2e7, 1e8};
	char share = letter_of(f->away_share, shares), gap = letter_of(f->gap_max_ns, longest_ns);

	if (share > 'A' && share >= gap)
		allow(g, share, end_others, "CPUs are taken away for %.3g %% of the time",
		      100 * f->away_share);
	if (gap > 'A' && gap > share)
		allow(g, gap, end_others,
		      "a CPU was taken away for %.3g ms, %.3g times a second for more than 1 ms",
		      f->gap_max_ns / 1e6, f->gaps_per_s);
}

static void
grade_others(struct grading *g, const struct grade_facts *f)
{
	static const double steals[] = {0, 1e-3, 1e-2, 0.1, 0.25};
	static const double pressures[] = {0.01, 0.05, 0.2, 0.5, 0.95};
	char steal = letter_of(f->steal_share, steals);
	char pressure = letter_of(f->pressure_share, pressures);

	if (steal > 'A')
		allow(g, steal, "use a machine, or CPUs, that its hypervisor shares with nobody",
		      "a hypervisor takes %.3g %% of the CPUs' time", 100 * f->steal_share);
	if (pressure > 'A')
		allow(g, pressure, end_others, "programs wait for a CPU %.3g %% of the time",
		      100 * f->pressure_share);
}

static void
grade_cpus(struct grading *g, const struct grade_facts *f)
{
	if (f->n_cpus < 0 || f->n_lcores < 0)
		return;
	if (f->n_lcores > f->n_cpus)
		allow(g, 'D', "use a machine with a CPU for each lcore and one more",
		      "%d lcores share %d CPU%s", f->n_lcores, f->n_cpus,
		      f->n_cpus == 1 ? "" : "s");
	else if (f->n_lcores == f->n_cpus)
		allow(g, 'C', "use a machine with one CPU more than lcores",
		      "the %d lcores leave no CPU for anything else", f->n_lcores);
}

static void
grade_settings(struct grading *g, const struct grade_facts *f)
{
	static const char *const good[] = {"", "tsc", "kvm-clock", "hyperv_clocksource_tsc_page",
					   "arch_sys_counter"};
	bool is_good = false;

	for (size_t i = 0; i < N_ELEMS(good); i++)
		is_good |= strcmp(f->clocksource, good[i]) == 0;
	if (!is_good)
		allow(g, 'D', NULL, "the kernel does not trust the CPU's counter (%s)",
		      f->clocksource);
	if (strcmp(f->governor, "powersave") == 0)
		allow(g, 'C', "sudo cpupower frequency-set -g performance",
		      "the CPUs run at their lowest clock rate (powersave)");
	else if (f->governor[0] != '\0' && strcmp(f->governor, "performance") != 0)
		allow(g, 'B', "sudo cpupower frequency-set -g performance",
		      "the clock rate changes with the load (%s)", f->governor);
	if (f->hugepages == 0)
		allow(g, 'B', "sudo sysctl -w vm.nr_hugepages=512", "no hugepages are free");
	if (f->smt == 1)
		allow(g, 'B', "echo off | sudo tee /sys/devices/system/cpu/smt/control",
		      "CPUs share cores (SMT)");
	if (f->is_virtual == 1)
		allow(g, 'B', "use a machine that is no guest", "a virtual machine");
	if (f->isolated == 0)
		allow(g, 'B', "start the kernel with isolcpus= for the chain's CPUs",
		      "no CPU is isolated");
	if (strcmp(f->thp, "always") == 0)
		allow(g, 'B', "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled",
		      "the kernel rearranges memory at any time (transparent hugepages: always)");
}

/* Only what stands between the machine and the next letter up would raise it, but all is told, the
 * worst first; the same advice once. */
static void
append_new(json_t *list, json_t *more)
{
	for (size_t i = 0; i < json_array_size(more); i++) {
		json_t *text = json_array_get(more, i);
		bool known = false;

		for (size_t k = 0; k < json_array_size(list); k++)
			known |= json_equal(json_array_get(list, k), text);
		if (!known)
			json_array_append(list, text);
	}
}

json_t *
grade_of(const struct grade_facts *f)
{
	json_t *because = json_array(), *raise = json_array();
	struct grading g;
	char letter[2] = "A";

	for (int i = 0; i < N_LETTERS; i++) {
		g.because[i] = json_array();
		g.raise[i] = json_array();
	}
	grade_gaps(&g, f);
	grade_others(&g, f);
	grade_cpus(&g, f);
	grade_settings(&g, f);
	for (int i = N_LETTERS - 1; i >= 0; i--) {
		if (letter[0] == 'A' && json_array_size(g.because[i]) > 0)
			letter[0] = (char)('A' + i);
		append_new(because, g.because[i]);
		append_new(raise, g.raise[i]);
		json_decref(g.because[i]);
		json_decref(g.raise[i]);
	}
	/* What was not looked at gives no good grade. */
	if (isnan(f->away_share) && letter[0] < 'C') {
		letter[0] = 'C';
		json_array_insert_new(because, 0, json_string("nobody looked at the CPUs"));
	}
	return json_pack("{s:s, s:o, s:o}", "letter", letter, "because", because, "raise", raise);
}
