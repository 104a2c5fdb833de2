/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "chain/kvm_probe.h"

#include "dpdk_defects.h"

/* What this machine is good for, check by check.  The checks are functions of files under a root
 * ("" for this machine) and of what was found out before; none of them changes anything. */

enum doctor_grade {
	DOCTOR_OK,
	DOCTOR_NOTE,	/* works, but figures or further features suffer */
	DOCTOR_PROBLEM, /* an embedded chain cannot run */
};

struct doctor_check {
	const char *name;
	enum doctor_grade grade;
	char *fact;
	char *remedy; /* what to type, or NULL */
};

struct doctor {
	struct doctor_check *check;
	size_t n;
};

void doctor_fini(struct doctor *d);
const char *doctor_grade_name(enum doctor_grade grade); /* "ok", "note", "problem" */
/* Worst grade of all checks. */
enum doctor_grade doctor_worst(const struct doctor *d);
/* Adds what was found; 'remedy' may be NULL. */
void doctor_add(struct doctor *d, const char *name, enum doctor_grade grade, const char *remedy,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* CPUs, quota, SMT, governor, mitigations, clock, load, hugepages, memory, limits, user. */
void doctor_check_machine(struct doctor *d, const char *root);

/* One by one, for tests. */
void doctor_check_cpus(struct doctor *d, const char *root);
void doctor_check_quota(struct doctor *d, const char *root);
void doctor_check_hugepages(struct doctor *d, const char *root);
void doctor_check_memory(struct doctor *d, const char *root);
void doctor_check_limits(struct doctor *d, const char *root);

void doctor_check_kvm(struct doctor *d, const struct kvm_probe *probe);

/* 'text' is what nfvchain-fwd or a DPDK program says about its version, or NULL. */
void doctor_check_dpdk(struct doctor *d, const char *text);

/* A program that may be there; 'path' is NULL when it is not. */
void doctor_check_program(struct doctor *d, const char *name, const char *path);
/* 'text' is what nfvchain-fwd --version prints, or NULL. */
void doctor_check_version(struct doctor *d, const char *text);

/* Can the run directory be made?  'path' lies under 'root'. */
void doctor_check_run_dir(struct doctor *d, const char *root, const char *path);

/* [{"name", "grade", "fact", "remedy"}] */
json_t *doctor_to_json(const struct doctor *d);
/* For people, at most 80 columns wide but for what is to be typed; for the caller to free. */
char *doctor_print(const struct doctor *d, bool colour);
