/* SPDX-License-Identifier: MIT */
/*
 * The trusted client certificates: a table in RAM, loaded from the trust store. Identity is a
 * hash; a name in a certificate never decides anything.
 *
 * Records: TRUST_RECORD, the key is the SHA-256 of the certificate, 32 bytes. The value:
 *	 0  1: exact, 2: administrator, 4: the public key is not known
 *	 1  SHA-256 of its SubjectPublicKeyInfo, 32 bytes
 *	33  end of validity, 8 bytes, little-endian, seconds since 1970; the largest: not known
 *	41  day it was added, 8 bytes, likewise
 *	49  length of the account's name
 *	50  account's name, then the label
 */
#ifndef TRUST_H
#define TRUST_H

#include "store.h"

#define TRUST_RECORD  2
#define TRUST_UNKNOWN INT64_MAX  /* the end of validity is not known */

struct trusted {
	uint8_t cert[32];
	uint8_t key[32];
	char    account[CUB_ACCOUNT_NAME];
	char    label[CUB_LABEL];
	bool    is_exact;     /* only this certificate; else any with its key */
	bool    is_admin;
	bool    knows_key;    /* else it is exact, too: `key` never matches */
	int64_t until_s;
	int64_t added_s;
};

struct trust_table {
	uint8_t count;
	struct trusted item[CUB_TRUSTED];
};

/*
 * Load the table. Returns CUB_OK, CUB_E_CORRUPT, CUB_E_FULL (the store has more of them than
 * this build), CUB_E_IO; after an error it is empty.
 */
int trust_load(struct trust_table *t, const struct store *s);

/*
 * The entry that trusts a certificate with a key: one for this certificate, else one for its
 * key that is not exact; null if there is none. Hashes are compared in constant time, and one
 * of zeros is never trusted.
 */
const struct trusted *trust_find(const struct trust_table *t, const uint8_t cert[32],
	const uint8_t key[32]);

/* Find what administrators name: an entry by its certificate, or by its label. */
const struct trusted *trust_find_cert(const struct trust_table *t, const uint8_t cert[32]);
const struct trusted *trust_find_label(const struct trust_table *t, struct text label);

/*
 * A label, or the name of a CA: 1 to 32 bytes of printable UTF-8 without "/", "+" and quotes
 * (of both kinds), not beginning with "." or "-".
 */
bool trust_label_is_good(struct text label);

/*
 * Store an entry, new or changed. No other one may have its label: a store with two of the same
 * is not loaded. Returns as store_write().
 */
int trust_save(struct store *s, const struct trusted *t);

/* The change that removes it; `t` must stay valid. */
struct store_change trust_removal(const struct trusted *t);

/*
 * What people write for a fingerprint: hexadecimal digits of either case, colons between
 * their pairs, "sha256:" or "SHA256 Fingerprint=" (of either case) before them.
 *
 * `digits` gets up to 64 lower-case digits and a NUL. Returns their number; 0: it is no
 * fingerprint, nor the beginning of one.
 */
#define TRUST_DIGITS     65
#define TRUST_DIGITS_MIN 8  /* fewer say too little to choose by */
size_t trust_parse(struct text t, char digits[TRUST_DIGITS]);

/* Does a fingerprint begin with these digits? */
bool trust_begins(const uint8_t fingerprint[32], const char *digits);

#endif
