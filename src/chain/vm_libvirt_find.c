/* SPDX-License-Identifier: MIT */
/* What is ours of the domains and networks that libvirt has, whoever made them and when. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#include "vm_host.h"
#include "vm_libvirt_parts.h"

struct result {
	struct vm_found *found;
	size_t n;
};

static void
add(struct result *r, bool is_network, const char *name, const char *uuid, const char *chain)
{
	struct vm_found *f;

	r->found = xrealloc(r->found, r->n + 1, sizeof(*r->found));
	f = &r->found[r->n++];
	*f = (struct vm_found){.is_network = is_network};
	str_copy(f->name, sizeof(f->name), name);
	str_copy(f->uuid, sizeof(f->uuid), uuid);
	str_copy(f->chain, sizeof(f->chain), chain);
}

/* The directory that the console of VM 'whose'-NAME is in, as the domain's XML has it: ours. */
static void
read_run_dir(struct vm_found *f, virDomainPtr dom)
{
	char *xml = virDomainGetXMLDesc(dom, 0);
	char *end = xml != NULL ? strstr(xml, ".console'") : NULL;
	char *from = end;

	while (from != NULL && from > xml && from[-1] != '\'')
		from--;
	/* Without the file's name. */
	while (end != NULL && end > from && *end != '/')
		end--;
	if (end != NULL) {
		*end = '\0';
		str_copy(f->run_dir, sizeof(f->run_dir), from);
	}
	free(xml);
}

/* A domain is ours when both its UUID and our metadata say so. */
static void
look_at_domain(struct result *r, virDomainPtr dom, const char *chain)
{
	char uuid[VIR_UUID_STRING_BUFLEN];
	char *metadata, *whose;

	if (virDomainGetUUIDString(dom, uuid) < 0 || !vm_uuid_is_ours(uuid, chain))
		return;
	metadata = virDomainGetMetadata(dom, VIR_DOMAIN_METADATA_ELEMENT, VM_METADATA_URI, 0);
	whose = metadata != NULL ? vm_domain_chain(metadata) : NULL;
	if (whose != NULL && (chain == NULL || strcmp(whose, chain) == 0)) {
		add(r, false, virDomainGetName(dom), uuid, whose);
		read_run_dir(&r->found[r->n - 1], dom);
	}
	free(metadata);
	free(whose);
}

static int
find_domains(struct result *r, virConnectPtr conn, const char *chain, struct err *err)
{
	virDomainPtr *list;
	int n = virConnectListAllDomains(conn, &list, 0);

	if (n < 0)
		return vm_libvirt_error(err, EIO, "domains");
	for (int i = 0; i < n; i++) {
		look_at_domain(r, list[i], chain);
		virDomainFree(list[i]);
	}
	free(list);
	return 0;
}

static int
find_networks(struct result *r, virConnectPtr conn, const char *chain, struct err *err)
{
	virNetworkPtr *list;
	int n = virConnectListAllNetworks(conn, &list, 0);

	if (n < 0)
		return vm_libvirt_error(err, EIO, "networks");
	for (int i = 0; i < n; i++) {
		char uuid[VIR_UUID_STRING_BUFLEN];

		if (virNetworkGetUUIDString(list[i], uuid) == 0 && vm_uuid_is_ours(uuid, chain))
			add(r, true, virNetworkGetName(list[i]), uuid, chain != NULL ? chain : "");
		virNetworkFree(list[i]);
	}
	free(list);
	return 0;
}

int
vm_libvirt_find(virConnectPtr conn, const char *chain, struct vm_found **found, size_t *n,
		struct err *err)
{
	struct result r = {0};
	int rc = find_domains(&r, conn, chain, err);

	if (rc == 0)
		rc = find_networks(&r, conn, chain, err);
	if (rc < 0) {
		free(r.found);
		return rc;
	}
	*found = r.found;
	*n = r.n;
	return 0;
}

static int
remove_network(virConnectPtr conn, const char *uuid, struct err *err)
{
	virNetworkPtr net = virNetworkLookupByUUIDString(conn, uuid);
	int rc = 0;

	if (net == NULL)
		return 0;
	if (virNetworkDestroy(net) < 0)
		rc = vm_libvirt_error(err, EIO, "not taken away");
	virNetworkFree(net);
	return rc;
}

static int
remove_domain(virConnectPtr conn, const char *uuid, struct err *err)
{
	virDomainPtr dom = virDomainLookupByUUIDString(conn, uuid);
	int rc = 0;

	/* A connection that ends takes its domains with it, perhaps meanwhile. */
	if (dom == NULL)
		return 0;
	if (virDomainDestroy(dom) < 0 && virDomainIsActive(dom) == 1)
		rc = vm_libvirt_error(err, EIO, "not ended");
	virDomainFree(dom);
	return rc;
}

int
vm_libvirt_drop(virConnectPtr conn, const struct vm_found *found, struct err *err)
{
	return found->is_network ? remove_network(conn, found->uuid, err)
				 : remove_domain(conn, found->uuid, err);
}
