/* SPDX-License-Identifier: MIT */
#include "poll_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ethdev.h>

#include "base/clock.h"
#include "base/mem.h"

#define IN_ROOM 2048
#define N_SOURCE 4095
#define PATIENCE_MS 10000

static struct deadline deadline;

void
poll_rig_addr(unsigned port, uint8_t mac[6])
{
	memcpy(mac, (const uint8_t[6]){0x02, 0, 0, 0, 1, (uint8_t)port}, 6);
}

void
poll_rig_dest(unsigned port, uint8_t mac[6])
{
	memcpy(mac, (const uint8_t[6]){0x02, 0, 0, 0, 2, (uint8_t)port}, 6);
}

static uint16_t
end_of_round(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t n, uint16_t max,
	     void *arg)
{
	struct poll_rig *r = arg;

	(void)port, (void)queue, (void)frames, (void)max;
	r->round++;
	if (r->tick != NULL)
		r->tick(r);
	if (deadline_passed(&deadline))
		r->timed_out = true;
	if (r->round >= r->n_rounds || r->timed_out)
		fwd_set_state(&r->fwd, FWD_STOP);
	return n;
}

int
poll_rig_init(void **state)
{
	struct poll_rig *r = xcalloc(1, sizeof(*r));

	fwd_conf_init(&r->conf);
	r->conf.rxd = 64;
	r->conf.txd = 64;
	r->conf.idle = IDLE_SPIN;
	for (unsigned i = 0; i < POLL_RIG_PORTS; i++) {
		r->conf.addr[i].set = r->conf.dest[i].set = true;
		poll_rig_addr(i, r->conf.addr[i].mac);
		poll_rig_dest(i, r->conf.dest[i].mac);
	}
	*state = r;
	return 0;
}

void
poll_rig_open(struct poll_rig *r, unsigned out_room)
{
	struct frame_spec spec;
	struct err err = {0};

	r->source = rte_pktmbuf_pool_create("source", N_SOURCE, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
					    SOCKET_ID_ANY);
	assert_non_null(r->source);
	frame_spec_init(&spec);
	spec.size = 100;
	assert_int_equal(frame_template_build(&r->tmpl, &spec, r->frame, sizeof(r->frame), &err),
			 0);
	for (unsigned i = 0; i < POLL_RIG_PORTS; i++) {
		rig_port_open(&r->port[i], IN_ROOM, out_room);
		assert_int_equal(r->port[i].id, i);
	}
	if (fwd_open(&r->fwd, &r->conf, false, &err) < 0)
		fail_msg("%s", err.msg);
	r->on_round = rte_eth_add_rx_callback(2, 0, end_of_round, r);
	assert_non_null(r->on_round);
}

int
poll_rig_fini(void **state)
{
	struct poll_rig *r = *state;
	unsigned leaked, at_source;

	if (r->on_round != NULL)
		rte_eth_remove_rx_callback(2, 0, r->on_round);
	leaked = fwd_close_ports(&r->fwd);
	fwd_close(&r->fwd);
	for (unsigned i = 0; i < POLL_RIG_PORTS; i++)
		if (r->port[i].in != NULL)
			rig_port_close(&r->port[i]);
	at_source = r->source != NULL ? rte_mempool_in_use_count(r->source) : 0;
	rte_mempool_free(r->source);
	fwd_conf_fini(&r->conf);
	free(r);
	assert_int_equal(leaked, 0);
	assert_int_equal(at_source, 0);
	return 0;
}

static uint8_t (*verdict_of)(uint32_t seq);

static void
decide(void *ctx, struct rte_mbuf **frames, uint16_t n, uint8_t *verdict)
{
	const struct poll_rig *r = ctx;

	for (uint16_t i = 0; i < n; i++) {
		struct sig sig;

		assert_true(sig_read(rte_pktmbuf_mtod(frames[i], const uint8_t *) + r->tmpl.payload,
				     &sig, frames[i]->data_len));
		verdict[i] = verdict_of(sig.seq);
	}
}

static const struct nf nf_decide = {NF_HEADER, .name = "decide", .burst = decide};

void
poll_rig_open_deciding(struct poll_rig *r, unsigned out_room, uint8_t (*how)(uint32_t seq))
{
	struct err err;

	/* "wire" has neither context nor reasons: a function of ours can take its place. */
	assert_int_equal(opt_set_list(&r->conf.nf, "wire", &err), 0);
	poll_rig_open(r, out_room);
	verdict_of = how;
	r->fwd.nf[0] = &nf_decide;
	r->fwd.lcore[0].nf_ctx[0] = r;
}

void
poll_rig_put_to(struct poll_rig *r, unsigned port, const uint8_t dst[6], uint32_t seq)
{
	const struct sig sig = {.stream = (uint16_t)port, .seq = seq, .time_ns = 1};
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->source);
	uint8_t *data;

	assert_non_null(m);
	assert_non_null(rte_pktmbuf_append(m, r->tmpl.len));
	data = rte_pktmbuf_mtod(m, uint8_t *);
	memcpy(data, r->frame, r->tmpl.len);
	frame_emit(&r->tmpl, data, 0, &sig);
	memcpy(data, dst, 6);
	/* Drivers say where a frame came from; rings do not. */
	m->port = r->port[port].id;
	assert_int_equal(rte_ring_enqueue(r->port[port].in, m), 0);
}

void
poll_rig_put(struct poll_rig *r, unsigned port, uint32_t first, unsigned n)
{
	uint8_t mac[6];

	poll_rig_addr(port, mac);
	for (unsigned i = 0; i < n; i++)
		poll_rig_put_to(r, port, mac, first + i);
}

void
poll_rig_run(struct poll_rig *r, unsigned n_rounds)
{
	r->round = 0;
	r->n_rounds = n_rounds;
	deadline = deadline_in_ms(PATIENCE_MS);
	fwd_set_state(&r->fwd, FWD_RUN);
	fwd_run(&r->fwd);
	assert_false(r->timed_out);
}

unsigned
poll_rig_take(struct poll_rig *r, unsigned port, struct poll_frame *frames, unsigned max)
{
	struct rte_mbuf *m;
	unsigned n = 0;

	while (n < max && (m = rig_take(r->port[port].out)) != NULL) {
		const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
		struct poll_frame *f = &frames[n++];
		struct sig sig;

		f->len = m->data_len;
		f->intact = sig_read(data + r->tmpl.payload, &sig, m->data_len);
		f->seq = sig.seq;
		memcpy(f->dst, data, 6);
		memcpy(f->src, data + 6, 6);
		assert_int_equal(m->pkt_len, m->data_len);
		rte_pktmbuf_free(m);
	}
	return n;
}

void
poll_rig_assert_sent(struct poll_rig *r, unsigned port, uint32_t first, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct poll_frame f = {.intact = false};

		assert_int_equal(poll_rig_take(r, port, &f, 1), 1);
		assert_int_equal(f.seq, first + i);
		assert_true(f.intact);
	}
	assert_int_equal(rte_ring_count(r->port[port].out), 0);
}

struct fwd_totals
poll_rig_totals(const struct poll_rig *r)
{
	struct fwd_totals t;

	fwd_totals(&r->fwd, &t);
	assert_int_equal(fwd_residual(&t), 0);
	return t;
}

uint64_t
poll_rig_drops(const struct poll_rig *r, const char *reason)
{
	struct fwd_totals t;

	fwd_totals(&r->fwd, &t);
	for (unsigned i = 0; i < r->fwd.n_reasons; i++)
		if (strcmp(r->fwd.reason[i], reason) == 0)
			return t.drop[i];
	fail_msg("no reason '%s'", reason);
	return 0;
}

void
poll_rig_frames_go_to_the_pair(struct poll_rig *r)
{
	struct fwd_totals t;

	poll_rig_open(r, 2048);
	poll_rig_put(r, 0, 0, 1000);
	poll_rig_put(r, 1, 5000, 500);
	poll_rig_run(r, 100);
	t = poll_rig_totals(r);
	assert_int_equal(t.rx[0], 1000);
	assert_int_equal(t.rx[1], 500);
	assert_int_equal(t.tx[1], 1000);
	assert_int_equal(t.tx[0], 500);
	assert_int_equal(t.drop_all, 0);
	assert_int_equal(t.in_flight, 0);
	assert_int_equal(t.created, 0);
	poll_rig_assert_sent(r, 1, 0, 1000);
	poll_rig_assert_sent(r, 0, 5000, 500);
}
