/* SPDX-License-Identifier: MIT */
/* Links that are cables between physical ports. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "chain.h"
#include "chain_rules.h"

void
chain_link_copy(struct chain_link *to, const struct chain_link *from)
{
	*to = *from;
	to->file = from->file != NULL ? xstrdup(from->file) : NULL;
	to->address = from->address != NULL ? xstrdup(from->address) : NULL;
	to->peer = from->peer != NULL ? xstrdup(from->peer) : NULL;
}

void
chain_link_fini(struct chain_link *link)
{
	free(link->file);
	free(link->address);
	free(link->peer);
}

/* "0000:04:00.0", in small letters as sysfs has it. */
static bool
is_address(const char *text)
{
	static const char form[] = "xxxx:xx:xx.7";

	for (size_t i = 0; i < sizeof(form); i++) {
		char c = text[i];
		bool fits = form[i] == 'x'
				    ? isxdigit((unsigned char)c) && !isupper((unsigned char)c)
			    : form[i] == '7' ? c >= '0' && c <= '7'
					     : c == form[i];

		if (!fits)
			return false;
	}
	return true;
}

int
chain_rule_address(const struct chain_link *link, const char **key, struct err *err)
{
	const struct {
		const char *key, *text, *end;
	} ends[] = {{"address", link->address, "upstream"}, {"peer", link->peer, "downstream"}};

	for (size_t i = 0; i < N_ELEMS(ends); i++) {
		*key = ends[i].key;
		if (link->kind != LINK_PCI && ends[i].text != NULL)
			return err_usage(err, "'%s' belongs to links of kind pci", *key);
		if (link->kind != LINK_PCI)
			continue;
		if (ends[i].text == NULL) {
			*key = "kind";
			return err_usage(
				err,
				"a pci link needs '%s', the port of its %s end (a cable has "
				"two ends, and both are ports of this machine)",
				ends[i].key, ends[i].end);
		}
		if (!is_address(ends[i].text))
			return err_usage(
				err,
				"'%s': '%.40s' is no PCI address such as 0000:04:00.0 (lspci "
				"-D lists them)",
				*key, ends[i].text);
	}
	return 0;
}

/* Refuses a port that an earlier end has. */
static int
check_once(const struct chain *chain, size_t i, const char *address, struct err *err)
{
	for (size_t k = 0; k <= i; k++) {
		const struct chain_link *other = &chain->link[k];

		if (other->kind != LINK_PCI || other->address == NULL || other->peer == NULL)
			continue;
		if ((address != chain->link[i].address && strcmp(other->address, address) == 0) ||
		    (k < i &&
		     (strcmp(other->address, address) == 0 || strcmp(other->peer, address) == 0)))
			return err_usage(err, "port %s is used twice, at link %zu and link %zu",
					 address, k, i);
	}
	return 0;
}

/* DPDK numbers ports on PCI before all others, in the order of their addresses. */
static int
check_order(const struct chain_link *port0, const struct chain_link *port1, const char *who,
	    struct err *err)
{
	if (port1->kind != LINK_PCI)
		return 0;
	if (port0->kind != LINK_PCI)
		return err_usage(
			err,
			"%s has a physical port as its port 1 and none as its port 0: DPDK "
			"would number them the other way",
			who);
	return 0;
}

static int
check_addresses(const char *port0, const char *port1, const char *who, struct err *err)
{
	if (strcmp(port0, port1) > 0)
		return err_usage(err,
				 "%s: its port 0 (%s) must have the lower address than its port 1 "
				 "(%s), for so DPDK numbers them",
				 who, port0, port1);
	return 0;
}

static int
check_hop(const struct chain *chain, size_t i, struct err *err)
{
	const struct chain_link *a = &chain->link[i], *b = &chain->link[i + 1];
	const struct chain_hop *hop = &chain->hop[i];
	int rc = check_order(a, b, hop->name, err);

	if (rc == 0 && (a->kind == LINK_PCI || b->kind == LINK_PCI) && hop->kind == HOP_EXEC)
		rc = err_usage(err,
			       "'%s' is an exec hop, whose template is given virtual devices: a "
			       "physical port cannot be",
			       hop->name);
	return rc == 0 && a->kind == LINK_PCI && b->kind == LINK_PCI
		       ? check_addresses(a->peer, b->address, hop->name, err)
		       : rc;
}

int
chain_rule_pci(const struct chain *chain, size_t i, struct err *err)
{
	const struct chain_link *first = &chain->link[0], *last = &chain->link[chain->n_hops];
	int rc = 0;

	if (chain->link[i].kind == LINK_PCI) {
		rc = check_once(chain, i, chain->link[i].address, err);
		if (rc == 0)
			rc = check_once(chain, i, chain->link[i].peer, err);
	}
	if (rc == 0 && i > 0)
		rc = check_hop(chain, i - 1, err);
	if (rc == 0 && i == chain->n_hops)
		rc = check_order(first, last, "the generator", err);
	if (rc == 0 && i == chain->n_hops && first->kind == LINK_PCI && last->kind == LINK_PCI)
		rc = check_addresses(first->address, last->peer, "the generator", err);
	return rc;
}
