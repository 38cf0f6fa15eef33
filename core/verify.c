/* SPDX-License-Identifier: MIT */
/*
 * Chains of certificates, judged by BearSSL's engine: see verify.h. Before the engine gets a
 * certificate, x509_read() does: so it never sees a malformed one, or a key of a kind that is
 * not in this build.
 */
#include "verify.h"

#include "curves.h"

#define DAY_S      86400
#define EPOCH_DAYS 719528  /* BearSSL counts days from year 0; Unix time begins at this one */

/*
 * The engine does not tell which anchor it was. But for the last signature of a chain that
 * holds it has used the anchor's own key, where it stands.
 */
static const void *last_key;

static const char cut_short[] = "the chain is cut short";

static uint32_t
check_ecdsa(const br_ec_impl *impl, const void *hash, size_t hash_len,
	const br_ec_public_key *key, const void *signature, size_t len)
{
	last_key = key;
	return br_ecdsa_i31_vrfy_asn1(impl, hash, hash_len, key, signature, len);
}

#if CONFIG_CUBFTPD_RSA
static uint32_t
check_rsa(const unsigned char *signature, size_t len, const unsigned char *hash_oid,
	size_t hash_len, const br_rsa_public_key *key, unsigned char *hash)
{
	last_key = key;
	return br_rsa_i31_pkcs1_vrfy(signature, len, hash_oid, hash_len, key, hash);
}
#endif

static void
start(br_x509_minimal_context *engine, const br_x509_trust_anchor *anchors, size_t anchor_count)
{
	last_key = NULL;
	br_x509_minimal_init(engine, &br_sha256_vtable, anchors, anchor_count);
	br_x509_minimal_set_hash(engine, br_sha256_ID, &br_sha256_vtable);
#if CONFIG_CUBFTPD_P384
	br_x509_minimal_set_hash(engine, br_sha384_ID, &br_sha384_vtable);
	br_x509_minimal_set_hash(engine, br_sha512_ID, &br_sha512_vtable);
#endif
#if CONFIG_CUBFTPD_RSA
	br_x509_minimal_set_rsa(engine, &check_rsa);
#endif
	br_x509_minimal_set_ecdsa(engine, &curves, &check_ecdsa);
	engine->vtable->start_chain(&engine->vtable, NULL);
}

/*
 * Give it one more certificate. Dates are our business: they are judged when the chain holds,
 * for all of it. So the engine's clock shows each certificate a time that suits it.
 */
static void
feed(br_x509_minimal_context *engine, struct bytes der, const struct x509_cert *cert)
{
	const br_x509_class **x = &engine->vtable;
	uint64_t time_s = (uint64_t)(cert->from_s + (int64_t)EPOCH_DAYS * DAY_S);

	br_x509_minimal_set_time(engine, (uint32_t)(time_s / DAY_S), (uint32_t)(time_s % DAY_S));
	(*x)->start_cert(x, (uint32_t)der.len);
	(*x)->append(x, der.at, der.len);
	(*x)->end_cert(x);
}

/* Before end_chain() it gives the key only of a chain that holds already. */
static bool
is_held(br_x509_minimal_context *engine)
{
	return engine->vtable->get_pkey(&engine->vtable, NULL) != NULL;
}

static size_t
last_anchor(const br_x509_trust_anchor *anchors, size_t count)
{
	size_t i = 0;

	while (i < count && last_key != &anchors[i].pkey.key) {
		i++;
	}
	return i;
}

/* Null, or what is wrong with it; `stranger` where that is only that it leads to no anchor. */
static const char *
end(br_x509_minimal_context *engine, const char *stranger)
{
	switch (engine->vtable->end_chain(&engine->vtable)) {
	case 0:
		return NULL;
	case BR_ERR_X509_NOT_TRUSTED:
		return stranger;
	case BR_ERR_X509_DN_MISMATCH:
		return "the order of the chain is wrong: each certificate must be signed by the next one";
	case BR_ERR_X509_BAD_SIGNATURE:
	case BR_ERR_X509_WRONG_KEY_TYPE:
		return "a signature in the chain is broken";
	case BR_ERR_X509_NOT_CA:
		return "a certificate that signs another one is no CA, or its path length is exceeded";
	case BR_ERR_X509_FORBIDDEN_KEY_USAGE:
		return "its key usage, or that of a CA in the chain, forbids it";
	case BR_ERR_X509_CRITICAL_EXTENSION:
		return "it has a critical extension that is not known here";
	case BR_ERR_X509_UNSUPPORTED:
		return "it is signed with an algorithm that this build does not have";
	case BR_ERR_X509_EXPIRED:
		return "its validity ends before it begins";
	default:
		return "the chain is malformed";
	}
}

const char *
verify_chain(br_x509_minimal_context *scratch, struct bytes chain,
	const br_x509_trust_anchor *anchors, size_t anchor_count,
	int64_t time_s, bool is_clock_wrong, bool *is_date_off, size_t *which)
{
	int64_t from_s = INT64_MIN, until_s = INT64_MAX;
	struct x509_cert cert;
	struct bytes der;
	const char *why;
	int err;

	*is_date_off = false;
	start(scratch, anchors, anchor_count);
	while (!is_held(scratch) && (err = x509_chain_next(&chain, &der)) != CUB_EOF) {
		why = err < 0 ? cut_short : x509_read(der, &cert);
		if (why != NULL) {
			return why;
		}
		feed(scratch, der, &cert);
		from_s = cert.from_s > from_s ? cert.from_s : from_s;
		until_s = cert.until_s < until_s ? cert.until_s : until_s;
	}
	why = end(scratch, last_anchor(anchors, anchor_count) == anchor_count
		? "it is not signed by a CA of this device"
		: "a CA of this device has the name of its signer, but has not signed it");
	if (why != NULL) {
		return why;
	}
	*is_date_off = time_s < from_s || time_s > until_s;
	if (!is_clock_wrong && time_s > until_s) {
		return "it, or a CA in the chain, has expired";
	}
	if (!is_clock_wrong && time_s < from_s) {
		return "it, or a CA in the chain, is not valid yet";
	}
	if (from_s > until_s) {
		return "the dates of the chain do not fit each other";
	}
	*which = last_anchor(anchors, anchor_count);
	return NULL;
}

const char *
verify_order(br_x509_minimal_context *scratch, struct bytes chain)
{
	struct x509_cert cert;
	struct bytes der;
	size_t count = 0;
	int err;

	/* With no anchor at all the engine checks each certificate that there is. */
	start(scratch, NULL, 0);
	for (; (err = x509_chain_next(&chain, &der)) != CUB_EOF; count++) {
		const char *why = err < 0 ? cut_short : x509_read(der, &cert);

		if (why != NULL) {
			return why;
		}
		feed(scratch, der, &cert);
	}
	if (count < 2) {
		return count == 0 ? "there is no certificate" : NULL;
	}
	return end(scratch, NULL);
}
