/* SPDX-License-Identifier: MIT */
#include "tg_trex.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define FLAT_OUT_PPS 30e6
#define SETTLE_NS (800 * NSEC_PER_MS)
#define SETTLE_MAX_NS (3000 * NSEC_PER_MS)
#define SETTLE_POLL_MS 100
/* Flows are UDP source ports, as in our own generator as far as those go. */
#define FIRST_PORT 49152
#define MAX_FLOWS 16384

/* Counters of both ports, since the server started. */
struct mark {
	uint64_t tx[2], rx[2], rx_errors[2];
	uint64_t queue_drop; /* due, and the link had no room */
	uint64_t known[2];   /* arrived at the port, by their flow statistics */
	bool has_known;
};

struct tg_trex {
	struct stl *stl;
	struct mark before;
	double asked_s;
	bool endless;
	uint64_t started_ns, sent_at_ns, idle_at_ns; /* last seen sending, first seen idle; or 0 */
};

struct tg_trex *
tg_trex_new(struct stl *stl)
{
	struct tg_trex *trex = xcalloc(1, sizeof(*trex));

	trex->stl = stl;
	return trex;
}

void
tg_trex_free(struct tg_trex *trex)
{
	free(trex);
}

/* ---- streams ---- */

static size_t
udp_offset(const struct tg_traffic *traffic)
{
	return 14 + (traffic->vlan != 0 ? 4 : 0) + 20;
}

static json_t *
port_program(const struct tg_traffic *traffic)
{
	return json_pack("{s:[{s:s, s:s, s:i, s:s, s:i, s:i, s:i, s:i}, "
			 "{s:s, s:s, s:i, s:i, s:b}]}",
			 "instructions", "type", "flow_var", "name", "flow", "size", 2, "op", "inc",
			 "init_value", FIRST_PORT, "min_value", FIRST_PORT, "max_value",
			 FIRST_PORT + (int)traffic->flows - 1, "step", 1, "type", "write_flow_var",
			 "name", "flow", "pkt_offset", (int)udp_offset(traffic), "add_value", 0,
			 "is_big_endian", 1);
}

void
tg_trex_frame(uint8_t *frame, const struct tg_traffic *traffic)
{
	/* It would make a checksum for each port only where the device does: IPv4 may have none. */
	if (traffic->flows > 1)
		memset(frame + udp_offset(traffic) + 6, 0, 2);
}

int
tg_trex_stream(json_t *stream, const struct tg_traffic *traffic, size_t part, struct err *err)
{
	if (traffic->flows > 1 && traffic->ipv6)
		return err_usage(err,
				 "flows of a TRex are UDP ports, and over IPv6 each would need "
				 "a checksum of its own: one flow, or IPv4");
	if (traffic->flows > MAX_FLOWS)
		return err_usage(err, "%u flows: with a TRex they are UDP ports, %d at most",
				 traffic->flows, MAX_FLOWS);
	json_object_del(stream, "x_nfvchain");
	json_object_set_new(stream, "action_count", json_integer(0));
	json_object_set_new(stream, "flow_stats",
			    json_pack("{s:b, s:I, s:s, s:b, s:b}", "enabled", 1, "stream_id",
				      (json_int_t)part + 1, "rule_type", "stats", "vxlan", 0,
				      "ieee_1588", 0));
	if (traffic->flows > 1)
		json_object_set_new(stream, "vm", port_program(traffic));
	return 0;
}

/* ---- runs ---- */

int
tg_trex_start(struct tg_trex *trex, double pps, double duration_s, bool flat_out, struct err *err)
{
	const struct stl_mult mult = {.type = "pps", .value = flat_out ? FLAT_OUT_PPS : pps};
	double factor;
	int rc = stl_start(trex->stl, 0, &mult, flat_out ? -1 : duration_s, true, &factor, err);

	trex->endless = flat_out;
	trex->asked_s = duration_s;
	trex->started_ns = clock_now_ns();
	trex->sent_at_ns = trex->idle_at_ns = 0;
	return rc;
}

int
tg_trex_end(struct tg_trex *trex, struct err *err)
{
	double ran_s = (double)(clock_now_ns() - trex->started_ns) / 1e9;

	if (!trex->endless || ran_s < trex->asked_s)
		return 0;
	trex->endless = false;
	trex->asked_s = ran_s;
	return stl_stop(trex->stl, 0, err);
}

void
tg_trex_quit(struct tg_trex *trex)
{
	if (trex->started_ns != 0 && trex->idle_at_ns == 0)
		stl_end(trex->stl, 0);
}

void
tg_trex_polled(struct tg_trex *trex, bool sends)
{
	if (sends)
		trex->sent_at_ns = clock_now_ns();
	else if (trex->idle_at_ns == 0)
		trex->idle_at_ns = clock_now_ns();
}

/* Its end lies between the last look at which it sent and the first at which it did not: it is the
 * one asked for if that is possible, else the nearest that is. */
static double
elapsed_s(const struct tg_trex *trex)
{
	double least = 0, most = (double)(trex->idle_at_ns - trex->started_ns) / 1e9;

	if (trex->sent_at_ns != 0)
		least = (double)(trex->sent_at_ns - trex->started_ns) / 1e9;
	return fmax(least, fmin(most, trex->asked_s));
}

/* ---- counters ---- */

static int
read_port(struct tg_trex *trex, unsigned port, struct mark *m, struct err *err)
{
	json_t *stats = NULL;
	int rc = stl_port_stats(trex->stl, port, &stats, err);

	if (rc == 0)
		rc = json_get_u64(stats, "opackets", &m->tx[port], err);
	if (rc == 0)
		rc = json_get_u64(stats, "ipackets", &m->rx[port], err);
	if (rc == 0)
		rc = json_get_u64(stats, "ierrors", &m->rx_errors[port], err);
	json_decref(stats);
	return rc;
}

static int
read_drops(struct tg_trex *trex, struct mark *m, struct err *err)
{
	json_t *stats = NULL;
	int rc = stl_call_port(trex->stl, 0, "get_global_stats", NULL, &stats, err);

	if (rc == 0)
		rc = json_get_u64(stats, "m_total_queue_drop", &m->queue_drop, err);
	json_decref(stats);
	return rc;
}

static int
read_flows(struct tg_trex *trex, struct mark *m, struct err *err)
{
	static const char *const ports[] = {"0", "1"};
	json_t *stats = NULL;
	const char *id;
	json_t *flow;
	int rc = stl_pgid_stats(trex->stl, &stats, err);

	json_object_foreach(json_object_get(stats, "flow_stats"), id, flow) {
		for (size_t p = 0; p < N_ELEMS(ports); p++) {
			const json_t *n = json_object_get(json_object_get(flow, "rp"), ports[p]);

			m->has_known |= json_is_integer(n);
			m->known[p] += (uint64_t)json_integer_value(n);
		}
	}
	json_decref(stats);
	return rc;
}

static int
read_mark(struct tg_trex *trex, struct mark *m, struct err *err)
{
	int rc;

	*m = (struct mark){0};
	rc = read_port(trex, 0, m, err);
	if (rc == 0)
		rc = read_port(trex, 1, m, err);
	if (rc == 0)
		rc = read_drops(trex, m, err);
	return rc == 0 ? read_flows(trex, m, err) : rc;
}

int
tg_trex_begin(struct tg_trex *trex, struct err *err)
{
	return read_mark(trex, &trex->before, err);
}

/* 'now' becomes what came since 'before'; false when a counter went backwards. */
static bool
subtract(struct mark *now, const struct mark *before)
{
	bool grew = now->queue_drop >= before->queue_drop;

	now->queue_drop -= before->queue_drop;
	for (int p = 0; p < 2; p++) {
		grew &= now->tx[p] >= before->tx[p] && now->rx[p] >= before->rx[p] &&
			now->rx_errors[p] >= before->rx_errors[p];
		now->tx[p] -= before->tx[p];
		now->rx[p] -= before->rx[p];
		now->rx_errors[p] -= before->rx_errors[p];
		/* Its flows are counted anew when streams are. */
		now->known[p] -= now->known[p] >= before->known[p] ? before->known[p] : 0;
	}
	return grew;
}

/* Slots: what was asked, and what became of it. */
static void
fill_slots(struct trial *t, const struct trial_spec *spec, const struct mark *m)
{
	uint64_t asked = (uint64_t)llround(spec->rate_pps * (double)spec->duration_ns / 1e9);

	t->late_unknown = true;
	t->sent = m->tx[0] + m->tx[1];
	t->refused = spec->flat_out ? 0 : m->queue_drop;
	t->intended = t->sent + t->refused;
	/* A slot at either end may be in or out. */
	if (!spec->flat_out && asked > t->intended + 1) {
		t->late = asked - t->intended;
		t->intended = asked;
	}
}

/* Frames of the run are those that its flow statistics know, if they know any: a function on the
 * way that writes the IP header's number takes the mark from all of them. */
static void
fill_frames(struct trial *t, const struct mark *m)
{
	bool marked = m->has_known && m->known[0] + m->known[1] > 0;

	for (int p = 0; p < 2; p++) {
		uint64_t ours = marked && m->known[p] < m->rx[p] ? m->known[p] : m->rx[p];

		t->foreign += m->rx[p] - ours;
		t->ledger.gen[p] =
			(struct ledger_port){.rx = ours, .tx = m->tx[p], .miss = m->rx_errors[p]};
	}
	t->reflected = t->ledger.gen[0].rx;
	t->ok = t->ledger.gen[1].rx;
	t->received = t->ok + t->reflected;
	t->ledger.seq_unknown = true;
}

static uint64_t
unknown_of(const struct mark *m)
{
	return m->rx[0] + m->rx[1] - m->known[0] - m->known[1];
}

/* Ports' counters stand still, but flow statistics come later: until they know all frames that
 * came, or have not moved for a while. */
static int
read_settled(struct tg_trex *trex, struct mark *m, struct err *err)
{
	uint64_t want = unknown_of(&trex->before), last = UINT64_MAX;
	uint64_t since = clock_now_ns(), until = since + SETTLE_MAX_NS;
	int rc = read_mark(trex, m, err);

	while (rc == 0 && unknown_of(m) != want && clock_now_ns() < until) {
		if (unknown_of(m) != last)
			since = clock_now_ns();
		last = unknown_of(m);
		if (clock_now_ns() - since >= SETTLE_NS)
			break;
		(void)poll(NULL, 0, SETTLE_POLL_MS);
		rc = read_mark(trex, m, err);
	}
	return rc;
}

int
tg_trex_finish(struct tg_trex *trex, const struct trial_spec *spec, struct trial *t,
	       struct err *err)
{
	struct mark m;
	int rc = read_settled(trex, &m, err);

	if (rc < 0)
		return rc;
	if (!subtract(&m, &trex->before))
		str_copy(t->fault, sizeof(t->fault),
			 "TRex's counters went backwards, so it was restarted");
	t->elapsed_s = elapsed_s(trex);
	fill_slots(t, spec, &m);
	fill_frames(t, &m);
	return 0;
}
