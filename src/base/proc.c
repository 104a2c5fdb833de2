/* SPDX-License-Identifier: MIT */
/* A child after its start, which is in proc_start.c. */
#include "proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "proc_keeper.h"

/* Patience of proc_close with a child that still runs. */
#define CLOSE_MS 2000

/* Patience after SIGKILL: who sleeps in a driver dies only when the driver lets go. */
#define KILL_MS 10000

/* Bytes of the log that proc_last_words looks through. */
#define LAST_WORDS 4096

/* ---- waiting and stopping ---- */

/* Waits for the end without taking the status, so that the pid stays ours. */
static bool
await_end(const struct proc *p, const struct deadline *deadline)
{
	struct pollfd pfd = {.fd = p->pidfd, .events = POLLIN};
	int n;

	do
		n = poll(&pfd, 1, deadline_left_ms(deadline));
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* Takes the status of a child that has ended.  Others of its group would have nobody left who could
 * stop them, so they end with it, while the group's number cannot be anybody else's yet. */
static void
reap(struct proc *p)
{
	pid_t pid;

	kill(-p->pid, SIGKILL);
	keeper_end(p->keeper);
	p->keeper = 0;
	do
		pid = waitpid(p->pid, &p->status, 0);
	while (pid < 0 && errno == EINTR);
	p->reaped = true;
}

bool
proc_wait(struct proc *p, int ms)
{
	struct deadline deadline = deadline_in_ms(ms > 0 ? (uint64_t)ms : 0);

	if (p->pid == 0 || p->reaped)
		return true;
	if (!await_end(p, &deadline))
		return false;
	reap(p);
	return true;
}

bool
proc_alive(struct proc *p)
{
	return !proc_wait(p, 0);
}

/* Is the process of this /proc entry alive and in group 'pgid'? */
static bool
in_group(const char *entry, pid_t pgid)
{
	char path[64], line[512], state;
	const char *after;
	size_t n;
	FILE *in;
	int group;

	if (!isdigit((unsigned char)entry[0]))
		return false;
	snprintf(path, sizeof(path), "/proc/%.16s/stat", entry);
	in = fopen(path, "re");
	if (in == NULL)
		return false;
	n = fread(line, 1, sizeof(line) - 1, in);
	fclose(in);
	line[n] = '\0';
	/* The name in brackets may hold anything, brackets too. */
	after = strrchr(line, ')');
	if (after == NULL || sscanf(after + 1, " %c %*d %d", &state, &group) != 2)
		return false;
	return group == pgid && state != 'Z' && state != 'X';
}

static bool
group_alive(pid_t pgid)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	bool found = false;

	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL)
		found = in_group(entry->d_name, pgid);
	closedir(dir);
	return found;
}

void
proc_stop(struct proc *p, int ms)
{
	struct deadline deadline = deadline_in_ms(ms > 0 ? (uint64_t)ms : 0);
	struct deadline last;

	if (!proc_alive(p))
		return;
	kill(-p->pid, SIGTERM);
	kill(-p->pid, SIGCONT); /* one that is stopped could not obey */
	if (await_end(p, &deadline))
		while (group_alive(p->pid) && !deadline_passed(&deadline))
			clock_sleep_ms(5);
	kill(-p->pid, SIGKILL);
	last = deadline_in_ms(KILL_MS);
	if (await_end(p, &last))
		reap(p);
}

void
proc_close(struct proc *p)
{
	if (p == NULL)
		return;
	if (p->pid != 0) {
		proc_stop(p, CLOSE_MS);
		keeper_end(p->keeper);
		if (p->pidfd >= 0)
			close(p->pidfd);
		if (p->lifeline_fd >= 0)
			close(p->lifeline_fd);
	}
	free(p->name);
	free(p->log_path);
	*p = (struct proc){0};
}

/* ---- telling ---- */

char *
proc_print_status(char *buf, size_t size, const struct proc *p)
{
	const char *name;

	if (p->pid == 0)
		snprintf(buf, size, "was not started");
	else if (!p->reaped)
		snprintf(buf, size, "is running");
	else if (WIFEXITED(p->status))
		snprintf(buf, size, "exited with %d", WEXITSTATUS(p->status));
	else if ((name = sigabbrev_np(WTERMSIG(p->status))) != NULL)
		snprintf(buf, size, "killed by SIG%s", name);
	else
		snprintf(buf, size, "killed by signal %d", WTERMSIG(p->status));
	return buf;
}

/* Reads the end of the log, but nothing that was there before the child; the length. */
static size_t
read_tail(const struct proc *p, char *buf, size_t size)
{
	int fd = p->log_path != NULL ? open(p->log_path, O_RDONLY | O_CLOEXEC) : -1;
	struct stat st;
	off_t from;
	ssize_t n = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0) {
		from = st.st_size > (off_t)size ? st.st_size - (off_t)size : 0;
		n = pread(fd, buf, size, from > p->log_start ? from : p->log_start);
	}
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

/* Copies a line without the colours and control characters that a terminal would obey. */
static void
copy_clean(char *dst, size_t size, const char *src, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++) {
		if (src[i] == '\033' && i + 1 < len && src[i + 1] == '[') {
			for (i += 2; i < len && !isalpha((unsigned char)src[i]);)
				i++;
			continue;
		}
		if (iscntrl((unsigned char)src[i]) && src[i] != '\t')
			continue;
		dst[n++] = src[i];
	}
	while (n > 0 && isblank((unsigned char)dst[n - 1]))
		n--;
	dst[n] = '\0';
}

static bool
says_something(const char *line)
{
	while (*line != '\0' && !isalnum((unsigned char)*line))
		line++;
	return *line != '\0';
}

char *
proc_last_words(char *buf, size_t size, const struct proc *p)
{
	char tail[LAST_WORDS];
	size_t end = read_tail(p, tail, sizeof(tail));

	buf[0] = '\0';
	while (end > 0) {
		size_t start = end;

		while (start > 0 && tail[start - 1] != '\n')
			start--;
		copy_clean(buf, size, tail + start, end - start);
		if (says_something(buf))
			return buf;
		end = start > 0 ? start - 1 : 0;
	}
	buf[0] = '\0';
	return buf;
}
