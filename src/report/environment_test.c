/* SPDX-License-Identifier: MIT */
#include "environment.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/assert_within.h"
#include "base/json.h"
#include "base/mem.h"

/* ---- a machine made of files ---- */

static int
make_root(void **state)
{
	char dir[] = "/tmp/environment-test-XXXXXX";

	if (mkdtemp(dir) == NULL)
		return -1;
	*state = xstrdup(dir);
	return 0;
}

static int
remove_root(void **state)
{
	char *command = xasprintf("rm -rf '%s'", (char *)*state);
	int rc = system(command);

	free(command);
	free(*state);
	return rc;
}

static void
put(const char *root, const char *path, const char *text)
{
	char *name = xasprintf("%s%s", root, path);
	FILE *out;

	for (char *slash = strchr(name + strlen(root) + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(name, 0755) < 0)
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
	out = fopen(name, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	free(name);
}

static void
assert_json(const json_t *e, const char *path, const char *expected)
{
	const json_t *at = json_at(e, path);
	char *text;

	assert_non_null(at);
	text = json_dumps(at, JSON_ENCODE_ANY | JSON_COMPACT);
	assert_string_equal(text, expected);
	free(text);
}

/* ---- laws ---- */

static const char *const keys[] = {
	"cpu_model",	"cpus_online", "cpus_allowed", "smt",		"numa_nodes",
	"memory_bytes", "hugepages",   "kernel",       "mitigations",	"hypervisor",
	"clocksource",	"governor",    "thp",	       "isolated_cpus", "load_1min",
	"dpdk_version", "user",	       "capabilities", "container",	"grade",
};

static void
what_cannot_be_read_is_null(void **state)
{
	json_t *e = environment_capture_at(*state, NULL);
	const char *key;
	json_t *value;
	size_t i = 0;

	json_object_foreach(e, key, value) {
		assert_within(i, 0, N_ELEMS(keys) - 1);
		assert_string_equal(key, keys[i++]);
		assert_true(json_is_null(value));
	}
	assert_int_equal(i, N_ELEMS(keys));
	json_decref(e);
}

static void
every_fact_is_read_from_its_file(void **state)
{
	const char *root = *state;
	json_t *e;

	put(root, "/proc/cpuinfo",
	    "processor\t: 0\nmodel name\t: Pentium 9\nflags\t\t: fpu sse4_2 hypervisor\n");
	put(root, "/proc/self/status",
	    "Name:\tx\nUid:\t0\t1000\t0\t0\nCapEff:\t0000000000003000\n"
	    "Cpus_allowed:\t3\nCpus_allowed_list:\t0-1\n");
	put(root, "/proc/meminfo", "MemTotal:        2048 kB\nMemFree: 1 kB\n");
	put(root, "/proc/loadavg", "0.25 1.00 2.00 1/100 42\n");
	put(root, "/proc/sys/kernel/osrelease", "6.1.0-13-amd64\n");
	put(root, "/etc/passwd", "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/:/bin/sh\n");
	put(root, "/sys/devices/system/cpu/online", "0-3\n");
	put(root, "/sys/devices/system/cpu/isolated", "\n");
	put(root, "/sys/devices/system/cpu/smt/active", "1\n");
	put(root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
	put(root, "/sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n");
	put(root, "/sys/devices/system/cpu/vulnerabilities/gds", "Mitigation: x\n");
	put(root, "/sys/devices/system/node/online", "0-1,3\n");
	put(root, "/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
	put(root, "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0\n");
	put(root, "/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "0\n");
	put(root, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "64\n");
	put(root, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "60\n");
	put(root, "/sys/class/dmi/id/sys_vendor", "QEMU\n");
	put(root, "/run/.containerenv", "");
	e = environment_capture_at(root, "DPDK 22.11.11");
	assert_json(e, "cpu_model", "\"Pentium 9\"");
	assert_json(e, "cpus_online", "\"0-3\"");
	assert_json(e, "cpus_allowed", "\"0-1\"");
	assert_json(e, "smt", "true");
	assert_json(e, "numa_nodes", "3");
	assert_json(e, "memory_bytes", "2097152");
	/* By size, whatever order the directory has. */
	assert_json(e, "hugepages",
		    "[{\"size_bytes\":2097152,\"total\":64,\"free\":60},"
		    "{\"size_bytes\":1073741824,\"total\":0,\"free\":0}]");
	assert_json(e, "kernel", "\"6.1.0-13-amd64\"");
	assert_json(e, "mitigations", "{\"gds\":\"Mitigation: x\",\"meltdown\":\"Not affected\"}");
	assert_json(e, "hypervisor", "\"QEMU\"");
	assert_json(e, "clocksource", "\"tsc\"");
	assert_json(e, "governor", "\"powersave\"");
	assert_json(e, "isolated_cpus", "\"\"");
	assert_json(e, "load_1min", "0.25");
	assert_json(e, "dpdk_version", "\"DPDK 22.11.11\"");
	assert_json(e, "user", "\"me\"");
	assert_json(e, "capabilities", "\"0x3000\"");
	assert_json(e, "container", "\"podman\"");
	json_decref(e);
}

static void
a_hypervisor_is_told_from_real_hardware(void **state)
{
	json_t *e;

	put(*state, "/proc/cpuinfo", "flags\t\t: fpu vme\n");
	e = environment_capture_at(*state, NULL);
	assert_json(e, "hypervisor", "\"none\"");
	json_decref(e);
	put(*state, "/proc/cpuinfo", "flags\t\t: fpu hypervisor\n");
	e = environment_capture_at(*state, NULL);
	assert_json(e, "hypervisor", "\"not named\"");
	json_decref(e);
	put(*state, "/sys/hypervisor/type", "xen\n");
	e = environment_capture_at(*state, NULL);
	assert_json(e, "hypervisor", "\"xen\"");
	json_decref(e);
}

static void
nonsense_in_a_file_is_null_and_not_a_number(void **state)
{
	json_t *e;

	put(*state, "/proc/meminfo", "MemTotal: many\n");
	put(*state, "/proc/loadavg", "");
	put(*state, "/proc/self/status", "Uid:\nCapEff:\tnone\n");
	put(*state, "/sys/devices/system/node/online", "none\n");
	put(*state, "/proc/cpuinfo", "model name\t: \xff\xfe\n");
	e = environment_capture_at(*state, NULL);
	for (size_t i = 0; i < N_ELEMS(keys); i++)
		assert_json(e, keys[i], "null");
	json_decref(e);
}

static void
a_user_without_a_name_is_a_number(void **state)
{
	json_t *e;

	put(*state, "/proc/self/status", "Uid:\t4242\t4242\t4242\t4242\n");
	e = environment_capture_at(*state, NULL);
	assert_json(e, "user", "\"4242\"");
	json_decref(e);
}

static void
a_field_is_the_whole_name_and_nothing_else(void **state)
{
	char *value;

	put(*state, "/f", "Cpus_allowed:\t3\nCpus_allowed_list:\t0-1\nlast: end");
	value = environment_field(*state, "/f", "Cpus_allowed");
	assert_string_equal(value, "3");
	free(value);
	value = environment_field(*state, "/f", "last");
	assert_string_equal(value, "end");
	free(value);
	assert_null(environment_field(*state, "/f", "Cpus"));
	assert_null(environment_field(*state, "/g", "Cpus"));
	assert_null(environment_read(*state, "/"));
}

static void
this_machine_has_the_same_keys(void **state)
{
	json_t *e = environment_capture(NULL);

	(void)state;
	assert_int_equal(json_object_size(e), N_ELEMS(keys));
	/* What every Linux tells anybody. */
	assert_true(json_is_string(json_object_get(e, "kernel")));
	assert_true(json_is_string(json_object_get(e, "cpus_allowed")));
	assert_true(json_integer_value(json_object_get(e, "memory_bytes")) > 0);
	json_decref(e);
}

#define WITH_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ROOT(what_cannot_be_read_is_null),
		WITH_ROOT(every_fact_is_read_from_its_file),
		WITH_ROOT(a_hypervisor_is_told_from_real_hardware),
		WITH_ROOT(nonsense_in_a_file_is_null_and_not_a_number),
		WITH_ROOT(a_user_without_a_name_is_a_number),
		WITH_ROOT(a_field_is_the_whole_name_and_nothing_else),
		cmocka_unit_test(this_machine_has_the_same_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
