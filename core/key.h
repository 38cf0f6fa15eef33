/* SPDX-License-Identifier: MIT */
/*
 * A private key: P-256 (made or imported), or RSA of 2048 to 4096 bits (imported), or P-384
 * where it is built in. It is kept packed, in the form in which the identity store holds it:
 *
 *	EC    BearSSL's number of the curve (23: P-256, 24: P-384), then the scalar, big-endian,
 *	      32 or 48 bytes
 *	RSA   0, then p, q, dp, dq, iq and the public exponent, each as its length (2 bytes,
 *	      little-endian) and its bytes, big-endian, without leading zeros
 */
#ifndef KEY_H
#define KEY_H

#include <bearssl.h>

#include "der.h"

#if CONFIG_CUBFTPD_RSA
#define KEY_PACKED_MAX    (1 + 5 * (2 + 256) + 2 + 4)
#define KEY_SIGNATURE_MAX 512
#elif CONFIG_CUBFTPD_P384
#define KEY_PACKED_MAX    49
#define KEY_SIGNATURE_MAX 104
#else
#define KEY_PACKED_MAX    33
#define KEY_SIGNATURE_MAX 72
#endif

/* Points into itself: never copy it, but pack and unpack it again. */
struct key {
	uint8_t  type;        /* BR_KEYTYPE_EC or BR_KEYTYPE_RSA; 0: none */
	uint16_t packed_len;
	union {
		br_ec_private_key  ec;
		br_rsa_private_key rsa;
	};
	uint8_t  packed[KEY_PACKED_MAX];
};

/* A public key within somebody's DER. */
struct key_public {
	uint8_t type;        /* BR_KEYTYPE_EC or BR_KEYTYPE_RSA */
	int     curve;       /* of an EC key: BR_EC_* */
	struct bytes point;  /* of an EC key, uncompressed */
	struct bytes n, e;   /* of an RSA key */
};

/* Make a new P-256 key. Waits for the platform's random pool. */
void key_make(struct key *k);
#if CONFIG_CUBFTPD_P384
void key_make_p384(struct key *k);
#endif

/* Make `packed` usable. Returns CUB_OK or CUB_E_CORRUPT. */
int key_unpack(struct key *k);

/*
 * Take over a private key from DER: PKCS#8 (RFC 5958), SEC 1 (RFC 5915) or PKCS#1 (RFC 8017
 * appendix A.1.2), read by der.h: BearSSL 0.6's own decoder can be made to write past its
 * buffer.
 *
 * Returns CUB_OK; CUB_E_BAD: `*why` says what is wrong with it, and `k` holds no key.
 */
int key_import(struct key *k, struct bytes der, const char **why);

/* Is it the private half of this public key? */
bool key_fits(const struct key *k, const struct key_public *public);

/* The SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) of its public half. */
void key_put_public(struct der *d, const struct key *k);

/* Sign a SHA-256 hash: ECDSA or RSA PKCS#1 v1.5. Returns the length, at most KEY_SIGNATURE_MAX. */
size_t key_sign(const struct key *k, const uint8_t hash[32], uint8_t *signature);

/* The AlgorithmIdentifier of these signatures. */
void key_put_algorithm(struct der *d, const struct key *k);

/*
 * Is this the signature of `data` by that key? ECDSA or RSA PKCS#1 v1.5 with SHA-256; where
 * CONFIG_CUBFTPD_P384 is, also with SHA-384 and SHA-512. `algorithm` is an AlgorithmIdentifier.
 * Returns CUB_OK; CUB_E_DENIED: it is not; CUB_E_BAD: by an algorithm that this build has not.
 */
int key_check(const br_x509_pkey *key, struct bytes algorithm, struct bytes data,
	struct bytes signature);

/*
 * Read a SubjectPublicKeyInfo, and look whether this build can use the key.
 * Returns null, or what is wrong with it.
 */
const char *key_read_public(struct bytes spki, struct key_public *public);

/* The same for BearSSL; it points to where `public` points. */
br_x509_pkey key_for_bearssl(const struct key_public *public);

/* "P-256", "RSA 2048". */
void key_put_kind(struct out *o, const struct key_public *public);

#endif
