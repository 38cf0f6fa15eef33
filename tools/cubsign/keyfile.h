/* SPDX-License-Identifier: MIT */
/*
 * Private keys in files: PKCS#8 (RFC 5958), encrypted by PBES2 (RFC 8018) with
 * PBKDF2-HMAC-SHA-256 and AES-256-CBC, as `openssl pkey` reads and writes them. What other
 * programs encrypt in other ways is read, too, where BearSSL has what it takes.
 */
#ifndef KEYFILE_H
#define KEYFILE_H

#include "key.h"
#include "secret.h"

#define KEYFILE_ITERATIONS 600000

/*
 * Read a key file that only its owner can read. The passphrase is got (secret_get()) only where
 * it is encrypted. Returns false, told in `why`, and `k` holds no key.
 */
bool keyfile_read(struct key *k, const char *path, struct secret_source from, struct out *why);

/* Write one, with access for its owner alone; without a passphrase (null) it is in the clear. */
bool keyfile_write(const char *path, const struct key *k, const struct secret *passphrase,
	bool force, struct out *why);

/*
 * Say of a key file how it is protected: "PBES2, AES-256-CBC, 600000 rounds of PBKDF2 with
 * HMAC-SHA-256", "not encrypted". Asks for nothing. Returns false where it is no key file.
 */
bool keyfile_put_protection(struct out *o, struct bytes file);

#endif
