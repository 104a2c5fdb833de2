/* SPDX-License-Identifier: MIT */
/* Everything is done relative to the open parent and never through a symbolic link, and nothing is
 * removed that does not carry our mark: $NFVCHAIN_RUN may be mistyped. */
#include "rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#include "rundir_parts.h"

#define MAX_DEPTH 32

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* ---- where ---- */

const char *
rundir_chosen(void)
{
	const char *path = getenv("NFVCHAIN_RUN");

	return path != NULL && path[0] != '\0' ? path : NULL;
}

/* An absolute path without slashes at its end. */
static char *
absolute(const char *path)
{
	char cwd[PATH_MAX], *text;
	size_t len;

	if (path[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
		text = xstrdup(path);
	else
		text = xasprintf("%s/%s", cwd, path);
	for (len = strlen(text); len > 1 && text[len - 1] == '/';)
		text[--len] = '\0';
	return text;
}

/* Often the variable names a directory that was never made, or after su another user's. */
static bool
is_usable(const char *dir)
{
	struct stat st;

	return dir != NULL && dir[0] == '/' && stat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid();
}

static char *
base_path(const char *chain)
{
	const char *chosen = rundir_chosen(), *xdg = getenv("XDG_RUNTIME_DIR");

	if (chosen != NULL)
		return absolute(chosen);
	if (is_usable(xdg))
		return xasprintf("%s/nfvchain/%s", xdg, chain);
	if (geteuid() == 0)
		return xasprintf("/run/nfvchain/%s", chain);
	return xasprintf("/tmp/nfvchain-%u/%s", geteuid(), chain);
}

char *
rundir_path_arm(const char *chain, char arm)
{
	char *base = base_path(chain), *path;

	if (arm == '\0')
		return base;
	path = xasprintf("%s-%c", base, arm);
	free(base);
	return path;
}

char *
rundir_path(const char *chain)
{
	return rundir_path_arm(chain, '\0');
}

char *
rundir_chain_path(const char *run_dir)
{
	return xasprintf("%s/chain.yaml", run_dir);
}

/* ---- the parent ---- */

/* A place that we chose is ours alone; one that the user chose is at least none where anybody can
 * replace what we make. */
static int
check_parent(int fd, const char *path, struct err *err)
{
	bool sticky, writable;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "'%s': %s", path, strerror(errno));
	sticky = rundir_chosen() != NULL && (st.st_mode & S_ISVTX) != 0;
	writable = (st.st_mode & S_IWOTH) != 0;
	if (st.st_uid != geteuid() && !sticky && (rundir_chosen() == NULL || st.st_uid != 0))
		return err_set(err, EPERM, "'%s' belongs to another user (uid %u)", path,
			       st.st_uid);
	if (writable && !sticky)
		return err_set(err, EPERM, "'%s' may be written by anybody (mode %03o)", path,
			       st.st_mode & 0777);
	return 0;
}

/* Why a directory could not be opened, in words. */
static int
open_failed(const char *path, int errnum, struct err *err)
{
	struct stat st;

	if ((errnum == ENOTDIR || errnum == ELOOP) && lstat(path, &st) == 0)
		return err_set(err, errnum, "'%s' is %s", path,
			       S_ISLNK(st.st_mode) ? "a symbolic link" : "not a directory");
	return err_set(err, errnum, "'%s': %s", path, strerror(errnum));
}

/* Opens the directory that holds 'path', made if it is missing; '*name' is the rest of 'path'. */
static int
open_parent(const char *path, const char **name, struct err *err)
{
	char *parent = xstrdup(path), *slash = strrchr(parent, '/');
	int fd, rc;

	*name = path + (slash - parent) + 1;
	slash[slash == parent] = '\0';
	if (mkdir(parent, 0700) < 0 && errno != EEXIST) {
		rc = err_set(err, errno, "'%s': %s", parent, strerror(errno));
		free(parent);
		return rc;
	}
	fd = open(parent, OPEN_DIR);
	rc = fd < 0 ? open_failed(parent, errno, err) : check_parent(fd, parent, err);
	if (rc < 0 && fd >= 0)
		close(fd);
	free(parent);
	return rc < 0 ? rc : fd;
}

/* ---- the lock ---- */

static int
lock_is_held(int fd, const char *chain, struct err *err)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	if (pid > 0)
		return err_set(err, EBUSY, "chain '%s' is up (pid %ld)", chain, pid);
	return err_set(err, EBUSY, "chain '%s' is up", chain);
}

static void
write_pid(int fd, const char *chain)
{
	char text[256];
	int len = snprintf(text, sizeof(text), "%d %.128s\n", getpid(), chain);

	/* For people, and to know whom to ask: the lock itself needs no content. */
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) != len)
		LOG(WARN, "lock file: pid not written: %s", strerror(errno));
}

static int
check_lock_file(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "'%s': %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return err_set(err, EPERM, "'%s' is not a file of ours", path);
	return 0;
}

/* The file stays when the lock goes: were it removed, two could hold locks of the same name. */
static int
take_lock(int parent, const char *path, const char *name, const char *chain, struct err *err)
{
	char *lock_path = xasprintf("%s.lock", path);
	char *lock_name = xasprintf("%s.lock", name);
	int fd, rc;

	fd = openat(parent, lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		    0600);
	if (fd < 0)
		rc = open_failed(lock_path, errno, err);
	else
		rc = check_lock_file(fd, lock_path, err);
	if (rc == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		rc = errno == EWOULDBLOCK
			     ? lock_is_held(fd, chain, err)
			     : err_set(err, errno, "'%s': %s", lock_path, strerror(errno));
	if (rc < 0 && fd >= 0)
		close(fd);
	if (rc == 0)
		write_pid(fd, chain);
	free(lock_path);
	free(lock_name);
	return rc < 0 ? rc : fd;
}

/* ---- removal ---- */

static bool
is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int empty_dir(int fd, const char *spare, dev_t dev, unsigned depth);

/* Removes 'name' in directory 'at', with all in it if it is a directory. */
static int
remove_entry(int at, const char *name, dev_t dev, unsigned depth)
{
	int fd, rc;

	/* The kernel answers EISDIR; POSIX has EPERM. */
	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = openat(at, name, OPEN_DIR);
	if (fd < 0)
		return -errno;
	rc = empty_dir(fd, NULL, dev, depth + 1);
	if (rc == 0 && unlinkat(at, name, AT_REMOVEDIR) < 0)
		rc = -errno;
	return rc;
}

/* Empties the directory but for 'spare', on this file system only, and closes 'fd'. */
static int
empty_dir(int fd, const char *spare, dev_t dev, unsigned depth)
{
	struct dirent *entry;
	struct stat st;
	DIR *dir;
	int rc = 0;

	if (fstat(fd, &st) < 0 || st.st_dev != dev || depth > MAX_DEPTH) {
		close(fd);
		return depth > MAX_DEPTH ? -ELOOP : -EXDEV;
	}
	dir = fdopendir(fd);
	if (dir == NULL) {
		rc = -errno;
		close(fd);
		return rc;
	}
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (!is_dot(entry->d_name) && (spare == NULL || strcmp(entry->d_name, spare) != 0))
			rc = remove_entry(fd, entry->d_name, dev, depth);
	closedir(dir);
	return rc;
}

/* The mark goes last, so that a removal that was interrupted can be taken up again. */
static int
empty_rundir(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), rc;
	struct stat st;

	if (copy < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		rc = -errno;
		close(copy);
		return rc;
	}
	rc = empty_dir(copy, MARK, st.st_dev, 0);
	if (rc == 0 && unlinkat(fd, MARK, 0) < 0 && errno != ENOENT)
		rc = -errno;
	return rc;
}

/* ---- the directory ---- */

static bool
is_empty(int fd)
{
	int copy = openat(fd, ".", OPEN_DIR);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	bool found = false;

	if (dir == NULL) {
		if (copy >= 0)
			close(copy);
		return false;
	}
	while (!found && (entry = readdir(dir)) != NULL)
		found = !is_dot(entry->d_name);
	closedir(dir);
	return !found;
}

static bool
is_marked(int fd)
{
	struct stat st;

	return fstatat(fd, MARK, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* Makes an open directory ours: private, empty, marked. */
static int
claim(int fd, const char *path, struct err *err)
{
	struct stat st;
	int mark, rc = 0;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "'%s': %s", path, strerror(errno));
	if (st.st_uid != geteuid())
		return err_set(err, EPERM, "'%s' belongs to another user (uid %u)", path,
			       st.st_uid);
	if (!is_marked(fd) && !is_empty(fd))
		return err_usage(err, "'%s' is not empty and no run directory", path);
	if (fchmod(fd, 0700) < 0)
		return err_set(err, errno, "'%s': %s", path, strerror(errno));
	rc = empty_rundir(fd);
	if (rc < 0)
		return err_set(err, -rc, "'%s': what an earlier run left: %s", path, strerror(-rc));
	mark = openat(fd, MARK, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (mark < 0)
		return err_set(err, errno, "'%s': %s", path, strerror(errno));
	close(mark);
	return 0;
}

static int
make(int parent, const char *path, const char *name, struct err *err)
{
	int fd, rc;

	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "'%s': %s", path, strerror(errno));
	fd = openat(parent, name, OPEN_DIR);
	if (fd < 0)
		return open_failed(path, errno, err);
	rc = claim(fd, path, err);
	close(fd);
	return rc;
}

static int
open_at(struct rundir *dir, const char *chain, struct err *err)
{
	const char *name;
	int parent, rc;

	parent = open_parent(dir->path, &name, err);
	if (parent < 0)
		return parent;
	if (name[0] == '\0' || is_dot(name))
		rc = err_usage(err, "'%s' is no name for a directory", dir->path);
	else
		rc = take_lock(parent, dir->path, name, chain, err);
	if (rc >= 0) {
		dir->lock_fd = rc;
		rc = make(parent, dir->path, name, err);
	}
	close(parent);
	return rc;
}

int
rundir_open(struct rundir *dir, const char *chain, struct err *err)
{
	return rundir_open_arm(dir, chain, '\0', err);
}

int
rundir_open_arm(struct rundir *dir, const char *chain, char arm, struct err *err)
{
	int rc;

	*dir = (struct rundir){.path = rundir_path_arm(chain, arm), .lock_fd = -1};
	if (dir->path[0] != '/')
		rc = err_set(err, ENOENT, "the current directory has no path");
	else
		rc = open_at(dir, chain, err);
	if (rc < 0) {
		if (dir->lock_fd >= 0)
			close(dir->lock_fd);
		free(dir->path);
		*dir = (struct rundir){.lock_fd = -1};
		return rc == -EBUSY ? rc : err_wrap(err, rc, "run directory");
	}
	return 0;
}

/* ---- room ---- */

#define PROGRAM_KB 8192 /* of DPDK's files for 256 MB of memory, twice */
#define FULL_KB 64

static uint64_t
free_kb(const struct rundir *dir)
{
	struct statvfs fs;

	if (statvfs(dir->path, &fs) < 0)
		return UINT64_MAX;
	return (uint64_t)fs.f_bavail * fs.f_frsize / 1024;
}

int
rundir_check_room(const struct rundir *dir, size_t n, struct err *err)
{
	uint64_t have = free_kb(dir), need = n * PROGRAM_KB;

	if (have >= need)
		return 0;
	return err_machine(err,
			   "run directory '%s': its file system has %llu kB left, and %zu programs "
			   "need %llu kB there (NFVCHAIN_RUN=DIR names another place)",
			   dir->path, (unsigned long long)have, n, (unsigned long long)need);
}

bool
rundir_is_full(const struct rundir *dir)
{
	return free_kb(dir) < FULL_KB;
}

/* ---- the end ---- */

/* 1: it was there and is removed; 0: there was none. */
static int
remove_dir(const char *path)
{
	const char *name;
	int parent = open_parent(path, &name, NULL), fd, rc;

	if (parent < 0)
		return parent;
	fd = openat(parent, name, OPEN_DIR);
	if (fd < 0) {
		rc = errno == ENOENT ? 0 : -errno;
		close(parent);
		return rc;
	}
	rc = is_marked(fd) ? empty_rundir(fd) : -ENOTEMPTY;
	if (rc == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
		rc = -errno;
	close(fd);
	close(parent);
	return rc < 0 ? rc : 1;
}

static void
unlock(struct rundir *dir)
{
	/* Nobody's pid is better than one that may be given to somebody else. */
	if (ftruncate(dir->lock_fd, 0) < 0)
		LOG(DEBUG, "lock of '%s' keeps its pid", dir->path);
	close(dir->lock_fd);
	free(dir->path);
	*dir = (struct rundir){.lock_fd = -1};
}

void
rundir_close(struct rundir *dir)
{
	int rc;

	if (dir == NULL || dir->path == NULL)
		return;
	rc = remove_dir(dir->path);
	if (rc < 0)
		LOG(WARN, "run directory '%s' is not removed: %s", dir->path, strerror(-rc));
	unlock(dir);
}

int
rundir_remove(struct rundir *dir, bool *removed, struct err *err)
{
	int rc = remove_dir(dir->path);

	*removed = rc > 0;
	/* One without our mark is somebody else's. */
	if (rc == -ENOTEMPTY)
		rc = 0;
	else if (rc < 0)
		err_set(err, -rc, "'%s': %s", dir->path, strerror(-rc));
	unlock(dir);
	return rc < 0 ? rc : 0;
}

int
rundir_seize(struct rundir *dir, const char *path, const char *chain, struct err *err)
{
	const char *name;
	int parent = open_parent(path, &name, err), rc;

	*dir = (struct rundir){.lock_fd = -1};
	if (parent < 0)
		return err_wrap(err, parent, "run directory");
	rc = take_lock(parent, path, name, chain, err);
	close(parent);
	if (rc < 0)
		return rc;
	*dir = (struct rundir){.path = xstrdup(path), .lock_fd = rc};
	return 0;
}
