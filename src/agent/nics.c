/* SPDX-License-Identifier: MIT */
#include "nics.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "agent.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* PCI class 02 00: an Ethernet controller. */
#define CLASS_ETHERNET "0x0200"
#define DRIVER_MAX 32

/* ---- reading sysfs ---- */

/* Reads the first line of a file; "" when it cannot be read. */
static void
read_line(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, buf, size - 1) : -1;

	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

/* Calls 'look' with the path of each entry of 'dir' whose name begins with 'prefix', until it
 * returns true. */
static bool
each_entry(const char *dir, const char *prefix, bool (*look)(void *arg, const char *path),
	   void *arg)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	bool found = false;

	while (d != NULL && !found && (entry = readdir(d)) != NULL) {
		char *path;

		if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		path = xasprintf("%s/%s", dir, entry->d_name);
		found = look(arg, path);
		free(path);
	}
	if (d != NULL)
		closedir(d);
	return found;
}

/* 'path' is a network interface: reads its MAC into 'arg'. */
static bool
look_interface(void *arg, const char *path)
{
	char *address = xasprintf("%s/address", path), *mac = arg;

	read_line(address, mac, sizeof(((struct nic *)0)->mac));
	free(address);
	return mac[0] != '\0';
}

/* 'path' is a device that may have network interfaces. */
static bool
look_device(void *arg, const char *path)
{
	char *net = xasprintf("%s/net", path);
	bool found = each_entry(net, "", look_interface, arg);

	free(net);
	return found;
}

/* The name of the driver that has a device, or "". */
static void
read_driver(const struct nics *nics, const char *pci, char *driver, size_t size)
{
	char *path = xasprintf("%s/bus/pci/devices/%s/driver", nics->sys, pci);
	char target[256];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	free(path);
	target[n > 0 ? n : 0] = '\0';
	slash = strrchr(target, '/');
	str_copy(driver, size, slash != NULL ? slash + 1 : target);
}

/* ---- the list ---- */

static struct nic *
find_pci(struct nics *nics, const char *pci)
{
	for (size_t i = 0; i < nics->n; i++)
		if (strcmp(nics->nic[i].pci, pci) == 0)
			return &nics->nic[i];
	return NULL;
}

/* 'path' is a PCI device: notes it when it is a NIC.  Always false, to see the others too. */
static bool
look_pci(void *arg, const char *path)
{
	char *class_path = xasprintf("%s/class", path);
	const char *pci = strrchr(path, '/') + 1;
	struct nics *nics = arg;
	char class[16], mac[18] = "";
	struct nic *nic;

	read_line(class_path, class, sizeof(class));
	free(class_path);
	if (strncmp(class, CLASS_ETHERNET, strlen(CLASS_ETHERNET)) != 0)
		return false;
	nic = find_pci(nics, pci);
	if (nic == NULL) {
		if (nics->n == NICS_MAX || strlen(pci) >= sizeof(nic->pci))
			return false;
		nic = &nics->nic[nics->n++];
		*nic = (struct nic){0};
		str_copy(nic->pci, sizeof(nic->pci), pci);
	}
	/* A virtio NIC has its interfaces one device further down. */
	if (look_device(mac, path) || each_entry(path, "virtio", look_device, mac))
		memcpy(nic->mac, mac, sizeof(mac));
	return false;
}

static int
by_address(const void *a, const void *b)
{
	return strcmp(((const struct nic *)a)->pci, ((const struct nic *)b)->pci);
}

static void
scan(struct nics *nics)
{
	char *dir = xasprintf("%s/bus/pci/devices", nics->sys);

	each_entry(dir, "", look_pci, nics);
	qsort(nics->nic, nics->n, sizeof(nics->nic[0]), by_address);
	free(dir);
}

static json_t *
text_or_null(const char *text)
{
	return text[0] != '\0' ? json_string(text) : json_null();
}

json_t *
nics_list(struct nics *nics)
{
	json_t *list = json_array();

	scan(nics);
	for (size_t i = 0; i < nics->n; i++) {
		char driver[DRIVER_MAX];

		read_driver(nics, nics->nic[i].pci, driver, sizeof(driver));
		json_array_append_new(
			list, json_pack("{s:o, s:s, s:o}", "mac", text_or_null(nics->nic[i].mac),
					"pci", nics->nic[i].pci, "driver", text_or_null(driver)));
	}
	return list;
}

/* ---- binding ---- */

/* Writes 'text' to the file 'tail' of the PCI bus, which is freed. */
static int
put(const struct nics *nics, const char *text, char *tail, struct err *err)
{
	char *path = xasprintf("%s/bus/pci/%s", nics->sys, tail);
	int rc = nics->write(nics->arg, path, text);

	if (rc < 0)
		err_set(err, -rc, "'%s' to %s: %s", text, path, strerror(-rc));
	free(path);
	free(tail);
	return rc;
}

/* The way of the kernel's documentation (ABI/testing/sysfs-bus-pci): name the driver, let go of the
 * present one, have the bus look again. */
static int
rebind(const struct nics *nics, const char *pci, const char *driver, const char *present,
       struct err *err)
{
	int rc = put(nics, driver, xasprintf("devices/%s/driver_override", pci), err);

	if (rc == 0 && present[0] != '\0')
		rc = put(nics, pci, xasprintf("drivers/%s/unbind", present), err);
	return rc < 0 ? rc : put(nics, pci, xstrdup("drivers_probe"), err);
}

static const struct nic *
find_mac(const struct nics *nics, const char *mac)
{
	for (size_t i = 0; i < nics->n; i++)
		if (nics->nic[i].mac[0] != '\0' && strcasecmp(nics->nic[i].mac, mac) == 0)
			return &nics->nic[i];
	return NULL;
}

/* One at that address whose MAC nobody could read. */
static const struct nic *
find_silent(struct nics *nics, const char *pci)
{
	const struct nic *nic = find_pci(nics, pci);

	return nic != NULL && nic->mac[0] == '\0' ? nic : NULL;
}

/* What becomes part of a path. */
static int
check_driver(const char *driver, struct err *err)
{
	size_t len = strlen(driver);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)driver[i]) && driver[i] != '_' && driver[i] != '-')
			len = 0;
	if (len > 0 && len < DRIVER_MAX)
		return 0;
	return err_set(err, EINVAL, "'%.40s' is not the name of a driver", driver);
}

int
nics_bind(struct nics *nics, const char *which, const char *driver, const char **pci,
	  struct err *err)
{
	const struct nic *nic;
	char present[DRIVER_MAX];
	int rc = check_driver(driver, err);

	if (rc < 0)
		return rc;
	scan(nics);
	nic = find_mac(nics, which);
	if (nic == NULL)
		nic = find_silent(nics, which);
	if (nic == NULL)
		return err_set(err, ENODEV, "no NIC here has the MAC '%.17s'", which);
	*pci = nic->pci;
	read_driver(nics, nic->pci, present, sizeof(present));
	if (strcmp(present, driver) == 0)
		return 0;
	rc = rebind(nics, nic->pci, driver, present, err);
	if (rc < 0)
		return rc;
	read_driver(nics, nic->pci, present, sizeof(present));
	if (strcmp(present, driver) == 0)
		return 0;
	return err_set(err, ENXIO, "%s (%s): '%s' does not take it, its driver is now %s", which,
		       nic->pci, driver, present[0] != '\0' ? present : "none");
}

/* ---- the table ---- */

static int
write_file(void *arg, const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	(void)arg;
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

void
nics_init(struct nics *nics, const char *sys)
{
	*nics = (struct nics){.sys = sys, .write = write_file};
	/* While the kernel's drivers have them all. */
	scan(nics);
}

void
nics_fini(struct nics *nics)
{
	*nics = (struct nics){0};
}

int
call_bind(const struct call *call, const json_t *params, struct err *err)
{
	const char *mac, *driver, *pci;
	int rc = json_get_text(params, "mac", &mac, err);

	if (rc == 0)
		rc = json_get_text(params, "driver", &driver, err);
	if (rc == 0)
		rc = nics_bind(&call->agent->nics, mac, driver, &pci, err);
	if (rc == 0)
		call_answer(call, json_pack("{s:s, s:s}", "pci", pci, "driver", driver));
	return rc;
}
