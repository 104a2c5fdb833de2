/* SPDX-License-Identifier: MIT */
/* Reading a result for the text report, with nothing for what is not there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#include "text_parts.h"

double
text_number(const json_t *json, const char *path)
{
	const json_t *at = json_at(json, path);

	return json_is_number(at) ? json_number_value(at) : NAN;
}

uint64_t
text_count(const json_t *json, const char *path)
{
	double n = text_number(json, path);

	return n > 0 ? (uint64_t)json_integer_value(json_at(json, path)) : 0;
}

const char *
text_word(const json_t *json, const char *path)
{
	const char *text = json_string_value(json_at(json, path));

	return text != NULL ? text : "?";
}

bool
text_is_fixed(const json_t *m)
{
	return strcmp(text_word(m, "kind"), "fixed") == 0;
}

char *
text_label(const json_t *m)
{
	const char *frames = text_word(m, "frames");

	return frames[strspn(frames, "0123456789")] == '\0' ? xasprintf("%s B", frames)
							    : xstrdup(frames);
}

static bool
is_accepted(const json_t *trial, const json_t *search)
{
	const json_t *pps = json_object_get(search, "accepted_pps");

	return json_is_number(pps) && json_equal(pps, json_at(trial, "spec.rate_pps")) &&
	       strcmp(text_word(trial, "verdict"), "pass") == 0;
}

struct text_shown *
text_find_shown(const json_t *m)
{
	const json_t *searches = json_object_get(m, "searches");
	struct text_shown *shown = xcalloc(1, sizeof(*shown));
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(searches); i++) {
		const json_t *search = json_array_get(searches, i);
		const json_t *trials = json_object_get(search, "trials");

		for (size_t k = 0; k < json_array_size(trials); k++, n++) {
			const json_t *trial = json_array_get(trials, k);
			bool accepted = is_accepted(trial, search);

			if (shown->accepted && !accepted)
				continue;
			shown->json = trial;
			shown->accepted = accepted;
		}
	}
	shown->only = n == 1;
	if (shown->json == NULL || trial_from_json(&shown->t, shown->json, NULL) < 0) {
		free(shown);
		return NULL;
	}
	return shown;
}
