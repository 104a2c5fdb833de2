/* SPDX-License-Identifier: MIT */
/* The library wakes its thread for a connection that is added, and not for a listener (22.11); it
 * offers no call that would.  A signal ends the waiting, as nothing restarts poll(2), and its next
 * round sees the listener. */
#include "vhost_wake.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREAD "vhost-events"
/* Ignored by default, and nobody else has a use for it here. */
#define WAKE SIGURG

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
on_wake(int signum)
{
	(void)signum;
}

/* An ignored signal would end no waiting.  Of what the thread may be at only poll is ended. */
static void
take_signal(void)
{
	struct sigaction sa = {.sa_handler = on_wake, .sa_flags = SA_RESTART};

	sigaction(WAKE, &sa, NULL);
}

static bool
is_thread(const char *tid)
{
	char path[64], name[32] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, name, sizeof(name) - 1) : -1;
	if (fd >= 0)
		close(fd);
	return n > 0 && strncmp(name, THREAD, strlen(THREAD)) == 0;
}

void
vhost_wake(void)
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *entry;

	pthread_once(&once, take_signal);
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (is_thread(entry->d_name))
			syscall(SYS_tgkill, getpid(), atoi(entry->d_name), WAKE);
	if (dir != NULL)
		closedir(dir);
}
