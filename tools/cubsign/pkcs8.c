/* SPDX-License-Identifier: MIT */
/* PKCS#8, written: see pkcs8.h. What is written stands in reverse order: see der.h. */
#include "pkcs8.h"

#define PUBLIC_MAX   1024
#define EXPONENT_MAX 512

static uint32_t
number_of(struct bytes b)
{
	uint32_t n = 0;

	for (size_t i = 0; i < b.len; i++) {
		n = n << 8 | b.at[i];
	}
	return n;
}

/* RSAPrivateKey (RFC 8017 appendix A.1.2); `public` is the RSAPublicKey within. */
static void
write_rsa(struct der *d, const br_rsa_private_key *rsa, struct bytes public)
{
	uint8_t exponent[EXPONENT_MAX];
	const uint8_t *whole = d->at;
	struct der_in all = der_open(public);
	struct der_in in = der_enter(&all, DER_SEQUENCE);
	struct bytes n = der_take_unsigned(&in);
	struct bytes e = der_take_unsigned(&in);
	br_rsa_compute_privexp compute = br_rsa_compute_privexp_get_default();
	size_t len = compute(NULL, rsa, number_of(e));

	if (len == 0 || len > sizeof exponent || compute(exponent, rsa, number_of(e)) == 0) {
		d->cut = true;
		return;
	}
	der_unsigned(d, rsa->iq, rsa->iqlen);
	der_unsigned(d, rsa->dq, rsa->dqlen);
	der_unsigned(d, rsa->dp, rsa->dplen);
	der_unsigned(d, rsa->q, rsa->qlen);
	der_unsigned(d, rsa->p, rsa->plen);
	der_unsigned(d, exponent, len);
	der_unsigned(d, e.at, e.len);
	der_unsigned(d, n.at, n.len);
	der_unsigned(d, NULL, 0);
	der_wrap(d, DER_SEQUENCE, whole);
	wipe(exponent, sizeof exponent);
}

/* ECPrivateKey (RFC 5915 section 3); `public` is the BIT STRING of its public half, whole. */
static void
write_ec(struct der *d, const br_ec_private_key *ec, struct bytes public)
{
	static const uint8_t version[] = { 1 };
	const uint8_t *whole = d->at;

	der_element(d, DER_CONSTRUCTED(1), public.at, public.len);
	der_element(d, DER_OCTET_STRING, ec->x, ec->xlen);
	der_unsigned(d, version, sizeof version);
	der_wrap(d, DER_SEQUENCE, whole);
}

void
pkcs8_write(struct der *d, const struct key *k)
{
	uint8_t buffer[PUBLIC_MAX];
	const uint8_t *whole = d->at;
	struct bytes algorithm, public;
	struct der_in all, in;
	struct der spki;

	/* Its SubjectPublicKeyInfo has in it what belongs here, too. */
	der_start(&spki, buffer, sizeof buffer);
	key_put_public(&spki, k);
	all = der_open((struct bytes){ spki.at, (size_t)(spki.end - spki.at) });
	in = der_enter(&all, DER_SEQUENCE);
	algorithm = der_take_whole(&in, DER_SEQUENCE);
	if (k->type == BR_KEYTYPE_RSA) {
		public = der_take_bits(&in);
		write_rsa(d, &k->rsa, public);
	} else {
		public = der_take_whole(&in, DER_BIT_STRING);
		write_ec(d, &k->ec, public);
	}
	der_wrap(d, DER_OCTET_STRING, whole);
	der_put(d, algorithm.at, algorithm.len);
	der_unsigned(d, NULL, 0);
	der_wrap(d, DER_SEQUENCE, whole);
}
