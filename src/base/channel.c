/* SPDX-License-Identifier: MIT */
#include "channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

/* Read at once; a turn of the loop later the rest. */
#define READ_BYTES 65536

struct channel {
	struct loop *loop;
	int fd;
	bool returns;
	bool has_ended;
	bool is_taking; /* a callback may run, which may close us */
	bool is_closed; /* by one: who takes frees it */
	struct channel_ops ops;
	struct framing parser;
	struct loop_watch *readable;
	struct loop_watch *writable; /* while something is queued */
	struct loop_watch *away;     /* while nobody is at the other end */
	struct str out;
	size_t out_done; /* of 'out', written */
};

static void
unwatch(struct loop_watch **watch)
{
	loop_unwatch(*watch);
	*watch = NULL;
}

/* Tells the end, after which the channel is idle. */
static void
end(struct channel *c, const char *why)
{
	if (c->has_ended)
		return;
	c->has_ended = true;
	unwatch(&c->readable);
	unwatch(&c->writable);
	unwatch(&c->away);
	str_fini(&c->out);
	c->out_done = 0;
	c->ops.on_end(c->ops.arg, why);
}

/* ---- reading ---- */

/* Hands on what the bytes mean. */
static void
take(struct channel *c, const char *data, size_t len)
{
	enum framing_event event;

	c->is_taking = true;
	while (!c->is_closed && !c->has_ended &&
	       (event = framing_read(&c->parser, &data, &len)) != FRAMING_MORE) {
		if (event == FRAMING_FRAME)
			c->ops.on_frame(c->ops.arg, &c->parser.frame);
		else if (event == FRAMING_RESTART)
			c->ops.on_restart(c->ops.arg);
		else if (!c->returns)
			end(c, "what came is not what an agent says");
	}
	c->is_taking = false;
	if (c->is_closed)
		channel_close(c);
}

/* How a stream's end is told: with bytes of ours unread there it is a reset. */
static const char *
end_of(ssize_t n)
{
	if (n == 0 || errno == ECONNRESET || errno == EPIPE)
		return "the other end has closed";
	return strerror(errno);
}

static void on_readable(void *arg);

/* A port without anybody at the other end is always "readable". */
static void
go_away(struct channel *c)
{
	unwatch(&c->readable);
	unwatch(&c->writable);
	if (c->away == NULL)
		c->away = loop_timer(c->loop, CHANNEL_AWAY_MS, on_readable, c);
}

static void on_writable(void *arg);

static void
come_back(struct channel *c)
{
	if (c->away == NULL)
		return;
	unwatch(&c->away);
	c->readable = loop_fd(c->loop, c->fd, on_readable, c);
	if (c->out.len > c->out_done)
		c->writable = loop_fd_writable(c->loop, c->fd, on_writable, c);
}

static void
on_readable(void *arg)
{
	struct channel *c = arg;
	char buf[READ_BYTES];
	ssize_t n = read(c->fd, buf, sizeof(buf));

	if (n > 0) {
		come_back(c);
		take(c, buf, (size_t)n);
	} else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		come_back(c);
	} else if (c->returns) {
		go_away(c);
	} else {
		end(c, end_of(n));
	}
}

/* ---- writing ---- */

static void
on_writable(void *arg)
{
	struct channel *c = arg;
	ssize_t n = write(c->fd, c->out.text + c->out_done, c->out.len - c->out_done);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		if (c->returns)
			go_away(c);
		else
			end(c, end_of(n));
		return;
	}
	c->out_done += n > 0 ? (size_t)n : 0;
	if (c->out_done == c->out.len) {
		c->out.len = c->out_done = 0;
		unwatch(&c->writable);
	}
}

/* Sees to it that the queue is written. */
static void
push(struct channel *c)
{
	if (c->writable == NULL && c->away == NULL)
		c->writable = loop_fd_writable(c->loop, c->fd, on_writable, c);
}

/* Gives back the room of what is written, once that is most of it. */
static void
compact(struct channel *c)
{
	if (c->out_done < c->out.len / 2)
		return;
	c->out.len -= c->out_done;
	memmove(c->out.text, c->out.text + c->out_done, c->out.len);
	c->out_done = 0;
}

void
channel_send(struct channel *c, char kind, uint32_t id, const void *body, size_t len)
{
	if (c->has_ended)
		return;
	if (c->out_done > 0)
		compact(c);
	framing_add(&c->out, kind, id, body, len);
	push(c);
}

void
channel_restart(struct channel *c)
{
	char resync = FRAMING_RESYNC;

	if (c->has_ended)
		return;
	c->out.len = c->out_done = 0;
	str_addn(&c->out, &resync, 1);
	push(c);
}

size_t
channel_backlog(const struct channel *c)
{
	return c->out.len - c->out_done;
}

/* ---- open and close ---- */

int
channel_open(struct channel **channel, struct loop *loop, int fd, bool returns,
	     const struct channel_ops *ops, struct err *err)
{
	struct channel *c = xcalloc(1, sizeof(*c));

	*c = (struct channel){.loop = loop, .fd = fd, .returns = returns, .ops = *ops};
	c->readable = loop_fd(loop, fd, on_readable, c);
	*channel = c;
	if (c->readable != NULL)
		return 0;
	channel_close(c);
	*channel = NULL;
	return err_set(err, EBADF, "the channel cannot be watched");
}

void
channel_close(struct channel *c)
{
	if (c == NULL)
		return;
	unwatch(&c->readable);
	unwatch(&c->writable);
	unwatch(&c->away);
	c->is_closed = true;
	if (c->is_taking)
		return;
	framing_fini(&c->parser);
	str_fini(&c->out);
	free(c);
}
