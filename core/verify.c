/* SPDX-License-Identifier: MIT */
/* Chains of certificates, judged: see verify.h. */
#include "verify.h"

static const char unknown_algorithm[] =
	"it is signed with an algorithm that this build does not have";
static const char too_long[] =
	"a certificate that signs another one is no CA, or its path length is exceeded";

/* Null, or why this certificate can't have signed that one, with so many CAs between. */
static const char *
check_signer(const struct x509_cert *signer, const struct x509_cert *below, int32_t between)
{
	const struct x509_extensions *e = &signer->extensions;
	br_x509_pkey key = key_for_bearssl(&signer->key);
	int err;

	if (!bytes_equal(signer->subject, below->issuer)) {
		return "the order of the chain is wrong: each certificate must be signed by the next one";
	}
	if (!e->is_ca || (e->path_length >= 0 && between > e->path_length)) {
		return too_long;
	}
	if ((e->usage & X509_USAGE_CERT_SIGN) == 0) {
		return "the key usage of a CA in the chain forbids it";
	}
	err = key_check(&key, below->algorithm, below->signed_part, below->signature);
	return err == CUB_OK ? NULL : err == CUB_E_BAD ? unknown_algorithm
		: "a signature in the chain is broken";
}

/* The next certificate of a chain, which has signed the one below it: null, or what is wrong. */
static const char *
take(struct bytes *chain, struct x509_cert *cert, const struct x509_cert *below, int32_t depth)
{
	struct bytes der;
	const char *why = x509_chain_next(chain, &der) < 0 ? "the chain is cut short"
		: x509_read(der, cert);

	return why == NULL && depth > 0 ? check_signer(cert, below, depth - 1) : why;
}

/*
 * Null, or what its extensions say against it where the chain is for a purpose. That of a CA is
 * a limit for all that it signs, as everybody reads it though no RFC says so.
 */
static const char *
check_use(const struct x509_extensions *e, unsigned purpose, int32_t depth)
{
	return e->has_unknown ? "it has a critical extension that is not known here"
		: purpose == 0 ? NULL
		: (e->purposes & purpose) == 0 ? "its extended key usage is for something else"
		: depth == 0 && (e->usage & X509_USAGE_SIGN) == 0
		? "its key usage lacks digitalSignature" : NULL;
}

/*
 * The anchor that has signed a certificate, with so many CAs below: its number, or `count`.
 * Where one can't have, though it has the name of its signer, `*why` says so.
 */
static size_t
find_anchor(const struct x509_cert *cert, int32_t below, const struct verify_anchor *anchors,
	size_t count, const char **why)
{
	size_t found = count;

	for (size_t i = 0; i < count; i++) {
		const struct verify_anchor *a = &anchors[i];
		int err;

		if (!bytes_equal(a->name, cert->issuer)) {
			continue;
		}
		err = key_check(&a->key, cert->algorithm, cert->signed_part, cert->signature);
		if (err < 0) {
			*why = err == CUB_E_BAD ? unknown_algorithm
				: "a CA of this device has the name of its signer, but has not signed it";
		} else if (a->path_length >= 0 && below > a->path_length) {
			*why = too_long;
		} else if (found == count || a->until_s > anchors[found].until_s) {
			found = i;
		}
	}
	return found;
}

const char *
verify_chain(struct bytes chain, unsigned purpose, const struct verify_anchor *anchors,
	size_t anchor_count, int64_t time_s, bool is_clock_wrong, bool *is_date_off, size_t *which)
{
	const char *stranger = "it is not signed by a CA of this device";
	int64_t from_s = INT64_MIN, until_s = INT64_MAX;
	struct x509_cert certs[2];
	size_t found = anchor_count;

	*is_date_off = false;
	for (int32_t depth = 0; found == anchor_count; depth++) {
		struct x509_cert *cert = &certs[depth & 1];
		const char *why = depth > 0 && chain.len == 0 ? stranger
			: take(&chain, cert, &certs[~depth & 1], depth);

		if (why == NULL) {
			why = check_use(&cert->extensions, purpose, depth);
		}
		if (why != NULL) {
			return why;
		}
		from_s = cert->from_s > from_s ? cert->from_s : from_s;
		until_s = cert->until_s < until_s ? cert->until_s : until_s;
		found = find_anchor(cert, depth, anchors, anchor_count, &stranger);
	}
	until_s = anchors[found].until_s < until_s ? anchors[found].until_s : until_s;
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
	*which = found;
	return NULL;
}

const char *
verify_order(struct bytes chain)
{
	struct x509_cert certs[2];
	const char *why = chain.len == 0 ? "there is no certificate" : NULL;

	for (int32_t depth = 0; why == NULL && chain.len > 0; depth++) {
		why = take(&chain, &certs[depth & 1], &certs[~depth & 1], depth);
	}
	return why;
}
