/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* What a chain may leave in the kernel when nobody took it down: network devices and network
 * namespaces with names of its own (plan_device_prefix), and files of hugepages.  Lists of names or
 * paths are for device_list_free. */

struct device_list {
	char **name;
	size_t n;
};
void device_list_free(struct device_list *list);
void device_list_add(struct device_list *list, const char *name);
bool device_list_has(const struct device_list *list, const char *name);
/* Moves what is in 'from' to the end of 'list'. */
void device_list_join(struct device_list *list, struct device_list *from);
/* Names in a directory; one that is not there has none. */
int device_list_dir(const char *dir, struct device_list *list, struct err *err);

/* Network devices of this namespace whose names begin with 'prefix'. */
int devices_find(const char *prefix, struct device_list *list, struct err *err);
/* Removes one: 1, or 0 when it was gone already, as the other one of a pair is.  So do the others.
 */
int device_remove(const char *name, struct err *err);

/* Namespaces that `ip netns` would list, by such names. */
int netns_find(const char *prefix, struct device_list *list, struct err *err);
int netns_remove(const char *name, struct err *err);

/* Files that DPDK made of hugepages for a program of that --file-prefix, and that nobody has open
 * any more, as paths. */
int hugepages_find(const char *prefix, struct device_list *list, struct err *err);
int hugepages_remove(const char *path, struct err *err);
