/* SPDX-License-Identifier: MIT */
#pragma once

/* What the tests of plans share: a plan from the text of a chain file, and looks into it. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

#include "plan.h"

#define V "version: 1\n"

static const struct plan_facts two_cpus = {
	.run_dir = "/run/x",
	.allowed = {.cpu = {0, 1}, .n = 2},
	.bin_dir = "/opt/bin",
	.testpmd = "dpdk-testpmd",
};

/* 'n' CPUs from 'first' on. */
static inline struct plan_facts
cpus_from(int first, size_t n)
{
	struct plan_facts facts = two_cpus;

	facts.allowed.n = n;
	for (size_t i = 0; i < n; i++)
		facts.allowed.cpu[i] = first + (int)i;
	return facts;
}

struct made {
	struct chain chain;
	struct chain_plan plan;
};

static inline void
make(struct made *made, const char *text, const struct plan_facts *facts)
{
	struct err err = {0};

	if (chain_parse(&made->chain, "c.yaml", text, strlen(text), &err) < 0 ||
	    chain_plan_make(&made->plan, &made->chain, facts, &err) < 0)
		fail_msg("%s", err.msg);
}

static inline void
unmake(struct made *made)
{
	chain_plan_fini(&made->plan);
	chain_fini(&made->chain);
}

static inline void
check_words(char *const *words, const char *expected)
{
	struct str s = {0};

	for (size_t i = 0; words[i] != NULL; i++)
		str_addf(&s, "%s%s", i > 0 ? " " : "", words[i]);
	assert_string_equal(str_text(&s), expected);
	str_fini(&s);
}

/* Finds "OPTION VALUE" or "OPTION=VALUE" in a command line; NULL when it is not there. */
static inline const char *
option(const struct plan_proc *proc, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < proc->argc; i++) {
		if (strcmp(proc->argv[i], name) == 0)
			return i + 1 < proc->argc ? proc->argv[i + 1] : "";
		if (strncmp(proc->argv[i], name, len) == 0 && proc->argv[i][len] == '=')
			return proc->argv[i] + len + 1;
	}
	return NULL;
}
