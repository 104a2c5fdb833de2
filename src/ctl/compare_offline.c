/* SPDX-License-Identifier: MIT */
/* Two results that are there already.  They were measured one after the other, so what the machine
 * did in between is part of their ratio; what can be said is said with their own intervals. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "compare.h"
#include "report/result.h"

#define EQUAL_WITHIN 0.03
#define LEVEL 0.95

/* A result's headline for one frame size. */
struct headline {
	const char *frames;
	double pps, low, high; /* NaN: unknown */
};

bool
compare_is_result(const char *path)
{
	size_t len = strlen(path);
	struct stat st;
	char *file;
	bool found;

	if (stat(path, &st) < 0)
		return false;
	if (!S_ISDIR(st.st_mode))
		return len >= 5 && strcmp(path + len - 5, ".json") == 0;
	file = xasprintf("%s/result.json", path);
	found = access(file, F_OK) == 0;
	free(file);
	return found;
}

static double
number_at(const json_t *json, const char *path)
{
	const json_t *v = json_at(json, path);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

/* The interval of the first goal, else the spread of several searches, else none. */
static struct headline
headline_of(const json_t *m)
{
	struct headline h = {
		.frames = json_string_value(json_object_get(m, "frames")),
		.pps = number_at(m, "rate_pps"),
		.low = number_at(m, "goals[0].rate_low_pps"),
		.high = number_at(m, "goals[0].rate_high_pps"),
	};

	if ((isnan(h.low) || isnan(h.high)) && number_at(m, "n_found") >= 2) {
		h.low = number_at(m, "rate_min_pps");
		h.high = number_at(m, "rate_max_pps");
	}
	/* A load that was set says nothing about the chain. */
	if (json_string_value(json_object_get(m, "kind")) != NULL &&
	    strcmp(json_string_value(json_object_get(m, "kind")), "fixed") == 0)
		h.pps = NAN;
	return h;
}

/* The first measurement of A with frames that B has too. */
static int
find_pair(const json_t *a, const json_t *b, struct headline h[2], struct err *err)
{
	const json_t *x, *y;
	size_t i, k;

	json_array_foreach(json_object_get(a, "measurements"), i, x) {
		h[0] = headline_of(x);
		json_array_foreach(json_object_get(b, "measurements"), k, y) {
			h[1] = headline_of(y);
			if (h[0].frames != NULL && h[1].frames != NULL &&
			    strcmp(h[0].frames, h[1].frames) == 0)
				return 0;
		}
	}
	return err_usage(err, "the results have no frame size in common");
}

static const char *
verdict_of(double low, double high)
{
	if (isnan(low) || isnan(high))
		return "undecided";
	if (high < 1)
		return "worse";
	if (low > 1)
		return "better";
	return low > 1 - EQUAL_WITHIN && high < 1 + EQUAL_WITHIN ? "equal" : "undecided";
}

static char *
reason_of(const json_t *a, const json_t *b, double low, double high)
{
	static const char *const keys[] = {"cpu_model", "kernel", "dpdk_version", "governor"};
	struct str s = {0};

	if (isnan(low) || isnan(high))
		str_addf(&s, "a single search has no interval (bench --repeat 5 gives one)");
	else
		str_addf(&s, "by their own intervals, which know nothing of the time between");
	for (size_t i = 0; i < N_ELEMS(keys); i++) {
		const json_t *x = json_object_get(json_object_get(a, "environment"), keys[i]);
		const json_t *y = json_object_get(json_object_get(b, "environment"), keys[i]);

		if (x != NULL && y != NULL && !json_equal(x, y))
			str_addf(&s, "; they were measured with another %s", keys[i]);
	}
	return str_take(&s);
}

static json_t *
side_json(const char *path, const json_t *result, const struct headline *h)
{
	struct str command = {0};
	const json_t *word;
	json_t *json;
	size_t i;

	json_array_foreach(json_object_get(result, "command"), i, word) {
		const char *text = json_string_value(word);

		str_addf(&command, "%s%s", i > 0 ? " " : "", text != NULL ? text : "?");
	}
	json = json_pack("{s:s, s:s, s:o, s:o, s:o}", "label", path, "command", str_text(&command),
			 "value", json_number(h->pps), "low", json_number(h->low), "high",
			 json_number(h->high));
	str_fini(&command);
	return json;
}

static json_t *
asserts_json(const struct compare_conf *conf, const struct headline h[2], double ratio, double low,
	     double high)
{
	struct claim_facts facts;
	json_t *list = json_array();

	claim_facts_init(&facts);
	claim_set_percent(&facts, CLAIM_LOSS, ratio, low, high);
	facts.fact[CLAIM_RATIO] = (struct claim_fact){ratio, low, high};
	facts.fact[CLAIM_RATIO_LOW] = (struct claim_fact){low, low, low};
	facts.fact[CLAIM_RATIO_HIGH] = (struct claim_fact){high, high, high};
	facts.fact[CLAIM_RATE_A] = (struct claim_fact){h[0].pps, h[0].low, h[0].high};
	facts.fact[CLAIM_RATE_B] = (struct claim_fact){h[1].pps, h[1].low, h[1].high};
	for (size_t i = 0; i < conf->asserts.n; i++) {
		char sentence[192];
		int holds = claim_judge(&conf->claim[i], &facts, sentence, sizeof(sentence));

		json_array_append_new(list, json_pack("{s:s, s:o, s:s}", "text",
						      conf->asserts.items[i], "holds",
						      holds < 0 ? json_null() : json_boolean(holds),
						      "sentence", sentence));
	}
	return list;
}

static json_t *
comparison_of(const struct compare_conf *conf, json_t *const result[2], const struct headline h[2])
{
	/* The widest that both intervals allow. */
	double ratio = h[1].pps / h[0].pps, low = h[1].low / h[0].high, high = h[1].high / h[0].low;
	char *reason = reason_of(result[0], result[1], low, high);
	json_t *json = json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:f, s:i, s:i, s:o, s:o, s:o, s:s, s:s, s:f, s:n, s:n, "
		"s:[], s:n, s:o, s:s, s:s}",
		"metric", "rate", "unit", "pps", "better", "higher", "a",
		side_json(conf->side[0], result[0], &h[0]), "b",
		side_json(conf->side[1], result[1], &h[1]), "level", LEVEL, "n_blocks", 0,
		"n_valid", 0, "ratio", json_number(ratio), "ratio_low", json_number(low),
		"ratio_high", json_number(high), "verdict", verdict_of(low, high), "reason", reason,
		"equal_within", EQUAL_WITHIN, "control", "drift", "blocks", "instructions",
		"asserts", asserts_json(conf, h, ratio, low, high), "method", "offline", "frames",
		h[0].frames);

	free(reason);
	return json;
}

int
compare_results(const struct compare_conf *conf, json_t **comparison, struct err *err)
{
	json_t *result[2] = {NULL, NULL};
	struct headline h[2];
	int rc = 0;

	if (strcmp(conf->metric, "rate") != 0)
		rc = err_usage(err, "--metric: results are compared by their rates");
	for (int i = 0; rc == 0 && i < 2; i++)
		rc = err_wrap(err, result_load(&result[i], conf->side[i], err), "%c", 'A' + i);
	if (rc == 0)
		rc = find_pair(result[0], result[1], h, err);
	if (rc == 0)
		*comparison = comparison_of(conf, result, h);
	json_decref(result[0]);
	json_decref(result[1]);
	return rc;
}
