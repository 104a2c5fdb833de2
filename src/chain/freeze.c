/* SPDX-License-Identifier: MIT */
#include "freeze.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"

#define FREEZE_MS 5000
#define LOOK_NS 20000 /* between two looks whether it has stopped */

/* State of the thread with this entry in /proc/PID/task, 'R' for one that runs or could, 'T' for
 * one that is stopped; 0 when there is none. */
static char
thread_state(pid_t pid, const char *entry)
{
	char path[80], line[512], state = 0;
	const char *after;
	size_t n;
	FILE *in;

	if (!isdigit((unsigned char)entry[0]))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/stat", (int)pid, entry);
	in = fopen(path, "re");
	if (in == NULL)
		return 0;
	n = fread(line, 1, sizeof(line) - 1, in);
	fclose(in);
	line[n] = '\0';
	/* The name in brackets may hold anything, brackets too. */
	after = strrchr(line, ')');
	return after != NULL && sscanf(after + 1, " %c", &state) == 1 ? state : 0;
}

/* The first thread of a process that is in this state, or with 'others' one that is not; 0: none.
 */
static pid_t
find_thread(pid_t pid, char state, bool others)
{
	const struct dirent *entry;
	char path[80];
	pid_t tid = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir != NULL && tid == 0 && (entry = readdir(dir)) != NULL) {
		char now = thread_state(pid, entry->d_name);

		if (now != 0 && (now == state) != others)
			tid = (pid_t)atoi(entry->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	return tid;
}

/* Waits until the child, with all its threads, has stopped.  -ETIMEDOUT also when it is dead. */
static int
await_stop(const struct proc *p)
{
	const struct timespec nap = {.tv_nsec = LOOK_NS};
	struct deadline d = deadline_in_ms(FREEZE_MS);
	siginfo_t info;

	do {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)p->pid, &info, WSTOPPED | WNOHANG) == 0 &&
		    info.si_pid == p->pid)
			return 0;
		nanosleep(&nap, NULL);
	} while (!deadline_passed(&d));
	/* The kernel tells once; one that was stopped before has nothing new to tell. */
	return find_thread(p->pid, 'T', true) == 0 ? 0 : -ETIMEDOUT;
}

pid_t
freeze_busy_thread(pid_t pid)
{
	pid_t tid = find_thread(pid, 'R', false);

	return tid != 0 ? tid : pid;
}

int
freeze_proc(const struct proc *p)
{
	kill(-p->pid, SIGSTOP);
	return await_stop(p);
}

void
freeze_thaw(struct proc *p)
{
	if (proc_alive(p))
		kill(-p->pid, SIGCONT);
}
