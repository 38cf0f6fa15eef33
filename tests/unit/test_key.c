/* SPDX-License-Identifier: MIT */
/*
 * Keys: those that OpenSSL wrote are taken over in every standard form, and sign what BearSSL
 * verifies; what is damaged, of another kind or dangerous is refused with a reason, and read
 * no further than it goes.
 */
#include "unit.h"

#include "key.h"

#include "tests/data/keys.h"

#define BYTES(array) ((struct bytes)BYTES_IN(array))
#define BYTES_IN(array) { (array), sizeof(array) }

static struct key key, other;
static const char *why;

/* A copy in memory of exactly that size, so that reading beyond it is noticed. */
static uint8_t *
copy_of(struct bytes b)
{
	uint8_t *copy = malloc(b.len > 0 ? b.len : 1);

	assert_non_null(copy);
	if (b.len > 0) {
		memcpy(copy, b.at, b.len);
	}
	return copy;
}

static bool
is_wiped(const struct key *k)
{
	static const struct key none;

	return memcmp(k, &none, sizeof none) == 0;
}

/* Import a copy that is gone afterwards. What is refused has a reason, and leaves no key. */
static int
import(struct bytes der)
{
	uint8_t *copy = copy_of(der);
	int err;

	memset(&key, 0x5A, sizeof key);
	why = "unset";
	err = key_import(&key, (struct bytes){ copy, der.len }, &why);
	free(copy);
	if (err == CUB_OK) {
		CLAIM(why == NULL, "%s", why);
	} else {
		CLAIM(err == CUB_E_BAD && why != NULL && strlen(why) > 10, "%d", err);
		CLAIM(is_wiped(&key), "%s", why);
	}
	return err;
}

static struct key_public
public_key(struct bytes spki)
{
	struct key_public public;
	const char *refused = key_read_public(spki, &public);

	CLAIM(refused == NULL, "%s", refused);
	return public;
}

/* Does it sign what the public key verifies? */
static bool
is_signing(const struct key *k, const struct key_public *public)
{
	br_x509_pkey pkey = key_for_bearssl(public);
	uint8_t signature[KEY_SIGNATURE_MAX], hash[32], found[32];
	size_t len;

	for (unsigned i = 0; i < sizeof hash; i++) {
		hash[i] = (uint8_t)sim_random();
	}
	len = key_sign(k, hash, signature);
	CLAIM(len > 0 && len <= KEY_SIGNATURE_MAX, "%u", (unsigned)len);
	if (pkey.key_type == BR_KEYTYPE_EC) {
		return br_ecdsa_i31_vrfy_asn1(&br_ec_all_m31, hash, 32, &pkey.key.ec, signature, len) == 1;
	}
	return br_rsa_i31_pkcs1_vrfy(signature, len, BR_HASH_OID_SHA256, 32, &pkey.key.rsa, found) == 1
		&& memcmp(found, hash, 32) == 0;
}

#define FORM(private, public, kind) { #private, BYTES_IN(private), BYTES_IN(public), kind }

static const struct form {
	const char *name;
	struct bytes private, public;
	const char *kind;
} forms[] = {
	FORM(key_p256, key_p256_public, "P-256"),
	FORM(key_p256_sec1, key_p256_public, "P-256"),
#if CONFIG_CUBFTPD_P384
	FORM(key_p384, key_p384_public, "P-384"),
	FORM(key_p384_sec1, key_p384_public, "P-384"),
#endif
#if CONFIG_CUBFTPD_RSA
	FORM(key_rsa2048, key_rsa2048_public, "RSA 2048"),
	FORM(key_rsa2048_pkcs1, key_rsa2048_public, "RSA 2048"),
	FORM(key_rsa2049_e3, key_rsa2049_e3_public, "RSA 2049"),
	FORM(key_rsa4096, key_rsa4096_public, "RSA 4096"),
#endif
};

static void
keys_are_imported_in_every_standard_form_and_sign(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		const struct form *f = &forms[i];
		struct key_public public = public_key(f->public);

		CLAIM(import(f->private) == CUB_OK, "%s: %s", f->name, why);
		CLAIM(key.type == public.type, "%s", f->name);
		CLAIM(key_fits(&key, &public), "%s", f->name);
		CLAIM(is_signing(&key, &public), "%s", f->name);
	}
}

static void
a_public_half_is_written_as_openssl_writes_it(void **state)
{
	static uint8_t buffer[700];
	struct der d;

	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		assert_int_equal(import(forms[i].private), CUB_OK);
		der_start(&d, buffer, sizeof buffer);
		key_put_public(&d, &key);
		CLAIM(!d.cut && bytes_equal((struct bytes){ d.at, (size_t)(d.end - d.at) },
			forms[i].public), "%s", forms[i].name);
		der_start(&d, buffer, forms[i].public.len - 1);
		key_put_public(&d, &key);
		CLAIM(d.cut, "%s", forms[i].name);
	}
}

static void
the_kind_of_a_key_can_be_shown(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		struct key_public public = public_key(forms[i].public);
		char text[20];
		struct out o = OUT(text);

		key_put_kind(&o, &public);
		CLAIM(SAYS(&o, forms[i].kind), "%s", forms[i].kind);
	}
}

static void
the_algorithm_of_signatures_is_named_as_the_rfcs_want_it(void **state)
{
	/* RFC 5758 section 3.2 and RFC 4055 section 5. */
	static const uint8_t ecdsa[] = { 0x30, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2 };
	static const uint8_t rsa[] = { 0x30, 13, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11,
		5, 0 };
	uint8_t buffer[20];
	struct der d;

	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		assert_int_equal(import(forms[i].private), CUB_OK);
		der_start(&d, buffer, sizeof buffer);
		key_put_algorithm(&d, &key);
		CLAIM(bytes_equal((struct bytes){ d.at, (size_t)(d.end - d.at) },
			key.type == BR_KEYTYPE_EC ? BYTES(ecdsa) : BYTES(rsa)), "%s", forms[i].name);
	}
}

static void
a_key_fits_only_its_own_public_half(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		assert_int_equal(import(forms[i].private), CUB_OK);
		for (size_t j = 0; j < LEN(forms); j++) {
			struct key_public public = public_key(forms[j].public);
			bool is_same = bytes_equal(forms[i].public, forms[j].public);

			CLAIM(key_fits(&key, &public) == is_same, "%s %s", forms[i].name, forms[j].name);
		}
	}
	memset(&key, 0, sizeof key);
	assert_false(key_fits(&key, &(struct key_public){ .type = 0 }));
}

static void
the_public_exponent_belongs_to_a_key(void **state)
{
	static const uint8_t three[] = { 3 };
	struct key_public public;

	(void)state;
	if (!CONFIG_CUBFTPD_RSA) {
		skip();
	}
	assert_int_equal(import(BYTES(key_rsa2048)), CUB_OK);
	public = public_key(BYTES(key_rsa2048_public));
	public.e = BYTES(three);
	assert_false(key_fits(&key, &public));
}

/* The packed form, taken apart by its description. */
static void
what_is_packed_is_what_the_description_says(void **state)
{
	struct der_in all, d;
	struct bytes scalar;
	size_t at = 1;

	(void)state;
	assert_int_equal(import(BYTES(key_p256)), CUB_OK);
	assert_int_equal(key.packed_len, 33);
	assert_int_equal(key.packed[0], 23);
	all = der_open(BYTES(key_p256_sec1));
	d = der_enter(&all, DER_SEQUENCE);
	(void)der_take_number(&d, 1);
	scalar = der_take(&d, DER_OCTET_STRING);
	assert_int_equal(scalar.len, 32);
	assert_memory_equal(key.packed + 1, scalar.at, 32);
	if (!CONFIG_CUBFTPD_RSA) {
		return;
	}
	assert_int_equal(import(BYTES(key_rsa2048)), CUB_OK);
	all = der_open(BYTES(key_rsa2048_pkcs1));
	d = der_enter(&all, DER_SEQUENCE);
	assert_int_equal(key.packed[0], 0);
	for (unsigned i = 0; i < 9; i++) {
		/* version, n, e, d, p, q, dp, dq, iq */
		struct bytes part = der_take_unsigned(&d);

		if (i >= 4) {
			assert_int_equal(key.packed[at] | key.packed[at + 1] << 8, part.len);
			assert_memory_equal(key.packed + at + 2, part.at, part.len);
			at += 2 + part.len;
		}
	}
	assert_true(der_is_done(&d));
	assert_int_equal(key.packed_len, at + 5);
	assert_memory_equal(key.packed + at, "\x03\x00\x01\x00\x01", 5);
}

/* Unpack these bytes into `other`. */
static int
unpack(const uint8_t *packed, size_t len)
{
	int err;

	memset(&other, 0x5A, sizeof other);
	memcpy(other.packed, packed, len < sizeof other.packed ? len : sizeof other.packed);
	other.packed_len = (uint16_t)len;
	err = key_unpack(&other);
	if (err != CUB_OK) {
		CLAIM(err == CUB_E_CORRUPT && is_wiped(&other), "%d", err);
	}
	return err;
}

static void
what_was_packed_is_usable_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		struct key_public public = public_key(forms[i].public);

		assert_int_equal(import(forms[i].private), CUB_OK);
		CLAIM(unpack(key.packed, key.packed_len) == CUB_OK, "%s", forms[i].name);
		memset(&key, 0, sizeof key);
		CLAIM(key_fits(&other, &public) && is_signing(&other, &public), "%s", forms[i].name);
	}
}

static void
what_is_packed_wrongly_is_damage(void **state)
{
	uint8_t packed[KEY_PACKED_MAX + 1];
	size_t len;

	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		assert_int_equal(import(forms[i].private), CUB_OK);
		len = key.packed_len;
		memset(packed, 1, sizeof packed);
		memcpy(packed, key.packed, len);
		for (size_t n = 0; n < sizeof packed; n++) {
			CLAIM(n == len || unpack(packed, n) == CUB_E_CORRUPT, "%u bytes", (unsigned)n);
		}
		CLAIM(unpack(packed, UINT16_MAX) == CUB_E_CORRUPT, "%s", forms[i].name);
		for (unsigned type = 0; type < 256; type++) {
			packed[0] = (uint8_t)type;
			CLAIM((unpack(packed, len) == CUB_OK) == (type == key.packed[0]), "%u", type);
		}
		packed[0] = key.packed[0];
		/* Lengths of parts, and what a part begins with. */
		for (size_t at = 1; key.type == BR_KEYTYPE_RSA && at < len;) {
			size_t part = (size_t)(packed[at] | packed[at + 1] << 8);

			for (unsigned bit = 0; bit < 16; bit++) {
				packed[at + bit / 8] ^= (uint8_t)(1u << bit % 8);
				CLAIM(unpack(packed, len) == CUB_E_CORRUPT, "bit %u at %u", bit, (unsigned)at);
				packed[at + bit / 8] ^= (uint8_t)(1u << bit % 8);
			}
			packed[at + 2] = 0;
			CLAIM(unpack(packed, len) == CUB_E_CORRUPT, "%u", (unsigned)at);
			packed[at + 2] = key.packed[at + 2];
			at += 2 + part;
		}
	}
}

static void
any_bytes_at_all_can_be_unpacked_without_harm(void **state)
{
	uint8_t packed[KEY_PACKED_MAX];

	(void)state;
	for (uint32_t round = 0; round < claim_rounds(2000); round++) {
		size_t len = sim_random_below(sizeof packed + 1);

		for (size_t i = 0; i < len; i++) {
			packed[i] = sim_random_below(4) == 0 ? (uint8_t)sim_random() : (uint8_t)(i % 3 == 1);
		}
		packed[0] = sim_random_below(2) == 0 ? 23 : 0;
		(void)unpack(packed, len);
	}
}

static void
each_key_that_is_made_is_another_and_a_good_one(void **state)
{
	static uint8_t buffer[128];
	struct key_public public;
	struct der d;

	(void)state;
	memset(&other, 0, sizeof other);
	for (unsigned i = 0; i < 10; i++) {
		memset(&key, 0x5A, sizeof key);
		key_make(&key);
		der_start(&d, buffer, sizeof buffer);
		key_put_public(&d, &key);
		public = public_key((struct bytes){ d.at, (size_t)(d.end - d.at) });
		assert_int_equal(key.type, BR_KEYTYPE_EC);
		assert_true(key_fits(&key, &public) && is_signing(&key, &public));
		assert_false(key_fits(&other, &public));
		assert_int_equal(unpack(key.packed, key.packed_len), CUB_OK);
	}
}

#define REFUSED(array, words) { #array, BYTES_IN(array), words }

static void
a_key_that_can_not_be_used_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *name;
		struct bytes der;
		const char *words;
	} row[] = {
#if !CONFIG_CUBFTPD_P384
		REFUSED(key_p384, "not P-256"), REFUSED(key_p384_sec1, "not P-256"),
#endif
		REFUSED(key_secp256k1, "not P-256"), REFUSED(key_p256_explicit, "not P-256"),
		REFUSED(key_ed25519, "Ed25519"), REFUSED(key_x25519, "Ed25519"),
		REFUSED(key_dsa, "DSA"), REFUSED(key_rsa_pss, "only P-256"),
		REFUSED(key_p256_encrypted, "encrypted"), REFUSED(key_p256_public, "no private key"),
		REFUSED(cert_leaf, "no private key"),
#if CONFIG_CUBFTPD_RSA
		REFUSED(key_rsa512, "2048 to 4096"), REFUSED(key_rsa1024, "2048 to 4096"),
		REFUSED(key_rsa8192, "2048 to 4096"), REFUSED(key_rsa_primes, "more than two primes"),
		REFUSED(key_rsa_large_e, "public exponent"),
#else
		REFUSED(key_rsa2048, "only P-256"), REFUSED(key_rsa2048_pkcs1, "only P-256"),
#endif
		{ "nothing", { NULL, 0 }, "no private key" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(row); i++) {
		CLAIM(import(row[i].der) == CUB_E_BAD, "%s", row[i].name);
		CLAIM(strstr(why, row[i].words) != NULL, "%s: %s", row[i].name, why);
	}
}

static void
a_public_key_that_can_not_be_used_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *name;
		struct bytes der;
		const char *words;
	} row[] = {
		REFUSED(key_secp256k1_public, "curve is not P-256"),
		REFUSED(key_p256_public_explicit, "curve is not P-256"),
		REFUSED(key_p256_compressed, "compressed"),
		REFUSED(key_ed25519_public, "Ed25519"), REFUSED(key_dsa_public, "DSA"),
		REFUSED(key_rsa_pss_public, "only P-256"),
		REFUSED(key_p256, "not well-formed"), REFUSED(cert_leaf, "not well-formed"),
#if CONFIG_CUBFTPD_RSA
		REFUSED(key_rsa512_public, "2048 to 4096"), REFUSED(key_rsa1024_public, "2048 to 4096"),
		REFUSED(key_rsa8192_public, "2048 to 4096"),
		REFUSED(key_rsa_large_e_public, "public exponent"),
#endif
#if !CONFIG_CUBFTPD_P384
		REFUSED(key_p384_public, "curve is not P-256"),
#endif
		{ "nothing", { NULL, 0 }, "not well-formed" },
	};

	(void)state;
	for (size_t i = 0; i < LEN(row); i++) {
		static const struct key_public none;
		struct key_public public;
		const char *said;

		memset(&public, 0, sizeof public);
		public.type = 7;
		said = key_read_public(row[i].der, &public);
		CLAIM(said != NULL && strstr(said, row[i].words) != NULL, "%s: %s", row[i].name,
			said == NULL ? "taken" : said);
		CLAIM(memcmp(&public, &none, sizeof none) == 0, "%s", row[i].name);
	}
}

static void
p384_is_for_keys_where_it_is_built_in(void **state)
{
#if CONFIG_CUBFTPD_P384
	struct key_public public = public_key(BYTES(key_p384_public));
	static uint8_t buffer[128];
	struct der_in all, d;
	struct bytes scalar;
	struct der out;

	assert_int_equal(public.curve, BR_EC_secp384r1);
	assert_int_equal(public.point.len, 97);
	assert_int_equal(import(BYTES(key_p384)), CUB_OK);
	assert_int_equal(key.packed_len, 49);
	assert_int_equal(key.packed[0], 24);
	all = der_open(BYTES(key_p384_sec1));
	d = der_enter(&all, DER_SEQUENCE);
	(void)der_take_number(&d, 1);
	scalar = der_take(&d, DER_OCTET_STRING);
	assert_int_equal(scalar.len, 48);
	assert_memory_equal(key.packed + 1, scalar.at, 48);
	memset(&other, 0x5A, sizeof other);
	key_make_p384(&other);
	assert_true(other.packed_len == 49 && other.packed[0] == 24);
	assert_memory_not_equal(other.packed, key.packed, 49);
	der_start(&out, buffer, sizeof buffer);
	key_put_public(&out, &other);
	assert_false(key_fits(&other, &public));
	public = public_key((struct bytes){ out.at, (size_t)(out.end - out.at) });
	assert_true(key_fits(&other, &public) && is_signing(&other, &public));
	assert_true(unpack(other.packed, 33) == CUB_E_CORRUPT);
#else
	uint8_t packed[49] = { 24, 1 };

	assert_true(unpack(packed, KEY_PACKED_MAX < 49 ? KEY_PACKED_MAX : 49) == CUB_E_CORRUPT);
#endif
	(void)state;
}

/* A point that is on no curve would tell bits of the other side's secrets. */
static void
a_point_that_is_not_on_its_curve_is_refused(void **state)
{
	static const struct bytes spki[] = { BYTES_IN(key_p256_public), BYTES_IN(key_p384_public) };

	(void)state;
	for (unsigned i = 0; i < 1 + CONFIG_CUBFTPD_P384; i++) {
		uint8_t *copy = copy_of(spki[i]);
		size_t point_at = spki[i].len - (i == 0 ? 65 : 97);
		struct key_public public;

		for (size_t at = point_at; at < spki[i].len; at++) {
			unsigned mask = 1u << sim_random_below(8);

			copy[at] ^= (uint8_t)mask;
			CLAIM(key_read_public((struct bytes){ copy, spki[i].len }, &public) != NULL,
				"byte %u", (unsigned)at);
			copy[at] ^= (uint8_t)mask;
		}
		memset(copy + point_at + 1, 0, spki[i].len - point_at - 1);
		assert_non_null(key_read_public((struct bytes){ copy, spki[i].len }, &public));
		free(copy);
	}
}

/* A SubjectPublicKeyInfo with this within its bit string, of the kind of another. */
static const char *
refusal_of(struct bytes like, struct bytes bits)
{
	static uint8_t buffer[1200];
	struct der_in all = der_open(like);
	struct der_in in = der_enter(&all, DER_SEQUENCE);
	struct bytes algorithm = der_take_whole(&in, DER_SEQUENCE);
	struct key_public public;
	struct der d;

	der_start(&d, buffer, sizeof buffer);
	der_put(&d, bits.at, bits.len);
	der_put(&d, "", 1);
	der_wrap(&d, DER_BIT_STRING, d.end);
	der_put(&d, algorithm.at, algorithm.len);
	der_wrap(&d, DER_SEQUENCE, d.end);
	assert_false(d.cut);
	return key_read_public((struct bytes){ d.at, (size_t)(d.end - d.at) }, &public);
}

static const char *
refusal_of_rsa(struct bytes n, struct bytes e)
{
	uint8_t buffer[600];
	struct der d;

	der_start(&d, buffer, sizeof buffer);
	der_unsigned(&d, e.at, e.len);
	der_unsigned(&d, n.at, n.len);
	der_wrap(&d, DER_SEQUENCE, d.end);
	return refusal_of(BYTES(key_rsa2048_public), (struct bytes){ d.at, (size_t)(d.end - d.at) });
}

static void
a_public_key_without_contents_is_refused(void **state)
{
	static const uint8_t spki_without_bits[] = { 0x30, 0 };
	static const uint8_t point[98] = { 4 };
	struct key_public public;

	(void)state;
	assert_non_null(key_read_public(BYTES(spki_without_bits), &public));
	for (size_t len = 0; len <= sizeof point; len++) {
		CLAIM(refusal_of(BYTES(key_p256_public), (struct bytes){ point, len }) != NULL, "%u bytes",
			(unsigned)len);
	}
	assert_non_null(refusal_of(BYTES(key_rsa2048_public), (struct bytes){ point, 0 }));
}

static void
rsa_public_keys_have_2048_to_4096_bits_and_are_odd(void **state)
{
	static const struct {
		struct bytes e;
		bool is_good;
	} exponent[] = {
		{ { (const uint8_t *)"\x01", 1 }, false }, { { (const uint8_t *)"\x02", 1 }, false },
		{ { (const uint8_t *)"\x03", 1 }, true }, { { (const uint8_t *)"\x11", 1 }, true },
		{ { (const uint8_t *)"\x01\x00\x00", 3 }, false },
		{ { (const uint8_t *)"\x01\x00\x01", 3 }, true },
		{ { (const uint8_t *)"\xFF\xFF\xFF\xFF", 4 }, true },
		{ { (const uint8_t *)"\x01\x00\x00\x00\x01", 5 }, false },
		{ { (const uint8_t *)"", 0 }, false },
	};
	uint8_t n[513];

	(void)state;
	if (!CONFIG_CUBFTPD_RSA) {
		skip();
	}
	memset(n, 0xFF, sizeof n);
	for (size_t i = 0; i < LEN(exponent); i++) {
		CLAIM((refusal_of_rsa((struct bytes){ n, 256 }, exponent[i].e) == NULL)
			== exponent[i].is_good, "exponent %u", (unsigned)i);
	}
	for (size_t len = 1; len <= sizeof n; len++) {
		const char *refused;

		n[0] = 0x80;
		refused = refusal_of_rsa((struct bytes){ n, len }, exponent[2].e);
		CLAIM((refused == NULL) == (len >= 256 && len <= 512), "%u bytes", (unsigned)len);
		n[0] = 0x7F;
		refused = refusal_of_rsa((struct bytes){ n, len }, exponent[2].e);
		CLAIM((refused == NULL) == (len > 256 && len <= 512), "%u bytes less a bit", (unsigned)len);
	}
	n[255] = 0xFE;
	n[0] = 0xFF;
	assert_non_null(refusal_of_rsa((struct bytes){ n, 256 }, exponent[2].e));
}

/* What is damaged is refused, or it is in a place that does not matter: the key is the same. */
static void
import_damaged(struct bytes der, const struct key_public *public, const char *name, size_t at)
{
	if (import(der) == CUB_OK) {
		CLAIM(key_fits(&key, public), "%s, byte %u", name, (unsigned)at);
	}
}

static void
a_key_that_is_cut_short_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		for (size_t len = 0; len < forms[i].private.len; len++) {
			CLAIM(import((struct bytes){ forms[i].private.at, len }) == CUB_E_BAD, "%s, %u bytes",
				forms[i].name, (unsigned)len);
		}
	}
}

static void
a_public_key_that_is_cut_short_is_refused(void **state)
{
	struct key_public public;

	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		for (size_t len = 0; len < forms[i].public.len; len++) {
			uint8_t *copy = copy_of((struct bytes){ forms[i].public.at, len });
			bool is_refused = key_read_public((struct bytes){ copy, len }, &public) != NULL;

			free(copy);
			CLAIM(is_refused, "%s, %u bytes", forms[i].name, (unsigned)len);
		}
	}
}

static void
something_behind_a_key_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		static uint8_t longer[3000];

		memcpy(longer, forms[i].private.at, forms[i].private.len);
		CLAIM(import((struct bytes){ longer, forms[i].private.len + 1 }) == CUB_E_BAD, "%s",
			forms[i].name);
	}
}

static void
no_damage_of_a_byte_gives_another_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3 && i < LEN(forms); i++) {
		struct bytes der = forms[i].private;
		struct key_public public = public_key(forms[i].public);
		uint32_t step = claim_rounds(100) == 100 ? 1 : 37;
		uint8_t *copy = copy_of(der);

		for (size_t at = 0; at < der.len; at += step) {
			copy[at] ^= (uint8_t)(1u << sim_random_below(8));
			import_damaged((struct bytes){ copy, der.len }, &public, forms[i].name, at);
			copy[at] = der.at[at];
		}
		free(copy);
	}
}

/* A length that reaches far beyond the end, over each byte in turn: also over those of lengths. */
static void
no_length_leads_out_of_a_key(void **state)
{
	static const struct bytes lengths[] = {
		{ (const uint8_t *)"\x7F", 1 }, { (const uint8_t *)"\x80", 1 },
		{ (const uint8_t *)"\x81\xFF", 2 }, { (const uint8_t *)"\x82\xFF\xFF", 3 },
		{ (const uint8_t *)"\x84\xFF\xFF\xFF\xFF", 5 }, { (const uint8_t *)"\xFF", 1 },
		{ (const uint8_t *)"\x84\x7F\xFF\xFF\xFF", 5 }, { (const uint8_t *)"\x00", 1 },
	};

	(void)state;
	for (size_t i = 0; i < 3 && i < LEN(forms); i++) {
		struct bytes der = forms[i].private;
		struct key_public public = public_key(forms[i].public);
		/* What the numbers of an RSA key hold is of no interest here. */
		size_t step = (i < 2 ? 1 : 13) * (getenv("TEST_SHORT") != NULL ? 5u : 1u);
		uint8_t *copy = copy_of(der);

		for (size_t at = 0; at < der.len; at += at < 40 ? 1 : step) {
			for (size_t n = 0; n < LEN(lengths); n++) {
				size_t len = lengths[n].len < der.len - at ? lengths[n].len : der.len - at;

				memcpy(copy + at, lengths[n].at, len);
				import_damaged((struct bytes){ copy, der.len }, &public, forms[i].name, at);
				memcpy(copy + at, der.at + at, len);
			}
		}
		free(copy);
	}
}

/* Keys built from parts */

static uint8_t built[4096];

static struct bytes
build_ec(struct bytes scalar, struct bytes curve, struct bytes point)
{
	struct der d;

	der_start(&d, built, sizeof built);
	if (point.len > 0) {
		der_put(&d, point.at, point.len);
		der_put(&d, "", 1);
		der_wrap(&d, DER_BIT_STRING, d.end);
		der_wrap(&d, DER_CONSTRUCTED(1), d.end);
	}
	if (curve.len > 0) {
		const uint8_t *until = d.at;

		der_put(&d, curve.at, curve.len);
		der_wrap(&d, DER_CONSTRUCTED(0), until);
	}
	der_element(&d, DER_OCTET_STRING, scalar.at, scalar.len);
	der_element(&d, DER_INTEGER, "\1", 1);
	der_wrap(&d, DER_SEQUENCE, d.end);
	assert_false(d.cut);
	return (struct bytes){ d.at, (size_t)(d.end - d.at) };
}

static const uint8_t p256[] = { 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7 };
static const uint8_t p384[] = { 6, 5, 0x2B, 0x81, 4, 0, 34 };
static const struct bytes none = { NULL, 0 };

/* PKCS#8 of a P-256 key around it. */
static struct bytes
wrap_ec(struct bytes inner, unsigned version, const char *attributes, size_t attributes_len)
{
	static uint8_t wrapped[4096];
	const uint8_t *until;
	struct der d;

	der_start(&d, wrapped, sizeof wrapped);
	der_put(&d, attributes, attributes_len);
	der_element(&d, DER_OCTET_STRING, inner.at, inner.len);
	until = d.at;
	der_put(&d, p256, sizeof p256);
	der_element(&d, DER_OID, "\x2A\x86\x48\xCE\x3D\x02\x01", 7);
	der_wrap(&d, DER_SEQUENCE, until);
	der_element(&d, DER_INTEGER, &version, 1);
	der_wrap(&d, DER_SEQUENCE, d.end);
	return (struct bytes){ d.at, (size_t)(d.end - d.at) };
}

/* The order of P-256: the first number that is too large. */
static const uint8_t order[32] = {
	0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
	0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63,
	0x25, 0x51,
};

static void
a_scalar_is_from_1_to_the_order_less_1(void **state)
{
	uint8_t scalar[33] = { 0 };

	(void)state;
	assert_int_equal(import(build_ec((struct bytes){ scalar, 32 }, BYTES(p256), none)), CUB_E_BAD);
	assert_non_null(strstr(why, "range"));
	assert_int_equal(import(build_ec(BYTES(order), BYTES(p256), none)), CUB_E_BAD);
	assert_non_null(strstr(why, "range"));
	memset(scalar, 0xFF, sizeof scalar);
	assert_int_equal(import(build_ec((struct bytes){ scalar, 32 }, BYTES(p256), none)), CUB_E_BAD);
	memcpy(scalar, order, 32);
	for (int bit = 0; bit < 256; bit++) {
		/* Wherever the order has a 1, less without it; wherever it has a 0, more with it. */
		bool is_less = (order[bit / 8] >> bit % 8 & 1) != 0;

		scalar[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CLAIM(import(build_ec((struct bytes){ scalar, 32 }, BYTES(p256), none))
			== (is_less ? CUB_OK : CUB_E_BAD), "bit %d", bit);
		scalar[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	memset(scalar, 0, sizeof scalar);
	scalar[31] = 1;
	assert_int_equal(import(build_ec((struct bytes){ scalar, 32 }, BYTES(p256), none)), CUB_OK);
}

#if CONFIG_CUBFTPD_P384
static void
a_scalar_of_p384_likewise(void **state)
{
	uint8_t scalar[49];
	size_t len;
	const uint8_t *order_of_p384 = br_ec_prime_i31.order(BR_EC_secp384r1, &len);

	(void)state;
	assert_int_equal(len, 48);
	memcpy(scalar, order_of_p384, len);
	assert_int_equal(import(build_ec((struct bytes){ scalar, 48 }, BYTES(p384), none)), CUB_E_BAD);
	assert_non_null(strstr(why, "range"));
	scalar[47]--;
	assert_int_equal(import(build_ec((struct bytes){ scalar, 48 }, BYTES(p384), none)), CUB_OK);
	assert_int_equal(import(build_ec((struct bytes){ scalar, 49 }, BYTES(p384), none)), CUB_E_BAD);
	memset(scalar, 0, sizeof scalar);
	assert_int_equal(import(build_ec((struct bytes){ scalar, 48 }, BYTES(p384), none)), CUB_E_BAD);
	assert_non_null(strstr(why, "range"));
}
#endif

static void
a_scalar_has_32_bytes_or_lost_the_zeros_before_it(void **state)
{
	uint8_t scalar[64] = { 0 }, expected[33] = { 23 };

	(void)state;
	memset(scalar, 7, sizeof scalar);
	for (size_t len = 0; len <= sizeof scalar; len++) {
		int err = import(build_ec((struct bytes){ scalar, len }, BYTES(p256), none));

		CLAIM(err == (len >= 1 && len <= 32 ? CUB_OK : CUB_E_BAD), "%u bytes", (unsigned)len);
		if (err == CUB_OK) {
			memset(expected + 33 - len, 7, len);
			CLAIM(key.packed_len == 33 && memcmp(key.packed, expected, 33) == 0, "%u bytes",
				(unsigned)len);
		}
	}
}

/* As GnuTLS 3.7 writes it into SEC 1 where its first bit is set. */
static void
a_zero_before_a_scalar_is_left_out(void **state)
{
	uint8_t scalar[34] = { 0 };

	(void)state;
	memset(scalar + 1, 0x87, 32);
	assert_int_equal(import(build_ec((struct bytes){ scalar, 33 }, BYTES(p256), none)), CUB_OK);
	assert_int_equal(key.packed_len, 33);
	assert_memory_equal(key.packed + 1, scalar + 1, 32);
	memset(scalar + 1, 0x87, 33);
	assert_int_equal(import(build_ec((struct bytes){ scalar, 34 }, BYTES(p256), none)), CUB_E_BAD);
	assert_int_equal(import(build_ec((struct bytes){ scalar, 1 }, BYTES(p256), none)), CUB_E_BAD);
}

static void
an_ec_key_says_its_curve_or_its_envelope_does(void **state)
{
	struct bytes one = { order, 31 };

	(void)state;
	assert_int_equal(import(build_ec(one, BYTES(p256), none)), CUB_OK);
	assert_int_equal(import(build_ec(one, none, none)), CUB_E_BAD);
	assert_non_null(strstr(why, "curve"));
	assert_int_equal(import(build_ec(one, BYTES(p384), none)),
		CONFIG_CUBFTPD_P384 ? CUB_OK : CUB_E_BAD);
	assert_int_equal(import(wrap_ec(build_ec(one, none, none), 0, "", 0)), CUB_OK);
	assert_int_equal(import(wrap_ec(build_ec(one, BYTES(p256), none), 0, "", 0)), CUB_OK);
	assert_int_equal(import(wrap_ec(build_ec(one, BYTES(p384), none), 0, "", 0)), CUB_E_BAD);
	assert_int_equal(import(wrap_ec(BYTES(key_rsa2048_pkcs1), 0, "", 0)), CUB_E_BAD);
}

static void
attributes_and_a_public_key_of_pkcs8_are_tolerated(void **state)
{
	struct bytes sec1 = BYTES(key_p256_sec1);

	(void)state;
	assert_int_equal(import(wrap_ec(sec1, 0, "\xA0\x02\x05\x00", 4)), CUB_OK);
	assert_int_equal(import(wrap_ec(sec1, 1, "\x81\x02\x00\x04", 4)), CUB_OK);
	assert_int_equal(import(wrap_ec(sec1, 1, "\xA0\x00\x81\x02\x00\x04", 6)), CUB_OK);
	assert_int_equal(import(wrap_ec(sec1, 1, "\x81\x02\x00\x04\xA0\x00", 6)), CUB_E_BAD);
	assert_int_equal(import(wrap_ec(sec1, 0, "\x05\x00", 2)), CUB_E_BAD);
	assert_int_equal(import(wrap_ec(sec1, 2, "", 0)), CUB_E_BAD);
	/* Not in one another. */
	assert_int_equal(import(wrap_ec(BYTES(key_p256), 0, "", 0)), CUB_E_BAD);
}

static void
a_public_key_within_a_private_one_has_to_fit(void **state)
{
	struct key_public public = public_key(BYTES(key_p256_public));
	struct bytes one = { order, 31 };

	(void)state;
	assert_int_equal(import(build_ec(one, BYTES(p256), public.point)), CUB_E_BAD);
	assert_non_null(strstr(why, "do not fit"));
}

/* The numbers of an RSA key, from n on, and the DER of such numbers. */
enum { N, E, D, P, Q, DP, DQ, IQ, NUMBERS };

static void
take_numbers(struct bytes pkcs1, struct bytes number[NUMBERS])
{
	struct der_in all = der_open(pkcs1);
	struct der_in d = der_enter(&all, DER_SEQUENCE);

	(void)der_take_number(&d, 0);
	for (unsigned i = 0; i < NUMBERS; i++) {
		number[i] = der_take_unsigned(&d);
	}
	assert_true(der_is_done(&d));
}

static struct bytes
build_rsa(const struct bytes number[NUMBERS])
{
	struct der d;

	der_start(&d, built, sizeof built);
	for (unsigned i = NUMBERS; i-- > 0;) {
		der_unsigned(&d, number[i].at, number[i].len);
	}
	der_element(&d, DER_INTEGER, "", 1);
	der_wrap(&d, DER_SEQUENCE, d.end);
	assert_false(d.cut);
	return (struct bytes){ d.at, (size_t)(d.end - d.at) };
}

static void
each_number_of_an_rsa_key_has_to_fit_the_others(void **state)
{
	struct bytes number[NUMBERS], was;
	uint8_t changed[600];

	(void)state;
	if (!CONFIG_CUBFTPD_RSA) {
		skip();
	}
	take_numbers(BYTES(key_rsa2048_pkcs1), number);
	assert_int_equal(import(build_rsa(number)), CUB_OK);
	for (unsigned i = 0; i < NUMBERS; i++) {
		was = number[i];
		number[i] = (struct bytes){ changed, was.len };
		for (unsigned mask = 1; mask <= 4; mask <<= 1) {
			memcpy(changed, was.at, was.len);
			changed[was.len - 1] ^= (uint8_t)mask;
			/* The private exponent itself is used by nobody. */
			CLAIM((import(build_rsa(number)) == CUB_OK) == (i == D), "number %u: %s", i, why);
		}
		for (size_t len = 0; len <= sizeof changed; len += len < 4 ? 1 : 19) {
			memset(changed, 0xFF, sizeof changed);
			number[i].len = len;
			CLAIM((import(build_rsa(number)) == CUB_OK) == (i == D), "number %u: %s", i, why);
		}
		number[i] = was;
	}
}

/* All of them at once, to be more than a key has room for. */
static void
numbers_that_are_far_too_long_are_not_copied(void **state)
{
	static const uint8_t ones[800] = { 1 };
	struct bytes number[NUMBERS];

	(void)state;
	if (!CONFIG_CUBFTPD_RSA) {
		skip();
	}
	take_numbers(BYTES(key_rsa2048_pkcs1), number);
	number[P] = number[Q] = number[DP] = number[DQ] = BYTES(ones);
	assert_int_equal(import(build_rsa(number)), CUB_E_BAD);
}

static void
primes_are_of_about_the_same_size(void **state)
{
	struct bytes number[NUMBERS], p;
	uint8_t n[512], one[1] = { 1 };

	(void)state;
	if (!CONFIG_CUBFTPD_RSA) {
		skip();
	}
	take_numbers(BYTES(key_rsa2048_pkcs1), number);
	number[P] = number[N];
	number[Q] = BYTES(one);
	assert_int_equal(import(build_rsa(number)), CUB_E_BAD);
	assert_non_null(strstr(why, "same size"));
	/* 2^2040 + 1 times a 64-bit number: the number itself, twice, is the product. */
	take_numbers(BYTES(key_rsa2048_pkcs1), number);
	memset(n, 0, sizeof n);
	n[0] = 1;
	n[255] = 1;
	p = (struct bytes){ n, 256 };
	number[P] = p;
	number[Q].len = 8;
	assert_int_equal(import(build_rsa(number)), CUB_E_BAD);
	assert_non_null(strstr(why, "same size"));
}

/* The other order of the primes is a key as well; only its coefficient is another. */
static void
a_coefficient_of_the_other_prime_is_refused(void **state)
{
	struct bytes number[NUMBERS], p, dp;

	(void)state;
	if (!CONFIG_CUBFTPD_RSA) {
		skip();
	}
	take_numbers(BYTES(key_rsa2048_pkcs1), number);
	p = number[P];
	dp = number[DP];
	number[P] = number[Q];
	number[DP] = number[DQ];
	number[Q] = p;
	number[DQ] = dp;
	assert_int_equal(import(build_rsa(number)), CUB_E_BAD);
	assert_non_null(strstr(why, "do not fit"));
}

/* A key, its public half, and the AlgorithmIdentifier of what it signs. */
static const struct {
	struct bytes private, public, algorithm;
} signers[] = {
#define ALGORITHM(string) { (const uint8_t *)(string), sizeof(string) - 1 }
	{ BYTES_IN(key_p256), BYTES_IN(key_p256_public),
		ALGORITHM("\x30\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02") },
#if CONFIG_CUBFTPD_RSA
	{ BYTES_IN(key_rsa2048), BYTES_IN(key_rsa2048_public),
		ALGORITHM("\x30\x0D\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0B\x05\x00") },
#endif
};

static int
check(size_t signer, size_t algorithm, struct bytes data, struct bytes signature)
{
	struct key_public public = public_key(signers[signer].public);
	br_x509_pkey pkey = key_for_bearssl(&public);

	return key_check(&pkey, signers[algorithm].algorithm, data, signature);
}

static void
a_signature_is_good_for_its_key_its_algorithm_and_its_data_alone(void **state)
{
	const struct bytes data = BYTES(key_p256), others = BYTES(key_p256_public);

	(void)state;
	for (size_t i = 0; i < LEN(signers); i++) {
		uint8_t made[KEY_SIGNATURE_MAX], hash[32];
		br_sha256_context sha;
		struct bytes signature = { made, 0 };

		br_sha256_init(&sha);
		br_sha256_update(&sha, data.at, data.len);
		br_sha256_out(&sha, hash);
		assert_int_equal(import(signers[i].private), CUB_OK);
		signature.len = key_sign(&key, hash, made);
		assert_int_equal(check(i, i, data, signature), CUB_OK);
		assert_int_equal(check(i, i, others, signature), CUB_E_DENIED);
		for (size_t k = 0; k < LEN(signers); k++) {
			if (k != i) {
				/* The key of another kind, by the name of either algorithm. */
				assert_int_equal(check(k, i, data, signature), CUB_E_DENIED);
				assert_int_equal(check(i, k, data, signature), CUB_E_DENIED);
			}
		}
		for (size_t at = 0; at < signature.len; at += getenv("TEST_SHORT") ? 41 : 5) {
			made[at] ^= 0x10;
			CLAIM(check(i, i, data, signature) == CUB_E_DENIED, "no. %zu, byte %zu", i, at);
			made[at] ^= 0x10;
		}
		for (size_t len = 0; len < signature.len; len += getenv("TEST_SHORT") ? 43 : 7) {
			CLAIM(check(i, i, data, (struct bytes){ made, len }) == CUB_E_DENIED, "%zu", len);
		}
	}
}

static void
an_algorithm_that_is_not_known_is_told_apart(void **state)
{
	uint8_t algorithm[15];
	struct key_public public = public_key(BYTES(key_p256_public));
	br_x509_pkey pkey = key_for_bearssl(&public);

	(void)state;
	for (size_t i = 0; i < LEN(signers); i++) {
		struct bytes good = signers[i].algorithm;

		for (size_t at = 0; at < good.len; at++) {
			/* The byte of the hash becomes that of SHA-224 or SHA-1, say. */
			memcpy(algorithm, good.at, good.len);
			algorithm[at] = (uint8_t)(algorithm[at] - 1);
			CLAIM(key_check(&pkey, (struct bytes){ algorithm, good.len }, good, good)
				== CUB_E_BAD, "no. %zu, byte %zu", i, at);
		}
		for (size_t len = 0; len < good.len; len++) {
			CLAIM(key_check(&pkey, (struct bytes){ good.at, len }, good, good) == CUB_E_BAD,
				"no. %zu, %zu bytes", i, len);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_signature_is_good_for_its_key_its_algorithm_and_its_data_alone),
		TEST(an_algorithm_that_is_not_known_is_told_apart),
		TEST(keys_are_imported_in_every_standard_form_and_sign),
		TEST(a_public_half_is_written_as_openssl_writes_it),
		TEST(the_kind_of_a_key_can_be_shown),
		TEST(the_algorithm_of_signatures_is_named_as_the_rfcs_want_it),
		TEST(a_key_fits_only_its_own_public_half),
		TEST(the_public_exponent_belongs_to_a_key),
		TEST(what_is_packed_is_what_the_description_says),
		TEST(what_was_packed_is_usable_again),
		TEST(what_is_packed_wrongly_is_damage),
		TEST(any_bytes_at_all_can_be_unpacked_without_harm),
		TEST(each_key_that_is_made_is_another_and_a_good_one),
		TEST(a_key_that_can_not_be_used_is_refused_with_the_reason),
		TEST(a_public_key_that_can_not_be_used_is_refused_with_the_reason),
		TEST(p384_is_for_keys_where_it_is_built_in),
		TEST(a_point_that_is_not_on_its_curve_is_refused),
		TEST(a_public_key_without_contents_is_refused),
		TEST(rsa_public_keys_have_2048_to_4096_bits_and_are_odd),
		TEST(a_key_that_is_cut_short_is_refused),
		TEST(a_public_key_that_is_cut_short_is_refused),
		TEST(something_behind_a_key_is_refused),
		TEST(no_damage_of_a_byte_gives_another_key),
		TEST(no_length_leads_out_of_a_key),
		TEST(a_scalar_is_from_1_to_the_order_less_1),
#if CONFIG_CUBFTPD_P384
		TEST(a_scalar_of_p384_likewise),
#endif
		TEST(a_scalar_has_32_bytes_or_lost_the_zeros_before_it),
		TEST(a_zero_before_a_scalar_is_left_out),
		TEST(an_ec_key_says_its_curve_or_its_envelope_does),
		TEST(attributes_and_a_public_key_of_pkcs8_are_tolerated),
		TEST(a_public_key_within_a_private_one_has_to_fit),
		TEST(each_number_of_an_rsa_key_has_to_fit_the_others),
		TEST(numbers_that_are_far_too_long_are_not_copied),
		TEST(primes_are_of_about_the_same_size),
		TEST(a_coefficient_of_the_other_prime_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
