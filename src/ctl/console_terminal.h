/* SPDX-License-Identifier: MIT */
#pragma once

#include "console.h"

/* The console on a terminal: a prompt with completion and a history, which outlives the session
 * ($XDG_STATE_HOME/nfvchain/console, or below ~/.local/state).  What the generator tells by itself
 * appears between lines; one that is gone is noticed within three seconds.  Returns when the user
 * has had enough. */
int console_terminal(struct console *c, struct err *err);
