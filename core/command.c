/* SPDX-License-Identifier: MIT */
/* The command table and its gate: see command.h. */
#include "command.h"

#include "cmd_access.h"
#include "cmd_data.h"
#include "cmd_file.h"
#include "cmd_hash.h"
#include "cmd_info.h"
#include "cmd_param.h"
#include "reply.h"

/* The bits of enum account_right stand here among what a command needs. */
#define NEEDS_RIGHTS 3

/* What a command needs, besides its state. */
enum need {
	NEEDS_ARG     = 1,    /* else 501 */
	NEEDS_PRIVATE = 2,    /* PROT P, else 522 */
	NEEDS_DATA    = 4,    /* PASV or PORT, else 425 */
	NEEDS_READ    = RIGHT_READ << NEEDS_RIGHTS,  /* of the account, else 550 */
	NEEDS_WRITE   = RIGHT_WRITE << NEEDS_RIGHTS,
	NEEDS_DELETE  = RIGHT_DELETE << NEEDS_RIGHTS,
	NEEDS_LIST    = RIGHT_LIST << NEEDS_RIGHTS,
	KEEPS_RESTART = 128,  /* REST stays in force */
	KEEPS_RENAME  = 256,  /* so does RNFR */
	IS_ORDERED    = 512,  /* before login it is out of order, 503, rather than forbidden, 530 */
	IS_ACTIVE     = 1024, /* not here unless `active = yes` */
};

#define SEND    (NEEDS_PRIVATE | NEEDS_DATA)
#define KEEPS   (KEEPS_RESTART | KEEPS_RENAME)

/* Sets of states. A command whose set lacks TRANSFER or HASHING waits until that is over. */
#define IN_READY IN(SESSION_READY)
#define IN_TLS   (IN(SESSION_LOGIN) | IN(SESSION_PASSWORD) | IN_READY)
#define IN_ANY   (IN(SESSION_CLEAR) | IN_TLS)
#define IN_MEANWHILE (IN(SESSION_TRANSFER) | IN(SESSION_HASHING))

struct command {
	char     name[8];
	uint16_t states;  /* IN() of each state that accepts it */
	uint16_t needs;
	int    (*run)(struct session *s, struct out *o);
};

static int do_help(struct session *s, struct out *o);
static int do_site_help(struct session *s, struct out *o);

static const struct command commands[] = {
	{ "ABOR", IN_READY | IN_MEANWHILE, 0, cmd_abor },
	{ "ALLO", IN_READY, NEEDS_ARG | NEEDS_WRITE | KEEPS, cmd_allo },
	{ "APPE", IN_READY, NEEDS_ARG | SEND | NEEDS_WRITE, cmd_appe },
	{ "AUTH", IN(SESSION_CLEAR), NEEDS_ARG | IS_ORDERED, cmd_auth },
	{ "AVBL", IN_READY, KEEPS, cmd_avbl },
	{ "CCC",  IN_TLS, 0, cmd_ccc },
	{ "CDUP", IN_READY, 0, cmd_cdup },
	{ "CLNT", IN_ANY, NEEDS_ARG | KEEPS, cmd_clnt },
	{ "CWD",  IN_READY, NEEDS_ARG, cmd_cwd },
	{ "DELE", IN_READY, NEEDS_ARG | NEEDS_DELETE, cmd_dele },
#if CONFIG_CUBFTPD_ACTIVE
	{ "EPRT", IN_READY, NEEDS_ARG | IS_ACTIVE | KEEPS, cmd_port },
#endif
	{ "EPSV", IN_READY, KEEPS, cmd_epsv },
	{ "FEAT", IN_ANY, KEEPS, cmd_feat },
	{ "HASH", IN_READY, NEEDS_ARG | NEEDS_READ | KEEPS, cmd_hash },
	{ "HELP", IN_ANY, KEEPS, do_help },
	{ "LIST", IN_READY, SEND | NEEDS_LIST, cmd_list },
	{ "MDTM", IN_READY, NEEDS_ARG | KEEPS, cmd_mdtm },
	{ "MFMT", IN_READY, NEEDS_ARG | NEEDS_WRITE, cmd_mfmt },
	{ "MKD",  IN_READY, NEEDS_ARG | NEEDS_WRITE, cmd_mkd },
	{ "MLSD", IN_READY, SEND | NEEDS_LIST, cmd_mlsd },
	{ "MLST", IN_READY, KEEPS, cmd_mlst },
	{ "MODE", IN_READY, NEEDS_ARG | KEEPS, cmd_mode },
	{ "NLST", IN_READY, SEND | NEEDS_LIST, cmd_nlst },
	{ "NOOP", IN_ANY | IN_MEANWHILE, KEEPS, cmd_noop },
	{ "OPTS", IN_ANY, NEEDS_ARG | KEEPS, cmd_opts },
	{ "PASS", IN(SESSION_PASSWORD) | IN_READY, IS_ORDERED | KEEPS, cmd_pass },
	{ "PASV", IN_READY, KEEPS, cmd_pasv },
	{ "PBSZ", IN_TLS, NEEDS_ARG | IS_ORDERED | KEEPS, cmd_pbsz },
#if CONFIG_CUBFTPD_ACTIVE
	{ "PORT", IN_READY, NEEDS_ARG | IS_ACTIVE | KEEPS, cmd_port },
#endif
	{ "PROT", IN_TLS, NEEDS_ARG | IS_ORDERED | KEEPS, cmd_prot },
	{ "PWD",  IN_READY, KEEPS, cmd_pwd },
	{ "QUIT", IN_ANY, 0, cmd_quit },
	{ "REIN", IN_READY, 0, cmd_rein },
	{ "REST", IN_READY, NEEDS_ARG | KEEPS, cmd_rest },
	{ "RETR", IN_READY, NEEDS_ARG | SEND | NEEDS_READ, cmd_retr },
	{ "RMD",  IN_READY, NEEDS_ARG | NEEDS_DELETE, cmd_rmd },
	{ "RNFR", IN_READY, NEEDS_ARG | NEEDS_WRITE | KEEPS_RENAME, cmd_rnfr },
	{ "RNTO", IN_READY, NEEDS_ARG | NEEDS_WRITE, cmd_rnto },
	{ "SITE", IN_READY, NEEDS_ARG, NULL },  /* one of the other table runs */
	{ "SIZE", IN_READY, NEEDS_ARG | KEEPS, cmd_size },
	{ "STAT", IN_READY | IN_MEANWHILE, KEEPS, cmd_stat },
	{ "STOR", IN_READY, NEEDS_ARG | SEND | NEEDS_WRITE, cmd_stor },
	{ "STOU", IN_READY, SEND | NEEDS_WRITE, cmd_stou },
	{ "STRU", IN_READY, NEEDS_ARG | KEEPS, cmd_stru },
	{ "SYST", IN_ANY, KEEPS, cmd_syst },
	{ "TYPE", IN_READY, NEEDS_ARG | KEEPS, cmd_type },
	{ "USER", IN(SESSION_LOGIN) | IN(SESSION_PASSWORD), NEEDS_ARG, cmd_user },
	{ "XCRC", IN_READY, NEEDS_ARG | NEEDS_READ | KEEPS, cmd_xcrc },
	{ "XCUP", IN_READY, 0, cmd_cdup },
	{ "XCWD", IN_READY, NEEDS_ARG, cmd_cwd },
	{ "XMKD", IN_READY, NEEDS_ARG | NEEDS_WRITE, cmd_mkd },
	{ "XPWD", IN_READY, KEEPS, cmd_pwd },
	{ "XRMD", IN_READY, NEEDS_ARG | NEEDS_DELETE, cmd_rmd },
	{ "XSHA256", IN_READY, NEEDS_ARG | NEEDS_READ | KEEPS, cmd_xsha256 },
};

/* What follows SITE: the gate is the same. */
static const struct command site_commands[] = {
	{ "CHMOD", IN_READY, NEEDS_ARG | NEEDS_WRITE, cmd_chmod },
	{ "HELP",  IN_READY, 0, do_site_help },
	{ "UMASK", IN_READY, NEEDS_WRITE, cmd_umask },
};

/* Known from the RFCs, but not for us, not built in, or not switched on: 502. */
static const char not_here[] =
	"ACCT ADAT CONF ENC EPRT HOST LANG MIC PORT SMNT";

/* Other protocols' first words: a browser was tricked into speaking to us, or a scanner. */
static const char foreign[] =
	"CONNECT DELETE EHLO GET HEAD HELO MAIL OPTIONS PATCH POST PUT TRACE";

#define COUNT(table) (sizeof (table) / sizeof (table)[0])

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

static bool
is_here(const struct session *s, const struct command *c)
{
	return (c->needs & IS_ACTIVE) == 0 || s->service->config.active != 0;
}

static const struct command *
find(const struct session *s, const struct command *table, size_t count, struct text verb)
{
	for (; count > 0; table++, count--) {
		if (text_is(verb, table->name)) {
			return is_here(s, table) ? table : NULL;
		}
	}
	return NULL;
}

static int
list_commands(const struct session *s, const struct command *table, size_t count, struct out *o)
{
	out_string(o, "214-These commands are known:");
	for (; count > 0; table++, count--) {
		if (is_here(s, table)) {
			out_string(o, "\r\n ");
			out_string(o, table->name);
		}
	}
	out_string(o, "\r\n");
	return reply(o, 214, "End");
}

static int
do_help(struct session *s, struct out *o)
{
	return text_is(s->arg, "SITE") ? do_site_help(s, o)
		: list_commands(s, commands, COUNT(commands), o);
}

static int
do_site_help(struct session *s, struct out *o)
{
	return list_commands(s, site_commands, COUNT(site_commands), o);
}

static void
refuse_unknown(struct session *s, struct text verb, struct out *o)
{
	if (is_among(verb, foreign)) {
		reply(o, 500, "This is an FTP server");
		state_enter(s, SESSION_CLOSING);
	} else {
		bool is_known = is_among(verb, not_here);

		s->bad_commands = (uint8_t)(s->bad_commands + !is_known);
		reply(o, is_known ? 502 : 500, "Command not implemented");
	}
}

/* Say why a command can't run now, or run it. */
static int
run(struct session *s, const struct command *c, struct out *o)
{
	unsigned rights = c->needs >> NEEDS_RIGHTS & RIGHT_ALL;

	if ((c->states & IN(s->state)) == 0) {
		s->bad_commands++;
		if (s->state == SESSION_READY || (c->needs & IS_ORDERED) != 0) {
			return reply(o, 503, "Not now");
		}
		return reply(o, 530, s->state == SESSION_CLEAR ? "Use AUTH TLS first" : "Log in first");
	}
	if ((c->needs & NEEDS_ARG) != 0 && s->arg.len == 0) {
		return reply(o, 501, "An argument is missing");
	}
	if ((rights & ~(unsigned)s->account.rights) != 0) {
		return CUB_E_DENIED;
	}
	if ((c->needs & NEEDS_PRIVATE) != 0 && !s->is_private) {
		return reply(o, 522, "Use PROT P first");  /* lftp switches to it on this code only */
	}
	if ((c->needs & NEEDS_DATA) != 0 && s->transfer.state == TRANSFER_IDLE) {
		return reply(o, 425, "Use PASV or EPSV first");
	}
	/* In text, where line ends become longer and shorter, a position means nothing. */
	if (CONFIG_CUBFTPD_ASCII && (c->needs & (NEEDS_DATA | NEEDS_LIST)) == NEEDS_DATA
		&& !s->is_image && s->restart_at > 0) {
		return reply(o, 554, "Restart needs TYPE I");
	}
	return c->run(s, o);
}

bool
command_must_wait(const struct session *s)
{
	struct text line = line_text(&s->line);
	const struct command *c = find(s, commands, COUNT(commands), text_cut(&line, ' '));

	return (IN(s->state) & IN_MEANWHILE) != 0
		&& (c == NULL || (c->states & IN(s->state)) == 0);
}

void
command_run(struct session *s, struct out *o)
{
	const struct command *c;
	struct text verb;
	int err;

	s->arg = line_text(&s->line);
	verb = text_cut(&s->arg, ' ');
	c = find(s, commands, COUNT(commands), verb);
	if (c != NULL && c->run == NULL && s->arg.len > 0) {
		c = find(s, site_commands, COUNT(site_commands), text_cut(&s->arg, ' '));
		verb.len = 0;
	}
	if (c == NULL) {
		refuse_unknown(s, verb, o);
		return;
	}
	err = run(s, c, o);
	if (err < 0) {
		reply_error(o, err);
	}
	if ((c->needs & KEEPS_RESTART) == 0) {
		s->restart_at = 0;
		s->announced = 0;
	}
	if ((c->needs & KEEPS_RENAME) == 0) {
		s->rename_from[0] = '\0';
	}
}
