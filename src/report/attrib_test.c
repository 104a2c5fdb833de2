/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "html.h"
#include "text_page.h"
#include "text_parts.h"

/* What the reports say of what limits the chain. */

static const char *const found =
	"{\"measurements\": [{\"frames\": \"64\", \"kind\": \"search\", \"attribution\": "
	"{\"verdict\": \"hop\", \"by\": \"cycles\", \"bottleneck\": \"vnf2\", \"dearest\": "
	"\"vnf2\", "
	"\"next\": \"vnf1\", \"tied\": [], \"without_pps\": 4900000.0, \"without_low_pps\": 4.7e6, "
	"\"without_high_pps\": 5.1e6, \"pressure\": {\"hop\": \"vnf2\", \"refused_ratio\": 0.25}, "
	"\"losses\": [{\"at\": \"vnf1\", \"queue\": 3, \"cause\": \"tx_full\", \"frames\": 12}], "
	"\"hops\": [{\"name\": \"vnf1\", \"cycles\": 371.2, \"busy\": 0.8, \"held\": [0, 0.34], "
	"\"shares_with\": []}, {\"name\": \"vnf2\", \"cycles\": 412.0, \"cycles_low\": 398.0, "
	"\"cycles_high\": 431.0, \"busy\": 0.97, \"held\": [0, 0], \"capacity_pps\": 5e6, "
	"\"shares_with\": [\"vnf3\"]}, {\"name\": \"vnf3\", \"cycles\": null, \"busy\": null, "
	"\"held\": [null, null], \"shares_with\": [\"vnf2\"]}]}}], "
	"\"chain\": {\"name\": \"c\", \"hops\": [{\"name\": \"vnf1\", \"kind\": \"nfvchain-fwd\"}, "
	"{\"name\": \"vnf2\", \"kind\": \"nfvchain-fwd\"}, {\"name\": \"vnf3\", \"kind\": "
	"\"exec\"}], "
	"\"links\": [{\"kind\": \"memif\"}, {\"kind\": \"memif\"}, {\"kind\": \"memif\"}, "
	"{\"kind\": "
	"\"memif\"}]}}";

static json_t *
result_of(const char *text)
{
	json_t *result = json_loads(text, 0, NULL);

	assert_non_null(result);
	return result;
}

static json_t *
attribution_of(const json_t *result)
{
	return json_object_get(json_array_get(json_object_get(result, "measurements"), 0),
			       "attribution");
}

/* The sentences as a page without colours has them, on one line; for the caller to free. */
static char *
sentences(const json_t *result)
{
	struct str page = {0};
	char *text;

	text_attrib(&page, json_array_get(json_object_get(result, "measurements"), 0));
	text = page_finish(&page, false);
	for (char *p = text; *p != '\0'; p++)
		*p = *p == '\n' ? ' ' : *p;
	for (char *p; (p = strstr(text, "  ")) != NULL;)
		memmove(p, p + 1, strlen(p));
	return text;
}

static void
assert_says(const json_t *result, const char *what)
{
	char *text = sentences(result);

	if (strstr(text, what) == NULL)
		fail_msg("not in \"%s\": \"%s\"", text, what);
	free(text);
}

static void
the_bottleneck_and_what_would_be_without_it(void **state)
{
	json_t *result = result_of(found);

	(void)state;
	assert_says(result, "bottleneck: vnf2 (412 cycles a frame, 398 to 431; the next, vnf1, "
			    "371): without it the chain would carry about 4.9 Mpps, 4.7 to 5.1 "
			    "Mpps; it shares CPUs with vnf3");
	assert_says(result, "link 0 takes 75 % of it; frames wait for room at the next hop: vnf1 "
			    "34 % of the time; the waiting ends at vnf2");
	json_decref(result);
}

static void
a_tie_and_what_is_not_known(void **state)
{
	json_t *result = result_of(found), *a = attribution_of(result);

	(void)state;
	json_object_set_new(a, "verdict", json_string("tie"));
	json_object_set_new(a, "bottleneck", json_null());
	json_object_set_new(a, "tied", json_pack("[ss]", "vnf1", "vnf2"));
	assert_says(result, "bottleneck: a tie of vnf1 (371 cycles a frame) and vnf2 (412 cycles a "
			    "frame)");
	json_object_set_new(a, "verdict", json_string("unknown"));
	assert_says(result, "bottleneck: not known");
	json_object_set_new(a, "verdict", json_string("hop"));
	json_object_set_new(a, "by", json_string("pressure"));
	json_object_set_new(a, "bottleneck", json_string("vnf3"));
	assert_says(result, "bottleneck: vnf3, for which those before it wait");
	json_decref(result);
}

static void
the_picture_marks_it(void **state)
{
	json_t *result = result_of(found);
	char *html = html_render(result);

	(void)state;
	assert_non_null(strstr(html, "What limits the chain"));
	assert_non_null(strstr(html, "<rect class=\"hop limits\""));
	assert_non_null(strstr(html, "412 cycles a frame"));
	assert_non_null(strstr(html, "held 34"));
	assert_non_null(strstr(html, "tx_full"));
	free(html);
	json_decref(result);
}

/* Files are anybody's. */
static void
other_types_do_no_harm(void **state)
{
	static const char *const wrong[] = {
		"7",
		"[]",
		"{}",
		"{\"verdict\": \"hop\"}",
		"{\"verdict\": \"tie\", \"tied\": [1, {}]}",
		"{\"verdict\": \"hop\", \"bottleneck\": 3, \"hops\": [1, {\"held\": 2, "
		"\"shares_with\": [null]}], \"losses\": [4, {}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		json_t *result = result_of(found);
		json_t *m = json_array_get(json_object_get(result, "measurements"), 0);

		json_object_set_new(m, "attribution", json_loads(wrong[i], JSON_DECODE_ANY, NULL));
		free(sentences(result));
		free(html_render(result));
		json_decref(result);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bottleneck_and_what_would_be_without_it),
		cmocka_unit_test(a_tie_and_what_is_not_known),
		cmocka_unit_test(the_picture_marks_it),
		cmocka_unit_test(other_types_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
