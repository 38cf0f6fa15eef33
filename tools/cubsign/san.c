/* SPDX-License-Identifier: MIT */
/* Subject alternative names as text and as DER: see san.h. */
#include "san.h"

#include <string.h>

#include "addr.h"
#include "tell.h"
#include "x509.h"

#define DNS_MAX 253  /* bytes of a host name: RFC 1035 section 2.3.4, as text */

/* GeneralName (RFC 5280 section 4.2.1.6): the kinds that are looked into. */
enum { NAME_EMAIL = DER_CONTEXT(1), NAME_DNS = DER_CONTEXT(2), NAME_DIRECTORY = DER_CONSTRUCTED(4),
	NAME_URI = DER_CONTEXT(6), NAME_IP = DER_CONTEXT(7) };

/* Where there are no names they have no address either. */
static struct der_in
open_names(struct bytes names)
{
	static const uint8_t nowhere[1];

	return der_open(names.len > 0 ? names : (struct bytes){ nowhere, 0 });
}

static struct text
text_in(struct bytes b)
{
	return (struct text){ (const char *)b.at, b.len };
}

/* "192.0.2.17", "2001:db8::17": no brackets, no port. */
static bool
parse_ip(struct text t, struct port_addr *addr)
{
	char text[64];
	struct out o = OUT(text);
	bool is_6 = t.len > 0 && memchr(t.at, ':', t.len) != NULL;

	out_string(&o, is_6 ? "[" : "");
	out_text(&o, t);
	out_string(&o, is_6 ? "]:1" : ":1");
	return !o.cut && addr_parse(out_so_far(&o), addr);
}

static const char *
check_dns(struct text name)
{
	struct port_addr addr;

	if (name.len > 0 && memchr(name.at, '*', name.len) != NULL) {
		return "a name with a wildcard would fit other devices, too";
	}
	if (parse_ip(name, &addr)) {
		return "an address is written IP:ADDRESS";
	}
	if (name.len > DNS_MAX) {
		return "a host name has at most 253 characters";
	}
	return x509_is_host_name(name) ? NULL
		: "a host name is made of letters, digits, '-' between them, and '.' between its parts";
}

const char *
san_check(struct bytes names)
{
	struct der_in d = open_names(names);
	const char *why = NULL;

	while (why == NULL && der_peek(&d) != 0) {
		unsigned kind = der_peek(&d);
		struct bytes name = der_take(&d, kind);

		if (kind == NAME_DNS) {
			why = check_dns(text_in(name));
		} else if (kind != NAME_IP) {
			why = "only host names and IP addresses can be signed";
		} else if (name.len != 4 && name.len != 16) {
			why = "an IP address has 4 or 16 bytes";
		}
	}
	if (why == NULL && !der_is_done(&d)) {
		why = "the names are not well-formed";
	}
	return why == NULL && names.len > SAN_MAX ? "there are too many names" : why;
}

/* The same name: of hosts, letter case aside. */
static bool
is_same(unsigned kind, struct bytes a, struct bytes b)
{
	return kind == NAME_DNS ? text_equal(text_in(a), text_in(b)) : bytes_equal(a, b);
}

/* Add a name behind the others, in `o`, unless it is among them. */
static void
add(struct out *o, unsigned kind, struct bytes name)
{
	struct der_in there = der_open((struct bytes){ (uint8_t *)o->at, o->len });
	uint8_t buffer[DNS_MAX + 3];
	struct der one;

	while (der_peek(&there) != 0) {
		unsigned other = der_peek(&there);

		if (is_same(kind, der_take(&there, other), name) && other == kind) {
			return;
		}
	}
	der_start(&one, buffer, sizeof buffer);
	der_element(&one, kind, name.at, name.len);
	out_put(o, one.at, (size_t)(one.end - one.at));
	o->cut = o->cut || one.cut;
}

static const char *
add_asked(struct out *o, struct bytes asked)
{
	struct der_in d = open_names(asked);
	const char *why = san_check(asked);

	while (why == NULL && der_peek(&d) != 0) {
		unsigned kind = der_peek(&d);

		add(o, kind, der_take(&d, kind));
	}
	return why;
}

static const char *
add_item(struct out *o, struct text item, struct bytes asked)
{
	struct text value = item, kind = text_trim(text_cut(&value, ':'));
	struct port_addr addr;
	const char *why;

	if (item.len == 0) {
		return "there is an empty name in the list";
	}
	if (text_is(item, "request")) {
		return add_asked(o, asked);
	}
	value = text_trim(value);
	if (text_is(kind, "DNS")) {
		why = check_dns(value);
		if (why == NULL) {
			add(o, NAME_DNS, (struct bytes){ (const uint8_t *)value.at, value.len });
		}
		return why;
	}
	if (text_is(kind, "IP")) {
		if (!parse_ip(value, &addr)) {
			return "that is no IP address";
		}
		add(o, NAME_IP, (struct bytes){ addr.ip, addr.family == 4 ? 4 : 16 });
		return NULL;
	}
	return "a name is written DNS:NAME or IP:ADDRESS, or is the word request";
}

bool
san_parse(struct der *d, struct text list, struct bytes asked, struct out *why)
{
	uint8_t names[SAN_MAX];
	struct out o = { .at = (char *)names, .cap = sizeof names };
	struct text rest = list;

	do {
		struct text item = text_trim(text_cut(&rest, ','));
		const char *problem = add_item(&o, item, asked);

		if (problem == NULL && o.cut) {
			problem = "there are too many names";
		}
		if (problem != NULL) {
			out_escaped(why, item);
			out_string(why, item.len > 0 ? ": " : "");
			return tell(why, problem);
		}
	} while (rest.at != NULL);
	der_put(d, names, o.len);
	return true;
}

/* Nothing in it ends the name, or begins another one. */
static void
put_text(struct out *o, struct bytes name)
{
	struct text rest = text_in(name);

	do {
		out_escaped(o, text_cut(&rest, ','));
		out_string(o, rest.at != NULL ? "\\x2c" : "");
	} while (rest.at != NULL);
}

static void
put_ip(struct out *o, struct bytes ip)
{
	struct port_addr addr = { .family = ip.len == 4 ? 4 : 6 };

	if (ip.len == 4 || ip.len == 16) {
		memcpy(addr.ip, ip.at, ip.len);
		addr_put_ip(o, &addr);
	} else {
		out_hex(o, ip.at, ip.len);
	}
}

void
san_put(struct out *o, struct bytes names)
{
	struct der_in d = open_names(names);
	const char *between = "";

	while (der_peek(&d) != 0) {
		unsigned kind = der_peek(&d);
		struct bytes name = der_take(&d, kind);

		out_string(o, between);
		between = ",";
		switch (kind) {
		case NAME_DNS:
			out_string(o, "DNS:");
			put_text(o, name);
			break;
		case NAME_IP:
			out_string(o, "IP:");
			put_ip(o, name);
			break;
		case NAME_EMAIL:
		case NAME_URI:
			out_string(o, kind == NAME_URI ? "URI:" : "email:");
			put_text(o, name);
			break;
		default:
			out_string(o, kind == NAME_DIRECTORY ? "directory" : "other");
		}
	}
}
