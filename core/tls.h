/* SPDX-License-Identifier: MIT */
/*
 * The one TLS profile: TLS 1.2, ECDHE with X25519 (preferred) and P-256, AES-128-GCM and
 * ChaCha20-Poly1305, ALPN "ftp" (RFC 7301; a client without ALPN is accepted), no
 * renegotiation, no cache that would outlive a connection.
 *
 * A data connection is tied to its control connection (RFC 4217 section 7): it can resume
 * that one's session and no other, for as long as that one lives.
 */
#ifndef TLS_H
#define TLS_H

#include "identity.h"
#include "peercert.h"

/* What a data connection can resume: the session of its control connection. */
struct tls_tie {
	const br_ssl_session_cache_class *vtable;
	const br_ssl_engine_context *control;
};

/* What is asked of the client's side of a handshake. */
struct tls_request {
	struct peercert *cert;                 /* where its certificate goes; null: none is asked for */
	const br_x500_name *names;             /* CAs, whose names are sent */
	size_t name_count;                     /* 0: any certificate will do */
};

/*
 * Ready an engine for a new control connection. The identity, the request and the buffers
 * must stay valid: the former until the handshake is over, the latter until the connection is.
 * A client that sends no certificate, or one that `cert` refuses, is let in all the same.
 * Returns CUB_OK or CUB_E_TLS.
 */
int tls_start_control(br_ssl_server_context *tls, struct identity *id,
	const struct tls_request *request, void *in, size_t in_len, void *out, size_t out_len);

/*
 * Ready an engine for a data connection, with one buffer for both directions.
 * `control` is the control connection's engine after its handshake; it and `tie` must stay
 * valid as long as the data connection.
 */
int tls_start_data(br_ssl_server_context *tls, struct identity *id,
	const struct tls_request *request, void *buffer, size_t buffer_len, struct tls_tie *tie,
	const br_ssl_engine_context *control);

/* After its handshake: did the data connection resume its control connection's session? */
bool tls_is_resumed(const br_ssl_server_context *data, const br_ssl_engine_context *control);

#endif
