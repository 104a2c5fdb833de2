/* SPDX-License-Identifier: MIT */
/* Files of frames, made and compared.
 *
 *     e2e-captures make FILE COUNT SEED MAX    writes frames of 14 to MAX bytes (without FCS)
 *     e2e-captures same IN OUT [SKIPPED]       are they the same frames in their order, but for
 * both addresses?  Of IN, SKIPPED may be missing (0) */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_make.h"
#include "pkt/pcap.h"

#define MACS 12
#define MIN_LEN 14

/* A capture's two heads, in the byte order of this machine. */
static const uint32_t file_head[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};

static int
make(const char *path, uint64_t count, uint64_t seed, unsigned max)
{
	static struct frame_maker maker;
	FILE *out = fopen(path, "we");
	bool ok = out != NULL;

	maker = (struct frame_maker){
		.seed = seed, .min = MIN_LEN, .max = max, .tags = true, .hop = {0x00, 0x11}};
	ok = ok && fwrite(file_head, sizeof(file_head), 1, out) == 1;
	for (uint64_t i = 0; ok && i < count; i++) {
		unsigned len = frame_make(&maker, i);
		const uint32_t head[] = {(uint32_t)(i / 1000000), (uint32_t)(i % 1000000), len,
					 len};

		ok = fwrite(head, sizeof(head), 1, out) == 1 &&
		     fwrite(maker.frame, len, 1, out) == 1;
	}
	if (out == NULL || fclose(out) != 0 || !ok) {
		perror(path);
		return 1;
	}
	return 0;
}

static bool
is_same(const struct pcap_frame *a, const struct pcap_frame *b)
{
	return a->len == b->len && memcmp(a->data + MACS, b->data + MACS, a->len - MACS) == 0;
}

static int
same(const char *in, const char *out, uint64_t skipped)
{
	struct pcap a = {0}, b = {0};
	struct err err = {0};
	uint64_t changed = 0, bytes = 0;
	size_t at = 0;

	if (pcap_load(&a, in, &err) < 0 || pcap_load(&b, out, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	for (size_t i = 0; i < b.n; i++, at++) {
		/* What is left out of it may be anywhere. */
		while (skipped > 0 && at < a.n && !is_same(&a.frames[at], &b.frames[i])) {
			at++;
			skipped--;
		}
		changed += at >= a.n || !is_same(&a.frames[at], &b.frames[i]);
		bytes += b.frames[i].len;
	}
	printf("%zu frames of %zu, %" PRIu64 " MB: changed %" PRIu64 ", missing %zu\n", b.n, a.n,
	       bytes / 1000000, changed, a.n - b.n);
	return changed > 0 || at + skipped != a.n;
}

int
main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "make") == 0)
		return make(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10),
			    (unsigned)strtoul(argv[5], NULL, 10));
	if ((argc == 4 || argc == 5) && strcmp(argv[1], "same") == 0)
		return same(argv[2], argv[3], argc == 5 ? strtoull(argv[4], NULL, 10) : 0);
	return 2;
}
