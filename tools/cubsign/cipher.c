/* SPDX-License-Identifier: MIT */
/* Ciphers of private keys: see cipher.h. */
#include "cipher.h"

#include <string.h>

#define AES_OID(n) 9, { 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, (n) }

const struct cipher cipher_aes256 = {
	"AES-256-CBC", &br_aes_ct64_cbcdec_vtable, 32, 16, AES_OID(42)
};
static const struct cipher aes192 = {
	"AES-192-CBC", &br_aes_ct64_cbcdec_vtable, 24, 16, AES_OID(22)
};
static const struct cipher aes128 = {
	"AES-128-CBC", &br_aes_ct64_cbcdec_vtable, 16, 16, AES_OID(2)
};
static const struct cipher des3 = {
	"DES-EDE3-CBC", &br_des_ct_cbcdec_vtable, 24, 8,
	8, { 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 3, 7 }
};

static const struct cipher *const ciphers[] = { &cipher_aes256, &aes192, &aes128, &des3 };

#define CIPHERS (sizeof ciphers / sizeof ciphers[0])

const struct cipher *
cipher_by_oid(struct bytes oid)
{
	for (size_t i = 0; i < CIPHERS; i++) {
		if (bytes_equal(oid, (struct bytes){ ciphers[i]->oid, ciphers[i]->oid_len })) {
			return ciphers[i];
		}
	}
	return NULL;
}

const struct cipher *
cipher_by_name(struct text name)
{
	for (size_t i = 0; i < CIPHERS; i++) {
		if (text_same(name, ciphers[i]->name)) {
			return ciphers[i];
		}
	}
	return NULL;
}

int
cipher_decrypt(const struct cipher *c, const uint8_t *key, uint8_t *iv, uint8_t *data,
	size_t len)
{
	union {
		const br_block_cbcdec_class *vtable;
		br_aes_gen_cbcdec_keys aes;
		br_des_gen_cbcdec_keys des;
	} keys;
	size_t padding;

	if (len == 0 || len % c->block != 0 || len > INT32_MAX) {
		return -1;
	}
	c->decrypt->init(&keys.vtable, key, c->key_len);
	c->decrypt->run(&keys.vtable, iv, data, len);
	wipe(&keys, sizeof keys);
	padding = data[len - 1];
	if (padding == 0 || padding > c->block) {
		return -1;
	}
	for (size_t i = 1; i <= padding; i++) {
		if (data[len - i] != padding) {
			return -1;
		}
	}
	return (int)(len - padding);
}

size_t
cipher_encrypt(const uint8_t *key, uint8_t *iv, uint8_t *data, size_t len)
{
	/* Not ct64: that computes three blocks along that nobody has set, which valgrind reports. */
	br_aes_ct_cbcenc_keys keys;
	size_t padding = cipher_aes256.block - len % cipher_aes256.block;

	memset(data + len, (int)padding, padding);
	br_aes_ct_cbcenc_init(&keys, key, cipher_aes256.key_len);
	br_aes_ct_cbcenc_run(&keys, iv, data, len + padding);
	wipe(&keys, sizeof keys);
	return len + padding;
}
