/* SPDX-License-Identifier: MIT */
#include "load_conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/units.h"

#define WINDOW 1024
#define MAX_WINDOW (1u << 20)
#define MIN_SIZE 64

/* A value within bounds; counts as people write them: 10k. */
static int
read_value(const char *key, const char *text, uint64_t min, uint64_t max, uint64_t *value,
	   struct err *err)
{
	int rc = err_wrap(err, count_parse(text, value, err), "%s", key);

	if (rc == 0 && (*value < min || *value > max))
		return err_usage(err, "%s: %s is not within %llu to %llu", key, text,
				 (unsigned long long)min, (unsigned long long)max);
	return rc;
}

static int
set_pair(struct load_conf *conf, const char *key, const char *text, struct err *err)
{
	uint64_t value = 0;
	int rc;

	if (strcmp(key, "flows") == 0) {
		rc = read_value(key, text, 1, LOAD_MAX_FLOWS, &value, err);
		conf->flows = (uint32_t)value;
	} else if (strcmp(key, "window") == 0) {
		rc = read_value(key, text, 1, MAX_WINDOW, &value, err);
		conf->window = (uint32_t)value;
	} else if (strcmp(key, "size") == 0) {
		rc = read_value(key, text, MIN_SIZE, LOAD_MAX_SIZE, &value, err);
		conf->size = (uint16_t)value;
	} else if (strcmp(key, "random") == 0) {
		rc = read_value(key, text, 1, INT64_MAX, &conf->random, err);
	} else {
		rc = err_usage(err, "'%s' is none of flows, window, size, random", key);
	}
	return rc;
}

int
load_conf_parse(struct load_conf *conf, const char *text, struct err *err)
{
	char *copy, *rest, *word;
	int rc = 0;

	*conf = (struct load_conf){.window = WINDOW, .size = MIN_SIZE};
	if (text == NULL)
		return 0;
	conf->flows = 1;
	copy = rest = xstrdup(text);
	while (rc == 0 && (word = strsep(&rest, ",")) != NULL) {
		char *value = strchr(word, '=');

		if (value == NULL) {
			rc = err_usage(err, "'%s' is not KEY=VALUE (try flows=64)", word);
			break;
		}
		*value++ = '\0';
		rc = set_pair(conf, word, value, err);
	}
	free(copy);
	return rc;
}

uint32_t
load_flow_number(const struct load_conf *conf, uint32_t i)
{
	struct random r;

	if (conf->random == 0)
		return i;
	random_init(&r, conf->random, i);
	return (uint32_t)random_below(&r, LOAD_MAX_FLOWS);
}
