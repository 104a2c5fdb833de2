/* SPDX-License-Identifier: MIT */
/* The checks that look at the machine itself; doctor_programs.c has those of what is installed, and
 * doctor_print.c shows them. */
#include "doctor_checks.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "report/environment.h"

/* Memory of a chain of one hop, and of one with room for everything else. */
#define MEMORY_LEAST_MB 384
#define MEMORY_EASY_MB 1024

/* Open files of nfvchain with a chain of one hop, and with one of sixteen. */
#define FILES_LEAST 64
#define FILES_EASY 256

/* ---- the list ---- */

void
doctor_add(struct doctor *d, const char *name, enum doctor_grade grade, const char *remedy,
	   const char *fmt, ...)
{
	struct doctor_check *check;
	va_list ap;

	d->check = xrealloc(d->check, d->n + 1, sizeof(*d->check));
	check = &d->check[d->n++];
	*check = (struct doctor_check){.name = name, .grade = grade, .remedy = xstrdup(remedy)};
	va_start(ap, fmt);
	check->fact = xvasprintf(fmt, ap);
	va_end(ap);
}

void
doctor_fini(struct doctor *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n; i++) {
		free(d->check[i].fact);
		free(d->check[i].remedy);
	}
	free(d->check);
	*d = (struct doctor){0};
}

enum doctor_grade
doctor_worst(const struct doctor *d)
{
	enum doctor_grade worst = DOCTOR_OK;

	for (size_t i = 0; i < d->n; i++)
		if (d->check[i].grade > worst)
			worst = d->check[i].grade;
	return worst;
}

/* ---- reading ---- */

/* The number a file or a field begins with, or -1. */
static int64_t
take_number(char *text)
{
	int64_t value =
		text != NULL && isdigit((unsigned char)text[0]) ? strtoll(text, NULL, 10) : -1;

	free(text);
	return value;
}

static bool
file_is(const char *root, const char *path, const char *expected)
{
	char *text = environment_read(root, path);
	bool is = text != NULL && strcmp(text, expected) == 0;

	free(text);
	return is;
}

/* How many numbers a list such as "0-3,8" has. */
static unsigned
list_length(const char *list)
{
	unsigned n = 0;

	while (list != NULL && isdigit((unsigned char)*list)) {
		char *end;
		unsigned long low = strtoul(list, &end, 10), high = low;

		if (*end == '-')
			high = strtoul(end + 1, &end, 10);
		n += high >= low ? (unsigned)(high - low + 1) : 0;
		list = *end == ',' ? end + 1 : end;
	}
	return n;
}

/* ---- CPUs ---- */

static char *
allowed_cpus(const char *root)
{
	return environment_field(root, "/proc/self/status", "Cpus_allowed_list");
}

void
doctor_check_cpus(struct doctor *d, const char *root)
{
	char *allowed = allowed_cpus(root);
	char *online = environment_read(root, "/sys/devices/system/cpu/online");
	unsigned n = list_length(allowed), all = list_length(online);
	char *more = NULL;

	if (n > 0 && n < all)
		more = xasprintf("taskset -pc %s $$", online);
	if (n == 0)
		doctor_add(d, "CPUs", DOCTOR_NOTE, NULL, "cannot tell which ones may be used");
	else if (n == 1)
		doctor_add(d, "CPUs", DOCTOR_NOTE, more,
			   "only CPU %s: generator and hops take turns on it, so that chains run, "
			   "but their figures say little",
			   allowed);
	else if (n == 2)
		doctor_add(
			d, "CPUs", DOCTOR_OK, more,
			"2 (%s): one for the generator, one for a hop; in longer chains the hops "
			"share it",
			allowed);
	else
		doctor_add(d, "CPUs", DOCTOR_OK, more,
			   "%u (%s): one for the generator, and chains of up to %u hops with one "
			   "each",
			   n, allowed, n - 1);
	free(more);
	free(allowed);
	free(online);
}

/* Text of the file 'name' of our control group, or of the root's where that is all we see. */
static char *
read_cgroup(const char *root, const char *name)
{
	char *self = environment_read(root, "/proc/self/cgroup"), *text = NULL, *path;

	if (self != NULL && strncmp(self, "0::/", 4) == 0) {
		path = xasprintf("/sys/fs/cgroup%.*s/%s", (int)strcspn(self + 3, "\n"), self + 3,
				 name);
		text = environment_read(root, path);
		free(path);
	}
	if (text == NULL) {
		path = xasprintf("/sys/fs/cgroup/%s", name);
		text = environment_read(root, path);
		free(path);
	}
	free(self);
	return text;
}

void
doctor_check_quota(struct doctor *d, const char *root)
{
	char *text = read_cgroup(root, "cpu.max");
	double quota, period;

	if (text != NULL && sscanf(text, "%lf %lf", &quota, &period) == 2 && period > 0)
		doctor_add(
			d, "CPU quota", DOCTOR_NOTE, NULL,
			"the control group gets %.2f CPUs' worth and is stopped when it has used "
			"them up, which looks like loss: run without a quota (docker: no --cpus)",
			quota / period);
	free(text);
}

static void
check_smt(struct doctor *d, const char *root)
{
	if (file_is(root, "/sys/devices/system/cpu/smt/active", "1"))
		doctor_add(d, "SMT", DOCTOR_NOTE, NULL,
			   "two CPUs share a core, and so its speed: give hops CPUs of different "
			   "cores (lscpu -e)");
	else if (file_is(root, "/sys/devices/system/cpu/smt/active", "0"))
		doctor_add(d, "SMT", DOCTOR_OK, NULL, "not active: each CPU has its core alone");
}

static void
check_governor(struct doctor *d, const char *root)
{
	char *name =
		environment_read(root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");

	if (name == NULL)
		doctor_add(d, "governor", DOCTOR_OK, NULL,
			   "none here: the CPU's frequency is not Linux's to choose");
	else if (strcmp(name, "performance") == 0)
		doctor_add(d, "governor", DOCTOR_OK, NULL, "performance");
	else
		doctor_add(d, "governor", DOCTOR_NOTE, "sudo cpupower frequency-set -g performance",
			   "%s: the frequency changes while one measures", name);
	free(name);
}

static void
check_mitigations(struct doctor *d, const char *root)
{
	json_t *e = environment_capture_at(root, NULL);
	json_t *all = json_object_get(e, "mitigations"), *value;
	unsigned active = 0, open = 0;
	const char *key;

	json_object_foreach(all, key, value) {
		const char *text = json_string_value(value);

		active += text != NULL && strncmp(text, "Mitigation", 10) == 0;
		open += text != NULL && strncmp(text, "Vulnerable", 10) == 0;
	}
	if (json_is_object(all))
		doctor_add(d, "mitigations", DOCTOR_OK, NULL,
			   "%u active, %u open: they cost system calls and VMs, polling hardly; "
			   "compare only figures of the same set",
			   active, open);
	json_decref(e);
}

static void
check_clock(struct doctor *d, const char *root)
{
	char *name = environment_read(
		root, "/sys/devices/system/clocksource/clocksource0/current_clocksource");

	if (name != NULL && strcmp(name, "tsc") == 0)
		doctor_add(d, "clock", DOCTOR_OK, NULL, "tsc");
	else if (name != NULL)
		doctor_add(
			d, "clock", DOCTOR_NOTE, NULL,
			"%s: the kernel does not trust the CPU's own counter, by which latency is "
			"measured",
			name);
	free(name);
}

static void
check_load(struct doctor *d, const char *root)
{
	char *text = environment_read(root, "/proc/loadavg");
	double load;

	if (text != NULL && sscanf(text, "%lf", &load) == 1) {
		if (load > 0.5)
			doctor_add(d, "load", DOCTOR_NOTE, "top -o %CPU",
				   "%.2f: other programs run, and trials they disturb are invalid",
				   load);
		else
			doctor_add(d, "load", DOCTOR_OK, NULL, "%.2f", load);
	}
	free(text);
}

/* ---- memory ---- */

/* Can the user write to a mounted hugetlbfs?  "FS DIR TYPE OPTIONS ..." */
static bool
has_hugetlbfs(const char *root)
{
	char *mounts = environment_read(root, "/proc/self/mounts"), *save = NULL;
	bool found = false;

	for (char *line = mounts != NULL ? strtok_r(mounts, "\n", &save) : NULL;
	     line != NULL && !found; line = strtok_r(NULL, "\n", &save)) {
		char dir[256], type[64], *path;

		if (sscanf(line, "%*s %255s %63s", dir, type) != 2 ||
		    strcmp(type, "hugetlbfs") != 0)
			continue;
		path = xasprintf("%s%s", root, dir);
		found = access(path, W_OK) == 0;
		free(path);
	}
	free(mounts);
	return found;
}

static int64_t
hugepages(const json_t *e, const char *key)
{
	const json_t *sizes = json_object_get(e, "hugepages");
	int64_t bytes = 0;

	for (size_t i = 0; i < json_array_size(sizes); i++) {
		const json_t *one = json_array_get(sizes, i);

		bytes += json_integer_value(json_object_get(one, key)) *
			 json_integer_value(json_object_get(one, "size_bytes"));
	}
	return bytes;
}

void
doctor_check_hugepages(struct doctor *d, const char *root)
{
	static const char more[] = "sudo sysctl -w vm.nr_hugepages=512";
	json_t *e = environment_capture_at(root, NULL);
	int64_t total_mb = hugepages(e, "total") >> 20, free_mb = hugepages(e, "free") >> 20;

	if (!json_is_array(json_object_get(e, "hugepages")))
		doctor_add(d, "hugepages", DOCTOR_NOTE, NULL,
			   "this kernel has none; chains run on ordinary pages, a little slower");
	else if (free_mb == 0)
		doctor_add(d, "hugepages", DOCTOR_NOTE, more,
			   "none free (of %" PRId64 " MB); chains run on ordinary pages, a little "
			   "slower",
			   total_mb);
	else if (!has_hugetlbfs(root))
		doctor_add(d, "hugepages", DOCTOR_NOTE,
			   "sudo mkdir -p /dev/hugepages && sudo mount -t hugetlbfs -o mode=1777 "
			   "hugetlbfs /dev/hugepages",
			   "%" PRId64 " MB free, but no hugetlbfs that this user can write to; "
			   "chains run on ordinary pages",
			   free_mb);
	else
		doctor_add(d, "hugepages", DOCTOR_OK, NULL, "%" PRId64 " of %" PRId64 " MB free",
			   free_mb, total_mb);
	json_decref(e);
}

void
doctor_check_memory(struct doctor *d, const char *root)
{
	int64_t mb = take_number(environment_field(root, "/proc/meminfo", "MemAvailable")) / 1024;
	int64_t limit = take_number(read_cgroup(root, "memory.max"));
	int64_t used = take_number(read_cgroup(root, "memory.current"));
	const char *of = "";

	if (mb <= 0)
		return;
	if (limit >= 0 && used >= 0 && (limit - used) / (1 << 20) < mb) {
		mb = limit > used ? (limit - used) / (1 << 20) : 0;
		of = " in this control group";
	}
	if (mb < MEMORY_LEAST_MB)
		doctor_add(d, "memory", DOCTOR_PROBLEM, NULL,
			   "%" PRId64 " MB available%s: a chain of one hop wants %d", mb, of,
			   MEMORY_LEAST_MB);
	else if (mb < MEMORY_EASY_MB)
		doctor_add(d, "memory", DOCTOR_NOTE, NULL,
			   "%" PRId64 " MB available%s: enough for short chains of small frames",
			   mb, of);
	else
		doctor_add(d, "memory", DOCTOR_OK, NULL, "%" PRId64 " MB available%s", mb, of);
}

/* ---- what the user may do ---- */

/* Soft limit of a line such as "Max open files  1024  4096  files"; -1 unknown, INT64_MAX none. */
static int64_t
soft_limit(const char *root, const char *name)
{
	char *text = environment_read(root, "/proc/self/limits");
	char *line = text != NULL ? strstr(text, name) : NULL;
	int64_t limit = -1;

	if (line != NULL) {
		line += strlen(name);
		line += strspn(line, " ");
		limit = strncmp(line, "unlimited", 9) == 0 ? INT64_MAX : take_number(xstrdup(line));
	}
	free(text);
	return limit;
}

void
doctor_check_limits(struct doctor *d, const char *root)
{
	int64_t files = soft_limit(root, "Max open files");
	int64_t locked = soft_limit(root, "Max locked memory");

	if (files >= 0 && files < FILES_EASY)
		doctor_add(d, "open files", files < FILES_LEAST ? DOCTOR_PROBLEM : DOCTOR_NOTE,
			   "ulimit -n 1024", "at most %" PRId64 ": %s", files,
			   files < FILES_LEAST ? "too few for any chain"
					       : "too few for long chains");
	else if (files >= 0)
		doctor_add(d, "open files", DOCTOR_OK, NULL,
			   files == INT64_MAX ? "no limit" : "at most %" PRId64, files);
	if (locked == INT64_MAX)
		doctor_add(d, "locked memory", DOCTOR_OK, NULL, "no limit");
	else if (locked >= 0)
		doctor_add(d, "locked memory", DOCTOR_OK, NULL,
			   "at most %" PRId64 " kB: no matter here, but real NICs under vfio-pci "
			   "want no limit (ulimit -l unlimited)",
			   locked / 1024);
}

static void
check_user(struct doctor *d, const char *root)
{
	json_t *e = environment_capture_at(root, NULL);
	const char *user = json_string_value(json_object_get(e, "user"));
	const char *caps = json_string_value(json_object_get(e, "capabilities"));

	if (user != NULL && caps != NULL)
		doctor_add(d, "user", DOCTOR_OK, NULL,
			   "%s, capabilities %s: embedded chains need none", user,
			   strcmp(caps, "0x0") == 0 ? "none" : caps);
	json_decref(e);
}

static void
check_system(struct doctor *d, const char *root)
{
	json_t *e = environment_capture_at(root, NULL);
	const char *cpu = json_string_value(json_object_get(e, "cpu_model"));
	const char *kernel = json_string_value(json_object_get(e, "kernel"));
	const char *hypervisor = json_string_value(json_object_get(e, "hypervisor"));
	const char *container = json_string_value(json_object_get(e, "container"));
	struct str s = {0};

	str_addf(&s, "%s, Linux %s", cpu != NULL ? cpu : "unknown CPU",
		 kernel != NULL ? kernel : "of unknown version");
	if (hypervisor != NULL && strcmp(hypervisor, "none") != 0)
		str_addf(&s, ", in a virtual machine (%s)", hypervisor);
	if (container != NULL)
		str_addf(&s, ", in a container (%s)", container);
	doctor_add(d, "machine", DOCTOR_OK, NULL, "%s", str_text(&s));
	str_fini(&s);
	json_decref(e);
}

void
doctor_check_machine(struct doctor *d, const char *root)
{
	check_system(d, root);
	check_user(d, root);
	doctor_check_cpus(d, root);
	doctor_check_quota(d, root);
	check_smt(d, root);
	check_governor(d, root);
	check_mitigations(d, root);
	check_clock(d, root);
	check_load(d, root);
	doctor_check_hugepages(d, root);
	doctor_check_memory(d, root);
	doctor_check_limits(d, root);
}
