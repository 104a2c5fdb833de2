/* SPDX-License-Identifier: MIT */
#include "hop_socket.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/mem.h"
#include "rpc/control.h"

struct hop_socket {
	hop_ask_fn *ask;
	void *arg;
	struct loop *loop;
	struct control_server *server;
	pthread_t thread;
	bool running;
};

static int
relay(struct hop_socket *s, const char *method, const json_t *params, json_t **result,
      struct jsonrpc_error *e)
{
	struct err err = {0};
	int rc = s->ask(s->arg, method, json_deep_copy(params), result, &err);

	if (rc == -ENOSYS)
		return jsonrpc_fail(e, JSONRPC_METHOD, "%s", err.msg);
	return rc < 0 ? jsonrpc_fail(e, JSONRPC_FAILED, "%s", err.msg) : 0;
}

#define RELAYED(name)                                                            \
	static int call_##name(void *ctx, const json_t *params, json_t **result, \
			       struct jsonrpc_error *e)                          \
	{                                                                        \
		return relay(ctx, #name, params, result, e);                     \
	}
RELAYED(hello)
RELAYED(counters)
RELAYED(quiesce)
RELAYED(resume)
RELAYED(fault)
#undef RELAYED

static const struct jsonrpc_method methods[] = {
	{"hello", call_hello, 0},   {"counters", call_counters, 0}, {"quiesce", call_quiesce, 0},
	{"resume", call_resume, 0}, {"fault", call_fault, 0},
};

static void *
serve(void *arg)
{
	struct hop_socket *s = arg;

	loop_run(s->loop);
	return NULL;
}

/* Signals are the main thread's. */
static int
start_thread(struct hop_socket *s, struct err *err)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&s->thread, NULL, serve, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	s->running = rc == 0;
	return rc != 0 ? err_set(err, rc, "thread: %s", strerror(rc)) : 0;
}

int
hop_socket_open(struct hop_socket **out, const char *path, hop_ask_fn *ask, void *arg,
		struct err *err)
{
	struct hop_socket *s = xcalloc(1, sizeof(*s));
	const struct jsonrpc_server rpc = {
		.methods = methods, .n_methods = N_ELEMS(methods), .ctx = s};
	int rc = loop_open(&s->loop, err);

	s->ask = ask;
	s->arg = arg;
	if (rc == 0)
		rc = control_server_open(&s->server, path, &rpc, s->loop, err);
	if (rc == 0)
		rc = start_thread(s, err);
	if (rc < 0) {
		hop_socket_close(s);
		s = NULL;
	}
	*out = s;
	return rc;
}

void
hop_socket_close(struct hop_socket *s)
{
	if (s == NULL)
		return;
	if (s->running) {
		loop_stop(s->loop);
		pthread_join(s->thread, NULL);
	}
	control_server_close(s->server);
	loop_close(s->loop);
	free(s);
}
