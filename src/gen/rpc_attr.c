/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/wide.h"
#include "server.h"

/* Methods that set up a port: attributes of the device, addresses. */

static int
set_promiscuous(uint16_t port, const json_t *value, struct jsonrpc_error *e)
{
	bool enabled;

	if (jsonrpc_bool(value, "enabled", &enabled, e) < 0)
		return -EINVAL;
	return attr_set_promiscuous(port, enabled) < 0 ? -ENOTSUP : 0;
}

static int
set_multicast(uint16_t port, const json_t *value, struct jsonrpc_error *e)
{
	bool enabled;

	if (jsonrpc_bool(value, "enabled", &enabled, e) < 0)
		return -EINVAL;
	return attr_set_multicast(port, enabled) < 0 ? -ENOTSUP : 0;
}

/* None is what there is. */
static int
set_vxlan_fs(uint16_t port, const json_t *value, struct jsonrpc_error *e)
{
	(void)port;
	if (!json_is_array(value))
		return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter 'vxlan_fs' must be an array");
	return json_array_size(value) > 0 ? -ENOTSUP : 0;
}

static int
set_never(uint16_t port, const json_t *value, struct jsonrpc_error *e)
{
	(void)port, (void)value, (void)e;
	return -ENOTSUP;
}

/* An attribute: 'set' returns -ENOTSUP where the device has no such thing, -EINVAL with the error
 * set. */
static const struct attribute {
	const char *name;
	int (*set)(uint16_t port, const json_t *value, struct jsonrpc_error *e);
} attributes[] = {
	{"promiscuous", set_promiscuous}, {"multicast", set_multicast},
	{"vxlan_fs", set_vxlan_fs},	  {"link_status", set_never},
	{"led_status", set_never},	  {"flow_ctrl_mode", set_never},
};

static int
set_attribute(uint16_t port, const char *name, const json_t *value, struct jsonrpc_error *e)
{
	for (size_t i = 0; i < N_ELEMS(attributes); i++) {
		int rc;

		if (strcmp(attributes[i].name, name) != 0)
			continue;
		rc = attributes[i].set(port, value, e);
		if (rc == -ENOTSUP)
			return jsonrpc_fail(e, JSONRPC_FAILED,
					    "Error applying %s: operation is not supported for "
					    "this NIC.",
					    name);
		return rc;
	}
	return jsonrpc_fail(e, JSONRPC_FAILED, "unknown attribute type: '%s'", name);
}

static int
call_set_port_attr(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	json_t *attr = json_object_get(params, "attr"), *value;
	const char *name;
	unsigned port;
	int rc = 0;

	(void)result;
	if (server_find_port(ctx, params, &port, e) == NULL)
		return -EINVAL;
	if (!json_is_object(attr))
		return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter 'attr' must be an object");
	json_object_foreach(attr, name, value) {
		rc = set_attribute(server_device(ctx, port), name, value, e);
		if (rc < 0)
			break;
	}
	return rc;
}

static int
read_mac(const json_t *params, const char *name, uint8_t mac[6], struct jsonrpc_error *e)
{
	const char *text;
	int end = 0;

	if (jsonrpc_text(params, name, &text, e) < 0)
		return -EINVAL;
	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		   &mac[3], &mac[4], &mac[5], &end) != 6 ||
	    text[end] != '\0')
		return jsonrpc_fail(e, JSONRPC_PARAMS, "'invalid MAC address: '%s'", text);
	return 0;
}

/* Addresses of a port that transmits are left alone, whoever asks: they need not own it. */
static int
check_quiet(const struct server_port *p, const char *command, struct jsonrpc_error *e)
{
	const enum profile_state state = profiles_state(&p->profiles);

	if (state == PROFILE_IDLE || state == PROFILE_STREAMS)
		return 0;
	return jsonrpc_fail(e, JSONRPC_FAILED,
			    "command '%s' cannot be executed on current state: '%s'", command,
			    profile_state_name(state));
}

static int
call_set_l2(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	uint8_t mac[6];
	unsigned port;
	struct server_port *p = server_find_port(ctx, params, &port, e);

	(void)result;
	if (p == NULL || read_mac(params, "dst_mac", mac, e) < 0 ||
	    check_quiet(p, "set_l2_mode", e) < 0)
		return -EINVAL;
	memcpy(p->layers.dest, mac, 6);
	p->layers.ipv4 = false;
	return 0;
}

static int
read_ipv4(const json_t *params, const char *name, const char *what, char out[16],
	  struct jsonrpc_error *e)
{
	const char *text;
	struct in_addr address;

	if (jsonrpc_text(params, name, &text, e) < 0)
		return -EINVAL;
	if (inet_pton(AF_INET, text, &address) != 1)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "invalid %s IPv4 address: '%s'", what, text);
	snprintf(out, 16, "%s", text);
	return 0;
}

/* Without the gateway's MAC address the port has no destination until somebody finds it. */
static int
call_set_l3(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const json_t *resolved = json_object_get(params, "resolved_mac");
	bool is_resolved = resolved != NULL && !json_is_null(resolved);
	char src[16], dst[16];
	uint8_t mac[6];
	unsigned port;
	struct server_port *p = server_find_port(ctx, params, &port, e);

	(void)result;
	if (p == NULL || read_ipv4(params, "src_addr", "source", src, e) < 0 ||
	    read_ipv4(params, "dst_addr", "destination", dst, e) < 0 ||
	    (is_resolved && read_mac(params, "resolved_mac", mac, e) < 0) ||
	    check_quiet(p, "set_l3_mode", e) < 0)
		return -EINVAL;
	p->layers.ipv4 = true;
	p->layers.resolved = is_resolved;
	memcpy(p->layers.ipv4_src, src, sizeof(src));
	memcpy(p->layers.ipv4_dst, dst, sizeof(dst));
	if (is_resolved)
		memcpy(p->layers.dest, mac, 6);
	return 0;
}

static int
call_set_vlan(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	const json_t *list = json_object_get(params, "vlan");
	size_t n = json_array_size(list);
	uint64_t tags[2] = {0};
	unsigned port;
	struct server_port *p = server_find_port(ctx, params, &port, e);

	(void)result;
	if (p == NULL)
		return -EINVAL;
	if (!json_is_array(list))
		return jsonrpc_fail(e, JSONRPC_PARAMS, "parameter 'vlan' must be an array");
	if (n > 2)
		return jsonrpc_fail(e, JSONRPC_PARAMS,
				    "Maximal number of stacked VLANs is 2, got: %zu", n);
	for (size_t i = 0; i < n; i++)
		if (!wide_u64(json_array_get(list, i), &tags[i]) || tags[i] < 1 || tags[i] > 4095)
			return jsonrpc_fail(e, JSONRPC_PARAMS, "invalid VLAN tag: '%llu'",
					    (unsigned long long)tags[i]);
	if (check_quiet(p, "set_vlan_cfg", e) < 0)
		return -EINVAL;
	p->layers.n_vlans = (unsigned)n;
	for (size_t i = 0; i < n; i++)
		p->layers.vlan[i] = (uint16_t)tags[i];
	return 0;
}

static int
call_conf_ipv6(void *ctx, const json_t *params, json_t **result, struct jsonrpc_error *e)
{
	struct in6_addr address;
	const char *src;
	bool enabled;
	unsigned port;
	struct server_port *p = server_find_port(ctx, params, &port, e);

	(void)result;
	if (p == NULL || jsonrpc_bool(params, "enabled", &enabled, e) < 0 ||
	    jsonrpc_text(params, "src_ipv6", &src, e) < 0)
		return -EINVAL;
	if (enabled && src[0] != '\0' && inet_pton(AF_INET6, src, &address) != 1)
		return jsonrpc_fail(e, JSONRPC_PARAMS, "invalid source IPv6 address: '%s'", src);
	if (check_quiet(p, "conf_ipv6", e) < 0)
		return -EINVAL;
	p->layers.ipv6 = enabled;
	snprintf(p->layers.ipv6_src, sizeof(p->layers.ipv6_src), "%s", enabled ? src : "");
	return 0;
}

static const struct jsonrpc_method methods[] = {
	{"set_port_attr", call_set_port_attr, RPC_NEEDS_API},
	{"set_l2", call_set_l2, RPC_NEEDS_API},
	{"set_l3", call_set_l3, RPC_NEEDS_API},
	{"set_vlan", call_set_vlan, RPC_NEEDS_API},
	{"conf_ipv6", call_conf_ipv6, RPC_NEEDS_API},
};
const struct rpc_table rpc_attr = {methods, N_ELEMS(methods)};
