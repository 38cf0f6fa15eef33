/* SPDX-License-Identifier: MIT */
/*
 * The accounts: a table in RAM, loaded from the trust store.
 *
 * Records: ACCOUNT, the key is the name. The value:
 *	 0  rights, a bit each (enum account_right)
 *	 1  1: administrator, 2: has a password
 *	 2  iterations of the password's PBKDF2, 4 bytes, little-endian
 *	 6  salt, 16 bytes
 *	22  PBKDF2-HMAC-SHA-256 of the password, 32 bytes
 *	54  root, a path as in path.h
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "pbkdf2.h"
#include "store.h"

#define ACCOUNT_RECORD   1
#define ACCOUNT_SALT     16
#define ACCOUNT_PASSWORD 128  /* longest password, in bytes */

enum account_right {
	RIGHT_READ   = 1,  /* r: download */
	RIGHT_WRITE  = 2,  /* w: upload, make directories, rename */
	RIGHT_DELETE = 4,  /* d: remove files and directories */
	RIGHT_LIST   = 8,  /* l: list */
	RIGHT_ALL    = 15,
};

struct account {
	char     name[CUB_ACCOUNT_NAME];
	char     root[CUB_ACCOUNT_ROOT];
	uint8_t  rights;
	bool     is_admin;
	bool     has_password;
	uint32_t iterations;
	uint8_t  salt[ACCOUNT_SALT];
	uint8_t  hash[PBKDF2_LEN];
};

struct account_table {
	uint8_t count;
	struct account item[CUB_ACCOUNTS];
};

/*
 * Load the table. Returns CUB_OK, CUB_E_CORRUPT, CUB_E_FULL (the store has more accounts
 * than this build), CUB_E_IO; after an error it is empty.
 */
int account_load(struct account_table *t, const struct store *s);

/* Find by name; null if there is none. */
const struct account *account_find(const struct account_table *t, struct text name);

/* A name: 1 to 32 letters, digits or any of "._@-". */
bool account_name_is_good(struct text name);

/* Letters "rwdl" in any order to bits; false for anything else. */
bool account_parse_rights(struct text letters, uint8_t *rights);
void account_put_rights(struct out *o, uint8_t rights);

/* Give a new salt and hash; takes as long as a login. 1 to ACCOUNT_PASSWORD bytes. */
void account_set_password(struct account *a, struct text password);

/* Has the account been removed, or been given another password, since it was copied? */
bool account_is_stale(const struct account *copy, const struct account_table *t);

/* Begin the check of a password: for an account that is unknown (null) it costs the same work. */
void account_check_start(struct pbkdf2 *p, const struct account *a, struct text password);

/* After the last step: was it the account's password? Never true for null. */
bool account_check_end(const struct pbkdf2 *p, const struct account *a);

/* Store an account, new or changed. Returns as store_write(). */
int account_save(struct store *s, const struct account *a);

/* The change that removes it; `a` must stay valid. */
struct store_change account_removal(const struct account *a);

#endif
