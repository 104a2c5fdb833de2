/* SPDX-License-Identifier: MIT */
#include "zmq_client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/mem.h"
#include "envelope.h"
#include "jsonrpc.h"

/* The largest reply: a TRex server with thousands of streams describes them all at once. */
#define REPLY_MAX (64 << 20)
#define RECONNECT_MS 20
#define RECONNECT_MAX_MS 500

struct zmq_client {
	char *endpoint;
	void *ctx;
	void *req;
	uint32_t id;
};

static int
connect_req(struct zmq_client *c, struct err *err)
{
	c->req = zmq_socket(c->ctx, ZMQ_REQ);
	if (c->req == NULL)
		return err_set(err, errno, "socket for %s: %s", c->endpoint, zmq_strerror(errno));
	zmq_setsockopt(c->req, ZMQ_LINGER, &(int){0}, sizeof(int));
	zmq_setsockopt(c->req, ZMQ_MAXMSGSIZE, &(int64_t){REPLY_MAX}, sizeof(int64_t));
	zmq_setsockopt(c->req, ZMQ_RECONNECT_IVL, &(int){RECONNECT_MS}, sizeof(int));
	zmq_setsockopt(c->req, ZMQ_RECONNECT_IVL_MAX, &(int){RECONNECT_MAX_MS}, sizeof(int));
	if (zmq_connect(c->req, c->endpoint) < 0)
		return err_set(err, errno, "cannot connect to %s: %s", c->endpoint,
			       zmq_strerror(errno));
	return 0;
}

static void
disconnect(struct zmq_client *c)
{
	if (c->req != NULL)
		zmq_close(c->req);
	c->req = NULL;
}

int
zmq_client_open(struct zmq_client **client, const char *endpoint, struct err *err)
{
	struct zmq_client *c = xcalloc(1, sizeof(*c));
	int rc;

	*client = NULL;
	c->endpoint = xstrdup(endpoint);
	c->ctx = zmq_ctx_new();
	if (c->ctx != NULL)
		rc = connect_req(c, err);
	else
		rc = err_set(err, errno, "ZeroMQ: %s", zmq_strerror(errno));
	if (rc < 0) {
		zmq_client_close(c);
		return rc;
	}
	*client = c;
	return 0;
}

void
zmq_client_close(struct zmq_client *c)
{
	if (c == NULL)
		return;
	disconnect(c);
	while (c->ctx != NULL && zmq_ctx_term(c->ctx) < 0 && errno == EINTR)
		;
	free(c->endpoint);
	free(c);
}

/* Waits for an answer and takes it into 'msg'. */
static int
receive(const struct zmq_client *c, zmq_msg_t *msg, int timeout_ms, struct err *err)
{
	struct deadline d = deadline_in_ms(timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
	zmq_pollitem_t item = {.socket = c->req, .events = ZMQ_POLLIN};

	/* ZeroMQ can be readable for a message that the REQ socket then discards. */
	while (true) {
		int rc = zmq_poll(&item, 1, deadline_left_ms(&d));

		if (rc < 0)
			return err_set(err, errno, "%s", zmq_strerror(errno));
		if (rc > 0 && zmq_msg_recv(msg, c->req, ZMQ_DONTWAIT) >= 0)
			return 0;
		if (rc > 0 && errno != EAGAIN)
			return err_set(err, errno, "%s", zmq_strerror(errno));
		if (deadline_passed(&d))
			return err_set(err, ETIMEDOUT, "no answer within %d ms", timeout_ms);
	}
}

static int
read_reply(zmq_msg_t *msg, uint32_t id, json_t **result, struct err *err)
{
	const char *data = zmq_msg_data(msg);
	size_t len = zmq_msg_size(msg);
	char *plain;
	int rc;

	if (zmq_msg_more(msg))
		return err_set(err, EPROTO, "the reply has several parts");
	if (!envelope_is(data, len))
		return jsonrpc_result(data, len, id, result, err);
	plain = envelope_open(data, len, REPLY_MAX, &len);
	if (plain == NULL)
		return err_set(err, EPROTO, "the reply does not inflate");
	rc = jsonrpc_result(plain, len, id, result, err);
	free(plain);
	return rc;
}

static int
exchange(struct zmq_client *c, const char *request, int timeout_ms, json_t **result,
	 struct err *err)
{
	zmq_msg_t msg;
	int rc;

	if (c->req == NULL) {
		rc = connect_req(c, err);
		if (rc < 0)
			return rc;
	}
	if (zmq_send(c->req, request, strlen(request), ZMQ_DONTWAIT) < 0)
		return err_set(err, errno == EAGAIN ? EIO : errno, "send: %s",
			       zmq_strerror(errno)); /* -EAGAIN is an answer */
	zmq_msg_init(&msg);
	rc = receive(c, &msg, timeout_ms, err);
	if (rc == 0)
		rc = read_reply(&msg, c->id, result, err);
	zmq_msg_close(&msg);
	return rc;
}

/* Whether the exchange is over: an answer came, be it an error. */
static bool
is_answer(int rc)
{
	return rc == 0 || rc == -ENOSYS || rc == -EAGAIN || rc == -EINPROGRESS || rc == -EREMOTEIO;
}

int
zmq_client_call(struct zmq_client *c, const char *method, json_t *params, int timeout_ms,
		json_t **result, struct err *err)
{
	char *request = jsonrpc_request(method, params, ++c->id);
	int rc;

	if (result != NULL)
		*result = NULL;
	if (request == NULL)
		return err_set(err, EINVAL, "%s: the parameters are not an object", method);
	rc = exchange(c, request, timeout_ms, result, err);
	free(request);
	if (!is_answer(rc))
		disconnect(c);
	return err_wrap(err, rc, "%s: %s", c->endpoint, method);
}
