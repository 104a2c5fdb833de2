/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/proc.h"
#include "base/str.h"
#include "chain/chain.h"
#include "chain/ovs.h"
#include "chain/rundir.h"
#include "report/environment.h"

#include "command.h"
#include "doctor_checks.h"
#include "machine_grade.h"
#include "session.h"

/* nfvchain doctor: what this machine is good for, and what to type to make it better. */

/* Patience with a program that is to tell its version. */
#define VERSION_MS 5000

struct doctor_conf {
	bool json;
};

static const struct opt doctor_opts[] = {
	{"json", 0, NULL, "print the checks and the environment as JSON", opt_set_switch,
	 OPT_FIELD(struct doctor_conf, json), NULL, OPT_NO_ENV},
};

const struct opt_command doctor_command = {
	.name = "nfvchain doctor",
	.summary = "Says what this machine lacks for running chains and for good figures, and what "
		   "to type.  Changes nothing.",
	.env_prefix = "NFVCHAIN",
	.opts = doctor_opts,
	.n_opts = N_ELEMS(doctor_opts),
};

/* ---- programs ---- */

/* What a program prints before it ends, for the caller to free; NULL when it does not start. */
static char *
output_of(char *const *argv)
{
	int fd = memfd_create("output", MFD_CLOEXEC);
	char *log_path = xasprintf("/proc/self/fd/%d", fd), text[4096];
	const struct proc_conf conf = {.name = argv[0], .argv = argv, .log_path = log_path};
	struct proc proc;
	ssize_t n = -1;

	if (fd >= 0 && proc_start(&proc, &conf, NULL) == 0) {
		proc_wait(&proc, VERSION_MS);
		proc_close(&proc);
		n = pread(fd, text, sizeof(text) - 1, 0);
	}
	if (fd >= 0)
		close(fd);
	free(log_path);
	if (n < 0)
		return NULL;
	text[n] = '\0';
	return xstrdup(text);
}

/* What 'path' prints when asked for its version with the options given; NULL for no path. */
static char *
version_of(char *path, const char *option, const char *another)
{
	char *first = xstrdup(option), *second = xstrdup(another), *text;
	char *const argv[] = {path, first, second, NULL};

	text = path != NULL ? output_of(argv) : NULL;
	free(first);
	free(second);
	return text;
}

/* Finds the programs; '*dpdk' becomes a text that names DPDK's version, or NULL. */
static void
check_programs(struct doctor *d, char **dpdk)
{
	/* Debian's lies beside the paths. */
	const char *ovs = access(OVS_VSWITCHD, X_OK) == 0 ? OVS_VSWITCHD : NULL;
	static const char *const others[] = {"qemu-system-x86_64", "virsh"};
	char *fwd = command_find_program("nfvchain-fwd");
	char *gen = command_find_program("nfvchain-gen");
	char *testpmd = command_find_program("dpdk-testpmd");

	doctor_check_program(d, "nfvchain-fwd", fwd);
	doctor_check_program(d, "nfvchain-gen", gen);
	doctor_check_program(d, "dpdk-testpmd", testpmd);
	doctor_check_program(d, "ovs-vswitchd-dpdk", ovs);
	for (size_t i = 0; i < N_ELEMS(others); i++) {
		char *path = command_find_program(others[i]);

		doctor_check_program(d, others[i], path);
		free(path);
	}
	*dpdk = version_of(fwd, "--version", NULL);
	if (fwd != NULL)
		doctor_check_version(d, *dpdk);
	/* EAL prints its version at once, and ends at an option that it does not know, before it
	 * touches anything. */
	if (*dpdk == NULL)
		*dpdk = version_of(testpmd, "-v", "--version");
	free(fwd);
	free(gen);
	free(testpmd);
}

/* ---- a chain ---- */

/* "a; b; c" of a list of sentences, for the caller to free. */
static char *
join(const json_t *list)
{
	struct str s = {0};

	for (size_t i = 0; i < json_array_size(list); i++)
		str_addf(&s, "%s%s", i > 0 ? "; " : "", json_string_value(json_array_get(list, i)));
	if (s.len == 0)
		return xstrdup("");
	return str_take(&s);
}

/* What would figures of this machine be worth?  Returns the grade. */
static json_t *
check_grade(struct doctor *d, const struct chain *chain, const struct chain_plan *plan)
{
	json_t *environment = environment_capture(NULL);
	json_t *grade = machine_grade(chain, plan, environment);
	char *because = join(json_object_get(grade, "because"));
	char *raise = join(json_object_get(grade, "raise"));
	const char *letter = json_string_value(json_object_get(grade, "letter"));

	doctor_add(d, "figures", because[0] != '\0' ? DOCTOR_NOTE : DOCTOR_OK, NULL, "grade %s%s%s",
		   letter, because[0] != '\0' ? ": " : "", because);
	if (raise[0] != '\0')
		doctor_add(d, "better figures", DOCTOR_NOTE, NULL, "%s", raise);
	free(because);
	free(raise);
	json_decref(environment);
	return grade;
}

/* Would the default chain find its place here?  Returns the machine's grade for it, or null. */
static json_t *
check_chain(struct doctor *d)
{
	json_t *grade = NULL;
	struct chain_plan plan = {0};
	struct err err = {0};
	struct chain chain;

	chain_default(&chain, 1);
	if (session_plan(&plan, &chain, false, false, &err) < 0)
		doctor_add(d, "default chain", DOCTOR_PROBLEM, NULL, "%s", err.msg);
	for (size_t i = 0; i < N_ELEMS(plan.warnings) && plan.warnings[i] != NULL; i++)
		doctor_add(d, "default chain", DOCTOR_NOTE, NULL, "%s", plan.warnings[i]);
	if (plan.n_procs > 0)
		grade = check_grade(d, &chain, &plan);
	chain_plan_fini(&plan);
	chain_fini(&chain);
	return grade != NULL ? grade : json_null();
}

static void
examine(struct doctor *d, char **dpdk, json_t **grade)
{
	char *run_dir = rundir_path("snake");
	struct kvm_probe kvm;

	doctor_add(d, "nfvchain", DOCTOR_OK, NULL, "%s, gcc %s", NFVCHAIN_VERSION, __VERSION__);
	doctor_check_machine(d, "");
	doctor_check_run_dir(d, "", run_dir);
	*grade = check_chain(d);
	kvm_probe_run(&kvm);
	doctor_check_kvm(d, &kvm);
	check_programs(d, dpdk);
	doctor_check_dpdk(d, *dpdk);
	free(run_dir);
}

/* ---- the answer ---- */

/* "22.11.11" of what a program said, or NULL; into 'buf'. */
static const char *
version_text(char buf[32], const char *dpdk)
{
	struct dpdk_version v;

	if (dpdk == NULL || !dpdk_version_parse(dpdk, &v))
		return NULL;
	snprintf(buf, 32, "DPDK %u.%02u.%u", v.year, v.month, v.patch);
	return buf;
}

static void
print_json(const struct doctor *d, const char *dpdk, json_t *grade)
{
	json_t *json = json_object(), *environment;
	char version[32];

	json_object_set_new(json, "nfvchain", json_string(NFVCHAIN_VERSION));
	json_object_set_new(json, "can_run", json_boolean(doctor_worst(d) != DOCTOR_PROBLEM));
	json_object_set_new(json, "checks", doctor_to_json(d));
	environment = environment_capture(version_text(version, dpdk));
	json_object_set(environment, "grade", grade);
	json_object_set_new(json, "environment", environment);
	json_write(json, stdout);
	json_decref(json);
}

static void
print_text(const struct doctor *d)
{
	const char *no_color = getenv("NO_COLOR");
	bool plain = no_color != NULL && no_color[0] != '\0';
	char *text = doctor_print(d, isatty(STDOUT_FILENO) && !plain);

	fputs(text, stdout);
	free(text);
}

static int
conclude(const struct doctor *d, struct err *err)
{
	struct str names = {0};
	int rc = 0;

	for (size_t i = 0; i < d->n; i++)
		if (d->check[i].grade == DOCTOR_PROBLEM)
			str_addf(&names, "%s%s", names.len > 0 ? ", " : "", d->check[i].name);
	if (names.len > 0)
		rc = err_machine(err, "an embedded chain cannot run here (%s)", names.text);
	str_fini(&names);
	return rc;
}

int
cmd_doctor(int argc, char **argv, struct err *err)
{
	struct doctor_conf conf = {0};
	struct doctor d = {0};
	char *dpdk = NULL;
	json_t *grade = NULL;
	int rc = opt_parse(&doctor_command, &argc, &argv, &conf, NULL, err);

	if (rc != 0)
		return rc;
	examine(&d, &dpdk, &grade);
	if (conf.json)
		print_json(&d, dpdk, grade);
	else
		print_text(&d);
	rc = conclude(&d, err);
	doctor_fini(&d);
	json_decref(grade);
	free(dpdk);
	return rc;
}
