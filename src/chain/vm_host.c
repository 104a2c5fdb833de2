/* SPDX-License-Identifier: MIT */
/* What is the same for all kinds of hosts. */
#include "vm_host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#include "rundir.h"
#include "vm_console.h"

#define POLL_MS 10

int
vm_host_parse(const char *word, const struct vm_host_ops **ops, struct err *err)
{
	static const struct vm_host_ops *const kinds[] = {&vm_host_libvirt, &vm_host_qemu};

	for (size_t i = 0; i < N_ELEMS(kinds); i++)
		if (strcmp(word, kinds[i]->name) == 0) {
			*ops = kinds[i];
			return 0;
		}
	return err_usage(err, "VMs run under libvirt or qemu, not under '%.100s'", word);
}

int
vm_host_open(struct vm_host **host, const struct vm_host_ops *ops, const struct vm_host_conf *conf,
	     struct err *err)
{
	int rc;

	*host = NULL;
	rc = ops->open(host, conf, err);
	if (rc == 0)
		(*host)->ops = ops;
	return rc;
}

void
vm_host_close(struct vm_host *host)
{
	if (host != NULL)
		host->ops->close(host);
}

void
vm_host_probe(struct vm_host *host, struct kvm_probe *probe)
{
	host->ops->probe(host, probe);
}

int
vm_net_up(struct vm_host *host, const struct vm_net *net, struct err *err)
{
	int rc = vm_net_check(net, err);

	return rc < 0 ? rc : host->ops->net_up(host, net, err);
}

int
vm_net_down(struct vm_host *host, const struct vm_net *net, struct err *err)
{
	return host->ops->net_down(host, net, err);
}

/* QEMU would take over a socket that is there, whoever it belongs to. */
static int
check_paths_free(const struct vm_spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->n_nics; i++) {
		const struct vm_nic *nic = &spec->nic[i];
		struct stat st;

		if (nic->link != VM_LINK_NETWORK && nic->listens && lstat(nic->path, &st) == 0)
			return err_set(err, EEXIST, "NIC %zu: '%s' is there already", i, nic->path);
	}
	return 0;
}

int
vm_start(struct vm **vm, struct vm_host *host, const struct vm_spec *spec, struct err *err)
{
	int rc = vm_spec_check(spec, err);

	*vm = NULL;
	if (rc < 0)
		return rc;
	rc = check_paths_free(spec, err);
	if (rc == 0)
		rc = host->ops->start(vm, host, spec, err);
	if (rc < 0)
		return err_wrap(err, rc, "VM '%s'", spec->name);
	(*vm)->host = host;
	(*vm)->spec = spec;
	return 0;
}

void
vm_stop(struct vm *vm)
{
	const struct vm_spec *spec;

	if (vm == NULL)
		return;
	spec = vm->spec;
	vm->host->ops->stop(vm);
	for (size_t i = 0; i < spec->n_nics; i++)
		if (spec->nic[i].link != VM_LINK_NETWORK && spec->nic[i].listens)
			(void)unlink(spec->nic[i].path);
}

void
vm_state(struct vm *vm, struct vm_state *state)
{
	*state = (struct vm_state){0};
	vm->host->ops->state(vm, state);
}

int
vm_check(struct vm *vm, struct err *err)
{
	struct vm_state state;
	char panic[256];

	vm_state(vm, &state);
	if (state.run == VM_RUNNING || state.run == VM_STARTING)
		return 0;
	/* Neither QEMU nor libvirt knows why a kernel gave up. */
	vm_console_panic(panic, sizeof(panic), vm->spec->console_path);
	return err_set(err, ECHILD, "VM '%s' %s: %s%s%s", vm->spec->name,
		       state.run == VM_ENDED ? "has ended" : "stands still", state.why,
		       panic[0] != '\0' ? ": " : "", panic);
}

/* One turn of waiting: 1 to go on, or why not. */
static int
wait_turn(struct vm *vm, const struct deadline *d, const volatile sig_atomic_t *stop,
	  const char *what, struct err *err)
{
	int rc = vm_check(vm, err);

	if (rc < 0)
		return rc;
	if (stop != NULL && *stop != 0)
		return err_set(err, EINTR, "interrupted");
	if (deadline_passed(d))
		return err_set(err, ETIMEDOUT, "VM '%s' %s", vm->spec->name, what);
	clock_sleep_ms(POLL_MS);
	return 1;
}

int
vm_wait_running(struct vm *vm, int ms, const volatile sig_atomic_t *stop, struct err *err)
{
	struct deadline d = deadline_in_ms((uint64_t)ms);
	struct vm_state state;
	int rc;

	do {
		vm_state(vm, &state);
		if (state.run == VM_RUNNING)
			return 0;
		rc = wait_turn(vm, &d, stop, "does not start in time", err);
	} while (rc > 0);
	return rc;
}

static bool
is_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

int
vm_wait_listening(struct vm *vm, int ms, const volatile sig_atomic_t *stop, struct err *err)
{
	struct deadline d = deadline_in_ms((uint64_t)ms);
	const char *path = NULL;
	int rc = 1;

	for (size_t i = 0; path == NULL && i < vm->spec->n_nics; i++)
		if (vm->spec->nic[i].link != VM_LINK_NETWORK && vm->spec->nic[i].listens)
			path = vm->spec->nic[i].path;
	while (rc > 0 && path != NULL && !is_socket(path))
		rc = wait_turn(vm, &d, stop, "does not make its sockets in time", err);
	return rc < 0 ? rc : 0;
}

int
vm_channel(struct vm *vm, int *fd, struct err *err)
{
	*fd = -1;
	return err_wrap(err, vm->host->ops->channel(vm, fd, err), "VM '%s': channel '%s'",
			vm->spec->name, vm->spec->channel);
}

int
vm_nic_stats(struct vm *vm, size_t nic, struct vm_nic_stats *stats, struct err *err)
{
	*stats = (struct vm_nic_stats){0};
	return err_wrap(err, vm->host->ops->nic_stats(vm, nic, stats, err), "VM '%s': NIC %zu",
			vm->spec->name, nic);
}

int
vm_freeze(struct vm *vm, bool frozen, struct err *err)
{
	if (vm->host->ops->freeze == NULL)
		return err_set(err, ENOTSUP,
			       "VM '%s': VMs under %s cannot be stopped to let another chain run",
			       vm->spec->name, vm->host->ops->name);
	return vm->host->ops->freeze(vm, frozen, err);
}

int
vm_host_list(struct vm_host *host, const char *chain, struct vm_found **found, size_t *n,
	     struct err *err)
{
	*found = NULL;
	*n = 0;
	return host->ops->list(host, chain, found, n, err);
}

int
vm_host_remove(struct vm_host *host, const struct vm_found *found, struct err *err)
{
	return err_wrap(err, host->ops->remove(host, found, err), "%s '%s'",
			found->is_network ? "network" : "VM", found->name);
}

/* A name is the host's, and run directories are many: is it the VM of a chain that is up in
 * another?
 */
static int
check_left(const struct vm_found *found, struct err *err)
{
	struct rundir_info info;
	int rc = 0;

	if (found->run_dir[0] == '\0')
		return 0;
	rundir_look(&info, found->run_dir);
	if (info.owner != 0 && info.owner != getpid())
		rc = err_set(
			err, EEXIST,
			"VM '%s' is of a chain '%s' that is up in '%.200s' (pid %d); give this one "
			"another name, or end that one: nfvchain down %s",
			found->name, found->chain, found->run_dir, (int)info.owner, found->chain);
	rundir_info_fini(&info);
	return rc;
}

int
vm_host_clean(struct vm_host *host, const char *chain, struct err *err)
{
	struct vm_found *found;
	size_t n;
	int rc = vm_host_list(host, chain, &found, &n, err);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = check_left(&found[i], err);
	/* A network goes when no VM has a NIC in it. */
	for (int networks = 0; networks < 2; networks++)
		for (size_t i = 0; rc == 0 && i < n; i++)
			if (found[i].is_network == (networks == 1))
				rc = vm_host_remove(host, &found[i], err);
	free(found);
	return rc < 0 ? rc : (int)n;
}
