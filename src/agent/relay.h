/* SPDX-License-Identifier: MIT */
#pragma once

/* Questions of the host to sockets of programs in the guest (SOCK_SEQPACKET): one packet there, one
 * packet back, on a connection of its own, so that no late answer can be taken for another's. */

struct relay;

/* Gives up all that are under way. */
void relay_close_all(struct relay **relays);
