/* SPDX-License-Identifier: MIT */
/*
 * Signatures, verified by BearSSL: see signature.h. Their form is looked at here, since BearSSL
 * takes more than one for the same signature.
 */
#include "signature.h"

#include <string.h>

static const uint8_t null_parameters[] = { DER_NULL, 0 };

static const char old_sha1[] = "it is signed with SHA-1, which is no longer safe: use SHA-256";
static const char old_md[] = "it is signed with MD5 or MD2, which is not safe: use SHA-256";
static const char odd_hash[] = "it is signed with SHA-224: use SHA-256";
static const char pss[] = "it is signed with RSA-PSS, which devices do not have: use PKCS#1 v1.5";
static const char edwards[] = "it is signed with Ed25519 or its kin, which devices do not have: "
	"use P-256 or RSA";
static const char dsa[] = "it is signed with DSA, which devices do not have: use P-256 or RSA";

static const struct {
	uint8_t oid_len;
	uint8_t oid[9];
	struct signature_kind kind;
} kinds[] = {
	{ 8, { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2 },
		{ .name = "ECDSA with SHA-256", .key_type = BR_KEYTYPE_EC } },
	{ 8, { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3 },
		{ .name = "ECDSA with SHA-384", .key_type = BR_KEYTYPE_EC, .needs_p384 = true } },
	{ 8, { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 4 },
		{ .name = "ECDSA with SHA-512", .key_type = BR_KEYTYPE_EC, .needs_p384 = true } },
	{ 9, { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11 },
		{ .name = "RSA with SHA-256", .key_type = BR_KEYTYPE_RSA } },
	{ 9, { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 12 },
		{ .name = "RSA with SHA-384", .key_type = BR_KEYTYPE_RSA, .needs_p384 = true } },
	{ 9, { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 13 },
		{ .name = "RSA with SHA-512", .key_type = BR_KEYTYPE_RSA, .needs_p384 = true } },
	{ 7, { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 1 }, { .name = "ECDSA with SHA-1", .why = old_sha1 } },
	{ 8, { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 1 },
		{ .name = "ECDSA with SHA-224", .why = odd_hash } },
	{ 9, { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 14 },
		{ .name = "RSA with SHA-224", .why = odd_hash } },
	{ 9, { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 5 },
		{ .name = "RSA with SHA-1", .why = old_sha1 } },
	{ 9, { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 4 },
		{ .name = "RSA with MD5", .why = old_md } },
	{ 9, { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 2 },
		{ .name = "RSA with MD2", .why = old_md } },
	{ 9, { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 10 }, { .name = "RSA-PSS", .why = pss } },
	{ 3, { 0x2B, 0x65, 0x70 }, { .name = "Ed25519", .why = edwards } },
	{ 3, { 0x2B, 0x65, 0x71 }, { .name = "Ed448", .why = edwards } },
	{ 7, { 0x2A, 0x86, 0x48, 0xCE, 0x38, 4, 3 }, { .name = "DSA with SHA-1", .why = dsa } },
	{ 9, { 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 1 }, { .name = "DSA with SHA-224", .why = dsa } },
	{ 9, { 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 2 }, { .name = "DSA with SHA-256", .why = dsa } },
};

/* RFC 5758 section 3.2: ECDSA has no parameters; RFC 4055 section 5: RSA has NULL. */
static struct signature_kind
kind_of(struct bytes oid, struct bytes parameters)
{
	struct signature_kind kind = { .why = "it is signed in a way that is not known here" };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (bytes_equal(oid, (struct bytes){ kinds[i].oid, kinds[i].oid_len })) {
			kind = kinds[i].kind;
		}
	}
	if (kind.why == NULL && !(kind.key_type == BR_KEYTYPE_EC ? parameters.len == 0
			: bytes_equal(parameters, (struct bytes){ null_parameters, 2 }))) {
		kind.why = "its signature has parameters that it must not have";
	}
	return kind;
}

bool
signature_open(struct bytes der, struct signature *s)
{
	struct der_in all = der_open(der);
	struct der_in outer = der_enter(&all, DER_SEQUENCE);
	struct der_in whole, algorithm;
	struct bytes oid, parameters = { NULL, 0 };

	*s = (struct signature){ .content = der_take_whole(&outer, DER_SEQUENCE) };
	s->algorithm = der_take_whole(&outer, DER_SEQUENCE);
	whole = der_open(s->algorithm);
	algorithm = der_enter(&whole, DER_SEQUENCE);
	oid = der_take(&algorithm, DER_OID);
	if (der_peek(&algorithm) != 0) {
		parameters = der_take_whole(&algorithm, der_peek(&algorithm));
	}
	outer.bad = outer.bad || !der_is_done(&algorithm);
	s->value = der_take_bits(&outer);
	der_leave(&all, &outer);
	s->kind = kind_of(oid, parameters);
	return der_is_done(&all);
}

/* ECDSA-Sig-Value (RFC 3279 section 2.2.3), in its one form. */
static bool
is_ecdsa_value(struct bytes value)
{
	struct der_in all = der_open(value);
	struct der_in in = der_enter(&all, DER_SEQUENCE);

	(void)der_take_unsigned(&in);
	(void)der_take_unsigned(&in);
	der_leave(&all, &in);
	return der_is_done(&all);
}

const char *
signature_check(const struct signature *s, const struct key_public *key)
{
	br_x509_pkey pkey = key_for_bearssl(key);

	if (s->kind.why != NULL) {
		return s->kind.why;
	}
	if (s->kind.key_type != key->type) {
		return "its signature is of another kind than its key";
	}
	if ((key->type == BR_KEYTYPE_EC && !is_ecdsa_value(s->value))
		|| key_check(&pkey, s->algorithm, s->content, s->value) != CUB_OK) {
		return "its signature is broken";
	}
	return NULL;
}
