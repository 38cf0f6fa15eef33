/* SPDX-License-Identifier: MIT */
/*
 * EncryptedPrivateKeyInfo (RFC 5958 section 3) by PBES2 (RFC 8018 section 6.2), with PBKDF2 and
 * HMAC of the SHA family. New ones get SHA-256, 16 random bytes of salt and AES-256-CBC.
 */
#ifndef PBES2_H
#define PBES2_H

#include "cipher.h"
#include "secret.h"

/* What encrypting adds, and more. */
#define PBES2_EXTRA 256

/* More rounds than these would take minutes, and nobody asks for them in good faith. */
#define PBES2_ITERATIONS_MAX 100000000

/* How one is encrypted. The spans lie within its DER. */
struct pbes2 {
	const br_hash_class *hash;
	const char *hash_name;         /* "SHA-256" */
	const struct cipher *cipher;
	uint32_t iterations;
	struct bytes salt, iv, data;
};

/* Does it look like an EncryptedPrivateKeyInfo, whatever it is encrypted by? */
bool pbes2_is_likely(struct bytes der);

/* Read one. Returns null, or what is wrong with it: also where it is encrypted in another way. */
const char *pbes2_read(struct bytes der, struct pbes2 *p);

/*
 * Decrypt it into `dst`, which has room for as many bytes as `data`. Returns the length;
 * -1: the passphrase is wrong, or it is damaged.
 */
int pbes2_decrypt(const struct pbes2 *p, const struct secret *passphrase, uint8_t *dst);

/* Encrypt and write one. It takes as long as the rounds do. */
void pbes2_write(struct der *d, struct bytes plain, const struct secret *passphrase,
	uint32_t iterations);

/* For whatever can't be decrypted here. */
extern const char pbes2_unknown[];

#endif
