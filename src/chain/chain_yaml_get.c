/* SPDX-License-Identifier: MIT */
#include "chain_yaml_get.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"

int
chain_yaml_refuse(const struct yaml *doc, const struct yaml_node *map, const char *key,
		  const struct err *why, struct err *err)
{
	const struct yaml_node *node = yaml_get(map, key);

	return yaml_error(doc, node != NULL ? node : map, err, "%s", why->msg);
}

int
chain_yaml_check_map(const struct yaml *doc, const struct yaml_node *node, const char *what,
		     const char *const *keys, struct err *err)
{
	if (!yaml_is_map(node))
		return yaml_error(doc, node, err, "'%s' must be a map", what);
	return yaml_check_keys(doc, node, keys, err);
}

int
chain_yaml_text(const struct yaml *doc, const struct yaml_node *map, const char *key, char **field,
		struct err *err)
{
	const char *text = NULL;
	int rc = yaml_get_text(doc, map, key, &text, err);

	if (rc < 0 || text == NULL)
		return rc;
	free(*field);
	*field = xstrdup(text);
	return 0;
}

int
chain_yaml_unsigned(const struct yaml *doc, const struct yaml_node *map, const char *key,
		    unsigned max, unsigned *field, struct err *err)
{
	uint64_t value = *field;
	int rc = yaml_get_uint(doc, map, key, 0, max, &value, err);

	if (rc == 0)
		*field = (unsigned)value;
	return rc;
}

int
chain_yaml_parsed(const struct yaml *doc, const struct yaml_node *map, const char *key,
		  int (*parse)(const char *text, void *field, struct err *err), void *field,
		  bool *seen, struct err *err)
{
	const char *text = NULL;
	struct err why = {0};
	int rc = yaml_get_text(doc, map, key, &text, err);

	*seen = rc == 0 && text != NULL;
	if (*seen && parse(text, field, &why) < 0)
		rc = chain_yaml_refuse(doc, map, key, &why, err);
	return rc;
}

int
chain_yaml_word(const struct yaml *doc, const struct yaml_node *map, const char *key,
		const struct chain_words *words, size_t *i, struct err *err)
{
	const char *text = NULL;
	struct err why = {0};
	int rc = yaml_get_text(doc, map, key, &text, err);

	if (rc == 0 && text != NULL && chain_word_parse(words, text, i, &why) < 0)
		rc = chain_yaml_refuse(doc, map, key, &why, err);
	return rc;
}

/* ---- lists ---- */

static int
add_cpus(const struct yaml *doc, const struct yaml_node *node, struct chain_cpus *cpus,
	 uint64_t first, uint64_t last, struct err *err)
{
	for (uint64_t cpu = first; cpu <= last; cpu++) {
		if (cpus->n == CHAIN_MAX_CPUS)
			return yaml_error(doc, node, err, "more than %d CPUs", CHAIN_MAX_CPUS);
		cpus->cpu[cpus->n++] = (int)cpu;
	}
	return 0;
}

/* "1", "0-3" or "0,2-3". */
static int
read_cpu_text(const struct yaml *doc, const struct yaml_node *node, struct chain_cpus *cpus,
	      struct err *err)
{
	char *copy = xstrdup(yaml_text(doc, node)), *rest = copy;
	bool good = true;
	int rc = 0;

	while (good && rc == 0 && rest != NULL) {
		char *part = strsep(&rest, ","), *high = strchr(part, '-');
		uint64_t first = 0, last = 0;

		if (high != NULL)
			*high++ = '\0';
		good = uint_parse(part, 0, CHAIN_MAX_CPU, &first, NULL) == 0 &&
		       uint_parse(high != NULL ? high : part, first, CHAIN_MAX_CPU, &last, NULL) ==
			       0;
		if (good)
			rc = add_cpus(doc, node, cpus, first, last, err);
	}
	free(copy);
	return good ? rc
		    : yaml_error(doc, node, err,
				 "'%.100s' is no list of CPUs from 0 to %d (try [0, 1] or \"0-1\")",
				 yaml_text(doc, node), CHAIN_MAX_CPU);
}

int
chain_yaml_cpus(const struct yaml *doc, const struct yaml_node *map, struct chain_cpus *cpus,
		struct err *err)
{
	const struct yaml_node *node = yaml_get(map, "cpus");
	int rc = 0;

	if (node == NULL)
		return 0;
	if (yaml_is_scalar(node) && !yaml_is_null(node))
		return read_cpu_text(doc, node, cpus, err);
	if (!yaml_is_list(node) || yaml_length(node) == 0)
		return yaml_error(doc, node, err,
				  "'cpus' must be a list such as [0, 1] or \"0-1\"");
	for (size_t i = 0; rc == 0 && i < yaml_length(node); i++) {
		const struct yaml_node *item = yaml_item(node, i);

		if (!yaml_is_scalar(item))
			return yaml_error(doc, item, err, "a CPU must be a number");
		rc = read_cpu_text(doc, item, cpus, err);
	}
	return rc;
}

int
chain_yaml_texts(const struct yaml *doc, const struct yaml_node *map, const char *key,
		 char *texts[CHAIN_MAX_WORDS], size_t *n, struct err *err)
{
	const struct yaml_node *node = yaml_get(map, key);

	if (node == NULL)
		return 0;
	if (!yaml_is_list(node))
		return yaml_error(doc, node, err, "'%s' must be a list of texts", key);
	for (size_t i = 0; i < yaml_length(node); i++) {
		const struct yaml_node *item = yaml_item(node, i);

		if (!yaml_is_scalar(item) || yaml_is_null(item))
			return yaml_error(doc, item, err, "'%s' must be a list of texts", key);
		if (*n == CHAIN_MAX_WORDS)
			return yaml_error(doc, item, err, "'%s' has more than %d entries", key,
					  CHAIN_MAX_WORDS);
		texts[(*n)++] = xstrdup(yaml_text(doc, item));
	}
	return 0;
}
