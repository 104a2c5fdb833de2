/* SPDX-License-Identifier: MIT */
/* Any JSON is either a comparison that comes back the same when it is written again, and that can
 * be judged anew, or an error with a sentence. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "bench/paired.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
check_round_trip(const struct paired *p)
{
	json_t *json = paired_to_json(p, 1), *again;
	struct err err = {0};
	struct paired back;

	require(paired_from_json(&back, json, &err) == 0);
	again = paired_to_json(&back, 1);
	require(json_equal(json, again));
	json_decref(json);
	json_decref(again);
	paired_fini(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size, 0, NULL);
	struct err err = {0};
	struct paired p;

	if (json == NULL)
		return 0;
	if (paired_from_json(&p, json, &err) == 0) {
		check_round_trip(&p);
		paired_judge(&p);
		check_round_trip(&p);
	} else
		require(err.msg[0] != '\0');
	paired_fini(&p);
	json_decref(json);
	return 0;
}
