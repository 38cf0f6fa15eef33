/* SPDX-License-Identifier: MIT */
/* X.509 extensions (RFC 5280 section 4.2): of a certificate, or asked for by a request. */
#ifndef EXTENSION_H
#define EXTENSION_H

#include "x509.h"

struct extensions {
	struct x509_extensions basic;   /* what a device reads of them, by the same code */
	bool has_others;                /* some that are not known here */
	struct bytes subject_key_id;
	struct bytes authority_key_id;
	struct bytes names;             /* the inside of GeneralNames; empty: none */
};

/* Read a list, by its inside (x509_extensions.list). Returns null, or what is wrong with it. */
const char *extension_read(struct bytes list, struct extensions *e);

/* For people: "digitalSignature, keyCertSign"; "serverAuth". */
void extension_put_usage(struct out *o, const struct x509_extensions *e);
void extension_put_purposes(struct out *o, const struct x509_extensions *e);

#endif
