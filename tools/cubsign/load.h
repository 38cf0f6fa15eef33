/* SPDX-License-Identifier: MIT */
/* Certificates and requests in files, PEM or DER. */
#ifndef LOAD_H
#define LOAD_H

#include "x509.h"

#define LOAD_MAX 65536  /* bytes of a file */

/* The certificates of a file, in the form of x509_chain_next(), in `dst`. */
bool load_chain(const char *path, uint8_t *dst, size_t cap, struct bytes *chain, struct out *why);

/* The one request of a file. Also "NEW CERTIFICATE REQUEST", as some programs write. */
bool load_request(const char *path, uint8_t *dst, size_t cap, struct bytes *der, struct out *why);

/* The same of bytes that came from elsewhere. */
bool load_request_from(struct bytes file, uint8_t *dst, size_t cap, struct bytes *der,
	struct out *why);
bool load_chain_from(struct bytes file, uint8_t *dst, size_t cap, struct bytes *chain,
	struct out *why);

/* A chain as PEM, certificate after certificate. */
void load_put_chain(struct out *o, struct bytes chain);

#endif
