/* SPDX-License-Identifier: MIT */
#include "profile_places.h"

#include <stdlib.h>

#include "base/mem.h"
#include "command.h"

void
profile_places_find(struct profile_places *p)
{
	char *bin = command_bin_dir();
	const char *given = getenv("NFVCHAIN_PROFILES");
	unsigned n = 0;

	*p = (struct profile_places){{NULL}};
	if (given != NULL && given[0] != '\0')
		p->dir[n++] = xstrdup(given);
	p->dir[n++] = xasprintf("%s/../share/nfvchain/profiles", bin);
	/* Where it was built. */
	p->dir[n] = xstrdup(NFVCHAIN_SOURCE_PROFILES);
	free(bin);
}

void
profile_places_fini(struct profile_places *p)
{
	for (char **dir = p->dir; *dir != NULL; dir++)
		free(*dir);
}
