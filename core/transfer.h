/* SPDX-License-Identifier: MIT */
/*
 * One data connection, from PASV or PORT to its end.
 *
 *	IDLE       nothing
 *	LISTENING  PASV or EPSV was answered: the passive port is open
 *	CALLING    PORT or EPRT was answered: we connect to the client, once a command is given
 *	HANDSHAKE  connected: TLS
 *	SETTLED    TLS is done; or no connection came about, and `error` says why
 *	MOVING     bytes flow, a record a step
 *	ENDING     our close_notify is on its way
 *
 * Some clients shake hands before they give the command (curl), others after they have read
 * 150. So it goes on to SETTLED by itself, and no further until a command has been given and
 * 150 has left: then it is "running". Only then is the rule applied that ties it to its control
 * connection, and the file of an upload made. A connection that no command uses is dropped
 * after the time limit; the command that comes too late is told.
 *
 * transfer_step() says how it ended, and then it is IDLE again. After a download the socket
 * is drained in the background for a while, so that a late close_notify of the client never
 * becomes a reset that eats the last bytes.
 *
 * A failure drops the connection without close_notify: that would tell the client that the
 * file is whole. The exception is a connection that broke the tie: it is refused in order,
 * and has not moved a byte.
 */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "chan.h"
#include "listing.h"
#include "tls.h"
#include "upload.h"

enum transfer_state {
	TRANSFER_IDLE,
	TRANSFER_LISTENING,
	TRANSFER_CALLING,
	TRANSFER_HANDSHAKE,
	TRANSFER_SETTLED,
	TRANSFER_MOVING,
	TRANSFER_ENDING,
};

enum transfer_kind { TRANSFER_SEND, TRANSFER_RECEIVE, TRANSFER_LIST };

/* What the session lays down for its transfers. */
struct transfer_terms {
	struct service *service;
	port_root root;                       /* of what is sent */
	const struct port_addr *peer;         /* the only host that may connect */
	const struct port_addr *local;        /* where to listen, and to connect from */
	const br_ssl_engine_context *control; /* whose session must be resumed */
	struct identity *identity;
	struct client *client;                /* whose certificate counts, too; null: none */
	const br_x500_name *names;            /* CAs, whose names are sent */
	size_t name_count;
	enum cubftpd_reuse reuse;
	uint16_t passive_low;
	uint16_t passive_high;
	uint32_t timeout_ms;                  /* without progress */
};

struct transfer {
	enum transfer_state state;
	enum transfer_kind  kind;
	int                 error;      /* when it is over, and in SETTLED */
	bool                is_running; /* a command has been given */
	bool                is_text;    /* TYPE A: line ends of files are converted */
	bool                has_cr;     /* its last byte was a CR */
	bool                has_ended;  /* the file, the directory, or the peer's data */
	port_sock           opening;    /* PORT_NONE, the passive port, or what connects */
	port_sock           draining;   /* PORT_NONE, or the connection before this one */
	uint64_t            deadline_ms;
	uint64_t            drain_deadline_ms;
	uint64_t            start_ms;
	uint64_t            now_ms;     /* of this step */
	uint64_t            pause_ms;   /* so long nothing may move from then on, by rate_limit */
	struct bucket       rate;       /* of this session's transfers */
	uint64_t            bytes;      /* moved so far, without those before a restart */
	uint64_t            offset;     /* of a download: the next byte */
	port_file           file;       /* of a download; PORT_NONE: it comes from /.provision */
	struct port_addr    called;     /* where the client listens */
	struct provision_place place;
	struct transfer_terms terms;
	struct tls_tie      tie;
	struct chan         data;
	struct upload       upload;
	struct listing      listing;
	struct peercert     cert;       /* of a handshake, also of the control connection's */
	union {
		unsigned char        buffer[BR_SSL_BUFSIZE_MONO];  /* from HANDSHAKE on */
		struct peercert_room room;  /* of the control connection's handshake */
	};
};

/* Make it IDLE, with nothing open. */
void transfer_start(struct transfer *t);

/*
 * Open a passive port, chosen at random, and close what was open.
 * Returns CUB_OK (`*tcp_port` is it) or CUB_E_BUSY: none is free.
 */
int transfer_listen(struct transfer *t, uint16_t *tcp_port);

/* The client listens: connect to it when a command is given. Close what was open. */
void transfer_call(struct transfer *t, const struct port_addr *client);

/*
 * Open a file (`path` as in path.h) to be read, and tell what it is. Returns CUB_OK, or the
 * port's errors: then `t->file` is none.
 */
int transfer_open(struct transfer *t, const char *path, struct port_stat *stat);
void transfer_close_file(struct transfer *t);

/*
 * Begin, unless IDLE or running: send what transfer_open() opened or, without a file, what is at
 * `t->place`, from `t->offset` on; receive an upload that is prepared in `t->upload`; or send the
 * listing whose directory is open in `t->listing`.
 */
void transfer_begin(struct transfer *t, enum transfer_kind kind);

/* Add what it waits for, draining included; `is_held` while nothing may move yet. */
void transfer_want(const struct transfer *t, bool is_held, struct port_wait *set);

/*
 * Move at most one record, if the set says that its socket is ready. Returns true when it is
 * over: `error` says why, CUB_OK that all went well.
 */
bool transfer_step(struct transfer *t, const struct port_wait *set);

/*
 * May it move something now, by rate_limit? Time that it may not does not count as standing
 * still. Called first in each step, also for what it waits for in the background.
 */
void transfer_pace(struct transfer *t, uint64_t now_ms);

/* Drop what the peer of the last transfer still sends, until it ends or time is up. */
void transfer_drain(struct transfer *t);

/* End it now, whatever it does: close everything but what is draining, without close_notify. */
void transfer_abort(struct transfer *t);

/* The same, and nothing drains any more: the session is over. */
void transfer_close(struct transfer *t);

#endif
