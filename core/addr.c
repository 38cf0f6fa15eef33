/* SPDX-License-Identifier: MIT */
/* Internet addresses to text and back: see addr.h. */
#include "addr.h"

#include <string.h>

/* So many decimal numbers below 256, and no more. */
static bool
parse_bytes(struct text t, char separator, uint8_t *bytes, int count)
{
	for (int i = 0; i < count; i++) {
		struct text part = text_cut(&t, separator);
		uint64_t byte;

		/* A zero in front means octal to some. */
		if (!text_number(part, 255, &byte) || (part.len > 1 && part.at[0] == '0')
			|| (t.at == NULL) != (i == count - 1)) {
			return false;
		}
		bytes[i] = (uint8_t)byte;
	}
	return true;
}

static bool
parse_group(struct text t, uint8_t *ip)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned group = 0;

	if (t.len == 0 || t.len > 4) {
		return false;
	}
	for (size_t i = 0; i < t.len; i++) {
		const char *digit = memchr(digits, text_upper(t.at[i]), 16);

		if (digit == NULL) {
			return false;
		}
		group = group << 4 | (unsigned)(digit - digits);
	}
	ip[0] = (uint8_t)(group >> 8);
	ip[1] = (uint8_t)group;
	return true;
}

/* RFC 4291 section 2.2: eight groups, one run of zeros left out as "::". */
static bool
parse_ipv6(struct text t, uint8_t *ip)
{
	size_t len = 0;
	size_t gap = 17;  /* where "::" stands; beyond the end if nowhere */

	if (t.len >= 2 && t.at[0] == ':' && t.at[1] == ':') {
		gap = 0;
		t = (struct text){ t.at + 2, t.len - 2 };
	}
	while (t.len > 0) {
		if (len == 16 || !parse_group(text_cut(&t, ':'), ip + len)) {
			return false;
		}
		len += 2;
		if (t.at != NULL && t.len == 0) {
			return false;  /* a single colon at the end */
		}
		if (t.len > 0 && t.at[0] == ':') {
			if (gap <= 16) {
				return false;
			}
			gap = len;
			t = (struct text){ t.at + 1, t.len - 1 };
		}
	}
	if (gap > 16) {
		return len == 16;
	}
	memmove(ip + 16 - (len - gap), ip + gap, len - gap);
	memset(ip + gap, 0, 16 - len);
	return len < 16;
}

bool
addr_parse_ip(struct text t, struct port_addr *out)
{
	bool has_colon = t.len > 0 && memchr(t.at, ':', t.len) != NULL;
	struct port_addr addr = { .family = has_colon ? 6 : 4 };

	if (!(has_colon ? parse_ipv6(t, addr.ip) : parse_bytes(t, '.', addr.ip, 4))) {
		return false;
	}
	*out = addr;
	return true;
}

static bool
parse_tcp_port(struct text t, struct port_addr *out)
{
	uint64_t n;

	if (!text_number(t, 65535, &n) || n == 0) {
		return false;
	}
	out->tcp_port = (uint16_t)n;
	return true;
}

bool
addr_parse(struct text t, struct port_addr *out)
{
	bool has_bracket = t.len > 0 && t.at[0] == '[';
	struct port_addr addr;
	struct text ip;

	if (has_bracket) {
		t = (struct text){ t.at + 1, t.len - 1 };
		ip = text_cut(&t, ']');
		if (t.len == 0 || t.at[0] != ':') {
			return false;
		}
		t = (struct text){ t.at + 1, t.len - 1 };
	} else {
		ip = text_cut(&t, ':');
	}
	if (!addr_parse_ip(ip, &addr) || (addr.family == 6) != has_bracket
		|| !parse_tcp_port(t, &addr)) {
		return false;
	}
	*out = addr;
	return true;
}

void
addr_parse_port(struct text t, struct port_addr *out)
{
	char separator = t.len > 0 ? t.at[0] : '0';
	struct port_addr addr;
	uint8_t bytes[6];
	uint64_t n;

	*out = (struct port_addr){ .family = 0 };
	if (separator >= '0' && separator <= '9') {
		if (parse_bytes(t, ',', bytes, 6)) {
			memcpy(out->ip, bytes, 4);
			out->tcp_port = (uint16_t)(bytes[4] << 8 | bytes[5]);
			out->family = 4;
		}
		return;
	}
	(void)text_cut(&t, separator);
	if (!text_number(text_cut(&t, separator), 255, &n)) {
		return;
	}
	if (n != 1 && n != 2) {
		out->family = 1;
	} else if (addr_parse_ip(text_cut(&t, separator), &addr) && addr.family == 2 * n + 2
		&& parse_tcp_port(text_cut(&t, separator), &addr) && t.at != NULL && t.len == 0) {
		*out = addr;
	}
}

static unsigned
group_of(const struct port_addr *addr, unsigned i)
{
	return (unsigned)addr->ip[2 * i] << 8 | addr->ip[2 * i + 1];
}

/* The longest run of zero groups, of at least two: `*first` and its length, or 0. */
static unsigned
longest_gap(const struct port_addr *addr, unsigned *first)
{
	unsigned best = 1;

	for (unsigned i = 0, run = 0; i < 8; i++) {
		run = group_of(addr, i) == 0 ? run + 1 : 0;
		if (run > best) {
			best = run;
			*first = i + 1 - run;
		}
	}
	return best > 1 ? best : 0;
}

static void
put_group(struct out *o, unsigned group)
{
	uint8_t bytes[2] = { (uint8_t)(group >> 8), (uint8_t)group };
	char digits[4];
	struct out hex = OUT(digits);
	size_t skip = 0;

	out_hex(&hex, bytes, sizeof bytes);
	while (skip < 3 && digits[skip] == '0') {
		skip++;
	}
	out_put(o, digits + skip, sizeof digits - skip);
}

void
addr_put_ip(struct out *o, const struct port_addr *addr)
{
	unsigned first = 8;
	unsigned gap;

	if (addr->family == 4) {
		for (int i = 0; i < 4; i++) {
			out_string(o, i > 0 ? "." : "");
			out_number(o, addr->ip[i]);
		}
		return;
	}
	gap = longest_gap(addr, &first);
	for (unsigned i = 0; i < 8; i++) {
		if (i == first) {
			out_string(o, "::");
			i += gap - 1;
			continue;
		}
		out_string(o, i > 0 && i != first + gap ? ":" : "");
		put_group(o, group_of(addr, i));
	}
}

void
addr_put(struct out *o, const struct port_addr *addr)
{
	out_string(o, addr->family == 6 ? "[" : "");
	addr_put_ip(o, addr);
	out_string(o, addr->family == 6 ? "]:" : ":");
	out_number(o, addr->tcp_port);
}

bool
addr_same_host(const struct port_addr *a, const struct port_addr *b)
{
	return a->family == b->family && a->scope == b->scope
		&& memcmp(a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}

bool
addr_same_net(const struct port_addr *a, const struct port_addr *b)
{
	return a->scope != 0 ? addr_same_host(a, b)
		: a->family == b->family && memcmp(a->ip, b->ip, a->family == 6 ? 8 : 4) == 0;
}
