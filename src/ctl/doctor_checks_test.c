/* SPDX-License-Identifier: MIT */
#include "doctor_checks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/assert_within.h"
#include "base/mem.h"

/* ---- a machine made of files ---- */

static int
make_root(void **state)
{
	char dir[] = "/tmp/doctor-test-XXXXXX";

	if (mkdtemp(dir) == NULL)
		return -1;
	*state = xstrdup(dir);
	return 0;
}

static int
remove_root(void **state)
{
	char *command =
		xasprintf("chmod -R u+w '%s' && rm -rf '%s'", (char *)*state, (char *)*state);
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

/* The list has one check, of this grade, whose fact contains 'part'; it is emptied. */
static void
assert_one(struct doctor *d, enum doctor_grade grade, const char *part, const char *remedy)
{
	assert_int_equal(d->n, 1);
	if (strstr(d->check[0].fact, part) == NULL)
		fail_msg("'%s' does not say '%s'", d->check[0].fact, part);
	assert_string_equal(doctor_grade_name(d->check[0].grade), doctor_grade_name(grade));
	if (remedy == NULL)
		assert_null(d->check[0].remedy);
	else
		assert_string_equal(d->check[0].remedy, remedy);
	doctor_fini(d);
}

/* ---- laws ---- */

static void
nothing_to_read_is_no_problem(void **state)
{
	struct doctor d = {0};

	doctor_check_machine(&d, *state);
	assert_int_not_equal(doctor_worst(&d), DOCTOR_PROBLEM);
	doctor_fini(&d);
}

static void
cpus_say_what_chains_they_carry(void **state)
{
	static const struct {
		const char *allowed;
		enum doctor_grade grade;
		const char *fact;
		const char *remedy;
	} cases[] = {
		{"Cpus_allowed_list:\t3\n", DOCTOR_NOTE, "only CPU 3:", "taskset -pc 0-7 $$"},
		{"Cpus_allowed_list:\t0-1\n", DOCTOR_OK, "2 (0-1): one for the generator, one for",
		 "taskset -pc 0-7 $$"},
		{"Cpus_allowed_list:\t0-3,5,6-7\n", DOCTOR_OK,
		 "7 (0-3,5,6-7): one for the "
		 "generator, and chains of up to 6 hops",
		 "taskset -pc 0-7 $$"},
		{"Cpus_allowed_list:\t0-7\n", DOCTOR_OK, "chains of up to 7 hops", NULL},
		{"", DOCTOR_NOTE, "cannot tell", NULL},
	};
	struct doctor d = {0};

	put(*state, "/sys/devices/system/cpu/online", "0-7\n");
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		put(*state, "/proc/self/status", cases[i].allowed);
		doctor_check_cpus(&d, *state);
		assert_one(&d, cases[i].grade, cases[i].fact, cases[i].remedy);
	}
}

static void
a_quota_is_told_and_none_is_not(void **state)
{
	struct doctor d = {0};

	put(*state, "/sys/fs/cgroup/cpu.max", "max 100000\n");
	doctor_check_quota(&d, *state);
	assert_int_equal(d.n, 0);
	put(*state, "/sys/fs/cgroup/cpu.max", "150000 100000\n");
	doctor_check_quota(&d, *state);
	assert_one(&d, DOCTOR_NOTE, "1.50 CPUs' worth", NULL);
	/* Our own group comes before the root's. */
	put(*state, "/proc/self/cgroup", "0::/box/one\n");
	put(*state, "/sys/fs/cgroup/box/one/cpu.max", "50000 100000\n");
	doctor_check_quota(&d, *state);
	assert_one(&d, DOCTOR_NOTE, "0.50 CPUs' worth", NULL);
}

static void
hugepages_count_only_if_one_can_use_them(void **state)
{
	static const char more[] = "sudo sysctl -w vm.nr_hugepages=512";
	struct doctor d = {0};
	char *mounts;

	doctor_check_hugepages(&d, *state);
	assert_one(&d, DOCTOR_NOTE, "this kernel has none", NULL);
	put(*state, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "8\n");
	put(*state, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0\n");
	doctor_check_hugepages(&d, *state);
	assert_one(&d, DOCTOR_NOTE, "none free (of 16 MB)", more);
	put(*state, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "4\n");
	doctor_check_hugepages(&d, *state);
	assert_one(&d, DOCTOR_NOTE, "8 MB free, but no hugetlbfs",
		   "sudo mkdir -p /dev/hugepages && sudo mount -t hugetlbfs -o mode=1777 hugetlbfs "
		   "/dev/hugepages");
	put(*state, "/dev/hugepages/x", "");
	mounts = xasprintf("proc /proc proc rw 0 0\nhugetlbfs /dev/hugepages hugetlbfs rw 0 0\n");
	put(*state, "/proc/self/mounts", mounts);
	free(mounts);
	doctor_check_hugepages(&d, *state);
	assert_one(&d, DOCTOR_OK, "8 of 16 MB free", NULL);
}

static void
too_little_memory_is_a_problem(void **state)
{
	struct doctor d = {0};

	put(*state, "/proc/meminfo", "MemTotal: 1 kB\nMemAvailable:    8388608 kB\n");
	doctor_check_memory(&d, *state);
	assert_one(&d, DOCTOR_OK, "8192 MB available", NULL);
	put(*state, "/sys/fs/cgroup/memory.max", "max\n");
	put(*state, "/sys/fs/cgroup/memory.current", "1048576\n");
	doctor_check_memory(&d, *state);
	assert_one(&d, DOCTOR_OK, "8192 MB available", NULL);
	put(*state, "/sys/fs/cgroup/memory.max", "525336576\n");
	doctor_check_memory(&d, *state);
	assert_one(&d, DOCTOR_NOTE, "500 MB available in this control group", NULL);
	put(*state, "/sys/fs/cgroup/memory.max", "1048576\n");
	doctor_check_memory(&d, *state);
	assert_one(&d, DOCTOR_PROBLEM, "0 MB available in this control group", NULL);
}

static void
limits_are_judged_by_what_a_chain_needs(void **state)
{
	static const char format[] = "Limit                     Soft Limit  Hard Limit  Units\n"
				     "Max locked memory         unlimited   unlimited   bytes\n"
				     "Max open files            %s  4096  files\n";
	static const struct {
		const char *soft;
		enum doctor_grade grade;
		const char *fact;
	} cases[] = {
		{"unlimited", DOCTOR_OK, "no limit"},
		{"1024", DOCTOR_OK, "at most 1024"},
		{"255", DOCTOR_NOTE, "at most 255: too few for long chains"},
		{"63", DOCTOR_PROBLEM, "at most 63: too few for any chain"},
	};
	struct doctor d = {0};

	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		char *limits = xasprintf(format, cases[i].soft);

		put(*state, "/proc/self/limits", limits);
		free(limits);
		doctor_check_limits(&d, *state);
		assert_int_equal(d.n, 2);
		assert_string_equal(d.check[0].name, "open files");
		assert_string_equal(d.check[0].fact, cases[i].fact);
		assert_int_equal(d.check[0].grade, cases[i].grade);
		assert_string_equal(d.check[1].fact, "no limit");
		doctor_fini(&d);
	}
	put(*state, "/proc/self/limits", "Max locked memory   8388608  8388608  bytes\n");
	doctor_check_limits(&d, *state);
	assert_one(&d, DOCTOR_OK, "at most 8192 kB", NULL);
}

static void
all_of_a_good_machine_is_ok(void **state)
{
	struct doctor d = {0};

	put(*state, "/proc/cpuinfo", "model name\t: Pentium 9\nflags\t: fpu\n");
	put(*state, "/proc/sys/kernel/osrelease", "6.1.0\n");
	put(*state, "/proc/self/status",
	    "Uid:\t7\t7\t7\t7\nCapEff:\t0000000000000000\nCpus_allowed_list:\t0-3\n");
	put(*state, "/proc/loadavg", "0.10 0 0 1/2 3\n");
	put(*state, "/sys/devices/system/cpu/online", "0-3\n");
	put(*state, "/sys/devices/system/cpu/smt/active", "0\n");
	put(*state, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
	put(*state, "/sys/devices/system/cpu/vulnerabilities/a", "Mitigation: x\n");
	put(*state, "/sys/devices/system/cpu/vulnerabilities/b", "Vulnerable\n");
	put(*state, "/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
	put(*state, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "8\n");
	put(*state, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "8\n");
	put(*state, "/proc/self/mounts", "h /dev/hugepages hugetlbfs rw 0 0\n");
	put(*state, "/dev/hugepages/x", "");
	doctor_check_machine(&d, *state);
	for (size_t i = 0; i < d.n; i++)
		if (d.check[i].grade != DOCTOR_OK)
			fail_msg("%s: %s", d.check[i].name, d.check[i].fact);
	assert_string_equal(d.check[0].fact, "Pentium 9, Linux 6.1.0");
	assert_string_equal(d.check[1].fact, "7, capabilities none: embedded chains need none");
	assert_int_equal(d.n, 9);
	doctor_fini(&d);
}

static void
what_spoils_figures_is_a_note(void **state)
{
	static const struct {
		const char *path, *text, *name, *fact;
	} cases[] = {
		{"/proc/loadavg", "3.25 0 0 1/2 3\n", "load", "3.25: other programs"},
		{"/sys/devices/system/cpu/smt/active", "1\n", "SMT", "two CPUs share a core"},
		{"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n", "governor",
		 "powersave: the frequency changes"},
		{"/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n",
		 "clock", "hpet: the kernel does not trust"},
	};

	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct doctor d = {0};
		bool found = false;

		put(*state, cases[i].path, cases[i].text);
		doctor_check_machine(&d, *state);
		for (size_t k = 0; k < d.n; k++)
			found |=
				strcmp(d.check[k].name, cases[i].name) == 0 &&
				d.check[k].grade == DOCTOR_NOTE &&
				strncmp(d.check[k].fact, cases[i].fact, strlen(cases[i].fact)) == 0;
		if (!found)
			fail_msg("no note '%s'", cases[i].fact);
		doctor_fini(&d);
	}
}

static void
kvm_is_judged_by_what_it_did(void **state)
{
	struct doctor d = {0};

	(void)state;
	doctor_check_kvm(&d, &(struct kvm_probe){.works = true, .why = "ran"});
	assert_one(&d, DOCTOR_OK, "ran", NULL);
	doctor_check_kvm(&d, &(struct kvm_probe){.errnum = EACCES, .why = "/dev/kvm: denied"});
	assert_one(&d, DOCTOR_NOTE, "/dev/kvm: denied", "sudo usermod -aG kvm $USER && newgrp kvm");
	doctor_check_kvm(&d, &(struct kvm_probe){.errnum = ENOENT, .why = "/dev/kvm: none"});
	assert_one(&d, DOCTOR_NOTE, "/dev/kvm: none; virtual machines are emulated", NULL);
	doctor_check_kvm(&d, &(struct kvm_probe){.why = "KVM_CREATE_VM: no"});
	assert_one(&d, DOCTOR_NOTE, "not usable: KVM_CREATE_VM: no", NULL);
}

static void
only_our_own_programs_are_indispensable(void **state)
{
	static const char *const names[] = {"nfvchain-fwd", "nfvchain-gen", "dpdk-testpmd",
					    "qemu-system-x86_64", "virsh"};
	struct doctor d = {0};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(names); i++) {
		doctor_check_program(&d, names[i], "/usr/bin/x");
		assert_one(&d, DOCTOR_OK, "/usr/bin/x", NULL);
		doctor_check_program(&d, names[i], NULL);
		assert_int_equal(d.check[0].grade, i < 2 ? DOCTOR_PROBLEM : DOCTOR_NOTE);
		assert_non_null(d.check[0].remedy);
		doctor_fini(&d);
	}
}

static void
programs_of_one_build_belong_together(void **state)
{
	struct doctor d = {0};

	(void)state;
	doctor_check_version(&d, "nfvchain-fwd " NFVCHAIN_VERSION ", DPDK 22.11.4, gcc 12\n");
	assert_int_equal(d.n, 0);
	doctor_check_version(&d, "nfvchain-fwd 99.1, DPDK 22.11.4, gcc 12\n");
	assert_one(&d, DOCTOR_NOTE, "but nfvchain-fwd is 99.1", NULL);
	doctor_check_version(&d, "cannot open shared object file");
	assert_one(&d, DOCTOR_PROBLEM, "does not tell its version", "nfvchain-fwd --version");
	doctor_check_version(&d, NULL);
	assert_one(&d, DOCTOR_PROBLEM, "does not tell its version", "nfvchain-fwd --version");
}

static void
a_version_is_found_in_what_programs_say(void **state)
{
	struct dpdk_version v;

	(void)state;
	assert_true(dpdk_version_parse("nfvchain-fwd 0.1.0, DPDK 22.11.11, gcc 12.2.0", &v));
	assert_int_equal(v.year * 10000 + v.month * 100 + v.patch, 221111);
	assert_true(dpdk_version_parse("EAL: RTE Version: 'DPDK 25.11.0-rc1'\n", &v));
	assert_int_equal(v.year * 10000 + v.month * 100 + v.patch, 251100);
	assert_false(dpdk_version_parse("Version: 22.11", &v));
	assert_false(dpdk_version_parse("", &v));
}

/* Whether a release has the defect whose text begins so. */
static enum dpdk_state
state_of(const char *what, unsigned year, unsigned month, unsigned patch)
{
	const struct dpdk_version v = {year, month, patch};

	for (size_t i = 0; i < dpdk_n_defects; i++)
		if (strncmp(dpdk_defects[i].what, what, strlen(what)) == 0)
			return dpdk_defect_state(&dpdk_defects[i], &v);
	fail_msg("no defect '%s'", what);
	return DPDK_MAYBE;
}

static void
a_defect_is_in_the_releases_without_its_fix(void **state)
{
	(void)state;
	/* Never backported to 22.11; to 23.11 by its seventh patch release at the latest. */
	assert_int_equal(state_of("memif damages", 22, 11, 11), DPDK_DEFECT);
	assert_int_equal(state_of("memif damages", 23, 11, 6), DPDK_MAYBE);
	assert_int_equal(state_of("memif damages", 23, 11, 7), DPDK_FIXED);
	/* A patch release that nobody had looked at. */
	assert_int_equal(state_of("memif damages", 22, 11, 12), DPDK_MAYBE);
	/* Releases between those with long support get no backports. */
	assert_int_equal(state_of("memif damages", 24, 3, 0), DPDK_DEFECT);
	assert_int_equal(state_of("memif damages", 26, 3, 0), DPDK_FIXED);
	/* Before the code was written there was nothing to be wrong. */
	assert_int_equal(state_of("memif crashes on bursts", 22, 11, 11), DPDK_FIXED);
	assert_int_equal(state_of("memif crashes on bursts", 23, 3, 0), DPDK_DEFECT);
	assert_int_equal(state_of("memif crashes on bursts", 24, 11, 0), DPDK_FIXED);
	assert_int_equal(state_of("event_dsw leaks", 22, 11, 11), DPDK_FIXED);
}

static void
dpdk_is_shown_with_its_defects(void **state)
{
	struct doctor d = {0};

	(void)state;
	doctor_check_dpdk(&d, "DPDK 22.11.11");
	assert_string_equal(d.check[0].fact,
			    "22.11.11, with 11 known defects that matter to chains:");
	assert_int_equal(d.n, 12);
	assert_int_equal(doctor_worst(&d), DOCTOR_NOTE);
	doctor_fini(&d);
	doctor_check_dpdk(&d, "DPDK 26.07.0");
	assert_one(&d, DOCTOR_OK, "26.07.0, with no known defects", NULL);
	doctor_check_dpdk(&d, NULL);
	assert_one(&d, DOCTOR_NOTE, "version not known", NULL);
	doctor_check_dpdk(&d, "DPDK 21.11.3");
	assert_int_equal(d.check[0].grade, DOCTOR_PROBLEM);
	doctor_fini(&d);
}

static void
the_run_directory_is_judged_by_its_nearest_parent(void **state)
{
	struct doctor d = {0};
	char *path;

	put(*state, "/run/file", "");
	doctor_check_run_dir(&d, *state, "/run/nfvchain/snake");
	assert_one(&d, DOCTOR_OK, "/run/nfvchain/snake", NULL);
	doctor_check_run_dir(&d, *state, "/run/file/snake");
	assert_one(&d, DOCTOR_PROBLEM, "/run/file/snake cannot be made: /run/file",
		   "export NFVCHAIN_RUN=$(mktemp -d)");
	/* Only the directory itself and its parent are made. */
	doctor_check_run_dir(&d, *state, "/run/a/b/c");
	assert_one(&d, DOCTOR_PROBLEM, "/run/a: No such file or directory",
		   "export NFVCHAIN_RUN=$(mktemp -d)");
	if (geteuid() == 0)
		return; /* root may write anywhere */
	path = xasprintf("%s/run", (char *)*state);
	assert_return_code(chmod(path, 0555), errno);
	doctor_check_run_dir(&d, *state, "/run/nfvchain/snake");
	assert_one(&d, DOCTOR_PROBLEM, "/run: Permission denied",
		   "export NFVCHAIN_RUN=$(mktemp -d)");
	free(path);
}

static void
the_page_is_narrow_and_ends_with_the_answer(void **state)
{
	struct doctor d = {0};
	char *text;
	size_t cols = 0;

	(void)state;
	doctor_add(&d, "CPUs", DOCTOR_OK, NULL, "2 (0-1)");
	doctor_add(&d, "memory", DOCTOR_NOTE, "buy more",
		   "little, and so many words about it that "
		   "they need another line");
	text = doctor_print(&d, false);
	assert_string_equal(
		text,
		"ok       CPUs                2 (0-1)\n"
		"note     memory              little, and so many words about it that they need\n"
		"                             another line\n"
		"         $ buy more\n"
		"\n"
		"An embedded chain can run here: nfvchain bench\n");
	free(text);
	doctor_add(&d, "virsh", DOCTOR_PROBLEM, NULL, "gone");
	text = doctor_print(&d, false);
	assert_non_null(strstr(text, "\nAn embedded chain cannot run here.\n"));
	for (char *c = text; *c != '\0'; c++) {
		cols = *c == '\n' ? 0 : cols + 1;
		assert_within(cols, 0, 80);
	}
	free(text);
	doctor_fini(&d);
}

static void
json_has_the_same_checks(void **state)
{
	struct doctor d = {0};
	json_t *json;
	char *text;

	(void)state;
	doctor_add(&d, "memory", DOCTOR_NOTE, "buy more", "little");
	doctor_add(&d, "CPUs", DOCTOR_OK, NULL, "2");
	json = doctor_to_json(&d);
	text = json_dumps(json, JSON_COMPACT);
	assert_string_equal(text, "[{\"name\":\"memory\",\"grade\":\"note\",\"fact\":\"little\","
				  "\"remedy\":\"buy more\"},{\"name\":\"CPUs\",\"grade\":\"ok\","
				  "\"fact\":\"2\",\"remedy\":null}]");
	free(text);
	json_decref(json);
	doctor_fini(&d);
}

#define WITH_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ROOT(nothing_to_read_is_no_problem),
		WITH_ROOT(cpus_say_what_chains_they_carry),
		WITH_ROOT(a_quota_is_told_and_none_is_not),
		WITH_ROOT(hugepages_count_only_if_one_can_use_them),
		WITH_ROOT(too_little_memory_is_a_problem),
		WITH_ROOT(limits_are_judged_by_what_a_chain_needs),
		WITH_ROOT(all_of_a_good_machine_is_ok),
		WITH_ROOT(what_spoils_figures_is_a_note),
		cmocka_unit_test(kvm_is_judged_by_what_it_did),
		cmocka_unit_test(only_our_own_programs_are_indispensable),
		cmocka_unit_test(programs_of_one_build_belong_together),
		cmocka_unit_test(a_version_is_found_in_what_programs_say),
		cmocka_unit_test(a_defect_is_in_the_releases_without_its_fix),
		cmocka_unit_test(dpdk_is_shown_with_its_defects),
		WITH_ROOT(the_run_directory_is_judged_by_its_nearest_parent),
		cmocka_unit_test(the_page_is_narrow_and_ends_with_the_answer),
		cmocka_unit_test(json_has_the_same_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
