/* SPDX-License-Identifier: MIT */
#include "devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <mntent.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define NETNS "/run/netns"

/* ---- lists ---- */

static void
add(struct device_list *list, char *name)
{
	list->name = xrealloc(list->name, list->n + 1, sizeof(*list->name));
	list->name[list->n++] = name;
}

void
device_list_free(struct device_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->name[i]);
	free(list->name);
	*list = (struct device_list){0};
}

void
device_list_add(struct device_list *list, const char *name)
{
	add(list, xstrdup(name));
}

bool
device_list_has(const struct device_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->name[i], name) == 0)
			return true;
	return false;
}

void
device_list_join(struct device_list *list, struct device_list *from)
{
	for (size_t i = 0; i < from->n; i++)
		add(list, from->name[i]);
	free(from->name);
	*from = (struct device_list){0};
}

/* Entries of 'dir' that 'is_wanted' likes, as "BEFORE" and their name. */
static int
find_entries(struct device_list *list, const char *dir, const char *before,
	     bool (*is_wanted)(const char *dir, const char *name, const char *prefix),
	     const char *prefix, struct err *err)
{
	DIR *open_dir = opendir(dir);
	struct dirent *entry;

	if (open_dir == NULL)
		return errno == ENOENT || errno == EACCES
			       ? 0
			       : err_set(err, errno, "'%s': %s", dir, strerror(errno));
	while ((entry = readdir(open_dir)) != NULL)
		if (is_wanted(dir, entry->d_name, prefix))
			add(list, xasprintf("%s%s", before, entry->d_name));
	closedir(open_dir);
	return 0;
}

static bool
has_prefix(const char *dir, const char *name, const char *prefix)
{
	return name[0] != '.' && strncmp(name, prefix, strlen(prefix)) == 0;
}

int
device_list_dir(const char *dir, struct device_list *list, struct err *err)
{
	*list = (struct device_list){0};
	return find_entries(list, dir, "", has_prefix, "", err);
}

/* ---- network devices ---- */

int
devices_find(const char *prefix, struct device_list *list, struct err *err)
{
	struct if_nameindex *all = if_nameindex();

	*list = (struct device_list){0};
	if (all == NULL)
		return err_set(err, errno, "network devices: %s", strerror(errno));
	for (size_t i = 0; all[i].if_index != 0; i++)
		if (strncmp(all[i].if_name, prefix, strlen(prefix)) == 0)
			add(list, xstrdup(all[i].if_name));
	if_freenameindex(all);
	return 0;
}

/* Asks the kernel to delete a device; its answer is 0 or -errno. */
static int
delete_link(int fd, unsigned index)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
	} request = {
		.head = {.nlmsg_len = sizeof(request),
			 .nlmsg_type = RTM_DELLINK,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.link = {.ifi_family = AF_UNSPEC, .ifi_index = (int)index},
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[512];
	} answer;
	ssize_t n;

	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	do
		n = recv(fd, &answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(answer.head) + sizeof(answer.error) ||
	    answer.head.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.error.error;
}

int
device_remove(const char *name, struct err *err)
{
	unsigned index = if_nametoindex(name);
	int fd, rc;

	if (index == 0)
		return 0;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return err_set(err, errno, "netlink: %s", strerror(errno));
	rc = delete_link(fd, index);
	close(fd);
	if (rc == -ENODEV)
		return 0;
	return rc < 0 ? err_set(err, -rc, "device '%s': %s", name, strerror(-rc)) : 1;
}

/* ---- network namespaces ---- */

int
netns_find(const char *prefix, struct device_list *list, struct err *err)
{
	*list = (struct device_list){0};
	return find_entries(list, NETNS, "", has_prefix, prefix, err);
}

int
netns_remove(const char *name, struct err *err)
{
	char *path = xasprintf(NETNS "/%s", name);
	int rc = 1;

	/* The file is where the namespace is mounted; without a mount it is a file alone. */
	(void)umount2(path, MNT_DETACH);
	if (unlink(path) < 0)
		rc = errno == ENOENT ? 0 : err_set(err, errno, "'%s': %s", path, strerror(errno));
	free(path);
	return rc;
}

/* ---- hugepages ---- */

/* EAL holds a lock on each of its files as long as it lives. */
static bool
is_in_use(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool in_use = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0;

	if (fd >= 0)
		close(fd);
	return in_use;
}

/* "PREFIXmap_12", ours, of nobody any more. */
static bool
is_dead_map(const char *dir, const char *name, const char *prefix)
{
	size_t len = strlen(prefix);
	struct stat st;
	char *path;
	bool dead;

	if (strncmp(name, prefix, len) != 0 || strncmp(name + len, "map_", 4) != 0)
		return false;
	path = xasprintf("%s/%s", dir, name);
	dead = lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       !is_in_use(path);
	free(path);
	return dead;
}

int
hugepages_find(const char *prefix, struct device_list *list, struct err *err)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	int rc = 0;

	*list = (struct device_list){0};
	while (mounts != NULL && rc == 0 && (m = getmntent(mounts)) != NULL) {
		char *before;

		if (strcmp(m->mnt_type, "hugetlbfs") != 0)
			continue;
		before = xasprintf("%s/", m->mnt_dir);
		rc = find_entries(list, m->mnt_dir, before, is_dead_map, prefix, err);
		free(before);
	}
	if (mounts != NULL)
		endmntent(mounts);
	return rc;
}

int
hugepages_remove(const char *path, struct err *err)
{
	if (is_in_use(path))
		return 0;
	if (unlink(path) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_set(err, errno, "'%s': %s", path, strerror(errno));
}
