/* SPDX-License-Identifier: MIT */
#include "pci.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define CLASS_ETHERNET "0x0200"
#define NAME_MAX_LEN 64

static const char *const user_drivers[] = {"vfio-pci", "uio_pci_generic", "igb_uio"};

static char *
path_of(const struct pci_facts *facts, const char *address, const char *tail)
{
	return xasprintf("%s/bus/pci/devices/%s%s", facts->sys, address, tail);
}

/* First line of a file of the device; "" when there is none. */
static void
read_line(const struct pci_facts *facts, const char *address, const char *tail, char *text,
	  int size)
{
	char *path = path_of(facts, address, tail);
	FILE *in = fopen(path, "re");

	text[0] = '\0';
	if (in != NULL && fgets(text, size, in) == NULL)
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (in != NULL)
		fclose(in);
	free(path);
}

/* The driver that has it, "" for none. */
static void
read_driver(const struct pci_facts *facts, const char *address, char *driver, size_t size)
{
	char *path = path_of(facts, address, "/driver"), target[256];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	target[n > 0 ? n : 0] = '\0';
	slash = strrchr(target, '/');
	str_copy(driver, size, slash != NULL ? slash + 1 : target);
	free(path);
}

/* The kernel's interface on it, "" for none.  virtio has it one device further down. */
static void
read_interface(const struct pci_facts *facts, const char *address, char *name, size_t size)
{
	static const char *const tails[] = {"/net", "/virtio0/net", "/virtio1/net", "/virtio2/net"};

	name[0] = '\0';
	for (size_t i = 0; i < N_ELEMS(tails) && name[0] == '\0'; i++) {
		char *path = path_of(facts, address, tails[i]);
		DIR *dir = opendir(path);
		const struct dirent *entry;

		while (dir != NULL && (entry = readdir(dir)) != NULL)
			if (entry->d_name[0] != '.')
				str_copy(name, size, entry->d_name);
		if (dir != NULL)
			closedir(dir);
		free(path);
	}
}

/* Lines are "NAME DESTINATION GATEWAY ...", in hexadecimal. */
static bool
has_default_route(const struct pci_facts *facts, const char *interface)
{
	FILE *in = fopen(facts->route, "re");
	char line[512], name[NAME_MAX_LEN];
	unsigned destination;
	bool has = false;

	while (in != NULL && fgets(line, sizeof(line), in) != NULL)
		has |= sscanf(line, "%63s %x", name, &destination) == 2 && destination == 0 &&
		       strcmp(name, interface) == 0;
	if (in != NULL)
		fclose(in);
	return has;
}

static int
check_driver(const char *address, const char *driver, const char *interface, struct err *err)
{
	for (size_t i = 0; i < N_ELEMS(user_drivers); i++)
		if (strcmp(driver, user_drivers[i]) == 0)
			return 0;
	if (driver[0] == '\0')
		return err_machine(
			err,
			"port %s is bound to no driver: 'dpdk-devbind.py --bind=vfio-pci "
			"%s' binds it",
			address, address);
	return err_machine(
		err,
		"port %s is bound to the kernel's driver '%s'%s%s: when nobody needs it "
		"there, 'dpdk-devbind.py --bind=vfio-pci %s' takes it away from the kernel "
		"(nfvchain binds nothing)",
		address, driver, interface[0] != '\0' ? ", as " : "", interface, address);
}

int
pci_check_port(const struct pci_facts *facts, const char *address, struct err *err)
{
	char class[16], driver[NAME_MAX_LEN], interface[NAME_MAX_LEN];
	char *path = path_of(facts, address, "");
	bool is_there = access(path, F_OK) == 0;

	free(path);
	if (!is_there)
		return err_machine(err, "there is no PCI device %s here (lspci -D lists them)",
				   address);
	read_line(facts, address, "/class", class, sizeof(class));
	if (strncmp(class, CLASS_ETHERNET, strlen(CLASS_ETHERNET)) != 0)
		return err_machine(err, "PCI device %s is no Ethernet controller (its class is %s)",
				   address, class[0] != '\0' ? class : "unknown");
	read_interface(facts, address, interface, sizeof(interface));
	if (interface[0] != '\0' && has_default_route(facts, interface))
		return err_machine(
			err,
			"port %s is %s, by which this machine reaches others (its default "
			"route): it is never taken",
			address, interface);
	read_driver(facts, address, driver, sizeof(driver));
	return check_driver(address, driver, interface, err);
}

int
pci_check(const struct pci_facts *facts, const struct chain *chain, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i <= chain->n_hops; i++) {
		const struct chain_link *link = &chain->link[i];

		if (link->kind != LINK_PCI)
			continue;
		rc = pci_check_port(facts, link->address, err);
		if (rc == 0)
			rc = pci_check_port(facts, link->peer, err);
		err_wrap(err, rc, "link %zu", i);
	}
	return rc;
}
