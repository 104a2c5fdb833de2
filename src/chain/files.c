/* SPDX-License-Identifier: MIT */
#include "files.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "pkt/frame.h"
#include "pkt/pcap.h"

#define FCS 4
#define MIN_LEN 14 /* two addresses and a type */
#define MIN_FRAME 64
#define LOOK_MS 5
#define SILENCE_MS 10000 /* a slow function may hold one frame for long */
#define CALL_MS 4000

/* ---- before anything starts ---- */

static int
check_frame(struct files_facts *facts, const char *path, size_t i, const struct pcap_frame *f,
	    struct err *err)
{
	if (f->len < MIN_LEN)
		return err_usage(err, "'%s': frame %zu has %u bytes, and two addresses take %d",
				 path, i + 1, f->len, MIN_LEN);
	if (f->len + FCS > FRAME_MAX_SIZE)
		return err_usage(err, "'%s': frame %zu has %u bytes with FCS, and %d is the most",
				 path, i + 1, f->len + FCS, FRAME_MAX_SIZE);
	if (f->len + FCS > facts->max_frame)
		facts->max_frame = (uint16_t)(f->len + FCS);
	facts->cut += f->len < f->wire_len;
	return 0;
}

static int
look_in(struct files_facts *facts, const char *path, struct err *err)
{
	struct pcap pcap = {0};
	int rc = pcap_load(&pcap, path, err);

	*facts = (struct files_facts){.n = pcap.n, .max_frame = MIN_FRAME};
	if (rc == 0 && pcap.n == 0)
		rc = err_usage(err, "'%s' has no frames", path);
	for (size_t i = 0; rc == 0 && i < pcap.n; i++)
		rc = check_frame(facts, path, i, &pcap.frames[i], err);
	pcap_unload(&pcap);
	return rc;
}

static int
look_out(const char *in, const char *out, struct err *err)
{
	struct stat a, b;
	char *copy, *dir;
	int rc = 0;

	if (stat(out, &b) == 0) {
		if (stat(in, &a) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
			return err_usage(err, "'%s' is '%s', and would be written while it is read",
					 out, in);
		if (!S_ISREG(b.st_mode))
			return err_usage(err, "'%s' is no regular file", out);
		return access(out, W_OK) < 0 ? err_usage(err, "'%s': %s", out, strerror(errno)) : 0;
	}
	copy = xstrdup(out);
	dir = dirname(copy);
	if (access(dir, W_OK | X_OK) < 0)
		rc = err_usage(err, "'%s' cannot be made in '%s': %s", out, dir, strerror(errno));
	free(copy);
	return rc;
}

int
files_look(struct files_facts *facts, const struct chain *chain, struct err *err)
{
	const char *in = chain->link[0].file, *out = chain->link[chain->n_hops].file;
	int rc = look_in(facts, in, err);

	return rc == 0 ? look_out(in, out, err) : rc;
}

/* ---- while it is up ---- */

/* Frames that hop 'i' has come to see at its port 0. */
static int
seen_by(struct backend *b, size_t i, struct ledger_hop *hop, uint64_t *n, struct err *err)
{
	int rc = backend_read_hop(b, i, false, hop, err);

	*n = hop->port[0].rx + hop->port[0].miss;
	return rc;
}

/* Waits until hop 'i' has seen 'n' frames, or sees no more of them.  The latter is no failure when
 * it is a link that lost them: the ledger will say so. */
static int
await_seen(struct backend *b, size_t i, uint64_t n, struct err *err)
{
	struct deadline d = deadline_in_ms(SILENCE_MS);
	struct ledger_hop hop;
	uint64_t seen = 0, before = 0;
	int rc;

	while ((rc = seen_by(b, i, &hop, &seen, err)) == 0 && hop.known && seen < n) {
		if (seen != before)
			d = deadline_in_ms(SILENCE_MS);
		else if (deadline_passed(&d))
			break;
		before = seen;
		rc = backend_wait(b, LOOK_MS, err);
		if (rc < 0)
			break;
	}
	if (rc == 0 && i == 0 && seen < n)
		rc = err_set(err, ETIMEDOUT, "%s has read %llu of %llu frames, and no more come",
			     hop.name, (unsigned long long)seen, (unsigned long long)n);
	return rc;
}

int
files_run(struct backend *b, const struct files_facts *facts, struct ledger *ledger,
	  struct err *err)
{
	uint64_t n = facts->n;
	int rc = backend_ask(b, 0, "resume", NULL, CALL_MS, NULL, err);

	*ledger = (struct ledger){.n_hops = b->chain->n_hops, .seq_unknown = true};
	ledger->gen[0].tx = n;
	for (size_t i = 0; rc == 0 && i < b->chain->n_hops; i++) {
		struct ledger_hop *hop = &ledger->hop[i];

		rc = await_seen(b, i, n, err);
		if (rc == 0)
			rc = backend_read_hop(b, i, true, hop, err);
		n = hop->port[1].tx;
	}
	return rc < 0 ? backend_explain(b, rc, err) : rc;
}

/* ---- afterwards ---- */

int
files_close(struct ledger *ledger, const struct chain *chain, struct err *err)
{
	const char *out = chain->link[chain->n_hops].file;
	struct pcap pcap = {0};
	int rc = pcap_load(&pcap, out, err);

	ledger->gen[1].rx = pcap.n;
	pcap_unload(&pcap);
	if (rc < 0)
		return rc;
	ledger_close(ledger, 0);
	return 0;
}
