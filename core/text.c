/* SPDX-License-Identifier: MIT */
/* Spans of text and bounded output: see text.h. Calls nothing but string.h. */
#include "text.h"

#include <string.h>

struct text
text_of(const char *string)
{
	return (struct text){ string, strlen(string) };
}

char
text_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool
text_equal(struct text a, struct text b)
{
	size_t i = 0;

	while (i < a.len && i < b.len && text_upper(a.at[i]) == text_upper(b.at[i])) {
		i++;
	}
	return i == a.len && i == b.len;
}

bool
text_is(struct text t, const char *word)
{
	return text_equal(t, text_of(word));
}

bool
text_same(struct text t, const char *string)
{
	return t.len == strlen(string) && (t.len == 0 || memcmp(t.at, string, t.len) == 0);
}

bool
string_same(const char *a, const char *b)
{
	return text_same(text_of(a), b);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct text
text_trim(struct text t)
{
	while (t.len > 0 && is_blank(t.at[0])) {
		t.at++;
		t.len--;
	}
	while (t.len > 0 && is_blank(t.at[t.len - 1])) {
		t.len--;
	}
	return t;
}

struct text
text_cut(struct text *rest, char separator)
{
	struct text part = *rest;
	const char *found = rest->len > 0 ? memchr(rest->at, separator, rest->len) : NULL;

	if (found == NULL) {
		*rest = (struct text){ NULL, 0 };
		return part;
	}
	part.len = (size_t)(found - part.at);
	rest->at = found + 1;
	rest->len -= part.len + 1;
	return part;
}

bool
text_number(struct text t, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (t.len == 0) {
		return false;
	}
	for (size_t i = 0; i < t.len; i++) {
		unsigned digit = (unsigned)(unsigned char)t.at[i] - '0';

		if (digit > 9 || n > UINT64_MAX / 10) {
			return false;
		}
		n *= 10;
		if (n > max || digit > max - n) {
			return false;
		}
		n += digit;
	}
	*out = n;
	return true;
}

bool
text_mode(struct text t, uint16_t *mode)
{
	unsigned n = 0;

	for (size_t i = 0; i < t.len; i++) {
		unsigned digit = (unsigned char)t.at[i] - (unsigned)'0';

		if (digit > 7 || n > 0777 >> 3) {
			return false;
		}
		n = n << 3 | digit;
	}
	if (t.len != 3 && t.len != 4) {
		return false;
	}
	*mode = (uint16_t)n;
	return true;
}

bool
text_copy(struct text t, char *dst, size_t cap)
{
	if (t.len >= cap) {
		return false;
	}
	if (t.len > 0) {
		memcpy(dst, t.at, t.len);
	}
	dst[t.len] = '\0';
	return true;
}

/*
 * The length of the well-formed UTF-8 sequence at `s`, or 0. Its code goes to `*code`; that may
 * be a surrogate, which no text has.
 */
static size_t
utf8_length(const unsigned char *s, size_t left, uint32_t *code)
{
	static const uint8_t bits[] = { 0, 0, 7, 11, 16 };  /* that shorter ones have room for */
	size_t len;

	if (s[0] < 0x80) {
		*code = s[0];
		return 1;
	}
	len = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
	if (s[0] < 0xC2 || s[0] > 0xF4 || len > left) {
		return 0;
	}
	*code = s[0] & (0x7Fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xC0) != 0x80) {
			return 0;
		}
		*code = *code << 6 | (s[i] & 0x3Fu);
	}
	return *code >> bits[len] == 0 || *code > 0x10FFFF ? 0 : len;
}

/* A range of characters, as its first one and how many follow. */
#define RANGE(first, last) (UINT32_C(first) << 11 | ((last) - (first)))

/*
 * Controls and surrogates first; then what takes no ink of its own, or turns or hides what is
 * around it.
 */
static const uint32_t unplain[] = {
	RANGE(0x00, 0x1F), RANGE(0x7F, 0x9F), RANGE(0xD800, 0xDFFF),
#define UNPRINTABLE 3
	RANGE(0xAD, 0xAD),          /* a hyphen that is only shown at the end of a line */
	RANGE(0x34F, 0x34F),        /* joins what is around it */
	RANGE(0x61C, 0x61C),        /* turns the direction of what follows */
	RANGE(0x115F, 0x1160), RANGE(0x17B4, 0x17B5),  /* letters without ink */
	RANGE(0x180B, 0x180F),      /* variants of what stands before, a space without width */
	RANGE(0x200B, 0x200F),      /* without width, or turning */
	RANGE(0x2028, 0x202F),      /* ends of lines, turning, a narrow space */
	RANGE(0x2060, 0x206F),      /* without width, or turning */
	RANGE(0x3164, 0x3164),      /* a letter without ink */
	RANGE(0xFE00, 0xFE0F),      /* variants */
	RANGE(0xFEFF, 0xFEFF),      /* a space without width */
	RANGE(0xFFA0, 0xFFA0),      /* a letter without ink */
	RANGE(0xFFF0, 0xFFFB),      /* annotations */
	RANGE(0xE0000, 0xE07FF), RANGE(0xE0800, 0xE0FFF),  /* tags and variants */
};

/* Is it UTF-8 without the first `count` of these ranges? */
static bool
is_without(const char *at, size_t len, size_t count)
{
	const unsigned char *s = (const unsigned char *)at;
	uint32_t code = 0;

	for (size_t i = 0, step; i < len; i += step) {
		step = utf8_length(s + i, len - i, &code);
		if (step == 0) {
			return false;
		}
		for (size_t k = 0; k < count; k++) {
			if (code - (unplain[k] >> 11) <= (unplain[k] & 0x7FF)) {
				return false;
			}
		}
	}
	return true;
}

bool
text_is_printable(struct text t)
{
	return is_without(t.at, t.len, UNPRINTABLE);
}

bool
text_is_plain(struct text t)
{
	return is_without(t.at, t.len, sizeof unplain / sizeof unplain[0]);
}

void
out_put(struct out *o, const void *src, size_t len)
{
	size_t skipped = len < o->skip ? len : o->skip;

	o->skip -= skipped;
	len -= skipped;
	if (o->cut || len > o->cap - o->len) {
		o->cut = true;
		return;
	}
	if (len > 0) {
		memcpy(o->at + o->len, (const char *)src + skipped, len);
	}
	o->len += len;
}

void
out_char(struct out *o, char c)
{
	out_put(o, &c, 1);
}

void
out_text(struct out *o, struct text t)
{
	out_put(o, t.at, t.len);
}

void
out_string(struct out *o, const char *string)
{
	out_put(o, string, strlen(string));
}

void
out_digits(struct out *o, uint64_t n, unsigned width)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0 || (sizeof digits - at < width && at > 0));
	out_put(o, digits + at, sizeof digits - at);
}

void
out_number(struct out *o, uint64_t n)
{
	out_digits(o, n, 1);
}

static void
put_hex_byte(struct out *o, uint8_t byte)
{
	static const char digit[] = "0123456789abcdef";

	out_char(o, digit[byte >> 4]);
	out_char(o, digit[byte & 15]);
}

void
out_hex(struct out *o, const uint8_t *src, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		put_hex_byte(o, src[i]);
	}
}

void
out_escaped(struct out *o, struct text t)
{
	for (size_t i = 0; i < t.len; i++) {
		char c = t.at[i];

		if (c > ' ' && c < 0x7F && c != '\\' && c != '"' && c != '=') {
			out_char(o, c);
		} else {
			out_string(o, "\\x");
			put_hex_byte(o, (uint8_t)c);
		}
	}
}

void
out_json(struct out *o, struct text t)
{
	for (size_t i = 0; i < t.len; i++) {
		char c = t.at[i];

		if (c == '"' || c == '\\') {
			out_char(o, '\\');
			out_char(o, c);
		} else if ((unsigned char)c < ' ') {
			out_string(o, "\\u00");
			put_hex_byte(o, (uint8_t)c);
		} else {
			out_char(o, c);
		}
	}
}

const char *
out_finish(struct out *o)
{
	o->at[o->len < o->cap ? o->len : o->cap - 1] = '\0';
	return o->at;
}

struct text
out_so_far(const struct out *o)
{
	return (struct text){ o->at, o->len };
}

uint64_t
little_get(const uint8_t *src, size_t len)
{
	uint64_t n = 0;

	while (len > 0) {
		n = n << 8 | src[--len];
	}
	return n;
}

void
little_put(uint8_t *dst, size_t len, uint64_t n)
{
	for (; len > 0; len--, n >>= 8) {
		*dst++ = (uint8_t)n;
	}
}

void
wipe(void *secret, size_t len)
{
	volatile unsigned char *at = secret;

	while (len-- > 0) {
		*at++ = 0;
	}
}
