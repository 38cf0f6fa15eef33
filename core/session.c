/* SPDX-License-Identifier: MIT */
/*
 * One client. Each step first sends what is pending; only when the last reply has left, the
 * next thing is done. So there is never more than one reply in memory, 150 has left before a
 * data connection is looked at, and 234 before the first byte of TLS.
 */
#include "session.h"

#include "account.h"
#include "cmd_access.h"
#include "cmd_data.h"
#include "cmd_hash.h"
#include "cmd_info.h"
#include "command.h"
#include "reply.h"
#include "wait.h"

/* Iterations of a password's derivation in one step: about a millisecond on a slow device. */
#define CHECK_SLICE 128

/* Records that one step reads to find the end of a line. */
#define READS_MAX 4

/* So many bad commands, see state.h, end the session: before login, and in all. */
#define BAD_OUTSIDE 5
#define BAD_INSIDE  20

void
session_init(struct session *s, struct service *sv)
{
	/* Nothing of one client must ever be seen by the next. */
	wipe(s, sizeof *s);
	s->service = sv;
	s->root = PORT_NONE;
	s->control.sock = PORT_NONE;
	transfer_start(&s->transfer);
}

/* The last reply begins to leave. */
static void
say_goodbye(struct session *s, struct out *o)
{
	struct log l;

	o->len = 0;
	if (s->state == SESSION_REPLYING) {
		cmd_stat_cut(o);  /* else what follows would be a line of its answer */
	}
	reply(o, 421, s->goodbye);
	state_log(s, &l, "dismissed");
	log_string(&l, "cause", s->goodbye);
	log_end(&l, PORT_LOG_INFO);
	state_enter(s, SESSION_CLOSING);
}

/* A step that may make a reply, or a part of one, in the channel's own buffer. */
static void
reply_by(struct session *s, void (*make)(struct session *s, struct out *o))
{
	struct out o = { .len = 0 };

	o.at = (char *)chan_room(&s->control, &o.cap);
	make(s, &o);
	if (s->goodbye != NULL && s->state < SESSION_CLOSING) {
		say_goodbye(s, &o);
	}
	CUB_ASSERT(!o.cut);
	if (o.len > 0) {
		chan_wrote(&s->control, o.len);
	}
}

static void
greet(struct session *s, struct out *o)
{
	reply(o, 220, s->service->config.greeting);
}

static void
answer_noop(struct session *s, struct out *o)
{
	(void)s;
	reply(o, 200, "Here");
}

/* The handshake takes the room of the transfers, of which there is none yet. */
static int
start_tls(struct session *s)
{
	struct service *sv = s->service;
	struct tls_request request = { NULL, NULL, 0 };

	if (sv->config.client_certificate != CLIENT_NONE) {
		peercert_collect(&s->transfer.cert, &s->client, &s->transfer.room);
		request.cert = &s->transfer.cert;
	}
	if (sv->config.client_certificate == CLIENT_SIGNED) {
		request.names = sv->cas.name;
		request.name_count = sv->cas.count;
	}
	chan_secure(&s->control);
	return tls_start_control(&s->control.tls, &sv->identity[s->identity], &request,
		s->control_in, sizeof s->control_in, s->control_out, sizeof s->control_out);
}

/* After the handshake: look at what the client has shown, and free the room for transfers. */
static void
look_at_client(struct session *s)
{
	if (s->client.is_shown) {
		s->client.is_proven = s->client.problem == NULL;
		admit_shown(s->service, &s->client, &s->transfer.cert, &s->transfer.room, &s->peer);
		wipe(&s->transfer.room, sizeof s->transfer.room);
	}
	br_ssl_engine_set_x509(&s->control.tls.eng, NULL);
}

void
session_start(struct session *s, port_sock sock, const struct port_addr *peer,
	bool is_implicit)
{
	struct log l;

	s->peer = *peer;
	s->is_implicit = is_implicit;
	s->now_ms = s->start_ms = s->service->now_ms;
	s->login_deadline_ms = s->now_ms + s->service->config.login_timeout * UINT64_C(1000);
	s->number = (uint32_t)++s->service->status.sessions_served;
	s->identity = s->service->identity_now;
	s->service->identity_users[s->identity]++;
	s->changes = s->service->changes;
	line_start(&s->line);
	state_reset(s);
	chan_start(&s->control, sock, s->control_in, sizeof s->control_in,
		s->replies, sizeof s->replies);
	state_log(s, &l, "connect");
	log_end(&l, PORT_LOG_INFO);
	state_enter(s, is_implicit ? SESSION_HANDSHAKE : SESSION_CLEAR);
	if (port_sock_local(sock, &s->local) < 0) {
		session_drop(s);
	} else if (!is_implicit) {
		reply_by(s, greet);
	}
}

/* Cut a running transfer off. */
static void
cut_transfer(struct session *s)
{
	if (s->transfer.is_running) {
		cmd_transfer_log(s, CUB_E_ABORTED);
	}
	transfer_abort(&s->transfer);
}

void
session_drop(struct session *s)
{
	struct log l;

	cut_transfer(s);
	state_log(s, &l, "disconnect");
	log_number(&l, "duration_ms", s->now_ms - s->start_ms);
	log_number(&l, "bytes", s->bytes);
	log_end(&l, PORT_LOG_INFO);
	if (s->control.is_secure && !s->was_in) {
		blame_add(&s->service->handshakes, &s->peer, s->now_ms);
	}
	transfer_close(&s->transfer);
	chan_close(&s->control);
	if (s->root != PORT_NONE) {
		port_root_close(s->root);
	}
	s->service->identity_users[s->identity]--;
	state_enter(s, SESSION_FREE);
	session_init(s, s->service);
}

/* May what comes next be looked at? During a transfer most things wait until it is over. */
static bool
hears(const struct session *s)
{
	switch (s->state) {
	case SESSION_CLEAR:
	case SESSION_LOGIN:
	case SESSION_PASSWORD:
	case SESSION_READY:
		return true;
	case SESSION_TRANSFER:
	case SESSION_HASHING:
		return s->event == LINE_MORE || s->event == LINE_BAD
			|| (s->event == LINE_READY && !command_must_wait(s));
	default:
		return false;
	}
}

/* May the data connection go on, in so far as a command has been given? */
static bool
may_transfer(const struct session *s)
{
	return s->state == SESSION_READY || s->state == SESSION_TRANSFER;
}

/* Have accounts or trust changed since it was last seen that this session may go on? */
static bool
must_look(const struct session *s)
{
	return s->changes != s->service->changes;
}

/* Does the session's account still exist, and does what it was let in by still hold? */
static bool
may_stay(const struct session *s)
{
	return !state_is_in(s) || (!account_is_stale(&s->account, &s->service->accounts)
		&& admit_still(s->service, &s->client, &s->admission, &s->account));
}

/* Is there something to do without anything arriving? */
static bool
is_busy(const struct session *s)
{
	return (s->state == SESSION_CHECKING && s->check.left > 0) || s->state == SESSION_REPLYING
		|| s->state == SESSION_HASHING
		|| (s->state == SESSION_READY && s->noops_due > 0)
		|| (hears(s) && (s->event != LINE_MORE || chan_has_received(&s->control)));
}

void
session_want(const struct session *s, struct port_wait *set)
{
	bool is_held;

	if (s->state == SESSION_FREE) {
		return;
	}
	wait_until(set, must_look(s) ? 0 : s->deadline_ms);
	if (s->state == SESSION_DRAINING) {
		wait_add(set, s->control.sock, PORT_READ);
		transfer_want(&s->transfer, true, set);
		return;
	}
	is_held = chan_is_sending(&s->control);
	if (is_held && s->transfer.is_running) {
		wait_until(set, s->transfer.deadline_ms);
	} else if (!is_held && s->state == SESSION_HANDSHAKE && !s->control.is_secure) {
		wait_until(set, s->answer_ms);
		return;
	} else if (!is_held && is_busy(s)) {
		wait_until(set, 0);
	} else if (s->state == SESSION_CHECKING) {
		wait_until(set, s->answer_ms);
	}
	if (is_held || hears(s) || s->state == SESSION_HANDSHAKE || s->state == SESSION_CLOSING) {
		chan_want(&s->control, hears(s) ? CHAN_RECEIVE : 0, set);
	}
	transfer_want(&s->transfer, is_held || !may_transfer(s), set);
}

/*
 * Cut the next line from what has arrived.
 * Returns CUB_OK (`event` says what came of it), CUB_AGAIN, or what ends the connection.
 */
static int
read_line(struct session *s)
{
	for (int i = 0; i < READS_MAX && s->event == LINE_MORE; i++) {
		const unsigned char *got;
		size_t len, used = 0;
		int err = chan_pump(&s->control, CHAN_RECEIVE);

		if (err < 0) {
			return err;
		}
		got = chan_received(&s->control, &len);
		s->event = line_feed(&s->line, got, len, &used);
		chan_took(&s->control, used);
	}
	return s->event == LINE_MORE ? CUB_AGAIN : CUB_OK;
}

static void
answer_line(struct session *s, struct out *o)
{
	enum line_event event = s->event;

	s->event = LINE_MORE;
	state_renew(s);
	if (event == LINE_READY) {
		command_run(s, o);
	} else if (event == LINE_TOO_LONG) {
		s->bad_commands++;
		reply(o, 500, "Line too long");
	} else {
		cut_transfer(s);
		reply(o, 500, "Control characters are not allowed");
		state_enter(s, SESSION_CLOSING);
	}
	wipe(s->line.at, sizeof s->line.at);  /* it may have been a password */
	if (s->bad_commands >= (state_is_in(s) ? BAD_INSIDE : BAD_OUTSIDE)) {
		s->goodbye = "Too many bad commands";
	}
}

static int
step_command(struct session *s)
{
	int err = read_line(s);

	if (err == CUB_OK && hears(s)) {
		reply_by(s, answer_line);
	}
	return err;
}

/* Not yet, where its address has begun many that came to nothing. Who waits may be evicted. */
static bool
may_start_tls(struct session *s)
{
	struct log l;

	if (!blame_is_full(&s->service->handshakes, &s->peer, s->now_ms)) {
		return true;
	}
	if (s->answer_ms == 0) {
		state_log(s, &l, "delayed");
		log_string(&l, "cause", "handshakes");
		log_end(&l, PORT_LOG_WARNING);
	}
	s->answer_ms = s->now_ms + 1000;
	return false;
}

/* 234 has left, or the client came by the implicit port. */
static int
step_handshake(struct session *s)
{
	int err;

	if (!s->control.is_secure) {
		return may_start_tls(s) ? start_tls(s) : CUB_AGAIN;
	}
	err = chan_pump(&s->control, CHAN_SEND);
	if (err == CUB_OK) {
		look_at_client(s);
		state_enter(s, SESSION_LOGIN);
		if (s->is_implicit) {
			reply_by(s, greet);
		}
	}
	return err;
}

/* Has the control connection anything to say? Saves a call for each record of a transfer. */
static bool
has_news(const struct session *s, const struct port_wait *set)
{
	return hears(s) && (s->event != LINE_MORE || chan_has_received(&s->control)
		|| wait_is_ready(set, s->control.sock));
}

/* One thing, in a state in which the last reply has left. */
static int
step_state(struct session *s, const struct port_wait *set)
{
	enum session_state before = s->state;
	int err;

	switch (s->state) {
	case SESSION_CHECKING:
		if (pbkdf2_step(&s->check, CHECK_SLICE) && s->now_ms >= s->answer_ms) {
			reply_by(s, cmd_pass_end);
		}
		return CUB_OK;
	case SESSION_REPLYING:
		state_renew(s);  /* the part before has been read */
		reply_by(s, cmd_stat_more);
		return CUB_OK;
	case SESSION_READY:
		if (s->noops_due > 0) {
			s->noops_due--;
			reply_by(s, answer_noop);
			return CUB_OK;
		}
		break;
	default:
		break;
	}
	err = has_news(s, set) ? step_command(s) : CUB_AGAIN;
	/* What goes on goes on, unless a command ended it or has to be answered first. */
	if ((err < 0 && err != CUB_AGAIN) || chan_is_sending(&s->control) || s->state != before) {
		return err;
	}
	if (s->state == SESSION_HASHING) {
		reply_by(s, cmd_hash_more);
	} else if (may_transfer(s) && transfer_step(&s->transfer, set)) {
		reply_by(s, cmd_transfer_end);
	}
	return err;
}

static int
step_closing(struct session *s)
{
	int err = chan_end(&s->control);

	if (err == CUB_OK) {
		state_enter(s, SESSION_DRAINING);
	}
	return err;
}

static void
on_deadline(struct session *s)
{
	if (s->state >= SESSION_CLOSING) {
		session_drop(s);
	} else {
		session_dismiss(s, "Timeout");
	}
}

void
session_dismiss(struct session *s, const char *why)
{
	int err;

	if (s->state == SESSION_FREE || s->state >= SESSION_CLOSING) {
		return;
	}
	s->now_ms = s->service->now_ms;
	if (s->state == SESSION_HANDSHAKE) {
		session_drop(s);
		return;
	}
	cut_transfer(s);
	err = chan_pump(&s->control, CHAN_SEND);
	if (err == CUB_OK) {
		s->goodbye = why;
		reply_by(s, say_goodbye);
	} else if (err == CUB_AGAIN) {
		state_enter(s, SESSION_CLOSING);  /* it does not even read the last reply */
	} else {
		session_drop(s);
	}
}

void
session_evict(struct session *s)
{
	session_dismiss(s, STATE_TOO_MANY);
	if (s->state == SESSION_CLOSING) {
		(void)chan_end(&s->control);
	}
	if (s->state != SESSION_FREE) {
		session_drop(s);
	}
}

static void
log_lost(struct session *s, int err)
{
	struct log l;

	if (err == CUB_EOF) {
		return;
	}
	state_log(s, &l, "lost");
	log_string(&l, "cause", log_error_name(err));
	if (err == CUB_E_TLS) {
		log_number(&l, "tls", (uint64_t)s->control.tls_error);  /* BR_ERR_* of BearSSL */
	}
	log_end(&l, PORT_LOG_INFO);
}

/* Does a transfer stand still because the client reads no replies? */
static bool
is_stuck(const struct session *s)
{
	return s->state == SESSION_TRANSFER && chan_is_sending(&s->control)
		&& s->now_ms >= s->transfer.deadline_ms;
}

void
session_step(struct session *s, const struct port_wait *set)
{
	int err;

	if (s->state == SESSION_FREE) {
		return;
	}
	s->now_ms = s->service->now_ms;
	transfer_pace(&s->transfer, s->now_ms);
	transfer_drain(&s->transfer);
	if (must_look(s)) {
		s->changes = s->service->changes;
		if (!may_stay(s)) {
			session_dismiss(s, "The account or its certificate is not trusted any more");
			return;
		}
	}
	if (s->state == SESSION_DRAINING) {
		err = wait_is_ready(set, s->control.sock) ? chan_drain(s->control.sock) : CUB_AGAIN;
	} else if (s->state == SESSION_CLOSING) {
		err = step_closing(s);
	} else if (s->state == SESSION_HANDSHAKE && s->control.is_secure) {
		err = step_handshake(s);
	} else {
		err = chan_pump(&s->control, CHAN_SEND);
		if (err == CUB_OK) {
			err = s->state == SESSION_HANDSHAKE ? step_handshake(s) : step_state(s, set);
		}
	}
	if (err < 0 && err != CUB_AGAIN) {
		log_lost(s, err);
		session_drop(s);
	} else if (s->state != SESSION_FREE && (s->now_ms >= s->deadline_ms || is_stuck(s))) {
		on_deadline(s);
	}
}
