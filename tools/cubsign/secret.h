/* SPDX-License-Identifier: MIT */
/*
 * Passphrases and passwords: from a file, a variable of the environment or the terminal, in
 * this order, and never from the command line, which everybody on the machine can read.
 */
#ifndef SECRET_H
#define SECRET_H

#include "text.h"

#define SECRET_MAX 512

struct secret {
	size_t len;
	char   at[SECRET_MAX];
};

struct secret_source {
	const char *file;      /* its first line; null: none */
	const char *variable;  /* of the environment; null: none */
	const char *option;    /* that names a file, "--passphrase-file": for reasons; or null */
};

/*
 * Get a secret; `prompt` says what it is asked for: "Passphrase of acme.key"; what
 * is not plain in it is escaped. One that is new
 * is asked for twice, and must not be empty. The terminal shows nothing of it, and is as
 * before afterwards, also where a signal ends the program.
 *
 * Returns false, told in `why`: the file can't be read, it is too long (SECRET_MAX - 1 bytes),
 * it is empty, or there is no terminal to ask. Then, and after use, wipe it. Of a file that
 * others can read it is told on standard error, and it is used.
 */
bool secret_get(struct secret *s, struct secret_source from, const char *prompt, bool is_new,
	struct out *why);

void secret_wipe(struct secret *s);

/*
 * Ask a question on the terminal. Is the answer "y" or "yes"? No, where there is no terminal.
 * What has been typed before does not count.
 */
bool secret_confirm(const char *question);

/* Is there a terminal that somebody could be asked on? */
bool secret_can_ask(void);

#endif
