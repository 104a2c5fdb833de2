/* SPDX-License-Identifier: MIT */
#pragma once

/* For tests: clients that speak ZeroMQ's protocol (ZMTP 3.0, RFC 23) by hand, so that they can die,
 * or fall silent, at any byte of it. */

struct client;

/* Clients of 'endpoint' (ipc or tcp) that are gone after each byte of a greeting, of a handshake
 * and of a request, between the parts of a message, and in the middle of frames that claim to be
 * long, by a close and by a reset; and some that stay and say no more.  After each kind 'honest' is
 * served. */
void broken_clients(const char *endpoint, struct client *honest);
