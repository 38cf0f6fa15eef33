/* SPDX-License-Identifier: MIT */
/*
 * The client's side of the control socket: one request, then the answer is copied piece by
 * piece. It trusts the server no further than that: what it is told may be cut short, or
 * come from something else that listens at that path.
 */
#include "control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cubftpd.h"
#include "sys.h"

#define REQUEST_HEAD 8
#define ANSWER_HEAD  3
#define PATIENCE_S   30

_Static_assert(CUBFTPD_CONTROL_ARGS <= UINT16_MAX && CUB_INPUT_MAX <= UINT16_MAX,
	"the lengths in a request have 16 bits");

/* One line on stderr. Returns the exit status that goes with it. */
static int
fail(const char *path, const char *why)
{
	sys_complain(path, why, "", 0);
	return 1;
}

/* Returns a socket; or -1 and errno: ENOENT and ECONNREFUSED where no server is. */
static int
connect_to(const char *path)
{
	static const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un at;
	int sock, result;

	if (sys_local_address(path, &at) < 0) {
		errno = path[0] == '\0' ? ENOENT : ENAMETOOLONG;
		return -1;
	}
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0) {
		return -1;
	}
	(void)setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	(void)setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	do {
		result = connect(sock, (struct sockaddr *)&at, sizeof at);
	} while (result != 0 && errno == EINTR);
	if (result != 0) {
		int error = errno;

		close(sock);
		errno = error;
		return -1;
	}
	return sock;
}

static int
fail_to_connect(const char *path, int error)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		return -1;
	case EACCES:
	case EPERM:
		return fail(path, ": not permitted: run this as root, or as who started the server");
	case EAGAIN:
		return fail(path, ": the server is busy with other commands: try again later");
	default:
		return fail(path, ": the server can't be reached: check `control_socket`");
	}
}

/* Take what comes next of the answer. Returns its length, 0 at the end, or -1 and errno. */
static ssize_t
take(int sock, uint8_t *dst, size_t cap)
{
	ssize_t n;

	do {
		n = recv(sock, dst, cap, 0);
	} while (n < 0 && errno == EINTR);
	/* It closed without having read the whole request: what it said before that counts. */
	return n < 0 && errno == ECONNRESET ? 0 : n;
}

static int
fail_to_take(const char *path, ssize_t n)
{
	if (n < 0 && errno == EAGAIN) {
		return fail(path, ": no answer for 30 seconds: look into the server's log, or restart it");
	}
	return fail(path, ": the answer broke off: look into the server's log, then try again");
}

/*
 * Copy the answer's text for stderr, and then that for stdout. Returns 0, or 1 when it has
 * been told that this failed.
 */
static int
copy_texts(const char *path, int sock, size_t wrong_len)
{
	uint8_t piece[512];
	size_t left = wrong_len;
	ssize_t n = 0;

	while (left > 0 && (n = take(sock, piece, left < sizeof piece ? left : sizeof piece)) > 0) {
		if (left == wrong_len) {
			sys_put_string(STDERR_FILENO, "cubftpd: ");
		}
		sys_put(STDERR_FILENO, piece, (size_t)n);
		left -= (size_t)n;
	}
	if (left < wrong_len) {
		sys_put_string(STDERR_FILENO, "\n");
	}
	if (left > 0) {
		return fail_to_take(path, n);
	}
	while ((n = take(sock, piece, sizeof piece)) > 0) {
		if (!sys_put(STDOUT_FILENO, piece, (size_t)n)) {
			return fail("stdout", ": can't be written; the command itself may have been done");
		}
	}
	return n == 0 ? 0 : fail_to_take(path, n);
}

static int
take_answer(const char *path, int sock)
{
	uint8_t head[ANSWER_HEAD];

	for (size_t have = 0; have < sizeof head;) {
		ssize_t n = take(sock, head + have, sizeof head - have);

		if (n <= 0) {
			return fail_to_take(path, n);
		}
		have += (size_t)n;
		if (head[0] > 2) {
			return fail(path, ": what answers there is no cubftpd: check `control_socket`");
		}
	}
	return copy_texts(path, sock, (size_t)head[1] | (size_t)head[2] << 8) == 0 ? head[0] : 1;
}

/* Returns the length of the request without its input, or 0: too long. */
static size_t
make_request(int argc, char *const argv[], size_t input_len,
	uint8_t out[REQUEST_HEAD + CUBFTPD_CONTROL_ARGS])
{
	uint8_t *args = out + REQUEST_HEAD;
	size_t len = 0;

	if (input_len > CUB_INPUT_MAX) {
		return 0;
	}
	for (int i = 0; i < argc; i++) {
		size_t n = strlen(argv[i]) + 1;

		if (n > CUBFTPD_CONTROL_ARGS - len) {
			return 0;
		}
		memcpy(args + len, argv[i], n);
		len += n;
	}
	memcpy(out, "cub", 3);
	out[3] = CUBFTPD_CONTROL_FORMAT;
	out[4] = (uint8_t)len;
	out[5] = (uint8_t)(len >> 8);
	out[6] = (uint8_t)input_len;
	out[7] = (uint8_t)(input_len >> 8);
	return REQUEST_HEAD + len;
}

int
control_ask(const char *path, int argc, char *const argv[], const void *input, size_t input_len)
{
	uint8_t request[REQUEST_HEAD + CUBFTPD_CONTROL_ARGS];
	size_t len;
	int status;
	int sock = connect_to(path);

	if (sock < 0) {
		return fail_to_connect(path, errno);
	}
	len = make_request(argc, argv, input_len, request);
	if (len == 0) {
		status = fail(argv[0], ": more than the running server takes: make it shorter");
	} else {
		/* A server that refuses may not read on to the end, but answers then, too. */
		sys_signals_block();
		if (sys_put(sock, request, len)) {
			(void)sys_put(sock, input, input_len);
		}
		status = take_answer(path, sock);
	}
	close(sock);
	return status;
}
