/* SPDX-License-Identifier: MIT */
/*
 * Sockets of the Linux port, and the wait for them. Addresses cross this boundary in
 * one form: a client that reaches an IPv6 socket over IPv4 is an IPv4 client, so that
 * the core compares addresses byte by byte. Names are not resolved.
 *
 * A Unix socket for programs of this host differs only in how it begins: its name is a
 * file, which outlives the server that made it.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys.h"

/* A client that lost its power, and nothing on its way, holds a session for 30 + 6 * 10 seconds. */
#define KEEP_IDLE_S     30
#define KEEP_INTERVAL_S 10
#define KEEP_PROBES     6
#define UNSENT_MAX      (128 * 1024)

/* Addresses of this host that are looked at, each with its network: 32 or 40 bytes of stack. */
#define NETWORKS_MAX    32

/* Where the wait for a far deadline is cut, to stay within an int. */
#define WAIT_MS_MAX     86400000

/* Programs of this host that may wait until they are accepted; more wait to connect. */
#define LOCAL_BACKLOG   4

/* What is left of 0777 is 0600: nobody but the owner connects, from the name's first moment. */
#define LOCAL_UMASK     0177

union address {
	struct sockaddr     any;
	struct sockaddr_in  v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un  local;
};

/* Returns the length for bind(2), 0 if this build doesn't know the family. */
static socklen_t
to_system(const struct port_addr *from, union address *to)
{
	memset(to, 0, sizeof *to);
	if (from->family == 4) {
		to->v4.sin_family = AF_INET;
		to->v4.sin_port = htons(from->tcp_port);
		memcpy(&to->v4.sin_addr, from->ip, 4);
		return sizeof to->v4;
	}
	if (CONFIG_CUBFTPD_IPV6 && from->family == 6) {
		to->v6.sin6_family = AF_INET6;
		to->v6.sin6_port = htons(from->tcp_port);
		to->v6.sin6_scope_id = from->scope;
		memcpy(&to->v6.sin6_addr, from->ip, 16);
		return sizeof to->v6;
	}
	return 0;
}

static void
from_system(const union address *from, struct port_addr *to)
{
	memset(to, 0, sizeof *to);
	if (from->any.sa_family == AF_UNIX) {
		return;
	}
	if (from->any.sa_family == AF_INET) {
		to->family = 4;
		to->tcp_port = ntohs(from->v4.sin_port);
		memcpy(to->ip, &from->v4.sin_addr, 4);
		return;
	}
	to->tcp_port = ntohs(from->v6.sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&from->v6.sin6_addr)) {
		to->family = 4;
		memcpy(to->ip, from->v6.sin6_addr.s6_addr + 12, 4);
		return;
	}
	to->family = 6;
	to->scope = from->v6.sin6_scope_id;
	memcpy(to->ip, &from->v6.sin6_addr, 16);
}

static int
set_option(int sock, int level, int option, int value)
{
	return setsockopt(sock, level, option, &value, sizeof value);
}

/* Give a new socket its address. Returns 0, or -1 and errno. */
static int
bind_and_listen(int sock, const union address *at, socklen_t len, int backlog)
{
	/* Without it a restart fails for as long as old connections are in TIME_WAIT. */
	if (set_option(sock, SOL_SOCKET, SO_REUSEADDR, 1) != 0) {
		return -1;
	}
	if (at->any.sa_family == AF_INET6) {
		int alone = !IN6_IS_ADDR_UNSPECIFIED(&at->v6.sin6_addr);

		/* Set either way: the system's default is a sysctl (net.ipv6.bindv6only). */
		if (set_option(sock, IPPROTO_IPV6, IPV6_V6ONLY, alone) != 0) {
			return -1;
		}
	}
	if (bind(sock, &at->any, len) != 0) {
		return -1;
	}
	return listen(sock, backlog);
}

/* The port's errors are fewer for sockets than for files: see cubftpd_port.h. */
static int
listen_error(void)
{
	int result = sys_error();

	switch (result) {
	case CUB_E_BUSY:
	case CUB_E_DENIED:
	case CUB_E_LIMIT:
	case CUB_E_NOENT:
		return result;
	case CUB_E_NOTDIR:
		return CUB_E_NOENT;
	default:
		return CUB_E_IO;
	}
}

/* A new socket, or an error. */
static int
new_stream(int family)
{
	int sock = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return sock < 0 ? listen_error() : sock;
}

int
port_listen(const struct port_addr *at, int backlog, port_sock *out)
{
	union address address;
	socklen_t len = to_system(at, &address);
	int sock, result;

	if (len == 0) {
		return CUB_E_IO;
	}
	sock = new_stream(address.any.sa_family);
	if (sock < 0) {
		return sock;
	}
	result = bind_and_listen(sock, &address, len, backlog) != 0 ? listen_error() : CUB_OK;
	return sys_hand_over(sock, result, out);
}

static bool
is_socket(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Something has that name already. Returns CUB_OK if it was a socket of nobody, and is gone. */
static int
remove_stale(const struct sockaddr_un *at)
{
	int sock, result;

	if (!is_socket(at->sun_path)) {
		return CUB_E_EXIST;
	}
	sock = new_stream(AF_UNIX);
	if (sock < 0) {
		return sock;
	}
	if (connect(sock, (const struct sockaddr *)at, sizeof *at) == 0) {
		result = CUB_E_BUSY;
	} else if (errno == ECONNREFUSED) {
		result = unlink(at->sun_path) == 0 ? CUB_OK : listen_error();
	} else {
		/* Not for us to look at; or its queue is full, or it is no stream: it is in use. */
		result = errno == EACCES ? CUB_E_DENIED : CUB_E_BUSY;
	}
	close(sock);
	return result;
}

/* Returns 0, or -1 and errno. */
static int
bind_local(int sock, const struct sockaddr_un *at)
{
	mode_t mask = umask(LOCAL_UMASK);
	int result = bind(sock, (const struct sockaddr *)at, sizeof *at);

	(void)umask(mask);
	return result;
}

int
port_listen_local(const char *path, port_sock *out)
{
	struct sockaddr_un at;
	int result = sys_local_address(path, &at);
	int sock;

	if (result < 0) {
		return result;
	}
	sock = new_stream(AF_UNIX);
	if (sock < 0) {
		return sock;
	}
	if (bind_local(sock, &at) != 0) {
		result = errno == EADDRINUSE ? remove_stale(&at) : listen_error();
		if (result == CUB_OK && bind_local(sock, &at) != 0) {
			result = listen_error();
		}
	}
	if (result == CUB_OK && listen(sock, LOCAL_BACKLOG) != 0) {
		result = listen_error();
	}
	return sys_hand_over(sock, result, out);
}

void
port_forget_local(const char *path)
{
	/* A name that stays, for want of rights in its directory, is replaced at the next start. */
	if (is_socket(path)) {
		(void)unlink(path);
	}
}

/*
 * accept(2) also reports what befell a connection before it was taken; its manual page
 * lists these. They say nothing about the listener, and the next client may be there.
 */
static int
accept_error(void)
{
	switch (errno) {
	case EAGAIN:
	case ECONNABORTED:
	case EPROTO:
	case EPERM:  /* a firewall rule */
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENONET:
	case ETIMEDOUT:
		return CUB_AGAIN;
	default:
		return sys_error() == CUB_E_LIMIT ? CUB_E_LIMIT : CUB_E_IO;
	}
}

/* These make a connection better, none is needed: a failure is not looked at. */
static void
improve(int sock)
{
	set_option(sock, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(sock, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(sock, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
	set_option(sock, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S);
	set_option(sock, IPPROTO_TCP, TCP_KEEPCNT, KEEP_PROBES);
	/* Not more unsent in the kernel than this: a client that reads nothing is noticed early,
	 * and takes no megabytes of a small device. */
	set_option(sock, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX);
}

int
port_accept(port_sock listener, port_sock *out, struct port_addr *peer)
{
	union address address;
	socklen_t len = sizeof address;
	int sock;

	do {
		sock = accept4(listener, &address.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (sock < 0 && errno == EINTR);
	if (sock < 0) {
		return accept_error();
	}
	from_system(&address, peer);
	*out = sock;
	if (peer->family != 0) {
		improve(sock);
	}
	return CUB_OK;
}

int
port_connect(port_sock *sock, const struct port_addr *from, const struct port_addr *to)
{
	struct port_addr own = *from;
	union address address;
	socklen_t len;

	if (*sock == PORT_NONE) {
		int made;

		own.tcp_port = 0;
		len = to_system(&own, &address);
		made = new_stream(address.any.sa_family);
		if (made < 0) {
			return made == CUB_E_LIMIT ? made : CUB_E_IO;
		}
		*sock = made;
		if (bind(*sock, &address.any, len) != 0) {
			return CUB_E_IO;
		}
		improve(*sock);
	}
	len = to_system(to, &address);
	if (connect(*sock, &address.any, len) == 0 || errno == EISCONN) {
		return CUB_OK;
	}
	return errno == EINPROGRESS || errno == EALREADY || errno == EINTR ? CUB_AGAIN : CUB_E_IO;
}

static uint32_t
ipv4_of(const struct sockaddr *at)
{
	struct sockaddr_in v4;

	memcpy(&v4, at, sizeof v4);
	return v4.sin_addr.s_addr;
}

bool
port_is_near(const struct port_addr *local, const struct port_addr *peer)
{
	struct ifreq list[NETWORKS_MAX];
	struct ifconf conf = { .ifc_len = sizeof list, .ifc_req = list };
	uint32_t ours, theirs;
	bool is_near = false;
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0) {
		return false;
	}
	memcpy(&ours, local->ip, sizeof ours);
	memcpy(&theirs, peer->ip, sizeof theirs);
	/* Without the C library's ioctl(), which brings in all that it knows. */
	if (syscall(SYS_ioctl, sock, SIOCGIFCONF, &conf) != 0) {
		conf.ifc_len = 0;
	}
	for (size_t i = 0; i < (size_t)conf.ifc_len / sizeof list[0] && !is_near; i++) {
		uint32_t net = ipv4_of(&list[i].ifr_addr);

		/* By name and address: an interface may have several. The mask takes its place. */
		if (syscall(SYS_ioctl, sock, SIOCGIFNETMASK, &list[i]) == 0) {
			uint32_t mask = ipv4_of(&list[i].ifr_netmask);

			is_near = (((net ^ ours) | (net ^ theirs)) & mask) == 0;
		}
	}
	close(sock);
	return is_near;
}

int
port_sock_local(port_sock sock, struct port_addr *out)
{
	union address address;
	socklen_t len = sizeof address;

	if (getsockname(sock, &address.any, &len) != 0) {
		return CUB_E_IO;
	}
	from_system(&address, out);
	return CUB_OK;
}

int
port_sock_read(port_sock sock, void *dst, size_t len)
{
	ssize_t n;

	do {
		n = recv(sock, dst, sys_at_most_int(len), 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return errno == EAGAIN ? CUB_AGAIN : CUB_E_IO;
	}
	return n == 0 ? CUB_EOF : (int)n;
}

int
port_sock_write(port_sock sock, const void *src, size_t len)
{
	ssize_t n;

	do {
		n = send(sock, src, sys_at_most_int(len), MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return errno == EAGAIN ? CUB_AGAIN : CUB_E_IO;
	}
	return n == 0 ? CUB_AGAIN : (int)n;
}

void
port_sock_quickack(port_sock sock)
{
	(void)set_option(sock, IPPROTO_TCP, TCP_QUICKACK, 1);
}

void
port_sock_shutdown(port_sock sock)
{
	/* A connection that is lost already needs no end. */
	(void)shutdown(sock, SHUT_WR);
}

void
port_sock_close(port_sock sock)
{
	close(sock);
}

/* Milliseconds until a deadline, or -1 where there is none. */
static int
time_left(uint64_t deadline_ms)
{
	uint64_t now_ms = port_clock_ms();
	uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;

	if (deadline_ms == UINT64_MAX) {
		return -1;
	}
	return left_ms < WAIT_MS_MAX ? (int)left_ms : WAIT_MS_MAX;
}

/* Errors and hang-ups wake whoever waits: the next read or write then tells which. */
static uint8_t
ready_of(short revents, uint8_t events)
{
	unsigned ready = 0;

	if (revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) {
		ready |= PORT_READ;
	}
	if (revents & (POLLOUT | POLLHUP | POLLERR | POLLNVAL)) {
		ready |= PORT_WRITE;
	}
	return (uint8_t)(ready & events);
}

void
port_wait(struct port_wait *set)
{
	struct pollfd fds[CUB_WAIT_MAX + 1];
	int n;

	CUB_ASSERT(set->count <= CUB_WAIT_MAX);
	for (unsigned i = 0; i < set->count; i++) {
		uint8_t events = set->item[i].events;

		/* poll(2) reports hang-ups unasked: an item that waits for nothing is skipped. */
		fds[i].fd = events != 0 ? set->item[i].sock : -1;
		fds[i].events = (short)((events & PORT_READ ? POLLIN : 0)
			| (events & PORT_WRITE ? POLLOUT : 0));
	}
	fds[set->count] = (struct pollfd){ .fd = sys_signal_fd(), .events = POLLIN };
	n = poll(fds, set->count + 1u, time_left(set->deadline_ms));
	for (unsigned i = 0; i < set->count; i++) {
		/* After an interruption the kernel has not filled in `revents`. */
		set->item[i].ready = n > 0 ? ready_of(fds[i].revents, set->item[i].events) : 0;
	}
}
