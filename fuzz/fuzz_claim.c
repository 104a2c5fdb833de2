/* SPDX-License-Identifier: MIT */
/* Any text either becomes a claim that can be judged, or an error that names a column of it. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/claim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static void
check_error(const struct err *err, size_t len)
{
	size_t column = 0;

	check(err->class == ERR_USAGE);
	check(sscanf(err->msg, "column %zu: ", &column) == 1);
	check(column >= 1 && column <= len + 1);
}

static void
check_claim(const struct claim *claim)
{
	struct claim_facts facts;
	char sentence[192] = "";
	int holds;

	check(claim->n >= 1 && claim->n <= CLAIM_MAX_TERMS);
	for (size_t i = 0; i < claim->n; i++)
		check(isfinite(claim->term[i].limit));
	claim_facts_init(&facts);
	check(claim_judge(claim, &facts, sentence, sizeof(sentence)) == -1);
	for (size_t i = 0; i < CLAIM_N_QUANTITIES; i++)
		facts.fact[i] = (struct claim_fact){1, 1, 1};
	holds = claim_judge(claim, &facts, sentence, sizeof(sentence));
	check(holds == 0 || holds == 1);
	check(sentence[0] != '\0' && strlen(sentence) < sizeof(sentence));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(size + 1, 1);
	struct claim claim;
	struct err err = {0};

	check(text != NULL);
	memcpy(text, data, size);
	if (claim_parse(&claim, text, &err) < 0)
		check_error(&err, strlen(text));
	else
		check_claim(&claim);
	free(text);
	return 0;
}
