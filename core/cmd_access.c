/* SPDX-License-Identifier: MIT */
/* AUTH, USER, PASS, PBSZ, PROT, CCC, REIN, QUIT. */
#include "cmd_access.h"

#include "path.h"
#include "reply.h"

void
cmd_auth(struct session *s, struct text arg, struct out *o)
{
	bool implies_private = text_is(arg, "SSL") || text_is(arg, "TLS-P");

	if (!implies_private && !text_is(arg, "TLS") && !text_is(arg, "TLS-C")) {
		reply(o, 504, "Use AUTH TLS");
		return;
	}
	if (chan_has_received(&s->control)) {
		/* Whoever put it there wants it to pass for what the client says inside TLS. */
		reply(o, 503, "Data after AUTH");
		state_enter(s, SESSION_CLOSING);
		return;
	}
	state_reset(s);
	s->is_private = implies_private;
	reply(o, 234, "Begin the TLS handshake");
	state_enter(s, SESSION_HANDSHAKE);
}

static void
log_refused(struct session *s, const char *cause)
{
	struct log l;

	state_log(s, &l, "refused");
	log_string(&l, "user", s->is_known ? s->account.name : "?");
	log_string(&l, "cause", cause);
	if (s->client.is_shown) {
		log_fingerprint(&l, "certificate", s->client.cert);
	}
	log_end(&l, PORT_LOG_WARNING);
}

/* What the client's data connections must be, and where they may go. */
static void
set_terms(struct session *s)
{
	struct service *sv = s->service;
	bool wants_cert = sv->config.client_certificate != CLIENT_NONE;

	s->transfer.terms = (struct transfer_terms){
		.service = sv,
		.root = s->root,
		.peer = s->peer,
		.local = s->local,
		.control = &s->control.tls.eng,
		.identity = &sv->identity[s->identity],
		.client = wants_cert ? &s->client : NULL,
		.names = sv->cas.name,
		.name_count = sv->config.client_certificate == CLIENT_SIGNED ? sv->cas.count : 0,
		.reuse = sv->config.data_reuse,
		.passive_low = sv->config.passive_low,
		.passive_high = sv->config.passive_high,
		.timeout_ms = sv->config.data_timeout * 1000,
	};
	s->transfer.rate = (struct bucket){ .open_ms = 0 };
}

/*
 * Let it in, to the account's own root. Returns false, answered, where that can't be opened:
 * then it is back at USER.
 */
static bool
move_in(struct session *s, struct out *o)
{
	bool is_admin = s->account.is_admin || s->admission.is_admin;
	struct log l;

	wipe(s->account.hash, sizeof s->account.hash);  /* it has served */
	if (!state_has_room(s->service, is_admin)) {
		s->goodbye = STATE_TOO_MANY;
		return false;
	}
	if (port_root_open(s->service->root, path_in_root(s->account.root), &s->root) < 0) {
		s->root = PORT_NONE;
		reply(o, 530, "The account's directory can't be opened.");
		state_log(s, &l, "root");
		log_string(&l, "user", s->account.name);
		log_string(&l, "root", s->account.root);
		log_end(&l, PORT_LOG_ERROR);
		state_enter(s, SESSION_LOGIN);
		return false;
	}
	s->cwd[0] = '/';
	s->cwd[1] = '\0';
	s->is_admin = is_admin;
	s->umask = s->service->config.umask;
	set_terms(s);
	state_enter(s, SESSION_READY);
	state_log(s, &l, "login");
	log_string(&l, "by", s->admission.verdict == ADMIT_CERTIFICATE ? "certificate" : "password");
	if (s->client.is_proven) {
		log_fingerprint(&l, "certificate", s->client.cert);
	}
	log_end(&l, PORT_LOG_INFO);
	return true;
}

/* The administrator shall see what the client asked for. */
static void
note_account(struct session *s)
{
	struct pending *pending = pending_find(&s->service->pending, s->client.cert);

	if (pending != NULL && s->is_known) {
		(void)text_copy(text_of(s->account.name), pending->account, sizeof pending->account);
	}
}

static void
refuse_client(struct session *s, struct out *o)
{
	static const char *const causes[] = {
		[REFUSE_DAMAGED] = "trust-store", [REFUSE_MISSING] = "no-certificate",
		[REFUSE_UNUSABLE] = "unusable", [REFUSE_EARLY] = "not-valid-yet",
		[REFUSE_LATE] = "expired", [REFUSE_UNSIGNED] = "not-signed",
		[REFUSE_PENDING] = "pending", [REFUSE_ACCOUNT] = "other-account",
	};

	log_refused(s, causes[s->admission.verdict]);
	if (s->admission.verdict > REFUSE_MISSING) {
		blame_add(&s->service->blame, &s->peer, s->now_ms);
	}
	reply_start(o, 530, "");
	admit_put_refusal(o, s->admission.verdict, &s->client);
	reply_end(o, "");
	state_enter(s, SESSION_CLOSING);
}

void
cmd_user(struct session *s, struct text arg, struct out *o)
{
	const struct account *account = account_find(&s->service->accounts, arg);

	s->is_known = account != NULL;
	if (s->is_known) {
		s->account = *account;
	}
	s->admission = admit(s->service, &s->client, account);
	note_account(s);
	if (s->admission.verdict == ADMIT_PASSWORD && !s->admission.is_by_entry
		&& !s->client.is_signed
		&& blame_count(&s->service->blame, &s->peer, s->now_ms) == BLAME_MAX) {
		/*
		 * In place of the question for a password, and not when it came: a trusted certificate
		 * gets in from any address, and one that is refused is told why.
		 */
		s->goodbye = "Too many failed logins, try again later";
	} else if (s->admission.verdict == ADMIT_PASSWORD) {
		reply(o, 331, "Password required");
		state_enter(s, SESSION_PASSWORD);
	} else if (s->admission.verdict != ADMIT_CERTIFICATE) {
		refuse_client(s, o);
	} else if (move_in(s, o)) {
		reply(o, 232, "Logged in by certificate.");  /* RFC 4217 section 11 */
	}
}

void
cmd_pass(struct session *s, struct text arg, struct out *o)
{
	if (s->state == SESSION_READY) {
		/* Some clients send the password whatever USER was answered. */
		if (s->admission.verdict == ADMIT_CERTIFICATE) {
			reply(o, 230, "Logged in already.");
		} else {
			reply(o, 503, "Not now");
		}
		return;
	}
	s->answer_ms = s->now_ms
		+ blame_delay_ms(blame_count(&s->service->blame, &s->peer, s->now_ms));
	account_check_start(&s->check, s->is_known ? &s->account : NULL, arg);
	state_enter(s, SESSION_CHECKING);  /* the answer comes from cmd_pass_end() */
}

void
cmd_pass_end(struct session *s, struct out *o)
{
	const struct service *sv = s->service;
	bool is_right = account_check_end(&s->check, s->is_known ? &s->account : NULL)
		&& !account_is_stale(&s->account, &sv->accounts)
		&& admit_still(sv, &s->client, &s->admission, &s->account);

	wipe(&s->check, sizeof s->check);
	if (!is_right) {
		reply(o, 530, "Login incorrect.");
		log_refused(s, "password");
		blame_add(&s->service->blame, &s->peer, s->now_ms);
		state_enter(s, SESSION_LOGIN);
	} else if (move_in(s, o)) {
		reply(o, 230, "Logged in.");
	}
}

void
cmd_pbsz(struct session *s, struct text arg, struct out *o)
{
	uint64_t n;

	(void)s;
	if (!text_number(text_trim(arg), UINT32_MAX, &n)) {
		reply(o, 501, "Want a number");
		return;
	}
	/* RFC 4217 section 8: TLS protects a stream, there is no buffer to agree on. */
	reply(o, 200, "PBSZ=0");
}

void
cmd_prot(struct session *s, struct text arg, struct out *o)
{
	if (text_is(arg, "P")) {
		s->is_private = true;
		reply(o, 200, "Data connections are private");
	} else if (text_is(arg, "C")) {
		reply(o, 534, "Data connections must be private: PROT P");
	} else if (text_is(arg, "S") || text_is(arg, "E")) {
		reply(o, 536, "Use PROT P");
	} else {
		reply(o, 504, "Use PROT P");
	}
}

void
cmd_ccc(struct session *s, struct text arg, struct out *o)
{
	(void)s;
	(void)arg;
	reply(o, 533, "The control connection stays protected");
}

/* RFC 959 section 4.1.1, but that TLS stays, and with it what the client has shown. */
void
cmd_rein(struct session *s, struct text arg, struct out *o)
{
	(void)arg;
	transfer_abort(&s->transfer);
	port_root_close(s->root);
	s->root = PORT_NONE;
	if (state_is_in(s)) {
		s->bad_commands = 0;  /* who could log in may make as many again */
	}
	state_reset(s);
	s->login_deadline_ms = s->now_ms + s->service->config.login_timeout * UINT64_C(1000);
	reply(o, 220, "Log in again");
	state_enter(s, SESSION_LOGIN);
}

void
cmd_quit(struct session *s, struct text arg, struct out *o)
{
	(void)arg;
	reply(o, 221, "Goodbye");
	state_enter(s, SESSION_CLOSING);
}
