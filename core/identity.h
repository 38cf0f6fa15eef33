/* SPDX-License-Identifier: MIT */
/*
 * The device's key and certificate chain: kept in the identity store, loaded into the form
 * that BearSSL wants. P-256 keys.
 *
 * Records: IDENTITY_KEY, no key bytes: BearSSL's number of the curve, then the scalar,
 * big-endian. IDENTITY_CHAIN, no key bytes: certificates, the device's own first, each as
 * its length (2 bytes, little-endian) and DER. A new key and its chain are written together.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <bearssl.h>

#include "store.h"

#define IDENTITY_KEY_MAX 66

enum identity_record { IDENTITY_KEY = 1, IDENTITY_CHAIN = 2 };

/* Points into itself: never copy it. */
struct identity {
	br_ec_private_key   key;
	br_x509_certificate chain[CUB_CHAIN_CERTS];
	uint8_t             chain_count;
	uint8_t             fingerprint[32];  /* of the first certificate */
	uint8_t             key_bytes[IDENTITY_KEY_MAX];
	uint32_t            der_len;
	uint8_t             der[CUB_CHAIN_MAX];
};

/*
 * Load what the store holds.
 *
 * Returns CUB_OK; CUB_E_NOENT: there is no identity yet;
 *         CUB_E_CORRUPT: it makes no sense, or the key does not fit the certificate; CUB_E_IO.
 */
int identity_load(struct identity *id, const struct store *s);

/*
 * Is this the identity that the store holds?
 * Returns CUB_OK; CUB_E_NOENT: it is another one, or there is none; CUB_E_CORRUPT, CUB_E_IO.
 */
int identity_is_stored(const struct identity *id, const struct store *s);

/*
 * Make a new key and a self-signed certificate for it and store both. `id` holds it
 * afterwards, too. Waits for the platform's random pool.
 *
 * Returns CUB_OK, or as x509_self_signed() and store_write().
 */
int identity_make(struct identity *id, struct store *s, struct text name);

#endif
