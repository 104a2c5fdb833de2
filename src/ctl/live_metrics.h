/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "chain/live.h"

/* A sample as Prometheus reads it: counters since the programs started, for rates are its business.
 * What is not known is left out, never 0.  'open' is OpenMetrics 1.0, else the text format 0.0.4;
 * they differ in the names of families and in the last line.  With 's' NULL the chain is down. */
char *live_metrics(const struct live_sample *s, const char *chain, bool open);

#define LIVE_METRICS_OPEN_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define LIVE_METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"
