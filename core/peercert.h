/* SPDX-License-Identifier: MIT */
/*
 * What a client shows of itself in the TLS handshake: an X.509 engine for BearSSL that trusts
 * nobody and refuses nobody with a usable key. So possession is always proven
 * (CertificateVerify is skipped where such an engine reports an error), and whether the
 * certificate is trusted is decided afterwards, on its hash, where it can be told to the
 * client in words.
 *
 * On a control connection the chain is collected. On a data connection nothing is, but the
 * first certificate is compared with that of the control connection, by its hash.
 */
#ifndef PEERCERT_H
#define PEERCERT_H

#include "x509.h"

/* The longest chain that is collected, in the form of x509_chain_next(). */
#define PEERCERT_CHAIN_MAX 12288

/* No more certificates than this: whoever sends more wants to keep the device busy. */
#define PEERCERT_COUNT_MAX 8

/* The room that collecting a chain takes, for the time of a handshake. */
struct peercert_room {
	struct x509_cert first;       /* the client's own certificate, read; it lies in `chain` */
	uint8_t chain[PEERCERT_CHAIN_MAX];
};

/*
 * A client's certificate as it is remembered for the session. `is_proven` is for whoever ran
 * the handshake to set, when it is over without a `problem`: until then anybody may have shown
 * it.
 */
struct client {
	bool    is_shown;             /* there was one */
	bool    is_proven;            /* and the client holds its key */
	bool    is_signed;            /* level 3: by the CA named here */
	const char *problem;          /* why it can't be used, or is not signed; null: nothing */
	uint8_t cert[32];             /* its fingerprint */
	uint8_t key[32];              /* that of its public key */
	uint8_t ca[32];               /* that of the CA's certificate */
	int64_t from_s;
	int64_t until_s;
	struct key_public public;     /* points into `key_bytes` */
	uint8_t key_bytes[CONFIG_CUBFTPD_RSA ? 516 : 97];
};

struct peercert {
	const br_x509_class *vtable;  /* first, as BearSSL demands */
	struct client *client;
	struct peercert_room *room;   /* null: compare with `client` */
	size_t   len;                 /* of the chain in `room` */
	size_t   left;                /* of the certificate that is coming; it is not collected if 0 */
	unsigned count;
	bool     is_whole;            /* all of the chain has been collected */
	bool     is_same;             /* comparing: it is the one of the control connection */
	br_sha256_context hash;
	br_x509_pkey key;
};

/* Collect into `room`, and describe the first certificate in `client`, which is cleared. */
void peercert_collect(struct peercert *pc, struct client *client, struct peercert_room *room);

/* Compare with the certificate of `client`. */
void peercert_compare(struct peercert *pc, struct client *client);

/* After the handshake: the chain that was collected; empty where it was too long. */
struct bytes peercert_chain(const struct peercert *pc);

#endif
