/* SPDX-License-Identifier: MIT */
#include "trex_cfg.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"
#include "base/yaml.h"

#define PORTS 2
#define PORT_MAX 65535
#define MAC_SIZE 6
#define FRAME_OVER_MTU 18 /* Ethernet header and FCS */
#define IFNAME_MAX 15

/* What is being read, and where to. */
struct reading {
	const struct yaml *doc;
	const struct yaml_node *map;
	struct gen_conf *conf;
	struct opt_list *eal;
	unsigned n_pci, n_virtual;
	unsigned long pci_port[PORTS]; /* behind a PCI address: which of the device's */
};

static void __attribute__((format(printf, 2, 3))) add_eal(struct reading *r, const char *fmt, ...)
{
	struct err none = {0};
	char word[512];
	va_list ap;

	va_start(ap, fmt);
	(void)str_vprint(word, sizeof(word), fmt, ap);
	va_end(ap);
	(void)opt_set_list(r->eal, word, &none);
}

/* ---- interfaces ---- */

/* "03:00.0" or "0000:03:00.0", with or without TRex's "/1" for a port of a device. */
static bool
is_pci(const char *text)
{
	unsigned domain, bus, device, function;
	int end = 0;

	if (sscanf(text, "%4x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &end) != 4 &&
	    sscanf(text, "%2x:%2x.%1x%n", &bus, &device, &function, &end) != 3)
		return false;
	return text[end] == '\0' || text[end] == '/';
}

/* Port 'i' is what EAL calls so. */
static void __attribute__((format(printf, 3, 4)))
set_device(struct reading *r, unsigned i, const char *fmt, ...)
{
	struct gen_device *d = &r->conf->device[i];
	va_list ap;

	va_start(ap, fmt);
	(void)str_vprint(d->name, sizeof(d->name), fmt, ap);
	va_end(ap);
}

/* EAL probes devices in the order of their addresses, whatever that of the words is: the ports find
 * theirs by name.  Both ports of a device that has two are named by it; the smaller of the numbers
 * behind it is the first. */
static void
add_pci(struct reading *r, const char *text, unsigned i)
{
	const bool full = strchr(text, ':') != strrchr(text, ':');
	const char *slash = strchr(text, '/');
	struct gen_device *device = r->conf->device;
	char address[16];

	snprintf(address, sizeof(address), "%s%.*s", full ? "" : "0000:", (int)strcspn(text, "/"),
		 text);
	set_device(r, i, "%s", address);
	device[i].nth = 0;
	r->pci_port[i] = slash != NULL ? strtoul(slash + 1, NULL, 10) : i;
	r->n_pci++;
	if (i > 0 && strcmp(device[0].name, address) == 0) {
		device[r->pci_port[0] <= r->pci_port[i] ? i : 0].nth = 1;
		return;
	}
	add_eal(r, "-a");
	add_eal(r, "%s", address);
}

/* "--vdev=NAME,ARGUMENTS" as it is, or one of ours. */
static void
add_vdev(struct reading *r, const char *text, unsigned i)
{
	const char *name = text + strlen("--vdev=");

	if (strncmp(text, "--vdev=", strlen("--vdev=")) == 0) {
		add_eal(r, "%s", text);
		set_device(r, i, "%.*s", (int)strcspn(name, ","), name);
	} else if (strcmp(text, "dummy") == 0) {
		add_eal(r, "--vdev=net_null%u", i);
		set_device(r, i, "net_null%u", i);
	} else {
		add_eal(r, "--vdev=net_af_packet%u,iface=%s", i, text);
		set_device(r, i, "net_af_packet%u", i);
	}
}

static int
add_interface(struct reading *r, const struct yaml_node *node, unsigned i, struct err *err)
{
	const char *text = yaml_text(r->doc, node);

	if (text == NULL || text[0] == '\0')
		return yaml_error(r->doc, node, err,
				  "an interface is a PCI address, a name or --vdev=...");
	if (is_pci(text)) {
		add_pci(r, text, i);
		return 0;
	}
	r->n_virtual++;
	if (strncmp(text, "--vdev=", strlen("--vdev=")) != 0 &&
	    (strlen(text) > IFNAME_MAX || strpbrk(text, ",=/ \t") != NULL || text[0] == '-'))
		return yaml_error(r->doc, node, err,
				  "'%s' is no PCI address, no interface name and not --vdev=...",
				  text);
	add_vdev(r, text, i);
	return 0;
}

static int
read_interfaces(struct reading *r, struct err *err)
{
	const struct yaml_node *list = yaml_get(r->map, "interfaces");
	uint64_t limit = PORTS;
	int rc = yaml_get_uint(r->doc, r->map, "port_limit", 1, 256, &limit, err);

	if (rc < 0)
		return rc;
	if (list == NULL || !yaml_is_list(list))
		return yaml_error(r->doc, list != NULL ? list : r->map, err,
				  "'interfaces' must be a list of the ports");
	if (limit != PORTS || yaml_length(list) < PORTS)
		return yaml_error(r->doc, limit != PORTS ? yaml_get(r->map, "port_limit") : list,
				  err, "this generator has two ports, not %zu",
				  limit != PORTS ? (size_t)limit : yaml_length(list));
	for (unsigned i = 0; rc == 0 && i < PORTS; i++)
		rc = add_interface(r, yaml_item(list, i), i, err);
	if (rc == 0 && r->n_pci > 0 && r->n_virtual > 0)
		rc = yaml_error(r->doc, list, err, "PCI devices and virtual ones cannot be mixed");
	return rc;
}

/* ---- port_info ---- */

/* "02:00:00:00:00:01", or a list of six numbers. */
static int
read_mac(struct reading *r, const struct yaml_node *info, const char *key, struct port_mac *mac,
	 struct err *err)
{
	const struct yaml_node *node = yaml_get(info, key);
	struct err why = {0};

	if (node == NULL)
		return 0;
	mac->set = true;
	if (yaml_is_scalar(node)) {
		if (mac_parse(yaml_text(r->doc, node), mac->mac, &why) < 0)
			return yaml_error(r->doc, node, err, "%s: %s", key, why.msg);
		return 0;
	}
	for (size_t i = 0; yaml_is_list(node) && i < yaml_length(node); i++) {
		const char *text = yaml_text(r->doc, yaml_item(node, i));
		char *end = NULL;
		unsigned long byte = text != NULL ? strtoul(text, &end, 0) : 0;

		if (i >= MAC_SIZE || end == text || end == NULL || *end != '\0' || byte > 0xff)
			break;
		mac->mac[i] = (uint8_t)byte;
		if (i + 1 == MAC_SIZE && yaml_length(node) == MAC_SIZE)
			return 0;
	}
	return yaml_error(r->doc, node, err, "'%s' must be a MAC address or six bytes", key);
}

/* An IPv4 address in the order of the wire. */
static int
read_ip(struct reading *r, const struct yaml_node *info, const char *key, uint32_t *ip,
	struct err *err)
{
	const char *text = NULL;
	int rc = yaml_get_text(r->doc, info, key, &text, err);

	if (rc < 0 || text == NULL)
		return rc;
	if (inet_pton(AF_INET, text, ip) != 1 || *ip == 0)
		return yaml_error(r->doc, yaml_get(info, key), err, "'%s' is no IPv4 address",
				  text);
	return 0;
}

static int
read_port(struct reading *r, unsigned i, const struct yaml_node *info, struct err *err)
{
	static const char *const keys[] = {"dest_mac", "src_mac", "ip",	    "default_gw", "mask",
					   "vlan",     "mpls",	  "eompls", NULL};
	struct gen_l3 *l3 = &r->conf->l3[i];
	uint64_t vlan = 0;
	int rc = yaml_is_map(info) ? yaml_check_keys(r->doc, info, keys, err)
				   : yaml_error(r->doc, info, err, "a port's entry must be a map");

	if (rc == 0 && (yaml_get(info, "mpls") != NULL || yaml_get(info, "eompls") != NULL))
		rc = yaml_error(r->doc, info, err, "MPLS labels are not added to a port's frames");
	if (rc == 0)
		rc = read_mac(r, info, "src_mac", &r->conf->addr[i], err);
	if (rc == 0)
		rc = read_mac(r, info, "dest_mac", &r->conf->dest[i], err);
	if (rc == 0)
		rc = read_ip(r, info, "ip", &l3->ip, err);
	if (rc == 0)
		rc = read_ip(r, info, "default_gw", &l3->gateway, err);
	if (rc == 0)
		rc = yaml_get_uint(r->doc, info, "vlan", 0, 4095, &vlan, err);
	if (rc == 0 && (l3->ip == 0) != (l3->gateway == 0))
		rc = yaml_error(r->doc, info, err, "'ip' and 'default_gw' go together");
	l3->vlan = (uint16_t)vlan;
	return rc;
}

static int
read_port_info(struct reading *r, struct err *err)
{
	const struct yaml_node *list = yaml_get(r->map, "port_info");
	int rc = 0;

	if (list == NULL)
		return 0;
	if (!yaml_is_list(list))
		return yaml_error(r->doc, list, err, "'port_info' must be a list, a map a port");
	for (unsigned i = 0; rc == 0 && i < yaml_length(list) && i < PORTS; i++)
		rc = read_port(r, i, yaml_item(list, i), err);
	return rc;
}

/* ---- the rest ---- */

/* A whole number into 'field', if the key is there. */
static int
read_u32(struct reading *r, const char *key, uint64_t min, uint64_t max, uint32_t *field,
	 struct err *err)
{
	uint64_t value = *field;
	int rc = yaml_get_uint(r->doc, r->map, key, min, max, &value, err);

	*field = (uint32_t)value;
	return rc;
}

static int
read_endpoints(struct reading *r, struct err *err)
{
	uint32_t rpc = 4501, pub = 4500;
	bool has_pub = true;
	char text[64];
	int rc = read_u32(r, "zmq_rpc_port", 1, PORT_MAX, &rpc, err);

	if (rc == 0)
		rc = read_u32(r, "zmq_pub_port", 1, PORT_MAX, &pub, err);
	if (rc == 0)
		rc = yaml_get_bool(r->doc, r->map, "enable_zmq_pub", &has_pub, err);
	if (rc < 0)
		return rc;
	if (yaml_get(r->map, "zmq_rpc_port") != NULL) {
		snprintf(text, sizeof(text), "tcp://127.0.0.1:%u", rpc);
		(void)opt_set_text(&r->conf->rpc, text, err);
	}
	if (!has_pub || yaml_get(r->map, "zmq_pub_port") != NULL) {
		snprintf(text, sizeof(text), "tcp://127.0.0.1:%u", pub);
		(void)opt_set_text(&r->conf->pub, has_pub ? text : "none", err);
	}
	return 0;
}

static int
read_sizes(struct reading *r, struct err *err)
{
	uint32_t mbps = 0, mtu = 0;
	int rc = read_u32(r, "rx_desc", 32, 32768, &r->conf->rxd, err);

	if (rc == 0)
		rc = read_u32(r, "tx_desc", 32, 32768, &r->conf->txd, err);
	if (rc == 0)
		rc = read_u32(r, "port_speed", 1, 1000000, &mbps, err);
	if (rc == 0)
		rc = read_u32(r, "port_mtu", 64, 9216 - FRAME_OVER_MTU, &mtu, err);
	if (mbps > 0)
		r->conf->speed_bps = mbps * 1000000ull;
	if (mtu > 0)
		r->conf->max_frame = mtu + FRAME_OVER_MTU;
	return rc;
}

/* The CPU that the traffic's thread has: the first of the first pair of ports. */
static int
read_lcore(struct reading *r, struct err *err)
{
	const struct yaml_node *platform = yaml_get(r->map, "platform");
	const struct yaml_node *pair = yaml_item(yaml_get(platform, "dual_if"), 0);
	const struct yaml_node *thread = yaml_item(yaml_get(pair, "threads"), 0);
	bool low_end = false;
	uint32_t cpu = 0;
	int rc = yaml_get_bool(r->doc, r->map, "low_end", &low_end, err);

	if (rc == 0)
		rc = read_u32(r, "low_end_core", 0, 1023, &cpu, err);
	if (rc < 0)
		return rc;
	if (low_end && yaml_get(r->map, "low_end_core") != NULL) {
		add_eal(r, "--lcores=0@%u", cpu);
	} else if (!low_end && thread != NULL) {
		const char *text = yaml_text(r->doc, thread);

		if (text == NULL || text[strspn(text, "0123456789")] != '\0' || text[0] == '\0')
			return yaml_error(r->doc, thread, err, "a thread is the number of a CPU");
		add_eal(r, "--lcores=0@%s", text);
	}
	return 0;
}

/* Words for EAL as they are: one text, or a list. */
static int
read_words(struct reading *r, struct err *err)
{
	const struct yaml_node *node = yaml_get(r->map, "ext_dpdk_opt");
	const char *text = yaml_is_scalar(node) ? yaml_text(r->doc, node) : NULL;
	char *copy = xstrdup(text != NULL ? text : ""), *save = NULL;
	int rc = 0;

	for (char *w = strtok_r(copy, " \t", &save); w != NULL; w = strtok_r(NULL, " \t", &save))
		add_eal(r, "%s", w);
	free(copy);
	for (size_t i = 0; rc == 0 && yaml_is_list(node) && i < yaml_length(node); i++) {
		const struct yaml_node *item = yaml_item(node, i);

		if (yaml_text(r->doc, item) == NULL)
			rc = yaml_error(r->doc, item, err, "'ext_dpdk_opt' is a list of words");
		else
			add_eal(r, "%s", yaml_text(r->doc, item));
	}
	return rc;
}

static int
read_memory(struct reading *r, struct err *err)
{
	const char *prefix = NULL;
	uint32_t mb = 0;
	int rc = yaml_get_text(r->doc, r->map, "prefix", &prefix, err);

	if (rc == 0)
		rc = read_u32(r, "limit_memory", 1, 1u << 20, &mb, err);
	if (rc < 0)
		return rc;
	if (prefix != NULL && prefix[strcspn(prefix, "/ \t")] != '\0')
		return yaml_error(r->doc, yaml_get(r->map, "prefix"), err,
				  "'prefix' is part of a file's name");
	if (prefix != NULL)
		add_eal(r, "--file-prefix=%s", prefix);
	if (mb > 0) {
		add_eal(r, "-m");
		add_eal(r, "%u", mb);
	}
	return 0;
}

static int
read_all(struct reading *r, struct err *err)
{
	static const char *const keys[] = {"version",
					   "port_limit",
					   "interfaces",
					   "interfaces_vdevs",
					   "port_info",
					   "port_speed",
					   "port_mtu",
					   "zmq_pub_port",
					   "zmq_rpc_port",
					   "prefix",
					   "enable_zmq_pub",
					   "limit_memory",
					   "c",
					   "low_end",
					   "low_end_core",
					   "platform",
					   "memory",
					   "rx_desc",
					   "tx_desc",
					   "ext_dpdk_opt",
					   "dpdk_devargs",
					   "new_memory",
					   "stack",
					   "telnet_port",
					   "ezmq_ch_port",
					   "ezqm_ch_port",
					   "tw",
					   "services_core",
					   "port_bandwidth_gb",
					   NULL};
	uint64_t version = 2;
	int rc = yaml_check_keys(r->doc, r->map, keys, err);

	if (rc == 0)
		rc = yaml_get_uint(r->doc, r->map, "version", 2, 2, &version, err);
	if (rc == 0)
		rc = read_interfaces(r, err);
	if (rc == 0)
		rc = read_port_info(r, err);
	if (rc == 0)
		rc = read_endpoints(r, err);
	if (rc == 0)
		rc = read_sizes(r, err);
	if (rc == 0)
		rc = read_lcore(r, err);
	if (rc == 0)
		rc = read_memory(r, err);
	return rc < 0 ? rc : read_words(r, err);
}

static int
read_document(const struct yaml *doc, struct gen_conf *conf, struct opt_list *eal, struct err *err)
{
	const struct yaml_node *root = yaml_root(doc);
	struct reading r = {.doc = doc, .map = root, .conf = conf, .eal = eal};

	if (yaml_is_list(root))
		r.map = yaml_item(root, 0);
	if (r.map == NULL || !yaml_is_map(r.map))
		return yaml_error(doc, root, err, "this is no list of TRex configurations");
	return read_all(&r, err);
}

int
trex_cfg_parse(const char *name, const char *text, size_t len, struct gen_conf *conf,
	       struct opt_list *eal, struct err *err)
{
	struct yaml *doc = NULL;
	int rc = yaml_parse(&doc, name, text, len, err);

	if (rc == 0)
		rc = read_document(doc, conf, eal, err);
	yaml_close(doc);
	return rc;
}

int
trex_cfg_read(const char *path, struct gen_conf *conf, struct opt_list *eal, struct err *err)
{
	struct yaml *doc = NULL;
	int rc = yaml_open(&doc, path, err);

	if (rc == 0)
		rc = read_document(doc, conf, eal, err);
	yaml_close(doc);
	return rc;
}
