/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Reading captured frames: pcap (both byte orders, microseconds or nanoseconds) and pcapng
 * (section, interface, enhanced and simple packet blocks; others are passed over).  Only Ethernet.
 */

#define PCAP_MAX_BYTES (256u << 20) /* of a file */

struct pcap_frame {
	uint64_t time_ns;    /* since 1970, or since whatever the capture counts from */
	uint32_t len;	     /* bytes that are there, without FCS */
	uint32_t wire_len;   /* that the frame had */
	const uint8_t *data; /* in the file's bytes */
};

struct pcap {
	uint8_t *bytes; /* owned, by pcap_load */
	struct pcap_frame *frames;
	size_t n;
};

int pcap_load(struct pcap *pcap, const char *path, struct err *err);
/* The same for bytes that live as long as 'pcap'; 'name' stands for the file in messages. */
int pcap_parse(struct pcap *pcap, const char *name, const uint8_t *bytes, size_t len,
	       struct err *err);
void pcap_unload(struct pcap *pcap);
