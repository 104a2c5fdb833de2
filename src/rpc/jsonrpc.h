/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

/* JSON-RPC 2.0 without a transport: bytes in, bytes out.  Error codes, texts and quirks are those
 * of TRex v3.08 (a batch of one is answered with a bare object; 'params' must be an object). */

#define JSONRPC_PARSE -32700
#define JSONRPC_REQUEST -32600
#define JSONRPC_METHOD -32601
#define JSONRPC_PARAMS -32602
#define JSONRPC_INTERNAL -32603
#define JSONRPC_FAILED -32000 /* every semantic failure */
#define JSONRPC_LATER -32001
#define JSONRPC_IN_PROGRESS -32002
#define JSONRPC_NO_RESULTS -32003

/* Limits before and while parsing, so that a hostile request costs no more than its bytes. */
#define JSONRPC_MAX_BYTES 999999u
#define JSONRPC_MAX_DEPTH 32
#define JSONRPC_MAX_BATCH 65536

/* Why a method failed: becomes the error object. */
struct jsonrpc_error {
	int code;	    /* JSONRPC_FAILED unless the method sets another */
	char specific[512]; /* "specific_err": the sentence people see */
};

/* Sets 'e' and returns -EINVAL, so that a failing branch is one line. */
int jsonrpc_fail(struct jsonrpc_error *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

struct jsonrpc_method {
	const char *name;
	/* 'params' is an object, never NULL.  On success puts a new reference into '*result' (NULL
	 * stands for {}).  'ctx' is the server's. */
	int (*call)(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e);
	unsigned flags; /* free for the server's guard */
};

struct jsonrpc_server {
	const struct jsonrpc_method *methods;
	size_t n_methods;
	void *ctx;
	/* Looks at each request before its method does (handles, ownership); may be NULL. */
	int (*guard)(void *ctx, const struct jsonrpc_method *m, const json_t *params,
		     struct jsonrpc_error *e);
	size_t max_reply; /* bytes; a longer reply becomes an error; 0: no limit */
};

/* Serves the request 'text' of 'len' bytes and returns the reply, a string for the caller to free;
 * never NULL, since a request without an id is an error here as in TRex. */
char *jsonrpc_serve(const struct jsonrpc_server *server, const char *text, size_t len);

/* The reply to a request of 'len' bytes that is too long to be read at all. */
char *jsonrpc_too_large(size_t len);

/* Typed parameters, of 'params' or an object inside it: fail with JSONRPC_PARAMS and the name of
 * the field.  Integers above 2^63 - 1 are not jansson's (wide.h): read them with jsonrpc_u64. */
int jsonrpc_u64(const json_t *params, const char *name, uint64_t *value, struct jsonrpc_error *e);
int jsonrpc_double(const json_t *params, const char *name, double *value, struct jsonrpc_error *e);
int jsonrpc_text(const json_t *params, const char *name, const char **value,
		 struct jsonrpc_error *e);
int jsonrpc_bool(const json_t *params, const char *name, bool *value, struct jsonrpc_error *e);

/* The client's side: a request for the caller to free, which steals 'params' (NULL for none); NULL
 * when 'params' is not an object. */
char *jsonrpc_request(const char *method, json_t *params, uint32_t id);
/* What the reply to it says: '*result' is a new reference ('result' may be NULL), or the error's
 * sentence lands in 'err' with -ENOSYS (no such method), -EAGAIN (later), -EINPROGRESS (TRex's
 * "work in progress", the sentence is the ticket) or -EREMOTEIO; -EPROTO when it is none. */
int jsonrpc_result(const char *reply, size_t len, uint32_t id, json_t **result, struct err *err);
