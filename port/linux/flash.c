/* SPDX-License-Identifier: MIT */
/*
 * Flash areas of the Linux port: each is a regular file or an MTD character device, as
 * its path turns out to be. A file behaves as NOR flash does, so that a store meets the
 * same rules on both: programming only clears bits, and what was never written reads as
 * 0xFF. An erase that reaches the end of a file cuts it off there.
 *
 * Of MTD devices only those without bad blocks are taken. NAND belongs under UBI, and
 * the area then is a file on UBIFS.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>  /* rename() */
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sys.h"

#if defined __has_include
#if __has_include(<mtd/mtd-user.h>)
#include <mtd/mtd-user.h>
#endif
#endif

#ifndef MEMGETINFO
/* The kernel's binary interface, for systems whose headers are absent. */
struct mtd_info_user {
	uint8_t  type;
	uint32_t flags;
	uint32_t size;
	uint32_t erasesize;
	uint32_t writesize;
	uint32_t oobsize;
	uint64_t padding;
};

struct erase_info_user {
	uint32_t start;
	uint32_t length;
};

#define MEMGETINFO       _IOR('M', 1, struct mtd_info_user)
#define MEMERASE         _IOW('M', 2, struct erase_info_user)
#define MEMUNLOCK        _IOW('M', 6, struct erase_info_user)
#define MTD_ABSENT       0
#define MTD_ROM          2
#define MTD_NANDFLASH    4
#define MTD_MLCNANDFLASH 8
#define MTD_WRITEABLE    0x400
#endif

/* What every MTD character device has as its major number. */
#define MTD_MAJOR 90

/* A file has no blocks of its own; those of the file systems it is on are a good measure. */
#define FILE_ERASE_SIZE 4096u

/* A store that is being made. */
#define MADE_SUFFIX ".new"

/* How much of a file is copied, or filled with 0xFF, in one go. */
#define CHUNK 256u

#define ERASED 0xFF

static struct area {
	int  fd;
	bool is_open;
	bool is_mtd;
	struct port_flash geometry;
} areas[PORT_AREAS];

static struct area *
area_of(enum port_area number)
{
	struct area *area = &areas[number];

	CUB_ASSERT(area->is_open);
	return area;
}

static bool
is_power_of_two(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* Whether a range is made of whole units (`unit` is a power of two), and lies in the area. */
static bool
fits(const struct area *area, uint32_t at, uint32_t len, uint32_t unit)
{
	uint32_t size = area->geometry.size;

	if (((at | len) & (unit - 1)) != 0) {
		return false;
	}
	return at <= size && len <= size - at;
}

/* Read cells. A file that ends early was cut off while it was open. */
static int
cells_read(int fd, uint64_t at, void *dst, uint32_t len)
{
	uint8_t *next = dst;

	while (len > 0) {
		ssize_t n = pread(fd, next, len, (off_t)at);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return CUB_E_IO;
		}
		next += n;
		at += (uint64_t)n;
		len -= (uint32_t)n;
	}
	return CUB_OK;
}

static int
cells_write(int fd, uint64_t at, const void *src, uint32_t len)
{
	const uint8_t *next = src;

	while (len > 0) {
		ssize_t n = pwrite(fd, next, len, (off_t)at);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? sys_medium_error() : CUB_E_IO;
		}
		next += n;
		at += (uint64_t)n;
		len -= (uint32_t)n;
	}
	return CUB_OK;
}

static int
file_fill(int fd, uint64_t at, uint64_t end)
{
	uint8_t cells[CHUNK];

	memset(cells, ERASED, sizeof cells);
	while (at < end) {
		uint32_t n = end - at < CHUNK ? (uint32_t)(end - at) : CHUNK;
		int result = cells_write(fd, at, cells, n);

		if (result < 0) {
			return result;
		}
		at += n;
	}
	return CUB_OK;
}

static int
file_program(int fd, uint64_t at, const uint8_t *src, uint32_t len)
{
	uint8_t cells[CHUNK];
	int result = CUB_OK;

	while (result == CUB_OK && len > 0) {
		uint32_t n = len < CHUNK ? len : CHUNK;

		result = cells_read(fd, at, cells, n);
		if (result < 0) {
			return result;
		}
		for (uint32_t i = 0; i < n; i++) {
			cells[i] &= src[i];
		}
		result = cells_write(fd, at, cells, n);
		at += n;
		src += n;
		len -= n;
	}
	return result;
}

/*
 * Sync the directory of a file that may just have been made. Where it can't be opened
 * for that, all file systems are synced.
 */
static int
directory_sync(const char *where)
{
	char dir[CUB_HOST_PATH] = ".";
	const char *slash = strrchr(where, '/');
	/* Of "/name" the slash itself is the directory. */
	size_t len = slash == NULL || slash == where ? 1 : (size_t)(slash - where);
	int result;
	int fd = -1;

	if (len < sizeof dir) {
		memcpy(dir, slash != NULL ? where : ".", len);
		fd = sys_open(dir, O_RDONLY | O_DIRECTORY);
	}
	if (fd < 0) {
		sync();
		return CUB_OK;
	}
	result = sys_sync(fd, true);
	close(fd);
	return result;
}

static bool
is_device_name(const char *where)
{
	return strlen(where) > 5 && memcmp(where, "/dev/", 5) == 0;
}

/* The C libraries don't agree on whether ioctl() takes an int or an unsigned long. */
static int
mtd_call(int fd, unsigned request, void *arg)
{
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

static int
mtd_setup(struct area *area, const struct stat *st)
{
	struct mtd_info_user info;
	struct erase_info_user all;

	if (major(st->st_rdev) != MTD_MAJOR || mtd_call(area->fd, MEMGETINFO, &info) != 0) {
		return CUB_E_DENIED;
	}
	if (info.type == MTD_ABSENT || info.type == MTD_ROM || info.type == MTD_NANDFLASH
		|| info.type == MTD_MLCNANDFLASH || (info.flags & MTD_WRITEABLE) == 0) {
		return CUB_E_DENIED;
	}
	if (!is_power_of_two(info.erasesize) || !is_power_of_two(info.writesize)
		|| info.size == 0 || (info.size & (info.erasesize - 1)) != 0) {
		return CUB_E_DENIED;
	}
	/* Some chips start locked; most drivers know of no locks and answer with an error. */
	all = (struct erase_info_user){ .start = 0, .length = info.size };
	(void)mtd_call(area->fd, MEMUNLOCK, &all);
	area->is_mtd = true;
	area->geometry = (struct port_flash){
		.size = info.size, .erase_size = info.erasesize, .write_size = info.writesize,
	};
	return CUB_OK;
}

/* Find out what was opened, and lock it. */
static int
area_setup(struct area *area)
{
	struct stat st;

	if (fstat(area->fd, &st) != 0) {
		return CUB_E_IO;
	}
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) {
		return CUB_E_DENIED;
	}
	/* A key that others may read is no secret any more, so such a file is not used. */
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0) {
		return CUB_E_DENIED;
	}
	if (flock(area->fd, LOCK_EX | LOCK_NB) != 0) {
		return errno == EWOULDBLOCK ? CUB_E_BUSY : CUB_E_IO;
	}
	if (S_ISCHR(st.st_mode)) {
		return mtd_setup(area, &st);
	}
	area->is_mtd = false;
	area->geometry = (struct port_flash){
		.size = st.st_size < UINT32_MAX ? (uint32_t)st.st_size : UINT32_MAX,
		.is_file = true,
		.erase_size = FILE_ERASE_SIZE,
		.write_size = 1,
	};
	return CUB_OK;
}

/* The port's errors are fewer for areas than for files: see cubftpd_port.h. */
static int
open_error(void)
{
	int result = sys_error();

	switch (result) {
	case CUB_E_NOENT:
	case CUB_E_NOTDIR:
		return CUB_E_NOENT;
	case CUB_E_DENIED:
	case CUB_E_ISDIR:
		return CUB_E_DENIED;
	case CUB_E_BUSY:
		return CUB_E_BUSY;
	default:
		return CUB_E_IO;
	}
}

/*
 * Make a store: under another name first, so that it appears complete. Some file systems
 * would else show zeros in place of the last bytes after a power cut.
 */
static int
file_make(const char *where, uint32_t len)
{
	char made[CUB_HOST_PATH + sizeof MADE_SUFFIX];
	size_t where_len = strlen(where);
	int fd, result;

	if (where_len >= CUB_HOST_PATH) {
		return CUB_E_DENIED;
	}
	memcpy(made, where, where_len);
	memcpy(made + where_len, MADE_SUFFIX, sizeof MADE_SUFFIX);
	(void)unlink(made);  /* what an earlier cut left */
	fd = sys_open(made, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
	if (fd < 0) {
		return open_error();
	}
	result = file_fill(fd, 0, len);
	if (result == CUB_OK) {
		result = sys_sync(fd, false);
	}
	if (close(fd) != 0 && result == CUB_OK) {
		result = CUB_E_IO;
	}
	if (result == CUB_OK && rename(made, where) != 0) {
		result = open_error();
	}
	if (result < 0) {
		(void)unlink(made);
		return result;
	}
	return directory_sync(where);
}

int
port_flash_open(enum port_area number, const char *where, uint32_t create_len,
	struct port_flash *out)
{
	struct area *area = &areas[number];
	int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_LARGEFILE;
	int result;

	CUB_ASSERT(!area->is_open);
	/* Where a driver failed to load, a file in its device's place would live in RAM. */
	if (create_len > 0 && !is_device_name(where) && access(where, F_OK) != 0
		&& errno == ENOENT) {
		result = file_make(where, create_len);
		if (result < 0) {
			return result;
		}
	}
	area->fd = sys_open(where, flags);
	if (area->fd < 0) {
		return open_error();
	}
	result = area_setup(area);
	if (result < 0) {
		close(area->fd);
		return result;
	}
	area->is_open = true;
	*out = area->geometry;
	return CUB_OK;
}

void
port_flash_close(enum port_area number)
{
	struct area *area = area_of(number);

	/* This gives the lock back, too. */
	close(area->fd);
	area->is_open = false;
}

int
port_flash_read(enum port_area number, uint32_t at, void *dst, uint32_t len)
{
	const struct area *area = area_of(number);

	return fits(area, at, len, 1) ? cells_read(area->fd, at, dst, len) : CUB_E_BAD;
}

int
port_flash_program(enum port_area number, uint32_t at, const void *src, uint32_t len)
{
	const struct area *area = area_of(number);

	if (!fits(area, at, len, area->geometry.write_size)) {
		return CUB_E_BAD;
	}
	return area->is_mtd ? cells_write(area->fd, at, src, len)
		: file_program(area->fd, at, src, len);
}

int
port_flash_erase(enum port_area number, uint32_t at, uint32_t len)
{
	const struct area *area = area_of(number);
	struct erase_info_user range = { .start = at, .length = len };

	/* The kernel can't be trusted with this: drivers round an odd start as they like. */
	if (!fits(area, at, len, area->geometry.erase_size)) {
		return CUB_E_BAD;
	}
	if (!area->is_mtd) {
		return file_fill(area->fd, at, at + len);
	}
	return mtd_call(area->fd, MEMERASE, &range) == 0 ? CUB_OK : CUB_E_IO;
}

int
port_flash_sync(enum port_area number)
{
	const struct area *area = area_of(number);

	return sys_sync(area->fd, area->is_mtd);  /* a device is written at once */
}
