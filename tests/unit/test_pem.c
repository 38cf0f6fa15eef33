/* SPDX-License-Identifier: MIT */
/* PEM and DER as they arrive: whole, byte by byte and cut anywhere; and PEM written. */
#include "unit.h"

#include "pem.h"

#define FOO_PEM  "-----BEGIN CERTIFICATE-----\nMANmb28=\n-----END CERTIFICATE-----\n"
#define FOO      "\x05\0" "0\3foo"
#define BAR_PEM  "-----BEGIN CERTIFICATE-----\nMAVi\nYXJyIQ==\n-----END CERTIFICATE-----\n"
#define BAR      "\x07\0" "0\5barr!"

static struct pem pem;

/* Feed it in pieces of `piece` bytes, or of random ones for 0; into memory of exactly `cap`. */
static int
read_into(uint8_t *dst, size_t cap, const char *label, struct text t, size_t piece)
{
	pem_start(&pem, label, dst, cap);
	for (size_t at = 0, len; at < t.len; at += len) {
		len = piece > 0 ? piece : sim_random_below(20);
		len = len < t.len - at ? len : t.len - at;
		pem_feed(&pem, t.at + at, len);
	}
	return pem_end(&pem);
}

static void
objects_are_taken_whatever_is_around_them_and_however_they_arrive(void **state)
{
	static const struct {
		const char *label;
		struct text input, want;
		unsigned count;
	} table[] = {
		{ PEM_CERTIFICATE, TEXT_IN(FOO_PEM), TEXT_IN(FOO), 1 },
		{ PEM_CERTIFICATE, TEXT_IN(FOO_PEM BAR_PEM), TEXT_IN(FOO BAR), 2 },
		{ PEM_CERTIFICATE, TEXT_IN("\nsubject=CN = x\n-----\n\0\n" FOO_PEM "---\n\xFF\n" BAR_PEM
			"the end\n"), TEXT_IN(FOO BAR), 2 },
		/* No newline at the end. */
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\nMANmb28=\n"
			"-----END CERTIFICATE-----"), TEXT_IN(FOO), 1 },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\r\nMANm\r\nb28=\r\n"
			"-----END CERTIFICATE-----\r\n\r\n" BAR_PEM), TEXT_IN(FOO BAR), 2 },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\n\n  MANm b28= \n\n"
			"-----END CERTIFICATE-----\n"), TEXT_IN(FOO), 1 },
		/* Others are left out, also such as can't be read. */
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"
			FOO_PEM), TEXT_IN(FOO), 1 },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n"
			"-----END ENCRYPTED PRIVATE KEY-----\n" FOO_PEM), TEXT_IN(FOO), 1 },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n"
			"MAA=\n-----END RSA PRIVATE KEY-----\n" FOO_PEM), TEXT_IN(FOO), 1 },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n"
			"-----END CERTIFICATE REQUEST-----\n" FOO_PEM), TEXT_IN(FOO), 1 },
		{ PEM_REQUEST, TEXT_IN(FOO_PEM "-----BEGIN CERTIFICATE REQUEST-----\nMANmb28=\n"
			"-----END CERTIFICATE REQUEST-----\n"), TEXT_IN(FOO), 1 },
		{ PEM_PRIVATE_KEY, TEXT_IN("-----BEGIN PRIVATE KEY-----\nMANmb28=\n"
			"-----END PRIVATE KEY-----\n"), TEXT_IN(FOO), 1 },
		/* As openssl ecparam writes it. */
		{ PEM_PRIVATE_KEY, TEXT_IN("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
			"-----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\nMANmb28=\n"
			"-----END EC PRIVATE KEY-----\n"), TEXT_IN(FOO), 1 },
		{ PEM_PRIVATE_KEY, TEXT_IN(BAR_PEM "-----BEGIN RSA PRIVATE KEY-----\nMANmb28=\n"
			"-----END RSA PRIVATE KEY-----\n"), TEXT_IN(FOO), 1 },
		/* DER, whatever bytes are in it. */
		{ PEM_CERTIFICATE, TEXT_IN("0\3foo"), TEXT_IN(FOO), 1 },
		{ PEM_PRIVATE_KEY, TEXT_IN("0\x05\r\n-\0\xFF"), TEXT_IN("\x07\0" "0\x05\r\n-\0\xFF"), 1 },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		for (size_t piece = 0; piece <= table[i].input.len; piece++) {
			uint8_t *dst = malloc(table[i].want.len);  /* the sanitizer watches its end */
			int err = read_into(dst, table[i].want.len, table[i].label, table[i].input, piece);

			CLAIM(err == CUB_OK, "no. %zu by %zu: %d", i, piece, err);
			CLAIM(pem.count == table[i].count && pem.len == table[i].want.len, "no. %zu by %zu: %u",
				i, piece, pem.count);
			CLAIM(memcmp(dst, table[i].want.at, pem.len) == 0, "no. %zu by %zu", i, piece);
			free(dst);
		}
	}
}

static void
what_does_not_fit_is_told_and_never_overruns(void **state)
{
	const struct text pems = TEXT(FOO_PEM BAR_PEM), der = TEXT("0\3foo");
	const size_t whole = sizeof FOO BAR - 1;

	(void)state;
	for (size_t cap = 0; cap <= whole; cap++) {
		uint8_t *dst = malloc(cap);

		CLAIM(read_into(dst, cap, PEM_CERTIFICATE, pems, 1 + cap % 3)
			== (cap < whole ? CUB_E_LIMIT : CUB_OK), "%zu bytes", cap);
		CLAIM(read_into(dst, cap, PEM_CERTIFICATE, der, 1 + cap % 3)
			== (cap < 7 ? CUB_E_LIMIT : CUB_OK), "%zu bytes", cap);
		free(dst);
	}
}

/* The length of an object has two bytes. */
static void
an_object_of_64_kib_is_refused(void **state)
{
	static uint8_t dst[70000], src[65536] = { 0x30 };

	(void)state;
	assert_int_equal(read_into(dst, sizeof dst, PEM_CERTIFICATE,
		(struct text){ (const char *)src, 65535 }, 1000), CUB_OK);
	assert_true(pem.len == 65537 && dst[0] == 0xFF && dst[1] == 0xFF);
	assert_int_equal(read_into(dst, sizeof dst, PEM_CERTIFICATE,
		(struct text){ (const char *)src, 65536 }, 1000), CUB_E_LIMIT);
}

static void
what_is_wrong_is_told(void **state)
{
	static const struct {
		const char *label;
		struct text input;
		int want;
	} table[] = {
		{ PEM_CERTIFICATE, TEXT_IN(""), CUB_E_NOENT },
		{ PEM_CERTIFICATE, TEXT_IN("hello\n"), CUB_E_NOENT },
		{ PEM_PRIVATE_KEY, TEXT_IN(FOO_PEM), CUB_E_NOENT },
		{ PEM_REQUEST, TEXT_IN(FOO_PEM), CUB_E_NOENT },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----"), CUB_E_BAD },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\nMANmb28=\n"), CUB_E_BAD },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\nMANmb28=\n-----EN"), CUB_E_BAD },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
			CUB_E_BAD },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\nMANmb*8=\n"
			"-----END CERTIFICATE-----\n"), CUB_E_BAD },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\nMANmb28\n"
			"-----END CERTIFICATE-----\n"), CUB_E_BAD },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\nMANm-28=\n"
			"-----END CERTIFICATE-----\n"), CUB_E_BAD },
		/* Good ones around it make it no better. */
		{ PEM_CERTIFICATE, TEXT_IN(FOO_PEM "-----BEGIN CERTIFICATE-----\n*\n"
			"-----END CERTIFICATE-----\n" FOO_PEM), CUB_E_BAD },
		{ PEM_CERTIFICATE, TEXT_IN(FOO_PEM "-----BEGIN CERTIFICATE-----\nMANm\n"), CUB_E_BAD },
		{ PEM_PRIVATE_KEY, TEXT_IN("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n"
			"-----END ENCRYPTED PRIVATE KEY-----\n"), CUB_E_DENIED },
		{ PEM_PRIVATE_KEY, TEXT_IN("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n"
			"MAA=\n-----END RSA PRIVATE KEY-----\n"), CUB_E_DENIED },
		{ PEM_PRIVATE_KEY, TEXT_IN("-----BEGIN EC PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\n"
			"\r\nMAA=\r\n-----END EC PRIVATE KEY-----\r\n"), CUB_E_DENIED },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\n"
			"MAA=\n-----END CERTIFICATE-----\n"), CUB_E_BAD },
		/* A byte must not have two forms. */
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\nMANmb29=\n"
			"-----END CERTIFICATE-----\n"), CUB_E_BAD },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\nMANmbw==bw==\n"
			"-----END CERTIFICATE-----\n"), CUB_E_BAD },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\nMANmb===\n"
			"-----END CERTIFICATE-----\n"), CUB_E_BAD },
		{ PEM_CERTIFICATE, TEXT_IN("-----BEGIN CERTIFICATE-----\nMANmb28=\n"
			"-----BEGIN CERTIFICATE-----\n" FOO_PEM), CUB_E_BAD },
	};

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		for (size_t piece = 0; piece <= table[i].input.len; piece++) {
			uint8_t dst[64];
			int err = read_into(dst, sizeof dst, table[i].label, table[i].input, piece);

			CLAIM(err == table[i].want, "no. %zu by %zu: %d", i, piece, err);
		}
	}
}

/* RFC 4648 section 10 has the text; RFC 7468 section 2 the lines of 64 characters. */
static void
what_is_written_is_pem_line_by_line(void **state)
{
	static const struct {
		const char *src, *want;
	} table[] = {
		{ "f", "Zg==\n" }, { "fo", "Zm8=\n" }, { "foo", "Zm9v\n" }, { "foob", "Zm9vYg==\n" },
		{ "fooba", "Zm9vYmE=\n" }, { "foobar", "Zm9vYmFy\n" },
		{ "\xFB\xFF\xBF\xFF", "+/+//w==\n" },
	};
	char text[2000];

	(void)state;
	for (size_t i = 0; i < LEN(table); i++) {
		struct out o = OUT(text);
		char want[200];

		pem_put(&o, PEM_CERTIFICATE, (const uint8_t *)table[i].src, strlen(table[i].src));
		snprintf(want, sizeof want, "-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n",
			table[i].want);
		CLAIM(SAYS(&o, want), "%s", table[i].src);
	}
}

static void
what_is_written_is_read_again(void **state)
{
	static char text[3000];
	static uint8_t src[1000], dst[1100];

	(void)state;
	for (size_t len = 1; len <= sizeof src; len += 1 + sim_random_below(7)) {
		struct out o = OUT(text);
		struct text rest, line;

		for (size_t i = 0; i < len; i++) {
			src[i] = (uint8_t)sim_random();
		}
		pem_put(&o, PEM_REQUEST, src, len);
		CLAIM(!o.cut, "%zu bytes", len);
		CLAIM(read_into(dst, sizeof dst, PEM_REQUEST, out_so_far(&o), 0) == CUB_OK,
			"%zu bytes", len);
		CLAIM(pem.len == 2 + len && memcmp(dst + 2, src, len) == 0, "%zu bytes", len);
		CLAIM((dst[0] | dst[1] << 8) == (int)len, "%zu bytes", len);
		rest = out_so_far(&o);
		while ((line = text_cut(&rest, '\n')).at != NULL) {
			CLAIM(line.len <= 64, "%zu bytes: a line of %zu", len, line.len);
		}
	}
}

static void
no_input_breaks_it(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < claim_rounds(3000); round++) {
		char input[400];
		uint8_t dst[30];
		struct text noise;
		size_t at = 0;

		/* A good one, then noise of what often matters. */
		if (round % 2 == 0) {
			at = sim_random_below(sizeof FOO_PEM);
			memcpy(input, FOO_PEM, at);
		}
		noise = unit_random_text(input + at, 300, "-\r\nA=BEGIN ");
		noise = (struct text){ input, at + noise.len };
		(void)read_into(dst, sizeof dst, PEM_CERTIFICATE, noise, 0);
		CLAIM(pem.len <= sizeof dst, "round %u", (unsigned)round);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(objects_are_taken_whatever_is_around_them_and_however_they_arrive),
		TEST(what_does_not_fit_is_told_and_never_overruns),
		TEST(an_object_of_64_kib_is_refused),
		TEST(what_is_wrong_is_told),
		TEST(what_is_written_is_pem_line_by_line),
		TEST(what_is_written_is_read_again),
		TEST(no_input_breaks_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
