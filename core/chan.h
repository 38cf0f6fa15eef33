/* SPDX-License-Identifier: MIT */
/*
 * A channel: one socket and, once it is secured, one TLS engine. The same calls move the
 * bytes of a control connection before and after AUTH TLS and those of a data connection.
 *
 * A data connection copies nothing: what is to be sent is made in the engine's own buffer
 * (chan_room(), chan_wrote()), and what was received is looked at where it lies
 * (chan_received(), chan_took()). A control connection has a buffer for its replies in the
 * clear, so that a reply may be longer than a record: how long a record of ours may be is
 * for the client to say (RFC 6066 section 4), down to 512 bytes.
 */
#ifndef CHAN_H
#define CHAN_H

#include <bearssl.h>

#include "cubftpd_port.h"

#define CHAN_SEND    BR_SSL_SENDAPP
#define CHAN_RECEIVE BR_SSL_RECVAPP

struct chan {
	port_sock      sock;       /* PORT_NONE: closed */
	bool           is_secure;
	bool           is_ending;  /* our close_notify has been made */
	bool           is_cut;     /* the peer closed its side in order, but without close_notify */
	int            tls_error;  /* BR_ERR_*, after CUB_E_TLS */
	unsigned char *in;         /* what arrived in the clear: the engine's buffer later */
	size_t         in_cap;
	size_t         in_len;
	unsigned char *out;        /* what is to be sent; null: made in the engine's buffer */
	size_t         out_cap;
	size_t         out_at;
	size_t         out_len;
	br_ssl_server_context tls;
};

/* Begin in the clear, on a connected socket that the channel owns from now on. */
void chan_start(struct chan *ch, port_sock sock, void *in, size_t in_cap,
	void *out, size_t out_cap);

/* Go on with the engine that has been made ready in `ch->tls`, in the same buffers. */
void chan_secure(struct chan *ch);

/* Begin on a socket with an engine that has been made ready, for data. */
void chan_start_data(struct chan *ch, port_sock sock);

/*
 * Move bytes until `target` is possible: CHAN_SEND (all that was to be sent has left, and
 * there is room for more) or CHAN_RECEIVE (something is there to be looked at). Does the
 * handshake on its way.
 *
 * Returns CUB_OK      the target is reached;
 *         CUB_AGAIN   wait for what chan_want() asks, then call again;
 *         CUB_EOF     the peer ended in order: by close_notify, or in the clear by closing;
 *         CUB_E_IO    the socket failed, or ended without close_notify;
 *         CUB_E_PEER  data came where only we may send, or bytes that nobody will ever look at;
 *         CUB_E_TLS   the engine failed: `tls_error` says why.
 */
int chan_pump(struct chan *ch, unsigned target);

/* After CUB_OK for CHAN_SEND: where to put what is to be sent, at most `*len` bytes. */
unsigned char *chan_room(struct chan *ch, size_t *len);
void chan_wrote(struct chan *ch, size_t len);

/* After CUB_OK for CHAN_RECEIVE: what was received, to be changed at will. Take any part. */
unsigned char *chan_received(const struct chan *ch, size_t *len);
void chan_took(struct chan *ch, size_t len);

/* Is something there already that chan_received() would give? */
bool chan_has_received(const struct chan *ch);

/* Is something on its way out still? */
bool chan_is_sending(const struct chan *ch);

/*
 * Add what chan_pump(ch, target) waits for. Changes nothing.
 * With CHAN_SEND in `target`, also room for more to send.
 */
void chan_want(const struct chan *ch, unsigned target, struct port_wait *set);

/*
 * End our side: send what is left, then close_notify, then tell the peer that no more
 * comes. What the peer still sends is dropped. Call until it is not CUB_AGAIN.
 *
 * Returns CUB_OK (our side is shut), CUB_AGAIN, or an error.
 */
int chan_end(struct chan *ch);

/* Close the socket as it is, and forget the keys. Without chan_end() before, the peer can
 * tell that it was cut. */
void chan_close(struct chan *ch);

/* Read and drop what a peer sends after our side is shut. Returns CUB_AGAIN, CUB_EOF, CUB_E_IO. */
int chan_drain(port_sock sock);

#endif
