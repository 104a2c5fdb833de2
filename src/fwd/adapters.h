/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evdev.h"
#include "forwarder.h"

/* DPDK's event adapters in place of our own roles: its Rx adapter receives from the queues of an
 * lcore and makes events, and its Tx adapter, one for each port, takes events from a queue of its
 * own and sends.  They are services, which the lcores of the plan run.
 *
 * They know nothing of our books, so these are kept around them: a callback on each receive queue
 * counts what comes in, and gives each frame its flow, for which the adapter's own hash would read
 * beyond short frames and leave ports out; what left, and what the Tx adapter dropped after its
 * hundred tries, is taken from its counters after each of its turns.  Frames that an adapter has in
 * its buffers are inside, therefore, until they are seen to be gone.
 *
 * An Rx adapter cannot be told to hand over what it has without receiving more.  Coming to rest, it
 * waits until all else is gone, and then takes one more turn: it may receive a burst from each of
 * its queues after it was told to stop. */

struct adapters;

/* Opens the adapters of a plan and starts them; 'packets_left' is counted down where --packets has
 * an end.  Half-opened is closable. */
int adapters_open(struct adapters **adapters, struct fwd *fwd, const struct evdev *dev,
		  _Atomic uint64_t *packets_left, struct err *err);
/* Frees them; all ports are detached before.  NULL is fine. */
void adapters_close(struct adapters *a);

/* Takes a port from its adapters, before it is closed, and gives it back when it is open again.
 * Detaching twice is harmless. */
void adapters_detach(struct adapters *a, uint16_t port);
int adapters_attach(struct adapters *a, uint16_t port, struct err *err);

/* A turn of the Rx adapter of lcore 'w'.  Returns the number of frames received. */
size_t adapters_receive(struct adapters *a, struct fwd_lcore *w);
/* A turn of each Tx adapter of lcore 'w'.  Returns the number of frames that left. */
size_t adapters_send(struct adapters *a, struct fwd_lcore *w);
/* Addresses an event to the Tx adapter of the port that its frame's verdict says.  False when there
 * is none. */
bool adapters_address(const struct fwd *fwd, struct rte_event *ev);

/* One step of coming to rest for the Rx adapter of lcore 'w': true once it has nothing in hand. The
 * frames are inside until then. */
bool adapters_come_to_rest(struct adapters *a, struct fwd_lcore *w);
/* Once no lcore runs: what Tx adapters have, or can get, leaves. */
void adapters_send_rest(struct adapters *a);
/* Then, with room in the device: Rx adapters hand over what they have.  True when there was any. */
bool adapters_hand_over(struct adapters *a);
