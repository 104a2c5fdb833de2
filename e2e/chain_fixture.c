/* SPDX-License-Identifier: MIT */
#include "chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

void
fixture_up(struct fixture *f, const char *yaml)
{
	struct err err = {0};
	struct tg_traffic traffic;

	memset(f, 0, sizeof(*f));
	if (chain_parse(&f->chain, "test", yaml, strlen(yaml), &err) < 0 ||
	    session_up(&f->session, &f->chain, false, &err) < 0)
		fail_msg("%s", err.msg);
	f->measure.backend = &f->session.backend;
	traffic = (struct tg_traffic){.frames = &f->chain.traffic.frames[0],
				      .flows = f->chain.traffic.flows};
	if (measure_prepare(&f->measure, &traffic, &err) < 0)
		fail_msg("%s", err.msg);
}

void
fixture_down(struct fixture *f)
{
	session_down(&f->session);
	chain_fini(&f->chain);
}

static bool
is_marked(const char *pid, const char *mark)
{
	char path[300], env[16384];
	size_t n;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/environ", pid);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	n = fread(env, 1, sizeof(env) - 1, file);
	fclose(file);
	return memmem(env, n, mark, strlen(mark)) != NULL;
}

unsigned
fixture_marked_processes(const char *chain_name)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	unsigned n = 0;
	char mark[128];

	snprintf(mark, sizeof(mark), "NFVCHAIN_ID=%s/", chain_name);
	while (proc != NULL && (entry = readdir(proc)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			n += is_marked(entry->d_name, mark);
	if (proc != NULL)
		closedir(proc);
	return n;
}

void
fixture_must(int rc, const struct err *err)
{
	if (rc < 0)
		fail_msg("%s", err->msg);
}

uint64_t
fixture_number(const json_t *json, const char *path)
{
	struct err err = {0};
	uint64_t n = 0;

	fixture_must(json_get_u64(json, path, &n, &err), &err);
	return n;
}
