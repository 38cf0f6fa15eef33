/* SPDX-License-Identifier: MIT */
/*
 * HASH, XSHA256, XCRC. A file is hashed as it is stored, in slices that are read into the room
 * of the reply to come. What is told covers the length that the file had at the start: one that
 * becomes shorter is refused, one that grows is not hashed any further.
 */
#include "cmd_hash.h"

#include "crc32.h"
#include "reply.h"

/* Reads of CUB_REPLY_MAX bytes in one step: together about a millisecond on a slow device. */
#define READS_MAX 4

static const char names[HASH_KINDS][8] = {
	[HASH_SHA256] = "SHA-256", [HASH_CRC32] = "CRC32",
};

int
cmd_hash_opts(struct session *s, struct out *o)
{
	for (uint8_t kind = 0; kind < HASH_KINDS; kind++) {
		if (text_is(s->arg, names[kind])) {
			s->hash_kind = kind;
			s->arg.len = 0;
		}
	}
	return reply(o, s->arg.len == 0 ? 200 : 504, names[s->hash_kind]);
}

/* Cut off a number that is the last word; false where there is none. */
static bool
cut_number(struct text *t, uint64_t *n)
{
	size_t at = t->len;

	while (at > 0 && t->at[at - 1] != ' ') {
		at--;
	}
	if (at == 0 || !text_number((struct text){ t->at + at, t->len - at }, INT64_MAX, n)) {
		return false;
	}
	t->len = at - 1;
	return true;
}

static int
start(struct session *s, unsigned hashing)
{
	struct transfer *t = &s->transfer;
	struct hash *h = &s->hash;
	struct text name = s->arg;
	struct port_stat stat;
	int err;

	s->hashing = (uint8_t)hashing;
	/* Others have `NAME START END`, for a part of a file. */
	if ((hashing & HASH_BARE) != 0 && cut_number(&name, &h->end)
		&& cut_number(&name, &t->bytes)) {
		s->arg = name;
	} else {
		t->bytes = 0;
		h->end = UINT64_MAX;
	}
	/* Clients put a name that has a blank in it into quotes. */
	if (s->arg.len > 2 && s->arg.at[0] == '"' && s->arg.at[s->arg.len - 1] == '"') {
		s->arg.at++;
		s->arg.len -= 2;
	}
	err = state_resolve_entry(s);
	if (err == CUB_OK) {
		err = transfer_open(t, s->path, &stat);
	}
	if (err < 0) {
		return err;
	}
	h->end = h->end == UINT64_MAX ? stat.size : h->end;
	if (t->bytes > h->end || h->end > stat.size) {
		transfer_close_file(t);
		return CUB_E_BAD;
	}
	h->crc = 0;
	br_sha256_init(&h->sha256);
	state_enter(s, SESSION_HASHING);
	return CUB_OK;  /* the answer comes from cmd_hash_more() */
}

int
cmd_hash(struct session *s, struct out *o)
{
	(void)o;
	return start(s, s->hash_kind);
}

int
cmd_xsha256(struct session *s, struct out *o)
{
	(void)o;
	return start(s, HASH_SHA256 | HASH_BARE);
}

int
cmd_xcrc(struct session *s, struct out *o)
{
	(void)o;
	return start(s, HASH_CRC32 | HASH_BARE);
}

static void
put_answer(const struct session *s, struct out *o)
{
	const struct hash *h = &s->hash;
	bool is_bare = (s->hashing & HASH_BARE) != 0;
	const char *name = names[s->hashing & ~HASH_BARE];
	uint8_t value[br_sha256_SIZE];
	size_t len = 4, at;
	struct log l;

	for (unsigned i = 0; i < 4; i++) {
		value[i] = (uint8_t)(h->crc >> (24 - 8 * i));
	}
	if ((s->hashing & HASH_CRC32) == 0) {
		br_sha256_out(&h->sha256, value);
		len = sizeof value;
	}
	reply_start(o, is_bare ? 250 : 213, is_bare ? "" : name);
	if (!is_bare) {
		out_string(o, " 0-");
		out_number(o, h->end);
		out_char(o, ' ');
	}
	at = o->len;
	out_hex(o, value, len);
	state_log(s, &l, "hash");
	log_number(&l, "end", h->end);
	log_text(&l, name, (struct text){ o->at + at, o->len - at });
	log_string(&l, "path", s->path);
	log_end(&l, PORT_LOG_INFO);
	out_string(o, is_bare ? "" : " ");
	reply_end(o, is_bare ? "" : s->path);
}

void
cmd_hash_more(struct session *s, struct out *o)
{
	struct transfer *t = &s->transfer;
	struct hash *h = &s->hash;
	int n = 1;

	for (unsigned i = 0; i < READS_MAX && n > 0; i++) {
		uint64_t left = h->end - t->bytes;

		n = left == 0 ? CUB_OK
			: port_file_read(t->file, t->bytes, o->at, left < o->cap ? (size_t)left : o->cap);
		if (n <= 0) {
			break;
		}
		if ((s->hashing & HASH_CRC32) == 0) {
			br_sha256_update(&h->sha256, o->at, (size_t)n);
		} else {
			h->crc = crc32(h->crc, o->at, (size_t)n);
		}
		t->bytes += (uint64_t)n;
	}
	if (n > 0) {
		state_renew(s);
		return;
	}
	transfer_close_file(t);
	wipe(o->at, o->cap);
	if (n == CUB_OK) {
		put_answer(s, o);
	} else {
		reply_error(o, n == CUB_EOF ? CUB_E_BUSY : n);  /* EOF: it has become shorter */
	}
	state_enter(s, SESSION_READY);
}
