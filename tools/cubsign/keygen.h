/* SPDX-License-Identifier: MIT */
/* New private keys of the kinds that the host can make. */
#ifndef KEYGEN_H
#define KEYGEN_H

#include "key.h"
#include "options.h"

/*
 * Do --rsa BITS (2048 to 4096) and --p384 name a kind of key? False, told in `why`: then the
 * command is used wrongly, and nobody should be asked for a passphrase first.
 */
bool keygen_check(const struct options *o, struct out *why);

/*
 * Make the kind of key that they ask for; P-256 without them. Returns false, told in `why`, and
 * `k` holds no key.
 */
bool keygen_make(struct key *k, const struct options *o, struct out *why);

#endif
