/* SPDX-License-Identifier: MIT */
#include "console_words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Copies a word from '*from' to '*to', without quotes, and ends it.  False when a quote stays open.
 */
static bool
copy_word(const char **from, char **to)
{
	char quote = 0;
	const char *p = *from;

	for (; *p != '\0' && (quote != 0 || !is_blank(*p)); p++) {
		if (quote == 0 && (*p == '"' || *p == '\'')) {
			quote = *p;
		} else if (quote != 0 && *p == quote) {
			quote = 0;
		} else {
			if (*p == '\\' && quote != '\'' && p[1] != '\0')
				p++;
			*(*to)++ = *p;
		}
	}
	*(*to)++ = '\0';
	*from = p;
	return quote == 0;
}

int
console_split(struct console_words *words, const char *line, struct err *err)
{
	char *to = words->text = xcalloc(1, strlen(line) + 2);

	words->n = 0;
	words->word[0] = NULL;
	for (;;) {
		while (is_blank(*line))
			line++;
		if (*line == '\0' || *line == '#')
			return 0;
		if (words->n == CONSOLE_MAX_WORDS)
			return err_usage(err, "more than %d words", CONSOLE_MAX_WORDS);
		words->word[words->n++] = to;
		words->word[words->n] = NULL;
		if (!copy_word(&line, &to))
			return err_usage(err, "a quote is not closed");
	}
}

void
console_words_fini(struct console_words *words)
{
	free(words->text);
	words->text = NULL;
}
