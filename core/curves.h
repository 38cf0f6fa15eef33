/* SPDX-License-Identifier: MIT */
/*
 * The elliptic curves of this build, as BearSSL wants them: P-256 and X25519, and P-384 where
 * it is built in; each by the code that this build has for it. BearSSL's own combinations
 * would bring code along for curves that are not here, at several kilobytes.
 */
#ifndef CURVES_H
#define CURVES_H

#include <bearssl.h>

extern const br_ec_impl curves;

#endif
