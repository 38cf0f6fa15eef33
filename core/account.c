/* SPDX-License-Identifier: MIT */
/* Accounts and their passwords: see account.h. */
#include "account.h"

#include <string.h>

#include "path.h"

#define AT_FLAGS      1
#define AT_ITERATIONS 2
#define AT_SALT       6
#define AT_HASH       (AT_SALT + ACCOUNT_SALT)
#define AT_ROOT       (AT_HASH + PBKDF2_LEN)

#define FLAG_ADMIN    1
#define FLAG_PASSWORD 2

static const char right_letters[] = "rwdl";

bool
account_name_is_good(struct text name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = text_upper(name.at[i]);

		if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')
			&& (c == '\0' || memchr("._@-", c, 4) == NULL)) {
			return false;
		}
	}
	return name.len > 0 && name.len < CUB_ACCOUNT_NAME;
}

bool
account_parse_rights(struct text letters, uint8_t *rights)
{
	uint8_t bits = 0;

	for (size_t i = 0; i < letters.len; i++) {
		const char *letter = memchr(right_letters, letters.at[i], sizeof right_letters - 1);

		if (letter == NULL) {
			return false;
		}
		bits = (uint8_t)(bits | 1u << (letter - right_letters));
	}
	*rights = bits;
	return letters.len > 0;
}

void
account_put_rights(struct out *o, uint8_t rights)
{
	for (unsigned i = 0; right_letters[i] != '\0'; i++) {
		if ((rights >> i & 1) != 0) {
			out_char(o, right_letters[i]);
		}
	}
}

const struct account *
account_find(const struct account_table *t, struct text name)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (text_same(name, t->item[i].name)) {
			return &t->item[i];
		}
	}
	return NULL;
}

/* Take an account from a record. */
static int
parse(struct account *a, const struct store *s, const struct store_record *r)
{
	uint8_t value[AT_ROOT + CUB_ACCOUNT_ROOT];
	char resolved[CUB_PATH_MAX];
	struct text name = { (const char *)r->key, r->key_len };
	struct text root = { (const char *)value + AT_ROOT, r->value_len - AT_ROOT };
	int err;

	if (r->value_len > sizeof value || r->value_len < AT_ROOT) {
		return CUB_E_CORRUPT;
	}
	err = store_read(s, r, 0, value, r->value_len);
	if (err < 0) {
		return err;
	}
	*a = (struct account){
		.rights = value[0],
		.is_admin = (value[AT_FLAGS] & FLAG_ADMIN) != 0,
		.has_password = (value[AT_FLAGS] & FLAG_PASSWORD) != 0,
		.iterations = (uint32_t)little_get(value + AT_ITERATIONS, 4),
	};
	memcpy(a->salt, value + AT_SALT, sizeof a->salt);
	memcpy(a->hash, value + AT_HASH, sizeof a->hash);
	if (!account_name_is_good(name) || !text_copy(name, a->name, sizeof a->name)
		|| path_resolve("/", root, resolved) < 0 || !text_same(root, resolved)
		|| !text_copy(root, a->root, sizeof a->root)
		|| a->iterations == 0) {
		return CUB_E_CORRUPT;
	}
	return CUB_OK;
}

/* Apply one record to the table. */
static int
apply(struct account_table *t, const struct store *s, const struct store_record *r)
{
	const struct account *old = account_find(t, (struct text){ (const char *)r->key, r->key_len });
	size_t at = old == NULL ? t->count : (size_t)(old - t->item);

	if (r->removed) {
		if (old != NULL) {
			t->item[at] = t->item[--t->count];
		}
		return CUB_OK;
	}
	if (at == CUB_ACCOUNTS) {
		return CUB_E_FULL;
	}
	t->count = (uint8_t)(t->count + (old == NULL));
	return parse(&t->item[at], s, r);
}

int
account_load(struct account_table *t, const struct store *s)
{
	struct store_record r;
	int err;

	t->count = 0;
	r.at = 0;
	while ((err = store_next(s, &r)) == CUB_OK) {
		if (r.type == ACCOUNT_RECORD && (err = apply(t, s, &r)) < 0) {
			break;
		}
	}
	if (err != CUB_EOF) {
		t->count = 0;
		return err;
	}
	return CUB_OK;
}

void
account_set_password(struct account *a, struct text password)
{
	struct pbkdf2 p;

	port_random(a->salt, sizeof a->salt);
	a->iterations = CONFIG_CUBFTPD_PBKDF2_ITERATIONS;
	a->has_password = true;
	account_check_start(&p, a, password);
	(void)pbkdf2_step(&p, a->iterations);
	memcpy(a->hash, p.sum, sizeof a->hash);
	wipe(&p, sizeof p);
}

bool
account_is_stale(const struct account *copy, const struct account_table *t)
{
	const struct account *now = account_find(t, text_of(copy->name));

	/* A new password has a new salt. */
	return now == NULL || memcmp(now->salt, copy->salt, sizeof now->salt) != 0;
}

void
account_check_start(struct pbkdf2 *p, const struct account *a, struct text password)
{
	static const uint8_t no_salt[ACCOUNT_SALT];
	bool known = a != NULL && a->has_password;

	pbkdf2_start(p, password.at, password.len, known ? a->salt : no_salt, ACCOUNT_SALT,
		known ? a->iterations : CONFIG_CUBFTPD_PBKDF2_ITERATIONS);
}

bool
account_check_end(const struct pbkdf2 *p, const struct account *a)
{
	static const uint8_t no_hash[PBKDF2_LEN];
	bool known = a != NULL && a->has_password;

	return pbkdf2_is(p, known ? a->hash : no_hash) && known;
}

int
account_save(struct store *s, const struct account *a)
{
	uint8_t value[AT_ROOT + CUB_ACCOUNT_ROOT];
	size_t root_len = strlen(a->root);
	struct store_change change = {
		ACCOUNT_RECORD, (uint8_t)strlen(a->name), a->name,
		value, (uint32_t)(AT_ROOT + root_len),
	};
	int err;

	value[0] = a->rights;
	value[AT_FLAGS] = (uint8_t)((a->is_admin ? FLAG_ADMIN : 0)
		| (a->has_password ? FLAG_PASSWORD : 0));
	little_put(value + AT_ITERATIONS, 4, a->iterations);
	memcpy(value + AT_SALT, a->salt, sizeof a->salt);
	memcpy(value + AT_HASH, a->hash, sizeof a->hash);
	memcpy(value + AT_ROOT, a->root, root_len);
	err = store_write(s, &change, 1);
	wipe(value, sizeof value);
	return err;
}

struct store_change
account_removal(const struct account *a)
{
	return (struct store_change){
		.type = ACCOUNT_RECORD, .key_len = (uint8_t)strlen(a->name), .key = a->name,
	};
}
