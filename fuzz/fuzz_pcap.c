/* SPDX-License-Identifier: MIT */
/* Any bytes either become frames that lie within them, or an error. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pkt/pcap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcap pcap;
	struct err err = {0};

	if (pcap_parse(&pcap, "fuzz.pcap", data, size, &err) < 0) {
		check(err.msg[0] != '\0' && pcap.n == 0);
		return 0;
	}
	for (size_t i = 0; i < pcap.n; i++) {
		const struct pcap_frame *f = &pcap.frames[i];

		check(f->data >= data && f->data <= data + size);
		check(f->len <= size - (size_t)(f->data - data));
	}
	pcap_unload(&pcap);
	return 0;
}
