/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

#include "opt.h"

/* Manual pages (roff, section 1) from option tables: the page of one command, and the parts of
 * which a page about several is made, in the order of the page. */

void opt_man(const struct opt_command *cmd, FILE *out);

/* Everything up to the heading behind NAME; 'summary' is a sentence. */
void opt_man_title(const char *name, const char *summary, FILE *out);
/* The lines of SYNOPSIS about one command. */
void opt_man_synopsis(const struct opt_command *cmd, FILE *out);
/* One entry for each row. */
void opt_man_options(const struct opt_command *cmd, FILE *out);
/* The command's examples, when it has some. */
void opt_man_examples(const struct opt_command *cmd, FILE *out);
/* EXIT STATUS and SEE ALSO, which are the same for all programs. */
void opt_man_end(FILE *out);

/* 'text' so that roff takes every character as it is. */
void opt_man_text(const char *text, FILE *out);
