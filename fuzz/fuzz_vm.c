/* SPDX-License-Identifier: MIT */
/* Whatever a client sends as a program of the field engine: a JSON object with the program in "vm",
 * and the frame it is for in "frame", as text in hexadecimal.  What is taken writes within its
 * frame and its reach, ends, and makes frames of a length that the stream may have; skipping frames
 * leads to the same state as making them. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "gen/vm.h"
#include "rpc/wide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_LEN 2048
#define MIN_LEN 60
#define FRAMES 70
#define MAX_FRAMES 300

static void
must(bool law)
{
	if (!law)
		abort();
}

static int
digit(char c)
{
	const char *found = c != '\0' ? strchr("0123456789abcdef", c) : NULL;

	return found != NULL ? (int)(found - "0123456789abcdef") : 0;
}

/* The frame as a stream would have it, in a block of its size, so that ASan sees steps beyond. */
static uint8_t *
make_frame(const char *text, uint16_t *len)
{
	size_t n = text != NULL ? strlen(text) / 2 : 0;
	uint8_t *frame;

	n = n > MAX_LEN ? MAX_LEN : n;
	*len = (uint16_t)(n < MIN_LEN ? MIN_LEN : n);
	frame = xcalloc(1, *len);
	for (size_t i = 0; i < n; i++)
		frame[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
	return frame;
}

/* Makes a frame from 'base', and another in the buffer 'used', which is as good where the program
 * says so. */
static void
make_both(const struct vm *vm, void *state, const uint8_t *base, uint8_t *used, uint16_t len)
{
	uint8_t *frame = xcalloc(1, len);
	uint64_t *copy = xcalloc(1, vm_state_size(vm) + 1);
	uint16_t reach = vm_reach(vm), made;

	memcpy(copy, state, vm_state_size(vm));
	memcpy(frame, base, len);
	if (!vm_overwrites(vm))
		memcpy(used, base, reach);
	made = vm_run(vm, state, frame, len);
	must(made <= len && (made == len || made >= MIN_LEN));
	must(memcmp(frame + reach, base + reach, len - reach) == 0);
	must(vm_run(vm, copy, used, len) == made && memcmp(copy, state, vm_state_size(vm)) == 0);
	must(memcmp(used, frame, len) == 0);
	free(copy);
	free(frame);
}

static void
check_program(const struct vm *vm, const uint8_t *base, uint16_t len)
{
	size_t size = vm_state_size(vm);
	uint64_t *made = xcalloc(1, size + 1), *skipped = xcalloc(1, size + 1);
	unsigned frames = vm_cache(vm) < MAX_FRAMES - FRAMES ? vm_cache(vm) + FRAMES : MAX_FRAMES;
	uint8_t *used = xcalloc(1, len);
	double mean = vm_mean_len(vm, len);

	must(vm_reach(vm) <= len && size % sizeof(*made) == 0);
	must(mean <= len && mean >= MIN_LEN);
	memcpy(used, base, len);
	vm_init(vm, made, 1);
	vm_init(vm, skipped, 1);
	for (unsigned i = 0; i < frames; i++) {
		make_both(vm, made, base, used, len);
		if (i % 3 == 2) {
			vm_advance(vm, skipped, 3);
			must(memcmp(made, skipped, size) == 0);
		}
	}
	vm_advance(vm, skipped, UINT32_MAX);
	make_both(vm, skipped, base, used, len);
	free(used);
	free(made);
	free(skipped);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *input = wide_loadb((const char *)data, size, 0, NULL);
	const char *text = json_string_value(json_object_get(input, "frame"));
	struct jsonrpc_error e = {0};
	struct vm *vm;
	uint16_t len;
	uint8_t *frame = make_frame(text, &len);

	if (vm_parse(&vm, json_object_get(input, "vm"), frame, len, &e) < 0)
		must(vm == NULL && e.specific[0] != '\0' && e.code == JSONRPC_FAILED);
	else if (vm != NULL)
		check_program(vm, frame, len);
	vm_free(vm);
	free(frame);
	json_decref(input);
	return 0;
}
