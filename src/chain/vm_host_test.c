/* SPDX-License-Identifier: MIT */
/* Hosts as far as no real machine is needed: libvirt's test driver, which lives in this process,
 * and programs that are not QEMU. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"

#include "rundir.h"
#include "vm_host.h"
#include "vm_test.h"

#ifdef HAVE_LIBVIRT
static struct vm_host *
test_driver(void)
{
	struct vm_host_conf conf = {.uri = "test:///default"};
	struct vm_host *host;
	struct err err = {0};

	if (vm_host_open(&host, &vm_host_libvirt, &conf, &err) < 0)
		fail_msg("%s", err.msg);
	return host;
}

static size_t
count_ours(struct vm_host *host, const char *chain)
{
	struct vm_found *found;
	struct err err = {0};
	size_t n;

	if (vm_host_list(host, chain, &found, &n, &err) < 0)
		fail_msg("%s", err.msg);
	free(found);
	return n;
}

static void
networks_come_and_go(void **state)
{
	struct vm_host *host = test_driver();
	struct vm_net net = network("link-0");
	struct err err = {0};

	(void)state;
	assert_int_equal(count_ours(host, NULL), 0);
	if (vm_net_up(host, &net, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(count_ours(host, NULL), 1);
	assert_int_equal(count_ours(host, "vm-snake"), 1);
	assert_int_equal(count_ours(host, "other"), 0);
	assert_int_equal(vm_net_up(host, &net, &err), -EEXIST);
	assert_string_equal(err.msg, "network 'link-0': it is there already");
	assert_int_equal(vm_net_down(host, &net, &err), 0);
	assert_int_equal(vm_net_down(host, &net, &err), 0);
	assert_int_equal(count_ours(host, NULL), 0);
	vm_net_fini(&net);
	vm_host_close(host);
}

/* The test driver has a network "default" and a domain "test". */
static void
what_is_not_ours_is_refused_and_stays(void **state)
{
	struct vm_host *host = test_driver();
	struct vm_net net = network("default");
	struct err err = {0};

	(void)state;
	assert_int_equal(vm_net_up(host, &net, &err), -EEXIST);
	assert_string_equal(err.msg, "network 'default': libvirt has a network of that name that "
				     "is not ours (it stays as it is; rename one of them)");
	assert_int_equal(vm_net_down(host, &net, &err), -EEXIST);
	assert_int_equal(vm_host_clean(host, NULL, &err), 0);
	assert_int_equal(vm_net_up(host, &net, &err), -EEXIST);
	vm_net_fini(&net);
	vm_host_close(host);
}

static void
one_chain_does_not_take_anothers_network(void **state)
{
	struct vm_host *host = test_driver();
	struct vm_net ours = network("link-0"), theirs = network("link-0");
	struct err err = {0};

	(void)state;
	set_text(&theirs.chain, "other");
	assert_int_equal(vm_net_up(host, &theirs, &err), 0);
	assert_int_equal(vm_net_up(host, &ours, &err), -EEXIST);
	assert_string_equal(err.msg, "network 'link-0': it is another chain's of ours");
	assert_int_equal(vm_net_down(host, &ours, &err), -EEXIST);
	assert_int_equal(vm_host_clean(host, "vm-snake", &err), 0);
	assert_int_equal(vm_host_clean(host, "other", &err), 1);
	assert_int_equal(vm_net_up(host, &ours, &err), 0);
	assert_int_equal(vm_net_down(host, &ours, &err), 0);
	vm_net_fini(&ours);
	vm_net_fini(&theirs);
	vm_host_close(host);
}

/* Keeps a chain up in another run directory until 'fd' is closed, as another nfvchain would. */
static pid_t
another_nfvchain(const char *path, int *fd)
{
	int ready[2], over[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(over), 0);
	pid = fork();
	if (pid == 0) {
		struct rundir dir;

		close(over[1]);
		setenv("NFVCHAIN_RUN", path, 1);
		if (rundir_open(&dir, "vm-snake", NULL) == 0 && write(ready[1], "", 1) == 1)
			(void)!read(over[0], &byte, 1);
		rundir_close(&dir);
		_exit(0);
	}
	close(ready[1]);
	close(over[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*fd = over[1];
	return pid;
}

static void
a_vm_of_a_chain_that_is_up_elsewhere_stays(void **state)
{
	struct vm_host *host = test_driver();
	struct vm_spec spec = plain_vm();
	char path[] = "/tmp/nfvchain-vm-XXXXXX", *why;
	struct vm *vm;
	struct err err = {0};
	pid_t pid;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(path));
	pid = another_nfvchain(path, &fd);
	free(spec.console_path);
	spec.console_path = xasprintf("%s/vnf1.console", path);
	if (vm_start(&vm, host, &spec, &err) < 0 || vm_wait_running(vm, 5000, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(vm_host_clean(host, "vm-snake", &err), -EEXIST);
	why = xasprintf(
		"VM 'vm-snake-vnf1' is of a chain 'vm-snake' that is up in '%s' (pid %d); give "
		"this one another name, or end that one: nfvchain down vm-snake",
		path, (int)pid);
	assert_string_equal(err.msg, why);
	assert_int_equal(count_ours(host, "vm-snake"), 1);
	close(fd);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(vm_host_clean(host, "vm-snake", &err), 1);
	vm_stop(vm);
	vm_spec_fini(&spec);
	free(why);
	rmdir(path);
	vm_host_close(host);
}

static void
a_vm_lives_and_ends(void **state)
{
	struct vm_host *host = test_driver();
	struct vm_spec spec = plain_vm();
	struct vm *vm, *twin;
	struct vm_state now;
	struct err err = {0};

	(void)state;
	if (vm_start(&vm, host, &spec, &err) < 0 || vm_wait_running(vm, 5000, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(count_ours(host, "vm-snake"), 1);
	assert_int_equal(count_ours(host, "other"), 0);
	assert_int_equal(vm_start(&twin, host, &spec, &err), -EEXIST);
	assert_string_equal(err.msg, "VM 'vnf1': domain 'vm-snake-vnf1' is there already");
	/* Somebody else destroys it, here by the list of what is ours. */
	assert_int_equal(vm_host_clean(host, "vm-snake", &err), 1);
	for (struct deadline d = deadline_in_ms(5000); !deadline_passed(&d);) {
		vm_state(vm, &now);
		if (now.run == VM_ENDED)
			break;
		clock_sleep_ms(5);
	}
	assert_int_equal(vm_check(vm, &err), -ECHILD);
	assert_string_equal(err.msg, "VM 'vnf1' has ended: somebody destroyed the domain");
	vm_stop(vm);
	assert_int_equal(count_ours(host, NULL), 0);
	vm_spec_fini(&spec);
	vm_host_close(host);
}

static void
a_domain_of_somebody_elses_name_is_refused(void **state)
{
	struct vm_host *host = test_driver();
	struct vm_spec spec = plain_vm();
	struct vm_spec other = plain_vm();
	struct vm *vm, *second;
	struct err err = {0};

	(void)state;
	/* Not of this chain is not ours: the hyphen between chain and VM can be in either. */
	set_text(&spec.chain, "a-b");
	set_text(&spec.name, "c");
	assert_int_equal(vm_start(&vm, host, &spec, &err), 0);
	assert_int_equal(vm_wait_running(vm, 5000, NULL, &err), 0);
	set_text(&other.chain, "a");
	set_text(&other.name, "b-c");
	assert_int_equal(vm_start(&second, host, &other, &err), -EEXIST);
	assert_string_equal(err.msg, "VM 'b-c': libvirt has a domain 'a-b-c' that is not ours (it "
				     "stays as it is; rename one of them)");
	vm_stop(vm);
	vm_spec_fini(&spec);
	vm_spec_fini(&other);
	vm_host_close(host);
}

static void
libvirt_that_is_not_there_is_the_machines_lack(void **state)
{
	struct vm_host_conf conf = {.uri = "test:///nonexistent/file.xml"};
	struct vm_host *host;
	struct err err = {0};

	(void)state;
	assert_true(vm_host_open(&host, &vm_host_libvirt, &conf, &err) < 0);
	assert_int_equal(err.class, ERR_MACHINE);
	assert_non_null(strstr(err.msg, "libvirt at 'test:///nonexistent/file.xml' does not "
					"answer: "));
}
#endif

/* ---- plain QEMU ---- */

struct rig {
	char dir[32];
	struct vm_host *host;
	struct vm_spec spec;
};

static char *
in_dir(const struct rig *r, const char *name)
{
	return xasprintf("%s/%s", r->dir, name);
}

/* A host whose QEMU is the shell script 'body'. */
static void
make_rig(struct rig *r, const char *body)
{
	struct vm_host_conf conf = {.run_dir = r->dir};
	struct err err = {0};
	FILE *out;
	char *qemu;

	strcpy(r->dir, "/tmp/nfvchain-vm.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	qemu = in_dir(r, "qemu");
	conf.qemu = qemu;
	out = fopen(qemu, "we");
	assert_non_null(out);
	fprintf(out, "#!/bin/sh\n%s\n", body);
	assert_int_equal(fchmod(fileno(out), 0755), 0);
	fclose(out);
	assert_int_equal(vm_host_open(&r->host, &vm_host_qemu, &conf, &err), 0);
	r->spec = plain_vm();
	free(r->spec.channel_path);
	free(r->spec.monitor_path);
	r->spec.channel_path = in_dir(r, "channel");
	r->spec.monitor_path = in_dir(r, "monitor");
	free(qemu);
}

static void
drop_rig(struct rig *r)
{
	static const char *const names[] = {"qemu", "vnf1.qemu.log"};

	vm_host_close(r->host);
	vm_spec_fini(&r->spec);
	for (size_t i = 0; i < N_ELEMS(names); i++) {
		char *path = in_dir(r, names[i]);

		(void)unlink(path);
		free(path);
	}
	/* Nothing else may be left. */
	assert_int_equal(rmdir(r->dir), 0);
}

static void
last_words_of_a_qemu_that_dies_are_told(void **state)
{
	struct err err = {0};
	struct vm *vm;
	struct rig r;

	(void)state;
	make_rig(&r, "echo 'no such machine' >&2; exit 1");
	assert_int_equal(vm_start(&vm, r.host, &r.spec, &err), 0);
	assert_int_equal(vm_wait_running(vm, 5000, NULL, &err), -ECHILD);
	assert_string_equal(err.msg, "VM 'vnf1' has ended: QEMU exited with 1: no such machine");
	vm_stop(vm);
	drop_rig(&r);
}

static void
patience_has_an_end(void **state)
{
	volatile sig_atomic_t interrupted = 1;
	struct err err = {0};
	struct vm *vm;
	struct rig r;

	(void)state;
	make_rig(&r, "exec sleep 60");
	assert_int_equal(vm_start(&vm, r.host, &r.spec, &err), 0);
	assert_int_equal(vm_wait_running(vm, 50, NULL, &err), -ETIMEDOUT);
	assert_string_equal(err.msg, "VM 'vnf1' does not start in time");
	assert_int_equal(vm_wait_running(vm, 5000, &interrupted, &err), -EINTR);
	vm_stop(vm);
	drop_rig(&r);
}

static void
a_socket_that_is_there_is_not_taken(void **state)
{
	struct err err = {0};
	struct vm *vm;
	char *path, *want;
	struct rig r;

	(void)state;
	make_rig(&r, "exec sleep 60");
	path = in_dir(&r, "link0.sock");
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	add_nic(&r.spec, socket_nic(VM_LINK_STREAM, 0, path, true));
	assert_int_equal(vm_start(&vm, r.host, &r.spec, &err), -EEXIST);
	want = xasprintf("VM 'vnf1': NIC 0: '%s' is there already", path);
	assert_string_equal(err.msg, want);
	assert_int_equal(unlink(path), 0);
	free(path);
	free(want);
	drop_rig(&r);
}

static void
without_qemu_the_machine_lacks_something(void **state)
{
	struct vm_host_conf conf = {.qemu = "no-such-qemu", .run_dir = "/tmp"};
	struct vm_spec spec = plain_vm();
	struct vm_host *host;
	struct err err = {0};
	struct vm *vm;

	(void)state;
	assert_int_equal(vm_host_open(&host, &vm_host_qemu, &conf, &err), 0);
	assert_true(vm_start(&vm, host, &spec, &err) < 0);
	assert_int_equal(err.class, ERR_MACHINE);
	assert_non_null(strstr(err.msg, "no-such-qemu"));
	vm_host_close(host);
	vm_spec_fini(&spec);
	unlink("/tmp/vnf1.qemu.log");
}

static void
hosts_have_names(void **state)
{
	const struct vm_host_ops *ops;
	struct err err = {0};

	(void)state;
	assert_int_equal(vm_host_parse("qemu", &ops, &err), 0);
	assert_ptr_equal(ops, &vm_host_qemu);
	assert_int_equal(vm_host_parse("libvirt", &ops, &err), 0);
	assert_ptr_equal(ops, &vm_host_libvirt);
	assert_int_equal(vm_host_parse("xen", &ops, &err), -EINVAL);
	assert_string_equal(err.msg, "VMs run under libvirt or qemu, not under 'xen'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef HAVE_LIBVIRT
		cmocka_unit_test(networks_come_and_go),
		cmocka_unit_test(what_is_not_ours_is_refused_and_stays),
		cmocka_unit_test(one_chain_does_not_take_anothers_network),
		cmocka_unit_test(a_vm_of_a_chain_that_is_up_elsewhere_stays),
		cmocka_unit_test(a_vm_lives_and_ends),
		cmocka_unit_test(a_domain_of_somebody_elses_name_is_refused),
		cmocka_unit_test(libvirt_that_is_not_there_is_the_machines_lack),
#endif
		cmocka_unit_test(last_words_of_a_qemu_that_dies_are_told),
		cmocka_unit_test(patience_has_an_end),
		cmocka_unit_test(a_socket_that_is_there_is_not_taken),
		cmocka_unit_test(without_qemu_the_machine_lacks_something),
		cmocka_unit_test(hosts_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
