/* SPDX-License-Identifier: MIT */
/* TCP to a host that is named on the command line, by IPv4 and IPv6. */
#ifndef DIAL_H
#define DIAL_H

#include "text.h"

#define DIAL_WAIT_MS  15000  /* for anything that should come */
#define DIAL_HOST_MAX 256

struct dial {
	char host[DIAL_HOST_MAX];
	char port[6];
	bool is_name;  /* else an address */
};

/*
 * HOST, HOST:PORT, ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT; port 21 where none is given.
 * Returns false, told in `why`, where it is none of them.
 */
bool dial_parse(struct text t, struct dial *to, struct out *why);

/* The same host, letter case aside, and the same port? */
bool dial_is_same(const struct dial *a, const struct dial *b);

/*
 * Connect: each address of the host is tried in turn, for DIAL_WAIT_MS.
 * Returns a socket that never blocks; -1, told in `why`.
 */
int dial_connect(const struct dial *to, struct out *why);

/* Connect to another port of the host that a socket is connected to. */
int dial_beside(int fd, uint16_t port, struct out *why);

/* Wait until a socket can be read (else written). False, told, when the time is over. */
bool dial_wait(int fd, bool to_read, int limit_ms, struct out *why);

/* Milliseconds that only go forward. */
int64_t dial_now_ms(void);

#endif
