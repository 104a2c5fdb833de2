/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "str.h"

/* Frames on a stream of bytes whose reader or writer may be replaced in mid-frame, such as a
 * guest's virtio-serial port: what the host and the agent in a guest speak.
 *
 * A frame is "KIND ID LENGTH\n" and the body: one letter, two decimal numbers, LENGTH bytes.  The
 * byte FRAMING_RESYNC means "I begin anew" wherever it stands, and stands nowhere else, because
 * bodies are escaped: 0x18 is sent as 0x10 'X', 0x10 as 0x10 'P'.  LENGTH counts the body as it is
 * before. */

#define FRAMING_RESYNC 0x18
#define FRAMING_MAX_BODY (256u << 10)

enum framing_kind {
	FRAMING_REQUEST = 'q', /* JSON: {"method": ..., "params": {...}} */
	FRAMING_REPLY = 'r',   /* JSON: {"result": ...} or {"error": SENTENCE, "errno": N} */
	/* Connections through the stream, see tunnel.h; ID is the connection's. */
	FRAMING_OPEN = 'o',   /* body: the TCP port, in decimal */
	FRAMING_READY = 'a',  /* it is open */
	FRAMING_DATA = 'd',   /* bytes */
	FRAMING_WINDOW = 'w', /* body: how many more bytes may come, in decimal */
	FRAMING_END = 'e',    /* no more bytes from this side */
	FRAMING_RESET = 'x',  /* body: why it is over, a sentence */
};

struct frame {
	char kind;
	uint32_t id;
	const char *body; /* NUL-terminated; valid until the parser is fed again */
	size_t len;
};

/* Appends a frame; 'len' is at most FRAMING_MAX_BODY. */
void framing_add(struct str *out, char kind, uint32_t id, const void *body, size_t len);

/* A parser; zero-initialised it is ready. */
struct framing {
	char head[32];
	size_t head_len;
	bool in_body;
	bool is_escaped; /* the last byte was 0x10 */
	bool is_lost;	 /* what came was no frame: nothing counts until the next resync */
	struct frame frame;
	size_t want; /* of the body */
	struct str body;
};

enum framing_event {
	FRAMING_MORE,	 /* all bytes are read, and no frame is complete */
	FRAMING_FRAME,	 /* 'f->frame' is one */
	FRAMING_RESTART, /* the other side began anew */
	FRAMING_LOST	 /* this is no frame; told once, then all is skipped until a resync */
};

/* Reads on from '*data', which moves, until something is to be told. */
enum framing_event framing_read(struct framing *f, const char **data, size_t *len);
void framing_fini(struct framing *f);

/* A body that is a decimal number up to 'max'. */
bool framing_number(const struct frame *frame, uint32_t max, uint32_t *value);
