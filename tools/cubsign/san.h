/* SPDX-License-Identifier: MIT */
/*
 * Subject alternative names (RFC 5280 section 4.2.1.6), as text and as DER: DNS names and IP
 * addresses, "DNS:router-17,IP:192.0.2.17". `names` is the inside of GeneralNames.
 */
#ifndef SAN_H
#define SAN_H

#include "der.h"

#define SAN_MAX 1024  /* bytes of DER, and of text */

/*
 * Write what a text lists. "request" in it stands for `asked`, what a request asks for; of
 * that, DNS names and IP addresses only are allowed. Nothing comes twice.
 * Returns false, told in `why`.
 */
bool san_parse(struct der *d, struct text list, struct bytes asked, struct out *why);

/* As text; names of other kinds by their kind: "email:...", "URI:...", "other". */
void san_put(struct out *o, struct bytes names);

/* Null, or why these could not stand in a certificate of ours. */
const char *san_check(struct bytes names);

#endif
