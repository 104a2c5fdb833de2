/* SPDX-License-Identifier: MIT */
/* fork and exec rather than posix_spawn, which can set neither a parent-death signal nor CPUs and
 * cannot tell which of its steps failed.  Everything that allocates happens before the fork: the
 * parent may have threads, and then the child may only call what is async-signal-safe. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "proc.h"
#include "proc_keeper.h"

extern char **environ;

/* ---- what the child does ---- */

enum step { STEP_NS, STEP_CWD, STEP_CPUS, STEP_NICE, STEP_FDS, STEP_EXEC };

/* What the child tells its parent when it does not get as far as the program. */
struct failure {
	enum step step;
	int errnum;
};

/* All the child needs, made ready before the fork. */
struct launch {
	const struct proc_conf *conf;
	char **argv;
	char **env;
	cpu_set_t *cpus;
	size_t cpus_size;
	pid_t parent;
	int null_fd;   /* its stdin */
	int log_fd;    /* its stdout and stderr, or -1 */
	int alive_fd;  /* its end of the lifeline, or -1 */
	int report_fd; /* takes a struct failure; closed by a successful exec */
	int watch_fd;  /* our end of that */
	int hold_fd;   /* our end of the lifeline, or -1 */
};

static _Noreturn void
child_fail(const struct launch *l, enum step step)
{
	struct failure failure = {.step = step, .errnum = errno};
	ssize_t n;

	do
		n = write(l->report_fd, &failure, sizeof(failure));
	while (n < 0 && errno == EINTR);
	_exit(127);
}

/* Our handlers mean nothing in the child.  SIGPIPE stays ignored through exec: a virtio-user
 * program dies of it as soon as its back end goes away; and SIGIO, which the kernel sends a program
 * with a tap when it is stopped for so long that no more of the signals fit which that waits for.
 */
static void
child_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int signum = 1; signum < NSIG; signum++)
		sigaction(signum, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
	sigaction(SIGIO, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
child_close_others(void)
{
	struct rlimit limit;

	if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	/* Linux before 5.11. */
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -1;
	for (int fd = 3; (rlim_t)fd < limit.rlim_cur && fd < 65536; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

static int
child_fds(const struct launch *l)
{
	if (dup2(l->null_fd, 0) < 0)
		return -1;
	if (l->log_fd >= 0 && (dup2(l->log_fd, 1) < 0 || dup2(l->log_fd, 2) < 0))
		return -1;
	if (child_close_others() < 0)
		return -1;
	return l->alive_fd >= 0 ? fcntl(l->alive_fd, F_SETFD, 0) : 0;
}

/* That of users first: being at home in it is what allows the other. */
static int
child_enter(const struct proc_ns *ns)
{
	if (ns->user_fd >= 0 && setns(ns->user_fd, CLONE_NEWUSER) < 0)
		return -1;
	return setns(ns->net_fd, CLONE_NEWNET);
}

static _Noreturn void
child_main(const struct launch *l)
{
	const struct proc_conf *conf = l->conf;

	setpgid(0, 0);
	child_signals();
	/* Before the parent's death is asked for: new rights make the kernel forget that. */
	if (conf->ns != NULL && child_enter(conf->ns) < 0)
		child_fail(l, STEP_NS);
	/* One that is stopped could not see the end of its lifeline. */
	if (conf->lifeline)
		prctl(PR_SET_PDEATHSIG, SIGCONT);
	if (!conf->lifeline) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* It only tells of deaths from now on. */
		if (getppid() != l->parent)
			_exit(127);
	}
	if (conf->cwd != NULL && chdir(conf->cwd) < 0)
		child_fail(l, STEP_CWD);
	if (l->cpus != NULL && sched_setaffinity(0, l->cpus_size, l->cpus) < 0)
		child_fail(l, STEP_CPUS);
	errno = 0;
	if (conf->nice != 0 && nice(conf->nice) == -1 && errno != 0)
		child_fail(l, STEP_NICE);
	if (child_fds(l) < 0)
		child_fail(l, STEP_FDS);
	execvpe(l->argv[0], l->argv, l->env);
	child_fail(l, STEP_EXEC);
}

/* ---- making it ready ---- */

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Moves 'fd' above stdin, stdout and stderr, so that the child's dup2 never meets it there. */
static int
lift(int fd)
{
	int high, why;

	if (fd < 0 || fd > 2)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	why = errno;
	close(fd);
	errno = why;
	return high;
}

static int
make_pipe(int *read_fd, int *write_fd)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*read_fd = lift(fds[0]);
	*write_fd = lift(fds[1]);
	return *read_fd < 0 || *write_fd < 0 ? -EMFILE : 0;
}

/* Our environment with the additions of 'conf', which win. */
static char **
make_env(const struct proc_conf *conf)
{
	size_t ours = 0, added = 0, n = 0;
	char **env;

	while (environ != NULL && environ[ours] != NULL)
		ours++;
	while (conf->env != NULL && conf->env[added] != NULL)
		added++;
	env = xcalloc(ours + added + 1, sizeof(*env));
	for (size_t i = 0; i < ours; i++) {
		size_t name = strcspn(environ[i], "=");
		size_t k = 0;

		while (k < added &&
		       (strncmp(conf->env[k], environ[i], name) != 0 || conf->env[k][name] != '='))
			k++;
		if (k == added)
			env[n++] = xstrdup(environ[i]);
	}
	for (size_t i = 0; i < added; i++)
		env[n++] = xstrdup(conf->env[i]);
	return env;
}

static char **
make_argv(const struct proc_conf *conf, int alive_fd)
{
	size_t n = 0;
	char **argv;

	while (conf->argv[n] != NULL)
		n++;
	argv = xcalloc(n + 3, sizeof(*argv));
	for (size_t i = 0; i < n; i++)
		argv[i] = xstrdup(conf->argv[i]);
	if (alive_fd >= 0) {
		argv[n] = xstrdup("--lifeline");
		argv[n + 1] = xasprintf("%d", alive_fd);
	}
	return argv;
}

static void
free_words(char **words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

static int
make_cpus(struct launch *l, struct err *err)
{
	const struct proc_conf *conf = l->conf;
	int highest = 0;

	if (conf->cpus == NULL || conf->n_cpus == 0)
		return 0;
	for (size_t i = 0; i < conf->n_cpus; i++) {
		if (conf->cpus[i] < 0 || conf->cpus[i] > 65535)
			return err_set(err, EINVAL, "CPU %d: no such CPU", conf->cpus[i]);
		highest = conf->cpus[i] > highest ? conf->cpus[i] : highest;
	}
	l->cpus = CPU_ALLOC(highest + 1);
	if (l->cpus == NULL)
		return err_set(err, ENOMEM, "no memory for a set of CPUs");
	l->cpus_size = CPU_ALLOC_SIZE(highest + 1);
	CPU_ZERO_S(l->cpus_size, l->cpus);
	for (size_t i = 0; i < conf->n_cpus; i++)
		CPU_SET_S(conf->cpus[i], l->cpus_size, l->cpus);
	return 0;
}

static int
open_log(struct launch *l, struct proc *p, struct err *err)
{
	const char *path = l->conf->log_path;
	struct stat st;
	int rc;

	if (path == NULL)
		return 0;
	l->log_fd = lift(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
	if (l->log_fd < 0 || fstat(l->log_fd, &st) < 0) {
		rc = errno;
		return err_set(err, rc, "log '%s': %s", path, strerror(rc));
	}
	p->log_path = xstrdup(path);
	p->log_start = st.st_size;
	return 0;
}

static int
launch_open(struct launch *l, struct proc *p, struct err *err)
{
	int rc;

	rc = open_log(l, p, err);
	if (rc == 0)
		rc = make_cpus(l, err);
	if (rc < 0)
		return rc;
	l->null_fd = lift(open("/dev/null", O_RDONLY | O_CLOEXEC));
	if (l->null_fd < 0)
		rc = -errno;
	if (rc == 0)
		rc = make_pipe(&l->watch_fd, &l->report_fd);
	if (rc == 0 && l->conf->lifeline)
		rc = make_pipe(&l->alive_fd, &l->hold_fd);
	if (rc < 0)
		return err_set(err, -rc, "%s", strerror(-rc));
	l->argv = make_argv(l->conf, l->alive_fd);
	l->env = make_env(l->conf);
	l->parent = getpid();
	return 0;
}

static void
launch_close(struct launch *l)
{
	close_fd(&l->null_fd);
	close_fd(&l->log_fd);
	close_fd(&l->alive_fd);
	close_fd(&l->report_fd);
	close_fd(&l->watch_fd);
	close_fd(&l->hold_fd);
	free_words(l->argv);
	free_words(l->env);
	CPU_FREE(l->cpus);
}

/* ---- starting ---- */

/* Forks with all signals blocked, so that no handler of ours runs in the child. */
static pid_t
launch_fork(const struct launch *l)
{
	struct sigaction chld;
	sigset_t all, old;
	pid_t pid;
	int why;

	/* Some supervisors start us with SIGCHLD ignored: then nobody learns how a child ended. */
	if (sigaction(SIGCHLD, NULL, &chld) == 0 && chld.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0)
		child_main(l);
	why = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = why;
	return pid;
}

static int
tell_failure(const struct launch *l, const struct failure *f, struct err *err)
{
	const struct proc_conf *conf = l->conf;
	const char *why = strerror(f->errnum);

	switch (f->step) {
	case STEP_NS:
		return err_set(err, f->errnum, "its namespace: %s", why);
	case STEP_CWD:
		return err_set(err, f->errnum, "directory '%s': %s", conf->cwd, why);
	case STEP_CPUS:
		return err_set(err, f->errnum, "none of its CPUs can be used: %s", why);
	case STEP_NICE:
		return err_set(err, f->errnum, "nice %d: %s", conf->nice, why);
	case STEP_FDS:
		return err_set(err, f->errnum, "its files: %s", why);
	default:
		err_set(err, f->errnum, "%s: %s", conf->argv[0], why);
		/* Not installed. */
		if (err != NULL && f->errnum == ENOENT)
			err->class = ERR_MACHINE;
		return -f->errnum;
	}
}

/* Waits until the child runs its program, or says why it does not. */
static int
await_exec(struct launch *l, struct err *err)
{
	struct failure failure;
	ssize_t n;

	close_fd(&l->report_fd);
	do
		n = read(l->watch_fd, &failure, sizeof(failure));
	while (n < 0 && errno == EINTR);
	if (n == sizeof(failure))
		return tell_failure(l, &failure, err);
	return n == 0 ? 0 : err_set(err, EIO, "no word from the child");
}

static int
launch_run(struct launch *l, struct proc *p, struct err *err)
{
	int rc;

	p->pid = launch_fork(l);
	if (p->pid < 0) {
		rc = errno;
		p->pid = 0;
		return err_set(err, rc, "fork: %s", strerror(rc));
	}
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	rc = p->pidfd < 0 ? err_set(err, errno, "pidfd: %s", strerror(errno)) : await_exec(l, err);
	if (rc == 0)
		return 0;
	kill(p->pid, SIGKILL);
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		;
	p->reaped = true;
	return rc;
}

/* Ties a child that runs to our life: one of our own holds the line itself. */
static int
keep(struct launch *l, struct proc *p, struct err *err)
{
	pid_t keeper;

	p->lifeline_fd = l->hold_fd;
	l->hold_fd = -1;
	if (l->conf->lifeline)
		return 0;
	keeper = keeper_start(p->pid, &p->lifeline_fd);
	if (keeper < 0)
		return err_set(err, -keeper, "its keeper: %s", strerror(-keeper));
	p->keeper = keeper;
	return 0;
}

int
proc_start(struct proc *p, const struct proc_conf *conf, struct err *err)
{
	struct launch l = {.conf = conf,
			   .null_fd = -1,
			   .log_fd = -1,
			   .alive_fd = -1,
			   .report_fd = -1,
			   .watch_fd = -1,
			   .hold_fd = -1};
	int rc;

	*p = (struct proc){.name = xstrdup(conf->name), .pidfd = -1, .lifeline_fd = -1};
	rc = launch_open(&l, p, err);
	if (rc == 0)
		rc = launch_run(&l, p, err);
	if (rc == 0)
		rc = keep(&l, p, err);
	if (rc < 0) {
		err_wrap(err, rc, "%s", conf->name);
		proc_close(p);
	}
	launch_close(&l);
	return rc;
}
