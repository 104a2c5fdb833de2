/* SPDX-License-Identifier: MIT */
#pragma once

/* The only file that asks which DPDK this is: 22.11 is the floor, 24.11 and 25.11 are the others.
 */

#include <rte_telemetry.h>
#include <rte_version.h>

/* 25.11 dropped the _u64 names, 22.11 lacks the _uint ones. */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define compat_tel_dict_uint(d, name, value) rte_tel_data_add_dict_uint(d, name, value)
#else
#define compat_tel_dict_uint(d, name, value) rte_tel_data_add_dict_u64(d, name, value)
#endif
