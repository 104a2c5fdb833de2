/* SPDX-License-Identifier: MIT */
#pragma once

#include "vm.h"

/* Values of QEMU's options that its command line and libvirt's XML share; for the caller to free.
 */

/* -netdev of a stream link: libvirt has no word for those, and passes it through. */
char *vm_stream_netdev(const struct vm_nic *nic, size_t i);
/* -device of NIC 'i', whose netdev is "neti". */
char *vm_nic_device(const struct vm_nic *nic, size_t i);
