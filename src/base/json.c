/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

/* ---- reading ---- */

/* Takes "[12]" off the front of '*path'; NULL when that is not what is there. */
static const json_t *
step_index(const json_t *at, const char **path)
{
	char *end;
	unsigned long i;

	if (!json_is_array(at) || (*path)[1] < '0' || (*path)[1] > '9')
		return NULL;
	errno = 0;
	i = strtoul(*path + 1, &end, 10);
	if (errno != 0 || *end != ']')
		return NULL;
	*path = end + 1;
	return json_array_get(at, i);
}

static const json_t *
step_key(const json_t *at, const char **path)
{
	size_t len = strcspn(*path, ".[");
	const json_t *next;
	char *key;

	/* A copy, because jansson before 2.14 looks up only whole strings. */
	key = xasprintf("%.*s", (int)len, *path);
	next = json_object_get(at, key);
	free(key);
	*path += len;
	return next;
}

const json_t *
json_at(const json_t *root, const char *path)
{
	const json_t *at = root;

	while (at != NULL && *path != '\0') {
		if (*path == '[') {
			at = step_index(at, &path);
			continue;
		}
		if (*path == '.')
			path++;
		at = step_key(at, &path);
	}
	return at;
}

/* The value at 'path', or NULL with the error told. */
static const json_t *
need(const json_t *root, const char *path, struct err *err)
{
	const json_t *at = json_at(root, path);

	if (at == NULL)
		err_set(err, ENOENT, "%s: missing", path);
	return at;
}

int
json_get_u64(const json_t *root, const char *path, uint64_t *value, struct err *err)
{
	const json_t *at = need(root, path, err);

	if (at == NULL)
		return -ENOENT;
	if (!json_is_integer(at) || json_integer_value(at) < 0)
		return err_set(err, EINVAL, "%s: not an unsigned integer", path);
	*value = (uint64_t)json_integer_value(at);
	return 0;
}

int
json_get_double(const json_t *root, const char *path, double *value, struct err *err)
{
	const json_t *at = need(root, path, err);

	if (at == NULL)
		return -ENOENT;
	if (!json_is_number(at))
		return err_set(err, EINVAL, "%s: not a number", path);
	*value = json_number_value(at);
	return 0;
}

int
json_get_bool(const json_t *root, const char *path, bool *value, struct err *err)
{
	const json_t *at = need(root, path, err);

	if (at == NULL)
		return -ENOENT;
	if (!json_is_boolean(at))
		return err_set(err, EINVAL, "%s: not true or false", path);
	*value = json_is_true(at);
	return 0;
}

int
json_get_text(const json_t *root, const char *path, const char **value, struct err *err)
{
	const json_t *at = need(root, path, err);

	if (at == NULL)
		return -ENOENT;
	if (!json_is_string(at))
		return err_set(err, EINVAL, "%s: not a text", path);
	*value = json_string_value(at);
	return 0;
}

int
json_load_path(json_t **root, const char *path, struct err *err)
{
	json_error_t why;
	FILE *in;
	int rc;

	*root = NULL;
	in = fopen(path, "re");
	if (in == NULL) {
		rc = errno;
		return err_set(err, rc, "%s: %s", path, strerror(rc));
	}
	*root = json_loadf(in, JSON_REJECT_DUPLICATES, &why);
	rc = ferror(in) ? errno : 0;
	fclose(in);
	if (*root != NULL)
		return 0;
	if (rc != 0)
		return err_set(err, rc, "%s: %s", path, strerror(rc));
	return err_set(err, EINVAL, "%s:%d:%d: %s", path, why.line, why.column, why.text);
}

/* ---- writing ---- */

json_t *
json_u64(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

json_t *
json_number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static int write_value(const json_t *value, unsigned depth, FILE *out);

/* Jansson prints 0.1 as 0.10000000000000001; this takes the fewest digits that read back as the
 * same number. */
static int
write_real(double value, FILE *out)
{
	char buf[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(buf, sizeof(buf), "%.*g", digits, value);
		if (strtod(buf, NULL) == value)
			break;
	}
	/* Without it the number would come back as an integer. */
	if (strpbrk(buf, ".e") == NULL)
		strcat(buf, ".0");
	return fputs(buf, out);
}

static int
write_indent(unsigned depth, FILE *out)
{
	return fprintf(out, "\n%*s", (int)(2 * depth), "");
}

static int
write_object(json_t *object, unsigned depth, FILE *out)
{
	const char *between = "";
	const char *key;
	json_t *value;

	if (json_object_size(object) == 0)
		return fputs("{}", out);
	fputc('{', out);
	json_object_foreach(object, key, value) {
		json_t *name = json_string(key);
		int rc;

		fputs(between, out);
		write_indent(depth + 1, out);
		rc = write_value(name, depth, out);
		json_decref(name);
		fputs(": ", out);
		if (rc < 0 || write_value(value, depth + 1, out) < 0)
			return -1;
		between = ",";
	}
	write_indent(depth, out);
	return fputc('}', out);
}

static int
write_array(const json_t *array, unsigned depth, FILE *out)
{
	size_t n = json_array_size(array);

	if (n == 0)
		return fputs("[]", out);
	fputc('[', out);
	for (size_t i = 0; i < n; i++) {
		fputs(i > 0 ? "," : "", out);
		write_indent(depth + 1, out);
		if (write_value(json_array_get(array, i), depth + 1, out) < 0)
			return -1;
	}
	write_indent(depth, out);
	return fputc(']', out);
}

/* Negative when the value or the stream is broken. */
static int
write_value(const json_t *value, unsigned depth, FILE *out)
{
	if (json_is_object(value))
		return write_object((json_t *)(uintptr_t)value, depth, out);
	if (json_is_array(value))
		return write_array(value, depth, out);
	if (json_is_real(value))
		return write_real(json_real_value(value), out);
	return json_dumpf(value, out, JSON_ENCODE_ANY);
}

int
json_write(const json_t *root, FILE *out)
{
	if (write_value(root, 0, out) < 0 || fputc('\n', out) == EOF || ferror(out))
		return -EIO;
	return 0;
}

/* Opens a new file beside 'path', named in '*temp'. */
static FILE *
open_beside(const char *path, char **temp)
{
	static atomic_uint counter; /* threads of one process must not share a name */
	FILE *out;
	int fd;

	do {
		*temp = xasprintf("%s.%d-%u.tmp", path, (int)getpid(),
				  atomic_fetch_add(&counter, 1));
		fd = open(*temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd < 0 && errno == EEXIST)
			free(*temp);
	} while (fd < 0 && errno == EEXIST);
	if (fd < 0)
		return NULL;
	out = fdopen(fd, "w");
	if (out == NULL) {
		close(fd);
		unlink(*temp);
	}
	return out;
}

int
json_save(const json_t *root, const char *path, struct err *err)
{
	char *temp;
	FILE *out;
	int rc = 0;

	errno = 0;
	out = open_beside(path, &temp);
	if (out == NULL) {
		rc = errno;
		free(temp);
		return err_set(err, rc, "%s: %s", path, strerror(rc));
	}
	/* Flushed to the disk before the name moves: after a crash of the machine the name stands
	 * for the old file or the new one, never for an empty one. */
	if (json_write(root, out) < 0 || fflush(out) != 0 || fsync(fileno(out)) < 0)
		rc = errno != 0 ? errno : EIO;
	if (fclose(out) != 0 && rc == 0)
		rc = errno;
	if (rc == 0 && rename(temp, path) < 0)
		rc = errno;
	if (rc != 0) {
		unlink(temp);
		err_set(err, rc, "%s: %s", path, strerror(rc));
	}
	free(temp);
	return -rc;
}
