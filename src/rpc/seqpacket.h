/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/err.h"

/* SOCK_SEQPACKET sockets with a path: what the control socket and DPDK's telemetry socket share. */

/* The address of 'path', or -ENAMETOOLONG: the kernel takes 107 bytes. */
int seqpacket_address(struct sockaddr_un *addr, const char *path, struct err *err);

/* Makes 'path' free to listen at, whatever the type of socket: removes one that nobody answers on.
 * -EADDRINUSE when somebody does, -EEXIST when it is something else, which stays. */
int seqpacket_claim(const char *path, struct err *err);

/* Connects, retrying until 'd' while nobody listens; returns a non-blocking descriptor. */
int seqpacket_connect(const char *path, const struct deadline *d, struct err *err);

/* Waits for the next packet and returns its length.  -EPIPE when the other side has gone, -EMSGSIZE
 * when the packet is longer than 'size', -ETIMEDOUT, -EINTR. */
int seqpacket_receive(int fd, char *buf, size_t size, const struct deadline *d, struct err *err);

/* Sends 'text' and returns the length of the answer, or as seqpacket_receive. */
int seqpacket_ask(int fd, const char *text, size_t len, char *buf, size_t size,
		  const struct deadline *d, struct err *err);
