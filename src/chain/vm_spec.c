/* SPDX-License-Identifier: MIT */
/* Rules and names of virtual machines and networks. */
#include "vm.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "plan_parts.h"

#define MAX_DEVICE 15 /* characters of a network device's name, IFNAMSIZ less its NUL */
#define MAX_VCPUS 64
#define MIN_MEMORY_MB 64
#define MAX_MEMORY_MB (1u << 20)

const char *
vm_accel_name(enum vm_accel accel)
{
	return accel == VM_ACCEL_KVM ? "kvm" : "tcg";
}

const char *
vm_link_name(enum vm_link link)
{
	static const char *const names[] = {"network", "vhost-user", "stream"};

	return (size_t)link < N_ELEMS(names) ? names[link] : "?";
}

const char *
vm_model_name(enum nic_model model)
{
	static const char *const names[] = {"virtio", "e1000", "e1000e"};

	return (size_t)model < N_ELEMS(names) ? names[model] : "?";
}

char *
vm_domain_name(const struct vm_spec *spec)
{
	return xasprintf("%s-%s", spec->chain, spec->name);
}

/* ---- rules ---- */

/* What ends up in names of files, domains and devices. */
static int
check_word(const char *what, const char *word, size_t max, struct err *err)
{
	if (word == NULL || word[0] == '\0' || word[0] == '-')
		return err_usage(err, "%s must not be empty, nor begin with -", what);
	for (const char *p = word; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("-_", *p) == NULL)
			return err_usage(err,
					 "%s '%.100s' has other characters than letters, "
					 "digits, - and _",
					 what, word);
	if (strlen(word) > max)
		return err_usage(err, "%s '%.100s' is longer than %zu characters", what, word, max);
	return 0;
}

/* XML has no way to write control characters, and a kernel's command line is one line. */
static int
check_text(const char *what, const char *text, struct err *err)
{
	for (const char *p = text; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p))
			return err_usage(err, "%s has a control character", what);
	return 0;
}

static int
check_path(const char *what, const char *path, struct err *err)
{
	if (path == NULL || path[0] != '/')
		return err_usage(err, "%s '%.100s' is no absolute path", what,
				 path != NULL ? path : "");
	return check_text(what, path, err);
}

static int
check_socket(const char *what, const char *path, struct err *err)
{
	int rc = check_path(what, path, err);

	if (rc == 0 && strlen(path) > PLAN_SOCKET_PATH_MAX)
		rc = err_usage(err, "%s '%s' has %zu characters and may have %d", what, path,
			       strlen(path), PLAN_SOCKET_PATH_MAX);
	return rc;
}

static int
check_ring(const char *what, unsigned ring, unsigned max, struct err *err)
{
	if (ring < VM_MIN_RING || ring > max || (ring & (ring - 1)) != 0)
		return err_usage(err, "%s of %u descriptors: QEMU has powers of two from %d to %u",
				 what, ring, VM_MIN_RING, max);
	return 0;
}

static int
check_queues(const struct vm_nic *nic, struct err *err)
{
	unsigned max = nic->link == VM_LINK_STREAM || nic->model != NIC_VIRTIO ? 1 : VM_MAX_QUEUES;

	if (nic->queues < 1 || nic->queues > max)
		return err_usage(err, "%u queues: there can be 1 to %u", nic->queues, max);
	return 0;
}

static int
check_nic(const struct vm_nic *nic, struct err *err)
{
	int rc;

	if (nic->slot < VM_FIRST_SLOT || nic->slot > VM_LAST_SLOT)
		return err_usage(err, "PCI slot %u is not from %d to %d", nic->slot, VM_FIRST_SLOT,
				 VM_LAST_SLOT);
	if ((nic->mac[0] & 1) != 0)
		return err_usage(err, "its MAC address is a group's");
	if (nic->model != NIC_VIRTIO && nic->link == VM_LINK_VHOST_USER)
		return err_usage(err, "an %s NIC has no vhost-user queues",
				 vm_model_name(nic->model));
	if (nic->link == VM_LINK_NETWORK) {
		rc = check_word("network", nic->network, VM_MAX_NAME, err);
		if (rc == 0)
			rc = check_word("device", nic->tap, MAX_DEVICE, err);
	} else {
		rc = check_socket("socket", nic->path, err);
	}
	if (rc == 0)
		rc = check_queues(nic, err);
	if (rc == 0)
		rc = check_ring("receive queue", nic->ring_rx, VM_MAX_RING, err);
	if (rc == 0)
		rc = check_ring("transmit queue", nic->ring_tx,
				nic->link == VM_LINK_VHOST_USER ? VM_MAX_RING : VM_MIN_RING, err);
	return rc;
}

/* Two NICs in one place, or of one address. */
static int
check_pair(const struct vm_nic *a, const struct vm_nic *b, struct err *err)
{
	if (a->slot == b->slot)
		return err_usage(err, "PCI slot %u is another NIC's too", a->slot);
	if (memcmp(a->mac, b->mac, sizeof(a->mac)) == 0)
		return err_usage(err, "its MAC address is another NIC's too");
	return 0;
}

static int
check_nics(const struct vm_spec *spec, struct err *err)
{
	int rc = 0;

	if (spec->n_nics > VM_MAX_NICS)
		return err_usage(err, "%zu NICs, and a VM has at most %d", spec->n_nics,
				 VM_MAX_NICS);
	for (size_t i = 0; rc == 0 && i < spec->n_nics; i++) {
		rc = check_nic(&spec->nic[i], err);
		for (size_t k = 0; rc == 0 && k < i; k++)
			rc = check_pair(&spec->nic[i], &spec->nic[k], err);
		err_wrap(err, rc, "NIC %zu", i);
	}
	return rc;
}

static int
check_files(const struct vm_spec *spec, struct err *err)
{
	int rc = check_path("kernel", spec->kernel, err);

	if (rc == 0 && spec->initrd != NULL)
		rc = check_path("initramfs", spec->initrd, err);
	if (rc == 0)
		rc = check_text("the kernel's command line",
				spec->cmdline != NULL ? spec->cmdline : "", err);
	if (rc == 0)
		rc = check_path("console", spec->console_path, err);
	if (rc == 0 && spec->channel_path != NULL)
		rc = check_socket("channel", spec->channel_path, err);
	if (rc == 0 && spec->monitor_path != NULL)
		rc = check_socket("monitor", spec->monitor_path, err);
	return rc;
}

static int
check_machine(const struct vm_spec *spec, struct err *err)
{
	if (spec->memory_mb < MIN_MEMORY_MB || spec->memory_mb > MAX_MEMORY_MB)
		return err_usage(err, "memory of %u MiB is not from %d to %u MiB", spec->memory_mb,
				 MIN_MEMORY_MB, MAX_MEMORY_MB);
	if (spec->vcpus < 1 || spec->vcpus > MAX_VCPUS)
		return err_usage(err, "%u vCPUs: a VM has 1 to %d", spec->vcpus, MAX_VCPUS);
	if (spec->channel == NULL || spec->channel[0] == '\0')
		return err_usage(err, "its channel needs a name");
	return check_text("the channel's name", spec->channel, err);
}

int
vm_spec_check(const struct vm_spec *spec, struct err *err)
{
	int rc = check_word("chain name", spec->chain, VM_MAX_NAME / 2, err);

	if (rc == 0)
		rc = check_word("VM name", spec->name, VM_MAX_NAME / 2 - 1, err);
	if (rc < 0)
		return rc;
	rc = check_machine(spec, err);
	if (rc == 0)
		rc = check_files(spec, err);
	if (rc == 0)
		rc = check_nics(spec, err);
	return err_wrap(err, rc, "VM '%s'", spec->name);
}

int
vm_net_check(const struct vm_net *net, struct err *err)
{
	int rc = check_word("chain name", net->chain, VM_MAX_NAME / 2, err);

	if (rc == 0)
		rc = check_word("network", net->name, VM_MAX_NAME, err);
	if (rc == 0)
		rc = check_word("bridge", net->bridge, MAX_DEVICE, err);
	return rc;
}

/* ---- ours ---- */

/* FNV-1a. */
static uint32_t
hash(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * 16777619u;
	return h;
}

/* A UUID of version 8 (RFC 9562: its content is ours to choose): "nfvcha", what it is, the chain's
 * hash in 24 bits, the name's in 32. */
static void
make_uuid(char text[VM_UUID_LEN + 1], unsigned what, const char *chain, const char *name)
{
	uint32_t c = hash(chain) & 0xffffff, n = hash(name);

	snprintf(text, VM_UUID_LEN + 1, "6e667663-6861-8%03x-a0%02x-%04x%08x", what, c >> 16,
		 c & 0xffff, n);
}

void
vm_domain_uuid(char text[VM_UUID_LEN + 1], const char *chain, const char *name)
{
	make_uuid(text, 1, chain, name);
}

void
vm_network_uuid(char text[VM_UUID_LEN + 1], const char *chain, const char *name)
{
	make_uuid(text, 2, chain, name);
}

bool
vm_uuid_is_ours(const char *uuid, const char *chain)
{
	static const char ours[] = "6e667663-6861-8";
	char same[VM_UUID_LEN + 1];

	if (strlen(uuid) != VM_UUID_LEN || strncasecmp(uuid, ours, strlen(ours)) != 0)
		return false;
	if (chain == NULL)
		return true;
	vm_domain_uuid(same, chain, "");
	/* "-a0CC-CCCC" follows what kind it is. */
	return strncasecmp(uuid + 18, same + 18, 10) == 0;
}

char *
vm_domain_chain(const char *metadata)
{
	const char *name = strstr(metadata, " chain="), *end;

	/* A name needs no escapes; libvirt writes either kind of quotes. */
	if (name == NULL)
		return NULL;
	name += strlen(" chain=");
	end = strchr(name + 1, *name);
	return end != NULL ? xasprintf("%.*s", (int)(end - name - 1), name + 1) : NULL;
}

/* ---- the end ---- */

void
vm_spec_fini(struct vm_spec *spec)
{
	for (size_t i = 0; i < spec->n_nics; i++) {
		free(spec->nic[i].network);
		free(spec->nic[i].tap);
		free(spec->nic[i].path);
	}
	free(spec->chain);
	free(spec->name);
	free(spec->kernel);
	free(spec->initrd);
	free(spec->cmdline);
	free(spec->console_path);
	free(spec->channel);
	free(spec->channel_path);
	free(spec->monitor_path);
	*spec = (struct vm_spec){0};
}

void
vm_net_fini(struct vm_net *net)
{
	free(net->chain);
	free(net->name);
	free(net->bridge);
	*net = (struct vm_net){0};
}
