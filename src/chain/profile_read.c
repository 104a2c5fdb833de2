/* SPDX-License-Identifier: MIT */
/* Values of a profile, with its tunables put in. */
#include "profile_parts.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"

static const struct profile_tunable *
find_tunable(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->n_tunables; i++)
		if (strcmp(p->tunables[i].name, name) == 0)
			return &p->tunables[i];
	return NULL;
}

const char *
profile_text(const struct profile_reading *r, const struct yaml_node *node)
{
	const char *text = yaml_text(r->doc, node);
	const struct profile_tunable *t;

	if (text == NULL || text[0] != '$')
		return text;
	t = find_tunable(r->profile, text + 1);
	return t != NULL ? t->value : text;
}

/* Whether the tunable has one of the values of 'node', a value or a list of them; "!x" is any but
 * x. */
static bool
has_value(const struct profile_reading *r, const struct profile_tunable *t,
	  const struct yaml_node *node)
{
	const char *text = yaml_text(r->doc, node);

	for (size_t i = 0; yaml_is_list(node) && i < yaml_length(node); i++)
		if (has_value(r, t, yaml_item(node, i)))
			return true;
	if (text != NULL && text[0] == '!')
		return strcmp(text + 1, t->value) != 0;
	return text != NULL && strcmp(text, t->value) == 0;
}

int
profile_only(const struct profile_reading *r, const struct yaml_node *map, bool *taken,
	     struct err *err)
{
	const struct yaml_node *only = yaml_get(map, "only");

	*taken = true;
	if (only == NULL)
		return 0;
	if (!yaml_is_map(only))
		return yaml_error(r->doc, only, err, "'only' is a map of tunables");
	for (size_t i = 0; i < yaml_length(only); i++) {
		const char *name = yaml_key(r->doc, only, i);
		const struct profile_tunable *t = find_tunable(r->profile, name);

		if (t == NULL)
			return yaml_error(r->doc, yaml_value(only, i), err,
					  "there is no tunable '%s'", name);
		*taken &= has_value(r, t, yaml_value(only, i));
	}
	return 0;
}

/* The text of 'key', which must be one, or {value: TEXT, only: ...}; NULL with 0 when it is absent
 * or not taken. */
static int
text_of(const struct profile_reading *r, const struct yaml_node *map, const char *key,
	const char **text, struct err *err)
{
	static const char *const keys[] = {"value", "only", NULL};
	const struct yaml_node *node = yaml_get(map, key);
	bool taken = true;
	int rc;

	*text = NULL;
	if (yaml_is_map(node)) {
		rc = yaml_check_keys(r->doc, node, keys, err);
		if (rc == 0)
			rc = profile_only(r, node, &taken, err);
		if (rc < 0 || !taken)
			return rc;
		node = yaml_get(node, "value") != NULL ? yaml_get(node, "value") : node;
	}
	if (node == NULL)
		return 0;
	*text = profile_text(r, node);
	if (*text == NULL)
		return yaml_error(r->doc, node, err, "'%s' must be one value", key);
	if ((*text)[0] == '$')
		return yaml_error(r->doc, node, err, "there is no tunable '%s'", *text + 1);
	return 0;
}

int
profile_word(const struct profile_reading *r, const struct yaml_node *map, const char *key,
	     const char **value, struct err *err)
{
	const char *text;
	int rc = text_of(r, map, key, &text, err);

	if (rc == 0 && text != NULL)
		*value = text;
	return rc;
}

int
profile_uint(const struct profile_reading *r, const struct yaml_node *map, const char *key,
	     uint64_t min, uint64_t max, uint64_t *value, struct err *err)
{
	struct err why = {0};
	const char *text;
	int rc = text_of(r, map, key, &text, err);

	if (rc < 0 || text == NULL)
		return rc;
	if (uint_parse(text, min, max, value, &why) < 0)
		return yaml_error(r->doc, yaml_get(map, key), err, "%s: %s", key, why.msg);
	return 0;
}

int
profile_flag(const struct profile_reading *r, const struct yaml_node *map, const char *key,
	     bool *value, struct err *err)
{
	static const char *const words[] = {"false", "true", "no", "yes"};
	const char *text;
	int rc = text_of(r, map, key, &text, err);

	if (rc < 0 || text == NULL)
		return rc;
	for (size_t i = 0; i < N_ELEMS(words); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*value = i % 2 == 1;
			return 0;
		}
	}
	return yaml_error(r->doc, yaml_get(map, key), err, "'%s' must be true or false", key);
}

int
profile_time_us(const struct profile_reading *r, const struct yaml_node *map, const char *key,
		double *us, struct err *err)
{
	struct err why = {0};
	const char *text;
	uint64_t ns;
	int rc = text_of(r, map, key, &text, err);

	if (rc < 0 || text == NULL)
		return rc;
	if (duration_parse(text, &ns, &why) < 0)
		return yaml_error(r->doc, yaml_get(map, key), err, "%s: %s", key, why.msg);
	*us = (double)ns / 1000;
	return 0;
}

int
profile_value(const struct profile_reading *r, const struct yaml_node *node, uint64_t *value,
	      struct err *err)
{
	const char *text = profile_text(r, node);
	struct in_addr address;
	struct err why = {0};

	if (text == NULL)
		return yaml_error(r->doc, node, err, "a number or an IPv4 address is wanted");
	if (strchr(text, '.') != NULL && inet_pton(AF_INET, text, &address) == 1) {
		*value = ntohl(address.s_addr);
		return 0;
	}
	if (strncmp(text, "0x", 2) == 0) {
		char *end = NULL;

		*value = strtoull(text, &end, 16);
		if (*end == '\0' && end > text + 2 && strlen(text) <= 18)
			return 0;
	}
	if (uint_parse(text, 0, UINT64_MAX, value, &why) < 0)
		return yaml_error(r->doc, node, err, "'%s' is no number and no IPv4 address", text);
	return 0;
}

int
profile_map(const struct profile_reading *r, const struct yaml_node *node, const char *what,
	    const char *const *keys, struct err *err)
{
	if (!yaml_is_map(node))
		return yaml_error(r->doc, node, err, "'%s' must be a map", what);
	return yaml_check_keys(r->doc, node, keys, err);
}
