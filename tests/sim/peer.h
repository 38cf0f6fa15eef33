/* SPDX-License-Identifier: MIT */
/*
 * A scripted FTPS client for stories: a real BearSSL client engine over the simulated
 * sockets, which accepts any certificate and draws its randomness from the seed, so that
 * a session replays byte for byte.
 *
 *	static struct peer p;
 *
 *	sim_pump = pump;
 *	peer_init(&p);
 *	assert_int_equal(peer_connect(&p, 21, false), 220);
 *	assert_int_equal(peer_auth_tls(&p), 234);
 *	assert_int_equal(peer_login(&p, "anna", "secret"), 230);
 *	assert_int_equal(peer_protect(&p), 200);
 *	peer_data_connect(&p, peer_epsv(&p));
 *	assert_int_equal(peer_ask(&p, "RETR %s", "a.txt"), 150);
 *	len = peer_data_read_all(&p, buf, sizeof buf);
 *	assert_true(p.data.notified && p.data.resumed);
 *	assert_int_equal(peer_reply(&p), 226);
 *
 * The functions that wait run the server until what they wait for has come. The clock
 * moves to the server's next deadline only when nothing else can happen any more. Where
 * nothing comes at all they end the test in sim_fail(), and say what they waited for.
 *
 * A `struct peer` is large: make it static. Replies are checked for their syntax (RFC 959,
 * 4.2: three digits, lines that end in CR LF).
 */
#ifndef PEER_H
#define PEER_H

#include <bearssl.h>

#include "sim.h"

/*
 * One turn of the server, or several. Set by the test, as a rule to
 *
 *	do {
 *		cubftpd_want(&set);
 *		port_wait(&set);
 *		cubftpd_step(&set, port_clock_ms());
 *	} while (sim_waited() == SIM_WAITED_READY && turns++ < 100);
 */
extern void (*sim_pump)(void);

#define PEER_OUT_MAX 65536
#define PEER_IN_MAX 65536

/* How a connection stands. */
enum peer_end {
	PEER_NONE,    /* never connected, or cut by us */
	PEER_OPEN,
	PEER_ENDED,   /* the server ended it in order: close_notify, or FIN without TLS */
	PEER_CUT,     /* the server ended it without close_notify */
	PEER_RESET,   /* it was reset */
	PEER_BROKEN,  /* the TLS engine failed: see tls_error */
};

/* Accepts every chain whose first certificate has a key, and keeps its SHA-256. */
struct peer_x509 {
	const br_x509_class *vtable;
	br_x509_decoder_context decoder;
	br_sha256_context hash;
	unsigned count;
	uint8_t fingerprint[32];
};

/*
 * What a client shows of itself where it is asked to: certificates, its own first, and the
 * key. Neither is looked at, nor whether they belong together. Points into itself: never copy it.
 */
#define PEER_CHAIN_MAX 10

struct peer_cert {
	br_x509_certificate chain[PEER_CHAIN_MAX];
	size_t count;
	const br_ec_private_key *ec;    /* one of these */
	const br_rsa_private_key *rsa;
	br_skey_decoder_context decoder;
};

/* A connection, control or data. For reading only. It is closed as soon as it has ended. */
struct peer_link {
	sim_peer sock;          /* 0: closed */
	enum peer_end end;
	bool tls;
	bool ready;             /* the handshake is over */
	bool notified;          /* the server's close_notify has come */
	bool deaf;              /* it can't be written to any more, but there may be more to read */
	bool resumed;           /* the session that we offered was taken up; valid when ready */
	int  tls_error;         /* BR_ERR_*; 256 + n or 512 + n: alert n received or sent */
	br_ssl_client_context client;
	br_ssl_session_parameters offered;
	struct peer_x509 x509;  /* `count` 0: no certificate was sent */
	unsigned char io[BR_SSL_BUFSIZE_BIDI];
	unsigned char heard[8192];  /* the server's records until the handshake was over */
	size_t heard_len;

	/* What is still to be written, and where to put what is read. */
	const char *src;
	size_t src_len;
	char  *dst;
	size_t dst_len;
	size_t dst_cap;
};

struct peer {
	/* Set by peer_init(); to be changed as the test wants. */
	struct port_addr from;     /* tcp_port 0: another one for each connection */
	const char *alpn;          /* for both connections; null: none */
	bool resume;               /* data connections offer the control connection's session */
	const struct peer_cert *cert;  /* for both connections; null: none */
	const br_ssl_session_parameters *offer;
	                           /* or this one instead, unless null */
	void (*prepare)(struct peer *p, struct peer_link *link);
	                           /* may set suites, versions and the like; or null */

	/* What came of it. */
	struct peer_link control;
	struct peer_link data;
	struct port_addr listening;  /* for data, in active mode */
	bool protect;              /* data connections use TLS; peer_protect() sets it */
	int  code;                 /* of the last reply */
	char reply[PEER_IN_MAX + 1];  /* its whole text, with the line ends */

	/* Its own. */
	char asked[64];            /* the last command, for messages */
	char out[PEER_OUT_MAX];
	char in[PEER_IN_MAX];
};

/* From 192.0.2.10, without ALPN, resuming. Whatever was open is forgotten, not closed. */
void peer_init(struct peer *p);

/* Begin with the key (DER, of any form), then add the chain, whose bytes stay the caller's. */
void peer_cert_start(struct peer_cert *c, const void *key, size_t len);
void peer_cert_add(struct peer_cert *c, const void *der, size_t len);

/*
 * The body of a message of the server's handshake, as it came over the wire; null: there was
 * none of this type (RFC 5246 section 7.4), or not in the clear.
 */
const unsigned char *peer_heard(const struct peer_link *l, uint8_t type, size_t *len);

/*
 * Connect, with a handshake at once if `implicit`, and wait for the greeting.
 * Returns its code, CUB_E_IO if nobody listens, CUB_AGAIN if the backlog is full, or as
 * peer_reply().
 */
int peer_connect(struct peer *p, uint16_t tcp_port, bool implicit);

/* The same without a handshake and without waiting: CUB_OK, CUB_E_IO or CUB_AGAIN. */
int peer_open(struct peer *p, uint16_t tcp_port);

/* Queue a line, to which CR LF is added, or raw bytes. They leave with the next turn. */
void peer_command(struct peer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void peer_raw(struct peer *p, const void *bytes, size_t len);

/*
 * Wait for the next whole reply.
 *
 * Returns its code;
 *         CUB_EOF     the server ended the connection in order;
 *         CUB_E_IO    it ended without close_notify, or was reset;
 *         CUB_E_TLS   the TLS engine failed: control.tls_error.
 */
int peer_reply(struct peer *p);

/* A command and its reply. */
int peer_ask(struct peer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Run the server until nothing more happens without the clock: is a reply there then? */
bool peer_has_reply(struct peer *p);

/* One turn of the server and of both connections; false if nothing happened. The clock stays. */
bool peer_turn(struct peer *p);

/*
 * Begin TLS on the control connection.
 * Returns CUB_OK, or as peer_reply().
 */
int peer_handshake(struct peer *p);

/* AUTH TLS, and the handshake after 234. Returns the code, or as peer_handshake(). */
int peer_auth_tls(struct peer *p);

/* USER, and PASS where 331 asks for it. Returns the last code. */
int peer_login(struct peer *p, const char *user, const char *password);

/* PBSZ 0 and PROT P. Returns the last code; 200 sets `protect`. */
int peer_protect(struct peer *p);

/* PASV or EPSV. Returns the TCP port, or 0 if the server refused. */
uint16_t peer_pasv(struct peer *p);
uint16_t peer_epsv(struct peer *p);

/* QUIT; waits until the server has ended the connection, and closes it. Returns the code. */
int peer_quit(struct peer *p);

/* End the control connection: in order, by FIN alone, or by RST. The first waits. */
void peer_close(struct peer *p);
void peer_cut(struct peer *p);
void peer_reset(struct peer *p);

/*
 * Connect for data. With `protect`, TLS is begun: the handshake goes on with every turn.
 * Returns CUB_OK, CUB_E_IO or CUB_AGAIN as sim_connect().
 */
int peer_data_connect(struct peer *p, uint16_t tcp_port);

/*
 * Active mode: listen at a new port and send PORT or EPRT, by the family. Returns the reply's
 * code. Then, after a command, wait until the server has connected, and begin TLS as above.
 */
int peer_port(struct peer *p);
void peer_data_accept(struct peer *p);

/* Wait for the handshake. Returns CUB_OK, or as peer_reply(), of the data connection. */
int peer_data_handshake(struct peer *p);

/* Read until the server ends the connection, and close it: see data.end and .notified. */
size_t peer_data_read_all(struct peer *p, void *dst, size_t cap);

/* Wait for some bytes; 0: the server has ended the connection. */
size_t peer_data_read(struct peer *p, void *dst, size_t cap);

/* Write all, in full records. Returns less than `len` if the server ended the connection. */
size_t peer_data_write(struct peer *p, const void *src, size_t len);

/*
 * End the data connection: in order (close_notify both ways, then FIN), by FIN without
 * close_notify, or by RST. The first two wait until what was written has left.
 */
void peer_data_close(struct peer *p);
void peer_data_cut(struct peer *p);
void peer_data_reset(struct peer *p);

#endif
