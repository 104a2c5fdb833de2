/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

/* The result as one HTML file that asks nobody for anything: plots (uPlot, inlined), the same
 * figures as tables, the chain as a picture.  For the caller to free.  The same result gives the
 * same bytes, always; texts from the result are escaped; what it does not say is left out or said
 * to be unknown. */
char *html_render(const json_t *result);
