/* SPDX-License-Identifier: MIT */
/* Files of the host: see disk.h. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plain.h"
#include "tell.h"

static const char exists[] = "it exists already: --force overwrites it";

bool
disk_path(char path[DISK_PATH_MAX], const char *base, const char *ending, struct out *why)
{
	struct out o = { .at = path, .cap = DISK_PATH_MAX };

	out_string(&o, base);
	out_string(&o, ending);
	out_char(&o, '\0');
	return o.cut ? tell(why, "its name is too long") : true;
}

bool
disk_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

bool
disk_is_free(const char *path, bool force, struct out *why)
{
	return force || !disk_exists(path) || tell(why, exists);
}

/* Read up to the end. */
static bool
read_all(int fd, uint8_t *dst, size_t cap, size_t *len, struct out *why)
{
	ssize_t n;

	*len = 0;
	do {
		n = read(fd, dst + *len, cap - *len);
		if (n > 0) {
			*len += (size_t)n;
		}
	} while ((n > 0 && *len < cap) || (n < 0 && errno == EINTR));
	if (n < 0) {
		return tell(why, strerror(errno));
	}
	return *len == cap ? tell(why, "it is too long") : true;
}

static bool
read_file(const char *path, bool is_private, uint8_t *dst, size_t cap, size_t *len,
	struct out *why)
{
	struct stat st;
	bool is_read = false;
	/* Not to wait where it is a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)tell(why, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		(void)tell(why, "it is no file");
	} else if (is_private && (st.st_mode & 077) != 0) {
		(void)tell(why, "others than its owner can use it: `chmod 600` makes it private");
	} else {
		is_read = read_all(fd, dst, cap, len, why);
	}
	if (fd >= 0) {
		(void)close(fd);
	}
	return is_read;
}

bool
disk_read(const char *path, uint8_t *dst, size_t cap, size_t *len, struct out *why)
{
	return strcmp(path, "-") == 0 ? read_all(STDIN_FILENO, dst, cap, len, why)
		: read_file(path, false, dst, cap, len, why);
}

bool
disk_read_private(const char *path, uint8_t *dst, size_t cap, size_t *len, struct out *why)
{
	return read_file(path, true, dst, cap, len, why);
}

/* The folder that a file is in. */
static void
find_folder(char folder[DISK_PATH_MAX], const char *path)
{
	const char *slash = strrchr(path, '/');
	struct text t = { ".", 1 };

	if (slash != NULL) {
		t = (struct text){ path, slash == path ? 1 : (size_t)(slash - path) };
	}
	if (!text_copy(t, folder, DISK_PATH_MAX)) {
		folder[0] = '\0';
	}
}

/* What follows the last slash. */
static const char *
name_in_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static bool
is_one(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool
disk_is_same(const char *a, const char *b)
{
	char folder_a[DISK_PATH_MAX], folder_b[DISK_PATH_MAX];
	struct stat x, y;

	if (stat(a, &x) == 0 && stat(b, &y) == 0) {
		return is_one(&x, &y);
	}
	find_folder(folder_a, a);
	find_folder(folder_b, b);
	return strcmp(name_in_folder(a), name_in_folder(b)) == 0 && stat(folder_a, &x) == 0
		&& stat(folder_b, &y) == 0 && is_one(&x, &y);
}

bool
disk_sync_folder(const char *path)
{
	char folder[DISK_PATH_MAX];
	int fd;
	bool is_synced;

	find_folder(folder, path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	is_synced = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0) {
		(void)close(fd);
	}
	return is_synced;
}

static bool
write_all(int fd, const void *src, size_t len)
{
	const char *at = src;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno != EINTR) {
			return false;
		}
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd) == 0;
}

/* Rename what must not replace anything, also not what somebody else makes in between. */
static bool
move_to_new(const char *from, const char *to)
{
	/* Not every C library has renameat2(2). */
	if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
		return true;
	}
	if (errno != EINVAL && errno != ENOSYS) {
		return false;
	}
	/* File systems that don't know of it often have link(2), which never replaces, either. */
	return link(from, to) == 0 && unlink(from) == 0;
}

bool
disk_move(const char *from, const char *to, bool force, struct out *why)
{
	if (force ? rename(from, to) == 0 : move_to_new(from, to)) {
		return true;
	}
	return tell(why, errno == EEXIST ? exists : strerror(errno));
}

/* A new file beside one, open, with mode 0600. */
static int
open_beside(char temporary[DISK_PATH_MAX], const char *path, struct out *why)
{
	int fd = -1;

	if (disk_path(temporary, path, ".XXXXXX", why)) {
		fd = mkostemp(temporary, O_CLOEXEC);
		if (fd < 0) {
			(void)tell(why, strerror(errno));
		}
	}
	return fd;
}

/* Make an empty file beside one, and rename it as that would be. */
static bool
try(const char *path, bool force, struct out *why)
{
	char temporary[DISK_PATH_MAX], moved[DISK_PATH_MAX];
	int fd = open_beside(temporary, path, why);
	bool is_good = fd >= 0;

	if (is_good && !force) {
		/* No temporary file ends like this. */
		(void)memcpy(moved, temporary, sizeof moved);
		moved[strlen(moved) - 1] = '~';
		is_good = disk_move(temporary, moved, false, why);
		(void)unlink(moved);
	}
	if (fd >= 0) {
		(void)close(fd);
		(void)unlink(temporary);
	}
	return is_good;
}

bool
disk_can_write(const char *path, bool force, struct out *why)
{
	char folder[DISK_PATH_MAX];
	struct stat st;

	if (!disk_is_free(path, force, why)) {
		return false;
	}
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		return tell(why, "it is a folder");
	}
	find_folder(folder, path);
	if (stat(folder, &st) != 0 && errno == ENOENT) {
		(void)tell(why, "there is no folder ");
		plain_put(why, text_of(folder));
		return false;
	}
	return try(path, force, why);
}

bool
disk_write(const char *path, const void *src, size_t len, unsigned mode, bool force,
	struct out *why)
{
	char temporary[DISK_PATH_MAX];
	bool is_written;
	int fd;

	if (!disk_is_free(path, force, why)) {
		return false;
	}
	fd = open_beside(temporary, path, why);
	if (fd < 0) {
		return false;
	}
	is_written = write_all(fd, src, len);
	if (is_written && mode != 0600) {
		mode_t mask = umask(0);

		(void)umask(mask);
		is_written = fchmod(fd, (mode_t)mode & ~mask) == 0;
	}
	is_written = close(fd) == 0 && is_written;
	is_written = is_written ? disk_move(temporary, path, force, why) : tell(why, strerror(errno));
	if (!is_written) {
		(void)unlink(temporary);
		return false;
	}
	return disk_sync_folder(path) || tell(why, strerror(errno));
}
