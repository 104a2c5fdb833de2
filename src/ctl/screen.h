/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"

/* The terminal as a screen: what was on it comes back afterwards, also when the program ends by a
 * signal that session_catch_signals catches, for then the caller gets to screen_close.  One at a
 * time. */

/* Fails (usage) when stdin or stdout is no terminal. */
int screen_open(struct err *err);
void screen_close(void);

/* As large as it is now. */
void screen_size(unsigned *cols, unsigned *rows);

/* Shows 'text', lines ended by newlines, from the top; what they do not cover is blank.  Everything
 * is written at once, so that nothing flickers. */
void screen_draw(const char *text);

/* A key within 'timeout_ms', or 0: that time is over, the size has changed, or a signal came.  A
 * key that sends a sequence, as the arrows do, is SCREEN_OTHER. */
#define SCREEN_OTHER 1
int screen_key(int timeout_ms);

/* Reads a line at the bottom, with 'prompt' before it: what was typed, for the caller to free, NULL
 * when Escape was pressed or a signal came. */
char *screen_line(const char *prompt);
