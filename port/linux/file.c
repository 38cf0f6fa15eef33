/* SPDX-License-Identifier: MIT */
/*
 * Files and directories of the Linux port. A root is an O_PATH descriptor, and nothing
 * is ever opened but beneath one.
 *
 * The kernel itself keeps a path beneath its root, by openat2(2) of Linux 5.6; links
 * are then followed as long as they stay there. Where that call is missing, or an old
 * seccomp filter answers EPERM for it, each name is opened by itself and any symbolic
 * link is refused. The first path decides which of the two is used.
 *
 * Whatever changes a name works on a descriptor of the name's directory, so the last
 * name is never resolved by the kernel, and that directory is synced before the answer.
 *
 * The process's own umask has to be 0: which modes are made is for the core to say.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sys.h"

#if defined __has_include
#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#endif
#endif

#ifndef RESOLVE_BENEATH
/* The kernel's binary interface, for systems whose headers are older or absent. */
#define RESOLVE_NO_MAGICLINKS 0x02
#define RESOLVE_BENEATH       0x08

struct open_how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};
#endif

/* As linux/fs.h has it; glibc's name for it is in stdio.h, which the port goes without. */
#define NO_REPLACE 1u

/* openat2(2) refuses every other flag beside O_PATH. */
#define OPEN_PATH      (O_PATH | O_CLOEXEC)
#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_LARGEFILE)

/* Without O_NONBLOCK the open of a FIFO would wait for somebody at its other end. */
#define OPEN_FILE      (O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_LARGEFILE)

/* How often a path is tried again that was renamed while the kernel resolved it. */
#define RESOLVE_TRIES 16

/* One entry as getdents64(2) writes it; `name` ends with a NUL. */
struct dirent_head {
	uint64_t inode;
	int64_t  next;
	uint16_t len;
	uint8_t  type;
	char     name[1];
};

_Static_assert(CONFIG_CUBFTPD_DIR_BUFFER >= offsetof(struct dirent_head, name) + CUB_NAME_MAX + 7,
	"the buffer of a directory must hold the longest entry");
_Static_assert(CONFIG_CUBFTPD_DIR_BUFFER <= UINT16_MAX && CONFIG_CUBFTPD_DIR_BUFFER % 8 == 0,
	"the buffer of a directory is indexed by 16 bits and made of 64-bit words");

/* The directory that a name to be changed is in. */
struct parent {
	int         fd;
	bool        readable;
	const char *name;  /* the end of the caller's path */
};

static enum { RESOLVER_UNKNOWN, RESOLVER_KERNEL, RESOLVER_STEPS } resolver;

void
file_resolve_by_steps(bool force)
{
	resolver = force ? RESOLVER_STEPS : RESOLVER_UNKNOWN;
}

static bool
is_link(const struct stat *st)
{
	return S_ISLNK(st->st_mode);
}

/* close(2) without losing the errno that is about to be reported. */
static void
close_quietly(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
}

static int
open_by_kernel(int root, const char *path, int flags, mode_t mode)
{
#ifdef SYS_openat2
	struct open_how how = {
		.flags = (unsigned)flags,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
#else
	(void)root, (void)path, (void)flags, (void)mode;
	errno = ENOSYS;
	return -1;
#endif
}

/* A path that can't be denied shows whether the call is; later an EPERM means the file. */
static void
resolver_choose(int root)
{
	int fd = open_by_kernel(root, ".", OPEN_PATH, 0);

	if (fd >= 0) {
		close(fd);
	}
	resolver = fd < 0 && (errno == ENOSYS || errno == EPERM) ? RESOLVER_STEPS : RESOLVER_KERNEL;
}

/* One name that stays where it is. */
static bool
is_plain(const char *name, size_t len)
{
	if (len == 0) {
		return false;
	}
	return name[0] != '.' || (len != 1 && (len != 2 || name[1] != '.'));
}

/* Open one name for its metadata or as a way point. Returns -1 and errno, ELOOP for a link. */
static int
step_probe(int dir, const char *name, bool want_directory)
{
	struct stat st;
	int fd = openat(dir, name, OPEN_PATH | O_NOFOLLOW);

	if (fd < 0) {
		return -1;
	}
	if (fstat(fd, &st) != 0) {
		close_quietly(fd);
		return -1;
	}
	if (is_link(&st) || (want_directory && !S_ISDIR(st.st_mode))) {
		close(fd);
		errno = is_link(&st) ? ELOOP : ENOTDIR;
		return -1;
	}
	return fd;
}

/* The last step: O_NOFOLLOW alone tells ENOTDIR, not ELOOP, of a link with O_DIRECTORY. */
static int
step_last(int dir, const char *name, int flags, mode_t mode)
{
	int at;
	int fd;

	if ((flags & (O_PATH | O_DIRECTORY)) == 0) {
		return openat(dir, name, flags | O_NOFOLLOW, mode);
	}
	at = step_probe(dir, name, (flags & O_DIRECTORY) != 0);
	if (at < 0 || (flags & O_PATH) != 0) {
		return at;
	}
	fd = openat(at, ".", flags);
	close_quietly(at);
	return fd;
}

/* The way of old kernels. Returns a descriptor, or -1 and errno. */
static int
open_by_steps(int root, const char *path, int flags, mode_t mode)
{
	char name[CUB_NAME_MAX];
	int dir = root;
	int fd;

	for (;;) {
		size_t whole = strlen(path);
		const char *slash = memchr(path, '/', whole);
		size_t len = slash == NULL ? whole : (size_t)(slash - path);

		if (strcmp(path, ".") != 0 && !is_plain(path, len)) {
			errno = EXDEV;
			fd = -1;
			break;
		}
		if (path[len] == '\0') {
			fd = step_last(dir, path, flags, mode);
			break;
		}
		if (len >= sizeof name) {
			errno = ENAMETOOLONG;
			fd = -1;
			break;
		}
		memcpy(name, path, len);
		name[len] = '\0';
		fd = step_probe(dir, name, true);
		if (fd < 0) {
			break;
		}
		if (dir != root) {
			close(dir);
		}
		dir = fd;
		path += len + 1;
	}
	if (dir != root) {
		close_quietly(dir);
	}
	return fd;
}

/*
 * Open a path beneath a root: the only way that this file opens anything. Returns a
 * descriptor, or a negative `enum cub_err`.
 */
static int
open_beneath(int root, const char *path, int flags, mode_t mode)
{
	if (resolver == RESOLVER_UNKNOWN) {
		resolver_choose(root);
	}
	for (int tries = 0; tries < RESOLVE_TRIES; tries++) {
		int fd = resolver == RESOLVER_STEPS
			? open_by_steps(root, path, flags, mode)
			: open_by_kernel(root, path, flags, mode);

		if (fd >= 0) {
			return fd;
		}
		/* Something was renamed while a ".." in a link was followed, or a signal came. */
		if (errno != EAGAIN && errno != EINTR) {
			return sys_error();
		}
	}
	return CUB_E_IO;
}

static void
stat_fill(const struct stat *from, struct port_stat *to)
{
	*to = (struct port_stat){
		.kind = S_ISREG(from->st_mode) ? PORT_FILE
			: S_ISDIR(from->st_mode) ? PORT_DIR : PORT_OTHER,
		.mode = (uint16_t)(from->st_mode & 0777),
		.size = (uint64_t)from->st_size,
		.mtime_s = (int64_t)from->st_mtime,
		.device = (uint64_t)from->st_dev,
		.inode = (uint64_t)from->st_ino,
	};
}

int
port_root_open(port_root base, const char *path, port_root *out)
{
	struct stat st;
	int fd;

	if (base != PORT_NONE) {
		fd = open_beneath(base, path, OPEN_PATH | O_DIRECTORY, 0);
	} else {
		fd = sys_open(path, OPEN_PATH | O_DIRECTORY);
		fd = fd < 0 ? sys_error() : fd;
	}
	if (fd < 0) {
		return fd;
	}
	/* Opened for its path only, it was not asked whether it may be entered. */
	return sys_hand_over(fd, fstatat(fd, ".", &st, 0) != 0 ? sys_error() : CUB_OK, out);
}

void
port_root_close(port_root root)
{
	close(root);
}

/* fstatfs(2) itself: some C libraries read /proc/mounts for their fstatvfs(). */
int
port_root_free(port_root root, uint64_t *bytes)
{
	struct statfs fs;

	if (fstatfs(root, &fs) != 0) {
		return CUB_E_IO;
	}
	*bytes = fs.f_blocks == 0 ? INT64_MAX  /* such as ramfs */
		: (uint64_t)fs.f_bavail * (uint64_t)(fs.f_frsize != 0 ? fs.f_frsize : fs.f_bsize);
	return CUB_OK;
}

int
port_stat(port_root root, const char *path, struct port_stat *out)
{
	int fd = open_beneath(root, path, OPEN_PATH, 0);
	int result;

	if (fd < 0) {
		return fd;
	}
	result = port_file_stat(fd, out);
	close(fd);
	return result;
}

/* Returns CUB_OK if `fd` is a regular file. */
static int
file_check(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		return CUB_E_IO;
	}
	if (S_ISDIR(st.st_mode)) {
		return CUB_E_ISDIR;
	}
	return S_ISREG(st.st_mode) ? CUB_OK : CUB_E_DENIED;
}

int
port_file_open(port_root root, const char *path, enum port_open how, uint16_t mode,
	port_file *out)
{
	static const int flags[] = {
		[PORT_OPEN_READ]   = OPEN_FILE | O_RDONLY,
		[PORT_OPEN_CREATE] = OPEN_FILE | O_WRONLY | O_CREAT | O_EXCL,
		[PORT_OPEN_UPDATE] = OPEN_FILE | O_WRONLY,
	};
	int fd = open_beneath(root, path, flags[how], how == PORT_OPEN_CREATE ? mode : 0);
	int result;

	if (fd < 0) {
		return fd;
	}
	result = file_check(fd);
	/* Some network file systems know no locks: that is no reason to refuse. */
	if (result == CUB_OK && how != PORT_OPEN_READ && flock(fd, LOCK_EX | LOCK_NB) != 0
		&& errno == EWOULDBLOCK) {
		result = CUB_E_BUSY;
	}
	if (result == CUB_OK && how == PORT_OPEN_READ) {
		/* A hint: it fails where there is no cache, and nothing is lost then. */
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	return sys_hand_over(fd, result, out);
}

int
port_file_stat(port_file file, struct port_stat *out)
{
	struct stat st;

	if (fstat(file, &st) != 0) {
		return CUB_E_IO;
	}
	stat_fill(&st, out);
	return CUB_OK;
}

int
port_file_read(port_file file, uint64_t offset, void *dst, size_t len)
{
	ssize_t n;

	if (offset > INT64_MAX) {
		return CUB_EOF;
	}
	do {
		n = pread(file, dst, sys_at_most_int(len), (off_t)offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return CUB_E_IO;
	}
	return n == 0 ? CUB_EOF : (int)n;
}

int
port_file_write(port_file file, uint64_t offset, const void *src, size_t len)
{
	ssize_t n;

	if (offset > INT64_MAX) {
		return CUB_E_FULL;
	}
	do {
		n = pwrite(file, src, sys_at_most_int(len), (off_t)offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return sys_medium_error();
	}
	return n == 0 ? CUB_E_IO : (int)n;
}

int
port_file_truncate(port_file file, uint64_t len)
{
	int result;

	if (len > INT64_MAX) {
		return CUB_E_FULL;
	}
	do {
		result = ftruncate(file, (off_t)len);
	} while (result != 0 && errno == EINTR);
	return result == 0 ? CUB_OK : sys_medium_error();
}

int
port_file_sync(port_file file)
{
	return sys_sync(file, false);
}

int
port_file_close(port_file file)
{
	/* Linux has let go of the descriptor also where it answers EINTR. */
	if (close(file) == 0 || errno == EINTR) {
		return CUB_OK;
	}
	return sys_error() == CUB_E_FULL ? CUB_E_FULL : CUB_E_IO;
}

/* Open the directory of a name that is to be changed, for parent_done() to close. */
static int
parent_open(port_root root, const char *path, struct parent *out)
{
	char dir[CUB_PATH_MAX] = ".";
	const char *slash = strrchr(path, '/');
	int fd;

	out->name = slash != NULL ? slash + 1 : path;
	if (!is_plain(out->name, strlen(out->name))) {
		return CUB_E_NAME;
	}
	if (slash != NULL) {
		size_t len = (size_t)(slash - path);

		if (len >= sizeof dir) {
			return CUB_E_NAME;
		}
		memcpy(dir, path, len);
		dir[len] = '\0';
	}
	fd = open_beneath(root, dir, OPEN_DIRECTORY, 0);
	out->readable = fd != CUB_E_DENIED;
	if (!out->readable) {
		fd = open_beneath(root, dir, OPEN_PATH | O_DIRECTORY, 0);
	}
	out->fd = fd;
	return fd < 0 ? fd : CUB_OK;
}

/* Make what has happened to a directory's names survive a power cut. */
static int
parent_sync(const struct parent *p)
{
	if (!p->readable) {
		/* fsync(2) needs a directory that may be read; else everything has to be synced. */
		sync();
		return CUB_OK;
	}
	return sys_sync(p->fd, true);  /* some file systems have no such thing */
}

/* The end of a change that the kernel answered with `result`, 0 or -1 and errno. */
static int
parent_done(const struct parent *p, int result)
{
	result = result == 0 ? parent_sync(p) : sys_error();
	close(p->fd);
	return result;
}

static bool
parent_same(const struct parent *a, const struct parent *b)
{
	struct stat a_st;
	struct stat b_st;

	return fstat(a->fd, &a_st) == 0 && fstat(b->fd, &b_st) == 0
		&& a_st.st_dev == b_st.st_dev && a_st.st_ino == b_st.st_ino;
}

/*
 * rename(2) would replace an empty directory by another, also one that somebody else
 * makes after our look: so the kernel is told not to. It answers EINVAL where the file
 * system can't promise that, and then our look has to do. A file never replaces a
 * directory, and with `is_new` nothing else.
 */
static int
rename_between(const struct parent *from, const struct parent *to, bool is_new)
{
	struct stat st;
	long result;

	if (fstatat(from->fd, from->name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		return sys_error();
	}
	is_new = is_new || S_ISDIR(st.st_mode);
	if (fstatat(to->fd, to->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (is_new || S_ISDIR(st.st_mode)) {
			return CUB_E_EXIST;
		}
	} else if (errno != ENOENT) {
		return sys_error();
	}
	result = syscall(SYS_renameat2, from->fd, from->name, to->fd, to->name,
		is_new ? NO_REPLACE : 0u);
	if (result != 0 && errno == EINVAL && is_new) {
		result = syscall(SYS_renameat2, from->fd, from->name, to->fd, to->name, 0u);
	}
	return result == 0 ? CUB_OK : sys_error();
}

static int
rename_beneath(port_root root, const char *from, const char *to, bool is_new)
{
	struct parent old;
	struct parent new;
	int result = parent_open(root, from, &old);

	if (result < 0) {
		return result;
	}
	result = parent_open(root, to, &new);
	if (result < 0) {
		close(old.fd);
		return result;
	}
	result = rename_between(&old, &new, is_new);
	/* The new name goes first: power lost in between leaves two names rather than none. */
	if (result == CUB_OK) {
		result = parent_sync(&new);
	}
	if (result == CUB_OK && !parent_same(&old, &new)) {
		result = parent_sync(&old);
	}
	close(old.fd);
	close(new.fd);
	return result;
}

int
port_rename(port_root root, const char *from, const char *to)
{
	return rename_beneath(root, from, to, false);
}

int
port_rename_new(port_root root, const char *from, const char *to)
{
	return rename_beneath(root, from, to, true);
}

static int
unlink_beneath(port_root root, const char *path, int flags)
{
	struct parent p;
	int result = parent_open(root, path, &p);

	return result < 0 ? result : parent_done(&p, unlinkat(p.fd, p.name, flags));
}

int
port_remove(port_root root, const char *path)
{
	return unlink_beneath(root, path, 0);
}

int
port_dir_remove(port_root root, const char *path)
{
	return unlink_beneath(root, path, AT_REMOVEDIR);
}

int
port_dir_make(port_root root, const char *path, uint16_t mode)
{
	struct parent p;
	int result = parent_open(root, path, &p);

	return result < 0 ? result : parent_done(&p, mkdirat(p.fd, p.name, mode));
}

/* 64-bit seconds, which 32-bit systems have since Linux 5.1; before, dates up to 2038. */
static long
set_mtime(int fd, int64_t mtime_s)
{
#ifdef SYS_utimensat_time64
	int64_t times[4] = { 0, UTIME_OMIT, mtime_s, 0 };
	long result = syscall(SYS_utimensat_time64, fd, NULL, times, 0);

	if (result == 0 || errno != ENOSYS) {
		return result;
	}
#endif
	if ((long)mtime_s != mtime_s) {
		errno = EOVERFLOW;  /* a kernel that ends in 2038 */
		return -1;
	}
#ifdef SYS_utimensat
	return syscall(SYS_utimensat, fd, NULL, (long[4]){ 0, UTIME_OMIT, (long)mtime_s, 0 }, 0);
#else
	return -1;
#endif
}

/*
 * By a descriptor of the file itself, whose place no link can take then. Not O_PATH: the calls
 * want more. They are made without the C library, whose ways around old kernels are large.
 */
int
port_change(port_root root, const char *path, enum port_attribute what, int64_t value)
{
	int fd = open_beneath(root, path, OPEN_FILE | O_RDONLY, 0);
	int result;

	if (fd < 0) {
		return fd;
	}
	result = file_check(fd);
	if (result == CUB_OK || result == CUB_E_ISDIR) {
		result = (what == PORT_MODE ? syscall(SYS_fchmod, fd, (mode_t)value)
			: set_mtime(fd, value)) == 0 ? port_file_sync(fd) : sys_error();
	}
	close(fd);
	return result;
}

int
port_dir_open(port_root root, const char *path, struct port_dir *dir)
{
	int fd = open_beneath(root, path, OPEN_DIRECTORY, 0);

	if (fd < 0) {
		return fd;
	}
	dir->handle = fd;
	dir->at = 0;
	dir->len = 0;
	return CUB_OK;
}

/*
 * A listing shows the size and time of what a link leads to. All that is known here is the
 * directory, not the root, so a link is followed beneath the directory only: one that goes up
 * (`../x`) shows itself, as PORT_OTHER, although port_stat() may follow it within the root.
 */
static int
entry_stat(int dir, const char *name, struct port_stat *out)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOENT) {
			return CUB_E_NOENT;
		}
		/* One bad entry, such as a dead mount, doesn't take the others away. */
		*out = (struct port_stat){ .kind = PORT_OTHER };
		return CUB_OK;
	}
	stat_fill(&st, out);
	if (is_link(&st)) {
		struct port_stat target;

		if (port_stat(dir, name, &target) == CUB_OK) {
			*out = target;
		}
		out->is_link = true;
	}
	return CUB_OK;
}

/* Read the next lot of entries. Returns CUB_OK, CUB_EOF, CUB_E_IO. */
static int
dir_fill(struct port_dir *dir)
{
	long n;

	do {
		n = syscall(SYS_getdents64, dir->handle, dir->buffer, sizeof dir->buffer);
	} while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno == ENOENT)) {
		return CUB_EOF;  /* ENOENT: it was removed while it was read */
	}
	if (n < 0) {
		return CUB_E_IO;
	}
	dir->at = 0;
	dir->len = (uint16_t)n;
	return CUB_OK;
}

int
port_dir_next(struct port_dir *dir, struct port_entry *entry)
{
	for (;;) {
		const char *at;
		uint16_t len;

		if (dir->at >= dir->len) {
			int result = dir_fill(dir);

			if (result < 0) {
				return result;
			}
		}
		at = (const char *)dir->buffer + dir->at;
		memcpy(&len, at + offsetof(struct dirent_head, len), sizeof len);
		memcpy(&entry->next, at + offsetof(struct dirent_head, next), sizeof entry->next);
		dir->at = (uint16_t)(dir->at + len);
		entry->name = at + offsetof(struct dirent_head, name);
		if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) {
			continue;
		}
		if (entry_stat(dir->handle, entry->name, &entry->stat) == CUB_OK) {
			return CUB_OK;
		}
	}
}

int
port_dir_seek(struct port_dir *dir, uint64_t next)
{
	if (lseek(dir->handle, (off_t)next, SEEK_SET) < 0) {
		return CUB_E_IO;
	}
	dir->at = 0;
	dir->len = 0;
	return CUB_OK;
}

void
port_dir_close(struct port_dir *dir)
{
	close(dir->handle);
	dir->handle = PORT_NONE;
}
