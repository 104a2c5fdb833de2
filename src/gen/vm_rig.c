/* SPDX-License-Identifier: MIT */
#include "vm_rig.h"

uint8_t rig_base[FRAME_MAX_SIZE];

struct vm *
rig_parse_for(const char *text, uint16_t len)
{
	json_error_t error;
	json_t *json = json_loads(text, 0, &error);
	struct jsonrpc_error e = {0};
	struct vm *vm;

	if (json == NULL)
		fail_msg("%s: %s", error.text, text);
	if (vm_parse(&vm, json, rig_base, len, &e) < 0)
		fail_msg("%s", e.specific);
	json_decref(json);
	return vm;
}

struct vm *
rig_parse(const char *instructions)
{
	char *text = xasprintf("{\"instructions\": [%s]}", instructions);
	struct vm *vm = rig_parse_for(text, LEN);

	free(text);
	return vm;
}

void
rig_refuse_for(const char *text, uint16_t len, const char *sentence)
{
	json_t *json = json_loads(text, 0, NULL);
	struct jsonrpc_error e = {0};
	struct vm *vm;

	assert_non_null(json);
	assert_int_equal(vm_parse(&vm, json, rig_base, len, &e), -EINVAL);
	assert_null(vm);
	assert_string_equal(e.specific, sentence);
	assert_int_equal(e.code, JSONRPC_FAILED);
	json_decref(json);
}

void
rig_refuse(const char *instructions, const char *sentence)
{
	char *text = xasprintf("{\"instructions\": [%s]}", instructions);

	rig_refuse_for(text, LEN, sentence);
	free(text);
}

void
rig_start(struct rig_player *p, struct vm *vm, uint32_t seed)
{
	assert_true(vm_state_size(vm) <= sizeof(p->state));
	p->vm = vm;
	vm_init(vm, p->state, seed);
}

void
rig_play(struct rig_player *p, uint16_t len)
{
	memcpy(p->frame, rig_base, len);
	p->len = vm_run(p->vm, p->state, p->frame, len);
}

uint64_t
rig_field(const struct rig_player *p, unsigned at, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value = value << 8 | p->frame[at + i];
	return value;
}

void
rig_expect(struct vm *vm, unsigned size, const uint64_t *values, size_t n)
{
	struct rig_player p;

	rig_start(&p, vm, 5);
	for (size_t i = 0; i < n; i++) {
		rig_play(&p, LEN);
		if (rig_field(&p, AT, size) != values[i])
			fail_msg("frame %zu: %lu, not %lu", i, rig_field(&p, AT, size), values[i]);
	}
	vm_free(vm);
}

void
rig_make_base(uint8_t version_ihl, uint8_t proto)
{
	static const uint8_t head[] = {0,    0,	 86, 0, 1, 0,  0, 64, 0, 0xde,
				       0xad, 16, 0,  0, 1, 48, 0, 0,  1};

	for (unsigned i = 0; i < LEN; i++)
		rig_base[i] = (uint8_t)(i * 7);
	rig_base[12] = 8;
	rig_base[13] = 0;
	rig_base[14] = version_ihl;
	memcpy(rig_base + 15, head, sizeof(head));
	rig_base[23] = proto;
}
