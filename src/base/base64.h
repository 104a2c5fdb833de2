/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Base64 of RFC 4648, section 4. */

/* The text of 'len' bytes, with padding, for the caller to free. */
char *base64_encode(const uint8_t *data, size_t len);

/* The bytes of 'text', with or without padding, into 'out': their number, or -1 when it is no
 * base64 or they are more than 'size'. */
long base64_decode(const char *text, uint8_t *out, size_t size);
