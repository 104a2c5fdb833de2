/* SPDX-License-Identifier: MIT */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "str.h"

/* Formats into a buffer of its own first, since an argument may be the old message. */
__attribute__((format(printf, 3, 0))) static void
record(struct err *err, enum err_class class, const char *fmt, va_list ap)
{
	char msg[sizeof(err->msg)];
	size_t len;

	if (err == NULL)
		return;
	len = str_vprint(msg, sizeof(msg), fmt, ap);
	memcpy(err->msg, msg, len + 1);
	err->class = class;
}

int
err_set(struct err *err, int errnum, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(err, ERR_FAILED, fmt, ap);
	va_end(ap);
	/* Some libraries fail without setting errno, and -rc is easily forgotten: neither may turn
	 * a failure into a success. */
	if (errnum == 0)
		return -EIO;
	return errnum > 0 ? -errnum : errnum;
}

int
err_usage(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(err, ERR_USAGE, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int
err_machine(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(err, ERR_MACHINE, fmt, ap);
	va_end(ap);
	return -ENODEV;
}

int
err_class(struct err *err, enum err_class class, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(err, class, fmt, ap);
	va_end(ap);
	return -EPROTO;
}

int
err_wrap(struct err *err, int rc, const char *fmt, ...)
{
	/* Half of the room, so that the cause stays readable however long the context is. */
	char where[sizeof(err->msg) / 2];
	va_list ap;

	if (err == NULL || rc >= 0)
		return rc;
	va_start(ap, fmt);
	str_vprint(where, sizeof(where), fmt, ap);
	va_end(ap);
	if (err->class == 0)
		err_set(err, -rc, "%s: %s", where, strerror(-rc));
	else
		err_class(err, err->class, "%s: %s", where, err->msg);
	return rc;
}

int
err_exit_code(const struct err *err)
{
	return err != NULL && err->class != 0 ? (int)err->class : (int)ERR_FAILED;
}
