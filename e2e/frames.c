/* SPDX-License-Identifier: MIT */
/* In a generator's place: sends frames of any length and content into port 0, lets them pile up
 * behind the chain until its rings are nearly full, and compares each that comes out of port 1 byte
 * for byte.  Frames can be made again from their numbers, so none is kept.
 *
 *     e2e-frames COUNT WINDOW MIN MAX TAGS LOSSY HOP-MAC OUR-MAC -- EAL
 *
 * Prints one line of JSON, and stays until it is ended: its links are the chain's. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_mbuf.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "dpdk/eal.h"
#include "dpdk/port.h"
#include "frame_make.h"
#include "pkt/frame.h"

#define MEMORY_MB 512
#define BURST 32
#define SILENCE_MS 15000
#define LOSSY_SILENCE_MS 1500
#define SEED 4711
#define MACS 12

struct job {
	uint64_t count, window;
	bool lossy; /* the link drops what it has no room for, and nobody waits */
	uint8_t ours[6];
	uint64_t late_from, late_end; /* of the window before: what has not come yet */
	struct port port[2];
	struct rte_mempool *pool;
	struct frame_maker maker;

	/* What became of them. */
	uint64_t sent, foreign, received, changed, lost, wrong_mac, extra, largest, bytes;
};

/* ---- out and in ---- */

static struct rte_mbuf *
next_mbuf(struct job *j, uint64_t i)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(j->pool);
	unsigned len = frame_make(&j->maker, i);
	char *data = m != NULL ? rte_pktmbuf_append(m, (uint16_t)len) : NULL;

	if (data == NULL) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	memcpy(data, j->maker.frame, len);
	j->largest = RTE_MAX(j->largest, len);
	j->bytes += len;
	j->foreign += frame_is_foreign(i);
	return m;
}

/* Sends frame 'i', however often that takes. */
static bool
send_one(struct job *j, uint64_t i)
{
	struct deadline d = deadline_in_ms(SILENCE_MS);
	struct rte_mbuf *m = next_mbuf(j, i);

	while (m != NULL && rte_eth_tx_burst(j->port[0].id, 0, &m, 1) == 0) {
		if (deadline_passed(&d))
			return false;
		sched_yield();
	}
	j->sent += m != NULL;
	return m != NULL;
}

/* Is this frame 'i' but for its addresses? */
static bool
is_frame(struct job *j, const struct rte_mbuf *m, uint64_t i)
{
	unsigned len = frame_make(&j->maker, i);

	return m->nb_segs == 1 && m->pkt_len == len &&
	       memcmp(rte_pktmbuf_mtod_offset(m, char *, MACS), j->maker.frame + MACS,
		      len - MACS) == 0;
}

/* Is it one that we had given up?  Then it was not lost. */
static bool
is_late(struct job *j, const struct rte_mbuf *m)
{
	for (uint64_t i = j->late_from; i < j->late_end; i++)
		if (!frame_is_foreign(i) && is_frame(j, m, i)) {
			j->late_from = i + 1;
			j->lost--;
			return true;
		}
	return false;
}

/* Which of the frames from '*next' to 'end' is it?  What was passed over was lost. */
static void
judge(struct job *j, const struct rte_mbuf *m, uint64_t *next, uint64_t end)
{
	uint64_t passed = 0, i = *next;

	for (; i < end; i++) {
		if (frame_is_foreign(i))
			continue;
		if (is_frame(j, m, i))
			break;
		passed++;
	}
	j->received++;
	if (memcmp(rte_pktmbuf_mtod(m, char *), j->ours, 6) != 0)
		j->wrong_mac++;
	if (i < end) {
		j->lost += passed;
		*next = i + 1;
		return;
	}
	if (is_late(j, m))
		return;
	/* None: it takes the place of the one that was due. */
	for (i = *next; i < end && frame_is_foreign(i); i++)
		;
	if (i < end)
		j->changed++;
	else
		j->extra++;
	*next = i < end ? i + 1 : end;
}

static uint64_t
due(uint64_t from, uint64_t end)
{
	uint64_t n = 0;

	for (uint64_t i = from; i < end; i++)
		n += !frame_is_foreign(i);
	return n;
}

/* Takes what comes until all has, or nothing does any more. */
static bool
receive(struct job *j, uint64_t next, uint64_t end)
{
	unsigned patience_ms = j->lossy ? LOSSY_SILENCE_MS : SILENCE_MS;
	struct deadline d = deadline_in_ms(patience_ms);

	while (due(next, end) > 0 && !deadline_passed(&d)) {
		struct rte_mbuf *m[BURST];
		uint16_t n = rte_eth_rx_burst(j->port[1].id, 0, m, BURST);

		for (uint16_t i = 0; i < n; i++)
			judge(j, m[i], &next, end);
		rte_pktmbuf_free_bulk(m, n);
		if (n > 0)
			d = deadline_in_ms(patience_ms);
		else
			sched_yield();
	}
	j->late_from = next;
	j->late_end = end;
	j->lost += due(next, end);
	return j->lossy || due(next, end) == 0;
}

static bool
run(struct job *j)
{
	for (uint64_t i = 0; i < j->count;) {
		uint64_t first = i, end = RTE_MIN(i + j->window, j->count);

		for (; i < end; i++)
			if (!send_one(j, i))
				return false;
		if (!receive(j, first, end))
			return false;
	}
	return true;
}

/* ---- begin and end ---- */

static int
open_ports(struct job *j, struct err *err)
{
	unsigned n = (unsigned)(8 * j->window) + 8192;
	struct port_conf conf = {.n_rxq = 1,
				 .n_txq = 1,
				 .rxd = (uint16_t)rte_align32pow2((uint32_t)j->window),
				 .max_len = (uint16_t)j->maker.max};
	int rc = 0;

	conf.txd = conf.rxd;
	if (rte_eth_dev_count_avail() != 2)
		return err_usage(err, "%u ports, and two are needed", rte_eth_dev_count_avail());
	j->pool = rte_pktmbuf_pool_create("frames", n, 256, 0, port_buffer_size(conf.max_len),
					  SOCKET_ID_ANY);
	if (j->pool == NULL)
		return err_machine(err, "no memory for %u buffers", n);
	conf.pool = j->pool;
	for (uint16_t i = 0; rc == 0 && i < 2; i++)
		rc = port_open(&j->port[i], i, &conf, err);
	return rc;
}

static int
parse(struct job *j, char **argv, struct err *err)
{
	int rc;

	j->maker.seed = SEED;
	j->count = strtoull(argv[1], NULL, 10);
	j->window = strtoull(argv[2], NULL, 10);
	j->maker.min = (unsigned)strtoul(argv[3], NULL, 10);
	j->maker.max = (unsigned)strtoul(argv[4], NULL, 10);
	j->maker.tags = strcmp(argv[5], "0") != 0;
	j->lossy = strcmp(argv[6], "0") != 0;
	rc = mac_parse(argv[7], j->maker.hop, err);
	return rc == 0 ? mac_parse(argv[8], j->ours, err) : rc;
}

/* Not every kind of link makes us wait for who is at its other end: SIGUSR1 says that all are. */
static void
hold_go(void)
{
	sigset_t go;

	sigemptyset(&go);
	sigaddset(&go, SIGUSR1);
	sigprocmask(SIG_BLOCK, &go, NULL);
}

static void
await_go(void)
{
	sigset_t go;
	int signum;

	printf("ready\n");
	fflush(stdout);
	sigemptyset(&go);
	sigaddset(&go, SIGUSR1);
	sigwait(&go, &signum);
}

int
main(int argc, char **argv)
{
	static struct job j;
	struct eal eal = {0};
	struct err err = {0};
	int rc = argc < 10 ? err_usage(&err, "too few arguments") : parse(&j, argv, &err);
	bool all = false;

	hold_go();
	argv[9] = argv[0];
	if (rc == 0)
		rc = eal_start(&eal, argc - 9, argv + 9, MEMORY_MB, &err);
	if (rc == 0)
		rc = open_ports(&j, &err);
	if (rc < 0) {
		fprintf(stderr, "e2e-frames: %s\n", err.msg);
		return 1;
	}
	await_go();
	all = run(&j);
	printf("{\"all\": %s, \"sent\": %lu, \"foreign\": %lu, \"received\": %lu, \"changed\": "
	       "%lu, "
	       "\"lost\": %lu, \"wrong_mac\": %lu, \"extra\": %lu, \"largest\": %lu, \"bytes\": "
	       "%lu}\n",
	       all ? "true" : "false", j.sent, j.foreign, j.received, j.changed, j.lost,
	       j.wrong_mac, j.extra, j.largest, j.bytes);
	fflush(stdout);
	for (;;)
		pause();
}
