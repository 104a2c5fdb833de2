/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <rte_cycles.h>

#include "dpdk/rig.h"
#include "nf_work.h"
#include "nfs.h"
#include "pkt/flow.h"
#include "pkt/template.h"

#define N 64

static int
open_work(const char *args, void **ctx, char *why, size_t size)
{
	const struct nf_conf conf = {.args = args};

	why[0] = '\0';
	return nf_work.open(&conf, 2, ctx, why, size);
}

/* Time that a burst takes now, or 'best' if that is less. */
static uint64_t
shorter(void *ctx, uint64_t best)
{
	uint8_t verdict[N];
	uint64_t start = rte_rdtsc_precise(), took;

	memset(verdict, 0xff, sizeof(verdict));
	nf_work.burst(ctx, NULL, N, verdict);
	took = rte_rdtsc_precise() - start;
	for (unsigned k = 0; k < N; k++)
		assert_int_equal(verdict[k], NF_FORWARD);
	return RTE_MIN(took, best);
}

/* The shortest of many tries, in which nothing came between; in turns, so that a time in which the
 * CPU is slow is so for both. */
static void
ten_times_the_work_takes_ten_times_as_long(void **state)
{
	uint64_t few = UINT64_MAX, many = UINT64_MAX;
	void *short_ctx[2], *long_ctx[2];
	char why[64];
	double ratio;

	(void)state;
	assert_int_equal(open_work("3000", short_ctx, why, sizeof(why)), 0);
	assert_int_equal(open_work("30000", long_ctx, why, sizeof(why)), 0);
	assert_ptr_not_equal(short_ctx[0], short_ctx[1]);
	for (unsigned i = 0; i < 200; i++) {
		few = shorter(short_ctx[1], few);
		many = shorter(long_ctx[1], many);
	}
	nf_work.close(short_ctx, 2);
	nf_work.close(long_ctx, 2);
	ratio = (double)many / (double)few;
	print_message("# ratio %.2f\n", ratio);
	assert_true(ratio > 7 && ratio < 14);
}

static uint64_t
power(uint64_t exponent)
{
	uint64_t value = 1;

	while (exponent-- > 0)
		value *= WORK_FACTOR;
	return value;
}

/* A burst of one frame of each of the generator's first N flows. */
static void
make_flows(struct rte_mempool *pool, struct rte_mbuf **frames)
{
	struct frame_template t;
	struct frame_spec spec;
	uint8_t frame[60];
	struct err err;

	frame_spec_init(&spec);
	assert_int_equal(frame_template_build(&t, &spec, frame, sizeof(frame), &err), 0);
	for (uint32_t i = 0; i < N; i++) {
		template_set_flow(&t, frame, i);
		frames[i] = rte_pktmbuf_alloc(pool);
		assert_non_null(frames[i]);
		frames[i]->data_len = sizeof(frame);
		memcpy(rte_pktmbuf_mtod(frames[i], uint8_t *), frame, sizeof(frame));
	}
}

/* Steps and verdicts of a burst: value is the factor to the power of exactly that many. */
static void
assert_steps(const char *args, struct rte_mbuf **frames, uint16_t n, uint64_t steps)
{
	uint8_t verdict[N];
	void *ctx[2];
	char why[64];

	memset(verdict, 0xff, sizeof(verdict));
	assert_int_equal(open_work(args, ctx, why, sizeof(why)), 0);
	nf_work.burst(ctx[1], frames, n, verdict);
	assert_int_equal(((struct work *)ctx[1])->value, power(steps));
	assert_int_equal(((struct work *)ctx[0])->value, 1);
	for (uint16_t i = 0; i < n; i++)
		assert_int_equal(verdict[i], NF_FORWARD);
	nf_work.close(ctx, 2);
}

static void
steps_are_exact_and_those_of_the_flow(void **state)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"flows", 2 * N - 1, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	struct rte_mbuf *frames[N];
	struct work_cost cost;
	struct err err;

	(void)state;
	assert_non_null(pool);
	make_flows(pool, frames);
	assert_steps("300", frames, N, 100 * N);
	assert_steps("300,skew=1", frames, N, 100 * N);
	assert_steps("100-500", frames, N, 100 * N);
	assert_int_equal(work_cost_parse(&cost, "300,skew=1", &err), 0);
	for (unsigned i = 0; i < N; i++) {
		const uint8_t *data = rte_pktmbuf_mtod(frames[i], const uint8_t *);

		assert_steps("300,skew=1", frames + i, 1, work_cost_of(&cost, flow_hash(data, 60)));
	}
	rte_pktmbuf_free_bulk(frames, N);
	rte_mempool_free(pool);
}

static void
an_amount_that_is_none_is_refused(void **state)
{
	void *ctx[2];
	char why[128];

	(void)state;
	assert_true(open_work("", ctx, why, sizeof(why)) < 0);
	assert_string_equal(why, "how many cycles a frame, 1 to 1000000, or from LOW-HIGH?");
	assert_true(open_work("10,skew=x", ctx, why, sizeof(why)) < 0);
	assert_string_equal(why, "skew=x: the exponent is from 0 to 4");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_times_the_work_takes_ten_times_as_long),
		cmocka_unit_test(steps_are_exact_and_those_of_the_flow),
		cmocka_unit_test(an_amount_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
