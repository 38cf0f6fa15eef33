/* SPDX-License-Identifier: MIT */
/* X.509 certificates (RFC 5280): writing the device's own, and looking into one. */
#ifndef X509_H
#define X509_H

#include <bearssl.h>

#include "text.h"

/* 9999-12-31 23:59:59 UTC: no well-defined end (RFC 5280 section 4.1.2.5). */
#define X509_FOREVER INT64_C(253402300799)

/*
 * Write a self-signed v3 certificate for a TLS server's P-256 key into `out`. `name` becomes
 * its common name, and a DNS name where it can be one. It is valid from `from_s` without end.
 *
 * Returns its length, or CUB_E_LIMIT where it is longer than `cap`.
 */
int x509_self_signed(uint8_t *out, size_t cap, const br_ec_private_key *key,
	struct text name, int64_t from_s);

/* What a certificate says. */
struct x509_info {
	int64_t  from_s;
	int64_t  until_s;
	bool     is_ec;          /* else RSA */
	int      curve;          /* of an EC key */
	uint8_t  point[133];     /* of an EC key: 65 bytes for P-256 */
	size_t   point_len;
};

/* Decode a certificate. Returns CUB_OK, or CUB_E_BAD: it is none, or its key's type is unknown. */
int x509_look(const uint8_t *der, size_t len, struct x509_info *info);

/* SHA-256, the fingerprint of a certificate and the name by which it is known everywhere. */
void x509_fingerprint(const uint8_t *der, size_t len, uint8_t out[32]);

/* sha256: and 64 lower-case digits. */
void x509_put_fingerprint(struct out *o, const uint8_t fingerprint[32]);

#endif
