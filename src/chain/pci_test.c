/* SPDX-License-Identifier: MIT */
/* Physical ports: what a chain may say of them, what the machine has to say, what programs are
 * told. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#include "pci.h"
#include "plan_test.h"

static char root[] = "/tmp/pci-test-XXXXXX";
static struct pci_facts facts;

static void
write_file(const char *path, const char *text)
{
	char *full = xasprintf("%s/%s", root, path), *slash = full;
	FILE *out;

	while ((slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	out = fopen(full, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	free(full);
}

static void
link_driver(const char *address, const char *driver)
{
	char *path = xasprintf("%s/sys/bus/pci/devices/%s/driver", root, address);
	char *target = xasprintf("../../../../bus/pci/drivers/%s", driver);

	assert_int_equal(symlink(target, path), 0);
	free(path);
	free(target);
}

/* A port free for us, one of the kernel's, one that the machine speaks by, one of no driver, a
 * disk. */
static int
setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	facts = (struct pci_facts){xasprintf("%s/sys", root), xasprintf("%s/route", root)};
	write_file("sys/bus/pci/devices/0000:01:00.0/class", "0x020000\n");
	link_driver("0000:01:00.0", "vfio-pci");
	write_file("sys/bus/pci/devices/0000:01:00.1/class", "0x020000\n");
	write_file("sys/bus/pci/devices/0000:01:00.1/net/eno2/address", "\n");
	link_driver("0000:01:00.1", "e1000e");
	write_file("sys/bus/pci/devices/0000:02:00.0/class", "0x020000\n");
	write_file("sys/bus/pci/devices/0000:02:00.0/virtio0/net/eth0/address", "\n");
	link_driver("0000:02:00.0", "virtio-pci");
	write_file("sys/bus/pci/devices/0000:03:00.0/class", "0x020000\n");
	write_file("sys/bus/pci/devices/0000:04:00.0/class", "0x010802\n");
	write_file("route", "Iface\tDestination\tGateway\neno2\t0000A8C0\t00000000\n"
			    "eth0\t00000000\t0100A8C0\n");
	return 0;
}

static int
teardown(void **state)
{
	char *command = xasprintf("rm -r '%s'", root);
	int rc = system(command);

	(void)state;
	free(command);
	free((char *)(uintptr_t)facts.sys);
	free((char *)(uintptr_t)facts.route);
	return rc;
}

static void
refuse_port(const char *address, const char *message)
{
	struct err err = {0};

	assert_true(pci_check_port(&facts, address, &err) < 0);
	assert_int_equal(err.class, ERR_MACHINE);
	assert_string_equal(err.msg, message);
}

static void
a_port_must_be_there_and_nobody_elses(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(pci_check_port(&facts, "0000:01:00.0", &err), 0);
	refuse_port("0000:09:00.0",
		    "there is no PCI device 0000:09:00.0 here (lspci -D lists them)");
	refuse_port("0000:04:00.0",
		    "PCI device 0000:04:00.0 is no Ethernet controller (its class is "
		    "0x010802)");
	refuse_port("0000:02:00.0",
		    "port 0000:02:00.0 is eth0, by which this machine reaches others "
		    "(its default route): it is never taken");
	refuse_port(
		"0000:01:00.1",
		"port 0000:01:00.1 is bound to the kernel's driver 'e1000e', as eno2: when nobody "
		"needs it there, 'dpdk-devbind.py --bind=vfio-pci 0000:01:00.1' takes it away from "
		"the kernel (nfvchain binds nothing)");
	refuse_port("0000:03:00.0", "port 0000:03:00.0 is bound to no driver: 'dpdk-devbind.py "
				    "--bind=vfio-pci 0000:03:00.0' binds it");
}

#define CABLE(a, b) "{kind: pci, address: \"" a "\", peer: \"" b "\"}"
#define A0 "0000:01:00.0"
#define A1 "0000:01:00.1"
#define B0 "0000:02:00.0"
#define B1 "0000:02:00.1"

static void
programs_are_told_their_ports_and_no_others(void **state)
{
	struct made m;
	char *text;

	(void)state;
	make(&m, V "links: [" CABLE(A0, B0) ", " CABLE(B1, A1) "]\n", &two_cpus);
	for (size_t i = 0; i < 2; i++)
		assert_null(option(&m.plan.proc[i], "--no-pci"));
	assert_string_equal(option(&m.plan.proc[0], "-a"), A0);
	assert_string_equal(m.plan.proc[0].argv[m.plan.proc[0].argc - 1], A1);
	assert_string_equal(option(&m.plan.proc[1], "-a"), B0);
	assert_null(option(&m.plan.proc[1], "--vdev"));
	assert_null(m.plan.proc[0].listens[0]);
	text = chain_plan_print(&m.plan, &m.chain);
	assert_non_null(strstr(text, A0 " " B0 "\n"));
	free(text);
	unmake(&m);
	/* Beside a port of another kind; and a program that is not ours has hugepages. */
	make(&m, V "hops: [testpmd, nfvchain-fwd]\nlinks: [" CABLE(A0, B0) ", memif, memif]\n",
	     &two_cpus);
	assert_string_equal(option(&m.plan.proc[1], "-a"), B0);
	assert_non_null(strstr(option(&m.plan.proc[1], "--vdev"), "net_memif1"));
	assert_null(option(&m.plan.proc[1], "--no-huge"));
	assert_non_null(option(&m.plan.proc[2], "--no-pci"));
	unmake(&m);
}

static void
refuse(const char *links, const char *message)
{
	char *text = xasprintf(V "hops: [nfvchain-fwd]\nlinks: %s\n", links);
	struct err err = {0};
	struct chain chain;

	assert_int_equal(chain_parse(&chain, "c.yaml", text, strlen(text), &err), -EINVAL);
	if (strstr(err.msg, message) == NULL)
		fail_msg("expected: %s\nbut was:  %s", message, err.msg);
	chain_fini(&chain);
	free(text);
}

static void
cables_that_cannot_be_are_refused(void **state)
{
	(void)state;
	refuse("[" CABLE(A0, B0) ", " CABLE(B0, A1) "]",
	       "error: port 0000:02:00.0 is used twice, at link 0 and link 1");
	refuse("[" CABLE(A0, A0) ", memif]", "error: port 0000:01:00.0 is used twice, at link 0");
	refuse("pci", "error: a pci link needs 'address'");
	refuse("[{kind: pci, address: \"" A0 "\"}, memif]", "error: a pci link needs 'peer'");
	refuse("{kind: memif, address: x}", "error: 'address' belongs to links of kind pci");
	refuse("[" CABLE("01:00.0", B0) ", memif]",
	       "error: 'address': '01:00.0' is no PCI address such as 0000:04:00.0");
	refuse("[" CABLE(A0, "0000:0A:00.0") ", memif]", "error: 'peer': '0000:0A:00.0' is no PCI");
	refuse("[memif, " CABLE(B1, A1) "]",
	       "error: vnf1 has a physical port as its port 1 and none as its port 0");
	refuse("[" CABLE(A0, B1) ", " CABLE(B0, A1) "]",
	       "error: vnf1: its port 0 (0000:02:00.1) must have the lower address than its port "
	       "1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_must_be_there_and_nobody_elses),
		cmocka_unit_test(programs_are_told_their_ports_and_no_others),
		cmocka_unit_test(cables_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
