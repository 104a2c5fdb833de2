/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "base/opt.h"

/* Traffic profiles: streams described in YAML, for our generator or a real TRex.
 *
 *     version: 1
 *     about: two flows of UDP, 64 bytes
 *     tunables: {size: {default: 64, about: frame size with FCS}}
 *     streams:
 *       - name: a
 *         frame: {size: $size, ipv4: {src: 16.0.0.1, dst: 48.0.0.1}, udp: {src: 1025, dst: 12}}
 *         rate: 1pps
 *         vary: [{field: ipv4.src, from: 16.0.0.1, to: 16.0.0.254}]
 *
 * The grammar is in docs/profiles.md.  A profile becomes TRex's stream objects, so that any server
 * of its protocol takes it. */

/* A stream as add_stream wants it. */
struct profile_stream {
	uint32_t id; /* from 1 */
	char *name;
	json_t *object;
};

struct profile_tunable {
	char *name, *value, *about;
	char **one_of; /* NULL-terminated, or NULL */
};

struct profile {
	char *about;
	struct profile_stream *streams;
	size_t n_streams;
	struct profile_tunable *tunables;
	size_t n_tunables;
	bool mirrors; /* the last tunable is PROFILE_DIRECTION, and not the profile's own */
};

#define PROFILE_MAX_STREAMS 20000

/* The tunable that every profile has: "0", or "1" for the other way, as TRex's profiles are sent
 * from odd ports.  Sources and destinations, of Ethernet and IP, are then exchanged, unless the
 * profile has a tunable of that name itself. */
#define PROFILE_DIRECTION "direction"

/* Reads the file; 'settings' are "NAME=VALUE" for its tunables, later ones win. */
int profile_open(struct profile **profile, const char *path, const struct opt_list *settings,
		 struct err *err);
/* The same as 'port' sends it: the other way if that is odd, unless the settings say which. */
int profile_open_for(struct profile **profile, const char *path, const struct opt_list *settings,
		     unsigned port, struct err *err);
/* The same for a text; files it names are relative to 'dir'. */
int profile_parse(struct profile **profile, const char *name, const char *text, size_t len,
		  const char *dir, const struct opt_list *settings, struct err *err);
void profile_close(struct profile *profile);

/* The path of a profile that 'word' names: a file that is there, or one of ours ("imix",
 * "stl/imix.py", as TRex's users call them, then '*ours' is set), for the caller to free.
 * 'dirs' is NULL-terminated. */
char *profile_find(const char *word, const char *const *dirs, bool *ours, struct err *err);
