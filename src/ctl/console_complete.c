/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "console.h"

/* What a word of the console's may become.  Everything here counts matches down: the one that finds
 * 'i' at 0 is it. */

static bool
begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* The first word of a line, for the caller to free. */
static char *
verb_of(const char *line)
{
	line += strspn(line, " \t");
	return xasprintf("%.*s", (int)strcspn(line, " \t"), line);
}

/* The word that ends before byte 'at', for the caller to free. */
static char *
word_before(const char *line, size_t at)
{
	size_t end = at, start;

	while (end > 0 && strchr(" \t", line[end - 1]) != NULL)
		end--;
	start = end;
	while (start > 0 && strchr(" \t", line[start - 1]) == NULL)
		start--;
	return xasprintf("%.*s", (int)(end - start), line + start);
}

/* The option that 'word' is, "-f" or "--file", or NULL. */
static const struct opt *
option_of(const struct console_opts *of, const char *word)
{
	for (size_t i = 0; i < of->n; i++) {
		const struct opt *o = &of->opts[i];

		if (begins(word, "--") ? strcmp(word + 2, o->name) == 0
				       : word[0] == '-' && word[1] != '\0' && word[1] == o->key &&
						 word[2] == '\0')
			return o;
	}
	return NULL;
}

static char *
next_option(const struct console_opts *of, const char *word, size_t *i)
{
	for (size_t o = 0; o < of->n; o++) {
		char *name = xasprintf("--%s", of->opts[o].name);

		if (begins(name, word) && (*i)-- == 0)
			return name;
		free(name);
	}
	return NULL;
}

static char *
next_value(const char *const *values, const char *word, size_t *i)
{
	for (; *values != NULL; values++)
		if (begins(*values, word) && (*i)-- == 0)
			return xstrdup(*values);
	return NULL;
}

static int
is_profile(const struct dirent *e)
{
	const char *end = strrchr(e->d_name, '.');

	return end != NULL && strcmp(end, ".yaml") == 0;
}

/* Is a file of that name in a place before 'dir'?  That one is taken. */
static bool
is_hidden(const struct profile_places *places, char *const *dir, const char *name)
{
	bool hidden = false;

	for (char *const *d = places->dir; d < dir && !hidden; d++) {
		char *path = xasprintf("%s/%s", *d, name);
		struct stat st;

		hidden = stat(path, &st) == 0;
		free(path);
	}
	return hidden;
}

/* Profiles in 'dir' that begin with 'base', as 'folder' and their name: "imix", or "stl/imix.py".
 */
static char *
next_profile_in(const struct profile_places *places, char *const *dir, const char *folder,
		const char *base, size_t *i)
{
	struct dirent **entry;
	int n = scandir(*dir, &entry, is_profile, alphasort);
	char *found = NULL;

	for (int e = 0; e < n; e++) {
		const char *name = entry[e]->d_name;
		int len = (int)strlen(name) - 5;

		if (found == NULL && begins(name, base) && !is_hidden(places, dir, name) &&
		    (*i)-- == 0)
			found = xasprintf("%s%.*s%s", folder, len, name,
					  folder[0] != '\0' ? ".py" : "");
		free(entry[e]);
	}
	if (n >= 0)
		free(entry);
	return found;
}

static char *
next_profile(const char *word, size_t *i)
{
	const char *slash = strrchr(word, '/');
	const char *base = slash != NULL ? slash + 1 : word;
	char *folder = xasprintf("%.*s", (int)(base - word), word), *found = NULL;
	struct profile_places places;
	struct stat st;

	profile_places_find(&places);
	/* A folder that is there has files of its own. */
	for (char **dir = places.dir; *dir != NULL && found == NULL; dir++)
		if (slash == NULL || stat(folder, &st) < 0)
			found = next_profile_in(&places, dir, folder, base, i);
	profile_places_fini(&places);
	free(folder);
	return found;
}

char *
console_complete(const char *line, size_t at, const char *word, size_t i)
{
	char *verb = verb_of(line), *before = word_before(line, at), *found = NULL;
	const struct console_opts *opts;
	const struct opt *option;

	if (before[0] == '\0') {
		const char *name = console_verb(word, i);

		found = name != NULL ? xstrdup(name) : NULL;
	} else if ((opts = console_verb_opts(verb)) != NULL) {
		option = option_of(opts, before);
		if (option != NULL && option->values != NULL)
			found = next_value(option->values, word, &i);
		else if (option != NULL && strcmp(option->name, "file") == 0)
			found = next_profile(word, &i);
		else if (word[0] == '-')
			found = next_option(opts, word, &i);
	}
	free(verb);
	free(before);
	return found;
}
