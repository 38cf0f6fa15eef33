/* SPDX-License-Identifier: MIT */
/*
 * Client certificates that were refused and wait for an administrator: in RAM only, so that
 * nobody without trust can cause a flash write. Only a certificate whose key the client has
 * proven to hold comes in here.
 *
 * One more, where the table is full, takes the place of the oldest from the same address;
 * if there is none, of the oldest from that address which has the most. So a flood from one
 * address can't push out the others. An IPv6 address counts by its first 64 bits.
 */
#ifndef PENDING_H
#define PENDING_H

#include "x509.h"

struct pending {
	uint8_t  cert[32];
	uint8_t  key[32];
	char     subject[CUB_NAME_SHOWN];
	char     issuer[CUB_NAME_SHOWN];
	char     account[CUB_ACCOUNT_NAME];  /* that it asked for; empty: none yet */
	int64_t  from_s;
	int64_t  until_s;
	struct port_addr peer;               /* the last one */
	int64_t  first_s;                    /* when it came first and last, by the wall clock */
	int64_t  last_s;
	uint32_t count;                      /* how often */
	uint64_t order;                      /* of its first coming */
	uint16_t der_len;                    /* 0: longer than what is kept */
	uint8_t  der[CONFIG_CUBFTPD_PENDING_CERT > 0 ? CONFIG_CUBFTPD_PENDING_CERT : 1];
};

struct pending_table {
	uint8_t  count;
	uint64_t order;
	struct pending item[CUB_PENDING];
};

/*
 * A client came with a certificate that is not trusted. `*is_new`: it was not in the table.
 * Returns its entry.
 */
struct pending *pending_note(struct pending_table *t, struct bytes der,
	const struct x509_cert *cert, const struct port_addr *peer, int64_t now_s, bool *is_new);

/* Find by the certificate's fingerprint; null if there is none. */
struct pending *pending_find(struct pending_table *t, const uint8_t cert[32]);

/* It has been trusted or rejected. */
void pending_remove(struct pending_table *t, struct pending *p);

#endif
