/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/* In what a reply to a recorded request may differ from the recorded one; 'path' is that of a
 * member
 * ("/ports/0/driver"). */

/* Only its type is compared. */
bool replay_is_masked(const char *method, const char *path);
/* One of the two may not have it. */
bool replay_is_apart(const char *method, const char *path);
