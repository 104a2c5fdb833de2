/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

#include "guest_image_parts.h"

/* Building: libexec/build-guest-image does the work, in a folder beside the image's place, which
 * the image takes only when all of it is there. */

#define LOOK_MS 200
/* Patience with the script after SIGTERM: mmdebstrap takes down what it has mounted. */
#define STOP_MS 20000
/* Less than that is none. */
#define FULL_BYTES 65536

/* What the script says it is about to do, in its order, and how long that takes on two CPUs. */
static const struct step {
	const char *word, *text;
	double seconds;
} steps[] = {
	{"root", "making a build root of Debian's " GUEST_IMAGE_SUITE, 90},
	{"compile", "compiling the programs of the guest against DPDK " GUEST_IMAGE_DPDK, 60},
	{"pack", "packing the guest's root file system", 10},
};

struct build {
	const struct guest_image_conf *conf;
	const char *dir; /* the image's place */
	char *cache;
	char *source;
	char *out; /* where it grows; "" before it is made */
	int lock_fd;
	struct proc proc;
	size_t step;
	uint64_t step_ns; /* when it began */
};

/* ---- folders ---- */

/* Makes 'path' and all above it. */
static int
make_dirs(const char *path, struct err *err)
{
	char *copy = xstrdup(path);
	int rc = 0;

	for (char *slash = copy; rc == 0 && slash != NULL;) {
		slash = strchr(slash + 1, '/');
		if (slash != NULL)
			*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			rc = err_set(err, errno, "%s: %s", copy, strerror(errno));
		if (slash != NULL)
			*slash = '/';
	}
	free(copy);
	return rc;
}

/* Removes a folder with all in it; one that is not there is removed already. */
static int
remove_tree(const char *path, struct err *err)
{
	char *copy = xstrdup(path), *paths[] = {copy, NULL};
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;
	int rc = 0;

	while (walk != NULL && (entry = fts_read(walk)) != NULL) {
		if (entry->fts_info == FTS_D)
			continue;
		if (remove(entry->fts_accpath) < 0 && errno != ENOENT && rc == 0)
			rc = err_set(err, errno, "%s: %s", entry->fts_path, strerror(errno));
	}
	if (walk != NULL)
		fts_close(walk);
	free(copy);
	return rc;
}

/* ---- one at a time ---- */

static bool
is_stopped(const struct guest_image_conf *conf)
{
	return conf->stop != NULL && *conf->stop != 0;
}

static void
tell(const struct guest_image_conf *conf, const char *text, double eta_s)
{
	if (conf->progress != NULL)
		conf->progress(conf->arg, text, eta_s);
}

static int
take_lock(struct build *b, struct err *err)
{
	char *path = xasprintf("%s/images/lock", b->cache);

	b->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (b->lock_fd < 0)
		err_set(err, errno, "%s: %s", path, strerror(errno));
	free(path);
	if (b->lock_fd < 0)
		return -EIO;
	while (flock(b->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (is_stopped(b->conf))
			return err_set(err, EINTR, "interrupted");
		tell(b->conf, "waiting for another nfvchain that builds the guest image", -1);
		clock_sleep_ms(LOOK_MS);
	}
	return 0;
}

/* What a builder that was killed left behind; nobody else builds now. */
static void
clear_leftovers(const struct build *b)
{
	char *images = xasprintf("%s/images", b->cache), *paths[] = {images, NULL};
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	while (walk != NULL && (entry = fts_read(walk)) != NULL) {
		if (entry->fts_level == 1 && entry->fts_info == FTS_D) {
			fts_set(walk, entry, FTS_SKIP);
			if (strncmp(entry->fts_name, ".new.", 5) == 0)
				remove_tree(entry->fts_path, NULL);
		}
	}
	if (walk != NULL)
		fts_close(walk);
	free(images);
}

/* ---- the script ---- */

/* Reads how far it is, and tells it. */
static void
look(struct build *b)
{
	char *path = xasprintf("%s/steps", b->out), word[32];
	FILE *in = fopen(path, "re");
	double eta_s;
	size_t step = b->step;

	free(path);
	while (in != NULL && fscanf(in, "%31s", word) == 1)
		for (size_t i = 0; i < N_ELEMS(steps); i++)
			if (strcmp(word, steps[i].word) == 0)
				step = i;
	if (in != NULL)
		fclose(in);
	if (step != b->step) {
		b->step = step;
		b->step_ns = clock_now_ns();
	}
	eta_s = steps[step].seconds - (double)(clock_now_ns() - b->step_ns) / NSEC_PER_S;
	/* A step that takes longer than usual is nearly done, as far as anybody knows. */
	if (eta_s < 1)
		eta_s = 1;
	for (size_t i = step + 1; i < N_ELEMS(steps); i++)
		eta_s += steps[i].seconds;
	tell(b->conf, steps[step].text, eta_s);
}

/* Then its words are not written either. */
static bool
is_full(const char *path)
{
	struct statvfs fs;

	return statvfs(path, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < FULL_BYTES;
}

/* What the script's end says; its last words are its sentence. */
static int
conclude(struct build *b, struct err *err)
{
	char words[512], status[64];
	bool says_machine = WIFEXITED(b->proc.status) && WEXITSTATUS(b->proc.status) == ERR_MACHINE;

	if (WIFEXITED(b->proc.status) && WEXITSTATUS(b->proc.status) == 0)
		return 0;
	if (is_full(b->out))
		return err_set(err, ENOSPC,
			       "the guest image was not built: the file system of '%s' is full (it "
			       "takes 2 GB; NFVCHAIN_CACHE=DIR names another place)",
			       b->cache);
	proc_last_words(words, sizeof(words), &b->proc);
	if (says_machine)
		return err_machine(err, "the guest image: %s", words);
	return err_set(err, EIO, "the guest image was not built, its builder %s: %s",
		       proc_print_status(status, sizeof(status), &b->proc), words);
}

static int
run_script(struct build *b, const char *key, struct err *err)
{
	char suite[] = GUEST_IMAGE_SUITE, dpdk[] = GUEST_IMAGE_DPDK;
	char *program = xasprintf("%s/libexec/build-guest-image", b->source);
	char *words = xasprintf("%s/words", b->out), *key_word = xstrdup(key);
	char *argv[] = {program, suite, dpdk, key_word, b->cache, b->out, NULL};
	const struct proc_conf conf = {
		.name = "build-guest-image", .argv = argv, .log_path = words};
	int rc = proc_start(&b->proc, &conf, err);

	if (rc == 0) {
		b->step_ns = clock_now_ns();
		while (!proc_wait(&b->proc, LOOK_MS) && !is_stopped(b->conf))
			look(b);
		if (!b->proc.reaped) {
			proc_stop(&b->proc, STOP_MS);
			rc = err_set(err, EINTR, "interrupted");
		} else {
			rc = conclude(b, err);
		}
		proc_close(&b->proc);
	}
	free(program);
	free(words);
	free(key_word);
	return rc;
}

/* Puts the finished image in its place, without what only its making needed. */
static int
install(const struct build *b, struct err *err)
{
	static const char *const scaffolds[] = {"steps", "words", "log"};
	struct guest_image made = {.dir = b->out,
				   .kernel = xasprintf("%s/kernel", b->out),
				   .initrd = xasprintf("%s/initrd", b->out)};
	int rc = guest_image_verify(&made, err);

	for (size_t i = 0; i < N_ELEMS(scaffolds); i++) {
		char *path = xasprintf("%s/%s", b->out, scaffolds[i]);

		unlink(path);
		free(path);
	}
	if (rc == 0 && chmod(b->out, 0755) < 0)
		rc = err_set(err, errno, "%s: %s", b->out, strerror(errno));
	if (rc == 0)
		rc = remove_tree(b->dir, err);
	if (rc == 0 && rename(b->out, b->dir) < 0)
		rc = err_set(err, errno, "%s: %s", b->dir, strerror(errno));
	json_decref(made.manifest);
	free(made.kernel);
	free(made.initrd);
	return rc;
}

static int
build(struct build *b, struct err *err)
{
	const char *key = strrchr(b->dir, '/') + 1;
	char *out = xasprintf("%s/images/.new.XXXXXX", b->cache);
	int rc;

	clear_leftovers(b);
	if (mkdtemp(out) == NULL) {
		rc = err_set(err, errno, "%s: %s", out, strerror(errno));
		free(out);
		return rc;
	}
	b->out = out;
	rc = run_script(b, key, err);
	if (rc == 0)
		rc = install(b, err);
	if (rc < 0)
		remove_tree(b->out, NULL);
	free(out);
	return rc;
}

int
guest_image_need(struct guest_image *image, const struct guest_image_conf *conf, struct err *err)
{
	struct build b = {.conf = conf, .lock_fd = -1};
	char *images = NULL;
	int rc = guest_image_find(image, err);

	if (rc < 0)
		return rc;
	/* Why there is no good one is no news: it is built. */
	if (!conf->rebuild && guest_image_verify(image, NULL) == 0)
		return 0;
	b.dir = image->dir;
	rc = guest_image_cache(&b.cache, err);
	if (rc == 0)
		rc = guest_image_source(&b.source, err);
	if (rc == 0) {
		images = xasprintf("%s/images", b.cache);
		rc = make_dirs(images, err);
	}
	if (rc == 0)
		rc = take_lock(&b, err);
	/* Whoever had the lock may have built it. */
	if (rc == 0 && (conf->rebuild || guest_image_verify(image, NULL) < 0))
		rc = build(&b, err);
	if (rc == 0)
		rc = guest_image_verify(image, err);
	if (b.lock_fd >= 0)
		close(b.lock_fd);
	free(images);
	free(b.cache);
	free(b.source);
	return rc;
}

int
guest_image_remove(bool all, struct err *err)
{
	struct guest_image image = {0};
	char *cache = NULL, *path = NULL;
	int rc = all ? guest_image_cache(&cache, err) : guest_image_find(&image, err);

	if (rc < 0)
		return rc;
	if (!all)
		rc = remove_tree(image.dir, err);
	for (int i = 0; all && rc == 0 && i < 2; i++) {
		path = xasprintf("%s/%s", cache, i == 0 ? "images" : "roots");
		rc = remove_tree(path, err);
		free(path);
	}
	guest_image_fini(&image);
	free(cache);
	return rc;
}
