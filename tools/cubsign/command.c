/* SPDX-License-Identifier: MIT */
/* What all commands say in the same way: see command.h. */
#include "command.h"

#include <stdio.h>

#include "plain.h"

#define FAILURE_MAX 32768  /* bytes of a line: four digits for each of the longest path, and why */

int
command_fail(int code, const char *about, const struct out *why)
{
	char text[FAILURE_MAX];
	struct out line = OUT(text);

	if (about != NULL) {
		plain_put(&line, text_of(about));
		out_string(&line, ": ");
	}
	plain_put_words(&line, out_so_far(why));
	(void)fflush(stdout);
	(void)fprintf(stderr, "cubsign: %s\n", out_finish(&line));
	return code;
}

bool
command_print(const struct out *o)
{
	if (fwrite(o->at, 1, o->len, stdout) == o->len && fflush(stdout) == 0) {
		return true;
	}
	(void)fputs("cubsign: standard output can't be written\n", stderr);
	return false;
}
