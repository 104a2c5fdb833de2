/* SPDX-License-Identifier: MIT */
#pragma once

#include "run.h"

/* The RPC thread's side of a run: what it asks the worker for, and what it reads. */

/* Puts the run's streams into order by their ids. */
void run_index(struct run *run);
/* Frees what the changes name; of a run that no worker has. */
void run_forget_changes(struct run *run);
