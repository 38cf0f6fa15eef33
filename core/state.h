/* SPDX-License-Identifier: MIT */
/*
 * What a session is: its fields, its states, and the one door between states. What is done
 * in each state is in session.c; what commands do is in the cmd_ files.
 *
 * States are named after what is awaited:
 *
 *	FREE       a client
 *	CLEAR      AUTH TLS: only a few commands are answered
 *	HANDSHAKE  the client's side of TLS
 *	LOGIN      USER
 *	PASSWORD   PASS
 *	CHECKING   the password's derivation, in slices
 *	READY      a command
 *	TRANSFER   the end of a transfer; ABOR and STAT are answered meanwhile
 *	REPLYING   room for the next part of a long reply (STAT with a path)
 *	HASHING    the end of a file, in slices; ABOR and STAT are answered meanwhile
 *	CLOSING    the last reply and our close_notify to leave
 *	DRAINING   the client to close its side
 */
#ifndef STATE_H
#define STATE_H

#include "admit.h"
#include "line.h"
#include "log.h"
#include "transfer.h"

enum session_state {
	SESSION_FREE,
	SESSION_CLEAR,
	SESSION_HANDSHAKE,
	SESSION_LOGIN,
	SESSION_PASSWORD,
	SESSION_CHECKING,
	SESSION_READY,
	SESSION_TRANSFER,
	SESSION_REPLYING,
	SESSION_HASHING,
	SESSION_CLOSING,
	SESSION_DRAINING,
};

#define IN(state) (1u << (state))

enum hash_kind { HASH_SHA256, HASH_CRC32, HASH_KINDS };

#define HASH_BARE 2  /* beside a kind: the hash is the whole answer (XSHA256, XCRC) */

/* A file's hash in the making. The file is the transfer's, and its `bytes` are the position. */
struct hash {
	uint64_t end;
	uint32_t crc;
	br_sha256_context sha256;
};

/* With 421: lftp looks for these words. */
#define STATE_TOO_MANY "Too many connections, try again later"

/* What is small stands first: see service.h. */
struct session {
	enum session_state state;
	enum line_event event;            /* what waits to be answered; LINE_MORE: nothing */
	uint32_t number;                  /* counted from 1 since the start: for people */
	uint32_t changes;                 /* of the service, that have been looked at */
	uint32_t roots;                   /* of the service, when it logged in */
	struct service *service;
	port_root root;                   /* of the account; PORT_NONE before login */
	struct text arg;                  /* of the command that runs, in `line` */
	uint64_t now_ms;                  /* of this step */
	uint64_t deadline_ms;             /* of the state; UINT64_MAX: none */
	uint64_t login_deadline_ms;       /* to be logged in by */
	const char *goodbye;              /* 421: the session ends with the next reply; null: no */
	uint64_t answer_ms;               /* to a password, or to begin TLS: not before */
	uint64_t start_ms;
	uint64_t bytes;                   /* of its transfers: for the log */
	uint8_t  identity;                /* which of the service's, since the client came */
	bool     is_implicit;
	bool     was_in;                  /* it has been logged in */
	bool     is_known;                /* `account` holds the one that USER named */
	bool     is_admin;                /* it sees /.provision */
	bool     is_guest;                /* it counts among the service's guests */
	uint8_t  bad_commands;            /* unknown, or not when they may come: from scanners */

	/* Parameters of the protocol. */
	bool     is_image;                /* TYPE I */
	bool     is_private;              /* PROT P */
	bool     is_epsv_only;            /* EPSV ALL */
	uint8_t  facts;                   /* of MLSD and MLST */
	uint8_t  hash_kind;               /* OPTS HASH: enum hash_kind */
	uint8_t  hashing;                 /* the same, of the hash in the making, and HASH_BARE */
	uint16_t noops_due;               /* NOOPs of the time of a transfer or hash */
	uint16_t umask;                   /* mode bits that what is made does not get */
	uint64_t restart_at;              /* REST */
	uint64_t announced;               /* ALLO: bytes to come; 0: not known */

	struct admission admission;       /* what it is let in by */
	struct port_addr peer;
	struct port_addr local;
	struct account account;           /* a copy: the table may change meanwhile */
	struct client client;             /* what it has shown in the handshake */
	union {
		struct pbkdf2 check;          /* CHECKING */
		struct hash hash;             /* HASHING */
	};
	char     cwd[CUB_PATH_MAX];
	char     path[CUB_PATH_MAX];      /* what a command is about; of a transfer for the log, too */
	char     rename_from[CUB_PATH_MAX];  /* RNFR; empty: none */
	struct line line;
	struct chan control;
	struct transfer transfer;
	unsigned char control_in[CUB_CONTROL_IN];    /* records, or what comes in the clear */
	unsigned char control_out[CUB_CONTROL_OUT];  /* records */
	unsigned char replies[CUB_REPLY_MAX];
};

/* Go to another state; its time limit begins. The only place where `state` is set. */
void state_enter(struct session *s, enum session_state next);

/* Another command or a transfer's end: the time limit begins anew. */
void state_renew(struct session *s);

/*
 * Forget user and parameters: a client has come, TLS begins (RFC 4217 section 4), or REIN. What
 * the client has shown in the handshake stays.
 */
void state_reset(struct session *s);

/*
 * Resolve the argument against the working directory, to `path`, as path_resolve(). For all but
 * administrators there is no /.provision: CUB_E_NOENT.
 */
int state_resolve(struct session *s);

/* The same for an entry of the medium; CUB_E_DENIED for the account's own root, and the rest. */
int state_resolve_entry(struct session *s);

/* The same, and look what `path` names. */
int state_look(struct session *s, struct port_stat *stat);

/* Look what a `path` in /.provision names, which is the transfer's place then. */
int state_look_at_place(struct session *s, struct port_stat *stat);

/* Is there room for one more to be logged in? Why there may be none is in pool.h. */
bool state_has_room(const struct service *sv, bool is_admin);

/* Logged in? */
bool state_is_in(const struct session *s);

const char *state_name(enum session_state state);

/* Begin a log line about a session: number, peer and, once known, account. */
void state_log(const struct session *s, struct log *l, const char *event);

#endif
