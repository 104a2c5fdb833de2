/* SPDX-License-Identifier: MIT */
#include "trial.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"

#define N 1000000

/* A valid trial of a chain of one hop in which nothing was lost. */
static void
clean_trial(struct trial *t)
{
	trial_init(t, &(struct trial_spec){.rate_pps = 1e6, .duration_ns = 1000000000});
	t->elapsed_s = 1.0000001;
	t->intended = t->sent = t->received = t->ok = N;
	t->ledger.n_hops = 1;
	t->ledger.hop[0] = (struct ledger_hop){.name = "vnf1", .known = true, .exact = true};
	t->ledger.hop[0].port[0].rx = t->ledger.hop[0].port[1].tx = N;
	t->ledger.gen[0].tx = t->ledger.gen[1].rx = N;
	ledger_close(&t->ledger, 0);
}

/* 'n' frames more vanish on the last link. */
static void
lose_on_link(struct trial *t, uint64_t n)
{
	t->received -= n;
	t->ok -= n;
	t->ledger.gen[1].rx -= n;
	t->ledger.never_seen += n;
	ledger_close(&t->ledger, 0);
}

static void
refuse(struct trial *t, uint64_t n)
{
	t->sent -= n;
	t->refused += n;
	t->received -= n;
	t->ok -= n;
	t->ledger.gen[0].tx -= n;
	t->ledger.gen[1].rx -= n;
	t->ledger.hop[0].port[0].rx -= n;
	t->ledger.hop[0].port[1].tx -= n;
	ledger_close(&t->ledger, 0);
}

static void
assert_verdict(struct trial *t, double goal, enum trial_verdict verdict, const char *reason)
{
	trial_judge(t, goal);
	assert_string_equal(t->reason, reason);
	assert_string_equal(trial_verdict_name(t->verdict), trial_verdict_name(verdict));
}

static void
nothing_lost_passes(void **state)
{
	struct trial t;

	(void)state;
	clean_trial(&t);
	assert_verdict(&t, 0, TRIAL_PASS, "lost 0 of 1000000");
	assert_true(t.loss_ratio == 0);
	/* Reordering is reported, not judged. */
	t.reordered = 1000;
	assert_verdict(&t, 0, TRIAL_PASS, "lost 0 of 1000000");
}

static void
one_lost_frame_fails(void **state)
{
	struct trial t;

	(void)state;
	clean_trial(&t);
	lose_on_link(&t, 1);
	assert_verdict(&t, 0, TRIAL_FAIL, "lost 1 of 1000000, 0 of them refused: link 1 lost 1");
	assert_near(t.loss_ratio, 1e-6, 1e-12);
	assert_int_equal(trial_lost(&t), 1);
	/* The goal is inclusive. */
	assert_verdict(&t, 1e-6, TRIAL_PASS, "lost 1 of 1000000");
	assert_verdict(&t, 0.9e-6, TRIAL_FAIL,
		       "lost 1 of 1000000, 0 of them refused: link 1 lost 1");
}

static void
each_kind_of_loss_counts(void **state)
{
	struct trial t;

	(void)state;
	/* loss_ratio = (lost + drops + miss + refused) / intended */
	clean_trial(&t);
	refuse(&t, 1000);
	assert_verdict(&t, 0, TRIAL_FAIL,
		       "lost 1000 of 1000000, all refused at the generator's links");
	lose_on_link(&t, 200);
	t.ledger.hop[0].port[1].tx -= 30;
	ledger_drop(&t.ledger.hop[0], "tx_full", 30);
	t.ledger.gen[1].miss = 4;
	t.ledger.gen[1].rx -= 30;
	t.ledger.never_seen += 30;
	t.received -= 30;
	t.ok -= 30;
	ledger_close(&t.ledger, 0);
	trial_judge(&t, 0);
	assert_int_equal(t.verdict, TRIAL_FAIL);
	assert_int_equal(trial_lost(&t), 1000 + 200 + 30);
	assert_int_equal(t.ledger.lost, 196);
	assert_near(t.loss_ratio, 1230e-6, 1e-12);
	assert_string_equal(
		t.reason, "lost 1230 of 1000000, 1000 of them refused: vnf1 dropped 30 (tx_full); "
			  "link 1 lost 196; generator missed 4 at port 1");
}

static void
late_slots_say_nothing_about_the_chain(void **state)
{
	struct trial t;

	(void)state;
	/* 100 of 1,000,000 are just bearable, 101 are not; late is no loss either way. */
	clean_trial(&t);
	refuse(&t, 100);
	t.refused = 0;
	t.late = 100;
	assert_verdict(&t, 0, TRIAL_PASS, "lost 0 of 1000000");
	t.late = 101;
	t.sent--;
	t.noise.gap_max_ns = 4321000;
	assert_verdict(&t, 0, TRIAL_INVALID,
		       "the generator was late for 101 of 1000000 frames (longest gap 4321.0 us)");
	/* Even with loss: the burst after a gap may be to blame. */
	lose_on_link(&t, 500);
	trial_judge(&t, 0);
	assert_int_equal(t.verdict, TRIAL_INVALID);
}

static void
invalid_whatever_was_lost(void **state)
{
	struct trial t;

	(void)state;
	clean_trial(&t);
	t.interrupted = true;
	assert_verdict(&t, 0, TRIAL_INVALID, "interrupted");
	strcpy(t.fault, "vnf1 was killed by SIGSEGV");
	assert_verdict(&t, 0, TRIAL_INVALID, "interrupted: vnf1 was killed by SIGSEGV");
	t.interrupted = false;
	assert_verdict(&t, 0, TRIAL_INVALID, "vnf1 was killed by SIGSEGV");
	trial_init(&t, &(struct trial_spec){0});
	assert_verdict(&t, 0, TRIAL_INVALID, "no frame was due in the whole trial");
	assert_true(isnan(t.loss_ratio));
}

static void
duplicates_must_be_our_own(void **state)
{
	struct trial t;

	(void)state;
	clean_trial(&t);
	t.received += 2;
	t.duplicate = 2;
	t.ledger.gen[1].rx += 2;
	ledger_close(&t.ledger, 2);
	assert_true(t.ledger.balanced);
	assert_verdict(&t, 0, TRIAL_INVALID, "2 duplicates, of which the chain made 0");
	/* With fault injection on, they are. */
	t.ledger.hop[0].created = 2;
	t.ledger.hop[0].port[1].tx += 2;
	ledger_close(&t.ledger, 2);
	assert_verdict(&t, 0, TRIAL_PASS, "lost 0 of 1000000");
}

static void
accounting_must_hold(void **state)
{
	struct trial t;

	(void)state;
	clean_trial(&t);
	t.refused = 1;
	assert_verdict(&t, 0, TRIAL_INVALID,
		       "accounting: 1000000 slots, but 1000001 sent, refused or late");
	clean_trial(&t);
	t.ok--;
	assert_verdict(&t, 0, TRIAL_INVALID,
		       "accounting: 1000000 frames received, 999999 by kind, 1000000 by port");
	clean_trial(&t);
	t.sent--;
	t.intended--;
	assert_verdict(&t, 0, TRIAL_INVALID,
		       "accounting: 999999 slots were sent, 1000000 frames left the ports");
	clean_trial(&t);
	t.ledger.hop[0].port[1].tx -= 3;
	t.ledger.gen[1].rx -= 3;
	t.received = t.ok = N - 3;
	t.ledger.never_seen = 3;
	ledger_close(&t.ledger, 0);
	assert_verdict(&t, 0, TRIAL_INVALID, "accounting: vnf1 does not account for 3");
}

static void
what_arrives_must_be_right(void **state)
{
	static const char *const reasons[] = {
		"1 frames arrived corrupt",
		"1 frames arrived truncated",
		"1 frames arrived with another destination MAC than the port's",
		"1 frames came back to the port that sent them",
	};
	struct trial t;

	(void)state;
	/* Not even a goal that allows loss allows these. */
	for (unsigned i = 0; i < 4; i++) {
		uint64_t *kind[] = {&t.corrupt, &t.truncated, &t.misdelivered, &t.reflected};

		clean_trial(&t);
		t.ok--;
		*kind[i] = 1;
		assert_verdict(&t, 0.5, TRIAL_FAIL, reasons[i]);
		/* One event: it arrived, so it is not lost too. */
		assert_true(t.loss_ratio == 0);
	}
	clean_trial(&t);
	t.ok--;
	t.overdue = 1;
	assert_verdict(&t, 0, TRIAL_PASS, "lost 0 of 1000000");
}

static void
frames_that_never_leave_fail(void **state)
{
	struct trial t;

	(void)state;
	clean_trial(&t);
	lose_on_link(&t, 7);
	t.ledger.hop[0].port[1].tx -= 7;
	t.ledger.hop[0].in_flight = 7;
	ledger_close(&t.ledger, 0);
	assert_true(t.ledger.balanced);
	assert_verdict(&t, 0, TRIAL_FAIL, "7 frames were still inside the chain after the drain");
}

static void
unknown_hops_still_fail_by_what_is_missing(void **state)
{
	struct trial t;

	(void)state;
	clean_trial(&t);
	t.ledger.hop[0].known = false;
	ledger_close(&t.ledger, 0);
	assert_verdict(&t, 0, TRIAL_PASS, "lost 0 of 1000000");
	lose_on_link(&t, 5);
	assert_verdict(&t, 0, TRIAL_FAIL,
		       "lost 5 of 1000000, 0 of them refused: 5 lost where no counter can be read "
		       "(vnf1)");
	assert_int_equal(trial_lost(&t), 5);
}

static void
foreign_frames_do_not_hide_loss(void **state)
{
	struct trial t;

	(void)state;
	/* Ten ARPs that vnf1 received and dropped are no loss; one frame lost beside them is. */
	clean_trial(&t);
	t.ledger.hop[0].port[0].rx += 10;
	ledger_drop(&t.ledger.hop[0], "mac", 10);
	lose_on_link(&t, 0);
	trial_judge(&t, 0);
	assert_int_equal(t.verdict, TRIAL_PASS);
	lose_on_link(&t, 1);
	trial_judge(&t, 0);
	assert_int_equal(t.verdict, TRIAL_FAIL);
	assert_int_equal(trial_lost(&t), 1);
}

static char *
to_text(const struct trial *t)
{
	json_t *json = trial_to_json(t);
	char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(17));

	json_decref(json);
	assert_non_null(text);
	return text;
}

static void
assert_round_trip(const struct trial *t)
{
	json_t *json = trial_to_json(t);
	char *before = to_text(t), *after;
	struct trial back;
	struct err err;

	memset(&back, 0xee, sizeof(back));
	assert_int_equal(trial_from_json(&back, json, &err), 0);
	after = to_text(&back);
	assert_string_equal(before, after);
	assert_int_equal(back.verdict, t->verdict);
	assert_int_equal(back.spec.duration_ns, t->spec.duration_ns);
	assert_int_equal(back.class, t->class);
	assert_int_equal(back.noise.gaps_20us, t->noise.gaps_20us);
	assert_memory_equal(back.latency.count, t->latency.count, sizeof(back.latency.count));
	free(before);
	free(after);
	json_decref(json);
}

static void
json_round_trip(void **state)
{
	struct trial t;

	(void)state;
	trial_init(&t, &(struct trial_spec){0});
	assert_round_trip(&t);
	clean_trial(&t);
	refuse(&t, 3);
	lose_on_link(&t, 11);
	for (uint64_t ns = 900; ns < 4000000; ns += ns / 7)
		hist_record(&t.latency, ns);
	t.latency_accuracy_ns = 1500;
	t.noise.gap_max_ns = 1;
	t.noise.gaps_20us = 2;
	t.noise.steal_ns = 0;
	t.foreign = 12;
	t.spec.flat_out = true;
	trial_judge(&t, 0);
	assert_round_trip(&t);
	t.ledger.seq_unknown = true;
	t.interrupted = true;
	strcpy(t.fault, "stopped by the user");
	trial_judge(&t, 0);
	assert_round_trip(&t);
	t.inside[0] = (struct hop_times){.known = true, .tsc_hz = 2e9, .n_stages = 1};
	t.inside[0].total = (struct time_span){7, 700, 50, 48, 96, 99};
	assert_round_trip(&t);
}

static void
keys_are_stable(void **state)
{
	static const char *const keys[] = {
		"spec",	   "verdict",	 "class",
		"reason",  "loss_ratio", "elapsed_s",
		"slots",   "frames",	 "latency_accuracy_ns",
		"latency", "noise",	 "interrupted",
		"fault",   "ledger",
	};
	struct trial t;
	json_t *json, *value;
	const char *key;
	size_t i = 0;

	(void)state;
	clean_trial(&t);
	json = trial_to_json(&t);
	json_object_foreach(json, key, value)
		assert_string_equal(key, keys[i++]);
	assert_int_equal(i, sizeof(keys) / sizeof(keys[0]));
	/* Never judged: the ratio is not known, and that is not 0. */
	assert_true(json_is_null(json_object_get(json, "loss_ratio")));
	json_decref(json);
}

static void
broken_json_says_where(void **state)
{
	struct trial t, back;
	struct err err;
	json_t *json;

	(void)state;
	clean_trial(&t);
	json = trial_to_json(&t);
	json_object_set_new(json_object_get(json, "ledger"), "sent", json_integer(-1));
	assert_int_equal(trial_from_json(&back, json, &err), -EINVAL);
	assert_string_equal(err.msg, "ledger: sent: not an unsigned integer");
	json_object_set_new(json_object_get(json, "slots"), "late", json_string("x"));
	assert_int_equal(trial_from_json(&back, json, &err), -EINVAL);
	assert_string_equal(err.msg, "slots: late: not an unsigned integer");
	json_object_set_new(json, "class", json_string("odd"));
	assert_int_equal(trial_from_json(&back, json, &err), -EINVAL);
	assert_string_equal(err.msg, "class: 'odd' is none of valid, overload, fault, noisy");
	json_object_set_new(json, "verdict", json_string("maybe"));
	assert_int_equal(trial_from_json(&back, json, &err), -EINVAL);
	assert_string_equal(err.msg, "verdict: 'maybe' is none of pass, fail, invalid");
	json_decref(json);
}

static void
files_without_a_class_are_read(void **state)
{
	struct trial t, back;
	json_t *json;

	(void)state;
	clean_trial(&t);
	trial_judge(&t, 0);
	json = trial_to_json(&t);
	json_object_del(json, "class");
	assert_int_equal(trial_from_json(&back, json, NULL), 0);
	assert_int_equal(back.class, TRIAL_VALID);
	json_object_set_new(json, "verdict", json_string("invalid"));
	assert_int_equal(trial_from_json(&back, json, NULL), 0);
	assert_int_equal(back.class, TRIAL_NOISY);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_lost_passes),
		cmocka_unit_test(one_lost_frame_fails),
		cmocka_unit_test(each_kind_of_loss_counts),
		cmocka_unit_test(late_slots_say_nothing_about_the_chain),
		cmocka_unit_test(invalid_whatever_was_lost),
		cmocka_unit_test(duplicates_must_be_our_own),
		cmocka_unit_test(accounting_must_hold),
		cmocka_unit_test(what_arrives_must_be_right),
		cmocka_unit_test(frames_that_never_leave_fail),
		cmocka_unit_test(unknown_hops_still_fail_by_what_is_missing),
		cmocka_unit_test(foreign_frames_do_not_hide_loss),
		cmocka_unit_test(json_round_trip),
		cmocka_unit_test(keys_are_stable),
		cmocka_unit_test(broken_json_says_where),
		cmocka_unit_test(files_without_a_class_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
