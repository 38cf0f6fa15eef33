/* SPDX-License-Identifier: MIT */
/* Certificates of others: see issue.h. As in core/x509.c all stands in reverse order here. */
#include "issue.h"

static const uint8_t oid_subject_key_id[]   = { 0x55, 0x1D, 0x0E };
static const uint8_t oid_usage[]            = { 0x55, 0x1D, 0x0F };
static const uint8_t oid_subject_alt[]      = { 0x55, 0x1D, 0x11 };
static const uint8_t oid_constraints[]      = { 0x55, 0x1D, 0x13 };
static const uint8_t oid_authority_key_id[] = { 0x55, 0x1D, 0x23 };
static const uint8_t oid_purposes[]         = { 0x55, 0x1D, 0x25 };

/* KeyUsage as a BIT STRING, its unused bits first: digitalSignature; keyCertSign and cRLSign. */
static const uint8_t usage_sign[]    = { 7, 0x80 };
static const uint8_t usage_ca[]      = { 1, 0x06 };

static const uint8_t purpose_server[] = { 0x2B, 6, 1, 5, 5, 7, 3, 1 };
static const uint8_t purpose_client[] = { 0x2B, 6, 1, 5, 5, 7, 3, 2 };

const char *
issue_profile_name(enum profile profile)
{
	static const char *const names[] = {
		[PROFILE_DEVICE] = "device", [PROFILE_CLIENT] = "client", [PROFILE_CA] = "CA",
	};

	return names[profile];
}

void
issue_make_serial(uint8_t serial[ISSUE_SERIAL])
{
	port_random(serial, ISSUE_SERIAL);
	serial[0] = 1;
}

/* As x509_wrap_extension(), but critical. */
static void
wrap_critical(struct der *d, const uint8_t oid[3], const uint8_t *until)
{
	der_wrap(d, DER_OCTET_STRING, until);
	der_element(d, DER_BOOLEAN, "\xFF", 1);
	der_element(d, DER_OID, oid, 3);
	der_wrap(d, DER_SEQUENCE, until);
}

static void
put_constraints(struct der *d, const struct issue *what)
{
	const uint8_t *until = d->at;

	if (what->profile == PROFILE_CA) {
		if (what->path_length >= 0) {
			uint8_t n[2] = { (uint8_t)(what->path_length >> 8), (uint8_t)what->path_length };

			der_unsigned(d, n, sizeof n);
		}
		der_element(d, DER_BOOLEAN, "\xFF", 1);
	}
	der_wrap(d, DER_SEQUENCE, until);
	wrap_critical(d, oid_constraints, until);
}

/* What the key is for. */
static void
put_usage(struct der *d, enum profile profile)
{
	const uint8_t *until = d->at;

	if (profile != PROFILE_CA) {
		der_element(d, DER_OID, profile == PROFILE_DEVICE ? purpose_server : purpose_client,
			sizeof purpose_server);
		der_wrap(d, DER_SEQUENCE, until);
		x509_wrap_extension(d, oid_purposes, until);
	}
	until = d->at;
	der_element(d, DER_BIT_STRING, profile == PROFILE_CA ? usage_ca : usage_sign,
		sizeof usage_sign);
	wrap_critical(d, oid_usage, until);
}

static void
put_identifiers(struct der *d, const struct issue *what)
{
	const uint8_t *until = d->at;
	uint8_t hash[32];

	if (what->issuer_key_id.len > 0) {
		der_element(d, DER_CONTEXT(0), what->issuer_key_id.at, what->issuer_key_id.len);
		der_wrap(d, DER_SEQUENCE, until);
		x509_wrap_extension(d, oid_authority_key_id, until);
	}
	until = d->at;
	x509_hash(what->public_key, hash);
	der_element(d, DER_OCTET_STRING, hash, ISSUE_KEY_ID);
	x509_wrap_extension(d, oid_subject_key_id, until);
}

static void
put_extensions(struct der *d, const struct issue *what)
{
	const uint8_t *all = d->at;

	if (what->names.len > 0) {
		der_element(d, DER_SEQUENCE, what->names.at, what->names.len);
		x509_wrap_extension(d, oid_subject_alt, all);
	}
	put_identifiers(d, what);
	put_usage(d, what->profile);
	put_constraints(d, what);
	der_wrap(d, DER_SEQUENCE, all);
	der_wrap(d, DER_CONSTRUCTED(3), all);
}

int
issue_write(uint8_t *out, size_t cap, const struct issue *what, const struct key *signer)
{
	const uint8_t *until;
	struct der d;

	der_start(&d, out, cap);
	put_extensions(&d, what);
	der_put(&d, what->public_key.at, what->public_key.len);
	der_put(&d, what->subject.at, what->subject.len);
	until = d.at;
	der_time(&d, what->until_s);
	der_time(&d, what->from_s);
	der_wrap(&d, DER_SEQUENCE, until);
	der_put(&d, what->issuer.at, what->issuer.len);
	key_put_algorithm(&d, signer);
	der_unsigned(&d, what->serial, sizeof what->serial);
	until = d.at;
	der_element(&d, DER_INTEGER, "\x02", 1);  /* v3 */
	der_wrap(&d, DER_CONSTRUCTED(0), until);
	der_wrap(&d, DER_SEQUENCE, d.end);
	return x509_sign(out, cap, &d, signer);
}
