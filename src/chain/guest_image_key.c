/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "base/str.h"

#include "guest_image_parts.h"

/* The key of an image: the digest of all here that it is built from, names and bytes. */

/* What of the sources gets into a guest, or says how. */
static const char *const parts[] = {
	"devtools/packages", "include", "libexec", "meson.build", "src/agent", "src/base",
	"src/dpdk",	     "src/fwd", "src/gen", "src/pkt",	  "src/rpc",   NULL,
};

int
guest_image_source(char **path, struct err *err)
{
	const char *asked = getenv("NFVCHAIN_SOURCE");
	char *script;
	int rc = 0;

	*path = xstrdup(asked != NULL && asked[0] != '\0' ? asked : NFVCHAIN_SOURCE);
	script = xasprintf("%s/libexec/build-guest-image", *path);
	if (access(script, X_OK) < 0)
		rc = err_machine(err,
				 "the guest image is built from the sources of nfvchain, which are "
				 "not in %s (set NFVCHAIN_SOURCE)",
				 *path);
	free(script);
	if (rc < 0) {
		free(*path);
		*path = NULL;
	}
	return rc;
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* A unit test changes no program. */
static bool
counts(const FTSENT *entry)
{
	static const char test[] = "_test.c";
	size_t len = entry->fts_namelen;

	if (entry->fts_info != FTS_F || entry->fts_name[0] == '.')
		return false;
	return len < strlen(test) || strcmp(entry->fts_name + len - strlen(test), test) != 0;
}

/* Adds a file with its path below the sources, each ended by a NUL. */
static int
add_file(struct sha256 *hash, const char *path, size_t root_len, struct err *err)
{
	char hex[SHA256_HEX];
	int rc = sha256_file(path, hex, err);

	if (rc < 0)
		return rc;
	sha256_add(hash, path + root_len, strlen(path + root_len) + 1);
	sha256_add(hash, hex, sizeof(hex));
	return 0;
}

static int
add_tree(struct sha256 *hash, char *path, size_t root_len, struct err *err)
{
	char *paths[] = {path, NULL};
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *entry;
	int rc = 0;

	if (walk == NULL)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	while (rc == 0 && (entry = fts_read(walk)) != NULL)
		if (counts(entry))
			rc = add_file(hash, entry->fts_path, root_len, err);
		else if (entry->fts_info == FTS_NS || entry->fts_info == FTS_ERR)
			rc = err_set(err, entry->fts_errno, "%s: %s", entry->fts_path,
				     strerror(entry->fts_errno));
	fts_close(walk);
	return rc;
}

int
guest_image_key(char key[GUEST_IMAGE_KEY], struct err *err)
{
	static const char suite[] = GUEST_IMAGE_SUITE " " GUEST_IMAGE_DPDK;
	char hex[SHA256_HEX], *source;
	struct sha256 hash;
	int rc = guest_image_source(&source, err);

	if (rc < 0)
		return rc;
	sha256_init(&hash);
	sha256_add(&hash, suite, sizeof(suite));
	for (size_t i = 0; rc == 0 && parts[i] != NULL; i++) {
		char *path = xasprintf("%s/%s", source, parts[i]);

		rc = add_tree(&hash, path, strlen(source), err);
		free(path);
	}
	free(source);
	sha256_hex(&hash, hex);
	str_copy(key, GUEST_IMAGE_KEY, hex);
	return rc;
}
