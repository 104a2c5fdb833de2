/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/opt.h"
#include "command.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/markdown.h"
#include "report/result.h"
#include "report/text.h"

/* nfvchain report: another face of a result that is there, without measuring anything. */

struct report_conf {
	char *format;
	char *output;
};

#define FIELD(member) OPT_FIELD(struct report_conf, member)

static const char *const formats[] = {"html", "text", "csv", "markdown", "json", NULL};

static const struct opt report_opts[] = {
	{"format", 'f', "FORMAT", "what to make of it (html)", opt_set_text, FIELD(format), formats,
	 OPT_NO_ENV},
	{"output", 'o', "FILE",
	 "where to (html: report.html beside the result; else, and '-': stdout)", opt_set_text,
	 FIELD(output), NULL, OPT_NO_ENV},
};

const struct opt_command report_command = {
	.name = "nfvchain report",
	.positional = "[RESULT]",
	.summary = "Shows a result again: result.json or its directory, by default the latest.",
	.examples = "nfvchain report\n"
		    "nfvchain report results/latest --format markdown\n"
		    "nfvchain report --format csv -o trials.csv\n",
	.env_prefix = "NFVCHAIN",
	.opts = report_opts,
	.n_opts = N_ELEMS(report_opts),
};

static char *
render_text(const json_t *result)
{
	return text_render(result, false);
}

static char *
render_json(const json_t *result)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out != NULL) {
		json_write(result, out);
		fclose(out);
	}
	return text != NULL ? text : xstrdup("");
}

static char *
render(const char *format, const json_t *result)
{
	static char *(*const renderers[])(const json_t *) = {
		html_render, render_text, csv_render, markdown_render, render_json,
	};

	for (size_t i = 0; i < N_ELEMS(renderers); i++)
		if (strcmp(format, formats[i]) == 0)
			return renderers[i](result);
	return NULL;
}

static int
check_format(const char *format, struct err *err)
{
	for (size_t i = 0; formats[i] != NULL; i++)
		if (strcmp(format, formats[i]) == 0)
			return 0;
	return err_usage(err, "--format: '%s' is none of html, text, csv, markdown and json",
			 format);
}

/* Where `nfvchain bench` puts results; for the caller to free. */
static char *
latest(void)
{
	const char *dir = getenv("NFVCHAIN_OUTPUT");

	return xasprintf("%s/latest", dir != NULL && dir[0] != '\0' ? dir : "results");
}

/* report.html in the directory of the result, which 'path' is or lies in; for the caller to free.
 */
static char *
beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return xasprintf("%s/" RESULT_REPORT, path);
	if (slash == NULL)
		return xstrdup(RESULT_REPORT);
	return xasprintf("%.*s/" RESULT_REPORT, (int)(slash - path), path);
}

/* To a file, whose path is printed, or to stdout. */
static int
put(const struct report_conf *conf, const char *path, const char *text, struct err *err)
{
	bool is_html = strcmp(conf->format, "html") == 0;
	char *file;
	int rc;

	if (conf->output != NULL ? strcmp(conf->output, "-") == 0 : !is_html) {
		fputs(text, stdout);
		return 0;
	}
	file = conf->output != NULL ? xstrdup(conf->output) : beside(path);
	rc = result_save_text(text, file, err);
	if (rc < 0 && conf->output == NULL)
		err_wrap(err, rc, "the report cannot lie beside its result (give --output)");
	if (rc == 0)
		printf("%s\n", file);
	free(file);
	return rc;
}

static int
report(const struct report_conf *conf, const char *path, struct err *err)
{
	json_t *result;
	char *text;
	int rc = result_load(&result, path, err);

	if (rc < 0)
		return rc;
	text = render(conf->format, result);
	rc = put(conf, path, text, err);
	free(text);
	json_decref(result);
	return rc;
}

int
cmd_report(int argc, char **argv, struct err *err)
{
	struct report_conf conf = {.format = xstrdup("html")};
	char *path = NULL;
	int rc = opt_parse(&report_command, &argc, &argv, &conf, NULL, err);

	if (rc == 0 && argc > 1)
		rc = err_usage(err, "one result at a time ('%s' is one too many)", argv[1]);
	if (rc == 0)
		rc = check_format(conf.format, err);
	if (rc == 0) {
		path = argc > 0 ? xstrdup(argv[0]) : latest();
		if (argc == 0 && access(path, F_OK) < 0)
			rc = err_usage(err, "%s: no result yet (run nfvchain bench, or name one)",
				       path);
	}
	if (rc == 0)
		rc = report(&conf, path, err);
	free(path);
	free(conf.format);
	free(conf.output);
	return rc;
}
