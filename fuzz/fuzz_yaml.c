/* SPDX-License-Identifier: MIT */
/* Any bytes either become a tree that can be walked, or an error that is complete. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 loses a buffer when a long text in quotes turns out to be wrong; a leak of ours has
 * no libfyaml in its trace. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static void
check_message(const struct err *err)
{
	size_t len = strnlen(err->msg, sizeof(err->msg));

	check(err->class == ERR_USAGE);
	check(len > 0 && len < sizeof(err->msg) - 1);
	for (size_t i = 0; i < len; i++)
		check((unsigned char)err->msg[i] >= 0x20 || strchr("\t\n", err->msg[i]) != NULL);
}

static void
check_error_at(const struct yaml *doc, const struct yaml_node *node)
{
	struct err err = {0};

	check(yaml_error(doc, node, &err, "seen") < 0);
	check_message(&err);
	check(strstr(err.msg, ": error: seen\n") != NULL && strchr(err.msg, '^') != NULL);
}

static void
walk_map(const struct yaml *doc, const struct yaml_node *map)
{
	static const char *const keys[] = {"name", "kind", "cpus", "frame_size", NULL};
	const char *text = "";
	struct err err = {0};
	uint64_t n = 0;
	bool on = false;

	if (yaml_check_keys(doc, map, keys, &err) < 0)
		check_message(&err);
	for (size_t k = 0; keys[k] != NULL; k++) {
		if (yaml_get_uint(doc, map, keys[k], 1, 64, &n, &err) == 0)
			check(n <= 64);
		yaml_get_bool(doc, map, keys[k], &on, &err);
		yaml_get_text(doc, map, keys[k], &text, &err);
		check(text != NULL);
	}
}

/* Walks the tree, with errors told for the first few nodes only, since each reads the text. */
static void
walk(const struct yaml *doc, const struct yaml_node *node, int depth, unsigned *budget)
{
	size_t n = yaml_length(node);

	check(node != NULL && depth <= YAML_MAX_DEPTH);
	check(yaml_is_map(node) + yaml_is_list(node) + yaml_is_scalar(node) == 1);
	check(yaml_is_scalar(node) == (yaml_text(doc, node) != NULL));
	if (*budget > 0) {
		check_error_at(doc, node);
		--*budget;
	}
	if (yaml_is_map(node))
		walk_map(doc, node);
	for (size_t i = 0; i < n; i++) {
		if (yaml_is_map(node))
			check(yaml_key(doc, node, i) != NULL);
		walk(doc, yaml_is_map(node) ? yaml_value(node, i) : yaml_item(node, i), depth + 1,
		     budget);
	}
	check(yaml_item(node, n) == NULL && yaml_value(node, n) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	unsigned budget = 20;
	struct yaml *doc;

	if (yaml_parse(&doc, "fuzz.yaml", (const char *)data, size, &err) < 0) {
		check(doc == NULL);
		check_message(&err);
		return 0;
	}
	walk(doc, yaml_root(doc), 0, &budget);
	yaml_close(doc);
	return 0;
}
