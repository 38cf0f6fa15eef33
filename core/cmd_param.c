/* SPDX-License-Identifier: MIT */
/* TYPE, STRU, MODE, OPTS, REST, NOOP, CLNT. */
#include "cmd_param.h"

#include "cmd_hash.h"
#include "reply.h"

void
cmd_type(struct session *s, struct text arg, struct out *o)
{
	if (text_is(arg, "I") || text_is(arg, "L 8")) {
		s->is_image = true;
		reply(o, 200, "Type is image");
	} else if (text_is(arg, "A") || text_is(arg, "A N")) {
		s->is_image = false;
		reply(o, 200, "Type is ASCII");
	} else {
		reply(o, 504, "Types are A and I");
	}
}

void
cmd_stru(struct session *s, struct text arg, struct out *o)
{
	(void)s;
	reply(o, text_is(arg, "F") ? 200 : 504, "Structure is file");
}

void
cmd_mode(struct session *s, struct text arg, struct out *o)
{
	(void)s;
	reply(o, text_is(arg, "S") ? 200 : 504, "Mode is stream");
}

void
cmd_opts(struct session *s, struct text arg, struct out *o)
{
	struct text name = text_cut(&arg, ' ');

	if (text_is(name, "UTF8") || text_is(name, "UTF-8")) {
		bool is_off = text_is(text_trim(arg), "OFF");

		reply(o, is_off ? 504 : 200, "Names are UTF-8");
	} else if (text_is(name, "MLST")) {
		s->facts = listing_parse_facts(arg);
		reply_start(o, 200, s->facts != 0 ? "MLST OPTS " : "MLST OPTS");
		listing_put_facts(o, s->facts, s->facts, "");
		reply_end(o, "");
	} else if (text_is(name, "HASH")) {
		cmd_hash_opts(s, arg, o);
	} else {
		reply(o, 501, "No such option");
	}
}

void
cmd_rest(struct session *s, struct text arg, struct out *o)
{
	if (!text_number(text_trim(arg), INT64_MAX, &s->restart_at)) {
		reply(o, 501, "Want a position in bytes");
		return;
	}
	reply_start(o, 350, "Restarting at ");
	out_number(o, s->restart_at);
	reply_end(o, "");
}

void
cmd_noop(struct session *s, struct text arg, struct out *o)
{
	(void)arg;
	if (s->state == SESSION_TRANSFER) {
		/* Answered after the transfer, in order; whoever sends 255 of them gets no more. */
		s->noops_due = (uint8_t)(s->noops_due + (s->noops_due < UINT8_MAX));
		return;
	}
	reply(o, 200, "Here");
}

void
cmd_clnt(struct session *s, struct text arg, struct out *o)
{
	struct log l;

	state_log(s, &l, "client");
	log_text(&l, "name", arg);
	/* Whoever is not logged in shall not fill the log. */
	log_end(&l, state_is_in(s) ? PORT_LOG_INFO : PORT_LOG_DEBUG);
	reply(o, 200, "Noted");
}
