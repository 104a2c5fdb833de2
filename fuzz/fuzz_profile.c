/* SPDX-License-Identifier: MIT */
/* Any bytes either become streams that are whole, or an error. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "chain/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 loses a buffer when a long text in quotes turns out to be wrong. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

static void
check(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile *p = NULL;
	struct err err = {0};

	if (profile_parse(&p, "fuzz.yaml", (const char *)data, size, "/nonexistent", NULL, &err) <
	    0) {
		check(p == NULL && err.msg[0] != '\0');
		return 0;
	}
	check(p->n_streams > 0);
	for (size_t i = 0; i < p->n_streams; i++) {
		const json_t *o = p->streams[i].object;
		const json_t *next = json_object_get(o, "next_stream_id");

		check(json_is_string(json_at(o, "packet.binary")));
		check(json_is_array(json_at(o, "vm.instructions")));
		check(json_is_string(json_at(o, "mode.type")));
		check(json_integer_value(next) <= (json_int_t)p->n_streams);
	}
	profile_close(p);
	return 0;
}
