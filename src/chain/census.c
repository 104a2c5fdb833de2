/* SPDX-License-Identifier: MIT */
#include "census.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#include "plan.h"
#include "rundir.h"

/* ---- who has it up ---- */

/* Seconds since a process was started; 0 when nobody knows. */
static double
age_of(pid_t pid)
{
	size_t len;
	char *stat = marked_read(pid, "stat", &len), *after;
	unsigned long long ticks = 0;
	struct timespec now;

	/* The name in brackets may hold anything, brackets too; the time is field 22. */
	after = stat != NULL ? strrchr(stat, ')') : NULL;
	if (after != NULL)
		(void)sscanf(after + 1,
			     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			     "%*d %*d %llu",
			     &ticks);
	free(stat);
	if (ticks == 0 || clock_gettime(CLOCK_BOOTTIME, &now) < 0)
		return 0;
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9 -
	       (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

/* "up" of "nfvchain up chain.yaml". */
static char *
command_of(pid_t pid)
{
	size_t len;
	char *line = marked_read(pid, "cmdline", &len), *word;
	size_t first = line != NULL ? strlen(line) + 1 : 0;

	word = line != NULL && first < len ? xstrdup(line + first) : NULL;
	free(line);
	return word;
}

/* ---- chains ---- */

static struct census_chain *
add_chain(struct census *c, const char *name, const char *run_dir)
{
	struct census_chain *ch;

	c->chain = xrealloc(c->chain, c->n + 1, sizeof(*c->chain));
	ch = &c->chain[c->n++];
	*ch = (struct census_chain){.name = xstrdup(name), .run_dir = xstrdup(run_dir)};
	return ch;
}

static void
take_rundir(struct census_chain *ch, const struct rundir_info *info)
{
	ch->has_dir = info->exists;
	ch->owner = info->owner;
	if (info->owner > 0) {
		ch->command = command_of(info->owner);
		ch->up_s = age_of(info->owner);
	}
}

/* A run directory is one chain's, whatever its parts are called; without one the name counts. */
static struct census_chain *
find_chain(struct census *c, const char *name, const char *run_dir)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->chain[i].run_dir, run_dir) == 0 &&
		    (run_dir[0] != '\0' || strcmp(c->chain[i].name, name) == 0))
			return &c->chain[i];
	return NULL;
}

/* The same, or a new one. */
static struct census_chain *
chain_at(struct census *c, const char *name, const char *run_dir)
{
	struct census_chain *ch = find_chain(c, name, run_dir);
	struct rundir_info info;

	if (ch != NULL)
		return ch;
	ch = add_chain(c, name, run_dir);
	if (run_dir[0] != '\0') {
		rundir_look(&info, run_dir);
		take_rundir(ch, &info);
		rundir_info_fini(&info);
	}
	return ch;
}

static bool
is_wanted(const struct census_conf *conf, const char *name)
{
	return conf->chain == NULL || strcmp(conf->chain, name) == 0;
}

/* ---- what there is ---- */

static int
find_rundirs(struct census *c, const struct census_conf *conf, struct err *err)
{
	struct rundir_info *list;
	size_t n;
	int rc = rundir_list(&list, &n, err);

	for (size_t i = 0; i < n; i++)
		if (is_wanted(conf, list[i].chain))
			take_rundir(add_chain(c, list[i].chain, list[i].path), &list[i]);
	rundir_list_free(list, n);
	return rc;
}

static int
find_processes(struct census *c, const struct census_conf *conf, struct err *err)
{
	struct marked *all;
	size_t n;
	int rc = marked_find(NULL, NULL, &all, &n, err);

	for (size_t i = 0; i < n; i++) {
		struct census_chain *ch = NULL;

		if (!rundir_is_meant(all[i].run_dir))
			device_list_add(&c->elsewhere, all[i].chain);
		else if (is_wanted(conf, all[i].chain))
			ch = chain_at(c, all[i].chain, all[i].run_dir);
		else
			ch = find_chain(c, all[i].chain, all[i].run_dir);
		if (ch == NULL) {
			marked_fini(&all[i]);
			continue;
		}
		ch->process = xrealloc(ch->process, ch->n_processes + 1, sizeof(*ch->process));
		ch->process[ch->n_processes++] = all[i];
	}
	free(all);
	return rc;
}

static void
add_vm(struct census_chain *ch, const struct vm_found *found)
{
	ch->vm = xrealloc(ch->vm, ch->n_vms + 1, sizeof(*ch->vm));
	ch->vm[ch->n_vms++] = *found;
}

/* Has it domains of a chain that is not meant? */
static bool
is_elsewhere(const struct vm_found *net, const struct vm_found *found, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!found[i].is_network && !rundir_is_meant(found[i].run_dir) &&
		    vm_uuid_is_ours(net->uuid, found[i].chain))
			return true;
	return false;
}

/* A network says whose it is by a hash alone. */
static struct census_chain *
chain_of_network(struct census *c, const struct census_conf *conf, const struct vm_found *net)
{
	for (size_t i = 0; i < c->n; i++)
		if (vm_uuid_is_ours(net->uuid, c->chain[i].name))
			return &c->chain[i];
	if (conf->chain != NULL)
		return chain_at(c, conf->chain, "");
	/* Whose, in this run directory or another, nobody can tell. */
	return rundir_is_meant("") ? chain_at(c, "?", "") : NULL;
}

static int
find_vms(struct census *c, const struct census_conf *conf, struct err *err)
{
	struct vm_found *found;
	size_t n;
	int rc = vm_host_list(c->libvirt, conf->chain, &found, &n, err);

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!found[i].is_network && rundir_is_meant(found[i].run_dir))
			add_vm(chain_at(c, found[i].chain, found[i].run_dir), &found[i]);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct census_chain *ch = NULL;

		if (found[i].is_network && !is_elsewhere(&found[i], found, n))
			ch = chain_of_network(c, conf, &found[i]);
		if (ch != NULL)
			add_vm(ch, &found[i]);
	}
	free(found);
	return rc;
}

static int
ask_libvirt(struct census *c, const struct census_conf *conf, struct err *err)
{
	const struct vm_host_conf host = {.uri = conf->uri};
	int rc = vm_host_open(&c->libvirt, &vm_host_libvirt, &host, err);

	if (rc == 0)
		return find_vms(c, conf, err);
	/* Who has no libvirt has nothing in it. */
	return conf->uri != NULL ? rc : 0;
}

/* Files of hugepages lie where all programs' do, by names of programs: which of ours there were
 * is told by the run directory. */
static int
find_hugepages(struct census_chain *ch, struct err *err)
{
	char *path = xasprintf("%s/rt", ch->run_dir);
	struct device_list names;
	int rc = device_list_dir(path, &names, err);

	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		struct device_list files;

		rc = hugepages_find(names.name[i], &files, err);
		device_list_join(&ch->hugepages, &files);
	}
	device_list_free(&names);
	free(path);
	return rc;
}

/* Names of devices do not tell one run directory from another: they are of the chain that is up,
 * else of the first. */
static bool
has_devices(const struct census *c, size_t i)
{
	const struct census_chain *ch = &c->chain[i];

	if (device_list_has(&c->elsewhere, ch->name))
		return false;
	for (size_t k = 0; k < c->n; k++) {
		const struct census_chain *other = &c->chain[k];

		if (k == i || strcmp(other->name, ch->name) != 0)
			continue;
		if ((other->owner > 0 && ch->owner == 0) ||
		    (k < i && (other->owner > 0) == (ch->owner > 0)))
			return false;
	}
	return true;
}

static int
find_devices(struct census_chain *ch, struct err *err)
{
	char *prefix = plan_device_prefix(ch->name);
	int rc = devices_find(prefix, &ch->devices, err);

	if (rc == 0)
		rc = netns_find(prefix, &ch->namespaces, err);
	free(prefix);
	return rc;
}

static int
find_the_rest(struct census *c, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		if (has_devices(c, i))
			rc = find_devices(&c->chain[i], err);
		if (rc == 0 && c->chain[i].has_dir)
			rc = find_hugepages(&c->chain[i], err);
	}
	return rc;
}

/* ---- the whole ---- */

static void
fini_chain(struct census_chain *ch)
{
	marked_free(ch->process, ch->n_processes);
	device_list_free(&ch->devices);
	device_list_free(&ch->namespaces);
	device_list_free(&ch->hugepages);
	free(ch->vm);
	free(ch->name);
	free(ch->run_dir);
	free(ch->command);
}

/* Those that were looked for, but of which there is nothing. */
static void
drop_empty(struct census *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->chain[i].owner > 0 || census_has_things(&c->chain[i]))
			c->chain[n++] = c->chain[i];
		else
			fini_chain(&c->chain[i]);
	c->n = n;
}

static int
by_name(const void *a, const void *b)
{
	const struct census_chain *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : strcmp(x->run_dir, y->run_dir);
}

int
census_take(struct census *c, const struct census_conf *conf, struct err *err)
{
	int rc;

	*c = (struct census){0};
	rc = find_rundirs(c, conf, err);
	if (rc == 0)
		rc = find_processes(c, conf, err);
	if (rc == 0)
		rc = ask_libvirt(c, conf, err);
	/* What only its name tells is found for a chain that was named, or that there is. */
	if (rc == 0 && conf->chain != NULL && c->n == 0)
		add_chain(c, conf->chain, "");
	if (rc == 0)
		rc = find_the_rest(c, err);
	drop_empty(c);
	if (c->n > 0)
		qsort(c->chain, c->n, sizeof(*c->chain), by_name);
	if (rc < 0)
		census_fini(c);
	return rc;
}

void
census_fini(struct census *c)
{
	for (size_t i = 0; i < c->n; i++)
		fini_chain(&c->chain[i]);
	free(c->chain);
	vm_host_close(c->libvirt);
	device_list_free(&c->elsewhere);
	*c = (struct census){0};
}
