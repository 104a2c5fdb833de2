/* SPDX-License-Identifier: MIT */
#include "save.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "report/html.h"
#include "report/result.h"

/* The last line says where to look next. */
static void
save_report(const json_t *result, const char *dir, bool quiet, struct err *err)
{
	char *path = xasprintf("%s/" RESULT_REPORT, dir), *html = html_render(result);

	if (result_save_text(html, path, err) == 0 && !quiet)
		LOG(NOTICE, "report: %s", path);
	free(html);
	free(path);
}

int
save_conclude(int rc, const struct err *why, const char *dir, struct err *err)
{
	if (why->msg[0] == '\0')
		return rc;
	/* A directory with nothing in it would pass for a result. */
	(void)rmdir(dir);
	if (rc >= 0)
		return err_set(err, EIO, "what was measured is not saved: %s", why->msg);
	LOG(ERR, "what was measured is not saved: %s", why->msg);
	return rc;
}

int
save_result(const json_t *result, const char *dir, bool quiet, int rc, struct err *err)
{
	struct err why = {0};

	if (result_save(result, dir, &why) == 0) {
		if (!quiet)
			LOG(NOTICE, "result: %s/result.json", dir);
		save_report(result, dir, quiet, &why);
	}
	return save_conclude(rc, &why, dir, err);
}
