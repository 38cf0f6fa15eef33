/* SPDX-License-Identifier: MIT */
/* New keys: see keygen.h. Primes and curves are BearSSL's. */
#include "keygen.h"

#include <string.h>

#include "cubftpd_port.h"
#include "pkcs8.h"
#include "tell.h"

#define BITS_MIN 2048
#define BITS_MAX 4096
#define EXPONENT 65537

/* One number of a packed key: see key.h. */
static void
pack(struct key *k, const uint8_t *at, size_t len)
{
	while (len > 0 && at[0] == 0) {
		at++;
		len--;
	}
	k->packed[k->packed_len++] = (uint8_t)len;
	k->packed[k->packed_len++] = (uint8_t)(len >> 8);
	memcpy(k->packed + k->packed_len, at, len);
	k->packed_len = (uint16_t)(k->packed_len + len);
}

/* Whatever BearSSL made, it is only used if it is what would be taken over from a file. */
static bool
is_sound(struct key *k, uint32_t bits)
{
	uint8_t buffer[PKCS8_MAX];
	struct der d;
	const char *reason;
	bool is_good = k->rsa.n_bitlen == bits;

	der_start(&d, buffer, sizeof buffer);
	pkcs8_write(&d, k);
	is_good = is_good && !d.cut
		&& key_import(k, (struct bytes){ d.at, (size_t)(d.end - d.at) }, &reason) == CUB_OK;
	wipe(buffer, sizeof buffer);
	return is_good;
}

static bool
make_rsa(struct key *k, uint32_t bits)
{
	static const uint8_t exponent[] = { EXPONENT >> 16, EXPONENT >> 8 & 0xFF, EXPONENT & 0xFF };
	uint8_t parts[BR_RSA_KBUF_PRIV_SIZE(BITS_MAX)], seed[32];
	br_hmac_drbg_context drbg;
	br_rsa_private_key rsa;
	bool is_made;

	port_random(seed, sizeof seed);
	br_hmac_drbg_init(&drbg, &br_sha256_vtable, seed, sizeof seed);
	is_made = br_rsa_keygen_get_default()(&drbg.vtable, &rsa, parts, NULL, NULL, bits,
		EXPONENT) == 1;
	if (is_made) {
		k->packed[0] = 0;
		k->packed_len = 1;
		pack(k, rsa.p, rsa.plen);
		pack(k, rsa.q, rsa.qlen);
		pack(k, rsa.dp, rsa.dplen);
		pack(k, rsa.dq, rsa.dqlen);
		pack(k, rsa.iq, rsa.iqlen);
		pack(k, exponent, sizeof exponent);
		is_made = key_unpack(k) == CUB_OK && is_sound(k, bits);
	}
	wipe(seed, sizeof seed);
	wipe(&drbg, sizeof drbg);
	wipe(parts, sizeof parts);
	return is_made;
}

/* What the options ask for: bits of RSA, or 0. False: they make no sense. */
static bool
read_options(const struct options *o, uint32_t *bits, struct out *why)
{
	if (options_has(o, OPT_RSA) && options_has(o, OPT_P384)) {
		return tell(why, "--rsa and --p384 are two kinds of key: choose one");
	}
	if (!options_number(o, OPT_RSA, BITS_MIN, BITS_MAX, 0, bits, why)) {
		return false;
	}
	if (*bits % 8 != 0) {
		return tell(why, "--rsa wants a multiple of 8, such as 2048, 3072 or 4096");
	}
	return true;
}

bool
keygen_check(const struct options *o, struct out *why)
{
	uint32_t bits;

	return read_options(o, &bits, why);
}

bool
keygen_make(struct key *k, const struct options *o, struct out *why)
{
	uint32_t bits;

	memset(k, 0, sizeof *k);
	if (!read_options(o, &bits, why)) {
		return false;
	}
	if (bits > 0) {
		if (!make_rsa(k, bits)) {
			wipe(k, sizeof *k);
			return tell(why, "the RSA key that was made is not sound: try again");
		}
	} else if (options_has(o, OPT_P384)) {
		key_make_p384(k);
	} else {
		key_make(k);
	}
	return true;
}
