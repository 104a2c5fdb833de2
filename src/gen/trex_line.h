/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "conf.h"

/* TRex's command line: `t-rex-64 -i --cfg FILE`, as people have it in their scripts.  The flags of
 * its interactive, stateless mode are taken; those that are about its threads, drivers and helpers
 * have no effect here.  What asks for another mode is refused by name. */

#define TREX_LINE_CFG "/etc/trex_cfg.yaml" /* where TRex looks for its configuration */

/* Is the program called by TRex's name? */
bool trex_line_is(const char *program);

/* Reads the line into 'conf', and the configuration that it names, or TREX_LINE_CFG where that is
 * there.  OPT_HELPED after --help. */
int trex_line_parse(struct gen_conf *conf, int argc, char **argv, struct err *err);
