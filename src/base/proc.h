/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "err.h"

/* Child processes that cannot be forgotten: each has a process group of its own, a pidfd, its
 * output in a log file, SIGPIPE and SIGIO ignored, and dies when we do. */

/* Namespaces that a child enters before anything else. */
struct proc_ns {
	int user_fd; /* -1: it stays in ours */
	int net_fd;
};

struct proc_conf {
	const char *name;	/* for messages */
	char *const *argv;	/* argv[0] is searched in PATH unless it has a slash */
	const char *const *env; /* "NAME=value" added to ours, NULL-terminated, or NULL */
	const char *log_path;	/* stdout and stderr go there, appended; NULL inherits ours */
	const char *cwd;	/* or NULL */
	const int *cpus;	/* allowed CPUs, or NULL for ours */
	size_t n_cpus;
	int nice;		  /* added to ours */
	const struct proc_ns *ns; /* NULL: it stays in ours */
	/* One of our own programs: "--lifeline FD" is appended to argv; the child drains and exits
	 * when we are gone.  A foreign program gets PR_SET_PDEATHSIG instead, SIGKILL, and a keeper
	 * for what it has started. */
	bool lifeline;
};

struct proc {
	char *name;
	char *log_path;
	pid_t pid;	 /* 0 when nothing was started */
	int pidfd;	 /* readable once the child is dead */
	int lifeline_fd; /* our end, or of a foreign child the keeper's; or -1 */
	pid_t keeper;	 /* see proc_keeper.h; 0 when there is none */
	off_t log_start; /* size of the log before the child wrote to it */
	bool reaped;
	int status; /* as waitpid gives it, once reaped */
};

/* Starts a child.  On failure nothing is left and 'p' is zeroed; exec failures are reported here
 * ("vnf1: dpdk-testpmd: No such file or directory", class ERR_MACHINE when it is not installed),
 * not as a dead child.  A foreign child dies with the calling *thread*: call it from one that
 * lasts.  stdin is /dev/null. */
int proc_start(struct proc *p, const struct proc_conf *conf, struct err *err);

/* Waits up to 'ms' for the end; true when it has ended ('status' is set).  What is left of its
 * group is killed then. */
bool proc_wait(struct proc *p, int ms);
/* Still running? */
bool proc_alive(struct proc *p);

/* Ends the child's whole group: SIGTERM, up to 'ms' of patience with the child and all others of
 * the group, SIGKILL.  Does nothing for a child that has ended. */
void proc_stop(struct proc *p, int ms);

/* "exited with 3", "killed by SIGSEGV", "is running". */
char *proc_print_status(char *buf, size_t size, const struct proc *p);
/* Last line of the child's log that says something, for error messages; "" when there is none. */
char *proc_last_words(char *buf, size_t size, const struct proc *p);

/* Releases descriptors; a child that still runs is stopped first. */
void proc_close(struct proc *p);
