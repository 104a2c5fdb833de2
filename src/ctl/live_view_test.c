/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/test_random.h"

#include "live_view.h"

static struct live_history history;

/* Two ports and 'n_hops' hops under way; 32 frames of 586 126 are missing. */
static struct live_sample
busy_chain(size_t n_hops)
{
	struct live_sample s = {.n_ports = 2,
				.n_hops = n_hops,
				.seconds = 1,
				.generator_busy = 0.42,
				.latency_us = -1,
				.jitter_us = -1};

	s.port[0] = (struct live_port){.state = "TX",
				       .sent = 586126,
				       .knows_slots = true,
				       .refused = 7,
				       .tx_pps = 195300,
				       .tx_bps = 1e8};
	s.port[1] = (struct live_port){
		.state = "IDLE", .received = 586094, .rx_pps = 195290, .rx_bps = 1e8};
	for (size_t i = 0; i < n_hops; i++) {
		struct live_hop *h = &s.hop[i];
		char *name = xasprintf("vnf%zu", i + 1);

		*h = (struct live_hop){.known = true,
				       .knows_inside = true,
				       .rx_pps = 195300,
				       .tx_pps = 195290,
				       .held = 0.25,
				       .n_lcores = 1};
		str_copy(h->name, sizeof(h->name), name);
		h->lcore[0] = (struct live_lcore){.id = 0, .busy = 0.37};
		free(name);
	}
	return s;
}

static char *
show(const struct live_sample *s, unsigned cols, unsigned rows, bool colours)
{
	const struct live_view v = {.title = "snake",
				    .clock = "12:34:56",
				    .now = s,
				    .history = &history,
				    .base_s = 3,
				    .message = "",
				    .keys = "q quit",
				    .colours = colours};

	return live_view_text(&v, cols, rows);
}

static void
a_chain_as_it_looks(void **state)
{
	static const char expected[] =
		"snake                                                                   12:34:56\n"
		"gen:0 ==> vnf1 ==> gen:1\n"
		"                port 0 sending       port 1 idle\n"
		"tx                  195.3 kpps             0 pps\n"
		"                      100 Mb/s             0 b/s\n"
		"rx                       0 pps        195.3 kpps\n"
		"                         0 b/s          100 Mb/s\n"
		"sent                   586 126                 0\n"
		"received                     0           586 094\n"
		"refused                      7                 ?\n"
		"late                         0                 ?\n"
		"busy        42 %\n"
		"missing     32 of 586 126 (0.00546 %) in 3 s: dropped, lost or under way\n"
		"hop                  rx         tx      drops   missed  held  busy by lcore\n"
		"vnf1         195.3 kpps 195.3 kpps          0        0  25 %  0 ####...... 37 "
		"%\n"
		"rate        195.3 kpps         \xe2\x96\x88\n"
		"\n\n\n\n\n\n"
		"\n"
		"q quit\n";
	struct live_sample s = busy_chain(1);
	char *text;

	(void)state;
	history = (struct live_history){.n = 1, .rx_pps = {195290}, .latency_us = {-1}};
	text = show(&s, 80, 24, false);
	assert_string_equal(text, expected);
	free(text);
}

/* Columns of each line, and lines. */
static void
fits(const char *text, unsigned cols, unsigned rows)
{
	unsigned n = 0, used = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\033') {
			text = strchr(text, 'm');
			assert_non_null(text);
		} else if (*text == '\n') {
			n++;
			used = 0;
		} else if (((unsigned char)*text & 0xc0) != 0x80) {
			assert_true(++used <= cols);
		}
	}
	assert_int_equal(used, 0);
	assert_true(n <= rows);
}

static void
no_size_is_too_small(void **state)
{
	(void)state;
	rng_seed(__func__);
	history = (struct live_history){.n = 1};
	for (int i = 0; i < 2000; i++) {
		unsigned cols = 20 + rng_below(200), rows = 1 + rng_below(60);
		struct live_sample s = busy_chain(rng_below(CHAIN_MAX_HOPS + 1));
		char *text;

		s.latency_us = rng_below(2) == 0 ? -1 : 12.5;
		s.hop[0].known = rng_below(2) == 0;
		s.port[0].sent = UINT64_MAX / 2;
		text = show(&s, cols, rows, rng_below(2) == 0);
		fits(text, cols, rows < 2 ? 2 : rows);
		free(text);
	}
}

static void
hops_without_room_are_counted(void **state)
{
	struct live_sample s = busy_chain(12);
	char *text = show(&s, 80, 24, false);

	(void)state;
	assert_non_null(strstr(text, "\nvnf5 "));
	assert_null(strstr(text, "\nvnf7 "));
	assert_non_null(strstr(text, " more\n"));
	assert_non_null(strstr(text, "q quit\n"));
	free(text);
}

static void
one_frame_of_many_is_seen(void **state)
{
	struct live_sample s = busy_chain(1);
	char *text;

	(void)state;
	s.port[0].sent = 4000000000;
	s.port[1].received = 3999999999;
	text = show(&s, 80, 24, false);
	assert_non_null(strstr(text, "missing     1 of 4 000 000 000 (2.5e-08 %)"));
	free(text);
}

static void
sparklines_scale_to_their_largest(void **state)
{
	static const double values[] = {9, 0, 5, 10, -1};
	char *text = live_sparkline(values, N_ELEMS(values), 4);

	(void)state;
	assert_string_equal(text, "\xe2\x96\x81\xe2\x96\x85\xe2\x96\x88 ");
	free(text);
}

static void
history_forgets_the_oldest(void **state)
{
	struct live_sample s = busy_chain(0);

	(void)state;
	history = (struct live_history){0};
	for (int i = 0; i < LIVE_HISTORY + 5; i++) {
		s.port[1].rx_pps = i;
		live_remember(&history, &s);
	}
	assert_int_equal(history.n, LIVE_HISTORY);
	assert_true(history.rx_pps[0] == 5);
	assert_true(history.rx_pps[LIVE_HISTORY - 1] == LIVE_HISTORY + 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_as_it_looks),
		cmocka_unit_test(no_size_is_too_small),
		cmocka_unit_test(hops_without_room_are_counted),
		cmocka_unit_test(one_frame_of_many_is_seen),
		cmocka_unit_test(sparklines_scale_to_their_largest),
		cmocka_unit_test(history_forgets_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
