/* SPDX-License-Identifier: MIT */
#pragma once

/* The thread of DPDK's vhost library waits for what it knew of when it began to wait, for a second:
 * a listener that was added since is not looked at before, so that who connects to it has no answer
 * for so long.  This makes it look again.  To be called when a vhost port was opened. */
void vhost_wake(void);
