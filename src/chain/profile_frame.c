/* SPDX-License-Identifier: MIT */
/* Frames of a profile. */
#include "profile_parts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/units.h"

/* The other of 'a' and 'b', if the frame goes the other way. */
#define EITHER(r, a, b) ((r)->mirrored ? (b) : (a))

/* What TRex's library builds with; the ports' own addresses take their place. */
static const uint8_t default_dst[6] = {0, 0, 0, 1, 0, 0}, default_src[6] = {0, 0, 0, 2, 0, 0};

static int
read_mac(const struct profile_reading *r, const struct yaml_node *map, const char *key,
	 uint8_t mac[6], unsigned *own, unsigned bit, struct err *err)
{
	const char *text = NULL;
	struct err why = {0};
	int rc = profile_word(r, map, key, &text, err);

	if (rc < 0 || text == NULL)
		return rc;
	if (mac_parse(text, mac, &why) < 0)
		return yaml_error(r->doc, yaml_get(map, key), err, "%s: %s", key, why.msg);
	*own |= bit;
	return 0;
}

static int
read_eth(const struct profile_reading *r, const struct yaml_node *frame, struct packet *p,
	 unsigned *own, struct err *err)
{
	static const char *const keys[] = {"src", "dst", "type", NULL};
	const struct yaml_node *map = yaml_get(frame, "eth");
	uint8_t dst[6], src[6];
	uint64_t type = 0;
	int rc = 0;

	memcpy(dst, default_dst, 6);
	memcpy(src, default_src, 6);
	*own = 0;
	if (map != NULL)
		rc = profile_map(r, map, "eth", keys, err);
	if (rc == 0)
		rc = read_mac(r, map, EITHER(r, "src", "dst"), src, own, 1, err);
	if (rc == 0)
		rc = read_mac(r, map, EITHER(r, "dst", "src"), dst, own, 2, err);
	if (rc == 0 && yaml_get(map, "type") != NULL)
		rc = profile_value(r, yaml_get(map, "type"), &type, err);
	packet_eth(p, dst, src);
	packet_type(p, (uint16_t)type);
	return rc;
}

static int
read_tag(const struct profile_reading *r, const struct yaml_node *node, struct packet *p,
	 struct err *err)
{
	static const char *const keys[] = {"id", "priority", NULL};
	uint64_t id = 0, priority = 0;
	int rc;

	if (yaml_is_map(node)) {
		rc = profile_map(r, node, "vlan", keys, err);
		if (rc == 0)
			rc = profile_uint(r, node, "id", 0, 4095, &id, err);
		if (rc == 0)
			rc = profile_uint(r, node, "priority", 0, 7, &priority, err);
	} else {
		rc = profile_value(r, node, &id, err);
		if (rc == 0 && id > 4095)
			rc = yaml_error(r->doc, node, err, "a VLAN id is 0 to 4095");
	}
	if (rc == 0)
		packet_vlan(p, (uint16_t)id, (uint8_t)priority);
	return rc;
}

static int
read_vlan(const struct profile_reading *r, const struct yaml_node *frame, struct packet *p,
	  struct err *err)
{
	const struct yaml_node *node = yaml_get(frame, "vlan");
	int rc = 0;

	if (node == NULL)
		return 0;
	if (!yaml_is_list(node))
		return read_tag(r, node, p, err);
	if (yaml_length(node) > PACKET_MAX_VLANS)
		return yaml_error(r->doc, node, err, "at most %d VLAN tags", PACKET_MAX_VLANS);
	for (size_t i = 0; rc == 0 && i < yaml_length(node); i++)
		rc = read_tag(r, yaml_item(node, i), p, err);
	return rc;
}

static int
read_ipv4_address(const struct profile_reading *r, const struct yaml_node *map, const char *key,
		  uint64_t *address, struct err *err)
{
	const struct yaml_node *node = yaml_get(map, key);
	int rc = node != NULL ? profile_value(r, node, address, err) : 0;

	if (rc == 0 && *address > UINT32_MAX)
		rc = yaml_error(r->doc, node, err, "%s: an IPv4 address has 32 bits", key);
	return rc;
}

static int
read_ipv4(const struct profile_reading *r, const struct yaml_node *map, struct packet *p,
	  struct err *err)
{
	static const char *const keys[] = {"src", "dst", "ttl", "tos", "id", "proto", "df", NULL};
	uint64_t src = 0x10000001, dst = 0x30000001, ttl = 64, tos = 0, id = 1, proto = 0;
	bool df = false;
	int rc = profile_map(r, map, "ipv4", keys, err);

	if (rc == 0)
		rc = read_ipv4_address(r, map, "src", &src, err);
	if (rc == 0)
		rc = read_ipv4_address(r, map, "dst", &dst, err);
	if (rc == 0)
		rc = profile_uint(r, map, "ttl", 0, 255, &ttl, err);
	if (rc == 0)
		rc = profile_uint(r, map, "tos", 0, 255, &tos, err);
	if (rc == 0)
		rc = profile_uint(r, map, "id", 0, 65535, &id, err);
	if (rc == 0)
		rc = profile_uint(r, map, "proto", 0, 255, &proto, err);
	if (rc == 0)
		rc = profile_flag(r, map, "df", &df, err);
	packet_ipv4(p, &(struct packet_ipv4){.src = (uint32_t)EITHER(r, src, dst),
					     .dst = (uint32_t)EITHER(r, dst, src),
					     .ttl = (uint8_t)ttl,
					     .tos = (uint8_t)tos,
					     .proto = (uint8_t)proto,
					     .id = (uint16_t)id,
					     .df = df});
	return rc;
}

static int
read_ipv6_address(const struct profile_reading *r, const struct yaml_node *map, const char *key,
		  const char *usual, uint8_t out[16], struct err *err)
{
	const char *text = usual;
	int rc = profile_word(r, map, key, &text, err);

	if (rc == 0 && inet_pton(AF_INET6, text, out) != 1)
		rc = yaml_error(r->doc, yaml_get(map, key), err, "'%s' is no IPv6 address", text);
	return rc;
}

static int
read_ipv6(const struct profile_reading *r, const struct yaml_node *map, struct packet *p,
	  struct err *err)
{
	static const char *const keys[] = {"src", "dst", "hops", "class", "label", "next", NULL};
	uint64_t hops = 64, class = 0, label = 0, next = 59;
	struct packet_ipv6 ip = {.hops = 0};
	int rc = profile_map(r, map, "ipv6", keys, err);

	if (rc == 0)
		rc = read_ipv6_address(r, map, "src", "2001:2::1", EITHER(r, ip.src, ip.dst), err);
	if (rc == 0)
		rc = read_ipv6_address(r, map, "dst", "2001:2::2", EITHER(r, ip.dst, ip.src), err);
	if (rc == 0)
		rc = profile_uint(r, map, "hops", 0, 255, &hops, err);
	if (rc == 0)
		rc = profile_uint(r, map, "class", 0, 255, &class, err);
	if (rc == 0)
		rc = profile_uint(r, map, "label", 0, 0xfffff, &label, err);
	if (rc == 0)
		rc = profile_uint(r, map, "next", 0, 255, &next, err);
	ip.hops = (uint8_t)hops;
	ip.traffic_class = (uint8_t) class;
	ip.next = (uint8_t)next;
	ip.label = (uint32_t)label;
	packet_ipv6(p, &ip);
	return rc;
}

static int
read_ports(const struct profile_reading *r, const struct yaml_node *map, uint64_t *src,
	   uint64_t *dst, struct err *err)
{
	int rc = profile_uint(r, map, "src", 0, 65535, src, err);

	return rc == 0 ? profile_uint(r, map, "dst", 0, 65535, dst, err) : rc;
}

static int
read_udp(const struct profile_reading *r, const struct yaml_node *map, struct packet *p,
	 struct err *err)
{
	static const char *const keys[] = {"src", "dst", "checksum", NULL};
	uint64_t src = 1025, dst = 12;
	int rc = profile_map(r, map, "udp", keys, err);

	if (rc == 0)
		rc = read_ports(r, map, &src, &dst, err);
	if (rc == 0)
		rc = profile_flag(r, map, "checksum", &p->udp_sums, err);
	packet_udp(p, (uint16_t)src, (uint16_t)dst);
	return rc;
}

/* "SA" for SYN and ACK, as scapy writes them. */
static int
read_flags(const struct profile_reading *r, const struct yaml_node *map, uint8_t *flags,
	   struct err *err)
{
	static const char letters[] = "FSRPAU";
	const char *text = NULL;
	int rc = profile_word(r, map, "flags", &text, err);

	for (; rc == 0 && text != NULL && *text != '\0'; text++) {
		const char *at = strchr(letters, toupper((unsigned char)*text));

		if (at == NULL)
			return yaml_error(r->doc, yaml_get(map, "flags"), err,
					  "TCP flags are letters of %s", letters);
		*flags |= (uint8_t)(1u << (at - letters));
	}
	return rc;
}

static int
read_tcp(const struct profile_reading *r, const struct yaml_node *map, struct packet *p,
	 struct err *err)
{
	static const char *const keys[] = {"src", "dst", "seq", "ack", "window", "flags", NULL};
	uint64_t src = 1025, dst = 80, seq = 0, ack = 0, window = 8192;
	struct packet_tcp tcp = {.flags = 0};
	int rc = profile_map(r, map, "tcp", keys, err);

	if (rc == 0)
		rc = read_ports(r, map, &src, &dst, err);
	if (rc == 0)
		rc = profile_uint(r, map, "seq", 0, UINT32_MAX, &seq, err);
	if (rc == 0)
		rc = profile_uint(r, map, "ack", 0, UINT32_MAX, &ack, err);
	if (rc == 0)
		rc = profile_uint(r, map, "window", 0, 65535, &window, err);
	if (rc == 0)
		rc = read_flags(r, map, &tcp.flags, err);
	tcp.src = (uint16_t)src;
	tcp.dst = (uint16_t)dst;
	tcp.seq = (uint32_t)seq;
	tcp.ack = (uint32_t)ack;
	tcp.window = (uint16_t)window;
	packet_tcp(p, &tcp);
	return rc;
}

static int
read_icmp(const struct profile_reading *r, const struct yaml_node *map, struct packet *p,
	  struct err *err)
{
	static const char *const keys[] = {"type", "code", NULL};
	uint64_t type = p->is_ipv6 ? 128 : 8, code = 0;
	int rc = profile_map(r, map, "icmp", keys, err);

	if (rc == 0)
		rc = profile_uint(r, map, "type", 0, 255, &type, err);
	if (rc == 0)
		rc = profile_uint(r, map, "code", 0, 255, &code, err);
	packet_icmp(p, (uint8_t)type, (uint8_t)code);
	return rc;
}

/* At most one of the keys in 'map'; its index, or -1 for none, or a negative error. */
static int
one_of(const struct profile_reading *r, const struct yaml_node *map, const char *const *keys,
       int *which, struct err *err)
{
	*which = -1;
	for (int i = 0; keys[i] != NULL; i++) {
		if (yaml_get(map, keys[i]) == NULL)
			continue;
		if (*which >= 0)
			return yaml_error(r->doc, yaml_get(map, keys[i]), err,
					  "a frame has '%s' or '%s', not both", keys[*which],
					  keys[i]);
		*which = i;
	}
	return 0;
}

static int
read_layers(const struct profile_reading *r, const struct yaml_node *frame, struct packet *p,
	    struct err *err)
{
	static const char *const network[] = {"ipv4", "ipv6", NULL};
	static const char *const transport[] = {"udp", "tcp", "icmp", NULL};
	int l3, l4 = -1, rc = one_of(r, frame, network, &l3, err);

	if (rc == 0)
		rc = one_of(r, frame, transport, &l4, err);
	if (rc < 0)
		return rc;
	if (l4 >= 0 && l3 < 0)
		return yaml_error(r->doc, yaml_get(frame, transport[l4]), err,
				  "'%s' is carried by 'ipv4' or 'ipv6'", transport[l4]);
	if (l3 == 0)
		rc = read_ipv4(r, yaml_get(frame, "ipv4"), p, err);
	else if (l3 == 1)
		rc = read_ipv6(r, yaml_get(frame, "ipv6"), p, err);
	if (rc < 0 || l4 < 0)
		return rc;
	if (l4 == 0)
		return read_udp(r, yaml_get(frame, "udp"), p, err);
	if (l4 == 1)
		return read_tcp(r, yaml_get(frame, "tcp"), p, err);
	return read_icmp(r, yaml_get(frame, "icmp"), p, err);
}

/* Bytes in hexadecimal, spaces between them or not. */
static int
add_hex(const struct profile_reading *r, const struct yaml_node *node, struct packet *p,
	struct err *err)
{
	const char *text = profile_text(r, node);

	for (; text != NULL && *text != '\0'; text++) {
		static const char digits[] = "0123456789abcdef";
		const char *high, *low;
		uint8_t byte;

		if (isspace((unsigned char)*text))
			continue;
		high = strchr(digits, tolower((unsigned char)text[0]));
		low = text[1] != '\0' ? strchr(digits, tolower((unsigned char)text[1])) : NULL;
		if (high == NULL || low == NULL)
			return yaml_error(r->doc, node, err,
					  "bytes are pairs of hexadecimal digits");
		byte = (uint8_t)((high - digits) << 4 | (low - digits));
		if (!packet_payload(p, &byte, 1))
			return yaml_error(r->doc, node, err, "more bytes than a frame has");
		text++;
	}
	return text != NULL ? 0 : yaml_error(r->doc, node, err, "bytes are a text");
}

static int
read_payload(const struct profile_reading *r, const struct yaml_node *frame, struct packet *p,
	     struct err *err)
{
	const struct yaml_node *node = yaml_get(frame, "payload");
	const char *text = profile_text(r, node);

	if (node == NULL)
		return 0;
	if (yaml_is_map(node) && yaml_get(node, "hex") != NULL && yaml_length(node) == 1)
		return add_hex(r, yaml_get(node, "hex"), p, err);
	if (text == NULL)
		return yaml_error(r->doc, node, err, "'payload' is a text or {hex: BYTES}");
	if (!packet_payload(p, (const uint8_t *)text, strlen(text)))
		return yaml_error(r->doc, node, err, "more bytes than a frame has");
	return 0;
}

int
profile_frame(const struct profile_reading *r, const struct yaml_node *node, struct packet *p,
	      unsigned *own_macs, struct err *err)
{
	static const char *const keys[] = {"size", "eth", "vlan", "ipv4",    "ipv6",
					   "udp",  "tcp", "icmp", "payload", NULL};
	uint64_t size = 0;
	struct err why = {0};
	int rc = profile_map(r, node, "frame", keys, err);

	if (rc == 0)
		rc = profile_uint(r, node, "size", FRAME_MIN_SIZE, FRAME_MAX_SIZE, &size, err);
	if (rc == 0)
		rc = read_eth(r, node, p, own_macs, err);
	if (rc == 0)
		rc = read_vlan(r, node, p, err);
	if (rc == 0)
		rc = read_layers(r, node, p, err);
	if (rc == 0)
		rc = read_payload(r, node, p, err);
	if (rc == 0 && packet_finish(p, (uint16_t)size, &why) < 0)
		rc = yaml_error(r->doc, node, err, "%s", why.msg);
	return rc;
}
