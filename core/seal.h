/* SPDX-License-Identifier: MIT */
/*
 * A secret sealed under a password or a device-bound secret: PBKDF2-HMAC-SHA-256, then
 * ChaCha20-Poly1305 (RFC 8439).
 *
 *	 0  iterations, 4 bytes, little-endian
 *	 4  salt, 16 bytes
 *	20  nonce, 12 bytes
 *	32  the encrypted secret
 *	    tag, 16 bytes; the bytes 0 to 19 are its additional data
 */
#ifndef SEAL_H
#define SEAL_H

#include "der.h"

#define SEAL_EXTRA     48
#define SEAL_AT_SECRET 32

/* Seal `plain` into `out`, which has room for SEAL_EXTRA more bytes. Takes as long as a login. */
void seal_close(struct bytes secret, struct bytes plain, uint8_t *out);

/*
 * Open what was sealed, in place: the secret stands at `sealed + SEAL_AT_SECRET` afterwards.
 * Returns CUB_OK; CUB_E_DENIED: it is another secret, or damaged; CUB_E_CORRUPT: too short,
 * or of a number of iterations that is not plausible (more than 100 million).
 */
int seal_open(struct bytes secret, uint8_t *sealed, size_t len);

#endif
