/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* Memory of the control plane: failure to allocate a few bytes ends the program with file and
 * line, because no caller could do anything better. */

void *mem_alloc(size_t n, size_t size, const char *where);
void *mem_realloc(void *old, size_t n, size_t size, const char *where);
char *mem_strdup(const char *s, const char *where);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

#define MEM_STR_(line) #line
#define MEM_STR(line) MEM_STR_(line)
#define MEM_WHERE __FILE__ ":" MEM_STR(__LINE__)

/* Zeroed array of 'n' elements of 'size' bytes. */
#define xcalloc(n, size) mem_alloc(n, size, MEM_WHERE)
/* Grows or shrinks 'old' to 'n' elements of 'size' bytes; new bytes are not cleared. */
#define xrealloc(old, n, size) mem_realloc(old, n, size, MEM_WHERE)
/* Copy of 's', or NULL for NULL. */
#define xstrdup(s) mem_strdup(s, MEM_WHERE)

#define N_ELEMS(array) (sizeof(array) / sizeof((array)[0]))
