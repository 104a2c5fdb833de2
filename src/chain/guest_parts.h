/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/loop.h"
#include "base/tunnel.h"

#include "guest.h"

/* What the files of guest.h share: work for a guest's own thread, and what only that may touch. */

struct guest_job {
	struct guest_job *next;
	void (*run)(struct guest *g, struct guest_job *job);
};

/* Has the guest's thread run 'job', which is freed afterwards; jobs run in the order given. */
void guest_do(struct guest *g, struct guest_job *job);

const char *guest_name(const struct guest *g);

/* In the guest's thread, or when it has ended. */
struct loop *guest_loop(struct guest *g);
struct tunnel *guest_tunnel(struct guest *g);

struct guest_listener; /* a local port that is forwarded */
struct guest_listener **guest_listeners(struct guest *g);
void guest_close_listeners(struct guest *g);
