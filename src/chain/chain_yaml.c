/* SPDX-License-Identifier: MIT */
/* Reads a chain file into the model.  Types are checked here, where positions are known; what a
 * value may be is told by the rules, and reported at the key they name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "base/yaml.h"

#include "chain.h"
#include "chain_rules.h"
#include "chain_yaml_get.h"

/* ---- generator, hops ---- */

static int
read_generator(const struct yaml *doc, const struct yaml_node *map, struct chain_generator *gen,
	       struct err *err)
{
	size_t kind = gen->kind, place = gen->place;
	struct err why = {0};
	const char *key;
	int rc = chain_yaml_check_map(doc, map, "generator", chain_generator_keys, err);

	if (rc == 0)
		rc = chain_yaml_word(doc, map, "kind", &chain_generator_kinds, &kind, err);
	if (rc == 0)
		rc = chain_yaml_word(doc, map, "place", &chain_places, &place, err);
	if (rc == 0)
		rc = chain_yaml_cpus(doc, map, &gen->cpus, err);
	if (rc == 0)
		rc = chain_yaml_text(doc, map, "at", &gen->at, err);
	if (rc == 0)
		rc = chain_yaml_text(doc, map, "dir", &gen->dir, err);
	if (rc == 0)
		rc = chain_yaml_texts(doc, map, "sockets", gen->socket, &gen->n_sockets, err);
	gen->kind = (enum generator_kind)kind;
	gen->place = (enum hop_place)place;
	if (rc == 0 && chain_rule_generator(gen, &key, &why) < 0)
		rc = chain_yaml_refuse(doc, map, key, &why, err);
	return rc;
}

static int
read_hop_words(const struct yaml *doc, const struct yaml_node *map, struct chain_hop *hop,
	       struct err *err)
{
	size_t kind = hop->kind, place = hop->place;
	int rc = chain_yaml_word(doc, map, "kind", &chain_hop_kinds, &kind, err);

	if (rc == 0)
		rc = chain_yaml_word(doc, map, "place", &chain_places, &place, err);
	if (rc == 0)
		rc = chain_yaml_text(doc, map, "name", &hop->name, err);
	if (rc == 0)
		rc = chain_yaml_text(doc, map, "engine", &hop->engine, err);
	if (rc == 0)
		rc = chain_yaml_text(doc, map, "command", &hop->command, err);
	hop->kind = (enum hop_kind)kind;
	hop->place = (enum hop_place)place;
	/* The model holds an engine for each hop, so only here it can be seen as given. */
	if (rc == 0 && hop->kind != HOP_FWD && yaml_get(map, "engine") != NULL)
		rc = yaml_error(doc, yaml_get(map, "engine"), err,
				"'engine' belongs to hop kind nfvchain-fwd");
	return rc;
}

static int
read_hop_map(const struct yaml *doc, const struct yaml_node *map, struct chain_hop *hop,
	     struct err *err)
{
	int rc;

	if (!yaml_is_map(map))
		return yaml_error(doc, map, err, "a hop must be a kind or a map");
	rc = yaml_check_keys(doc, map, chain_hop_keys, err);
	if (rc == 0)
		rc = read_hop_words(doc, map, hop, err);
	if (rc == 0)
		rc = chain_yaml_cpus(doc, map, &hop->cpus, err);
	if (rc == 0)
		rc = chain_yaml_unsigned(doc, map, "lcores", CHAIN_MAX_CPUS, &hop->lcores, err);
	if (rc == 0)
		rc = chain_yaml_texts(doc, map, "nf", hop->nf, &hop->n_nf, err);
	if (rc == 0)
		rc = chain_yaml_texts(doc, map, "args", hop->args, &hop->n_args, err);
	if (rc == 0)
		rc = yaml_get_bool(doc, map, "supervise", &hop->supervise, err);
	return rc;
}

static int
read_hop_word(const struct yaml *doc, const struct yaml_node *node, struct chain_hop *hop,
	      struct err *err)
{
	struct err why = {0};

	if (yaml_is_null(node))
		return yaml_error(doc, node, err, "a hop must be a kind or a map");
	if (hop_kind_parse(yaml_text(doc, node), &hop->kind, &why) < 0)
		return yaml_error(doc, node, err, "%s", why.msg);
	return 0;
}

static int
read_hops(const struct yaml *doc, const struct yaml_node *list, struct chain *chain,
	  struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < chain->n_hops; i++) {
		const struct yaml_node *node = yaml_item(list, i);
		struct chain_hop *hop = &chain->hop[i];
		struct err why = {0};
		const char *key = "name";

		rc = yaml_is_scalar(node) ? read_hop_word(doc, node, hop, err)
					  : read_hop_map(doc, node, hop, err);
		if (rc < 0)
			return rc;
		if (chain_rule_hop(hop, &key, &why) < 0)
			return chain_yaml_refuse(doc, node, key, &why, err);
		if (chain_rule_unique(chain, i, &why) < 0)
			return chain_yaml_refuse(doc, node, "name", &why, err);
	}
	return rc;
}

/* ---- links ---- */

static bool
is_ring_given(const struct yaml_node *node)
{
	return yaml_is_map(node) && yaml_get(node, "ring") != NULL;
}

static int
read_link(const struct yaml *doc, const struct yaml_node *node, struct chain_link *link,
	  struct err *err)
{
	size_t kind = link->kind, model = link->model;
	struct err why = {0};
	const char *key;
	int rc = 0;

	if (yaml_is_scalar(node) && !yaml_is_null(node)) {
		if (link_kind_parse(yaml_text(doc, node), &link->kind, &why) < 0)
			return yaml_error(doc, node, err, "%s", why.msg);
	} else if (yaml_is_map(node)) {
		rc = yaml_check_keys(doc, node, chain_link_keys, err);
		if (rc == 0)
			rc = chain_yaml_word(doc, node, "kind", &chain_link_kinds, &kind, err);
		if (rc == 0)
			rc = chain_yaml_unsigned(doc, node, "ring", CHAIN_MAX_RING, &link->ring,
						 err);
		if (rc == 0)
			rc = chain_yaml_unsigned(doc, node, "queues", CHAIN_MAX_QUEUES,
						 &link->queues, err);
		if (rc == 0)
			rc = chain_yaml_word(doc, node, "model", &chain_models, &model, err);
		if (rc == 0)
			rc = chain_yaml_text(doc, node, "file", &link->file, err);
		if (rc == 0)
			rc = chain_yaml_text(doc, node, "address", &link->address, err);
		if (rc == 0)
			rc = chain_yaml_text(doc, node, "peer", &link->peer, err);
		link->kind = (enum link_kind)kind;
		link->model = (enum nic_model)model;
	} else {
		return yaml_error(doc, node, err, "a link must be a kind or a map");
	}
	if (rc == 0 && !is_ring_given(node))
		link->ring = chain_default_ring(link->kind, false);
	if (rc == 0 && chain_rule_link(link, &key, &why) < 0)
		rc = chain_yaml_refuse(doc, node, key, &why, err);
	return rc;
}

static int
read_link_list(const struct yaml *doc, const struct yaml_node *list, struct chain *chain,
	       struct err *err)
{
	size_t n = yaml_length(list);
	struct err why = {0};
	int rc = 0;

	if (n != chain->n_hops + 1)
		return yaml_error(doc, list, err, "'links' has %zu entr%s, and %zu hop%s %zu", n,
				  n == 1 ? "y" : "ies", chain->n_hops,
				  chain->n_hops == 1 ? " needs" : "s need", chain->n_hops + 1);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = read_link(doc, yaml_item(list, i), &chain->link[i], err);
		if (rc == 0 && chain_rule_neighbours(chain, i, &why) < 0)
			rc = chain_yaml_refuse(doc, yaml_item(list, i), "queues", &why, err);
	}
	return rc;
}

static int
read_links(const struct yaml *doc, const struct yaml_node *node, struct chain *chain,
	   struct err *err)
{
	struct err why = {0};
	int rc;

	if (yaml_is_list(node))
		return read_link_list(doc, node, chain, err);
	rc = read_link(doc, node, &chain->link[0], err);
	for (size_t i = 1; i < N_ELEMS(chain->link); i++)
		chain_link_copy(&chain->link[i], &chain->link[0]);
	if (rc == 0 && chain->link[0].kind == LINK_RING && chain_rule_rings(chain, &why) < 0)
		rc = yaml_error(doc, node, err, "%s", why.msg);
	return rc;
}

/* What only shows once generator, hops and links are known: a guest's queues are short, and not
 * every kind of link reaches into one.  'links' is NULL when none are given. */
static int
check_ends(const struct yaml *doc, const struct yaml_node *root, struct chain *chain,
	   struct err *err)
{
	const struct yaml_node *links = yaml_get(root, "links");
	int rc = 0;

	for (size_t i = 0; rc == 0 && i <= chain->n_hops; i++) {
		const struct yaml_node *node = yaml_is_list(links) ? yaml_item(links, i) : links;
		struct chain_link *link = &chain->link[i];
		struct err why = {0};

		if (!is_ring_given(node))
			link->ring = chain_default_ring(link->kind, chain_link_is_vms(chain, i));
		if (chain_rule_ends(chain, i, &why) < 0 || chain_rule_files(chain, i, &why) < 0 ||
		    chain_rule_pci(chain, i, &why) < 0)
			rc = yaml_error(doc, node != NULL ? node : root, err, "%s", why.msg);
	}
	return rc;
}

static int
check_supervise(const struct yaml *doc, const struct yaml_node *root, const struct chain *chain,
		struct err *err)
{
	const struct yaml_node *hops = yaml_get(root, "hops");
	struct err why = {0};

	for (size_t i = 0; i < chain->n_hops; i++)
		if (chain_rule_supervise(chain, i, &why) < 0)
			return chain_yaml_refuse(doc, yaml_item(hops, i), "supervise", &why, err);
	return 0;
}

/* ---- traffic, bench ---- */

static int
read_frames_item(const struct yaml *doc, const struct yaml_node *node,
		 struct chain_traffic *traffic, struct err *err)
{
	struct err why = {0};

	if (!yaml_is_scalar(node) || yaml_is_null(node))
		return yaml_error(doc, node, err,
				  "'frames' must be a size, 'imix' or a table such as "
				  "\"64:1,1518:1\", or a list of these");
	if (traffic->n_frames == N_ELEMS(traffic->frames))
		return yaml_error(doc, node, err, "'frames' has more than %zu entries",
				  N_ELEMS(traffic->frames));
	if (imix_parse(yaml_text(doc, node), &traffic->frames[traffic->n_frames], &why) < 0)
		return yaml_error(doc, node, err, "%s", why.msg);
	traffic->n_frames++;
	return 0;
}

static int
read_frames(const struct yaml *doc, const struct yaml_node *node, struct chain_traffic *traffic,
	    struct err *err)
{
	int rc = 0;

	if (node == NULL) {
		/* The smallest that this traffic can have, 64 unless it is tagged or IPv6. */
		char size[8];

		snprintf(size, sizeof(size), "%u", chain_min_frame(traffic));
		return imix_parse(size, &traffic->frames[0], err);
	}
	traffic->n_frames = 0;
	if (!yaml_is_list(node))
		return read_frames_item(doc, node, traffic, err);
	for (size_t i = 0; rc == 0 && i < yaml_length(node); i++)
		rc = read_frames_item(doc, yaml_item(node, i), traffic, err);
	return rc;
}

static int
parse_flows(const char *text, void *field, struct err *err)
{
	uint64_t n;
	int rc = count_parse(text, &n, err);

	/* More than fit are refused by the rule like any other number that is too large. */
	if (rc == 0)
		*(uint32_t *)field = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
	return rc;
}

static int
parse_rate(const char *text, void *field, struct err *err)
{
	return rate_parse(text, field, err);
}

static int
read_traffic(const struct yaml *doc, const struct yaml_node *map, struct chain_traffic *traffic,
	     struct err *err)
{
	uint64_t vlan = 0;
	struct err why = {0};
	const char *key;
	bool seen;
	int rc = chain_yaml_check_map(doc, map, "traffic", chain_traffic_keys, err);

	if (rc == 0)
		rc = chain_yaml_parsed(doc, map, "flows", parse_flows, &traffic->flows, &seen, err);
	if (rc == 0)
		rc = chain_yaml_parsed(doc, map, "rate", parse_rate, &traffic->rate,
				       &traffic->has_rate, err);
	if (rc == 0)
		rc = yaml_get_bool(doc, map, "ipv6", &traffic->ipv6, err);
	if (rc == 0)
		rc = yaml_get_uint(doc, map, "vlan", 0, 4094, &vlan, err);
	traffic->vlan = (uint16_t)vlan;
	if (rc == 0)
		rc = read_frames(doc, yaml_get(map, "frames"), traffic, err);
	if (rc == 0 && chain_rule_traffic(traffic, &key, &why) < 0)
		rc = chain_yaml_refuse(doc, map, key, &why, err);
	return rc;
}

static int
parse_trial(const char *text, void *field, struct err *err)
{
	int rc = duration_parse(text, field, err);

	/* In the struct that says that nothing was given. */
	return rc == 0 && *(uint64_t *)field == 0 ? err_usage(err, "'trial' must be above 0") : rc;
}

/* A plain decimal number: strtod would take names, signs and hexadecimal too. */
static int
parse_step(const char *text, void *field, struct err *err)
{
	char *end;

	*(double *)field = strtod(text, &end);
	if (text[strspn(text, "0123456789.")] != '\0' || *end != '\0' || !(*(double *)field > 0))
		return err_usage(err, "'step' must be a ratio such as 1.02");
	return 0;
}

static int
read_bench(const struct yaml *doc, const struct yaml_node *map, struct chain_bench *bench,
	   struct err *err)
{
	uint64_t repeat = 0;
	struct err why = {0};
	const char *key;
	bool seen;
	int rc = chain_yaml_check_map(doc, map, "bench", chain_bench_keys, err);

	if (rc == 0)
		rc = chain_yaml_text(doc, map, "preset", &bench->preset, err);
	if (rc == 0)
		rc = chain_yaml_parsed(doc, map, "trial", parse_trial, &bench->trial_ns, &seen,
				       err);
	if (rc == 0)
		rc = yaml_get_uint(doc, map, "repeat", 1, CHAIN_MAX_REPEAT, &repeat, err);
	bench->repeat = (unsigned)repeat;
	if (rc == 0)
		rc = chain_yaml_parsed(doc, map, "step", parse_step, &bench->step_ratio, &seen,
				       err);
	if (rc == 0 && chain_rule_bench(bench, &key, &why) < 0)
		rc = chain_yaml_refuse(doc, map, key, &why, err);
	return rc;
}

/* ---- the whole ---- */

static int
check_version(const struct yaml *doc, const struct yaml_node *root, struct err *err)
{
	const struct yaml_node *node = yaml_get(root, "version");
	uint64_t version = 0;
	int rc;

	if (node == NULL)
		return yaml_error(doc, root, err, "'version' is missing (version: 1)");
	rc = yaml_get_uint(doc, root, "version", 0, UINT64_MAX, &version, err);
	if (rc == 0 && version != 1)
		rc = yaml_error(doc, node, err,
				"this version of the chain file is not known (1 is)");
	return rc;
}

/* Number of hops, which decides about much else; -1 after a report. */
static int
count_hops(const struct yaml *doc, const struct yaml_node *list, struct err *err)
{
	size_t n = yaml_length(list);

	if (list == NULL)
		return 1;
	if (!yaml_is_list(list))
		return yaml_error(doc, list, err, "'hops' must be a list of kinds or maps");
	if (n < 1 || n > CHAIN_MAX_HOPS)
		return yaml_error(doc, n == 0 ? list : yaml_item(list, CHAIN_MAX_HOPS), err,
				  "%zu hops; a chain has 1 to %d", n, CHAIN_MAX_HOPS);
	return (int)n;
}

static int
read_parts(const struct yaml *doc, const struct yaml_node *root, struct chain *chain,
	   struct err *err)
{
	const struct yaml_node *node;
	struct err why = {0};
	int rc = chain_yaml_text(doc, root, "name", &chain->name, err);

	if (rc == 0 && chain_rule_name(chain, &why) < 0)
		rc = chain_yaml_refuse(doc, root, "name", &why, err);
	if (rc == 0 && (node = yaml_get(root, "generator")) != NULL)
		rc = read_generator(doc, node, &chain->generator, err);
	if (rc == 0 && (node = yaml_get(root, "hops")) != NULL)
		rc = read_hops(doc, node, chain, err);
	if (rc == 0 && (node = yaml_get(root, "links")) != NULL)
		rc = read_links(doc, node, chain, err);
	if (rc == 0)
		rc = check_ends(doc, root, chain, err);
	if (rc == 0)
		rc = check_supervise(doc, root, chain, err);
	if (rc == 0 && (node = yaml_get(root, "traffic")) != NULL)
		rc = read_traffic(doc, node, &chain->traffic, err);
	if (rc == 0 && (node = yaml_get(root, "bench")) != NULL)
		rc = read_bench(doc, node, &chain->bench, err);
	/* The rules have been applied part by part; this is for what none of them sees alone. */
	if (rc == 0 && chain_check(chain, &why) < 0)
		rc = yaml_error(doc, root, err, "%s", why.msg);
	return rc;
}

static int
read_chain(const struct yaml *doc, struct chain *chain, struct err *err)
{
	const struct yaml_node *root = yaml_root(doc);
	int rc, n_hops;

	if (!yaml_is_map(root))
		return yaml_error(doc, root, err, "a chain file is a map (version: 1, hops: ...)");
	rc = yaml_check_keys(doc, root, chain_keys, err);
	if (rc == 0)
		rc = check_version(doc, root, err);
	if (rc < 0)
		return rc;
	n_hops = count_hops(doc, yaml_get(root, "hops"), err);
	if (n_hops < 0)
		return n_hops;
	chain_default(chain, (size_t)n_hops);
	rc = read_parts(doc, root, chain, err);
	if (rc < 0)
		chain_fini(chain);
	return rc;
}

/* 'rc' is how opening 'doc' ended. */
static int
take_document(struct chain *chain, struct yaml *doc, int rc, struct err *err)
{
	*chain = (struct chain){0};
	if (rc < 0)
		return rc;
	rc = read_chain(doc, chain, err);
	yaml_close(doc);
	return rc;
}

int
chain_load(struct chain *chain, const char *path, struct err *err)
{
	struct yaml *doc;
	int rc = yaml_open(&doc, path, err);

	return take_document(chain, doc, rc, err);
}

int
chain_parse(struct chain *chain, const char *name, const char *text, size_t len, struct err *err)
{
	struct yaml *doc;
	int rc = yaml_parse(&doc, name, text, len, err);

	return take_document(chain, doc, rc, err);
}
