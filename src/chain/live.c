/* SPDX-License-Identifier: MIT */
#include "live.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"
#include "onlook.h"
#include "rpc/control.h"

#define ASK_MS 2000
/* One that did not answer does not hold up the others each time. */
#define ASK_AGAIN_MS 200
#define CONTROL_SUFFIX ".ctl"

struct source {
	char name[LIVE_NAME];
	char *path;
	struct control_client *client; /* NULL while it does not answer */
	bool is_silent;		       /* it did not, the last time */
	uint64_t born_ns;
};

struct live {
	size_t n_hops;
	struct source hop[CHAIN_MAX_HOPS];
	struct live_sample last;
};

/* ---- finding hops ---- */

static void
add_source(struct live *l, const char *run_dir, const char *name)
{
	struct source *s = &l->hop[l->n_hops];
	struct stat st;

	s->path = xasprintf("%s/%s" CONTROL_SUFFIX, run_dir, name);
	str_copy(s->name, sizeof(s->name), name);
	if (stat(s->path, &st) == 0)
		s->born_ns =
			(uint64_t)st.st_ctim.tv_sec * NSEC_PER_S + (uint64_t)st.st_ctim.tv_nsec;
	l->n_hops++;
}

static int
by_birth(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	return x->born_ns < y->born_ns ? -1 : x->born_ns > y->born_ns;
}

static void
find_sources(struct live *l, const char *run_dir)
{
	DIR *dir = opendir(run_dir);
	const struct dirent *e;

	if (dir == NULL)
		return;
	while (l->n_hops < CHAIN_MAX_HOPS && (e = readdir(dir)) != NULL) {
		const char *dot = strrchr(e->d_name, '.');

		if (dot != NULL && dot > e->d_name && strcmp(dot, CONTROL_SUFFIX) == 0) {
			char *name = xasprintf("%.*s", (int)(dot - e->d_name), e->d_name);

			add_source(l, run_dir, name);
			free(name);
		}
	}
	closedir(dir);
	qsort(l->hop, l->n_hops, sizeof(l->hop[0]), by_birth);
}

/* Those that the chain's keeper tells of; false when none keeps it. */
static bool
add_told(struct live *l, const char *run_dir)
{
	struct onlook_facts facts;
	const bool told = onlook_read(&facts, run_dir, NULL) == 0;

	for (size_t i = 0; told && i < facts.n_hops; i++)
		add_source(l, run_dir, facts.hop[i]);
	onlook_facts_fini(&facts);
	return told;
}

struct live *
live_open(const char *run_dir, const struct chain *chain)
{
	struct live *l = xcalloc(1, sizeof(*l));

	if (run_dir != NULL && chain != NULL)
		for (size_t i = 0; i < chain->n_hops; i++)
			add_source(l, run_dir, chain->hop[i].name);
	else if (run_dir != NULL && !add_told(l, run_dir))
		find_sources(l, run_dir);
	return l;
}

void
live_close(struct live *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->n_hops; i++) {
		control_client_close(l->hop[i].client);
		free(l->hop[i].path);
	}
	free(l);
}

/* ---- replies ---- */

static void
take(uint64_t *n, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_number(value) && json_number_value(value) >= 0)
		*n = (uint64_t)json_number_value(value);
}

void
live_take_port(struct live_port *p, const json_t *port_stats, const json_t *streams)
{
	const json_t *all = json_object_get(streams, "streams"), *one;
	size_t i;

	take(&p->sent, port_stats, "opackets");
	take(&p->received, port_stats, "ipackets");
	take(&p->bytes_sent, port_stats, "obytes");
	take(&p->bytes_received, port_stats, "ibytes");
	p->knows_slots = json_is_array(all);
	p->refused = p->late = 0;
	json_array_foreach(all, i, one) {
		uint64_t refused = 0, late = 0;

		take(&refused, one, "refused");
		take(&late, one, "late");
		p->refused += refused;
		p->late += late;
	}
}

static void
take_lcores(struct live_hop *h, const json_t *lcores)
{
	const json_t *one;
	size_t i;

	h->n_lcores = 0;
	json_array_foreach(lcores, i, one) {
		struct live_lcore *c = &h->lcore[h->n_lcores];
		uint64_t id = 0;

		if (h->n_lcores == LIVE_MAX_LCORES)
			return;
		*c = (struct live_lcore){0};
		take(&id, one, "lcore");
		take(&c->busy_tsc, one, "busy_tsc");
		take(&c->idle_tsc, one, "idle_tsc");
		c->id = (unsigned)id;
		h->n_lcores++;
	}
}

void
live_take_hop(struct live_hop *h, const json_t *counters)
{
	const json_t *drops = json_object_get(counters, "drops"), *value;
	json_t *port;
	const char *reason;
	size_t i;

	h->known = true;
	h->knows_inside = json_is_object(drops);
	h->rx = h->tx = h->miss = h->held_ns = h->drops = 0;
	take(&h->at_ns, counters, "at_ns");
	take(&h->in_flight, counters, "in_flight");
	json_array_foreach(json_object_get(counters, "ports"), i, port) {
		uint64_t rx = 0, tx = 0, miss = 0, held_ns = 0;

		take(&rx, port, "rx");
		take(&tx, port, "tx");
		take(&miss, port, "miss");
		take(&held_ns, port, "held_ns");
		h->rx += rx;
		h->tx += tx;
		h->miss += miss;
		h->held_ns += held_ns;
	}
	json_object_foreach((json_t *)(uintptr_t)drops, reason, value)
		h->drops += (uint64_t)json_integer_value(value);
	take_lcores(h, json_object_get(counters, "lcores"));
}

/* ---- reading ---- */

static void
read_hop(struct source *from, struct live_hop *h)
{
	json_t *counters = NULL;
	struct err ignored = {0};

	*h = (struct live_hop){0};
	str_copy(h->name, sizeof(h->name), from->name);
	if (from->client == NULL &&
	    control_client_open(&from->client, from->path, 0, &ignored) < 0) {
		from->client = NULL;
		return;
	}
	from->is_silent = control_client_call(from->client, "counters", NULL,
					      from->is_silent ? ASK_AGAIN_MS : ASK_MS, &counters,
					      &ignored) < 0;
	if (from->is_silent) {
		control_client_close(from->client);
		from->client = NULL;
		return;
	}
	live_take_hop(h, counters);
	json_decref(counters);
}

void
live_read_hops(struct live *l, struct live_sample *s)
{
	s->n_hops = l->n_hops;
	for (size_t i = 0; i < l->n_hops; i++)
		read_hop(&l->hop[i], &s->hop[i]);
}

/* Says too what the port is doing. */
static int
read_port(struct stl *stl, unsigned i, struct live_port *p, struct err *err)
{
	json_t *stats = NULL, *streams = NULL, *status = NULL;
	struct err ignored = {0};
	int rc = stl_port_stats(stl, i, &stats, err);

	if (rc < 0)
		return rc;
	if (stl_streams(stl, i, &streams, &ignored) < 0)
		streams = NULL;
	*p = (struct live_port){0};
	live_take_port(p, stats, streams);
	if (stl_call_port(stl, i, "get_port_status", json_pack("{s:s}", "profile_id", "*"), &status,
			  &ignored) == 0) {
		const char *state = json_string_value(json_object_get(status, "state"));

		str_copy(p->state, sizeof(p->state), state != NULL ? state : "");
	}
	json_decref(stats);
	json_decref(streams);
	json_decref(status);
	return 0;
}

void
live_take_latency(struct live_sample *s, const json_t *pgid_stats)
{
	json_t *one, *all = json_object_get(pgid_stats, "latency");
	double sum = 0, jitter = 0;
	const char *id;
	unsigned n = 0;

	s->latency_us = s->jitter_us = -1;
	json_object_foreach(all, id, one) {
		const json_t *lat = json_object_get(one, "lat");
		double average = json_number_value(json_object_get(lat, "average"));

		/* One of which nothing has come yet says 0. */
		if (average <= 0)
			continue;
		sum += average;
		jitter += json_number_value(json_object_get(lat, "jit"));
		n++;
	}
	if (n > 0) {
		s->latency_us = sum / n;
		s->jitter_us = jitter / n;
	}
}

static void
read_latency(struct stl *stl, struct live_sample *s)
{
	json_t *stats = NULL;
	struct err ignored = {0};

	(void)stl_pgid_stats(stl, &stats, &ignored);
	live_take_latency(s, stats);
	json_decref(stats);
}

static void
read_busy(struct stl *stl, struct live_sample *s)
{
	json_t *global = NULL;
	const json_t *busy;
	struct err ignored = {0};

	s->generator_busy = -1;
	if (stl_call(stl, "get_global_stats", NULL, ASK_MS, &global, &ignored) < 0)
		return;
	busy = json_object_get(global, "m_cpu_util");
	if (json_is_number(busy))
		s->generator_busy = json_number_value(busy) / 100;
	json_decref(global);
}

/* Of a hop that did not answer the sample before stays. */
static void
remember(struct live *l, const struct live_sample *s)
{
	struct live_sample before = l->last;

	l->last = *s;
	for (size_t i = 0; i < s->n_hops && i < before.n_hops; i++)
		if (!s->hop[i].known)
			l->last.hop[i] = before.hop[i];
}

int
live_read(struct live *l, struct stl *stl, struct live_sample *s, struct err *err)
{
	int rc = 0;

	*s = (struct live_sample){.n_ports = stl_ports(stl)};
	if (s->n_ports > LIVE_MAX_PORTS)
		s->n_ports = LIVE_MAX_PORTS;
	for (unsigned i = 0; rc == 0 && i < s->n_ports; i++)
		rc = read_port(stl, i, &s->port[i], err);
	if (rc < 0)
		return rc;
	s->at_ns = clock_now_ns();
	live_read_hops(l, s);
	read_latency(stl, s);
	read_busy(stl, s);
	live_rates(s, &l->last);
	remember(l, s);
	return 0;
}

/* ---- rates ---- */

static double
growth(uint64_t now, uint64_t before)
{
	return (double)(now >= before ? now - before : now);
}

static void
rate_hop(struct live_hop *h, const struct live_hop *before)
{
	double seconds = growth(h->at_ns, before->at_ns) / NSEC_PER_S;

	if (!h->known || !before->known || h->at_ns <= before->at_ns)
		return;
	h->rx_pps = growth(h->rx, before->rx) / seconds;
	h->tx_pps = growth(h->tx, before->tx) / seconds;
	h->held = growth(h->held_ns, before->held_ns) / NSEC_PER_S / seconds;
	for (size_t i = 0; i < h->n_lcores && i < before->n_lcores; i++) {
		double busy = growth(h->lcore[i].busy_tsc, before->lcore[i].busy_tsc);
		double idle = growth(h->lcore[i].idle_tsc, before->lcore[i].idle_tsc);

		h->lcore[i].busy = busy + idle > 0 ? busy / (busy + idle) : 0;
	}
}

void
live_rates(struct live_sample *s, const struct live_sample *before)
{
	if (before->at_ns == 0 || s->at_ns <= before->at_ns)
		return;
	s->seconds = (double)(s->at_ns - before->at_ns) / NSEC_PER_S;
	for (size_t i = 0; i < s->n_ports && i < before->n_ports; i++) {
		struct live_port *p = &s->port[i];
		const struct live_port *b = &before->port[i];

		p->tx_pps = growth(p->sent, b->sent) / s->seconds;
		p->rx_pps = growth(p->received, b->received) / s->seconds;
		p->tx_bps = 8 * growth(p->bytes_sent, b->bytes_sent) / s->seconds;
		p->rx_bps = 8 * growth(p->bytes_received, b->bytes_received) / s->seconds;
	}
	for (size_t i = 0; i < s->n_hops && i < before->n_hops; i++)
		rate_hop(&s->hop[i], &before->hop[i]);
}

void
live_since(struct live_sample *grown, const struct live_sample *s, const struct live_sample *base)
{
	*grown = *s;
	for (size_t i = 0; i < s->n_ports && i < base->n_ports; i++) {
		struct live_port *p = &grown->port[i];
		const struct live_port *b = &base->port[i];

		p->sent = (uint64_t)growth(p->sent, b->sent);
		p->received = (uint64_t)growth(p->received, b->received);
		p->refused = (uint64_t)growth(p->refused, b->refused);
		p->late = (uint64_t)growth(p->late, b->late);
	}
	for (size_t i = 0; i < s->n_hops && i < base->n_hops; i++) {
		struct live_hop *h = &grown->hop[i];
		const struct live_hop *b = &base->hop[i];

		h->rx = (uint64_t)growth(h->rx, b->rx);
		h->tx = (uint64_t)growth(h->tx, b->tx);
		h->drops = (uint64_t)growth(h->drops, b->drops);
		h->miss = (uint64_t)growth(h->miss, b->miss);
	}
}
