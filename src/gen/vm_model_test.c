/* SPDX-License-Identifier: MIT */
#include "vm_rig.h"

#include "base/test_random.h"

#include "base/assert_within.h"
#include "vm_model.h"

/* Random programs: what is compiled does what the model does, frame by frame, and many frames at
 * once are as good as one after the other. */

#define PROGRAMS 3000
#define FRAMES 40

static json_t *
new_inst(json_t *list, const char *type)
{
	json_t *inst = json_pack("{s:s}", "type", type);

	json_array_append_new(list, inst);
	return inst;
}

static void
put(json_t *inst, const char *key, uint64_t value)
{
	json_object_set_new(inst, key, json_integer((json_int_t)value));
}

static void
put_name(json_t *inst, unsigned var, const char *suffix)
{
	char name[16];

	snprintf(name, sizeof(name), "v%u%s", var, suffix);
	json_object_set_new(inst, "name", json_string(name));
}

static void
add_spy(json_t *list, unsigned var, unsigned inst)
{
	json_t *w = new_inst(list, "write_flow_var");

	put_name(w, var, "");
	put(w, "pkt_offset", MODEL_SPY + 8 * inst);
	put(w, "add_value", 0);
	json_object_set_new(w, "is_big_endian", json_true());
}

static void
add_range(json_t *v, unsigned size)
{
	uint64_t most = UINT64_MAX >> (65 - 8 * size);
	uint64_t min = rng_below(3) == 0 ? 0 : rng() % most;
	uint64_t max = min + rng_below(2 + rng_below(200));

	max = rng_below(10) == 0 || max > most ? most : max;
	put(v, "min_value", min);
	put(v, "max_value", max);
	put(v, "init_value", min + (max > min ? rng() % (max - min) : 0));
}

static void
add_values(json_t *v, unsigned size)
{
	json_t *values = json_array();
	unsigned n = 1 + rng_below(6);

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(
			values, json_integer((json_int_t)(rng() & UINT64_MAX >> (65 - 8 * size))));
	json_object_set_new(v, "value_list", values);
	put(v, "step", 1 + rng_below(n));
}

/* A variable, and those that follow when it wraps. */
static void
add_vars(json_t *list, unsigned *n_vars)
{
	static const char *const ops[] = {"inc", "dec", "random"};
	unsigned first = *n_vars, at = (unsigned)json_array_size(list);
	bool more;

	do {
		unsigned size = 1u << rng_below(4);
		bool limited = rng_below(5) == 0;
		json_t *v = new_inst(list, limited ? "flow_var_rand_limit" : "flow_var");

		put_name(v, *n_vars, "");
		put(v, "size", size);
		put(v, "step", 1 + rng_below(6));
		json_object_set_new(v, "op", json_string(ops[rng_below(3)]));
		json_object_set_new(v, "split_to_cores", json_false());
		if (!limited && rng_below(4) == 0)
			add_values(v, size);
		else
			add_range(v, size);
		put(v, "seed", rng_below(100));
		put(v, "limit", 1 + rng_below(MODEL_MAX_LIMIT));
		more = ++*n_vars - first < 3 && rng_below(3) == 0;
		if (more)
			json_object_set_new(v, "next_var", json_sprintf("v%u", *n_vars));
	} while (more);
	for (unsigned i = first; i < *n_vars; i++)
		add_spy(list, i, at + i - first);
}

static void
add_tuple(json_t *list, unsigned *n_vars)
{
	json_t *v = new_inst(list, "tuple_flow_var");

	put_name(v, (*n_vars)++, "");
	put(v, "ip_min", 0x10000000);
	put(v, "ip_max", 0x10000000 + rng_below(5));
	put(v, "port_min", 65532 - rng_below(3));
	put(v, "port_max", 65532 + rng_below(4));
	put(v, "limit_flows", rng_below(20));
	put(v, "flags", rng_below(2));
}

/* A length: no larger than the frame, so that it is taken. */
static void
add_trim(json_t *list, unsigned *n_vars, uint16_t len)
{
	json_t *v = new_inst(list, "flow_var");

	put_name(v, *n_vars, "");
	put(v, "size", 2);
	put(v, "step", 1 + rng_below(6));
	json_object_set_new(v, "op", json_string(rng_below(2) == 0 ? "inc" : "dec"));
	put(v, "min_value", 30 + rng_below(60));
	put(v, "max_value", len - 20 + rng_below(60));
	put(v, "init_value", 100);
	put_name(new_inst(list, "trim_pkt_size"), (*n_vars)++, "");
}

static void
add_write(json_t *list, unsigned n_vars)
{
	static const char *const suffixes[] = {"", "", ".ip", ".port"};
	bool masked = rng_below(3) == 0;
	json_t *w = new_inst(list, masked ? "write_mask_flow_var" : "write_flow_var");

	put_name(w, rng_below(n_vars), suffixes[rng_below(4)]);
	put(w, "pkt_offset", rng_below(10) == 0 ? 14 : 16 + rng_below(MODEL_SPY - 24));
	put(w, "add_value", (uint64_t)(int64_t)(int32_t)(rng() >> (32 + rng_below(32))));
	json_object_set_new(w, "is_big_endian", json_boolean(rng_below(4) > 0));
	put(w, "pkt_cast_size", 1u << rng_below(3));
	put(w, "mask", rng() >> 32);
	put(w, "shift", (uint64_t)(int64_t)rng_below(64) - 32);
}

static void
add_fix(json_t *list, bool ipv6)
{
	static const char *const types[] = {"fix_checksum_ipv4", "fix_checksum_hw",
					    "fix_checksum_icmpv6"};
	json_t *fix = new_inst(list, types[rng_below(3)]);

	put(fix, "pkt_offset", rng_below(4) > 0 ? 14 : rng_below(80));
	put(fix, "l2_len", 14);
	put(fix, "l3_len", ipv6 ? 40 : 20);
	put(fix, "l4_type", ipv6 && rig_base[20] == 6 ? 13 : !ipv6 && rig_base[23] == 6 ? 13 : 11);
}

static json_t *
random_program(uint16_t len, bool ipv6)
{
	json_t *vm = json_object(), *list = json_array();
	unsigned n_vars = 0;

	add_vars(list, &n_vars);
	for (unsigned left = rng_below(8); left > 0; left--) {
		switch (rng_below(8)) {
		case 0:
			add_vars(list, &n_vars);
			break;
		case 1:
			add_tuple(list, &n_vars);
			break;
		case 2:
			add_trim(list, &n_vars, len);
			break;
		case 3:
			add_fix(list, ipv6);
			break;
		default:
			add_write(list, n_vars);
		}
	}
	json_object_set_new(vm, "instructions", list);
	if (rng_below(4) == 0)
		put(vm, "cache", rng_below(12));
	return vm;
}

static void
random_base(uint16_t len, bool ipv6)
{
	for (uint16_t i = 0; i < len; i++)
		rig_base[i] = (uint8_t)rng();
	rig_base[14] = ipv6 ? 0x60 : 0x45;
	rig_base[23] = rng_below(2) == 0 ? 6 : 17;
	if (ipv6)
		rig_base[20] = rng_below(2) == 0 ? 58 : rig_base[23];
	/* A plausible length, most of the time. */
	if (rng_below(4) > 0) {
		rig_base[16] = rig_base[18] = 0;
		rig_base[17] = rig_base[19] = (uint8_t)(len - 60 + rng_below(80));
	}
}

static void
show(const json_t *program, const char *what, unsigned frame)
{
	char *text = json_dumps(program, 0);

	print_message("# frame %u: %s: %s\n", frame, what, text);
	free(text);
	fail();
}

static void
compare_frames(const json_t *program, struct vm *vm, uint16_t len)
{
	struct rig_player p;
	struct model m;

	model_init(&m, program, len);
	rig_start(&p, vm, (uint32_t)rng());
	for (unsigned i = 0; i < FRAMES; i++) {
		const char *why;

		rig_play(&p, len);
		why = model_run(&m, rig_base, p.frame);
		if (why != NULL)
			show(program, why, i);
		if (p.len != m.frame_len)
			show(program, "another length", i);
		if (memcmp(p.frame, m.frame, len) != 0)
			show(program, "another frame", i);
	}
}

/* Advancing by as much as was made before leads to the same state. */
static void
compare_advance(const json_t *program, struct vm *vm, uint16_t len)
{
	uint32_t seed = (uint32_t)rng();
	struct rig_player made, skipped;

	rig_start(&made, vm, seed);
	rig_start(&skipped, vm, seed);
	for (unsigned i = 0; i < 12; i++) {
		uint32_t n = rng_below(1 + rng_below(80));

		for (uint32_t k = 0; k < n; k++)
			rig_play(&made, len);
		vm_advance(vm, skipped.state, n);
		if (memcmp(made.state, skipped.state, vm_state_size(vm)) != 0)
			show(program, "vm_advance leads elsewhere", i);
	}
}

/* Bytes from vm_reach on are of no account, and a used buffer is, where vm_overwrites says so. */
static void
compare_buffers(const json_t *program, struct vm *vm, uint16_t len)
{
	uint16_t reach = vm_reach(vm);
	struct rig_player fresh, used;

	rig_start(&fresh, vm, 1);
	rig_start(&used, vm, 1);
	memcpy(used.frame, rig_base, len);
	for (unsigned i = 0; i < FRAMES; i++) {
		rig_play(&fresh, len);
		if (!vm_overwrites(vm))
			memcpy(used.frame, rig_base, reach);
		memset(used.frame + reach, (int)i, len - reach);
		used.len = vm_run(vm, used.state, used.frame, len);
		if (fresh.len != used.len || memcmp(fresh.frame, used.frame, reach) != 0)
			show(program, "not the same in a used buffer", i);
		if (memcmp(fresh.frame + reach, rig_base + reach, len - reach) != 0)
			show(program, "written behind its reach", i);
		for (uint16_t k = reach; k < len; k++)
			if (used.frame[k] != (uint8_t)i)
				show(program, "written behind its reach", i);
	}
}

static void
for_programs(void (*check)(const json_t *program, struct vm *vm, uint16_t len))
{
	unsigned taken = 0;

	for (unsigned i = 0; i < PROGRAMS; i++) {
		uint16_t len = (uint16_t)(MODEL_FRAME - rng_below(60));
		bool ipv6 = rng_below(3) == 0;
		struct jsonrpc_error e;
		struct vm *vm = NULL;
		json_t *program;

		random_base(len, ipv6);
		program = random_program(len, ipv6);
		if (json_array_size(json_object_get(program, "instructions")) <= MODEL_MAX &&
		    vm_parse(&vm, program, rig_base, len, &e) == 0) {
			taken++;
			check(program, vm, len);
		}
		vm_free(vm);
		json_decref(program);
	}
	print_message("# %u of %u programs taken\n", taken, PROGRAMS);
	assert_within(taken, PROGRAMS / 8, PROGRAMS);
}

static void
as_the_model(void **state)
{
	for_programs(compare_frames);
}

static void
advance_is_many_runs(void **state)
{
	for_programs(compare_advance);
}

static void
buffers_may_be_used(void **state)
{
	for_programs(compare_buffers);
}

/* Far ahead: where a sum of steps is beyond 64 bits. */
static void
advance_in_any_parts(void **state)
{
	for (unsigned i = 0; i < 300; i++) {
		struct jsonrpc_error e;
		struct vm *vm = NULL;
		json_t *program;

		random_base(MODEL_FRAME, false);
		program = random_program(MODEL_FRAME, false);
		if (vm_parse(&vm, program, rig_base, MODEL_FRAME, &e) == 0) {
			struct rig_player a, b;

			rig_start(&a, vm, i);
			rig_start(&b, vm, i);
			for (unsigned k = 0; k < 20; k++) {
				uint32_t x = (uint32_t)rng(), y = (uint32_t)rng() >> rng_below(32);

				vm_advance(vm, a.state, x);
				vm_advance(vm, a.state, y);
				vm_advance(vm, b.state, y);
				vm_advance(vm, b.state, x);
			}
			if (memcmp(a.state, b.state, vm_state_size(vm)) != 0)
				show(program, "the parts matter", i);
		}
		vm_free(vm);
		json_decref(program);
	}
}

static int
seed(void **state)
{
	(void)state;
	rng_seed("vm_model");
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_model),
		cmocka_unit_test(advance_is_many_runs),
		cmocka_unit_test(buffers_may_be_used),
		cmocka_unit_test(advance_in_any_parts),
	};

	return cmocka_run_group_tests(tests, seed, NULL);
}
