/* SPDX-License-Identifier: MIT */
#include "zmq_server.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#include "base/log.h"
#include "base/mem.h"
#include "envelope.h"
#include "seqpacket.h"

/* A longer message costs its sender the connection; up to here it is told that it is too large. */
#define MESSAGE_MAX (4 << 20)
/* Requests of one client that wait in memory: in lockstep there is only one. */
#define CLIENT_QUEUE 4
/* How long the last replies have to go out when the server is closed. */
#define LAST_REPLY_MS 200
/* Clients that may be about to connect at once. */
#define BACKLOG 1024
/* Requests served before other events of the loop have their turn. */
#define TURN 16
/* Of a message: its sender, proxies on the way, and the empty part before the request. */
#define ADDRESS_PARTS 8

struct bound {
	void *socket;
	char *path; /* of an ipc endpoint, which ZeroMQ leaves behind */
};

struct zmq_server {
	struct jsonrpc_server rpc;
	void *ctx;
	struct bound router; /* a REP socket with fewer surprises: see start() */
	struct bound pub;
	struct loop_watch *watch;
	struct loop_watch *again_watch;
	int again_fd; /* readable while requests may be left from the last turn */
};

static bool
has_request(const struct zmq_server *s)
{
	int events = 0;
	size_t size = sizeof(events);

	if (zmq_getsockopt(s->router.socket, ZMQ_EVENTS, &events, &size) < 0)
		return false;
	return (events & ZMQ_POLLIN) != 0;
}

static bool
receive_part(const struct zmq_server *s, zmq_msg_t *part)
{
	return zmq_msg_recv(part, s->router.socket, ZMQ_DONTWAIT) >= 0;
}

/* Whatever else belongs to the message that 'part' is of; returns whether there was anything. */
static bool
skip_parts(const struct zmq_server *s, zmq_msg_t *part)
{
	bool any = zmq_msg_more(part);

	while (zmq_msg_more(part) && receive_part(s, part))
		;
	return any;
}

/* The parts of a message up to the empty one, which are sent back before the reply. */
struct address {
	zmq_msg_t part[ADDRESS_PARTS];
	size_t n;
};

static void
forget_address(struct address *a)
{
	for (size_t i = 0; i < a->n; i++)
		zmq_msg_close(&a->part[i]);
	a->n = 0;
}

/* Returns whether a request follows.  A message without an empty part is skipped: nobody waits for
 * an answer to it. */
static bool
receive_address(const struct zmq_server *s, struct address *a)
{
	a->n = 0;
	while (a->n < ADDRESS_PARTS) {
		zmq_msg_t *part = &a->part[a->n];

		zmq_msg_init(part);
		a->n++;
		if (!receive_part(s, part) || !zmq_msg_more(part))
			return false;
		if (zmq_msg_size(part) == 0)
			return true;
	}
	skip_parts(s, &a->part[a->n - 1]);
	return false;
}

/* Never blocks: the reply to a client that has gone, or does not read, is lost. */
static void
send_reply(const struct zmq_server *s, struct address *to, const char *reply, size_t len)
{
	for (size_t i = 0; i < to->n; i++) {
		if (zmq_msg_send(&to->part[i], s->router.socket, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
			LOG(ERR, "rpc: cannot reply: %s", zmq_strerror(errno));
			return;
		}
	}
	if (zmq_send(s->router.socket, reply, len, ZMQ_DONTWAIT) < 0)
		LOG(ERR, "rpc: cannot reply: %s", zmq_strerror(errno));
}

/* TRex's requests have one part; what comes in several is taken whole and is no request. */
static void
serve_request(const struct zmq_server *s)
{
	struct address from;
	size_t len = 0;
	zmq_msg_t msg;
	char *reply;

	zmq_msg_init(&msg);
	if (receive_address(s, &from) && receive_part(s, &msg)) {
		if (skip_parts(s, &msg))
			reply = envelope_serve(&s->rpc, "", 0, &len);
		else
			reply = envelope_serve(&s->rpc, zmq_msg_data(&msg), zmq_msg_size(&msg),
					       &len);
		send_reply(s, &from, reply, len);
		free(reply);
	}
	zmq_msg_close(&msg);
	forget_address(&from);
}

static void
serve_later(const struct zmq_server *s)
{
	/* Fails only when the counter is full, and then it is readable anyway. */
	(void)!write(s->again_fd, &(uint64_t){1}, sizeof(uint64_t));
}

/* ZeroMQ's descriptor says that something changed, not that a request is there, and says so once:
 * only ZMQ_EVENTS tells when all is served. */
static void
on_change(void *arg)
{
	const struct zmq_server *s = arg;

	for (int i = 0; i < TURN; i++) {
		if (!has_request(s))
			return;
		serve_request(s);
	}
	serve_later(s);
}

static void
on_again(void *arg)
{
	const struct zmq_server *s = arg;
	uint64_t count;

	(void)!read(s->again_fd, &count, sizeof(count));
	on_change(arg);
}

static int
in_use(const char *endpoint, struct err *err)
{
	return err_set(err, EADDRINUSE,
		       "%s is in use by another program (another nfvchain-gen or TRex?)", endpoint);
}

/* The path of an ipc endpoint, or NULL. */
static const char *
path_of(const char *endpoint)
{
	const char *path;

	if (strncmp(endpoint, "ipc://", strlen("ipc://")) != 0)
		return NULL;
	path = endpoint + strlen("ipc://");
	return path[0] == '@' || path[0] == '*' ? NULL : path;
}

/* ZeroMQ would remove whatever is at the path of an ipc endpoint, also the socket of a running
 * server. */
static int
claim_path(const char *endpoint, struct err *err)
{
	const char *path = path_of(endpoint);
	int rc;

	if (path == NULL)
		return 0;
	rc = seqpacket_claim(path, err);
	return rc == -EADDRINUSE ? in_use(endpoint, err) : rc;
}

static void *
socket_new(void *ctx, int type)
{
	void *socket = zmq_socket(ctx, type);

	if (socket == NULL)
		return NULL;
	zmq_setsockopt(socket, ZMQ_LINGER, &(int){LAST_REPLY_MS}, sizeof(int));
	zmq_setsockopt(socket, ZMQ_BACKLOG, &(int){BACKLOG}, sizeof(int));
	zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &(int64_t){MESSAGE_MAX}, sizeof(int64_t));
	zmq_setsockopt(socket, ZMQ_RCVHWM, &(int){CLIENT_QUEUE}, sizeof(int));
	return socket;
}

static int
bind_socket(struct bound *b, void *ctx, int type, const char *endpoint, struct err *err)
{
	int rc = claim_path(endpoint, err);

	if (rc < 0)
		return rc;
	b->socket = socket_new(ctx, type);
	if (b->socket == NULL)
		return err_set(err, errno, "socket for %s: %s", endpoint, zmq_strerror(errno));
	if (zmq_bind(b->socket, endpoint) == 0) {
		b->path = xstrdup(path_of(endpoint));
		return 0;
	}
	if (errno == EADDRINUSE)
		return in_use(endpoint, err);
	return err_set(err, errno, "cannot listen at %s: %s", endpoint, zmq_strerror(errno));
}

static void
unbind(struct bound *b)
{
	if (b->socket != NULL)
		zmq_close(b->socket);
	if (b->path != NULL)
		unlink(b->path);
	free(b->path);
}

static int
watch_requests(struct zmq_server *s, struct loop *loop, struct err *err)
{
	size_t size = sizeof(int);
	int fd;

	if (zmq_getsockopt(s->router.socket, ZMQ_FD, &fd, &size) < 0)
		return err_set(err, errno, "descriptor of a socket: %s", zmq_strerror(errno));
	s->again_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->again_fd < 0)
		return err_set(err, errno, "eventfd: %s", strerror(errno));
	s->watch = loop_fd(loop, fd, on_change, s);
	s->again_watch = loop_fd(loop, s->again_fd, on_again, s);
	if (s->watch == NULL || s->again_watch == NULL)
		return err_set(err, ENOMEM, "the event loop takes no more descriptors");
	/* Requests that came since the socket was bound have had their one notice. */
	serve_later(s);
	return 0;
}

static int
start(struct zmq_server *s, const struct zmq_server_conf *conf, struct loop *loop, struct err *err)
{
	int rc;

	s->ctx = zmq_ctx_new();
	if (s->ctx == NULL)
		return err_set(err, errno, "ZeroMQ: %s", zmq_strerror(errno));
	/* Not REP: when a client is gone whose message had no empty part, a REP socket
	 * (libzmq 4.3.4) does not send the next reply, whoever waits for it. */
	rc = bind_socket(&s->router, s->ctx, ZMQ_ROUTER, conf->rpc_endpoint, err);
	if (rc == 0 && conf->pub_endpoint != NULL)
		rc = bind_socket(&s->pub, s->ctx, ZMQ_PUB, conf->pub_endpoint, err);
	return rc < 0 ? rc : watch_requests(s, loop, err);
}

int
zmq_server_open(struct zmq_server **server, const struct zmq_server_conf *conf, struct loop *loop,
		struct err *err)
{
	struct zmq_server *s = xcalloc(1, sizeof(*s));
	int rc;

	*server = NULL;
	s->rpc = conf->rpc;
	s->again_fd = -1;
	rc = start(s, conf, loop, err);
	if (rc < 0) {
		zmq_server_close(s);
		return rc;
	}
	*server = s;
	return 0;
}

void
zmq_server_ring(struct zmq_server *s)
{
	/* A subscriber that does not read loses rings, never our time. */
	if (s->pub.socket != NULL)
		zmq_send(s->pub.socket, "{}", 2, ZMQ_DONTWAIT);
}

void
zmq_server_close(struct zmq_server *s)
{
	if (s == NULL)
		return;
	loop_unwatch(s->watch);
	loop_unwatch(s->again_watch);
	if (s->again_fd >= 0)
		close(s->again_fd);
	unbind(&s->router);
	unbind(&s->pub);
	while (s->ctx != NULL && zmq_ctx_term(s->ctx) < 0 && errno == EINTR)
		;
	free(s);
}
