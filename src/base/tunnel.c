/* SPDX-License-Identifier: MIT */
#include "tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mem.h"

#define DATA_BYTES 16384u /* of one data frame, at most */

/* One connection, as this side sees it. */
struct stream {
	struct tunnel *tunnel;
	struct stream *next;
	uint32_t id;
	int fd;
	bool is_connecting; /* our connect is under way */
	bool is_open;	    /* both sides are */
	bool read_end;	    /* our socket said all it will, and so did we */
	bool write_end;	    /* the other side said all it will */
	uint32_t credit;    /* bytes that we may send */
	uint32_t taken;	    /* bytes that our socket took and that we have not given back */
	struct str out;	    /* for our socket */
	struct loop_watch *readable;
	struct loop_watch *writable;
};

struct tunnel {
	struct loop *loop;
	struct channel *channel;
	struct stream *streams;
	unsigned n;
	uint32_t last_id;
};

static void
unwatch(struct loop_watch **watch)
{
	loop_unwatch(*watch);
	*watch = NULL;
}

static void
stream_free(struct stream *s)
{
	struct stream **at = &s->tunnel->streams;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	s->tunnel->n--;
	unwatch(&s->readable);
	unwatch(&s->writable);
	close(s->fd);
	str_fini(&s->out);
	free(s);
}

static void
say(const struct stream *s, char kind, const char *body)
{
	channel_send(s->tunnel->channel, kind, s->id, body, strlen(body));
}

/* Gives a connection up, and tells the other side why. */
static void
stream_fail(struct stream *s, const char *why)
{
	/* Who is at our socket shall not take what it got for all there was. */
	struct linger linger = {.l_onoff = 1};

	setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	say(s, FRAMING_RESET, why);
	stream_free(s);
}

/* ---- from our socket to the channel ---- */

static void
on_readable(void *arg)
{
	struct stream *s = arg;
	char buf[DATA_BYTES];
	size_t size = s->credit < sizeof(buf) ? s->credit : sizeof(buf);
	ssize_t n = read(s->fd, buf, size);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		stream_fail(s, strerror(errno));
		return;
	}
	if (n > 0) {
		channel_send(s->tunnel->channel, FRAMING_DATA, s->id, buf, (size_t)n);
		s->credit -= (uint32_t)n;
		if (s->credit == 0)
			unwatch(&s->readable);
		return;
	}
	say(s, FRAMING_END, "");
	s->read_end = true;
	unwatch(&s->readable);
	if (s->write_end && s->out.len == 0)
		stream_free(s);
}

static void
read_on(struct stream *s)
{
	if (s->is_open && !s->read_end && s->credit > 0 && s->readable == NULL)
		s->readable = loop_fd(s->tunnel->loop, s->fd, on_readable, s);
}

/* ---- from the channel to our socket ---- */

/* Our socket took 'n' bytes: the other side may send as many more. */
static void
give_back(struct stream *s, size_t n)
{
	char text[16];

	s->out.len -= n;
	memmove(s->out.text, s->out.text + n, s->out.len);
	s->taken += (uint32_t)n;
	if (s->taken < TUNNEL_WINDOW / 2 || s->write_end)
		return;
	snprintf(text, sizeof(text), "%u", s->taken);
	say(s, FRAMING_WINDOW, text);
	s->taken = 0;
}

/* Once all is written that came before the other side's end, our socket's reader sees it too. */
static void
pass_end(struct stream *s)
{
	if (!s->write_end || s->out.len > 0)
		return;
	if (s->read_end)
		stream_free(s);
	else
		shutdown(s->fd, SHUT_WR);
}

static void
on_writable(void *arg)
{
	struct stream *s = arg;
	ssize_t n = send(s->fd, s->out.text, s->out.len, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		stream_fail(s, strerror(errno));
		return;
	}
	if (n > 0)
		give_back(s, (size_t)n);
	if (s->out.len == 0)
		unwatch(&s->writable);
	pass_end(s);
}

static void
take_data(struct stream *s, const struct frame *frame)
{
	if (s->write_end || s->out.len + s->taken + frame->len > TUNNEL_WINDOW) {
		stream_fail(s, "more bytes than the window allows");
		return;
	}
	str_addn(&s->out, frame->body, frame->len);
	if (s->writable == NULL && !s->is_connecting && s->out.len > 0)
		s->writable = loop_fd_writable(s->tunnel->loop, s->fd, on_writable, s);
}

/* ---- opening ---- */

static struct stream *
stream_new(struct tunnel *t, uint32_t id, int fd)
{
	struct stream *s = xcalloc(1, sizeof(*s));
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	*s = (struct stream){
		.tunnel = t, .next = t->streams, .id = id, .fd = fd, .credit = TUNNEL_WINDOW};
	t->streams = s;
	t->n++;
	return s;
}

static void
refuse(struct tunnel *t, uint32_t id, const char *why)
{
	channel_send(t->channel, FRAMING_RESET, id, why, strlen(why));
}

static void
on_connected(void *arg)
{
	struct stream *s = arg;
	socklen_t size = sizeof(int);
	int why = 0;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &why, &size) < 0)
		why = errno;
	if (why != 0) {
		stream_fail(s, strerror(why));
		return;
	}
	unwatch(&s->writable);
	s->is_connecting = false;
	s->is_open = true;
	say(s, FRAMING_READY, "");
	read_on(s);
	pass_end(s);
}

/* A socket that connects to 'port' here; its end tells whether that went well. */
static int
begin_connect(uint16_t port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_port = htons(port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int why;

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 || errno == EINPROGRESS)
		return fd;
	why = errno;
	close(fd);
	return -why;
}

static struct stream *
find(struct tunnel *t, uint32_t id)
{
	struct stream *s = t->streams;

	while (s != NULL && s->id != id)
		s = s->next;
	return s;
}

static void
take_open(struct tunnel *t, const struct frame *frame)
{
	struct stream *s = find(t, frame->id);
	uint32_t port;
	int fd;

	if (s != NULL) {
		stream_fail(s, "opened twice");
		return;
	}
	if (!framing_number(frame, UINT16_MAX, &port) || port == 0) {
		refuse(t, frame->id, "no such port");
		return;
	}
	if (t->n == TUNNEL_MAX) {
		refuse(t, frame->id, "too many connections");
		return;
	}
	fd = begin_connect((uint16_t)port);
	if (fd < 0) {
		refuse(t, frame->id, strerror(-fd));
		return;
	}
	s = stream_new(t, frame->id, fd);
	s->is_connecting = true;
	s->writable = loop_fd_writable(t->loop, fd, on_connected, s);
}

void
tunnel_carry(struct tunnel *t, int fd, uint16_t port)
{
	struct stream *s;
	char text[8];

	if (t->n == TUNNEL_MAX) {
		close(fd);
		return;
	}
	s = stream_new(t, ++t->last_id, fd);
	snprintf(text, sizeof(text), "%u", port);
	say(s, FRAMING_OPEN, text);
}

/* ---- frames ---- */

static void
take_window(struct stream *s, const struct frame *frame)
{
	uint32_t n;

	if (!framing_number(frame, TUNNEL_WINDOW, &n) || s->credit + n > TUNNEL_WINDOW) {
		stream_fail(s, "a window that was never taken");
		return;
	}
	s->credit += n;
	read_on(s);
}

static void
take_for(struct stream *s, const struct frame *frame)
{
	struct linger linger = {.l_onoff = 1};

	switch (frame->kind) {
	case FRAMING_READY:
		s->is_open = !s->is_connecting;
		read_on(s);
		break;
	case FRAMING_DATA:
		take_data(s, frame);
		break;
	case FRAMING_WINDOW:
		take_window(s, frame);
		break;
	case FRAMING_END:
		s->write_end = true;
		if (!s->is_connecting)
			pass_end(s);
		break;
	default: /* FRAMING_RESET */
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		stream_free(s);
	}
}

bool
tunnel_take(struct tunnel *t, const struct frame *frame, bool accepts)
{
	struct stream *s;

	if (frame->kind == FRAMING_OPEN && accepts) {
		take_open(t, frame);
		return true;
	}
	if (frame->kind == '\0' || strchr("adwex", frame->kind) == NULL)
		return false;
	s = find(t, frame->id);
	/* One that we gave up: the other side does not know yet. */
	if (s != NULL)
		take_for(s, frame);
	return true;
}

/* ---- all of them ---- */

struct tunnel *
tunnel_new(struct loop *loop, struct channel *channel)
{
	struct tunnel *t = xcalloc(1, sizeof(*t));

	*t = (struct tunnel){.loop = loop, .channel = channel};
	return t;
}

void
tunnel_drop_all(struct tunnel *t)
{
	while (t->streams != NULL)
		stream_free(t->streams);
}

void
tunnel_free(struct tunnel *t)
{
	if (t == NULL)
		return;
	tunnel_drop_all(t);
	free(t);
}

unsigned
tunnel_count(const struct tunnel *t)
{
	return t->n;
}
