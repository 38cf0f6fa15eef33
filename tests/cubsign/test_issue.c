/* SPDX-License-Identifier: MIT */
/*
 * Certificates that a CA writes, by what the readers of certificates and extensions find in
 * them and by their signatures. That OpenSSL and GnuTLS take them is for the live tests.
 */
#include "extension.h"
#include "host.h"
#include "issue.h"
#include "signature.h"

#include "tests/data/keys.h"

/* 2030-01-01, and 2055-06-17 12:00:00: one for each of X.509's kinds of time. */
#define FROM  INT64_C(1893456000)
#define LATER INT64_C(2696846400)

static const uint8_t names[] = { 0x82, 3, 'a', '.', 'b', 0x87, 4, 192, 0, 2, 1 };
static const uint8_t issuer_id[] = { 1, 2, 3, 4, 5 };

static const struct bytes pairs[][2] = {
	{ { key_p256, sizeof key_p256 }, { key_p256_public, sizeof key_p256_public } },
	{ { key_p384, sizeof key_p384 }, { key_p384_public, sizeof key_p384_public } },
	{ { key_rsa2048, sizeof key_rsa2048 }, { key_rsa2048_public, sizeof key_rsa2048_public } },
	{ { key_rsa4096, sizeof key_rsa4096 }, { key_rsa4096_public, sizeof key_rsa4096_public } },
};

static uint8_t name_buffer[2][128];
static struct key signer;
static uint8_t out[ISSUE_MAX];

static struct bytes
make_name(const char *name, uint8_t buffer[128])
{
	struct der d;

	der_start(&d, buffer, 128);
	x509_write_name(&d, text_of(name));
	assert_false(d.cut);
	return (struct bytes){ d.at, (size_t)(d.end - d.at) };
}

static struct issue
make(enum profile profile, struct bytes public_key)
{
	struct issue what = {
		.profile = profile, .public_key = public_key,
		.subject = make_name("router-17", name_buffer[0]),
		.issuer = make_name("Acme", name_buffer[1]),
		.issuer_key_id = BYTES(issuer_id), .path_length = -1,
		.from_s = FROM, .until_s = LATER,
	};

	memset(what.serial, 0x80, sizeof what.serial);
	what.serial[0] = 1;
	return what;
}

static void
take_key(struct bytes der)
{
	const char *why;

	assert_int_equal(key_import(&signer, der, &why), CUB_OK);
}

static struct bytes
sign(const struct issue *what)
{
	int len = issue_write(out, sizeof out, what, &signer);

	if (len <= 0) {
		fail_msg("%d", len);
	}
	return (struct bytes){ out, (size_t)len };
}

static void
read_all(struct bytes der, struct x509_cert *cert, struct extensions *e)
{
	const char *why = x509_read(der, cert);

	if (why == NULL) {
		why = extension_read(cert->extensions.list, e);
	}
	if (why != NULL) {
		fail_msg("%s", why);
	}
	assert_false(e->has_others);
}

static void
assert_bytes(struct bytes a, struct bytes b)
{
	assert_true(bytes_equal(a, b));
}

static void
a_certificate_says_what_it_was_to_say_whatever_the_keys(void **state)
{
	struct x509_cert cert;
	struct extensions e;
	uint8_t hash[32];

	(void)state;
	/* The first signs each, and each signs the first. */
	for (size_t i = 0; i < 2 * LEN(pairs); i++) {
		size_t by = i < LEN(pairs) ? 0 : i - LEN(pairs);
		struct bytes public_key = pairs[i < LEN(pairs) ? i : 0][1];
		struct issue what = make(PROFILE_DEVICE, public_key);
		struct key_public signs;
		struct signature s;
		struct bytes der;

		take_key(pairs[by][0]);
		what.names = BYTES(names);
		der = sign(&what);
		read_all(der, &cert, &e);
		assert_bytes(cert.serial, BYTES(what.serial));
		assert_bytes(cert.subject, what.subject);
		assert_bytes(cert.issuer, what.issuer);
		assert_bytes(cert.public_key, public_key);
		assert_int_equal(cert.from_s, FROM);
		assert_int_equal(cert.until_s, LATER);
		x509_hash(public_key, hash);
		assert_bytes(e.subject_key_id, (struct bytes){ hash, 20 });
		assert_bytes(e.authority_key_id, BYTES(issuer_id));
		assert_bytes(e.names, BYTES(names));
		assert_null(key_read_public(pairs[by][1], &signs));
		assert_true(signature_open(der, &s));
		assert_null(signature_check(&s, &signs));
	}
}

static void
the_profile_decides_what_it_is_for(void **state)
{
	static const struct {
		enum profile profile;
		unsigned usage, purposes;
	} expected[] = {
		{ PROFILE_DEVICE, X509_USAGE_SIGN, X509_FOR_SERVERS },
		{ PROFILE_CLIENT, X509_USAGE_SIGN, X509_FOR_CLIENTS },
		{ PROFILE_CA, X509_USAGE_CERT_SIGN | X509_USAGE_CRL_SIGN, UINT8_MAX },
	};
	struct x509_cert cert;
	struct extensions e;

	(void)state;
	take_key(BYTES(key_p256));
	for (size_t i = 0; i < LEN(expected); i++) {
		struct issue what = make(expected[i].profile, BYTES(key_rsa2048_public));

		read_all(sign(&what), &cert, &e);
		assert_int_equal(e.basic.is_ca, expected[i].profile == PROFILE_CA);
		assert_int_equal(cert.extensions.is_ca, e.basic.is_ca);
		assert_true(e.basic.has_usage);
		assert_int_equal(e.basic.usage, expected[i].usage);
		assert_int_equal(e.basic.has_purposes, expected[i].profile != PROFILE_CA);
		assert_int_equal(e.basic.purposes, expected[i].purposes);
		assert_int_equal(e.basic.path_length, -1);
		assert_int_equal(e.names.len, 0);
	}
}

static void
a_path_length_is_a_cas_alone_and_may_be_0(void **state)
{
	static const int32_t lengths[] = { 0, 1, 8, 127, 128, 255, 256 };
	struct x509_cert cert;
	struct extensions e;
	struct issue what;

	(void)state;
	take_key(BYTES(key_p256));
	for (size_t i = 0; i < LEN(lengths); i++) {
		what = make(PROFILE_CA, BYTES(key_p384_public));
		what.path_length = lengths[i];
		read_all(sign(&what), &cert, &e);
		assert_true(e.basic.path_length >= 0);
		assert_int_equal(e.basic.path_length, lengths[i]);
	}
	what = make(PROFILE_CLIENT, BYTES(key_p384_public));
	what.path_length = 0;
	read_all(sign(&what), &cert, &e);
	assert_int_equal(e.basic.path_length, -1);
}

static void
one_that_signs_itself_names_no_authority(void **state)
{
	struct issue what;
	struct x509_cert cert;
	struct extensions e;

	(void)state;
	take_key(BYTES(key_p256));
	what = make(PROFILE_CA, BYTES(key_p256_public));
	what.issuer = what.subject;
	what.issuer_key_id.len = 0;
	read_all(sign(&what), &cert, &e);
	assert_int_equal(e.authority_key_id.len, 0);
	assert_true(e.subject_key_id.len > 0);
}

static void
which_extensions_are_critical_is_as_it_should_be(void **state)
{
	struct issue what = make(PROFILE_DEVICE, BYTES(key_p256_public));
	struct x509_cert cert;
	struct extensions e;
	struct der_in list;
	unsigned count = 0;

	(void)state;
	take_key(BYTES(key_p256));
	what.names = BYTES(names);
	read_all(sign(&what), &cert, &e);
	list = der_open(cert.extensions.list);
	for (; der_peek(&list) != 0; count++) {
		struct x509_extension one = x509_take_extension(&list);

		assert_int_equal(one.oid.len, 3);
		assert_int_equal(one.is_critical, one.oid.at[2] == 15 || one.oid.at[2] == 19);
	}
	assert_int_equal(count, 6);
}

static void
what_does_not_fit_is_not_written(void **state)
{
	struct issue what = make(PROFILE_DEVICE, BYTES(key_rsa2048_public));
	int whole = 0;

	(void)state;
	take_key(BYTES(key_p256));
	what.names = BYTES(names);
	for (size_t cap = 1; cap < 2048; cap++) {
		uint8_t *exact = malloc(cap);
		int len;

		assert_non_null(exact);
		len = issue_write(exact, cap, &what, &signer);
		if (len < 0) {
			assert_int_equal(len, CUB_E_LIMIT);
			assert_int_equal(whole, 0);
		} else {
			assert_true(whole == 0 || len == whole);
			assert_true((size_t)len <= cap);
			whole = len;
			cap += 100;
		}
		free(exact);
	}
	assert_true(whole > 0);
}

static const struct CMUnitTest tests[] = {
	TEST(a_certificate_says_what_it_was_to_say_whatever_the_keys),
	TEST(the_profile_decides_what_it_is_for),
	TEST(a_path_length_is_a_cas_alone_and_may_be_0),
	TEST(one_that_signs_itself_names_no_authority),
	TEST(which_extensions_are_critical_is_as_it_should_be),
	TEST(what_does_not_fit_is_not_written),
};

int
main(void)
{
	return cmocka_run_group_tests_name("issue", tests, NULL, NULL);
}
