/* SPDX-License-Identifier: MIT */
#include "seqpacket.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define RETRY_MS 10

int
seqpacket_address(struct sockaddr_un *addr, const char *path, struct err *err)
{
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (str_copy(addr->sun_path, sizeof(addr->sun_path), path))
		return 0;
	return err_set(err, ENAMETOOLONG, "'%s' is too long for a socket: %zu bytes, at most %zu",
		       path, strlen(path), sizeof(addr->sun_path) - 1);
}

/* A new descriptor connected to 'path', or -errno. */
static int
try_connect(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/* Whether a program listens at 'addr'.  One that listens on another type of socket counts, as does
 * one that is too busy to accept. */
static bool
is_live(const struct sockaddr_un *addr)
{
	int fd = try_connect(addr);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || fd == -EPROTOTYPE || fd == -EAGAIN || fd == -EACCES;
}

int
seqpacket_claim(const char *path, struct err *err)
{
	struct sockaddr_un addr;
	struct stat st;
	int rc = seqpacket_address(&addr, path, err);

	if (rc < 0)
		return rc;
	if (lstat(path, &st) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_set(err, errno, "'%s': %s", path, strerror(errno));
	}
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, EEXIST, "'%s' exists and is not a socket", path);
	if (is_live(&addr))
		return err_set(err, EADDRINUSE, "'%s' is in use by another program", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(err, errno, "cannot replace the stale socket '%s': %s", path,
			       strerror(errno));
	return 0;
}

int
seqpacket_connect(const char *path, const struct deadline *d, struct err *err)
{
	struct sockaddr_un addr;
	int rc = seqpacket_address(&addr, path, err);

	if (rc < 0)
		return rc;
	while (true) {
		int fd = try_connect(&addr);

		if (fd >= 0)
			return fd;
		if (fd != -ENOENT && fd != -ECONNREFUSED && fd != -EAGAIN)
			return err_set(err, -fd, "'%s': %s", path, strerror(-fd));
		if (deadline_passed(d))
			return err_set(err, -fd, "nobody listens at '%s'", path);
		if (poll(NULL, 0, RETRY_MS) < 0)
			return err_set(err, errno, "'%s': %s", path, strerror(errno));
	}
}

static int
gone(struct err *err)
{
	return err_set(err, EPIPE, "the program at the other end has gone");
}

int
seqpacket_receive(int fd, char *buf, size_t size, const struct deadline *d, struct err *err)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int rc = poll(&pfd, 1, deadline_left_ms(d));
	ssize_t n;

	if (rc < 0)
		return err_set(err, errno, "%s", strerror(errno));
	if (rc == 0)
		return err_set(err, ETIMEDOUT, "no answer in time");
	n = recv(fd, buf, size, MSG_TRUNC);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return gone(err);
	if (n < 0)
		return err_set(err, errno, "%s", strerror(errno));
	if ((size_t)n > size)
		return err_set(err, EMSGSIZE, "an answer of %zd bytes, at most %zu fit", n, size);
	return (int)n;
}

int
seqpacket_ask(int fd, const char *text, size_t len, char *buf, size_t size,
	      const struct deadline *d, struct err *err)
{
	/* Never blocks: in lockstep there is always room for one request. */
	if (send(fd, text, len, MSG_NOSIGNAL) < 0) {
		if (errno == EPIPE || errno == ECONNRESET)
			return gone(err);
		return err_set(err, errno, "send: %s", strerror(errno));
	}
	return seqpacket_receive(fd, buf, size, d, err);
}
