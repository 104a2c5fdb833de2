/* SPDX-License-Identifier: MIT */
#include "live_metrics.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

struct page {
	const struct live_sample *s; /* NULL: the chain is down */
	const char *chain;
	bool open;
	struct str out;
};

/* ---- what there is ---- */

/* Puts the value of item 'i' (a port, a hop, lcore 'k' of a hop) into '*value'; false: not known.
 */
typedef bool get_fn(const struct live_sample *s, size_t i, size_t k, double *value);

enum of_what { OF_CHAIN, OF_PORT, OF_HOP, OF_LCORE };

struct family {
	const char *name, *type, *unit, *help;
	enum of_what of;
	get_fn *get;
};

#define PORT_COUNTER(member)                                                           \
	static bool get_port_##member(const struct live_sample *s, size_t i, size_t k, \
				      double *value)                                   \
	{                                                                              \
		(void)k;                                                               \
		*value = (double)s->port[i].member;                                    \
		return true;                                                           \
	}
PORT_COUNTER(sent)
PORT_COUNTER(received)
PORT_COUNTER(bytes_sent)
PORT_COUNTER(bytes_received)

#define PORT_SLOTS(member)                                                             \
	static bool get_port_##member(const struct live_sample *s, size_t i, size_t k, \
				      double *value)                                   \
	{                                                                              \
		(void)k;                                                               \
		*value = (double)s->port[i].member;                                    \
		return s->port[i].knows_slots;                                         \
	}
PORT_SLOTS(refused)
PORT_SLOTS(late)

#define HOP_COUNTER(member, knows)                                                    \
	static bool get_hop_##member(const struct live_sample *s, size_t i, size_t k, \
				     double *value)                                   \
	{                                                                             \
		(void)k;                                                              \
		*value = (double)s->hop[i].member;                                    \
		return s->hop[i].known && s->hop[i].knows;                            \
	}
HOP_COUNTER(rx, known)
HOP_COUNTER(tx, known)
HOP_COUNTER(drops, knows_inside)
HOP_COUNTER(miss, known)
HOP_COUNTER(in_flight, knows_inside)

static bool
get_hop_held(const struct live_sample *s, size_t i, size_t k, double *value)
{
	(void)k;
	*value = (double)s->hop[i].held_ns / NSEC_PER_S;
	return s->hop[i].known && s->hop[i].knows_inside;
}

static bool
get_hop_known(const struct live_sample *s, size_t i, size_t k, double *value)
{
	(void)k;
	*value = s->hop[i].known;
	return true;
}

static bool
get_port_sending(const struct live_sample *s, size_t i, size_t k, double *value)
{
	(void)k;
	*value = strcmp(s->port[i].state, "TX") == 0;
	return s->port[i].state[0] != '\0';
}

static bool
get_busy_cycles(const struct live_sample *s, size_t i, size_t k, double *value)
{
	*value = (double)s->hop[i].lcore[k].busy_tsc;
	return true;
}

static bool
get_idle_cycles(const struct live_sample *s, size_t i, size_t k, double *value)
{
	*value = (double)s->hop[i].lcore[k].idle_tsc;
	return true;
}

static bool
get_generator_busy(const struct live_sample *s, size_t i, size_t k, double *value)
{
	(void)i;
	(void)k;
	*value = s->generator_busy;
	return s->generator_busy >= 0;
}

static bool
get_latency(const struct live_sample *s, size_t i, size_t k, double *value)
{
	(void)i;
	(void)k;
	*value = s->latency_us / 1e6;
	return s->latency_us >= 0;
}

static bool
get_jitter(const struct live_sample *s, size_t i, size_t k, double *value)
{
	(void)i;
	(void)k;
	*value = s->jitter_us / 1e6;
	return s->latency_us >= 0;
}

static const struct family families[] = {
	{"nfvchain_port_sent_frames", "counter", "frames", "Frames that the link took.", OF_PORT,
	 get_port_sent},
	{"nfvchain_port_received_frames", "counter", "frames", "Frames that came back.", OF_PORT,
	 get_port_received},
	{"nfvchain_port_sent_bytes", "counter", "bytes", "Bytes of the frames sent.", OF_PORT,
	 get_port_bytes_sent},
	{"nfvchain_port_received_bytes", "counter", "bytes", "Bytes of the frames received.",
	 OF_PORT, get_port_bytes_received},
	{"nfvchain_port_refused_frames", "counter", "frames",
	 "Frames that were due, and for which the link had no room.", OF_PORT, get_port_refused},
	{"nfvchain_port_late_frames", "counter", "frames",
	 "Frames that were due while the generator was not there.", OF_PORT, get_port_late},
	{"nfvchain_port_sending", "gauge", NULL, "1 while the port sends.", OF_PORT,
	 get_port_sending},
	{"nfvchain_hop_up", "gauge", NULL, "1 when the hop answers.", OF_HOP, get_hop_known},
	{"nfvchain_hop_received_frames", "counter", "frames", "Frames that the hop has taken.",
	 OF_HOP, get_hop_rx},
	{"nfvchain_hop_sent_frames", "counter", "frames", "Frames that the hop has passed on.",
	 OF_HOP, get_hop_tx},
	{"nfvchain_hop_dropped_frames", "counter", "frames", "Frames that the hop has freed.",
	 OF_HOP, get_hop_drops},
	{"nfvchain_hop_missed_frames", "counter", "frames",
	 "Frames for which its devices had no descriptor.", OF_HOP, get_hop_miss},
	{"nfvchain_hop_in_flight_frames", "gauge", "frames", "Frames inside the hop.", OF_HOP,
	 get_hop_in_flight},
	{"nfvchain_hop_held_seconds", "counter", "seconds",
	 "Time in which frames waited for room at the next hop.", OF_HOP, get_hop_held},
	{"nfvchain_lcore_busy_cycles", "counter", "cycles", "TSC cycles of rounds with frames.",
	 OF_LCORE, get_busy_cycles},
	{"nfvchain_lcore_idle_cycles", "counter", "cycles", "TSC cycles of rounds without.",
	 OF_LCORE, get_idle_cycles},
	{"nfvchain_generator_busy_ratio", "gauge", "ratio", "How busy the generator is.", OF_CHAIN,
	 get_generator_busy},
	{"nfvchain_latency_seconds", "gauge", "seconds", "Mean of the latency streams lately.",
	 OF_CHAIN, get_latency},
	{"nfvchain_jitter_seconds", "gauge", "seconds", "Mean jitter of the latency streams.",
	 OF_CHAIN, get_jitter},
};

/* ---- lines ---- */

/* In the old format a counter's family has the suffix of its samples. */
static const char *
family_suffix(const struct page *p, const char *type)
{
	return !p->open && strcmp(type, "counter") == 0 ? "_total" : "";
}

static void
add_head(struct page *p, const char *name, const char *type, const char *unit, const char *help)
{
	const char *suffix = family_suffix(p, type);

	str_addf(&p->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix,
		 type);
	if (p->open && unit != NULL)
		str_addf(&p->out, "# UNIT %s %s\n", name, unit);
}

static void
add_item(struct page *p, const struct family *f, size_t i, size_t k)
{
	const struct live_sample *s = p->s;
	double value;

	if (!f->get(s, i, k, &value))
		return;
	str_addf(&p->out, "%s%s{chain=\"%s\"", f->name,
		 strcmp(f->type, "counter") == 0 ? "_total" : "", p->chain);
	if (f->of == OF_PORT)
		str_addf(&p->out, ",port=\"%zu\"", i);
	if (f->of == OF_HOP || f->of == OF_LCORE)
		str_addf(&p->out, ",hop=\"%s\"", s->hop[i].name);
	if (f->of == OF_LCORE)
		str_addf(&p->out, ",lcore=\"%u\"", s->hop[i].lcore[k].id);
	/* Whole up to 2^53, as a double is. */
	str_addf(&p->out, "} %.17g\n", value);
}

static void
add_family(struct page *p, const struct family *f)
{
	const struct live_sample *s = p->s;
	size_t n = f->of == OF_PORT ? s->n_ports : f->of == OF_CHAIN ? 1 : s->n_hops;

	add_head(p, f->name, f->type, f->unit, f->help);
	for (size_t i = 0; i < n; i++) {
		if (f->of != OF_LCORE)
			add_item(p, f, i, 0);
		for (size_t k = 0; f->of == OF_LCORE && k < s->hop[i].n_lcores; k++)
			add_item(p, f, i, k);
	}
}

char *
live_metrics(const struct live_sample *s, const char *chain, bool open)
{
	struct page p = {.s = s, .chain = chain, .open = open};

	add_head(&p, "nfvchain_up", "gauge", NULL, "1 when the chain's generator answers.");
	str_addf(&p.out, "nfvchain_up{chain=\"%s\"} %d\n", chain, s != NULL);
	for (size_t i = 0; s != NULL && i < N_ELEMS(families); i++)
		add_family(&p, &families[i]);
	if (open)
		str_addf(&p.out, "# EOF\n");
	return str_take(&p.out);
}
