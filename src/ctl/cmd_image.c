/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/str.h"
#include "chain/guest_image.h"

#include "command.h"
#include "progress.h"
#include "session.h"

/* nfvchain image: what guests boot.  A chain with guests builds it by itself; this is for who wants
 * to do so beforehand, or to know what is in it. */

struct image_conf {
	bool all;
	bool json;
	bool quiet;
	bool rebuild;
};

#define FIELD(member) OPT_FIELD(struct image_conf, member)

static const struct opt image_opts[] = {
	{"rebuild", 0, NULL, "build: also when there is a good one", opt_set_switch, FIELD(rebuild),
	 NULL, OPT_NO_ENV},
	{"all", 0, NULL, "remove: images of other sources and the build root too", opt_set_switch,
	 FIELD(all), NULL, OPT_NO_ENV},
	{"json", 0, NULL, "show: the whole manifest, with each package", opt_set_switch,
	 FIELD(json), NULL, OPT_NO_ENV},
	{"quiet", 'q', NULL, "no progress on stderr", opt_set_switch, FIELD(quiet), NULL, 0},
};

const struct opt_command image_command = {
	.name = "nfvchain image",
	.positional = "build|show|path|remove",
	.summary = "The image that virtual machines boot: built from Debian's packages and these "
		   "sources.",
	.examples = "nfvchain image build\n"
		    "nfvchain image show\n"
		    "ls $(nfvchain image path)\n",
	.env_prefix = "NFVCHAIN",
	.opts = image_opts,
	.n_opts = N_ELEMS(image_opts),
};

/* ---- building ---- */

/* What was told last: a terminal's line changes each second, a log's only with the step. */
struct shown {
	char step[128];
	double eta_s;
};

static void
show_progress(void *arg, const char *step, double eta_s)
{
	struct shown *shown = arg;
	bool is_new = strcmp(step, shown->step) != 0;

	eta_s = ceil(eta_s);
	if (!is_new && (!isatty(STDERR_FILENO) || eta_s == shown->eta_s))
		return;
	str_copy(shown->step, sizeof(shown->step), step);
	shown->eta_s = eta_s;
	if (eta_s > 0)
		progress_step("%s  eta %.0f s", step, eta_s);
	else
		progress_step("%s", step);
}

/* Where the image is, on stdout, once it is good. */
static int
build(const struct image_conf *conf, struct err *err)
{
	struct shown shown = {0};
	struct guest_image_conf build_conf = {.rebuild = conf->rebuild,
					      .progress = show_progress,
					      .arg = &shown,
					      .stop = &session_stop};
	struct guest_image image;
	int rc;

	session_catch_signals();
	progress_init(conf->quiet ? PROGRESS_NONE : PROGRESS_AUTO);
	rc = guest_image_need(&image, &build_conf, err);
	progress_done();
	if (rc == 0)
		printf("%s\n", image.dir);
	guest_image_fini(&image);
	return rc == -EINTR ? session_interrupted(err) : rc;
}

/* ---- showing ---- */

static void
print_text(const struct guest_image *image)
{
	uint64_t kernel = 0, initrd = 0, unpacked = 0;
	const char *dpdk = "?", *version = "?", *suite = "?";

	json_get_text(image->manifest, "dpdk", &dpdk, NULL);
	json_get_text(image->manifest, "kernel", &version, NULL);
	json_get_text(image->manifest, "suite", &suite, NULL);
	json_get_u64(image->manifest, "files.kernel.size", &kernel, NULL);
	json_get_u64(image->manifest, "files.initrd.size", &initrd, NULL);
	json_get_u64(image->manifest, "unpacked_size", &unpacked, NULL);
	printf("place     %s\n", image->dir);
	printf("suite     Debian %s, %zu packages\n", suite,
	       json_array_size(json_object_get(image->manifest, "packages")));
	printf("DPDK      %s\n", dpdk);
	printf("kernel    %s, %.1f MB\n", version, (double)kernel / 1e6);
	printf("initrd    %.1f MB, %.1f MB unpacked\n", (double)initrd / 1e6,
	       (double)unpacked / 1e6);
}

static int
show(const struct image_conf *conf, bool path_alone, struct err *err)
{
	struct guest_image image;
	int rc = guest_image_find(&image, err);

	if (rc == 0)
		rc = guest_image_verify(&image, err);
	if (rc == 0 && path_alone)
		printf("%s\n", image.dir);
	else if (rc == 0 && conf->json)
		rc = json_write(image.manifest, stdout);
	else if (rc == 0)
		print_text(&image);
	guest_image_fini(&image);
	if (rc == -ENOENT || rc == -EBADMSG) {
		char *why = xstrdup(err->msg);

		err_set(err, -rc, "%s; 'nfvchain image build' builds one", why);
		free(why);
	}
	return rc;
}

/* ---- the command ---- */

static int
run(const struct image_conf *conf, const char *verb, struct err *err)
{
	static const char *const verbs[] = {"build", "show", "path", "remove"};
	const char *nearest;

	if (strcmp(verb, "build") == 0)
		return build(conf, err);
	if (strcmp(verb, "show") == 0)
		return show(conf, false, err);
	if (strcmp(verb, "path") == 0)
		return show(conf, true, err);
	if (strcmp(verb, "remove") == 0)
		return guest_image_remove(conf->all, err);
	nearest = str_nearest(verb, verbs, N_ELEMS(verbs));
	return err_usage(err, "'%s' is none of build, show, path, remove%s%s%s", verb,
			 nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
			 nearest != NULL ? "'?)" : "");
}

int
cmd_image(int argc, char **argv, struct err *err)
{
	struct image_conf conf = {0};
	int rc = opt_parse(&image_command, &argc, &argv, &conf, NULL, err);

	if (rc != 0)
		return rc;
	if (argc != 1)
		return err_usage(err, "say what to do with the image: build, show, path or remove");
	return run(&conf, argv[0], err);
}
