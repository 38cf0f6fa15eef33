/* SPDX-License-Identifier: MIT */
/* AUTH, USER, PASS, PBSZ, PROT, CCC, QUIT. */
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

void
cmd_user(struct session *s, struct text arg, struct out *o)
{
	const struct account *account = account_find(&s->service->accounts, arg);

	s->is_known = account != NULL;
	if (s->is_known) {
		s->account = *account;
	}
	reply(o, 331, "Password required");
	state_enter(s, SESSION_PASSWORD);
}

void
cmd_pass(struct session *s, struct text arg, struct out *o)
{
	(void)o;  /* the answer comes from cmd_pass_end() */
	account_check_start(&s->check, s->is_known ? &s->account : NULL, arg);
	state_enter(s, SESSION_CHECKING);
}

/* The account's own root and the terms of its transfers. Returns as port_root_open(). */
static int
move_in(struct session *s)
{
	const struct cubftpd_config *config = &s->service->config;
	int err = port_root_open(s->service->root, path_in_root(s->account.root), &s->root);

	if (err < 0) {
		s->root = PORT_NONE;
		return err;
	}
	s->cwd[0] = '/';
	s->cwd[1] = '\0';
	s->transfer.terms = (struct transfer_terms){
		.root = s->root,
		.peer = s->peer,
		.local = s->local,
		.control = &s->control.tls.eng,
		.identity = s->identity,
		.reuse = config->data_reuse,
		.passive_low = config->passive_low,
		.passive_high = config->passive_high,
		.timeout_ms = config->data_timeout * 1000,
	};
	return CUB_OK;
}

void
cmd_pass_end(struct session *s, struct out *o)
{
	bool is_right = account_check_end(&s->check, s->is_known ? &s->account : NULL)
		&& !account_is_stale(&s->account, &s->service->accounts);
	struct log l;

	wipe(&s->check, sizeof s->check);
	wipe(s->account.hash, sizeof s->account.hash);
	if (!is_right) {
		reply(o, 530, "Login incorrect.");
		state_log(s, &l, "refused");
		log_string(&l, "user", s->is_known ? s->account.name : "?");
		log_end(&l, PORT_LOG_WARNING);
		state_enter(s, SESSION_LOGIN);
		return;
	}
	if (move_in(s) < 0) {
		reply(o, 530, "The account's directory can't be opened.");
		state_log(s, &l, "root");
		log_string(&l, "user", s->account.name);
		log_string(&l, "root", s->account.root);
		log_end(&l, PORT_LOG_ERROR);
		state_enter(s, SESSION_LOGIN);
		return;
	}
	reply(o, 230, "Logged in.");
	state_enter(s, SESSION_READY);
	state_log(s, &l, "login");
	log_end(&l, PORT_LOG_INFO);
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

void
cmd_quit(struct session *s, struct text arg, struct out *o)
{
	(void)arg;
	reply(o, 221, "Goodbye");
	state_enter(s, SESSION_CLOSING);
}
