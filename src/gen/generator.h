/* SPDX-License-Identifier: MIT */
#pragma once

#include "conf.h"
#include "worker.h"

/* Ports and pools of the generator. */

/* Opens the first two ports that EAL found.  Half-opened is closable. */
int generator_open(struct gen_worker *w, const struct gen_conf *conf, bool shares_cpus,
		   struct err *err);
void generator_close(struct gen_worker *w);
/* Memory to ask EAL for. */
unsigned generator_memory_mb(const struct gen_conf *conf);
