/* SPDX-License-Identifier: MIT */
/* What was found, for people and for programs. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#include "census.h"

bool
census_has_things(const struct census_chain *ch)
{
	return ch->has_dir || ch->n_processes > 0 || ch->n_vms > 0 || ch->devices.n > 0 ||
	       ch->namespaces.n > 0 || ch->hugepages.n > 0;
}

/* What stands between one thing and the next. */
static const char *
comma(const struct str *s)
{
	return s->len > 0 ? ", " : "";
}

static void
add_processes(struct str *s, const struct census_chain *ch)
{
	if (ch->n_processes == 0)
		return;
	str_addf(s, "%zu process%s (", ch->n_processes, ch->n_processes == 1 ? "" : "es");
	for (size_t i = 0; i < ch->n_processes; i++)
		str_addf(s, "%s%s", i > 0 ? ", " : "", ch->process[i].name);
	str_addf(s, ")");
}

static void
add_names(struct str *s, const char *what, const struct device_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		str_addf(s, "%s%s %s", comma(s), what, list->name[i]);
}

char *
census_print_things(const struct census_chain *ch)
{
	struct str s = {0};

	add_processes(&s, ch);
	for (size_t i = 0; i < ch->n_vms; i++)
		str_addf(&s, "%s%s %s", comma(&s), ch->vm[i].is_network ? "network" : "domain",
			 ch->vm[i].name);
	add_names(&s, "device", &ch->devices);
	add_names(&s, "namespace", &ch->namespaces);
	add_names(&s, "hugepages", &ch->hugepages);
	if (ch->has_dir)
		str_addf(&s, "%s%s", comma(&s), ch->run_dir);
	return s.len > 0 ? str_take(&s) : xstrdup("nothing");
}

static json_t *
names_to_json(const struct device_list *list)
{
	json_t *json = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(json, json_string(list->name[i]));
	return json;
}

static json_t *
vms_to_json(const struct census_chain *ch, bool networks)
{
	json_t *json = json_array();

	for (size_t i = 0; i < ch->n_vms; i++)
		if (ch->vm[i].is_network == networks)
			json_array_append_new(json, json_string(ch->vm[i].name));
	return json;
}

static json_t *
processes_to_json(const struct census_chain *ch)
{
	json_t *json = json_array();

	for (size_t i = 0; i < ch->n_processes; i++)
		json_array_append_new(json,
				      json_pack("{s:s, s:i, s:s}", "name", ch->process[i].name,
						"pid", (int)ch->process[i].pid, "program",
						ch->process[i].program));
	return json;
}

/* Unknown is null. */
static json_t *
one_to_json(const struct census_chain *ch)
{
	json_t *json = json_object();
	bool is_up = ch->owner > 0;

	json_object_set_new(json, "name", json_string(ch->name));
	json_object_set_new(json, "state", json_string(is_up ? "up" : "left"));
	json_object_set_new(json, "pid", is_up ? json_integer(ch->owner) : json_null());
	json_object_set_new(json, "command",
			    ch->command != NULL ? json_string(ch->command) : json_null());
	json_object_set_new(json, "up_s", is_up ? json_number(ch->up_s) : json_null());
	json_object_set_new(json, "run_dir",
			    ch->run_dir[0] != '\0' ? json_string(ch->run_dir) : json_null());
	json_object_set_new(json, "run_dir_exists", json_boolean(ch->has_dir));
	json_object_set_new(json, "processes", processes_to_json(ch));
	json_object_set_new(json, "domains", vms_to_json(ch, false));
	json_object_set_new(json, "networks", vms_to_json(ch, true));
	json_object_set_new(json, "devices", names_to_json(&ch->devices));
	json_object_set_new(json, "namespaces", names_to_json(&ch->namespaces));
	json_object_set_new(json, "hugepages", names_to_json(&ch->hugepages));
	return json;
}

json_t *
census_to_json(const struct census *c)
{
	json_t *chains = json_array();

	for (size_t i = 0; i < c->n; i++)
		json_array_append_new(chains, one_to_json(&c->chain[i]));
	return json_pack("{s:i, s:o}", "schema_version", 1, "chains", chains);
}
