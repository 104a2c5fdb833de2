/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "framing.h"
#include "loop.h"

/* One end of a stream of frames, in an event loop: reads them, and queues what cannot be written
 * yet.  All calls in the thread of the loop. */

struct channel;

struct channel_ops {
	void (*on_frame)(void *arg, const struct frame *frame);
	/* The other side began anew: what it had asked for concerns nobody any more. */
	void (*on_restart)(void *arg);
	/* Nothing will come any more, for the reason given; called once.  It may close the channel,
	 * as any of these may. */
	void (*on_end)(void *arg, const char *why);
	void *arg;
};

/* Serves 'fd', which stays the caller's and must not block.  'returns' is for a port whose other
 * end comes and goes: end of file is then no end, but looked at again each CHANNEL_AWAY_MS. */
int channel_open(struct channel **c, struct loop *loop, int fd, bool returns,
		 const struct channel_ops *ops, struct err *err);
void channel_close(struct channel *c);

#define CHANNEL_AWAY_MS 20

void channel_send(struct channel *c, char kind, uint32_t id, const void *body, size_t len);
/* Drops what is queued, and tells the other side that we begin anew. */
void channel_restart(struct channel *c);
/* Bytes queued. */
size_t channel_backlog(const struct channel *c);
