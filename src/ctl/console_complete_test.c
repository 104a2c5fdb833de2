/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "console.h"

/* All that the last word of 'line' may become, by blanks. */
static const char *
offers(const char *line)
{
	static char all[1024];
	const char *last = strrchr(line, ' ');
	size_t at = last != NULL ? (size_t)(last + 1 - line) : 0;
	char *one;

	all[0] = '\0';
	for (size_t i = 0; (one = console_complete(line, at, line + at, i)) != NULL; i++) {
		size_t len = strlen(all);

		snprintf(all + len, sizeof(all) - len, "%s%s", len > 0 ? " " : "", one);
		free(one);
	}
	return all;
}

static void
verbs_are_offered(void **state)
{
	(void)state;
	assert_string_equal(offers("sta"), "start stats");
	assert_string_equal(offers("st"), "start stats stop streams");
	assert_string_equal(offers("zz"), "");
}

static void
options_of_the_verb_are_offered(void **state)
{
	(void)state;
	assert_string_equal(offers("start --d"), "--duration --dry-run");
	assert_string_equal(offers("update -"), "--multiplier --ports --all --force");
	assert_string_equal(offers("start -f imix --m"), "--multiplier");
	assert_string_equal(offers("ping --"), "");
	assert_string_equal(offers("nothing --"), "");
	assert_string_equal(offers("start -p "), "");
}

static void
words_of_an_option_are_offered(void **state)
{
	(void)state;
	assert_string_equal(offers("portattr -p 0 --prom "), "on off");
	assert_string_equal(offers("portattr --prom of"), "off");
}

static void
profiles_are_offered_by_either_name(void **state)
{
	(void)state;
	assert_string_equal(offers("start -f im"), "imix");
	assert_string_equal(offers("start --file b"), "bench burst");
	assert_string_equal(offers("start -f stl/im"), "stl/imix.py");
	assert_string_equal(offers("start -f stl/flow_stats_"), "stl/flow_stats_latency.py");
	/* A folder that is there has files of its own, which the terminal offers. */
	assert_string_equal(offers("start -f /tmp/im"), "");
}

static void
a_profile_of_the_users_hides_ours(void **state)
{
	char dir[] = "/tmp/nfvchain-profiles-XXXXXX", path[64];
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/imix.yaml", dir);
	assert_non_null(f = fopen(path, "w"));
	fclose(f);
	setenv("NFVCHAIN_PROFILES", dir, 1);
	assert_string_equal(offers("start -f im"), "imix");
	unsetenv("NFVCHAIN_PROFILES");
	unlink(path);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs_are_offered),
		cmocka_unit_test(options_of_the_verb_are_offered),
		cmocka_unit_test(words_of_an_option_are_offered),
		cmocka_unit_test(profiles_are_offered_by_either_name),
		cmocka_unit_test(a_profile_of_the_users_hides_ours),
	};

	unsetenv("NFVCHAIN_PROFILES");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
