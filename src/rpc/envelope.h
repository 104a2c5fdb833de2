/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* TRex's compression envelope: u32 big-endian 0xABE85CEA, u32 big-endian length of the plain text,
 * then a zlib stream.  A reply is compressed if and only if its request was. */

#define ENVELOPE_SIZE 8

struct jsonrpc_server;

bool envelope_is(const void *data, size_t len);

/* Inflates into a new buffer of '*out_len' bytes (plus a NUL); NULL when it is damaged, claims more
 * than 'max' bytes or more than deflate can have packed into its size (1032 times; a batch of
 * streams with one long padded packet does reach 300). */
char *envelope_open(const void *data, size_t len, size_t max, size_t *out_len);

/* Deflates 'text' into a new envelope of '*out_len' bytes. */
char *envelope_seal(const char *text, size_t len, size_t *out_len);

/* jsonrpc_serve for a message as it came off the wire, sealed or not.  The reply of '*out_len'
 * bytes is sealed if the message was, and for the caller to free; a damaged envelope is judged as
 * text. */
char *envelope_serve(const struct jsonrpc_server *server, const void *data, size_t len,
		     size_t *out_len);
