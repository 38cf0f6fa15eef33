/* SPDX-License-Identifier: MIT */
/* The device's key and certificate: see identity.h. */
#include "identity.h"

#include <string.h>

#include "clock.h"
#include "x509.h"

static int
read_record(const struct store *s, enum identity_record type, uint8_t *dst, size_t cap, size_t *len)
{
	struct store_record r;
	int err = store_find(s, (uint8_t)type, NULL, 0, &r);

	if (err < 0) {
		return err;
	}
	if (r.value_len > cap) {
		return CUB_E_CORRUPT;
	}
	*len = r.value_len;
	return store_read(s, &r, 0, dst, r.value_len);
}

int
identity_is_stored(const struct identity *id, const struct store *s)
{
	struct store_record r;
	uint8_t piece[64];
	int err = store_find(s, IDENTITY_CHAIN, NULL, 0, &r);

	if (err == CUB_OK && r.value_len != id->der_len) {
		err = CUB_E_NOENT;
	}
	for (uint32_t at = 0, n; err == CUB_OK && at < id->der_len; at += n) {
		n = id->der_len - at < sizeof piece ? id->der_len - at : (uint32_t)sizeof piece;
		err = store_read(s, &r, at, piece, n);
		if (err == CUB_OK && memcmp(piece, id->der + at, n) != 0) {
			err = CUB_E_NOENT;
		}
	}
	return err;
}

static int
load_key(struct identity *id, const struct store *s)
{
	uint8_t value[1 + IDENTITY_KEY_MAX];
	size_t len;
	int err = read_record(s, IDENTITY_KEY, value, sizeof value, &len);

	if (err == CUB_OK && (len != 33 || value[0] != BR_EC_secp256r1)) {
		err = CUB_E_CORRUPT;
	}
	if (err == CUB_OK) {
		memcpy(id->key_bytes, value + 1, len - 1);
		id->key = (br_ec_private_key){ value[0], id->key_bytes, len - 1 };
	}
	wipe(value, sizeof value);
	return err;
}

/* Cut the stored chain into certificates. */
static int
load_chain(struct identity *id, const struct store *s)
{
	size_t len, cert_len;
	int err = read_record(s, IDENTITY_CHAIN, id->der, sizeof id->der, &len);

	id->chain_count = 0;
	id->der_len = err == CUB_OK ? (uint32_t)len : 0;
	for (size_t at = 0; err == CUB_OK && at < len; id->chain_count++) {
		br_x509_certificate *cert = &id->chain[id->chain_count];

		if (id->chain_count == CUB_CHAIN_CERTS || len - at < 2) {
			return CUB_E_CORRUPT;
		}
		cert_len = (size_t)(id->der[at] | id->der[at + 1] << 8);
		if (cert_len > len - at - 2) {
			return CUB_E_CORRUPT;
		}
		cert->data = id->der + at + 2;
		cert->data_len = cert_len;
		at += 2 + cert_len;
	}
	return err == CUB_OK && id->chain_count == 0 ? CUB_E_CORRUPT : err;
}

/* Does the certificate hold the key's other half? */
static bool
key_fits(const struct identity *id, const struct x509_info *info)
{
	uint8_t point[BR_EC_KBUF_PUB_MAX_SIZE];
	size_t len = br_ec_compute_pub(&br_ec_p256_m31, NULL, point, &id->key);

	return info->is_ec && info->curve == id->key.curve && len > 0
		&& len == info->point_len && memcmp(point, info->point, len) == 0;
}

int
identity_load(struct identity *id, const struct store *s)
{
	struct x509_info info;
	int no_key = load_key(id, s);
	int err = load_chain(id, s);

	if (no_key < 0 || err < 0) {
		/* Both are written together: one without the other is damage. */
		return no_key == err ? err : no_key == CUB_E_IO || err == CUB_E_IO ? CUB_E_IO
			: CUB_E_CORRUPT;
	}
	if (x509_look(id->chain[0].data, id->chain[0].data_len, &info) < 0 || !key_fits(id, &info)) {
		return CUB_E_CORRUPT;
	}
	clock_saw(info.from_s);
	x509_fingerprint(id->chain[0].data, id->chain[0].data_len, id->fingerprint);
	return CUB_OK;
}

int
identity_make(struct identity *id, struct store *s, struct text name)
{
	uint8_t key[1 + IDENTITY_KEY_MAX];
	struct store_change change[2] = {
		{ IDENTITY_KEY, 0, NULL, key, 0 },
		{ IDENTITY_CHAIN, 0, NULL, id->der, 0 },
	};
	br_hmac_drbg_context drbg;
	br_ec_private_key ec;
	uint8_t seed[32];
	size_t key_len;
	int len, err;

	port_random(seed, sizeof seed);
	br_hmac_drbg_init(&drbg, &br_sha256_vtable, seed, sizeof seed);
	key[0] = BR_EC_secp256r1;
	key_len = br_ec_keygen(&drbg.vtable, &br_ec_p256_m31, &ec, key + 1, BR_EC_secp256r1);
	wipe(seed, sizeof seed);
	wipe(&drbg, sizeof drbg);
	len = x509_self_signed(id->der + 2, sizeof id->der - 2, &ec, name, clock_now());
	if (len < 0) {
		wipe(key, sizeof key);
		return len;
	}
	id->der[0] = (uint8_t)len;
	id->der[1] = (uint8_t)(len >> 8);
	change[0].value_len = (uint32_t)(1 + key_len);
	change[1].value_len = (uint32_t)(2 + len);
	err = store_write(s, change, 2);
	wipe(key, sizeof key);
	return err == CUB_OK ? identity_load(id, s) : err;
}
