/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"

#include "vm_inst.h"

int
vm_parse(struct vm **vm, const json_t *vm_object, const uint8_t *frame, uint16_t len,
	 struct jsonrpc_error *e)
{
	struct vm_program p = {.frame = frame, .len = len, .e = e};
	int rc = vm_read(&p, vm_object);

	*vm = NULL;
	if (rc == 0)
		rc = vm_check(&p);
	if (rc == 0 && p.n > 0)
		*vm = vm_compile(&p);
	vm_program_fini(&p);
	return rc < 0 ? -EINVAL : 0;
}

void
vm_free(struct vm *vm)
{
	if (vm == NULL)
		return;
	free(vm->ops);
	free(vm->lists);
	free(vm->init);
	free(vm);
}

size_t
vm_state_size(const struct vm *vm)
{
	return (vm->n_slots + (vm->cache > 0 ? VM_CACHE_SLOTS : 0u)) * sizeof(uint64_t);
}

void
vm_init_slots(const struct vm *vm, uint64_t *slots, uint32_t random_seed)
{
	uint64_t seed = random_mix(random_seed + RANDOM_GAMMA);

	memcpy(slots, vm->init, vm->n_slots * sizeof(*slots));
	for (const struct vm_op *op = vm->ops; op->code != VM_END; op++)
		if (op->code == VM_RANDOM || op->code == VM_RANDOM_LIST)
			slots[op->slot] = random_mix(seed + op->slot * RANDOM_GAMMA);
}

void
vm_init(const struct vm *vm, void *state, uint32_t random_seed)
{
	uint64_t *slots = state;

	vm_init_slots(vm, slots, random_seed);
	if (vm->cache > 0) {
		slots[vm->n_slots] = 0;
		slots[vm->n_slots + 1] = random_seed;
	}
}

uint16_t
vm_reach(const struct vm *vm)
{
	return vm->reach;
}

bool
vm_overwrites(const struct vm *vm)
{
	return vm->overwrites;
}

bool
vm_has_checksums(const struct vm *vm)
{
	return vm->ops[vm->sums].code == VM_SUMS;
}

uint16_t
vm_cache(const struct vm *vm)
{
	return vm->cache;
}

void
vm_set_cache(struct vm *vm, uint16_t n)
{
	vm->cache = n;
	vm->ops[0].n = n;
	vm->ops[0].slot = (uint8_t)vm->n_slots;
	vm->first = n > 0 ? vm->ops : vm->ops + 1;
}

double
vm_mean_len(const struct vm *vm, uint16_t len)
{
	uint64_t *slots;
	double sum = 0;

	if (vm->trim == NULL)
		return len;
	if (vm->cache == 0 || vm->draws_len)
		return vm->mean_len;
	slots = xcalloc(1, vm_state_size(vm));
	vm_init(vm, slots, 0);
	for (uint16_t i = 0; i < vm->cache; i++) {
		vm_advance(vm, slots, 1);
		sum += (double)(slots[vm->trim->slot] + vm->trim->walk.base);
	}
	free(slots);
	return sum / vm->cache;
}
