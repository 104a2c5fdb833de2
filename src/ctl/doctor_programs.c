/* SPDX-License-Identifier: MIT */
/* The checks of what is installed: programs, their versions, KVM, the run directory. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#include "doctor_checks.h"

/* ---- programs ---- */

static const struct program {
	const char *name;
	enum doctor_grade missing;
	const char *means; /* that it is missing */
	const char *remedy;
} programs[] = {
	{"nfvchain-fwd", DOCTOR_PROBLEM, "not found: no chain can run", "meson install -C build"},
	{"nfvchain-gen", DOCTOR_PROBLEM, "not found: nothing can be measured",
	 "meson install -C build"},
	{"dpdk-testpmd", DOCTOR_NOTE, "not found: no hops of kind testpmd",
	 "sudo apt install dpdk-dev"},
	{"ovs-vswitchd-dpdk", DOCTOR_NOTE, "not found: no hops of kind ovs-dpdk",
	 "sudo apt install openvswitch-switch-dpdk"},
	{"qemu-system-x86_64", DOCTOR_NOTE, "not found: no hops in virtual machines",
	 "sudo apt install qemu-system-x86"},
	{"virsh", DOCTOR_NOTE, "not found: no virtual machines of libvirt",
	 "sudo apt install libvirt-clients"},
};

void
doctor_check_program(struct doctor *d, const char *name, const char *path)
{
	for (size_t i = 0; i < N_ELEMS(programs); i++) {
		const struct program *p = &programs[i];

		if (strcmp(p->name, name) != 0)
			continue;
		if (path != NULL)
			doctor_add(d, p->name, DOCTOR_OK, NULL, "%s", path);
		else
			doctor_add(d, p->name, p->missing, p->remedy, "%s", p->means);
	}
}

void
doctor_check_version(struct doctor *d, const char *text)
{
	static const char expected[] = "nfvchain-fwd " NFVCHAIN_VERSION ",";
	const char *at = text != NULL ? strstr(text, "nfvchain-fwd ") : NULL;

	if (at == NULL)
		doctor_add(d, "versions", DOCTOR_PROBLEM, "nfvchain-fwd --version",
			   "nfvchain-fwd does not tell its version, so it cannot start either");
	else if (strncmp(at, expected, strlen(expected)) != 0)
		doctor_add(d, "versions", DOCTOR_NOTE, NULL,
			   "nfvchain is " NFVCHAIN_VERSION ", but nfvchain-fwd is %.*s",
			   (int)strcspn(at + 13, ",\n"), at + 13);
}

/* ---- DPDK ---- */

static void
add_defects(struct doctor *d, const struct dpdk_version *version)
{
	for (size_t i = 0; i < dpdk_n_defects; i++) {
		enum dpdk_state state = dpdk_defect_state(&dpdk_defects[i], version);

		if (state != DPDK_FIXED)
			doctor_add(d, "DPDK defect", DOCTOR_NOTE, NULL, "%s%s",
				   state == DPDK_MAYBE ? "perhaps: " : "", dpdk_defects[i].what);
	}
}

void
doctor_check_dpdk(struct doctor *d, const char *text)
{
	struct dpdk_version v;
	unsigned n = 0;

	if (text == NULL || !dpdk_version_parse(text, &v)) {
		doctor_add(d, "DPDK", DOCTOR_NOTE, NULL, "version not known");
		return;
	}
	for (size_t i = 0; i < dpdk_n_defects; i++)
		n += dpdk_defect_state(&dpdk_defects[i], &v) != DPDK_FIXED;
	if (v.year < 22 || (v.year == 22 && v.month < 11))
		doctor_add(d, "DPDK", DOCTOR_PROBLEM, "sudo apt install libdpdk-dev",
			   "%u.%02u.%u: older than 22.11, with which this works", v.year, v.month,
			   v.patch);
	else
		doctor_add(d, "DPDK", DOCTOR_OK, NULL,
			   n > 0 ? "%u.%02u.%u, with %u known defects that matter to chains:"
				 : "%u.%02u.%u, with no known defects that matter to chains",
			   v.year, v.month, v.patch, n);
	add_defects(d, &v);
}

/* ---- KVM ---- */

void
doctor_check_kvm(struct doctor *d, const struct kvm_probe *probe)
{
	if (probe->works)
		doctor_add(d, "KVM", DOCTOR_OK, NULL, "%s", probe->why);
	else if (probe->errnum == EACCES)
		doctor_add(d, "KVM", DOCTOR_NOTE, "sudo usermod -aG kvm $USER && newgrp kvm",
			   "%s; virtual machines are emulated until then", probe->why);
	else if (probe->errnum == ENOENT)
		doctor_add(d, "KVM", DOCTOR_NOTE, NULL,
			   "%s; virtual machines are emulated, about 10 times slower", probe->why);
	else
		doctor_add(d, "KVM", DOCTOR_NOTE, NULL,
			   "not usable: %s; virtual machines are emulated by QEMU instead",
			   probe->why);
}

/* ---- the run directory ---- */

/* The run directory and its parent are made if they are missing, and nothing above. */
#define MISSING_MAX 2

/* Why nothing can be made in 'path' under 'root', or of the part of it that is there; NULL when it
 * can.  '*at' becomes that part, for the caller to free. */
static const char *
why_not_writable(const char *root, const char *path, char **at)
{
	*at = xstrdup(path);
	for (unsigned missing = 0;; missing++) {
		char *name = xasprintf("%s%s", root, *at), *slash = strrchr(*at, '/');
		struct stat st;
		int rc = stat(name, &st) < 0 ? errno : 0;

		if (rc == 0)
			rc = S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
		if (rc == 0 && access(name, W_OK | X_OK) < 0)
			rc = errno;
		free(name);
		if (rc != ENOENT || missing == MISSING_MAX || slash == NULL || slash == *at)
			return rc != 0 ? strerror(rc) : NULL;
		*slash = '\0';
	}
}

void
doctor_check_run_dir(struct doctor *d, const char *root, const char *path)
{
	char *at;
	const char *why = why_not_writable(root, path, &at);

	if (why != NULL)
		doctor_add(d, "run directory", DOCTOR_PROBLEM, "export NFVCHAIN_RUN=$(mktemp -d)",
			   "%s cannot be made: %s: %s", path, at, why);
	else
		doctor_add(d, "run directory", DOCTOR_OK, NULL, "%s", path);
	free(at);
}
