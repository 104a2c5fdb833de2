/* SPDX-License-Identifier: MIT */
#include "imix.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "base/units.h"

#include "frame.h"

#define IMIX_MAX_WEIGHT 1000
#define IMIX_TABLE "64:7,594:4,1518:1"

/* One number of 'len' characters. */
static int
parse_number(const char *text, size_t len, const char *what, uint64_t min, uint64_t max,
	     uint16_t *value, struct err *err)
{
	char number[24];
	uint64_t v;
	int rc;

	if (len >= sizeof(number))
		return err_usage(err, "%s '%.*s': too long", what, (int)len, text);
	memcpy(number, text, len);
	number[len] = '\0';
	rc = uint_parse(number, min, max, &v, err);
	if (rc < 0)
		return err_wrap(err, rc, "%s", what);
	*value = (uint16_t)v;
	return 0;
}

/* "SIZE:WEIGHT" of 'len' characters. */
static int
parse_part(const char *text, size_t len, struct imix *mix, struct err *err)
{
	const char *colon = memchr(text, ':', len);
	size_t size_len;
	int rc;

	if (mix->n == IMIX_MAX)
		return err_usage(err, "more than %u sizes", IMIX_MAX);
	if (colon == NULL)
		return err_usage(err, "'%.*s' has no weight (SIZE:WEIGHT,...)", (int)len, text);
	size_len = (size_t)(colon - text);
	rc = parse_number(text, size_len, "frame size", FRAME_MIN_SIZE, FRAME_MAX_SIZE,
			  &mix->part[mix->n].size, err);
	if (rc < 0)
		return rc;
	rc = parse_number(colon + 1, len - size_len - 1, "weight", 1, IMIX_MAX_WEIGHT,
			  &mix->part[mix->n].weight, err);
	if (rc < 0)
		return rc;
	mix->n++;
	return 0;
}

static int
parse_table(const char *text, struct imix *mix, struct err *err)
{
	for (;;) {
		size_t len = strcspn(text, ",");
		int rc = parse_part(text, len, mix, err);

		if (rc < 0)
			return rc;
		if (text[len] == '\0')
			return 0;
		text += len + 1;
	}
}

static int
parse_any(const char *text, struct imix *mix, struct err *err)
{
	if (!str_copy(mix->name, sizeof(mix->name), text))
		return err_usage(err, "longer than %zu characters", sizeof(mix->name) - 1);
	if (strcasecmp(text, "imix") == 0)
		return parse_table(IMIX_TABLE, mix, err);
	if (strpbrk(text, ":,") != NULL)
		return parse_table(text, mix, err);
	mix->n = 1;
	mix->part[0].weight = 1;
	return parse_number(text, strlen(text), "frame size", FRAME_MIN_SIZE, FRAME_MAX_SIZE,
			    &mix->part[0].size, err);
}

int
imix_parse(const char *text, struct imix *mix, struct err *err)
{
	int rc;

	*mix = (struct imix){0};
	rc = parse_any(text, mix, err);
	if (rc < 0) {
		*mix = (struct imix){0};
		return err_wrap(err, rc, "frame sizes '%s'", text);
	}
	return 0;
}

static unsigned
weight_sum(const struct imix *mix)
{
	unsigned sum = 0;

	for (size_t i = 0; i < mix->n; i++)
		sum += mix->part[i].weight;
	return sum;
}

double
imix_mean_size(const struct imix *mix)
{
	double mean = 0;

	for (size_t i = 0; i < mix->n; i++)
		mean += imix_share(mix, i) * mix->part[i].size;
	return mean;
}

uint16_t
imix_max_size(const struct imix *mix)
{
	uint16_t max = 0;

	for (size_t i = 0; i < mix->n; i++)
		max = mix->part[i].size > max ? mix->part[i].size : max;
	return max;
}

uint16_t
imix_min_size(const struct imix *mix)
{
	uint16_t min = mix->n > 0 ? mix->part[0].size : 0;

	for (size_t i = 1; i < mix->n; i++)
		min = mix->part[i].size < min ? mix->part[i].size : min;
	return min;
}

double
imix_share(const struct imix *mix, size_t i)
{
	return (double)mix->part[i].weight / weight_sum(mix);
}

char *
imix_print(char *buf, size_t size, const struct imix *mix)
{
	struct str s = {0};

	/* One size is a size, not a mix. */
	if (mix->n == 1)
		str_addf(&s, "%u", mix->part[0].size);
	for (size_t i = 0; i < mix->n && mix->n > 1; i++)
		str_addf(&s, "%s%u:%u", i > 0 ? "," : "", mix->part[i].size, mix->part[i].weight);
	str_copy(buf, size, str_text(&s));
	str_fini(&s);
	return buf;
}
