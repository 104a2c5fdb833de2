/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <rte_cycles.h>

#include "dpdk/rig.h"
#include "nfs.h"

#define N 64

static int
open_work(const char *args, void **ctx, char *why, size_t size)
{
	const struct nf_conf conf = {.args = args};

	why[0] = '\0';
	return nf_work.open(&conf, 2, ctx, why, size);
}

/* The shortest of many tries, in which nothing came between. */
static uint64_t
shortest(const char *args)
{
	uint8_t verdict[N];
	uint64_t best = UINT64_MAX;
	void *ctx[2];
	char why[64];

	assert_int_equal(open_work(args, ctx, why, sizeof(why)), 0);
	assert_ptr_not_equal(ctx[0], ctx[1]);
	for (unsigned i = 0; i < 200; i++) {
		uint64_t start = rte_rdtsc_precise(), took;

		memset(verdict, 0xff, sizeof(verdict));
		nf_work.burst(ctx[1], NULL, N, verdict);
		took = rte_rdtsc_precise() - start;
		best = took < best ? took : best;
		for (unsigned k = 0; k < N; k++)
			assert_int_equal(verdict[k], NF_FORWARD);
	}
	nf_work.close(ctx, 2);
	return best;
}

static void
ten_times_the_work_takes_ten_times_as_long(void **state)
{
	double ratio = (double)shortest("30000") / (double)shortest("3000");

	(void)state;
	print_message("# ratio %.2f\n", ratio);
	assert_true(ratio > 7 && ratio < 14);
}

static void
work_without_an_amount_is_refused(void **state)
{
	static const char *const bad[] = {"", "0", "-3", "1000001", "ten", "10 ", "1e3"};
	void *ctx[2];
	char why[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(open_work(bad[i], ctx, why, sizeof(why)) < 0);
		assert_string_equal(why, "how many cycles a frame, 1 to 1000000?");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_times_the_work_takes_ten_times_as_long),
		cmocka_unit_test(work_without_an_amount_is_refused),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
