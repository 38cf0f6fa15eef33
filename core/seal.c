/* SPDX-License-Identifier: MIT */
/* Sealed secrets: see seal.h. */
#include "seal.h"

#include <bearssl.h>

#include <string.h>

#include "pbkdf2.h"

#define AT_SALT        4
#define AT_NONCE       20
#define TAG            16
#define ITERATIONS_MAX 100000000

/* Encrypt or decrypt in place, by the salt and nonce that stand there. `tag` is the right one. */
static void
run(struct bytes secret, uint32_t iterations, uint8_t *sealed, size_t len, uint8_t tag[TAG],
	bool encrypt)
{
	struct pbkdf2 p;

	pbkdf2_start(&p, secret.at, secret.len, sealed + AT_SALT, AT_NONCE - AT_SALT, iterations);
	(void)pbkdf2_step(&p, iterations);
	br_poly1305_ctmul_run(p.sum, sealed + AT_NONCE, sealed + SEAL_AT_SECRET, len,
		sealed, AT_NONCE, tag, br_chacha20_ct_run, encrypt);
	wipe(&p, sizeof p);
}

void
seal_close(struct bytes secret, struct bytes plain, uint8_t *out)
{
	uint32_t iterations = CONFIG_CUBFTPD_PBKDF2_ITERATIONS;

	little_put(out, AT_SALT, iterations);
	port_random(out + AT_SALT, SEAL_AT_SECRET - AT_SALT);
	memcpy(out + SEAL_AT_SECRET, plain.at, plain.len);
	run(secret, iterations, out, plain.len, out + SEAL_AT_SECRET + plain.len, true);
}

int
seal_open(struct bytes secret, uint8_t *sealed, size_t len)
{
	uint8_t tag[TAG];
	uint32_t iterations = len < SEAL_EXTRA ? 0 : (uint32_t)little_get(sealed, AT_SALT);
	unsigned differ = 0;

	if (iterations == 0 || iterations > ITERATIONS_MAX) {
		return CUB_E_CORRUPT;
	}
	len -= SEAL_EXTRA;
	run(secret, iterations, sealed, len, tag, false);
	for (unsigned i = 0; i < TAG; i++) {
		differ |= (unsigned)(tag[i] ^ sealed[SEAL_AT_SECRET + len + i]);
	}
	if (differ != 0) {
		wipe(sealed + SEAL_AT_SECRET, len);
		return CUB_E_DENIED;
	}
	return CUB_OK;
}
