/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_eventdev.h>
#include <rte_service.h>

#include "plan.h"

/* The event device between the stages: found or made, set up after a plan, and closed. */

struct evdev {
	uint8_t id;
	bool is_open;
	bool started;
	bool scheduled;		/* by a service that somebody must run */
	bool explicit_release;	/* events are given back by RELEASE, not by the next dequeue */
	bool needs_maintenance; /* of ports that nobody enqueues to or dequeues from */
	uint32_t service;
	char name[64];
};

/* What is left in a device that stops. */
typedef void (*evdev_flush_fn)(struct rte_event ev, void *arg);

/* Adds to 'facts' what a plan has to know of the device 'name' (NULL: the first one there is, else
 * event_sw0, which evdev_open makes). */
int evdev_facts(struct plan_facts *facts, const char *name, struct err *err);

/* Opens the device for a plan and starts it. */
int evdev_open(struct evdev *d, const struct fwd_conf *conf, const struct plan *plan,
	       struct err *err);
/* Stops the device, hands each event that is still inside to 'flush', and starts it afresh. */
int evdev_restart(struct evdev *d, const struct fwd_conf *conf, const struct plan *plan,
		  evdev_flush_fn flush, void *arg, struct err *err);
/* Closes it; harmless when it is not open. */
void evdev_close(struct evdev *d);

/* One pass of the scheduler.  Only one lcore may do it. */
static inline void
evdev_schedule(const struct evdev *d)
{
	(void)rte_service_run_iter_on_app_lcore(d->service, 0);
}

/* For a port that is idle: buffers of its events are sent on, migrations go on. */
static inline void
evdev_maintain(const struct evdev *d, uint8_t port)
{
	if (d->needs_maintenance)
		(void)rte_event_maintain(d->id, port, RTE_EVENT_DEV_MAINT_OP_FLUSH);
}
