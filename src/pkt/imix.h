/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Mixes of frame sizes.  RFC 6985 standardises none, and at least five "IMIX" differ, so a mix is
 * always an explicit table: 'imix' is 64:7,594:4,1518:1 with FCS. */

#define IMIX_MAX 16

struct imix {
	char name[176]; /* as given: "64", "imix", "64:1,1518:1"; IMIX_MAX parts fit */
	size_t n;
	struct {
		uint16_t size;	 /* with FCS */
		uint16_t weight; /* frames */
	} part[IMIX_MAX];
};

/* "64", "imix", or "SIZE:WEIGHT,..."; sizes 64 to 9216, weights 1 to 1000. */
int imix_parse(const char *text, struct imix *mix, struct err *err);
double imix_mean_size(const struct imix *mix);
uint16_t imix_max_size(const struct imix *mix);
uint16_t imix_min_size(const struct imix *mix);
/* Share of the frames that part 'i' makes. */
double imix_share(const struct imix *mix, size_t i);
/* "64:7,594:4,1518:1", into 'buf' and returned. */
char *imix_print(char *buf, size_t size, const struct imix *mix);
