/* SPDX-License-Identifier: MIT */
#include "vm_console.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/vm_console_test.XXXXXX";

static void
write_console(const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void
a_panic_is_found_before_its_trace(void **state)
{
	char words[128];

	(void)state;
	write_console("[    0.5] Linux\r\n"
		      "[    9.1] Kernel panic - not syncing: sysrq triggered crash\r\n"
		      "[    9.1] CPU: 0 PID: 1\r\n[    9.2] Rebooting in 1 seconds..\r\n");
	assert_string_equal(vm_console_panic(words, sizeof(words), path),
			    "Kernel panic - not syncing: sysrq triggered crash");
	write_console("[    0.5] Linux\n");
	assert_string_equal(vm_console_panic(words, sizeof(words), path), "");
}

static void
the_last_line_that_says_anything(void **state)
{
	char words[128];

	(void)state;
	write_console("[    0.5] Linux\n[    1.0] \033[1mready\033[0m for\a more  \n---\n\n");
	assert_string_equal(vm_console_last(words, sizeof(words), path), "[1mready[0m for more");
	write_console("--\n");
	assert_string_equal(vm_console_last(words, sizeof(words), path), "");
}

static void
long_lines_are_cut(void **state)
{
	char words[16];

	(void)state;
	write_console("Kernel panic - not syncing: a very long reason\n");
	assert_string_equal(vm_console_panic(words, sizeof(words), path), "Kernel panic -");
}

static void
no_console_says_nothing(void **state)
{
	char words[128] = "old";

	(void)state;
	assert_string_equal(vm_console_panic(words, sizeof(words), "/nonexistent/console"), "");
	assert_string_equal(vm_console_last(words, sizeof(words), "/nonexistent/console"), "");
}

static int
make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static int
remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_panic_is_found_before_its_trace),
		cmocka_unit_test(the_last_line_that_says_anything),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(no_console_says_nothing),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
