/* SPDX-License-Identifier: MIT */
/*
 * PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2), one block of output, in slices: a
 * password check takes as long as it must, but never holds up the loop.
 */
#ifndef PBKDF2_H
#define PBKDF2_H

#include <bearssl.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PBKDF2_LEN 32

struct pbkdf2 {
	br_hmac_key_context key;
	uint8_t  last[PBKDF2_LEN];  /* U_i */
	uint8_t  sum[PBKDF2_LEN];   /* the result once `left` is 0 */
	uint32_t left;              /* iterations still to do */
};

/* Begin. `iterations` is at least 1. Password and salt are not needed afterwards. */
void pbkdf2_start(struct pbkdf2 *p, const void *password, size_t password_len,
	const void *salt, size_t salt_len, uint32_t iterations);

/* Do up to `slice` iterations. Returns true once the result stands in `sum`. */
bool pbkdf2_step(struct pbkdf2 *p, uint32_t slice);

/*
 * The same byte sequence, compared in a time that does not depend on it.
 */
bool pbkdf2_is(const struct pbkdf2 *p, const uint8_t expected[PBKDF2_LEN]);

#endif
