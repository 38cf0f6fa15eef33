/* SPDX-License-Identifier: MIT */
/* PBKDF2-HMAC-SHA-256 in slices: see pbkdf2.h. The hashing is BearSSL's. */
#include "pbkdf2.h"

#include <string.h>

static void
mac(struct pbkdf2 *p, const void *a, size_t a_len, const void *b, size_t b_len)
{
	br_hmac_context hmac;

	br_hmac_init(&hmac, &p->key, 0);
	br_hmac_update(&hmac, a, a_len);
	br_hmac_update(&hmac, b, b_len);
	br_hmac_out(&hmac, p->last);
}

void
pbkdf2_start(struct pbkdf2 *p, const void *password, size_t password_len,
	const void *salt, size_t salt_len, uint32_t iterations)
{
	static const uint8_t first_block[4] = { 0, 0, 0, 1 };

	br_hmac_key_init(&p->key, &br_sha256_vtable, password, password_len);
	mac(p, salt, salt_len, first_block, sizeof first_block);
	memcpy(p->sum, p->last, sizeof p->sum);
	p->left = iterations - 1;
}

bool
pbkdf2_step(struct pbkdf2 *p, uint32_t slice)
{
	for (; p->left > 0 && slice > 0; p->left--, slice--) {
		mac(p, p->last, sizeof p->last, NULL, 0);
		for (size_t i = 0; i < sizeof p->sum; i++) {
			p->sum[i] ^= p->last[i];
		}
	}
	return p->left == 0;
}

bool
pbkdf2_is(const struct pbkdf2 *p, const uint8_t expected[PBKDF2_LEN])
{
	uint8_t differ = 0;

	for (size_t i = 0; i < PBKDF2_LEN; i++) {
		differ = (uint8_t)(differ | (p->sum[i] ^ expected[i]));
	}
	return differ == 0;
}
