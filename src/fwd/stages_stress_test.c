/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_bus_vdev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_eventdev.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/test_random.h"
#include "dpdk/rig.h"
#include "forwarder.h"
#include "nfs.h"
#include "stage_times.h"
#include "stages.h"

/* Millions of frames through several lcores that share the CPUs there are: order and exclusivity of
 * each flow, and the books, also across pauses and a stop under load.
 *
 * For more, NFVCHAIN_STRESS_FRAMES=100000000 gives each variant so many, and NFVCHAIN_STRESS_ONLY=4
 * runs the fifth alone. */

#define N_LCORES 4 /* receive and send, schedule, two workers */
#define N_FLOWS 509
#define N_SOURCE 8191
#define RING_ROOM 1024
#define PATIENCE_MS 600000
#define FRAME_LEN 64
#define ALL_FRAMES 10000000u
#define HOT_FRAMES 20000 /* then other flows are the heavy ones */
#define PAUSE_FRAMES 300000

struct payload {
	uint32_t flow;
	uint32_t seq; /* within the flow, from 1 */
} __attribute__((packed));
#define PAYLOAD_AT 42

/* ---- the function that watches: who else is in this flow, and did it go backwards ---- */

static struct {
	_Atomic uint32_t owner; /* number of the lcore that has it, plus 1 */
	uint32_t last;		/* sequence that was seen last */
} watched[N_FLOWS];

static bool exclusive; /* the order of service promises it */
static _Atomic uint64_t intrusions, backwards;
static uint32_t watcher[N_LCORES];

static struct payload *
payload_of(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, struct payload *, PAYLOAD_AT);
}

static void
watch_burst(void *ctx, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict)
{
	const uint32_t me = *(uint32_t *)ctx;

	for (uint16_t i = 0; i < n; i++) {
		const struct payload *p = payload_of(frames[i]);
		uint32_t nobody = 0;

		/* One in a thousand, over all flows, is dropped in place. */
		verdict[i] = (uint8_t)(p->seq % 1021 == 0 ? NF_DROP(0) : NF_FORWARD);
		if (!atomic_compare_exchange_strong(&watched[p->flow].owner, &nobody, me) &&
		    nobody != me)
			atomic_fetch_add(&intrusions, 1);
		if (exclusive && p->seq <= watched[p->flow].last)
			atomic_fetch_add(&backwards, 1);
		watched[p->flow].last = p->seq;
	}
	/* Whoever could come in between gets the chance. */
	if (payload_of(frames[0])->seq % 64 == 0)
		sched_yield();
	for (uint16_t i = 0; i < n; i++)
		atomic_store(&watched[payload_of(frames[i])->flow].owner, 0);
}

static const char *const watch_reasons[] = {"chosen", NULL};

static const struct nf nf_watch = {NF_HEADER, .name = "watch", .drop_reasons = watch_reasons,
				   .burst = watch_burst};

/* ---- the links: rings that a thread of the test fills and empties ---- */

static struct {
	struct rte_ring *in[2], *out[2];
	struct rte_mempool *source;
	uint32_t next_seq[N_FLOWS]; /* that will be sent */
	uint32_t last_seq[N_FLOWS]; /* that came out last */
	uint64_t n_in, n_out, reordered, wrong;
	uint64_t to_send;
	bool in_order; /* a flow leaves as it came */
	_Atomic bool stop;
	struct fwd *fwd;
	unsigned pauses; /* that the feeder orders on the way */
	bool paused_clean;
} links;

static void
make_port(unsigned i, uint16_t n_tx)
{
	struct rte_ring *tx[N_LCORES];
	char name[32];

	snprintf(name, sizeof(name), "stress%u-in", i);
	links.in[i] =
		rte_ring_create(name, RING_ROOM, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "stress%u-out", i);
	/* All queues lead to one ring, so that the order of what several workers send is seen. */
	links.out[i] = rte_ring_create(name, RING_ROOM, SOCKET_ID_ANY, RING_F_SC_DEQ);
	assert_true(links.in[i] != NULL && links.out[i] != NULL);
	for (uint16_t q = 0; q < n_tx; q++)
		tx[q] = links.out[i];
	snprintf(name, sizeof(name), "stress%u", i);
	assert_int_equal(rte_eth_from_rings(name, &links.in[i], 1, tx, n_tx, 0), (int)i);
}

static void
close_port(unsigned i)
{
	char name[32];

	snprintf(name, sizeof(name), "net_ring_stress%u", i);
	(void)rte_vdev_uninit(name);
	rig_discard(links.in[i], UINT32_MAX);
	rig_discard(links.out[i], UINT32_MAX);
	rte_ring_free(links.in[i]);
	rte_ring_free(links.out[i]);
}

/* Half of the frames are of a handful of flows, and not for long of the same. */
static uint32_t
choose_flow(void)
{
	uint32_t hot = (uint32_t)(links.n_in / HOT_FRAMES * 4);

	return rng_below(2) ? (hot + rng_below(4)) % N_FLOWS : rng_below(N_FLOWS);
}

static struct rte_mbuf *
make_frame(void)
{
	static const uint8_t headers[PAYLOAD_AT] = {
		0x02, 0, 0, 0,	0,  1, 0x02, 0,	 0, 0, 0, 2,  0x08, 0x00, 0x45, 0, 0, 50,   0,
		1,    0, 0, 64, 17, 0, 0,    10, 0, 0, 1, 10, 0,    0,	  2,	0, 0, 0x16, 0x2e};
	struct rte_mbuf *m = rte_pktmbuf_alloc(links.source);
	uint8_t *data = m != NULL ? (uint8_t *)rte_pktmbuf_append(m, FRAME_LEN) : NULL;
	uint32_t flow = choose_flow();

	if (data == NULL)
		return NULL;
	memcpy(data, headers, sizeof(headers));
	data[34] = (uint8_t)(flow >> 8);
	data[35] = (uint8_t)flow;
	payload_of(m)->flow = flow;
	payload_of(m)->seq = ++links.next_seq[flow];
	m->port = 0;
	return m;
}

static unsigned
feed(void)
{
	unsigned n = 0;

	while (n < 64 && links.n_in < links.to_send && rte_ring_free_count(links.in[0]) > 0) {
		struct rte_mbuf *m = make_frame();

		if (m == NULL)
			break;
		rte_ring_enqueue(links.in[0], m);
		links.n_in++;
		n++;
	}
	return n;
}

static unsigned
take_out(void)
{
	struct rte_mbuf *m;
	unsigned n = 0;

	while (n < 256 && (m = rig_take(links.out[1])) != NULL) {
		const struct payload *p = payload_of(m);

		if (p->flow >= N_FLOWS || p->seq == 0 || p->seq > links.next_seq[p->flow])
			links.wrong++;
		else if (links.in_order && p->seq <= links.last_seq[p->flow])
			links.reordered++;
		else
			links.last_seq[p->flow] = p->seq;
		rte_pktmbuf_free(m);
		n++;
	}
	links.n_out += n;
	return n;
}

static uint64_t
left_over(void)
{
	struct fwd_totals t;

	fwd_totals(links.fwd, &t);
	return links.n_in - t.rx_all;
}

/* Asks for a pause and checks its books, with frames waiting outside. */
static void
pause_once(void)
{
	struct deadline d = deadline_in_ms(PATIENCE_MS);
	struct fwd_totals t;

	fwd_set_state(links.fwd, FWD_PAUSE);
	/* Somebody has to take what is still to leave. */
	while (!fwd_wait_state(links.fwd, FWD_PAUSE, 0) && !deadline_passed(&d))
		(void)take_out();
	fwd_totals(links.fwd, &t);
	links.paused_clean &= fwd_wait_state(links.fwd, FWD_PAUSE, 0) && t.in_flight == 0 &&
			      fwd_residual(&t) == 0 && t.rx_all == t.tx_all + t.drop_all;
	fwd_set_state(links.fwd, FWD_RUN);
}

static void *
feeder(void *arg)
{
	struct deadline d = deadline_in_ms(PATIENCE_MS);
	uint64_t next_pause = links.to_send / (links.pauses + 1);
	unsigned paused = 0;

	(void)arg;
	while (!atomic_load(&links.stop) && !deadline_passed(&d)) {
		unsigned n = feed() + take_out();

		if (paused < links.pauses && links.n_in >= next_pause * (paused + 1)) {
			pause_once();
			paused++;
		}
		if (links.n_in == links.to_send && left_over() == 0)
			fwd_set_state(links.fwd, FWD_STOP);
		if (n == 0)
			sched_yield();
	}
	return NULL;
}

/* ---- a run ---- */

struct variant {
	const char *engine, *dev;
	enum sched sched;
	uint32_t stages, vector;
	bool own_queues; /* workers can send themselves */
	unsigned share;	 /* of all frames, in hundredths */
	bool abrupt;	 /* stopped with frames everywhere */
	unsigned n_tx;	 /* lcores beside the workers that send; 0: as it comes */
	bool works;	 /* each frame has 300 cycles of work, too */
	bool adapters;	 /* DPDK's, which do not wait for room */
};

static uint64_t
frames_of(const struct variant *v)
{
	const char *given = getenv("NFVCHAIN_STRESS_FRAMES");

	return given != NULL ? strtoull(given, NULL, 0) : (uint64_t)ALL_FRAMES / 100 * v->share;
}

static void
watch_all(struct fwd *fwd)
{
	for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
		watcher[i] = i + 1u;
	for (unsigned s = 0; s < fwd->conf->stages; s++) {
		unsigned k = fwd->stage[s].first;

		/* "wire" has neither context nor reasons: ours takes its place in stage 0. */
		if (s > 0)
			continue;
		fwd->nf[k] = &nf_watch;
		strcpy(fwd->reason[fwd->n_reasons++], "watch.chosen");
		for (uint16_t i = 0; i < fwd->plan.n_lcores; i++)
			fwd->lcore[i].nf_ctx[k] = &watcher[i];
	}
}

static void
set_up(const struct variant *v, struct fwd_conf *conf)
{
	struct err err;

	memset(&links, 0, sizeof(links));
	memset((void *)watched, 0, sizeof(watched));
	intrusions = backwards = 0;
	exclusive = v->sched == SCHED_ATOMIC;
	links.in_order = v->sched != SCHED_PARALLEL;
	links.to_send = frames_of(v);
	links.pauses = 5 + (unsigned)(links.to_send / PAUSE_FRAMES);
	links.paused_clean = true;
	fwd_conf_init(conf);
	free(conf->engine);
	conf->engine = xstrdup(v->engine);
	conf->event_dev = xstrdup(v->dev);
	conf->sched = v->sched;
	conf->stages = v->stages;
	conf->vector = v->vector;
	conf->fuse = false;
	/* In some: it takes its time. */
	conf->stage_times = v->share <= 5 && !v->adapters;
	conf->hold_ns = 100000000000ull;
	conf->drain_ns = v->abrupt ? 0 : 100000000000ull;
	conf->rxd = conf->txd = 64;
	assert_int_equal(opt_set_list(&conf->nf, "wire", &err), 0);
	/* Beside those that receive and schedule, workers send to each other. */
	if (v->n_tx > 0) {
		conf->rx_mask = conf->sched_mask = 1;
		conf->worker_mask = 0xe;
		conf->tx_mask = 0xc;
	}
	conf->adapters = v->adapters;
	if (v->works)
		assert_int_equal(opt_set_list(&conf->nf, "work:300", &err), 0);
	links.source = rte_pktmbuf_pool_create("source", N_SOURCE, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
					       SOCKET_ID_ANY);
	assert_non_null(links.source);
	for (unsigned i = 0; i < 2; i++)
		make_port(i, v->own_queues ? N_LCORES : 1);
}

static void
tear_down(struct fwd *fwd, struct fwd_conf *conf)
{
	assert_int_equal(fwd_close_ports(fwd), 0);
	fwd_close(fwd);
	for (unsigned i = 0; i < 2; i++)
		close_port(i);
	assert_int_equal(rte_mempool_in_use_count(links.source), 0);
	rte_mempool_free(links.source);
	fwd_conf_fini(conf);
}

static unsigned
count_workers(const struct plan *p)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < p->n_lcores; i++)
		n += (p->roles.role[i] & ROLE_WORK) != 0;
	return n;
}

/* Flows that event_dsw has moved from one worker to another. */
static uint64_t
count_migrations(const struct fwd *fwd)
{
	const struct stages_shared *shared = fwd->shared;
	uint64_t n = 0;

	for (uint16_t port = 0; port < fwd->plan.roles.n_event_ports; port++) {
		uint64_t value;
		char name[64];

		snprintf(name, sizeof(name), "port_%u_emigrations", port);
		value = rte_event_dev_xstats_by_name_get(shared->dev.id, name, NULL);
		n += (int64_t)value > 0 ? value : 0; /* no such counter: -1 */
	}
	return n;
}

/* Whether the next variant is to be run. */
static bool
is_wanted(void)
{
	static unsigned long next;
	const char *only = getenv("NFVCHAIN_STRESS_ONLY");

	return only == NULL || strtoul(only, NULL, 0) == next++;
}

static void
stress(const struct variant *v)
{
	struct fwd_conf conf;
	struct err err = {0};
	struct fwd_totals t;
	static struct fwd fwd;
	uint64_t begin = clock_now_ns();
	pthread_t thread;

	if (!is_wanted())
		return;
	set_up(v, &conf);
	if (fwd_open(&fwd, &conf, true, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(count_workers(&fwd.plan) >= 2);
	if (v->n_tx > 0)
		assert_int_equal(fwd.plan.roles.n_tx, v->n_tx);
	else if (v->adapters)
		assert_int_equal(fwd.plan.roles.n_tx, 2);
	else
		assert_int_equal(fwd.plan.roles.n_tx, !v->own_queues || v->sched == SCHED_ORDERED);
	watch_all(&fwd);
	links.fwd = &fwd;
	assert_int_equal(pthread_create(&thread, NULL, feeder, NULL), 0);
	fwd_run(&fwd);
	atomic_store(&links.stop, true);
	pthread_join(thread, NULL);
	while (take_out() > 0)
		;
	fwd_totals(&fwd, &t);
	print_message("# %s %s sched %d, %u stages, vectors of %u, %s: %lu frames, %lu dropped, "
		      "%lu reordered, %lu intrusions, %lu migrations, %u pauses, %.1f s\n",
		      v->engine, v->dev, (int)v->sched, v->stages, v->vector,
		      v->adapters     ? "adapters"
		      : v->n_tx > 0   ? "two send"
		      : v->own_queues ? "workers send"
				      : "one sends",
		      t.rx_all, t.drop_all, links.reordered, (unsigned long)intrusions,
		      count_migrations(&fwd), links.pauses, (double)(clock_now_ns() - begin) / 1e9);
	assert_int_equal(fwd_residual(&t), 0);
	if (conf.stage_times)
		assert_int_equal(times_residual(&fwd), 0);
	assert_int_equal(t.in_flight, 0);
	assert_int_equal(t.rx_all, links.to_send);
	assert_int_equal(t.tx_all, links.n_out);
	assert_int_equal(t.tx_all + t.drop_all, t.rx_all);
	assert_true(t.drop[REASON_NF] > 0);
	if (!v->abrupt)
		assert_int_equal(t.drop_all, t.drop[REASON_NF] + t.drop[REASON_TX_ADAPTER]);
	assert_true(v->adapters || t.drop[REASON_TX_ADAPTER] == 0);
	assert_true(links.paused_clean || v->abrupt);
	assert_int_equal(links.wrong, 0);
	assert_int_equal(links.reordered, 0);
	if (exclusive) {
		assert_int_equal(intrusions, 0);
		assert_int_equal(backwards, 0);
	}
	tear_down(&fwd, &conf);
}

static void
flows_stay_in_order_and_in_one_hand(void **state)
{
	static const struct variant variants[] = {
		{"event", "event_sw0", SCHED_ATOMIC, 1, 0, true, 17, false, 0, false, false},
		{"event", "event_sw0", SCHED_ATOMIC, 1, 0, false, 10, false, 0, false, false},
		{"event", "event_sw0", SCHED_ORDERED, 1, 0, false, 10, false, 0, false, false},
		{"event", "event_sw0", SCHED_PARALLEL, 1, 0, true, 5, false, 0, false, false},
		{"event", "event_dsw0", SCHED_ATOMIC, 1, 0, true, 15, false, 0, false, false},
		{"event", "event_dsw0", SCHED_PARALLEL, 1, 0, true, 5, false, 0, false, false},
		{"event", "event_sw0", SCHED_ATOMIC, 1, 32, true, 14, false, 0, false, false},
		{"event", "event_dsw0", SCHED_ATOMIC, 1, 32, false, 10, false, 0, false, false},
		{"pipeline", "event_sw0", SCHED_ATOMIC, 3, 0, true, 5, false, 0, false, false},
		{"pipeline", "event_sw0", SCHED_ORDERED, 2, 0, false, 4, false, 0, false, false},
		{"pipeline", "event_dsw0", SCHED_ATOMIC, 3, 8, true, 5, false, 0, false, false},
		{"event", "event_sw0", SCHED_ATOMIC, 1, 0, true, 1, false, 0, true, false},
		{"event", "event_dsw0", SCHED_ATOMIC, 1, 0, true, 1, false, 0, true, false},
		{"event", "event_sw0", SCHED_ATOMIC, 1, 0, true, 5, false, 2, false, false},
		{"event", "event_sw0", SCHED_ORDERED, 1, 0, true, 5, false, 2, false, false},
		{"event", "event_dsw0", SCHED_ATOMIC, 1, 0, true, 5, false, 2, false, false},
		{"pipeline", "event_sw0", SCHED_ATOMIC, 2, 16, true, 5, false, 2, true, false},
		{"pipeline", "event_dsw0", SCHED_ATOMIC, 3, 0, true, 5, false, 2, false, false},
		{"event", "event_sw0", SCHED_ATOMIC, 1, 0, true, 4, false, 0, false, true},
		{"event", "event_sw0", SCHED_ORDERED, 1, 0, false, 4, false, 0, false, true},
		{"event", "event_dsw0", SCHED_ATOMIC, 1, 0, true, 4, false, 0, false, true},
		{"pipeline", "event_sw0", SCHED_ATOMIC, 3, 0, true, 2, false, 0, false, true},
	};

	(void)state;
	rng_seed("flows_stay_in_order_and_in_one_hand");
	for (size_t i = 0; i < N_ELEMS(variants); i++)
		stress(&variants[i]);
}

/* No patience at all: what is inside at a pause and at the end is dropped and counted, or goes on
 * when the pause is over. */
static void
a_stop_under_load_accounts_for_all(void **state)
{
	static const struct variant variants[] = {
		{"event", "event_sw0", SCHED_ATOMIC, 1, 0, true, 1, true, 0, false, false},
		{"event", "event_dsw0", SCHED_ATOMIC, 1, 16, true, 1, true, 0, false, false},
		{"pipeline", "event_sw0", SCHED_ORDERED, 3, 0, false, 1, true, 0, false, false},
		{"event", "event_sw0", SCHED_ATOMIC, 1, 0, true, 1, true, 0, false, true},
		{"event", "event_dsw0", SCHED_ATOMIC, 1, 0, true, 1, true, 0, false, true},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(variants); i++)
		stress(&variants[i]);
}

static int
start(void **state)
{
	return rig_start_lcores(state, N_LCORES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_stay_in_order_and_in_one_hand),
		cmocka_unit_test(a_stop_under_load_accounts_for_all),
	};

	return cmocka_run_group_tests(tests, start, rig_stop);
}
