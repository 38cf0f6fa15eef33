/* SPDX-License-Identifier: MIT */
/*
 * The device's key and certificate chain: kept in the identity store, loaded into the form
 * that BearSSL wants.
 *
 * Records, without key bytes:
 *	IDENTITY_KEY     the key, packed (key.h)
 *	IDENTITY_CHAIN   certificates, the device's own first, each as its length (2 bytes,
 *	                 little-endian) and DER
 *	IDENTITY_SEALED  the packed key, sealed (seal.h), in place of IDENTITY_KEY
 *
 * A new key and its chain are written together. With a secret (`key_secret`), a key is only
 * ever written sealed, and the store is written twice, so that neither bank holds an older one
 * in the clear any more: first with an empty IDENTITY_KEY beside it, then without. One that is
 * found in the clear is sealed when it is loaded; and where there is an empty one, power was
 * lost in between, and the writing is done again.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "key.h"
#include "store.h"

#define IDENTITY_SECRET_MAX 256

enum identity_record { IDENTITY_KEY = 1, IDENTITY_CHAIN = 2, IDENTITY_SEALED = 3, IDENTITY_CA = 4 };

/* Points into itself: never copy it. */
struct identity {
	const br_ssl_server_policy_class *policy;  /* the first member: tls.c finds the others by it */
	uint32_t            der_len;
	uint8_t             chain_count;
	br_x509_certificate chain[CUB_CHAIN_CERTS];
	uint8_t             fingerprint[32];  /* of the first certificate */
	struct key          key;
	uint8_t             der[CUB_CHAIN_MAX];
};

/*
 * Load what the store holds. `secret` is empty where none is configured.
 *
 * Returns CUB_OK; CUB_E_NOENT: there is no identity yet;
 *         CUB_E_CORRUPT: it makes no sense, or the key does not fit the certificate;
 *         CUB_E_DENIED: the key is sealed, under another secret or with none given; CUB_E_IO;
 *         or as store_write(), where the key had to be sealed.
 */
int identity_load(struct identity *id, struct store *s, struct bytes secret);

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
int identity_make(struct identity *id, struct store *s, struct text name, struct bytes secret);

/* What an identity is made of. */
struct identity_parts {
	struct bytes key;     /* DER, as key_import(); null: a new one is made */
	struct bytes chain;   /* as in identity_install(); empty: a self-signed certificate is made */
	struct text  name;    /* of that certificate */
	struct bytes secret;
};

/*
 * Likewise of these parts. Returns as identity_make(); CUB_E_BAD: `*why` says what is wrong, and
 * nothing changed.
 */
int identity_import(struct identity *id, struct store *s, const struct identity_parts *parts,
	const char **why);

/*
 * Store a signed chain (x509_chain_next()) for the key of `now`, which the store must hold, and
 * load both into `id`, which is another one. It must match the key, have the device's
 * certificate first, and hold in itself (verify_order()); and it must not have ended yet,
 * unless the clock is wrong.
 *
 * Returns CUB_OK; CUB_E_BAD: `*why` says what is wrong, and nothing changed; or as store_write().
 */
int identity_install(struct identity *id, struct store *s, const struct identity *now,
	struct bytes chain, const char **why);

#endif
