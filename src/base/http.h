/* SPDX-License-Identifier: MIT */
#pragma once

#include <signal.h>

#include "err.h"

/* A small HTTP server for machines that read: GET of one path, a request at a time (libevent's). */

struct http_page {
	const char *path; /* "/metrics"; others are not found */
	/* The body for one request, for the server to free; 'accept' is its header of that name, or
	 * "".
	 * '*type' becomes the content's type. */
	char *(*make)(void *arg, const char *accept, const char **type);
	void *arg;
};

/* Serves at 'host' (a numeric address) and 'port' until '*stop', which is looked at each 200 ms. */
int http_serve(const char *host, unsigned port, const struct http_page *page,
	       const volatile sig_atomic_t *stop, struct err *err);
