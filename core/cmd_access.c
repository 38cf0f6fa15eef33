/* SPDX-License-Identifier: MIT */
/* AUTH, USER, PASS, PBSZ, PROT, CCC, REIN, QUIT. */
#include "cmd_access.h"

#include "path.h"
#include "reply.h"

int
cmd_auth(struct session *s, struct out *o)
{
	bool implies_private = text_is(s->arg, "SSL") || text_is(s->arg, "TLS-P");

	if (!implies_private && !text_is(s->arg, "TLS") && !text_is(s->arg, "TLS-C")) {
		return reply(o, 504, "Use AUTH TLS");
	}
	if (chan_has_received(&s->control)) {
		/* Whoever put it there wants it to pass for what the client says inside TLS. */
		state_enter(s, SESSION_CLOSING);
		return reply(o, 503, "Data after AUTH");
	}
	state_reset(s);
	s->is_private = implies_private;
	state_enter(s, SESSION_HANDSHAKE);
	return reply(o, 234, "Begin the TLS handshake");
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
	struct transfer_terms *t = &s->transfer.terms;

	t->service = sv;
	t->root = s->root;
	t->peer = &s->peer;
	t->local = &s->local;
	t->control = &s->control.tls.eng;
	t->identity = &sv->identity[s->identity];
	t->client = sv->config.client_certificate != CLIENT_NONE ? &s->client : NULL;
	t->names = sv->cas.name;
	t->name_count = sv->config.client_certificate == CLIENT_SIGNED ? sv->cas.count : 0;
	t->reuse = sv->config.data_reuse;
	t->passive_low = sv->config.passive_low;
	t->passive_high = sv->config.passive_high;
	t->timeout_ms = sv->config.data_timeout * 1000;
	s->transfer.rate = (struct bucket){ .open_ms = 0 };
}

/* Let it in, to the account's own root. Where that can't be opened, it is back at USER. */
static int
move_in(struct session *s, struct out *o, unsigned code, const char *welcome)
{
	bool is_admin = s->account.is_admin || s->admission.is_admin;
	struct log l;

	wipe(s->account.hash, sizeof s->account.hash);  /* it has served */
	if (!state_has_room(s->service, is_admin)) {
		s->goodbye = STATE_TOO_MANY;
		return CUB_OK;
	}
	if (port_root_open(s->service->root, path_in_root(s->account.root), &s->root) < 0) {
		s->root = PORT_NONE;
		state_log(s, &l, "root");
		log_string(&l, "user", s->account.name);
		log_string(&l, "root", s->account.root);
		log_end(&l, PORT_LOG_ERROR);
		state_enter(s, SESSION_LOGIN);
		return reply(o, 530, "The account's directory can't be opened.");
	}
	s->cwd[0] = '/';
	s->cwd[1] = '\0';
	s->is_admin = is_admin;
	s->umask = s->service->config.umask;
	s->was_in = true;
	s->roots = s->service->roots;
	set_terms(s);
	state_enter(s, SESSION_READY);
	state_log(s, &l, "login");
	log_string(&l, "by", s->admission.verdict == ADMIT_CERTIFICATE ? "certificate" : "password");
	if (s->client.is_proven) {
		log_fingerprint(&l, "certificate", s->client.cert);
	}
	log_end(&l, PORT_LOG_INFO);
	return reply(o, code, welcome);
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

static int
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
		blame_add(&s->service->failures, &s->peer, s->now_ms);
	}
	state_enter(s, SESSION_CLOSING);
	reply_start(o, 530, "");
	admit_put_refusal(o, s->admission.verdict, &s->client);
	return reply_end(o, "");
}

int
cmd_user(struct session *s, struct out *o)
{
	const struct account *account = account_find(&s->service->accounts, s->arg);

	s->is_known = account != NULL;
	if (s->is_known) {
		s->account = *account;
	}
	s->admission = admit(s->service, &s->client, account);
	note_account(s);
	if (s->admission.verdict == ADMIT_PASSWORD && !s->admission.is_by_entry
		&& !s->client.is_signed
		&& blame_is_full(&s->service->failures, &s->peer, s->now_ms)) {
		/*
		 * In place of the question for a password, and not when it came: a trusted certificate
		 * gets in from any address, and one that is refused is told why.
		 */
		s->goodbye = "Too many failed logins, try again later";
		return CUB_OK;
	}
	if (s->admission.verdict == ADMIT_PASSWORD) {
		state_enter(s, SESSION_PASSWORD);
		return reply(o, 331, "Password required");
	}
	return s->admission.verdict != ADMIT_CERTIFICATE ? refuse_client(s, o)
		: move_in(s, o, 232, "Logged in by certificate.");  /* RFC 4217 section 11 */
}

int
cmd_pass(struct session *s, struct out *o)
{
	if (s->state == SESSION_READY) {
		/* Some clients send the password whatever USER was answered. */
		return s->admission.verdict == ADMIT_CERTIFICATE ? reply(o, 230, "Logged in already.")
			: reply(o, 503, "Not now");
	}
	s->answer_ms = s->now_ms
		+ blame_delay_ms(blame_count(&s->service->failures, &s->peer, s->now_ms));
	account_check_start(&s->check, s->is_known ? &s->account : NULL, s->arg);
	state_enter(s, SESSION_CHECKING);
	return CUB_OK;  /* the answer comes from cmd_pass_end() */
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
		blame_add(&s->service->failures, &s->peer, s->now_ms);
		state_enter(s, SESSION_LOGIN);
	} else {
		(void)move_in(s, o, 230, "Logged in.");
	}
}

int
cmd_pbsz(struct session *s, struct out *o)
{
	uint64_t n;

	if (!text_number(text_trim(s->arg), UINT32_MAX, &n)) {
		return reply(o, 501, "Want a number");
	}
	/* RFC 4217 section 8: TLS protects a stream, there is no buffer to agree on. */
	return reply(o, 200, "PBSZ=0");
}

int
cmd_prot(struct session *s, struct out *o)
{
	if (text_is(s->arg, "P")) {
		s->is_private = true;
		return reply(o, 200, "Data connections are private");
	}
	if (text_is(s->arg, "C")) {
		return reply(o, 534, "Data connections must be private: PROT P");
	}
	return reply(o, text_is(s->arg, "S") || text_is(s->arg, "E") ? 536 : 504, "Use PROT P");
}

int
cmd_ccc(struct session *s, struct out *o)
{
	(void)s;
	return reply(o, 533, "The control connection stays protected");
}

/* RFC 959 section 4.1.1, but that TLS stays, and with it what the client has shown. */
int
cmd_rein(struct session *s, struct out *o)
{
	transfer_abort(&s->transfer);
	port_root_close(s->root);
	s->root = PORT_NONE;
	s->bad_commands = 0;  /* who could log in may make as many again */
	state_reset(s);
	s->login_deadline_ms = s->now_ms + s->service->config.login_timeout * UINT64_C(1000);
	state_enter(s, SESSION_LOGIN);
	return reply(o, 220, "Log in again");
}

int
cmd_quit(struct session *s, struct out *o)
{
	state_enter(s, SESSION_CLOSING);
	return reply(o, 221, "Goodbye");
}
