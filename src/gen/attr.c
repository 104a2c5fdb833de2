/* SPDX-License-Identifier: MIT */
#include "attr.h"

#include <errno.h>
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

void
attr_names_init(struct attr_names *names)
{
	struct rte_eth_xstat_name *list[ATTR_PORTS];
	size_t n[ATTR_PORTS];

	for (uint16_t p = 0; p < ATTR_PORTS; p++)
		list[p] = names_of(p, &n[p]);
	names->n = 0;
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
attr_values(const struct attr_names *names, uint16_t port, uint64_t *values)
{
	int count = rte_eth_xstats_get(port, NULL, 0);
	struct rte_eth_xstat *all = xcalloc(count > 0 ? (size_t)count : 1, sizeof(*all));
	bool ok = count > 0 && rte_eth_xstats_get(port, all, (unsigned)count) == count;

	for (size_t i = 0; i < names->n; i++) {
		uint32_t id = names->ids[port][i];

		values[i] = ok && id < (uint32_t)count ? all[id].value : 0;
	}
	free(all);
}
