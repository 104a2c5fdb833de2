/* SPDX-License-Identifier: MIT */
#include "yaml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "mem.h"
#include "str.h"

static struct yaml *
must_parse(const char *text)
{
	struct err err = {0};
	struct yaml *doc;

	if (yaml_parse(&doc, "t.yaml", text, strlen(text), &err) < 0)
		fail_msg("%s", err.msg);
	return doc;
}

static void
assert_refused(const char *text, const char *why)
{
	struct err err = {0};
	struct yaml *doc;

	assert_int_equal(yaml_parse(&doc, "t.yaml", text, strlen(text), &err), -EINVAL);
	assert_string_equal(err.msg, why);
	assert_int_equal(err.class, ERR_USAGE);
	assert_null(doc);
}

static void
a_chain_reads_as_it_is_written(void **state)
{
	struct yaml *doc = must_parse("version: 1\n"
				      "generator: {kind: nfvchain-gen, cpus: [0, 1]}\n"
				      "hops:\n"
				      "  - {name: vnf1, kind: \"exec\"}\n"
				      "  - name: 'vnf2'\n"
				      "    note: |\n"
				      "      two\n"
				      "      lines\n");
	const struct yaml_node *root = yaml_root(doc), *hops = yaml_get(root, "hops"), *hop;

	(void)state;
	assert_true(yaml_is_map(root));
	assert_int_equal(yaml_length(root), 3);
	assert_string_equal(yaml_key(doc, root, 1), "generator");
	assert_ptr_equal(yaml_value(root, 2), hops);
	assert_null(yaml_key(doc, root, 3));
	assert_null(yaml_get(root, "links"));
	assert_string_equal(yaml_text(doc, yaml_get(root, "version")), "1");
	assert_int_equal(yaml_length(yaml_get(yaml_get(root, "generator"), "cpus")), 2);
	assert_true(yaml_is_list(hops));
	assert_null(yaml_text(doc, hops));
	assert_null(yaml_item(hops, 2));
	assert_string_equal(yaml_text(doc, yaml_get(yaml_item(hops, 0), "kind")), "exec");
	hop = yaml_item(hops, 1);
	assert_string_equal(yaml_text(doc, yaml_get(hop, "name")), "vnf2");
	assert_string_equal(yaml_text(doc, yaml_get(hop, "note")), "two\nlines\n");
	yaml_close(doc);
}

static void
json_is_yaml(void **state)
{
	struct yaml *doc = must_parse("{\n\t\"a\": 1,\n\t\"b\": [true,\n\t\tnull], \"c\": "
				      "\"\\u00e9\\/\\ud83d\\ude00\"}\n");
	const struct yaml_node *root = yaml_root(doc);

	(void)state;
	assert_string_equal(yaml_text(doc, yaml_get(root, "a")), "1");
	assert_true(yaml_is_null(yaml_item(yaml_get(root, "b"), 1)));
	assert_string_equal(yaml_text(doc, yaml_get(root, "c")), "\303\251/\360\237\230\200");
	yaml_close(doc);
}

static void
only_bare_words_are_null(void **state)
{
	struct yaml *doc =
		must_parse("- null\n-\n- ''\n- \"null\"\n- !!str null\n- 0\n- []\n- !!null ~\n");
	static const bool want[] = {true, true, false, false, false, false, false, true};
	struct yaml *empty;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(want); i++)
		assert_int_equal(yaml_is_null(yaml_item(yaml_root(doc), i)), want[i]);
	yaml_close(doc);
	/* A file with nothing in it is one null, so that there always is a root. */
	empty = must_parse("# nothing\n");
	assert_true(yaml_is_null(yaml_root(empty)));
	yaml_close(empty);
}

static void
messages_underline_the_value(void **state)
{
	struct yaml *doc =
		must_parse("hops:\n  - name: 'x y'\n    cores: two\n    \303\251t\303\251: a\n");
	const struct yaml_node *hop = yaml_item(yaml_get(yaml_root(doc), "hops"), 0);
	struct err err = {0};
	uint64_t n = 5;

	(void)state;
	assert_int_equal(yaml_get_uint(doc, hop, "cores", 1, UINT64_MAX, &n, &err), -EINVAL);
	assert_string_equal(err.msg, "t.yaml:3:12: error: 'cores' must be a positive integer\n"
				     "    cores: two\n"
				     "           ^~~");
	assert_int_equal(err.class, ERR_USAGE);
	assert_int_equal(n, 5);
	assert_int_equal(yaml_error(doc, yaml_get(hop, "name"), &err, "no %s", "good"), -EINVAL);
	assert_string_equal(err.msg, "t.yaml:2:11: error: no good\n"
				     "  - name: 'x y'\n"
				     "          ^~~~~");
	/* Columns are characters, not bytes. */
	yaml_error(doc, yaml_value(hop, 2), &err, "no");
	assert_string_equal(err.msg, "t.yaml:4:10: error: no\n"
				     "    \303\251t\303\251: a\n"
				     "         ^");
	yaml_close(doc);
}

static void
bad_syntax_is_shown_where_it_is(void **state)
{
	(void)state;
	assert_refused(
		"a: 1\nb: }\n",
		"t.yaml:2:4: error: flow mapping with invalid extra closing brace\nb: }\n   ^");
	assert_refused("a: 1\nb: [1,\n  2\n\n",
		       "t.yaml:2:4: error: this bracket is never closed\nb: [1,\n   ^");
	assert_refused(
		"a: \"x\n",
		"t.yaml:1:4: error: double-quoted scalar without closing quote\na: \"x\n   ^");
	assert_refused("a: 1\r\nb: c: d\r\n", "t.yaml:2:5: error: invalid nested block mapping on "
					      "the same line\nb: c: d\n    ^");
}

static void
what_could_surprise_is_refused(void **state)
{
	(void)state;
	assert_refused("a: &x 1\n", "t.yaml:1:4: error: anchors are not supported\na: &x 1\n   ^~");
	assert_refused("a: 1\nb: *a\n",
		       "t.yaml:2:4: error: aliases are not supported\nb: *a\n   ^");
	assert_refused("a: 1\nb: 2\n'a': 3\n",
		       "t.yaml:3:1: error: key 'a' was already given in line 1\n'a': 3\n^~~");
	assert_refused("a: 1\n---\nb: 1\n",
		       "t.yaml:2:1: error: a second document starts here\n---\n^~~");
	assert_refused("a: !!python/object 1\n", "t.yaml:1:4: error: tag "
						 "'tag:yaml.org,2002:python/object' is not "
						 "supported here\na: !!python/object 1\n   ^");
	assert_refused("a: !!map 1\n", "t.yaml:1:4: error: tag 'tag:yaml.org,2002:map' is not "
				       "supported here\na: !!map 1\n   ^");
	assert_refused("? [x]\n: 1\n", "t.yaml:1:3: error: a key must be a word, not a list or a "
				       "map\n? [x]\n  ^");
	assert_refused("a: \"x\\0y\"\n", "t.yaml:1:4: error: text must not contain the character "
					 "NUL\na: \"x\\0y\"\n   ^~~~~~");
}

static void
bytes_that_are_no_text_are_refused(void **state)
{
	/* Stray continuation, overlong, surrogate, beyond Unicode, cut off, control, C1, DEL. */
	static const char *const bad[] = {
		"a: \x80",     "a: \xc0\xaf", "a: \xed\xa0\x80", "a: \xf4\x90\x80\x80",
		"a: \xe2\x82", "a: \x1b[31m", "a: \xc2\x9b",	 "a: \x7f"};
	struct err err = {0};
	struct yaml *doc;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		assert_int_equal(yaml_parse(&doc, "t", bad[i], strlen(bad[i]), &err), -EINVAL);
		assert_non_null(strstr(err.msg, "t:1:4: error: byte 0x"));
		assert_null(strpbrk(err.msg, "\x1b\x7f"));
	}
	assert_int_equal(yaml_parse(&doc, "t", "a\0b", 3, &err), -EINVAL);
	doc = must_parse("\xef\xbb\xbf"
			 "a: \xe2\x82\xac\xf0\x9f\x98\x80\n");
	assert_string_equal(yaml_key(doc, yaml_root(doc), 0), "a");
	yaml_close(doc);
}

/* 'n' times 'text'; the caller frees it. */
static char *
repeat(const char *text, size_t n)
{
	struct str s = {0};

	while (n-- > 0)
		str_addf(&s, "%s", text);
	return str_take(&s);
}

static void
depth_and_size_are_limited(void **state)
{
	char *deep = repeat("- ", YAML_MAX_DEPTH), *deeper = repeat("- ", YAML_MAX_DEPTH + 1);
	char *large = repeat("#", YAML_MAX_BYTES + 1);
	struct err err = {0};
	struct yaml *doc;

	(void)state;
	doc = must_parse(deep);
	yaml_close(doc);
	assert_int_equal(yaml_parse(&doc, "t", deeper, strlen(deeper), &err), -EINVAL);
	assert_non_null(strstr(err.msg, "t:1:65: error: nested deeper than 32 levels\n"));
	doc = NULL;
	assert_int_equal(yaml_parse(&doc, "t", large, YAML_MAX_BYTES, &err), 0);
	yaml_close(doc);
	assert_int_equal(yaml_parse(&doc, "t", large, YAML_MAX_BYTES + 1, &err), -EINVAL);
	assert_string_equal(err.msg, "t: larger than 1048576 bytes");
	free(deep);
	free(deeper);
	free(large);
}

static void
a_hostile_file_costs_no_more_than_its_bytes(void **state)
{
	/* Brackets without end, pairs and items by the hundred thousand, equal and different keys.
	 */
	static const char *const units[] = {"[",     "{a: ", "- ", "? ", "a: 1\n",
					    "- a\n", "!",    "*",  "&a "};
	struct deadline patience = deadline_in_ms(60000);
	struct str keys = {0};
	struct err err = {0};
	struct yaml *doc;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(units); i++) {
		char *text = repeat(units[i], 300000 / strlen(units[i]));

		if (yaml_parse(&doc, "t", text, strlen(text), &err) == 0)
			yaml_close(doc);
		free(text);
	}
	for (unsigned i = 0; keys.len < YAML_MAX_BYTES - 16; i++)
		str_addf(&keys, "k%x: 1\n", i);
	doc = must_parse(str_text(&keys));
	yaml_close(doc);
	str_fini(&keys);
	assert_false(deadline_passed(&patience));
}

static void
messages_are_complete_however_long_the_input(void **state)
{
	char *name = repeat("n", 5000), *word = repeat("\xe2\x82\xac", 3000);
	struct str text = {0};
	struct err err = {0};
	const char *line, *caret;
	struct yaml *doc;

	(void)state;
	str_addf(&text, "%s: [%s, %s]", word, word, word);
	assert_int_equal(yaml_parse(&doc, name, str_text(&text), text.len, &err), 0);
	yaml_error(doc, yaml_item(yaml_value(yaml_root(doc), 0), 1), &err, "%s", name);
	assert_true(strlen(err.msg) < sizeof(err.msg) - 1);
	assert_non_null(strstr(err.msg, ":1:6006: error: nnn"));
	line = strchr(err.msg, '\n');
	assert_non_null(line);
	caret = strchr(line + 1, '\n');
	assert_non_null(caret);
	assert_memory_equal(line + 1, "...", 3);
	/* The rest of the window is underlined. */
	assert_int_equal(strlen(strchr(caret, '^')), 24);
	yaml_close(doc);
	str_fini(&text);
	free(name);
	free(word);
}

static void
unknown_keys_name_the_nearest_one(void **state)
{
	static const char *const keys[] = {"name", "frame_size", NULL};
	struct yaml *doc = must_parse("name: x\nframe_siez: 64\n");
	struct err err = {0};

	(void)state;
	assert_int_equal(yaml_check_keys(doc, yaml_root(doc), keys, &err), -EINVAL);
	assert_string_equal(err.msg, "t.yaml:2:1: error: unknown key 'frame_siez' (did you mean "
				     "'frame_size'?)\nframe_siez: 64\n^~~~~~~~~~");
	yaml_close(doc);
	doc = must_parse("{frame_size: 1, name: 2}");
	assert_int_equal(yaml_check_keys(doc, yaml_root(doc), keys, &err), 0);
	yaml_close(doc);
}

static void
typed_reading_takes_the_type_or_nothing(void **state)
{
	struct yaml *doc =
		must_parse("u: 64\nx: 0x10\nq: '64'\nneg: -1\nf: 1.5\n"
			   "yes: true\nno: false\nword: yes\ntext: hi\nnone:\nlist: []\n");
	const struct yaml_node *root = yaml_root(doc);
	struct err err = {0};
	const char *text = "kept";
	uint64_t n = 1;
	bool on = false;

	(void)state;
	assert_int_equal(yaml_get_uint(doc, root, "absent", 0, 9, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(yaml_get_uint(doc, root, "u", 0, 64, &n, &err), 0);
	assert_int_equal(n, 64);
	assert_int_equal(yaml_get_uint(doc, root, "x", 0, 64, &n, &err), 0);
	assert_int_equal(n, 16);
	assert_int_equal(yaml_get_uint(doc, root, "u", 0, 63, &n, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "'u' must be an integer from 0 to 63\n"));
	assert_int_equal(yaml_get_uint(doc, root, "q", 0, 99, &n, &err), -EINVAL);
	assert_int_equal(yaml_get_uint(doc, root, "neg", 0, 99, &n, &err), -EINVAL);
	assert_int_equal(yaml_get_uint(doc, root, "f", 0, 99, &n, &err), -EINVAL);
	assert_int_equal(yaml_get_uint(doc, root, "none", 0, 99, &n, &err), -EINVAL);
	assert_int_equal(yaml_get_bool(doc, root, "yes", &on, &err), 0);
	assert_true(on);
	assert_int_equal(yaml_get_bool(doc, root, "no", &on, &err), 0);
	assert_false(on);
	assert_int_equal(yaml_get_bool(doc, root, "word", &on, &err), -EINVAL);
	assert_int_equal(yaml_get_text(doc, root, "text", &text, &err), 0);
	assert_string_equal(text, "hi");
	assert_int_equal(yaml_get_text(doc, root, "none", &text, &err), -EINVAL);
	/* A value that is missing is shown as its key. */
	assert_string_equal(err.msg, "t.yaml:10:1: error: 'none' must be a text\nnone:\n^~~~");
	assert_int_equal(yaml_get_text(doc, root, "list", &text, &err), -EINVAL);
	assert_string_equal(text, "hi");
	yaml_close(doc);
}

static void
files_are_read_or_named(void **state)
{
	char path[] = "/tmp/yaml_testXXXXXX";
	int fd = mkstemp(path);
	struct err err = {0};
	struct yaml *doc;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a: b\n", 5), 5);
	close(fd);
	assert_int_equal(yaml_open(&doc, path, &err), 0);
	assert_string_equal(yaml_text(doc, yaml_get(yaml_root(doc), "a")), "b");
	yaml_close(doc);
	unlink(path);
	assert_int_equal(yaml_open(&doc, "/nowhere/x.yaml", &err), -ENOENT);
	assert_string_equal(err.msg, "/nowhere/x.yaml: No such file or directory");
	assert_int_equal(err.class, ERR_USAGE);
	assert_int_equal(yaml_open(&doc, "/tmp", &err), -EISDIR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_reads_as_it_is_written),
		cmocka_unit_test(json_is_yaml),
		cmocka_unit_test(only_bare_words_are_null),
		cmocka_unit_test(messages_underline_the_value),
		cmocka_unit_test(bad_syntax_is_shown_where_it_is),
		cmocka_unit_test(what_could_surprise_is_refused),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(depth_and_size_are_limited),
		cmocka_unit_test(a_hostile_file_costs_no_more_than_its_bytes),
		cmocka_unit_test(messages_are_complete_however_long_the_input),
		cmocka_unit_test(unknown_keys_name_the_nearest_one),
		cmocka_unit_test(typed_reading_takes_the_type_or_nothing),
		cmocka_unit_test(files_are_read_or_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
