/* SPDX-License-Identifier: MIT */
/* TYPE, STRU, MODE, OPTS, REST, NOOP, CLNT. */
#include "cmd_param.h"

#include "cmd_hash.h"
#include "reply.h"

int
cmd_type(struct session *s, struct out *o)
{
	if (text_is(s->arg, "I") || text_is(s->arg, "L 8")) {
		s->is_image = true;
		return reply(o, 200, "Type is image");
	}
	if (text_is(s->arg, "A") || text_is(s->arg, "A N")) {
		s->is_image = false;
		return reply(o, 200, "Type is ASCII");
	}
	return reply(o, 504, "Types are A and I");
}

int
cmd_stru(struct session *s, struct out *o)
{
	return reply(o, text_is(s->arg, "F") ? 200 : 504, "Structure is file");
}

int
cmd_mode(struct session *s, struct out *o)
{
	return reply(o, text_is(s->arg, "S") ? 200 : 504, "Mode is stream");
}

int
cmd_opts(struct session *s, struct out *o)
{
	struct text name = text_cut(&s->arg, ' ');

	if (text_is(name, "UTF8") || text_is(name, "UTF-8")) {
		bool is_off = text_is(text_trim(s->arg), "OFF");

		return reply(o, is_off ? 504 : 200, "Names are UTF-8");
	}
	if (text_is(name, "HASH")) {
		return cmd_hash_opts(s, o);
	}
	if (!text_is(name, "MLST")) {
		return reply(o, 501, "No such option");
	}
	s->facts = listing_parse_facts(s->arg);
	reply_start(o, 200, s->facts != 0 ? "MLST OPTS " : "MLST OPTS");
	listing_put_facts(o, s->facts, s->facts, "");
	return reply_end(o, "");
}

int
cmd_rest(struct session *s, struct out *o)
{
	if (!text_number(text_trim(s->arg), INT64_MAX, &s->restart_at)) {
		return reply(o, 501, "Want a position in bytes");
	}
	reply_start(o, 350, "Restarting at ");
	out_number(o, s->restart_at);
	return reply_end(o, "");
}

int
cmd_noop(struct session *s, struct out *o)
{
	if (s->state == SESSION_TRANSFER || s->state == SESSION_HASHING) {
		/* Answered after what goes on, in order; whoever sends 65,535 of them gets no more. */
		s->noops_due = (uint16_t)(s->noops_due + (s->noops_due < UINT16_MAX));
		return CUB_OK;
	}
	return reply(o, 200, "Here");
}

int
cmd_clnt(struct session *s, struct out *o)
{
	struct log l;

	state_log(s, &l, "client");
	log_text(&l, "name", s->arg);
	/* Whoever is not logged in shall not fill the log. */
	log_end(&l, state_is_in(s) ? PORT_LOG_INFO : PORT_LOG_DEBUG);
	return reply(o, 200, "Noted");
}
