/* SPDX-License-Identifier: MIT */
/* Certificates: see x509.h. What is written stands in reverse order here: der.h works backwards. */
#include "x509.h"

#include <string.h>

#include "der.h"

static const uint8_t oid_common_name[]     = { 0x55, 0x04, 0x03 };
static const uint8_t oid_subject_key_id[]  = { 0x55, 0x1D, 0x0E };
static const uint8_t oid_key_usage[]       = { 0x55, 0x1D, 0x0F };
static const uint8_t oid_subject_alt[]     = { 0x55, 0x1D, 0x11 };
static const uint8_t oid_constraints[]     = { 0x55, 0x1D, 0x13 };
static const uint8_t oid_ext_key_usage[]   = { 0x55, 0x1D, 0x25 };
static const uint8_t oid_server_auth[]     = { 0x2B, 6, 1, 5, 5, 7, 3, 1 };
static const uint8_t oid_ec_public_key[]   = { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1 };
static const uint8_t oid_p256[]            = { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7 };
static const uint8_t oid_ecdsa_sha256[]    = { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2 };

#define PUT_OID(d, oid) der_element((d), DER_OID, (oid), sizeof(oid))

/* AlgorithmIdentifier of ECDSA with SHA-256 (RFC 5758 section 3.2): no parameters. */
static void
put_algorithm(struct der *d)
{
	const uint8_t *until = d->at;

	PUT_OID(d, oid_ecdsa_sha256);
	der_wrap(d, DER_SEQUENCE, until);
}

/* A Name of one common name. */
static void
put_name(struct der *d, struct text name)
{
	const uint8_t *until = d->at;

	der_element(d, DER_UTF8_STRING, name.at, name.len);
	PUT_OID(d, oid_common_name);
	der_wrap(d, DER_SEQUENCE, until);
	der_wrap(d, DER_SET, until);
	der_wrap(d, DER_SEQUENCE, until);
}

/* The extension whose value was written since `until`. */
static void
wrap_extension(struct der *d, const uint8_t *oid, size_t oid_len, bool critical,
	const uint8_t *until)
{
	der_wrap(d, DER_OCTET_STRING, until);
	if (critical) {
		der_element(d, DER_BOOLEAN, "\xFF", 1);
	}
	der_element(d, DER_OID, oid, oid_len);
	der_wrap(d, DER_SEQUENCE, until);
}

static bool
is_letter_or_digit(char c)
{
	c = text_upper(c);
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Could it be a host's name (RFC 1123 section 2.1)? Labels begin and end with a letter or digit. */
static bool
is_host_name(struct text name)
{
	for (size_t i = 0, label = 0; i <= name.len; i++) {
		if (i == name.len || name.at[i] == '.') {
			if (i == label || i - label > 63 || !is_letter_or_digit(name.at[label])
				|| !is_letter_or_digit(name.at[i - 1])) {
				return false;
			}
			label = i + 1;
		} else if (!is_letter_or_digit(name.at[i]) && name.at[i] != '-') {
			return false;
		}
	}
	return true;
}

static void
put_extensions(struct der *d, struct text name, const uint8_t *point, size_t point_len)
{
	static const uint8_t digital_signature[] = { 7, 0x80 };
	const uint8_t *all = d->at;
	const uint8_t *until = d->at;
	uint8_t id[32];

	if (is_host_name(name)) {
		der_element(d, DER_CONTEXT(2), name.at, name.len);
		der_wrap(d, DER_SEQUENCE, until);
		wrap_extension(d, oid_subject_alt, sizeof oid_subject_alt, false, until);
	}
	/* RFC 7093 section 2, method 1: 160 bits of the SHA-256 of the public key. */
	x509_fingerprint(point, point_len, id);
	until = d->at;
	der_element(d, DER_OCTET_STRING, id, 20);
	wrap_extension(d, oid_subject_key_id, sizeof oid_subject_key_id, false, until);

	until = d->at;
	PUT_OID(d, oid_server_auth);
	der_wrap(d, DER_SEQUENCE, until);
	wrap_extension(d, oid_ext_key_usage, sizeof oid_ext_key_usage, false, until);

	until = d->at;
	der_element(d, DER_BIT_STRING, digital_signature, sizeof digital_signature);
	wrap_extension(d, oid_key_usage, sizeof oid_key_usage, true, until);

	until = d->at;
	der_element(d, DER_SEQUENCE, NULL, 0);  /* not a CA */
	wrap_extension(d, oid_constraints, sizeof oid_constraints, true, until);

	der_wrap(d, DER_SEQUENCE, all);
	der_wrap(d, DER_CONSTRUCTED(3), all);
}

static void
put_public_key(struct der *d, const uint8_t *point, size_t point_len)
{
	const uint8_t *all = d->at;
	const uint8_t *until;

	der_put(d, point, point_len);
	der_put(d, "", 1);  /* no unused bits */
	der_wrap(d, DER_BIT_STRING, all);
	until = d->at;
	PUT_OID(d, oid_p256);
	PUT_OID(d, oid_ec_public_key);
	der_wrap(d, DER_SEQUENCE, until);
	der_wrap(d, DER_SEQUENCE, all);
}

/* A positive number of 128 random bits and a fixed one before them, so that it is never short. */
static void
put_serial(struct der *d)
{
	uint8_t serial[17];

	port_random(serial, sizeof serial);
	serial[0] = 1;
	der_unsigned(d, serial, sizeof serial);
}

static void
put_tbs(struct der *d, const uint8_t *point, size_t point_len, struct text name, int64_t from_s)
{
	const uint8_t *all = d->at;
	const uint8_t *until;

	put_extensions(d, name, point, point_len);
	put_public_key(d, point, point_len);
	put_name(d, name);
	until = d->at;
	der_time(d, X509_FOREVER);
	der_time(d, from_s);
	der_wrap(d, DER_SEQUENCE, until);
	put_name(d, name);
	put_algorithm(d);
	put_serial(d);
	until = d->at;
	der_element(d, DER_INTEGER, "\x02", 1);  /* v3 */
	der_wrap(d, DER_CONSTRUCTED(0), until);
	der_wrap(d, DER_SEQUENCE, all);
}

int
x509_self_signed(uint8_t *out, size_t cap, const br_ec_private_key *key,
	struct text name, int64_t from_s)
{
	uint8_t point[BR_EC_KBUF_PUB_MAX_SIZE];
	uint8_t signature[1 + 72];  /* unused bits, and two numbers of 33 bytes with their headers */
	uint8_t hash[32];
	size_t point_len, signature_len, tbs_len;
	struct der d;

	point_len = br_ec_compute_pub(&br_ec_p256_m31, NULL, point, key);
	der_start(&d, out, cap);
	put_tbs(&d, point, point_len, name, from_s);
	tbs_len = (size_t)(d.end - d.at);
	if (d.cut || point_len == 0) {
		return CUB_E_LIMIT;
	}
	x509_fingerprint(d.at, tbs_len, hash);
	signature[0] = 0;
	signature_len = 1 + br_ecdsa_i31_sign_asn1(&br_ec_p256_m31, &br_sha256_vtable, hash, key,
		signature + 1);

	/* The signature stands after what it signs: move that to the front, build the rest behind. */
	memmove(out, d.at, tbs_len);
	der_start(&d, out + tbs_len, cap - tbs_len);
	der_element(&d, DER_BIT_STRING, signature, signature_len);
	put_algorithm(&d);
	if (d.cut) {
		return CUB_E_LIMIT;
	}
	memmove(d.at - tbs_len, out, tbs_len);
	d.at -= tbs_len;
	d.start = out;
	der_wrap(&d, DER_SEQUENCE, d.end);
	if (d.cut) {
		return CUB_E_LIMIT;
	}
	memmove(out, d.at, (size_t)(d.end - d.at));
	return (int)(d.end - d.at);
}

/* BearSSL counts days from year 0 (bearssl_x509.h); Unix time begins at day 719528. */
static int64_t
time_of(uint32_t days, uint32_t seconds)
{
	return ((int64_t)days - 719528) * 86400 + seconds;
}

int
x509_look(const uint8_t *der, size_t len, struct x509_info *info)
{
	br_x509_decoder_context decoder;
	const br_x509_pkey *key;

	br_x509_decoder_init(&decoder, NULL, NULL);
	br_x509_decoder_push(&decoder, der, len);
	key = br_x509_decoder_get_pkey(&decoder);
	if (key == NULL) {
		return CUB_E_BAD;
	}
	*info = (struct x509_info){
		.from_s = time_of(decoder.notbefore_days, decoder.notbefore_seconds),
		.until_s = time_of(decoder.notafter_days, decoder.notafter_seconds),
		.is_ec = key->key_type == BR_KEYTYPE_EC,
	};
	if (info->is_ec) {
		if (key->key.ec.qlen > sizeof info->point) {
			return CUB_E_BAD;
		}
		info->curve = key->key.ec.curve;
		info->point_len = key->key.ec.qlen;
		memcpy(info->point, key->key.ec.q, info->point_len);
	}
	return CUB_OK;
}

void
x509_fingerprint(const uint8_t *der, size_t len, uint8_t out[32])
{
	br_sha256_context hash;

	br_sha256_init(&hash);
	br_sha256_update(&hash, der, len);
	br_sha256_out(&hash, out);
}

void
x509_put_fingerprint(struct out *o, const uint8_t fingerprint[32])
{
	out_string(o, "sha256:");
	out_hex(o, fingerprint, 32);
}
