/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Reading YAML 1.2 (and so JSON) with errors that look like a compiler's:
 *
 *     chain.yaml:4:12: error: 'cores' must be a positive integer
 *         cores: two
 *                ^~~
 *
 * Aliases are refused, duplicate keys are refused, depth and size are limited, so that a hostile
 * file costs no more than its bytes.  Nodes live as long as their document. */

struct yaml;
struct yaml_node;

#define YAML_MAX_BYTES (1u << 20)
#define YAML_MAX_DEPTH 32

int yaml_open(struct yaml **doc, const char *path, struct err *err);
/* 'name' stands for the file in messages. */
int yaml_parse(struct yaml **doc, const char *name, const char *text, size_t len, struct err *err);
void yaml_close(struct yaml *doc);

struct yaml_node *yaml_root(const struct yaml *doc);

bool yaml_is_map(const struct yaml_node *node);
bool yaml_is_list(const struct yaml_node *node);
bool yaml_is_scalar(const struct yaml_node *node);
/* A scalar that is empty or the word null. */
bool yaml_is_null(const struct yaml_node *node);

/* Text of a scalar, owned by the document; NULL for other nodes. */
const char *yaml_text(const struct yaml *doc, const struct yaml_node *node);
/* Value of 'key' in a map, or NULL. */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* Elements of a list or pairs of a map. */
size_t yaml_length(const struct yaml_node *node);
struct yaml_node *yaml_item(const struct yaml_node *list, size_t i);
const char *yaml_key(const struct yaml *doc, const struct yaml_node *map, size_t i);
struct yaml_node *yaml_value(const struct yaml_node *map, size_t i);

/* Writes "file:line:col: error: MESSAGE", the line and a caret into 'err' and returns -EINVAL. */
int yaml_error(const struct yaml *doc, const struct yaml_node *node, struct err *err,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Refuses keys of 'map' that are not among 'keys' (NULL-terminated) and names the nearest. */
int yaml_check_keys(const struct yaml *doc, const struct yaml_node *map, const char *const *keys,
		    struct err *err);

/* Typed reading of 'key' in 'map': 0 and '*value' untouched when the key is absent. */
int yaml_get_text(const struct yaml *doc, const struct yaml_node *map, const char *key,
		  const char **value, struct err *err);
int yaml_get_uint(const struct yaml *doc, const struct yaml_node *map, const char *key,
		  uint64_t min, uint64_t max, uint64_t *value, struct err *err);
int yaml_get_bool(const struct yaml *doc, const struct yaml_node *map, const char *key, bool *value,
		  struct err *err);
