/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/yaml.h"
#include "pkt/packet.h"
#include "profile.h"

/* How a profile is read; private to profile*.c. */

struct profile_reading {
	const struct yaml *doc;
	const char *dir; /* of the file */
	struct profile *profile;
	bool mirrored; /* sources are destinations and the reverse */
};

/* The text of a scalar, or of the tunable that it names with '$'; NULL for other nodes. */
const char *profile_text(const struct profile_reading *r, const struct yaml_node *node);

/* Typed reading of 'key' in 'map', tunables put in: 0 and '*value' untouched when it is absent. */
int profile_uint(const struct profile_reading *r, const struct yaml_node *map, const char *key,
		 uint64_t min, uint64_t max, uint64_t *value, struct err *err);
int profile_word(const struct profile_reading *r, const struct yaml_node *map, const char *key,
		 const char **value, struct err *err);
int profile_flag(const struct profile_reading *r, const struct yaml_node *map, const char *key,
		 bool *value, struct err *err);
/* A time in microseconds. */
int profile_time_us(const struct profile_reading *r, const struct yaml_node *map, const char *key,
		    double *us, struct err *err);
/* A number, or an IPv4 address as one. */
int profile_value(const struct profile_reading *r, const struct yaml_node *node, uint64_t *value,
		  struct err *err);
/* 'node' must be a map of these keys. */
int profile_map(const struct profile_reading *r, const struct yaml_node *node, const char *what,
		const char *const *keys, struct err *err);

/* Whether 'map' is taken: it has no 'only', or tunables have the values that says. */
int profile_only(const struct profile_reading *r, const struct yaml_node *map, bool *taken,
		 struct err *err);

/* The frame that 'node' describes.  '*own_macs' tells whether it says (1) its source and (2) its
 * destination address. */
int profile_frame(const struct profile_reading *r, const struct yaml_node *node, struct packet *p,
		  unsigned *own_macs, struct err *err);

/* The field engine's instructions for 'node', a list of what varies; a new array. */
int profile_vary(const struct profile_reading *r, const struct yaml_node *node,
		 const struct packet *p, json_t **instructions, struct err *err);

/* Appends the stream that 'map' describes, or those of its capture, unless its 'only' says no. */
int profile_stream(struct profile_reading *r, const struct yaml_node *map, struct err *err);
/* A stream for each frame of a capture. */
int profile_capture(struct profile_reading *r, const struct yaml_node *node, struct err *err);

/* Appends a stream; steals 'object'. */
struct profile_stream *profile_add(struct profile *p, const char *name, json_t *object);
/* A stream object with its defaults. */
json_t *profile_object(const uint8_t *frame, size_t len, unsigned own_macs);
