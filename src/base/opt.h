/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "err.h"

/* Settings as data.  One row is a command-line flag, an environment variable, a YAML key, a line of
 * --help and a shell completion, so that these cannot drift apart.
 *
 * The row 'frame-size' of a command with the environment prefix NFVCHAIN is the flag --frame-size,
 * the variable NFVCHAIN_FRAME_SIZE and the key frame_size.  Precedence: flag, then environment,
 * then file, then default. */

struct opt {
	const char *name; /* long name, lower case, words joined by '-' */
	char key;	  /* short flag, or 0 */
	const char *arg;  /* name of the value in help, or NULL for a switch */
	const char *help; /* one line, lower case, no full stop */
	/* Puts 'text' (NULL for a switch, "no" for --no-NAME) into 'field'; on error a sentence
	 * about the value alone, the caller adds the name. */
	int (*set)(void *field, const char *text, struct err *err);
	size_t offset;		   /* of the field in the command's settings */
	const char *const *values; /* NULL-terminated words for completion and help, or NULL */
	unsigned flags;
};

#define OPT_HIDDEN 1u	 /* works, but is left out of help and completion */
#define OPT_NEGATABLE 2u /* a switch that also has --no-NAME */
#define OPT_NO_ENV 4u	 /* has no environment variable */

struct opt_command {
	const char *name;	/* "nfvchain bench" */
	const char *positional; /* "[CHAIN]" or NULL when none is taken */
	const char *summary;	/* first line of help: what it does */
	const char *examples;	/* lines for help, or NULL */
	const char *env_prefix; /* "NFVCHAIN", or NULL for no environment */
	const struct opt *opts;
	size_t n_opts;
};

#define OPT_FIELD(type, member) offsetof(type, member)

/* Where the value of a row came from. */
enum opt_origin { OPT_DEFAULT, OPT_FILE, OPT_ENV, OPT_FLAG };

/* Reads environment, then flags, into 'conf'.  Flags and positionals may mix; "--" ends the flags.
 * '*argv' then holds the positionals only, '*argc' of them (argv[0] is removed), moved within the
 * same array, so there is nothing to free.  'origin' has one element for each row, or is NULL: a
 * file is read afterwards, for the rows that are still OPT_DEFAULT.  A variable set to nothing
 * counts as not set; of a list, flags replace what the environment gave.  Unknown flags name the
 * nearest one.  --help and -h (unless a row has that key) print to stdout and return OPT_HELPED, as
 * does --man, by which the build makes the manual page. */
int opt_parse(const struct opt_command *cmd, int *argc, char ***argv, void *conf,
	      enum opt_origin *origin, struct err *err);
#define OPT_HELPED 1

/* Sets the row 'name' (with '-' or '_') from 'text'; the way a YAML key gets in.  A switch takes
 * yes, no, true, false, on, off, 1 and 0, here and from the environment. */
int opt_apply(const struct opt_command *cmd, const char *name, const char *text, void *conf,
	      struct err *err);

void opt_help(const struct opt_command *cmd, FILE *out);
/* What a bash function needs to know about this command, as the inside of a branch of a case: from
 * $cur, the word to complete, and $prev, the one before, it sets words to those that can be given,
 * or kind to chains, files, directories or nothing where they are none. */
void opt_complete(const struct opt_command *cmd, FILE *out);

/* Setters.  Text fields are char * owned by the settings; the old value is freed. */
int opt_set_text(void *field, const char *text, struct err *err);
int opt_set_switch(void *field, const char *text, struct err *err);   /* bool */
int opt_set_u32(void *field, const char *text, struct err *err);      /* uint32_t */
int opt_set_count(void *field, const char *text, struct err *err);    /* uint64_t, 10k = 10000 */
int opt_set_size(void *field, const char *text, struct err *err);     /* uint64_t, 9k = 9216 */
int opt_set_duration(void *field, const char *text, struct err *err); /* uint64_t, ns */
int opt_set_rate(void *field, const char *text, struct err *err);     /* struct rate */
/* A list that grows by one with each use: struct opt_list. */
int opt_set_list(void *field, const char *text, struct err *err);

struct opt_list {
	char **items;
	size_t n;
};
void opt_list_fini(struct opt_list *list);
