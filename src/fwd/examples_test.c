/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <dlfcn.h>

#include "nf_load.h"
#include "pkt/cksum.h"
#include "pkt/frame.h"

/* The example functions, loaded as the forwarder does, on single frames. */

#define N_LCORES 3
#define IP FRAME_L2
#define UDP (IP + FRAME_IPV4)

static const char *paths[2]; /* of nf_deny.so and nf_ttl.so */

struct loaded {
	const struct nf *nf;
	void *lib;
	void *ctx[N_LCORES];
};

static int
try_open(struct loaded *l, const char *path, const char *args, char *why, size_t why_size)
{
	const struct nf_conf conf = {.args = args};
	struct err err = {0};

	memset(l, 0, sizeof(*l));
	l->nf = nf_load(path, &l->lib, &err);
	if (l->nf == NULL)
		fail_msg("%s", err.msg);
	return l->nf->open(&conf, N_LCORES, l->ctx, why, why_size);
}

static void
unload(struct loaded *l, int rc)
{
	if (rc == 0 && l->nf->close != NULL)
		l->nf->close(l->ctx, N_LCORES);
	dlclose(l->lib);
}

/* The verdict on a frame of 'len' bytes. */
static uint8_t
verdict_on(const struct loaded *l, uint8_t *frame, uint16_t len)
{
	struct rte_mbuf m = {.buf_addr = frame, .data_len = len, .pkt_len = len, .nb_segs = 1};
	struct rte_mbuf *frames[1] = {&m};
	uint8_t verdict = 0xff;

	l->nf->burst(l->ctx[N_LCORES - 1], frames, 1, &verdict);
	return verdict;
}

static const char *
reason_of(const struct loaded *l, uint8_t verdict)
{
	return NF_IS_DROP(verdict) ? l->nf->drop_reasons[NF_VALUE(verdict)] : "forward";
}

static void
build(uint8_t *frame, bool ipv6)
{
	struct frame_spec spec;
	struct err err;

	frame_spec_init(&spec);
	spec.ipv6 = ipv6;
	spec.size = 100;
	assert_int_equal(frame_build(&spec, frame, 96, &err), 96);
}

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
deny_drops_by_ports(void **state)
{
	static const struct {
		unsigned src, dst;
		const char *want;
	} rows[] = {
		{1, 53, "denied"},     {1, 54, "forward"},    {53, 1, "forward"},
		{1, 7999, "forward"},  {1, 8000, "denied"},   {1, 8100, "denied"},
		{1, 8101, "forward"},  {49152, 1, "denied"},  {49155, 65535, "denied"},
		{49156, 1, "forward"}, {65535, 1, "forward"}, {0, 0, "forward"},
	};
	struct loaded l;
	char why[128];
	uint8_t frame[96];

	(void)state;
	assert_int_equal(try_open(&l, paths[0], "53,8000-8100,src=49152-49155", why, sizeof(why)),
			 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int v = 0; v < 4; v++) {
			unsigned l4 = v & 1 ? IP + FRAME_IPV6 : UDP;

			build(frame, v & 1);
			frame[v & 1 ? IP + 6 : IP + 9] = v & 2 ? 6 : 17;
			put16(frame + l4, rows[i].src);
			put16(frame + l4 + 2, rows[i].dst);
			assert_string_equal(reason_of(&l, verdict_on(&l, frame, 96)), rows[i].want);
		}
	unload(&l, 0);
}

static void
deny_does_not_read_what_is_not_there(void **state)
{
	struct loaded l;
	char why[128];
	uint8_t frame[96];

	(void)state;
	assert_int_equal(try_open(&l, paths[0], "9", why, sizeof(why)), 0);
	build(frame, false);
	for (uint16_t len = 0; len <= 96; len++)
		assert_string_equal(reason_of(&l, verdict_on(&l, frame, len)),
				    len < UDP + 4 ? "forward" : "denied");
	frame[IP + 9] = 1; /* ICMP */
	assert_int_equal(verdict_on(&l, frame, 96), NF_FORWARD);
	frame[IP + 7] = 1; /* not the first fragment */
	assert_string_equal(reason_of(&l, verdict_on(&l, frame, 96)), "fragment");
	frame[13] = 6; /* ARP */
	assert_int_equal(verdict_on(&l, frame, 96), NF_FORWARD);
	unload(&l, 0);
}

static void
deny_says_what_it_wants(void **state)
{
	static const char *const bad[] = {"",	   "x",	   "53,", "70000", "2-1",
					  "1-2-3", "src=", "-1",  "53 "};
	struct loaded l;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char why[128] = "";
		int rc = try_open(&l, paths[0], bad[i], why, sizeof(why));

		assert_true(rc < 0);
		assert_string_equal(why, "which ports? (53,8000-8100,src=49152)");
		unload(&l, rc);
	}
}

static void
ttl_keeps_the_checksum_right(void **state)
{
	struct loaded l;
	char why[128];

	(void)state;
	assert_int_equal(try_open(&l, paths[1], "", why, sizeof(why)), 0);
	for (unsigned ttl = 0; ttl <= 255; ttl++)
		for (unsigned id = 0; id < 65536; id += 257) {
			uint8_t frame[96];

			build(frame, false);
			frame[IP + 8] = (uint8_t)ttl;
			put16(frame + IP + 4, id);
			put16(frame + IP + 10, cksum_ipv4(frame + IP, FRAME_IPV4));
			assert_string_equal(reason_of(&l, verdict_on(&l, frame, 96)),
					    ttl <= 1 ? "expired" : "forward");
			assert_int_equal(frame[IP + 8], ttl <= 1 ? ttl : ttl - 1);
			assert_int_equal(cksum_finish(cksum_add(0, frame + IP, FRAME_IPV4)), 0);
		}
	unload(&l, 0);
}

static void
ttl_knows_ipv6_and_short_frames(void **state)
{
	struct loaded l;
	char why[128];
	uint8_t frame[96];

	(void)state;
	assert_int_equal(try_open(&l, paths[1], "", why, sizeof(why)), 0);
	build(frame, true);
	assert_int_equal(verdict_on(&l, frame, 96), NF_FORWARD);
	assert_int_equal(frame[IP + 7], 63);
	assert_string_equal(reason_of(&l, verdict_on(&l, frame, IP + FRAME_IPV6 - 1)), "short");
	frame[IP + 7] = 1;
	assert_string_equal(reason_of(&l, verdict_on(&l, frame, 96)), "expired");
	build(frame, false);
	assert_string_equal(reason_of(&l, verdict_on(&l, frame, IP + FRAME_IPV4 - 1)), "short");
	assert_int_equal(verdict_on(&l, frame, 13), NF_FORWARD);
	assert_int_equal(frame[IP + 8], 64);
	unload(&l, 0);
	assert_true(try_open(&l, paths[1], "3", why, sizeof(why)) < 0);
	assert_string_equal(why, "takes no arguments, not '3'");
	unload(&l, -1);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deny_drops_by_ports),
		cmocka_unit_test(deny_does_not_read_what_is_not_there),
		cmocka_unit_test(deny_says_what_it_wants),
		cmocka_unit_test(ttl_keeps_the_checksum_right),
		cmocka_unit_test(ttl_knows_ipv6_and_short_frames),
	};

	if (argc != 3)
		return 2;
	paths[0] = argv[1];
	paths[1] = argv[2];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
