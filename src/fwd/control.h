/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/loop.h"
#include "group.h"

/* The verbs of the control socket, served by a thread that is no lcore; of several hops in a
 * process each has a socket of its own, and 'drain' ends them all:
 *
 *     hello        {version, dpdk, engine, ports, lcores, burst, on_full, idle, reasons}
 *     counters     {epoch, state, residual, ports: [{rx, tx, miss, held_ns}], drops: {reason: n},
 *                   created, in_flight, busy_tsc, idle_tsc, tsc_hz, burst,
 *                   lcores: [{busy_tsc, busy_gap_tsc, ports: [{rxqs, txq, rx, tx, held_ns}],
 *                   drops: {reason: n}, ...}]}; of the event and the pipeline engine also
 *                   stages: [{frames}]
 *     quiesce      stops receiving until everything held has left; then as counters, exact
 *     resume
 *     port_reopen  {port, closed_ms}: attaches a port again whose peer was started anew; with
 *                  closed_ms it closes it now and opens it after that time, at rest meanwhile
 *     fault        {kind, count, skip, spacing, distance, share_ppm, cycles, duration_ms}:
 *                  damages frames on purpose
 *     drain        ends the program as SIGTERM does
 */

struct control;

/* Starts the thread that serves conf->control of each hop (may be NULL), signals and the lifeline
 * (may be -1), and prints statistics each period of the first one.  SIGTERM, SIGINT, end of file on
 * the lifeline and 'drain' set FWD_STOP; a second signal ends the process at once. */
int control_open(struct control **control, struct group *group, int lifeline, struct err *err);
void control_close(struct control *control);
