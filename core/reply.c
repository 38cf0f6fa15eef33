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

void
reply_end(struct out *o, const char *text)
{
	out_string(o, text);
	out_string(o, "\r\n");
}

void
reply(struct out *o, unsigned code, const char *text)
{
	reply_start(o, code, text);
	reply_end(o, "");
}

struct answer {
	int16_t     err;
	uint16_t    code;
	const char *text;
};

static const struct answer error_answers[] = {
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
	{ CUB_OK,         451, "Local error" },
};

static const struct answer *
find_answer(const struct answer *answer, int err)
{
	while (answer->err != err && answer->err != CUB_OK) {
		answer++;  /* the row of CUB_OK comes last and stands for all others */
	}
	return answer;
}

static void
put_answer(struct out *o, const struct answer *answers, int err)
{
	const struct answer *answer = find_answer(answers, err);

	reply(o, answer->code, answer->text);
}

void
reply_error(struct out *o, int err)
{
	put_answer(o, error_answers, err);
}

void
reply_reason(struct out *o, int err, const char *why)
{
	/* What can't be used is refused for good: 554 is about positions in files. */
	reply(o, err == CUB_E_BAD ? 550 : find_answer(error_answers, err)->code, why);
}

void
reply_transfer_error(struct out *o, int err)
{
	static const struct answer answers[] = {
		{ CUB_E_REUSE,   522, "Data connection refused: it did not resume the TLS session of "
			"the control connection; enable session reuse in the client" },
		{ CUB_E_TLS,     522, "TLS negotiation on the data connection failed" },
		{ CUB_E_TIMEOUT, 425, "The data connection was not opened in time" },
		{ CUB_E_PEER,    426, "Data came from the wrong side; transfer aborted" },
		{ CUB_EOF,       426, "Data connection closed early; transfer aborted" },
		{ CUB_E_ABORTED, 426, "Transfer aborted" },
		{ CUB_E_IO,      426, "Data connection lost; transfer aborted" },
		{ CUB_OK,        451, "Local error; transfer aborted" },
	};
	static const int8_t of_file[] = {
		CUB_E_NOENT, CUB_E_EXIST, CUB_E_DENIED, CUB_E_ISDIR, CUB_E_NOTDIR, CUB_E_FULL, CUB_E_NAME,
		CUB_E_BAD, CUB_E_BUSY,
	};

	for (size_t i = 0; i < sizeof of_file / sizeof of_file[0]; i++) {
		if (err == of_file[i]) {
			reply_error(o, err);
			return;
		}
	}
	put_answer(o, answers, err);
}
