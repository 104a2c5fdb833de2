/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "agent.h"
#include "base/json.h"
#include "base/mem.h"

/* "hello": what this guest is, read anew each time. */

/* A number from /proc/meminfo; -1 when it is not there. */
static json_int_t
meminfo(const char *proc, const char *key)
{
	char *path = xasprintf("%s/meminfo", proc), line[128];
	FILE *in = fopen(path, "re");
	json_int_t value = -1;
	size_t len = strlen(key);

	while (in != NULL && value < 0 && fgets(line, sizeof(line), in) != NULL)
		if (strncmp(line, key, len) == 0 && line[len] == ':')
			value = strtoll(line + len + 1, NULL, 10);
	if (in != NULL)
		fclose(in);
	free(path);
	return value;
}

/* How many hugepages the kernel was asked for on its command line; 0 when it says nothing. */
static json_int_t
wanted_hugepages(const char *proc)
{
	char *path = xasprintf("%s/cmdline", proc), line[4096] = "", *save = NULL;
	FILE *in = fopen(path, "re");
	json_int_t n = 0;

	if (in != NULL && fgets(line, sizeof(line), in) == NULL)
		line[0] = '\0';
	if (in != NULL)
		fclose(in);
	free(path);
	for (char *word = strtok_r(line, " \n", &save); word != NULL;
	     word = strtok_r(NULL, " \n", &save))
		if (strncmp(word, "hugepages=", strlen("hugepages=")) == 0)
			n += strtoll(word + strlen("hugepages="), NULL, 10);
	return n;
}

static json_t *
hugepages(const char *proc)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "wanted", wanted_hugepages(proc), "total",
			 meminfo(proc, "HugePages_Total"), "free", meminfo(proc, "HugePages_Free"),
			 "size_kb", meminfo(proc, "Hugepagesize"));
}

/* What the builder of the image wrote down; {} outside an image. */
static json_t *
image_facts(const char *path)
{
	struct err err = {0};
	json_t *facts;

	if (json_load_path(&facts, path, &err) == 0 && json_is_object(facts))
		return facts;
	json_decref(facts);
	return json_object();
}

int
call_hello(const struct call *call, const json_t *params, struct err *err)
{
	struct agent *a = call->agent;
	json_t *image = image_facts(a->conf.image);
	const json_t *dpdk = json_object_get(image, "dpdk");
	struct utsname kernel = {0};
	json_t *programs = json_array();

	(void)params;
	(void)err;
	uname(&kernel);
	for (size_t i = 0; i < a->programs.n; i++)
		json_array_append_new(programs, programs_json(&a->programs, i));
	call_answer(
		call,
		json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "protocol", AGENT_PROTOCOL,
			  "version", NFVCHAIN_VERSION, "kernel", kernel.release, "dpdk",
			  json_is_string(dpdk) ? json_string(json_string_value(dpdk)) : json_null(),
			  "hugepages", hugepages(a->conf.proc), "nics", nics_list(&a->nics),
			  "programs", programs, "image", image));
	return 0;
}
