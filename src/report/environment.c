/* SPDX-License-Identifier: MIT */
#include "environment.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* Files of /proc and /sys are small; this bounds what a strange one can cost. */
#define MAX_FILE (1u << 20)

/* ---- files ---- */

char *
environment_read(const char *root, const char *path)
{
	char *name = xasprintf("%s%s", root, path);
	FILE *in = fopen(name, "re");
	struct str text = {0};
	char chunk[4096];
	size_t n;

	free(name);
	if (in == NULL)
		return NULL;
	/* Their size is told as 0, so they are read to the end. */
	while (text.len < MAX_FILE && (n = fread(chunk, 1, sizeof(chunk), in)) > 0)
		str_addn(&text, chunk, n);
	n = ferror(in) ? 1 : 0;
	fclose(in);
	if (n > 0) {
		str_fini(&text);
		return NULL;
	}
	while (text.len > 0 && text.text[text.len - 1] == '\n')
		text.text[--text.len] = '\0';
	return str_take(&text);
}

char *
environment_field(const char *root, const char *path, const char *name)
{
	char *text = environment_read(root, path), *value = NULL;
	size_t len = strlen(name);

	for (char *line = text; line != NULL && value == NULL;) {
		char *end = strchrnul(line, '\n');
		char *next = *end != '\0' ? end + 1 : NULL;

		*end = '\0';
		/* "model name\t: AMD" and "MemTotal:  1 kB" */
		if (strncmp(line, name, len) == 0) {
			char *after = line + len + strspn(line + len, " \t");

			if (*after == ':')
				value = xstrdup(after + 1 + strspn(after + 1, " \t"));
		}
		line = next;
	}
	free(text);
	return value;
}

/* JSON of a text that is then freed; NULL and what is no UTF-8 become null. */
static json_t *
take_text(char *text)
{
	json_t *json = text != NULL ? json_string(text) : NULL;

	free(text);
	return json != NULL ? json : json_null();
}

static json_t *
text_of(const char *root, const char *path)
{
	return take_text(environment_read(root, path));
}

/* The number that a file or a field begins with, times 'factor'; frees the text. */
static json_t *
take_number(char *text, uint64_t factor)
{
	char *end;
	uint64_t value;
	json_t *json;

	if (text == NULL || !isdigit((unsigned char)text[0])) {
		free(text);
		return json_null();
	}
	errno = 0;
	value = strtoull(text, &end, 10);
	json = errno == 0 && value <= UINT64_MAX / factor ? json_u64(value * factor) : json_null();
	free(text);
	return json;
}

/* ---- facts ---- */

static json_t *
smt(const char *root)
{
	char *text = environment_read(root, "/sys/devices/system/cpu/smt/active");
	json_t *json = text != NULL ? json_boolean(text[0] == '1') : json_null();

	free(text);
	return json;
}

/* Length of a list such as "0-3,8". */
static uint64_t
list_length(const char *list)
{
	uint64_t n = 0;

	while (isdigit((unsigned char)*list)) {
		char *end;
		uint64_t low = strtoull(list, &end, 10), high = low;

		if (*end == '-')
			high = strtoull(end + 1, &end, 10);
		n += high >= low ? high - low + 1 : 0;
		list = *end == ',' ? end + 1 : end;
	}
	return n;
}

static json_t *
numa_nodes(const char *root)
{
	char *text = environment_read(root, "/sys/devices/system/node/online");
	uint64_t n = text != NULL ? list_length(text) : 0;

	free(text);
	return n > 0 ? json_u64(n) : json_null();
}

static json_t *
hugepages_of(const char *root, unsigned long long kb)
{
	static const char *const files[] = {"nr_hugepages", "free_hugepages"};
	static const char *const keys[] = {"total", "free"};
	json_t *one = json_object();

	json_object_set_new(one, "size_bytes", json_u64(kb * 1024));
	for (size_t i = 0; i < N_ELEMS(files); i++) {
		char *path =
			xasprintf("/sys/kernel/mm/hugepages/hugepages-%llukB/%s", kb, files[i]);

		json_object_set_new(one, keys[i], take_number(environment_read(root, path), 1));
		free(path);
	}
	return one;
}

static int
open_dir(const char *root, const char *path, struct dirent ***entries)
{
	char *name = xasprintf("%s%s", root, path);
	int n = scandir(name, entries, NULL, versionsort);

	free(name);
	return n;
}

static json_t *
hugepages(const char *root)
{
	struct dirent **entries;
	int n = open_dir(root, "/sys/kernel/mm/hugepages", &entries);
	json_t *list;

	if (n < 0)
		return json_null();
	list = json_array();
	for (int i = 0; i < n; i++) {
		unsigned long long kb;

		if (sscanf(entries[i]->d_name, "hugepages-%llukB", &kb) == 1)
			json_array_append_new(list, hugepages_of(root, kb));
		free(entries[i]);
	}
	free(entries);
	return list;
}

static json_t *
mitigations(const char *root)
{
	static const char dir[] = "/sys/devices/system/cpu/vulnerabilities";
	struct dirent **entries;
	int n = open_dir(root, dir, &entries);
	json_t *all;

	if (n < 0)
		return json_null();
	all = json_object();
	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", dir, entries[i]->d_name);

		if (entries[i]->d_name[0] != '.')
			json_object_set_new(all, entries[i]->d_name, text_of(root, path));
		free(path);
		free(entries[i]);
	}
	free(entries);
	return all;
}

/* A name if the machine tells one, "none" where the CPU says that it is real. */
static json_t *
hypervisor(const char *root)
{
	char *flags, *name = environment_read(root, "/sys/hypervisor/type");
	bool is_virtual;

	if (name != NULL)
		return take_text(name);
	flags = environment_field(root, "/proc/cpuinfo", "flags");
	if (flags == NULL)
		return json_null();
	is_virtual = strstr(flags, " hypervisor") != NULL;
	free(flags);
	if (!is_virtual)
		return json_string("none");
	name = environment_read(root, "/sys/class/dmi/id/sys_vendor");
	return take_text(name != NULL && name[0] != '\0' ? name : xstrdup("not named"));
}

/* What a governor does to one CPU concerns all; the first stands for them. */
static json_t *
governor(const char *root)
{
	return text_of(root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
}

static json_t *
load_1min(const char *root)
{
	char *text = environment_read(root, "/proc/loadavg");
	double load;
	json_t *json;

	json = text != NULL && sscanf(text, "%lf", &load) == 1 ? json_number(load) : json_null();
	free(text);
	return json;
}

/* Name of the effective user by the machine's own list, else the number. */
static json_t *
user(const char *root)
{
	char *uids = environment_field(root, "/proc/self/status", "Uid");
	char *passwd = environment_read(root, "/etc/passwd");
	unsigned uid, other;
	json_t *json = NULL;
	char *save = NULL;

	if (uids == NULL || sscanf(uids, "%*u %u", &uid) != 1) {
		free(uids);
		free(passwd);
		return json_null();
	}
	for (char *line = passwd != NULL ? strtok_r(passwd, "\n", &save) : NULL;
	     line != NULL && json == NULL; line = strtok_r(NULL, "\n", &save)) {
		size_t len = strcspn(line, ":");

		if (sscanf(line + len, ":%*[^:]:%u:", &other) == 1 && other == uid)
			json = json_stringn(line, len);
	}
	free(passwd);
	free(uids);
	return json != NULL ? json : json_sprintf("%u", uid);
}

static json_t *
capabilities(const char *root)
{
	char *text = environment_field(root, "/proc/self/status", "CapEff");
	json_t *json = json_null();

	if (text != NULL && isxdigit((unsigned char)text[0]))
		json = json_sprintf("0x%" PRIx64, (uint64_t)strtoull(text, NULL, 16));
	free(text);
	return json;
}

/* Kind of the container we are in, as far as one says so; null means that none did. */
static json_t *
container(const char *root)
{
	static const struct {
		const char *path;
		const char *kind;
	} marks[] = {{"/.dockerenv", "docker"}, {"/run/.containerenv", "podman"}};
	char *name = environment_read(root, "/run/systemd/container");

	for (size_t i = 0; name == NULL && i < N_ELEMS(marks); i++) {
		char *text = environment_read(root, marks[i].path);

		if (text != NULL)
			name = xstrdup(marks[i].kind);
		free(text);
	}
	return take_text(name);
}

json_t *
environment_capture_at(const char *root, const char *dpdk_version)
{
	json_t *e = json_object();

	json_object_set_new(e, "cpu_model",
			    take_text(environment_field(root, "/proc/cpuinfo", "model name")));
	json_object_set_new(e, "cpus_online", text_of(root, "/sys/devices/system/cpu/online"));
	json_object_set_new(
		e, "cpus_allowed",
		take_text(environment_field(root, "/proc/self/status", "Cpus_allowed_list")));
	json_object_set_new(e, "smt", smt(root));
	json_object_set_new(e, "numa_nodes", numa_nodes(root));
	json_object_set_new(
		e, "memory_bytes",
		take_number(environment_field(root, "/proc/meminfo", "MemTotal"), 1024));
	json_object_set_new(e, "hugepages", hugepages(root));
	json_object_set_new(e, "kernel", text_of(root, "/proc/sys/kernel/osrelease"));
	json_object_set_new(e, "mitigations", mitigations(root));
	json_object_set_new(e, "hypervisor", hypervisor(root));
	json_object_set_new(
		e, "clocksource",
		text_of(root, "/sys/devices/system/clocksource/clocksource0/current_clocksource"));
	json_object_set_new(e, "governor", governor(root));
	json_object_set_new(e, "thp", text_of(root, "/sys/kernel/mm/transparent_hugepage/enabled"));
	json_object_set_new(e, "isolated_cpus", text_of(root, "/sys/devices/system/cpu/isolated"));
	json_object_set_new(e, "load_1min", load_1min(root));
	json_object_set_new(e, "dpdk_version",
			    dpdk_version != NULL ? json_string(dpdk_version) : json_null());
	json_object_set_new(e, "user", user(root));
	json_object_set_new(e, "capabilities", capabilities(root));
	json_object_set_new(e, "container", container(root));
	json_object_set_new(e, "grade", json_null());
	return e;
}

json_t *
environment_capture(const char *dpdk_version)
{
	return environment_capture_at("", dpdk_version);
}
