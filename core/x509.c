/* SPDX-License-Identifier: MIT */
/* Certificates: see x509.h. What is written stands in reverse order here: der.h works backwards. */
#include "x509.h"

#include <string.h>

#include "date.h"

static const uint8_t oid_common_name[]     = { 0x55, 0x04, 0x03 };
static const uint8_t oid_subject_key_id[]  = { 0x55, 0x1D, 0x0E };
static const uint8_t oid_subject_alt[]     = { 0x55, 0x1D, 0x11 };
static const uint8_t oid_purpose[]         = { 0x2B, 6, 1, 5, 5, 7, 3 };  /* and a byte more */
static const uint8_t oid_email[]           = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 1 };
static const uint8_t oid_request_ext[]     = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 14 };

/* Extensions by the last byte of their OID, 2.5.29.n. */
enum { ID_USAGE = 15, ID_NAMES = 17, ID_CONSTRAINTS = 19, ID_POLICIES = 32, ID_PURPOSES = 37 };

#define SPAN(array)     ((struct bytes){ (array), sizeof(array) })
#define PUT_OID(d, oid) der_element((d), DER_OID, (oid), sizeof(oid))

void
x509_write_name(struct der *d, struct text name)
{
	const uint8_t *until = d->at;

	der_element(d, DER_UTF8_STRING, name.at, name.len);
	PUT_OID(d, oid_common_name);
	der_wrap(d, DER_SEQUENCE, until);
	der_wrap(d, DER_SET, until);
	der_wrap(d, DER_SEQUENCE, until);
}

void
x509_wrap_extension(struct der *d, const uint8_t oid[3], const uint8_t *until)
{
	der_wrap(d, DER_OCTET_STRING, until);
	der_element(d, DER_OID, oid, 3);
	der_wrap(d, DER_SEQUENCE, until);
}

static bool
is_letter_or_digit(char c)
{
	c = text_upper(c);
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool
x509_is_host_name(struct text name)
{
	for (size_t i = 0, label = 0; i <= name.len; i++) {
		if (i == name.len || name.at[i] == '.') {
			if (i == label || i - label > 63 || !is_letter_or_digit(name.at[label])
				|| !is_letter_or_digit(name.at[i - 1])) {
				return false;
			}
			label = i + 1;
		} else if (!is_letter_or_digit(name.at[i]) && name.at[i] != '-') {
			return false;
		}
	}
	return true;
}

/* The extension with the name as a DNS name; nothing if it can't be one. */
static void
put_dns_name(struct der *d, struct text name)
{
	const uint8_t *until = d->at;

	if (x509_is_host_name(name)) {
		der_element(d, DER_CONTEXT(2), name.at, name.len);
		der_wrap(d, DER_SEQUENCE, until);
		x509_wrap_extension(d, oid_subject_alt, until);
	}
}

/* The extensions that are the same in each certificate: it is a server's, and no CA's. */
static const uint8_t fixed_extensions[] = {
	/* basicConstraints, critical: empty */
	DER_SEQUENCE, 12, DER_OID, 3, 0x55, 0x1D, 0x13, DER_BOOLEAN, 1, 0xFF,
		DER_OCTET_STRING, 2, DER_SEQUENCE, 0,
	/* keyUsage, critical: digitalSignature */
	DER_SEQUENCE, 14, DER_OID, 3, 0x55, 0x1D, 0x0F, DER_BOOLEAN, 1, 0xFF,
		DER_OCTET_STRING, 4, DER_BIT_STRING, 2, 7, 0x80,
	/* extKeyUsage: serverAuth */
	DER_SEQUENCE, 19, DER_OID, 3, 0x55, 0x1D, 0x25,
		DER_OCTET_STRING, 12, DER_SEQUENCE, 10, DER_OID, 8, 0x2B, 6, 1, 5, 5, 7, 3, 1,
};

static void
put_extensions(struct der *d, struct text name, const uint8_t key_hash[32])
{
	const uint8_t *all = d->at;
	const uint8_t *until;

	put_dns_name(d, name);
	until = d->at;
	/* 160 bits, as in RFC 7093 section 2. */
	der_element(d, DER_OCTET_STRING, key_hash, 20);
	x509_wrap_extension(d, oid_subject_key_id, until);
	der_put(d, fixed_extensions, sizeof fixed_extensions);
	der_wrap(d, DER_SEQUENCE, all);
	der_wrap(d, DER_CONSTRUCTED(3), all);
}

/* A positive number of 128 random bits and a fixed one before them, so that it is never short. */
static void
put_serial(struct der *d)
{
	uint8_t serial[17];

	port_random(serial, sizeof serial);
	serial[0] = 1;
	der_unsigned(d, serial, sizeof serial);
}

int
x509_sign(uint8_t *out, size_t cap, struct der *d, const struct key *key)
{
	uint8_t signature[1 + KEY_SIGNATURE_MAX];
	uint8_t hash[32];
	size_t len = (size_t)(d->end - d->at);

	if (d->cut) {
		return CUB_E_LIMIT;
	}
	x509_hash((struct bytes){ d->at, len }, hash);
	/* The signature stands after what it signs: move that to the front, build the rest behind. */
	memmove(out, d->at, len);
	der_start(d, out + len, cap - len);
	signature[0] = 0;  /* no unused bits */
	der_element(d, DER_BIT_STRING, signature, 1 + key_sign(key, hash, signature + 1));
	key_put_algorithm(d, key);
	if (d->cut) {
		return CUB_E_LIMIT;
	}
	d->at -= len;
	memmove(d->at, out, len);
	d->start = out;
	der_wrap(d, DER_SEQUENCE, d->end);
	if (d->cut) {
		return CUB_E_LIMIT;
	}
	len = (size_t)(d->end - d->at);
	memmove(out, d->at, len);
	return (int)len;
}

int
x509_self_signed(uint8_t *out, size_t cap, const struct key *key, struct text name,
	int64_t from_s)
{
	const uint8_t *until;
	uint8_t key_hash[32];
	struct der d;

	/* The extensions, which are written first, want the hash of what comes later. */
	der_start(&d, out, cap);
	key_put_public(&d, key);
	x509_hash((struct bytes){ d.at, (size_t)(d.end - d.at) }, key_hash);

	der_start(&d, out, cap);
	put_extensions(&d, name, key_hash);
	key_put_public(&d, key);
	x509_write_name(&d, name);
	until = d.at;
	der_time(&d, X509_FOREVER);
	der_time(&d, from_s);
	der_wrap(&d, DER_SEQUENCE, until);
	x509_write_name(&d, name);
	key_put_algorithm(&d, key);
	put_serial(&d);
	until = d.at;
	der_element(&d, DER_INTEGER, "\x02", 1);  /* v3 */
	der_wrap(&d, DER_CONSTRUCTED(0), until);
	der_wrap(&d, DER_SEQUENCE, d.end);
	return x509_sign(out, cap, &d, key);
}

int
x509_request(uint8_t *out, size_t cap, const struct key *key, struct text name)
{
	struct der d;

	der_start(&d, out, cap);
	put_dns_name(&d, name);
	if (d.at != d.end) {
		/* extensionRequest (RFC 2985 section 5.4.2) */
		der_wrap(&d, DER_SEQUENCE, d.end);
		der_wrap(&d, DER_SET, d.end);
		PUT_OID(&d, oid_request_ext);
		der_wrap(&d, DER_SEQUENCE, d.end);
	}
	der_wrap(&d, DER_CONSTRUCTED(0), d.end);
	key_put_public(&d, key);
	x509_write_name(&d, name);
	der_element(&d, DER_INTEGER, "", 1);  /* v1 */
	der_wrap(&d, DER_SEQUENCE, d.end);
	return x509_sign(out, cap, &d, key);
}

static void
put_attribute_type(struct out *o, struct bytes oid)
{
	static const char *const type[] = {
		[3] = "CN", [5] = "serialNumber", [6] = "C", [7] = "L", [8] = "ST", [10] = "O", [11] = "OU",
	};
	const char *name = bytes_equal(oid, SPAN(oid_email)) ? "emailAddress" : NULL;

	if (oid.len == 3 && memcmp(oid.at, oid_common_name, 2) == 0
		&& oid.at[2] < sizeof type / sizeof type[0]) {
		name = type[oid.at[2]];
	}
	out_string(o, name == NULL ? "?" : name);
}

/*
 * How many bytes the character takes that begins the text: 0 where it is none that can be
 * shown. More bytes behind it don't make it one.
 */
static size_t
shown_length(const uint8_t *at, size_t left)
{
	size_t len = 1;

	while (!text_is_plain((struct text){ (const char *)at, len })) {
		if (len == 4 || len == left) {
			return 0;
		}
		len++;
	}
	return len;
}

static void
put_attribute_value(struct out *o, struct bytes value)
{
	for (size_t i = 0, len; i < value.len; i += len) {
		const uint8_t *at = value.at + i;
		uint8_t escaped[2] = { '\\', at[0] };

		len = shown_length(at, value.len - i);
		if (len == 0) {
			len = 1;
			out_char(o, '?');
		} else if (memchr(",+=\"\\", at[0], 5) != NULL) {
			out_put(o, escaped, 2);
		} else {
			out_put(o, at, len);
		}
	}
}

/* Returns whether it is well-formed; also where there is no room for any of it. */
static bool
put_attributes(struct out *o, struct bytes name)
{
	struct der_in all = der_open(name);
	struct der_in sets = der_enter(&all, DER_SEQUENCE);
	const char *between = "";

	while (der_peek(&sets) != 0) {
		struct der_in set = der_enter(&sets, DER_SET);

		do {
			struct der_in one = der_enter(&set, DER_SEQUENCE);

			out_string(o, between);
			put_attribute_type(o, der_take(&one, DER_OID));
			out_char(o, '=');
			put_attribute_value(o, der_take(&one, der_peek(&one)));
			der_leave(&set, &one);
			between = "+";
		} while (der_peek(&set) != 0);
		between = ", ";
		der_leave(&sets, &set);
	}
	der_leave(&all, &sets);
	return der_is_done(&all);
}

void
x509_put_name(struct out *o, struct bytes name, size_t max)
{
	size_t room = o->cap - o->len;
	struct out part = { .at = o->at + o->len, .cap = max < room ? max : room, .cut = o->cut };

	(void)put_attributes(&part, name);
	o->len += part.len;
}

struct text
x509_common_name(struct bytes name)
{
	struct der_in all = der_open(name);
	struct der_in sets = der_enter(&all, DER_SEQUENCE);

	while (der_peek(&sets) != 0) {
		struct der_in set = der_enter(&sets, DER_SET);

		while (der_peek(&set) != 0) {
			struct der_in pair = der_enter(&set, DER_SEQUENCE);
			struct bytes oid = der_take(&pair, DER_OID);
			struct bytes value = der_take(&pair, der_peek(&pair));
			struct text t = { (const char *)value.at, value.len };

			if (bytes_equal(oid, SPAN(oid_common_name)) && t.len > 0 && text_is_printable(t)) {
				return t;
			}
		}
	}
	return (struct text){ NULL, 0 };
}

struct bytes
x509_take_name(struct der_in *d)
{
	struct bytes name = der_take_whole(d, DER_SEQUENCE);
	struct out none = { .cap = 0 };

	d->bad |= !put_attributes(&none, name);
	return name;
}

struct x509_extension
x509_take_extension(struct der_in *list)
{
	struct der_in one = der_enter(list, DER_SEQUENCE);
	struct x509_extension found = { .oid = der_take(&one, DER_OID) };

	found.is_critical = der_peek(&one) == DER_BOOLEAN && der_take_boolean(&one);
	found.value = der_take(&one, DER_OCTET_STRING);
	der_leave(list, &one);
	return found;
}

static void
read_constraints(struct der_in *value, struct x509_extensions *e)
{
	struct der_in fields = der_enter(value, DER_SEQUENCE);

	e->is_ca = der_peek(&fields) == DER_BOOLEAN && der_take_boolean(&fields);
	if (der_peek(&fields) == DER_INTEGER) {
		e->path_length = (int32_t)der_take_number(&fields, INT32_MAX);
	}
	der_leave(value, &fields);
}

static void
read_usage(struct der_in *value, struct x509_extensions *e)
{
	struct bytes bits = der_take(value, DER_BIT_STRING);

	/* Nine bits are defined: that is one byte of them, or two. Those that are unused are zero. */
	if (bits.len < 2 || bits.len > 3 || bits.at[0] > 7
		|| (bits.at[bits.len - 1] & ((1u << bits.at[0]) - 1)) != 0) {
		value->bad = true;
		return;
	}
	e->has_usage = true;
	e->usage = (uint16_t)(bits.at[1] << 8 | (bits.len > 2 ? bits.at[2] : 0));
}

static void
read_purposes(struct der_in *value, struct x509_extensions *e)
{
	static const uint8_t any[] = { 0x55, 0x1D, 0x25, 0 };
	struct der_in list = der_enter(value, DER_SEQUENCE);

	e->has_purposes = true;
	e->purposes = 0;
	do {
		struct bytes oid = der_take(&list, DER_OID);
		bool is_usual = oid.len == sizeof oid_purpose + 1
			&& memcmp(oid.at, oid_purpose, sizeof oid_purpose) == 0;

		e->purposes |= bytes_equal(oid, SPAN(any)) ? UINT8_MAX
			: is_usual && oid.at[sizeof oid_purpose] == 1 ? X509_FOR_SERVERS
			: is_usual && oid.at[sizeof oid_purpose] == 2 ? X509_FOR_CLIENTS : X509_FOR_OTHERS;
	} while (der_peek(&list) != 0);
	der_leave(value, &list);
}

bool
x509_read_extensions(struct bytes list, struct x509_extensions *e)
{
	struct der_in in = der_open(list);
	uint32_t seen = 0;

	*e = (struct x509_extensions){ list, .path_length = -1, .usage = UINT16_MAX,
		.purposes = UINT8_MAX };
	while (der_peek(&in) != 0) {
		struct x509_extension one = x509_take_extension(&in);
		struct der_in value = der_open(one.value);
		unsigned id = one.oid.len == 3 && one.oid.at[0] == 0x55 && one.oid.at[1] == 0x1D
			? one.oid.at[2] : 0;

		switch (id) {
		case ID_CONSTRAINTS:
			read_constraints(&value, e);
			break;
		case ID_USAGE:
			read_usage(&value, e);
			break;
		case ID_PURPOSES:
			read_purposes(&value, e);
			break;
		case ID_NAMES:
		case ID_POLICIES:
			continue;  /* nobody is known by a name here, and any policy will do */
		default:
			e->has_unknown |= one.is_critical;
			continue;
		}
		/* Each of these once only: which one would hold? */
		in.bad |= !der_is_done(&value) || (seen & UINT32_C(1) << (id - ID_USAGE)) != 0;
		seen |= UINT32_C(1) << (id - ID_USAGE);
	}
	return der_is_done(&in);
}

static void
read_extensions(struct der_in *tbs, struct x509_cert *cert)
{
	struct der_in wrapped = der_enter(tbs, DER_CONSTRUCTED(3));
	struct bytes list = der_take(&wrapped, DER_SEQUENCE);

	wrapped.bad |= !x509_read_extensions(list, &cert->extensions);
	der_leave(tbs, &wrapped);
}

/* Of v1 to v3; what it may hold is the same here. */
static void
read_version(struct der_in *tbs)
{
	if (der_peek(tbs) == DER_CONSTRUCTED(0)) {
		struct der_in version = der_enter(tbs, DER_CONSTRUCTED(0));

		(void)der_take_number(&version, 2);
		der_leave(tbs, &version);
	}
}

static void
read_validity(struct der_in *tbs, struct x509_cert *cert)
{
	struct der_in validity = der_enter(tbs, DER_SEQUENCE);

	cert->from_s = der_take_time(&validity);
	cert->until_s = der_take_time(&validity);
	der_leave(tbs, &validity);
}

const char *
x509_read(struct bytes der, struct x509_cert *cert)
{
	struct der_in all = der_open(der);
	struct der_in outer = der_enter(&all, DER_SEQUENCE);
	struct bytes signed_part = der_take_whole(&outer, DER_SEQUENCE);
	struct der_in in_part = der_open(signed_part);
	struct der_in tbs = der_enter(&in_part, DER_SEQUENCE);

	*cert = (struct x509_cert){ .signed_part = signed_part };
	read_version(&tbs);
	cert->serial = der_take_unsigned(&tbs);
	cert->algorithm = der_take_whole(&tbs, DER_SEQUENCE);
	cert->issuer = x509_take_name(&tbs);
	read_validity(&tbs, cert);
	cert->subject = x509_take_name(&tbs);
	cert->public_key = der_take_whole(&tbs, DER_SEQUENCE);
	der_skip(&tbs, DER_CONTEXT(1));  /* unique identifiers */
	der_skip(&tbs, DER_CONTEXT(2));
	(void)x509_read_extensions((struct bytes){ tbs.end, 0 }, &cert->extensions);
	if (der_peek(&tbs) == DER_CONSTRUCTED(3)) {
		read_extensions(&tbs, cert);
	}
	der_leave(&outer, &tbs);
	if (!bytes_equal(cert->algorithm, der_take_whole(&outer, DER_SEQUENCE))) {
		outer.bad = true;
	}
	cert->signature = der_take_bits(&outer);
	der_leave(&all, &outer);
	if (!der_is_done(&all)) {
		return "it is no certificate, or a damaged one";
	}
	return key_read_public(cert->public_key, &cert->key);
}

void
x509_hash(struct bytes b, uint8_t out[32])
{
	br_sha256_context hash;

	br_sha256_init(&hash);
	br_sha256_update(&hash, b.at, b.len);
	br_sha256_out(&hash, out);
}

void
x509_put_fingerprint(struct out *o, const uint8_t fingerprint[32])
{
	out_string(o, "sha256:");
	out_hex(o, fingerprint, 32);
}

void
x509_put_day(struct out *o, int64_t time_s)
{
	if (time_s >= X509_FOREVER) {
		out_string(o, "without end");
	} else {
		date_put_day(o, time_s);
	}
}

int
x509_chain_next(struct bytes *rest, struct bytes *cert)
{
	size_t len;

	if (rest->len == 0) {
		return CUB_EOF;
	}
	len = rest->len < 2 ? 0 : (size_t)(rest->at[0] | rest->at[1] << 8);
	if (rest->len < 2 + len) {
		return CUB_E_BAD;
	}
	*cert = (struct bytes){ rest->at + 2, len };
	*rest = (struct bytes){ rest->at + 2 + len, rest->len - 2 - len };
	return CUB_OK;
}
