/* SPDX-License-Identifier: MIT */
/* Programs that poll share a CPU badly, so of several chains that are up only one may be awake.
 * SIGSTOP reaches whole process groups, takes effect within microseconds also in a loop that never
 * sleeps, and needs no privilege; what ends us still ends them: SIGKILL acts on stopped processes,
 * and ours are continued by our death (see proc_start.c). */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
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

/* The thread of a process that polls; the process itself when none does. */
static pid_t
busy_thread(pid_t pid)
{
	pid_t tid = find_thread(pid, 'R', false);

	return tid != 0 ? tid : pid;
}

static int
stop_proc(struct backend *b, size_t i, struct err *err)
{
	struct proc *p = &b->proc[i];
	struct err death = {0};

	if (!proc_alive(p))
		return backend_check(b, err);
	kill(-p->pid, SIGSTOP);
	if (await_stop(p) == 0)
		return 0;
	if (backend_check(b, &death) == -ECHILD)
		return err_wrap(err, err_set(err, ECHILD, "%s", death.msg), "freezing");
	return err_set(err, ETIMEDOUT, "%s does not stop on SIGSTOP", p->name);
}

static void
continue_proc(struct backend *b, size_t i)
{
	if (proc_alive(&b->proc[i]))
		kill(-b->proc[i].pid, SIGCONT);
}

pid_t
backend_busy_thread(struct backend *b, size_t i)
{
	return busy_thread(b->proc[i + 1].pid);
}

/* A signal to a process is taken by its main thread, which in many programs sleeps, and which on a
 * CPU that another thread keeps busy may have to wait for milliseconds.  The busy thread itself
 * takes it at once, and stops all others. */
static int
pause_proc(struct backend *b, size_t i, pid_t *busy_tid, struct err *err)
{
	pid_t pid = b->proc[i].pid;

	if (*busy_tid == 0 || *busy_tid == pid)
		*busy_tid = busy_thread(pid);
	if (proc_alive(&b->proc[i]))
		syscall(SYS_tgkill, pid, *busy_tid, SIGSTOP);
	return stop_proc(b, i, err);
}

int
backend_pause_hop(struct backend *b, size_t i, struct err *err)
{
	return pause_proc(b, i + 1, &b->hop[i].busy_tid, err);
}

void
backend_resume_hop(struct backend *b, size_t i)
{
	continue_proc(b, i + 1);
}

int
backend_pause_generator(struct backend *b, struct err *err)
{
	return pause_proc(b, 0, &b->generator_tid, err);
}

void
backend_resume_generator(struct backend *b)
{
	continue_proc(b, 0);
}

int
backend_freeze(struct backend *b, struct err *err)
{
	int rc = 0;

	if (b->vms != NULL)
		return err_usage(err, "a chain with VMs cannot take turns with another one yet");
	b->frozen = true;
	/* Hops first: the generator then sees links that are full or empty, not ones that vanish.
	 */
	for (size_t i = b->n_started; rc == 0 && i > 0; i--)
		rc = stop_proc(b, i - 1, err);
	return rc;
}

void
backend_thaw(struct backend *b)
{
	if (!b->frozen)
		return;
	b->frozen = false;
	for (size_t i = 0; i < b->n_started; i++)
		continue_proc(b, i);
}
