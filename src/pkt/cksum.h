/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Internet checksums (RFC 1071, incremental update RFC 1624).  Values are in host order as they
 * would be read from the wire with a 16-bit big-endian load. */

/* Sum of 'len' bytes as big-endian 16-bit words (an odd last byte is padded with 0), not folded.
 * Sums can be chained over pieces of even length; 64 kB and a header never overflow. */
uint32_t cksum_add(uint32_t sum, const uint8_t *data, size_t len);
/* Folds and complements. */
uint16_t cksum_finish(uint32_t sum);

/* Checksum of an IPv4 header whose checksum field is taken as 0; 'hdr' of 'len' bytes. */
uint16_t cksum_ipv4(const uint8_t *hdr, size_t len);
/* UDP or TCP checksum over IPv4 or IPv6 ('ip' points at the IP header), its own field taken as 0;
 * a computed UDP checksum of 0 is returned as 0xffff. */
uint16_t cksum_l4(const uint8_t *ip, const uint8_t *l4, size_t l4_len);

/* 'check' after a 16-bit word it covers changed from 'from' to 'to' (RFC 1624, equation 3). */
uint16_t cksum_update16(uint16_t check, uint16_t from, uint16_t to);
uint16_t cksum_update32(uint16_t check, uint32_t from, uint32_t to);
