/* SPDX-License-Identifier: MIT */
#include "grade.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A machine that does nothing else. */
static struct grade_facts
best(void)
{
	return (struct grade_facts){
		.away_share = 0,
		.n_cpus = 4,
		.n_lcores = 2,
		.hugepages = 1,
		.isolated = 1,
		.governor = "performance",
		.thp = "madvise",
		.clocksource = "tsc",
	};
}

static void
assert_letter(const struct grade_facts *f, const char *letter, const char *because)
{
	json_t *grade = grade_of(f);
	const json_t *first = json_array_get(json_object_get(grade, "because"), 0);

	assert_string_equal(json_string_value(json_object_get(grade, "letter")), letter);
	assert_string_equal(json_is_string(first) ? json_string_value(first) : "", because);
	json_decref(grade);
}

static void
a_machine_of_its_own_is_an_a(void **state)
{
	struct grade_facts f = best();

	(void)state;
	assert_letter(&f, "A", "");
}

static void
the_worst_fact_is_the_letter(void **state)
{
	struct grade_facts f = best();
	json_t *grade;

	(void)state;
	f.hugepages = 0;
	assert_letter(&f, "B", "no hugepages are free");
	f.n_cpus = 2;
	assert_letter(&f, "C", "the 2 lcores leave no CPU for anything else");
	f.away_share = 0.045;
	f.gap_max_ns = 9e6;
	f.gaps_per_s = 7;
	f.is_virtual = 1;
	assert_letter(&f, "D", "CPUs are taken away for 4.5 % of the time");
	grade = grade_of(&f);
	assert_int_equal(json_array_size(json_object_get(grade, "because")), 4);
	assert_int_equal(json_array_size(json_object_get(grade, "raise")), 4);
	json_decref(grade);
	/* The same advice once, whatever it is good for. */
	f.gap_max_ns = 5e8;
	f.pressure_share = 0.3;
	f.n_cpus = 4;
	strcpy(f.governor, "schedutil");
	f.smt = 1;
	grade = grade_of(&f);
	assert_int_equal(json_array_size(json_object_get(grade, "because")), 6);
	assert_int_equal(json_array_size(json_object_get(grade, "raise")), 5);
	f.hugepages = 1;
	json_decref(grade);
}

static void
each_fact_lowers_it(void **state)
{
	struct grade_facts f;

	(void)state;
	f = best();
	f.smt = 1;
	assert_letter(&f, "B", "CPUs share cores (SMT)");
	f = best();
	f.is_virtual = 1;
	assert_letter(&f, "B", "a virtual machine");
	f = best();
	f.isolated = 0;
	assert_letter(&f, "B", "no CPU is isolated");
	f = best();
	strcpy(f.governor, "schedutil");
	assert_letter(&f, "B", "the clock rate changes with the load (schedutil)");
	strcpy(f.governor, "powersave");
	assert_letter(&f, "C", "the CPUs run at their lowest clock rate (powersave)");
	f = best();
	strcpy(f.thp, "always");
	assert_letter(&f, "B",
		      "the kernel rearranges memory at any time (transparent hugepages: always)");
	f = best();
	strcpy(f.clocksource, "hpet");
	assert_letter(&f, "D", "the kernel does not trust the CPU's counter (hpet)");
	f = best();
	f.n_lcores = 5;
	assert_letter(&f, "D", "5 lcores share 4 CPUs");
	f = best();
	f.steal_share = 0.02;
	assert_letter(&f, "D", "a hypervisor takes 2 % of the CPUs' time");
	f = best();
	f.pressure_share = 0.3;
	assert_letter(&f, "D", "programs wait for a CPU 30 % of the time");
	f = best();
	f.gap_max_ns = 4e5;
	f.gaps_per_s = 0;
	assert_letter(&f, "C",
		      "a CPU was taken away for 0.4 ms, 0 times a second for more than 1 ms");
}

/* A program that wants all of a CPU gets half of it. */
static void
a_hog_lowers_any_grade(void **state)
{
	struct grade_facts quiet = best(), noisy;

	(void)state;
	quiet.away_share = 0.045;
	quiet.gap_max_ns = 9e6;
	quiet.gaps_per_s = 8;
	noisy = quiet;
	assert_letter(&quiet, "D", "CPUs are taken away for 4.5 % of the time");
	noisy.away_share = 0.5;
	assert_letter(&noisy, "F", "CPUs are taken away for 50 % of the time");
}

/* More of anything bad never gives a better letter. */
static void
letters_fall_with_what_is_taken(void **state)
{
	char last = 'A';

	(void)state;
	for (double share = 1e-6; share < 1; share *= 1.1) {
		struct grade_facts f = best();
		json_t *grade;
		char letter;

		f.away_share = share;
		grade = grade_of(&f);
		letter = json_string_value(json_object_get(grade, "letter"))[0];
		assert_true(letter >= last && letter <= last + 1);
		last = letter;
		json_decref(grade);
	}
	assert_int_equal(last, 'F');
}

static void
what_is_not_known_is_not_good(void **state)
{
	struct grade_facts f;

	(void)state;
	grade_facts_init(&f);
	assert_letter(&f, "C", "nobody looked at the CPUs");
}

static void
facts_of_an_environment(void **state)
{
	json_t *e = json_pack("{s:[{s:i, s:i, s:i}], s:b, s:s, s:s, s:s, s:n, s:s}", "hugepages",
			      "size_bytes", 2097152, "total", 4, "free", 0, "smt", 1, "hypervisor",
			      "KVM", "clocksource", "kvm-clock", "isolated_cpus", "", "governor",
			      "thp", "always [madvise] never");
	struct grade_facts f;

	(void)state;
	grade_facts_init(&f);
	grade_facts_take(&f, e);
	assert_int_equal(f.hugepages, 0);
	assert_int_equal(f.smt, 1);
	assert_int_equal(f.is_virtual, 1);
	assert_int_equal(f.isolated, 0);
	assert_string_equal(f.governor, "");
	assert_string_equal(f.clocksource, "kvm-clock");
	assert_string_equal(f.thp, "madvise");
	json_decref(e);
	grade_facts_init(&f);
	grade_facts_take(&f, NULL);
	assert_int_equal(f.hugepages, -1);
	assert_int_equal(f.smt, -1);
	assert_int_equal(f.is_virtual, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_of_its_own_is_an_a),
		cmocka_unit_test(the_worst_fact_is_the_letter),
		cmocka_unit_test(each_fact_lowers_it),
		cmocka_unit_test(a_hog_lowers_any_grade),
		cmocka_unit_test(letters_fall_with_what_is_taken),
		cmocka_unit_test(what_is_not_known_is_not_good),
		cmocka_unit_test(facts_of_an_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
