/* SPDX-License-Identifier: MIT */
#include "worker_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ethdev.h>

#include "base/mem.h"

#define START_TSC 1000000
#define MAX_ROUNDS 50000000

int
worker_rig_init(void **state)
{
	struct worker_rig *r = aligned_alloc(64, (sizeof(*r) + 63) / 64 * 64);

	assert_non_null(r);
	memset(r, 0, sizeof(*r));
	gen_conf_init(&r->conf);
	r->conf.rxd = 64;
	r->conf.txd = 64;
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		r->conf.addr[i].set = r->conf.dest[i].set = true;
		memcpy(r->conf.addr[i].mac, (const uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)i}, 6);
		memcpy(r->conf.dest[i].mac, (const uint8_t[6]){2, 0, 0, 0, 0, !i}, 6);
	}
	*state = r;
	return 0;
}

void
worker_rig_open(struct worker_rig *r, unsigned out_room, unsigned in_room)
{
	struct err err = {0};

	for (unsigned i = 0; i < GEN_PORTS; i++) {
		rig_port_open_queues(&r->port[i], (uint16_t)r->conf.queues, in_room, out_room);
		assert_int_equal(r->port[i].id, i);
	}
	if (generator_open(&r->w, &r->conf, false, &err) < 0)
		fail_msg("%s", err.msg);
	r->w.tsc_hz = 1000000000;
	r->w.tsc_to_ns = 1;
}

int
worker_rig_fini(void **state)
{
	struct worker_rig *r = *state;
	unsigned in_use = 0;

	rte_pktmbuf_free(r->kept);
	for (unsigned i = 0; i < GEN_PORTS; i++) {
		tx_start(&r->w.ports[i], 0, NULL);
		run_free(r->run[i]);
		for (uint16_t q = 0; q < r->port[i].n_queues; q++) {
			rig_discard(r->port[i].ins[q], UINT32_MAX);
			rig_discard(r->port[i].outs[q], UINT32_MAX);
		}
	}
	for (size_t i = 0; i < r->n_streams; i++)
		stream_fini(&r->streams[i]);
	if (r->w.tx_pool != NULL)
		in_use = rte_mempool_in_use_count(r->w.tx_pool) +
			 rte_mempool_in_use_count(r->w.rx_pool);
	generator_close(&r->w);
	generator_close(&r->w);
	for (unsigned i = 0; i < GEN_PORTS; i++)
		if (r->port[i].in != NULL)
			rig_port_close(&r->port[i]);
	gen_conf_fini(&r->conf);
	free(r);
	assert_int_equal(in_use, 0);
	return 0;
}

static struct stream *
new_stream(struct worker_rig *r, uint16_t len, double pps)
{
	struct stream *s = &r->streams[r->n_streams++];

	assert_true(r->n_streams <= WORKER_RIG_STREAMS);
	*s = (struct stream){
		.id = (uint32_t)r->n_streams,
		.enabled = true,
		.self_start = true,
		.rate_kind = STREAM_PPS,
		.rate = pps,
		.len = len,
		.frame = xcalloc(1, len),
		.flows = 1,
		.next_id = -1,
	};
	return s;
}

struct stream *
worker_rig_add(struct worker_rig *r, const struct frame_spec *spec, double pps, uint32_t flows)
{
	struct stream *s = new_stream(r, (uint16_t)(spec->size - FRAME_FCS), pps);
	struct err err;

	assert_true(frame_build(spec, s->frame, s->len, &err) > 0);
	s->signature = true;
	s->flows = flows;
	return s;
}

struct stream *
worker_rig_add_raw(struct worker_rig *r, const uint8_t *frame, uint16_t len, double pps)
{
	struct stream *s = new_stream(r, len, pps);

	memcpy(s->frame, frame, len);
	return s;
}

struct run *
worker_rig_make_run(struct worker_rig *r, unsigned port, double duration_s, bool flat_out)
{
	const struct run_conf conf = {
		.tx_port = (uint16_t)port,
		.stream_base = r->next_stream_base,
		.n_queues = (uint16_t)r->conf.queues,
		.factor = 1,
		.speed_bps = 10e9,
		.duration_s = duration_s,
		.flat_out = flat_out,
		.src_mac = r->w.ports[port].addr,
		.dst_mac = r->w.ports[port].dest,
	};
	struct jsonrpc_error e = {0};
	struct run *run = run_new(r->streams, r->n_streams, &conf, &e);

	if (run == NULL)
		fail_msg("%s", e.specific);
	r->next_stream_base = (uint16_t)(r->next_stream_base + run->n_streams);
	return run;
}

void
worker_rig_take(struct worker_rig *r, unsigned port, unsigned slot, struct run *run)
{
	struct gen_port *p = &r->w.ports[port];

	if (run != NULL) {
		run_set_start(run, START_TSC + r->now_ns);
		run->state = RUN_ACTIVE;
	}
	tx_start(p, slot, run);
	p->slots[slot].run = run;
	p->rx_run = run;
}

struct run *
worker_rig_start(struct worker_rig *r, unsigned port, double duration_s, bool flat_out)
{
	struct run *run = worker_rig_make_run(r, port, duration_s, flat_out);

	worker_rig_take(r, port, 0, NULL);
	run_free(r->run[port]);
	r->run[port] = run;
	worker_rig_take(r, port, 0, run);
	return run;
}

unsigned
worker_rig_transmit(struct worker_rig *r, uint64_t step_ns)
{
	unsigned n = 0;

	r->now_ns += step_ns;
	for (unsigned i = 0; i < GEN_PORTS; i++)
		n += worker_transmit(&r->w, &r->w.ports[i], START_TSC + r->now_ns);
	return n;
}

/* Takes what one queue sent through the hop to the ring of another. */
static void
carry(struct worker_rig *r, struct rte_ring *from, struct rte_ring *to)
{
	struct rte_mbuf *m, *out[2];

	while ((m = rig_take(from)) != NULL) {
		unsigned n = 1;

		out[0] = m;
		if (r->hop != NULL)
			n = r->hop(r, r->n_hop++, m, out);
		for (unsigned i = 0; i < n; i++) {
			if (rte_ring_enqueue(to, out[i]) != 0) {
				r->n_full++;
				rte_pktmbuf_free(out[i]);
			}
		}
	}
}

void
worker_rig_carry(struct worker_rig *r, unsigned from, unsigned to)
{
	for (uint16_t q = 0; q < r->port[from].n_queues; q++)
		carry(r, r->port[from].outs[q], r->port[to].ins[q]);
}

void
worker_rig_receive(struct worker_rig *r)
{
	struct rte_mbuf *mbufs[GEN_BURST];

	for (unsigned i = 0; i < GEN_PORTS; i++)
		for (uint16_t q = 0; q < r->port[i].n_queues; q++) {
			uint16_t n;

			while ((n = rte_eth_rx_burst(r->port[i].id, q, mbufs, GEN_BURST)) > 0)
				rx_frames(&r->w, i, mbufs, n, START_TSC + r->now_ns);
		}
}

void
worker_rig_finish(struct worker_rig *r, uint64_t step_ns)
{
	unsigned round = 0;

	while (r->w.ports[0].sending != 0 || r->w.ports[1].sending != 0) {
		assert_true(round++ < MAX_ROUNDS);
		worker_rig_transmit(r, step_ns);
		worker_rig_carry(r, 0, 1);
		worker_rig_carry(r, 1, 0);
		worker_rig_receive(r);
	}
}

struct worker_rig_counts
worker_rig_counts(const struct run *run)
{
	struct worker_rig_counts c = {
		.intended = run_intended(run),
		.sent = run_sent(run),
		.refused = run_refused(run),
		.late = run_late(run),
		.unidentified = counter_get(&run->unidentified),
		.overdue = counter_get(&run->overdue),
		.foreign = counter_get(&run->foreign),
		.never_seen = run_never_seen(run),
		.reordered = run_reordered(run),
		.repeated = run_repeated(run),
	};

	for (unsigned k = 0; k < RX_KINDS; k++)
		c.rx[k] = counter_get(&run->rx[k]);
	if (run->state == RUN_SENT)
		assert_int_equal(c.intended, c.sent + c.refused + c.late);
	return c;
}

void
worker_rig_assert_clean(const struct run *run, uint64_t n)
{
	struct worker_rig_counts c = worker_rig_counts(run);
	const struct worker_rig_counts want = {
		.intended = c.intended,
		.sent = n,
		.refused = c.refused,
		.late = c.late,
		.rx[RX_OK] = n,
	};

	assert_int_equal(run->state, RUN_SENT);
	assert_memory_equal(&c, &want, sizeof(c));
}
