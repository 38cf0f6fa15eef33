/* SPDX-License-Identifier: MIT */
/*
 * PBES2: see pbes2.h. PBKDF2 is here and not core/pbkdf2.h's, which knows SHA-256 only and
 * gives one block only; the hashing is BearSSL's in both. What is written stands in reverse
 * order: see der.h.
 */
#include "pbes2.h"

#include <string.h>

#include "cubftpd_port.h"

#define SALT 16
#define DATA_MAX 4096  /* of new ones: any key fits in */

static const uint8_t oid_pbes2[]  = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 5, 13 };
static const uint8_t oid_pbkdf2[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 5, 12 };
/* and one byte more: which hash */
static const uint8_t oid_hmac[]   = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 2 };

enum { SHA_1, SHA_224, SHA_256, SHA_384, SHA_512, HASHES };

static const struct {
	uint8_t number;
	const char *name;
	const br_hash_class *hash;
} hashes[HASHES] = {
	[SHA_1] = { 7, "SHA-1", &br_sha1_vtable },
	[SHA_224] = { 8, "SHA-224", &br_sha224_vtable },
	[SHA_256] = { 9, "SHA-256", &br_sha256_vtable },
	[SHA_384] = { 10, "SHA-384", &br_sha384_vtable },
	[SHA_512] = { 11, "SHA-512", &br_sha512_vtable },
};

const char pbes2_unknown[] = "it is encrypted in a way that is not known here: "
	"`openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW` makes one of it that is";

static const char broken[] = "it is broken: what says how it is encrypted is not well-formed";

#define IS(b, constant) bytes_equal((b), (struct bytes){ (constant), sizeof(constant) })

bool
pbes2_is_likely(struct bytes der)
{
	struct der_in all = der_open(der);
	struct der_in d = der_enter(&all, DER_SEQUENCE);
	struct der_in scheme = der_enter(&d, DER_SEQUENCE);

	(void)der_take(&scheme, DER_OID);
	(void)der_take(&d, DER_OCTET_STRING);
	der_leave(&all, &d);
	return der_is_done(&all) && !scheme.bad;
}

/* The pseudorandom function, where it is not the default. */
static const char *
read_hash(struct der_in *d, struct pbes2 *p)
{
	struct der_in in = der_enter(d, DER_SEQUENCE);
	struct bytes oid = der_take(&in, DER_OID);

	if (der_peek(&in) == DER_NULL && der_take(&in, DER_NULL).len > 0) {
		return broken;
	}
	der_leave(d, &in);
	if (d->bad) {
		return broken;
	}
	for (unsigned i = 0; i < HASHES; i++) {
		if (oid.len == sizeof oid_hmac + 1 && memcmp(oid.at, oid_hmac, sizeof oid_hmac) == 0
			&& oid.at[oid.len - 1] == hashes[i].number) {
			p->hash = hashes[i].hash;
			p->hash_name = hashes[i].name;
			return NULL;
		}
	}
	return pbes2_unknown;
}

/* AlgorithmIdentifier of the key's derivation: RFC 8018 appendix A.2. */
static const char *
read_derivation(struct der_in *d, struct pbes2 *p, uint32_t *key_len)
{
	struct der_in algorithm = der_enter(d, DER_SEQUENCE);
	struct bytes oid = der_take(&algorithm, DER_OID);
	struct der_in in;
	const char *why = NULL;

	if (!algorithm.bad && !IS(oid, oid_pbkdf2)) {
		return pbes2_unknown;
	}
	in = der_enter(&algorithm, DER_SEQUENCE);
	p->salt = der_take(&in, DER_OCTET_STRING);
	p->iterations = der_take_number(&in, UINT32_MAX);
	if (der_peek(&in) == DER_INTEGER) {
		*key_len = der_take_number(&in, UINT32_MAX);
	}
	p->hash = hashes[SHA_1].hash;
	p->hash_name = hashes[SHA_1].name;
	if (der_peek(&in) == DER_SEQUENCE) {
		why = read_hash(&in, p);
	}
	der_leave(&algorithm, &in);
	der_leave(d, &algorithm);
	return why != NULL ? why : d->bad ? broken : NULL;
}

/* AlgorithmIdentifier of the cipher: RFC 8018 appendix B.2. */
static const char *
read_cipher(struct der_in *d, struct pbes2 *p)
{
	struct der_in in = der_enter(d, DER_SEQUENCE);
	struct bytes oid = der_take(&in, DER_OID);

	p->cipher = cipher_by_oid(oid);
	if (!in.bad && p->cipher == NULL) {
		return pbes2_unknown;
	}
	p->iv = der_take(&in, DER_OCTET_STRING);
	der_leave(d, &in);
	return d->bad || p->iv.len != p->cipher->block ? broken : NULL;
}

const char *
pbes2_read(struct bytes der, struct pbes2 *p)
{
	struct der_in all = der_open(der);
	struct der_in d = der_enter(&all, DER_SEQUENCE);
	struct der_in scheme = der_enter(&d, DER_SEQUENCE);
	struct bytes oid = der_take(&scheme, DER_OID);
	struct der_in in;
	uint32_t key_len = 0;
	const char *why;

	*p = (struct pbes2){ .iterations = 0 };
	if (!pbes2_is_likely(der)) {
		return broken;
	}
	if (!IS(oid, oid_pbes2)) {
		return pbes2_unknown;
	}
	in = der_enter(&scheme, DER_SEQUENCE);
	why = read_derivation(&in, p, &key_len);
	if (why == NULL) {
		why = read_cipher(&in, p);
	}
	if (why != NULL) {
		return why;
	}
	der_leave(&scheme, &in);
	der_leave(&d, &scheme);
	p->data = der_take(&d, DER_OCTET_STRING);
	if (d.bad || (key_len != 0 && key_len != p->cipher->key_len)) {
		return broken;
	}
	return p->iterations < 1 || p->iterations > PBES2_ITERATIONS_MAX
		? "its number of PBKDF2's rounds is not from 1 to 100000000" : NULL;
}

/* RFC 8018 section 5.2. */
static void
derive(const br_hash_class *hash, const struct secret *passphrase, struct bytes salt,
	uint32_t iterations, uint8_t *key, size_t key_len)
{
	br_hmac_key_context keyed;
	br_hmac_context hmac;
	uint8_t last[64], sum[64], number[4] = { 0, 0, 0, 0 };

	br_hmac_key_init(&keyed, hash, passphrase->at, passphrase->len);
	while (key_len > 0) {
		size_t len, n;

		number[3]++;
		br_hmac_init(&hmac, &keyed, 0);
		br_hmac_update(&hmac, salt.at, salt.len);
		br_hmac_update(&hmac, number, sizeof number);
		len = br_hmac_out(&hmac, last);
		memcpy(sum, last, len);
		for (uint32_t i = 1; i < iterations; i++) {
			br_hmac_init(&hmac, &keyed, 0);
			br_hmac_update(&hmac, last, len);
			(void)br_hmac_out(&hmac, last);
			for (size_t k = 0; k < len; k++) {
				sum[k] ^= last[k];
			}
		}
		n = key_len < len ? key_len : len;
		memcpy(key, sum, n);
		key += n;
		key_len -= n;
	}
	wipe(&keyed, sizeof keyed);
	wipe(&hmac, sizeof hmac);
	wipe(last, sizeof last);
	wipe(sum, sizeof sum);
}

int
pbes2_decrypt(const struct pbes2 *p, const struct secret *passphrase, uint8_t *dst)
{
	uint8_t key[CIPHER_KEY_MAX], iv[CIPHER_BLOCK_MAX];
	int len;

	derive(p->hash, passphrase, p->salt, p->iterations, key, p->cipher->key_len);
	memcpy(iv, p->iv.at, p->iv.len);
	memcpy(dst, p->data.at, p->data.len);
	len = cipher_decrypt(p->cipher, key, iv, dst, p->data.len);
	wipe(key, sizeof key);
	return len;
}

static void
put_oid(struct der *d, const void *oid, size_t len)
{
	der_element(d, DER_OID, oid, len);
}

/* PBES2 with its parameters, as OpenSSL writes them. */
static void
write_scheme(struct der *d, const uint8_t salt[SALT], const uint8_t iv[CIPHER_BLOCK_MAX],
	uint32_t iterations)
{
	const uint8_t rounds[4] = { (uint8_t)(iterations >> 24), (uint8_t)(iterations >> 16),
		(uint8_t)(iterations >> 8), (uint8_t)iterations };
	const uint8_t *whole = d->at, *until;

	der_element(d, DER_OCTET_STRING, iv, cipher_aes256.block);
	put_oid(d, cipher_aes256.oid, cipher_aes256.oid_len);
	der_wrap(d, DER_SEQUENCE, whole);
	until = d->at;
	der_element(d, DER_NULL, NULL, 0);
	der_put(d, &hashes[SHA_256].number, 1);
	der_put(d, oid_hmac, sizeof oid_hmac);
	der_wrap(d, DER_OID, until - 2);
	der_wrap(d, DER_SEQUENCE, until);
	der_unsigned(d, rounds, sizeof rounds);
	der_element(d, DER_OCTET_STRING, salt, SALT);
	der_wrap(d, DER_SEQUENCE, until);
	put_oid(d, oid_pbkdf2, sizeof oid_pbkdf2);
	der_wrap(d, DER_SEQUENCE, until);
	der_wrap(d, DER_SEQUENCE, whole);
	put_oid(d, oid_pbes2, sizeof oid_pbes2);
	der_wrap(d, DER_SEQUENCE, whole);
}

void
pbes2_write(struct der *d, struct bytes plain, const struct secret *passphrase,
	uint32_t iterations)
{
	uint8_t key[CIPHER_KEY_MAX], salt[SALT], iv[CIPHER_BLOCK_MAX], chain[CIPHER_BLOCK_MAX];
	uint8_t data[DATA_MAX + CIPHER_BLOCK_MAX];
	const uint8_t *whole = d->at;
	size_t len;

	if (plain.len > DATA_MAX) {
		d->cut = true;
		return;
	}
	port_random(salt, sizeof salt);
	port_random(iv, sizeof iv);
	derive(hashes[SHA_256].hash, passphrase, (struct bytes){ salt, sizeof salt }, iterations, key,
		sizeof key);
	memcpy(chain, iv, sizeof chain);
	memcpy(data, plain.at, plain.len);
	len = cipher_encrypt(key, chain, data, plain.len);
	wipe(key, sizeof key);
	der_element(d, DER_OCTET_STRING, data, len);
	write_scheme(d, salt, iv, iterations);
	der_wrap(d, DER_SEQUENCE, whole);
}
