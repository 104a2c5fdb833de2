/* SPDX-License-Identifier: MIT */
#pragma once

#include "backend.h"

/* The part of a chain that is in virtual machines. */

/* Removes what an earlier run left, makes the networks, boots each VM and starts its program; the
 * processes of the chain are there, and connect to QEMU's sockets by themselves.  What was made
 * stays for backend_vms_down when it fails. */
int backend_vms_up(struct backend *b, struct err *err);
void backend_vms_down(struct backend *b);
/* Has a VM ended?  -ECHILD with the reason. */
int backend_vms_check(struct backend *b, struct err *err);

/* Has a program in a VM ended, which only its agent knows?  -ECHILD with its last words; asking
 * takes a while. */
int backend_vms_ask_programs(struct backend *b, struct err *err);
/* Ends the program in the VM of process 'i' of the plan, and starts what the plan has there now. */
int backend_vms_end_program(struct backend *b, size_t i, struct err *err);
int backend_vms_start_program(struct backend *b, size_t i, struct err *err);

/* Stops all VMs where they are, or lets them go on; see vm_freeze. */
int backend_vms_freeze(struct backend *b, bool frozen, struct err *err);

/* What the VMs run by, after a fall back too; NULL when there are none. */
const struct vm_accel_choice *backend_vms_accel(const struct backend *b);

/* The agent in the VM of process 'i' of the plan; NULL when it is no VM, or not up. */
struct guest *backend_guest(const struct backend *b, size_t i);
/* Where the generator is spoken to, when it is in a VM: a port here that leads there.  For the
 * caller to free. */
int backend_vms_endpoint(struct backend *b, char **endpoint, struct err *err);

/* Frames that the host had for port 'port' of process 'i' of the plan and that its guest's queue
 * had no room for, since the VM started: what was dropped at the tap of a network.  0 where links
 * have no such place: they wait instead. */
uint64_t backend_vms_missed(const struct backend *b, size_t i, size_t port);
