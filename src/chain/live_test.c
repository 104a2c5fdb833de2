/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert_near.h"

#include "base/clock.h"

#include "live.h"

static json_t *
parse(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

/* A forwarder's answer as it gives it, shortened. */
static const char counters[] =
	"{\"at_ns\":5000000000,\"in_flight\":3,\"drops\":{\"tx_full\":4,\"l2fwd.foreign\":1},"
	"\"lcores\":[{\"lcore\":2,\"busy_tsc\":300,\"idle_tsc\":100}],"
	"\"ports\":[{\"rx\":100,\"tx\":7,\"miss\":2,\"held_ns\":10},"
	"{\"rx\":1,\"tx\":90,\"miss\":0,\"held_ns\":500000000}]}";

static void
a_hop_is_the_sum_of_its_ports(void **state)
{
	json_t *reply = parse(counters);
	struct live_hop h = {0};

	(void)state;
	live_take_hop(&h, reply);
	assert_true(h.known);
	assert_int_equal(h.at_ns, 5000000000);
	assert_int_equal(h.rx, 101);
	assert_int_equal(h.tx, 97);
	assert_int_equal(h.drops, 5);
	assert_int_equal(h.miss, 2);
	assert_int_equal(h.in_flight, 3);
	assert_int_equal(h.n_lcores, 1);
	assert_int_equal(h.lcore[0].id, 2);
	json_decref(reply);
}

static void
slots_are_known_where_the_generator_tells_them(void **state)
{
	json_t *stats = parse("{\"opackets\":10,\"ipackets\":2,\"obytes\":640,\"ibytes\":128}");
	json_t *streams = parse("{\"streams\":[{\"refused\":3,\"late\":1},{\"refused\":4}]}");
	struct live_port p = {0};

	(void)state;
	live_take_port(&p, stats, NULL);
	assert_false(p.knows_slots);
	assert_int_equal(p.sent, 10);
	assert_int_equal(p.received, 2);
	live_take_port(&p, stats, streams);
	assert_true(p.knows_slots);
	assert_int_equal(p.refused, 7);
	assert_int_equal(p.late, 1);
	json_decref(stats);
	json_decref(streams);
}

/* A port that has sent 'sent' and one that has received 'received', and one hop, at second 'at'. */
static struct live_sample
sample(uint64_t at, uint64_t sent, uint64_t received)
{
	struct live_sample s = {.at_ns = at * NSEC_PER_S, .n_ports = 2, .n_hops = 1};

	s.port[0].sent = sent;
	s.port[0].bytes_sent = 60 * sent;
	s.port[1].received = received;
	s.hop[0] = (struct live_hop){.known = true,
				     .knows_inside = true,
				     .at_ns = s.at_ns,
				     .rx = sent,
				     .tx = received,
				     .held_ns = at * NSEC_PER_S / 4,
				     .n_lcores = 1};
	s.hop[0].lcore[0].busy_tsc = 3 * at;
	s.hop[0].lcore[0].idle_tsc = at;
	return s;
}

static void
rates_are_of_the_time_between_samples(void **state)
{
	struct live_sample before = sample(10, 1000, 900), now = sample(12, 3000, 2700);

	(void)state;
	live_rates(&now, &before);
	assert_true(now.seconds == 2);
	assert_true(now.port[0].tx_pps == 1000);
	assert_true(now.port[0].tx_bps == 480000);
	assert_true(now.port[1].rx_pps == 900);
	assert_true(now.hop[0].rx_pps == 1000);
	assert_true(now.hop[0].tx_pps == 900);
	assert_true(now.hop[0].held == 0.25);
	assert_true(now.hop[0].lcore[0].busy == 0.75);
}

static void
without_two_samples_no_rate_is_known(void **state)
{
	struct live_sample none = {0}, now = sample(12, 3000, 2700);
	json_t *json;

	(void)state;
	live_rates(&now, &none);
	assert_true(now.seconds == 0);
	json = live_json(&now);
	assert_true(json_is_null(
		json_object_get(json_array_get(json_object_get(json, "ports"), 0), "tx_pps")));
	assert_true(json_is_null(json_object_get(json, "seconds")));
	json_decref(json);
}

static void
counting_starts_at_the_base(void **state)
{
	struct live_sample base = sample(10, 1000, 900), now = sample(12, 3000, 2700), grown;

	(void)state;
	live_since(&grown, &now, &base);
	assert_int_equal(grown.port[0].sent, 2000);
	assert_int_equal(grown.port[1].received, 1800);
	assert_int_equal(grown.hop[0].rx, 2000);
	/* Started again in between: what it has is since then. */
	now.hop[0].rx = 5;
	live_since(&grown, &now, &base);
	assert_int_equal(grown.hop[0].rx, 5);
}

static void
a_hop_that_does_not_answer_is_null_not_0(void **state)
{
	struct live_sample now = sample(12, 3000, 2700);
	json_t *json, *hop;

	(void)state;
	now.hop[0].known = false;
	json = live_json(&now);
	hop = json_array_get(json_object_get(json, "hops"), 0);
	assert_true(json_is_false(json_object_get(hop, "answers")));
	assert_true(json_is_null(json_object_get(hop, "rx")));
	assert_true(json_is_null(json_object_get(hop, "drops")));
	json_decref(json);
}

/* One that is not ours tells of its ports, and nobody knows what it has dropped. */
static void
drops_of_another_make_are_null_not_0(void **state)
{
	json_t *reply = parse("{\"at_ns\":5,\"ports\":[{\"rx\":7,\"tx\":0,\"miss\":1},"
			      "{\"rx\":0,\"tx\":6,\"miss\":0}]}");
	struct live_sample now = sample(12, 3000, 2700);
	json_t *json, *hop;

	(void)state;
	live_take_hop(&now.hop[0], reply);
	json = live_json(&now);
	hop = json_array_get(json_object_get(json, "hops"), 0);
	assert_int_equal(json_integer_value(json_object_get(hop, "rx")), 7);
	assert_int_equal(json_integer_value(json_object_get(hop, "miss")), 1);
	assert_true(json_is_null(json_object_get(hop, "drops")));
	assert_true(json_is_null(json_object_get(hop, "held_ratio")));
	assert_true(json_is_null(json_object_get(hop, "in_flight")));
	json_decref(json);
	json_decref(reply);
}

/* As TRex says it: beside the streams there is a member for all of them, and one of which nothing
 * has come says 0. */
static void
latency_is_the_mean_of_streams_that_have_one(void **state)
{
	json_t *stats = parse("{\"latency\":{\"g\":null,"
			      "\"7\":{\"er\":{},\"lat\":{\"average\":120.5,\"jit\":4}},"
			      "\"8\":{\"er\":{},\"lat\":{\"average\":79.5,\"jit\":2}},"
			      "\"9\":{\"er\":{},\"lat\":{\"average\":0.0,\"jit\":0}}}}");
	json_t *none = parse("{\"latency\":{\"g\":null}}");
	struct live_sample s = {0};

	(void)state;
	live_take_latency(&s, stats);
	assert_near(s.latency_us, 100, 1e-9);
	assert_near(s.jitter_us, 3, 1e-9);
	live_take_latency(&s, none);
	assert_true(s.latency_us < 0);
	live_take_latency(&s, NULL);
	assert_true(s.latency_us < 0 && s.jitter_us < 0);
	json_decref(none);
	json_decref(stats);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hop_is_the_sum_of_its_ports),
		cmocka_unit_test(slots_are_known_where_the_generator_tells_them),
		cmocka_unit_test(rates_are_of_the_time_between_samples),
		cmocka_unit_test(without_two_samples_no_rate_is_known),
		cmocka_unit_test(counting_starts_at_the_base),
		cmocka_unit_test(a_hop_that_does_not_answer_is_null_not_0),
		cmocka_unit_test(drops_of_another_make_are_null_not_0),
		cmocka_unit_test(latency_is_the_mean_of_streams_that_have_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
