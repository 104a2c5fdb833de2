/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "result.h"

static int
make_scratch(void **state)
{
	char dir[] = "/tmp/result-test-XXXXXX";

	if (mkdtemp(dir) == NULL)
		return -1;
	*state = xstrdup(dir);
	return 0;
}

static int
remove_scratch(void **state)
{
	char *command = xasprintf("rm -rf '%s'", (char *)*state);
	int rc = system(command);

	free(command);
	free(*state);
	return rc;
}

static size_t
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

/* Makes the directories that results of chain 'name' in the next seconds would have. */
static void
take_names(const char *parent, const char *name)
{
	time_t now = time(NULL);

	for (time_t t = now; t < now + 30; t++) {
		char stamp[32], *path;
		struct tm tm;

		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&t, &tm));
		path = xasprintf("%s/%s-%s", parent, stamp, name);
		assert_return_code(mkdir(path, 0755), errno);
		free(path);
	}
}

static void
each_result_has_a_directory_of_its_own(void **state)
{
	char *parent = xasprintf("%s/a/results", (char *)*state), *latest, *first, *second;
	char link[256] = "";
	struct err err = {0};

	latest = xasprintf("%s/latest", parent);
	assert_int_equal(result_make_dir(parent, "snake", &first, &err), 0);
	assert_int_equal(access(first, W_OK), 0);
	assert_memory_equal(first, parent, strlen(parent));
	assert_int_equal(strlen(first + strlen(parent)), strlen("/20260101T000000Z-snake"));
	assert_string_equal(first + strlen(first) - strlen("Z-snake"), "Z-snake");
	assert_true(readlink(latest, link, sizeof(link) - 1) > 0);
	assert_string_equal(link, first + strlen(parent) + 1);

	take_names(parent, "pair");
	assert_int_equal(result_make_dir(parent, "pair", &second, &err), 0);
	assert_string_equal(second + strlen(second) - strlen("-pair-2"), "-pair-2");
	memset(link, 0, sizeof(link));
	assert_true(readlink(latest, link, sizeof(link) - 1) > 0);
	assert_string_equal(link, second + strlen(parent) + 1);
	free(first);
	free(second);
	free(latest);
	free(parent);
}

static void
what_cannot_be_made_is_said_and_leaves_nothing(void **state)
{
	char *latest = xasprintf("%s/latest", (char *)*state), *dir;
	char *file = xasprintf("%s/file", (char *)*state);
	struct err err = {0};
	int fd;

	assert_return_code(mkdir(latest, 0755), errno);
	assert_int_equal(result_make_dir(*state, "snake", &dir, &err), -EEXIST);
	assert_null(dir);
	assert_non_null(strstr(err.msg, "latest is not a symbolic link: move it away"));
	assert_int_equal(count_entries(*state), 1);

	fd = open(file, O_CREAT | O_WRONLY, 0644);
	assert_return_code(fd, errno);
	close(fd);
	assert_int_equal(result_make_dir(file, "snake", &dir, &err), -ENOTDIR);
	assert_non_null(strstr(err.msg, "file"));
	free(file);
	free(latest);
}

static void
what_is_saved_is_loaded_again_byte_for_byte(void **state)
{
	char program[] = "nfvchain";
	char *const argv[] = {program};
	json_t *result = result_new(1, argv, NULL, NULL, NULL), *again;
	char *dir = *state, *file = xasprintf("%s/result.json", dir);
	char *copy = xasprintf("%s/copy", dir), *command;
	struct err err = {0};

	result_finish(result, 12.5, 0, "a sentence");
	assert_int_equal(result_save(result, dir, &err), 0);
	assert_int_equal(result_load(&again, dir, &err), 0);
	assert_true(json_equal(result, again));
	assert_int_equal(json_save(again, copy, &err), 0);
	json_decref(again);
	command = xasprintf("cmp '%s' '%s'", file, copy);
	assert_int_equal(system(command), 0);
	assert_int_equal(result_load(&again, file, &err), 0);
	json_decref(again);
	json_decref(result);
	free(command);
	free(copy);
	free(file);
}

static int
load_with_schema(const char *dir, json_t *schema, struct err *err)
{
	json_t *file = json_object(), *again = NULL;
	int rc;

	json_object_set_new(file, "schema_version", schema);
	assert_int_equal(result_save(file, dir, NULL), 0);
	json_decref(file);
	*err = (struct err){0};
	rc = result_load(&again, dir, err);
	assert_int_equal(again != NULL, rc == 0);
	json_decref(again);
	return rc;
}

static void
a_newer_major_is_refused_and_a_newer_minor_read(void **state)
{
	static const char *const none[] = {"", "1", "x.1", "1.0.0", "1.0 "};
	struct err err;
	json_t *again;

	assert_int_equal(load_with_schema(*state, json_string("1.99"), &err), 0);
	assert_int_equal(load_with_schema(*state, json_string("2.0"), &err), -EINVAL);
	assert_non_null(strstr(err.msg, "schema 2.0 is newer than this nfvchain"));
	assert_int_equal(err_exit_code(&err), 2);
	for (size_t i = 0; i < N_ELEMS(none); i++) {
		assert_int_equal(load_with_schema(*state, json_string(none[i]), &err), -EINVAL);
		assert_non_null(strstr(err.msg, "not a result of nfvchain"));
	}
	assert_int_equal(load_with_schema(*state, json_integer(1), &err), -EINVAL);
	assert_int_equal(result_load(&again, "/nonexistent/result.json", &err), -ENOENT);
	assert_null(again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_result_has_a_directory_of_its_own,
						make_scratch, remove_scratch),
		cmocka_unit_test_setup_teardown(what_cannot_be_made_is_said_and_leaves_nothing,
						make_scratch, remove_scratch),
		cmocka_unit_test_setup_teardown(what_is_saved_is_loaded_again_byte_for_byte,
						make_scratch, remove_scratch),
		cmocka_unit_test_setup_teardown(a_newer_major_is_refused_and_a_newer_minor_read,
						make_scratch, remove_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
