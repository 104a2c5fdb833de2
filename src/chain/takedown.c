/* SPDX-License-Identifier: MIT */
#include "takedown.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#include "rundir.h"

/* Patience with a nfvchain that takes its chain down: seconds for each VM, for one that builds the
 * guests' image more than that. */
#define OWNER_MS 40000
/* After its SIGKILL its children end by themselves. */
#define KILL_MS 10000
#define STOP_MS 4000
/* Rounds of ending processes: one that is ended may have started another meanwhile. */
#define ROUNDS 5

struct work {
	const struct census *census; /* or NULL, as long as libvirt is not needed */
	const struct census_chain *ch;
	const struct takedown_conf *conf;
	struct err *err;
	int rc; /* of the first thing that did not go */
};

static void __attribute__((format(printf, 2, 3))) tell(struct work *w, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	w->conf->tell(w->conf->arg, w->ch->name, text);
	free(text);
}

/* Keeps the first failure; true when there is none. */
static bool
note(struct work *w, int rc, const struct err *why)
{
	if (rc >= 0)
		return true;
	if (w->rc == 0) {
		w->rc = rc;
		if (w->err != NULL)
			*w->err = *why;
	}
	return false;
}

/* ---- the owner ---- */

/* A descriptor of the nfvchain that has the lock still, or -1. */
static int
hold_owner(const struct census_chain *ch)
{
	int fd = (int)syscall(SYS_pidfd_open, ch->owner, 0);
	struct rundir_info now;

	if (fd < 0)
		return -1;
	/* The descriptor is of whoever has the number now: look again. */
	rundir_look(&now, ch->run_dir);
	if (now.owner != ch->owner) {
		close(fd);
		fd = -1;
	}
	rundir_info_fini(&now);
	return fd;
}

static bool
await_end(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct deadline d = deadline_in_ms((uint64_t)ms);
	int n;

	do
		n = poll(&p, 1, deadline_left_ms(&d));
	while (n < 0 && errno == EINTR);
	return n > 0;
}

static void
end_owner(struct work *w, int fd)
{
	const struct census_chain *ch = w->ch;
	const char *command = ch->command != NULL ? ch->command : "";
	struct err why = {0};

	(void)syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);
	/* One that is stopped could not obey. */
	(void)syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
	if (await_end(fd, OWNER_MS)) {
		tell(w, "ended nfvchain %s (pid %d)", command, ch->owner);
	} else {
		(void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
		if (await_end(fd, KILL_MS))
			tell(w, "killed nfvchain %s (pid %d), which did not end in %d s", command,
			     ch->owner, OWNER_MS / 1000);
		else
			note(w,
			     err_set(&why, ETIMEDOUT, "nfvchain %s (pid %d) does not end", command,
				     ch->owner),
			     &why);
	}
}

int
takedown_owner(const struct census_chain *ch, const struct takedown_conf *conf, struct err *err)
{
	struct work w = {.ch = ch, .conf = conf, .err = err};
	int fd = ch->owner > 0 ? hold_owner(ch) : -1;

	if (fd < 0)
		return 0;
	end_owner(&w, fd);
	close(fd);
	return w.rc;
}

/* ---- processes ---- */

/* Ends those that are there now; false when there were none. */
static bool
end_some(struct work *w)
{
	struct marked *found;
	struct err why = {0};
	size_t n;
	bool has_dir = w->ch->run_dir[0] != '\0';
	int rc = marked_find(has_dir ? NULL : w->ch->name, w->ch->run_dir, &found, &n, &why);
	bool any = n > 0;

	if (note(w, rc, &why) && any) {
		rc = marked_end(found, n, STOP_MS, &why);
		note(w, rc, &why);
		for (size_t i = 0; rc == 0 && i < n; i++)
			tell(w, "ended process %d (%s)", found[i].pid, found[i].name);
		any = rc == 0;
	}
	marked_free(found, n);
	return any;
}

static void
end_processes(struct work *w)
{
	for (int i = 0; i < ROUNDS && end_some(w); i++)
		;
}

/* ---- the rest ---- */

/* Those that were found: with a lock of ours nobody adds any.  Networks go when no domain has a NIC
 * in them. */
static void
remove_vms(struct work *w)
{
	const struct census_chain *ch = w->ch;

	for (int networks = 0; networks < 2; networks++)
		for (size_t i = 0; i < ch->n_vms; i++) {
			struct err why = {0};

			if (ch->vm[i].is_network != (networks == 1))
				continue;
			if (note(w, vm_host_remove(w->census->libvirt, &ch->vm[i], &why), &why))
				tell(w, "removed %s %s", networks == 1 ? "network" : "domain",
				     ch->vm[i].name);
		}
}

static void
remove_all(struct work *w, const char *what, const struct device_list *list,
	   int (*remove_one)(const char *name, struct err *err))
{
	for (size_t i = 0; i < list->n; i++) {
		struct err why = {0};

		int rc = remove_one(list->name[i], &why);

		/* One that is gone already went with another. */
		if (note(w, rc, &why) && rc > 0)
			tell(w, "removed %s %s", what, list->name[i]);
	}
}

static void
clear(struct work *w)
{
	const struct census_chain *ch = w->ch;

	end_processes(w);
	remove_vms(w);
	remove_all(w, "namespace", &ch->namespaces, netns_remove);
	remove_all(w, "device", &ch->devices, device_remove);
	remove_all(w, "hugepages", &ch->hugepages, hugepages_remove);
}

int
takedown(const struct census *c, const struct census_chain *ch, const struct takedown_conf *conf,
	 struct err *err)
{
	struct work w = {.census = c, .ch = ch, .conf = conf, .err = err};
	struct rundir dir = {.lock_fd = -1};
	struct err why = {0};
	bool had_dir = false;

	if (ch->run_dir[0] != '\0')
		note(&w, rundir_seize(&dir, ch->run_dir, ch->name, &why), &why);
	if (w.rc < 0)
		return w.rc;
	clear(&w);
	if (dir.path != NULL && note(&w, rundir_remove(&dir, &had_dir, &why), &why) && had_dir)
		tell(&w, "removed %s", ch->run_dir);
	return w.rc;
}
