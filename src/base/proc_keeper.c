/* SPDX-License-Identifier: MIT */
#include "proc_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Linux before 5.9 has no close_range. */
static void
close_all_but_stdin(void)
{
	struct rlimit limit = {.rlim_cur = 1024};

	if (close_range(1, ~0u, 0) == 0)
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	for (int fd = 1; (rlim_t)fd < limit.rlim_cur && fd < 65536; fd++)
		close(fd);
}

/* Of all that we are it keeps the memory that nobody writes to, and 'fd'. */
static _Noreturn void
keeper_main(pid_t pgid, int fd)
{
	ssize_t n;
	char byte;

	/* What is typed at our terminal, or sent to our group, is not meant for it. */
	setpgid(0, 0);
	prctl(PR_SET_NAME, "nfvchain-keeper");
	if (dup2(fd, 0) < 0)
		_exit(1);
	close_all_but_stdin();
	do
		n = read(0, &byte, 1);
	while (n > 0 || (n < 0 && errno == EINTR));
	kill(-pgid, SIGKILL);
	_exit(0);
}

pid_t
keeper_start(pid_t pgid, int *hold_fd)
{
	sigset_t all, old;
	pid_t keeper;
	int fds[2], why;

	*hold_fd = -1;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	/* None of our handlers runs in it; with all signals blocked but SIGKILL it needs none. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	keeper = fork();
	why = errno;
	if (keeper == 0)
		keeper_main(pgid, fds[0]);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	close(fds[0]);
	if (keeper < 0) {
		close(fds[1]);
		return -why;
	}
	*hold_fd = fds[1];
	return keeper;
}

void
keeper_end(pid_t keeper)
{
	if (keeper <= 0)
		return;
	kill(keeper, SIGKILL);
	while (waitpid(keeper, NULL, 0) < 0 && errno == EINTR)
		;
}
