/* SPDX-License-Identifier: MIT */
/* Certificates of others, written: what a CA signs, and a CA's own. */
#ifndef ISSUE_H
#define ISSUE_H

#include "x509.h"

#define ISSUE_MAX    4096
#define ISSUE_SERIAL 17  /* bytes: 128 random bits behind a 1, so that it is never short */
#define ISSUE_KEY_ID 20  /* bytes of the hash of a key that make its identifier */

enum profile { PROFILE_DEVICE, PROFILE_CLIENT, PROFILE_CA };

struct issue {
	enum profile profile;
	uint8_t serial[ISSUE_SERIAL];
	struct bytes subject;         /* Name, whole */
	struct bytes public_key;      /* SubjectPublicKeyInfo, whole */
	struct bytes issuer;          /* Name of the CA; the subject where it signs itself */
	struct bytes issuer_key_id;   /* its subjectKeyIdentifier; empty where it signs itself */
	struct bytes names;           /* the inside of GeneralNames (san.h); empty: none */
	int32_t path_length;          /* of a CA; -1: none */
	int64_t from_s;
	int64_t until_s;
};

/* A new serial number: random. */
void issue_make_serial(uint8_t serial[ISSUE_SERIAL]);

/*
 * Write a v3 certificate: basicConstraints and keyUsage, critical; extendedKeyUsage by profile,
 * not critical; identifiers of the subject's key (RFC 7093 method 1 over all of public_key, as
 * the device's own) and the authority's; names.
 * Returns its length at `out`, or CUB_E_LIMIT.
 */
int issue_write(uint8_t *out, size_t cap, const struct issue *what, const struct key *signer);

/* "device", "client", "CA" */
const char *issue_profile_name(enum profile profile);

#endif
