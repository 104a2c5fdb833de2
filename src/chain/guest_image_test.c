/* SPDX-License-Identifier: MIT */
#include "guest_image.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

/* Sources of the test's own, whose builder writes two small files, or does what $FAKE says. */
static const char builder[] =
	"#!/bin/sh\n"
	"set -eu\n"
	"key=$3 out=$5\n"
	"echo x >>\"$4/builds\"\n"
	"case ${FAKE-} in\n"
	"machine) echo 'build-guest-image: needs mmdebstrap' >&2; exit 3 ;;\n"
	"fail) echo half >\"$out/kernel\"; echo 'disk full' >&2; exit 1 ;;\n"
	"slow) echo root >>\"$out/steps\"; echo half >\"$out/kernel\"; sleep 100 ;;\n"
	"esac\n"
	"echo compile >>\"$out/steps\"\n"
	"echo kernel >\"$out/kernel\"; echo initrd >\"$out/initrd\"\n"
	"one() { echo \"\\\"$1\\\": {\\\"size\\\": 7, \\\"sha256\\\": \\\"$(sha256sum \"$out/$1\" "
	"| cut -d ' ' -f 1)\\\"}\"; }\n"
	"echo \"{\\\"key\\\": \\\"$key\\\", \\\"files\\\": {$(one kernel), $(one initrd)}}\" "
	">\"$out/manifest.json\"\n"
	"[ \"${FAKE-}\" != lie ] || echo kernes >\"$out/kernel\"\n";

static char dir[] = "/tmp/guest_image_testXXXXXX";

static void sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
sh(const char *fmt, ...)
{
	char *tail, *command;
	va_list ap;

	va_start(ap, fmt);
	tail = xvasprintf(fmt, ap);
	va_end(ap);
	command = xasprintf("cd %s && %s", dir, tail);
	assert_int_equal(system(command), 0);
	free(command);
	free(tail);
}

static int
setup(void **state)
{
	char *path;
	FILE *out;

	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	sh("mkdir -p s/devtools s/include s/libexec s/src/agent s/src/base s/src/dpdk s/src/fwd "
	   "s/src/gen s/src/pkt s/src/rpc && touch s/devtools/packages s/meson.build "
	   "s/src/fwd/a.c");
	path = xasprintf("%s/s/libexec/build-guest-image", dir);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(builder, out);
	assert_int_equal(fchmod(fileno(out), 0755), 0);
	fclose(out);
	free(path);
	path = xasprintf("%s/s", dir);
	setenv("NFVCHAIN_SOURCE", path, 1);
	free(path);
	path = xasprintf("%s/c", dir);
	setenv("NFVCHAIN_CACHE", path, 1);
	free(path);
	unsetenv("FAKE");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sh("rm -rf %s", dir);
	return 0;
}

static void
builds(unsigned n)
{
	sh("[ $(cat c/builds 2>/dev/null | wc -l) = %u ]", n);
}

/* Nothing lies in the cache's images but those finished, 'n' of them, and the lock. */
static void
images(unsigned n)
{
	sh("[ $(find c/images -mindepth 1 -maxdepth 1 ! -name lock | wc -l) = %u ] && "
	   "! find c/images -name '.new*' | grep -q .",
	   n);
}

static int
need(struct guest_image *image, const struct guest_image_conf *conf, struct err *err)
{
	static const struct guest_image_conf plain;

	guest_image_fini(image);
	*err = (struct err){0};
	return guest_image_need(image, conf != NULL ? conf : &plain, err);
}

static void
is_built_once(void **state)
{
	struct guest_image image = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(guest_image_find(&image, &err), 0);
	assert_int_equal(guest_image_verify(&image, &err), -ENOENT);
	assert_int_equal(need(&image, NULL, &err), 0);
	assert_int_equal(access(image.kernel, R_OK), 0);
	assert_int_equal(access(image.initrd, R_OK), 0);
	assert_non_null(
		strstr(image.dir, json_string_value(json_object_get(image.manifest, "key"))));
	assert_int_equal(need(&image, NULL, &err), 0);
	builds(1);
	assert_int_equal(need(&image, &(struct guest_image_conf){.rebuild = true}, &err), 0);
	builds(2);
	images(1);
	sh("[ \"$(ls c/images/*/ | tr '\\n' ' ')\" = 'initrd kernel manifest.json ' ]");
	guest_image_fini(&image);
}

static void
a_damaged_one_is_noticed_and_built_anew(void **state)
{
	static const char *const damages[] = {
		"echo kernes | tee c/images/*/kernel >/dev/null",
		"echo kernelx | tee c/images/*/kernel >/dev/null", "rm c/images/*/initrd",
		"echo '{' | tee c/images/*/manifest.json >/dev/null",
		"echo '{}' | tee c/images/*/manifest.json >/dev/null"};
	struct guest_image image = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(need(&image, NULL, &err), 0);
	for (unsigned i = 0; i < N_ELEMS(damages); i++) {
		sh("%s", damages[i]);
		assert_int_equal(guest_image_verify(&image, &err), -EBADMSG);
		assert_int_equal(need(&image, NULL, &err), 0);
		builds(2 + i);
		assert_int_equal(guest_image_verify(&image, &err), 0);
	}
	images(1);
	guest_image_fini(&image);
}

static void
a_failure_leaves_nothing(void **state)
{
	struct guest_image image = {0};
	struct err err = {0};

	(void)state;
	setenv("FAKE", "fail", 1);
	assert_int_equal(need(&image, NULL, &err), -EIO);
	assert_string_equal(err.msg, "the guest image was not built, its builder exited with 1: "
				     "disk full");
	images(0);
	setenv("FAKE", "machine", 1);
	assert_int_equal(need(&image, NULL, &err), -ENODEV);
	assert_int_equal(err.class, ERR_MACHINE);
	assert_string_equal(err.msg, "the guest image: build-guest-image: needs mmdebstrap");
	/* What the builder says of its files is not believed. */
	setenv("FAKE", "lie", 1);
	assert_int_equal(need(&image, NULL, &err), -EBADMSG);
	images(0);
	/* A builder that was killed is cleaned up after by the next. */
	unsetenv("FAKE");
	sh("mkdir -p c/images/.new.abc/x && touch c/images/.new.abc/x/y");
	assert_int_equal(need(&image, NULL, &err), 0);
	images(1);
	guest_image_fini(&image);
}

static volatile sig_atomic_t stop;

static void
stop_at_root(void *arg, const char *step, double eta_s)
{
	unsigned *n = arg;

	assert_true(eta_s > 10);
	assert_non_null(strstr(step, "build root"));
	(*n)++;
	stop = 2;
}

static void
an_interrupt_leaves_nothing(void **state)
{
	unsigned n = 0;
	struct guest_image_conf conf = {.progress = stop_at_root, .arg = &n, .stop = &stop};
	struct guest_image image = {0};
	struct err err = {0};

	(void)state;
	stop = 0;
	setenv("FAKE", "slow", 1);
	assert_int_equal(need(&image, &conf, &err), -EINTR);
	assert_true(n > 0);
	images(0);
	guest_image_fini(&image);
}

static void
other_sources_have_another_image(void **state)
{
	struct guest_image a = {0}, b = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(guest_image_find(&a, &err), 0);
	sh("echo x >s/src/fwd/a_test.c");
	assert_int_equal(guest_image_find(&b, &err), 0);
	assert_string_equal(a.dir, b.dir);
	guest_image_fini(&b);
	sh("echo x >s/src/fwd/a.c");
	assert_int_equal(guest_image_find(&b, &err), 0);
	assert_string_not_equal(a.dir, b.dir);
	guest_image_fini(&b);
	/* The same bytes under another name. */
	sh("mv s/src/fwd/a.c s/src/fwd/b.c");
	assert_int_equal(guest_image_find(&b, &err), 0);
	assert_string_not_equal(a.dir, b.dir);
	guest_image_fini(&b);
	setenv("NFVCHAIN_SOURCE", "/nonexistent", 1);
	assert_int_equal(guest_image_find(&b, &err), -ENODEV);
	assert_int_equal(err.class, ERR_MACHINE);
	guest_image_fini(&a);
}

static void
images_are_removed(void **state)
{
	struct guest_image image = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(guest_image_remove(false, &err), 0);
	assert_int_equal(need(&image, NULL, &err), 0);
	sh("echo x >s/src/fwd/a.c");
	assert_int_equal(need(&image, NULL, &err), 0);
	images(2);
	assert_int_equal(guest_image_remove(false, &err), 0);
	images(1);
	sh("mkdir -p c/roots/forky-x/root");
	assert_int_equal(guest_image_remove(true, &err), 0);
	sh("[ ! -e c/images ] && [ ! -e c/roots ]");
	guest_image_fini(&image);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_built_once),
		TEST(a_damaged_one_is_noticed_and_built_anew),
		TEST(a_failure_leaves_nothing),
		TEST(an_interrupt_leaves_nothing),
		TEST(other_sources_have_another_image),
		TEST(images_are_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
