/* SPDX-License-Identifier: MIT */
/* The older encryption of PEM: see dekinfo.h. MD5 is BearSSL's. */
#include "dekinfo.h"

#include <string.h>

#include "hex.h"

#define SALT 8  /* the first bytes of the IV */

/* "AES-256-CBC,0123...": the IV in hexadecimal digits. */
static bool
read_value(struct dekinfo *info, struct text value)
{
	struct text iv = value;
	struct text name = text_cut(&iv, ',');

	info->cipher = cipher_by_name(name);
	return info->cipher == NULL || hex_read(iv, info->iv, info->cipher->block);
}

/* The next line, without what ends it and without spaces around it. */
static struct text
take_line(struct text *rest)
{
	struct text line = text_cut(rest, '\n');

	if (line.len > 0 && line.at[line.len - 1] == '\r') {
		line.len--;
	}
	return text_trim(line);
}

bool
dekinfo_find(struct dekinfo *info, struct text file)
{
	static const char key[] = "DEK-Info:";
	struct text rest = file, line;
	bool is_found = false;

	*info = (struct dekinfo){ .cipher = NULL };
	do {
		info->before = (struct text){ file.at, (size_t)(rest.at - file.at) };
		line = take_line(&rest);
	} while (rest.at != NULL && !text_is(line, "Proc-Type: 4,ENCRYPTED"));
	while (rest.at != NULL && line.len > 0) {
		line = take_line(&rest);
		if (line.len >= sizeof key - 1 && memcmp(line.at, key, sizeof key - 1) == 0) {
			struct text value = { line.at + sizeof key - 1, line.len - (sizeof key - 1) };

			if (is_found || !read_value(info, text_trim(value))) {
				return false;
			}
			is_found = true;
		}
	}
	info->after = rest;
	return is_found;
}

/* EVP_BytesToKey() of OpenSSL with MD5 and one round. */
static void
derive(const struct dekinfo *info, const struct secret *passphrase, uint8_t key[CIPHER_KEY_MAX])
{
	uint8_t hash[br_md5_SIZE];
	br_md5_context md5;

	for (size_t at = 0; at < CIPHER_KEY_MAX; at += sizeof hash) {
		br_md5_init(&md5);
		br_md5_update(&md5, hash, at > 0 ? sizeof hash : 0);
		br_md5_update(&md5, passphrase->at, passphrase->len);
		br_md5_update(&md5, info->iv, SALT);
		br_md5_out(&md5, hash);
		memcpy(key + at, hash, sizeof hash);
	}
	wipe(hash, sizeof hash);
	wipe(&md5, sizeof md5);
}

int
dekinfo_decrypt(const struct dekinfo *info, const struct secret *passphrase, uint8_t *data,
	size_t len)
{
	uint8_t key[CIPHER_KEY_MAX], iv[CIPHER_BLOCK_MAX];
	int plain_len;

	derive(info, passphrase, key);
	memcpy(iv, info->iv, sizeof iv);
	plain_len = cipher_decrypt(info->cipher, key, iv, data, len);
	wipe(key, sizeof key);
	return plain_len;
}
