/* SPDX-License-Identifier: MIT */
/* Whatever JSON calls itself a result, each report of it is made, and is what it should be. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/markdown.h"
#include "report/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

/* Nothing of the file has become a script, and the page is whole. */
static void
check_html(const json_t *result)
{
	char *html = html_render(result), *again = html_render(result);

	check(strcmp(html, again) == 0);
	check(count(html, "<script") == 3 && count(html, "</script") == 3);
	check(strcmp(html + strlen(html) - strlen("</html>\n"), "</html>\n") == 0);
	free(html);
	free(again);
}

/* Quotes come in pairs, so that no field swallows the next. */
static void
check_csv(const json_t *result)
{
	char *csv = csv_render(result);

	check(count(csv, "\"") % 2 == 0);
	check(strcmp(csv + strlen(csv) - 2, "\r\n") == 0);
	free(csv);
}

static void
check_texts(const json_t *result)
{
	char *text = text_render(result, true), *markdown = markdown_render(result);

	check(strpbrk(text, "\001\002\006\r\007") == NULL);
	check(strpbrk(markdown, "\001\006\033\r") == NULL);
	free(text);
	free(markdown);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *result = json_loadb((const char *)data, size, 0, NULL);

	if (result == NULL)
		return 0;
	check_html(result);
	check_csv(result);
	check_texts(result);
	json_decref(result);
	return 0;
}
