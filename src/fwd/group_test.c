/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_ethdev.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dpdk/rig.h"
#include "group.h"

/* Hops in a row in one process, with the test at both ends: what becomes of every frame, in both
 * directions, whatever the engines and however the hops are laid on lcores. */

#define N_LCORES 3
#define MAX_WORDS 64
#define PATIENCE_MS 60000
#define HEAD 14
#define MIN_LEN 60
#define MAX_LEN 1514

static const uint8_t entry[2][6] = {{0x02, 9, 9, 9, 9, 0}, {0x02, 9, 9, 9, 9, 1}};

/* A row under test. */
struct row {
	const char *words; /* of nfvchain-fwd, behind "--" */
	unsigned out_room;
	unsigned n_frames; /* in each direction */
	unsigned drops;	   /* the middle hop drops each so manyth, 0: none */
	bool slow;	   /* the far ends are emptied one by one */
	bool abrupt;	   /* stopped in the middle of it */
	bool pauses;	   /* the middle hop rests now and then */
};

static struct fwd_confs confs;
static struct group group;
static struct rig_port port[2];
static struct rte_mempool *source;
static const struct row *row;
static unsigned sent[2], got[2], out_of_order, mutilated;
static uint32_t next_seq[2];

/* ---- frames: bytes that follow from their number ---- */

static uint8_t
byte_of(uint32_t seq, unsigned at)
{
	return (uint8_t)((seq * 2654435761u + at * 40503u) >> 13);
}

static uint16_t
len_of(uint32_t seq)
{
	return (uint16_t)(MIN_LEN + (seq * 2654435761u >> 7) % (MAX_LEN - MIN_LEN + 1));
}

static bool
put(unsigned end, uint32_t seq)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(source);
	uint8_t *data;

	if (m == NULL)
		return false;
	data = (uint8_t *)rte_pktmbuf_append(m, len_of(seq));
	if (data == NULL)
		return false;
	memcpy(data, entry[end], 6);
	memset(data + 6, 0x04, 8);
	memcpy(data + HEAD, &seq, sizeof(seq));
	for (unsigned i = HEAD + 4; i < m->data_len; i++)
		data[i] = byte_of(seq, i);
	m->port = port[end].id;
	if (rte_ring_enqueue(port[end].in, m) == 0)
		return true;
	rte_pktmbuf_free(m);
	return false;
}

static bool
is_whole(const struct rte_mbuf *m, uint32_t *seq)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	memcpy(seq, data + HEAD, sizeof(*seq));
	if (m->data_len != len_of(*seq))
		return false;
	for (unsigned i = HEAD + 4; i < m->data_len; i++)
		if (data[i] != byte_of(*seq, i))
			return false;
	return true;
}

/* What left by 'end', having come in at the other. */
static bool
take(unsigned end)
{
	struct rte_mbuf *m = rig_take(port[end].out);
	uint32_t seq;

	if (m == NULL)
		return false;
	if (!is_whole(m, &seq))
		mutilated++;
	else if (seq < next_seq[end])
		out_of_order++;
	else
		next_seq[end] = seq + 1;
	got[end]++;
	rte_pktmbuf_free(m);
	return true;
}

/* ---- the test's side of it ---- */

static void
pause_middle(void)
{
	struct fwd *middle = group.fwd[group.n / 2];

	fwd_set_state(middle, FWD_PAUSE);
	assert_true(fwd_wait_state(middle, FWD_PAUSE, PATIENCE_MS));
	fwd_set_state(middle, FWD_RUN);
}

static uint64_t
dropped(void)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < group.n; i++) {
		struct fwd_totals t;

		fwd_totals(group.fwd[i], &t);
		n += t.drop_all;
	}
	return n;
}

static void
stop_group(struct deadline *d)
{
	group_close_entrances(&group);
	for (unsigned looks = 0; looks < 3 && !deadline_passed(d);) {
		for (unsigned e = 0; e < 2; e++)
			while (take(e))
				;
		looks = group_is_empty(&group) ? looks + 1 : 0;
		usleep(500);
	}
	group_set_state(&group, FWD_STOP);
}

static void *
feed(void *arg)
{
	struct deadline d = deadline_in_ms(PATIENCE_MS);
	unsigned goal = row->n_frames, rounds = 0;

	(void)arg;
	while (!deadline_passed(&d)) {
		bool moved = false;

		for (unsigned e = 0; e < 2; e++) {
			for (unsigned k = 0; k < 48 && sent[e] < goal && put(e, sent[e]); k++)
				sent[e]++;
			for (unsigned k = 0; k < (row->slow ? 1 : 64) && take(e); k++)
				moved = true;
		}
		if (row->pauses && ++rounds % 512 == 0)
			pause_middle();
		if (row->abrupt && got[1] > goal / 2) {
			group_set_state(&group, FWD_STOP);
			return NULL;
		}
		if (sent[0] == goal && sent[1] == goal && got[0] + got[1] + dropped() >= 2 * goal)
			break;
		if (!moved)
			sched_yield();
	}
	stop_group(&d);
	return NULL;
}

static void
drop_some(void *ctx, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict)
{
	(void)ctx;
	for (uint16_t i = 0; i < n; i++) {
		uint32_t seq;

		memcpy(&seq, rte_pktmbuf_mtod(frames[i], const uint8_t *) + HEAD, sizeof(seq));
		verdict[i] = seq % row->drops == 0 ? NF_DROP(0) : NF_FORWARD;
	}
}

static const char *const some[] = {"some", NULL};
static const struct nf nf_drop_some = {NF_HEADER, .name = "some", .drop_reasons = some,
				       .burst = drop_some};

static void
parse(const char *text)
{
	char *copy = xstrdup(text), *save = NULL, *argv[MAX_WORDS] = {NULL};
	struct err err = {0};
	int argc = 0;

	for (char *word = strtok_r(copy, " ", &save); word != NULL && argc < MAX_WORDS - 1;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	if (fwd_confs_parse(&confs, argv[0], argc, argv, &err) < 0)
		fail_msg("%s", err.msg);
	free(copy);
}

static void
open_row(const struct row *r)
{
	struct err err = {0};
	struct fwd_conf *first, *last;

	row = r;
	memset(sent, 0, sizeof(sent));
	memset(got, 0, sizeof(got));
	memset(next_seq, 0, sizeof(next_seq));
	out_of_order = mutilated = 0;
	parse(r->words);
	first = &confs.hop[0];
	last = &confs.hop[confs.n - 1];
	first->addr[0].set = last->addr[1].set = true;
	memcpy(first->addr[0].mac, entry[0], 6);
	memcpy(last->addr[1].mac, entry[1], 6);
	source = rte_pktmbuf_pool_create("source", 8191, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
					 SOCKET_ID_ANY);
	assert_non_null(source);
	for (unsigned e = 0; e < 2; e++)
		rig_port_open(&port[e], 512, r->out_room);
	if (group_open(&group, &confs, true, &err) < 0)
		fail_msg("%s", err.msg);
	/* "wire" has neither context nor reasons: a function of ours can take its place. */
	if (r->drops > 0) {
		struct fwd *middle = group.fwd[group.n / 2];

		middle->nf[0] = &nf_drop_some;
		snprintf(middle->reason[middle->n_reasons++], sizeof(middle->reason[0]),
			 "some.some");
	}
}

static void
close_row(void)
{
	assert_int_equal(group_close_ports(&group), 0);
	group_close(&group);
	for (unsigned e = 0; e < 2; e++)
		rig_port_close(&port[e]);
	assert_int_equal(rte_mempool_in_use_count(source), 0);
	rte_mempool_free(source);
	fwd_confs_fini(&confs);
}

/* What left one hop came in at the next: nothing is between them any more. */
static void
assert_books(void)
{
	struct fwd_totals before = {0};

	for (unsigned i = 0; i < group.n; i++) {
		struct fwd_totals t;

		fwd_totals(group.fwd[i], &t);
		assert_int_equal(fwd_residual(&t), 0);
		assert_int_equal(t.in_flight, 0);
		if (i > 0) {
			assert_int_equal(t.rx[0], before.tx[1]);
			assert_int_equal(t.tx[0], before.rx[1]);
		}
		before = t;
	}
}

static void
run_row(const struct row *r)
{
	struct fwd_totals first, last;
	pthread_t thread;

	print_message("# %s\n", r->words);
	open_row(r);
	assert_int_equal(pthread_create(&thread, NULL, feed, NULL), 0);
	group_run(&group);
	pthread_join(thread, NULL);
	for (unsigned e = 0; e < 2; e++)
		while (take(e))
			;
	assert_books();
	fwd_totals(group.fwd[0], &first);
	fwd_totals(group.fwd[group.n - 1], &last);
	assert_int_equal(last.tx[1], got[1]);
	assert_int_equal(first.tx[0], got[0]);
	assert_int_equal(mutilated, 0);
	assert_int_equal(out_of_order, 0);
	if (r->abrupt) {
		assert_true(got[1] > r->n_frames / 2);
	} else {
		assert_int_equal(first.rx[0], r->n_frames);
		assert_int_equal(last.rx[1], r->n_frames);
		assert_int_equal(got[0] + got[1] + dropped(), 2 * r->n_frames);
	}
	if (!r->abrupt && r->drops == 0)
		assert_int_equal(dropped(), 0);
	close_row();
}

/* ---- laws ---- */

static void
every_frame_passes_every_hop(void **state)
{
	static const struct row rows[] = {
		{.words = "x --hold 100s --hop a --hop b --hop c --hop d", .n_frames = 60000},
		{.words = "x --hold 100s --promiscuous --hop a --nf wire --hop b --nf work:50 "
			  "--hop c --burst 7",
		 .n_frames = 30000},
		{.words = "x --hold 100s --stage-times --hop a --hop b", .n_frames = 20000},
		{.words = "x --hold 100s --hop a --lcore-mask 1 --hop b --lcore-mask 2 --hop c "
			  "--lcore-mask 4",
		 .n_frames = 30000},
		{.words = "x --hold 100s --lcore-mask 3 --hop a --hop b --hop c",
		 .n_frames = 30000},
		{.words = "x --hold 100s --hop a --lcore-mask 1 --hop b --engine event "
			  "--lcore-mask 2 "
			  "--hop c --engine pipeline --stages 2 --lcore-mask 4",
		 .n_frames = 20000},
		{.words = "x --hold 100s --hop a --engine event --event-dev event_sw1 --lcore-mask "
			  "3 --hop b "
			  "--lcore-mask 4 --hop c "
			  "--lcore-mask 4",
		 .n_frames = 20000},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct row r = rows[i];

		r.out_room = 256;
		run_row(&r);
	}
}

static void
what_the_middle_drops_is_in_its_own_books(void **state)
{
	const struct row r = {.words = "x --hold 100s --nf wire --hop a --hop b --hop c",
			      .n_frames = 30000,
			      .out_room = 256,
			      .drops = 7};

	(void)state;
	run_row(&r);
}

/* Each holds what the next has no room for, down to the first, and none waits for another. */
static void
a_full_row_holds_and_never_stands_still(void **state)
{
	static const char *const words[] = {
		"x --hold 100s --hop-ring 64 --hop a --hop b --hop c --hop d",
		"x --hold 100s --hop-ring 64 --hop a --lcore-mask 1 --hop b --lcore-mask 2 --hop c "
		"--lcore-mask 1",
		"x --hold 100s --hop-ring 64 --hop a --lcore-mask 1 --hop b --engine event "
		"--lcore-mask 2",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(words); i++) {
		const struct row r = {
			.words = words[i], .n_frames = 6000, .out_room = 32, .slow = true};

		run_row(&r);
	}
}

/* With no patience, what found no room is dropped, counted, and nothing else is missing. */
static void
impatience_is_counted(void **state)
{
	const struct row r = {.words = "x --on-full drop --hop-ring 64 --nf wire --hop a --nf "
				       "work:20 --hop b --hop c",
			      .n_frames = 20000,
			      .out_room = 32,
			      .slow = true,
			      .drops = 1000000};

	(void)state;
	run_row(&r);
}

static void
a_hop_rests_while_the_others_go_on(void **state)
{
	const struct row r = {.words = "x --hold 100s --drain 100s --hop a --hop b --hop c",
			      .n_frames = 30000,
			      .out_room = 256,
			      .pauses = true};

	(void)state;
	run_row(&r);
}

/* Without warning: what is inside is dropped as that, and every buffer comes home. */
static void
a_sudden_stop_leaves_nothing_behind(void **state)
{
	static const char *const words[] = {
		"x --drain 10ms --hop-ring 64 --hop a --hop b --hop c --hop d",
		"x --drain 10ms --hop a --lcore-mask 1 --hop b --engine pipeline --lcore-mask 2",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(words); i++) {
		const struct row r = {
			.words = words[i], .n_frames = 20000, .out_room = 256, .abrupt = true};

		run_row(&r);
	}
}

static void
time_is_told_apart(void **state)
{
	const struct row r = {
		.words = "x --hold 100s --hop a --nf wire --hop b --nf work:2000 --hop c --nf wire",
		.n_frames = 4000,
		.out_room = 256};
	struct fwd_totals t[3];
	pthread_t thread;

	(void)state;
	open_row(&r);
	assert_int_equal(pthread_create(&thread, NULL, feed, NULL), 0);
	group_run(&group);
	pthread_join(thread, NULL);
	for (unsigned i = 0; i < 3; i++)
		fwd_totals(group.fwd[i], &t[i]);
	/* The one with the work has it on its account. */
	assert_true(t[1].busy_tsc > 8000 * 1500ull);
	assert_true(t[1].busy_tsc > 2 * t[2].busy_tsc);
	/* Each is busy or idle for as long as the lcore ran. */
	for (unsigned i = 1; i < 3; i++)
		assert_true(t[i].busy_tsc + t[i].idle_tsc <=
				    (t[0].busy_tsc + t[0].idle_tsc) / 100 * 101 &&
			    t[i].busy_tsc + t[i].idle_tsc >=
				    (t[0].busy_tsc + t[0].idle_tsc) / 100 * 99);
	close_row();
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
		cmocka_unit_test(every_frame_passes_every_hop),
		cmocka_unit_test(what_the_middle_drops_is_in_its_own_books),
		cmocka_unit_test(a_full_row_holds_and_never_stands_still),
		cmocka_unit_test(impatience_is_counted),
		cmocka_unit_test(a_hop_rests_while_the_others_go_on),
		cmocka_unit_test(a_sudden_stop_leaves_nothing_behind),
		cmocka_unit_test(time_is_told_apart),
	};

	return cmocka_run_group_tests(tests, start, rig_stop);
}
