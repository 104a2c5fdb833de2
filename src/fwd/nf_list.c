/* SPDX-License-Identifier: MIT */
#include "nf_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
add(struct nf_list *list, const char *spec, size_t len, struct err *err)
{
	if (list->n == CONF_MAX_NFS)
		return err_usage(err, "at most %d functions in a row", CONF_MAX_NFS);
	if (len == 0 || len >= sizeof(list->spec[0]))
		return err_usage(err, "'%s': a name is missing, or too long", spec);
	snprintf(list->spec[list->n++], sizeof(list->spec[0]), "%.*s", (int)len, spec);
	return 0;
}

/* The end of the functions that 'text' begins with: a comma that a stage's number follows. */
static size_t
length_of_stage(const char *text)
{
	size_t len = 0;

	for (; text[len] != '\0'; len++) {
		const char *next = text + len + 1;

		if (text[len] == ',' && strspn(next, "0123456789") > 0 &&
		    next[strspn(next, "0123456789")] == '=')
			return len;
	}
	return len;
}

/* One --stage-nf: adds what it says of 'stage'. */
static int
add_of_stage(struct nf_list *list, const char *text, unsigned stage, unsigned n_stages,
	     struct err *err)
{
	int rc = 0;

	while (rc == 0 && *text != '\0') {
		char *p;
		unsigned long number = strtoul(text, &p, 10);
		size_t len;

		if (p == text || *p != '=')
			return err_usage(err, "'%s' is not STAGE=FUNCTION (try 1=work:300)", text);
		if (number >= n_stages)
			return err_usage(err, "there is no stage %lu (see --stages)", number);
		text = p + 1;
		len = length_of_stage(text);
		while (rc == 0 && number == stage && len > 0) {
			size_t one = strcspn(text, "+");

			one = one < len ? one : len;
			rc = add(list, text, one, err);
			text += one < len ? one + 1 : one;
			len -= one < len ? one + 1 : one;
		}
		text += len;
		text += *text == ',';
	}
	return rc;
}

int
nf_list_of_stage(struct nf_list *list, const struct fwd_conf *conf, unsigned stage, struct err *err)
{
	char work[32];
	int rc = 0;

	list->n = 0;
	for (size_t i = 0; rc == 0 && i < conf->stage_nf.n; i++)
		rc = err_wrap(err,
			      add_of_stage(list, conf->stage_nf.items[i], stage, conf->stages, err),
			      "--stage-nf");
	if (conf->stage_nf.n == 0 && stage == 0) {
		if (conf->nf.n == 0)
			rc = add(list, "l2fwd", strlen("l2fwd"), err);
		for (size_t i = 0; rc == 0 && i < conf->nf.n; i++)
			rc = err_wrap(err,
				      add(list, conf->nf.items[i], strlen(conf->nf.items[i]), err),
				      "--nf");
	}
	if (rc == 0 && conf->work_cycles > 0) {
		snprintf(work, sizeof(work), "work:%u", conf->work_cycles);
		rc = err_wrap(err, add(list, work, strlen(work), err), "--work-cycles");
	}
	return rc;
}
