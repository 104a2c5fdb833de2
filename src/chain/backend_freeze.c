/* SPDX-License-Identifier: MIT */
/* Programs that poll share a CPU badly, so of several chains that are up only one may be awake.
 * SIGSTOP reaches whole process groups, takes effect within microseconds also in a loop that never
 * sleeps, and needs no privilege; what ends us still ends them: SIGKILL acts on stopped processes,
 * and ours are continued by our death (see proc_start.c). */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend.h"
#include "backend_vm.h"
#include "freeze.h"

static int
stop_proc(struct backend *b, size_t i, struct err *err)
{
	struct proc *p = &b->proc[i];
	struct err death = {0};

	if (!proc_alive(p))
		return backend_check(b, err);
	if (freeze_proc(p) == 0)
		return 0;
	if (backend_check(b, &death) == -ECHILD)
		return err_wrap(err, err_set(err, ECHILD, "%s", death.msg), "freezing");
	return err_set(err, ETIMEDOUT, "%s does not stop on SIGSTOP", p->name);
}

pid_t
backend_busy_thread(struct backend *b, size_t i)
{
	return freeze_busy_thread(b->proc[plan_runner(b->plan, i + 1)].pid);
}

/* A signal to a process is taken by its main thread, which in many programs sleeps, and which on a
 * CPU that another thread keeps busy may have to wait for milliseconds.  The busy thread itself
 * takes it at once, and stops all others. */
static int
pause_proc(struct backend *b, size_t i, pid_t *busy_tid, struct err *err)
{
	pid_t pid = b->proc[i].pid;

	if (*busy_tid == 0 || *busy_tid == pid)
		*busy_tid = freeze_busy_thread(pid);
	if (proc_alive(&b->proc[i]))
		syscall(SYS_tgkill, pid, *busy_tid, SIGSTOP);
	return stop_proc(b, i, err);
}

int
backend_pause_hop(struct backend *b, size_t i, struct err *err)
{
	return pause_proc(b, plan_runner(b->plan, i + 1), &b->hop[i].busy_tid, err);
}

void
backend_resume_hop(struct backend *b, size_t i)
{
	freeze_thaw(&b->proc[plan_runner(b->plan, i + 1)]);
}

int
backend_pause_generator(struct backend *b, struct err *err)
{
	return pause_proc(b, 0, &b->generator_tid, err);
}

void
backend_resume_generator(struct backend *b)
{
	freeze_thaw(&b->proc[0]);
}

int
backend_freeze(struct backend *b, struct err *err)
{
	int rc = 0;

	b->frozen = true;
	/* Hops first: the generator then sees links that are full or empty, not ones that vanish.
	 */
	rc = backend_vms_freeze(b, true, err);
	for (size_t i = b->n_started; rc == 0 && i > 0; i--)
		if (plan_proc_is_here(&b->plan->proc[i - 1]))
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
		if (plan_proc_is_here(&b->plan->proc[i]))
			freeze_thaw(&b->proc[i]);
	(void)backend_vms_freeze(b, false, NULL);
}
