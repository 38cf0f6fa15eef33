/* SPDX-License-Identifier: MIT */
/*
 * The CAs whose clients are accepted at level 3: a table in RAM, loaded from the identity
 * store. What is kept in RAM is what verifying needs; the certificate stays in the store.
 *
 * Records: IDENTITY_CA, the key is the CA's name here (as a label, trust.h). The value:
 *	0  length of the account's name, 0: none
 *	1  account's name, to which clients of this CA log in under `signed_trust = auto`
 *	   certificate, DER
 */
#ifndef CA_H
#define CA_H

#include "identity.h"
#include "verify.h"

/* Points into itself: never copy it. */
struct ca {
	char     name[CUB_LABEL];
	char     account[CUB_ACCOUNT_NAME];  /* empty: none */
	uint8_t  fingerprint[32];
	int64_t  until_s;
	char     subject[CUB_NAME_SHOWN];
	uint16_t der_len;
	uint8_t  dn[CUB_DN_MAX];
	uint8_t  key[CONFIG_CUBFTPD_RSA ? 520 : 97];
};

struct ca_table {
	uint8_t count;
	br_x500_name name[CUB_CAS];            /* these two of the same number, into `item` */
	struct verify_anchor anchor[CUB_CAS];
	struct ca item[CUB_CAS];
};

/*
 * Load the table in place. Returns CUB_OK, CUB_E_CORRUPT, CUB_E_FULL (the store has more of
 * them than this build), CUB_E_IO; after an error it is empty.
 */
int ca_load(struct ca_table *t, const struct store *s);

/* Find by name, or by fingerprint; null if there is none. */
const struct ca *ca_find(const struct ca_table *t, struct text name);
const struct ca *ca_find_fingerprint(const struct ca_table *t, const uint8_t fingerprint[32]);

/*
 * Could it be a CA of this device? A CA certificate (basicConstraints) that may sign and has
 * no critical extension that is not known, a key of this build, a name and a length within
 * the limits, not expired by `now_s`.
 * Returns null, or what is wrong with it.
 */
const char *ca_check(struct bytes der, int64_t now_s);

/*
 * Store one that passes ca_check(), new or changed, or remove it. Its name is good as a label, its
 * account as one or empty. Returns as store_write().
 */
int ca_save(struct store *s, const char *name, const char *account, struct bytes der);
int ca_remove(struct store *s, const struct ca *ca);

/*
 * A part of the certificate, from its byte `from` on, for a download: no more than there is.
 * Returns CUB_OK, or as store_find(); CUB_E_NOENT also where the store has another one now.
 */
int ca_read(const struct store *s, const struct ca *ca, uint32_t from, uint8_t *dst, uint32_t len);

#endif
