/* SPDX-License-Identifier: MIT */
#include "nf_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* "name.reason" is a counter's name in one line of a report. */
#define MAX_NAME 15
#define MAX_REASON 31

static int
check_file(const char *path, struct err *err)
{
	char cwd[PATH_MAX];

	if (access(path, R_OK) == 0)
		return 0;
	if (errno == ENOENT && path[0] != '/' && getcwd(cwd, sizeof(cwd)) != NULL)
		return err_usage(err, "there is no '%s' in %s", path, cwd);
	return err_usage(err, "'%s': %s", path, strerror(errno));
}

static int
open_lib(const char *path, void **lib, struct err *err)
{
	size_t len = strlen(path);
	const char *why;

	*lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (*lib != NULL)
		return 0;
	why = dlerror();
	/* It begins with the path as a rule. */
	if (strncmp(why, path, len) == 0 && strncmp(why + len, ": ", 2) == 0)
		why += len + 2;
	return err_usage(err, "'%s' cannot be loaded as a shared object: %s", path, why);
}

/* Nothing else of 'nf' is looked at before, for its layout would be another. */
static int
check_versions(const char *path, const struct nf *nf, struct err *err)
{
	if (nf->abi != NF_ABI)
		return err_usage(
			err, "'%s' was built for version %u of nf.h, this is %u: build it again",
			path, nf->abi, NF_ABI);
	if (nf->dpdk != RTE_VERSION)
		return err_usage(err,
				 "'%s' was built with DPDK %u.%02u.%u, this is %u.%02u.%u: build "
				 "it again",
				 path, nf->dpdk >> 24, nf->dpdk >> 16 & 0xff, nf->dpdk >> 8 & 0xff,
				 RTE_VERSION >> 24, RTE_VERSION >> 16 & 0xff,
				 RTE_VERSION >> 8 & 0xff);
	return 0;
}

/* Lower case, digits, _ and -. */
static bool
is_name(const char *text, size_t most)
{
	size_t len = strlen(text);

	return len >= 1 && len <= most &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static int
check_reasons(const char *path, const struct nf *nf, struct err *err)
{
	for (unsigned i = 0; nf->drop_reasons != NULL && nf->drop_reasons[i] != NULL; i++) {
		if (i == NF_MAX_REASONS)
			return err_usage(err, "'%s' has more than %d drop reasons", path,
					 NF_MAX_REASONS);
		if (!is_name(nf->drop_reasons[i], MAX_REASON))
			return err_usage(err,
					 "'%s': drop reason %u is not 1 to %d of a-z, 0-9, _ and -",
					 path, i, MAX_REASON);
	}
	return 0;
}

static int
check(const char *path, const struct nf *nf, struct err *err)
{
	int rc = check_versions(path, nf, err);

	if (rc < 0)
		return rc;
	if (nf->open == NULL || nf->burst == NULL)
		return err_usage(err, "'%s' has no function %s", path,
				 nf->open == NULL ? "open" : "burst");
	if (nf->name == NULL || !is_name(nf->name, MAX_NAME))
		return err_usage(err, "'%s': its name is not 1 to %d of a-z, 0-9, _ and -", path,
				 MAX_NAME);
	return check_reasons(path, nf, err);
}

static const struct nf *
ask_lib(const char *path, void *lib, struct err *err)
{
	const struct nf *(*get)(void);
	const struct nf *nf;

	*(void **)&get = dlsym(lib, "nfvchain_nf");
	if (get == NULL) {
		err_usage(err, "'%s' exports no function nfvchain_nf()", path);
		return NULL;
	}
	nf = get();
	if (nf == NULL) {
		err_usage(err, "nfvchain_nf() of '%s' returns NULL", path);
		return NULL;
	}
	return check(path, nf, err) == 0 ? nf : NULL;
}

const struct nf *
nf_load(const char *path, void **lib, struct err *err)
{
	const struct nf *nf;

	*lib = NULL;
	if (check_file(path, err) < 0 || open_lib(path, lib, err) < 0)
		return NULL;
	nf = ask_lib(path, *lib, err);
	if (nf == NULL) {
		(void)dlclose(*lib);
		*lib = NULL;
	}
	return nf;
}
