/* SPDX-License-Identifier: MIT */
/* One TLS profile and the tie between control and data connection: see tls.h. */
#include "tls.h"

#include <string.h>

#include "curves.h"

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
	/* Of each pair the one that fits the device's key is chosen. */
	static const uint16_t aes_first[] = {
		BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	};
	static const uint16_t chacha_first[] = {
		BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	};
	const br_block_ctr_class *aes = br_aes_x86ni_ctr_get_vtable();
	br_ghash ghash = br_ghash_pclmul_get();
	br_chacha20_run chacha20 = br_chacha20_sse2_get();
	br_poly1305_run poly1305 = br_poly1305_ctmulq_get();

	br_ssl_engine_set_suites(eng, aes != NULL ? aes_first : chacha_first, 4);
	br_ssl_engine_set_aes_ctr(eng, aes != NULL ? aes : PORTABLE_AES);
	br_ssl_engine_set_ghash(eng, ghash != 0 ? ghash : PORTABLE_GHASH);
	br_ssl_engine_set_gcm(eng, &br_sslrec_in_gcm_vtable, &br_sslrec_out_gcm_vtable);
	br_ssl_engine_set_chacha20(eng, chacha20 != 0 ? chacha20 : &br_chacha20_ct_run);
	br_ssl_engine_set_poly1305(eng, poly1305 != 0 ? poly1305 : &br_poly1305_ctmul_run);
	br_ssl_engine_set_chapol(eng, &br_sslrec_in_chapol_vtable, &br_sslrec_out_chapol_vtable);
}

/* The policy is the identity's first member. */
static const struct identity *
identity_of(const br_ssl_server_policy_class **policy)
{
	return (const struct identity *)(const void *)policy;
}

/* The first suite that our key can sign for, always over SHA-256. */
static int
choose(const br_ssl_server_policy_class **policy, const br_ssl_server_context *tls,
	br_ssl_server_choices *choices)
{
	const struct identity *id = identity_of(policy);
	bool is_rsa = CONFIG_CUBFTPD_RSA && id->key.type == BR_KEYTYPE_RSA;
	unsigned exchange = is_rsa ? BR_SSLKEYX_ECDHE_RSA : BR_SSLKEYX_ECDHE_ECDSA;
	uint32_t hash = UINT32_C(1) << (br_sha256_ID + (is_rsa ? 0 : 8));
	size_t count;
	const br_suite_translated *suite = br_ssl_server_get_client_suites(tls, &count);

	for (; count > 0; count--, suite++) {
		if ((*suite)[1] >> 12 == exchange
			&& (br_ssl_server_get_client_hashes(tls) & hash) != 0) {
			choices->cipher_suite = (*suite)[0];
			choices->algo_id = 0xFF00 + br_sha256_ID;
			choices->chain = id->chain;
			choices->chain_len = id->chain_count;
			return 1;
		}
	}
	return 0;
}

/* The hash stands where the signature goes. */
static size_t
sign(const br_ssl_server_policy_class **policy, unsigned algo_id, unsigned char *data,
	size_t hash_len, size_t cap)
{
	uint8_t hash[32];

	(void)algo_id;
	if (hash_len != sizeof hash || cap < KEY_SIGNATURE_MAX) {
		return 0;
	}
	memcpy(hash, data, sizeof hash);
	return key_sign(&identity_of(policy)->key, hash, data);
}

/* BearSSL's own policies could also exchange keys by RSA and static ECDH, which we never do. */
static const br_ssl_server_policy_class policy = {
	sizeof(struct identity), &choose, NULL, &sign,
};

/*
 * Ask for any certificate, and name no CA: GnuTLS, Java and Schannel send theirs only where
 * the list is empty or holds its issuer's name, and a self-signed one has no other issuer.
 * BearSSL sends the request only if the names' total length is not zero, and would begin the
 * list with it. A name of this length is never read, since it is negative for the loop over
 * the names; with its own two bytes it makes the total 0xFF000000: not zero, but of its low
 * 24 and 16 bits, which are what goes out as lengths, every one is.
 */
static void
request_any(br_ssl_server_context *tls)
{
	static const br_x500_name nobody = { NULL, UINT32_C(0xFEFFFFFE) };

	br_ssl_server_set_trust_anchor_names(tls, &nobody, 1);
}

static void
set_request(br_ssl_server_context *tls, const struct tls_request *request)
{
	br_ssl_engine_context *eng = &tls->eng;

	if (request->cert == NULL) {
		return;
	}
	if (request->name_count == 0) {
		request_any(tls);
	} else {
		br_ssl_server_set_trust_anchor_names(tls, request->names, request->name_count);
	}
	br_ssl_engine_set_x509(eng, &request->cert->vtable);
	br_ssl_engine_set_ecdsa(eng, &br_ecdsa_i31_vrfy_asn1);
#if CONFIG_CUBFTPD_RSA
	br_ssl_engine_set_rsavrfy(eng, &br_rsa_i31_pkcs1_vrfy);
#endif
	br_ssl_engine_add_flags(eng, BR_OPT_TOLERATE_NO_CLIENT_AUTH);
}

/* All that control and data connections have in common. */
static void
set_profile(br_ssl_server_context *tls, struct identity *id,
	const struct tls_request *request)
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
	br_ssl_engine_set_ec(eng, &curves);
	set_ciphers(eng);
	id->policy = &policy;
	br_ssl_server_set_policy(tls, &id->policy);
	set_request(tls, request);
}

int
tls_start_control(br_ssl_server_context *tls, struct identity *id,
	const struct tls_request *request, void *in, size_t in_len, void *out, size_t out_len)
{
	set_profile(tls, id, request);
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

	br_ssl_engine_get_session_parameters(tie->control, &session);
	same = session.session_id_len == sizeof session.session_id
		&& wanted->session_id_len == session.session_id_len
		&& memcmp(wanted->session_id, session.session_id, sizeof session.session_id) == 0;
	if (same) {
		*wanted = session;
		/*
		 * BearSSL looks for a name that both know, but skips the end of the handshake where
		 * there is none, and would go on to copy that name to the client from far behind our
		 * list. What is resumed is known to be FTP: without a list none is looked for.
		 */
		br_ssl_engine_set_protocol_names(&data->eng, NULL, 0);
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
tls_start_data(br_ssl_server_context *tls, struct identity *id,
	const struct tls_request *request, void *buffer, size_t buffer_len, struct tls_tie *tie,
	const br_ssl_engine_context *control)
{
	*tie = (struct tls_tie){ &tie_vtable, control };
	set_profile(tls, id, request);
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
