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
#include "tests/fuzz/seeds.h"

#include "tests/data/certificates.h"
#include "tests/data/chains.h"
#include "tests/data/clients.h"
#include "tests/data/keys.h"
#include "tests/data/requests.h"

#define CHANGES 200  /* of each of the corpus */

static const struct seed seeds[] = {
#define SEED(name) { #name, name, sizeof name }
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

static const struct corpus corpus = {
	seeds, LEN(seeds), "\0\1\x30\x31\x7F\x80\x81\x82\x84\xA0\xFF", 11,
};

static void
changed_der_is_read_or_refused(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LEN(seeds); i++) {
		seeds_try(&corpus, seeds[i].at, seeds[i].len, claim_rounds(CHANGES));
	}
}

static void
changed_pem_is_read_or_refused(void **unused)
{
	static const char *const labels[] = { PEM_CERTIFICATE, PEM_REQUEST, PEM_PRIVATE_KEY };
	static char text[FUZZ_MAX];

	(void)unused;
	for (size_t i = 0; i < LEN(seeds); i++) {
		struct out o = OUT(text);

		pem_put(&o, labels[i % LEN(labels)], seeds[i].at, seeds[i].len);
		seeds_try(&corpus, text, o.len, claim_rounds(CHANGES));
	}
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(changed_der_is_read_or_refused),
		TEST(changed_pem_is_read_or_refused),
	};

	return argc > 2 ? seeds_main(&corpus, argc, argv)
		: cmocka_run_group_tests(tests, NULL, NULL);
}
