/* SPDX-License-Identifier: MIT */
/* A DER writer that works backwards: see der.h. */
#include "der.h"

#include <string.h>

#include "date.h"

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
	struct date date = date_of(time_s);
	char digits[16];
	struct out o = OUT(digits);
	bool utc = date.year >= 1950 && date.year < 2050;
	size_t skip = utc ? 2 : 0;

	date_put(&o, time_s);
	out_char(&o, 'Z');
	der_element(d, utc ? DER_UTC_TIME : DER_GENERAL_TIME, digits + skip, o.len - skip);
}
