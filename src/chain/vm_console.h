/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* What a guest's kernel said on its console before it ended: the line that says why it panicked,
 * "" when none does.  Control characters are left out, for a guest is not trusted with a terminal.
 */
char *vm_console_panic(char *buf, size_t size, const char *path);
/* The last line that says anything, "" when none does. */
char *vm_console_last(char *buf, size_t size, const char *path);
