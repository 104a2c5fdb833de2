/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/yaml.h"

#include "chain.h"
#include "chain_rules.h"

/* Values of a chain file's maps: each leaves its field as it is when the key is not there, and
 * reports what is wrong where it stands. */

/* A value of 'map' that a rule or a parser refused: its sentence, at the value of 'key'. */
int chain_yaml_refuse(const struct yaml *doc, const struct yaml_node *map, const char *key,
		      const struct err *why, struct err *err);
/* Is 'node', called 'what', a map with no other keys? */
int chain_yaml_check_map(const struct yaml *doc, const struct yaml_node *node, const char *what,
			 const char *const *keys, struct err *err);

int chain_yaml_text(const struct yaml *doc, const struct yaml_node *map, const char *key,
		    char **field, struct err *err);
int chain_yaml_unsigned(const struct yaml *doc, const struct yaml_node *map, const char *key,
			unsigned max, unsigned *field, struct err *err);
/* A text with a parser of its own; '*seen' tells whether the key is there. */
int chain_yaml_parsed(const struct yaml *doc, const struct yaml_node *map, const char *key,
		      int (*parse)(const char *text, void *field, struct err *err), void *field,
		      bool *seen, struct err *err);
/* The word of 'key' as its index among 'words'. */
int chain_yaml_word(const struct yaml *doc, const struct yaml_node *map, const char *key,
		    const struct chain_words *words, size_t *i, struct err *err);
/* The list 'cpus': [0, 1], "0-1" or a number. */
int chain_yaml_cpus(const struct yaml *doc, const struct yaml_node *map, struct chain_cpus *cpus,
		    struct err *err);
int chain_yaml_texts(const struct yaml *doc, const struct yaml_node *map, const char *key,
		     char *texts[CHAIN_MAX_WORDS], size_t *n, struct err *err);
