/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"

/* TCP connections through a channel: the side that has a client opens them, the other connects to
 * 127.0.0.1 on its own machine.  Each has a window in each direction, so that one whose reader is
 * slow holds up nobody else; each side ends when it will, half a connection goes on. */

#define TUNNEL_WINDOW 65536u /* bytes that may be under way in one direction */
#define TUNNEL_MAX 64u	     /* connections at once; more are refused */

struct tunnel;

struct tunnel *tunnel_new(struct loop *loop, struct channel *channel);
/* Closes all connections without a word to the other side. */
void tunnel_free(struct tunnel *t);
/* The same, and the tunnel goes on: the other side began anew. */
void tunnel_drop_all(struct tunnel *t);

/* Takes over the connected socket 'fd' and opens a connection to 'port' on the other side for it.
 */
void tunnel_carry(struct tunnel *t, int fd, uint16_t port);
/* Takes a frame about a connection; false when it is about something else.  'accepts' tells whether
 * the other side may open some. */
bool tunnel_take(struct tunnel *t, const struct frame *frame, bool accepts);
/* Connections that are there. */
unsigned tunnel_count(const struct tunnel *t);
