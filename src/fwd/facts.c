/* SPDX-License-Identifier: MIT */
#include "facts.h"

#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_service.h>

#include "base/clock.h"
#include "dpdk/cpus.h"
#include "dpdk/port.h"
#include "evdev.h"

#define SERVICE_STOP_MS 2000

/* Adds an lcore and the CPUs it may run on, unless it is not among those of 'mask' (0: all). */
static void
add_lcore(struct plan_facts *f, unsigned id, uint64_t mask, struct cpus *all)
{
	rte_cpuset_t set = rte_lcore_cpuset(id);
	unsigned n = 0, last = 0;

	if (f->n_lcores == PLAN_MAX_LCORES || (mask != 0 && (id > 63 || (mask >> id & 1) == 0)))
		return;
	for (unsigned i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &set))
			continue;
		cpus_add(all, i);
		last = i;
		n++;
	}
	f->cpu[f->n_lcores] = n == 1 ? (int)last : -1;
	f->lcore_id[f->n_lcores++] = id;
}

static void
read_lcores(struct plan_facts *f, uint64_t mask)
{
	uint32_t service[RTE_MAX_LCORE];
	int32_t n = rte_service_lcore_list(service, RTE_DIM(service));
	struct cpus all = {0};
	unsigned id;

	RTE_LCORE_FOREACH(id)
	add_lcore(f, id, mask, &all);
	f->n_service = f->n_lcores;
	for (int32_t i = 0; i < n; i++)
		add_lcore(f, service[i], mask, &all);
	f->n_service = (uint16_t)(f->n_lcores - f->n_service);
	f->n_cpus = (uint16_t)RTE_MAX(all.n, 1u);
}

static void
read_ports(struct plan_facts *f)
{
	struct rte_eth_dev_info info;
	uint16_t port;

	f->n_ports = rte_eth_dev_count_avail();
	f->max_txq = UINT16_MAX;
	RTE_ETH_FOREACH_DEV(port)
		if (rte_eth_dev_info_get(port, &info) == 0)
			f->max_txq = RTE_MIN(f->max_txq, info.max_tx_queues);
	f->max_txq = RTE_MIN(f->max_txq, PORT_MAX_QUEUES);
}

int
facts_read(struct plan_facts *facts, const struct fwd_conf *conf, struct err *err)
{
	memset(facts, 0, sizeof(*facts));
	read_lcores(facts, conf->lcores);
	if (facts->n_lcores == facts->n_service)
		return err_usage(err, "--lcore-mask 0x%llx: EAL has none of these lcores (see -l)",
				 (unsigned long long)conf->lcores);
	read_ports(facts);
	/* Rings to its neighbours are made later. */
	if (conf->in_row)
		facts->n_ports = 2;
	return strcmp(conf->engine, "poll") == 0 ? 0 : evdev_facts(facts, conf->event_dev, err);
}

int
facts_take_service_lcores(const struct plan_facts *facts, struct err *err)
{
	struct deadline d = deadline_in_ms(SERVICE_STOP_MS);

	/* The last lcore of a service that runs cannot be stopped: services first. */
	for (uint32_t i = 0; facts->n_service > 0 && i < rte_service_get_count(); i++)
		(void)rte_service_runstate_set(i, 0);
	for (uint16_t i = (uint16_t)(facts->n_lcores - facts->n_service); i < facts->n_lcores;
	     i++) {
		unsigned id = facts->lcore_id[i];
		int rc = rte_service_lcore_stop(id);

		while (rte_eal_get_lcore_state(id) == RUNNING && !deadline_passed(&d))
			rte_pause();
		if (rc == 0 || rc == -EALREADY)
			rc = rte_service_lcore_del(id);
		if (rc < 0)
			return err_set(err, -rc, "service lcore %u: %s", id, strerror(-rc));
	}
	return 0;
}
