/* SPDX-License-Identifier: MIT */
#include "nics.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

/* A tree like sysfs, and what the kernel does when it is written to: 'unbind' takes the driver's
 * link away and with it the interface, 'drivers_probe' gives the device to the driver that
 * 'driver_override' names, if that is loaded. */

static char root[] = "/tmp/nics_testXXXXXX";
static const char *loaded; /* the driver that there is a module for */

static char *
path_of(const char *tail)
{
	return xasprintf("%s/bus/pci/%s", root, tail);
}

static void
make(const char *tail, const char *text)
{
	char *path = path_of(tail);
	FILE *out;

	for (char *slash = path + strlen(root); (slash = strchr(slash + 1, '/')) != NULL;
	     *slash = '/') {
		*slash = '\0';
		mkdir(path, 0700);
	}
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	free(path);
}

static void
link_driver(const char *pci, const char *driver)
{
	char *path = xasprintf("%s/bus/pci/devices/%s/driver", root, pci);
	char *target = xasprintf("../../../bus/pci/drivers/%s", driver);

	unlink(path);
	assert_int_equal(symlink(target, path), 0);
	free(target);
	free(path);
}

static void
unlink_in(const char *fmt_tail, const char *pci)
{
	char *tail = xasprintf("devices/%s/%s", pci, fmt_tail), *path = path_of(tail);

	unlink(path);
	free(path);
	free(tail);
}

static void
read_override(const char *pci, char *text, size_t size)
{
	char *tail = xasprintf("devices/%s/driver_override", pci), *path = path_of(tail);
	FILE *in = fopen(path, "r");

	text[0] = '\0';
	if (in != NULL) {
		assert_non_null(fgets(text, (int)size, in));
		fclose(in);
	}
	free(path);
	free(tail);
}

/* The kernel. */
static int
write_fake(void *arg, const char *path, const char *text)
{
	const char *tail = path + strlen(root) + strlen("/bus/pci/");
	char driver[32];

	(void)arg;
	if (strcmp(tail, "drivers_probe") == 0) {
		read_override(text, driver, sizeof(driver));
		if (loaded != NULL && strcmp(driver, loaded) == 0)
			link_driver(text, driver);
		return 0;
	}
	if (strstr(tail, "/unbind") != NULL) {
		unlink_in("driver", text);
		unlink_in("virtio0/net/eth0/address", text);
		return 0;
	}
	if (strstr(tail, "/driver_override") == NULL)
		return -EACCES;
	make(tail, text);
	return 0;
}

static int
setup(void **state)
{
	static struct nics nics;

	strcpy(root + strlen(root) - 6, "XXXXXX");
	if (mkdtemp(root) == NULL)
		return -1;
	make("devices/0000:00:04.0/class", "0x020000\n");
	make("devices/0000:00:04.0/virtio0/net/eth0/address", "52:54:00:00:02:00\n");
	link_driver("0000:00:04.0", "virtio-pci");
	make("devices/0000:00:05.0/class", "0x020000\n");
	make("devices/0000:00:05.0/net/ens5/address", "52:54:00:00:02:01\n");
	link_driver("0000:00:05.0", "e1000");
	make("devices/0000:00:06.0/class", "0x020000\n");
	make("devices/0000:00:01.0/class", "0x010000\n");
	nics_init(&nics, root);
	nics.write = write_fake;
	loaded = "uio_pci_generic";
	*state = &nics;
	return 0;
}

static int
teardown(void **state)
{
	char *command = xasprintf("rm -rf %s", root);
	int rc = system(command);

	nics_fini(*state);
	free(command);
	return rc;
}

static void
lists(struct nics *nics, const char *expected)
{
	json_t *list = nics_list(nics);
	char *text = json_dumps(list, JSON_COMPACT);

	assert_string_equal(text, expected);
	free(text);
	json_decref(list);
}

static void
nics_are_listed_by_address(void **state)
{
	lists(*state,
	      "[{\"mac\":\"52:54:00:00:02:00\",\"pci\":\"0000:00:04.0\",\"driver\":"
	      "\"virtio-pci\"},"
	      "{\"mac\":\"52:54:00:00:02:01\",\"pci\":\"0000:00:05.0\",\"driver\":\"e1000\"},"
	      "{\"mac\":null,\"pci\":\"0000:00:06.0\",\"driver\":null}]");
}

static void
a_bound_nic_is_still_known_by_its_mac(void **state)
{
	struct nics *nics = *state;
	const char *pci = NULL;
	struct err err = {0};

	assert_int_equal(nics_bind(nics, "52:54:00:00:02:00", "uio_pci_generic", &pci, &err), 0);
	assert_string_equal(pci, "0000:00:04.0");
	lists(nics, "[{\"mac\":\"52:54:00:00:02:00\",\"pci\":\"0000:00:04.0\",\"driver\":"
		    "\"uio_pci_generic\"},"
		    "{\"mac\":\"52:54:00:00:02:01\",\"pci\":\"0000:00:05.0\",\"driver\":\"e1000\"},"
		    "{\"mac\":null,\"pci\":\"0000:00:06.0\",\"driver\":null}]");
	/* Again, and back, by the MAC that sysfs does not show any more. */
	assert_int_equal(nics_bind(nics, "52:54:00:00:02:00", "uio_pci_generic", &pci, &err), 0);
	loaded = "virtio-pci";
	assert_int_equal(nics_bind(nics, "52:54:00:00:02:00", "virtio-pci", &pci, &err), 0);
}

static void
a_driver_that_does_not_take_it_is_told(void **state)
{
	struct nics *nics = *state;
	const char *pci;
	struct err err = {0};

	assert_int_equal(nics_bind(nics, "52:54:00:00:02:01", "vfio-pci", &pci, &err), -ENXIO);
	assert_string_equal(err.msg,
			    "52:54:00:00:02:01 (0000:00:05.0): 'vfio-pci' does not take it, "
			    "its driver is now none");
}

static void
nonsense_is_refused(void **state)
{
	struct nics *nics = *state;
	const char *pci;
	struct err err = {0};

	assert_int_equal(nics_bind(nics, "52:54:00:00:02:09", "vfio-pci", &pci, &err), -ENODEV);
	assert_string_equal(err.msg, "no NIC here has the MAC '52:54:00:00:02:09'");
	assert_int_equal(nics_bind(nics, "", "vfio-pci", &pci, &err), -ENODEV);
	assert_int_equal(nics_bind(nics, "52:54:00:00:02:00", "../../x", &pci, &err), -EINVAL);
	assert_int_equal(nics_bind(nics, "52:54:00:00:02:00", "", &pci, &err), -EINVAL);
}

static void
one_without_a_mac_is_bound_by_its_address(void **state)
{
	struct nics *nics = *state;
	const char *pci = NULL;
	struct err err = {0};

	assert_int_equal(nics_bind(nics, "0000:00:06.0", "uio_pci_generic", &pci, &err), 0);
	assert_string_equal(pci, "0000:00:06.0");
	/* Of another one the MAC is known, and is its name. */
	assert_int_equal(nics_bind(nics, "0000:00:05.0", "uio_pci_generic", &pci, &err), -ENODEV);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nics_are_listed_by_address),
		TEST(a_bound_nic_is_still_known_by_its_mac),
		TEST(a_driver_that_does_not_take_it_is_told),
		TEST(nonsense_is_refused),
		TEST(one_without_a_mac_is_bound_by_its_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
