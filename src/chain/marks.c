/* SPDX-License-Identifier: MIT */
#include "marks.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

/* Who sleeps in a driver dies only when the driver lets go. */
#define KILL_MS 10000

/* ---- what /proc says ---- */

char *
marked_read(pid_t pid, const char *file, size_t *len)
{
	char *path = xasprintf("/proc/%d/%s", pid, file);
	FILE *in = fopen(path, "re");
	struct str text = {0};
	char chunk[4096];
	size_t n;

	free(path);
	if (in == NULL)
		return NULL;
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
		str_addn(&text, chunk, n);
	fclose(in);
	*len = text.len;
	return text.len > 0 ? str_take(&text) : NULL;
}

/* A variable in an environment as /proc has it, or NULL. */
static const char *
find_variable(const char *env, size_t len, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = env; p < env + len; p += strlen(p) + 1)
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return p + n + 1;
	return NULL;
}

/* The run directory of RUN/rt/NAME, or "". */
static char *
run_dir_of(const char *runtime, const char *name)
{
	char *end = xasprintf("/rt/%s", name);
	size_t len = runtime != NULL ? strlen(runtime) : 0, n = strlen(end);
	bool is = len > n && strcmp(runtime + len - n, end) == 0;

	free(end);
	return is ? xasprintf("%.*s", (int)(len - n), runtime) : xstrdup("");
}

static bool
is_ours(pid_t pid)
{
	char *path = xasprintf("/proc/%d", pid);
	struct stat st;
	bool ours = stat(path, &st) == 0 && st.st_uid == geteuid();

	free(path);
	return ours;
}

static char *
program_of(pid_t pid)
{
	size_t len;
	char *comm = marked_read(pid, "comm", &len);

	if (comm == NULL)
		return xstrdup("?");
	comm[strcspn(comm, "\n")] = '\0';
	return comm;
}

bool
marked_look(pid_t pid, struct marked *m)
{
	const char *id, *slash;
	size_t len;
	char *env;

	*m = (struct marked){.pid = pid};
	env = is_ours(pid) ? marked_read(pid, "environ", &len) : NULL;
	id = env != NULL ? find_variable(env, len, "NFVCHAIN_ID") : NULL;
	slash = id != NULL ? strchr(id, '/') : NULL;
	if (slash != NULL && slash > id && slash[1] != '\0') {
		m->chain = xasprintf("%.*s", (int)(slash - id), id);
		m->name = xstrdup(slash + 1);
		m->run_dir = run_dir_of(find_variable(env, len, "RUNTIME_DIRECTORY"), m->name);
		m->program = program_of(pid);
	}
	free(env);
	return m->chain != NULL;
}

void
marked_fini(struct marked *m)
{
	free(m->chain);
	free(m->name);
	free(m->run_dir);
	free(m->program);
	*m = (struct marked){0};
}

void
marked_free(struct marked *found, size_t n)
{
	for (size_t i = 0; i < n; i++)
		marked_fini(&found[i]);
	free(found);
}

int
marked_find(const char *chain, const char *run_dir, struct marked **found, size_t *n,
	    struct err *err)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	*found = NULL;
	*n = 0;
	if (dir == NULL)
		return err_set(err, errno, "/proc: %s", strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		struct marked m;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !marked_look(atoi(entry->d_name), &m))
			continue;
		if ((chain != NULL && strcmp(chain, m.chain) != 0) ||
		    (run_dir != NULL && strcmp(run_dir, m.run_dir) != 0)) {
			marked_fini(&m);
			continue;
		}
		*found = xrealloc(*found, *n + 1, sizeof(**found));
		(*found)[(*n)++] = m;
	}
	closedir(dir);
	return 0;
}

/* ---- their end ---- */

static bool
is_same(const struct marked *m)
{
	struct marked now;
	bool same = marked_look(m->pid, &now) && strcmp(now.chain, m->chain) == 0 &&
		    strcmp(now.name, m->name) == 0;

	marked_fini(&now);
	return same;
}

/* A descriptor of the process, -1 when it has ended. */
static int
hold(const struct marked *m)
{
	int fd = (int)syscall(SYS_pidfd_open, m->pid, 0);

	/* It is of whoever has the number now: look again. */
	if (fd >= 0 && !is_same(m)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Waits until all have ended; poll passes over those that have. */
static bool
await(struct pollfd *fds, size_t n, int ms)
{
	struct deadline d = deadline_in_ms((uint64_t)ms);
	size_t left;

	do {
		left = 0;
		for (size_t i = 0; i < n; i++) {
			if (fds[i].fd >= 0 && poll(&fds[i], 1, 0) > 0) {
				close(fds[i].fd);
				fds[i].fd = -1;
			}
			left += fds[i].fd >= 0;
		}
		if (left > 0)
			(void)poll(fds, (nfds_t)n, deadline_left_ms(&d));
	} while (left > 0 && !deadline_passed(&d));
	return left == 0;
}

static void
send_all(const struct pollfd *fds, size_t n, int signum)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i].fd >= 0)
			(void)syscall(SYS_pidfd_send_signal, fds[i].fd, signum, NULL, 0);
}

int
marked_end(const struct marked *found, size_t n, int ms, struct err *err)
{
	struct pollfd *fds = xcalloc(n + 1, sizeof(*fds));
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = hold(&found[i]), .events = POLLIN};
	if (ms > 0) {
		send_all(fds, n, SIGTERM);
		/* One that is stopped could not obey. */
		send_all(fds, n, SIGCONT);
	}
	if (!await(fds, n, ms)) {
		send_all(fds, n, SIGKILL);
		(void)await(fds, n, KILL_MS);
	}
	for (size_t i = 0; i < n; i++)
		if (fds[i].fd >= 0) {
			rc = err_set(err, ETIMEDOUT, "process %d (%s) does not end", found[i].pid,
				     found[i].name);
			close(fds[i].fd);
		}
	free(fds);
	return rc;
}
