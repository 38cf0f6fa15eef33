/* SPDX-License-Identifier: MIT */
/*
 * X.509 extensions: see extension.h. What decides on a device is read by the device's code
 * (x509_read_extensions()); what the host shows or hands on besides, here. An extension that
 * is not known only has to be well-formed as a whole; one that is known is read to its end.
 */
#include "extension.h"

#include <string.h>

#define LIST_MAX 64  /* extensions: each is compared with those before it */
#define NEST_MAX 8   /* elements within elements of a name */
#define UNDEFINED 0x007F  /* bits of keyUsage */

/* Those of RFC 5280: 2.5.29, and one byte more. */
enum { SUBJECT_KEY_ID = 14, KEY_USAGE = 15, ALT_NAME = 17, CONSTRAINTS = 19,
	AUTHORITY_KEY_ID = 35, PURPOSES = 37 };

/* Each number in it in its shortest form, the last one ended: X.690 section 8.19.2. */
static bool
is_oid(struct bytes oid)
{
	bool is_first = true;

	for (size_t i = 0; i < oid.len; i++) {
		if (is_first && oid.at[i] == 0x80) {
			return false;
		}
		is_first = oid.at[i] < 0x80;
	}
	return oid.len > 0 && is_first;
}

static const char *
read_subject_key_id(struct der_in *d, struct extensions *e)
{
	e->subject_key_id = der_take(d, DER_OCTET_STRING);
	return !der_is_done(d) || e->subject_key_id.len == 0
		? "its subjectKeyIdentifier is not well-formed" : NULL;
}

/* Elements one after another, and within those that are constructed. */
static bool
are_elements(struct bytes b, unsigned nest)
{
	struct der_in d = der_open(b);

	while (der_peek(&d) != 0) {
		unsigned tag = der_peek(&d);
		struct bytes inside = der_take(&d, tag);

		if ((tag & 0x20) != 0 && (nest == 0 || !are_elements(inside, nest - 1))) {
			return false;
		}
	}
	return der_is_done(&d);
}

/* All of a GeneralNames, with at least one. */
static bool
are_names(struct bytes names)
{
	struct der_in d = der_open(names);

	while (der_peek(&d) != 0) {
		unsigned tag = der_peek(&d), number = tag & 0x1F;
		bool is_constructed = number == 0 || (number >= 3 && number <= 5);
		struct bytes inside = der_take(&d, is_constructed ? DER_CONSTRUCTED(number)
			: DER_CONTEXT(number));
		struct der_in name = der_open(inside);

		if (number > 8 || inside.len == 0) {
			return false;
		}
		if (number == 4) {  /* directoryName */
			(void)x509_take_name(&name);
			d.bad = d.bad || !der_is_done(&name);
		} else if (is_constructed && !are_elements(inside, NEST_MAX)) {
			return false;
		}
	}
	return der_is_done(&d) && names.len > 0;
}

static const char *
read_authority_key_id(struct der_in *d, struct extensions *e)
{
	struct der_in in = der_enter(d, DER_SEQUENCE);

	if (der_peek(&in) == DER_CONTEXT(0)) {
		e->authority_key_id = der_take(&in, DER_CONTEXT(0));
		in.bad |= e->authority_key_id.len == 0;
	}
	if (der_peek(&in) == DER_CONSTRUCTED(1)) {
		in.bad |= !are_names(der_take(&in, DER_CONSTRUCTED(1)));
	}
	if (der_peek(&in) == DER_CONTEXT(2)) {
		in.bad |= der_take(&in, DER_CONTEXT(2)).len == 0;
	}
	der_leave(d, &in);
	return !der_is_done(d) ? "its authorityKeyIdentifier is not well-formed" : NULL;
}

/* All that the device's code does not look at is that those it does not know are OIDs. */
static const char *
check_purposes(struct der_in *d)
{
	struct der_in in = der_enter(d, DER_SEQUENCE);

	while (der_peek(&in) != 0) {
		in.bad |= !is_oid(der_take(&in, DER_OID));
	}
	return in.bad ? "its extendedKeyUsage is not well-formed" : NULL;
}

static const char *
read_names(struct der_in *d, struct extensions *e)
{
	e->names = der_take(d, DER_SEQUENCE);
	return !der_is_done(d) || !are_names(e->names) ? "its subjectAltName is not well-formed" : NULL;
}

static const char *
read_one(const struct x509_extension *one, struct extensions *e)
{
	struct der_in value = der_open(one->value);
	unsigned which = one->oid.len == 3 && one->oid.at[0] == 0x55 && one->oid.at[1] == 0x1D
		? one->oid.at[2] : 0;

	switch (which) {
	case SUBJECT_KEY_ID:
		return read_subject_key_id(&value, e);
	case ALT_NAME:
		return read_names(&value, e);
	case AUTHORITY_KEY_ID:
		return read_authority_key_id(&value, e);
	case PURPOSES:
		return check_purposes(&value);
	case KEY_USAGE:
	case CONSTRAINTS:
		return NULL;  /* read already */
	default:
		e->has_others = true;
		return NULL;
	}
}

/* Does one with this name stand in front of it? */
static bool
comes_again(struct bytes list, struct bytes oid)
{
	struct der_in d = der_open(list);
	struct x509_extension one;

	do {
		one = x509_take_extension(&d);
	} while (!bytes_equal(one.oid, oid));
	return one.oid.at != oid.at;
}

/* What all of them say together: null, or what can't be. */
static const char *
judge(const struct x509_extensions *e)
{
	return e->path_length >= 0 && !e->is_ca ? "it has a path length, but is no CA"
		: e->usage == 0 ? "its keyUsage allows nothing"
		: e->has_usage && (e->usage & UNDEFINED) != 0 ? "its keyUsage has bits that mean nothing"
		: NULL;
}

const char *
extension_read(struct bytes list, struct extensions *e)
{
	static const char broken[] = "its extensions are not well-formed";
	struct der_in d;
	const char *why = NULL;

	*e = (struct extensions){ .has_others = false };
	if (!x509_read_extensions(list, &e->basic)) {
		return broken;
	}
	d = der_open(list);
	for (unsigned count = 0; why == NULL && der_peek(&d) != 0; count++) {
		struct x509_extension one = x509_take_extension(&d);

		if (!is_oid(one.oid)) {
			why = broken;
		} else if (count == LIST_MAX) {
			why = "it has more extensions than can be looked at";
		} else if (comes_again(list, one.oid)) {
			why = "one of its extensions comes twice";
		} else {
			why = read_one(&one, e);
		}
	}
	return why == NULL ? judge(&e->basic) : why;
}

/* Those bits that are set, the first one being `first`, as a list. */
static void
put_names(struct out *o, const char *const *name, unsigned count, unsigned first, unsigned set)
{
	const char *between = "";

	for (unsigned i = 0; i < count; i++) {
		if ((set & (first > 1 ? first >> i : first << i)) != 0) {
			out_string(o, between);
			out_string(o, name[i]);
			between = ", ";
		}
	}
}

void
extension_put_usage(struct out *o, const struct x509_extensions *e)
{
	static const char *const name[] = { "digitalSignature", "nonRepudiation", "keyEncipherment",
		"dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
		"decipherOnly" };

	if (e->has_usage) {
		put_names(o, name, sizeof name / sizeof name[0], X509_USAGE_SIGN, e->usage);
	}
}

void
extension_put_purposes(struct out *o, const struct x509_extensions *e)
{
	static const char *const name[] = { "serverAuth", "clientAuth", "others" };

	if (e->has_purposes && e->purposes == UINT8_MAX) {
		out_string(o, "any");
	} else if (e->has_purposes) {
		put_names(o, name, sizeof name / sizeof name[0], X509_FOR_SERVERS, e->purposes);
	}
}
