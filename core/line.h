/* SPDX-License-Identifier: MIT */
/*
 * Command lines, cut from the control connection's bytes. Telnet commands (RFC 854) are
 * taken out. A line that is too long is dropped to its end and told once, never split.
 */
#ifndef LINE_H
#define LINE_H

#include "text.h"

enum line_event {
	LINE_MORE,      /* no end of a line yet */
	LINE_READY,     /* line_text() is a line */
	LINE_TOO_LONG,  /* a line ended that was too long; line_text() is empty */
	LINE_BAD,       /* a NUL or another control character but TAB: hang up */
};

struct line {
	size_t  len;
	bool    is_done;      /* the next byte begins a new line */
	bool    is_dropping;  /* too long: wait for its end */
	bool    saw_cr;
	uint8_t telnet;  /* 0; 1: IAC was seen; 2: and a verb that takes an option */
	char    at[CUB_LINE_MAX];
};

void line_start(struct line *l);

/*
 * Feed bytes, up to the end of a line at most. `*used` tells how many were taken.
 * After anything but LINE_MORE the next call begins a new line.
 */
enum line_event line_feed(struct line *l, const unsigned char *src, size_t len, size_t *used);

/* After LINE_READY, until the next line_feed(): the line, without its end. */
struct text line_text(const struct line *l);

#endif
