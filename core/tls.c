/* SPDX-License-Identifier: MIT */
/* One TLS profile and the tie between control and data connection: see tls.h. */
#include "tls.h"

#include <string.h>

/*
 * BearSSL asks this function for randomness at the first reset of each engine. Ours comes
 * before the library's at link time, so that the port is the only source.
 */
static int
seed_from_port(const br_prng_class **prng)
{
	uint8_t seed[32];

	port_random(seed, sizeof seed);
	(*prng)->update(prng, seed, sizeof seed);
	wipe(seed, sizeof seed);
	return 1;
}

br_prng_seeder
br_prng_seeder_system(const char **name)
{
	if (name != NULL) {
		*name = "port";
	}
	return &seed_from_port;
}

/*
 * The curves we offer, and no others: BearSSL's own combinations also bring the generic
 * prime curves along, at several kilobytes.
 */
static const br_ec_impl *
curve_impl(int curve)
{
	return curve == BR_EC_curve25519 ? &br_ec_c25519_m31 : &br_ec_p256_m31;
}

static const unsigned char *
ec_generator(int curve, size_t *len)
{
	return curve_impl(curve)->generator(curve, len);
}

static const unsigned char *
ec_order(int curve, size_t *len)
{
	return curve_impl(curve)->order(curve, len);
}

static size_t
ec_xoff(int curve, size_t *len)
{
	return curve_impl(curve)->xoff(curve, len);
}

static uint32_t
ec_mul(unsigned char *g, size_t g_len, const unsigned char *x, size_t x_len, int curve)
{
	return curve_impl(curve)->mul(g, g_len, x, x_len, curve);
}

static size_t
ec_mulgen(unsigned char *r, const unsigned char *x, size_t x_len, int curve)
{
	return curve_impl(curve)->mulgen(r, x, x_len, curve);
}

static uint32_t
ec_muladd(unsigned char *a, const unsigned char *b, size_t len, const unsigned char *x,
	size_t x_len, const unsigned char *y, size_t y_len, int curve)
{
	return curve_impl(curve)->muladd(a, b, len, x, x_len, y, y_len, curve);
}

static const br_ec_impl tls_curves = {
	UINT32_C(1) << BR_EC_secp256r1 | UINT32_C(1) << BR_EC_curve25519,
	&ec_generator, &ec_order, &ec_xoff, &ec_mul, &ec_mulgen, &ec_muladd,
};

#if UINTPTR_MAX > 0xFFFFFFFF
#define PORTABLE_AES   (&br_aes_ct64_ctr_vtable)
#define PORTABLE_GHASH (&br_ghash_ctmul64)
#else
#define PORTABLE_AES   (&br_aes_ct_ctr_vtable)
#define PORTABLE_GHASH (&br_ghash_ctmul)
#endif

/* AES first only where the processor has it: in portable code it is six times slower. */
static void
set_ciphers(br_ssl_engine_context *eng)
{
	static const uint16_t aes_first[] = {
		BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	};
	static const uint16_t chacha_first[] = {
		BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	};
	const br_block_ctr_class *aes = br_aes_x86ni_ctr_get_vtable();
	br_ghash ghash = br_ghash_pclmul_get();
	br_chacha20_run chacha20 = br_chacha20_sse2_get();
	br_poly1305_run poly1305 = br_poly1305_ctmulq_get();

	br_ssl_engine_set_suites(eng, aes != NULL ? aes_first : chacha_first, 2);
	br_ssl_engine_set_aes_ctr(eng, aes != NULL ? aes : PORTABLE_AES);
	br_ssl_engine_set_ghash(eng, ghash != 0 ? ghash : PORTABLE_GHASH);
	br_ssl_engine_set_gcm(eng, &br_sslrec_in_gcm_vtable, &br_sslrec_out_gcm_vtable);
	br_ssl_engine_set_chacha20(eng, chacha20 != 0 ? chacha20 : &br_chacha20_ct_run);
	br_ssl_engine_set_poly1305(eng, poly1305 != 0 ? poly1305 : &br_poly1305_ctmul_run);
	br_ssl_engine_set_chapol(eng, &br_sslrec_in_chapol_vtable, &br_sslrec_out_chapol_vtable);
}

/* All that control and data connections have in common. */
static void
set_profile(br_ssl_server_context *tls, const struct identity *id)
{
	static const char *protocols[] = { "ftp" };
	br_ssl_engine_context *eng = &tls->eng;

	br_ssl_server_zero(tls);
	br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
	br_ssl_engine_add_flags(eng, BR_OPT_ENFORCE_SERVER_PREFERENCES | BR_OPT_NO_RENEGOTIATION
		| BR_OPT_FAIL_ON_ALPN_MISMATCH);
	br_ssl_engine_set_protocol_names(eng, protocols, 1);
	br_ssl_engine_set_hash(eng, br_sha256_ID, &br_sha256_vtable);
	br_ssl_engine_set_prf_sha256(eng, &br_tls12_sha256_prf);
	br_ssl_engine_set_ec(eng, &tls_curves);
	set_ciphers(eng);
	br_ssl_server_set_single_ec(tls, id->chain, id->chain_count, &id->key, BR_KEYTYPE_SIGN, 0,
		&tls_curves, &br_ecdsa_i31_sign_asn1);
}

int
tls_start_control(br_ssl_server_context *tls, const struct identity *id,
	void *in, size_t in_len, void *out, size_t out_len)
{
	set_profile(tls, id);
	br_ssl_engine_set_buffers_bidi(&tls->eng, in, in_len, out, out_len);
	return br_ssl_server_reset(tls) ? CUB_OK : CUB_E_TLS;
}

/* The data connection's cache holds one entry, which nothing but its owner can name. */
static int
tie_load(const br_ssl_session_cache_class **ctx, br_ssl_server_context *data,
	br_ssl_session_parameters *wanted)
{
	/* The vtable is the tie's first member. */
	const struct tls_tie *tie = (const struct tls_tie *)(const void *)ctx;
	br_ssl_session_parameters session;
	int same;

	(void)data;
	br_ssl_engine_get_session_parameters(tie->control, &session);
	same = session.session_id_len == sizeof session.session_id
		&& wanted->session_id_len == session.session_id_len
		&& memcmp(wanted->session_id, session.session_id, sizeof session.session_id) == 0;
	if (same) {
		*wanted = session;
	}
	wipe(&session, sizeof session);
	return same;
}

static void
tie_save(const br_ssl_session_cache_class **ctx, br_ssl_server_context *data,
	const br_ssl_session_parameters *params)
{
	(void)ctx;
	(void)data;
	(void)params;
}

static const br_ssl_session_cache_class tie_vtable = {
	sizeof(struct tls_tie), &tie_save, &tie_load,
};

int
tls_start_data(br_ssl_server_context *tls, const struct identity *id,
	void *buffer, size_t buffer_len, struct tls_tie *tie, const br_ssl_engine_context *control)
{
	*tie = (struct tls_tie){ &tie_vtable, control };
	set_profile(tls, id);
	br_ssl_server_set_cache(tls, &tie->vtable);
	br_ssl_engine_set_buffer(&tls->eng, buffer, buffer_len, 0);
	return br_ssl_server_reset(tls) ? CUB_OK : CUB_E_TLS;
}

bool
tls_is_resumed(const br_ssl_server_context *data, const br_ssl_engine_context *control)
{
	br_ssl_session_parameters ours, theirs;
	bool same;

	/* A new session gets a random identifier of 32 bytes: only a resumed one can be equal. */
	br_ssl_engine_get_session_parameters(&data->eng, &ours);
	br_ssl_engine_get_session_parameters(control, &theirs);
	same = ours.session_id_len == theirs.session_id_len && ours.session_id_len > 0
		&& memcmp(ours.session_id, theirs.session_id, ours.session_id_len) == 0
		&& memcmp(ours.master_secret, theirs.master_secret, sizeof ours.master_secret) == 0;
	wipe(&ours, sizeof ours);
	wipe(&theirs, sizeof theirs);
	return same;
}
