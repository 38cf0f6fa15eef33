/* SPDX-License-Identifier: MIT */
/* Replies: see reply.h. */
#include "reply.h"

void
reply_start(struct out *o, unsigned code, const char *text)
{
	out_digits(o, code, 3);
	out_char(o, ' ');
	out_string(o, text);
}

int
reply_end(struct out *o, const char *text)
{
	out_string(o, text);
	out_string(o, "\r\n");
	return CUB_OK;
}

int
reply(struct out *o, unsigned code, const char *text)
{
	reply_start(o, code, text);
	return reply_end(o, "");
}

struct answer {
	int16_t     err;
	uint16_t    code;
	const char *text;
};

/* Those of a transfer first: what they lack is answered as by any other command. */
static const struct answer answers[] = {
	{ CUB_E_REUSE,    522, "Data connection refused: it did not resume the TLS session of "
		"the control connection; enable session reuse in the client" },
	{ CUB_E_TLS,      522, "TLS negotiation on the data connection failed" },
	{ CUB_E_TIMEOUT,  425, "The data connection was not opened in time" },
	{ CUB_E_PEER,     426, "Data came from the wrong side; transfer aborted" },
	{ CUB_EOF,        426, "Data connection closed early; transfer aborted" },
	{ CUB_E_ABORTED,  426, "Transfer aborted" },
	{ CUB_E_IO,       426, "Data connection lost; transfer aborted" },
	{ CUB_E_NOTEMPTY, 451, "Local error; transfer aborted" },
	{ CUB_E_LIMIT,    451, "Local error; transfer aborted" },
	{ CUB_E_MEDIUM,   451, "Local error; transfer aborted" },
#define OF_TRANSFERS 10
	{ CUB_E_NOENT,    550, "No such file or directory" },
	{ CUB_E_EXIST,    550, "It exists already" },
	{ CUB_E_DENIED,   550, "Permission denied" },
	{ CUB_E_ISDIR,    550, "It is a directory" },
	{ CUB_E_NOTDIR,   550, "Not a directory" },
	{ CUB_E_NOTEMPTY, 550, "Directory not empty" },
	{ CUB_E_FULL,     552, "Disk full" },
	{ CUB_E_NAME,     553, "Name not allowed" },
	{ CUB_E_BAD,      554, "Position is beyond the end of the file" },
	{ CUB_E_LIMIT,    451, "Out of resources" },
	{ CUB_E_BUSY,     450, "Busy" },
	{ CUB_OK,         451, "Local error" },  /* all others */
};

static const struct answer *
find_answer(const struct answer *answer, int err)
{
	while (answer->err != err && answer->err != CUB_OK) {
		answer++;
	}
	return answer;
}

int
reply_reason(struct out *o, int err, const char *why)
{
	/* What can't be used is refused for good: 554 is about positions in files. */
	return reply(o, err == CUB_E_BAD ? 550 : find_answer(answers + OF_TRANSFERS, err)->code, why);
}

int
reply_error(struct out *o, int err)
{
	const struct answer *answer = find_answer(answers + OF_TRANSFERS, err);

	return reply(o, answer->code, answer->text);
}

int
reply_transfer_error(struct out *o, int err)
{
	const struct answer *answer = find_answer(answers, err);

	return reply(o, answer->code, answer->text);
}
