/* SPDX-License-Identifier: MIT */
/* Boots on a host that is played: what a VM does under KVM and under emulation is the test's. */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#include "vm_boot.h"
#include "vm_test.h"

/* What happens to each VM of a kind. */
enum fate { COMES_UP, SAYS_NOTHING, STANDS_STILL, ENDS, CANNOT_START };

struct played_host {
	struct vm_host base;
	enum fate fate[2]; /* under KVM, under emulation */
	int n_started, n_stopped, n_listening;
	volatile sig_atomic_t gone;
};

struct played_vm {
	struct vm base;
	struct played_host *host;
	enum fate fate;
};

static int
start(struct vm **vm, struct vm_host *host, const struct vm_spec *spec, struct err *err)
{
	struct played_host *h = (struct played_host *)host;
	struct played_vm *v;

	if (h->fate[spec->accel] == CANNOT_START)
		return err_machine(err, "no QEMU");
	v = xcalloc(1, sizeof(*v));
	v->host = h;
	v->fate = h->fate[spec->accel];
	h->n_started++;
	*vm = &v->base;
	return 0;
}

static void
get_state(struct vm *vm, struct vm_state *state)
{
	struct played_vm *v = (struct played_vm *)vm;

	state->run = v->fate == STANDS_STILL ? VM_STOPPED : v->fate == ENDS ? VM_ENDED : VM_RUNNING;
	strcpy(state->why, v->fate == STANDS_STILL ? "an internal error" : "a panic");
}

static int
channel(struct vm *vm, int *fd, struct err *err)
{
	*fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return *fd < 0 ? -errno : 0;
}

static void
stop_vm(struct vm *vm)
{
	((struct played_vm *)vm)->host->n_stopped++;
	free(vm);
}

static const struct vm_host_ops played_ops = {
	.name = "played",
	.start = start,
	.state = get_state,
	.channel = channel,
	.stop = stop_vm,
};

static int
listening(void *arg, struct err *err)
{
	((struct played_host *)arg)->n_listening++;
	return 0;
}

/* The fate of the VM that was started last decides whether somebody speaks. */
static int
hello(void *arg, int fd, int ms, struct err *err)
{
	struct played_host *h = arg;
	struct deadline d = deadline_in_ms((uint64_t)ms);

	if (h->fate[h->n_started - 1 + (h->fate[0] == CANNOT_START)] == COMES_UP)
		return 0;
	while (!deadline_passed(&d)) {
		if (h->gone != 0)
			return err_set(err, EINTR, "stopped");
		clock_sleep_ms(1);
	}
	return err_set(err, ETIMEDOUT, "the agent says nothing");
}

struct boot {
	struct played_host host;
	struct vm_accel_choice choice;
	struct vm_spec spec;
	struct vm *vm;
	struct err err;
	int fd;
	int rc;
};

/* Boots with KVM working by the probe's word. */
static void
boot(struct boot *b, enum vm_accel_want want, enum fate kvm, enum fate tcg,
     const volatile sig_atomic_t *stop_flag)
{
	struct vm_boot_conf conf = {
		.start_ms = 1000,
		.hello_ms = {100, 100},
		.listening = listening,
		.hello = hello,
		.arg = &b->host,
		.gone = &b->host.gone,
		.stop = stop_flag,
	};
	struct kvm_probe probe = {.works = true, .why = "ran a guest"};

	*b = (struct boot){.host = {.base.ops = &played_ops, .fate = {kvm, tcg}}};
	b->spec = plain_vm();
	assert_int_equal(vm_accel_choose(&b->choice, want, &probe, &b->err), 0);
	b->rc = vm_boot(&b->vm, &b->fd, &b->host.base, &b->spec, &b->choice, &conf, &b->err);
}

static void
end_boot(struct boot *b)
{
	if (b->rc == 0)
		close(b->fd);
	else
		assert_int_equal(b->fd, -1);
	vm_stop(b->vm);
	vm_spec_fini(&b->spec);
	assert_int_equal(b->host.n_started, b->host.n_stopped);
}

static void
kvm_that_works_is_used(void **state)
{
	struct boot b;

	(void)state;
	boot(&b, VM_WANT_AUTO, COMES_UP, ENDS, NULL);
	assert_int_equal(b.rc, 0);
	assert_int_equal(b.spec.accel, VM_ACCEL_KVM);
	assert_string_equal(b.choice.why, "KVM works: it ran a guest");
	assert_int_equal(b.host.n_started, 1);
	assert_int_equal(b.host.n_listening, 1);
	end_boot(&b);
}

static void
falls_back(enum fate kvm, const char *why)
{
	struct boot b;

	boot(&b, VM_WANT_AUTO, kvm, COMES_UP, NULL);
	assert_int_equal(b.rc, 0);
	assert_int_equal(b.spec.accel, VM_ACCEL_TCG);
	assert_int_equal(b.choice.accel, VM_ACCEL_TCG);
	assert_string_equal(b.choice.why, why);
	assert_int_equal(b.host.n_started, 2);
	assert_int_equal(b.host.n_listening, kvm == SAYS_NOTHING ? 2 : b.host.n_listening);
	end_boot(&b);
}

static void
kvm_that_fails_in_earnest_is_left(void **state)
{
	(void)state;
	falls_back(SAYS_NOTHING, "under KVM it did not come up: the agent says nothing");
	falls_back(STANDS_STILL, "under KVM it did not come up: VM 'vnf1' stands still: an "
				 "internal error");
	falls_back(ENDS, "under KVM it did not come up: VM 'vnf1' has ended: a panic");
}

static void
kvm_that_was_asked_for_is_not_left(void **state)
{
	struct boot b;

	(void)state;
	boot(&b, VM_WANT_KVM, STANDS_STILL, COMES_UP, NULL);
	assert_int_equal(b.rc, -ECHILD);
	assert_string_equal(b.err.msg, "VM 'vnf1' stands still: an internal error");
	assert_int_equal(b.host.n_started, 1);
	end_boot(&b);
}

static void
a_second_failure_is_the_answer(void **state)
{
	struct boot b;

	(void)state;
	boot(&b, VM_WANT_AUTO, STANDS_STILL, SAYS_NOTHING, NULL);
	assert_int_equal(b.rc, -ETIMEDOUT);
	assert_string_equal(b.err.msg, "the agent says nothing");
	assert_int_equal(b.host.n_started, 2);
	end_boot(&b);
}

/* Emulation would not help a machine without QEMU, nor a user who wants to leave. */
static void
what_is_not_kvms_fault_is_not_tried_again(void **state)
{
	volatile sig_atomic_t stop_flag = 1;
	struct boot b;

	(void)state;
	boot(&b, VM_WANT_AUTO, CANNOT_START, COMES_UP, NULL);
	assert_true(b.rc < 0);
	assert_int_equal(b.err.class, ERR_MACHINE);
	assert_int_equal(b.host.n_started, 0);
	end_boot(&b);
	boot(&b, VM_WANT_AUTO, SAYS_NOTHING, COMES_UP, &stop_flag);
	assert_int_equal(b.rc, -EINTR);
	assert_int_equal(b.host.n_started, 1);
	end_boot(&b);
}

static void
the_probe_decides(void **state)
{
	struct kvm_probe bad = {.why = "/dev/kvm: No such file or directory"};
	struct kvm_probe good = {.works = true, .why = "ran a guest"};
	struct vm_accel_choice c;
	struct err err = {0};
	json_t *json;

	(void)state;
	assert_int_equal(vm_accel_choose(&c, VM_WANT_AUTO, &bad, &err), 0);
	json = vm_accel_to_json(&c);
	assert_string_equal(json_string_value(json_object_get(json, "wanted")), "auto");
	assert_string_equal(json_string_value(json_object_get(json, "used")), "tcg");
	assert_string_equal(json_string_value(json_object_get(json, "reason")),
			    "KVM does not work here: /dev/kvm: No such file or directory");
	json_decref(json);
	assert_true(vm_accel_choose(&c, VM_WANT_KVM, &bad, &err) < 0);
	assert_int_equal(err.class, ERR_MACHINE);
	assert_string_equal(err.msg, "KVM does not work here: /dev/kvm: No such file or directory "
				     "(--accel auto emulates)");
	assert_int_equal(vm_accel_choose(&c, VM_WANT_TCG, &good, &err), 0);
	assert_int_equal(c.accel, VM_ACCEL_TCG);
	assert_string_equal(c.why, "emulation was asked for");
}

static void
accelerators_have_names(void **state)
{
	enum vm_accel_want want;
	struct err err = {0};

	(void)state;
	assert_int_equal(vm_accel_parse("kvm", &want, &err), 0);
	assert_int_equal(want, VM_WANT_KVM);
	assert_int_equal(vm_accel_parse("hvf", &want, &err), -EINVAL);
	assert_string_equal(err.msg, "unknown accelerator 'hvf' (auto, kvm or tcg)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kvm_that_works_is_used),
		cmocka_unit_test(kvm_that_fails_in_earnest_is_left),
		cmocka_unit_test(kvm_that_was_asked_for_is_not_left),
		cmocka_unit_test(a_second_failure_is_the_answer),
		cmocka_unit_test(what_is_not_kvms_fault_is_not_tried_again),
		cmocka_unit_test(the_probe_decides),
		cmocka_unit_test(accelerators_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
