/* SPDX-License-Identifier: MIT */
/*
 * A scripted FTPS client. Each connection (struct peer_link) moves what is in `src` to
 * the server and what comes into `dst`, as far as both sides have room, through a BearSSL
 * engine or without one. A function that waits sets these two, and then turns the server
 * and both connections until what it waits for is there.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

/* Turns in which nothing happens, though the server never waits: it may be computing. */
#define QUIET_MAX 100000

/* Deadlines that may pass in a row without anything happening. */
#define JUMPS_MAX 1000

void (*sim_pump)(void);

/* How long something has been waited for in vain. */
struct patience {
	unsigned quiet;
	unsigned jumps;
};

/* The X.509 engine that trusts anybody */

static struct peer_x509 *
x509_of(const br_x509_class **vtable)
{
	return (struct peer_x509 *)(void *)vtable;
}

static void
x509_start_chain(const br_x509_class **ctx, const char *server_name)
{
	(void)server_name;
	x509_of(ctx)->count = 0;
}

static void
x509_start_cert(const br_x509_class **ctx, uint32_t length)
{
	struct peer_x509 *x = x509_of(ctx);

	(void)length;
	if (x->count == 0) {
		br_x509_decoder_init(&x->decoder, NULL, NULL);
		br_sha256_init(&x->hash);
	}
}

static void
x509_append(const br_x509_class **ctx, const unsigned char *buf, size_t len)
{
	struct peer_x509 *x = x509_of(ctx);

	if (x->count == 0) {
		br_x509_decoder_push(&x->decoder, buf, len);
		br_sha256_update(&x->hash, buf, len);
	}
}

static void
x509_end_cert(const br_x509_class **ctx)
{
	struct peer_x509 *x = x509_of(ctx);

	if (x->count++ == 0) {
		br_sha256_out(&x->hash, x->fingerprint);
	}
}

static unsigned
x509_end_chain(const br_x509_class **ctx)
{
	struct peer_x509 *x = x509_of(ctx);

	if (x->count == 0) {
		return BR_ERR_X509_EMPTY_CHAIN;
	}
	return (unsigned)br_x509_decoder_last_error(&x->decoder);
}

static const br_x509_pkey *
x509_get_pkey(const br_x509_class *const *ctx, unsigned *usages)
{
	const struct peer_x509 *x = (const struct peer_x509 *)(const void *)ctx;

	if (usages != NULL) {
		*usages = BR_KEYTYPE_KEYX | BR_KEYTYPE_SIGN;
	}
	return &x->decoder.pkey;
}

static const br_x509_class x509_anybody = {
	.context_size = sizeof(struct peer_x509),
	.start_chain = x509_start_chain,
	.start_cert = x509_start_cert,
	.append = x509_append,
	.end_cert = x509_end_cert,
	.end_chain = x509_end_chain,
	.get_pkey = x509_get_pkey,
};

/* One connection */

static void
link_end(struct peer_link *l, enum peer_end end)
{
	l->end = end;
	if (l->sock != 0) {
		sim_peer_close(l->sock);
		l->sock = 0;
	}
}

static int
link_connect(struct peer *p, struct peer_link *l, uint16_t tcp_port)
{
	struct port_addr from = p->from;
	int err;

	link_end(l, PEER_NONE);
	memset(l, 0, sizeof *l);
	if (from.tcp_port == 0) {
		from.tcp_port = (uint16_t)(40000 + sim_draw_below(SIM_PEER, 20000));
	}
	err = sim_connect(&from, tcp_port, &l->sock);
	if (err == CUB_OK) {
		l->end = PEER_OPEN;
	}
	return err;
}

/* Only to sign: static ECDH would prove the key in another way, of which the server knows none. */
static void
show_cert(struct peer_link *l, const struct peer_cert *c)
{
	if (c->ec != NULL) {
		br_ssl_client_set_single_ec(&l->client, c->chain, c->count, c->ec, BR_KEYTYPE_SIGN, 0,
			br_ec_get_default(), br_ecdsa_sign_asn1_get_default());
	} else {
		br_ssl_client_set_single_rsa(&l->client, c->chain, c->count, c->rsa,
			br_rsa_pkcs1_sign_get_default());
	}
}

static void
link_start_tls(struct peer *p, struct peer_link *l, const br_ssl_session_parameters *resume)
{
	static br_x509_minimal_context unused;
	br_ssl_engine_context *eng = &l->client.eng;
	uint64_t seed[4];

	br_ssl_client_init_full(&l->client, &unused, NULL, 0);
	l->x509.vtable = &x509_anybody;
	br_ssl_engine_set_x509(eng, &l->x509.vtable);
	br_ssl_engine_set_buffer(eng, l->io, sizeof l->io, 1);
	if (p->alpn != NULL) {
		br_ssl_engine_set_protocol_names(eng, &p->alpn, 1);
	}
	for (unsigned i = 0; i < 4; i++) {
		seed[i] = sim_draw(SIM_PEER);
	}
	br_ssl_engine_inject_entropy(eng, seed, sizeof seed);
	/* Otherwise the reset asks the system's seeder too, which may be the server's. */
	eng->rng_os_rand_done = 1;
	if (p->cert != NULL) {
		show_cert(l, p->cert);
	}
	if (p->prepare != NULL) {
		p->prepare(p, l);
	}
	if (resume != NULL) {
		l->offered = *resume;
		br_ssl_engine_set_session_parameters(eng, resume);
	}
	if (!br_ssl_client_reset(&l->client, NULL, resume != NULL)) {
		sim_fail("peer: the TLS engine can't start: error %d", br_ssl_engine_last_error(eng));
	}
	l->tls = true;
}

/* Take what was read, or see that nothing will come. `n` is of sim_peer_read(). */
static void
link_took(struct peer_link *l, int n)
{
	if (n == CUB_EOF) {
		link_end(l, !l->tls || l->notified ? PEER_ENDED : PEER_CUT);
	} else if (n == CUB_E_IO) {
		link_end(l, PEER_RESET);
	}
}

static void
link_sent(struct peer_link *l, size_t n)
{
	l->src += n;
	l->src_len -= n;
}

static void
move_plain(struct peer_link *l)
{
	int n = CUB_OK;

	while (l->src_len > 0 && (n = sim_peer_write(l->sock, l->src, l->src_len)) > 0) {
		link_sent(l, (size_t)n);
	}
	while (l->dst_len < l->dst_cap) {
		n = sim_peer_read(l->sock, l->dst + l->dst_len, l->dst_cap - l->dst_len);
		if (n < 0) {
			link_took(l, n);
			return;
		}
		l->dst_len += (size_t)n;
	}
	if (sim_peer_pending(l->sock) == 0 && sim_peer_eof(l->sock)) {
		link_took(l, sim_peer_lost(l->sock) ? CUB_E_IO : CUB_EOF);
	}
}

/* Move plaintext between the engine and `src` and `dst`. Returns whether any moved. */
static bool
move_text(struct peer_link *l)
{
	br_ssl_engine_context *eng = &l->client.eng;
	unsigned char *buf;
	size_t len;
	bool moved = false;

	buf = br_ssl_engine_sendapp_buf(eng, &len);
	if (buf != NULL && l->src_len > 0) {
		len = len < l->src_len ? len : l->src_len;
		memcpy(buf, l->src, len);
		br_ssl_engine_sendapp_ack(eng, len);
		link_sent(l, len);
		br_ssl_engine_flush(eng, 0);
		moved = true;
	}
	buf = br_ssl_engine_recvapp_buf(eng, &len);
	if (buf != NULL && l->dst_len < l->dst_cap) {
		len = len < l->dst_cap - l->dst_len ? len : l->dst_cap - l->dst_len;
		memcpy(l->dst + l->dst_len, buf, len);
		br_ssl_engine_recvapp_ack(eng, len);
		l->dst_len += len;
		moved = true;
	}
	return moved;
}

/* Keep what the server says in the handshake: in the clear, all but its last message. */
static void
hear(struct peer_link *l, const unsigned char *src, size_t len)
{
	if (!l->ready && len <= sizeof l->heard - l->heard_len) {
		memcpy(l->heard + l->heard_len, src, len);
		l->heard_len += len;
	}
}

/* Move records between the engine and the socket. Returns whether any moved. */
static bool
move_records(struct peer_link *l)
{
	br_ssl_engine_context *eng = &l->client.eng;
	unsigned char *buf;
	size_t len;
	bool moved = false;
	int n = CUB_AGAIN;

	buf = br_ssl_engine_sendrec_buf(eng, &len);
	if (buf != NULL) {
		n = sim_peer_write(l->sock, buf, len);
		if (n > 0) {
			br_ssl_engine_sendrec_ack(eng, (size_t)n);
			moved = true;
		}
		l->deaf = n == CUB_E_IO;
	}
	buf = br_ssl_engine_recvrec_buf(eng, &len);
	if (buf != NULL) {
		n = sim_peer_read(l->sock, buf, len);
		if (n > 0) {
			hear(l, buf, (size_t)n);
			br_ssl_engine_recvrec_ack(eng, (size_t)n);
			moved = true;
		}
		link_took(l, n);
	} else if (n == CUB_E_IO && !(br_ssl_engine_current_state(eng) & BR_SSL_RECVAPP)) {
		/* It can't be written to any more, and there is nothing left to read. */
		link_end(l, l->notified ? PEER_ENDED : PEER_RESET);
	}
	return moved;
}

static void
move_tls(struct peer_link *l)
{
	br_ssl_engine_context *eng = &l->client.eng;
	bool moved;

	do {
		unsigned state = br_ssl_engine_current_state(eng);

		if ((state & (BR_SSL_SENDAPP | BR_SSL_RECVAPP)) && !l->ready) {
			br_ssl_session_parameters now;

			br_ssl_engine_get_session_parameters(eng, &now);
			l->ready = true;
			l->resumed = l->offered.session_id_len > 0
				&& now.session_id_len == l->offered.session_id_len
				&& memcmp(now.session_id, l->offered.session_id, now.session_id_len) == 0;
		}
		/* Set by close_notify alone; `close_received`, in 0.6, is never set. */
		l->notified = eng->shutdown_recv != 0;
		if (state & BR_SSL_CLOSED) {
			l->tls_error = br_ssl_engine_last_error(eng);
			link_end(l, l->tls_error == BR_ERR_OK ? PEER_ENDED : PEER_BROKEN);
			return;
		}
		moved = move_text(l);
		moved = move_records(l) || moved;
	} while (moved && l->end == PEER_OPEN);
}

static void
link_move(struct peer_link *l)
{
	if (l->end != PEER_OPEN) {
		return;
	}
	if (l->tls) {
		move_tls(l);
	} else {
		move_plain(l);
	}
}

/* Whether all that was given has left for the socket, or never will. */
static bool
link_drained(const struct peer_link *l)
{
	return l->deaf || (l->src_len == 0
		&& !(l->tls && br_ssl_engine_current_state(&l->client.eng) & BR_SSL_SENDREC));
}

static int
link_result(const struct peer_link *l)
{
	switch (l->end) {
	case PEER_ENDED:
		return CUB_EOF;
	case PEER_BROKEN:
		return CUB_E_TLS;
	case PEER_CUT:
	case PEER_RESET:
		return CUB_E_IO;
	case PEER_NONE:
	case PEER_OPEN:
		break;
	}
	sim_fail("peer: there is no such connection");
}

/* Turns */

static void
pump(int clock_moves)
{
	int before = sim_clock_budget(clock_moves);

	if (sim_pump == NULL) {
		sim_fail("peer: the test has not set sim_pump");
	}
	sim_pump();
	sim_clock_budget(before);
}

bool
peer_turn(struct peer *p)
{
	uint64_t before = sim_net_activity();

	link_move(&p->control);
	link_move(&p->data);
	pump(0);
	link_move(&p->control);
	link_move(&p->data);
	return sim_net_activity() != before;
}

/* Turn; where nothing can happen without the clock, let it move to one deadline. */
static void
turn(struct peer *p, struct patience *t, const char *awaited)
{
	if (peer_turn(p)) {
		*t = (struct patience){ 0 };
		return;
	}
	t->quiet++;
	if (sim_waited() == SIM_WAITED_NEVER && t->quiet > 3) {
		sim_fail("peer: %s has not come after \"%s\": the server waits for nothing else",
			awaited, p->asked);
	}
	if (sim_waited() == SIM_WAITED_TIME) {
		if (++t->jumps > JUMPS_MAX) {
			sim_fail("peer: %s has not come after \"%s\", however late it got",
				awaited, p->asked);
		}
		pump(1);
	}
	if (t->quiet > QUIET_MAX) {
		sim_fail("peer: %s has not come after \"%s\": the server spins", awaited, p->asked);
	}
}

/* Turn until nothing more happens without the clock. */
static void
settle(struct peer *p)
{
	for (unsigned quiet = 0; quiet <= QUIET_MAX; quiet++) {
		if (peer_turn(p)) {
			quiet = 0;
		} else if (sim_waited() == SIM_WAITED_TIME || sim_waited() == SIM_WAITED_NEVER) {
			return;
		}
	}
	sim_fail("peer: the server spins after \"%s\"", p->asked);
}

static void
drain(struct peer *p, struct peer_link *l)
{
	struct patience t = { 0 };

	while (l->end == PEER_OPEN && !link_drained(l)) {
		turn(p, &t, "room to write");
	}
}

static int
handshake(struct peer *p, struct peer_link *l)
{
	struct patience t = { 0 };

	while (l->end == PEER_OPEN && l->tls && !l->ready) {
		turn(p, &t, "the end of the handshake");
	}
	return l->ready || l->end == PEER_OPEN ? CUB_OK : link_result(l);
}

/* End a connection: with close_notify both ways under TLS, and FIN. */
static void
close_in_order(struct peer *p, struct peer_link *l)
{
	struct patience t = { 0 };

	if (handshake(p, l) == CUB_OK) {
		drain(p, l);
	}
	if (l->end == PEER_OPEN && l->tls) {
		br_ssl_engine_close(&l->client.eng);
		while (l->end == PEER_OPEN) {
			turn(p, &t, "close_notify");
		}
	} else if (l->end == PEER_OPEN) {
		link_end(l, PEER_NONE);
	}
	settle(p);
}

static void
cut(struct peer *p, struct peer_link *l)
{
	drain(p, l);
	if (l->end == PEER_OPEN) {
		link_end(l, PEER_NONE);
	}
	settle(p);
}

static void
reset(struct peer *p, struct peer_link *l)
{
	if (l->sock != 0) {
		sim_peer_reset(l->sock);
		l->sock = 0;
		l->end = PEER_NONE;
	}
	settle(p);
}

/* The control connection */

void
peer_init(struct peer *p)
{
	memset(p, 0, sizeof *p);
	p->from = sim_ipv4(192, 0, 2, 10, 0);
	p->resume = true;
}

void
peer_cert_start(struct peer_cert *c, const void *key, size_t len)
{
	memset(c, 0, sizeof *c);
	br_skey_decoder_init(&c->decoder);
	br_skey_decoder_push(&c->decoder, key, len);
	c->ec = br_skey_decoder_get_ec(&c->decoder);
	c->rsa = br_skey_decoder_get_rsa(&c->decoder);
	if (c->ec == NULL && c->rsa == NULL) {
		sim_fail("peer: no private key: error %d", br_skey_decoder_last_error(&c->decoder));
	}
}

void
peer_cert_add(struct peer_cert *c, const void *der, size_t len)
{
	union { const void *from; unsigned char *to; } at = { .from = der };

	if (c->count == PEER_CHAIN_MAX) {
		sim_fail("peer: a chain of more than %d", PEER_CHAIN_MAX);
	}
	c->chain[c->count++] = (br_x509_certificate){ .data = at.to, .data_len = len };
}

/* The messages of the handshake, which are in records of type 22 (RFC 5246 section 6.2.1). */
static size_t
join_records(const struct peer_link *l, unsigned char *dst)
{
	size_t total = 0;

	for (size_t at = 0; at + 5 <= l->heard_len && l->heard[at] == 22;) {
		size_t len = (size_t)l->heard[at + 3] << 8 | l->heard[at + 4];

		if (len > l->heard_len - at - 5) {
			break;
		}
		memcpy(dst + total, l->heard + at + 5, len);
		total += len;
		at += 5 + len;
	}
	return total;
}

const unsigned char *
peer_heard(const struct peer_link *l, uint8_t type, size_t *len)
{
	static unsigned char messages[sizeof l->heard];
	size_t total = join_records(l, messages);

	for (size_t at = 0; at + 4 <= total; at += 4 + *len) {
		*len = (size_t)messages[at + 1] << 16 | (size_t)messages[at + 2] << 8 | messages[at + 3];
		if (*len > total - at - 4) {
			break;
		}
		if (messages[at] == type) {
			return messages + at + 4;
		}
	}
	*len = 0;
	return NULL;
}

int
peer_open(struct peer *p, uint16_t tcp_port)
{
	int err = link_connect(p, &p->control, tcp_port);

	p->control.src = p->out;
	p->control.dst = p->in;
	p->control.dst_cap = sizeof p->in;
	snprintf(p->asked, sizeof p->asked, "(connecting)");
	return err;
}

int
peer_connect(struct peer *p, uint16_t tcp_port, bool implicit)
{
	int err = peer_open(p, tcp_port);

	if (err == CUB_OK && implicit) {
		err = peer_handshake(p);
	}
	return err == CUB_OK ? peer_reply(p) : err;
}

void
peer_raw(struct peer *p, const void *src, size_t len)
{
	struct peer_link *l = &p->control;

	if (len > sizeof p->out - l->src_len) {
		sim_fail("peer: more than %zu bytes of commands at once", sizeof p->out);
	}
	memmove(p->out, l->src, l->src_len);
	memcpy(p->out + l->src_len, src, len);
	l->src = p->out;
	l->src_len += len;
}

static void
command(struct peer *p, const char *format, va_list args)
{
	static char line[PEER_OUT_MAX];
	int len = vsnprintf(line, sizeof line - 2, format, args);

	if (len < 0 || (size_t)len >= sizeof line - 2) {
		sim_fail("peer: a command that is too long");
	}
	snprintf(p->asked, sizeof p->asked, "%.*s", (int)sizeof p->asked - 1, line);
	line[len++] = '\r';
	line[len++] = '\n';
	peer_raw(p, line, (size_t)len);
}

void
peer_command(struct peer *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	command(p, format, args);
	va_end(args);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The length of the line that begins here, with its CR LF, or 0 if its end has not come. */
static size_t
line_len(const struct peer *p, const char *line, size_t left)
{
	const char *end = memchr(line, '\n', left);

	if (end == NULL) {
		return 0;
	}
	if (end == line || end[-1] != '\r'
		|| memchr(line, '\r', (size_t)(end - line) - 1) != NULL) {
		sim_fail("peer: after \"%s\", a line that does not end in CR LF alone", p->asked);
	}
	return (size_t)(end - line) + 1;
}

/* The length of the first reply, or 0 if it is not whole. */
static size_t
reply_len(const struct peer *p)
{
	const char *first = p->in;
	size_t len = p->control.dst_len;
	size_t at = 0;

	for (;;) {
		size_t n = line_len(p, first + at, len - at);

		if (n == 0) {
			if (len == sizeof p->in) {
				sim_fail("peer: after \"%s\", a reply without end", p->asked);
			}
			return 0;
		}
		if (at == 0 && (n < 5 || first[0] < '1' || first[0] > '6' || !is_digit(first[1])
			|| !is_digit(first[2]) || (first[3] != ' ' && first[3] != '-'))) {
			sim_fail("peer: after \"%s\", no reply: %.*s", p->asked, (int)(n - 2), first);
		}
		if (n >= 6 && first[at + 3] == ' ' && memcmp(first, first + at, 3) == 0) {
			return at + n;
		}
		at += n;
	}
}

int
peer_reply(struct peer *p)
{
	struct patience t = { 0 };
	size_t len;

	while ((len = reply_len(p)) == 0) {
		if (p->control.end != PEER_OPEN) {
			return link_result(&p->control);
		}
		turn(p, &t, "the reply");
	}
	memcpy(p->reply, p->in, len);
	p->reply[len] = '\0';
	p->control.dst_len -= len;
	memmove(p->in, p->in + len, p->control.dst_len);
	p->code = (p->reply[0] - '0') * 100 + (p->reply[1] - '0') * 10 + (p->reply[2] - '0');
	return p->code;
}

int
peer_ask(struct peer *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	command(p, format, args);
	va_end(args);
	return peer_reply(p);
}

bool
peer_has_reply(struct peer *p)
{
	settle(p);
	return reply_len(p) > 0;
}

int
peer_handshake(struct peer *p)
{
	if (p->control.dst_len > 0) {
		sim_fail("peer: the server sent plaintext before the handshake: %.*s",
			(int)p->control.dst_len, p->in);
	}
	link_start_tls(p, &p->control, NULL);
	return handshake(p, &p->control);
}

int
peer_auth_tls(struct peer *p)
{
	int code = peer_ask(p, "AUTH TLS");

	if (code == 234) {
		int err = peer_handshake(p);

		return err == CUB_OK ? code : err;
	}
	return code;
}

int
peer_login(struct peer *p, const char *user, const char *password)
{
	int code = peer_ask(p, "USER %s", user);

	return code == 331 ? peer_ask(p, "PASS %s", password) : code;
}

int
peer_protect(struct peer *p)
{
	int code = peer_ask(p, "PBSZ 0");

	if (code == 200) {
		code = peer_ask(p, "PROT P");
		p->protect = p->protect || code == 200;
	}
	return code;
}

/* Read `count` numbers, with one character between them. Returns false if they are not there. */
static bool
numbers(const char *at, unsigned long *out, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char *end;

		if (!is_digit(*at)) {
			return false;
		}
		out[i] = strtoul(at, &end, 10);
		at = end + 1;
	}
	return at[-1] == ')' || at[-1] == '|';
}

uint16_t
peer_pasv(struct peer *p)
{
	unsigned long n[6];
	const char *at;

	if (peer_ask(p, "PASV") != 227) {
		return 0;
	}
	at = strchr(p->reply, '(');
	if (at == NULL || !numbers(at + 1, n, 6) || n[4] > 255 || n[5] > 255) {
		sim_fail("peer: no address in the answer to PASV: %s", p->reply);
	}
	return (uint16_t)(n[4] << 8 | n[5]);
}

uint16_t
peer_epsv(struct peer *p)
{
	unsigned long tcp_port;
	const char *at;

	if (peer_ask(p, "EPSV") != 229) {
		return 0;
	}
	at = strstr(p->reply, "(|||");
	if (at == NULL || !numbers(at + 4, &tcp_port, 1) || tcp_port > 65535) {
		sim_fail("peer: no port in the answer to EPSV: %s", p->reply);
	}
	return (uint16_t)tcp_port;
}

int
peer_quit(struct peer *p)
{
	struct patience t = { 0 };
	int code = peer_ask(p, "QUIT");

	while (p->control.end == PEER_OPEN) {
		turn(p, &t, "the end of the connection");
	}
	settle(p);
	return code;
}

void
peer_close(struct peer *p)
{
	close_in_order(p, &p->control);
}

void
peer_cut(struct peer *p)
{
	cut(p, &p->control);
}

void
peer_reset(struct peer *p)
{
	reset(p, &p->control);
}

/* The data connection */

static void
protect_data(struct peer *p)
{
	br_ssl_session_parameters session;
	const br_ssl_session_parameters *offer = p->offer;

	if (!p->protect) {
		return;
	}
	if (offer == NULL && p->resume && p->control.tls) {
		br_ssl_engine_get_session_parameters(&p->control.client.eng, &session);
		offer = &session;
	}
	link_start_tls(p, &p->data, offer);
}

int
peer_data_connect(struct peer *p, uint16_t tcp_port)
{
	int err = link_connect(p, &p->data, tcp_port);

	if (err == CUB_OK) {
		protect_data(p);
	}
	return err;
}

int
peer_port(struct peer *p)
{
	const uint8_t *ip = p->from.ip;
	uint16_t n = (uint16_t)(40000 + sim_draw_below(SIM_PEER, 20000));

	p->listening = p->from;
	p->listening.tcp_port = n;
	sim_far_unlisten();
	sim_far_listen(&p->listening, false);
	if (p->from.family == 4) {
		return peer_ask(p, "PORT %d,%d,%d,%d,%d,%d", ip[0], ip[1], ip[2], ip[3], n >> 8, n & 255);
	}
	return peer_ask(p, "EPRT |2|%x:%x::%x|%d|", ip[0] << 8 | ip[1], ip[2] << 8 | ip[3],
		ip[14] << 8 | ip[15], n);
}

void
peer_data_accept(struct peer *p)
{
	struct patience t = { 0 };
	sim_peer sock;

	while (sim_far_accept(&p->listening, &sock) != CUB_OK) {
		turn(p, &t, "a connection of the server");
	}
	link_end(&p->data, PEER_NONE);
	memset(&p->data, 0, sizeof p->data);
	p->data.sock = sock;
	p->data.end = PEER_OPEN;
	protect_data(p);
}

int
peer_data_handshake(struct peer *p)
{
	return handshake(p, &p->data);
}

size_t
peer_data_read(struct peer *p, void *dst, size_t cap)
{
	struct peer_link *l = &p->data;
	struct patience t = { 0 };
	size_t len;

	l->dst = dst;
	l->dst_len = 0;
	l->dst_cap = cap;
	while (l->end == PEER_OPEN && l->dst_len == 0) {
		turn(p, &t, "data");
	}
	len = l->dst_len;
	l->dst = NULL;
	l->dst_len = 0;
	l->dst_cap = 0;
	return len;
}

size_t
peer_data_read_all(struct peer *p, void *dst, size_t cap)
{
	char *at = dst;
	char beyond;
	size_t len = 0;
	size_t n;

	do {
		n = peer_data_read(p, len < cap ? at + len : &beyond, len < cap ? cap - len : 1);
		if (n > 0 && len == cap) {
			sim_fail("peer: more than %zu bytes of data after \"%s\"", cap, p->asked);
		}
		len += n;
	} while (n > 0);
	return len;
}

size_t
peer_data_write(struct peer *p, const void *src, size_t len)
{
	struct peer_link *l = &p->data;
	size_t left;

	l->src = src;
	l->src_len = len;
	drain(p, l);
	left = l->src_len;
	l->src = NULL;
	l->src_len = 0;
	return len - left;
}

void
peer_data_close(struct peer *p)
{
	close_in_order(p, &p->data);
}

void
peer_data_cut(struct peer *p)
{
	cut(p, &p->data);
}

void
peer_data_reset(struct peer *p)
{
	reset(p, &p->data);
}
