/* SPDX-License-Identifier: MIT */
/*
 * Certificate requests: see csr.h. What is looked at is what is signed later on: the Name and
 * the key go into a certificate byte for byte.
 */
#include "csr.h"

#include <string.h>

#include "signature.h"

#define RDNS_MAX 8
#define OUS_MAX  4
#define NAME_MAX 2048  /* bytes of a Name: more than RDNS_MAX of the longest values */

static const uint8_t oid_attribute[] = { 0x55, 4 };  /* and one byte more */
static const uint8_t oid_email[]     = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 1 };
static const uint8_t oid_extensions[] = { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 14 };

/* String types besides DER_UTF8_STRING. */
enum { PRINTABLE_STRING = 0x13, IA5_STRING = 0x16 };

/* The attributes that a Name may have, with the most characters: RFC 5280 appendix A.1. */
enum { COMMON_NAME = 3, COUNTRY = 6, UNIT = 11, EMAIL = 12, ATTRIBUTES };

static const uint8_t longest[ATTRIBUTES] = {
	[COMMON_NAME] = X509_NAME_MAX,
	[5] = 64,        /* serialNumber */
	[COUNTRY] = 2,
	[7] = 128,       /* L */
	[8] = 128,       /* ST */
	[10] = 64,       /* O */
	[UNIT] = 64,
	[EMAIL] = 255,
};

static const char broken_name[] = "its name is not well-formed";
static const char broken_attributes[] = "its attributes are not well-formed";

/* The number of one of longest[]; 0: none of these. */
static unsigned
attribute_of(struct bytes oid)
{
	if (bytes_equal(oid, (struct bytes){ oid_email, sizeof oid_email })) {
		return EMAIL;
	}
	return oid.len == sizeof oid_attribute + 1
		&& memcmp(oid.at, oid_attribute, sizeof oid_attribute) == 0
		&& oid.at[2] < EMAIL && longest[oid.at[2]] > 0 ? oid.at[2] : 0;
}

static bool
is_letter(uint8_t c)
{
	return text_upper((char)c) >= 'A' && text_upper((char)c) <= 'Z';
}

/* X.680 section 41.4. */
static bool
is_printable_string(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.at[i];

		if (!is_letter(c) && !(c >= '0' && c <= '9') && memchr(" '()+,-./:=?", c, 12) == NULL) {
			return false;
		}
	}
	return true;
}

static size_t
count(struct bytes value, uint8_t c, uint8_t mask)
{
	size_t n = 0;

	for (size_t i = 0; i < value.len; i++) {
		n += (value.at[i] & mask) == c;
	}
	return n;
}

static const char *
check_value(unsigned attribute, unsigned type, struct bytes value)
{
	size_t characters = value.len - count(value, 0x80, 0xC0);

	if (type != (attribute == EMAIL ? IA5_STRING : DER_UTF8_STRING)
		&& (attribute == EMAIL || type != PRINTABLE_STRING)) {
		return attribute == EMAIL ? "an emailAddress in its name is no IA5String"
			: "a value in its name is neither UTF8String nor PrintableString";
	}
	if (value.len == 0) {
		return "a value in its name is empty";
	}
	if ((type == PRINTABLE_STRING && !is_printable_string(value))
		|| (type == IA5_STRING && count(value, 0x80, 0x80) > 0)) {
		return "a value in its name has characters that its type does not have";
	}
	if (!text_is_printable((struct text){ (const char *)value.at, value.len })) {
		return "a value in its name has control characters, or is not UTF-8";
	}
	if (!text_is_plain((struct text){ (const char *)value.at, value.len })) {
		return "a value in its name has characters that can't be seen";
	}
	if (characters > longest[attribute]) {
		return attribute == COUNTRY ? "the country in its name is not of two letters"
			: "a value in its name is too long";
	}
	return attribute == COUNTRY && (value.len != 2 || !is_letter(value.at[0])
		|| !is_letter(value.at[1])) ? "the country in its name is not of two letters" : NULL;
}

/*
 * Does all of it show? x509_put_name() has "?" for what does not: there must be no more of
 * these than in the values themselves.
 */
static bool
is_shown(struct bytes name, size_t question_marks)
{
	char text[2 * NAME_MAX];
	struct out o = OUT(text);

	x509_put_name(&o, name, sizeof text);
	return !o.cut && count((struct bytes){ (uint8_t *)text, o.len }, '?', 0xFF) == question_marks;
}

const char *
csr_check_name(struct bytes name)
{
	struct der_in all = der_open(name);
	struct der_in sets = der_enter(&all, DER_SEQUENCE);
	unsigned seen[ATTRIBUTES] = { 0 }, rdns = 0;
	size_t question_marks = 0;

	for (; der_peek(&sets) != 0; rdns++) {
		struct der_in set = der_enter(&sets, DER_SET);
		struct der_in pair = der_enter(&set, DER_SEQUENCE);
		unsigned attribute = attribute_of(der_take(&pair, DER_OID));
		unsigned type = der_peek(&pair);
		struct bytes value = der_take(&pair, type);
		const char *why;

		der_leave(&set, &pair);
		if (!der_is_done(&set)) {
			return set.bad ? broken_name : "its name has parts of more than one attribute";
		}
		if (attribute == 0) {
			return "its name has an attribute other than CN, serialNumber, C, L, ST, O, OU and "
				"emailAddress";
		}
		why = check_value(attribute, type, value);
		if (why != NULL) {
			return why;
		}
		if (++seen[attribute] > (attribute == UNIT ? OUS_MAX : 1)) {
			return "an attribute comes too often in its name";
		}
		question_marks += count(value, '?', 0xFF);
	}
	der_leave(&all, &sets);
	if (!der_is_done(&all)) {
		return broken_name;
	}
	if (seen[COMMON_NAME] == 0) {
		return rdns == 0 ? "its name is empty" : "its name has no common name (CN)";
	}
	if (rdns > RDNS_MAX || name.len > NAME_MAX) {
		return "its name has too many parts";
	}
	return is_shown(name, question_marks) ? NULL
		: "a value in its name has characters that turn or hide others";
}

/* One attribute: its type, and a set of at least one value. Null, or what is wrong with it. */
static const char *
read_attribute(struct der_in *list, struct csr *csr, bool *has_extensions)
{
	struct der_in one = der_enter(list, DER_SEQUENCE);
	struct bytes oid = der_take(&one, DER_OID);
	struct der_in values = der_enter(&one, DER_SET);
	struct bytes first = der_take_whole(&values, der_peek(&values));
	struct der_in inside = der_open(first);
	bool is_alone = der_is_done(&values);

	while (der_peek(&values) != 0) {
		(void)der_take(&values, der_peek(&values));
	}
	der_leave(&one, &values);
	der_leave(list, &one);
	if (list->bad) {
		return broken_attributes;
	}
	if (!bytes_equal(oid, (struct bytes){ oid_extensions, sizeof oid_extensions })) {
		return NULL;
	}
	if (*has_extensions || !is_alone) {
		return "it has more than one list of extensions";
	}
	*has_extensions = true;
	first = der_take(&inside, DER_SEQUENCE);
	return inside.bad ? "its extensions are not well-formed" : extension_read(first, &csr->asked);
}

/*
 * Attributes, which some programs leave out where there are none, against RFC 2986 section 4.1:
 * that says the same, and is signed as it stands.
 */
static const char *
read_attributes(struct der_in *info, struct csr *csr)
{
	struct der_in list;
	bool has_extensions = false;
	const char *why = NULL;

	if (der_peek(info) == 0) {
		return NULL;
	}
	list = der_enter(info, DER_CONSTRUCTED(0));
	while (why == NULL && der_peek(&list) != 0) {
		why = read_attribute(&list, csr, &has_extensions);
	}
	return why == NULL && !der_is_done(&list) ? broken_attributes : why;
}

/* CertificationRequestInfo: RFC 2986 section 4.1. */
static const char *
read_info(struct bytes content, struct csr *csr)
{
	struct der_in all = der_open(content);
	struct der_in info = der_enter(&all, DER_SEQUENCE);
	const char *why;

	(void)der_take_number(&info, 0);
	csr->subject = x509_take_name(&info);
	csr->public_key = der_take_whole(&info, DER_SEQUENCE);
	why = info.bad ? NULL : read_attributes(&info, csr);
	der_leave(&all, &info);
	if (why == NULL && !der_is_done(&all)) {
		why = "it is no certificate request, or a damaged one";
	}
	return why;
}

const char *
csr_read(struct bytes der, struct csr *csr)
{
	struct signature signature;
	const char *why, *key_why, *name_why;

	*csr = (struct csr){ .is_signed = false };
	if (!signature_open(der, &signature)) {
		return "it is no certificate request, or a damaged one";
	}
	why = read_info(signature.content, csr);
	if (csr->public_key.len == 0) {
		return why;
	}
	key_why = key_read_public(csr->public_key, &csr->key);
	if (key_why == NULL) {
		key_why = signature_check(&signature, &csr->key);
	}
	csr->is_signed = key_why == NULL;
	name_why = csr_check_name(csr->subject);
	return why != NULL ? why : key_why != NULL ? key_why : name_why;
}
