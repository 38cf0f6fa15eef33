/* SPDX-License-Identifier: MIT */
/*
 * The ciphers that private keys are encrypted with: AES and triple DES in CBC mode, with the
 * padding of RFC 8018 section 6.1.1. The ciphers are BearSSL's.
 */
#ifndef CIPHER_H
#define CIPHER_H

#include <bearssl.h>

#include "der.h"

#define CIPHER_KEY_MAX   32
#define CIPHER_BLOCK_MAX 16

struct cipher {
	const char *name;  /* as it stands in PEM: "AES-256-CBC" */
	const br_block_cbcdec_class *decrypt;
	uint8_t key_len;
	uint8_t block;     /* bytes of a block, and of the IV */
	uint8_t oid_len;
	uint8_t oid[9];
};

/* The one that new files get. */
extern const struct cipher cipher_aes256;

/* Null: it is none of these. */
const struct cipher *cipher_by_oid(struct bytes oid);
const struct cipher *cipher_by_name(struct text name);

/*
 * Decrypt in place. `iv` is overwritten. Returns the length of what came out, without the
 * padding; -1: the key is wrong, or the data is damaged.
 */
int cipher_decrypt(const struct cipher *c, const uint8_t *key, uint8_t *iv, uint8_t *data,
	size_t len);

/*
 * Encrypt in place by cipher_aes256. Behind the data there is room for a block of padding;
 * `iv` is overwritten. Returns the length with the padding.
 */
size_t cipher_encrypt(const uint8_t *key, uint8_t *iv, uint8_t *data, size_t len);

#endif
