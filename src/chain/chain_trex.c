/* SPDX-License-Identifier: MIT */
/* A real TRex as generator: what it needs to be told, and which links it can be at. */
#include <string.h>

#include "base/str.h"

#include "chain.h"
#include "chain_rules.h"

static int
check_words(const struct chain_generator *gen, const char **key, struct err *err)
{
	*key = gen->at != NULL ? "at" : gen->dir != NULL ? "dir" : "sockets";
	if (gen->at != NULL || gen->dir != NULL || gen->n_sockets > 0)
		return err_usage(err, "'%s' belongs to generator kind trex", *key);
	return 0;
}

static int
check_at(const struct chain_generator *gen, const char **key, struct err *err)
{
	*key = "at";
	if (strncmp(gen->at, "tcp://", 6) != 0 && strncmp(gen->at, "ipc://", 6) != 0)
		return err_usage(err, "'at' must be an endpoint such as tcp://127.0.0.1:4501");
	*key = "place";
	if (gen->place != PLACE_PROCESS)
		return err_usage(err, "a TRex that runs already ('at') is where it is: no 'place'");
	*key = "sockets";
	if (gen->n_sockets != 2)
		return err_usage(err,
				 "'sockets' must be the two at which the TRex listens as memif "
				 "server, of its port 0 and its port 1");
	for (size_t i = 0; i < gen->n_sockets; i++)
		if (gen->socket[i][0] != '/' || strpbrk(gen->socket[i], ",[]") != NULL)
			return err_usage(err, "socket '%s' must be a path from / without , [ or ]",
					 gen->socket[i]);
	return 0;
}

int
chain_rule_trex(const struct chain_generator *gen, const char **key, struct err *err)
{
	if (gen->kind != GENERATOR_TREX)
		return check_words(gen, key, err);
	*key = "kind";
	if ((gen->at != NULL) == (gen->dir != NULL))
		return err_usage(err, "generator kind trex needs one of 'at' (the endpoint of one "
				      "that runs) and 'dir' (of its release)");
	if (gen->at != NULL)
		return check_at(gen, key, err);
	*key = "sockets";
	if (gen->n_sockets > 0)
		return err_usage(err, "'sockets' are of a TRex that runs already ('at')");
	*key = "dir";
	if (gen->dir[0] != '/' || strpbrk(gen->dir, ",'\"\\") != NULL)
		return err_usage(err, "'dir' must be a path from /");
	return 0;
}

int
chain_rule_trex_link(const struct chain *chain, size_t i, struct err *err)
{
	const struct chain_link *link = &chain->link[i];

	if (chain->generator.kind != GENERATOR_TREX || (i > 0 && i < chain->n_hops))
		return 0;
	if (link->queues > 1)
		return err_usage(err, "link %zu ends at a TRex, which is given one queue", i);
	/* A guest's NIC is virtio-pci, whatever is behind it. */
	if (chain->generator.place == PLACE_VM)
		return 0;
	/* A frame in which something varies is two buffers to it, and its memif port, which should
	 * join them, stops or sends what nobody made. */
	if (link->kind == LINK_MEMIF && chain->traffic.flows > 1)
		return err_usage(err,
				 "%u flows: a TRex cannot vary frames at a memif link (one flow "
				 "can be, or the TRex in a VM)",
				 chain->traffic.flows);
	if (link->kind == LINK_MEMIF)
		return 0;
	if (link->kind == LINK_VHOST_USER)
		return err_usage(err,
				 "link %zu (vhost-user) cannot end at a TRex: it is built without "
				 "the driver for a vhost back end (memif can)",
				 i);
	return err_usage(err, "link %zu (%s) cannot end at a TRex yet (memif can)", i,
			 link_kind_name(link->kind));
}
