/* SPDX-License-Identifier: MIT */
#include "vm_qemu_find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#include "marks.h"

/* Threads apart the program's name is "qemu-system-x86", cut. */
static bool
is_qemu(const struct marked *m)
{
	return strncmp(m->program, "qemu-", 5) == 0;
}

static void
add(struct vm_found **found, size_t *n, const struct marked *m)
{
	char *name = xasprintf("%s-%s", m->chain, m->name);
	struct vm_found *f;

	*found = xrealloc(*found, *n + 1, sizeof(**found));
	f = &(*found)[(*n)++];
	*f = (struct vm_found){.pid = m->pid};
	str_copy(f->chain, sizeof(f->chain), m->chain);
	str_copy(f->name, sizeof(f->name), name);
	free(name);
}

int
vm_qemu_find(const char *chain, const char *run_dir, struct vm_found **found, size_t *n,
	     struct err *err)
{
	struct marked *all;
	size_t n_all;
	int rc = marked_find(chain, run_dir, &all, &n_all, err);

	*found = NULL;
	*n = 0;
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n_all; i++)
		if (is_qemu(&all[i]))
			add(found, n, &all[i]);
	marked_free(all, n_all);
	return 0;
}

int
vm_qemu_kill(const struct vm_found *found, struct err *err)
{
	struct marked m;
	int rc = 0;

	/* The number may be another process's by now. */
	if (marked_look(found->pid, &m) && is_qemu(&m) && strcmp(m.chain, found->chain) == 0)
		rc = marked_end(&m, 1, 0, err);
	marked_fini(&m);
	return rc;
}
