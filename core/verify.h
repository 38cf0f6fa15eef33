/* SPDX-License-Identifier: MIT */
/*
 * Does a chain of certificates hold? By BearSSL's X.509 engine (br_x509_minimal): signatures,
 * names, CA flags, path lengths, key usage, dates.
 */
#ifndef VERIFY_H
#define VERIFY_H

#include "x509.h"

/*
 * Verify a chain (see x509_chain_next()), the end entity first, up to one of the anchors. What
 * stands in it behind the certificate that an anchor has signed is not looked at.
 *
 * `time_s` is now; where `is_clock_wrong`, dates are not held against the clock: they only
 * have to fit each other, and `*is_date_off` tells whether they would have been refused at
 * `time_s`. `scratch` is the engine's memory.
 *
 * Returns null (it holds), or what is wrong, for people. `*which` is the anchor that signed
 * it: it is set only then.
 */
const char *verify_chain(br_x509_minimal_context *scratch, struct bytes chain,
	const br_x509_trust_anchor *anchors, size_t anchor_count,
	int64_t time_s, bool is_clock_wrong, bool *is_date_off, size_t *which);

/*
 * Does a chain that a device would send hold in itself: each certificate signed by the next
 * one, the device's own first? One alone always does. Dates are not looked at.
 * Returns as above.
 */
const char *verify_order(br_x509_minimal_context *scratch, struct bytes chain);

#endif
