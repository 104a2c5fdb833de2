/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The signature: 18 bytes at the start of the L4 payload that prove loss, order and time.
 *
 *     offset  size  field (all big-endian)
 *          0     2  magic     0x4e46 ("NF"); 0x4e47 is reserved for signatures with extensions
 *          2     2  stream    of the generator, chosen per run
 *          4     4  seq       of the stream, from 0, wraps; widened on reception
 *          8     6  time      intended departure, ns since the start of the run
 *         14     2  lateness  actual - intended departure, units of 64 ns, saturating
 *         16     2  check     over bytes 0 to 15 and the length of the frame as sent
 *
 * It fits a 64-byte UDP/IPv4 frame exactly: 60 bytes without FCS - 14 - 20 - 8 = 18.  Headers are
 * not covered, since functions rewrite them.  Frames of 128 bytes and more may carry, after the
 * signature and under magic 0x4e47, a CRC32C of the payload and hop-stamp slots:
 *
 *         18     4  crc32c   over the payload from offset 22 to its end
 *         22     1  n_slots  hop-stamp slots that follow
 *         23     1  n_used
 *         24   8*n  slots    { u16 hop, u48 ns since the start of the run }
 *
 * The check detects every single flipped bit of the signature and every other length; of random
 * damage it misses 1 in 65536, of two flipped bits fewer still. */

#define SIG_SIZE 18
#define SIG_MAGIC 0x4e46u
#define SIG_MAGIC_EXT 0x4e47u
#define SIG_LATENESS_NS 64 /* unit of the lateness field */

struct sig {
	uint64_t time_ns; /* 48 bits */
	uint32_t seq;
	uint16_t stream;
	uint16_t lateness; /* units of SIG_LATENESS_NS */
};

/* Odd multipliers without long runs of equal bits: a flipped bit always moves the top 16 bits of
 * the sum that the check is. */
#define SIG_MUL_A 0x9e3779b97f4a7c15ull
#define SIG_MUL_B 0xd6e8feb86659fd93ull
#define SIG_MUL_TOP 0xa5a3564b27b4c169ull

/* 'a' and 'b' are the first 16 bytes as big-endian numbers; 'len' is without FCS. */
static inline uint16_t
sig_check(uint64_t a, uint64_t b, uint16_t len)
{
	/* The top of 'b', which one multiplication hardly spreads, goes in twice, else its highest
	 * bit would cancel against one bit of the check. */
	return (uint16_t)((a * SIG_MUL_A + b * SIG_MUL_B +
			   ((b >> 32) + ((uint64_t)len << 32)) * SIG_MUL_TOP) >>
			  48);
}

/* The first 8 bytes of a stream's signature with sequence 0: the sequence is to be added. */
static inline uint64_t
sig_stream_word(uint16_t stream)
{
	return (uint64_t)SIG_MAGIC << 48 | (uint64_t)stream << 32;
}

/* Writes the signature whose first 16 bytes are 'a' and 'b'. */
static inline void
sig_put(uint8_t *p, uint64_t a, uint64_t b, uint16_t len)
{
	uint64_t wa = __builtin_bswap64(a);
	uint64_t wb = __builtin_bswap64(b);
	uint16_t check = __builtin_bswap16(sig_check(a, b, len));

	memcpy(p, &wa, 8);
	memcpy(p + 8, &wb, 8);
	memcpy(p + 16, &check, 2);
}

/* The first and second 8 bytes of the signature, as sig_put takes them. */
static inline uint64_t
sig_word_a(const struct sig *s)
{
	return sig_stream_word(s->stream) | s->seq;
}

static inline uint64_t
sig_word_b(const struct sig *s)
{
	return s->time_ns << 16 | s->lateness;
}

/* Writes the signature at 'p' for a frame of 'len' bytes without FCS. */
static inline void
sig_write(uint8_t *p, const struct sig *s, uint16_t len)
{
	sig_put(p, sig_word_a(s), sig_word_b(s), len);
}

/* Sum of the 9 words of the signature at 'p', for a checksum that covers it (RFC 1071); not folded,
 * below 2^34. */
static inline uint64_t
sig_sum(const uint8_t *p)
{
	uint64_t a, b;
	uint16_t check;

	memcpy(&a, p, 8);
	memcpy(&b, p + 8, 8);
	memcpy(&check, p + 16, 2);
	a = __builtin_bswap64(a);
	b = __builtin_bswap64(b);
	return (a >> 32) + (uint32_t)a + (b >> 32) + (uint32_t)b + __builtin_bswap16(check);
}

static inline bool
sig_has_magic(const uint8_t *p)
{
	return p[0] == SIG_MAGIC >> 8 && p[1] == (SIG_MAGIC & 0xff);
}

/* Reads the signature at 'p' and tells whether it is intact for a frame sent with 'len' bytes. */
static inline bool
sig_read(const uint8_t *p, struct sig *s, uint16_t len)
{
	uint64_t wa, wb, a, b;
	uint16_t check;

	memcpy(&wa, p, 8);
	memcpy(&wb, p + 8, 8);
	memcpy(&check, p + 16, 2);
	a = __builtin_bswap64(wa);
	b = __builtin_bswap64(wb);
	s->stream = (uint16_t)(a >> 32);
	s->seq = (uint32_t)a;
	s->time_ns = b >> 16;
	s->lateness = (uint16_t)b;
	return a >> 48 == SIG_MAGIC && __builtin_bswap16(check) == sig_check(a, b, len);
}

/* Magic, stream and sequence at 'p' as one number: that of the next frame is one more. */
static inline uint64_t
sig_head(const uint8_t *p)
{
	uint64_t a;

	memcpy(&a, p, 8);
	return __builtin_bswap64(a);
}

static inline uint16_t
sig_stream(uint64_t head)
{
	return (uint16_t)(head >> 32);
}

/* What a run of signatures of one stream, with sequences that follow each other, must look like:
 * only time and lateness are open. */
struct sig_run {
	uint64_t a;   /* first 8 bytes of the next one as a big-endian number */
	uint64_t sum; /* what they and the length add to its check */
	/* The multipliers: as constants they would need a register and an instruction each. */
	uint64_t mul_a, mul_b, mul_top;
};

/* The run begins with 'seq' and ends before the sequence wraps; its frames have 'len' bytes. */
static inline struct sig_run
sig_run_from(uint16_t stream, uint32_t seq, uint16_t len)
{
	uint64_t a = sig_stream_word(stream) | seq;

	return (struct sig_run){
		.a = a,
		.sum = a * SIG_MUL_A + ((uint64_t)len << 32) * SIG_MUL_TOP,
		.mul_a = SIG_MUL_A,
		.mul_b = SIG_MUL_B,
		.mul_top = SIG_MUL_TOP,
	};
}

/* Is the signature at 'p' the next of the run, and intact?  Its time is in '*time_ns'. */
static inline bool
sig_run_holds(const struct sig_run *r, const uint8_t *p, uint64_t *time_ns)
{
	uint64_t a, b;
	uint16_t check;

	memcpy(&a, p, 8);
	memcpy(&b, p + 8, 8);
	memcpy(&check, p + 16, 2);
	b = __builtin_bswap64(b);
	*time_ns = b >> 16;
	/* The check is the top of the sum, and lies there in the other byte order. */
	return __builtin_bswap64(a) == r->a &&
	       (uint16_t)__builtin_bswap64(r->sum + b * r->mul_b + (b >> 32) * r->mul_top) == check;
}

static inline void
sig_run_step(struct sig_run *r)
{
	r->a++;
	r->sum += r->mul_a;
}
