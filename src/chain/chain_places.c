/* SPDX-License-Identifier: MIT */
/* What a link may be, and between which places. */
#include "base/str.h"

#include "chain.h"
#include "chain_rules.h"

enum hop_place
chain_place(const struct chain *chain, int hop)
{
	return hop < 0 || (size_t)hop >= chain->n_hops ? chain->generator.place
						       : chain->hop[hop].place;
}

static const char *
end_name(const struct chain *chain, int hop)
{
	return hop < 0 || (size_t)hop >= chain->n_hops ? "the generator" : chain->hop[hop].name;
}

bool
chain_link_is_vms(const struct chain *chain, size_t i)
{
	return chain_place(chain, (int)i - 1) == PLACE_VM || chain_place(chain, (int)i) == PLACE_VM;
}

bool
chain_has_vms(const struct chain *chain)
{
	for (size_t i = 0; i <= chain->n_hops; i++)
		if (chain_link_is_vms(chain, i))
			return true;
	return false;
}

static bool
is_kernels(enum link_kind kind)
{
	return kind == LINK_VETH || kind == LINK_VETH_XDP || kind == LINK_TAP;
}

unsigned
chain_default_ring(enum link_kind kind, bool is_vms)
{
	if (kind == LINK_RING)
		return CHAIN_INNER_RING;
	if (is_vms || kind == LINK_NETWORK || kind == LINK_STREAM)
		return CHAIN_MAX_VM_RING;
	if (kind == LINK_PCAP)
		return CHAIN_FILE_RING;
	if (kind == LINK_PCI)
		return CHAIN_NIC_RING;
	return is_kernels(kind) ? CHAIN_KERNEL_RING : CHAIN_RING;
}

static unsigned
max_ring(enum link_kind kind)
{
	switch (kind) {
	case LINK_MEMIF:
	case LINK_VETH:
	case LINK_TAP:
	case LINK_PCAP:
		return CHAIN_MAX_COPY_RING;
	case LINK_VETH_XDP:
		return CHAIN_KERNEL_RING;
	case LINK_PCI:
		return CHAIN_MAX_NIC_RING;
	case LINK_NETWORK:
	case LINK_STREAM:
		return CHAIN_MAX_VM_RING;
	default:
		return CHAIN_MAX_RING;
	}
}

int
chain_rule_link(const struct chain_link *link, const char **key, struct err *err)
{
	unsigned min = link->kind == LINK_RING ? CHAIN_MIN_INNER_RING : CHAIN_MIN_RING;
	unsigned max = max_ring(link->kind);
	int rc;

	*key = "kind";
	rc = chain_word_check(&chain_link_kinds, link->kind, err);
	if (rc < 0)
		return rc;
	*key = "ring";
	if (link->ring < min || link->ring > max || (link->ring & (link->ring - 1)) != 0)
		return err_usage(err, "'ring' of a %s link must be a power of two from %u to %u",
				 link_kind_name(link->kind), min, max);
	*key = "queues";
	if (link->queues < 1 || link->queues > CHAIN_MAX_QUEUES)
		return err_usage(err, "'queues' must be from 1 to %d", CHAIN_MAX_QUEUES);
	if (link->queues > 1 && (is_kernels(link->kind) || link->kind == LINK_PCAP))
		return err_usage(err, "more than one queue of a %s link is not built yet",
				 link_kind_name(link->kind));
	*key = "model";
	if (link->model != NIC_VIRTIO && link->kind != LINK_NETWORK && link->kind != LINK_STREAM)
		return err_usage(err, "'model' belongs to links of kind network and stream, whose "
				      "NICs are QEMU's");
	if (link->model != NIC_VIRTIO && link->queues > 1)
		return err_usage(err, "an %s NIC has one queue", chain_models.words[link->model]);
	rc = chain_rule_address(link, key, err);
	return rc == 0 ? chain_rule_file(link, key, err) : rc;
}

int
chain_rule_rings(struct chain *chain, struct err *err)
{
	struct chain_link outer = {.kind = LINK_VHOST_USER, .queues = chain->link[0].queues};

	if (chain->n_hops < 2)
		return err_usage(err, "a ring joins two hops, and this chain has one");
	for (size_t i = 0; i <= chain->n_hops; i += chain->n_hops) {
		outer.ring = chain_default_ring(outer.kind, chain_link_is_vms(chain, i));
		chain->link[i] = outer;
	}
	return 0;
}

int
chain_set_links(struct chain *chain, const char *word, struct err *err)
{
	enum link_kind kind;
	int rc = err_wrap(err, link_kind_parse(word, &kind, err), "--link");

	for (size_t i = 0; rc == 0 && i <= chain->n_hops; i++) {
		struct chain_link *link = &chain->link[i];
		bool is_vms = chain_link_is_vms(chain, i);

		/* A ring that nobody asked for is that of its kind. */
		if (link->ring == chain_default_ring(link->kind, is_vms))
			link->ring = chain_default_ring(kind, is_vms);
		link->kind = kind;
	}
	if (rc == 0 && kind == LINK_RING)
		rc = err_wrap(err, chain_rule_rings(chain, err), "--link");
	return rc;
}

/* Why that end of a ring is none, or NULL. */
static const char *
not_fusible(const struct chain *chain, int hop)
{
	if (hop < 0 || (size_t)hop >= chain->n_hops)
		return "is a program of its own";
	if (chain->hop[hop].place == PLACE_VM)
		return "is in a VM";
	return chain->hop[hop].kind != HOP_FWD ? "is not an nfvchain-fwd" : NULL;
}

/* Both ends of a ring are in one process. */
static int
check_ring(const struct chain *chain, size_t i, struct err *err)
{
	for (int hop = (int)i - 1; hop <= (int)i; hop++) {
		const char *why = not_fusible(chain, hop);

		if (why != NULL)
			return err_usage(err,
					 "link %zu (ring) is within one nfvchain-fwd, and %s %s "
					 "(vhost-user joins processes)",
					 i, end_name(chain, hop), why);
	}
	return 0;
}

/* Queues of a guest's NIC are QEMU's. */
static int
check_queues(const struct chain_link *link, size_t i, struct err *err)
{
	if (link->ring > CHAIN_MAX_VM_RING)
		return err_usage(err, "link %zu ends in a VM, and 'ring' there is at most %d", i,
				 CHAIN_MAX_VM_RING);
	if (link->queues > 1 && link->kind == LINK_STREAM)
		return err_usage(err,
				 "link %zu (stream) is a socket, which has one queue (vhost-user "
				 "and network have more)",
				 i);
	return 0;
}

int
chain_rule_ends(const struct chain *chain, size_t i, struct err *err)
{
	const struct chain_link *link = &chain->link[i];
	const char *a = end_name(chain, (int)i - 1), *b = end_name(chain, (int)i);
	int n_vms = (chain_place(chain, (int)i - 1) == PLACE_VM) +
		    (chain_place(chain, (int)i) == PLACE_VM);
	bool is_ring = link->kind == LINK_RING;
	bool between = link->kind == LINK_NETWORK || link->kind == LINK_STREAM;

	if (is_ring)
		return check_ring(chain, i, err);
	if (between && n_vms < 2)
		return err_usage(err,
				 "link %zu (%s) joins two VMs, and %s is a process (place: vm "
				 "makes it one)",
				 i, link_kind_name(link->kind),
				 chain_place(chain, (int)i - 1) == PLACE_VM ? b : a);
	if (n_vms == 2 && !between)
		return err_usage(err,
				 "link %zu (%s) cannot join two VMs, %s and %s (network and stream "
				 "can)",
				 i, link_kind_name(link->kind), a, b);
	if (n_vms == 1 && link->kind != LINK_VHOST_USER)
		return err_usage(err,
				 "link %zu (%s) cannot join a VM and a process (vhost-user can)", i,
				 link_kind_name(link->kind));
	if (n_vms > 0)
		return check_queues(link, i, err);
	return chain_rule_foreign_link(chain, i, err);
}
