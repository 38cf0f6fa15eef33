/* SPDX-License-Identifier: MIT */
/* Chains that OpenSSL made and judged (tests/data/chains.sh): good ones, and one of each fault. */
#include "unit.h"

#include "verify.h"

#include "tests/data/chains.h"

#define NOW     INT64_C(1900000000)  /* in 2030 */
#define IN_2000 INT64_C(946684800)
#define IN_2022 INT64_C(1643000000)

#define NONE       { NULL, 0 }
#define CERT(name) { chain_##name, sizeof chain_##name }

static uint8_t bytes[16384];

/* Certificates, up to the first that is empty, as a chain. */
static struct bytes
chain_of(const struct bytes *cert)
{
	size_t len = 0;

	for (; cert->len > 0; cert++) {
		bytes[len] = (uint8_t)cert->len;
		bytes[len + 1] = (uint8_t)(cert->len >> 8);
		memcpy(bytes + len + 2, cert->at, cert->len);
		len += 2 + cert->len;
	}
	return (struct bytes){ bytes, len };
}

static struct verify_anchor
anchor_of(struct bytes der)
{
	struct x509_cert cert;
	const char *why = x509_read(der, &cert);

	CLAIM(why == NULL, "%s", why);
	return (struct verify_anchor){ cert.subject, key_for_bearssl(&cert.key),
		cert.extensions.path_length, cert.until_s };
}

/* Null where it holds; `*which` is its anchor, and out of range where it does not. */
static const char *
verify(const struct bytes *certs, const struct bytes *anchors, int64_t now_s, bool is_clock_wrong,
	bool *is_date_off, size_t *which)
{
	struct verify_anchor anchor[4];
	size_t count = 0;

	for (; anchors[count].len > 0; count++) {
		anchor[count] = anchor_of(anchors[count]);
	}
	*which = SIZE_MAX;
	return verify_chain(chain_of(certs), X509_FOR_CLIENTS, anchor, count, now_s, is_clock_wrong,
		is_date_off, which);
}

static bool
has(const char *why, const char *part)
{
	return why != NULL && strstr(why, part) != NULL;
}

static void
a_chain_holds_up_to_the_anchor_that_signed_it(void **state)
{
	static const struct {
		const char *name;
		struct bytes chain[4], anchor[4];
		size_t which;
	} table[] = {
		{ "direct", { CERT(direct) }, { CERT(root) }, 0 },
		{ "leaf", { CERT(leaf), CERT(middle) }, { CERT(root) }, 0 },
		{ "leaf, and the root sent along", { CERT(leaf), CERT(middle), CERT(root) },
			{ CERT(root) }, 0 },
		{ "leaf, signed by an anchor that is no root", { CERT(leaf) }, { CERT(middle) }, 0 },
		{ "what stands behind is not looked at", { CERT(leaf), CERT(expired), CERT(future) },
			{ CERT(middle) }, 0 },
		{ "the second anchor", { CERT(direct) }, { CERT(middle), CERT(root) }, 1 },
		{ "the second of two with the same name", { CERT(direct) },
			{ CERT(twin), CERT(root), CERT(middle) }, 1 },
		{ "the first of two with the same name", { CERT(direct) },
			{ CERT(root), CERT(twin), CERT(middle) }, 0 },
		{ "for clients and servers, and critically so", { CERT(client) }, { CERT(root) }, 0 },
		{ "of two certificates of a CA, the one that is valid longest", { CERT(direct) },
			{ CERT(root_before), CERT(root) }, 1 },
		{ "likewise", { CERT(direct) }, { CERT(root), CERT(root_before) }, 0 },
		{ "for any purpose", { CERT(any) }, { CERT(root) }, 0 },
		{ "two with the same name, behind another", { CERT(leaf), CERT(middle) },
			{ CERT(twin), CERT(root) }, 1 },
#if CONFIG_CUBFTPD_RSA
		{ "only P-256", { CERT(rsa_leaf) }, { CERT(rsa_root) }, 0 },
		{ "EC by RSA", { CERT(mixed_leaf) }, { CERT(root), CERT(rsa_root) }, 1 },
		{ "EC among RSA", { CERT(direct) }, { CERT(rsa_root), CERT(root) }, 1 },
#endif
#if CONFIG_CUBFTPD_P384
		{ "P-384", { CERT(p384_leaf), CERT(p384_middle) }, { CERT(p384_root) }, 0 },
		{ "SHA-384", { CERT(sha384) }, { CERT(root) }, 0 },
#endif
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		for (unsigned wrong = 0; wrong < 2; wrong++) {
			bool is_date_off = true;
			size_t which;
			const char *why = verify(table[i].chain, table[i].anchor, NOW, wrong == 1,
				&is_date_off, &which);

			CLAIM(why == NULL, "%s: %s", table[i].name, why);
			CLAIM(which == table[i].which, "%s: %zu", table[i].name, which);
			CLAIM(!is_date_off, "%s", table[i].name);
		}
	}
}

static void
a_chain_that_does_not_hold_is_refused_with_its_reason(void **state)
{
	static const struct {
		const char *want;
		struct bytes chain[4], anchor[4];
	} table[] = {
		{ "not signed by a CA of this device", { CERT(direct) }, { { NULL, 0 } } },
		{ "not signed by a CA of this device", { CERT(direct) }, { CERT(middle) } },
		{ "not signed by a CA of this device", { CERT(leaf) }, { CERT(root) } },
		{ "not signed by a CA of this device", { CERT(leaf), CERT(middle), CERT(root) },
			{ CERT(brief) } },
		{ "has not signed it", { CERT(direct) }, { CERT(twin) } },
		{ "not signed by a CA of this device", { CERT(direct) }, { CERT(middle) } },
		{ "has not signed it", { CERT(leaf), CERT(middle) }, { CERT(twin) } },
		/* An anchor is no end entity that would be trusted for being there. */
		{ "key usage", { CERT(root) }, { CERT(root) } },
		{ "order", { CERT(leaf), CERT(direct) }, { CERT(root) } },
		{ "order", { CERT(leaf), CERT(root), CERT(middle) }, { CERT(root) } },
		{ "signature", { CERT(direct), CERT(twin) }, { CERT(middle) } },
		{ "path length", { CERT(below), CERT(again), CERT(middle) }, { CERT(root) } },
		{ "path length", { CERT(below), CERT(again) }, { CERT(middle) } },
		{ "expired", { CERT(direct) }, { CERT(root_before) } },
		{ "extended key usage", { CERT(under_serving), CERT(serving) }, { CERT(root) } },
		{ "no CA", { CERT(under_no_flag), CERT(no_flag) }, { CERT(root) } },
		{ "key usage", { CERT(under_no_usage), CERT(no_usage) }, { CERT(root) } },
		{ "critical extension", { CERT(critical) }, { CERT(root) } },
		{ "critical extension", { CERT(under_bounded), CERT(bounded) }, { CERT(root) } },
		/* What was signed for a device lets nobody in elsewhere. */
		{ "extended key usage", { CERT(server) }, { CERT(root) } },
		{ "key usage", { CERT(agrees) }, { CERT(root) } },
		{ "algorithm", { CERT(sha1) }, { CERT(root) } },
		{ "expired", { CERT(expired) }, { CERT(root) } },
		{ "expired", { CERT(early), CERT(brief) }, { CERT(root) } },
		{ "expired", { CERT(gone), CERT(middle) }, { CERT(root) } },
		{ "not valid yet", { CERT(future) }, { CERT(root) } },
#if !CONFIG_CUBFTPD_RSA
		{ "only P-256", { CERT(rsa_leaf) }, { CERT(root) } },
#endif
#if !CONFIG_CUBFTPD_P384
		{ "P-256", { CERT(p384_leaf), CERT(p384_middle) }, { CERT(root) } },
		{ "algorithm", { CERT(sha384) }, { CERT(root) } },
#endif
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		bool is_date_off;
		size_t which;
		const char *why = verify(table[i].chain, table[i].anchor, NOW, false, &is_date_off,
			&which);

		CLAIM(has(why, table[i].want), "%s, no. %zu: %s", table[i].want, i, why ? why : "holds");
		CLAIM(which == SIZE_MAX, "no. %zu, %s", i, table[i].want);
	}
}

/* Where it is to be none in particular, a CA's holds, too. */
static void
a_certificate_is_good_for_what_it_says(void **state)
{
	static const struct {
		struct bytes cert, above;
		bool clients, servers;
	} table[] = {
		{ CERT(client), NONE, true, true }, { CERT(server), NONE, false, true },
		{ CERT(any), NONE, true, true }, { CERT(direct), NONE, true, true },
		{ CERT(agrees), NONE, false, false }, { CERT(middle), NONE, false, false },
		{ CERT(under_serving), CERT(serving), false, true },
	};
	struct verify_anchor anchor = anchor_of((struct bytes)CERT(root));

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		const struct bytes certs[] = { table[i].cert, table[i].above, { NULL, 0 } };
		struct bytes chain = chain_of(certs);
		bool is_date_off;
		size_t which;

#define HOLDS(purpose) \
	(verify_chain(chain, (purpose), &anchor, 1, NOW, false, &is_date_off, &which) == NULL)
		CLAIM(HOLDS(X509_FOR_CLIENTS) == table[i].clients, "no. %zu", i);
		CLAIM(HOLDS(X509_FOR_SERVERS) == table[i].servers, "no. %zu", i);
		CLAIM(HOLDS(0), "no. %zu", i);
	}
}

static void
with_a_wrong_clock_the_dates_only_have_to_fit_each_other(void **state)
{
	static const struct {
		const char *name;
		struct bytes chain[4];
		int64_t now_s;
		bool is_date_off;
		const char *want;  /* null: it holds */
	} table[] = {
		{ "expired", { CERT(expired) }, NOW, true, NULL },
		{ "future", { CERT(future) }, NOW, true, NULL },
		{ "before all", { CERT(leaf), CERT(middle) }, IN_2000, true, NULL },
		{ "never at once", { CERT(gone), CERT(middle) }, NOW, true, "fit each other" },
		{ "CA expired", { CERT(early), CERT(brief) }, NOW, true, NULL },
		{ "in time", { CERT(early), CERT(brief) }, IN_2022, true, NULL },
		{ "never at once", { CERT(late), CERT(brief) }, NOW, true, "fit each other" },
		{ "never at once", { CERT(late), CERT(brief) }, IN_2022, true, "fit each other" },
	};
	static const struct bytes root[] = { CERT(root), { NULL, 0 } };

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		bool is_date_off = false;
		size_t which;
		const char *why = verify(table[i].chain, root, table[i].now_s, true, &is_date_off, &which);

		CLAIM(table[i].want == NULL ? why == NULL : has(why, table[i].want), "%s: %s",
			table[i].name, why ? why : "holds");
		CLAIM(is_date_off == table[i].is_date_off, "%s", table[i].name);
		CLAIM(which == (why == NULL ? 0 : SIZE_MAX), "%s", table[i].name);
	}
}

/* RFC 5280 section 4.1.2.5: the first and the last second belong to it. */
static void
validity_begins_and_ends_to_the_second(void **state)
{
	static const struct bytes chain[] = { CERT(early), CERT(brief), { NULL, 0 } };
	static const struct bytes root[] = { CERT(root), { NULL, 0 } };
	const int64_t from_s = INT64_C(1609459200), until_s = INT64_C(1640995200);
	bool is_date_off;
	size_t which;

	(void)state;
	assert_null(verify(chain, root, from_s, false, &is_date_off, &which));
	assert_false(is_date_off);
	assert_null(verify(chain, root, until_s, false, &is_date_off, &which));
	assert_true(has(verify(chain, root, from_s - 1, false, &is_date_off, &which), "not valid yet"));
	assert_true(is_date_off);
	assert_true(has(verify(chain, root, until_s + 1, false, &is_date_off, &which), "expired"));
	assert_null(verify(chain, root, until_s + 1, true, &is_date_off, &which));
	assert_true(is_date_off);
}

static void
a_chain_without_an_end_or_without_anything_does_not_hold(void **state)
{
	static const struct bytes certs[] = { CERT(leaf), CERT(middle), { NULL, 0 } };
	struct verify_anchor anchor = anchor_of((struct bytes)CERT(root));
	struct bytes chain = chain_of(certs);

	(void)state;
	for (size_t len = 0; len <= chain.len; len++) {
		uint8_t *part = malloc(len + 1);  /* the sanitizer watches its end */
		uint8_t *at = part + 1;
		bool is_date_off;
		size_t which;
		const char *why;

		memcpy(at, bytes, len);
		why = verify_chain((struct bytes){ at, len }, X509_FOR_CLIENTS, &anchor, 1, NOW, false,
			&is_date_off, &which);
		CLAIM((why == NULL) == (len == chain.len), "%zu bytes: %s", len, why ? why : "holds");
		CLAIM(verify_order((struct bytes){ at, len }) == NULL
			? len == chain.len || len == 2 + sizeof chain_leaf : len < chain.len,
			"%zu bytes", len);
		free(part);
	}
}

static void
no_changed_byte_of_a_chain_is_accepted(void **state)
{
	static const struct bytes certs[] = { CERT(leaf), CERT(middle), { NULL, 0 } };
	struct verify_anchor anchor = anchor_of((struct bytes)CERT(root));
	struct bytes chain = chain_of(certs);

	(void)state;
	for (size_t at = sim_random_below(3); at < chain.len; at += getenv("TEST_SHORT") ? 31 : 3) {
		uint8_t bit = (uint8_t)(1u << sim_random_below(8));
		bool is_date_off;
		size_t which;

		bytes[at] ^= bit;
		CLAIM(verify_chain(chain, 0, &anchor, 1, NOW, true, &is_date_off, &which) != NULL,
			"byte %zu", at);
		bytes[at] ^= bit;
	}
}

static void
a_device_chain_holds_where_each_is_signed_by_the_next(void **state)
{
	static const struct {
		const char *want;  /* null: it holds */
		struct bytes chain[5];
	} table[] = {
		{ NULL, { CERT(leaf) } },
		{ NULL, { CERT(root) } },
		{ NULL, { CERT(leaf), CERT(middle) } },
		{ NULL, { CERT(leaf), CERT(middle), CERT(root) } },
		/* Dates are not looked at. */
		{ NULL, { CERT(expired), CERT(root) } },
		{ NULL, { CERT(server), CERT(root) } },
		{ NULL, { CERT(late), CERT(brief), CERT(root) } },
		{ "there is no certificate", { { NULL, 0 } } },
		{ "order", { CERT(middle), CERT(leaf) } },
		{ "order", { CERT(leaf), CERT(root), CERT(middle) } },
		{ "order", { CERT(leaf), CERT(middle), CERT(direct) } },
		{ "order", { CERT(root), CERT(leaf), CERT(middle) } },
		{ "order", { CERT(leaf), CERT(leaf) } },
		{ "signature", { CERT(leaf), CERT(middle), CERT(twin) } },
		{ "signature", { CERT(direct), CERT(twin) } },
		{ "signature", { CERT(direct), CERT(twin), CERT(root) } },
		{ "path length", { CERT(below), CERT(again), CERT(middle) } },
		{ "no CA", { CERT(under_no_flag), CERT(no_flag) } },
		{ "no CA", { CERT(under_no_flag), CERT(no_flag), CERT(root) } },
		{ "key usage", { CERT(under_no_usage), CERT(no_usage), CERT(root) } },
#if CONFIG_CUBFTPD_RSA
		{ NULL, { CERT(mixed_leaf), CERT(rsa_root) } },
#endif
#if CONFIG_CUBFTPD_P384
		{ NULL, { CERT(p384_leaf), CERT(p384_middle), CERT(p384_root) } },
#else
		{ "P-256", { CERT(p384_leaf), CERT(p384_middle), CERT(p384_root) } },
#endif
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		const char *why = verify_order(chain_of(table[i].chain));

		CLAIM(table[i].want == NULL ? why == NULL : has(why, table[i].want), "no. %zu: %s", i,
			why ? why : "holds");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_chain_holds_up_to_the_anchor_that_signed_it),
		TEST(a_chain_that_does_not_hold_is_refused_with_its_reason),
		TEST(a_certificate_is_good_for_what_it_says),
		TEST(with_a_wrong_clock_the_dates_only_have_to_fit_each_other),
		TEST(validity_begins_and_ends_to_the_second),
		TEST(a_chain_without_an_end_or_without_anything_does_not_hold),
		TEST(no_changed_byte_of_a_chain_is_accepted),
		TEST(a_device_chain_holds_where_each_is_signed_by_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
