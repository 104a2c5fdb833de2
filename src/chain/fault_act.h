/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "fault_order.h"
#include "rpc/control.h"

/* Faults on purpose, done to a program that runs.  Each is undone after its time, also when whoever
 * did it has died: a forwarder undoes by itself what it was told, and what signals and busy
 * processes do is in the hands of a helper that outlives us for that. */

struct fault_target {
	const char *name;
	pid_t pid;
	struct control_client *control; /* NULL: it is no nfvchain-fwd */
};

/* One that goes on; zeroed: none does. */
struct fault_act {
	pid_t helper; /* 0: there is none */
	bool told;    /* its forwarder */
};

/* Does it; refuses, before anything happens, what this program cannot bear. */
int fault_act_begin(struct fault_act *act, const struct fault_order *order,
		    const struct fault_target *target, struct err *err);
/* Undoes it now if its time is not over; does nothing when it is.  'control' is what the target is
 * spoken to by now, or NULL when nobody can. */
void fault_act_end(struct fault_act *act, struct control_client *control);
