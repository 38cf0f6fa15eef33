/* SPDX-License-Identifier: MIT */
/*
 * Certificate requests. Good ones come from OpenSSL and GnuTLS; then each of their bytes and bits
 * is wrong once. What these programs do not write is put together here and signed, so that
 * nothing else is wrong with it.
 */
#include "host.h"

#include "csr.h"
#include "san.h"
#include "signature.h"

#include "tests/data/keys.h"
#include "tests/data/requests.h"

static struct csr csr;
static struct key key;

static const struct good {
	struct bytes der;
	const char *subject;
	const char *kind;
	const char *names;
} good[] = {
#define DER(name) { request_##name, sizeof request_##name }
	{ DER(ec), "CN=router-17", "P-256", "DNS:router-17.example,IP:192.0.2.17,IP:2001:db8::17" },
	{ DER(rsa), "C=DE, ST=Bayern, L=M\xC3\xBCnchen, O=Acme, OU=Field, OU=South, CN=router-18, "
		"serialNumber=4711", "RSA 2048", "" },
	{ DER(p384), "CN=router-19, emailAddress=tech@acme.example", "P-384", "" },
	{ DER(sha512), "CN=router-20", "RSA 2048", "" },
	{ DER(ec_certtool), "CN=router-21", "P-256", "DNS:router-21,IP:192.0.2.21" },
	{ DER(rsa_certtool), "C=DE, O=Acme, CN=router-22", "RSA 2048", "" },
};

static int
setup(void **state)
{
	const char *why;

	(void)state;
	assert_int_equal(key_import(&key, BYTES(key_p256), &why), CUB_OK);
	return 0;
}

static void
requests_of_openssl_and_gnutls_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(good); i++) {
		char text[512];
		struct out o = OUT(text);
		const char *why = csr_read(good[i].der, &csr);

		CLAIM(why == NULL, "%zu: %s", i, why);
		CLAIM(csr.is_signed, "%zu", i);
		x509_put_name(&o, csr.subject, sizeof text);
		CLAIM(SAYS(&o, good[i].subject), "%zu: %s", i, out_finish(&o));
		o = OUT(text);
		key_put_kind(&o, &csr.key);
		CLAIM(SAYS(&o, good[i].kind), "%zu: %s", i, out_finish(&o));
		o = OUT(text);
		san_put(&o, csr.asked.names);
		CLAIM(SAYS(&o, good[i].names), "%zu: %s", i, out_finish(&o));
	}
	assert_null(csr_read(BYTES(request_ec), &csr));
	assert_int_equal(csr.asked.basic.usage, X509_USAGE_SIGN);
	assert_int_equal(csr.asked.basic.purposes, X509_FOR_SERVERS);
}

static void
other_algorithms_and_keys_are_refused_by_name(void **state)
{
	static const struct { struct bytes der; const char *part; bool has_key; } bad[] = {
		{ DER(sha1), "SHA-1", true }, { DER(rsa_sha1), "SHA-1", true }, { DER(md5), "MD5", true },
		{ DER(sha224), "SHA-224", true }, { DER(pss), "PSS", true },
		{ DER(rsa1024), "2048 to 4096", false }, { DER(p521), "P-256", false },
		{ DER(ed25519), "Ed25519", false },
	};

	(void)state;
	for (size_t i = 0; i < LEN(bad); i++) {
		const char *why = csr_read(bad[i].der, &csr);

		CLAIM(why != NULL && strstr(why, bad[i].part) != NULL, "%s: %s", bad[i].part, why);
		CLAIM(!csr.is_signed && (csr.key.type != 0) == bad[i].has_key, "%s", bad[i].part);
		CLAIM(csr.subject.len > 0 && csr.public_key.len > 0, "%s", bad[i].part);
	}
}

static uint8_t wrong[4096];

/* It is refused, with a reason, and reads within its bounds (which sanitizers watch). */
static void
refuse(struct bytes der, size_t request, size_t at, unsigned how)
{
	uint8_t *copy = malloc(der.len > 0 ? der.len : 1);
	const char *why;

	assert_non_null(copy);
	memcpy(copy, der.at, der.len);
	why = csr_read((struct bytes){ copy, der.len }, &csr);
	CLAIM(why != NULL && why[0] != '\0', "request %zu, byte %zu, change %u", request, at, how);
	free(copy);
}

static void
a_request_that_is_cut_short_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(good); i++) {
		for (size_t len = 0; len < good[i].der.len; len++) {
			refuse((struct bytes){ good[i].der.at, len }, i, len, 0);
		}
	}
}

static void
a_request_with_something_behind_it_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(good); i++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			memcpy(wrong, good[i].der.at, good[i].der.len);
			wrong[good[i].der.len] = (uint8_t)byte;
			refuse((struct bytes){ wrong, good[i].der.len + 1 }, i, good[i].der.len, byte);
		}
	}
}

/* There is no bit that may be flipped: all that is not signed itself has one form only. */
static void
every_bit_counts(void **state)
{
	size_t step = getenv("TEST_SHORT") != NULL ? 101 : 1;

	(void)state;
	for (size_t i = 0; i < LEN(good); i++) {
		for (size_t bit = 0; bit < 8 * good[i].der.len; bit += step) {
			memcpy(wrong, good[i].der.at, good[i].der.len);
			wrong[bit / 8] ^= (uint8_t)(1u << bit % 8);
			refuse((struct bytes){ wrong, good[i].der.len }, i, bit / 8, bit % 8);
		}
	}
}

/* Where an element ends; `at` becomes its contents. */
static size_t
look_at_element(const uint8_t *der, size_t *at)
{
	size_t len = der[*at + 1], count = 0;

	if (len >= 0x80) {
		count = len & 0x7F;
		len = 0;
		for (size_t i = 0; i < count; i++) {
			len = len << 8 | der[*at + 2 + i];
		}
	}
	*at += 2 + count;
	return *at + len;
}

/* Other lengths for the element at `at`, whose contents begin at `inside`. */
static void
refuse_lengths(size_t request, size_t at, size_t inside, size_t end)
{
	static const struct { const char *bytes; size_t len; } lengths[] = {
		{ "\x80", 1 }, { "\xFF", 1 }, { "\x84\xFF\xFF\xFF\xFF", 5 }, { "\x84\x7F\xFF\xFF\xFF", 5 },
		{ "\x88\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9 }, { "\x85\x01\x00\x00\x00\x00", 6 },
		{ "\x82\xFF\xFF", 3 }, { "\x81\x00", 2 }, { "\x83\x00\x00\x10", 4 },
	};
	struct bytes der = good[request].der;
	size_t len = end - inside;
	/* The right length, in more bytes than it takes. */
	uint8_t longer[] = { 0x84, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
		(uint8_t)len };

	for (size_t i = 0; i <= LEN(lengths); i++) {
		const void *bytes = i < LEN(lengths) ? lengths[i].bytes : (const char *)longer;
		size_t bytes_len = i < LEN(lengths) ? lengths[i].len : sizeof longer;

		memcpy(wrong, der.at, at + 1);
		memcpy(wrong + at + 1, bytes, bytes_len);
		memcpy(wrong + at + 1 + bytes_len, der.at + inside, der.len - inside);
		refuse((struct bytes){ wrong, at + 1 + bytes_len + der.len - inside }, request, at,
			(unsigned)i);
	}
	/* The indefinite length, with the end that it wants. */
	memcpy(wrong, der.at, at + 1);
	wrong[at + 1] = 0x80;
	memcpy(wrong + at + 2, der.at + inside, len);
	memset(wrong + at + 2 + len, 0, 2);
	memcpy(wrong + at + 4 + len, der.at + end, der.len - end);
	refuse((struct bytes){ wrong, at + 4 + der.len - inside }, request, at, 100);
}

static void
walk(size_t request, size_t at, size_t end)
{
	while (at < end) {
		size_t inside = at;
		size_t next = look_at_element(good[request].der.at, &inside);

		refuse_lengths(request, at, inside, next);
		if ((good[request].der.at[at] & 0x20) != 0) {
			walk(request, inside, next);
		}
		at = next;
	}
}

static void
every_length_has_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(good); i++) {
		walk(i, 0, good[i].der.len);
	}
}

static void
a_signature_of_another_request_is_refused(void **state)
{
	size_t len = sizeof request_ec, other = sizeof request_ec_certtool;

	(void)state;
	/* Both end with a signature of P-256; 64 bytes of it are enough to be another one. */
	memcpy(wrong, request_ec, len);
	memcpy(wrong + len - 30, request_ec_certtool + other - 30, 30);
	assert_string_equal(csr_read((struct bytes){ wrong, len }, &csr), "its signature is broken");
	assert_false(csr.is_signed);
}

/* A request with its signature written in another form. */
static const char *
read_signed(const struct signature *s, const uint8_t *value, size_t len)
{
	static const uint8_t ecdsa_sha256[] = { 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2 };
	const uint8_t *until;
	struct der d;

	der_start(&d, wrong, sizeof wrong);
	der_put(&d, value, len);
	der_put(&d, "", 1);
	der_wrap(&d, DER_BIT_STRING, d.end);
	until = d.at;
	der_element(&d, DER_OID, ecdsa_sha256, sizeof ecdsa_sha256);
	der_wrap(&d, DER_SEQUENCE, until);
	der_put(&d, s->content.at, s->content.len);
	der_wrap(&d, DER_SEQUENCE, d.end);
	return csr_read((struct bytes){ d.at, (size_t)(d.end - d.at) }, &csr);
}

static void
a_signature_has_one_form(void **state)
{
	static const char broken[] = "its signature is broken";
	struct signature s;
	uint8_t value[80];
	size_t len;

	(void)state;
	assert_true(signature_open(BYTES(request_ec), &s));
	len = s.value.len;
	assert_null(read_signed(&s, s.value.at, len));
	/* a zero before the first number */
	memcpy(value, s.value.at, 4);
	value[1]++;
	value[3]++;
	value[4] = 0;
	memcpy(value + 5, s.value.at + 4, len - 4);
	assert_string_equal(read_signed(&s, value, len + 1), broken);
	/* a longer length */
	value[0] = 0x30;
	value[1] = 0x81;
	memcpy(value + 2, s.value.at + 1, len - 1);
	assert_string_equal(read_signed(&s, value, len + 1), broken);
	/* a byte behind it, and one within it */
	memcpy(value, s.value.at, len);
	value[len] = 0;
	assert_string_equal(read_signed(&s, value, len + 1), broken);
	value[1]++;
	assert_string_equal(read_signed(&s, value, len + 1), broken);
	assert_string_equal(read_signed(&s, value, 0), broken);
}

/* ---- requests that are put together here ---- */

#define PIECE(literal) ((struct bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

#define CN "\x31\x0A\x30\x08\x06\x03\x55\x04\x03\x0C\x01x"
#define NAME_X "\x30\x0C" CN

/* "router" and all that belongs to it, in place of what is null. */
static const char *
read_made(const char *version, struct bytes name, struct bytes spki, struct bytes attributes)
{
	static uint8_t made[8192];
	struct der d;
	int len;

	der_start(&d, made, sizeof made);
	der_put(&d, attributes.at, attributes.len);
	der_put(&d, spki.at, spki.len);
	der_put(&d, name.at, name.len);
	der_put(&d, version, 3);
	der_wrap(&d, DER_SEQUENCE, d.end);
	len = x509_sign(made, sizeof made, &d, &key);
	assert_true(len > 0);
	return csr_read((struct bytes){ made, (size_t)len }, &csr);
}

static const char *
read_with(struct bytes attributes)
{
	return read_made("\x02\x01\x00", PIECE(NAME_X), BYTES(key_p256_public), attributes);
}

static void
what_is_put_together_here_is_good(void **state)
{
	(void)state;
	assert_null(read_with(PIECE("\xA0\x00")));
	assert_true(csr.is_signed);
}

static void
attributes_may_be_left_out(void **state)
{
	(void)state;
	assert_null(read_with(PIECE("")));
	assert_int_equal(csr.asked.names.len, 0);
}

static void
another_version_is_refused(void **state)
{
	static const char *const versions[] = { "\x02\x01\x01", "\x02\x01\x80", "\x02\x01\xFF",
		"\x0A\x01\x00", "\x04\x01\x00" };

	(void)state;
	for (size_t i = 0; i < LEN(versions); i++) {
		CLAIM(read_made(versions[i], PIECE(NAME_X), BYTES(key_p256_public), PIECE("\xA0\x00"))
			!= NULL, "%zu", i);
	}
}

static void
a_signature_by_another_key_is_refused(void **state)
{
	(void)state;
	assert_string_equal(read_made("\x02\x01\x00", PIECE(NAME_X), BYTES(key_rsa2048_public),
		PIECE("\xA0\x00")), "its signature is of another kind than its key");
	assert_string_equal(read_made("\x02\x01\x00", PIECE(NAME_X), BYTES(key_p384_public),
		PIECE("\xA0\x00")), "its signature is broken");
	assert_false(csr.is_signed);
}

#define EXT_OID "\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x09\x0E"
#define SKI "\x30\x0A\x06\x03\x55\x1D\x0E\x04\x03\x04\x01\x11"

static void
the_list_of_extensions_comes_once(void **state)
{
	(void)state;
	assert_null(read_with(PIECE("\xA0\x1D\x30\x1B" EXT_OID "\x31\x0E\x30\x0C" SKI)));
	assert_int_equal(csr.asked.subject_key_id.len, 1);
	assert_string_equal(read_with(PIECE("\xA0\x3A\x30\x1B" EXT_OID "\x31\x0E\x30\x0C" SKI
		"\x30\x1B" EXT_OID "\x31\x0E\x30\x0C" SKI)), "it has more than one list of extensions");
	assert_string_equal(read_with(PIECE("\xA0\x2B\x30\x29" EXT_OID "\x31\x1C\x30\x0C" SKI
		"\x30\x0C" SKI)), "it has more than one list of extensions");
	assert_string_equal(read_with(PIECE("\xA0\x29\x30\x27" EXT_OID "\x31\x1A\x30\x18" SKI SKI)),
		"one of its extensions comes twice");
}

static void
broken_attributes_are_refused(void **state)
{
	static const struct bytes bad[] = {
		{ (const uint8_t *)"\xA1\x00", 2 }, { (const uint8_t *)"\xA0\x00\x00", 3 },
		{ (const uint8_t *)"\xA0\x00\xA0\x00", 4 }, { (const uint8_t *)"\x31\x00", 2 },
		{ (const uint8_t *)"\xA0\x01\x00", 3 }, { (const uint8_t *)"\xA0\x02\x30\x00", 4 },
		/* no values, a value that is cut, zeros behind it, a third part */
		{ (const uint8_t *)"\xA0\x07\x30\x05\x06\x01\x2A\x31\x00", 9 },
		{ (const uint8_t *)"\xA0\x08\x30\x06\x06\x01\x2A\x31\x01\x0C", 10 },
		{ (const uint8_t *)"\xA0\x0A\x30\x08\x06\x01\x2A\x31\x03\x05\x00\x00", 12 },
		{ (const uint8_t *)"\xA0\x0B\x30\x09\x06\x01\x2A\x31\x02\x05\x00\x05\x00", 13 },
	};

	(void)state;
	assert_null(read_with(PIECE("\xA0\x09\x30\x07\x06\x01\x2A\x31\x02\x05\x00")));
	assert_null(read_with(PIECE("\xA0\x0B\x30\x09\x06\x01\x2A\x31\x04\x05\x00\x05\x00")));
	for (size_t i = 0; i < LEN(bad); i++) {
		const char *why = read_with(bad[i]);

		CLAIM(why != NULL && why[0] != '\0', "%zu", i);
	}
	assert_non_null(read_with(PIECE("\xA0\x11\x30\x0F" EXT_OID "\x31\x02\x05\x00")));
	assert_non_null(read_with(PIECE("\xA0\x14\x30\x12" EXT_OID "\x31\x05\x30\x03\x30\x01\x00")));
}

static void
a_key_that_is_no_key_is_refused(void **state)
{
	uint8_t spki[sizeof key_p256_public];

	(void)state;
	memcpy(spki, key_p256_public, sizeof spki);
	spki[sizeof spki - 1] ^= 1;
	assert_string_equal(read_made("\x02\x01\x00", PIECE(NAME_X), BYTES(spki), PIECE("\xA0\x00")),
		"the key's point is not on its curve");
}

/* ---- names ---- */

struct part {
	unsigned attribute;   /* 2.5.4.n; 0: emailAddress */
	unsigned type;
	const char *value;
};

enum { UTF8 = DER_UTF8_STRING, PRINTABLE = 0x13, IA5 = 0x16, T61 = 0x14, BMP = 0x1E };

static const char *
check_name(const struct part *part, size_t count)
{
	static uint8_t buffer[4096];
	static const uint8_t email[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 1 };
	struct der d;

	der_start(&d, buffer, sizeof buffer);
	while (count-- > 0) {
		uint8_t oid[] = { 0x55, 4, (uint8_t)part[count].attribute };
		const uint8_t *until = d.at;

		der_element(&d, part[count].type, part[count].value, strlen(part[count].value));
		if (part[count].attribute == 0) {
			der_element(&d, DER_OID, email, sizeof email);
		} else {
			der_element(&d, DER_OID, oid, sizeof oid);
		}
		der_wrap(&d, DER_SEQUENCE, until);
		der_wrap(&d, DER_SET, until);
	}
	der_wrap(&d, DER_SEQUENCE, d.end);
	assert_false(d.cut);
	return csr_check_name((struct bytes){ d.at, (size_t)(d.end - d.at) });
}

/* A name of CN=x and another part. */
static const char *
check_part(unsigned attribute, unsigned type, const char *value)
{
	struct part parts[] = { { attribute, type, value }, { 3, UTF8, "x" } };

	return check_name(parts, attribute == 3 ? 1 : 2);
}

static const char *
repeat(const char *what, size_t times)
{
	static char text[1024];
	struct out o = OUT(text);

	while (times-- > 0) {
		out_string(&o, what);
	}
	return out_finish(&o);
}

static void
known_attributes_are_good(void **state)
{
	static const unsigned attributes[] = { 3, 5, 7, 8, 10, 11 };

	(void)state;
	for (size_t i = 0; i < LEN(attributes); i++) {
		CLAIM(check_part(attributes[i], UTF8, "M\xC3\xBCnchen, \"a\\b\" = c+d?") == NULL, "%u",
			attributes[i]);
		CLAIM(check_part(attributes[i], PRINTABLE, "Acme (South), it's 50:50?") == NULL, "%u",
			attributes[i]);
	}
	assert_null(check_part(6, PRINTABLE, "DE"));
	assert_null(check_part(0, IA5, "tech@acme.example"));
}

static void
other_attributes_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 1; i < 128; i++) {
		bool is_known = i == 3 || (i >= 5 && i <= 8) || i == 10 || i == 11;

		CLAIM((check_part(i, UTF8, "DE") == NULL) == is_known, "2.5.4.%u", i);
	}
}

static void
values_are_of_the_types_that_they_may_have(void **state)
{
	(void)state;
	for (unsigned type = 1; type < 0x1F; type++) {
		bool is_text = type == UTF8 || type == PRINTABLE;

		CLAIM((check_part(3, type, "x") == NULL) == is_text, "%u", type);
		CLAIM((check_part(0, type, "x@y") == NULL) == (type == IA5), "%u", type);
	}
}

static void
values_that_can_not_be_read_by_people_are_refused(void **state)
{
	static const struct part bad[] = {
		{ 3, UTF8, "" }, { 3, UTF8, "a\nb" }, { 3, UTF8, "a\x1B[31m" }, { 3, UTF8, "a\x7F" },
		{ 3, UTF8, "\xFF" }, { 3, UTF8, "\xC0\x80" }, { 3, UTF8, "\xC2\x85" },
		{ 3, UTF8, "\xED\xA0\x80" }, { 3, UTF8, "a\xE2\x80\xAE" "b" },
		{ 3, UTF8, "a\xE2\x80\x8B" "b" }, { 3, UTF8, "a\xE2\x80\x8F" "b" },
		{ 3, UTF8, "a\xE2\x80\xA8" "b" }, { 3, UTF8, "a\xE2\x81\xA6" "b" },
		{ 3, UTF8, "?\xE2\x81\xA6?" }, { 3, UTF8, "a\xC2\xAD" "b" }, { 3, UTF8, "a\xD8\x9C" "b" },
		{ 3, UTF8, "a\xEF\xBB\xBF" "b" }, { 3, UTF8, "a\xF3\xA0\x80\xA1" "b" },
		{ 3, UTF8, "\xE3\x85\xA4" }, { 3, PRINTABLE, "a@b" }, { 3, PRINTABLE, "a*b" },
		{ 3, PRINTABLE, "a_b" }, { 3, PRINTABLE, "M\xC3\xBCnchen" }, { 3, PRINTABLE, "a\nb" },
		{ 0, IA5, "a\xC3\xBC@b" }, { 0, IA5, "a\n@b" }, { 0, IA5, "" },
		{ 6, PRINTABLE, "D" }, { 6, PRINTABLE, "DEU" }, { 6, PRINTABLE, "D1" },
		{ 6, UTF8, "\xC3\x84" "A" }, { 6, UTF8, "\xC3\x84" }, { 6, PRINTABLE, "" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(bad); i++) {
		const char *why = check_part(bad[i].attribute, bad[i].type, bad[i].value);

		CLAIM(why != NULL && why[0] != '\0', "%zu: %s", i, bad[i].value);
	}
	assert_null(check_part(3, UTF8, "a\xE2\x80\x93" "b \xE2\x82\xAC"));  /* a dash, a euro */
}

static void
lengths_are_counted_in_characters(void **state)
{
	static const struct { unsigned attribute; size_t max; } limits[] = {
		{ 3, 64 }, { 5, 64 }, { 7, 128 }, { 8, 128 }, { 10, 64 }, { 11, 64 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(limits); i++) {
		unsigned attribute = limits[i].attribute;
		size_t max = limits[i].max;

		CLAIM(check_part(attribute, UTF8, repeat("a", max)) == NULL, "%u", attribute);
		CLAIM(check_part(attribute, UTF8, repeat("a", max + 1)) != NULL, "%u", attribute);
		CLAIM(check_part(attribute, UTF8, repeat("\xC3\xBC", max)) == NULL, "%u", attribute);
		CLAIM(check_part(attribute, UTF8, repeat("\xC3\xBC", max + 1)) != NULL, "%u", attribute);
	}
	assert_null(check_part(0, IA5, repeat("a", 255)));
	assert_non_null(check_part(0, IA5, repeat("a", 256)));
}

static void
an_attribute_comes_once_and_a_unit_four_times(void **state)
{
	static const struct part twice[] = { { 3, UTF8, "x" }, { 10, UTF8, "x" }, { 10, UTF8, "y" } };
	static const struct part units[] = { { 3, UTF8, "x" }, { 11, UTF8, "a" }, { 11, UTF8, "b" },
		{ 11, UTF8, "c" }, { 11, UTF8, "d" }, { 11, UTF8, "e" } };
	static const struct part names[] = { { 3, UTF8, "x" }, { 3, UTF8, "y" } };

	(void)state;
	assert_null(check_name(twice, 2));
	assert_non_null(check_name(twice, 3));
	assert_null(check_name(units, 5));
	assert_non_null(check_name(units, 6));
	assert_non_null(check_name(names, 2));
}

static void
a_name_has_a_common_name_and_at_most_eight_parts(void **state)
{
	static const struct part parts[] = { { 3, UTF8, "x" }, { 5, UTF8, "x" }, { 6, UTF8, "DE" },
		{ 7, UTF8, "x" }, { 8, UTF8, "x" }, { 10, UTF8, "x" }, { 11, UTF8, "x" }, { 0, IA5, "x" },
		{ 11, UTF8, "y" } };

	(void)state;
	assert_null(check_name(parts, 8));
	assert_string_equal(check_name(parts, 9), "its name has too many parts");
	assert_string_equal(check_name(parts + 1, 2), "its name has no common name (CN)");
	assert_string_equal(check_name(parts, 0), "its name is empty");
	assert_string_equal(csr_check_name(PIECE("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x03\x0C\x01x"
		"\x30\x08\x06\x03\x55\x04\x0A\x0C\x01y")),
		"its name has parts of more than one attribute");
}

static void
a_broken_name_is_refused(void **state)
{
	static const struct bytes bad[] = {
		{ (const uint8_t *)"", 0 }, { (const uint8_t *)"\x30\x01\x00", 3 },
		{ (const uint8_t *)"\x31\x00", 2 }, { (const uint8_t *)"\x30\x02\x31\x00", 4 },
		{ (const uint8_t *)NAME_X "\x00", 15 }, { (const uint8_t *)"\x30\x0D" CN "\x00", 15 },
		{ (const uint8_t *)"\x30\x0D\x31\x0B\x30\x08\x06\x03\x55\x04\x03\x0C\x01x\x00", 15 },
		{ (const uint8_t *)"\x30\x0E\x31\x0C\x30\x0A\x06\x03\x55\x04\x03\x0C\x01x\x05\x00", 16 },
		{ (const uint8_t *)"\x30\x0B\x31\x09\x30\x07\x06\x03\x55\x04\x03\x0C\x01", 13 },
	};

	(void)state;
	assert_null(csr_check_name(PIECE(NAME_X)));
	for (size_t i = 0; i < LEN(bad); i++) {
		const char *why = csr_check_name(bad[i]);

		CLAIM(why != NULL && why[0] != '\0', "%zu", i);
	}
}

static void
a_request_with_a_bad_name_is_refused(void **state)
{
	(void)state;
	assert_string_equal(read_made("\x02\x01\x00", PIECE("\x30\x00"), BYTES(key_p256_public),
		PIECE("\xA0\x00")), "its name is empty");
	assert_true(csr.is_signed);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(requests_of_openssl_and_gnutls_are_read),
		TEST(other_algorithms_and_keys_are_refused_by_name),
		TEST(a_request_that_is_cut_short_is_refused),
		TEST(a_request_with_something_behind_it_is_refused),
		TEST(every_bit_counts),
		TEST(every_length_has_one_form),
		TEST(a_signature_of_another_request_is_refused),
		TEST(a_signature_has_one_form),
		TEST(what_is_put_together_here_is_good),
		TEST(attributes_may_be_left_out),
		TEST(another_version_is_refused),
		TEST(a_signature_by_another_key_is_refused),
		TEST(the_list_of_extensions_comes_once),
		TEST(broken_attributes_are_refused),
		TEST(a_key_that_is_no_key_is_refused),
		TEST(known_attributes_are_good),
		TEST(other_attributes_are_refused),
		TEST(values_are_of_the_types_that_they_may_have),
		TEST(values_that_can_not_be_read_by_people_are_refused),
		TEST(lengths_are_counted_in_characters),
		TEST(an_attribute_comes_once_and_a_unit_four_times),
		TEST(a_name_has_a_common_name_and_at_most_eight_parts),
		TEST(a_broken_name_is_refused),
		TEST(a_request_with_a_bad_name_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
