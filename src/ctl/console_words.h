/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"

/* A line as words, as a shell would: quotes keep blanks together, a backslash takes the next
 * character as it is, and what follows a '#' at the start of a word is a comment. */

#define CONSOLE_MAX_WORDS 256

struct console_words {
	char *text; /* what the words point into */
	int n;
	char *word[CONSOLE_MAX_WORDS + 1]; /* NULL-terminated */
};

int console_split(struct console_words *words, const char *line, struct err *err);
void console_words_fini(struct console_words *words);
