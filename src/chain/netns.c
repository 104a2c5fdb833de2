/* SPDX-License-Identifier: MIT */
/* A child goes there, for who goes into a user namespace does not come back; it hands over
 * descriptors, by which the namespaces live on. */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

#include "rtnl.h"

#define MAX_FDS (2 * NETNS_MAX + 1) /* of each and its socket, and of the user namespace */

/* What the child tells, its descriptors beside it. */
struct word {
	int rc;
	struct err err;
};

/* ---- in the child ---- */

static int
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
	int rc = n < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

/* Root there is who we are here. */
static int
map_user(uid_t uid, gid_t gid)
{
	char text[64];
	int rc;

	/* Without it no ordinary user may say which groups there are. */
	rc = write_text("/proc/self/setgroups", "deny");
	if (rc < 0 && rc != -ENOENT)
		return rc;
	snprintf(text, sizeof(text), "0 %u 1", uid);
	rc = write_text("/proc/self/uid_map", text);
	if (rc < 0)
		return rc;
	snprintf(text, sizeof(text), "0 %u 1", gid);
	return write_text("/proc/self/gid_map", text);
}

static int
refuse(int why, struct err *err)
{
	return err_machine(err,
			   "no network namespace can be made for links of the kernel (%s): run "
			   "nfvchain as root, or allow user namespaces to ordinary users "
			   "(user.max_user_namespaces, kernel.unprivileged_userns_clone), or use "
			   "vhost-user links, which need neither",
			   strerror(why));
}

/* Into a user namespace, when that is what it takes; its descriptor, or -1. */
static int
enter_user(int *user_fd, struct err *err)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int rc;

	*user_fd = -1;
	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	if (errno != EPERM)
		return refuse(errno, err);
	rc = unshare(CLONE_NEWUSER) < 0 ? -errno : map_user(uid, gid);
	if (rc < 0)
		return refuse(-rc, err);
	*user_fd = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	return *user_fd < 0 ? err_set(err, errno, "/proc/self/ns/user: %s", strerror(errno)) : 0;
}

/* Neighbour discovery and the like would be frames that nobody asked for, and what a bridge
 * forwards is no business of the machine's firewall. */
static void
quiet(void)
{
	/* A kernel without IPv6, or without that filter, has no such files. */
	(void)write_text("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	(void)write_text("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	(void)write_text("/proc/sys/net/bridge/bridge-nf-call-iptables", "0");
	(void)write_text("/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0");
	(void)write_text("/proc/sys/net/bridge/bridge-nf-call-arptables", "0");
}

static int
enter_next(struct netns_set *set, struct err *err)
{
	size_t i = set->n;

	if (unshare(CLONE_NEWNET) < 0)
		return refuse(errno, err);
	quiet();
	set->ns[i].net_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (set->ns[i].net_fd < 0)
		return err_set(err, errno, "/proc/self/ns/net: %s", strerror(errno));
	set->link_fd[i] = rtnl_open(err);
	if (set->link_fd[i] < 0)
		return set->link_fd[i];
	set->n++;
	return 0;
}

static void
send_word(int to, const struct word *word, const int *fds, size_t n)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control = {0};
	struct iovec iov = {(void *)(uintptr_t)word, sizeof(*word)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n > 0) {
		struct cmsghdr *c;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = &control.head;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	(void)sendmsg(to, &msg, MSG_NOSIGNAL);
}

static void
work(int to, size_t n, netns_fill *fill, void *arg)
{
	struct netns_set set = {0};
	struct word word = {0};
	int fds[MAX_FDS], user_fd;
	size_t n_fds = 0;

	word.rc = enter_user(&user_fd, &word.err);
	while (word.rc == 0 && set.n < n)
		word.rc = enter_next(&set, &word.err);
	if (word.rc == 0)
		word.rc = fill(arg, &set, &word.err);
	for (size_t i = 0; word.rc == 0 && i < n; i++) {
		fds[n_fds++] = set.ns[i].net_fd;
		fds[n_fds++] = set.link_fd[i];
	}
	if (word.rc == 0 && user_fd >= 0)
		fds[n_fds++] = user_fd;
	send_word(to, &word, fds, n_fds);
}

/* ---- here ---- */

static void
take_fds(struct netns_set *set, const int *fds, size_t n_fds)
{
	set->n = n_fds / 2;
	for (size_t i = 0; i < set->n; i++) {
		set->ns[i] = (struct proc_ns){n_fds % 2 == 1 ? fds[n_fds - 1] : -1, fds[2 * i]};
		set->link_fd[i] = fds[2 * i + 1];
	}
}

static int
receive_word(int from, struct netns_set *set, struct err *err)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control = {0};
	struct word word = {0};
	struct iovec iov = {&word, sizeof(word)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	const struct cmsghdr *c;
	int fds[MAX_FDS];
	ssize_t n;

	do
		n = recvmsg(from, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(word))
		return err_set(err, EIO, "who makes the network namespaces died");
	if (word.rc < 0) {
		if (err != NULL)
			*err = word.err;
		return word.rc;
	}
	c = CMSG_FIRSTHDR(&msg);
	if (c == NULL || c->cmsg_type != SCM_RIGHTS)
		return err_set(err, EIO, "the network namespaces were not handed over");
	memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	take_fds(set, fds, (c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	return 0;
}

int
netns_open(struct netns_set *set, size_t n, netns_fill *fill, void *arg, struct err *err)
{
	int pair[2], rc;
	pid_t pid;

	*set = (struct netns_set){0};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "socketpair: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		work(pair[1], n, fill, arg);
		_exit(0);
	}
	rc = pid < 0 ? err_set(err, errno, "fork: %s", strerror(errno)) : 0;
	close(pair[1]);
	if (rc == 0)
		rc = receive_word(pair[0], set, err);
	close(pair[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return rc;
}

void
netns_close(struct netns_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		close(set->ns[i].net_fd);
		close(set->link_fd[i]);
	}
	if (set->n > 0 && set->ns[0].user_fd >= 0)
		close(set->ns[0].user_fd);
	*set = (struct netns_set){0};
}
