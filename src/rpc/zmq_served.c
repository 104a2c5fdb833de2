/* SPDX-License-Identifier: MIT */
#include "zmq_served.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

static int
echo(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	*result = json_deep_copy(params);
	return 0;
}

static int
wait_for_go(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct served *s = ctx;

	sem_post(&s->waiting);
	sem_wait(&s->go);
	*result = json_string("waited");
	return 0;
}

static int
ring(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct served *s = ctx;

	zmq_server_ring(s->server);
	return 0;
}

static int
busy(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	return jsonrpc_fail(e, JSONRPC_FAILED, "port is busy");
}

static const struct jsonrpc_method methods[] = {
	{.name = "echo", .call = echo},
	{.name = "wait", .call = wait_for_go},
	{.name = "ring", .call = ring},
	{.name = "busy", .call = busy},
};

static void *
serve(void *arg)
{
	struct served *s = arg;

	s->rc = loop_open(&s->loop, &s->err);
	if (s->rc == 0)
		s->rc = zmq_server_open(&s->server, &s->conf, s->loop, &s->err);
	sem_post(&s->ready);
	if (s->rc == 0)
		loop_run(s->loop);
	zmq_server_close(s->server);
	loop_close(s->loop);
	return NULL;
}

void
served_start(struct served *s, const char *endpoint, const char *pub)
{
	*s = (struct served){
		.conf = {.rpc_endpoint = endpoint,
			 .pub_endpoint = pub,
			 .rpc = {.methods = methods, .n_methods = N_ELEMS(methods), .ctx = s}},
	};
	sem_init(&s->ready, 0, 0);
	sem_init(&s->waiting, 0, 0);
	sem_init(&s->go, 0, 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	assert_int_equal(sem_wait(&s->ready), 0);
}

void
served_stop(struct served *s)
{
	if (s->rc == 0)
		loop_stop(s->loop);
	pthread_join(s->thread, NULL);
}
