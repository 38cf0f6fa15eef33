/* SPDX-License-Identifier: MIT */
/* Cutting command lines: see line.h. */
#include "line.h"

#define IAC  0xFF
#define WILL 0xFB  /* WILL, WONT, DO, DONT: an option follows */
#define DONT 0xFE
#define DEL  0x7F

void
line_start(struct line *l)
{
	l->is_done = true;
	l->is_dropping = false;
	l->saw_cr = false;
	l->telnet = 0;
}

/* Take out Telnet commands: true if the byte is one of them. IAC IAC is the byte 255. */
static bool
is_telnet(struct line *l, unsigned char c)
{
	if (l->telnet == 2) {
		l->telnet = 0;
		return true;
	}
	if (l->telnet == 1) {
		l->telnet = c >= WILL && c <= DONT ? 2 : 0;
		return c != IAC;
	}
	l->telnet = c == IAC ? 1 : 0;
	return c == IAC;
}

static void
add_char(struct line *l, unsigned char c)
{
	if (l->len == sizeof l->at) {
		l->is_dropping = true;
	}
	if (!l->is_dropping) {
		l->at[l->len++] = (char)c;
	}
}

enum line_event
line_feed(struct line *l, const unsigned char *src, size_t len, size_t *used)
{
	if (l->is_done) {
		l->len = 0;
		l->is_done = false;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = src[i];
		bool saw_cr = l->saw_cr;

		*used = i + 1;
		if (is_telnet(l, c)) {
			continue;
		}
		l->saw_cr = c == '\r';
		if (c == '\n') {
			/* A bare LF ends a line, too: some clients send no CR. */
			bool dropped = l->is_dropping;

			l->len = dropped ? 0 : l->len;
			l->is_dropping = false;
			l->is_done = true;
			return dropped ? LINE_TOO_LONG : LINE_READY;
		}
		if (saw_cr || c == DEL || (c < ' ' && c != '\r' && c != '\t')) {
			l->is_done = true;
			l->is_dropping = false;
			l->saw_cr = false;
			return LINE_BAD;  /* a CR in the middle of a line among them */
		}
		if (c != '\r') {
			add_char(l, c);
		}
	}
	*used = len;
	return LINE_MORE;
}

struct text
line_text(const struct line *l)
{
	return (struct text){ l->at, l->len };
}
