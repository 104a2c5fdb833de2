/* SPDX-License-Identifier: MIT */
/* Any text is read to its end at most, and what it does not tell stays as it was. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "chain/procfs.h"

#define MARK 0x1122334455667788ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t a = MARK, b = MARK;
	char *text = malloc(size + 1);

	require(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	require(procfs_last_cpu(text, &a) || a == MARK);
	a = MARK;
	require(procfs_schedstat(text, &a, &b) || a == MARK);
	a = MARK;
	require(procfs_status(text, "nonvoluntary_ctxt_switches", &a) || a == MARK);
	a = MARK;
	require(procfs_steal(text, -1, &a) || a == MARK);
	a = MARK;
	require(procfs_steal(text, 1, &a) || a == MARK);
	a = MARK;
	require(procfs_pressure(text, &a) || a == MARK);
	free(text);
	return 0;
}
