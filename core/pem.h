/* SPDX-License-Identifier: MIT */
/*
 * PEM (RFC 7468) and plain DER, taken in as they arrive; and PEM written. What is taken in
 * stands one after another in a buffer, each object as its length (2 bytes, little-endian)
 * and its DER: the form that certificate chains have everywhere in the program
 * (x509_chain_next()).
 */
#ifndef PEM_H
#define PEM_H

#include "text.h"

#define PEM_CERTIFICATE "CERTIFICATE"
#define PEM_PRIVATE_KEY "PRIVATE KEY"
#define PEM_REQUEST     "CERTIFICATE REQUEST"

struct pem {
	const char *label;
	uint8_t *dst;
	size_t   cap;
	size_t   len;
	uint8_t  count;     /* objects taken */
	int      err;       /* sticky */
	bool     is_der;    /* it began as DER does: no PEM, all of it is one object */
	bool     is_begun;
	bool     is_taking; /* within an object that is wanted */
	size_t   object_at; /* where its length stands */
	uint32_t quad;      /* what the digits so far stand for, of four that make three bytes */
	uint8_t  quad_len;
	uint8_t  padding;   /* of them, how many are "=" */
	uint8_t  line_len;
	char     line[48];  /* how the line begins: enough for every boundary that matters */
};

/*
 * Begin. Objects with this label are taken, others and all text around them are left out;
 * with PEM_PRIVATE_KEY also "EC PRIVATE KEY" and "RSA PRIVATE KEY". An "ENCRYPTED PRIVATE
 * KEY" is an error, CUB_E_DENIED, and so is one that is encrypted in the older way (RFC 1421).
 */
void pem_start(struct pem *p, const char *label, uint8_t *dst, size_t cap);

/* The next bytes, any number of them, also none. */
void pem_feed(struct pem *p, const void *src, size_t len);

/*
 * All has come.
 *
 * Returns CUB_OK       at least one object was taken: `count`, and `len` bytes at `dst`;
 *         CUB_E_NOENT  there was none;
 *         CUB_E_BAD    broken PEM, or an object that has no end;
 *         CUB_E_LIMIT  they do not fit;
 *         CUB_E_DENIED it is encrypted.
 */
int pem_end(struct pem *p);

/* One object as PEM, line by line: each piece that goes to `o` is at most a line. */
void pem_put(struct out *o, const char *label, const uint8_t *der, size_t len);

#endif
