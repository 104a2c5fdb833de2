/* SPDX-License-Identifier: MIT */
#include "listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

static void
knows_what_only_this_machine_reaches(void **state)
{
	static const char *const local[] = {
		"tcp://127.0.0.1:4501", "tcp://127.8.9.1:4501",
		"tcp://localhost:4501", "tcp://[::1]:4501",
		"tcp://lo:4501",	"ipc:///run/x/rpc",
		"inproc://rpc",		"none",
	};
	static const char *const open[] = {
		"tcp://*:4501",		 "tcp://0.0.0.0:4501", "tcp://[::]:4501", "tcp://eth0:4501",
		"tcp://192.0.2.1:4501",	 "tcp://127.0.0.1",    "pgm://x:1",	  "",
		"tcp://127.evil.org:80",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(local); i++)
		assert_true(listen_is_local(local[i]));
	for (size_t i = 0; i < N_ELEMS(open); i++)
		assert_false(listen_is_local(open[i]));
}

static void
assert_at(const char *endpoint, const char *address, const char *expected)
{
	char *moved = listen_at(endpoint, address);

	assert_string_equal(moved, expected);
	free(moved);
}

static void
moves_tcp_endpoints(void **state)
{
	(void)state;
	assert_at("tcp://127.0.0.1:4501", "192.0.2.1", "tcp://192.0.2.1:4501");
	assert_at("tcp://127.0.0.1:4500", "*", "tcp://*:4500");
	assert_at("tcp://127.0.0.1:4500", "::", "tcp://[::]:4500");
	assert_at("tcp://[::1]:4500", "[2001:db8::1]", "tcp://[2001:db8::1]:4500");
	assert_at("ipc:///run/rpc", "*", "ipc:///run/rpc");
	assert_at("none", "*", "none");
}

/* What becomes of the endpoints, or the sentence. */
static int
check(const char *rpc, const char *address, bool insecure, struct err *err)
{
	char *r = xstrdup(rpc), *p = xstrdup("none");
	int rc = listen_check(&r, &p, address, insecure, err);

	if (rc == 0 && address != NULL)
		assert_false(listen_is_local(r));
	free(r);
	free(p);
	return rc;
}

static void
open_endpoints_need_both_options(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(check("tcp://127.0.0.1:4501", NULL, false, &err), 0);
	assert_true(check("tcp://*:4501", NULL, false, &err) < 0);
	assert_string_equal(err.msg,
			    "tcp://*:4501 can be reached from other machines, and whoever reaches "
			    "it can send traffic: nobody has to log in (--listen ADDRESS "
			    "--insecure if that is wanted)");
	assert_true(check("tcp://127.0.0.1:4501", "192.0.2.1", false, &err) < 0);
	assert_true(check("tcp://*:4501", NULL, true, &err) < 0);
	assert_true(check("tcp://127.0.0.1:4501", NULL, true, &err) < 0);
	assert_int_equal(check("tcp://127.0.0.1:4501", "192.0.2.1", true, &err), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_only_this_machine_reaches),
		cmocka_unit_test(moves_tcp_endpoints),
		cmocka_unit_test(open_endpoints_need_both_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
