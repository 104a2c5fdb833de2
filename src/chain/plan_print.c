/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"

#include "chain_rules.h"
#include "plan.h"
#include "plan_parts.h"

static const char *
kind_of(const struct plan_proc *proc, const struct chain *chain)
{
	return proc->hop < 0 ? chain_generator_kinds.words[chain->generator.kind]
			     : hop_kind_name(chain->hop[proc->hop].kind);
}

static const char *
engine_of(const struct plan_proc *proc, const struct chain *chain)
{
	if (proc->hop < 0 || chain->hop[proc->hop].kind != HOP_FWD)
		return "";
	return chain->hop[proc->hop].engine;
}

/* A process of several hops is in the table as each of them. */
static const char *
label_of(const struct plan_proc *proc, const struct chain *chain)
{
	return proc->hop < 0 ? proc->name : chain->hop[proc->hop].name;
}

static char *
cpus_text(const struct chain_cpus *cpus)
{
	struct str s = {0};

	for (size_t i = 0; i < cpus->n; i++)
		str_addf(&s, "%s%d", i > 0 ? "," : "", cpus->cpu[i]);
	return str_take(&s);
}

/* ---- for people ---- */

static void
add_drawing(struct str *out, const struct chain *chain)
{
	str_addf(out, chain_has_files(chain) ? "%s" : "gen:0", chain->link[0].file);
	for (size_t i = 0; i < chain->n_hops + 1; i++) {
		const char *end = chain_has_files(chain) ? chain->link[i].file : "gen:1";
		const char *next = i < chain->n_hops ? chain->hop[i].name : end;

		str_addf(out, " == %s ==> %s", link_kind_name(chain->link[i].kind), next);
	}
	str_addf(out, "\n");
}

static void
add_procs(struct str *out, const struct chain_plan *plan, const struct chain *chain)
{
	int width = (int)strlen("generator");

	for (size_t i = 0; i < plan->n_procs; i++)
		if ((int)strlen(label_of(&plan->proc[i], chain)) > width)
			width = (int)strlen(label_of(&plan->proc[i], chain));
	str_addf(out, "\n%-*s  %-12s  %-8s  %-8s  %s\n", width, "name", "kind", "engine", "CPUs",
		 "lcores");
	for (size_t i = chain_has_files(chain); i < plan->n_procs; i++) {
		const struct plan_proc *proc = &plan->proc[i];
		char *cpus = cpus_text(plan_own_cpus(proc)),
		     *lcores = plan_lcores(plan, chain, proc->hop);

		str_addf(out, "%-*s  %-12s  %-8s  %-8s  %s\n", width, label_of(proc, chain),
			 kind_of(proc, chain), engine_of(proc, chain), cpus, lcores);
		free(cpus);
		free(lcores);
	}
}

void
plan_add_quoted(struct str *out, const char *word)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "@%+=:,./_-";

	if (word[0] != '\0' && strspn(word, safe) == strlen(word)) {
		str_addf(out, "%s", word);
		return;
	}
	str_addn(out, "'", 1);
	for (; *word != '\0'; word++)
		if (*word == '\'')
			str_addf(out, "'\\''");
		else
			str_addn(out, word, 1);
	str_addn(out, "'", 1);
}

static void
add_command(struct str *out, const struct plan_proc *proc)
{
	for (size_t i = 0; i < proc->n_env; i++) {
		size_t len = strcspn(proc->env[i], "=") + 1;

		/* Quotes around the name too would make it a command. */
		str_addn(out, proc->env[i], len);
		plan_add_quoted(out, proc->env[i] + len);
		str_addn(out, " ", 1);
	}
	for (size_t i = 0; i < proc->argc; i++) {
		str_addf(out, "%s", i > 0 ? " " : "");
		plan_add_quoted(out, proc->argv[i]);
	}
	str_addn(out, "\n", 1);
}

static void
add_commands(struct str *out, const struct chain_plan *plan)
{
	/* EAL wants its run directory to be there. */
	str_addf(out, "\nmkdir -p -m 700");
	for (size_t i = 0; i < plan->n_procs; i++) {
		if (plan->proc[i].rt_dir == NULL || plan->proc[i].elsewhere ||
		    plan_proc_is_fused(&plan->proc[i]))
			continue;
		str_addn(out, " ", 1);
		plan_add_quoted(out, plan->proc[i].rt_dir);
	}
	str_addn(out, "\n", 1);
	for (size_t i = 0; i < plan->n_procs; i++) {
		if (plan->proc[i].elsewhere || plan->proc[i].kernels ||
		    plan_proc_is_fused(&plan->proc[i]))
			continue;
		if (plan->proc[i].in_vm)
			str_addf(out, "# in the VM %s:\n", plan->proc[i].name);
		if (plan->proc[i].file_text != NULL)
			str_addf(out, "cat > %s <<'.'\n%s.\n", plan->proc[i].file_path,
				 plan->proc[i].file_text);
		add_command(out, &plan->proc[i]);
	}
}

char *
chain_plan_print(const struct chain_plan *plan, const struct chain *chain)
{
	struct str out = {0};

	add_drawing(&out, chain);
	add_procs(&out, plan, chain);
	plan_print_links(&out, plan, chain);
	plan_print_rows(&out, plan, chain);
	plan_print_vms(&out, plan);
	for (size_t i = 0; plan->warnings[i] != NULL; i++)
		str_addf(&out, "%swarning: %s\n", i == 0 ? "\n" : "", plan->warnings[i]);
	if (plan->verbose) {
		add_commands(&out, plan);
		plan_print_vm_texts(&out, plan);
	}
	return str_take(&out);
}

/* ---- for programs ---- */

static json_t *
text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *
texts_to_json(char *const *texts, size_t max)
{
	json_t *list = json_array();

	for (size_t i = 0; i < max && texts[i] != NULL; i++)
		json_array_append_new(list, json_string(texts[i]));
	return list;
}

static json_t *
macs_to_json(const uint8_t macs[2][6])
{
	json_t *list = json_array();
	char text[18];

	for (int port = 0; port < 2; port++)
		json_array_append_new(list, json_string(mac_print(text, sizeof(text), macs[port])));
	return list;
}

static json_t *
proc_to_json(const struct chain_plan *plan, const struct chain *chain, size_t index)
{
	const struct plan_proc *proc = &plan->proc[index];
	char *lcores = plan_lcores(plan, chain, proc->hop);
	json_t *json = json_object(), *cpus = json_array();

	for (size_t i = 0; i < plan_own_cpus(proc)->n; i++)
		json_array_append_new(cpus, json_integer(plan_own_cpus(proc)->cpu[i]));
	json_object_set_new(json, "name", json_string(label_of(proc, chain)));
	json_object_set_new(json, "process",
			    json_string(plan->proc[plan_runner(plan, index)].name));
	json_object_set_new(json, "kind", json_string(kind_of(proc, chain)));
	json_object_set_new(json, "cpus", cpus);
	json_object_set_new(json, "lcores", json_string(lcores));
	json_object_set_new(json, "shares_cpu",
			    json_boolean(plan_shares_cpu(plan, chain, proc->hop)));
	json_object_set_new(json, "addresses",
			    macs_to_json(proc->hop < 0 ? plan->gen_mac : plan->hop_mac[proc->hop]));
	json_object_set_new(json, "argv", texts_to_json(proc->argv, PLAN_MAX_ARGV));
	json_object_set_new(json, "env", texts_to_json(proc->env, N_ELEMS(proc->env)));
	json_object_set_new(json, "log", text_or_null(proc->log_path));
	json_object_set_new(json, "control", text_or_null(proc->control_path));
	json_object_set_new(json, "telemetry", text_or_null(proc->telemetry_path));
	json_object_set_new(json, "listens", texts_to_json(proc->listens, N_ELEMS(proc->listens)));
	free(lcores);
	return json;
}

json_t *
chain_plan_to_json(const struct chain_plan *plan, const struct chain *chain)
{
	json_t *json = json_object(), *procs = json_array();

	for (size_t i = chain_has_files(chain); i < plan->n_procs; i++)
		json_array_append_new(procs, proc_to_json(plan, chain, i));
	json_object_set_new(json, "chain", json_string(chain->name));
	json_object_set_new(json, "rpc", text_or_null(plan->rpc_endpoint));
	json_object_set_new(json, "pub", text_or_null(plan->pub_endpoint));
	json_object_set_new(json, "max_frame_bytes", json_integer(plan->max_frame));
	json_object_set_new(json, "shared_cpus", json_boolean(plan->shared_cpus));
	json_object_set_new(json, "links", plan_links_to_json(plan, chain));
	json_object_set_new(json, "processes", procs);
	plan_vms_to_json(json, plan);
	json_object_set_new(json, "warnings",
			    texts_to_json(plan->warnings, N_ELEMS(plan->warnings)));
	return json;
}
