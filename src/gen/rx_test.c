/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_lcore.h>

#include "base/mem.h"
#include "base/test_random.h"
#include "worker_rig.h"

/* The receiver against a model that looks at one frame at a time, over bursts of everything that
 * can happen to frames: whatever way the receiver takes, it counts the same. */

#define STREAMS 3
#define SEQS (1u << 17) /* of a stream, at most */
#define MAX_FLOWS 7
#define HELD 64
#define START_NS 1000000000ull

static const uint32_t flows_of[STREAMS] = {4, 1, MAX_FLOWS};

/* What the model knows of a stream; sequences count from 'base'. */
struct model_stream {
	uint64_t base, sent, before; /* 'before': sequences seen before 'base' */
	uint8_t *seen;
	uint64_t high[MAX_FLOWS];
	uint64_t distinct, duplicate, reordered;
	uint64_t held[HELD]; /* on their way, and overtaken */
	unsigned n_held;
};

struct model_run {
	struct model_stream streams[STREAMS];
	uint64_t rx[RX_KINDS], rx_port[2], rx_bytes[2], unidentified, overdue, foreign;
	struct hist latency;
};

/* What arrives. */
struct arrival {
	unsigned run, stream;
	uint64_t seq, time_ns;
	bool foreign, unknown, forged, flipped, wrong_mac;
	uint16_t cut, padding;
};

static struct model_run model[GEN_PORTS];
static uint64_t ipackets[GEN_PORTS], ibytes[GEN_PORTS];
static uint64_t now_ns;
static struct rte_mbuf *shared[GEN_BURST]; /* buffers that the test holds too */
static unsigned n_shared;
static bool
one_in(unsigned n)
{
	return rng() % n == 0;
}

/* ---- the model ---- */

/* The first wrap of the sequence is just ahead of the first stream, of the others far away. */
static void
start_model(struct model_run *run, struct run *real)
{
	*run = (struct model_run){0};
	hist_init(&run->latency);
	for (unsigned i = 0; i < STREAMS; i++) {
		struct model_stream *s = &run->streams[i];

		s->seen = xcalloc(SEQS, 1);
		if (i > 0)
			continue;
		seqtrack_add(&real->streams[0].track, 0x7fffffff);
		seqtrack_add(&real->streams[0].track, 0xfffff000);
		s->base = s->sent = 0xfffff001;
		s->before = 2;
		real->streams[0].seq = s->sent;
	}
}

/* Notes a sequence and tells whether it had been seen. */
static bool
model_add(struct model_stream *s, uint64_t seq, uint32_t flows)
{
	uint64_t *high = &s->high[seq % flows];

	assert_true(seq - s->base < SEQS);
	if (s->seen[seq - s->base]) {
		s->duplicate++;
		return true;
	}
	s->seen[seq - s->base] = 1;
	s->distinct++;
	if (*high > seq)
		s->reordered++;
	else
		*high = seq + 1;
	return false;
}

static void
count_unidentified(struct model_run *run, unsigned id, enum rx_kind kind, uint32_t bytes)
{
	run->rx[kind]++;
	run->rx_port[id]++;
	run->rx_bytes[id] += bytes;
	run->unidentified++;
}

/* Counts a frame of which 'len' bytes arrived at port 'id'. */
static void
model_count(const struct arrival *a, unsigned id, uint16_t len)
{
	struct model_run *run = &model[a->run], *likely = &model[!id];
	bool readable = !a->flipped && a->padding == 0 && (a->cut == 0 || a->stream == 1);
	enum rx_kind kind = RX_OK;
	bool duplicate;

	ipackets[id]++;
	ibytes[id] += len + FRAME_FCS;
	if (a->foreign) {
		model[0].foreign++;
		model[1].foreign++;
		return;
	}
	if (!readable || (a->forged && !a->unknown)) {
		kind = !readable && a->cut > 0 ? RX_TRUNCATED : RX_CORRUPT;
		count_unidentified(likely, id, kind, len + FRAME_FCS);
		return;
	}
	if (a->unknown) {
		likely->overdue++;
		return;
	}
	duplicate = model_add(&run->streams[a->stream], a->seq, flows_of[a->stream]);
	if (a->cut > 0)
		kind = RX_TRUNCATED;
	else if (duplicate)
		kind = RX_DUPLICATE;
	else if (a->run == id)
		kind = RX_REFLECTED;
	else if (a->wrong_mac)
		kind = RX_MISDELIVERED;
	run->rx[kind]++;
	run->rx_port[id]++;
	run->rx_bytes[id] += len + FRAME_FCS;
	if (kind == RX_OK)
		hist_record(&run->latency, now_ns > a->time_ns ? now_ns - a->time_ns : 0);
}

static void
assert_same_stream(const struct run_stream *real, const struct model_stream *s)
{
	assert_int_equal(real->seq, s->sent);
	assert_int_equal(real->track.seen, s->distinct + s->before);
	assert_int_equal(real->track.duplicate, s->duplicate);
	assert_int_equal(real->track.reordered, s->reordered);
	assert_int_equal(real->track.stale, 0);
	assert_int_equal(seqtrack_never_seen(&real->track, s->sent),
			 s->sent - s->distinct - s->before);
}

static void
assert_same_run(const struct run *real, const struct model_run *run)
{
	for (unsigned k = 0; k < RX_KINDS; k++)
		assert_int_equal(counter_get(&real->rx[k]), run->rx[k]);
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		assert_int_equal(counter_get(&real->rx_port[i]), run->rx_port[i]);
		assert_int_equal(counter_get(&real->rx_bytes[i]), run->rx_bytes[i]);
	}
	assert_int_equal(counter_get(&real->unidentified), run->unidentified);
	assert_int_equal(counter_get(&real->overdue), run->overdue);
	assert_int_equal(counter_get(&real->foreign), run->foreign);
	assert_memory_equal(&real->latency, &run->latency, sizeof(run->latency));
}

static void
assert_same(const struct worker_rig *r, bool streams)
{
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		assert_int_equal(counter_get(&r->w.ports[i].ipackets), ipackets[i]);
		assert_int_equal(counter_get(&r->w.ports[i].ibytes), ibytes[i]);
		assert_same_run(r->run[i], &model[i]);
		for (unsigned k = 0; streams && k < STREAMS; k++)
			assert_same_stream(&r->run[i]->streams[k], &model[i].streams[k]);
	}
}

/* ---- what arrives ---- */

/* The next frame that is sent in a stream. */
static uint64_t
send_next(struct worker_rig *r, unsigned run, unsigned stream)
{
	r->run[run]->streams[stream].seq++;
	return model[run].streams[stream].sent++;
}

/* A sequence of the stream: mostly the next, else one that was held back or came before; some are
 * lost, some held back. */
static uint64_t
pick_seq(struct worker_rig *r, unsigned run, unsigned stream, unsigned oddity)
{
	struct model_stream *s = &model[run].streams[stream];
	uint64_t back = 1 + rng() % 40;

	if (one_in(oddity))
		(void)send_next(r, run, stream);
	if (one_in(oddity) && s->n_held < HELD)
		s->held[s->n_held++] = send_next(r, run, stream);
	if (one_in(oddity) && s->n_held > 0) {
		unsigned i = (unsigned)(rng() % s->n_held);
		uint64_t seq = s->held[i];

		s->held[i] = s->held[--s->n_held];
		return seq;
	}
	if (one_in(oddity) && s->sent - s->base >= back)
		return s->sent - back;
	return send_next(r, run, stream);
}

/* A frame of run 'from'; one out of 'oddity' is wrong in some way. */
static struct arrival
pick_arrival(struct worker_rig *r, unsigned from, unsigned stream, unsigned oddity)
{
	struct arrival a = {
		.run = one_in(oddity) ? !from : from,
		.stream = stream,
		.foreign = one_in(oddity),
		.unknown = one_in(oddity),
		.flipped = one_in(oddity),
		.wrong_mac = one_in(oddity),
		.cut = one_in(oddity) ? (uint16_t)(1 + rng() % 18) : 0,
		.time_ns = now_ns - 5000,
	};

	if (a.cut == 0 && one_in(oddity))
		a.padding = (uint16_t)(1 + rng() % 9);
	if (a.foreign)
		return a;
	a.forged = one_in(oddity);
	a.seq = a.forged ? 0 : pick_seq(r, a.run, stream, oddity);
	/* Older or younger than the one before, or from the future. */
	if (one_in(oddity))
		a.time_ns = now_ns - rng() % 10000;
	if (one_in(oddity))
		a.time_ns = now_ns + rng() % 2;
	return a;
}

static struct rte_mbuf *
new_buffer(struct rte_mempool *pool)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	if (m == NULL)
		abort();
	return m;
}

/* Makes 'len' bytes the frame in an empty buffer. */
static uint8_t *
fill(struct rte_mbuf *m, const uint8_t *bytes, uint16_t len)
{
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);

	assert_true(len <= rte_pktmbuf_tailroom(m));
	memcpy(data, bytes, len);
	m->data_len = len;
	m->pkt_len = len;
	return data;
}

static void
write_frame(struct worker_rig *r, const struct arrival *a, unsigned id, struct rte_mbuf *m)
{
	static const uint8_t arp[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 9, 9, 8, 6};
	const struct run_stream *s = &r->run[a->run]->streams[a->stream];
	const struct sig sig = {
		.time_ns = a->time_ns,
		.seq = (uint32_t)a->seq,
		.stream = (uint16_t)(a->unknown ? 1000 + rng() % 9
						: r->run[a->run]->stream_base + a->stream),
		.lateness = (uint16_t)rng(),
	};
	uint8_t *data;

	if (a->foreign) {
		fill(m, arp, sizeof(arp));
		return;
	}
	data = fill(m, s->frame, s->len);
	frame_emit(&s->tmpl, data, (uint32_t)(a->seq % flows_of[a->stream]), &sig);
	memcpy(data, r->w.ports[id].addr, 6);
	if (a->wrong_mac)
		data[rng() % 6] ^= (uint8_t)(1u << rng() % 8);
	if (a->flipped)
		data[s->tmpl.payload + rng() % SIG_SIZE] ^= (uint8_t)(1u << rng() % 8);
	assert_non_null(rte_pktmbuf_append(m, a->padding));
	/* What is cut off still lies in the buffer, and would do for a frame of that length. */
	if (a->cut > 0 && a->stream != 1 && !a->flipped)
		sig_write(data + s->tmpl.payload, &sig, (uint16_t)(s->len - a->cut));
	assert_int_equal(rte_pktmbuf_trim(m, a->cut), 0);
}

/* Moves what lies behind the first 100 bytes to another segment. */
static void
split(struct worker_rig *r, struct rte_mbuf *m)
{
	uint16_t rest = (uint16_t)(m->data_len - 100);
	struct rte_mbuf *tail = new_buffer(r->w.rx_pool);

	fill(tail, rte_pktmbuf_mtod_offset(m, uint8_t *, 100), rest);
	assert_int_equal(rte_pktmbuf_trim(m, rest), 0);
	assert_int_equal(rte_pktmbuf_chain(m, tail), 0);
}

/* How buffers are not plain. */
enum oddness { OTHER_POOL, OTHER_PORT, OTHER_OFFSET, SPLIT, CLONED, SHARED };

/* One out of 'oddity' is odd in a way, and all whose bit is set in 'all'. */
struct odd_buffers {
	unsigned oddity, all;
};

static bool
is_odd(const struct odd_buffers *odd, enum oddness how)
{
	return odd->all >> how & 1 || one_in(odd->oddity);
}

static struct rte_mbuf *
make_frame(struct worker_rig *r, const struct arrival *a, unsigned id,
	   const struct odd_buffers *odd)
{
	struct rte_mbuf *m = new_buffer(is_odd(odd, OTHER_POOL) ? r->w.tx_pool : r->w.rx_pool);

	m->port = (uint16_t)(is_odd(odd, OTHER_PORT) ? 7 : id);
	if (is_odd(odd, OTHER_OFFSET))
		m->data_off = (uint16_t)(m->data_off - 16);
	write_frame(r, a, id, m);
	/* A cut in the second segment is no other than one in the first. */
	if (is_odd(odd, SPLIT) && a->stream == 1 && a->cut == 0 && !a->flipped && a->padding == 0 &&
	    !a->foreign)
		split(r, m);
	if (is_odd(odd, CLONED)) {
		struct rte_mbuf *clone = rte_pktmbuf_clone(m, r->w.rx_pool);

		assert_non_null(clone);
		rte_pktmbuf_free(m);
		m = clone;
	}
	if (is_odd(odd, SHARED) && m->nb_segs == 1) {
		rte_mbuf_refcnt_update(m, 1);
		shared[n_shared++] = m;
	}
	return m;
}

/* After the receiver gave its buffers back: the shared ones are still there, all others home. */
static void
assert_buffers(struct worker_rig *r)
{
	assert_true(rte_mempool_in_use_count(r->w.rx_pool) +
			    rte_mempool_in_use_count(r->w.tx_pool) >=
		    n_shared);
	for (unsigned i = 0; i < n_shared; i++) {
		assert_int_equal(rte_mbuf_refcnt_read(shared[i]), 1);
		rte_pktmbuf_free(shared[i]);
	}
	n_shared = 0;
	assert_int_equal(rte_mempool_in_use_count(r->w.rx_pool), 0);
	assert_int_equal(rte_mempool_in_use_count(r->w.tx_pool), 0);
}

/* A burst of 'n' frames arrives at port 'id'.  'stream' is that of all of them, or STREAMS. */
static void
receive_burst(struct worker_rig *r, unsigned id, uint16_t n, unsigned stream, unsigned oddity,
	      struct odd_buffers odd)
{
	struct arrival arrivals[GEN_BURST];
	struct rte_mbuf *mbufs[GEN_BURST];

	unsigned from = one_in(16) ? id : !id; /* a hop that reflects them all, or none */
	uint16_t cut = oddity < 1000 && one_in(16) ? (uint16_t)(1 + rng() % 18) : 0;

	now_ns += 1 + rng() % 20000;
	for (uint16_t i = 0; i < n; i++)
		arrivals[i] = pick_arrival(
			r, from, stream < STREAMS ? stream : (unsigned)(rng() % STREAMS), oddity);
	for (uint16_t i = 0; i < n; i++) {
		struct arrival *a = &arrivals[i];

		if (cut > 0 && a->padding == 0)
			a->cut = cut;
		/* Only now it is known what will not have been sent. */
		if (a->forged)
			a->seq = model[a->run].streams[a->stream].sent + rng() % 3;
		mbufs[i] = make_frame(r, a, id, &odd);
		model_count(a, id, (uint16_t)mbufs[i]->pkt_len);
	}
	rx_frames(&r->w, id, mbufs, n, r->run[0]->start_tsc + now_ns);
	assert_buffers(r);
}

/* Two runs of the same streams: small frames, some with a tail to cut, and some whose signature is
 * not where that of the first is. */
static void
open_rig(struct worker_rig *r)
{
	struct frame_spec spec;

	r->conf.rxd = 256;
	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	for (unsigned i = 0; i < STREAMS; i++) {
		frame_spec_init(&spec);
		spec.size = i == 1 ? 128 : i == 2 ? 68 : 64;
		spec.vlan = i == 2 ? 5 : 0;
		worker_rig_add(r, &spec, 1e6, flows_of[i]);
	}
	now_ns = START_NS;
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		start_model(&model[i], worker_rig_start(r, i, 1, false));
		ipackets[i] = ibytes[i] = 0;
	}
}

static void
close_model(void)
{
	for (unsigned i = 0; i < GEN_PORTS; i++)
		for (unsigned k = 0; k < STREAMS; k++)
			free(model[i].streams[k].seen);
}

static void
any_burst_is_counted_as_its_frames_are(void **state)
{
	/* From runs with a flaw here and there to nothing but flaws. */
	static const unsigned oddities[] = {2, 5, 20, 100, 1000, 100000};
	struct worker_rig *r = *state;

	rng_seed(__func__);
	open_rig(r);
	for (unsigned round = 0; round < 6000; round++) {
		unsigned oddity = oddities[rng() % N_ELEMS(oddities)];
		struct odd_buffers odd = {one_in(4) ? oddity : 100000,
					  one_in(8) ? 1u << rng() % (SHARED + 1) : 0};
		unsigned stream = (unsigned)(rng() % (STREAMS + 1));
		uint16_t n = (uint16_t)(one_in(2) ? GEN_BURST : 1 + rng() % GEN_BURST);

		receive_burst(r, (unsigned)(rng() % GEN_PORTS), n, stream, oddity, odd);
		assert_same(r, round % 100 == 0);
	}
	assert_same(r, true);
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		for (unsigned k = 0; k < RX_KINDS; k++)
			assert_true(model[i].rx[k] > 0);
		assert_true(model[i].overdue > 0 && model[i].foreign > 0);
		assert_true(model[i].streams[0].sent > 1ull << 32);
		for (unsigned k = 0; k < STREAMS; k++)
			assert_true(model[i].streams[k].reordered > 0);
	}
	close_model();
}

/* Opens a run of two streams of the same frames. */
static struct run *
open_twins(struct worker_rig *r)
{
	struct frame_spec spec;

	frame_spec_init(&spec);
	worker_rig_open(r, WORKER_RIG_ROOM, WORKER_RIG_ROOM);
	for (unsigned i = 0; i < 2; i++)
		worker_rig_add(r, &spec, 1e6, 1);
	return worker_rig_start(r, 0, 1, false);
}

/* A burst of frames with sequences from 'seq' on; behind the wrap they are of the second stream. */
static void
receive_row(struct worker_rig *r, const struct run *run, uint64_t seq)
{
	struct rte_mbuf *mbufs[GEN_BURST];

	for (unsigned i = 0; i < GEN_BURST; i++, seq++) {
		const struct run_stream *s = run->streams;
		const struct sig sig = {
			.seq = (uint32_t)seq,
			.stream = (uint16_t)(run->stream_base + (seq >> 32)),
		};

		mbufs[i] = new_buffer(r->w.rx_pool);
		frame_emit(&s->tmpl, fill(mbufs[i], s->frame, s->len), 0, &sig);
	}
	rx_frames(&r->w, 1, mbufs, GEN_BURST, run->start_tsc + START_NS);
}

static void
a_run_ends_where_the_sender_has_come_to(void **state)
{
	struct run *run = open_twins(*state);

	run->streams[0].seq = 10;
	receive_row(*state, run, 0);
	assert_int_equal(counter_get(&run->rx[RX_OK]), 10);
	assert_int_equal(counter_get(&run->rx[RX_CORRUPT]), GEN_BURST - 10);
	assert_int_equal(counter_get(&run->unidentified), GEN_BURST - 10);
	assert_int_equal(run->streams[0].track.seen, 10);
}

static void
a_run_ends_where_the_sequence_wraps(void **state)
{
	struct run *run = open_twins(*state);
	struct run_stream *streams = run->streams;

	/* What a carry would take for the next frame is the first of the next stream. */
	seqtrack_add(&streams[0].track, 0x7fffffff);
	seqtrack_add(&streams[0].track, 0xffffffef);
	streams[0].seq = 1ull << 33;
	streams[1].seq = 100;
	receive_row(*state, run, 0xfffffff0);
	assert_int_equal(counter_get(&run->rx[RX_OK]), GEN_BURST);
	assert_true(streams[0].track.next == 1ull << 32);
	assert_int_equal(streams[0].track.seen, 2 + 16);
	assert_int_equal(streams[1].track.seen, GEN_BURST - 16);
}

static unsigned
cached(struct rte_mempool *pool)
{
	struct rte_mempool_cache *cache = rte_mempool_default_cache(pool, rte_lcore_id());

	return cache != NULL ? cache->len : 0;
}

static void
plain_buffers_go_to_the_cache_of_the_lcore(void **state)
{
	struct worker_rig *r = *state;
	const struct odd_buffers none = {UINT32_MAX, 0};
	unsigned len;

	rng_seed(__func__);
	open_rig(r);
	receive_burst(r, 1, GEN_BURST, 0, UINT32_MAX, none);
	len = cached(r->w.rx_pool);
	assert_true(len >= GEN_BURST);
	/* Taken from the cache and given back to it. */
	receive_burst(r, 1, GEN_BURST, 0, UINT32_MAX, none);
	assert_int_equal(cached(r->w.rx_pool), len);
	assert_same(r, true);
	close_model();
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(any_burst_is_counted_as_its_frames_are),
		LAW(a_run_ends_where_the_sender_has_come_to),
		LAW(a_run_ends_where_the_sequence_wraps),
		LAW(plain_buffers_go_to_the_cache_of_the_lcore),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
