/* SPDX-License-Identifier: MIT */
/* TLS to a device: see tunnel.h. The server's counterparts are core/tls.c and core/peercert.c. */
#include "tunnel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "curves.h"
#include "dial.h"

/* ---- What the device shows ---- */

static struct showing *
of(const br_x509_class **ctx)
{
	return (struct showing *)(void *)ctx;
}

static void
start_chain(const br_x509_class **ctx, const char *server_name)
{
	(void)server_name;
	of(ctx)->len = 0;
	of(ctx)->count = 0;
	of(ctx)->problem = NULL;
}

static void
start_cert(const br_x509_class **ctx, uint32_t len)
{
	struct showing *s = of(ctx);

	s->left = 0;
	if (len == 0 || len > UINT16_MAX || sizeof s->chain - s->len < 2 + (size_t)len
		|| s->count == TUNNEL_CERTS) {
		s->problem = "the certificates that it shows are too long, or too many";
	}
	if (s->problem == NULL) {
		s->chain[s->len] = (uint8_t)len;
		s->chain[s->len + 1] = (uint8_t)(len >> 8);
		s->len += 2;
		s->left = len;
	}
}

static void
append(const br_x509_class **ctx, const unsigned char *src, size_t len)
{
	struct showing *s = of(ctx);

	if (s->left > 0) {
		CUB_ASSERT(len <= s->left);
		memcpy(s->chain + s->len, src, len);
		s->len += len;
		s->left -= len;
	}
}

static void
end_cert(const br_x509_class **ctx)
{
	of(ctx)->count++;
}

static unsigned
end_chain(const br_x509_class **ctx)
{
	struct showing *s = of(ctx);
	struct bytes rest = { s->chain, s->len };
	struct bytes first;

	if (s->problem == NULL) {
		s->problem = x509_chain_next(&rest, &first) == CUB_OK ? x509_read(first, &s->leaf)
			: "it shows no certificate";
	}
	if (s->problem != NULL) {
		return BR_ERR_X509_UNSUPPORTED;
	}
	s->key = key_for_bearssl(&s->leaf.key);
	return 0;
}

static const br_x509_pkey *
get_pkey(const br_x509_class *const *ctx, unsigned *usages)
{
	const struct showing *s = (const struct showing *)(const void *)ctx;

	if (usages != NULL) {
		*usages = BR_KEYTYPE_SIGN;
	}
	return &s->key;
}

static const br_x509_class showing_vtable = {
	sizeof(struct showing), &start_chain, &start_cert, &append, &end_cert, &end_chain, &get_pkey,
};

struct bytes
tunnel_chain(const struct tunnel *t)
{
	return (struct bytes){ t->showing.chain, t->showing.len };
}

/* ---- The socket ---- */

/* The first cause is kept. */
static bool
fail(struct tunnel *t, const char *what)
{
	struct out o = OUT(t->problem);

	if (t->problem[0] == '\0') {
		out_string(&o, what);
		(void)out_finish(&o);
	}
	return false;
}

static bool
wait_for(struct tunnel *t, bool to_read)
{
	char text[sizeof t->problem];
	struct out why = OUT(text);
	int64_t left_ms = t->deadline_ms - dial_now_ms();

	/* Also where there is always something: whoever sends without an end is left, too. */
	if (left_ms <= 0) {
		return fail(t, "it takes too long");
	}
	return dial_wait(t->fd, to_read, left_ms < DIAL_WAIT_MS ? (int)left_ms : DIAL_WAIT_MS, &why)
		|| fail(t, out_finish(&why));
}

/* Some of it; at least a byte. 0: the end of the stream; -1: told. */
static ssize_t
receive(struct tunnel *t, void *dst, size_t len)
{
	ssize_t n;

	do {
		if (!wait_for(t, true)) {
			return -1;
		}
		n = recv(t->fd, dst, len, 0);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0) {
		(void)fail(t, strerror(errno));
	}
	return n;
}

static ssize_t
transmit(struct tunnel *t, const void *src, size_t len)
{
	ssize_t n;

	do {
		if (!wait_for(t, false)) {
			return -1;
		}
		n = send(t->fd, src, len, MSG_NOSIGNAL);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0) {
		(void)fail(t, strerror(errno));
	}
	return n;
}

/* ---- The engine ---- */

static void
fail_tls(struct tunnel *t, int error)
{
	char text[sizeof t->problem];
	struct out o = OUT(text);

	if (t->showing.problem != NULL && error == BR_ERR_X509_UNSUPPORTED) {
		out_string(&o, t->showing.problem);
	} else if (error >= BR_ERR_RECV_FATAL_ALERT && error < BR_ERR_SEND_FATAL_ALERT) {
		out_string(&o, "it refuses TLS, with alert ");
		out_number(&o, (uint64_t)(error - BR_ERR_RECV_FATAL_ALERT));
	} else {
		out_string(&o, "TLS fails, with error ");
		out_number(&o, (uint64_t)error);
		out_string(&o, " of BearSSL");
	}
	(void)fail(t, out_finish(&o));
}

static bool
send_record(struct tunnel *t)
{
	size_t len;
	const uint8_t *src = br_ssl_engine_sendrec_buf(&t->tls.eng, &len);
	ssize_t n = transmit(t, src, len);

	if (n > 0) {
		br_ssl_engine_sendrec_ack(&t->tls.eng, (size_t)n);
	}
	return n > 0;
}

static bool
receive_record(struct tunnel *t)
{
	size_t len;
	uint8_t *dst = br_ssl_engine_recvrec_buf(&t->tls.eng, &len);
	ssize_t n = receive(t, dst, len);

	if (n == 0) {
		return fail(t, "it ends the connection without notice");
	}
	if (n > 0) {
		br_ssl_engine_recvrec_ack(&t->tls.eng, (size_t)n);
	}
	return n > 0;
}

/* Go on until one of these states is there. False: it is closed, in order or with a problem. */
static bool
pump(struct tunnel *t, unsigned wanted)
{
	br_ssl_engine_context *eng = &t->tls.eng;

	for (;;) {
		unsigned state = br_ssl_engine_current_state(eng);

		if ((state & BR_SSL_CLOSED) != 0) {
			int error = br_ssl_engine_last_error(eng);

			if (error != BR_ERR_OK) {
				fail_tls(t, error);
			}
			return false;
		}
		if ((state & BR_SSL_SENDREC) != 0) {
			if (!send_record(t)) {
				return false;
			}
		} else if ((state & wanted) != 0) {
			return true;
		} else if ((state & BR_SSL_RECVAPP) != 0) {
			return fail(t, "it sends what was not asked for");
		} else if ((state & BR_SSL_RECVREC) != 0) {
			if (!receive_record(t)) {
				return false;
			}
		} else {
			br_ssl_engine_flush(eng, 0);
		}
	}
}

/* Both ciphers of the server; the server chooses. */
static void
set_ciphers(br_ssl_engine_context *eng)
{
	static const uint16_t suites[] = {
		BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	};

	br_ssl_engine_set_suites(eng, suites, sizeof suites / sizeof suites[0]);
	br_ssl_engine_set_default_aes_gcm(eng);
	br_ssl_engine_set_default_chapol(eng);
}

static void
set_client(br_ssl_client_context *tls, const struct tunnel_client *client)
{
	if (client->key.type == BR_KEYTYPE_EC) {
		br_ssl_client_set_single_ec(tls, client->cert, client->count, &client->key.ec,
			BR_KEYTYPE_SIGN, BR_KEYTYPE_EC, &curves, &br_ecdsa_i31_sign_asn1);
	} else {
		br_ssl_client_set_single_rsa(tls, client->cert, client->count, &client->key.rsa,
			&br_rsa_i31_pkcs1_sign);
	}
}

bool
tunnel_secure(struct tunnel *t, const char *name, const struct tunnel_client *client,
	const struct tunnel *same)
{
	static const char *protocols[] = { "ftp" };
	br_ssl_engine_context *eng = &t->tls.eng;
	br_ssl_session_parameters session;

	t->is_secure = true;
	t->showing = (struct showing){ .vtable = &showing_vtable };
	br_ssl_client_zero(&t->tls);
	br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
	br_ssl_engine_add_flags(eng, BR_OPT_NO_RENEGOTIATION | BR_OPT_FAIL_ON_ALPN_MISMATCH);
	br_ssl_engine_set_protocol_names(eng, protocols, 1);
	br_ssl_engine_set_hash(eng, br_sha256_ID, &br_sha256_vtable);
	br_ssl_engine_set_prf_sha256(eng, &br_tls12_sha256_prf);
	br_ssl_engine_set_ec(eng, &curves);
	br_ssl_engine_set_ecdsa(eng, &br_ecdsa_i31_vrfy_asn1);
	br_ssl_engine_set_rsavrfy(eng, &br_rsa_i31_pkcs1_vrfy);
	set_ciphers(eng);
	br_ssl_engine_set_x509(eng, &t->showing.vtable);
	if (client != NULL) {
		set_client(&t->tls, client);
	}
	br_ssl_engine_set_buffer(eng, t->buffer, sizeof t->buffer, 1);
	if (same != NULL) {
		br_ssl_engine_get_session_parameters(&same->tls.eng, &session);
		br_ssl_engine_set_session_parameters(eng, &session);
		wipe(&session, sizeof session);
	}
	if (!br_ssl_client_reset(&t->tls, name, same != NULL)) {
		fail_tls(t, br_ssl_engine_last_error(eng));
		return false;
	}
	return pump(t, BR_SSL_SENDAPP) || fail(t, "it ends TLS at once");
}

/* ---- All together ---- */

void
tunnel_start(struct tunnel *t, int fd)
{
	t->fd = fd;
	t->is_secure = false;
	t->problem[0] = '\0';
	t->showing.len = 0;
	tunnel_step(t);
}

void
tunnel_step(struct tunnel *t)
{
	t->deadline_ms = dial_now_ms() + TUNNEL_STEP_MS;
}

int
tunnel_read(struct tunnel *t, void *dst, size_t len)
{
	size_t have;
	const uint8_t *src;

	if (!t->is_secure) {
		ssize_t n = receive(t, dst, len);

		return n == 0 ? (int)fail(t, "it ends the connection") - 1 : (int)n;
	}
	if (!pump(t, BR_SSL_RECVAPP)) {
		return t->problem[0] == '\0' ? 0 : -1;
	}
	src = br_ssl_engine_recvapp_buf(&t->tls.eng, &have);
	have = have < len ? have : len;
	memcpy(dst, src, have);
	br_ssl_engine_recvapp_ack(&t->tls.eng, have);
	return (int)have;
}

bool
tunnel_write(struct tunnel *t, const void *src, size_t len)
{
	const uint8_t *at = src;

	while (len > 0) {
		size_t room = len;

		if (!t->is_secure) {
			ssize_t n = transmit(t, at, len);

			if (n < 0) {
				return false;
			}
			room = (size_t)n;
		} else {
			uint8_t *dst;

			if (!pump(t, BR_SSL_SENDAPP)) {
				return fail(t, "it ends TLS");
			}
			dst = br_ssl_engine_sendapp_buf(&t->tls.eng, &room);
			room = room < len ? room : len;
			memcpy(dst, at, room);
			br_ssl_engine_sendapp_ack(&t->tls.eng, room);
		}
		at += room;
		len -= room;
	}
	if (t->is_secure) {
		br_ssl_engine_flush(&t->tls.eng, 0);
		return pump(t, BR_SSL_SENDAPP) || fail(t, "it ends TLS");
	}
	return true;
}

bool
tunnel_end(struct tunnel *t)
{
	br_ssl_engine_close(&t->tls.eng);
	return !pump(t, 0) && t->problem[0] == '\0';
}

void
tunnel_close(struct tunnel *t)
{
	static const struct linger at_once = { .l_onoff = 1 };

	if (t->fd >= 0) {
		/* What has not arrived so far shall not arrive later, when nobody expects it. */
		if (t->problem[0] != '\0') {
			(void)setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		}
		(void)close(t->fd);
	}
	t->fd = -1;
	t->is_secure = false;
	wipe(&t->tls, sizeof t->tls);
	wipe(t->buffer, sizeof t->buffer);
}
