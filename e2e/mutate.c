/* SPDX-License-Identifier: MIT */
#include "mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "rpc/envelope.h"
#include "rpc/wide.h"

#define LINE_MAX_BYTES (1 << 20)
#define DEEPEST 3000
#define LONGEST 100000
#define BATCH 16
#define MANY 65600 /* more than a batch may have */
#define MARK "@raw"

/* Values as text, since no JSON library would write most of them. */
static const char *const raws[] = {
	"null",
	"true",
	"-1",
	"0",
	"1",
	"0.5",
	"-0.0",
	"1e308",
	"-1e308",
	"1e-320",
	"1e400",
	"NaN",
	"4294967295",
	"4294967296",
	"9223372036854775807",
	"9223372036854775808",
	"18446744073709551615",
	"18446744073709551616",
	"-9223372036854775808",
	"-9223372036854775809",
	"123456789012345678901234567890123456789012345678901234567890",
	"\"\"",
	"\"*\"",
	"\"_\"",
	"\"0\"",
	"\"\\u0000\"",
	"\"\\ud800\"",
	"\"\\ufdd0u64:18446744073709551615\"",
	"\"\xff\xfe\"",
	"\"%s%n%999999d\"",
	"[]",
	"{}",
	"[[]]",
	"[0,1,2,3]",
	"[0,0]",
	"{\"a\":1,\"a\":2}",
	"[null,{},[],\"\",0,true]",
};

static size_t
below(struct mutator *m, size_t n)
{
	return (size_t)random_below(&m->random, n);
}

/* True once in 'n' times. */
static bool
once_in(struct mutator *m, size_t n)
{
	return below(m, n) == 0;
}

void
mutator_init(struct mutator *m, uint64_t seed)
{
	*m = (struct mutator){.requests = json_array()};
	random_init(&m->random, seed, 0);
}

void
mutator_fini(struct mutator *m)
{
	json_decref(m->requests);
}

void
mutator_read(struct mutator *m, const char *path)
{
	static char line[LINE_MAX_BYTES];
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		json_t *said = wide_loadb(line, strlen(line), 0, NULL);
		const char *dir = json_string_value(json_object_get(said, "dir"));

		if (dir != NULL && strcmp(dir, "req") == 0)
			json_array_append(m->requests, json_object_get(said, "msg"));
		json_decref(said);
	}
	fclose(f);
	assert_true(json_array_size(m->requests) > 0);
}

/* ---- values ---- */

static size_t
count_nodes(const json_t *json)
{
	size_t n = 1, i;
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)json, key, v)
		n += count_nodes(v);
	json_array_foreach(json, i, v)
		n += count_nodes(v);
	return n;
}

/* A value that stands for a text of its own until all is text. */
static json_t *
raw(struct mutator *m)
{
	return json_sprintf(MARK "%zu", below(m, N_ELEMS(raws)));
}

static json_t *
long_string(struct mutator *m)
{
	size_t len = below(m, once_in(m, 50) ? LONGEST : 300);
	char *text = xcalloc(len + 1, 1);
	json_t *json;

	memset(text, 'A', len);
	json = json_string(text);
	free(text);
	return json;
}

/* What stands in the place of a value from now on; NULL: nothing. */
static json_t *
instead(struct mutator *m, const json_t *value)
{
	switch (below(m, 8)) {
	case 0:
		return NULL;
	case 1:
		return long_string(m);
	case 2:
		return json_integer((json_int_t)random_next(&m->random));
	case 3:
		return json_pack("[o]", json_deep_copy(value));
	case 4:
		return json_pack("{s:o}", "port_id", json_deep_copy(value));
	default:
		return raw(m);
	}
}

/* Changes node number '*at' of those below 'json'; false when there are fewer, and '*at' is less by
 * their number then. */
static bool change_node(struct mutator *m, json_t *json, size_t *at);

/* The same for 'v' and those below it; 'v' is member 'key' of 'json', or element 'i'. */
static bool
change_at(struct mutator *m, json_t *json, const char *key, size_t i, json_t *v, size_t *at)
{
	json_t *other;

	if ((*at)-- > 0)
		return change_node(m, v, at);
	other = instead(m, v);
	if (key != NULL && other != NULL)
		json_object_set_new(json, key, other);
	else if (key != NULL)
		json_object_del(json, key);
	else if (other != NULL)
		json_array_set_new(json, i, other);
	else
		json_array_remove(json, i);
	return true;
}

static bool
change_node(struct mutator *m, json_t *json, size_t *at)
{
	const char *key;
	json_t *v;
	size_t i;

	json_object_foreach(json, key, v)
		if (change_at(m, json, key, 0, v, at))
			return true;
	json_array_foreach(json, i, v)
		if (change_at(m, json, NULL, i, v, at))
			return true;
	return false;
}

/* A recorded request, of port 1 and with our handles but for a few. */
static json_t *
a_request(struct mutator *m)
{
	json_t *recorded = json_array_get(m->requests, below(m, json_array_size(m->requests)));
	json_t *request, *params;

	if (json_is_array(recorded))
		recorded = json_array_get(recorded, below(m, json_array_size(recorded)));
	request = json_deep_copy(recorded);
	params = json_object_get(request, "params");
	if (json_object_get(params, "api_h") != NULL && !once_in(m, 16))
		json_object_set_new(params, "api_h", json_string(m->api_h));
	if (json_object_get(params, "handler") != NULL && !once_in(m, 16))
		json_object_set_new(params, "handler", json_string(m->handler));
	if (json_object_get(params, "port_id") != NULL && !once_in(m, 16))
		json_object_set_new(params, "port_id", json_integer(1));
	return request;
}

static json_t *
a_batch(struct mutator *m)
{
	json_t *batch = json_array();
	size_t n = below(m, BATCH);

	m->n_batches++;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(batch, a_request(m));
	return batch;
}

/* ---- what no mutant may ask for ---- */

static bool
is_harmful(const json_t *request)
{
	const char *method = json_string_value(json_object_get(request, "method"));
	const json_t *params = json_object_get(request, "params");
	const json_t *port = json_object_get(params, "port_id");

	if (method == NULL)
		return false;
	if (strcmp(method, "acquire") == 0 || strncmp(method, "set_l", 5) == 0)
		return json_is_number(port) && json_number_value(port) == 0;
	if (strcmp(method, "start_traffic") == 0 || strncmp(method, "update_", 7) == 0)
		return json_is_true(json_object_get(params, "force")) ||
		       json_object_get(params, "x_nfvchain") != NULL;
	return strcmp(method, "shutdown") == 0;
}

static bool
is_harmful_text(struct mutator *m, const char *text, size_t len)
{
	json_t *json = wide_loadb(text, len, 0, NULL), *v;
	bool harmful = is_harmful(json);
	size_t i;

	m->n_broken += json == NULL;
	json_array_foreach(json, i, v)
		harmful |= is_harmful(v);
	json_decref(json);
	return harmful;
}

/* ---- text ---- */

/* Puts the texts of their own where they belong. */
static void
add_raws(struct str *out, const char *text)
{
	const char *hit;

	while ((hit = strstr(text, "\"" MARK)) != NULL) {
		char *end;
		size_t i = strtoul(hit + strlen("\"" MARK), &end, 10);

		str_addn(out, text, (size_t)(hit - text));
		str_addf(out, "%s", raws[i % N_ELEMS(raws)]);
		text = end + (*end == '"');
	}
	str_addf(out, "%s", text);
}

/* Opens so many brackets somewhere, and closes them, or not. */
static void
nest(struct mutator *m, struct str *text)
{
	size_t depth = 1 + below(m, once_in(m, 4) ? DEEPEST : 40), at = below(m, text->len + 1);
	bool is_list = once_in(m, 2), closes = !once_in(m, 3);
	struct str out = {0};

	str_addn(&out, text->text, at);
	for (size_t i = 0; i < depth; i++)
		str_addf(&out, is_list ? "[" : "{\"a\":");
	str_addf(&out, "0");
	for (size_t i = 0; i < depth && closes; i++)
		str_addf(&out, is_list ? "]" : "}");
	str_addn(&out, text->text + at, text->len - at);
	str_fini(text);
	*text = out;
}

/* Repeats some of it, or leaves some out. */
static void
splice(struct mutator *m, struct str *text)
{
	size_t at = below(m, text->len + 1), from = below(m, text->len + 1);
	struct str out = {0};

	str_addn(&out, text->text, at);
	str_addn(&out, text->text + from, text->len - from);
	str_fini(text);
	*text = out;
}

static void
change_bytes(struct mutator *m, struct str *text)
{
	static const char hostile[] = "{}[]\",:\\0-+eE.\x00\xff";
	size_t n = 1 + below(m, 4);

	for (size_t i = 0; i < n && text->len > 0; i++) {
		char *byte = &text->text[below(m, text->len)];

		if (once_in(m, 2))
			*byte = (char)(*byte ^ 1 << below(m, 8));
		else
			*byte = hostile[below(m, sizeof(hostile))];
	}
}

static void
change_text(struct mutator *m, struct str *text)
{
	switch (below(m, 6)) {
	case 0:
		nest(m, text);
		return;
	case 1:
		splice(m, text);
		return;
	case 2:
		text->len = below(m, text->len + 1);
		return;
	default:
		change_bytes(m, text);
	}
}

/* A batch of more than there may be, of next to nothing. */
static void
too_many(struct str *text)
{
	for (size_t i = 0; i < MANY; i++)
		str_addn(text, i == 0 ? "[{}" : ",{}", 3);
	str_addn(text, "]", 1);
}

static struct str
a_text(struct mutator *m)
{
	json_t *json = once_in(m, 8) ? a_batch(m) : a_request(m);
	size_t n = below(m, 4);
	struct str text = {0};
	char *plain;

	for (size_t i = 0; i < n; i++) {
		size_t at = below(m, count_nodes(json));

		change_node(m, json, &at);
	}
	plain = wide_dumps(json, JSON_COMPACT);
	add_raws(&text, plain);
	free(plain);
	json_decref(json);
	if (once_in(m, 3))
		change_text(m, &text);
	if (once_in(m, 5000))
		too_many(&text);
	return text;
}

/* ---- the envelope ---- */

/* Lies about the length of what is inside, or damages it. */
static void
damage(struct mutator *m, char *sealed, size_t *len)
{
	unsigned char *claim = (unsigned char *)sealed + 4;

	m->n_lying++;
	switch (below(m, 5)) {
	case 0:
		claim[below(m, 4)] = (unsigned char)below(m, 256);
		return;
	case 1:
		claim[3]++;
		return;
	case 2:
		memset(claim, once_in(m, 2) ? 0 : 0xff, 4);
		return;
	case 3:
		*len = below(m, *len + 1);
		return;
	default:
		sealed[below(m, *len)] ^= (char)(1 << below(m, 8));
	}
}

char *
mutator_next(struct mutator *m, size_t *len)
{
	struct str text = a_text(m);
	char *sealed;

	while (is_harmful_text(m, str_text(&text), text.len)) {
		str_fini(&text);
		text = a_text(m);
	}
	if (once_in(m, 2)) {
		*len = text.len;
		return str_take(&text);
	}
	m->n_sealed++;
	sealed = envelope_seal(str_text(&text), text.len, len);
	str_fini(&text);
	if (once_in(m, 2))
		damage(m, sealed, len);
	return sealed;
}
