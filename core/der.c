/* SPDX-License-Identifier: MIT */
/* DER, read forwards and written backwards: see der.h. */
#include "der.h"

#include <string.h>

#include "date.h"

struct der_in
der_open(struct bytes b)
{
	/* An empty span may have no address, to which not even 0 may be added. */
	return (struct der_in){ .at = b.at, .end = b.len > 0 ? b.at + b.len : b.at };
}

unsigned
der_peek(const struct der_in *d)
{
	return d->bad || d->at == d->end ? 0 : d->at[0];
}

static struct bytes
refuse(struct der_in *d)
{
	d->bad = true;
	return (struct bytes){ d->end, 0 };
}

struct bytes
der_take(struct der_in *d, unsigned tag)
{
	const uint8_t *at = d->at;
	size_t left = (size_t)(d->end - at);
	size_t len, count;

	/* A tag of 0 would be the end of an indefinite length; 31 stands for a longer tag. */
	if (d->bad || left < 2 || at[0] != tag || tag == 0 || (tag & 0x1F) == 0x1F) {
		return refuse(d);
	}
	len = at[1];
	at += 2;
	left -= 2;
	if (len >= 0x80) {
		count = len & 0x7F;
		if (count == 0 || count > 4 || count > left || at[0] == 0) {
			return refuse(d);
		}
		left -= count;
		for (len = 0; count > 0; count--) {
			len = len << 8 | *at++;
		}
		if (len < 0x80) {
			return refuse(d);
		}
	}
	if (len > left) {
		return refuse(d);
	}
	d->at = at + len;
	return (struct bytes){ at, len };
}

struct bytes
der_take_whole(struct der_in *d, unsigned tag)
{
	const uint8_t *from = d->at;

	(void)der_take(d, tag);
	return d->bad ? refuse(d) : (struct bytes){ from, (size_t)(d->at - from) };
}

void
der_skip(struct der_in *d, unsigned tag)
{
	if (der_peek(d) == tag) {
		(void)der_take(d, tag);
	}
}

struct der_in
der_enter(struct der_in *d, unsigned tag)
{
	struct der_in inner = der_open(der_take(d, tag));

	inner.bad = d->bad;
	return inner;
}

void
der_leave(struct der_in *d, const struct der_in *inner)
{
	if (!der_is_done(inner)) {
		d->bad = true;
	}
}

bool
der_is_done(const struct der_in *d)
{
	return !d->bad && d->at == d->end;
}

struct bytes
der_take_unsigned(struct der_in *d)
{
	struct bytes b = der_take(d, DER_INTEGER);

	if (b.len == 0 || b.at[0] >= 0x80 || (b.len > 1 && b.at[0] == 0 && b.at[1] < 0x80)) {
		return refuse(d);
	}
	if (b.len > 1 && b.at[0] == 0) {
		b.at++;
		b.len--;
	}
	return b;
}

uint32_t
der_take_number(struct der_in *d, uint32_t max)
{
	struct bytes b = der_take_unsigned(d);
	uint32_t n = 0;

	for (size_t i = 0; i < b.len && i < sizeof n; i++) {
		n = n << 8 | b.at[i];
	}
	if (b.len > sizeof n || n > max) {
		(void)refuse(d);
		return 0;
	}
	return n;
}

bool
der_take_boolean(struct der_in *d)
{
	struct bytes b = der_take(d, DER_BOOLEAN);

	if (b.len != 1 || (b.at[0] != 0 && b.at[0] != 0xFF)) {
		b = refuse(d);
	}
	return b.len > 0 && b.at[0] != 0;
}

struct bytes
der_take_bits(struct der_in *d)
{
	struct bytes b = der_take(d, DER_BIT_STRING);

	if (b.len == 0 || b.at[0] != 0) {
		return refuse(d);
	}
	return (struct bytes){ b.at + 1, b.len - 1 };
}

int64_t
der_take_time(struct der_in *d)
{
	bool utc = der_peek(d) == DER_UTC_TIME;
	struct bytes b = der_take(d, utc ? DER_UTC_TIME : DER_GENERAL_TIME);
	char given[15];
	size_t skip = utc ? 2 : 0;
	int64_t time_s;

	if (b.len != sizeof given - skip) {
		(void)refuse(d);
		return 0;
	}
	memcpy(given, b.at[0] >= '5' ? "19" : "20", 2);
	memcpy(given + skip, b.at, b.len);
	if (given[14] != 'Z' || !date_parse((struct text){ given, 14 }, &time_s)) {
		(void)refuse(d);
		return 0;
	}
	return time_s;
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

void
der_start(struct der *d, uint8_t *buffer, size_t cap)
{
	*d = (struct der){ .start = buffer, .at = buffer + cap, .end = buffer + cap };
}

void
der_put(struct der *d, const void *src, size_t len)
{
	if (d->cut || len > (size_t)(d->at - d->start)) {
		d->cut = true;
		return;
	}
	if (len > 0) {
		d->at -= len;
		memcpy(d->at, src, len);
	}
}

void
der_wrap(struct der *d, unsigned tag, const uint8_t *until)
{
	size_t len = (size_t)(until - d->at);
	uint8_t header[2 + sizeof len];
	size_t at = sizeof header;

	if (len < 0x80) {
		header[--at] = (uint8_t)len;
	} else {
		for (; len > 0; len >>= 8) {
			header[--at] = (uint8_t)len;
		}
		len = sizeof header - at;
		header[--at] = (uint8_t)(0x80 | len);
	}
	header[--at] = (uint8_t)tag;
	der_put(d, header + at, sizeof header - at);
}

void
der_element(struct der *d, unsigned tag, const void *src, size_t len)
{
	const uint8_t *until = d->at;

	der_put(d, src, len);
	der_wrap(d, tag, until);
}

void
der_unsigned(struct der *d, const uint8_t *src, size_t len)
{
	const uint8_t *until = d->at;

	while (len > 1 && src[0] == 0) {
		src++;
		len--;
	}
	der_put(d, src, len);
	if (len == 0 || (src[0] & 0x80) != 0) {
		der_put(d, "", 1);
	}
	der_wrap(d, DER_INTEGER, until);
}

void
der_time(struct der *d, int64_t time_s)
{
	char digits[16];
	struct out o = OUT(digits);
	bool utc;
	size_t skip;

	date_put(&o, time_s);
	out_char(&o, 'Z');
	utc = memcmp(digits, "1950", 4) >= 0 && memcmp(digits, "2050", 4) < 0;
	skip = utc ? 2 : 0;
	der_element(d, utc ? DER_UTC_TIME : DER_GENERAL_TIME, digits + skip, o.len - skip);
}
