/* SPDX-License-Identifier: MIT */
#include "vm_boot.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include "vm_console.h"

#define WATCH_MS 20
#define DYING_MS 5000

static const char *const wants[] = {"auto", "kvm", "tcg"};

int
vm_accel_parse(const char *word, enum vm_accel_want *want, struct err *err)
{
	for (size_t i = 0; i < N_ELEMS(wants); i++)
		if (strcmp(word, wants[i]) == 0) {
			*want = (enum vm_accel_want)i;
			return 0;
		}
	return err_usage(err, "unknown accelerator '%.100s' (auto, kvm or tcg)", word);
}

int
vm_accel_choose(struct vm_accel_choice *choice, enum vm_accel_want want,
		const struct kvm_probe *probe, struct err *err)
{
	*choice = (struct vm_accel_choice){.want = want};
	choice->accel = want != VM_WANT_TCG && probe->works ? VM_ACCEL_KVM : VM_ACCEL_TCG;
	if (want == VM_WANT_KVM && !probe->works)
		return err_machine(err, "KVM does not work here: %s (--accel auto emulates)",
				   probe->why);
	if (want == VM_WANT_TCG)
		snprintf(choice->why, sizeof(choice->why), "emulation was asked for");
	else if (probe->works)
		snprintf(choice->why, sizeof(choice->why), "KVM works: it %s", probe->why);
	else
		snprintf(choice->why, sizeof(choice->why), "KVM does not work here: %s",
			 probe->why);
	return 0;
}

json_t *
vm_accel_to_json(const struct vm_accel_choice *choice)
{
	return json_pack("{s:s, s:s, s:s}", "wanted", wants[choice->want], "used",
			 vm_accel_name(choice->accel), "reason", choice->why);
}

/* ---- watching ---- */

/* Makes the wait for a hello end when the VM does, or the user wants it to. */
struct watch {
	struct vm *vm;
	const volatile sig_atomic_t *stop; /* the user's wish, or NULL */
	volatile sig_atomic_t *gone;
	atomic_bool over;
};

static bool
user_stops(const struct vm_boot_conf *conf)
{
	return conf->stop != NULL && *conf->stop != 0;
}

static void *
watch_vm(void *arg)
{
	struct watch *w = arg;

	while (!atomic_load(&w->over)) {
		if (vm_check(w->vm, NULL) < 0 || (w->stop != NULL && *w->stop != 0)) {
			*w->gone = 1;
			break;
		}
		clock_sleep_ms(WATCH_MS);
	}
	return NULL;
}

/* A VM that is gone explains itself better than the agent's silence; one that dies closes its
 * sockets first. */
static int
explain(struct vm *vm, int rc, struct err *err)
{
	struct deadline d = deadline_in_ms(rc == -ETIMEDOUT ? 0 : DYING_MS);
	struct err why = {0};
	int gone;

	while ((gone = vm_check(vm, &why)) == 0 && !deadline_passed(&d))
		clock_sleep_ms(WATCH_MS);
	if (gone == 0)
		return rc;
	if (err != NULL)
		*err = why;
	return gone;
}

/* Of one that runs and is silent the console may say how far it came. */
static int
quote_console(struct vm *vm, int rc, struct err *err)
{
	char words[256], *why;

	vm_console_last(words, sizeof(words), vm->spec->console_path);
	if (words[0] == '\0' || err == NULL)
		return rc;
	why = xstrdup(err->msg);
	err_set(err, -rc, "%s; its console: %s", why, words);
	free(why);
	return rc;
}

int
vm_boot_hello(struct vm *vm, int fd, const struct vm_boot_conf *conf, struct err *err)
{
	struct watch w = {.vm = vm, .stop = conf->stop, .gone = conf->gone};
	pthread_t thread;
	int rc;

	*conf->gone = 0;
	rc = pthread_create(&thread, NULL, watch_vm, &w);
	if (rc != 0)
		return err_set(err, rc, "a thread to watch it: %s", strerror(rc));
	rc = conf->hello(conf->arg, fd, conf->hello_ms[vm->spec->accel], err);
	atomic_store(&w.over, true);
	pthread_join(thread, NULL);
	if (rc < 0 && user_stops(conf))
		return err_set(err, EINTR, "interrupted");
	if (rc < 0)
		rc = explain(vm, rc, err);
	return rc == -ETIMEDOUT ? quote_console(vm, rc, err) : rc;
}

/* ---- one try ---- */

static int
come_up(struct vm *vm, int *fd, const struct vm_boot_conf *conf, struct err *err)
{
	int rc = vm_wait_listening(vm, conf->start_ms, conf->stop, err);

	if (rc == 0 && conf->listening != NULL)
		rc = conf->listening(conf->arg, err);
	if (rc == 0)
		rc = vm_wait_running(vm, conf->start_ms, conf->stop, err);
	if (rc == 0)
		rc = vm_channel(vm, fd, err);
	if (rc < 0)
		return rc;
	rc = vm_boot_hello(vm, *fd, conf, err);
	if (rc < 0) {
		close(*fd);
		*fd = -1;
	}
	return rc;
}

static int
try(struct vm **vm, int *fd, struct vm_host *host, const struct vm_spec *spec,
    const struct vm_boot_conf *conf, struct err *err)
{
	int rc = vm_start(vm, host, spec, err);

	if (rc < 0)
		return rc;
	rc = come_up(*vm, fd, conf, err);
	if (rc < 0) {
		vm_stop(*vm);
		*vm = NULL;
	}
	return rc;
}

int
vm_boot(struct vm **vm, int *fd, struct vm_host *host, struct vm_spec *spec,
	struct vm_accel_choice *choice, const struct vm_boot_conf *conf, struct err *err)
{
	struct err why = {0};
	int rc;

	*vm = NULL;
	*fd = -1;
	spec->accel = choice->accel;
	rc = try(vm, fd, host, spec, conf, &why);
	if (rc < 0 && rc != -EINTR && choice->accel == VM_ACCEL_KVM &&
	    choice->want == VM_WANT_AUTO && why.class == ERR_FAILED) {
		LOG(WARN, "%s; once more under emulation", why.msg);
		choice->accel = spec->accel = VM_ACCEL_TCG;
		snprintf(choice->why, sizeof(choice->why), "under KVM it did not come up: %.200s",
			 why.msg);
		memset(&why, 0, sizeof(why));
		rc = try(vm, fd, host, spec, conf, &why);
	}
	if (rc < 0 && err != NULL)
		*err = why;
	return rc;
}
