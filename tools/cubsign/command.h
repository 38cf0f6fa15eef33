/* SPDX-License-Identifier: MIT */
/*
 * The commands: each does what its options say, prints its answer on standard output, and
 * what is wrong as one line a thing on standard error.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "options.h"

/* As everywhere: done, refused or failed, used wrongly. */
enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

int command_ca(const struct options *o);
int command_key(const struct options *o);
int command_csr(const struct options *o);
int command_show(const struct options *o);
int command_sign(const struct options *o);
int command_verify(const struct options *o);
int command_list(const struct options *o);
int command_provision(const struct options *o);
int command_trust(const struct options *o);
int command_pending(const struct options *o);

/*
 * "cubsign: ABOUT: WHY" on standard error; without `about` where that is null. Both may hold
 * anything: what is not plain is escaped (plain.h). Gives `code`.
 */
int command_fail(int code, const char *about, const struct out *why);

/* All of a text on standard output. False, told: it can't be written. */
bool command_print(const struct out *o);

#endif
