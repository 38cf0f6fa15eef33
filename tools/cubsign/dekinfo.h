/* SPDX-License-Identifier: MIT */
/*
 * The older encryption of PEM (RFC 1421 section 4.6.1.3), as `openssl ec -aes256` still writes it:
 * headers of the object say the cipher, and the key is made by one round of MD5.
 */
#ifndef DEKINFO_H
#define DEKINFO_H

#include "cipher.h"
#include "secret.h"

struct dekinfo {
	const struct cipher *cipher;   /* null: one that is not known here */
	uint8_t iv[CIPHER_BLOCK_MAX];
	struct text before, after;     /* the file without these headers */
};

/* Find the headers of the first object in a file that has them. False: they are broken. */
bool dekinfo_find(struct dekinfo *info, struct text file);

/* Decrypt in place. Returns as cipher_decrypt(). */
int dekinfo_decrypt(const struct dekinfo *info, const struct secret *passphrase, uint8_t *data,
	size_t len);

#endif
