/* SPDX-License-Identifier: MIT */
/*
 * Writing DER (ITU-T X.690), from the end of a buffer towards its start: contents are
 * written before their headers, so that each length is known when its header is written
 * and nothing is moved. What stands last in the result is written first.
 */
#ifndef DER_H
#define DER_H

#include "text.h"

enum der_tag {
	DER_BOOLEAN      = 0x01,
	DER_INTEGER      = 0x02,
	DER_BIT_STRING   = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID          = 0x06,
	DER_UTF8_STRING  = 0x0C,
	DER_UTC_TIME     = 0x17,
	DER_GENERAL_TIME = 0x18,
	DER_SEQUENCE     = 0x30,
	DER_SET          = 0x31,
};

/* A context-specific tag, primitive or constructed. */
#define DER_CONTEXT(n)     (0x80 | (n))
#define DER_CONSTRUCTED(n) (0xA0 | (n))

struct der {
	uint8_t *start;  /* of the buffer */
	uint8_t *at;     /* what is written reaches from here to the end */
	uint8_t *end;
	bool     cut;    /* sticky: something did not fit */
};

void der_start(struct der *d, uint8_t *buffer, size_t cap);

/* Bytes as they are. */
void der_put(struct der *d, const void *src, size_t len);

/* A header for all that was written since `d->at` was `until`. */
void der_wrap(struct der *d, unsigned tag, const uint8_t *until);

/* A whole element with the given contents. */
void der_element(struct der *d, unsigned tag, const void *src, size_t len);

/* INTEGER of an unsigned big-endian number: leading zeros are dropped, one added for the sign. */
void der_unsigned(struct der *d, const uint8_t *src, size_t len);

/* UTCTime or GeneralizedTime, whichever RFC 5280 section 4.1.2.5 demands for the year. */
void der_time(struct der *d, int64_t time_s);

#endif
