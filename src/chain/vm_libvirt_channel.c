/* SPDX-License-Identifier: MIT */
/* A stream of libvirt's as a plain socket: libvirt has no descriptor to give, so its event loop
 * carries the bytes between the stream and one end of a pair.  Each direction has a buffer, and is
 * read only when that is empty: whoever is slow slows the other down. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#include "vm_libvirt_parts.h"

#define ROOM 16384

struct half {
	char data[ROOM];
	size_t at, end;
};

struct relay {
	pthread_mutex_t lock;
	unsigned refs; /* the stream's callback and the descriptor's */
	virStreamPtr stream;
	int fd;	   /* our end of the pair */
	int watch; /* libvirt's number for it */
	bool ended;
	struct half to_guest, to_host;
};

static size_t
left(const struct half *h)
{
	return h->end - h->at;
}

static void
took(struct half *h, size_t n)
{
	h->at += n;
	if (h->at == h->end)
		h->at = h->end = 0;
}

/* Wakes us for what can be done now. */
static void
update(struct relay *r)
{
	int stream = VIR_STREAM_EVENT_ERROR | VIR_STREAM_EVENT_HANGUP;
	int handle = VIR_EVENT_HANDLE_ERROR | VIR_EVENT_HANDLE_HANGUP;

	stream |= left(&r->to_host) == 0 ? VIR_STREAM_EVENT_READABLE : 0;
	stream |= left(&r->to_guest) > 0 ? VIR_STREAM_EVENT_WRITABLE : 0;
	handle |= left(&r->to_guest) == 0 ? VIR_EVENT_HANDLE_READABLE : 0;
	handle |= left(&r->to_host) > 0 ? VIR_EVENT_HANDLE_WRITABLE : 0;
	virStreamEventUpdateCallback(r->stream, stream);
	virEventUpdateHandle(r->watch, handle);
}

/* Either side has gone: the other one learns of it, and the callbacks' ends free the rest. */
static void
end(struct relay *r)
{
	if (r->ended)
		return;
	r->ended = true;
	virStreamEventRemoveCallback(r->stream);
	virStreamAbort(r->stream);
	virEventRemoveHandle(r->watch);
	shutdown(r->fd, SHUT_RDWR);
}

/* One step for each direction: false when a side has gone. */
static bool
guest_to_host(struct relay *r)
{
	struct half *h = &r->to_host;
	ssize_t n;

	if (left(h) == 0) {
		n = virStreamRecv(r->stream, h->data, ROOM);
		if (n == -2)
			return true;
		if (n <= 0)
			return false;
		h->end = (size_t)n;
	}
	n = send(r->fd, h->data + h->at, left(h), MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		took(h, (size_t)n);
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static bool
host_to_guest(struct relay *r)
{
	struct half *h = &r->to_guest;
	ssize_t n;

	if (left(h) == 0) {
		n = recv(r->fd, h->data, ROOM, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0)
			return false;
		h->end = (size_t)n;
	}
	n = virStreamSend(r->stream, h->data + h->at, left(h));
	if (n > 0)
		took(h, (size_t)n);
	return n >= 0 || n == -2;
}

static void
turn(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	if (!r->ended) {
		if (guest_to_host(r) && host_to_guest(r))
			update(r);
		else
			end(r);
	}
	pthread_mutex_unlock(&r->lock);
}

static void
on_stream(virStreamPtr stream, int events, void *opaque)
{
	turn(opaque);
}

static void
on_handle(int watch, int fd, int events, void *opaque)
{
	turn(opaque);
}

static void
drop(void *opaque)
{
	struct relay *r = opaque;
	bool last;

	pthread_mutex_lock(&r->lock);
	last = --r->refs == 0;
	pthread_mutex_unlock(&r->lock);
	if (!last)
		return;
	virStreamFree(r->stream);
	close(r->fd);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* Hands the relay over to the loop, which frees it. */
static int
watch(struct relay *r, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	r->watch = virEventAddHandle(r->fd, 0, on_handle, r, drop);
	if (r->watch >= 0) {
		r->refs++;
		if (virStreamEventAddCallback(r->stream, 0, on_stream, r, drop) == 0)
			r->refs++;
		else
			rc = vm_libvirt_error(err, EIO, "stream");
	} else {
		rc = vm_libvirt_error(err, EIO, "event loop");
	}
	if (rc == 0)
		update(r);
	else if (r->watch >= 0)
		virEventRemoveHandle(r->watch);
	pthread_mutex_unlock(&r->lock);
	return rc;
}

static int
open_stream(struct relay *r, virDomainPtr dom, const char *name, struct err *err)
{
	r->stream = virStreamNew(virDomainGetConnect(dom), VIR_STREAM_NONBLOCK);
	if (r->stream == NULL)
		return vm_libvirt_error(err, EIO, "stream");
	if (virDomainOpenChannel(dom, name, r->stream, VIR_DOMAIN_CHANNEL_FORCE) < 0)
		return vm_libvirt_error(err, EIO, "not opened");
	return 0;
}

int
vm_libvirt_channel(virDomainPtr dom, const char *name, int *fd, struct err *err)
{
	struct relay *r;
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "%s", strerror(errno));
	r = xcalloc(1, sizeof(*r));
	r->fd = pair[0];
	r->refs = 1; /* ours, until the loop has it */
	pthread_mutex_init(&r->lock, NULL);
	rc = open_stream(r, dom, name, err);
	if (rc == 0)
		rc = watch(r, err);
	drop(r);
	if (rc == 0)
		*fd = pair[1];
	else
		close(pair[1]);
	return rc;
}
