/* SPDX-License-Identifier: MIT */
/* Replies of an FTP server: see answer.h. */
#include "answer.h"

#include "plain.h"

void
answer_start(struct answer *a)
{
	a->code = 0;
	a->count = 0;
	a->line_len = 0;
	a->words_len = 0;
}

/* The code that a line begins with, where what follows it is right; else 0. */
static unsigned
code_of(const struct answer *a)
{
	uint64_t code;

	return a->line_len >= 3 && text_number((struct text){ a->line, 3 }, 599, &code) && code >= 100
		&& (a->line_len == 3 || a->line[3] == ' ' || a->line[3] == '-') ? (unsigned)code : 0;
}

static void
keep_words(struct answer *a, struct text t)
{
	struct out o = { .at = a->words, .cap = sizeof a->words, .len = a->words_len };

	t = text_trim(t);
	if (t.len > 0) {
		if (o.len > 0) {
			out_char(&o, ' ');
		}
		plain_put(&o, t);
	}
	a->words_len = o.len;
}

static enum answer_state
end_line(struct answer *a)
{
	unsigned code;
	bool is_first = a->code == 0;
	bool goes_on;

	if (a->line_len > 0 && a->line[a->line_len - 1] == '\r') {
		a->line_len--;
	}
	code = code_of(a);
	goes_on = a->line_len > 3 && a->line[3] == '-';
	if (is_first && code == 0) {
		return ANSWER_BAD;
	}
	if (is_first) {
		a->code = code;
	}
	if (code == a->code) {
		size_t skip = a->line_len > 3 ? 4 : 3;

		keep_words(a, (struct text){ a->line + skip, a->line_len - skip });
	} else {
		keep_words(a, (struct text){ a->line, a->line_len });
	}
	a->line_len = 0;
	return code == a->code && !goes_on ? ANSWER_WHOLE : ANSWER_MORE;
}

enum answer_state
answer_feed(struct answer *a, char c)
{
	if (++a->count > ANSWER_MAX) {
		return ANSWER_BAD;
	}
	if (c == '\n') {
		return end_line(a);
	}
	if (a->line_len < sizeof a->line) {
		a->line[a->line_len++] = c;
	}
	return ANSWER_MORE;
}

struct text
answer_words(const struct answer *a)
{
	return (struct text){ a->words, a->words_len };
}
