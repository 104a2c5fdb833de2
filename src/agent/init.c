/* SPDX-License-Identifier: MIT */
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

/* ---- the system ---- */

static const struct {
	const char *what, *where, *type, *options;
	unsigned long flags;
} mounts[] = {
	{"proc", "/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"sysfs", "/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"devtmpfs", "/dev", "devtmpfs", "mode=0755", MS_NOSUID},
	{"tmpfs", "/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV},
	{"hugetlbfs", "/dev/hugepages", "hugetlbfs", NULL, MS_NOSUID | MS_NODEV},
	{"tmpfs", "/run", "tmpfs", "mode=0755", MS_NOSUID | MS_NODEV},
	{"tmpfs", "/tmp", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV},
};

static void
mount_all(void)
{
	for (size_t i = 0; i < N_ELEMS(mounts); i++) {
		mkdir(mounts[i].where, 0755);
		if (mount(mounts[i].what, mounts[i].where, mounts[i].type, mounts[i].flags,
			  mounts[i].options) < 0)
			LOG(ERR, "mount %s: %s", mounts[i].where, strerror(errno));
	}
}

/* The initramfs has no device nodes, so the kernel could give us no console. */
static void
open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	if (fd < 0)
		fd = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3 && fd >= 0; i++)
		if (fd != i)
			dup2(fd, i);
	if (fd > 2)
		close(fd);
}

static void
load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
		LOG(ERR, "module %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void
load_modules(void)
{
	FILE *in = fopen(INIT_MODULES, "re");
	char line[256];

	if (in == NULL) {
		LOG(ERR, "%s: %s", INIT_MODULES, strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		load_module(line);
	}
	fclose(in);
}

static void
raise_loopback(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		LOG(ERR, "lo: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

void
init_system(void)
{
	mount_all();
	open_console();
	setenv("PATH", "/usr/local/bin:/usr/bin:/usr/sbin", 1);
	setenv("HOME", "/", 1);
	load_modules();
	raise_loopback();
}

/* ---- the port ---- */

/* The device of the port that sysfs calls 'name', for the caller to free; NULL when there is none
 * yet.  What udev would link as /dev/virtio-ports/NAME. */
static char *
find_port(const char *name)
{
	static const char class[] = "/sys/class/virtio-ports";
	DIR *dir = opendir(class);
	const struct dirent *entry;
	char *found = NULL;

	while (dir != NULL && found == NULL && (entry = readdir(dir)) != NULL) {
		char *path = xasprintf("%s/%s/name", class, entry->d_name), text[64] = "";
		FILE *in = entry->d_name[0] != '.' ? fopen(path, "re") : NULL;

		if (in != NULL && fgets(text, sizeof(text), in) != NULL) {
			text[strcspn(text, "\n")] = '\0';
			if (strcmp(text, name) == 0)
				found = xasprintf("/dev/%s", entry->d_name);
		}
		if (in != NULL)
			fclose(in);
		free(path);
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

int
init_open_port(const char *name, int timeout_ms, struct err *err)
{
	struct deadline d = deadline_in_ms((uint64_t)timeout_ms);
	char *path;
	int fd;

	while ((path = find_port(name)) == NULL && !deadline_passed(&d))
		clock_sleep_ms(10);
	if (path == NULL)
		return err_set(err, ENODEV, "this machine has no virtio-serial port '%s'", name);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		fd = err_set(err, errno, "%s: %s", path, strerror(errno));
	free(path);
	return fd;
}

/* ---- orphans ---- */

static void
collect(void *arg)
{
	const struct programs *programs = arg;
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			return;
		/* One of the programs is waited for by whoever started it, in a moment; orphans
		 * that ended after it are seen at the next look. */
		if (programs_own(programs, info.si_pid))
			return;
		waitpid(info.si_pid, NULL, WNOHANG);
	}
}

/* By a timer, because the signal may come while one of ours stands before the orphans. */
#define COLLECT_MS 1000

struct loop_watch *
init_collect(struct loop *loop, struct programs *programs)
{
	return loop_timer(loop, COLLECT_MS, collect, programs);
}

void
init_power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
}
