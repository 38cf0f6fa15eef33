/* SPDX-License-Identifier: MIT */
/*
 * Certificate requests (PKCS#10, RFC 2986), read with suspicion: all of one is looked at before
 * anything of it is used.
 */
#ifndef CSR_H
#define CSR_H

#include "extension.h"

/* The spans lie within its DER. */
struct csr {
	struct bytes subject;       /* Name, whole: each of its values printable and bounded */
	struct bytes public_key;    /* SubjectPublicKeyInfo, whole */
	struct key_public key;
	struct extensions asked;    /* what it would like to have in its certificate */
	bool is_signed;             /* by the key that is in it */
};

/*
 * Read a request and check it: DER, nothing before or after it; its own signature (ECDSA or RSA
 * PKCS#1 v1.5, with SHA-256, 384 or 512), so that whoever asks holds the key; kind and size of
 * the key; names. Returns null, or what is wrong with it: then as much as could be read is in
 * `csr`, only to be shown, and the rest of it is empty.
 */
const char *csr_read(struct bytes der, struct csr *csr);

/*
 * Is a Name fit to be signed? Not empty, known attributes, each once, printable UTF-8 of the
 * lengths in RFC 5280 appendix A. Returns null, or what is wrong with it.
 */
const char *csr_check_name(struct bytes name);

#endif
