/* SPDX-License-Identifier: MIT */
/* Any bytes are either a chain that survives being printed and read again, and that can be planned
 * or is refused with a sentence, or an error that says where. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "chain/chain.h"
#include "chain/chain_same.h"
#include "chain/plan.h"

/* Printing escapes what needs it, and what is printed has to stay below the reader's limit. */
#define MAX_SIZE (1u << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 loses a buffer when a long text in quotes turns out to be wrong; a leak of ours has
 * no libfyaml in its trace. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* "fuzz.yaml:LINE:COL: error: ..." */
static void
require_place(const struct err *err)
{
	static const char name[] = "fuzz.yaml:";
	const char *p = err->msg;

	require(err->class == ERR_USAGE);
	require(strncmp(p, name, sizeof(name) - 1) == 0);
	p += sizeof(name) - 1;
	for (int i = 0; i < 2; i++) {
		require(*p >= '1' && *p <= '9');
		while (isdigit((unsigned char)*p))
			p++;
		require(*p++ == ':');
	}
	require(strncmp(p, " error: ", 8) == 0 && strlen(p) > 8);
}

static void
check_printing(const struct chain *chain)
{
	struct err err = {0};
	struct chain again;
	char *text = chain_print(chain), *twice;

	require(chain_parse(&again, "printed.yaml", text, strlen(text), &err) == 0);
	require(same_chain(chain, &again));
	twice = chain_print(&again);
	require(strcmp(text, twice) == 0);
	free(text);
	free(twice);
	chain_fini(&again);
}

static void
check_plan(const struct chain *chain)
{
	const struct plan_facts facts = {
		.run_dir = "/run/fuzz",
		.allowed = {.cpu = {0, 1, 2}, .n = 3},
		.bin_dir = "/bin",
		.verbose = true,
	};
	struct chain_plan plan;
	struct err err = {0};

	if (chain_plan_make(&plan, chain, &facts, &err) < 0) {
		require(err.msg[0] != '\0');
		chain_plan_fini(&plan);
		return;
	}
	require(plan.n_procs == chain->n_hops + 1);
	/* A chain between two files has no generator. */
	for (size_t i = chain_has_files(chain); i < plan.n_procs; i++) {
		/* Nobody starts these: the kernel is there, the row's first hop runs the others. */
		if (plan.proc[i].kernels || plan_proc_is_fused(&plan.proc[i]))
			continue;
		require(plan.proc[i].argc > 0 && plan.proc[i].argc < PLAN_MAX_ARGV);
		require(plan.proc[i].argv[plan.proc[i].argc] == NULL && plan.proc[i].cpus.n > 0);
	}
	free(chain_plan_print(&plan, chain));
	json_decref(chain_plan_to_json(&plan, chain));
	chain_plan_fini(&plan);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	struct chain chain;

	/* libfyaml 0.7 ends some folded texts in bytes that it never wrote, which read differently
	 * the next time. */
	if (size > MAX_SIZE || memchr(data, '>', size) != NULL)
		return 0;
	if (chain_parse(&chain, "fuzz.yaml", (const char *)data, size, &err) < 0) {
		require_place(&err);
		chain_fini(&chain);
		return 0;
	}
	require(chain_check(&chain, &err) == 0);
	check_printing(&chain);
	check_plan(&chain);
	chain_fini(&chain);
	return 0;
}
