/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#include "log.h"
#include "mem.h"

struct loop {
	struct event_base *base;
	struct event *stop; /* made active by loop_stop */
	sigset_t signals;   /* being watched: delivered to the thread that runs */
	struct loop_watch *watches;
};

struct loop_watch {
	struct loop *loop;
	struct loop_watch *next;
	struct loop_watch **prev; /* what points here */
	struct event *event;
	void (*cb)(void *arg);
	void *arg;
};

static void
log_libevent(int severity, const char *msg)
{
	(void)severity;
	LOG(DEBUG, "libevent: %s", msg);
}

/* The base can be used from several threads only if libevent is told before it is made; and what it
 * has to say belongs into our log, since each failure is told by a return value as well. */
static void
init_libevent(void)
{
	event_set_log_callback(log_libevent);
	evthread_use_pthreads();
}

static void
on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(loop->base);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *watch = arg;

	(void)fd;
	(void)what;
	/* Last thing done here: the callback may release the watch. */
	watch->cb(watch->arg);
}

/* A base whose timers never fire early: without the flag libevent reads a clock that is a kernel
 * tick behind. */
static struct event_base *
make_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config != NULL && event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
		base = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	return base;
}

int
loop_open(struct loop **loop, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct loop *l = xcalloc(1, sizeof(*l));

	*loop = NULL;
	pthread_once(&once, init_libevent);
	l->base = make_base();
	if (l->base != NULL)
		l->stop = event_new(l->base, -1, 0, on_stop, l);
	if (l->stop == NULL) {
		loop_close(l);
		return err_set(err, EMFILE, "cannot make an event loop");
	}
	*loop = l;
	return 0;
}

void
loop_close(struct loop *loop)
{
	if (loop == NULL)
		return;
	while (loop->watches != NULL)
		loop_unwatch(loop->watches);
	if (loop->stop != NULL)
		event_free(loop->stop);
	if (loop->base != NULL)
		event_base_free(loop->base);
	free(loop);
}

static struct loop_watch *
watch_new(struct loop *loop, int fd, short what, const struct timeval *period,
	  void (*cb)(void *arg), void *arg)
{
	struct loop_watch *watch = xcalloc(1, sizeof(*watch));

	watch->loop = loop;
	watch->cb = cb;
	watch->arg = arg;
	watch->next = loop->watches;
	watch->prev = &loop->watches;
	if (watch->next != NULL)
		watch->next->prev = &watch->next;
	loop->watches = watch;
	watch->event = event_new(loop->base, fd, what | EV_PERSIST, on_event, watch);
	if (watch->event == NULL || event_add(watch->event, period) < 0) {
		loop_unwatch(watch);
		return NULL;
	}
	return watch;
}

struct loop_watch *
loop_fd(struct loop *loop, int fd, void (*cb)(void *arg), void *arg)
{
	return watch_new(loop, fd, EV_READ, NULL, cb, arg);
}

struct loop_watch *
loop_fd_writable(struct loop *loop, int fd, void (*cb)(void *arg), void *arg)
{
	return watch_new(loop, fd, EV_WRITE, NULL, cb, arg);
}

struct loop_watch *
loop_timer(struct loop *loop, uint64_t period_ms, void (*cb)(void *arg), void *arg)
{
	/* libevent fires a persistent timer of 0 only once. */
	uint64_t ms = period_ms > 0 ? period_ms : 1;
	struct timeval period = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000),
	};

	return watch_new(loop, -1, 0, &period, cb, arg);
}

struct loop_watch *
loop_signal(struct loop *loop, int signum, void (*cb)(void *arg), void *arg)
{
	sigaddset(&loop->signals, signum);
	return watch_new(loop, signum, EV_SIGNAL, NULL, cb, arg);
}

void
loop_unwatch(struct loop_watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->event != NULL)
		event_free(watch->event);
	*watch->prev = watch->next;
	if (watch->next != NULL)
		watch->next->prev = watch->prev;
	free(watch);
}

void
loop_run(struct loop *loop)
{
	sigset_t before;

	/* The other threads of a program keep the signals blocked, so that they come here. */
	pthread_sigmask(SIG_UNBLOCK, &loop->signals, &before);
	event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* An event of its own rather than event_base_loopbreak: libevent forgets a break that comes before
 * the loop runs, but not an active event. */
void
loop_stop(struct loop *loop)
{
	event_active(loop->stop, EV_TIMEOUT, 1);
}
