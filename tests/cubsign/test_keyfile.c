/* SPDX-License-Identifier: MIT */
/*
 * Key files: what OpenSSL wrote is read, what is written is what OpenSSL would have written;
 * what is damaged, cut short, open to others or encrypted in a way that is too strange is
 * refused with a reason, and gives no key, least of all another one.
 */
#include "host.h"

#include <unistd.h>

#include "disk.h"
#include "keyfile.h"
#include "pem.h"

#include "tests/data/keyfiles.h"

#define BYTES_IN(array) { (array), sizeof(array) }
#define PATH     "test.key"
#define VARIABLE "CUBSIGN_PASSPHRASE"

static const struct secret_source from = { NULL, VARIABLE, NULL };
static struct key key;
static char text[512];

static void
write_file(const void *at, size_t len, mode_t mode)
{
	FILE *f;

	(void)unlink(PATH);
	f = fopen(PATH, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(at, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(PATH, mode), 0);
}

static bool
is_wiped(const struct key *k)
{
	static const struct key none;

	return memcmp(k, &none, sizeof none) == 0;
}

/* Read PATH. What is refused has a reason, and leaves no key. */
static bool
read_back(void)
{
	struct out why = { .at = text, .cap = sizeof text - 1 };
	bool is_read;

	memset(&key, 0x5A, sizeof key);
	is_read = keyfile_read(&key, PATH, from, &why);
	text[why.len] = '\0';
	CLAIM(is_read || why.len > 10, "%s", text);
	CLAIM(is_read || is_wiped(&key), "%s", text);
	return is_read;
}

static bool
read_bytes(const void *at, size_t len)
{
	write_file(at, len, 0600);
	return read_back();
}

/* The key as it is packed, and whose it is. */
static bool
is_packed_as(const struct key *k, struct bytes plain)
{
	static uint8_t packed[KEY_PACKED_MAX];
	static struct key other;
	size_t len = k->packed_len;

	memcpy(packed, k->packed, len);
	if (!read_bytes(plain.at, plain.len)) {
		return false;
	}
	memcpy(&other, &key, sizeof other);  /* only looked at */
	return other.packed_len == len && memcmp(other.packed, packed, len) == 0;
}

#define FORM(file, plain, protection) { #file, BYTES_IN(file), BYTES_IN(plain), protection }

static const struct form {
	const char *name;
	struct bytes file, plain;
	const char *protection;
} forms[] = {
	FORM(file_p256, file_p256, "not encrypted"),
	FORM(file_p384, file_p384, "not encrypted"),
	FORM(file_rsa, file_rsa, "not encrypted"),
	FORM(file_aes256, file_p256, "PBES2, AES-256-CBC, 5 rounds of PBKDF2 with HMAC-SHA-256"),
	FORM(file_aes256_der, file_p256,
		"PBES2, AES-256-CBC, 5 rounds of PBKDF2 with HMAC-SHA-256"),
	FORM(file_aes192, file_p256, "PBES2, AES-192-CBC, 5 rounds of PBKDF2 with HMAC-SHA-384"),
	FORM(file_aes128, file_p256, "PBES2, AES-128-CBC, 5 rounds of PBKDF2 with HMAC-SHA-512"),
	FORM(file_sha224, file_p256, "PBES2, AES-128-CBC, 5 rounds of PBKDF2 with HMAC-SHA-224"),
	FORM(file_sha1, file_p256, "PBES2, AES-256-CBC, 5 rounds of PBKDF2 with HMAC-SHA-1"),
	FORM(file_des3, file_p256, "PBES2, DES-EDE3-CBC, 5 rounds of PBKDF2 with HMAC-SHA-256"),
	FORM(file_p384_aes256, file_p384,
		"PBES2, AES-256-CBC, 5 rounds of PBKDF2 with HMAC-SHA-256"),
	FORM(file_rsa_aes256, file_rsa,
		"PBES2, AES-256-CBC, 5 rounds of PBKDF2 with HMAC-SHA-256"),
	FORM(file_old_aes256, file_p256, "weakly, by PEM of old: AES-256-CBC, one round of MD5"),
	FORM(file_old_aes192, file_p256, "weakly, by PEM of old: AES-192-CBC, one round of MD5"),
	FORM(file_old_aes128, file_p256, "weakly, by PEM of old: AES-128-CBC, one round of MD5"),
	FORM(file_old_des3, file_p256, "weakly, by PEM of old: DES-EDE3-CBC, one round of MD5"),
	FORM(file_old_p384, file_p384, "weakly, by PEM of old: AES-256-CBC, one round of MD5"),
	FORM(file_old_rsa, file_rsa, "weakly, by PEM of old: AES-256-CBC, one round of MD5"),
};

static bool
is_encrypted(const struct form *f)
{
	return strcmp(f->protection, "not encrypted") != 0;
}

static void
each_key_that_openssl_wrote_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		CLAIM(read_bytes(forms[i].file.at, forms[i].file.len), "%s: %s", forms[i].name, text);
		CLAIM(is_packed_as(&key, forms[i].plain), "%s", forms[i].name);
	}
}

static void
it_is_told_how_a_key_is_protected(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		char said[128];
		struct out o = OUT(said);

		CLAIM(keyfile_put_protection(&o, forms[i].file), "%s", forms[i].name);
		CLAIM(SAYS(&o, forms[i].protection), "%s: %.*s", forms[i].name,
			(int)o.len, said);
	}
}

static void
what_is_no_key_has_no_protection(void **state)
{
	static const uint8_t request[] = { DER_SEQUENCE, 9, DER_SEQUENCE, 3, DER_INTEGER, 1, 0,
		DER_NULL, 0, DER_NULL, 0 };
	static const char no_key[] = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
	char said[128];
	struct out o = OUT(said);

	(void)state;
	assert_false(keyfile_put_protection(&o, BYTES(request)));
	assert_false(keyfile_put_protection(&o,
		(struct bytes){ (const uint8_t *)no_key, sizeof no_key - 1 }));
	assert_false(keyfile_put_protection(&o, (struct bytes){ (const uint8_t *)"", 0 }));
	assert_int_equal(o.len, 0);
}

static void
a_wrong_passphrase_is_refused(void **state)
{
	static const char *const wrong[] = { "correct hors", "correct horse ", "Correct horse", "x" };

	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		for (size_t k = 0; k < LEN(wrong); k++) {
			assert_int_equal(setenv(VARIABLE, wrong[k], 1), 0);
			if (is_encrypted(&forms[i])) {
				CLAIM(!read_bytes(forms[i].file.at, forms[i].file.len), "%s", forms[i].name);
				assert_string_equal(text, "the passphrase is wrong, or the key is damaged");
			}
		}
	}
}

static void
what_is_not_encrypted_needs_no_passphrase(void **state)
{
	(void)state;
	assert_int_equal(setenv(VARIABLE, "", 1), 0);
	assert_true(read_bytes(file_p256, sizeof file_p256));
	assert_false(read_bytes(file_aes256, sizeof file_aes256));
	assert_string_equal(text, VARIABLE ": it is empty");
}

static void
other_kinds_of_encryption_are_refused_with_the_way_out(void **state)
{
	static const struct bytes row[] = { BYTES_IN(file_scrypt), BYTES_IN(file_pbes1),
		BYTES_IN(file_camellia), BYTES_IN(file_old_camellia) };

	(void)state;
	/* Nobody is asked for a passphrase in vain. */
	assert_int_equal(unsetenv(VARIABLE), 0);
	for (size_t i = 0; i < LEN(row); i++) {
		CLAIM(!read_bytes(row[i].at, row[i].len), "%u", (unsigned)i);
		CLAIM(strstr(text, "openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW") != NULL,
			"%s", text);
	}
}

static void
an_encrypted_key_of_a_kind_that_is_of_no_use_is_called_so(void **state)
{
	(void)state;
	assert_false(read_bytes(file_ed25519_aes256, sizeof file_ed25519_aes256));
	assert_non_null(strstr(text, "Ed25519"));
}

/* The end of the last line may be missing, which changes nothing. */
static void
a_file_that_is_cut_short_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		size_t len = forms[i].file.len;

		len -= forms[i].file.at[len - 1] == '\n';
		for (size_t at = 0; at < len; at += len < claim_rounds(1000) ? 1 : 13) {
			CLAIM(!read_bytes(forms[i].file.at, at), "%s, %u bytes", forms[i].name,
				(unsigned)at);
		}
	}
}

/* Each bit of a file in DER; of the others a bit a byte, and not each byte of the long ones. */
static void
no_damage_of_a_bit_gives_another_key(void **state)
{
	static uint8_t damaged[8192];
	size_t more = claim_rounds(20) < 20 ? 41 : 1;

	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		const struct form *f = &forms[i];
		bool is_der = f->file.at[0] == DER_SEQUENCE;
		size_t step = is_der ? 1 : f->file.len > 1000 ? 8 * 11 + 1 : 9;

		memcpy(damaged, f->file.at, f->file.len);
		for (size_t bit = 0; bit < 8 * f->file.len; bit += more * step) {
			damaged[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (read_bytes(damaged, f->file.len)) {
				CLAIM(is_packed_as(&key, f->plain), "%s, bit %u", f->name, (unsigned)bit);
			}
			damaged[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void
a_key_that_others_can_use_is_refused(void **state)
{
	static const mode_t modes[] = { 0640, 0620, 0604, 0610, 0601, 0644, 0666 };

	(void)state;
	for (size_t i = 0; i < LEN(modes); i++) {
		write_file(file_p256, sizeof file_p256, modes[i]);
		CLAIM(!read_back(), "%o", (unsigned)modes[i]);
		CLAIM(strstr(text, "chmod 600") != NULL, "%s", text);
	}
	write_file(file_p256, sizeof file_p256, 0400);
	assert_true(read_back());
}

/* One file after the other. */
static size_t
join(uint8_t *dst, struct bytes a, struct bytes b)
{
	memcpy(dst, a.at, a.len);
	memcpy(dst + a.len, b.at, b.len);
	return a.len + b.len;
}

static void
two_keys_in_a_file_are_one_too_many(void **state)
{
	static const struct bytes row[] = { BYTES_IN(file_p256), BYTES_IN(file_aes256),
		BYTES_IN(file_old_aes256) };
	static uint8_t both[8192];

	(void)state;
	for (size_t i = 0; i < LEN(row); i++) {
		for (size_t k = 0; k < LEN(row); k++) {
			CLAIM(!read_bytes(both, join(both, row[i], row[k])), "%u, %u", (unsigned)i,
				(unsigned)k);
			assert_string_equal(text, "there is more than one key in it");
		}
	}
}

static void
text_and_certificates_around_a_key_are_left_out(void **state)
{
	static const uint8_t around[] = "Public Key Info:\n\tcurve: SECP256R1\n\n"
		"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
		"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
	static uint8_t both[8192];
	struct bytes before = { around, sizeof around - 1 };

	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		const struct form *f = &forms[i];

		if (f->file.at[0] == DER_SEQUENCE) {
			continue;
		}
		CLAIM(read_bytes(both, join(both, before, f->file)), "%s: %s", f->name, text);
		CLAIM(is_packed_as(&key, f->plain), "%s", f->name);
		CLAIM(read_bytes(both, join(both, f->file, before)), "%s: %s", f->name, text);
		CLAIM(is_packed_as(&key, f->plain), "%s", f->name);
	}
	assert_false(read_bytes(around, sizeof around - 1));
	assert_string_equal(text, "there is no private key in it");
}

static void
lines_may_end_as_on_windows(void **state)
{
	static uint8_t other[8192];

	(void)state;
	for (size_t i = 0; i < LEN(forms); i++) {
		size_t len = 0;

		if (forms[i].file.at[0] == DER_SEQUENCE) {
			continue;
		}
		for (size_t at = 0; at < forms[i].file.len; at++) {
			if (forms[i].file.at[at] == '\n') {
				other[len++] = '\r';
			}
			other[len++] = forms[i].file.at[at];
		}
		CLAIM(read_bytes(other, len), "%s: %s", forms[i].name, text);
		CLAIM(is_packed_as(&key, forms[i].plain), "%s", forms[i].name);
	}
}

static void
headers_of_the_older_encryption_have_to_make_sense(void **state)
{
	static const char *const row[] = {
		"",
		"DEK-Info: AES-256-CBC\n\n",
		"DEK-Info: AES-256-CBC,\n\n",
		"DEK-Info: AES-256-CBC,00\n\n",
		"DEK-Info: AES-256-CBC,000102030405060708090A0B0C0D0E0F10\n\n",
		"DEK-Info: AES-256-CBC,000102030405060708090A0B0C0D0E0G\n\n",
		"DEK-Info: DES-EDE3-CBC,000102030405060708090A0B0C0D0E0F\n\n",
		"DEK-Info: AES-256-CBC,000102030405060708090A0B0C0D0E0F\n"
			"DEK-Info: AES-256-CBC,000102030405060708090A0B0C0D0E0F\n\n",
		"DEK-Info: \n\n",
		"DEK-Info:\n\n",
		"\nDEK-Info: AES-256-CBC,000102030405060708090A0B0C0D0E0F\n",
	};
	char file[1024];

	(void)state;
	for (size_t i = 0; i < LEN(row); i++) {
		int len = snprintf(file, sizeof file, "-----BEGIN EC PRIVATE KEY-----\n"
			"Proc-Type: 4,ENCRYPTED\n%sMAAA\n-----END EC PRIVATE KEY-----\n", row[i]);

		CLAIM(!read_bytes(file, (size_t)len), "%u", (unsigned)i);
	}
}

/* What a scheme of PBES2 says; it is encrypted in zeros. */
struct scheme {
	uint8_t rounds[5];
	uint8_t rounds_len;
	uint8_t key_len;      /* 0: not said */
	const char *hash;     /* AlgorithmIdentifier; null: not said */
	size_t hash_len;
	size_t iv_len, data_len;
};

static size_t
write_scheme(uint8_t *dst, size_t cap, const struct scheme *s)
{
	static const uint8_t pbes2[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 5, 13 };
	static const uint8_t pbkdf2[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 5, 12 };
	static const uint8_t aes256[] = { 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42 };
	static const uint8_t zeros[64];
	struct der d;
	const uint8_t *whole, *scheme, *until;

	der_start(&d, dst, cap);
	whole = d.at;
	der_element(&d, DER_OCTET_STRING, zeros, s->data_len);
	scheme = until = d.at;
	der_element(&d, DER_OCTET_STRING, zeros, s->iv_len);
	der_element(&d, DER_OID, aes256, sizeof aes256);
	der_wrap(&d, DER_SEQUENCE, until);
	until = d.at;
	if (s->hash != NULL) {
		der_element(&d, DER_SEQUENCE, s->hash, s->hash_len);
	}
	if (s->key_len > 0) {
		der_unsigned(&d, &s->key_len, 1);
	}
	der_unsigned(&d, s->rounds, s->rounds_len);
	der_element(&d, DER_OCTET_STRING, zeros, 8);
	der_wrap(&d, DER_SEQUENCE, until);
	der_element(&d, DER_OID, pbkdf2, sizeof pbkdf2);
	der_wrap(&d, DER_SEQUENCE, until);
	der_wrap(&d, DER_SEQUENCE, scheme);
	der_element(&d, DER_OID, pbes2, sizeof pbes2);
	der_wrap(&d, DER_SEQUENCE, scheme);
	der_wrap(&d, DER_SEQUENCE, whole);
	assert_false(d.cut);
	memmove(dst, d.at, (size_t)(d.end - d.at));
	return (size_t)(d.end - d.at);
}

#define HASH(literal) (literal), sizeof(literal) - 1
#define HMAC "\x06\x08\x2A\x86\x48\x86\xF7\x0D\x02"

static void
a_scheme_is_read_as_rfc_8018_has_it(void **state)
{
	static const struct {
		struct scheme scheme;
		const char *words;
	} row[] = {
		/* Well-formed ones get as far as the data, which is none of ours. */
		{ { { 1 }, 1, 0, NULL, 0, 16, 32 }, "passphrase is wrong" },
		{ { { 1 }, 1, 32, NULL, 0, 16, 32 }, "passphrase is wrong" },
		{ { { 1 }, 1, 0, HASH(HMAC "\x09\x05\0"), 16, 32 }, "passphrase is wrong" },
		{ { { 1 }, 1, 32, HASH(HMAC "\x09"), 16, 32 }, "passphrase is wrong" },
		{ { { 1 }, 1, 0, NULL, 0, 16, 0 }, "passphrase is wrong" },
		{ { { 1 }, 1, 0, NULL, 0, 16, 31 }, "passphrase is wrong" },
		{ { { 0 }, 1, 0, NULL, 0, 16, 32 }, "rounds" },
		{ { { 0x05, 0xF5, 0xE1, 0x01 }, 4, 0, NULL, 0, 16, 32 }, "rounds" },  /* 100000001 */
		{ { { 0xFF, 0xFF, 0xFF, 0xFF }, 4, 0, NULL, 0, 16, 32 }, "rounds" },
		{ { { 1, 0, 0, 0, 1 }, 5, 0, NULL, 0, 16, 32 }, "not well-formed" },
		{ { { 1 }, 1, 16, NULL, 0, 16, 32 }, "not well-formed" },
		{ { { 1 }, 1, 33, NULL, 0, 16, 32 }, "not well-formed" },
		{ { { 1 }, 1, 0, NULL, 0, 15, 32 }, "not well-formed" },
		{ { { 1 }, 1, 0, NULL, 0, 17, 32 }, "not well-formed" },
		{ { { 1 }, 1, 0, HASH(HMAC "\x09\x05\x01x"), 16, 32 }, "not well-formed" },
		{ { { 1 }, 1, 0, HASH(HMAC "\x09\x05\0\x05\0"), 16, 32 }, "not well-formed" },
		{ { { 1 }, 1, 0, HASH(HMAC "\x0C\x05\0"), 16, 32 }, "not known here" },  /* SHA-512/224 */
	};
	uint8_t file[256];

	(void)state;
	for (size_t i = 0; i < LEN(row); i++) {
		CLAIM(!read_bytes(file, write_scheme(file, sizeof file, &row[i].scheme)), "%u",
			(unsigned)i);
		CLAIM(strstr(text, row[i].words) != NULL, "%u: %s", (unsigned)i, text);
	}
}

/* What stands in a file, as text. */
static const char *
content(void)
{
	static char buffer[8192];
	struct out why = { .at = text, .cap = sizeof text };
	size_t len;

	assert_true(disk_read(PATH, (uint8_t *)buffer, sizeof buffer - 1, &len, &why));
	buffer[len] = '\0';
	return buffer;
}

static void
a_key_in_the_clear_is_written_as_openssl_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct out why = OUT(text);
		struct stat st;

		assert_true(read_bytes(forms[i].plain.at, forms[i].plain.len));
		assert_int_equal(unlink(PATH), 0);
		assert_true(keyfile_write(PATH, &key, NULL, false, &why));
		assert_int_equal(stat(PATH, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		if (forms[i].plain.at == file_rsa) {
			/* The private exponent is of no use with the primes, and not unique. */
			assert_true(read_back() && is_packed_as(&key, forms[i].plain));
			continue;
		}
		CLAIM(strlen(content()) == forms[i].plain.len
			&& memcmp(content(), forms[i].plain.at, forms[i].plain.len) == 0, "%s: %s",
			forms[i].name, content());
	}
}

static void
an_encrypted_key_is_for_those_who_know_the_passphrase(void **state)
{
	static const char head[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n";
	static struct secret passphrase = { 19, "gr\xC3\xBC\xC3\x9F \xFF and a NUL" };
	char said[128], first[8192];

	(void)state;
	for (size_t i = 0; i < claim_rounds(3); i++) {
		struct out why = OUT(text), o = OUT(said);
		struct stat st;

		assert_true(read_bytes(forms[i].plain.at, forms[i].plain.len));
		assert_int_equal(unlink(PATH), 0);
		assert_true(keyfile_write(PATH, &key, &passphrase, false, &why));
		assert_int_equal(stat(PATH, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		(void)snprintf(first, sizeof first, "%s", content());
		assert_memory_equal(first, head, sizeof head - 1);
		assert_true(keyfile_put_protection(&o,
			(struct bytes){ (const uint8_t *)first, strlen(first) }));
		assert_true(SAYS(&o, "PBES2, AES-256-CBC, 600000 rounds of PBKDF2 with HMAC-SHA-256"));
		assert_false(read_back());
		assert_string_equal(text, "the passphrase is wrong, or the key is damaged");
		assert_int_equal(setenv(VARIABLE, passphrase.at, 1), 0);
		assert_true(read_back());
		assert_int_equal(setenv(VARIABLE, KEYFILES_PASSPHRASE, 1), 0);
		assert_true(is_packed_as(&key, forms[i].plain));
	}
}

/* Write the key encrypted, and give the DER of the file. */
static struct bytes
write_encrypted(uint8_t *dst, size_t cap)
{
	static const struct secret passphrase = { 1, "x" };
	struct out why = OUT(text);
	struct pem pem;

	assert_true(keyfile_write(PATH, &key, &passphrase, true, &why));
	pem_start(&pem, "ENCRYPTED " PEM_PRIVATE_KEY, dst, cap);
	pem_feed(&pem, content(), strlen(content()));
	assert_int_equal(pem_end(&pem), CUB_OK);
	return (struct bytes){ dst + 2, pem.len - 2 };
}

static void
salt_and_iv_are_others_each_time(void **state)
{
	static const struct { const char *name; size_t at, len; } part[] = {
		{ "salt", 35, 16 }, { "IV", 85, 16 }, { "data", 104, 16 } };
	uint8_t buffer[2][512];
	struct bytes a, b;

	(void)state;
	assert_true(read_bytes(file_p256, sizeof file_p256));
	a = write_encrypted(buffer[0], sizeof buffer[0]);
	b = write_encrypted(buffer[1], sizeof buffer[1]);
	assert_true(a.len == 104 + 144 && b.len == a.len);
	assert_memory_equal(a.at, b.at, part[0].at);
	for (size_t i = 0; i < LEN(part); i++) {
		CLAIM(memcmp(a.at + part[i].at, b.at + part[i].at, part[i].len) != 0, "%s",
			part[i].name);
	}
}

static void
nothing_is_overwritten_unless_it_is_demanded(void **state)
{
	struct out why = OUT(text);

	(void)state;
	assert_true(read_bytes(file_p256, sizeof file_p256));
	write_file("precious", 8, 0600);
	assert_false(keyfile_write(PATH, &key, NULL, false, &why));
	assert_string_equal(content(), "precious");
	why.len = 0;
	assert_true(keyfile_write(PATH, &key, NULL, true, &why));
	assert_true(read_back());
}

/* Nothing else is left in it. */
static int
remove_folder(void **state)
{
	(void)state;
	(void)unlink(PATH);
	return rmdir(host_folder);
}

static int
set_passphrase(void **state)
{
	(void)state;
	return setenv(VARIABLE, KEYFILES_PASSPHRASE, 1);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, set_passphrase)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_key_that_openssl_wrote_is_read),
		TEST(it_is_told_how_a_key_is_protected),
		TEST(what_is_no_key_has_no_protection),
		TEST(a_wrong_passphrase_is_refused),
		TEST(what_is_not_encrypted_needs_no_passphrase),
		TEST(other_kinds_of_encryption_are_refused_with_the_way_out),
		TEST(an_encrypted_key_of_a_kind_that_is_of_no_use_is_called_so),
		TEST(a_file_that_is_cut_short_is_refused),
		TEST(no_damage_of_a_bit_gives_another_key),
		TEST(a_key_that_others_can_use_is_refused),
		TEST(two_keys_in_a_file_are_one_too_many),
		TEST(text_and_certificates_around_a_key_are_left_out),
		TEST(lines_may_end_as_on_windows),
		TEST(headers_of_the_older_encryption_have_to_make_sense),
		TEST(a_scheme_is_read_as_rfc_8018_has_it),
		TEST(a_key_in_the_clear_is_written_as_openssl_does),
		TEST(an_encrypted_key_is_for_those_who_know_the_passphrase),
		TEST(salt_and_iv_are_others_each_time),
		TEST(nothing_is_overwritten_unless_it_is_demanded),
	};

	return cmocka_run_group_tests(tests, host_enter_folder, remove_folder);
}
