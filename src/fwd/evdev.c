/* SPDX-License-Identifier: MIT */
#include "evdev.h"

#include <errno.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_errno.h>

#include "base/log.h"
#include "base/str.h"

#define DEFAULT_NAME "event_sw0"
/* event_sw takes what a whole burst gives back together with the next one in a single pass. */
#define SW_ARGS "deq_burst=256,sched_quanta=256,credit_quanta=64"
#define SW_EVENTS 4096
#define DSW_EVENTS 16384
#define DSW_QUEUES 16
#define SOFTWARE_PORTS 64
#define ENQUEUE_DEPTH 64

static bool
is_dsw(const char *name)
{
	return strncmp(name, "event_dsw", strlen("event_dsw")) == 0;
}

/* Of a device that will be made. */
static void
facts_by_name(struct plan_facts *f, const char *name)
{
	f->distributed = f->unordered = is_dsw(name);
	f->max_events = f->distributed ? DSW_EVENTS : SW_EVENTS;
	f->max_event_ports = SOFTWARE_PORTS;
	f->max_event_queues = f->distributed ? DSW_QUEUES : UINT8_MAX;
}

/* The number of the device that is meant, or -1 when it has to be made. */
static int
find(const char *name)
{
	if (name != NULL)
		return rte_event_dev_get_dev_id(name);
	return rte_event_dev_count() > 0 ? 0 : -1;
}

int
evdev_facts(struct plan_facts *facts, const char *name, struct err *err)
{
	struct rte_event_dev_info info;
	int id = find(name), rc;

	if (id < 0) {
		facts_by_name(facts, name != NULL ? name : DEFAULT_NAME);
		return 0;
	}
	rc = rte_event_dev_info_get((uint8_t)id, &info);
	if (rc < 0)
		return err_set(err, -rc, "event device %d: %s", id, strerror(-rc));
	facts->distributed = info.event_dev_cap & RTE_EVENT_DEV_CAP_DISTRIBUTED_SCHED;
	facts->unordered = is_dsw(info.driver_name);
	facts->max_event_ports = info.max_event_ports;
	facts->max_event_queues = info.max_event_queues;
	facts->max_events = info.max_num_events > 0 ? (uint32_t)info.max_num_events : SW_EVENTS;
	return 0;
}

static int
find_or_make(struct evdev *d, const char *name, struct err *err)
{
	const char *wanted = name != NULL ? name : DEFAULT_NAME;
	int id = find(name), rc;

	if (id < 0) {
		rc = rte_eal_hotplug_add("vdev", wanted, is_dsw(wanted) ? "" : SW_ARGS);
		id = rc < 0 ? rc : rte_event_dev_get_dev_id(wanted);
		if (id < 0)
			return err_machine(err, "event device '%s' cannot be made: %s", wanted,
					   rte_strerror(-id));
		LOG(INFO, "event device: %s, made since %s", wanted,
		    name != NULL ? "it was not there" : "none was named");
	}
	d->id = (uint8_t)id;
	str_copy(d->name, sizeof(d->name), wanted);
	d->is_open = true;
	return 0;
}

static int
configure(struct evdev *d, const struct plan_roles *r, const struct rte_event_dev_info *info)
{
	struct rte_event_dev_config conf = {
		.nb_events_limit = (int32_t)r->events,
		.nb_event_queues = (uint8_t)(r->n_queues + r->n_tx),
		.nb_event_ports = (uint8_t)r->n_event_ports,
		.nb_event_queue_flows = info->max_event_queue_flows,
		.nb_event_port_dequeue_depth =
			RTE_MIN((uint32_t)r->depth, info->max_event_port_dequeue_depth),
		.nb_event_port_enqueue_depth =
			RTE_MIN((uint32_t)ENQUEUE_DEPTH, info->max_event_port_enqueue_depth),
		.nb_single_link_event_port_queues = r->n_tx,
	};

	return rte_event_dev_configure(d->id, &conf);
}

static int
set_up_queues(struct evdev *d, const struct fwd_conf *conf, const struct plan_roles *r,
	      const struct rte_event_dev_info *info)
{
	static const uint8_t types[] = {[SCHED_ATOMIC] = RTE_SCHED_TYPE_ATOMIC,
					[SCHED_ORDERED] = RTE_SCHED_TYPE_ORDERED,
					[SCHED_PARALLEL] = RTE_SCHED_TYPE_PARALLEL};
	unsigned step = RTE_EVENT_DEV_PRIORITY_LOWEST / (r->n_queues + 1u);
	int rc = 0;

	for (uint8_t q = 0; rc == 0 && q < r->n_queues + r->n_tx; q++) {
		struct rte_event_queue_conf c = {
			.nb_atomic_flows = info->max_event_queue_flows,
			.nb_atomic_order_sequences =
				RTE_MIN(r->events, info->max_event_queue_flows),
			.schedule_type = types[conf->sched],
			.priority = RTE_EVENT_DEV_PRIORITY_NORMAL,
		};

		/* The nearer its end, the sooner a frame is served. */
		if (conf->queue_priority)
			c.priority = (uint8_t)(RTE_EVENT_DEV_PRIORITY_LOWEST -
					       RTE_MIN(q, r->n_queues) * step);
		if (q >= r->n_queues)
			c.event_queue_cfg = RTE_EVENT_QUEUE_CFG_SINGLE_LINK;
		rc = rte_event_queue_setup(d->id, q, &c);
	}
	return rc;
}

static int
set_up_port(struct evdev *d, const struct plan_roles *r, const struct rte_event_dev_info *info,
	    uint8_t port, const uint8_t *queues, uint16_t n_queues, uint32_t port_cfg)
{
	struct rte_event_port_conf c = {
		.new_event_threshold = (int32_t)r->threshold,
		.dequeue_depth =
			(uint16_t)RTE_MIN((uint32_t)r->depth, info->max_event_port_dequeue_depth),
		.enqueue_depth = (uint16_t)RTE_MIN((uint32_t)ENQUEUE_DEPTH,
						   info->max_event_port_enqueue_depth),
		.event_port_cfg = port_cfg,
	};
	int rc = rte_event_port_setup(d->id, port, &c);

	/* Without queues, a port links to all of them; one that only receives has none. */
	if (rc == 0 && n_queues > 0 &&
	    rte_event_port_link(d->id, port, queues, NULL, n_queues) != n_queues)
		rc = -rte_errno;
	return rc;
}

static int
set_up_ports(struct evdev *d, const struct plan *plan, const struct rte_event_dev_info *info)
{
	const struct plan_roles *r = &plan->roles;
	uint32_t cfg = d->explicit_release ? RTE_EVENT_PORT_CFG_DISABLE_IMPL_REL : 0;
	uint8_t stages[PLAN_MAX_STAGES], sender = r->n_queues;
	int rc = 0;

	for (uint8_t q = 0; q < r->n_queues; q++)
		stages[q] = q;
	for (uint16_t i = 0; rc == 0 && i < plan->n_lcores; i++) {
		if (r->work_port[i] != PLAN_NO_PORT)
			rc = set_up_port(d, r, info, r->work_port[i], stages, r->n_queues, cfg);
		if (rc == 0 && r->rx_port[i] != PLAN_NO_PORT && r->rx_port[i] != r->work_port[i])
			rc = set_up_port(d, r, info, r->rx_port[i], NULL, 0, cfg);
		if (rc < 0 || r->tx_port[i] == PLAN_NO_PORT)
			continue;
		rc = set_up_port(d, r, info, r->tx_port[i], &sender, 1,
				 cfg | RTE_EVENT_PORT_CFG_SINGLE_LINK);
		sender++;
	}
	/* A Tx adapter gives events back by taking the next ones. */
	for (uint16_t p = 0; rc == 0 && p < plan->n_ports; p++) {
		if (r->adapter_port[p] == PLAN_NO_PORT)
			continue;
		rc = set_up_port(d, r, info, r->adapter_port[p], &sender, 1,
				 RTE_EVENT_PORT_CFG_SINGLE_LINK);
		sender++;
	}
	return rc;
}

static int
set_up(struct evdev *d, const struct fwd_conf *conf, const struct plan *plan, struct err *err)
{
	struct rte_event_dev_info info;
	int rc = rte_event_dev_info_get(d->id, &info);

	if (rc < 0)
		return err_set(err, -rc, "event device %s: %s", d->name, strerror(-rc));
	d->explicit_release = info.event_dev_cap & RTE_EVENT_DEV_CAP_IMPLICIT_RELEASE_DISABLE;
	d->needs_maintenance = !(info.event_dev_cap & RTE_EVENT_DEV_CAP_MAINTENANCE_FREE);
	rc = configure(d, &plan->roles, &info);
	if (rc == 0)
		rc = set_up_queues(d, conf, &plan->roles, &info);
	if (rc == 0)
		rc = set_up_ports(d, plan, &info);
	d->scheduled = rte_event_dev_service_id_get(d->id, &d->service) == 0;
	if (rc == 0 && d->scheduled) {
		/* An lcore of ours runs the service, so none that EAL knows of has to. */
		rte_service_set_runstate_mapped_check(d->service, 0);
		rc = rte_service_runstate_set(d->service, 1);
	}
	if (rc == 0)
		rc = rte_event_dev_start(d->id);
	if (rc < 0)
		return err_set(err, -rc, "event device %s: %s", d->name, strerror(-rc));
	d->started = true;
	return 0;
}

int
evdev_open(struct evdev *d, const struct fwd_conf *conf, const struct plan *plan, struct err *err)
{
	int rc;

	*d = (struct evdev){0};
	rc = find_or_make(d, conf->event_dev, err);
	if (rc == 0)
		rc = set_up(d, conf, plan, err);
	return rc;
}

struct flush {
	evdev_flush_fn fn;
	void *arg;
};

static void
flush_event(uint8_t id, struct rte_event ev, void *arg)
{
	const struct flush *f = arg;

	(void)id;
	f->fn(ev, f->arg);
}

static void
stop(struct evdev *d)
{
	if (!d->started)
		return;
	/* The device waits for its service, which nobody runs any more. */
	if (d->scheduled)
		(void)rte_service_runstate_set(d->service, 0);
	rte_event_dev_stop(d->id);
	d->started = false;
}

/* Takes what the device can still deliver.  Its own stop would leave what event_sw keeps for the
 * order of an ordered queue, and what event_dsw set aside when it moved a flow. */
static void
take_all(struct evdev *d, uint8_t n_ports, evdev_flush_fn flush, void *arg)
{
	unsigned idle = 0;

	while (idle < 64) {
		if (d->scheduled)
			evdev_schedule(d);
		idle++;
		for (uint8_t port = 0; port < n_ports; port++) {
			struct rte_event ev;

			evdev_maintain(d, port);
			while (rte_event_dequeue_burst(d->id, port, &ev, 1, 0) > 0) {
				flush(ev, arg);
				ev.op = RTE_EVENT_OP_RELEASE;
				(void)rte_event_enqueue_burst(d->id, port, &ev, 1);
				idle = 0;
			}
		}
	}
}

int
evdev_restart(struct evdev *d, const struct fwd_conf *conf, const struct plan *plan,
	      evdev_flush_fn flush, void *arg, struct err *err)
{
	struct flush f = {flush, arg};

	take_all(d, (uint8_t)plan->roles.n_event_ports, flush, arg);
	rte_event_dev_stop_flush_callback_register(d->id, flush_event, &f);
	stop(d);
	rte_event_dev_stop_flush_callback_register(d->id, NULL, NULL);
	/* Closed and set up anew, or the credits of what was flushed would be missing. */
	(void)rte_event_dev_close(d->id);
	return set_up(d, conf, plan, err);
}

void
evdev_close(struct evdev *d)
{
	if (!d->is_open)
		return;
	stop(d);
	(void)rte_event_dev_close(d->id);
	/* One that we made stays attached, for the next who opens it: event_sw never gives its
	 * service back, and there are 64. */
	*d = (struct evdev){0};
}
