/* SPDX-License-Identifier: MIT */
/* PEM, taken apart and put together line by line: see pem.h. */
#include "pem.h"

#include <string.h>

#include "der.h"

#define LINE_BYTES 48  /* of which PEM makes 64 characters */
#define DASHES     "-----"

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void
fail(struct pem *p, int err)
{
	if (p->err == CUB_OK) {
		p->err = err;
	}
}

static void
take(struct pem *p, const void *src, size_t len)
{
	if (len > p->cap - p->len) {
		fail(p, CUB_E_LIMIT);
	} else if (len > 0) {
		memcpy(p->dst + p->len, src, len);
		p->len += len;
	}
}

static void
begin_object(struct pem *p)
{
	p->is_taking = true;
	p->quad_len = 0;
	p->padding = 0;
	p->object_at = p->len;
	take(p, "\0", 2);  /* its length, when it is known */
}

static void
end_object(struct pem *p)
{
	size_t len = p->len - p->object_at - 2;

	p->is_taking = false;
	if (p->err == CUB_OK && (len == 0 || p->quad_len > 0)) {
		fail(p, CUB_E_BAD);
	} else if (len > UINT16_MAX || p->count == UINT8_MAX) {
		fail(p, CUB_E_LIMIT);
	}
	if (p->err == CUB_OK) {
		p->dst[p->object_at] = (uint8_t)len;
		p->dst[p->object_at + 1] = (uint8_t)(len >> 8);
		p->count++;
	}
}

void
pem_start(struct pem *p, const char *label, uint8_t *dst, size_t cap)
{
	*p = (struct pem){ .label = label, .dst = dst, .cap = cap };
}

static bool
is_for_keys(const struct pem *p)
{
	return string_same(p->label, PEM_PRIVATE_KEY);
}

/* Of four characters that stand for three bytes, the next one; 64 of them are digits. */
static void
take_digit(struct pem *p, char c)
{
	const char *digit = memchr(digits, c, 64);
	uint8_t three[3];

	if (c == '=' && p->quad_len >= 2) {
		p->padding++;
	} else if (digit == NULL || p->padding > 0) {
		/* The one header that means something: "Proc-Type: 4,ENCRYPTED". */
		fail(p, memcmp(p->line, "Proc-", 5) == 0 && is_for_keys(p) ? CUB_E_DENIED : CUB_E_BAD);
		return;
	}
	p->quad = p->quad << 6 | (digit != NULL ? (uint32_t)(digit - digits) : 0);
	if (++p->quad_len < 4) {
		return;
	}
	p->quad_len = 0;
	for (unsigned i = 0; i < 3; i++) {
		three[i] = (uint8_t)(p->quad >> (16 - 8 * i));
	}
	take(p, three, 3u - p->padding);
	/* What the padding stands for is zero, so that each object has one form only. */
	if ((p->quad & ((UINT32_C(1) << 8 * p->padding) - 1)) != 0) {
		fail(p, CUB_E_BAD);
	}
}

/* Is the line a boundary of this kind? Its label goes to `label`. */
static bool
is_boundary(const struct pem *p, const char *kind, struct text *label)
{
	struct text line = text_trim((struct text){ p->line, p->line_len });
	size_t kind_len = strlen(kind), dashes = sizeof DASHES - 1;

	if (line.len < kind_len + dashes || memcmp(line.at, kind, kind_len) != 0) {
		return false;
	}
	*label = (struct text){ line.at + kind_len, line.len - kind_len - dashes };
	return memcmp(label->at + label->len, DASHES, dashes) == 0;
}

/* An object begins in the text. Those that are not wanted are text, too. */
static void
look_at_label(struct pem *p, struct text label)
{
	bool is_wanted = text_same(label, p->label);

	if (is_for_keys(p)) {
		is_wanted = is_wanted || text_same(label, "EC " PEM_PRIVATE_KEY)
			|| text_same(label, "RSA " PEM_PRIVATE_KEY);
		if (text_same(label, "ENCRYPTED " PEM_PRIVATE_KEY)) {
			fail(p, CUB_E_DENIED);
		}
	}
	if (is_wanted) {
		begin_object(p);
	}
}

static void
end_line(struct pem *p)
{
	struct text label;

	if (!p->is_taking) {
		if (is_boundary(p, DASHES "BEGIN ", &label)) {
			look_at_label(p, label);
		}
	} else if (is_boundary(p, DASHES "END ", &label)) {
		end_object(p);
	} else if (p->line[0] == '-') {
		fail(p, CUB_E_BAD);
	}
	p->line_len = 0;
	p->line[0] = '\0';
}

static void
take_char(struct pem *p, char c)
{
	if (c == '\n') {
		end_line(p);
		return;
	}
	if (c == '\r' || (p->line_len == 0 && (c == ' ' || c == '\t'))) {
		return;
	}
	if (p->line_len < sizeof p->line) {
		p->line[p->line_len++] = c;
	}
	if (p->is_taking && p->line[0] != '-' && c != ' ' && c != '\t') {
		take_digit(p, c);
	}
}

void
pem_feed(struct pem *p, const void *src, size_t len)
{
	const uint8_t *at = src;

	if (len > 0 && !p->is_begun) {
		p->is_begun = true;
		p->is_der = at[0] == DER_SEQUENCE;
		if (p->is_der) {
			begin_object(p);
		}
	}
	if (p->is_der) {
		take(p, src, len);
		return;
	}
	for (size_t i = 0; i < len && p->err == CUB_OK; i++) {
		take_char(p, (char)at[i]);
	}
}

int
pem_end(struct pem *p)
{
	if (p->is_der) {
		end_object(p);
	} else {
		pem_feed(p, "\n", 1);
		if (p->is_taking) {
			fail(p, CUB_E_BAD);
		}
	}
	return p->err != CUB_OK ? p->err : p->count > 0 ? CUB_OK : CUB_E_NOENT;
}

/* Up to LINE_BYTES bytes as a line. */
static void
put_line(struct out *o, const uint8_t *src, size_t len)
{
	char line[LINE_BYTES / 3 * 4 + 1];
	size_t at = 0;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t three = (uint32_t)src[i] << 16;

		if (i + 1 < len) {
			three |= (uint32_t)src[i + 1] << 8;
		}
		if (i + 2 < len) {
			three |= src[i + 2];
		}
		for (size_t k = 0; k < 4; k++) {
			line[at++] = i + k > len ? '=' : digits[three >> (18 - 6 * k) & 63];
		}
	}
	line[at++] = '\n';
	out_put(o, line, at);
}

static void
put_boundary(struct out *o, const char *what, const char *label)
{
	out_string(o, what);
	out_string(o, label);
	out_string(o, DASHES "\n");
}

void
pem_put(struct out *o, const char *label, const uint8_t *der, size_t len)
{
	put_boundary(o, DASHES "BEGIN ", label);
	for (size_t at = 0; at < len; at += LINE_BYTES) {
		put_line(o, der + at, len - at < LINE_BYTES ? len - at : LINE_BYTES);
	}
	put_boundary(o, DASHES "END ", label);
}
