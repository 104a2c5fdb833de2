/* SPDX-License-Identifier: MIT */
#include "conf_hops.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool
begins_hop(const char *word)
{
	return strcmp(word, "--hop") == 0 || strncmp(word, "--hop=", 6) == 0;
}

/* Index of the first word at or behind 'from' that begins a hop, or argc. */
static int
find_hop(int argc, char **argv, int from)
{
	while (from < argc && !begins_hop(argv[from]))
		from++;
	return from;
}

/* The program's name, what is common, and what belongs to one hop. */
static int
parse_hop(struct fwd_conf *conf, const char *personality, char **argv, int n_common, int from,
	  int end, struct err *err)
{
	int argc = n_common + end - from, rc;
	char **words = xcalloc((size_t)argc + 1, sizeof(*words));

	for (int i = 0; i < n_common; i++)
		words[i] = argv[i];
	for (int i = from; i < end; i++)
		words[n_common + i - from] = argv[i];
	rc = fwd_conf_parse(conf, personality, argc, words, err);
	free(words);
	return rc;
}

/* ---- what several hops in a process cannot have ---- */

static int
check_alone(const struct fwd_conf *c, struct err *err)
{
	const struct {
		bool is_set;
		const char *option;
	} options[] = {
		{c->adapters, "--adapters"},	   {c->load.flows > 0, "--load"},
		{c->packets > 0, "--packets"},	   {c->portmask != 0, "--portmask"},
		{c->portmap != NULL, "--portmap"},
	};

	for (size_t i = 0; i < N_ELEMS(options); i++)
		if (options[i].is_set)
			return err_usage(err, "%s: not for a hop that shares its process (--hop)",
					 options[i].option);
	return 0;
}

static int
check_pair(const struct fwd_conf *a, const struct fwd_conf *b, struct err *err)
{
	if (strcmp(a->hop, b->hop) == 0)
		return err_usage(err, "--hop: two hops are named '%s'", a->hop);
	if (a->control != NULL && b->control != NULL && strcmp(a->control, b->control) == 0)
		return err_usage(err,
				 "--control: hops %s and %s would listen at the same path; each "
				 "needs its own, behind its --hop",
				 a->hop, b->hop);
	if (a->max_frame != b->max_frame)
		return err_usage(err,
				 "--max-frame: hops %s and %s share their buffers, and so their "
				 "largest frame; set it before the first --hop",
				 a->hop, b->hop);
	if (a->event_dev != NULL && b->event_dev != NULL && strcmp(a->event_dev, b->event_dev) == 0)
		return err_usage(err, "--event-dev: hops %s and %s cannot share %s", a->hop, b->hop,
				 a->event_dev);
	return 0;
}

static int
check_all(const struct fwd_confs *confs, struct err *err)
{
	for (unsigned i = 0; i < confs->n; i++) {
		int rc = check_alone(&confs->hop[i], err);

		for (unsigned k = 0; rc == 0 && k < i; k++)
			rc = check_pair(&confs->hop[k], &confs->hop[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- defaults that depend on the row ---- */

static void
default_mac(struct port_mac *mac, unsigned hop, unsigned port)
{
	const uint8_t bytes[6] = {0x02, 0, 0, 1, (uint8_t)hop, (uint8_t)port};

	if (mac->set)
		return;
	memcpy(mac->mac, bytes, sizeof(bytes));
	mac->set = true;
}

static void
default_dest(struct port_mac *dest, const struct port_mac *peer)
{
	if (!dest->set)
		*dest = *peer;
}

/* Hops address their neighbours, and an event device is one hop's. */
static void
complete(struct fwd_confs *confs)
{
	for (unsigned i = 0; i + 1 < confs->n; i++) {
		struct fwd_conf *a = &confs->hop[i], *b = &confs->hop[i + 1];

		default_mac(&a->addr[1], i, 1);
		default_mac(&b->addr[0], i + 1, 0);
		default_dest(&a->dest[1], &b->addr[0]);
		default_dest(&b->dest[0], &a->addr[1]);
	}
	for (unsigned i = 0; i < confs->n; i++) {
		struct fwd_conf *c = &confs->hop[i];

		c->in_row = true;
		if (c->event_dev == NULL && strcmp(c->engine, "poll") != 0)
			c->event_dev = xasprintf("event_sw%u", i);
	}
}

int
fwd_confs_parse(struct fwd_confs *confs, const char *personality, int argc, char **argv,
		struct err *err)
{
	int common = find_hop(argc, argv, 1), at = common, rc = 0;

	*confs = (struct fwd_confs){0};
	if (common == argc) {
		confs->n = 1;
		fwd_conf_init(&confs->hop[0]);
		return fwd_conf_parse(&confs->hop[0], personality, argc, argv, err);
	}
	while (rc == 0 && at < argc) {
		int end = find_hop(argc, argv, at + 1);

		if (confs->n == CONF_MAX_HOPS)
			return err_usage(err, "--hop: more than %d hops", CONF_MAX_HOPS);
		fwd_conf_init(&confs->hop[confs->n]);
		rc = parse_hop(&confs->hop[confs->n++], personality, argv, common, at, end, err);
		at = end;
	}
	if (rc == 0 && confs->n > 1)
		rc = check_all(confs, err);
	if (rc == 0 && confs->n > 1)
		complete(confs);
	return rc;
}

void
fwd_confs_fini(struct fwd_confs *confs)
{
	for (unsigned i = 0; i < confs->n; i++)
		fwd_conf_fini(&confs->hop[i]);
	confs->n = 0;
}

int
fwd_confs_lifeline(const struct fwd_confs *confs)
{
	for (unsigned i = 0; i < confs->n; i++)
		if (confs->hop[i].lifeline >= 0)
			return confs->hop[i].lifeline;
	return -1;
}
