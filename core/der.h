/* SPDX-License-Identifier: MIT */
/*
 * DER (ITU-T X.690), read and written.
 *
 * A reader goes forward over the elements of a buffer. It is strict: anything but the one
 * DER encoding makes it bad, for good, and so does an element that was not asked for. What is
 * taken from a bad reader is empty. So a whole structure is taken, and then asked once.
 *
 * A writer goes from the end of a buffer towards its start: contents are written before
 * their headers, so that each length is known when its header is written and nothing is
 * moved. What stands last in the result is written first.
 */
#ifndef DER_H
#define DER_H

#include "text.h"

enum der_tag {
	DER_BOOLEAN      = 0x01,
	DER_INTEGER      = 0x02,
	DER_BIT_STRING   = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL         = 0x05,
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

/* A span of somebody else's bytes. */
struct bytes {
	const uint8_t *at;
	size_t         len;
};

struct der_in {
	const uint8_t *at;
	const uint8_t *end;
	bool           bad;
};

struct der_in der_open(struct bytes b);

/* The tag of the next element; 0 at the end, or if the reader is bad. */
unsigned der_peek(const struct der_in *d);

/* The next element, which must have this tag: its contents, or with its header. */
struct bytes der_take(struct der_in *d, unsigned tag);
struct bytes der_take_whole(struct der_in *d, unsigned tag);

/* Go on behind the next element if it has this tag: it may be left out. */
void der_skip(struct der_in *d, unsigned tag);

/*
 * A reader over the next element's contents; `d` goes on behind it. When it has been read,
 * leave: `d` becomes bad where `inner` is, or where something is left over in it.
 */
struct der_in der_enter(struct der_in *d, unsigned tag);
void der_leave(struct der_in *d, const struct der_in *inner);

/* Has all been read, and was all of it good? */
bool der_is_done(const struct der_in *d);

/* INTEGER from 0 up: its bytes, without the zero that may stand before them for the sign. */
struct bytes der_take_unsigned(struct der_in *d);

/* INTEGER from 0 to `max`. */
uint32_t der_take_number(struct der_in *d, uint32_t max);

/* BOOLEAN. */
bool der_take_boolean(struct der_in *d);

/* BIT STRING of whole bytes. */
struct bytes der_take_bits(struct der_in *d);

/*
 * UTCTime or GeneralizedTime, in the one form that RFC 5280 section 4.1.2.5 allows: a date that
 * exists, to the second, in UTC. A GeneralizedTime may have any year.
 */
int64_t der_take_time(struct der_in *d);

bool bytes_equal(struct bytes a, struct bytes b);

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
