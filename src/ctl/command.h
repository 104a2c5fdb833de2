/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "base/opt.h"

/* The sub-commands of nfvchain: a table in main.c, one file each. */

struct command {
	const char *name;
	const char *summary; /* for nfvchain --help */
	/* 'argv[0]' is the sub-command's name.  0, or negative with the sentence in 'err'; the exit
	 * code then is err's class.  OPT_HELPED counts as success. */
	int (*run)(int argc, char **argv, struct err *err);
	const struct opt_command *options; /* for completion and the manual page */
};

extern const struct command commands[];
extern const size_t n_commands;

int cmd_bench(int argc, char **argv, struct err *err);
int cmd_compare(int argc, char **argv, struct err *err);
int cmd_sweep(int argc, char **argv, struct err *err);
int cmd_report(int argc, char **argv, struct err *err);
int cmd_plan(int argc, char **argv, struct err *err);
int cmd_start(int argc, char **argv, struct err *err);
int cmd_up(int argc, char **argv, struct err *err);
int cmd_ps(int argc, char **argv, struct err *err);
int cmd_down(int argc, char **argv, struct err *err);
int cmd_metrics(int argc, char **argv, struct err *err);
int cmd_status(int argc, char **argv, struct err *err);
int cmd_fault(int argc, char **argv, struct err *err);
int cmd_logs(int argc, char **argv, struct err *err);
int cmd_top(int argc, char **argv, struct err *err);
int cmd_console(int argc, char **argv, struct err *err);
int cmd_image(int argc, char **argv, struct err *err);
int cmd_doctor(int argc, char **argv, struct err *err);
int cmd_completion(int argc, char **argv, struct err *err);

extern const struct opt_command bench_command;
extern const struct opt_command compare_command;
extern const struct opt_command sweep_command;
extern const struct opt_command report_command;
extern const struct opt_command plan_command;
extern const struct opt_command start_command;
extern const struct opt_command up_command;
extern const struct opt_command ps_command;
extern const struct opt_command down_command;
extern const struct opt_command console_command;
extern const struct opt_command metrics_command;
extern const struct opt_command status_command;
extern const struct opt_command fault_command;
extern const struct opt_command logs_command;
extern const struct opt_command top_command;
extern const struct opt_command image_command;
extern const struct opt_command doctor_command;
extern const struct opt_command completion_command;

/* Prints the manual page of nfvchain with all its commands. */
void command_man(FILE *out);

/* Directory of this program: where nfvchain-gen and nfvchain-fwd are looked for first (the build
 * tree's layout too), else PATH.  Returns a path to free. */
char *command_bin_dir(void);

/* Path of a program: beside this one, else in PATH; NULL when it is in neither.  For the caller to
 * free. */
char *command_find_program(const char *name);
