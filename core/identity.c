/* SPDX-License-Identifier: MIT */
/* The device's key and certificate: see identity.h. */
#include "identity.h"

#include <string.h>

#include "clock.h"
#include "seal.h"
#include "verify.h"

/* Returns its length, or an error. */
static int
read_record(const struct store *s, enum identity_record type, uint8_t *dst, size_t cap)
{
	struct store_record r;
	int err = store_find(s, (uint8_t)type, NULL, 0, &r);

	if (err == CUB_OK) {
		err = r.value_len > cap ? CUB_E_CORRUPT : store_read(s, &r, 0, dst, r.value_len);
	}
	return err < 0 ? err : (int)r.value_len;
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
set_key(struct key *k, const uint8_t *packed, size_t len)
{
	if (len > sizeof k->packed) {
		return CUB_E_CORRUPT;
	}
	memcpy(k->packed, packed, len);
	k->packed_len = (uint16_t)len;
	return key_unpack(k);
}

static int
load_key(struct key *k, const struct store *s, struct bytes secret)
{
	uint8_t value[KEY_PACKED_MAX + SEAL_EXTRA];
	int len = read_record(s, IDENTITY_SEALED, value, sizeof value);
	int err = len;

	if (err == CUB_E_NOENT) {
		len = read_record(s, IDENTITY_KEY, value, sizeof value);
		err = len < 0 ? len : set_key(k, value, (size_t)len);
	} else if (err >= 0 && secret.len == 0) {
		err = CUB_E_DENIED;
	} else if (err >= 0) {
		err = seal_open(secret, value, (size_t)len);
		err = err < 0 ? err : set_key(k, value + SEAL_AT_SECRET, (size_t)len - SEAL_EXTRA);
	}
	wipe(value, sizeof value);
	return err;
}

/* Store the key, with the chain unless that is empty: see identity.h for what is written twice. */
static int
save(struct store *s, const struct key *k, struct bytes chain, struct bytes secret)
{
	uint8_t sealed[KEY_PACKED_MAX + SEAL_EXTRA];
	struct store_change change[3] = {
		{ IDENTITY_KEY, 0, NULL, k->packed, k->packed_len },
		{ IDENTITY_SEALED, 0, NULL, NULL, 0 },
		{ IDENTITY_CHAIN, 0, NULL, chain.at, (uint32_t)chain.len },
	};
	unsigned count = chain.len > 0 ? 3 : 2;
	int err = CUB_OK;

	if (secret.len > 0) {
		seal_close(secret, (struct bytes){ k->packed, k->packed_len }, sealed);
		change[1].value = sealed;
		change[1].value_len = k->packed_len + (uint32_t)SEAL_EXTRA;
		change[0].value_len = 0;
		err = store_write(s, change, count);
		change[0].value = NULL;
	}
	return err == CUB_OK ? store_write(s, change, count) : err;
}

/* Make sense of the chain that stands in `der`. Returns null, or what is wrong with it. */
static const char *
look_at_chain(struct identity *id, struct x509_cert *own)
{
	struct bytes rest = { id->der, id->der_len }, cert;
	const char *why;
	int err;

	id->chain_count = 0;
	while ((err = x509_chain_next(&rest, &cert)) == CUB_OK) {
		if (id->chain_count == CUB_CHAIN_CERTS) {
			return "there are more certificates in the chain than the device can send";
		}
		id->chain[id->chain_count].data = id->der + (cert.at - id->der);
		id->chain[id->chain_count].data_len = cert.len;
		id->chain_count++;
	}
	if (err != CUB_EOF || id->chain_count == 0) {
		return "there is no certificate, or one is cut short";
	}
	cert = (struct bytes){ id->chain[0].data, id->chain[0].data_len };
	why = x509_read(cert, own);
	if (why == NULL && !key_fits(&id->key, &own->key)) {
		why = "the first certificate is not for this device's key";
	}
	x509_hash(cert, id->fingerprint);
	return why;
}

int
identity_load(struct identity *id, struct store *s, struct bytes secret)
{
	struct x509_cert own;
	struct store_record r;
	int key_err = load_key(&id->key, s, secret);
	int chain_len = read_record(s, IDENTITY_CHAIN, id->der, sizeof id->der);

	if (key_err < 0 || chain_len < 0) {
		/* Both are written together: one without the other is damage. */
		return key_err == chain_len || key_err == CUB_E_DENIED ? key_err
			: key_err == CUB_E_IO || chain_len == CUB_E_IO ? CUB_E_IO : CUB_E_CORRUPT;
	}
	id->der_len = (uint32_t)chain_len;
	if (look_at_chain(id, &own) != NULL) {
		return CUB_E_CORRUPT;
	}
	clock_saw(own.from_s);
	if (secret.len > 0) {
		int err = store_find(s, IDENTITY_KEY, NULL, 0, &r);

		if (err != CUB_E_NOENT) {
			return err == CUB_OK ? save(s, &id->key, (struct bytes){ NULL, 0 }, secret) : err;
		}
	}
	return CUB_OK;
}

/* Give it a certificate for its key. Returns CUB_OK or CUB_E_LIMIT. */
static int
sign_itself(struct identity *id, struct text name)
{
	struct x509_cert own;
	int len = x509_self_signed(id->der + 2, sizeof id->der - 2, &id->key, name, clock_now());

	if (len < 0) {
		return len;
	}
	id->der[0] = (uint8_t)len;
	id->der[1] = (uint8_t)(len >> 8);
	id->der_len = 2 + (uint32_t)len;
	if (look_at_chain(id, &own) != NULL) {
		return CUB_E_LIMIT;
	}
	clock_saw(own.from_s);
	return CUB_OK;
}

/* Take over a chain for the key that is there. Returns null, or what is wrong with it. */
static const char *
take_chain(struct identity *id, struct bytes chain)
{
	struct x509_cert own;
	const char *why;

	if (chain.len > sizeof id->der) {
		return "the chain is longer than this build has room for";
	}
	id->der_len = (uint32_t)chain.len;
	if (chain.len > 0) {
		memcpy(id->der, chain.at, chain.len);
	}
	why = look_at_chain(id, &own);
	if (why == NULL) {
		why = verify_order(chain);
	}
	if (why == NULL && clock_is_plausible() && own.until_s < clock_now()) {
		why = "the certificate has expired";
	}
	if (why == NULL) {
		clock_saw(own.from_s);
	}
	return why;
}

int
identity_import(struct identity *id, struct store *s, const struct identity_parts *parts,
	const char **why)
{
	int err = CUB_OK;

	if (parts->key.at != NULL) {
		err = key_import(&id->key, parts->key, why);
	} else {
		key_make(&id->key);
	}
	if (err == CUB_OK && parts->chain.len > 0) {
		*why = take_chain(id, parts->chain);
		err = *why == NULL ? CUB_OK : CUB_E_BAD;
	} else if (err == CUB_OK) {
		err = sign_itself(id, parts->name);
	}
	return err == CUB_OK
		? save(s, &id->key, (struct bytes){ id->der, id->der_len }, parts->secret) : err;
}

int
identity_make(struct identity *id, struct store *s, struct text name, struct bytes secret)
{
	struct identity_parts parts = { .name = name, .secret = secret };
	const char *why;

	return identity_import(id, s, &parts, &why);
}

int
identity_install(struct identity *id, struct store *s, const struct identity *now,
	struct bytes chain, const char **why)
{
	struct store_change change = { IDENTITY_CHAIN, 0, NULL, chain.at, (uint32_t)chain.len };
	int err = identity_is_stored(now, s);

	if (err == CUB_E_NOENT) {
		*why = "the store holds another identity by now";
		return CUB_E_BAD;
	}
	if (err == CUB_OK) {
		err = set_key(&id->key, now->key.packed, now->key.packed_len);
	}
	if (err < 0) {
		return err;
	}
	*why = take_chain(id, chain);
	return *why == NULL ? store_write(s, &change, 1) : CUB_E_BAD;
}
