/* SPDX-License-Identifier: MIT */
/*
 * Does a chain of certificates hold (RFC 5280 section 6.1)? Signatures, names, CA flags, path
 * lengths, key usage, critical extensions, dates. Names are compared byte for byte.
 *
 * It is our own check, on what x509_read() reads, and not BearSSL's engine: that one has a
 * parser of its own beside ours (7 KB of flash), does not look at extendedKeyUsage, and tells
 * neither which anchor it was nor whether dates would have been in the way.
 */
#ifndef VERIFY_H
#define VERIFY_H

#include "x509.h"

/* A CA that is believed. */
struct verify_anchor {
	struct bytes name;        /* its subject, whole */
	br_x509_pkey key;
	int32_t path_length;      /* how many CAs may stand below it; -1: any number */
	int64_t until_s;
};

/*
 * Verify a chain (see x509_chain_next()), the end entity's certificate first, up to one of the
 * anchors. Where a certificate of it says what it is for, it must be for the purpose,
 * X509_FOR_CLIENTS or X509_FOR_SERVERS: what a CA has signed for one device lets nobody in at
 * another. (0: its use is not looked at.) What stands in the chain behind the certificate that
 * an anchor has signed is not looked at. Of several anchors that have signed it, which are the
 * certificates of one CA, the one counts that is valid longest.
 *
 * `time_s` is now; where `is_clock_wrong`, dates are not held against the clock: they only
 * have to fit each other, and `*is_date_off` tells whether they would have been refused at
 * `time_s`.
 *
 * Returns null (it holds), or what is wrong, for people. `*which` is the anchor that signed
 * it: it is set only then.
 */
const char *verify_chain(struct bytes chain, unsigned purpose,
	const struct verify_anchor *anchors, size_t anchor_count, int64_t time_s, bool is_clock_wrong,
	bool *is_date_off, size_t *which);

/*
 * Does a chain that a device would send hold in itself: each certificate signed by the next
 * one, the device's own first? One alone always does. Dates are not looked at.
 * Returns as above.
 */
const char *verify_order(struct bytes chain);

#endif
