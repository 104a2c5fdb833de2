/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mem.h"

static json_t *
must_load(const char *text)
{
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	return root;
}

/* What json_write makes of 'root'; the caller frees it. */
static char *
written(const json_t *root)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(json_write(root, out), 0);
	fclose(out);
	return text;
}

static void
paths_lead_to_values(void **state)
{
	json_t *root = must_load("{\"streams\": [{}, [7, [8]], {\"mode\": {\"rate\": 9}}]}");

	(void)state;
	assert_ptr_equal(json_at(root, ""), root);
	assert_int_equal(json_integer_value(json_at(root, "streams[2].mode.rate")), 9);
	assert_int_equal(json_integer_value(json_at(root, "streams[1][1][0]")), 8);
	assert_int_equal(json_integer_value(json_at(json_at(root, "streams"), "[1][0]")), 7);
	assert_null(json_at(root, "streams[3]"));
	assert_null(json_at(root, "streams[-1]"));
	assert_null(json_at(root, "streams[1"));
	assert_null(json_at(root, "streams[99999999999999999999]"));
	assert_null(json_at(root, "streams.mode"));
	assert_null(json_at(root, "stream"));
	assert_null(json_at(root, "streams[0].a.b"));
	assert_null(json_at(NULL, "a"));
	json_decref(root);
}

static void
typed_reading_names_the_path(void **state)
{
	json_t *root =
		must_load("{\"a\": [{\"n\": 5, \"neg\": -1, \"f\": 0.5, \"b\": true, \"t\": \"x\","
			  " \"z\": null}]}");
	struct err err = {0};
	const char *text = NULL;
	uint64_t n = 0;
	double f = 0;
	bool b = false;

	(void)state;
	assert_int_equal(json_get_u64(root, "a[0].n", &n, &err), 0);
	assert_int_equal(n, 5);
	assert_int_equal(json_get_u64(root, "a[0].neg", &n, &err), -EINVAL);
	assert_string_equal(err.msg, "a[0].neg: not an unsigned integer");
	assert_int_equal(json_get_u64(root, "a[0].f", &n, &err), -EINVAL);
	assert_int_equal(json_get_double(root, "a[0].f", &f, &err), 0);
	assert_true(f == 0.5);
	assert_int_equal(json_get_double(root, "a[0].n", &f, &err), 0);
	assert_true(f == 5);
	assert_int_equal(json_get_double(root, "a[0].z", &f, &err), -EINVAL);
	assert_string_equal(err.msg, "a[0].z: not a number");
	assert_int_equal(json_get_bool(root, "a[0].b", &b, &err), 0);
	assert_true(b);
	assert_int_equal(json_get_bool(root, "a[0].n", &b, &err), -EINVAL);
	assert_int_equal(json_get_text(root, "a[0].t", &text, &err), 0);
	assert_string_equal(text, "x");
	assert_int_equal(json_get_text(root, "a[1].t", &text, &err), -ENOENT);
	assert_string_equal(err.msg, "a[1].t: missing");
	assert_int_equal(json_get_text(root, "a[1].t", &text, NULL), -ENOENT);
	json_decref(root);
}

static void
what_json_cannot_carry_saturates_or_is_null(void **state)
{
	json_t *list = json_pack("[o,o,o,o,o]", json_u64(1), json_u64(UINT64_MAX), json_number(NAN),
				 json_number(-INFINITY), json_number(0.5));

	(void)state;
	assert_int_equal(json_integer_value(json_array_get(list, 0)), 1);
	assert_int_equal(json_integer_value(json_array_get(list, 1)), INT64_MAX);
	assert_true(json_is_null(json_array_get(list, 2)));
	assert_true(json_is_null(json_array_get(list, 3)));
	assert_true(json_real_value(json_array_get(list, 4)) == 0.5);
	json_decref(list);
}

static void
writing_is_stable_and_readable(void **state)
{
	json_t *root = json_pack("{s:i, s:{}, s:[], s:[f,f,b,n], s:{s:s}}", "z", 1, "o", "l", "a",
				 0.1, 3.0, 1, "q\"\n", "k", "\303\251\t");
	char *text = written(root), *again;

	(void)state;
	assert_string_equal(text, "{\n"
				  "  \"z\": 1,\n"
				  "  \"o\": {},\n"
				  "  \"l\": [],\n"
				  "  \"a\": [\n"
				  "    0.1,\n"
				  "    3.0,\n"
				  "    true,\n"
				  "    null\n"
				  "  ],\n"
				  "  \"q\\\"\\n\": {\n"
				  "    \"k\": \"\303\251\\t\"\n"
				  "  }\n"
				  "}\n");
	json_decref(root);
	root = must_load(text);
	again = written(root);
	assert_string_equal(text, again);
	json_decref(root);
	free(text);
	free(again);
}

static void
numbers_come_back_exactly(void **state)
{
	static const double values[] = {
		1.0 / 3, 1e300, 5e-324, 1488095.2380952381, -0.0, 1e15, 123456789012345680.0};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(values); i++) {
		json_t *list = json_pack("[f]", values[i]);
		char *text = written(list);
		json_t *back = must_load(text);

		assert_true(json_is_real(json_array_get(back, 0)));
		assert_true(json_real_value(json_array_get(back, 0)) == values[i]);
		json_decref(list);
		json_decref(back);
		free(text);
	}
}

static unsigned
count_files(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned n = 0;
	const struct dirent *entry;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

static void
saving_replaces_the_whole_file_or_nothing(void **state)
{
	char dir[] = "/tmp/json_testXXXXXX";
	json_t *root = must_load("{\"a\": [1]}"), *back;
	struct err err = {0};
	struct stat st;
	mode_t mask;
	char *path, *missing;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/result.json", dir);
	missing = xasprintf("%s/no/result.json", dir);
	mask = umask(022);
	assert_int_equal(json_save(root, path, &err), 0);
	assert_int_equal(json_save(root, path, &err), 0);
	umask(mask);
	assert_int_equal(count_files(dir), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(json_load_path(&back, path, &err), 0);
	assert_true(json_equal(root, back));
	json_decref(back);
	assert_int_equal(json_save(root, missing, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/no/result.json: No such file or directory"));
	/* A directory cannot be replaced: the temporary file must not stay behind. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(json_save(root, path, &err) < 0);
	assert_int_equal(count_files(dir), 1);
	rmdir(path);
	rmdir(dir);
	free(path);
	free(missing);
	json_decref(root);
}

static void
loading_says_what_is_wrong_and_where(void **state)
{
	char path[] = "/tmp/json_testXXXXXX";
	int fd = mkstemp(path);
	struct err err = {0};
	char *want = xasprintf("%s:2:5: ", path);
	json_t *root;

	(void)state;
	assert_int_equal(write(fd, "{\"a\": 1,\n\"b\" 2}", 15), 15);
	close(fd);
	assert_int_equal(json_load_path(&root, path, &err), -EINVAL);
	assert_null(root);
	if (strncmp(err.msg, want, strlen(want)) != 0)
		fail_msg("%s", err.msg);
	unlink(path);
	assert_int_equal(json_load_path(&root, path, &err), -ENOENT);
	assert_int_equal(json_load_path(&root, "/tmp", &err), -EISDIR);
	free(want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_lead_to_values),
		cmocka_unit_test(typed_reading_names_the_path),
		cmocka_unit_test(what_json_cannot_carry_saturates_or_is_null),
		cmocka_unit_test(writing_is_stable_and_readable),
		cmocka_unit_test(numbers_come_back_exactly),
		cmocka_unit_test(saving_replaces_the_whole_file_or_nothing),
		cmocka_unit_test(loading_says_what_is_wrong_and_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
