/* SPDX-License-Identifier: MIT */
/*
 * The corpus: all DER of the other tests, as it is and with thousands of changes that a seed
 * chooses, through each reader (tests/fuzz/fuzz_der.c). Sanitizers watch.
 *
 *	test_fuzz                     the corpus, as tests
 *	test_fuzz --write FOLDER      the corpus as files, for libFuzzer
 *	test_fuzz CHANGES FILE...     files, each with so many changes: what libFuzzer has found
 */
#include "host.h"

#include "pem.h"
#include "tests/fuzz/fuzz_der.h"

#include "tests/data/certificates.h"
#include "tests/data/chains.h"
#include "tests/data/clients.h"
#include "tests/data/keys.h"
#include "tests/data/requests.h"

#define CHANGES 200  /* of each of the corpus */

static const struct seed {
	const char *name;
	struct bytes der;
} corpus[] = {
#define SEED(name) { #name, { name, sizeof name } }
	SEED(request_ec), SEED(request_rsa), SEED(request_p384), SEED(request_sha512),
	SEED(request_ec_certtool), SEED(request_rsa_certtool), SEED(request_sha1), SEED(request_pss),
	SEED(request_p521), SEED(request_ed25519),
	SEED(chain_root), SEED(chain_leaf), SEED(chain_middle), SEED(chain_critical), SEED(chain_sha1),
	SEED(chain_rsa_leaf), SEED(chain_p384_leaf), SEED(chain_p384_root),
	SEED(client_self), SEED(client_self_rsa), SEED(client_below), SEED(client_ca),
	SEED(certificate_rsa), SEED(certificate_p384), SEED(certificate_ed25519),
	SEED(key_p256), SEED(key_p256_sec1), SEED(key_p256_public), SEED(key_p256_compressed),
	SEED(key_p256_explicit), SEED(key_p256_encrypted), SEED(key_rsa2048), SEED(key_rsa2048_pkcs1),
	SEED(key_rsa2048_public), SEED(key_rsa2049_e3), SEED(key_rsa_pss), SEED(key_p384),
	SEED(key_p384_sec1), SEED(key_ed25519), SEED(key_dsa),
};

/* xorshift64: the same numbers from the same seed, everywhere. */
static uint64_t state = 1;

static uint32_t
below(uint32_t bound)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % bound;
}

/* Change `data` once, in place; it has room for FUZZ_MAX bytes. Returns its new length. */
static size_t
change(uint8_t *data, size_t len)
{
	static const uint8_t special[] = { 0, 1, 0x30, 0x31, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xA0, 0xFF };
	size_t at = below((uint32_t)len), span = 1 + below(16);

	span = span > len - at ? len - at : span;
	switch (below(7)) {
	case 0:
		data[at] ^= (uint8_t)(1u << below(8));
		break;
	case 1:
		data[at] = (uint8_t)below(256);
		break;
	case 2:
		data[at] = special[below(sizeof special)];
		break;
	case 3:
		data[at] = (uint8_t)(data[at] + 1 - 2 * (int)below(2));
		break;
	case 4:
		memmove(data + at, data + at + span, len - at - span);
		len -= span;
		break;
	case 5:
		if (len + span <= FUZZ_MAX) {
			memmove(data + at + span, data + at, len - at);
			len += span;
		}
		break;
	default:
		memcpy(data + below((uint32_t)(len - span + 1)), corpus[below(LEN(corpus))].der.at, span);
	}
	return len == 0 ? 1 : len;
}

/* In memory of exactly its size, so that a sanitizer sees each byte that is read too many. */
static void
try(const uint8_t *data, size_t len)
{
	uint8_t *exact = malloc(len);

	if (exact == NULL) {
		abort();
	}
	memcpy(exact, data, len);
	(void)LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

static void
try_changed(struct bytes seed, uint32_t changes)
{
	static uint8_t data[FUZZ_MAX];

	try(seed.at, seed.len);
	for (uint32_t i = 0; i < changes; i++) {
		size_t len = seed.len;

		memcpy(data, seed.at, len);
		for (uint32_t times = 1 + below(4); times > 0; times--) {
			len = change(data, len);
		}
		try(data, len);
	}
}

static void
changed_der_is_read_or_refused(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LEN(corpus); i++) {
		try_changed(corpus[i].der, claim_rounds(CHANGES));
	}
}

static void
changed_pem_is_read_or_refused(void **unused)
{
	static const char *const labels[] = { PEM_CERTIFICATE, PEM_REQUEST, PEM_PRIVATE_KEY };
	static char text[FUZZ_MAX];

	(void)unused;
	for (size_t i = 0; i < LEN(corpus); i++) {
		struct out o = OUT(text);

		pem_put(&o, labels[i % LEN(labels)], corpus[i].der.at, corpus[i].der.len);
		try_changed((struct bytes){ (uint8_t *)text, o.len }, claim_rounds(CHANGES));
	}
}

/* ---- files ---- */

static int
write_corpus(const char *folder)
{
	for (size_t i = 0; i < LEN(corpus); i++) {
		char path[512];
		FILE *file;

		snprintf(path, sizeof path, "%s/%s", folder, corpus[i].name);
		file = fopen(path, "wb");
		if (file == NULL || fwrite(corpus[i].der.at, 1, corpus[i].der.len, file)
			!= corpus[i].der.len || fclose(file) != 0) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

static int
try_file(const char *path, uint32_t changes)
{
	static uint8_t data[FUZZ_MAX];
	FILE *file = fopen(path, "rb");
	size_t len;

	if (file == NULL) {
		perror(path);
		return 1;
	}
	len = fread(data, 1, sizeof data, file);
	(void)fclose(file);
	printf("%s: %zu bytes\n", path, len);
	if (len > 0) {
		try_changed((struct bytes){ data, len }, changes);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(changed_der_is_read_or_refused),
		TEST(changed_pem_is_read_or_refused),
	};
	const char *seed = getenv("SEED");
	int code = 0;

	state = seed != NULL ? strtoull(seed, NULL, 10) | 1 : 1;
	if (argc < 3) {
		return cmocka_run_group_tests(tests, NULL, NULL);
	}
	if (strcmp(argv[1], "--write") == 0) {
		return write_corpus(argv[2]);
	}
	for (int i = 2; i < argc; i++) {
		code |= try_file(argv[i], (uint32_t)strtoul(argv[1], NULL, 10));
	}
	return code;
}
