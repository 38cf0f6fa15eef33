/* SPDX-License-Identifier: MIT */
/*
 * The Linux port's odds and ends: clocks, signals, random bytes, secrets, the log on stderr or
 * by syslog, the end by panic, and the one place where an errno becomes an `enum cub_err`. It
 * relies on getrandom(2), hence on Linux 3.17. It neither formats nor buffers: a line of the
 * log goes out in one writev(2), so that lines of several programs don't mix.
 */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cubftpd.h"

/* EX_SOFTWARE of sysexits.h: a service manager can tell a panic from a refusal to start. */
#define EXIT_PANIC 70

static enum port_log_level log_level = PORT_LOG_INFO;
static int signal_fd = -1;

int
sys_error(void)
{
	switch (errno) {
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
	case EFBIG:  /* as 4 GiB are on FAT */
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
sys_medium_error(void)
{
	int result = sys_error();

	return result == CUB_E_FULL || result == CUB_E_LIMIT ? result : CUB_E_IO;
}

int
sys_open(const char *path, int flags)
{
	return openat(AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

int
sys_sync(int fd, bool may_lack)
{
	while (fsync(fd) != 0) {
		if (errno == EINVAL && may_lack) {
			return CUB_OK;
		}
		if (errno != EINTR) {
			return sys_medium_error();
		}
	}
	return CUB_OK;
}

int
sys_hand_over(int fd, int result, int32_t *out)
{
	if (result < 0) {
		close(fd);
	} else {
		*out = fd;
	}
	return result;
}

size_t
sys_at_most_int(size_t len)
{
	return len < INT_MAX ? len : INT_MAX;
}

bool
sys_put(int fd, const void *src, size_t len)
{
	const char *at = src;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			return false;
		}
	}
	return true;
}

bool
sys_put_string(int fd, const char *text)
{
	return sys_put(fd, text, strlen(text));
}

void
sys_complain(const char *a, const char *b, const char *c, size_t c_len)
{
	sys_put_string(STDERR_FILENO, "cubftpd: ");
	sys_put_string(STDERR_FILENO, a);
	sys_put_string(STDERR_FILENO, b);
	sys_put(STDERR_FILENO, c, c_len);
	sys_put_string(STDERR_FILENO, "\n");
}

const char *
sys_number(int n, char digits[SYS_NUMBER])
{
	char *at = digits + SYS_NUMBER;
	uint64_t rest = (uint64_t)n;

	*--at = '\0';
	do {
		*--at = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	return at;
}

int
sys_local_address(const char *path, struct sockaddr_un *out)
{
	size_t len = strlen(path);

	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len == 0 || len >= sizeof out->sun_path) {
		return CUB_E_NAME;
	}
	memcpy(out->sun_path, path, len);
	return CUB_OK;
}

#if CONFIG_CUBFTPD_SYSLOG
static int syslog_fd = -1;  /* events go to stderr */
static struct sockaddr_un syslog_at;
#endif

void
sys_log_level_set(enum port_log_level level)
{
	log_level = level;
}

void
sys_signals_block(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGPIPE);
	(void)sigaddset(&set, SIGXFSZ);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

void
sys_signals_take(void)
{
	/* Zeros are SIG_DFL, in the form of the kernel of any processor. */
	static const unsigned long standard[16];
	sigset_t set;

	/* A parent may have left it ignored: then no end of a program would ever be told. */
	(void)syscall(SYS_rt_sigaction, SIGCHLD, standard, NULL, _NSIG / 8);
	sys_signals_block();
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	signal_fd = signalfd(signal_fd, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	CUB_ASSERT(signal_fd >= 0);
}

int
sys_signal_next(void)
{
	struct signalfd_siginfo info;

	return read(signal_fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

int
sys_signal_fd(void)
{
	return signal_fd;
}

uint64_t
port_clock_ms(void)
{
	struct timespec now;

	CUB_ASSERT(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (uint64_t)now.tv_sec * 1000u + (unsigned)now.tv_nsec / 1000000u;
}

int64_t
port_time(void)
{
	struct timespec now;

	CUB_ASSERT(clock_gettime(CLOCK_REALTIME, &now) == 0);
	return (int64_t)now.tv_sec;
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

/* Read until `len` bytes are there, or the end is. Returns how many, or -1. */
static ssize_t
read_whole(int fd, uint8_t *dst, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = read(fd, dst + have, len - have);

		if (n == 0) {
			break;
		}
		if (n > 0) {
			have += (size_t)n;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return (ssize_t)have;
}

/* Returns as port_secret(). `over` has room for a line end behind a secret of `cap` bytes. */
static int
secret_read(int fd, uint8_t *dst, size_t cap, uint8_t over[3])
{
	struct stat st;
	bool is_file;
	ssize_t n, more;
	size_t len;

	if (fstat(fd, &st) != 0) {
		return CUB_E_IO;
	}
	is_file = S_ISREG(st.st_mode);
	if (is_file ? (st.st_mode & 077) != 0 : !S_ISCHR(st.st_mode)) {
		return CUB_E_DENIED;
	}
	n = read_whole(fd, dst, cap);
	more = is_file ? read_whole(fd, over, 3) : 0;
	if (n < 0 || more < 0) {
		return CUB_E_IO;
	}
	len = (size_t)n + (size_t)more;
	for (const char *end = is_file ? "\n\r" : ""; *end != '\0' && len > 0; end++) {
		if ((len > cap ? over[len - cap - 1] : dst[len - 1]) != *end) {
			break;
		}
		len--;
	}
	if (len > cap) {
		return CUB_E_LIMIT;
	}
	return len > 0 ? (int)len : CUB_E_BAD;
}

int
port_secret(const char *path, uint8_t *dst, size_t cap)
{
	uint8_t over[3];
	/* Links are followed; a FIFO is not waited for. */
	int fd = sys_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	int result;

	if (fd < 0) {
		result = sys_error();
		if (result == CUB_E_NOTDIR) {
			return CUB_E_NOENT;
		}
		return result == CUB_E_NOENT || result == CUB_E_DENIED ? result : CUB_E_IO;
	}
	result = secret_read(fd, dst, cap, over);
	close(fd);
	explicit_bzero(over, sizeof over);
	if (result < 0) {
		explicit_bzero(dst, cap);
	}
	return result;
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

#if CONFIG_CUBFTPD_SYSLOG

void
sys_log_to(const char *path)
{
	if (syslog_fd >= 0) {
		(void)close(syslog_fd);
		syslog_fd = -1;
	}
	if (path != NULL && sys_local_address(path, &syslog_at) == CUB_OK) {
		syslog_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
}

/* Each event looks for the daemon anew, so it doesn't matter when that is started again. */
static bool
syslog_put(enum port_log_level level, const char *line, size_t len)
{
	char bytes[CUBFTPD_SYSLOG_MAX];
	struct out message = { .at = bytes, .cap = sizeof bytes };
	struct utsname host;

	if (syslog_fd < 0 || uname(&host) != 0) {
		return false;
	}
	cubftpd_put_syslog(&message, level, host.nodename, (uint32_t)getpid(), line, len);
	return sendto(syslog_fd, bytes, message.len, MSG_DONTWAIT | MSG_NOSIGNAL,
		(const struct sockaddr *)&syslog_at, sizeof syslog_at) >= 0;
}

#else

static bool
syslog_put(enum port_log_level level, const char *line, size_t len)
{
	(void)level;
	(void)line;
	(void)len;
	return false;
}

#endif

void
port_log(enum port_log_level level, const char *line, size_t len)
{
	static const char word[][10] = {
		[PORT_LOG_ERROR]   = "error ",
		[PORT_LOG_WARNING] = "warning ",
		[PORT_LOG_INFO]    = "info ",
		[PORT_LOG_DEBUG]   = "debug ",
	};

	if (level > log_level || syslog_put(level, line, len)) {
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
	char digits[SYS_NUMBER];
	const char *part[] = {
		"error event=panic at=", file, ":", sys_number(line, digits), "\n",
	};
	struct iovec parts[sizeof part / sizeof part[0]];

	for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
		parts[i] = part_of(part[i], strlen(part[i]));
	}
	write_parts(parts, sizeof part / sizeof part[0]);
	_exit(EXIT_PANIC);
}
