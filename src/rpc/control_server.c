/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "control.h"
#include "seqpacket.h"

#define MAX_PEERS 64
#define BACKLOG 64

struct peer {
	struct control_server *server;
	struct peer *next;
	struct loop_watch *watch;
	int fd;
};

struct control_server {
	struct jsonrpc_server rpc;
	struct loop *loop;
	struct loop_watch *watch;
	char *path; /* set once the socket there is ours */
	int fd;
	int spare_fd; /* given up to accept and refuse a client when descriptors have run out */
	struct peer *peers;
	unsigned n_peers;
	char buf[CONTROL_MAX_BYTES];
};

static void
peer_close(struct peer *peer)
{
	struct control_server *s = peer->server;
	struct peer **at = &s->peers;

	while (*at != peer)
		at = &(*at)->next;
	*at = peer->next;
	s->n_peers--;
	loop_unwatch(peer->watch);
	close(peer->fd);
	free(peer);
}

/* Nobody waits for a client that does not read: one without room for a reply loses its connection.
 */
static int
peer_send(const struct peer *peer, char *reply)
{
	ssize_t n = send(peer->fd, reply, strlen(reply), MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno == EAGAIN)
		LOG(WARN, "control: dropped a client that does not read its replies");
	free(reply);
	return n < 0 ? -errno : 0;
}

/* One packet a turn, so that a client that floods us leaves room for the others. */
static void
on_packet(void *arg)
{
	struct peer *peer = arg;
	struct control_server *s = peer->server;
	ssize_t n = recv(peer->fd, s->buf, sizeof(s->buf), MSG_DONTWAIT | MSG_TRUNC);
	char *reply;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		peer_close(peer);
		return;
	}
	if ((size_t)n > sizeof(s->buf))
		reply = jsonrpc_too_large((size_t)n);
	else
		reply = jsonrpc_serve(&s->rpc, s->buf, (size_t)n);
	if (peer_send(peer, reply) < 0)
		peer_close(peer);
}

static void
peer_open(struct control_server *s, int fd)
{
	int sndbuf = 2 * CONTROL_MAX_BYTES; /* a whole reply, whatever the system's default */
	struct peer *peer = xcalloc(1, sizeof(*peer));

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf));
	peer->server = s;
	peer->fd = fd;
	peer->next = s->peers;
	s->peers = peer;
	s->n_peers++;
	peer->watch = loop_fd(s->loop, fd, on_packet, peer);
	if (peer->watch == NULL)
		peer_close(peer);
}

/* A client that cannot be accepted would keep the listening socket readable, and the loop spinning,
 * for ever. */
static void
refuse_one(struct control_server *s)
{
	int fd;

	close(s->spare_fd);
	fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
on_connection(void *arg)
{
	struct control_server *s = arg;
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			refuse_one(s);
		return;
	}
	if (s->n_peers < MAX_PEERS) {
		peer_open(s, fd);
		return;
	}
	LOG(WARN, "control: refused a client, %u are connected", s->n_peers);
	close(fd);
}

static int
start_listening(struct control_server *s, const char *path, struct err *err)
{
	struct sockaddr_un addr;
	int rc = seqpacket_address(&addr, path, err);

	if (rc < 0)
		return rc;
	s->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return err_set(err, errno, "socket: %s", strerror(errno));
	/* Linux gives the socket file the mode of the descriptor: never open to others, not even
	 * for a moment, and without touching the process's umask. */
	if (fchmod(s->fd, 0600) < 0 || bind(s->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(err, errno, "'%s': %s", path, strerror(errno));
	s->path = xstrdup(path);
	if (listen(s->fd, BACKLOG) < 0)
		return err_set(err, errno, "'%s': %s", path, strerror(errno));
	s->watch = loop_fd(s->loop, s->fd, on_connection, s);
	if (s->watch == NULL)
		return err_set(err, ENOMEM, "'%s': the event loop does not take it", path);
	return 0;
}

int
control_server_open(struct control_server **server, const char *path,
		    const struct jsonrpc_server *rpc, struct loop *loop, struct err *err)
{
	struct control_server *s;
	int rc = seqpacket_claim(path, err);

	*server = NULL;
	if (rc < 0)
		return err_wrap(err, rc, "control socket");
	s = xcalloc(1, sizeof(*s));
	s->rpc = *rpc;
	s->rpc.max_reply = CONTROL_MAX_BYTES;
	s->loop = loop;
	s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	s->fd = -1;
	rc = start_listening(s, path, err);
	if (rc < 0) {
		control_server_close(s);
		return err_wrap(err, rc, "control socket");
	}
	*server = s;
	return 0;
}

void
control_server_close(struct control_server *s)
{
	if (s == NULL)
		return;
	while (s->peers != NULL)
		peer_close(s->peers);
	loop_unwatch(s->watch);
	if (s->fd >= 0)
		close(s->fd);
	if (s->spare_fd >= 0)
		close(s->spare_fd);
	if (s->path != NULL)
		unlink(s->path);
	free(s->path);
	free(s);
}
