/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "forwarder.h"

/* How a forwarder spreads its work over lcores.  One of these for each architecture; nothing else
 * in the forwarder knows a difference between them. */
struct engine {
	const char *name; /* "poll", "event", "pipeline" */
	const char *summary;
	/* Lays ports, queues and roles on the lcores there are, or says why the machine is too
	 * small. Pure: no EAL, so that --dry-run can ask. */
	int (*plan)(struct plan *plan, const struct fwd_conf *conf, const struct plan_facts *facts,
		    struct err *err);
	/* Buffers the engine can hold beside the rings of the ports; asked before the pool is made.
	 */
	uint32_t (*need)(const struct plan *plan, const struct fwd_conf *conf);
	/* Makes what the lcores run on, after ports and functions are open. */
	int (*open)(struct fwd *fwd, struct err *err);
	/* Body of one lcore while the state is FWD_RUN; returns when it no longer is. */
	void (*run)(struct fwd_lcore *w);
	/* Lets what this lcore holds go out, until 'deadline' (TSC), then drops and counts the
	 * rest. */
	void (*drain)(struct fwd_lcore *w, uint64_t deadline);
	/* Once no lcore runs any more: drops and counts what none of them could reach.  Or NULL. */
	void (*settle)(struct fwd *fwd);
	/* A port is going to be closed, and is open again.  Harmless before open; or NULL. */
	void (*detach)(struct fwd *fwd, uint16_t port);
	int (*attach)(struct fwd *fwd, uint16_t port, struct err *err);
	/* Releases what open made; also half of it. */
	void (*close)(struct fwd *fwd);
};

extern const struct engine engine_poll;
extern const struct engine engine_event;
extern const struct engine engine_pipeline;

/* The engine of that name, or NULL. */
const struct engine *engine_find(const char *name);
