/* SPDX-License-Identifier: MIT */
/*
 * Replies of an FTP server (RFC 959 section 4.2), of one line or several, read byte by byte.
 * What it says is not trusted: it is bounded, and fit for a terminal.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "text.h"

#define ANSWER_MAX   16384  /* bytes of a reply, all its lines */
#define ANSWER_LINE  512    /* of a line; what is longer is cut */
#define ANSWER_WORDS 512

enum answer_state { ANSWER_MORE, ANSWER_WHOLE, ANSWER_BAD };

struct answer {
	unsigned code;              /* 0: not known yet */
	size_t   count;             /* bytes so far */
	size_t   line_len;
	char     line[ANSWER_LINE];
	char     words[ANSWER_WORDS];  /* of all its lines */
	size_t   words_len;
};

void answer_start(struct answer *a);

/* The next byte. ANSWER_BAD: it is no reply, or too long. */
enum answer_state answer_feed(struct answer *a, char c);

/* What it says, for people. */
struct text answer_words(const struct answer *a);

#endif
