/* SPDX-License-Identifier: MIT */
/* What turns the text of a setting into its field. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "opt.h"
#include "rate.h"
#include "units.h"

int
opt_set_text(void *field, const char *text, struct err *err)
{
	char **value = field;
	char *copy = xstrdup(text);

	(void)err;
	free(*value);
	*value = copy;
	return 0;
}

int
opt_set_switch(void *field, const char *text, struct err *err)
{
	bool *value = field;

	(void)err;
	*value = text == NULL || strcmp(text, "no") != 0;
	return 0;
}

int
opt_set_u32(void *field, const char *text, struct err *err)
{
	uint32_t *value = field;
	uint64_t wide = 0;
	int rc = uint_parse(text, 0, UINT32_MAX, &wide, err);

	if (rc == 0)
		*value = (uint32_t)wide;
	return rc;
}

int
opt_set_count(void *field, const char *text, struct err *err)
{
	return count_parse(text, field, err);
}

int
opt_set_size(void *field, const char *text, struct err *err)
{
	return size_parse(text, field, err);
}

int
opt_set_duration(void *field, const char *text, struct err *err)
{
	return duration_parse(text, field, err);
}

int
opt_set_rate(void *field, const char *text, struct err *err)
{
	return rate_parse(text, field, err);
}

int
opt_set_list(void *field, const char *text, struct err *err)
{
	struct opt_list *list = field;

	(void)err;
	list->items = xrealloc(list->items, list->n + 1, sizeof(*list->items));
	list->items[list->n++] = xstrdup(text);
	return 0;
}

void
opt_list_fini(struct opt_list *list)
{
	if (list == NULL)
		return;
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct opt_list){0};
}
