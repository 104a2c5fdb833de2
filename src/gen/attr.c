/* SPDX-License-Identifier: MIT */
#include "attr.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "base/mem.h"

bool
attr_link_up(uint16_t port)
{
	struct rte_eth_link link = {0};

	return rte_eth_link_get_nowait(port, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

bool
attr_promiscuous(uint16_t port)
{
	return rte_eth_promiscuous_get(port) == 1;
}

bool
attr_multicast(uint16_t port)
{
	return rte_eth_allmulticast_get(port) == 1;
}

int
attr_set_promiscuous(uint16_t port, bool enabled)
{
	return enabled ? rte_eth_promiscuous_enable(port) : rte_eth_promiscuous_disable(port);
}

int
attr_set_multicast(uint16_t port, bool enabled)
{
	return enabled ? rte_eth_allmulticast_enable(port) : rte_eth_allmulticast_disable(port);
}

bool
attr_can_promiscuous(uint16_t port)
{
	bool before = attr_promiscuous(port);

	if (attr_set_promiscuous(port, !before) < 0)
		return false;
	return attr_set_promiscuous(port, before) == 0;
}

uint64_t
attr_rx_errors(uint16_t port)
{
	struct rte_eth_stats st;

	return rte_eth_stats_get(port, &st) == 0 ? st.imissed + st.ierrors + st.rx_nombuf : 0;
}

uint64_t
attr_tx_errors(uint16_t port)
{
	struct rte_eth_stats st;

	return rte_eth_stats_get(port, &st) == 0 ? st.oerrors : 0;
}

/* What every device counts, by the names that ethdev itself gives it. */
static const struct basic {
	const char *name;
	size_t offset; /* in struct rte_eth_stats */
} basics[] = {
	{"rx_good_packets", offsetof(struct rte_eth_stats, ipackets)},
	{"tx_good_packets", offsetof(struct rte_eth_stats, opackets)},
	{"rx_good_bytes", offsetof(struct rte_eth_stats, ibytes)},
	{"tx_good_bytes", offsetof(struct rte_eth_stats, obytes)},
	{"rx_missed_errors", offsetof(struct rte_eth_stats, imissed)},
	{"rx_errors", offsetof(struct rte_eth_stats, ierrors)},
	{"tx_errors", offsetof(struct rte_eth_stats, oerrors)},
	{"rx_mbuf_allocation_errors", offsetof(struct rte_eth_stats, rx_nombuf)},
};

static void
name_basics(struct attr_names *names)
{
	names->basic = true;
	names->n = N_ELEMS(basics);
	names->names = xcalloc(N_ELEMS(basics), sizeof(*names->names));
	for (size_t i = 0; i < N_ELEMS(basics); i++)
		names->names[i] = xstrdup(basics[i].name);
}

static void
basic_values(uint16_t port, uint64_t *values)
{
	struct rte_eth_stats st = {0};
	bool ok = rte_eth_stats_get(port, &st) == 0;

	for (size_t i = 0; i < N_ELEMS(basics); i++) {
		values[i] = 0;
		if (ok)
			memcpy(&values[i], (const char *)&st + basics[i].offset, sizeof(values[i]));
	}
}

/* All names of the port, for the caller to free; '*n' may be 0. */
static struct rte_eth_xstat_name *
names_of(uint16_t port, size_t *n)
{
	int count = rte_eth_xstats_get_names(port, NULL, 0);
	struct rte_eth_xstat_name *list = xcalloc(count > 0 ? (size_t)count : 1, sizeof(*list));

	*n = 0;
	if (count > 0 && rte_eth_xstats_get_names(port, list, (unsigned)count) == count)
		*n = (size_t)count;
	return list;
}

static bool
find_name(const struct rte_eth_xstat_name *list, size_t n, const char *name, uint32_t *id)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].name, name) == 0) {
			*id = (uint32_t)i;
			return true;
		}
	}
	return false;
}

/* The names of port 0 that port 1 has as well. */
static void
name_common(struct attr_names *names, struct rte_eth_xstat_name *const *list, const size_t *n)
{
	names->names = xcalloc(n[0] + 1, sizeof(char *));
	for (uint16_t p = 0; p < ATTR_PORTS; p++)
		names->ids[p] = xcalloc(n[0] + 1, sizeof(uint32_t));
	for (uint32_t i = 0; i < n[0]; i++) {
		uint32_t other;

		if (!find_name(list[1], n[1], list[0][i].name, &other))
			continue;
		names->names[names->n] = xstrdup(list[0][i].name);
		names->ids[0][names->n] = i;
		names->ids[1][names->n++] = other;
	}
}

void
attr_names_init(struct attr_names *names, const uint16_t device[ATTR_PORTS])
{
	struct rte_eth_xstat_name *list[ATTR_PORTS];
	size_t n[ATTR_PORTS];

	*names = (struct attr_names){0};
	for (uint16_t p = 0; p < ATTR_PORTS; p++) {
		names->device[p] = device[p];
		list[p] = names_of(device[p], &n[p]);
	}
	if (n[0] > 0 && n[1] > 0)
		name_common(names, list, n);
	else
		name_basics(names);
	for (uint16_t p = 0; p < ATTR_PORTS; p++)
		free(list[p]);
}

void
attr_names_fini(struct attr_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->names[i]);
	for (uint16_t p = 0; p < ATTR_PORTS; p++)
		free(names->ids[p]);
	free(names->names);
	*names = (struct attr_names){0};
}

void
attr_values(const struct attr_names *names, unsigned port, uint64_t *values)
{
	const uint16_t device = names->device[port];
	struct rte_eth_xstat *all;
	int count;
	bool ok;

	if (names->basic) {
		basic_values(device, values);
		return;
	}
	count = rte_eth_xstats_get(device, NULL, 0);
	all = xcalloc(count > 0 ? (size_t)count : 1, sizeof(*all));
	ok = count > 0 && rte_eth_xstats_get(device, all, (unsigned)count) == count;
	for (size_t i = 0; i < names->n; i++) {
		uint32_t id = names->ids[port][i];

		values[i] = ok && id < (uint32_t)count ? all[id].value : 0;
	}
	free(all);
}
