/* SPDX-License-Identifier: MIT */
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

__attribute__((noreturn)) static void
die(size_t n, size_t size, const char *where)
{
	log_line(LOG_ERR, "%s: no memory for %zu times %zu bytes", where, n, size);
	abort();
}

/* Bytes of 'n' elements of 'size' bytes, at least 1: an empty array has an address too, so that
 * NULL never means success. */
static size_t
bytes_of(size_t n, size_t size, const char *where)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		die(n, size, where);
	return bytes > 0 ? bytes : 1;
}

void *
mem_alloc(size_t n, size_t size, const char *where)
{
	void *mem = calloc(1, bytes_of(n, size, where));

	if (mem == NULL)
		die(n, size, where);
	return mem;
}

void *
mem_realloc(void *old, size_t n, size_t size, const char *where)
{
	void *mem = realloc(old, bytes_of(n, size, where));

	if (mem == NULL)
		die(n, size, where);
	return mem;
}

char *
mem_strdup(const char *s, const char *where)
{
	size_t size;

	if (s == NULL)
		return NULL;
	size = strlen(s) + 1;
	return memcpy(mem_alloc(size, 1, where), s, size);
}

char *
xvasprintf(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0) {
		log_line(LOG_ERR, "no memory for a text like '%s'", fmt);
		abort();
	}
	return text;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	return text;
}
