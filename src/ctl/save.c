/* SPDX-License-Identifier: MIT */
#include "save.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "report/html.h"
#include "report/result.h"

/* The last line says where to look next. */
static void
save_report(const json_t *result, const char *dir, bool quiet)
{
	char *path = xasprintf("%s/" RESULT_REPORT, dir), *html = html_render(result);
	struct err err = {0};

	if (result_save_text(html, path, &err) < 0)
		LOG(ERR, "%s", err.msg);
	else if (!quiet)
		LOG(NOTICE, "report: %s", path);
	free(html);
	free(path);
}

void
save_result(const json_t *result, const char *dir, bool quiet)
{
	struct err err = {0};

	if (result_save(result, dir, &err) < 0)
		LOG(ERR, "%s", err.msg);
	else if (!quiet)
		LOG(NOTICE, "result: %s/result.json", dir);
	save_report(result, dir, quiet);
}
