/* SPDX-License-Identifier: MIT */
#include "guest_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"

#include "guest_image_parts.h"

/* Where an image lies and whether it is whole; building is in guest_image_build.c. */

/* ---- places ---- */

/* As root a place that all of root's programs share, since images cost minutes. */
int
guest_image_cache(char **path, struct err *err)
{
	const char *asked = getenv("NFVCHAIN_CACHE"), *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	*path = NULL;
	if (asked != NULL && asked[0] == '/')
		*path = xstrdup(asked);
	else if (geteuid() == 0)
		*path = xstrdup("/var/cache/nfvchain");
	else if (xdg != NULL && xdg[0] == '/')
		*path = xasprintf("%s/nfvchain", xdg);
	else if (home != NULL && home[0] == '/')
		*path = xasprintf("%s/.cache/nfvchain", home);
	else
		return err_machine(err, "there is no place for the guest image: neither "
					"XDG_CACHE_HOME nor HOME is set");
	return 0;
}

/* ---- the manifest ---- */

/* Compares one of the image's files with what the manifest says of it. */
static int
verify_file(const json_t *manifest, const char *name, const char *path, struct err *err)
{
	char key[64], hex[SHA256_HEX];
	const char *wanted;
	uint64_t size;
	struct stat st;
	int rc;

	snprintf(key, sizeof(key), "files.%s.size", name);
	rc = json_get_u64(manifest, key, &size, err);
	snprintf(key, sizeof(key), "files.%s.sha256", name);
	if (rc == 0)
		rc = json_get_text(manifest, key, &wanted, err);
	if (rc < 0)
		return err_wrap(err, -EBADMSG, "the manifest");
	if (stat(path, &st) < 0)
		return err_set(err, EBADMSG, "%s: %s", path, strerror(errno));
	if ((uint64_t)st.st_size != size)
		return err_set(err, EBADMSG, "%s has another size than its manifest says", path);
	rc = sha256_file(path, hex, err);
	if (rc == 0 && strcmp(hex, wanted) != 0)
		rc = err_set(err, EBADMSG, "%s has another SHA-256 than its manifest says", path);
	return rc;
}

int
guest_image_verify(struct guest_image *image, struct err *err)
{
	char *path = xasprintf("%s/manifest.json", image->dir);
	int rc = 0;

	json_decref(image->manifest);
	image->manifest = NULL;
	if (access(path, F_OK) < 0)
		rc = err_set(err, ENOENT, "no guest image has been built of these sources yet");
	else if (json_load_path(&image->manifest, path, err) < 0)
		rc = -EBADMSG;
	if (rc == 0)
		rc = verify_file(image->manifest, "kernel", image->kernel, err);
	if (rc == 0)
		rc = verify_file(image->manifest, "initrd", image->initrd, err);
	free(path);
	return rc;
}

/* ---- an image ---- */

int
guest_image_find(struct guest_image *image, struct err *err)
{
	char key[GUEST_IMAGE_KEY];
	char *cache;
	int rc = guest_image_cache(&cache, err);

	*image = (struct guest_image){0};
	if (rc == 0)
		rc = guest_image_key(key, err);
	if (rc == 0) {
		image->dir = xasprintf("%s/images/%s", cache, key);
		image->kernel = xasprintf("%s/kernel", image->dir);
		image->initrd = xasprintf("%s/initrd", image->dir);
	}
	free(cache);
	return rc;
}

void
guest_image_fini(struct guest_image *image)
{
	if (image == NULL)
		return;
	free(image->dir);
	free(image->kernel);
	free(image->initrd);
	json_decref(image->manifest);
	*image = (struct guest_image){0};
}

char *
guest_image_cmdline(unsigned hugepages)
{
	/* A guest whose first process ends is of no use: the panic ends the machine at once.  The
	 * kernel counts timer interrupts at boot, and gives up when an emulator whose CPU is busy
	 * with others does not deliver them in time. */
	return xasprintf("console=ttyS0 panic=-1 no_timer_check quiet hugepages=%u", hugepages);
}
