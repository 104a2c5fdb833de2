/* SPDX-License-Identifier: MIT */
#pragma once

/* Why a control-plane call failed, in words for a person.
 *
 * The return value stays the machine-readable part: 0 or a negative errno.  Callers put one on the
 * stack, pass it down, and print it once, at the top; each layer adds where, none repeats what. */

/* What kind of failure it is, and so which code the program exits with. */
enum err_class {
	ERR_FAILED = 1,	      /* could not do what was asked */
	ERR_USAGE = 2,	      /* wrong option, file or value: nothing was touched */
	ERR_MACHINE = 3,      /* the machine lacks something */
	ERR_ASSERT = 4,	      /* an assertion or a comparison with a baseline failed */
	ERR_ACCOUNTING = 5,   /* frames that nobody accounts for */
	ERR_INCONCLUSIVE = 6, /* the machine was too noisy for a verdict */
};

struct err {
	enum err_class class; /* also the exit code; 0 as long as nothing failed */
	char msg[1024];	      /* one sentence, no full stop, no newline unless it quotes a file */
};

/* Records a message of class ERR_FAILED and returns -'errnum', so that a failing branch is one
 * line.  'err' may be NULL. */
int err_set(struct err *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a mistake of the user's: class ERR_USAGE, returns -EINVAL. */
int err_usage(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for what the machine lacks: class ERR_MACHINE, returns -ENODEV. */
int err_machine(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same with the class given; returns -EPROTO. */
int err_class(struct err *err, enum err_class class, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the message and returns 'rc' unchanged.  Does nothing when 'rc' is
 * not negative; when nothing was recorded yet, the message is what errno -'rc' means. */
int err_wrap(struct err *err, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The exit code for 'err': its class, or 1 when none was recorded. */
int err_exit_code(const struct err *err);
