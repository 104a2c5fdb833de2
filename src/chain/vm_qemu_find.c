/* SPDX-License-Identifier: MIT */
#include "vm_qemu_find.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define END_MS 5000

/* All of a file of /proc, or NULL. */
static char *
read_proc(int pid, const char *name, size_t *len)
{
	char *path = xasprintf("/proc/%d/%s", pid, name);
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

static bool
is_qemu(int pid)
{
	size_t len;
	char *comm = read_proc(pid, "comm", &len);
	/* Threads apart it is the program's name, cut: "qemu-system-x86". */
	bool is = comm != NULL && strncmp(comm, "qemu-", 5) == 0;

	free(comm);
	return is;
}

/* Fills in 'found' when process 'pid' is a QEMU of ours. */
static bool
look_at(int pid, const char *chain, struct vm_found *found)
{
	const char *id, *slash;
	size_t len;
	char *env, *name;
	bool is;

	if (!is_qemu(pid))
		return false;
	env = read_proc(pid, "environ", &len);
	id = env != NULL ? find_variable(env, len, "NFVCHAIN_ID") : NULL;
	slash = id != NULL ? strchr(id, '/') : NULL;
	*found = (struct vm_found){.pid = pid};
	is = slash != NULL && (size_t)(slash - id) < sizeof(found->chain);
	if (is) {
		memcpy(found->chain, id, (size_t)(slash - id));
		is = chain == NULL || strcmp(chain, found->chain) == 0;
		name = xasprintf("%s-%s", found->chain, slash + 1);
		str_copy(found->name, sizeof(found->name), name);
		free(name);
	}
	free(env);
	return is;
}

int
vm_qemu_find(const char *chain, struct vm_found **found, size_t *n, struct err *err)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	*found = NULL;
	*n = 0;
	if (dir == NULL)
		return err_set(err, errno, "/proc: %s", strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		struct vm_found one;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !look_at(atoi(entry->d_name), chain, &one))
			continue;
		*found = xrealloc(*found, *n + 1, sizeof(**found));
		(*found)[(*n)++] = one;
	}
	closedir(dir);
	return 0;
}

int
vm_qemu_kill(const struct vm_found *found, struct err *err)
{
	int fd = (int)syscall(SYS_pidfd_open, found->pid, 0), rc = 0;
	struct pollfd end = {.fd = fd, .events = POLLIN};
	struct vm_found now;

	if (fd < 0)
		return errno == ESRCH ? 0 : err_set(err, errno, "pidfd: %s", strerror(errno));
	/* The descriptor is of whoever has the number now: look again. */
	if (look_at(found->pid, found->chain, &now)) {
		if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
			rc = err_set(err, errno, "process %d: %s", found->pid, strerror(errno));
		else if (poll(&end, 1, END_MS) == 0)
			rc = err_set(err, ETIMEDOUT, "process %d does not end", found->pid);
	}
	close(fd);
	return rc;
}
