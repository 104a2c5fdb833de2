/* SPDX-License-Identifier: MIT */
#include "envelope.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/mem.h"
#include "jsonrpc.h"

#define MAGIC 0xabe85ceau
#define DEFLATE_MAX_RATIO 1032

static uint32_t
get_be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
put_be32(unsigned char *p, uint32_t value)
{
	p[0] = (unsigned char)(value >> 24);
	p[1] = (unsigned char)(value >> 16);
	p[2] = (unsigned char)(value >> 8);
	p[3] = (unsigned char)value;
}

bool
envelope_is(const void *data, size_t len)
{
	return len >= ENVELOPE_SIZE && get_be32(data) == MAGIC;
}

/* The length of the plain text, as its sender says. */
static size_t
claimed_len(const void *data)
{
	return get_be32((const unsigned char *)data + 4);
}

char *
envelope_open(const void *data, size_t len, size_t max, size_t *out_len)
{
	const unsigned char *packed = (const unsigned char *)data + ENVELOPE_SIZE;
	uLongf plain_len;
	uLong packed_len;
	size_t claimed;
	char *plain;

	if (!envelope_is(data, len))
		return NULL;
	claimed = claimed_len(data);
	packed_len = len - ENVELOPE_SIZE;
	if (claimed > max || claimed / DEFLATE_MAX_RATIO > packed_len)
		return NULL;
	plain_len = claimed;
	plain = xcalloc(claimed + 1, 1);
	if (uncompress2((Bytef *)plain, &plain_len, packed, &packed_len) != Z_OK ||
	    plain_len != claimed || packed_len != len - ENVELOPE_SIZE) {
		free(plain);
		return NULL;
	}
	*out_len = claimed;
	return plain;
}

char *
envelope_seal(const char *text, size_t len, size_t *out_len)
{
	uLongf packed_len = compressBound(len);
	unsigned char *sealed = xcalloc(ENVELOPE_SIZE + packed_len, 1);
	const Bytef *plain = (const Bytef *)text;

	put_be32(sealed, MAGIC);
	put_be32(sealed + 4, (uint32_t)len);
	/* Into a buffer of compressBound bytes only memory can fail it, and mem.h has the answer.
	 */
	if (compress(sealed + ENVELOPE_SIZE, &packed_len, plain, len) != Z_OK)
		abort();
	*out_len = ENVELOPE_SIZE + packed_len;
	return (char *)sealed;
}

/* The plain reply to a message in an envelope; NULL when the envelope is damaged. */
static char *
serve_opened(const struct jsonrpc_server *server, const void *data, size_t len)
{
	size_t plain_len;
	char *plain;
	char *reply;

	if (len > JSONRPC_MAX_BYTES)
		return jsonrpc_too_large(len);
	if (claimed_len(data) > JSONRPC_MAX_BYTES)
		return jsonrpc_too_large(claimed_len(data));
	plain = envelope_open(data, len, JSONRPC_MAX_BYTES, &plain_len);
	if (plain == NULL)
		return NULL;
	reply = jsonrpc_serve(server, plain, plain_len);
	free(plain);
	return reply;
}

char *
envelope_serve(const struct jsonrpc_server *server, const void *data, size_t len, size_t *out_len)
{
	char *reply = envelope_is(data, len) ? serve_opened(server, data, len) : NULL;
	char *sealed;

	if (reply == NULL) {
		reply = jsonrpc_serve(server, data, len);
		*out_len = strlen(reply);
		return reply;
	}
	sealed = envelope_seal(reply, strlen(reply), out_len);
	free(reply);
	return sealed;
}
