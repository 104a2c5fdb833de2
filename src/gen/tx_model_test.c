/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ethdev.h>

#include "base/assert_within.h"
#include "base/mem.h"
#include "base/test_random.h"
#include "pkt/cksum.h"
#include "worker_rig.h"

/* The transmitter beside a model of it that does everything slot by slot and byte by byte: over
 * random streams, clocks and links that take some of the frames, both must count the same, note the
 * same lateness and jitter, and send the same bytes. */

#define SCENARIOS 400
#define MAX_ROUNDS 1500
#define MAX_STREAMS 4

struct model_slot {
	uint64_t due_ns, built_ns;
	unsigned stream;
	bool on_time, built;
};

struct model_stream {
	struct run_time due, step;
	uint64_t slots_left, seq;
	bool has_sent;
	uint64_t late_ns; /* of the frame sent last */
};

/* A frame on its way. */
struct model_frame {
	unsigned stream;
	uint64_t seq, due_ns, late_ns;
};

struct model {
	struct worker_rig *r;
	struct run *run;
	struct model_stream streams[MAX_STREAMS];
	struct model_slot slots[GEN_BURST];
	unsigned n_slots;
	uint64_t last_ns, away_until_ns, grace_ns, full_until_ns;
	uint64_t intended, sent, sent_bytes, refused, late;
	uint64_t open_until_ns; /* a client's endless stream lasts as long as the run */
	bool ended;
	struct hist lateness, jitter;
	struct model_frame link[WORKER_RIG_ROOM];
	unsigned n_link;
};

/* ---- streams ---- */

static struct stream *
add_signed(struct worker_rig *r, double pps)
{
	static const uint32_t flows[] = {1, 1, 1, 2, 3, 31, 32, 33, 20000, FRAME_MAX_FLOWS};
	struct frame_spec spec;
	struct stream *s;

	frame_spec_init(&spec);
	spec.vlan = (uint16_t)(rng_below(2) * 7);
	spec.ipv6 = rng_below(3) == 0;
	spec.size = frame_min_signed_size(&spec);
	if (rng_below(2) == 0)
		spec.size = (uint16_t)(spec.size + rng_below(600));
	s = worker_rig_add(r, &spec, pps, flows[rng_below(N_ELEMS(flows))]);
	if (rng_below(4) == 0)
		for (unsigned i = frame_payload_offset(&spec) + SIG_SIZE; i < s->len; i++)
			s->frame[i] = (uint8_t)rng();
	/* Nobody says that it comes with the right checksum. */
	if (rng_below(4) == 0 && !spec.ipv6)
		s->frame[frame_payload_offset(&spec) - FRAME_UDP - 10] ^= 0x55;
	return s;
}

static struct stream *
add_raw(struct worker_rig *r, double pps)
{
	uint8_t frame[300];
	uint16_t len = (uint16_t)(60 + rng_below(sizeof(frame) - 60));

	for (unsigned i = 0; i < len; i++)
		frame[i] = (uint8_t)rng();
	return worker_rig_add_raw(r, frame, len, pps);
}

static void
add_stream(struct worker_rig *r, double pps)
{
	struct stream *s = rng_below(5) == 0 ? add_raw(r, pps) : add_signed(r, pps);

	s->keep_src_mac = rng_below(2);
	s->keep_dst_mac = rng_below(2);
	s->isg_us = rng_below(2) * rng_below(20000) / 1000.0;
	if (rng_below(4) == 0) {
		s->mode = STREAM_SINGLE_BURST;
		s->total_pkts = 1 + rng_below(500);
	}
}

/* ---- the frames ---- */

static void
put(uint8_t *p, unsigned n, uint64_t v)
{
	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

static void
put_signature(uint8_t *p, uint16_t len, uint16_t stream, const struct model_frame *f)
{
	uint64_t lateness = f->late_ns / 64 > 65535 ? 65535 : f->late_ns / 64;

	put(p, 2, 0x4e46);
	put(p + 2, 2, stream);
	put(p + 4, 4, f->seq);
	put(p + 8, 6, f->due_ns);
	put(p + 14, 2, lateness);
	put(p + 16, 2,
	    sig_check(0x4e46ull << 48 | (uint64_t)stream << 32 | (uint32_t)f->seq,
		      f->due_ns << 16 | lateness, len));
}

/* The frame as it must be on the wire, into 'out'; returns its length. */
static uint16_t
write_frame(const struct model *m, const struct model_frame *f, uint8_t *out)
{
	const struct stream *s = &m->r->streams[f->stream];
	uint32_t flow = (uint32_t)(f->seq % s->flows), addr, port;
	struct frame_view v;
	uint8_t *a;

	memcpy(out, s->frame, s->len);
	if (!s->keep_dst_mac)
		memcpy(out, m->r->w.ports[0].dest, 6);
	if (!s->keep_src_mac)
		memcpy(out + 6, m->r->w.ports[0].addr, 6);
	if (!s->signature)
		return s->len;
	assert_true(frame_parse(out, s->len, &v));
	a = out + v.l3 + (v.ethertype == 0x86dd ? 20 : 12);
	addr = (uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3];
	port = (uint32_t)out[v.l4] << 8 | out[v.l4 + 1];
	put(a, 4, addr + flow / FRAME_FLOW_PORTS);
	put(out + v.l4, 2, port + flow % FRAME_FLOW_PORTS);
	put_signature(out + v.payload, s->len, (uint16_t)(m->run->stream_base + f->stream), f);
	put(out + v.l4 + 6, 2, 0);
	if (v.ethertype == 0x86dd)
		put(out + v.l4 + 6, 2, cksum_l4(out + v.l3, out + v.l4, (size_t)s->len - v.l4));
	else
		put(out + v.l3 + 10, 2, cksum_ipv4(out + v.l3, v.l4 - v.l3));
	return s->len;
}

static void
assert_fresh(const struct rte_mbuf *m)
{
	assert_int_equal(m->data_off, RTE_PKTMBUF_HEADROOM);
	assert_int_equal(m->pkt_len, m->data_len);
	assert_int_equal(m->ol_flags, 0);
	assert_int_equal(m->packet_type, 0);
	assert_int_equal(m->nb_segs, 1);
	assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	assert_null(m->next);
}

/* A hop without copies has the buffer itself, and does what it likes with headers and mbuf. */
static void
scribble(struct rte_mbuf *m, uint16_t n)
{
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);

	for (uint16_t i = 0; i < n; i++)
		data[i] = (uint8_t)rng();
	m->data_off = (uint16_t)rng_below(200);
	m->data_len = (uint16_t)rng_below(100);
	m->pkt_len = m->data_len;
	m->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_RX_RSS_HASH;
	m->vlan_tci = (uint16_t)rng();
	m->packet_type = (uint32_t)rng();
	m->hash.rss = (uint32_t)rng();
}

static void
take_frames(struct model *m, unsigned max)
{
	unsigned n = 0;

	for (; n < max && n < m->n_link; n++) {
		struct rte_mbuf *got = rig_take(m->r->port[0].out);
		uint8_t want[FRAME_MAX_SIZE];
		uint16_t len = write_frame(m, &m->link[n], want);

		assert_non_null(got);
		assert_fresh(got);
		assert_int_equal(got->data_len, len);
		assert_memory_equal(rte_pktmbuf_mtod(got, uint8_t *), want, len);
		scribble(got, 60);
		rte_pktmbuf_free(got);
	}
	m->n_link -= n;
	memmove(m->link, m->link + n, m->n_link * sizeof(m->link[0]));
}

/* ---- the schedule ---- */

static struct model_stream *
earliest(struct model *m)
{
	struct model_stream *best = NULL;

	for (unsigned i = 0; i < m->run->n_streams; i++) {
		struct model_stream *s = &m->streams[i];

		if (s->slots_left > 0 && (best == NULL || s->due.ns < best->due.ns))
			best = s;
	}
	return best;
}

static void
plan(struct model *m, struct model_stream *s, uint64_t due_ns, bool on_time)
{
	m->slots[m->n_slots++] = (struct model_slot){
		.due_ns = due_ns,
		.stream = (unsigned)(s - m->streams),
		.on_time = on_time,
	};
}

static void
pass(struct model_stream *s)
{
	uint64_t frac = (uint64_t)s->due.frac + s->step.frac;

	s->due.ns += s->step.ns + (frac > UINT32_MAX);
	s->due.frac = (uint32_t)frac;
	if (s->slots_left != UINT64_MAX)
		s->slots_left--;
}

static void
plan_scheduled(struct model *m, uint64_t now_ns)
{
	struct model_stream *s;

	while (m->n_slots < GEN_BURST && (s = earliest(m)) != NULL && s->due.ns <= now_ns) {
		if (s->due.ns >= m->run->duration_ns) {
			s->slots_left = 0;
			continue;
		}
		m->intended++;
		if (now_ns - s->due.ns > m->run->late_ns)
			m->late++;
		else
			plan(m, s, s->due.ns,
			     s->due.ns >= m->away_until_ns && now_ns >= m->grace_ns);
		pass(s);
	}
	for (unsigned i = 0; i < m->run->n_streams; i++)
		if (now_ns >= m->run->duration_ns && m->streams[i].due.ns >= m->run->duration_ns)
			m->streams[i].slots_left = 0;
}

static void
plan_unscheduled(struct model *m, uint64_t now_ns)
{
	struct model_stream *s;

	while (now_ns < m->run->duration_ns && m->n_slots < GEN_BURST &&
	       (s = earliest(m)) != NULL) {
		plan(m, s, now_ns, true);
		pass(s);
	}
}

/* The first frame of a stream has none before it. */
static void
send_after(struct model *m, struct model_stream *s, uint64_t late_ns)
{
	if (s->has_sent)
		hist_record(&m->jitter,
			    late_ns > s->late_ns ? late_ns - s->late_ns : s->late_ns - late_ns);
	s->has_sent = true;
	s->late_ns = late_ns;
}

static void
send_slot(struct model *m, const struct model_slot *slot, uint64_t now_ns)
{
	struct model_stream *s = &m->streams[slot->stream];

	m->link[m->n_link++] = (struct model_frame){
		.stream = slot->stream,
		.seq = s->seq++,
		.due_ns = slot->due_ns,
		.late_ns = slot->built_ns - slot->due_ns,
	};
	m->sent++;
	m->sent_bytes += m->r->streams[slot->stream].len + FRAME_FCS;
	hist_record(&m->lateness, m->run->flat_out ? 0 : now_ns - slot->due_ns);
	if (!m->run->flat_out)
		send_after(m, s, now_ns - slot->due_ns);
}

static void
forget_slots(struct model *m, unsigned n)
{
	m->n_slots -= n;
	memmove(m->slots, m->slots + n, m->n_slots * sizeof(m->slots[0]));
}

static bool
waited_long_enough(const struct model *m, const struct model_slot *slot, uint64_t now_ns)
{
	uint64_t age = now_ns - slot->due_ns;

	if (slot->on_time)
		return age > m->run->wait_ns;
	return age > m->run->late_ns || (age > m->run->wait_ns && now_ns >= m->grace_ns);
}

static void
give_up_slots(struct model *m, uint64_t now_ns)
{
	unsigned n = 0;

	while (n < m->n_slots && waited_long_enough(m, &m->slots[n], now_ns)) {
		if (m->slots[n++].on_time) {
			m->refused++;
			m->full_until_ns = now_ns + TX_FULL * m->run->wait_ns;
		} else {
			m->late++;
		}
	}
	forget_slots(m, n);
	for (unsigned i = 0; n > 0 && i < m->n_slots; i++)
		m->slots[i].built = false;
}

/* What waited through an absence until it was too old. */
static void
give_up_stale(struct model *m, uint64_t now_ns)
{
	if (m->run->flat_out || m->n_slots == 0 || now_ns - m->slots[0].due_ns <= m->run->late_ns)
		return;
	for (unsigned i = 0; i < m->n_slots; i++)
		if (now_ns - m->slots[i].due_ns > m->run->late_ns)
			m->slots[i].on_time = false;
	give_up_slots(m, now_ns);
}

/* One round of the worker on a link with room for 'room' frames; returns how many it sends. */
static unsigned
model_round(struct model *m, uint64_t now_ns, unsigned room)
{
	uint64_t away_ns = now_ns - m->last_ns;
	unsigned n;

	if (away_ns > m->run->wait_ns && m->last_ns >= m->full_until_ns) {
		m->away_until_ns = now_ns;
		m->grace_ns = now_ns + TX_GRACE * RTE_MIN(away_ns, m->run->late_ns);
	}
	m->last_ns = now_ns;
	give_up_stale(m, now_ns);
	if (m->run->flat_out)
		plan_unscheduled(m, now_ns);
	else
		plan_scheduled(m, now_ns);
	m->ended = earliest(m) == NULL && m->n_slots == 0;
	if (m->run->flat_out && now_ns >= m->run->duration_ns)
		m->ended = true;
	for (unsigned i = 0; i < m->n_slots; i++)
		if (!m->slots[i].built) {
			m->slots[i].built = true;
			m->slots[i].built_ns = now_ns;
		}
	n = RTE_MIN(m->n_slots, room);
	for (unsigned i = 0; i < n; i++)
		send_slot(m, &m->slots[i], now_ns);
	forget_slots(m, n);
	if (m->run->flat_out)
		m->intended += n;
	else
		give_up_slots(m, now_ns);
	m->ended = m->ended || (earliest(m) == NULL && m->n_slots == 0 && !m->run->flat_out);
	m->ended = m->ended && now_ns >= m->open_until_ns;
	return n;
}

/* ---- both side by side ---- */

/* As after weeks: sequences about to wrap, and counts to saturate. */
static void
make_old(struct model *m)
{
	const uint32_t seq = UINT32_MAX - rng_below(200), n = UINT32_MAX - rng_below(300);
	struct hist *lateness = &m->run->times->lateness;

	for (unsigned i = 0; i < m->run->n_streams; i++) {
		struct run_stream *s = &m->run->streams[i];

		m->streams[i].seq = s->seq = seq;
		s->flow = s->next_flow = seq % s->flows;
	}
	lateness->n = n;
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		lateness->count[i] = n;
	m->lateness = *lateness;
}

static void
start(struct model *m, struct worker_rig *r, bool flat_out)
{
	static const double durations_s[] = {20e-6, 300e-6, 3e-3, 20e-3, -1};

	memset(m, 0, sizeof(*m));
	m->r = r;
	m->run = worker_rig_start(r, 0, durations_s[rng_below(N_ELEMS(durations_s))], flat_out);
	hist_init(&m->lateness);
	hist_init(&m->jitter);
	for (unsigned i = 0; i < m->run->n_streams; i++) {
		const struct run_stream *s = &m->run->streams[i];

		m->streams[i] = (struct model_stream){
			.due = s->due, .step = s->step, .slots_left = s->slots_left};
		if (!s->signature && r->streams[i].mode == STREAM_CONTINUOUS &&
		    m->run->duration_ns != UINT64_MAX)
			m->open_until_ns = m->run->duration_ns;
	}
	if (rng_below(4) == 0)
		make_old(m);
}

/* Mostly there, sometimes away for a while, rarely for longer than a slot may be late. */
static uint64_t
random_step_ns(bool steady)
{
	switch (steady ? 2 : rng_below(40)) {
	case 0:
		return rng_below(300000);
	case 1:
		return rng_below(20) == 0 ? rng_below(6000000) : 0;
	default:
		return rng_below(3000);
	}
}

/* The same but for a nanosecond of some samples: a step is a whole number of them in the mean. */
static void
assert_alike(const struct hist *h, const struct hist *want)
{
	uint64_t n = 0, below = 0;

	assert_int_equal(h->n, want->n);
	assert_int_equal(h->sum_ns, want->sum_ns);
	if (h->n == 0)
		return;
	assert_within(want->max_ns, h->max_ns, h->max_ns + 1);
	assert_within(want->min_ns, h->min_ns, h->min_ns + 1);
	for (unsigned i = 0; i + 1 < HIST_BUCKETS; i++) {
		uint64_t least = below;

		below += want->count[i];
		n += h->count[i];
		assert_within(n, least, below + want->count[i + 1]);
	}
}

static void
assert_same(const struct model *m)
{
	const struct run *run = m->run;
	struct run_times times;

	assert_int_equal(run_intended(run), m->intended);
	assert_int_equal(run_sent(run), m->sent);
	assert_int_equal(counter_get(&run->sent_bytes), m->sent_bytes);
	assert_int_equal(run_refused(run), m->refused);
	assert_int_equal(run_late(run), m->late);
	run_times_all(run, &times);
	assert_true(times.lateness.max_ns <= run->late_ns);
	assert_memory_equal(&times.lateness, &m->lateness, sizeof(m->lateness));
	assert_alike(&times.jitter, &m->jitter);
	for (unsigned i = 0; i < run->n_streams; i++)
		assert_int_equal(run->streams[i].seq, m->streams[i].seq);
}

static void
run_side_by_side(struct model *m, unsigned out_room)
{
	struct worker_rig *r = m->r;
	uint64_t now_ns = 0;
	/* From a link that hardly moves to one that takes everything. */
	unsigned most = 1 + rng_below(rng_below(2) == 0 ? 8 : 80);
	bool steady = rng_below(2);

	for (unsigned i = 0; i < MAX_ROUNDS && !m->ended; i++) {
		uint64_t step_ns = i == 0 ? 0 : random_step_ns(steady);
		unsigned room = out_room - m->n_link, n;

		now_ns += step_ns;
		n = model_round(m, now_ns, room);
		assert_int_equal(worker_rig_transmit(r, step_ns), n);
		assert_int_equal(r->w.ports[0].sending == 0, m->ended);
		take_frames(m, rng_below(most + 1));
	}
	take_frames(m, UINT32_MAX);
	assert_same(m);
	if (m->ended)
		(void)worker_rig_counts(m->run);
}

static void
what_is_sent_and_counted_is_what_the_model_says(void **state)
{
	static const unsigned rooms[] = {1, 5, 40, 250};
	struct model *m = xcalloc(1, sizeof(*m));
	uint64_t sent = 0, refused = 0, late = 0;

	for (unsigned seed = 1; seed <= SCENARIOS; seed++) {
		struct worker_rig *r = *state;
		unsigned n_streams, out_room;
		double pps;

		rng_state = seed * 0x9e3779b97f4a7c15ull;
		n_streams = rng_below(2) == 0 ? 1 : 1 + rng_below(MAX_STREAMS);
		out_room = rooms[rng_below(N_ELEMS(rooms))];
		pps = 1000.0 * (1 + rng_below(1u << rng_below(16)));
		if (rng_below(8) == 0)
			pps *= 30; /* slots a few nanoseconds apart */
		print_message("# seed %u: %u streams, %.0f pps, room for %u\n", seed, n_streams,
			      pps, out_room);
		worker_rig_open(r, out_room, WORKER_RIG_ROOM);
		for (unsigned i = 0; i < n_streams; i++)
			add_stream(r, rng_below(3) == 0 ? pps : pps * (1 + rng_below(7)) / 7);
		/* Twice: the buffers come back with what the first run left in them. */
		for (unsigned turn = 0; turn < 2; turn++) {
			start(m, r, rng_below(4) == 0);
			run_side_by_side(m, out_room);
			sent += m->sent;
			refused += m->refused;
			late += m->late;
		}
		worker_rig_fini(state);
		worker_rig_init(state);
	}
	print_message("# %lu sent, %lu refused, %lu late\n", sent, refused, late);
	/* All of it has been tried. */
	assert_true(sent > 100000 && refused > 100000 && late > 100000);
	free(m);
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, worker_rig_init, worker_rig_fini)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(what_is_sent_and_counted_is_what_the_model_says),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
