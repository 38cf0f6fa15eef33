/* SPDX-License-Identifier: MIT */
/* The command table and its gate: see command.h. */
#include "command.h"

#include "cmd_access.h"
#include "cmd_data.h"
#include "cmd_file.h"
#include "cmd_info.h"
#include "cmd_param.h"
#include "reply.h"

/* What a command needs, besides its state. */
enum need {
	NEEDS_ARG     = 1,    /* else 501 */
	NEEDS_PRIVATE = 2,    /* PROT P, else 522 */
	NEEDS_DATA    = 4,    /* PASV or EPSV, else 425 */
	NEEDS_READ    = 8,    /* rights of the account, else 550 */
	NEEDS_WRITE   = 16,
	NEEDS_DELETE  = 32,
	NEEDS_LIST    = 64,
	KEEPS_RESTART = 128,  /* REST stays in force */
	KEEPS_RENAME  = 256,  /* so does RNFR */
	IS_ORDERED    = 512,  /* before login it is out of order, 503, rather than forbidden, 530 */
};

#define SEND    (NEEDS_PRIVATE | NEEDS_DATA)
#define KEEPS   (KEEPS_RESTART | KEEPS_RENAME)

/* Sets of states. A command whose set lacks TRANSFER waits until the transfer is over. */
#define IN_READY IN(SESSION_READY)
#define IN_TLS   (IN(SESSION_LOGIN) | IN(SESSION_PASSWORD) | IN_READY)
#define IN_ANY   (IN(SESSION_CLEAR) | IN_TLS)

struct command {
	char     name[5];
	uint16_t states;  /* IN() of each state that accepts it */
	uint16_t needs;
	void   (*run)(struct session *s, struct text arg, struct out *o);
};

static void do_help(struct session *s, struct text arg, struct out *o);

static const struct command commands[] = {
	{ "ABOR", IN_READY | IN(SESSION_TRANSFER), 0, cmd_abor },
	{ "APPE", IN_READY, NEEDS_ARG | SEND | NEEDS_WRITE, cmd_appe },
	{ "AUTH", IN(SESSION_CLEAR), NEEDS_ARG | IS_ORDERED, cmd_auth },
	{ "CCC",  IN_TLS, 0, cmd_ccc },
	{ "CDUP", IN_READY, 0, cmd_cdup },
	{ "CWD",  IN_READY, 0, cmd_cwd },
	{ "DELE", IN_READY, NEEDS_ARG | NEEDS_DELETE, cmd_dele },
	{ "EPSV", IN_READY, KEEPS, cmd_epsv },
	{ "FEAT", IN_ANY, KEEPS, cmd_feat },
	{ "HELP", IN_ANY, KEEPS, do_help },
	{ "LIST", IN_READY, SEND | NEEDS_LIST, cmd_list },
	{ "MDTM", IN_READY, NEEDS_ARG | KEEPS, cmd_mdtm },
	{ "MKD",  IN_READY, NEEDS_ARG | NEEDS_WRITE, cmd_mkd },
	{ "MLSD", IN_READY, SEND | NEEDS_LIST, cmd_mlsd },
	{ "MLST", IN_READY, KEEPS, cmd_mlst },
	{ "MODE", IN_READY, NEEDS_ARG | KEEPS, cmd_mode },
	{ "NLST", IN_READY, SEND | NEEDS_LIST, cmd_nlst },
	{ "NOOP", IN_ANY | IN(SESSION_TRANSFER), KEEPS, cmd_noop },
	{ "OPTS", IN_ANY, NEEDS_ARG | KEEPS, cmd_opts },
	{ "PASS", IN(SESSION_PASSWORD) | IN_READY, IS_ORDERED | KEEPS, cmd_pass },
	{ "PASV", IN_READY, KEEPS, cmd_pasv },
	{ "PBSZ", IN_TLS, NEEDS_ARG | IS_ORDERED | KEEPS, cmd_pbsz },
	{ "PROT", IN_TLS, NEEDS_ARG | IS_ORDERED | KEEPS, cmd_prot },
	{ "PWD",  IN_READY, KEEPS, cmd_pwd },
	{ "QUIT", IN_ANY, 0, cmd_quit },
	{ "REST", IN_READY, NEEDS_ARG | KEEPS, cmd_rest },
	{ "RETR", IN_READY, NEEDS_ARG | SEND | NEEDS_READ, cmd_retr },
	{ "RMD",  IN_READY, NEEDS_ARG | NEEDS_DELETE, cmd_rmd },
	{ "RNFR", IN_READY, NEEDS_ARG | NEEDS_WRITE | KEEPS_RENAME, cmd_rnfr },
	{ "RNTO", IN_READY, NEEDS_ARG | NEEDS_WRITE, cmd_rnto },
	{ "SIZE", IN_READY, NEEDS_ARG | KEEPS, cmd_size },
	{ "STAT", IN_READY | IN(SESSION_TRANSFER), KEEPS, cmd_stat },
	{ "STOR", IN_READY, NEEDS_ARG | SEND | NEEDS_WRITE, cmd_stor },
	{ "STRU", IN_READY, NEEDS_ARG | KEEPS, cmd_stru },
	{ "SYST", IN_ANY, KEEPS, cmd_syst },
	{ "TYPE", IN_READY, NEEDS_ARG | KEEPS, cmd_type },
	{ "USER", IN(SESSION_LOGIN) | IN(SESSION_PASSWORD), NEEDS_ARG, cmd_user },
};

/* Known from the RFCs, but not for us: 502. */
static const char not_here[] =
	"ACCT ADAT ALLO CONF ENC EPRT HOST LANG MIC PORT REIN SITE SMNT STOU";

/* Other protocols' first words: a browser was tricked into speaking to us, or a scanner. */
static const char foreign[] =
	"CONNECT DELETE EHLO GET HEAD HELO MAIL OPTIONS PATCH POST PUT TRACE";

#define COMMANDS (sizeof commands / sizeof commands[0])

static bool
is_among(struct text verb, const char *words)
{
	struct text rest = text_of(words);

	while (rest.len > 0) {
		struct text word = text_cut(&rest, ' ');

		if (text_equal(verb, word)) {
			return true;
		}
	}
	return false;
}

static const struct command *
find(struct text verb)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (text_is(verb, commands[i].name)) {
			return &commands[i];
		}
	}
	return NULL;
}

static void
do_help(struct session *s, struct text arg, struct out *o)
{
	(void)s;
	(void)arg;
	out_string(o, "214-These commands are known:");
	for (size_t i = 0, in_line = 12; i < COMMANDS; i++, in_line++) {
		if (in_line == 12) {
			out_string(o, "\r\n");
			in_line = 0;
		}
		out_char(o, ' ');
		out_string(o, commands[i].name);
	}
	out_string(o, "\r\n");
	reply(o, 214, "End");
}

static void
refuse_unknown(struct session *s, struct text verb, struct out *o)
{
	if (is_among(verb, foreign)) {
		reply(o, 500, "This is an FTP server");
		state_enter(s, SESSION_CLOSING);
	} else if (is_among(verb, not_here)) {
		reply(o, 502, "Command not implemented");
	} else {
		reply(o, 500, "Command not understood");
	}
}

/* Say why a command can't run now; returns false if it can. */
static bool
refuse(const struct session *s, const struct command *c, struct text arg, struct out *o)
{
	static const struct {
		uint16_t need, right;
	} rights[] = {
		{ NEEDS_READ, RIGHT_READ }, { NEEDS_WRITE, RIGHT_WRITE },
		{ NEEDS_DELETE, RIGHT_DELETE }, { NEEDS_LIST, RIGHT_LIST },
	};

	if ((c->states & IN(s->state)) == 0) {
		if (s->state == SESSION_READY || (c->needs & IS_ORDERED) != 0) {
			reply(o, 503, "Not now");
		} else {
			reply(o, 530, s->state == SESSION_CLEAR ? "Use AUTH TLS first" : "Log in first");
		}
		return true;
	}
	if ((c->needs & NEEDS_ARG) != 0 && arg.len == 0) {
		reply(o, 501, "An argument is missing");
		return true;
	}
	for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
		if ((c->needs & rights[i].need) != 0 && (s->account.rights & rights[i].right) == 0) {
			reply_error(o, CUB_E_DENIED);
			return true;
		}
	}
	if ((c->needs & NEEDS_PRIVATE) != 0 && !s->is_private) {
		reply(o, 522, "Use PROT P first");  /* lftp switches to it on this code only */
		return true;
	}
	if ((c->needs & NEEDS_DATA) != 0 && s->transfer.state != TRANSFER_LISTENING) {
		reply(o, 425, "Use PASV or EPSV first");
		return true;
	}
	return false;
}

bool
command_must_wait(const struct session *s, struct text line)
{
	const struct command *c = find(text_cut(&line, ' '));

	return s->state == SESSION_TRANSFER
		&& (c == NULL || (c->states & IN(SESSION_TRANSFER)) == 0);
}

void
command_run(struct session *s, struct text line, struct out *o)
{
	struct text arg = line;
	struct text verb = text_cut(&arg, ' ');
	const struct command *c = find(verb);

	if (c == NULL) {
		refuse_unknown(s, verb, o);
		return;
	}
	if (!refuse(s, c, arg, o)) {
		c->run(s, arg, o);
	}
	if ((c->needs & KEEPS_RESTART) == 0) {
		s->restart_at = 0;
	}
	if ((c->needs & KEEPS_RENAME) == 0) {
		s->rename_from[0] = '\0';
	}
}
