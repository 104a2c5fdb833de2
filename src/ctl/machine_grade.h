/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "chain/plan.h"

/* The grade of this machine for a chain; see report/grade.h.  Looks at the CPUs of the plan for a
 * little more than a second, in which nothing of the chain may run.  'environment' is what
 * environment_capture gave. */
json_t *machine_grade(const struct chain *chain, const struct chain_plan *plan,
		      const json_t *environment);
