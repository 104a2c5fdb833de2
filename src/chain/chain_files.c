/* SPDX-License-Identifier: MIT */
/* Chains whose ends are files of frames. */
#include <string.h>

#include "chain.h"
#include "chain_rules.h"

bool
chain_has_files(const struct chain *chain)
{
	return chain->link[0].kind == LINK_PCAP || chain->link[chain->n_hops].kind == LINK_PCAP;
}

int
chain_rule_file(const struct chain_link *link, const char **key, struct err *err)
{
	*key = "file";
	if (link->kind != LINK_PCAP)
		return link->file == NULL ? 0
					  : err_usage(err, "'file' belongs to links of kind pcap");
	*key = link->file == NULL ? "kind" : "file";
	if (link->file == NULL || link->file[0] == '\0')
		return err_usage(err, "a pcap link needs a 'file' ({kind: pcap, file: in.pcap})");
	if (strlen(link->file) > CHAIN_MAX_TEXT)
		return err_usage(err, "'file' is longer than %d bytes", CHAIN_MAX_TEXT);
	/* The path becomes part of a device's arguments, in which these mean something. */
	if (strpbrk(link->file, ",[]") != NULL)
		return err_usage(err,
				 "'file': DPDK's device arguments cannot carry a path with , [ or "
				 "]");
	return 0;
}

/* The one at the other end of the chain. */
static int
check_pair(const struct chain *chain, size_t i, struct err *err)
{
	size_t other = i == 0 ? chain->n_hops : 0;

	if (chain->link[other].kind != LINK_PCAP)
		return err_usage(err,
				 "link %zu is a file and link %zu is not: a generator cannot judge "
				 "what it did not send (make both ends files, or send the file "
				 "from the generator: nfvchain start -f FILE)",
				 i, other);
	if (chain->link[other].file != NULL && chain->link[i].file != NULL &&
	    strcmp(chain->link[other].file, chain->link[i].file) == 0)
		return err_usage(err, "'%.100s' would be written while it is read",
				 chain->link[i].file);
	return 0;
}

int
chain_rule_files(const struct chain *chain, size_t i, struct err *err)
{
	const struct chain_hop *first = &chain->hop[0];
	int rc;

	if (chain->link[i].kind != LINK_PCAP)
		return 0;
	if (i > 0 && i < chain->n_hops)
		return err_usage(
			err,
			"link %zu is a file, and lies between two hops: only the first and "
			"the last link can be",
			i);
	rc = check_pair(chain, i, err);
	if (rc < 0)
		return rc;
	if (chain->generator.kind != GENERATOR_NFVCHAIN)
		return err_usage(err, "a chain between two files has no generator, and a TRex is "
				      "given as one");
	/* It has to wait until all that is behind it is there. */
	if (first->kind != HOP_FWD)
		return err_usage(
			err,
			"the first hop, which reads the file, must be an nfvchain-fwd, and "
			"'%s' is %s",
			first->name, hop_kind_name(first->kind));
	return 0;
}
