/* SPDX-License-Identifier: MIT */
/* The CAs of client certificates: see ca.h. */
#include "ca.h"

#include <string.h>

#include "account.h"
#include "clock.h"
#include "trust.h"

/* A record's value: the account's name with its length, and the certificate. */
#define VALUE_MAX (CUB_ACCOUNT_NAME + CUB_CA_MAX)

/* Null, or why it can't be a CA of this device; its dates aside. */
static const char *
read_ca(struct bytes der, struct x509_cert *cert)
{
	const char *why = x509_read(der, cert);

	if (why == NULL && !cert->extensions.is_ca) {
		why = "it is not a CA's: its basicConstraints do not say CA:TRUE";
	} else if (why == NULL && (cert->extensions.usage & X509_USAGE_CERT_SIGN) == 0) {
		why = "its key usage does not let it sign certificates";
	} else if (why == NULL && cert->extensions.has_unknown) {
		why = "it has a critical extension that is not known here";
	} else if (why == NULL && (der.len > CUB_CA_MAX || cert->subject.len > CUB_DN_MAX)) {
		why = "the certificate or its name is too long";
	}
	return why;
}

const char *
ca_check(struct bytes der, int64_t now_s)
{
	struct x509_cert cert;
	const char *why = read_ca(der, &cert);

	return why == NULL && cert.until_s < now_s ? "the certificate has expired" : why;
}

/* Copy a span to `dst`, and let it point there. */
static void
keep(struct bytes *b, uint8_t *dst)
{
	if (b->len > 0) {
		memcpy(dst, b->at, b->len);
	}
	b->at = dst;
}

/* Take a CA from a record, as number `i`. */
static int
parse(struct ca_table *t, unsigned i, const struct store *s, const struct store_record *r)
{
	struct ca *ca = &t->item[i];
	uint8_t value[VALUE_MAX];
	struct text name = { (const char *)r->key, r->key_len };
	struct text account = { (char *)value + 1, 0 };
	struct out subject = OUT(ca->subject);
	struct x509_cert cert;
	struct bytes der;
	int err;

	if (r->value_len > sizeof value || r->value_len < 1) {
		return CUB_E_CORRUPT;
	}
	err = store_read(s, r, 0, value, r->value_len);
	if (err < 0) {
		return err;
	}
	account.len = value[0];
	if (account.len > r->value_len - 1) {
		return CUB_E_CORRUPT;
	}
	der = (struct bytes){ value + 1 + account.len, r->value_len - 1 - account.len };
	if (!trust_label_is_good(name) || !text_copy(name, ca->name, sizeof ca->name)
		|| (account.len > 0 && !account_name_is_good(account))
		|| !text_copy(account, ca->account, sizeof ca->account) || read_ca(der, &cert) != NULL) {
		return CUB_E_CORRUPT;
	}
	x509_hash(der, ca->fingerprint);
	ca->until_s = cert.until_s;
	clock_saw(cert.from_s);
	x509_put_name(&subject, cert.subject, CUB_NAME_SHOWN - 1);
	(void)out_finish(&subject);
	ca->der_len = (uint16_t)der.len;
	keep(&cert.subject, ca->dn);
	keep(&cert.key.point, ca->key);
	keep(&cert.key.n, ca->key + cert.key.point.len);
	keep(&cert.key.e, ca->key + cert.key.point.len + cert.key.n.len);
	t->name[i] = (br_x500_name){ ca->dn, cert.subject.len };
	t->anchor[i] = (struct verify_anchor){ cert.subject, key_for_bearssl(&cert.key),
		cert.extensions.path_length, cert.until_s };
	return CUB_OK;
}

int
ca_load(struct ca_table *t, const struct store *s)
{
	struct store_record r, last;
	uint8_t count = 0;
	int err;

	t->count = 0;
	r.at = 0;
	while ((err = store_next(s, &r)) == CUB_OK) {
		if (r.type != IDENTITY_CA) {
			continue;
		}
		/* Only what holds in the end: an entry can't be moved, to fill the gap of another. */
		err = store_find(s, IDENTITY_CA, r.key, r.key_len, &last);
		if (err == CUB_OK && last.at == r.at) {
			err = count == CUB_CAS ? CUB_E_FULL : parse(t, count, s, &r);
			count++;
		}
		if (err < 0 && err != CUB_E_NOENT) {
			return err;
		}
	}
	if (err != CUB_EOF) {
		return err;
	}
	t->count = count;
	return CUB_OK;
}

const struct ca *
ca_find(const struct ca_table *t, struct text name)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (text_same(name, t->item[i].name)) {
			return &t->item[i];
		}
	}
	return NULL;
}

const struct ca *
ca_find_fingerprint(const struct ca_table *t, const uint8_t fingerprint[32])
{
	for (unsigned i = 0; i < t->count; i++) {
		if (memcmp(fingerprint, t->item[i].fingerprint, 32) == 0) {
			return &t->item[i];
		}
	}
	return NULL;
}

int
ca_save(struct store *s, const char *name, const char *account, struct bytes der)
{
	uint8_t value[VALUE_MAX];
	struct out o = { .at = (char *)value, .cap = sizeof value };
	struct store_change change = { IDENTITY_CA, (uint8_t)strlen(name), name, value, 0 };

	out_char(&o, (char)strlen(account));
	out_string(&o, account);
	out_put(&o, der.at, der.len);
	change.value_len = (uint32_t)o.len;
	return store_write(s, &change, 1);
}

int
ca_remove(struct store *s, const struct ca *ca)
{
	return store_remove(s, IDENTITY_CA, ca->name, strlen(ca->name));
}

int
ca_read(const struct store *s, const struct ca *ca, uint32_t from, uint8_t *dst, uint32_t len)
{
	uint32_t at = (uint32_t)(1 + strlen(ca->account));
	struct store_record r;
	int err = store_find(s, IDENTITY_CA, ca->name, (uint8_t)strlen(ca->name), &r);

	if (err == CUB_OK && r.value_len != at + ca->der_len) {
		err = CUB_E_NOENT;
	}
	return err == CUB_OK ? store_read(s, &r, at + from, dst, len) : err;
}
