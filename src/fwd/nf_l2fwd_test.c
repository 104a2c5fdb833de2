/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dpdk/rig.h"
#include "nfs.h"

/* The loop of l2fwd takes most frames by comparing them with an example, eight at a time.  Here it
 * is held against the rule itself, frame by frame: same verdicts, same bytes. */

#define N_PORTS 4
#define BUF_SIZE (RTE_PKTMBUF_HEADROOM + 128)
#define JUNK 0xa5

static struct slot {
	struct rte_mbuf m;
	uint8_t buf[BUF_SIZE];
} slots[NF_MAX_BURST];

static struct nf_conf conf;
static void *ctx;

static void
open_l2fwd(bool mac_updating, bool promiscuous)
{
	char why[64];

	memset(&conf, 0, sizeof(conf));
	conf.n_ports = N_PORTS;
	conf.mac_updating = mac_updating;
	conf.promiscuous = promiscuous;
	for (uint16_t i = 0; i < N_PORTS; i++) {
		memcpy(conf.port[i].addr, (const uint8_t[6]){0x02, 0, 0, 7, 1, (uint8_t)i}, 6);
		memcpy(conf.port[i].dest, (const uint8_t[6]){0x02, 0, 0, 9, 2, (uint8_t)i}, 6);
		conf.port[i].pair = i ^ 1;
	}
	assert_int_equal(nf_l2fwd.open(&conf, 1, &ctx, why, sizeof(why)), 0);
}

/* What can be told apart about a frame.  PLAIN is what the others differ from. */
enum kind {
	PLAIN,
	FOREIGN,
	FOREIGN_IN_ITS_LAST_BYTE,
	BROADCAST,
	MULTICAST,
	OF_ANOTHER_PORT,
	FOR_THE_FIRST_PORT_ON_ANOTHER,
	FROM_ANOTHER_SENDER,
	AT_ANOTHER_OFFSET,
	FOREIGN_AT_ANOTHER_OFFSET,
	IN_A_SHARED_BUFFER,
	IN_SEGMENTS,
	REWRITTEN_ALREADY, /* as the loop leaves them: foreign */
	N_KINDS,
};

static void
address_frame(enum kind kind, uint16_t port, uint8_t *data)
{
	uint8_t *dst = data, *src = data + 6;

	memcpy(dst, conf.port[port].addr, 6);
	memcpy(src, (const uint8_t[6]){0x02, 0, 3, 4, 5, 6}, 6);
	if (kind == FOREIGN || kind == FOREIGN_AT_ANOTHER_OFFSET)
		memcpy(dst, (const uint8_t[6]){0x06, 1, 2, 3, 4, 5}, 6);
	else if (kind == FOREIGN_IN_ITS_LAST_BYTE)
		dst[5] ^= 0x40;
	else if (kind == BROADCAST)
		memset(dst, 0xff, 6);
	else if (kind == MULTICAST)
		memcpy(dst, (const uint8_t[6]){0x01, 0, 0x5e, 1, 2, 3}, 6);
	else if (kind == FOR_THE_FIRST_PORT_ON_ANOTHER)
		memcpy(dst, conf.port[0].addr, 6);
	else if (kind == FROM_ANOTHER_SENDER)
		src[1] = 0x77;
	else if (kind == REWRITTEN_ALREADY)
		memcpy(dst, conf.port[conf.port[port].pair].dest, 6);
}

static void
make_frame(struct slot *s, enum kind kind)
{
	struct rte_mbuf *m = &s->m;

	for (size_t i = 0; i < BUF_SIZE; i++)
		s->buf[i] = (uint8_t)(i * 7 + 1);
	memset(m, 0, sizeof(*m));
	m->buf_addr = s->buf;
	m->buf_len = BUF_SIZE;
	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->nb_segs = 1;
	m->data_len = 60;
	rte_mbuf_refcnt_set(m, 1);
	if (kind == OF_ANOTHER_PORT || kind == FOR_THE_FIRST_PORT_ON_ANOTHER)
		m->port = 2;
	else if (kind == AT_ANOTHER_OFFSET || kind == FOREIGN_AT_ANOTHER_OFFSET)
		m->data_off = RTE_PKTMBUF_HEADROOM - 6;
	else if (kind == IN_A_SHARED_BUFFER)
		rte_mbuf_refcnt_set(m, 2);
	else if (kind == IN_SEGMENTS)
		m->nb_segs = 2;
	address_frame(kind, m->port, rte_pktmbuf_mtod(m, uint8_t *));
}

/* The rule: gives the verdict, and leaves the bytes that are to be in 'buf'. */
static uint8_t
by_the_rule(const struct rte_mbuf *m, uint8_t *buf)
{
	const struct nf_port *in = &conf.port[m->port], *out = &conf.port[in->pair];
	uint8_t *data = buf + m->data_off;

	if (!conf.promiscuous && (data[0] & 1) == 0 && memcmp(data, in->addr, 6) != 0)
		return NF_DROP(0);
	if (conf.mac_updating) {
		memcpy(data, out->dest, 6);
		memcpy(data + 6, out->addr, 6);
	}
	return NF_FORWARD;
}

/* Runs a burst of frames of the given kinds, and compares. */
static void
check_burst(const enum kind *kinds, uint16_t n)
{
	static uint8_t want[NF_MAX_BURST][BUF_SIZE];
	struct rte_mbuf *frames[NF_MAX_BURST];
	uint8_t verdict[NF_MAX_BURST + 64], wanted[NF_MAX_BURST];

	for (uint16_t i = 0; i < n; i++) {
		make_frame(&slots[i], kinds[i]);
		frames[i] = &slots[i].m;
		memcpy(want[i], slots[i].buf, BUF_SIZE);
		wanted[i] = by_the_rule(frames[i], want[i]);
	}
	memset(verdict, JUNK, sizeof(verdict));
	nf_l2fwd.burst(ctx, frames, n, verdict);
	assert_memory_equal(verdict, wanted, n);
	for (uint16_t i = 0; i < n; i++)
		assert_memory_equal(slots[i].buf, want[i], BUF_SIZE);
	for (size_t i = n; i < sizeof(verdict); i++)
		assert_int_equal(verdict[i], JUNK);
}

/* One odd frame at each place of a burst of each length. */
static void
one_of_each_kind_at_each_place(void)
{
	enum kind kinds[64] = {PLAIN};

	for (enum kind odd = 0; odd < N_KINDS; odd++) {
		for (uint16_t n = 1; n <= 64; n++) {
			for (uint16_t at = 0; at < n; at++) {
				kinds[at] = odd;
				check_burst(kinds, n);
				kinds[at] = PLAIN;
			}
		}
	}
}

/* Bursts of any length and mixture: 'rarity' 1 has only odd ones, 1000 hardly any. */
static void
mixtures(void)
{
	static const long rarities[] = {1, 2, 3, 10, 1000};

	srandom(28);
	for (unsigned k = 0; k < 2000; k++) {
		const uint16_t n = (uint16_t)(1 + random() % NF_MAX_BURST);
		const long rarity = rarities[random() % 5];
		enum kind kinds[NF_MAX_BURST];

		for (uint16_t i = 0; i < n; i++)
			kinds[i] = random() % rarity == 0 ? (enum kind)(random() % N_KINDS) : PLAIN;
		check_burst(kinds, n);
	}
}

static void
check_setting(bool mac_updating, bool promiscuous)
{
	open_l2fwd(mac_updating, promiscuous);
	one_of_each_kind_at_each_place();
	mixtures();
	nf_l2fwd.close(&ctx, 1);
}

static void
own_frames_are_rewritten_and_foreign_ones_dropped(void **state)
{
	(void)state;
	check_setting(true, false);
}

static void
promiscuous_rewrites_all(void **state)
{
	(void)state;
	check_setting(true, true);
}

static void
without_mac_updating_foreign_ones_are_dropped(void **state)
{
	(void)state;
	check_setting(false, false);
}

static void
promiscuous_without_mac_updating_touches_nothing(void **state)
{
	(void)state;
	check_setting(false, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_frames_are_rewritten_and_foreign_ones_dropped),
		cmocka_unit_test(promiscuous_rewrites_all),
		cmocka_unit_test(without_mac_updating_foreign_ones_are_dropped),
		cmocka_unit_test(promiscuous_without_mac_updating_touches_nothing),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
