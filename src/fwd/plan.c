/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "(0,1)(2,3)" as l2fwd takes it: each enabled port exactly once. */
static int
read_portmap(struct plan *plan, const char *map, struct err *err)
{
	bool seen[NF_MAX_PORTS] = {false};
	const char *p = map;

	while (*p != '\0') {
		char left[4], right[4];
		unsigned a, b;
		int used = 0;

		/* Without the closing parenthesis both numbers match, but 'used' stays 0. */
		if (sscanf(p, " (%3[0-9],%3[0-9]) %n", left, right, &used) != 2 || used == 0)
			return err_usage(
				err, "--portmap: '%s' is not a list of pairs like (0,1)(2,3)", map);
		p += used;
		a = (unsigned)atoi(left);
		b = (unsigned)atoi(right);
		if (a >= plan->n_ports || b >= plan->n_ports || !plan->enabled[a] ||
		    !plan->enabled[b])
			return err_usage(err, "--portmap: (%u,%u) names a port that is not in use",
					 a, b);
		if (seen[a] || seen[b])
			return err_usage(err, "--portmap: port %u is in two pairs",
					 seen[a] ? a : b);
		seen[a] = seen[b] = true;
		plan->pair[a] = (uint16_t)b;
		plan->pair[b] = (uint16_t)a;
	}
	for (unsigned i = 0; i < plan->n_ports; i++)
		if (plan->enabled[i] && !seen[i])
			return err_usage(err, "--portmap: port %u is in no pair", i);
	return 0;
}

/* Neighbouring ports in use pair up; an odd last one sends to itself, as l2fwd does. */
static void
pair_neighbours(struct plan *plan)
{
	int first = -1;

	for (uint16_t i = 0; i < plan->n_ports; i++) {
		plan->pair[i] = i;
		if (!plan->enabled[i])
			continue;
		if (first < 0) {
			first = i;
			continue;
		}
		plan->pair[i] = (uint16_t)first;
		plan->pair[first] = i;
		first = -1;
	}
}

static int
choose_ports(struct plan *plan, const struct fwd_conf *conf, struct err *err)
{
	if (plan->n_ports == 0)
		return err_machine(err, "there is no port: name one with --vdev or -a, or in "
					"NFVCHAIN_EAL_ARGS");
	if (plan->n_ports > NF_MAX_PORTS)
		return err_usage(err, "%u ports, at most %d are supported", plan->n_ports,
				 NF_MAX_PORTS);
	if (conf->portmask >> plan->n_ports)
		return err_usage(err,
				 "--portmask 0x%llx names a port that is not there (there are %u)",
				 (unsigned long long)conf->portmask, plan->n_ports);
	for (uint16_t i = 0; i < plan->n_ports; i++)
		plan->enabled[i] = conf->portmask == 0 || (conf->portmask >> i & 1);
	pair_neighbours(plan);
	return conf->portmap != NULL ? read_portmap(plan, conf->portmap, err) : 0;
}

void
plan_give_txq(struct plan *plan, uint16_t lcore, uint16_t port)
{
	if (plan->txq[lcore][port] < 0)
		plan->txq[lcore][port] = (int16_t)plan->n_txq[port]++;
}

int
plan_ports(struct plan *plan, const struct fwd_conf *conf, uint16_t n_ports, struct err *err)
{
	memset(plan, 0, sizeof(*plan));
	memset(plan->txq, 0xff, sizeof(plan->txq));
	plan->n_ports = n_ports;
	plan->n_rxq = (uint16_t)conf->rxq;
	for (uint16_t i = 0; i < PLAN_MAX_LCORES; i++)
		plan->position[i] = i;
	return choose_ports(plan, conf, err);
}

static int
add_link(struct plan *plan, uint16_t port, uint16_t queue, uint16_t lcore, struct err *err)
{
	uint16_t egress = plan->pair[port];

	if (plan->n_links == PLAN_MAX_LINKS)
		return err_usage(err, "more than %d receive queues", PLAN_MAX_LINKS);
	plan->link[plan->n_links++] =
		(struct plan_link){.rx_port = port, .rxq = queue, .egress = egress, .lcore = lcore};
	plan_give_txq(plan, lcore, egress);
	if (lcore >= plan->n_lcores)
		plan->n_lcores = (uint16_t)(lcore + 1);
	return 0;
}

int
plan_poll(struct plan *plan, const struct fwd_conf *conf, uint16_t n_ports, uint16_t n_lcores,
	  struct err *err)
{
	unsigned k = 0;
	int rc;

	if (n_lcores > PLAN_MAX_LCORES)
		n_lcores = PLAN_MAX_LCORES;
	rc = plan_ports(plan, conf, n_ports, err);
	/* Port by port: traffic in one direction still keeps all lcores busy. */
	for (uint16_t port = 0; rc == 0 && port < n_ports; port++) {
		for (uint16_t q = 0; rc == 0 && q < plan->n_rxq; q++) {
			unsigned lcore = conf->queues_per_lcore > 0 ? k / conf->queues_per_lcore
								    : k % n_lcores;

			if (!plan->enabled[port])
				continue;
			if (lcore >= n_lcores)
				return err_usage(err,
						 "%u queues on each of %u lcores are too few for "
						 "%u ports with %u queues (see -q, -l)",
						 conf->queues_per_lcore, n_lcores, n_ports,
						 plan->n_rxq);
			rc = add_link(plan, port, q, (uint16_t)lcore, err);
			k++;
		}
	}
	return rc;
}
