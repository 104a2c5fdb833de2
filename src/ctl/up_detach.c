/* SPDX-License-Identifier: MIT */
#include "up_detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

/* No hop has a dot in its name. */
#define LOG_NAME "nfvchain.up.log"

/* Until the keeper says that it is up, or ends. */
static int
await_ready(int fd, pid_t keeper, struct err *err)
{
	int status = 0;
	ssize_t n;
	char byte;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	while (waitpid(keeper, &status, 0) < 0 && errno == EINTR)
		;
	/* It has said why; ours is its exit code. */
	fflush(stdout);
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		return err_class(err, (enum err_class)WEXITSTATUS(status),
				 "the chain did not come up");
	return err_set(err, ECHILD, "the chain did not come up");
}

int
up_detach(struct up_detach *detach, struct err *err)
{
	int fds[2], rc;
	pid_t keeper;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe: %s", strerror(errno));
	keeper = fork();
	if (keeper < 0) {
		rc = err_set(err, errno, "fork: %s", strerror(errno));
		close(fds[0]);
		close(fds[1]);
		return rc;
	}
	if (keeper == 0) {
		close(fds[0]);
		setsid();
		detach->ready_fd = fds[1];
		return UP_DETACH_KEEPER;
	}
	close(fds[1]);
	rc = await_ready(fds[0], keeper, err);
	close(fds[0]);
	return rc;
}

void
up_detach_done(struct up_detach *detach, const char *run_dir)
{
	char *path = xasprintf("%s/" LOG_NAME, run_dir);
	int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ssize_t n;

	/* Whoever reads what the command prints is not to wait for us. */
	if (null >= 0)
		dup2(null, 0);
	dup2(log >= 0 ? log : null, 1);
	dup2(log >= 0 ? log : null, 2);
	if (log >= 0)
		close(log);
	if (null >= 0)
		close(null);
	free(path);
	do
		n = write(detach->ready_fd, "u", 1);
	while (n < 0 && errno == EINTR);
	close(detach->ready_fd);
}
