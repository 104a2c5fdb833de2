/* SPDX-License-Identifier: MIT */
#include "repeat.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static void
add_word(struct str *s, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "%+,-./:=@_";

	if (s->len > 0)
		str_addf(s, " ");
	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		str_addf(s, "%s", word);
		return;
	}
	str_addf(s, "'");
	for (; *word != '\0'; word++)
		if (*word == '\'')
			str_addf(s, "'\\''");
		else
			str_addn(s, word, 1);
	str_addf(s, "'");
}

char *
repeat_command(const json_t *result)
{
	const json_t *words = json_object_get(result, "command");
	const char *first = json_string_value(json_array_get(words, 0));
	struct str s = {0};

	if (first == NULL)
		return xstrdup("?");
	/* Sub-commands note their own words only. */
	if (strcmp(first, "nfvchain") != 0)
		add_word(&s, "nfvchain");
	for (size_t i = 0; i < json_array_size(words); i++) {
		const char *word = json_string_value(json_array_get(words, i));

		add_word(&s, word != NULL ? word : "?");
	}
	return str_take(&s);
}
