/* SPDX-License-Identifier: MIT */
/*
 * Certificates. What the device writes is judged by others: by a small reader of DER for its
 * form, and by BearSSL's validation, with the certificate as its own authority, for its
 * signature and its names. (That OpenSSL and GnuTLS take it is for the live tests.)
 */
#include "unit.h"

#include "x509.h"

#include "tests/data/certificates.h"

/* 2030-01-01, and 2055-06-15 12:00:00: one for each of X.509's kinds of time. */
#define FROM  INT64_C(1893456000)
#define LATER INT64_C(2696846400)

static uint8_t der[2048];
static size_t der_len;

static br_ec_private_key key;
static uint8_t key_bytes[BR_EC_KBUF_PRIV_MAX_SIZE];

static void
make_key(void)
{
	br_hmac_drbg_context drbg;
	uint64_t seed = sim_random();

	br_hmac_drbg_init(&drbg, &br_sha256_vtable, &seed, sizeof seed);
	br_ec_keygen(&drbg.vtable, &br_ec_p256_m31, &key, key_bytes, BR_EC_secp256r1);
}

static void
make(struct text name, int64_t from_s)
{
	int len = x509_self_signed(der, sizeof der, &key, name, from_s);

	CLAIM(len > 0, "%d", len);
	der_len = (size_t)len;
}

static int
setup(void **state)
{
	unit_setup(state);
	make_key();
	return 0;
}

/* Elements within elements, each length in its shortest form, and nothing left over. */
static bool
is_sound_der(const uint8_t *at, size_t len)
{
	while (len > 0) {
		size_t header = 2, contents;

		if (len < 2) {
			return false;
		}
		contents = at[1];
		if (contents == 0x81 && len > 2 && at[2] >= 0x80) {
			header = 3;
			contents = at[2];
		} else if (contents == 0x82 && len > 3 && at[2] > 0) {
			header = 4;
			contents = (size_t)(at[2] << 8 | at[3]);
		} else if (contents >= 0x80) {
			return false;
		}
		if (contents > len - header
			|| ((at[0] & 0x20) != 0 && !is_sound_der(at + header, contents))) {
			return false;
		}
		at += header + contents;
		len -= header + contents;
	}
	return true;
}

static void
take_name(void *to, const void *bytes, size_t len)
{
	out_put(to, bytes, len);
}

/*
 * Validate the certificate with itself as the authority, for a server's name (or null). The
 * common name goes to `common`, and the DNS name to `dns`, of 128 bytes each. Returns 0 where
 * it is valid, or BearSSL's error.
 */
static unsigned
validate_for(const char *server, char *common, char *dns)
{
	static const unsigned char common_oid[] = { 3, 0x55, 0x04, 0x03 }, dns_oid[] = { 0, 2 };
	br_name_element names[] = {
		{ .oid = common_oid, .buf = common, .len = 128 }, { .oid = dns_oid, .buf = dns,
			.len = 128 },
	};
	br_x509_minimal_context minimal;
	br_x509_decoder_context decoder;
	br_x509_trust_anchor anchor = { .flags = BR_X509_TA_CA };
	char subject[512];
	struct out dn = OUT(subject);
	unsigned err;

	br_x509_decoder_init(&decoder, take_name, &dn);
	br_x509_decoder_push(&decoder, der, der_len);
	if (br_x509_decoder_get_pkey(&decoder) == NULL) {
		return BR_ERR_X509_UNEXPECTED;
	}
	anchor.dn = (br_x500_name){ (unsigned char *)subject, dn.len };
	anchor.pkey = *br_x509_decoder_get_pkey(&decoder);
	br_x509_minimal_init(&minimal, &br_sha256_vtable, &anchor, 1);
	br_x509_minimal_set_hash(&minimal, br_sha256_ID, &br_sha256_vtable);
	br_x509_minimal_set_ecdsa(&minimal, &br_ec_p256_m31, br_ecdsa_i31_vrfy_asn1);
	br_x509_minimal_set_time(&minimal, (uint32_t)(LATER / 86400) + 719528, 43200);
	br_x509_minimal_set_name_elements(&minimal, names, LEN(names));
	minimal.vtable->start_chain(&minimal.vtable, server);
	minimal.vtable->start_cert(&minimal.vtable, (uint32_t)der_len);
	minimal.vtable->append(&minimal.vtable, der, der_len);
	minimal.vtable->end_cert(&minimal.vtable);
	err = minimal.vtable->end_chain(&minimal.vtable);
	common[names[0].status == 1 ? 127 : 0] = '\0';
	dns[names[1].status == 1 ? 127 : 0] = '\0';
	return err;
}

static unsigned
validate(void)
{
	char common[128], dns[128];

	return validate_for(NULL, common, dns);
}

static void
what_is_written_is_der_and_signed_by_its_own_key(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < unit_rounds(40); round++) {
		make_key();
		make(TEXT("router-17"), round % 2 == 0 ? FROM : LATER);
		CLAIM(is_sound_der(der, der_len), "round %u", (unsigned)round);
		CLAIM(validate() == 0, "round %u: %u", (unsigned)round, validate());
	}
}

/* So that the test above is known to look at the signature. */
static void
a_change_of_any_byte_breaks_the_signature_or_the_form(void **state)
{
	(void)state;
	make(TEXT("router-17"), FROM);
	for (size_t at = 0; at < der_len; at++) {
		der[at] ^= 0x01;
		CLAIM(validate() != 0, "byte %zu", at);
		der[at] ^= 0x01;
	}
	assert_int_equal(validate(), 0);
}

static void
it_says_the_key_and_the_dates_that_it_was_made_for(void **state)
{
	uint8_t point[BR_EC_KBUF_PUB_MAX_SIZE];
	size_t point_len = br_ec_compute_pub(&br_ec_p256_m31, NULL, point, &key);
	const int64_t dates[] = { 0, FROM, LATER, INT64_C(2524607999), INT64_C(2524608000) };

	(void)state;
	for (size_t i = 0; i < LEN(dates); i++) {
		struct x509_info info;

		make(TEXT("a"), dates[i]);
		assert_int_equal(x509_look(der, der_len, &info), CUB_OK);
		assert_true(info.is_ec && info.curve == BR_EC_secp256r1);
		assert_int_equal(info.point_len, point_len);
		assert_memory_equal(info.point, point, point_len);
		assert_true(info.from_s == dates[i]);
		assert_true(info.until_s == X509_FOREVER);
	}
}

static bool
holds(const void *part, size_t len)
{
	for (size_t at = 0; at + len <= der_len; at++) {
		if (memcmp(der + at, part, len) == 0) {
			return true;
		}
	}
	return false;
}

/* Modern clients look at these: it is version 3, no CA, for signing as a TLS server. */
static void
it_is_for_a_server_and_no_authority(void **state)
{
	(void)state;
	make(TEXT("router-17"), FROM);
	assert_true(holds("\xA0\x03\x02\x01\x02", 5));
	assert_true(holds("\x06\x03\x55\x1D\x13\x01\x01\xFF\x04\x02\x30\x00", 12));
	assert_true(holds("\x06\x03\x55\x1D\x0F\x01\x01\xFF\x04\x04\x03\x02\x07\x80", 14));
	assert_true(holds("\x06\x03\x55\x1D\x25\x04\x0C\x30\x0A"
		"\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x01", 19));
	assert_true(holds("\x06\x03\x55\x1D\x0E\x04\x16\x04\x14", 9));
}

static void
serial_numbers_are_positive_long_and_never_the_same(void **state)
{
	uint8_t serials[20][17];

	(void)state;
	for (unsigned i = 0; i < LEN(serials); i++) {
		const uint8_t *at = der;

		make(TEXT("a"), FROM);
		/* SEQUENCE, SEQUENCE, [0] version, INTEGER of 17 bytes that begins with 1. */
		while (memcmp(at, "\xA0\x03\x02\x01\x02\x02\x11\x01", 8) != 0) {
			at++;
			assert_true(at < der + 20);
		}
		memcpy(serials[i], at + 7, 17);
		for (unsigned j = 0; j < i; j++) {
			CLAIM(memcmp(serials[i], serials[j], 17) != 0, "%u and %u", i, j);
		}
	}
}

static void
the_common_name_is_the_name_byte_for_byte(void **state)
{
	static const char *const names[] = {
		"a", "router-17", "Gl\xC3\xBC" "ck & S\xC3\xB6hne", "\xE2\x82\xAC\xF0\x9F\x94\x91",
		"a=b,c+d\"e\\f<g>", " x ", "*",
			"64 bytes: 0123456789012345678901234567890123456789012345678901",
		"abcdefghijklmnopqrstuvwxyz-0123456789.abcdefghijklmnopqrstuvwxyz",
	};

	(void)state;
	for (size_t i = 0; i < LEN(names); i++) {
		char common[128] = { 0 }, dns[128] = { 0 };

		make(text_of(names[i]), FROM);
		CLAIM(validate_for(NULL, common, dns) == 0, "%s", names[i]);
		CLAIM(strcmp(common, names[i]) == 0, "%s: %s", names[i], common);
		CLAIM(is_sound_der(der, der_len), "%s", names[i]);
	}
}

static void
a_name_that_can_be_one_is_also_a_dns_name(void **state)
{
	static const char *const names[] = {
		"a", "router-17", "Router.Example.COM", "1and1.example",
		"abcdefghijklmnopqrstuvwxyz-0123456789.abcdefghijklmnopqrstuvwxyz",
	};

	(void)state;
	for (size_t i = 0; i < LEN(names); i++) {
		char common[128] = { 0 }, dns[128] = { 0 };

		make(text_of(names[i]), FROM);
		CLAIM(validate_for(names[i], common, dns) == 0, "%s", names[i]);
		CLAIM(strcmp(dns, names[i]) == 0, "%s: %s", names[i], dns);
		CLAIM(validate_for("other.example", common, dns) == BR_ERR_X509_BAD_SERVER_NAME, "%s",
			names[i]);
	}
}

/* RFC 1123 section 2.1, RFC 1035 section 2.3.4: labels of 1 to 63 bytes, no "-" at their ends. */
static void
what_cannot_be_a_hosts_name_is_no_dns_name(void **state)
{
	static const char *const names[] = {
		"a b", "a_b", "\xC3\xA4", "-a", "a-", ".a", "a.", "*", "*.example", "a..b", "a-.b", "a.-b",
		"a123456789012345678901234567890123456789012345678901234567890123",
	};

	(void)state;
	for (size_t i = 0; i < LEN(names); i++) {
		make(text_of(names[i]), FROM);
		CLAIM(!holds("\x06\x03\x55\x1D\x11", 5), "%s", names[i]);
	}
}

static void
a_buffer_that_is_too_small_is_told_and_never_overrun(void **state)
{
	size_t whole;

	(void)state;
	make(TEXT("router-17"), FROM);
	whole = der_len;
	for (size_t cap = 0; cap <= whole + 1; cap++) {
		uint8_t *small = malloc(cap);  /* of exactly this size: the sanitizer watches */
		int len;

		sim_reset(sim_seed());  /* the same serial number, and so the same length */
		len = x509_self_signed(small, cap, &key, TEXT("router-17"), FROM);
		CLAIM(len == (cap < whole ? CUB_E_LIMIT : (int)whole), "a capacity of %zu: %d", cap, len);
		CLAIM(len < 0 || memcmp(small, der, whole) == 0, "a capacity of %zu", cap);
		free(small);
	}
}

static void
other_certificates_are_read_too(void **state)
{
	struct x509_info info;

	(void)state;
	assert_int_equal(x509_look(certificate_rsa, sizeof certificate_rsa, &info), CUB_OK);
	assert_false(info.is_ec);
	assert_true(info.from_s > 1700000000 && info.until_s - info.from_s == 3650 * 86400);
	assert_int_equal(x509_look(certificate_p384, sizeof certificate_p384, &info), CUB_OK);
	assert_true(info.is_ec && info.curve == BR_EC_secp384r1);
	assert_int_equal(info.point_len, 97);
	assert_int_equal(x509_look(certificate_ed25519, sizeof certificate_ed25519, &info), CUB_E_BAD);
}

static void
a_certificate_that_was_cut_anywhere_is_none(void **state)
{
	struct x509_info info;

	(void)state;
	make(TEXT("router-17"), FROM);
	for (size_t len = 0; len < der_len; len++) {
		uint8_t *part = malloc(len);

		memcpy(part, der, len);
		CLAIM(x509_look(part, len, &info) == CUB_E_BAD, "%zu bytes", len);
		free(part);
	}
	for (size_t len = 0; len < sizeof certificate_rsa; len++) {
		CLAIM(x509_look(certificate_rsa, len, &info) == CUB_E_BAD, "%zu bytes", len);
	}
}

/* The fingerprint is of all bytes, so all of them must be the certificate. */
static void
a_certificate_with_something_after_it_is_none(void **state)
{
	struct x509_info info;

	(void)state;
	make(TEXT("router-17"), FROM);
	der[der_len] = 0;
	assert_int_equal(x509_look(der, der_len + 1, &info), CUB_E_BAD);
	memcpy(der + der_len, der, 200);
	assert_int_equal(x509_look(der, der_len + 200, &info), CUB_E_BAD);
}

static void
no_change_of_a_certificate_breaks_the_reader(void **state)
{
	uint8_t good[sizeof der];

	(void)state;
	make(TEXT("router-17"), FROM);
	memcpy(good, der, der_len);
	for (uint32_t round = 0; round < unit_rounds(30000); round++) {
		struct x509_info info;

		der[sim_random_below((uint32_t)der_len)] = (uint8_t)sim_random();
		if (x509_look(der, der_len, &info) == CUB_OK) {
			CLAIM(info.point_len <= sizeof info.point, "round %u", (unsigned)round);
		}
		if (round % 3 == 0) {
			memcpy(der, good, der_len);
		}
	}
}

/* From openssl x509 -fingerprint -sha256 (SHA-256 of "abc" is in FIPS 180-2, appendix B.1). */
static void
a_fingerprint_is_sha_256_and_spelled_like_that_of_openssl(void **state)
{
	uint8_t fingerprint[32];
	char bytes[80];
	struct out o = OUT(bytes);

	(void)state;
	x509_fingerprint((const uint8_t *)"abc", 3, fingerprint);
	x509_put_fingerprint(&o, fingerprint);
	assert_true(SAYS(&o,
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_der_and_signed_by_its_own_key),
		TEST(a_change_of_any_byte_breaks_the_signature_or_the_form),
		TEST(it_says_the_key_and_the_dates_that_it_was_made_for),
		TEST(it_is_for_a_server_and_no_authority),
		TEST(serial_numbers_are_positive_long_and_never_the_same),
		TEST(the_common_name_is_the_name_byte_for_byte),
		TEST(a_name_that_can_be_one_is_also_a_dns_name),
		TEST(what_cannot_be_a_hosts_name_is_no_dns_name),
		TEST(a_buffer_that_is_too_small_is_told_and_never_overrun),
		TEST(other_certificates_are_read_too),
		TEST(a_certificate_that_was_cut_anywhere_is_none),
		TEST(a_certificate_with_something_after_it_is_none),
		TEST(no_change_of_a_certificate_breaks_the_reader),
		TEST(a_fingerprint_is_sha_256_and_spelled_like_that_of_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
