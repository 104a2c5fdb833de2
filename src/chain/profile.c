/* SPDX-License-Identifier: MIT */
#include "profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "profile_parts.h"

#define MAX_TUNABLES 32

struct profile_stream *
profile_add(struct profile *p, const char *name, json_t *object)
{
	struct profile_stream *s;

	p->streams = xrealloc(p->streams, p->n_streams + 1, sizeof(*p->streams));
	s = &p->streams[p->n_streams++];
	*s = (struct profile_stream){
		.id = (uint32_t)p->n_streams, .name = xstrdup(name), .object = object};
	return s;
}

/* Bit 0: source address as in the frame; bits 1 and 2: destination, 1 as in the frame. */
json_t *
profile_object(const uint8_t *frame, size_t len, unsigned own_macs)
{
	char *binary = base64_encode(frame, len);
	json_t *o = json_pack("{s:i, s:i, s:b, s:b, s:b, s:f, s:i, s:i, s:{s:s, s:s}, s:{s:[]}, "
			      "s:{s:b}}",
			      "flags", (int)own_macs, "action_count", 0, "enabled", 1, "self_start",
			      1, "start_paused", 0, "isg", 0.0, "core_id", -1, "next_stream_id", -1,
			      "packet", "binary", binary, "meta", "", "vm", "instructions",
			      "flow_stats", "enabled", 0);

	free(binary);
	return o;
}

/* ---- tunables ---- */

static int
read_choices(const struct profile_reading *r, const struct yaml_node *list,
	     struct profile_tunable *t, struct err *err)
{
	if (list == NULL)
		return 0;
	if (!yaml_is_list(list))
		return yaml_error(r->doc, list, err, "'one_of' is a list of words");
	t->one_of = xcalloc(yaml_length(list) + 1, sizeof(*t->one_of));
	for (size_t i = 0; i < yaml_length(list); i++) {
		const char *text = yaml_text(r->doc, yaml_item(list, i));

		if (text == NULL)
			return yaml_error(r->doc, list, err, "'one_of' is a list of words");
		t->one_of[i] = xstrdup(text);
	}
	return 0;
}

static int
read_tunables(struct profile_reading *r, const struct yaml_node *map, struct err *err)
{
	static const char *const keys[] = {"default", "about", "one_of", NULL};
	struct profile *p = r->profile;
	int rc = 0;

	p->tunables = xcalloc(MAX_TUNABLES + 1, sizeof(*p->tunables));
	if (map == NULL)
		return 0;
	if (!yaml_is_map(map) || yaml_length(map) > MAX_TUNABLES)
		return yaml_error(r->doc, map, err, "'tunables' is a map of up to %d names",
				  MAX_TUNABLES);
	for (size_t i = 0; rc == 0 && i < yaml_length(map); i++) {
		const struct yaml_node *node = yaml_value(map, i);
		struct profile_tunable *t = &p->tunables[p->n_tunables++];

		t->name = xstrdup(yaml_key(r->doc, map, i));
		rc = profile_map(r, node, t->name, keys, err);
		t->value = xstrdup(yaml_text(r->doc, yaml_get(node, "default")));
		t->about = xstrdup(yaml_text(r->doc, yaml_get(node, "about")));
		if (rc == 0 && t->value == NULL)
			rc = yaml_error(r->doc, node, err, "a tunable has a 'default'");
		if (rc == 0)
			rc = read_choices(r, yaml_get(node, "one_of"), t, err);
	}
	return rc;
}

/* Appends the tunable that every profile has, unless it is there. */
static void
add_direction(struct profile *p)
{
	struct profile_tunable *t = &p->tunables[p->n_tunables];

	for (size_t i = 0; i < p->n_tunables; i++)
		if (strcmp(p->tunables[i].name, PROFILE_DIRECTION) == 0)
			return;
	p->n_tunables++;
	t->name = xstrdup(PROFILE_DIRECTION);
	t->value = xstrdup("0");
	t->about = xstrdup("1: the other way, as from odd ports");
	t->one_of = xcalloc(3, sizeof(*t->one_of));
	t->one_of[0] = xstrdup("0");
	t->one_of[1] = xstrdup("1");
	p->mirrors = true;
}

static bool
is_choice(const struct profile_tunable *t, const char *value)
{
	for (char **c = t->one_of; c != NULL && *c != NULL; c++)
		if (strcmp(*c, value) == 0)
			return true;
	return t->one_of == NULL;
}

static int
unknown_tunable(const struct profile *p, const char *setting, struct err *err)
{
	struct str names = {0};
	int rc;

	for (size_t i = 0; i < p->n_tunables; i++)
		str_addf(&names, "%s%s", i > 0 ? ", " : "", p->tunables[i].name);
	rc = err_usage(err, "'%s': this profile's tunables are %s", setting,
		       p->n_tunables > 0 ? str_text(&names) : "none");
	str_fini(&names);
	return rc;
}

/* "NAME=VALUE" */
static int
set_tunable(struct profile *p, const char *setting, struct err *err)
{
	const char *value = strchr(setting, '=');

	if (value == NULL)
		return err_usage(err, "'%s' is not NAME=VALUE", setting);
	for (size_t i = 0; i < p->n_tunables; i++) {
		struct profile_tunable *t = &p->tunables[i];

		if (strlen(t->name) != (size_t)(value - setting) ||
		    strncmp(t->name, setting, strlen(t->name)) != 0)
			continue;
		if (!is_choice(t, value + 1)) {
			struct str words = {0};

			for (char **c = t->one_of; *c != NULL; c++)
				str_addf(&words, "%s%s", c > t->one_of ? ", " : "", *c);
			err_usage(err, "'%s': %s is one of %s", setting, t->name, str_text(&words));
			str_fini(&words);
			return -EINVAL;
		}
		free(t->value);
		t->value = xstrdup(value + 1);
		return 0;
	}
	return unknown_tunable(p, setting, err);
}

/* ---- the document ---- */

/* Names in 'then' become the ids of streams. */
static int
link_streams(struct profile_reading *r, const struct yaml_node *list, struct err *err)
{
	struct profile *p = r->profile;

	for (size_t i = 0; i < yaml_length(list); i++) {
		const struct yaml_node *then = yaml_get(yaml_item(list, i), "then");
		const char *from = yaml_text(r->doc, yaml_get(yaml_item(list, i), "name"));
		const char *to = profile_text(r, then);
		struct profile_stream *source = NULL, *target = NULL;

		if (then == NULL)
			continue;
		for (size_t k = 0; to != NULL && k < p->n_streams; k++) {
			if (from != NULL && strcmp(p->streams[k].name, from) == 0)
				source = &p->streams[k];
			if (strcmp(p->streams[k].name, to) == 0)
				target = &p->streams[k];
		}
		if (from == NULL)
			return yaml_error(r->doc, then, err, "a stream with 'then' has a name");
		if (source == NULL) /* not taken */
			continue;
		if (target == NULL)
			return yaml_error(r->doc, then, err, "there is no stream '%s'",
					  to != NULL ? to : "");
		json_object_set_new(source->object, "next_stream_id", json_integer(target->id));
	}
	return 0;
}

static int
check_names(const struct profile_reading *r, const struct yaml_node *list, struct err *err)
{
	for (size_t i = 0; i < yaml_length(list); i++) {
		const char *name = yaml_text(r->doc, yaml_get(yaml_item(list, i), "name"));
		bool dummy = false;

		if (profile_only(r, yaml_item(list, i), &dummy, err) < 0)
			return -EINVAL;
		for (size_t k = 0; dummy && name != NULL && k < i; k++) {
			const char *other = yaml_text(r->doc, yaml_get(yaml_item(list, k), "name"));
			bool too = false;

			if (other == NULL || strcmp(other, name) != 0)
				continue;
			if (profile_only(r, yaml_item(list, k), &too, err) == 0 && too)
				return yaml_error(r->doc, yaml_get(yaml_item(list, i), "name"), err,
						  "there are two streams '%s'", name);
		}
	}
	return 0;
}

static int
read_document(struct profile_reading *r, const struct opt_list *settings, struct err *err)
{
	static const char *const keys[] = {"version", "about", "tunables", "streams", NULL};
	const struct yaml_node *root = yaml_root(r->doc), *list = yaml_get(root, "streams");
	uint64_t version = 0;
	int rc = profile_map(r, root, "profile", keys, err);

	if (rc == 0)
		rc = yaml_get_uint(r->doc, root, "version", 1, 1, &version, err);
	if (rc == 0 && version != 1)
		rc = yaml_error(r->doc, root, err, "a profile begins with 'version: 1'");
	if (rc == 0)
		rc = read_tunables(r, yaml_get(root, "tunables"), err);
	if (rc == 0)
		add_direction(r->profile);
	for (size_t i = 0; rc == 0 && settings != NULL && i < settings->n; i++)
		rc = set_tunable(r->profile, settings->items[i], err);
	if (rc == 0 && r->profile->mirrors)
		r->mirrored =
			strcmp(r->profile->tunables[r->profile->n_tunables - 1].value, "1") == 0;
	if (rc == 0 && (!yaml_is_list(list) || yaml_length(list) == 0))
		rc = yaml_error(r->doc, list != NULL ? list : root, err, "'streams' is a list");
	if (rc == 0)
		rc = check_names(r, list, err);
	r->profile->about = xstrdup(yaml_text(r->doc, yaml_get(root, "about")));
	for (size_t i = 0; rc == 0 && i < yaml_length(list); i++)
		rc = profile_stream(r, yaml_item(list, i), err);
	if (rc == 0)
		rc = link_streams(r, list, err);
	if (rc == 0 && r->profile->n_streams == 0)
		rc = yaml_error(r->doc, list, err, "no stream is left with these tunables");
	return rc;
}

static int
read_profile(struct profile **profile, const struct yaml *doc, const char *dir,
	     const struct opt_list *settings, struct err *err)
{
	struct profile_reading r = {.doc = doc, .dir = dir};
	int rc;

	r.profile = xcalloc(1, sizeof(*r.profile));
	rc = read_document(&r, settings, err);
	if (rc < 0) {
		profile_close(r.profile);
		return rc;
	}
	*profile = r.profile;
	return 0;
}

int
profile_parse(struct profile **profile, const char *name, const char *text, size_t len,
	      const char *dir, const struct opt_list *settings, struct err *err)
{
	struct yaml *doc = NULL;
	int rc = yaml_parse(&doc, name, text, len, err);

	*profile = NULL;
	if (rc == 0)
		rc = read_profile(profile, doc, dir, settings, err);
	yaml_close(doc);
	return rc;
}

int
profile_open(struct profile **profile, const char *path, const struct opt_list *settings,
	     struct err *err)
{
	const char *slash = strrchr(path, '/');
	struct yaml *doc = NULL;
	char *dir = slash != NULL ? xasprintf("%.*s", (int)(slash - path), path) : xstrdup(".");
	int rc = yaml_open(&doc, path, err);

	*profile = NULL;
	if (rc == 0)
		rc = read_profile(profile, doc, dir[0] != '\0' ? dir : "/", settings, err);
	yaml_close(doc);
	free(dir);
	return rc;
}

int
profile_open_for(struct profile **profile, const char *path, const struct opt_list *settings,
		 unsigned port, struct err *err)
{
	struct opt_list all = {0};
	int rc = opt_set_list(&all, port % 2 == 0 ? PROFILE_DIRECTION "=0" : PROFILE_DIRECTION "=1",
			      err);

	for (size_t i = 0; rc == 0 && i < settings->n; i++)
		rc = opt_set_list(&all, settings->items[i], err);
	*profile = NULL;
	if (rc == 0)
		rc = profile_open(profile, path, &all, err);
	opt_list_fini(&all);
	return rc;
}

static void
free_tunable(struct profile_tunable *t)
{
	for (char **c = t->one_of; c != NULL && *c != NULL; c++)
		free(*c);
	free(t->one_of);
	free(t->name);
	free(t->value);
	free(t->about);
}

void
profile_close(struct profile *profile)
{
	if (profile == NULL)
		return;
	for (size_t i = 0; i < profile->n_tunables; i++)
		free_tunable(&profile->tunables[i]);
	for (size_t i = 0; i < profile->n_streams; i++) {
		free(profile->streams[i].name);
		json_decref(profile->streams[i].object);
	}
	free(profile->tunables);
	free(profile->streams);
	free(profile->about);
	free(profile);
}
