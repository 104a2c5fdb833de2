/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "profile.h"

static bool
ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

char *
profile_find(const char *word, const char *const *dirs, bool *ours, struct err *err)
{
	const char *slash = strrchr(word, '/');
	char *base;

	*ours = false;
	/* A program of TRex's library is not a file that is read here. */
	if (!ends_in(word, ".py") && access(word, R_OK) == 0)
		return xstrdup(word);
	base = xstrdup(slash != NULL ? slash + 1 : word);
	base[strcspn(base, ".")] = '\0';
	for (; *dirs != NULL; dirs++) {
		char *path = xasprintf("%s/%s.yaml", *dirs, base);

		if (access(path, R_OK) == 0) {
			*ours = true;
			free(base);
			return path;
		}
		free(path);
	}
	free(base);
	err_usage(err,
		  "there is no profile '%s': neither a file of that name nor one of ours "
		  "(nfvchain start --list)",
		  word);
	return NULL;
}
