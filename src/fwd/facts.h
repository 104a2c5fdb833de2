/* SPDX-License-Identifier: MIT */
#pragma once

#include "plan.h"

/* Asks EAL what a plan depends on: ports, lcores and their CPUs, the event device that the settings
 * name or that is there. */
int facts_read(struct plan_facts *facts, const struct fwd_conf *conf, struct err *err);

/* Makes service lcores ordinary ones, so that they can be given a role: their own loop never
 * yields. */
int facts_take_service_lcores(const struct plan_facts *facts, struct err *err);
