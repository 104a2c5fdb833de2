/* SPDX-License-Identifier: MIT */
#include "guest_overlay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

#define DIR_MODE (S_IFDIR | 0755u)
#define FILE_MODE (S_IFREG | 0755u)
#define MAX_BYTES UINT32_MAX /* what a header's field of eight digits holds */

int
overlay_add(struct overlay *o, const char *from, const char *to, struct err *err)
{
	if (o->n == OVERLAY_MAX)
		return err_set(err, E2BIG, "'%s': more than %d files for a guest", from,
			       OVERLAY_MAX);
	o->file[o->n++] = (struct overlay_file){.from = xstrdup(from), .to = xstrdup(to)};
	return 0;
}

void
overlay_fini(struct overlay *o)
{
	for (size_t i = 0; i < o->n; i++) {
		free(o->file[i].from);
		free(o->file[i].to);
	}
	o->n = 0;
}

static int
size_of(const char *path, uint64_t *bytes, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > MAX_BYTES)
		return err_set(err, EINVAL, "%s is no file for a guest", path);
	*bytes = (uint64_t)st.st_size;
	return 0;
}

int
overlay_size(const struct overlay *o, uint64_t *bytes, struct err *err)
{
	uint64_t one = 0;
	int rc = 0;

	*bytes = 0;
	for (size_t i = 0; rc == 0 && i < o->n; i++) {
		rc = size_of(o->file[i].from, &one, err);
		*bytes += one;
	}
	return rc;
}

/* ---- the archive: cpio's "newc" ---- */

/* Headers, names and bodies begin at multiples of four. */
static void
align(FILE *out)
{
	static const char zeroes[4];

	fwrite(zeroes, 1, (size_t)(-ftell(out) & 3), out);
}

static void
write_header(FILE *out, const char *name, unsigned mode, uint32_t size)
{
	/* Magic; then inode, mode, uid, gid, links, mtime, size, four device numbers, the length of
	 * the name with its NUL, and a sum that nobody looks at. */
	fprintf(out, "070701%08x%08x%08x%08x%08x%08x%08" PRIx32 "%08x%08x%08x%08x%08zx%08x", 0u,
		mode, 0u, 0u, 1u, 0u, size, 0u, 0u, 0u, 0u, strlen(name) + 1, 0u);
	fwrite(name, 1, strlen(name) + 1, out);
	align(out);
}

static void
write_folders(FILE *out, const char *path)
{
	for (const char *end = strchr(path, '/'); end != NULL; end = strchr(end + 1, '/')) {
		char *folder = xasprintf("%.*s", (int)(end - path), path);

		write_header(out, folder, DIR_MODE, 0);
		free(folder);
	}
}

static int
copy_bytes(FILE *out, const char *path, uint64_t bytes, struct err *err)
{
	FILE *in = fopen(path, "re");
	char *buf;
	int rc = 0;

	if (in == NULL)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	buf = xcalloc(1, 1 << 16);
	while (bytes > 0) {
		size_t want = bytes < 1 << 16 ? (size_t)bytes : 1 << 16;
		size_t n = fread(buf, 1, want, in);

		if (n == 0) {
			rc = err_set(err, EIO, "%s became shorter while it was read", path);
			break;
		}
		fwrite(buf, 1, n, out);
		bytes -= n;
	}
	free(buf);
	fclose(in);
	return rc;
}

static int
write_file(FILE *out, const struct overlay_file *f, struct err *err)
{
	const char *name = f->to + (f->to[0] == '/');
	uint64_t bytes = 0;
	int rc = size_of(f->from, &bytes, err);

	if (rc < 0)
		return rc;
	write_folders(out, name);
	write_header(out, name, FILE_MODE, (uint32_t)bytes);
	rc = copy_bytes(out, f->from, bytes, err);
	align(out);
	return rc;
}

int
overlay_write(const struct overlay *o, const char *initrd, const char *path, struct err *err)
{
	uint64_t bytes = 0;
	int rc = size_of(initrd, &bytes, err);
	FILE *out;
	bool bad;

	if (rc < 0)
		return rc;
	out = fopen(path, "we");
	if (out == NULL)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	rc = copy_bytes(out, initrd, bytes, err);
	align(out);
	for (size_t i = 0; rc == 0 && i < o->n; i++)
		rc = write_file(out, &o->file[i], err);
	write_header(out, "TRAILER!!!", 0, 0);
	bad = ferror(out) != 0;
	bad |= fclose(out) != 0;
	return rc == 0 && bad ? err_set(err, errno != 0 ? errno : EIO, "%s cannot be written", path)
			      : rc;
}
