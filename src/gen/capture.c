/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/mem.h"

#define SNAPLEN 65535

struct capture {
	uint32_t id;
	bool active;
	uint8_t tx_ports, rx_ports;
	char *filter;
	struct bpf_program program;
	bool compiled;
	double start_s;
	uint64_t matched, fetched;
	struct frame_store store;
};

/* ---- stores ---- */

void
frame_store_init(struct frame_store *s, size_t limit, bool cyclic)
{
	*s = (struct frame_store){.limit = limit, .cyclic = cyclic};
}

static void
drop_first(struct frame_store *s)
{
	struct kept_frame *f = &s->frames[s->first];

	s->bytes -= f->len;
	free(f->bytes);
	s->first = (s->first + 1) % s->room;
	s->n--;
}

void
frame_store_fini(struct frame_store *s)
{
	while (s->n > 0)
		drop_first(s);
	free(s->frames);
	*s = (struct frame_store){0};
}

/* Room grows with what is kept: a limit may be any number. */
static void
grow(struct frame_store *s)
{
	size_t room = s->room == 0 ? 64 : 2 * s->room;
	struct kept_frame *frames = xcalloc(room, sizeof(*frames));

	for (size_t i = 0; i < s->n; i++)
		frames[i] = s->frames[(s->first + i) % s->room];
	free(s->frames);
	s->frames = frames;
	s->room = room;
	s->first = 0;
}

static bool
is_full(const struct frame_store *s, uint32_t len)
{
	return s->n >= s->limit || s->bytes + len > CAPTURE_MAX_BYTES;
}

void
frame_store_add(struct frame_store *s, const struct copy_head *h, const uint8_t *bytes, double ts,
		uint64_t index)
{
	struct kept_frame *f;

	while (s->cyclic && s->n > 0 && is_full(s, h->len))
		drop_first(s);
	if (is_full(s, h->len))
		return;
	if (s->n == s->room)
		grow(s);
	f = &s->frames[(s->first + s->n++) % s->room];
	*f = (struct kept_frame){ts,	  h->len, h->wire_len,		 index,
				 h->port, h->tx,  xcalloc(h->len + 1, 1)};
	memcpy(f->bytes, bytes, h->len);
	s->bytes += h->len;
}

static json_t *
frame_json(const struct kept_frame *f, uint32_t snaplen)
{
	char *text = base64_encode(f->bytes, snaplen > 0 && snaplen < f->len ? snaplen : f->len);
	json_t *json = json_pack("{s:f, s:s, s:i, s:o, s:i, s:s}", "ts", f->ts, "binary", text,
				 "port", f->port, "index", json_u64(f->index), "wirelen",
				 (int)f->wire_len, "origin", f->tx ? "TX" : "RX");
	free(text);
	return json;
}

json_t *
frame_store_take(struct frame_store *s, size_t most, uint32_t snaplen)
{
	json_t *all = json_array();

	for (; most > 0 && s->n > 0; most--) {
		json_array_append_new(all, frame_json(&s->frames[s->first], snaplen));
		drop_first(s);
	}
	return all;
}

/* ---- captures ---- */

static struct capture *
find(const struct captures *cs, uint32_t id, struct jsonrpc_error *e)
{
	for (size_t i = 0; i < cs->n; i++)
		if (cs->list[i]->id == id)
			return cs->list[i];
	jsonrpc_fail(e, JSONRPC_FAILED, "capture ID not found");
	return NULL;
}

static void
free_capture(struct capture *c)
{
	if (c->compiled)
		pcap_freecode(&c->program);
	frame_store_fini(&c->store);
	free(c->filter);
	free(c);
}

static int
compile(struct capture *c, struct jsonrpc_error *e)
{
	pcap_t *ethernet;

	if (c->filter[0] == '\0')
		return 0;
	ethernet = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	if (ethernet == NULL)
		return jsonrpc_fail(e, JSONRPC_FAILED, "no memory for a filter");
	c->compiled = pcap_compile(ethernet, &c->program, c->filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (!c->compiled)
		jsonrpc_fail(e, JSONRPC_PARAMS, "BPF filter: '%s' is not a valid pattern: %s",
			     c->filter, pcap_geterr(ethernet));
	pcap_close(ethernet);
	return c->compiled ? 0 : -EINVAL;
}

int
capture_start(struct captures *cs, const struct capture_conf *conf, uint32_t *id,
	      struct jsonrpc_error *e)
{
	struct capture *c;

	if (cs->n == CAPTURE_MAX)
		return jsonrpc_fail(e, JSONRPC_FAILED, "capture limit has reached");
	c = xcalloc(1, sizeof(*c));
	c->active = true;
	c->tx_ports = conf->tx_ports;
	c->rx_ports = conf->rx_ports;
	c->filter = xstrdup(conf->filter);
	c->start_s = conf->now_s;
	frame_store_init(&c->store, conf->limit, conf->cyclic);
	if (compile(c, e) < 0) {
		free_capture(c);
		return -EINVAL;
	}
	c->id = ++cs->next_id;
	cs->list[cs->n++] = c;
	*id = c->id;
	return 0;
}

int
capture_stop(struct captures *cs, uint32_t id, json_t **result, struct jsonrpc_error *e)
{
	struct capture *c = find(cs, id, e);

	if (c == NULL)
		return -EINVAL;
	c->active = false;
	*result = json_pack("{s:o, s:s}", "pkt_count", json_u64(c->store.n), "endpoint", "");
	return 0;
}

int
capture_fetch(struct captures *cs, uint32_t id, uint32_t most, uint32_t snaplen, json_t **result,
	      struct jsonrpc_error *e)
{
	struct capture *c = find(cs, id, e);
	json_t *pkts;

	if (c == NULL)
		return -EINVAL;
	pkts = frame_store_take(&c->store, most, snaplen);
	c->fetched += json_array_size(pkts);
	*result = json_pack("{s:o, s:f, s:o}", "pending", json_u64(c->store.n), "start_ts",
			    c->start_s, "pkts", pkts);
	return 0;
}

int
capture_remove(struct captures *cs, uint32_t id, struct jsonrpc_error *e)
{
	struct capture *c = find(cs, id, e);
	size_t i = 0;

	if (c == NULL)
		return -EINVAL;
	while (cs->list[i] != c)
		i++;
	/* The others keep their order, in which status lists them. */
	memmove(&cs->list[i], &cs->list[i + 1], (--cs->n - i) * sizeof(cs->list[0]));
	free_capture(c);
	return 0;
}

void
captures_fini(struct captures *cs)
{
	while (cs->n > 0)
		free_capture(cs->list[--cs->n]);
}

static json_t *
status_json(const struct capture *c)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:{s:i, s:i, s:s}, s:o, s:o, s:o, s:s}", "id",
			 json_u64(c->id), "state", c->active ? "ACTIVE" : "STOPPED", "matched",
			 json_u64(c->matched), "fetched", json_u64(c->fetched), "filter", "tx",
			 c->tx_ports, "rx", c->rx_ports, "bpf", c->filter, "count",
			 json_u64(c->store.n), "bytes", json_u64(c->store.bytes), "limit",
			 json_u64(c->store.limit), "mode", c->store.cyclic ? "cyclic" : "fixed");
}

json_t *
captures_status(const struct captures *cs)
{
	json_t *all = json_array();

	for (size_t i = 0; i < cs->n; i++)
		json_array_append_new(all, status_json(cs->list[i]));
	return all;
}

uint8_t
captures_wanted(const struct captures *cs, bool tx)
{
	uint8_t ports = 0;

	for (size_t i = 0; i < cs->n; i++)
		if (cs->list[i]->active)
			ports |= tx ? cs->list[i]->tx_ports : cs->list[i]->rx_ports;
	return ports;
}

static bool
wants(const struct capture *c, const struct copy_head *h, const uint8_t *bytes)
{
	const struct pcap_pkthdr hdr = {.caplen = h->len, .len = h->wire_len};
	uint8_t ports = h->tx ? c->tx_ports : c->rx_ports;

	if (!c->active || (ports >> h->port & 1) == 0)
		return false;
	return !c->compiled || pcap_offline_filter(&c->program, &hdr, bytes) != 0;
}

void
captures_add(struct captures *cs, const struct copy_head *h, const uint8_t *bytes, double ts)
{
	for (size_t i = 0; i < cs->n; i++) {
		struct capture *c = cs->list[i];

		if (wants(c, h, bytes))
			frame_store_add(&c->store, h, bytes, ts, ++c->matched);
	}
}
