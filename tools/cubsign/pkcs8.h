/* SPDX-License-Identifier: MIT */
/* Private keys as PKCS#8 (RFC 5958, in version 0, which every program reads). */
#ifndef PKCS8_H
#define PKCS8_H

#include "key.h"

/* Enough for any. */
#define PKCS8_MAX 4096

/*
 * Write a PrivateKeyInfo as OpenSSL does: of an EC key with its public half, and with the curve
 * in the outer algorithm only. What was written is secret.
 */
void pkcs8_write(struct der *d, const struct key *k);

#endif
