/* SPDX-License-Identifier: MIT */
/*
 * The Linux port's odds and ends: clocks, random bytes, the log on stderr, the end by
 * panic, and the one place where an errno becomes an `enum cub_err`. It relies on
 * getrandom(2), hence on Linux 3.17. It neither formats nor buffers: a line goes out in
 * one writev(2), so that lines of several programs don't mix.
 */
#include "sys.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* EX_SOFTWARE of sysexits.h: a service manager can tell a panic from a refusal to start. */
#define EXIT_PANIC 70

static enum port_log_level log_level = PORT_LOG_INFO;
static const sigset_t *wait_mask;

int
sys_error(int error)
{
	switch (error) {
	case EAGAIN:
		return CUB_AGAIN;
	case ENOENT:
		return CUB_E_NOENT;
	case EEXIST:
		return CUB_E_EXIST;
	case EACCES:
	case EPERM:
	case EROFS:
	case ETXTBSY:
	case ELOOP:  /* a link where none may be, or a circle of them */
	case EXDEV:  /* a way out of the root, or a rename to another file system */
	case ENXIO:  /* opening a FIFO without a reader, or a socket */
	case ENODEV:
		return CUB_E_DENIED;
	case EISDIR:
		return CUB_E_ISDIR;
	case ENOTDIR:
		return CUB_E_NOTDIR;
	case ENOTEMPTY:
		return CUB_E_NOTEMPTY;
	case ENOSPC:
	case EDQUOT:
		return CUB_E_FULL;
	case ENAMETOOLONG:
	case EILSEQ:
	case EINVAL:
		return CUB_E_NAME;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
	case EMLINK:
	case EFBIG:
	case EOVERFLOW:
		return CUB_E_LIMIT;
	case EBUSY:
	case EADDRINUSE:
		return CUB_E_BUSY;
	default:
		return CUB_E_IO;
	}
}

int
sys_medium_error(int error)
{
	int result = sys_error(error);

	return result == CUB_E_FULL || result == CUB_E_LIMIT ? result : CUB_E_IO;
}

size_t
sys_at_most_int(size_t len)
{
	return len < INT_MAX ? len : INT_MAX;
}

void
sys_log_level_set(enum port_log_level level)
{
	log_level = level;
}

void
sys_wait_mask_set(const sigset_t *blocked)
{
	wait_mask = blocked;
}

const sigset_t *
sys_wait_mask(void)
{
	return wait_mask;
}

uint64_t
port_clock_ms(void)
{
	struct timespec now;

	CUB_ASSERT(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

int64_t
port_time(void)
{
	return (int64_t)time(NULL);
}

void
port_random(void *dst, size_t len)
{
	static const char waiting[] = "event=random msg=\"waiting for the kernel's random pool\"";
	unsigned char *at = dst;
	unsigned flags = GRND_NONBLOCK;

	while (len > 0) {
		ssize_t n = getrandom(at, len, flags);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN && flags != 0) {
			port_log(PORT_LOG_WARNING, waiting, sizeof waiting - 1);
			flags = 0;
		} else {
			CUB_ASSERT(n < 0 && errno == EINTR);
		}
	}
}

/* The log has no second place to tell that it failed, so what fails is lost. */
static void
write_parts(const struct iovec *part, int count)
{
	ssize_t n;

	do {
		n = writev(STDERR_FILENO, part, count);
	} while (n < 0 && errno == EINTR);
}

/* struct iovec has no const pointer, though writev(2) only reads. */
static struct iovec
part_of(const char *src, size_t len)
{
	union {
		const char *reads;
		void *takes;
	} at = { .reads = src };

	return (struct iovec){ .iov_base = at.takes, .iov_len = len };
}

void
port_log(enum port_log_level level, const char *line, size_t len)
{
	static const char word[][10] = {
		[PORT_LOG_ERROR]   = "error ",
		[PORT_LOG_WARNING] = "warning ",
		[PORT_LOG_INFO]    = "info ",
		[PORT_LOG_DEBUG]   = "debug ",
	};

	if (level > log_level) {
		return;
	}
	write_parts((struct iovec[]){
		part_of(word[level], strlen(word[level])),
		part_of(line, len),
		part_of("\n", 1),
	}, 3);
}

/* It doesn't abort(): a core file would hold the device's key. */
_Noreturn void
port_panic(const char *file, int line)
{
	static const char head[] = "error event=panic at=";
	char digits[12];
	size_t at = sizeof digits;

	digits[--at] = '\n';
	do {
		digits[--at] = (char)('0' + line % 10);
		line /= 10;
	} while (line > 0);
	digits[--at] = ':';
	write_parts((struct iovec[]){
		part_of(head, sizeof head - 1),
		part_of(file, strlen(file)),
		part_of(digits + at, sizeof digits - at),
	}, 3);
	_exit(EXIT_PANIC);
}
