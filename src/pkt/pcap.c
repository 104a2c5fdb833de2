/* SPDX-License-Identifier: MIT */
#include "pcap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LINK_ETHERNET 1

#define PCAP_US 0xa1b2c3d4u
#define PCAP_NS 0xa1b23c4du
#define PCAP_HEADER 24
#define PCAP_RECORD 16

#define NG_SECTION 0x0a0d0d0au
#define NG_ORDER 0x1a2b3c4du
#define NG_INTERFACE 1u
#define NG_SIMPLE 3u
#define NG_ENHANCED 6u
#define NG_BLOCK 12 /* type, length, and the length again at the end */
#define NG_OPTION_TSRESOL 9
#define NG_MAX_INTERFACES 64

struct reader {
	const char *name;
	const uint8_t *bytes;
	size_t len, at;
	bool swapped;
	struct pcap *pcap;
	size_t room;
	/* Of each interface of a section of pcapng: nanoseconds in a unit of time, or how many
	 * units in one. */
	unsigned n_interfaces;
	uint64_t ns_per_unit[NG_MAX_INTERFACES], units_per_ns[NG_MAX_INTERFACES];
	uint32_t snap[NG_MAX_INTERFACES];
};

static uint32_t
u32_at(const struct reader *r, size_t at)
{
	uint32_t v;

	memcpy(&v, r->bytes + at, sizeof(v));
	return r->swapped ? __builtin_bswap32(v) : v;
}

static uint16_t
u16_at(const struct reader *r, size_t at)
{
	uint16_t v;

	memcpy(&v, r->bytes + at, sizeof(v));
	return r->swapped ? __builtin_bswap16(v) : v;
}

static int
damaged(const struct reader *r, const char *what, struct err *err)
{
	return err_usage(err, "%s: %s at byte %zu", r->name, what, r->at);
}

static void
add_frame(struct reader *r, struct pcap_frame frame)
{
	struct pcap *p = r->pcap;

	if (p->n == r->room) {
		r->room = r->room == 0 ? 64 : r->room * 2;
		p->frames = xrealloc(p->frames, r->room, sizeof(*p->frames));
	}
	p->frames[p->n++] = frame;
}

/* ---- pcap ---- */

static int
read_records(struct reader *r, uint64_t ns_per_fraction, struct err *err)
{
	if (u32_at(r, 20) != LINK_ETHERNET)
		return err_usage(err, "%s: frames are not Ethernet (link type %u)", r->name,
				 u32_at(r, 20));
	for (r->at = PCAP_HEADER; r->at < r->len;) {
		struct pcap_frame f;

		if (r->len - r->at < PCAP_RECORD)
			return damaged(r, "half of a record", err);
		f.time_ns =
			u32_at(r, r->at) * 1000000000ull + u32_at(r, r->at + 4) * ns_per_fraction;
		f.len = u32_at(r, r->at + 8);
		f.wire_len = u32_at(r, r->at + 12);
		f.data = r->bytes + r->at + PCAP_RECORD;
		if (f.len > r->len - r->at - PCAP_RECORD)
			return damaged(r, "a frame that goes beyond the end", err);
		add_frame(r, f);
		r->at += PCAP_RECORD + f.len;
	}
	return 0;
}

/* ---- pcapng ---- */

/* The option if_tsresol: 10^-n seconds, or 2^-n with the highest bit. */
static void
set_resolution(struct reader *r, unsigned i, uint8_t value)
{
	r->ns_per_unit[i] = r->units_per_ns[i] = 1;
	if (value & 0x80)
		return; /* powers of two are told apart in read_time */
	for (uint8_t n = value; n < 9; n++)
		r->ns_per_unit[i] *= 10;
	for (uint8_t n = 9; n < value && n < 27; n++)
		r->units_per_ns[i] *= 10;
}

static int
read_interface(struct reader *r, size_t body, size_t end, struct err *err)
{
	unsigned i = r->n_interfaces;

	if (end - body < 8)
		return damaged(r, "half of an interface", err);
	if (u16_at(r, body) != LINK_ETHERNET)
		return err_usage(err, "%s: frames are not Ethernet (link type %u)", r->name,
				 u16_at(r, body));
	if (i == NG_MAX_INTERFACES)
		return damaged(r, "too many interfaces", err);
	r->n_interfaces++;
	r->snap[i] = u32_at(r, body + 4);
	set_resolution(r, i, 6);
	for (body += 8; end - body >= 4 && u16_at(r, body) != 0;) {
		uint16_t code = u16_at(r, body), len = u16_at(r, body + 2);
		size_t padded = 4 + ((size_t)len + 3) / 4 * 4;

		if (padded > end - body)
			return damaged(r, "an option that goes beyond its block", err);
		if (code == NG_OPTION_TSRESOL && len == 1 && r->bytes[body + 4] & 0x80)
			return damaged(r, "a clock that counts in powers of two (not read)", err);
		if (code == NG_OPTION_TSRESOL && len == 1)
			set_resolution(r, i, r->bytes[body + 4]);
		body += padded;
	}
	return 0;
}

static int
read_enhanced(struct reader *r, size_t body, size_t end, struct err *err)
{
	struct pcap_frame f = {.data = r->bytes + body + 20};
	uint64_t units;
	uint32_t i;

	if (end - body < 20)
		return damaged(r, "half of a packet", err);
	i = u32_at(r, body);
	if (i >= r->n_interfaces)
		return damaged(r, "a packet of an interface that is not described", err);
	units = (uint64_t)u32_at(r, body + 4) << 32 | u32_at(r, body + 8);
	f.time_ns = units * r->ns_per_unit[i] / r->units_per_ns[i];
	f.len = u32_at(r, body + 12);
	f.wire_len = u32_at(r, body + 16);
	if (f.len > end - body - 20)
		return damaged(r, "a frame that goes beyond its block", err);
	add_frame(r, f);
	return 0;
}

/* Has neither a time nor the length of what is there. */
static int
read_simple(struct reader *r, size_t body, size_t end, struct err *err)
{
	struct pcap_frame f = {.data = r->bytes + body + 4};

	if (end - body < 4 || r->n_interfaces == 0)
		return damaged(r, "half of a packet", err);
	f.wire_len = u32_at(r, body);
	f.len = f.wire_len;
	if (r->snap[0] > 0 && f.len > r->snap[0])
		f.len = r->snap[0];
	if (f.len > end - body - 4)
		return damaged(r, "a frame that goes beyond its block", err);
	add_frame(r, f);
	return 0;
}

static int
read_block(struct reader *r, uint32_t type, size_t body, size_t end, struct err *err)
{
	switch (type) {
	case NG_INTERFACE:
		return read_interface(r, body, end, err);
	case NG_SIMPLE:
		return read_simple(r, body, end, err);
	case NG_ENHANCED:
		return read_enhanced(r, body, end, err);
	default:
		return 0;
	}
}

/* A section says in which order its bytes are. */
static int
begin_section(struct reader *r, struct err *err)
{
	r->swapped = false;
	r->n_interfaces = 0;
	if (u32_at(r, r->at + 8) == NG_ORDER)
		return 0;
	r->swapped = true;
	return u32_at(r, r->at + 8) == NG_ORDER ? 0
						: damaged(r, "a section without byte order", err);
}

static int
read_blocks(struct reader *r, struct err *err)
{
	int rc = 0;

	for (r->at = 0; rc == 0 && r->at < r->len;) {
		uint32_t type, size;

		if (r->len - r->at < NG_BLOCK)
			return damaged(r, "half of a block", err);
		type = u32_at(r, r->at);
		if (type == NG_SECTION)
			rc = begin_section(r, err);
		size = u32_at(r, r->at + 4);
		if (rc == 0 && (size < NG_BLOCK || size % 4 != 0 || size > r->len - r->at))
			rc = damaged(r, "a block that goes beyond the end", err);
		if (rc == 0)
			rc = read_block(r, type, r->at + 8, r->at + size - 4, err);
		r->at += size;
	}
	return rc;
}

/* ---- both ---- */

static int
read_any(struct reader *r, struct err *err)
{
	static const struct {
		uint32_t magic;
		uint64_t ns;
	} kinds[] = {{PCAP_US, 1000}, {PCAP_NS, 1}};

	if (r->len >= NG_BLOCK && u32_at(r, 0) == NG_SECTION)
		return read_blocks(r, err);
	for (int swapped = 0; r->len >= PCAP_HEADER && swapped < 2; swapped++) {
		r->swapped = swapped;
		for (size_t i = 0; i < N_ELEMS(kinds); i++)
			if (u32_at(r, 0) == kinds[i].magic)
				return read_records(r, kinds[i].ns, err);
	}
	return err_usage(err, "%s: is no capture (pcap or pcapng)", r->name);
}

int
pcap_parse(struct pcap *pcap, const char *name, const uint8_t *bytes, size_t len, struct err *err)
{
	struct reader r = {.name = name, .bytes = bytes, .len = len, .pcap = pcap};
	int rc;

	*pcap = (struct pcap){0};
	rc = read_any(&r, err);
	if (rc < 0)
		pcap_unload(pcap);
	return rc;
}

/* The whole file, for the caller to free. */
static uint8_t *
slurp(const char *path, size_t *len, struct err *err)
{
	FILE *in = fopen(path, "re");
	uint8_t *bytes = NULL;
	long size = -1;

	if (in != NULL && fseek(in, 0, SEEK_END) == 0)
		size = ftell(in);
	if (in == NULL || size < 0) {
		err_usage(err, "%s: %s", path, strerror(errno));
	} else if ((unsigned long)size > PCAP_MAX_BYTES) {
		err_usage(err, "%s: larger than %u MB", path, PCAP_MAX_BYTES >> 20);
	} else {
		rewind(in);
		bytes = xcalloc((size_t)size + 1, 1);
		*len = fread(bytes, 1, (size_t)size, in);
	}
	if (in != NULL)
		fclose(in);
	return bytes;
}

int
pcap_load(struct pcap *pcap, const char *path, struct err *err)
{
	size_t len = 0;
	uint8_t *bytes = slurp(path, &len, err);
	int rc;

	*pcap = (struct pcap){0};
	if (bytes == NULL)
		return -EINVAL;
	rc = pcap_parse(pcap, path, bytes, len, err);
	if (rc < 0)
		free(bytes);
	else
		pcap->bytes = bytes;
	return rc;
}

void
pcap_unload(struct pcap *pcap)
{
	free(pcap->frames);
	free(pcap->bytes);
	*pcap = (struct pcap){0};
}
