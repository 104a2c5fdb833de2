/* SPDX-License-Identifier: MIT */
#pragma once

/* Where traffic profiles are looked for: $NFVCHAIN_PROFILES, where they were installed, where they
 * were built from. */

struct profile_places {
	char *dir[4]; /* NULL-terminated */
};

void profile_places_find(struct profile_places *p);
void profile_places_fini(struct profile_places *p);
