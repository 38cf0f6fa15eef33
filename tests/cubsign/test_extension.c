/* SPDX-License-Identifier: MIT */
/* Extensions, put together byte for byte. */
#include "host.h"

#include "extension.h"

#include "tests/data/chains.h"
#include "tests/data/clients.h"

static struct extensions e;

/* A list of extensions of RFC 5280: 2.5.29, one byte more, critical or not, a value. */
struct one {
	uint8_t oid;
	bool is_critical;
	const char *value;
	size_t len;
};

#define ONE(oid, is_critical, value) { (oid), (is_critical), (value), sizeof(value) - 1 }

static uint8_t buffer[2048];

static struct bytes
list_of(const struct one *one, size_t count)
{
	struct der d;

	der_start(&d, buffer, sizeof buffer);
	for (size_t i = count; i-- > 0;) {
		uint8_t oid[3] = { 0x55, 0x1D, one[i].oid };
		const uint8_t *until = d.at;

		der_element(&d, DER_OCTET_STRING, one[i].value, one[i].len);
		if (one[i].is_critical) {
			der_element(&d, DER_BOOLEAN, "\xFF", 1);
		}
		der_element(&d, DER_OID, oid, sizeof oid);
		der_wrap(&d, DER_SEQUENCE, until);
	}
	return (struct bytes){ d.at, (size_t)(d.end - d.at) };
}

static const char *
read_one(struct one one)
{
	return extension_read(list_of(&one, 1), &e);
}

#define READ(oid, value) read_one((struct one)ONE(oid, false, value))

static void
no_extensions_say_nothing(void **state)
{
	(void)state;
	assert_null(extension_read((struct bytes){ buffer, 0 }, &e));
	assert_false(e.basic.is_ca || e.basic.has_usage || e.basic.has_purposes || e.has_others);
	assert_int_equal(e.names.len, 0);
}

static void
basic_constraints_are_read(void **state)
{
	(void)state;
	assert_null(READ(19, "\x30\x00"));
	assert_false(e.basic.is_ca || e.basic.path_length >= 0);
	assert_null(READ(19, "\x30\x03\x01\x01\xFF"));
	assert_true(e.basic.is_ca && e.basic.path_length < 0);
	assert_null(READ(19, "\x30\x06\x01\x01\xFF\x02\x01\x03"));
	assert_true(e.basic.is_ca && e.basic.path_length == 3);
	assert_null(READ(19, "\x30\x03\x01\x01\x00"));
	assert_false(e.basic.is_ca);
}

static void
a_path_length_without_a_ca_is_wrong(void **state)
{
	(void)state;
	assert_string_equal(READ(19, "\x30\x03\x02\x01\x03"), "it has a path length, but is no CA");
	assert_non_null(READ(19, "\x30\x06\x01\x01\x00\x02\x01\x03"));
}

static void
key_usage_is_read_bit_by_bit(void **state)
{
	char text[256];
	struct out o = OUT(text);

	(void)state;
	assert_null(READ(15, "\x03\x02\x07\x80"));
	assert_true(e.basic.has_usage && e.basic.usage == X509_USAGE_SIGN);
	assert_null(READ(15, "\x03\x02\x01\x06"));
	assert_int_equal(e.basic.usage, X509_USAGE_CERT_SIGN | X509_USAGE_CRL_SIGN);
	extension_put_usage(&o, &e.basic);
	assert_true(SAYS(&o, "keyCertSign, cRLSign"));
	assert_null(READ(15, "\x03\x03\x07\x06\x00"));
	assert_int_equal(e.basic.usage, X509_USAGE_CERT_SIGN | X509_USAGE_CRL_SIGN);
	assert_null(READ(15, "\x03\x03\x07\xFF\x80"));
	assert_int_equal(e.basic.usage, 0xFF80);
	o = OUT(text);
	extension_put_usage(&o, &e.basic);
	assert_true(SAYS(&o, "digitalSignature, nonRepudiation, keyEncipherment, dataEncipherment, "
		"keyAgreement, keyCertSign, cRLSign, encipherOnly, decipherOnly"));
}

static void
purposes_are_read(void **state)
{
	char text[256];
	struct out o = OUT(text);

	(void)state;
	assert_null(READ(37, "\x30\x0A\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x01"));
	assert_true(e.basic.has_purposes && e.basic.purposes == X509_FOR_SERVERS);
	assert_null(read_one((struct one)ONE(37, true, "\x30\x20"
		"\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x02\x06\x04\x55\x1D\x25\x00"
		"\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x09\x06\x04\x55\x1D\x25\x01")));
	assert_int_equal(e.basic.purposes, UINT8_MAX);
	extension_put_purposes(&o, &e.basic);
	assert_true(SAYS(&o, "any"));
	assert_null(READ(37, "\x30\x14\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x02"
		"\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x09"));
	assert_int_equal(e.basic.purposes, X509_FOR_CLIENTS | X509_FOR_OTHERS);
	o = OUT(text);
	extension_put_purposes(&o, &e.basic);
	assert_true(SAYS(&o, "clientAuth, others"));
}

static void
key_identifiers_are_read(void **state)
{
	(void)state;
	assert_null(READ(14, "\x04\x02\x11\x22"));
	assert_true(bytes_equal(e.subject_key_id, (struct bytes){ (const uint8_t *)"\x11\x22", 2 }));
	assert_null(READ(35, "\x30\x04\x80\x02\x33\x44"));
	assert_true(bytes_equal(e.authority_key_id, (struct bytes){ (const uint8_t *)"\x33\x44", 2 }));
	/* With issuer (a DNS name) and serial number. */
	assert_null(READ(35, "\x30\x0C\x80\x02\x33\x44\xA1\x03\x82\x01x\x82\x01\x05"));
	assert_int_equal(e.authority_key_id.len, 2);
	/* What is broken in one part stays so, whatever follows. */
	assert_non_null(READ(35, "\x30\x0A\x80\x00\xA1\x03\x82\x01x\x82\x01\x05"));
	assert_non_null(READ(35, "\x30\x09\x80\x02\x33\x44\xA1\x00\x82\x01\x05"));
	assert_null(READ(35, "\x30\x00"));
	assert_int_equal(e.authority_key_id.len, 0);
}

static void
names_are_kept_as_they_are(void **state)
{
	(void)state;
	/* DNS, IP, email, URI, an OID; a directoryName; an otherName */
	assert_null(READ(17, "\x30\x13\x82\x01x\x87\x04\xC0\x00\x02\x01\x81\x01y\x86\x01z"
		"\x88\x02\x2A\x03"));
	assert_int_equal(e.names.len, 0x13);
	assert_null(READ(17, "\x30\x11\xA4\x0F\x30\x0D\x31\x0B\x30\x09\x06\x03\x55\x04\x03\x0C\x02xy"));
	assert_null(READ(17, "\x30\x0B\xA0\x09\x06\x02\x2A\x03\xA0\x03\x0C\x01x"));
}

static void
unknown_ones_are_noted(void **state)
{
	(void)state;
	assert_null(READ(33, "\x30\x00"));
	assert_true(e.has_others && !e.basic.has_unknown);
	assert_null(read_one((struct one)ONE(33, true, "whatever")));
	assert_true(e.has_others && e.basic.has_unknown);
}

/* Each value is broken in one way. */
static void
what_is_broken_is_refused_with_a_reason(void **state)
{
	static const struct one broken[] = {
		ONE(19, false, ""), ONE(19, false, "\x30\x01"), ONE(19, false, "\x31\x00"),
		ONE(19, false, "\x30\x00\x00"), ONE(19, false, "\x30\x03\x01\x01\x01"),
		ONE(19, false, "\x30\x02\x00\x00"), ONE(19, false, "\x30\x80\x00\x00"),
		ONE(19, false, "\x30\x81\x00"),
		ONE(19, false, "\x30\x06\x01\x01\xFF\x02\x01\x80"),
		ONE(19, false, "\x30\x0A\x01\x01\xFF\x02\x05\x01\x00\x00\x00\x00"),
		ONE(19, false, "\x30\x06\x02\x01\x03\x01\x01\xFF"),
		ONE(15, false, "\x03\x01\x00"), ONE(15, false, "\x03\x02\x00\x00"),
		ONE(15, false, "\x03\x02\x07\xC0"), ONE(15, false, "\x03\x02\x08\x80"),
		ONE(15, false, "\x03\x00"), ONE(15, false, "\x03\x04\x07\x80\x00\x00"),
		ONE(15, false, "\x03\x03\x06\x80\x40"), ONE(15, false, "\x04\x02\x07\x80"),
		ONE(15, false, "\x03\x02\x07\x80\x00"),
		ONE(37, false, "\x30\x00"), ONE(37, false, "\x30\x02\x06\x00"),
		ONE(37, false, "\x30\x04\x06\x02\x80\x01"), ONE(37, false, "\x30\x03\x06\x01\x81"),
		ONE(37, false, "\x30\x03\x04\x01\x01"), ONE(37, false, "\x30\x04\x06\x01\x2A\x00"),
		ONE(14, false, "\x04\x00"), ONE(14, false, "\x04\x02\x11"),
		ONE(14, false, "\x03\x02\x11\x22"), ONE(14, false, "\x04\x01\x11\x00"),
		ONE(35, false, "\x30\x02\x80\x00"), ONE(35, false, "\x30\x02\xA1\x00"),
		ONE(35, false, "\x30\x02\x82\x00"), ONE(35, false, "\x30\x06\x82\x01\x05\x80\x01\x05"),
		ONE(35, false, "\x80\x01\x05"),
		ONE(17, false, "\x30\x00"), ONE(17, false, "\x30\x02\x82\x00"),
		ONE(17, false, "\x30\x03\xA2\x01x"), ONE(17, false, "\x30\x03\x84\x01x"),
		ONE(17, false, "\x30\x03\x89\x01x"), ONE(17, false, "\x30\x03\x0C\x01x"),
		ONE(17, false, "\x30\x04\x82\x01x\x00"), ONE(17, false, "\x30\x04\xA0\x02\x06\x01"),
		ONE(17, false, "\x30\x04\xA4\x02\x30\x01"), ONE(17, false, "\x30\x04\xA4\x02\x06\x00"),
		ONE(17, false, "\x30\x15\xA0\x13\xA0\x11\xA0\x0F\xA0\x0D\xA0\x0B\xA0\x09\xA0\x07\xA0\x05"
			"\xA0\x03\xA0\x01\xA0"),
	};

	(void)state;
	for (size_t i = 0; i < LEN(broken); i++) {
		const char *why = read_one(broken[i]);

		CLAIM(why != NULL && why[0] != '\0', "%zu, of 2.5.29.%u", i, broken[i].oid);
	}
}

static void
an_extension_comes_only_once(void **state)
{
	static const struct one twice[] = { ONE(14, false, "\x04\x01\x11"),
		ONE(32, false, "\x30\x00"), ONE(32, true, "\x30\x00") };
	static const struct one constraints[] = { ONE(19, false, "\x30\x00"),
		ONE(14, false, "\x04\x01\x11"), ONE(19, false, "\x30\x03\x01\x01\xFF") };

	(void)state;
	assert_null(extension_read(list_of(twice, 2), &e));
	assert_string_equal(extension_read(list_of(twice, 3), &e),
		"one of its extensions comes twice");
	assert_non_null(extension_read(list_of(constraints, 3), &e));
	assert_null(extension_read(list_of(constraints, 2), &e));
}

static void
there_is_an_end_to_extensions(void **state)
{
	struct one many[66];

	(void)state;
	for (size_t i = 0; i < LEN(many); i++) {
		many[i] = (struct one){ (uint8_t)(50 + i), false, "", 0 };
	}
	assert_null(extension_read(list_of(many, 64), &e));
	assert_non_null(extension_read(list_of(many, 65), &e));
}

static void
a_list_that_is_cut_or_goes_on_is_refused(void **state)
{
	static const struct one good[] = { ONE(19, true, "\x30\x06\x01\x01\xFF\x02\x01\x03"),
		ONE(15, true, "\x03\x02\x01\x06"), ONE(17, false, "\x30\x03\x82\x01x") };
	struct bytes list = list_of(good, LEN(good));
	struct bytes first = { list.at, list_of(good, 1).len };
	struct bytes second = { list.at, list_of(good, 2).len };
	uint8_t longer[256];

	(void)state;
	list = list_of(good, LEN(good));
	assert_null(extension_read(list, &e));
	for (size_t len = 1; len < list.len; len++) {
		CLAIM((extension_read((struct bytes){ list.at, len }, &e) == NULL)
			== (len == first.len || len == second.len), "%zu bytes", len);
	}
	memcpy(longer, list.at, list.len);
	for (unsigned byte = 0; byte < 256; byte++) {
		longer[list.len] = (uint8_t)byte;
		CLAIM(extension_read((struct bytes){ longer, list.len + 1 }, &e) != NULL, "%u", byte);
	}
}

static void
certificates_of_openssl_are_read(void **state)
{
	static const struct { struct bytes der; bool is_ca, has_critical; } some[] = {
		{ { chain_root, sizeof chain_root }, true, false },
		{ { chain_leaf, sizeof chain_leaf }, false, false },
		{ { chain_critical, sizeof chain_critical }, false, true },
		{ { client_signed, sizeof client_signed }, false, false },
		{ { chain_rsa_root, sizeof chain_rsa_root }, true, false },
	};

	(void)state;
	for (size_t i = 0; i < LEN(some); i++) {
		struct x509_cert cert;

		CLAIM(x509_read(some[i].der, &cert) == NULL, "%zu", i);
		CLAIM(extension_read(cert.extensions.list, &e) == NULL, "%zu", i);
		CLAIM(e.basic.is_ca == some[i].is_ca && e.basic.is_ca == cert.extensions.is_ca, "%zu", i);
		CLAIM(e.basic.has_unknown == some[i].has_critical, "%zu", i);
		CLAIM(e.subject_key_id.len == 20, "%zu", i);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(no_extensions_say_nothing),
		TEST(basic_constraints_are_read),
		TEST(a_path_length_without_a_ca_is_wrong),
		TEST(key_usage_is_read_bit_by_bit),
		TEST(purposes_are_read),
		TEST(key_identifiers_are_read),
		TEST(names_are_kept_as_they_are),
		TEST(unknown_ones_are_noted),
		TEST(what_is_broken_is_refused_with_a_reason),
		TEST(an_extension_comes_only_once),
		TEST(there_is_an_end_to_extensions),
		TEST(a_list_that_is_cut_or_goes_on_is_refused),
		TEST(certificates_of_openssl_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
