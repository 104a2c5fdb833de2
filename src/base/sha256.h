/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* SHA-256 of FIPS 180-4: how files and images are told to be whole. */

struct sha256 {
	uint32_t h[8];
	uint64_t bytes;	   /* hashed so far, those in 'block' included */
	uint8_t block[64]; /* the rest that does not fill one */
};

#define SHA256_HEX 65 /* 64 digits and a NUL */

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
/* Writes the digest in lower-case hex; 's' is used up. */
void sha256_hex(struct sha256 *s, char hex[SHA256_HEX]);

/* Adds all bytes of the file at 'path'. */
int sha256_add_file(struct sha256 *s, const char *path, struct err *err);
/* The digest of the file at 'path' alone. */
int sha256_file(const char *path, char hex[SHA256_HEX], struct err *err);
