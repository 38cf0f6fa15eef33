/* SPDX-License-Identifier: MIT */
/* The trusted client certificates: see trust.h. */
#include "trust.h"

#include <string.h>

#include "account.h"
#include "clock.h"

#define HASH         32
#define AT_KEY       1
#define AT_UNTIL     33
#define AT_ADDED     41
#define AT_NAME_LEN  49
#define AT_NAME      50
#define VALUE_MAX    (AT_NAME + CUB_ACCOUNT_NAME - 1 + CUB_LABEL - 1)

#define FLAG_EXACT   1
#define FLAG_ADMIN   2
#define FLAG_KEYLESS 4

bool
trust_label_is_good(struct text label)
{
	for (size_t i = 0; i < label.len; i++) {
		if (memchr("/+\"'", label.at[i], 4) != NULL) {
			return false;
		}
	}
	return label.len > 0 && label.len < CUB_LABEL && text_is_printable(label)
		&& label.at[0] != '.' && label.at[0] != '-';
}

/* The same, and a hash at all: zeros are none. The time it takes does not depend on them. */
static bool
is_hash(const uint8_t a[HASH], const uint8_t b[HASH])
{
	unsigned differ = 0, any = 0;

	for (unsigned i = 0; i < HASH; i++) {
		differ |= a[i] ^ b[i];
		any |= a[i];
	}
	return differ == 0 && any != 0;
}

const struct trusted *
trust_find(const struct trust_table *t, const uint8_t cert[HASH], const uint8_t key[HASH])
{
	const struct trusted *by_key = NULL;

	for (unsigned i = 0; i < t->count; i++) {
		const struct trusted *item = &t->item[i];

		if (is_hash(item->cert, cert)) {
			return item;
		}
		if (item->knows_key && !item->is_exact && is_hash(item->key, key)) {
			by_key = item;
		}
	}
	return by_key;
}

const struct trusted *
trust_find_label(const struct trust_table *t, struct text label)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (text_same(label, t->item[i].label)) {
			return &t->item[i];
		}
	}
	return NULL;
}

const struct trusted *
trust_find_cert(const struct trust_table *t, const uint8_t cert[HASH])
{
	for (unsigned i = 0; i < t->count; i++) {
		if (memcmp(t->item[i].cert, cert, HASH) == 0) {
			return &t->item[i];
		}
	}
	return NULL;
}

/* Take an entry from a record. */
static int
parse(struct trusted *t, const struct store *s, const struct store_record *r)
{
	uint8_t value[VALUE_MAX];
	struct text name = { (char *)value + AT_NAME, 0 };
	struct text label;
	int err;

	if (r->value_len > sizeof value || r->value_len < AT_NAME) {
		return CUB_E_CORRUPT;
	}
	err = store_read(s, r, 0, value, r->value_len);
	if (err < 0) {
		return err;
	}
	name.len = value[AT_NAME_LEN];
	if (name.len > r->value_len - AT_NAME) {
		return CUB_E_CORRUPT;
	}
	label = (struct text){ name.at + name.len, r->value_len - AT_NAME - name.len };
	t->is_exact = (value[0] & FLAG_EXACT) != 0;
	t->is_admin = (value[0] & FLAG_ADMIN) != 0;
	t->knows_key = (value[0] & FLAG_KEYLESS) == 0;
	t->until_s = (int64_t)little_get(value + AT_UNTIL, 8);
	t->added_s = (int64_t)little_get(value + AT_ADDED, 8);
	memcpy(t->cert, r->key, HASH);
	memcpy(t->key, value + AT_KEY, HASH);
	if (value[0] > (FLAG_EXACT | FLAG_ADMIN | FLAG_KEYLESS) || !is_hash(t->cert, t->cert)
		|| !(t->knows_key ? is_hash(t->key, t->key) : t->is_exact)
		|| !account_name_is_good(name) || !text_copy(name, t->account, sizeof t->account)
		|| !trust_label_is_good(label) || !text_copy(label, t->label, sizeof t->label)) {
		return CUB_E_CORRUPT;
	}
	clock_saw(t->added_s);
	return CUB_OK;
}

/* Apply one record to the table. */
static int
apply(struct trust_table *t, const struct store *s, const struct store_record *r)
{
	unsigned at = 0;

	if (r->key_len != HASH) {
		return CUB_E_CORRUPT;
	}
	while (at < t->count && memcmp(t->item[at].cert, r->key, HASH) != 0) {
		at++;
	}
	if (r->removed) {
		if (at < t->count) {
			t->item[at] = t->item[--t->count];
		}
		return CUB_OK;
	}
	if (at == CUB_TRUSTED) {
		return CUB_E_FULL;
	}
	t->count = (uint8_t)(t->count + (at == t->count));
	return parse(&t->item[at], s, r);
}

/* Does each label stand for one entry? */
static bool
labels_differ(const struct trust_table *t)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (trust_find_label(t, text_of(t->item[i].label)) != &t->item[i]) {
			return false;
		}
	}
	return true;
}

int
trust_load(struct trust_table *t, const struct store *s)
{
	struct store_record r;
	int err;

	t->count = 0;
	r.at = 0;
	while ((err = store_next(s, &r)) == CUB_OK) {
		if (r.type == TRUST_RECORD && (err = apply(t, s, &r)) < 0) {
			break;
		}
	}
	if (err == CUB_EOF) {
		err = labels_differ(t) ? CUB_OK : CUB_E_CORRUPT;
	}
	if (err < 0) {
		t->count = 0;
	}
	return err;
}

int
trust_save(struct store *s, const struct trusted *t)
{
	uint8_t value[VALUE_MAX];
	struct out o = { .at = (char *)value, .cap = sizeof value, .len = AT_NAME };
	struct store_change change = { TRUST_RECORD, HASH, t->cert, value, 0 };

	value[0] = (uint8_t)((t->is_exact || !t->knows_key ? FLAG_EXACT : 0)
		| (t->is_admin ? FLAG_ADMIN : 0) | (t->knows_key ? 0 : FLAG_KEYLESS));
	memcpy(value + AT_KEY, t->key, HASH);
	little_put(value + AT_UNTIL, 8, (uint64_t)t->until_s);
	little_put(value + AT_ADDED, 8, (uint64_t)t->added_s);
	value[AT_NAME_LEN] = (uint8_t)strlen(t->account);
	out_string(&o, t->account);
	out_string(&o, t->label);
	change.value_len = (uint32_t)o.len;
	return store_write(s, &change, 1);
}

struct store_change
trust_removal(const struct trusted *t)
{
	return (struct store_change){ .type = TRUST_RECORD, .key_len = HASH, .key = t->cert };
}

size_t
trust_parse(struct text t, char digits[TRUST_DIGITS])
{
	static const char *const prefixes[] = { "sha256:", "sha256 fingerprint=" };
	size_t count = 0;

	t = text_trim(t);
	for (unsigned i = 0; i < 2; i++) {
		size_t len = strlen(prefixes[i]);

		if (t.len >= len && text_is((struct text){ t.at, len }, prefixes[i])) {
			t.at += len;
			t.len -= len;
			break;
		}
	}
	for (size_t i = 0; i < t.len; i++) {
		bool is_pair = count > 0 && count % 2 == 0 && i + 1 < t.len;

		if (t.at[i] == ':' && is_pair && t.at[i - 1] != ':') {
			continue;
		}
		if (memchr("0123456789abcdefABCDEF", t.at[i], 22) == NULL || count == TRUST_DIGITS - 1) {
			return 0;
		}
		digits[count++] = (char)(t.at[i] | 0x20);  /* in lower case; digits have that bit */
	}
	digits[count] = '\0';
	return count;
}

bool
trust_begins(const uint8_t fingerprint[HASH], const char *digits)
{
	char all[TRUST_DIGITS - 1];
	struct out o = OUT(all);
	size_t len = strlen(digits);

	out_hex(&o, fingerprint, HASH);
	return len <= sizeof all && memcmp(all, digits, len) == 0;
}
