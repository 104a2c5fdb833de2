/* SPDX-License-Identifier: MIT */
#include "chain_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "bench/bisect.h"

/* Damage on purpose, at a known hop, of a known kind, to a known number of frames: the result must
 * name exactly that. */

#define HOPS 3
#define RATE_PPS 100000
#define TRIAL_NS 150000000ull

static const char three_hops[] = "version: 1\n"
				 "name: inject\n"
				 "hops: [nfvchain-fwd, nfvchain-fwd, nfvchain-fwd]\n";

static struct fixture chain;

static const struct injection {
	const char *kind;
	unsigned hop;
	unsigned count;
} injections[] = {
	{"drop", 0, 1},	     {"drop", 1, 7},	    {"drop", 2, 100},	  {"drop", 0, 1000},
	{"lose", 0, 1},	     {"lose", 1, 5},	    {"lose", 2, 64},	  {"lose", 1, 999},
	{"duplicate", 0, 1}, {"duplicate", 1, 9},   {"duplicate", 2, 50}, {"duplicate", 0, 500},
	{"reorder", 0, 1},   {"reorder", 1, 3},	    {"reorder", 2, 20},	  {"reorder", 1, 200},
	{"corrupt", 0, 1},   {"corrupt", 1, 8},	    {"corrupt", 2, 77},	  {"corrupt", 0, 700},
	{"truncate", 0, 1},  {"truncate", 1, 6},    {"truncate", 2, 33},  {"truncate", 2, 300},
	{"wrong_mac", 0, 1}, {"wrong_mac", 1, 4},   {"wrong_mac", 2, 13}, {"wrong_mac", 0, 130},
	{"wrong_mac", 1, 2}, {"wrong_mac", 2, 600},
};

static void
arm(const struct injection *i)
{
	struct control_client *c = chain.session.backend.hop[i->hop].control;
	struct err err = {0};

	if (control_client_call(c, "fault",
				json_pack("{s:s, s:i, s:i}", "kind", i->kind, "count",
					  (int)i->count, "skip", 100),
				1000, NULL, &err) < 0)
		fail_msg("%s", err.msg);
}

static uint64_t
drops_of(const struct ledger_hop *hop, const char *reason)
{
	for (size_t i = 0; i < hop->n_drops; i++)
		if (strcmp(hop->drop[i].name, reason) == 0)
			return hop->drop[i].n;
	return 0;
}

/* What of each kind a result may show: everything but the injected is 0. */
struct expected {
	uint64_t drop[HOPS], foreign[HOPS], residual[HOPS], created[HOPS];
	uint64_t duplicate, reordered, corrupt, truncated, misdelivered;
};

static struct expected
expect(const struct injection *i)
{
	struct expected e = {0};

	if (strcmp(i->kind, "drop") == 0)
		e.drop[i->hop] = i->count;
	else if (strcmp(i->kind, "lose") == 0)
		e.residual[i->hop] = i->count;
	else if (strcmp(i->kind, "duplicate") == 0)
		e.created[i->hop] = e.duplicate = i->count;
	else if (strcmp(i->kind, "reorder") == 0)
		e.reordered = i->count;
	else if (strcmp(i->kind, "corrupt") == 0)
		e.corrupt = i->count;
	else if (strcmp(i->kind, "truncate") == 0)
		e.truncated = i->count;
	else if (i->hop + 1 < HOPS)
		e.foreign[i->hop + 1] = i->count; /* the next hop's address check finds them */
	else
		e.misdelivered = i->count;
	return e;
}

static void
check(const struct injection *i, const struct trial *t)
{
	const struct expected e = expect(i);

	for (unsigned h = 0; h < HOPS; h++) {
		const struct ledger_hop *hop = &t->ledger.hop[h];

		assert_int_equal(drops_of(hop, "fault"), e.drop[h]);
		assert_int_equal(drops_of(hop, "l2fwd.foreign"), e.foreign[h]);
		assert_int_equal(hop->created, e.created[h]);
		assert_int_equal(ledger_hop_residual(hop), e.residual[h]);
	}
	assert_int_equal(t->duplicate, e.duplicate);
	assert_int_equal(t->reordered, e.reordered);
	assert_int_equal(t->corrupt, e.corrupt);
	assert_int_equal(t->truncated, e.truncated);
	assert_int_equal(t->misdelivered, e.misdelivered);
	assert_int_equal(t->reflected, 0);
	assert_int_equal(t->foreign, 0);
	assert_int_equal(t->ledger.lost, 0);
	assert_int_equal(t->ledger.in_flight, 0);
	assert_int_equal(t->ledger.disagreement, strcmp(i->kind, "lose") == 0 ? i->count : 0);
}

static void
each_injection_is_named_exactly(void **state)
{
	const struct trial_spec spec = {.rate_pps = RATE_PPS, .duration_ns = TRIAL_NS};
	static struct trial t;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(injections); i++) {
		print_message("%s of %u frames at hop %u\n", injections[i].kind,
			      injections[i].count, injections[i].hop + 1);
		arm(&injections[i]);
		if (measure_trial(&chain.measure, &spec, &t, &err) < 0)
			fail_msg("%s", err.msg);
		check(&injections[i], &t);
	}
}

/* The control: without an injection nothing is found. */
static void
an_undamaged_trial_passes(void **state)
{
	const struct trial_spec spec = {.rate_pps = RATE_PPS, .duration_ns = TRIAL_NS};
	static struct trial t;
	struct err err = {0};

	(void)state;
	if (measure_trial(&chain.measure, &spec, &t, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(t.ledger.balanced);
	assert_int_equal(t.ok, t.sent);
	assert_int_equal(t.ledger.never_seen, 0);
	assert_true(t.sent > 0);
}

static int
run_trial(void *ctx, const struct trial_spec *spec, struct trial *t, struct err *err)
{
	(void)ctx;
	return measure_trial(&chain.measure, spec, t, err);
}

/* One frame in twenty, whatever the load: no search finds a rate there, and none goes on looking.
 * The last test, for the fault goes on. */
static void
a_share_lost_at_any_load_ends_a_search(void **state)
{
	struct control_client *c = chain.session.backend.hop[1].control;
	const struct measurer m = {.watch_faults = true, .run = run_trial};
	const struct bisect_conf conf = {
		.grid = {.min_pps = 2000, .max_pps = 200000, .step_ratio = 1.02},
		.trial_ns = 500 * NSEC_PER_MS,
		.n_goals = 1,
		.needed = 3,
		.max_first = true,
		.max_invalid = 20,
	};
	static struct search_result found;
	struct err err = {0};

	(void)state;
	if (control_client_call(c, "fault",
				json_pack("{s:s, s:I, s:i}", "kind", "drop", "count",
					  (json_int_t)UINT32_MAX, "spacing", 20),
				1000, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(bisect_run(&conf, &m, &found, &err), -EIO);
	print_message("after %zu trials, %zu of them invalid: %s\n", found.n_trials,
		      found.n_invalid, err.msg);
	assert_non_null(strstr(err.msg, "the path loses 5"));
	/* Trials that the machine disturbs do not count. */
	assert_true(found.n_trials - found.n_invalid <= 10);
}

static int
up(void **state)
{
	(void)state;
	fixture_up(&chain, three_hops);
	return 0;
}

static int
down(void **state)
{
	(void)state;
	fixture_down(&chain);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_undamaged_trial_passes),
		cmocka_unit_test(each_injection_is_named_exactly),
		cmocka_unit_test(an_undamaged_trial_passes),
		cmocka_unit_test(a_share_lost_at_any_load_ends_a_search),
	};

	return cmocka_run_group_tests(tests, up, down);
}
