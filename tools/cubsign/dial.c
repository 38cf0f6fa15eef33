/* SPDX-License-Identifier: MIT */
/* TCP to a host: see dial.h. */
#include "dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tell.h"

/* ---- What is written for a host ---- */

/* Letters, digits and some marks: also nothing that would have to be escaped later. */
static bool
is_of(struct text t, const char *marks)
{
	for (size_t i = 0; i < t.len; i++) {
		char c = text_upper(t.at[i]);

		if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
			|| (c != '\0' && strchr(marks, c) != NULL))) {
			return false;
		}
	}
	return t.len > 0;
}

/* Host and port; `port->at` is null where there is none. False: it has another form. */
static bool
split(struct text t, struct text *host, struct text *port)
{
	const char *colon = t.len > 0 ? memchr(t.at, ':', t.len) : NULL;
	const char *end;

	*host = t;
	*port = (struct text){ NULL, 0 };
	if (t.len > 0 && t.at[0] == '[') {
		end = memchr(t.at, ']', t.len);
		if (end == NULL) {
			return false;
		}
		*host = (struct text){ t.at + 1, (size_t)(end - t.at) - 1 };
		colon = end + 1;
		if (colon < t.at + t.len) {
			*port = (struct text){ colon + 1, t.len - host->len - 3 };
		}
		return memchr(host->at, ':', host->len) != NULL
			&& (port->at == NULL || *colon == ':');
	}
	/* With two colons and more it is an address of IPv6, without a port. */
	if (colon != NULL && memchr(colon + 1, ':', t.len - (size_t)(colon - t.at) - 1) == NULL) {
		*host = text_cut(&t, ':');
		*port = t;
	}
	return true;
}

bool
dial_parse(struct text t, struct dial *to, struct out *why)
{
	static const char form[] = "a device is written HOST, HOST:PORT or [IPV6]:PORT";
	struct text host, port;
	struct out digits = OUT(to->port);
	struct in_addr v4;
	uint64_t number = 21;
	bool is_v6;

	if (!split(t, &host, &port)) {
		return tell(why, form);
	}
	is_v6 = host.len > 0 && memchr(host.at, ':', host.len) != NULL;
	if (!is_of(host, is_v6 ? ":.%_-" : "._-") || host.at[0] == '-'
		|| (port.len > 0 && !is_of(port, "-"))
		|| !text_copy(host, to->host, sizeof to->host)) {
		return tell(why, form);
	}
	if (port.at != NULL && (!text_number(port, UINT16_MAX, &number) || number == 0)) {
		return tell(why, "a port is a number from 1 to 65535");
	}
	out_number(&digits, number);
	out_char(&digits, '\0');
	to->is_name = !is_v6 && inet_pton(AF_INET, to->host, &v4) != 1;
	return true;
}

bool
dial_is_same(const struct dial *a, const struct dial *b)
{
	return text_is(text_of(a->host), b->host) && strcmp(a->port, b->port) == 0;
}

/* ---- Connections ---- */

int64_t
dial_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
dial_wait(int fd, bool to_read, int limit_ms, struct out *why)
{
	int64_t end_ms = dial_now_ms() + limit_ms;
	struct pollfd p = { .fd = fd, .events = to_read ? POLLIN : POLLOUT };
	int64_t left_ms = limit_ms;
	int n;

	do {
		n = poll(&p, 1, left_ms > 0 ? (int)left_ms : 0);
		left_ms = end_ms - dial_now_ms();
	} while (n < 0 && errno == EINTR);
	if (n <= 0) {
		return tell(why, n == 0 ? "it does not answer in time" : strerror(errno));
	}
	return true;
}

/* Is the connection made, after waiting? */
static bool
is_connected(int fd, struct out *why)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (!dial_wait(fd, false, DIAL_WAIT_MS, why)) {
		return false;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
		error = errno;
	}
	return error == 0 || tell(why, strerror(error));
}

static int
connect_to(const struct sockaddr *address, socklen_t len, struct out *why)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		(void)tell(why, strerror(errno));
		return -1;
	}
	if (connect(fd, address, len) != 0 && errno != EINPROGRESS) {
		(void)tell(why, strerror(errno));
	} else if (is_connected(fd, why)) {
		return fd;
	}
	(void)close(fd);
	return -1;
}

int
dial_connect(const struct dial *to, struct out *why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list;
	size_t len = why->len;
	int error = getaddrinfo(to->host, to->port, &hints, &list);
	int fd = -1;

	if (error != 0) {
		(void)tell(why, error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
		return -1;
	}
	for (struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
		why->len = len;  /* the last one's reason is told */
		fd = connect_to(a->ai_addr, a->ai_addrlen, why);
	}
	freeaddrinfo(list);
	if (fd >= 0) {
		why->len = len;
	}
	return fd;
}

int
dial_beside(int fd, uint16_t port, struct out *why)
{
	union {
		struct sockaddr         any;
		struct sockaddr_in      v4;
		struct sockaddr_in6     v6;
		struct sockaddr_storage room;
	} address;
	socklen_t len = sizeof address;

	if (getpeername(fd, &address.any, &len) != 0) {
		(void)tell(why, strerror(errno));
		return -1;
	}
	if (address.any.sa_family == AF_INET6) {
		address.v6.sin6_port = htons(port);
	} else {
		address.v4.sin_port = htons(port);
	}
	return connect_to(&address.any, len, why);
}
