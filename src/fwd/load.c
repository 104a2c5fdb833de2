/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <string.h>

#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "base/json.h"
#include "forwarder.h"
#include "pkt/flow.h"
#include "pkt/template.h"

struct load_port;

struct load_queue {
	struct load_port *port;
	uint32_t n_flows, next;
	uint32_t *flow; /* their numbers */
	uint64_t
		limit; /* may deliver so many in all, as far as known: others have moved on since */
	const struct rte_eth_rxtx_callback *callback;
	counter_t delivered; /* one writer: the lcore that polls the queue */
	counter_t returned;
} __rte_cache_aligned;

struct load_port {
	struct frame_template tmpl;
	uint16_t id, n_queues;
	uint32_t window;
	struct load_queue queue[PORT_MAX_QUEUES];
};

struct loads {
	struct load_port *port[NF_MAX_PORTS];
};

/* ---- the burst ---- */

/* What the fullest of the other queues allows. */
static uint64_t
limit_now(const struct load_queue *q)
{
	const struct load_port *p = q->port;
	uint64_t limit = UINT64_MAX;

	for (uint16_t i = 0; i < p->n_queues; i++) {
		const struct load_queue *other = &p->queue[i];

		if (other == q || other->n_flows == 0)
			continue;
		limit = RTE_MIN(limit, load_limit(counter_get(&other->delivered), other->n_flows,
						  p->window, q->n_flows));
	}
	return limit;
}

static void
write_frames(struct load_queue *q, struct rte_mbuf **frames, uint16_t n)
{
	const struct frame_template *t = &q->port->tmpl;
	const struct template_loop loop = template_loop(t, true);
	uint32_t next = q->next;

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = frames[i];
		uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);

		m->data_len = t->len;
		m->pkt_len = t->len;
		memcpy(data, loop.start, sizeof(loop.start));
		template_set_flow(t, data, q->flow[next]);
		next = next + 1 == q->n_flows ? 0 : next + 1;
	}
	q->next = next;
}

static uint16_t
on_rx(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t n, uint16_t max, void *arg)
{
	struct load_queue *q = arg;
	uint64_t delivered = counter_get(&q->delivered);
	uint16_t kept = n;

	(void)port, (void)queue, (void)max;
	if (unlikely(delivered + n > q->limit)) {
		q->limit = q->n_flows > 0 ? limit_now(q) : 0;
		if (delivered + n > q->limit)
			kept = q->limit > delivered ? (uint16_t)(q->limit - delivered) : 0;
	}
	if (kept < n) {
		rte_pktmbuf_free_bulk(frames + kept, n - kept);
		counter_add(&q->returned, n - kept);
	}
	if (kept > 0) {
		write_frames(q, frames, kept);
		counter_add(&q->delivered, kept);
	}
	return kept;
}

/* ---- opening ---- */

static uint16_t
queue_of(const struct load_port *p, const uint8_t *head, uint32_t flow)
{
	uint8_t frame[TEMPLATE_HEAD];

	memcpy(frame, head, sizeof(frame));
	template_set_flow(&p->tmpl, frame, flow);
	return (uint16_t)(flow_hash(frame, p->tmpl.len) % p->n_queues);
}

/* Twice over all flows: to count those of each queue, and to note them. */
static int
spread(struct load_port *p, const struct load_conf *conf, struct err *err)
{
	for (uint32_t i = 0; i < conf->flows; i++)
		p->queue[queue_of(p, p->tmpl.head, load_flow_number(conf, i))].n_flows++;
	for (uint16_t q = 0; q < p->n_queues; q++) {
		struct load_queue *queue = &p->queue[q];

		queue->port = p;
		queue->flow = rte_malloc(NULL, (queue->n_flows + 1) * sizeof(*queue->flow), 0);
		if (queue->flow == NULL)
			return err_machine(err, "no memory for %u flows", queue->n_flows);
		queue->n_flows = 0;
	}
	for (uint32_t i = 0; i < conf->flows; i++) {
		uint32_t flow = load_flow_number(conf, i);
		struct load_queue *queue = &p->queue[queue_of(p, p->tmpl.head, flow)];

		queue->flow[queue->n_flows++] = flow;
	}
	return 0;
}

static int
make_template(struct load_port *p, const struct fwd *fwd, struct err *err)
{
	static uint8_t frame[LOAD_MAX_SIZE];
	struct frame_spec spec;

	frame_spec_init(&spec);
	spec.size = fwd->conf->load.size;
	memcpy(spec.dst_mac, fwd->nf_conf.port[p->id].addr, sizeof(spec.dst_mac));
	memcpy(spec.src_mac, (const uint8_t[6]){0x02, 0, 0, 0, 1, (uint8_t)p->id},
	       sizeof(spec.src_mac));
	return frame_template_build(&p->tmpl, &spec, frame, sizeof(frame), err);
}

static int
open_port(struct fwd *fwd, uint16_t id, struct err *err)
{
	struct load_port *p = rte_zmalloc(NULL, sizeof(*p), RTE_CACHE_LINE_SIZE);
	int rc;

	fwd->loads->port[id] = p;
	if (p == NULL)
		return err_machine(err, "no memory for a load");
	p->id = id;
	p->n_queues = fwd->plan.n_rxq;
	p->window = fwd->conf->load.window;
	rc = make_template(p, fwd, err);
	if (rc == 0)
		rc = spread(p, &fwd->conf->load, err);
	for (uint16_t q = 0; rc == 0 && q < p->n_queues; q++) {
		p->queue[q].callback = rte_eth_add_rx_callback(id, q, on_rx, &p->queue[q]);
		if (p->queue[q].callback == NULL)
			rc = err_machine(err, "port %u takes no callback", id);
	}
	return rc;
}

int
load_open(struct fwd *fwd, struct err *err)
{
	int rc = 0;

	if (fwd->conf->load.flows == 0)
		return 0;
	fwd->loads = rte_zmalloc(NULL, sizeof(*fwd->loads), 0);
	if (fwd->loads == NULL)
		return err_machine(err, "no memory for a load");
	for (uint16_t i = 0; rc == 0 && i < fwd->plan.n_ports; i++)
		if (fwd->plan.enabled[i])
			rc = open_port(fwd, i, err);
	return err_wrap(err, rc, "--load");
}

static void
close_port(struct load_port *p)
{
	for (uint16_t q = 0; q < p->n_queues; q++) {
		const struct rte_eth_rxtx_callback *callback = p->queue[q].callback;

		if (callback != NULL && rte_eth_remove_rx_callback(p->id, q, callback) == 0)
			rte_free((void *)(uintptr_t)callback);
		p->queue[q].callback = NULL;
	}
}

void
load_stop(struct fwd *fwd)
{
	for (uint16_t i = 0; fwd->loads != NULL && i < NF_MAX_PORTS; i++)
		if (fwd->loads->port[i] != NULL)
			close_port(fwd->loads->port[i]);
}

void
load_close(struct fwd *fwd)
{
	load_stop(fwd);
	for (uint16_t i = 0; fwd->loads != NULL && i < NF_MAX_PORTS; i++) {
		struct load_port *p = fwd->loads->port[i];

		for (uint16_t q = 0; p != NULL && q < p->n_queues; q++)
			rte_free(p->queue[q].flow);
		rte_free(p);
	}
	rte_free(fwd->loads);
	fwd->loads = NULL;
}

json_t *
load_to_json(const struct fwd *fwd)
{
	json_t *list = fwd->loads != NULL ? json_array() : NULL;

	for (uint16_t i = 0; list != NULL && i < fwd->plan.n_ports; i++) {
		const struct load_port *p = fwd->loads->port[i];

		for (uint16_t q = 0; p != NULL && q < p->n_queues; q++)
			json_array_append_new(
				list,
				json_pack("{s:i, s:i, s:I, s:o, s:o}", "port", i, "queue", q,
					  "flows", (json_int_t)p->queue[q].n_flows, "delivered",
					  json_u64(counter_get(&p->queue[q].delivered)), "returned",
					  json_u64(counter_get(&p->queue[q].returned))));
	}
	return list;
}
