/* SPDX-License-Identifier: MIT */
/* FEAT, SYST, STAT. (HELP is in command.c, beside the table that it lists.) */
#include "cmd_info.h"

#include "addr.h"
#include "clock.h"
#include "cmd_data.h"
#include "reply.h"

int
cmd_feat(struct session *s, struct out *o)
{
	out_string(o,
		"211-Features:\r\n"
		" AUTH TLS\r\n"
		" AVBL\r\n"
		" CLNT\r\n");
	out_string(o, s->service->config.active != 0 ? " EPRT\r\n" : "");
	out_string(o,
		" EPSV\r\n"
		" HASH ");
	out_string(o, s->hash_kind == HASH_SHA256 ? "SHA-256*;CRC32" : "SHA-256;CRC32*");
	out_string(o, "\r\n"
		" MDTM\r\n"
		" MFMT\r\n"
		" MLST ");
	listing_put_facts(o, FACT_ALL, s->facts, "*");
	out_string(o, "\r\n"
		" PASV\r\n"
		" PBSZ\r\n"
		" PROT\r\n"
		" REST STREAM\r\n"
		" SIZE\r\n"
		" TVFS\r\n"
		" UTF8\r\n"
		" XCRC\r\n"
		" XSHA256\r\n");
	return reply(o, 211, "End");
}

int
cmd_syst(struct session *s, struct out *o)
{
	(void)s;
	return reply(o, 215, "UNIX Type: L8");
}

/* STAT without a path: about the session, and what is going on. */
static int
put_status(struct session *s, struct out *o)
{
	out_string(o, "211-cubftpd " CUBFTPD_VERSION "\r\n Connected from ");
	addr_put_ip(o, &s->peer);
	out_string(o, "\r\n Logged in as ");
	out_string(o, s->account.name);
	out_string(o, s->is_image ? "\r\n Type: image" : "\r\n Type: ASCII");
	out_string(o, s->is_private ? ", protection: private\r\n" : ", protection: not set\r\n");
	if (!clock_is_plausible()) {
		out_string(o, " The clock is wrong: dates begin at the latest known one\r\n");
	}
	if (s->state != SESSION_READY) {
		out_string(o, s->state == SESSION_TRANSFER ? " Transferring" : " Hashing");
		out_string(o, ", bytes so far: ");
		out_number(o, s->transfer.bytes);
		out_string(o, "\r\n");
	}
	return reply(o, 211, "End");
}

int
cmd_stat(struct session *s, struct out *o)
{
	int err;

	if (s->arg.len == 0) {
		return put_status(s, o);
	}
	if (s->state != SESSION_READY) {
		return CUB_E_BUSY;
	}
	if ((s->account.rights & RIGHT_LIST) == 0) {
		return CUB_E_DENIED;
	}
	err = cmd_open_listing(s, LISTING_LONG);
	if (err == CUB_OK) {
		out_string(o, "213-Status\r\n");
		state_enter(s, SESSION_REPLYING);
	}
	return err;
}

_Static_assert(CUB_REPLY_MAX > LISTING_LINE_MAX + 64, "a part must hold a line and the end");

void
cmd_stat_cut(struct out *o)
{
	/* The code stands already: a failure can only be said in words. */
	reply(o, 213, "End: the directory could not be read to its end");
}

void
cmd_stat_more(struct session *s, struct out *o)
{
	int err = CUB_OK;

	/* Lines that begin with a space can't be taken for the reply's last one. */
	while (err == CUB_OK && o->cap - o->len > LISTING_LINE_MAX + 64) {
		struct out one = { .at = o->at + o->len + 1, .cap = LISTING_LINE_MAX };

		err = listing_fill(&s->transfer.listing, &one);
		if (one.len > 0) {
			o->at[o->len] = ' ';
			o->len += 1 + one.len;
		}
	}
	if (err < 0) {
		listing_close(&s->transfer.listing);
		if (err == CUB_EOF) {
			reply(o, 213, "End");
		} else {
			cmd_stat_cut(o);
		}
		state_enter(s, SESSION_READY);
	}
}
