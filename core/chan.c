/* SPDX-License-Identifier: MIT */
/* One socket, in the clear or with its TLS engine: see chan.h. The pump exists once, here. */
#include "chan.h"

#include <string.h>

#include "text.h"
#include "wait.h"

void
chan_start(struct chan *ch, port_sock sock, void *in, size_t in_cap, void *out, size_t out_cap)
{
	ch->sock = sock;
	ch->is_secure = false;
	ch->is_ending = false;
	ch->is_cut = false;
	ch->tls_error = 0;
	ch->in = in;
	ch->in_cap = in_cap;
	ch->in_len = 0;
	ch->out = out;
	ch->out_cap = out_cap;
	ch->out_at = 0;
	ch->out_len = 0;
}

void
chan_secure(struct chan *ch)
{
	ch->is_secure = true;
}

void
chan_start_data(struct chan *ch, port_sock sock)
{
	chan_start(ch, sock, NULL, 0, NULL, 0);
	chan_secure(ch);
}

static int
pump_clear(struct chan *ch, unsigned target)
{
	int n;

	while (ch->out_at < ch->out_len) {
		n = port_sock_write(ch->sock, ch->out + ch->out_at, ch->out_len - ch->out_at);
		if (n < 0) {
			return n;
		}
		ch->out_at += (size_t)n;
	}
	ch->out_at = 0;
	ch->out_len = 0;
	if (target == CHAN_RECEIVE && ch->in_len == 0) {
		n = port_sock_read(ch->sock, ch->in, ch->in_cap);
		if (n < 0) {
			return n;
		}
		ch->in_len = (size_t)n;
	}
	return CUB_OK;
}

/* The engine says that it is over: how? */
static int
engine_end(struct chan *ch)
{
	ch->tls_error = br_ssl_engine_last_error(&ch->tls.eng);
	return ch->tls_error == BR_ERR_OK ? CUB_EOF : CUB_E_TLS;
}

static int
send_record(struct chan *ch)
{
	size_t len;
	unsigned char *at = br_ssl_engine_sendrec_buf(&ch->tls.eng, &len);
	int n = port_sock_write(ch->sock, at, len);

	if (n > 0) {
		br_ssl_engine_sendrec_ack(&ch->tls.eng, (size_t)n);
	}
	return n;
}

static int
receive_record(struct chan *ch)
{
	size_t len;
	unsigned char *at = br_ssl_engine_recvrec_buf(&ch->tls.eng, &len);
	int n = port_sock_read(ch->sock, at, len);

	if (n > 0) {
		br_ssl_engine_recvrec_ack(&ch->tls.eng, (size_t)n);
	}
	ch->is_cut = n == CUB_EOF;  /* without close_notify it has not ended */
	return ch->is_cut ? CUB_E_IO : n;
}

/* Give the engine the next part of what is to be sent. Returns false if there is nothing. */
static bool
feed_engine(struct chan *ch)
{
	size_t room, len = ch->out_len - ch->out_at;
	unsigned char *at;

	if (len == 0) {
		return false;
	}
	at = br_ssl_engine_sendapp_buf(&ch->tls.eng, &room);
	len = len < room ? len : room;
	memcpy(at, ch->out + ch->out_at, len);
	ch->out_at += len;
	br_ssl_engine_sendapp_ack(&ch->tls.eng, len);
	br_ssl_engine_flush(&ch->tls.eng, 0);
	return true;
}

/*
 * Records to send go first: until they have left, the engine takes no plaintext.
 * The number of reads is bounded: a peer that sends empty records must not hold up the others.
 */
static int
pump_secure(struct chan *ch, unsigned target)
{
	int reads = 64;

	for (;;) {
		unsigned state = br_ssl_engine_current_state(&ch->tls.eng);
		int n;

		if ((state & BR_SSL_CLOSED) != 0) {
			return engine_end(ch);
		}
		if ((state & BR_SSL_SENDREC) != 0) {
			n = send_record(ch);
		} else if ((state & BR_SSL_SENDAPP) != 0 && feed_engine(ch)) {
			n = CUB_OK;
		} else if ((state & target) != 0) {
			return CUB_OK;
		} else if ((state & BR_SSL_RECVREC) != 0) {
			n = --reads > 0 ? receive_record(ch) : CUB_AGAIN;
		} else {
			/*
			 * Data where only we may send, or bytes behind a message that ends the engine's
			 * reading: it would keep them, and neither read nor write any more.
			 */
			return CUB_E_PEER;
		}
		if (n < 0) {
			return n;
		}
	}
}

int
chan_pump(struct chan *ch, unsigned target)
{
	return ch->is_secure ? pump_secure(ch, target) : pump_clear(ch, target);
}

unsigned char *
chan_room(struct chan *ch, size_t *len)
{
	if (ch->out == NULL) {
		return br_ssl_engine_sendapp_buf(&ch->tls.eng, len);
	}
	*len = ch->out_cap;
	return ch->out;
}

void
chan_wrote(struct chan *ch, size_t len)
{
	if (ch->out == NULL) {
		br_ssl_engine_sendapp_ack(&ch->tls.eng, len);
		br_ssl_engine_flush(&ch->tls.eng, 0);
	} else {
		ch->out_at = 0;
		ch->out_len = len;
	}
}

unsigned char *
chan_received(const struct chan *ch, size_t *len)
{
	if (ch->is_secure) {
		return br_ssl_engine_recvapp_buf(&ch->tls.eng, len);
	}
	*len = ch->in_len;
	return ch->in;
}

void
chan_took(struct chan *ch, size_t len)
{
	if (ch->is_secure) {
		br_ssl_engine_recvapp_ack(&ch->tls.eng, len);
	} else {
		ch->in_len -= len;
		memmove(ch->in, ch->in + len, ch->in_len);
	}
}

bool
chan_has_received(const struct chan *ch)
{
	return ch->is_secure
		? (br_ssl_engine_current_state(&ch->tls.eng) & BR_SSL_RECVAPP) != 0 : ch->in_len > 0;
}

bool
chan_is_sending(const struct chan *ch)
{
	return ch->out_at < ch->out_len || (ch->is_secure
		&& (br_ssl_engine_current_state(&ch->tls.eng) & BR_SSL_SENDREC) != 0);
}

static unsigned
wanted_events(const struct chan *ch, unsigned target)
{
	bool has_more = ch->out_at < ch->out_len;
	unsigned state, writable;

	if (!ch->is_secure) {
		return has_more ? PORT_WRITE : target == CHAN_RECEIVE ? PORT_READ : 0;
	}
	state = br_ssl_engine_current_state(&ch->tls.eng);
	writable = BR_SSL_SENDREC | (has_more || target == CHAN_SEND ? BR_SSL_SENDAPP : 0);
	/* Reading also where we want to send, but are still shaking hands. */
	return (state & writable) != 0 ? PORT_WRITE : (state & BR_SSL_RECVREC) != 0 ? PORT_READ : 0;
}

void
chan_want(const struct chan *ch, unsigned target, struct port_wait *set)
{
	unsigned events = wanted_events(ch, target);

	if (events != 0) {
		wait_add(set, ch->sock, events);
	}
}

/* Drop what was received and not looked at: an engine with unread data would not close. */
static void
drop_received(struct chan *ch)
{
	while (chan_has_received(ch)) {
		size_t len;

		(void)chan_received(ch, &len);
		chan_took(ch, len);
	}
}

static int
send_records(struct chan *ch)
{
	int n = CUB_OK;

	while (n >= 0 && (br_ssl_engine_current_state(&ch->tls.eng) & BR_SSL_SENDREC) != 0) {
		n = send_record(ch);
	}
	return n;
}

int
chan_end(struct chan *ch)
{
	int n = ch->is_ending ? CUB_OK : chan_pump(ch, CHAN_SEND);

	if (n == CUB_EOF) {
		n = CUB_OK;  /* the peer's close_notify came first, and was answered */
	} else if (n == CUB_OK && ch->is_secure && !ch->is_ending) {
		drop_received(ch);
		br_ssl_engine_close(&ch->tls.eng);
		ch->is_ending = true;
	}
	if (n == CUB_OK && ch->is_secure) {
		n = send_records(ch);
	}
	if (n < 0) {
		return n;
	}
	port_sock_shutdown(ch->sock);
	return CUB_OK;
}

void
chan_close(struct chan *ch)
{
	if (ch->sock != PORT_NONE) {
		port_sock_close(ch->sock);
		ch->sock = PORT_NONE;
	}
	wipe(&ch->tls, sizeof ch->tls);
}

int
chan_drain(port_sock sock)
{
	unsigned char dropped[512];
	int n = CUB_OK;

	/* Bounded: a peer that never stops sending must not hold up the others. */
	for (int i = 0; i < 16 && n >= 0; i++) {
		n = port_sock_read(sock, dropped, sizeof dropped);
	}
	return n >= 0 ? CUB_AGAIN : n;
}
