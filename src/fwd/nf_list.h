/* SPDX-License-Identifier: MIT */
#pragma once

#include "conf.h"

/* The functions of one stage, as the settings name them. */

struct nf_list {
	unsigned n;
	char spec[CONF_MAX_NFS][512]; /* "work:300" */
};

/* Stage 0 has what --nf names, l2fwd by default, and the others have none; or each has what
 * --stage-nf "0=l2fwd,1=work:300+./mine.so" gives it.  --work-cycles comes behind in all of them.
 */
int nf_list_of_stage(struct nf_list *list, const struct fwd_conf *conf, unsigned stage,
		     struct err *err);
