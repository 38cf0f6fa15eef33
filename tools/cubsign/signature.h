/* SPDX-License-Identifier: MIT */
/* Signatures of certificates and requests: which there are, and whether one holds. */
#ifndef SIGNATURE_H
#define SIGNATURE_H

#include "key.h"

/* An AlgorithmIdentifier of signatures. */
struct signature_kind {
	const char *name;           /* "ECDSA with SHA-256"; null: not known */
	const char *why;            /* null, or why it is not accepted */
	uint8_t key_type;           /* BR_KEYTYPE_EC or BR_KEYTYPE_RSA, where it is accepted */
	bool needs_p384;            /* a device has its hash only where it has P-384 */
};

/* What is signed, of a certificate or a request; the spans lie within its DER. */
struct signature {
	struct bytes content;       /* whole: exactly the bytes that are signed */
	struct bytes algorithm;     /* AlgorithmIdentifier, whole */
	struct bytes value;
	struct signature_kind kind;
};

/*
 * Take the DER of a certificate or a request apart. False: it is no such thing, or damaged.
 * What is in it has not been looked at.
 */
bool signature_open(struct bytes der, struct signature *s);

/* Is it by this key? Returns null, or what is wrong with it. */
const char *signature_check(const struct signature *s, const struct key_public *key);

#endif
