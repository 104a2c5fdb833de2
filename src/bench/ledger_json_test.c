/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/test_random.h"

static void
random_ports(struct ledger_port *port)
{
	for (unsigned i = 0; i < 2; i++)
		port[i] =
			(struct ledger_port){rng_below(100000), rng_below(100000), rng_below(100)};
}

/* Counters without sense: JSON must carry any, good or bad. */
static void
random_ledger(struct ledger *l, size_t n_hops)
{
	memset(l, 0, sizeof(*l));
	random_ports(l->gen);
	l->never_seen = rng_below(1000);
	l->unidentified = rng_below(10);
	l->n_hops = n_hops;
	for (size_t i = 0; i < n_hops; i++) {
		struct ledger_hop *hop = &l->hop[i];

		snprintf(hop->name, sizeof(hop->name), "vnf%zu", i + 1);
		hop->known = true;
		hop->exact = true;
		random_ports(hop->port);
		hop->created = rng_below(10);
		hop->in_flight = rng_below(10);
		for (unsigned k = rng_below(4); k > 0; k--) {
			char name[24];

			snprintf(name, sizeof(name), "reason.%u[x]", k);
			ledger_drop(hop, name, rng_below(50));
		}
	}
}

static void
assert_round_trip(const struct ledger *l)
{
	json_t *json = ledger_to_json(l);
	char *text = json_dumps(json, 0);
	struct ledger back;
	struct err err;
	json_t *again;
	char *text_again;

	memset(&back, 0xee, sizeof(back));
	assert_int_equal(ledger_from_json(&back, json, &err), 0);
	again = ledger_to_json(&back);
	text_again = json_dumps(again, 0);
	assert_string_equal(text, text_again);
	assert_int_equal(back.lost_known, l->lost_known);
	assert_int_equal(back.lost, l->lost);
	assert_int_equal(back.n_hops, l->n_hops);
	free(text);
	free(text_again);
	json_decref(json);
	json_decref(again);
}

static void
json_round_trip(void **state)
{
	(void)state;
	rng_seed(__func__);
	for (unsigned run = 0; run < 200; run++) {
		struct ledger l;

		random_ledger(&l, rng_below(LEDGER_MAX_HOPS + 1));
		for (size_t i = 0; i < l.n_hops; i++) {
			l.hop[i].exact = rng_below(4) > 0;
			l.hop[i].known = rng_below(8) > 0;
		}
		l.seq_unknown = rng_below(4) == 0;
		ledger_close(&l, rng_below(10));
		assert_round_trip(&l);
	}
}

static void
what_is_known_comes_back_field_by_field(void **state)
{
	struct ledger l, back;
	struct err err;
	json_t *json;

	(void)state;
	rng_seed(__func__);
	random_ledger(&l, 3);
	ledger_close(&l, 2);
	json = ledger_to_json(&l);
	assert_int_equal(ledger_from_json(&back, json, &err), 0);
	assert_memory_equal(back.gen, l.gen, sizeof(l.gen));
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(back.hop[i].name, l.hop[i].name);
		assert_memory_equal(back.hop[i].port, l.hop[i].port, sizeof(l.hop[i].port));
		assert_memory_equal(back.hop[i].drop, l.hop[i].drop, sizeof(l.hop[i].drop));
		assert_int_equal(back.hop[i].in_flight, l.hop[i].in_flight);
	}
	assert_int_equal(back.never_seen, l.never_seen);
	assert_int_equal(back.residual, l.residual);
	assert_int_equal(back.disagreement, l.disagreement);
	assert_int_equal(back.balanced, l.balanced);
	json_decref(json);
}

static void
unknown_is_null_not_zero(void **state)
{
	struct ledger l;
	json_t *json, *hop;

	(void)state;
	rng_seed(__func__);
	random_ledger(&l, 2);
	l.hop[0].exact = false;
	l.hop[0].n_drops = 0;
	l.hop[1].known = false;
	l.seq_unknown = true;
	ledger_close(&l, 0);
	json = ledger_to_json(&l);
	assert_true(json_is_null(json_object_get(json, "lost")));
	assert_true(json_is_null(json_object_get(json, "never_seen")));
	assert_true(json_is_null(json_object_get(json, "disagreement")));
	hop = json_array_get(json_object_get(json, "hops"), 0);
	assert_true(json_is_array(json_object_get(hop, "ports")));
	assert_true(json_is_null(json_object_get(hop, "drops")));
	assert_true(json_is_null(json_object_get(hop, "in_flight")));
	hop = json_array_get(json_object_get(json, "hops"), 1);
	assert_true(json_is_null(json_object_get(hop, "ports")));
	json_decref(json);
}

/* A foreign hop that tells reasons of some drops: those are there, the rest stays unknown. */
static void
some_reasons_of_a_foreign_hop_are_told(void **state)
{
	struct ledger l, back;
	struct err err = {0};
	json_t *json, *hop;

	(void)state;
	rng_seed(__func__);
	random_ledger(&l, 1);
	l.hop[0].known = true;
	l.hop[0].exact = false;
	l.hop[0].n_drops = 0;
	ledger_drop(&l.hop[0], "tx_full", 7);
	ledger_close(&l, 0);
	json = ledger_to_json(&l);
	hop = json_array_get(json_object_get(json, "hops"), 0);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(hop, "drops"), "tx_full")), 7);
	assert_true(json_is_null(json_object_get(hop, "in_flight")));
	assert_int_equal(ledger_from_json(&back, json, &err), 0);
	assert_int_equal(back.hop[0].n_drops, 1);
	assert_false(back.hop[0].exact);
	json_decref(json);
}

static void
broken_json_says_where(void **state)
{
	struct ledger l, back;
	struct err err = {0};
	json_t *json, *hops;

	(void)state;
	rng_seed(__func__);
	random_ledger(&l, 2);
	ledger_close(&l, 0);
	json = ledger_to_json(&l);
	hops = json_object_get(json, "hops");
	json_object_set_new(json_array_get(hops, 1), "in_flight", json_string("none"));
	assert_int_equal(ledger_from_json(&back, json, &err), -EINVAL);
	assert_string_equal(err.msg, "hops[1]: in_flight: not an unsigned integer");
	for (unsigned i = 0; i < 20; i++)
		json_array_append(hops, json_array_get(hops, 0));
	assert_int_equal(ledger_from_json(&back, json, &err), -EINVAL);
	assert_string_equal(err.msg, "hops: not a list of at most 16");
	json_array_clear(hops);
	assert_int_equal(ledger_from_json(&back, json, &err), -EINVAL);
	assert_string_equal(err.msg, "links: not a list of one more than the hops");
	json_array_remove(json_object_get(json, "links"), 0);
	json_array_remove(json_object_get(json, "links"), 0);
	json_object_set_new(json, "lost", json_integer(INT64_MAX));
	assert_int_equal(ledger_from_json(&back, json, &err), -EINVAL);
	assert_string_equal(err.msg, "lost: not the sum over the links");
	json_object_del(json, "sent");
	assert_int_equal(ledger_from_json(&back, json, &err), -ENOENT);
	assert_string_equal(err.msg, "sent: missing");
	assert_true(ledger_from_json(&back, NULL, &err) < 0);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_round_trip),
		cmocka_unit_test(what_is_known_comes_back_field_by_field),
		cmocka_unit_test(unknown_is_null_not_zero),
		cmocka_unit_test(some_reasons_of_a_foreign_hop_are_told),
		cmocka_unit_test(broken_json_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
