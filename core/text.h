/* SPDX-License-Identifier: MIT */
/*
 * Spans of text, and bounded text under construction. Everything is bytes: no locale,
 * and only ASCII letters have a case.
 */
#ifndef TEXT_H
#define TEXT_H

#include "cubftpd.h"

/* A span of somebody else's bytes, not NUL-terminated. */
struct text {
	const char *at;
	size_t      len;
};

/* The span of a NUL-terminated string. */
struct text text_of(const char *string);

/* Equal to a string, letter case of ASCII aside. */
bool text_is(struct text t, const char *word);

/* Equal to another, letter case of ASCII aside. */
bool text_equal(struct text a, struct text b);

/* Equal to a string, byte for byte. */
bool text_same(struct text t, const char *string);
bool string_same(const char *a, const char *b);

/* Without spaces and tabs at both ends. */
struct text text_trim(struct text t);

/*
 * Cut off what stands before the first `separator`. `*rest` keeps what follows it, and is
 * empty with `at` null where there is none.
 */
struct text text_cut(struct text *rest, char separator);

/*
 * A decimal number that is all of the text, from 0 to `max`.
 * Returns false where it is anything else; then `*out` is unchanged.
 */
bool text_number(struct text t, uint64_t max, uint64_t *out);

/* A mode as chmod(1) has it, without special bits: 3 octal digits, or 4 that begin with 0. */
bool text_mode(struct text t, uint16_t *mode);

/* Copy into `dst` of `cap` bytes with a NUL. Returns false, nothing copied, if it is too long. */
bool text_copy(struct text t, char *dst, size_t cap);

/* Valid UTF-8 (RFC 3629) without control characters (also not DEL and U+0080 to U+009F). */
bool text_is_printable(struct text t);

/*
 * Printable, and each of its characters can be seen: none of those that only turn or hide
 * others, take no ink, or mark a variant.
 */
bool text_is_plain(struct text t);

char text_upper(char c);

/* An empty `struct out` over an array. */
#define OUT(array) ((struct out){ .at = (array), .cap = sizeof(array) })

void out_put(struct out *o, const void *src, size_t len);
void out_char(struct out *o, char c);
void out_text(struct out *o, struct text t);
void out_string(struct out *o, const char *string);
void out_number(struct out *o, uint64_t n);

/* At least `width` digits, filled up with zeros. */
void out_digits(struct out *o, uint64_t n, unsigned width);

/* Two lower-case digits a byte. */
void out_hex(struct out *o, const uint8_t *src, size_t len);

/* For a log: what is not printable ASCII, and '\', `"` and '=', as \xNN. */
void out_escaped(struct out *o, struct text t);

/* The inside of a JSON string (RFC 8259 section 7); the text is UTF-8. */
void out_json(struct out *o, struct text t);

/* End it with a NUL, in place of its last byte if it is full, and give it as a string. */
const char *out_finish(struct out *o);

/* What has been written so far. */
struct text out_so_far(const struct out *o);

/* Numbers as bytes, of which the lowest comes first; at most 8 of them. */
uint64_t little_get(const uint8_t *src, size_t len);
void little_put(uint8_t *dst, size_t len, uint64_t n);

/* Set all bytes to zero in a way that the compiler can't leave out: for secrets. */
void wipe(void *secret, size_t len);

#endif
