/* SPDX-License-Identifier: MIT */
/*
 * TLS to a device over a socket, with a limit for each wait. What the device shows of itself is
 * collected and not judged: the caller compares its hash before anything secret is sent. That
 * the device holds the key of what it shows, the handshake has proven.
 */
#ifndef TUNNEL_H
#define TUNNEL_H

#include "x509.h"

#define TUNNEL_STEP_MS   60000  /* for all of a step: tunnel_step() */
#define TUNNEL_CERTS     8
#define TUNNEL_CHAIN_MAX 16384

/* What we show of ourselves: a client certificate and those above it. */
struct tunnel_client {
	struct key key;
	br_x509_certificate cert[TUNNEL_CERTS];
	size_t     count;
	struct key_public public;
	uint8_t    der[TUNNEL_CHAIN_MAX];
};

/* What the device shows. */
struct showing {
	const br_x509_class *vtable;  /* first, as BearSSL demands */
	size_t   len;                 /* of the chain */
	size_t   left;                /* of the certificate that is coming */
	unsigned count;
	const char *problem;          /* why it can't be used */
	struct x509_cert leaf;        /* it lies in the chain */
	br_x509_pkey key;
	uint8_t  chain[TUNNEL_CHAIN_MAX];  /* x509_chain_next() */
};

struct tunnel {
	int     fd;                   /* -1: closed */
	bool    is_secure;
	int64_t deadline_ms;
	char    problem[160];         /* the first cause of a failure; empty: none */
	br_ssl_client_context tls;
	struct showing showing;
	uint8_t buffer[BR_SSL_BUFSIZE_BIDI];
};

/* Begin over a socket, which is the tunnel's from now on; -1: there is none. Plain so far. */
void tunnel_start(struct tunnel *t, int fd);

/* A step begins: all that follows has TUNNEL_STEP_MS. */
void tunnel_step(struct tunnel *t);

/*
 * Shake hands, where `name` (or null) is whom we say to look for, as `client` (null: nobody).
 * The session of `same` is offered to be resumed, unless that is null; if it is, nothing is
 * shown. Nothing of the caller's is sent.
 * Returns false where it failed: `problem`.
 */
bool tunnel_secure(struct tunnel *t, const char *name, const struct tunnel_client *client,
	const struct tunnel *same);

/* What was shown; empty after a session was resumed. */
struct bytes tunnel_chain(const struct tunnel *t);

/* Read at least a byte. 0: the device has ended it in order; -1: it failed (`problem`). */
int tunnel_read(struct tunnel *t, void *dst, size_t len);

bool tunnel_write(struct tunnel *t, const void *src, size_t len);

/* Say that all was sent, and wait for the device's word that it knows. */
bool tunnel_end(struct tunnel *t);

/*
 * Close, after a problem at once and without what is still on its way; and wipe the keys.
 * `problem` stays. May be called again.
 */
void tunnel_close(struct tunnel *t);

#endif
